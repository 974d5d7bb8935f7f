"""Files, documents, registers, templates and signature requests."""
