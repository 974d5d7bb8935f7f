"""The designer: procedures as diagrams and in words, what the gate says about a new one, and publishing it."""

from webapp.designer import comparisons, drafts, guided, law, migrations, proposals, rehearsals, views
from webapp.designer.area import area, navigation

__all__ = ["area", "comparisons", "drafts", "guided", "law", "migrations", "navigation", "proposals", "rehearsals", "views"]
