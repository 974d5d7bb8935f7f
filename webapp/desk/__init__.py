"""The officers' desk: what waits for me, one task at a time, everything about a dossier."""

from webapp.desk import dossier, files, inbox, internal, task
from webapp.desk.area import area, navigation

__all__ = ["area", "dossier", "files", "inbox", "internal", "navigation", "task"]
