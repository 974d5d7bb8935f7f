"""The signing room: what waits for a leader's signature, page by page or several at once with one PIN."""

from webapp.signing_room import batch, views
from webapp.signing_room.area import area, navigation

__all__ = ["area", "batch", "navigation", "views"]
