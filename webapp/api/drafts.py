"""Drafts of procedures: begin, read and save files, restore, submit, give up; the same commands the designer's screens call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response, request

from engine.commands import drafts as commands
from engine.commands import proposals
from engine.queries import designing, rehearsing
from engine.queries import drafts as queries
from engine.runtime import UnitOfWork
from webapp.api.procedures import ProposalReport, reported
from webapp.api.routes import download, route

TAG = "drafts"


@dataclass(frozen=True)
class Draft:
    """A draft; `state` is draft, submitted or discarded, `version` counts its saves."""

    id: UUID
    key: str
    title: str
    state: str
    origin: str
    version: int
    owner: str
    updated_at: datetime
    updated_by: str


@dataclass(frozen=True)
class Wanted:
    """Which drafts: words in name or key, a state, only one's own."""

    q: str = ""
    state: str = "draft"
    mine: bool = False


@dataclass(frozen=True)
class Beginning:
    """How a draft begins: `of` a published procedure (and one of its versions), or a new one with key, code and names."""

    of: str = ""
    version_id: UUID | None = None
    key: str = ""
    code: str = ""
    name_vi: str = ""
    name_en: str = ""


@dataclass(frozen=True)
class Uploaded:
    """The procedure whose diagram the file replaces; empty for a package or a new procedure."""

    of: str = ""


@dataclass(frozen=True)
class Saving:
    """The save the sender saw, and files by path: a text replaces, null removes."""

    version: int
    files: Mapping[str, str | None]
    note: str = ""


@dataclass(frozen=True)
class Number:
    """The number of a save."""

    number: int


@dataclass(frozen=True)
class Person:
    """A designer."""

    person: UUID


@dataclass(frozen=True)
class ScenarioResult:
    """How one scenario went; `fault` is empty when it went as written."""

    name: str
    green: bool
    fault: dict[str, Any]


@dataclass(frozen=True)
class TrialResult:
    """All scenarios played: how often each flow was walked, which nobody walks, which are excused and why."""

    green: bool
    scenarios: Sequence[ScenarioResult]
    flows: dict[str, int]
    bare: Sequence[str]
    waived: dict[str, str]


def told(line: queries.DraftLine) -> Draft:
    """Return a draft for programs."""
    d = line.draft
    return Draft(d.id, d.key, d.title, d.state, d.origin, d.version, line.owner, d.updated_at, line.updated_by)


@route("GET", "/drafts", "Drafts of procedures", tag=TAG, answer=Sequence[Draft], query=Wanted)
def drafts(w: UnitOfWork, query: Wanted) -> list[Draft]:
    """Return the drafts of one state, the latest first."""
    return [told(line) for line in queries.workspace(w, text=query.q, mine=query.mine, state=query.state)]


@route("POST", "/drafts", "Begin a draft from a published version or the template", tag=TAG, answer=Draft, body=Beginning, status=201)
def begin_draft(w: UnitOfWork, body: Beginning) -> Draft:
    """Begin a draft."""
    if body.of:
        made = commands.from_version(w, body.of, body.version_id)
    else:
        made = commands.from_template(w, key=body.key, code=body.code, name_vi=body.name_vi, name_en=body.name_en)
    return told(queries.page(w, made.id).line)


@route(
    "POST", "/drafts/upload", "Begin a draft from a diagram or a package", tag=TAG, answer=Draft, body=Uploaded, files=("file",), status=201
)
def upload_draft(w: UnitOfWork, body: Uploaded) -> Draft:
    """Begin a draft from a file of any modeler."""
    sent = request.files.get("file")
    made = commands.from_upload(w, sent.read() if sent else b"", (sent.filename or "") if sent else "", key=body.of)
    return told(queries.page(w, made.id).line)


@route("GET", "/drafts/<uuid:draft_id>", "One draft", tag=TAG, answer=Draft)
def draft_facts(w: UnitOfWork, draft_id: UUID) -> Draft:
    """Return one draft."""
    return told(queries.page(w, draft_id).line)


@route("GET", "/drafts/<uuid:draft_id>/package", "The package as it stands in a draft", tag=TAG, media="application/zip")
def draft_archive(w: UnitOfWork, draft_id: UUID) -> Response:
    """Send a draft as a package folder."""
    page = queries.page(w, draft_id)
    return download(designing.packed(page.files), f"{page.line.draft.key}.zip", "application/zip")


@route("GET", "/drafts/<uuid:draft_id>/report", "What the gate says of a draft", tag=TAG, answer=ProposalReport)
def draft_findings(w: UnitOfWork, draft_id: UUID) -> ProposalReport:
    """Return the report on a draft, with what it changes."""
    page = queries.page(w, draft_id)
    return reported(w, proposals.examined(w, page.files, page.line.draft.key), page.line.draft.key)


@route("GET", "/drafts/<uuid:draft_id>/trial", "Play every scenario of a draft", tag=TAG, answer=TrialResult)
def draft_trial(w: UnitOfWork, draft_id: UUID) -> TrialResult:
    """Return how every scenario goes and which flows nobody walks."""
    page = queries.page(w, draft_id)
    package = proposals.packaged(page.files, page.line.draft.key)
    found = rehearsing.trial(w, package)
    scenarios = [
        ScenarioResult(one.scenario.name, one.fault is None, one.fault.as_json() if one.fault is not None else {}) for one in found.played
    ]
    cover = found.coverage
    return TrialResult(found.green, scenarios, dict(cover.flows), list(cover.bare), dict(cover.waived))


@route("POST", "/drafts/<uuid:draft_id>/files", "Save files of a draft", tag=TAG, answer=Draft, body=Saving)
def save_procedure_draft(w: UnitOfWork, draft_id: UUID, body: Saving) -> Draft:
    """Save; a file somebody else saved meanwhile is a conflict that names who and when."""
    changes = {name: text.encode() if text is not None else None for name, text in body.files.items()}
    return told(queries.page(w, commands.save(w, draft_id, body.version, changes, body.note).id).line)


@dataclass(frozen=True)
class DataEdit:
    """Values of the procedure's data by field (`fee.0.amount`), an array that gets an entry, an entry that goes or moves up (`fee.1`)."""

    version: int
    values: Mapping[str, str]
    add: str = ""
    remove: str = ""
    up: str = ""


@route("GET", "/drafts/<uuid:draft_id>/data", "The procedure's data of a draft, by field", tag=TAG, answer=Mapping[str, str])
def draft_data(w: UnitOfWork, draft_id: UUID) -> dict[str, str]:
    """Return every value of `procedure.toml` under the name of its field."""
    return dict(designing.data(queries.page(w, draft_id).files, ()).values)


@route("POST", "/drafts/<uuid:draft_id>/data", "Change the procedure's data of a draft", tag=TAG, answer=Draft, body=DataEdit)
def save_draft_data(w: UnitOfWork, draft_id: UUID, body: DataEdit) -> Draft:
    """Change values and entries; comments and everything else in the file stay."""
    made = commands.save_data(w, draft_id, body.version, body.values, add=body.add, remove=body.remove, up=body.up)
    return told(queries.page(w, made.id).line)


@route("POST", "/drafts/<uuid:draft_id>/restoration", "Make an earlier save the present one", tag=TAG, answer=Draft, body=Number)
def restore_draft(w: UnitOfWork, draft_id: UUID, body: Number) -> Draft:
    """Restore a save; what stood between is kept."""
    return told(queries.page(w, commands.restore(w, draft_id, body.number).id).line)


@route("POST", "/drafts/<uuid:draft_id>/owner", "Hand a draft over", tag=TAG, answer=Draft, body=Person)
def hand_draft_over(w: UnitOfWork, draft_id: UUID, body: Person) -> Draft:
    """Make another designer the owner."""
    commands.give_to(w, draft_id, body.person)
    return told(queries.page(w, draft_id).line)


@route("POST", "/drafts/<uuid:draft_id>/submission", "Turn a draft into a proposal", tag=TAG, answer=ProposalReport)
def submit_draft(w: UnitOfWork, draft_id: UUID) -> ProposalReport:
    """Submit; what is not ready stays a draft and the report says why."""
    page = queries.page(w, draft_id)
    key = page.line.draft.key
    if not proposals.wanting(w, page.files, key).passed:
        return reported(w, proposals.examined(w, page.files, key), key)
    found = proposals.propose(w, key, designing.packed(page.files), f"{key}.zip")
    commands.submitted(w, draft_id)
    return reported(w, found, key)


@route("DELETE", "/drafts/<uuid:draft_id>", "Give a draft up", tag=TAG, answer=Draft)
def discard_draft(w: UnitOfWork, draft_id: UUID) -> Draft:
    """Give a draft up; it can be taken up again."""
    commands.discard(w, draft_id)
    return told(queries.page(w, draft_id).line)


@route("POST", "/drafts/<uuid:draft_id>/resumption", "Work on a draft again", tag=TAG, answer=Draft)
def resume_draft(w: UnitOfWork, draft_id: UUID) -> Draft:
    """Take up a draft that was given up or submitted."""
    commands.take_up(w, draft_id)
    return told(queries.page(w, draft_id).line)
