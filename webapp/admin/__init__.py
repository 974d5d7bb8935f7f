"""Administration: units, people, positions, delegations, keys, calendar, incidents, journal, tokens, and the first hour of a new office."""

from webapp.admin import checks, keys, organisation, tokens, trust
from webapp.admin.area import area, navigation

__all__ = ["area", "checks", "keys", "navigation", "organisation", "tokens", "trust"]
