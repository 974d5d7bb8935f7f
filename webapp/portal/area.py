"""The blueprint of the public pages; they stand in no navigation of the office."""

from __future__ import annotations

from flask import Blueprint

from webapp.rendering.navigation import Entry

area = Blueprint("portal", __name__, template_folder="templates")
navigation: list[Entry] = []
