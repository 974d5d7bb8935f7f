"""Two versions of a procedure beside each other: both diagrams coloured by what changed, every change numbered and in words."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.errors import Refused
from engine.queries import comparing
from engine.runtime import UnitOfWork
from webapp.accounts import holding
from webapp.designer.area import DESIGNERS, MARKS, area
from webapp.designer.drafts import DIAGRAM, frame
from webapp.transaction import look


@area.get("/<key>/compare")
@holding(*DESIGNERS)
def compare(key: str) -> ResponseReturnValue:
    """Show two versions or drafts of a procedure, by default the two newest versions."""
    with look() as w:
        known = comparing.sides(w, key)
        published = [side for side in known if side.version is not None] or known
        old = request.args.get("old", published[min(1, len(published) - 1)].id, UUID)
        new = request.args.get("new", published[0].id, UUID)
        return render_template("designer/compare.html", key=key, known=known, **beside(w, key, known, old, new))


@area.get("/drafts/<uuid:draft_id>/compare")
@holding(*DESIGNERS)
def draft_compare(draft_id: UUID) -> ResponseReturnValue:
    """Show a draft beside the version it began from, or beside another one."""
    with look() as w:
        seen = frame(w, draft_id, "compare")
        draft = seen["d"]
        known = comparing.sides(w, draft.key)
        others = [side for side in known if side.id != draft.id]
        begun = draft.base_id if any(side.id == draft.base_id for side in others) else others[0].id if others else draft.id
        old = request.args.get("old", begun, UUID)
        return render_template("designer/draft_compare.html", **seen, known=others, **beside(w, draft.key, known, old, draft.id))


def beside(w: UnitOfWork, key: str, known: list[comparing.Side], old: UUID, new: UUID) -> dict[str, Any]:
    """Return what a comparison shows; ``unread`` says why a draft cannot be compared."""
    shown: dict[str, Any] = {"old": old, "new": new, "signs": MARKS, "c": None, "unread": None}
    try:
        found = comparing.compared(w, key, old, new)
    except Refused as refused:
        return {**shown, "unread": refused}
    sides = {side.id: side for side in known}
    return {
        **shown,
        "c": found,
        "drawings": {"old": address(key, sides[old]), "new": address(key, sides[new])},
        "notes": {side: [note for one in found.told for note in badges(one, elements(one, side))] for side in ("old", "new")},
    }


def address(key: str, side: comparing.Side) -> str:
    """Return where the diagram of a side is."""
    if side.draft is not None:
        return url_for("designer.draft_raw", draft_id=side.id, name=DIAGRAM)
    return url_for("designer.diagram", key=key, version_id=side.id)


def elements(one: Any, side: str) -> tuple[str, ...]:
    """Return the elements of a change in the diagram of one side."""
    return one.before if side == "old" else one.after  # type: ignore[no-any-return]


def badges(one: Any, names: tuple[str, ...]) -> list[dict[str, str]]:
    """Return the badges of a change: its sign and number on each of its elements."""
    return [{"id": name, "text": f"{MARKS[one.mark][0]}{one.number}", "tone": one.mark} for name in names if one.mark]
