"""The officers' desk: what waits for me, one task at a time, everything about a dossier."""

from webapp.desk.views import area, navigation

__all__ = ["area", "navigation"]
