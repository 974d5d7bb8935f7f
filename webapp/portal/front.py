"""The public front page: follow a dossier, check a file, see what can be asked for."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from engine.queries import procedures
from webapp.portal.area import area
from webapp.transaction import look


@area.get("/")
def front() -> ResponseReturnValue:
    """Show the public front page."""
    with look() as w:
        return render_template("portal/front.html", procedures=procedures.in_force(w, "public"))


@area.get("/thu-tuc/<key>")
def procedure(key: str) -> ResponseReturnValue:
    """Show a procedure from the version in force: papers, term, fees, legal basis, the way of a dossier."""
    with look() as w:
        version, package = procedures.current(w, key)
        return render_template(
            "portal/procedure.html",
            version=version,
            package=package,
            way=procedures.in_words(w, version.id),
            steps=procedures.main_steps(package),
        )
