"""The document clerk: number, date and seal; the yearly registers."""

from webapp.documents.views import area, navigation

__all__ = ["area", "navigation"]
