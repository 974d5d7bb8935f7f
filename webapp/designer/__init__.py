"""The designer: procedures as diagrams and in words, what the gate says about a new one, and publishing it."""

from webapp.designer import proposals, views
from webapp.designer.area import area, navigation

__all__ = ["area", "navigation", "proposals", "views"]
