"""The schema's history, and the one place that knows every record."""
