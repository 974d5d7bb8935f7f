"""The officers' desk: what waits for me, one task at a time, everything about a dossier."""

from webapp.desk import dossier, files, inbox, internal, interventions, task
from webapp.desk.area import area, navigation

__all__ = ["area", "dossier", "files", "inbox", "internal", "interventions", "navigation", "task"]
