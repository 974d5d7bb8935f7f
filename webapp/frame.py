"""What stands around every page of the desk: the navigation with its counts, the person, the theme."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, g

from engine.queries.inbox import counts as waiting
from engine.queries.signed_in import SignedIn
from webapp.accounts import me
from webapp.rendering.navigation import visible
from webapp.transaction import look

LOOKERS_UP = frozenset({"reception_officer", "return_officer", "cashier", "centre_leader"})


@dataclass(frozen=True, slots=True)
class Frame:
    """The frame of one page for one person."""

    name: str
    theme: str
    shortcuts: bool
    may_look_up: bool
    sections: list[tuple[str, list[dict[str, Any]]]]


def install(app: Flask) -> None:
    """Give the desk's layout its frame; it is made once a request."""
    app.jinja_env.globals["desk_frame"] = desk_frame


def counts(person: SignedIn) -> dict[str, int]:
    """Return what waits, by kind of step; how many of all are late stands under ``all_late``."""
    if person.person is None:
        return {}
    with look() as w:
        found = waiting(w)
    return {**found, "all_late": found.get("late", 0)}


def desk_frame() -> Frame:
    """Return the frame for the person who is signed in."""
    if "frame" not in g:
        person = me()
        g.frame = Frame(
            person.name,
            person.choices.get("theme", ""),
            person.choices.get("shortcuts", True),
            bool(person.roles & LOOKERS_UP) and "counter.look_up" in current_app.view_functions,
            visible(current_app, person.roles, counts(person)),
        )
    frame: Frame = g.frame
    return frame
