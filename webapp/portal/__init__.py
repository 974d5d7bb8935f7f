"""What citizens see: progress by code, answering a supplement, the result, and checking a signed file."""

from webapp.portal import front, owner, proof, track, verification
from webapp.portal.area import area, navigation

__all__ = ["area", "front", "navigation", "owner", "proof", "track", "verification"]
