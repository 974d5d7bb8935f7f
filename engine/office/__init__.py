"""The ground floor of commands and queries: who acts, a dossier under its lock, the papers it gives rise to."""
