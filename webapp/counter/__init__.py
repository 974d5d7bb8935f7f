"""The counter of the one-stop office: receive, look up, hand over, return results."""

from webapp.counter import day, intake, look_up, one
from webapp.counter.area import area, navigation

__all__ = ["area", "day", "intake", "look_up", "navigation", "one"]
