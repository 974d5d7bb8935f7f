"""The signing room: what waits for a leader's signature, page by page or several at once with one PIN."""

from webapp.signing_room import agent, batch, views
from webapp.signing_room.area import area, navigation

__all__ = ["agent", "area", "batch", "navigation", "views"]
