"""The board: how the units stand against their due dates, now."""

from webapp.board.views import area, navigation

__all__ = ["area", "navigation"]
