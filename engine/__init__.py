"""How an office works: dossiers, tasks, documents and deadlines of a public administration."""
