"""Where a leader's signature stands: the template's place, moved by what its signer has chosen for documents of this template.

What is remembered is the way from the template's place, not a place on the page: a longer document moves title and name down, and the
signature with them. It belongs to the person and the template: the image is that person's own, a deputy's is another. The seal is
never remembered: it lies over the left third of the signature, wherever that stands (NĐ 30/2020/NĐ-CP, Phụ lục I).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.dialects.postgresql import insert

from engine.documents.model import Document, SignaturePlace
from engine.documents.signature import DATE, NUMBER
from engine.kernel.identifiers import new_id
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from signing.errors import SigningError
from signing.model import Box
from signing.placement import Placed, Shift, judge

BLOCK = "signer"
"""What a template calls the block of title, signature and name."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The fields of a printed document with the signature where it will stand; *why* says why it is not where its signer wants it."""

    fields: list[Json]
    asked: Shift
    given: Shift
    why: str = ""
    facts: Json | None = None

    def to_json(self) -> Json:
        """What a preparation keeps of it."""
        told: Json = {"asked": [self.asked.right, self.asked.down], "given": [self.given.right, self.given.down]}
        return {**told, "why": self.why, "facts": self.facts or {}} if self.why else told


def remembered(w: UnitOfWork, person_id: UUID, procedure: str, document: str) -> Shift:
    """Return how far from its template's place a person wants their signature; nothing chosen is no way at all."""
    row = w.session.execute(
        select(SignaturePlace.right, SignaturePlace.down).where(*_key(w, person_id, procedure, document))
    ).first()  # fmt: skip
    return Shift(row.right, row.down) if row is not None else Shift()


def remember(w: UnitOfWork, person_id: UUID, procedure: str, document: str, shift: Shift) -> None:
    """Remember the way from the template's place for this person and template; none at all is forgotten."""
    if not shift:
        w.session.execute(delete(SignaturePlace).where(*_key(w, person_id, procedure, document)))
        return
    told = {"right": shift.right, "down": shift.down, "chosen_at": w.now}
    w.session.execute(
        insert(SignaturePlace)
        .values(province=w.province, id=new_id(), person_id=person_id, procedure=procedure, document=document, **told)
        .on_conflict_do_update(index_elements=["province", "person_id", "procedure", "document"], set_=told)
    )


def _key(w: UnitOfWork, person_id: UUID, procedure: str, document: str) -> tuple[ColumnElement[bool], ...]:
    of = SignaturePlace
    return of.province == w.province, of.person_id == person_id, of.procedure == procedure, of.document == document


def settle(pdf: bytes, fields: Sequence[Json], asked: Shift) -> Settled:
    """Return a print's fields with the signature moved as its signer wants; where it must not stand, the template's place is kept."""
    found = standing(fields)
    if not asked or found is None:
        return Settled(list(fields), asked, Shift())
    try:
        judge(pdf, found.moved(asked), kept_free(fields))
    except SigningError as refused:
        return Settled(list(fields), asked, Shift(), refused.code, dict(refused.facts))
    return Settled(moved(fields, asked), asked, asked)


def standing(fields: Sequence[Json]) -> Placed | None:
    """Return signature, seal and block of a document's fields; None when nobody signs it."""
    boxes = {f["name"]: Box(int(f["page"]), f["x"], f["y"], f["width"], f["height"]) for f in fields}
    image, seal, block = boxes.get("leader"), boxes.get("agency"), boxes.get(BLOCK)
    if image is None:
        return None
    return Placed(image, seal, block if block is not None and block.page == image.page else None)


def kept_free(fields: Sequence[Json]) -> list[Box]:
    """Return the places number and date are written to later."""
    return [Box(int(f["page"]), f["x"], f["y"], f["width"], f["height"]) for f in fields if f["name"] in (NUMBER, DATE)]


def moved(fields: Sequence[Json], shift: Shift) -> list[Json]:
    """Return the fields with signature and seal moved together."""
    found = standing(fields)
    assert found is not None
    there = found.moved(shift)
    places = {"leader": there.image, "agency": there.seal}
    told = []
    for one in fields:
        box = places.get(one["name"])
        told.append({**one, "x": box.x, "y": box.y} if box is not None else dict(one))
    return told


def given(basis: Json) -> Shift:
    """Return how far from its template's place a preparation has put the signature."""
    return Shift(*basis.get("place", {}).get("given", (0, 0)))


def asked(basis: Json) -> Shift:
    """Return what its signer had chosen when a preparation was made."""
    return Shift(*basis.get("place", {}).get("asked", (0, 0)))


def at_template(document: Document, basis: Json) -> list[Json]:
    """Return a prepared document's fields as its template has them."""
    way = given(basis)
    return moved(document.fields, Shift(-way.right, -way.down)) if way else list(document.fields)
