"""Drafts: begin one from the template, a published version or an upload, save, restore, hand over, give up, take away.

Two designers on one draft do not lock each other out: saves to different files are joined, saves to the same file are a conflict that
shows both versions.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from uuid import UUID

from sqlalchemy import delete, select

from engine.commands.procedures import with_diagram
from engine.documents.blobs import BlobStore
from engine.errors import Conflict, NotFound, Refused
from engine.kernel.identifiers import new_id
from engine.kernel.search import fold
from engine.kernel.unit_of_work import UnitOfWork
from engine.office import flow, papers
from engine.office.drafting import designer, files_at, files_of
from engine.organisation.model import Person
from engine.procedure import diagram_reader, guided
from engine.procedure.drafts import KEPT, Files, ProcedureDraft, ProcedureDraftSave, applied, named, overlapping, packed
from engine.procedure.loader import KEY, load_folder, load_zip
from engine.procedure.package import DECLARATION, DIAGRAM
from engine.procedure.registry import ProcedureCache, ProcedureVersion, latest
from engine.settings import Settings

TEMPLATE = "_template"


class EditedMeanwhile(Conflict):
    """Somebody saved one of these files after this screen was opened; ``theirs`` and ``mine`` hold both versions of each."""

    def __init__(self, files: Sequence[str], who: str, at: str, version: int, theirs: Files, mine: Mapping[str, bytes | None]) -> None:
        super().__init__("draft.changed_meanwhile", files=", ".join(files), who=who, at=at, version=version)
        self.files = tuple(files)
        self.version = version
        self.theirs = dict(theirs)
        self.mine = dict(mine)


def from_template(w: UnitOfWork, *, key: str, code: str, name_vi: str, name_en: str) -> ProcedureDraft:
    """Begin a new procedure from the template; its names, key and national code are filled in.

    Raises:
        Refused: at the field: a key in use or not a key, a missing name or code.
    """
    designer(w)
    for field, value in (("name_vi", name_vi), ("name_en", name_en), ("code", code)):
        if not value.strip():
            raise Refused("draft.word_missing", field=field)
    _free_key(w, key)
    files = dict(load_folder(w.part(Settings).procedures / TEMPLATE).files)
    files[DECLARATION] = named(files[DECLARATION].decode(), key=key, code=code.strip(), vi=name_vi.strip(), en=name_en.strip()).encode()
    return _begin(w, files, key, "template", None)


def from_version(w: UnitOfWork, key: str, version_id: UUID | None = None, *, note: str = "") -> ProcedureDraft:
    """Begin from a published version, by default the newest; *note* says in the history why.

    Raises:
        NotFound: there is no such version.
    """
    designer(w)
    base = w.session.get(ProcedureVersion, (w.province, version_id)) if version_id else latest(w.session, w.province, key)
    if base is None or base.key != key:
        raise NotFound("procedure.unknown", key=key)
    return _begin(w, w.part(ProcedureCache).package(w, base.id).files, key, "version", base, note)


def from_upload(w: UnitOfWork, content: bytes, name: str, *, key: str = "") -> ProcedureDraft:
    """Begin from a file: a package as zip, or a diagram of any modeler (for *key* with its newest package around it, else the template's).

    Raises:
        Refused: there is no file, or it cannot be read at all; PackageInvalid with every fault of a zip.
    """
    designer(w)
    if not content:
        raise Refused("procedure.file_missing", field="file")
    if content[:2] == b"PK":
        package = load_zip(content, name.removesuffix(".zip"))
        return _begin(w, package.files, package.key, "upload", latest(w.session, w.province, package.key))
    if key:
        base = latest(w.session, w.province, key)
        return _begin(w, with_diagram(w, key, content).files, key, "upload", base)
    diagram_reader.read_diagram(content, DIAGRAM)
    files = dict(load_folder(w.part(Settings).procedures / TEMPLATE).files)
    stem = re.sub(r"[^a-z0-9_]+", "_", name.lower().removesuffix(".bpmn")).strip("_")[:40]
    own = stem if re.fullmatch(KEY, stem) and latest(w.session, w.province, stem) is None else f"draft_{new_id().hex[-8:]}"
    files[DECLARATION] = named(files[DECLARATION].decode(), key=own).encode()
    return _begin(w, {**files, DIAGRAM: content}, own, "upload", None)


def _free_key(w: UnitOfWork, key: str) -> None:
    if not re.fullmatch(KEY, key):
        raise Refused("draft.key_pattern", field="key")
    drafted = select(ProcedureDraft.id).where(
        ProcedureDraft.province == w.province, ProcedureDraft.key == key, ProcedureDraft.state == "draft"
    )
    if latest(w.session, w.province, key) is not None or w.session.scalar(drafted) is not None:
        raise Refused("draft.key_taken", field="key", key=key)


def _begin(w: UnitOfWork, files: Files, key: str, origin: str, base: ProcedureVersion | None, note: str = "") -> ProcedureDraft:
    made = ProcedureDraft(
        province=w.province,
        id=new_id(),
        key=key,
        title=title_of(files),
        words=fold(f"{key} {title_of(files)}"),
        origin=origin,
        base_id=base.id if base else None,
        owner_id=w.actor.person,
        content=w.part(BlobStore).put(packed(files)),
        created_at=w.now,
        updated_at=w.now,
        updated_by_id=w.actor.person,
    )
    w.session.add(made)
    w.session.flush()
    _keep(w, made, note)
    w.record("draft.begun", None, draft=str(made.id), key=key, origin=origin, **({"because": note} if note else {}))
    return made


def save(w: UnitOfWork, draft_id: UUID, version: int, changes: Mapping[str, bytes | None], note: str = "") -> ProcedureDraft:
    """Save changed files; *version* is the save the screen was opened with. Saving what is there already adds nothing.

    Raises:
        EditedMeanwhile: somebody saved one of these files since.
        Refused: at the file: no such place in a package, too large, a required file.
        Conflict: the draft is no longer worked on.
    """
    draft = locked(w, draft_id)
    theirs = files_of(w, draft)
    if version != draft.version:
        met = overlapping(files_at(w, draft, version), theirs, changes)
        if met:
            raise EditedMeanwhile(
                met, papers.person_name(w, draft.updated_by_id), flow.iso(draft.updated_at) or "", draft.version, theirs, changes
            )
    return _advance(w, draft, applied(theirs, changes), note)


def save_data(
    w: UnitOfWork, draft_id: UUID, version: int, values: Mapping[str, str], *, add: str = "", remove: str = "", up: str = ""
) -> ProcedureDraft:
    """Save what the form of the procedure's data says; *add* names an array that gets an entry, *remove* and *up* an entry (``fee.1``).

    Raises:
        EditedMeanwhile: somebody saved ``procedure.toml`` since.
        Refused: the file is no TOML, or there is no such entry.
        Conflict: the draft is no longer worked on.
    """
    draft = locked(w, draft_id)
    text = guided.edited(files_at(w, draft, version)[DECLARATION].decode(), values)
    if add:
        text = guided.with_entry(text, add)
    for name, change in ((remove, guided.without_entry), (up, guided.moved_up)):
        key, _, place = name.partition(".")
        if key:
            text = change(text, key, int(place) if place.isdigit() else -1)
    return save(w, draft_id, version, {DECLARATION: text.encode()})


def restore(w: UnitOfWork, draft_id: UUID, number: int) -> ProcedureDraft:
    """Make an earlier save the present one; what stood between stays in the history.

    Raises:
        NotFound: there is no such save any more.
    """
    draft = locked(w, draft_id)
    return _advance(w, draft, files_at(w, draft, number), f"← {number}")


def _advance(w: UnitOfWork, draft: ProcedureDraft, files: Files, note: str) -> ProcedureDraft:
    content = w.part(BlobStore).put(packed(files))
    if content == draft.content:
        return draft
    draft.content = content
    draft.version += 1
    draft.title = title_of(files) or draft.title
    draft.words = fold(f"{draft.key} {draft.title}")
    draft.updated_at, draft.updated_by_id = w.now, w.actor.person
    _keep(w, draft, note.strip()[:200])
    return draft


def _keep(w: UnitOfWork, draft: ProcedureDraft, note: str) -> None:
    w.session.add(
        ProcedureDraftSave(
            province=w.province, id=new_id(), draft_id=draft.id, number=draft.version, content=draft.content,
            saved_at=w.now, saved_by_id=w.actor.person, note=note,
        )
    )  # fmt: skip
    if draft.version > KEPT:
        w.session.execute(
            delete(ProcedureDraftSave).where(
                ProcedureDraftSave.province == w.province,
                ProcedureDraftSave.draft_id == draft.id,
                ProcedureDraftSave.number <= draft.version - KEPT,
            )
        )


def give_to(w: UnitOfWork, draft_id: UUID, person_id: UUID) -> None:
    """Make another designer the owner.

    Raises:
        Refused: there is no such person.
    """
    draft = locked(w, draft_id)
    if w.session.get(Person, (w.province, person_id)) is None:
        raise Refused("draft.owner_unknown", field="owner")
    draft.owner_id = person_id
    w.record("draft.handed_over", None, draft=str(draft.id), owner=str(person_id))


def discard(w: UnitOfWork, draft_id: UUID) -> None:
    """Give a draft up; it stays in the history and can be taken up again."""
    _to(w, locked(w, draft_id), "discarded")


def take_up(w: UnitOfWork, draft_id: UUID) -> None:
    """Work again on a draft that was given up or submitted."""
    _to(w, locked(w, draft_id, also=("discarded", "submitted")), "draft")


def submitted(w: UnitOfWork, draft_id: UUID) -> None:
    """Say that the content of a draft is a proposal now; whoever approves sees exactly that content."""
    _to(w, locked(w, draft_id), "submitted")


def _to(w: UnitOfWork, draft: ProcedureDraft, state: str) -> None:
    draft.state = state
    w.record("draft.moved", None, draft=str(draft.id), state=state)


def locked(w: UnitOfWork, draft_id: UUID, also: Sequence[str] = ()) -> ProcedureDraft:
    """Lock a draft that is worked on (or in one of the states *also*) and return it.

    Raises:
        NotFound: there is none.
        Conflict: it is no longer worked on.
    """
    designer(w)
    query = select(ProcedureDraft).where(ProcedureDraft.province == w.province, ProcedureDraft.id == draft_id)
    draft = w.session.scalars(query.with_for_update().execution_options(populate_existing=True)).one_or_none()
    if draft is None:
        raise NotFound("draft.not_found")
    if draft.state != "draft" and draft.state not in also:
        raise Conflict("draft.not_open", who=papers.person_name(w, draft.updated_by_id), at=flow.iso(draft.updated_at))
    return draft


def title_of(files: Files) -> str:
    """Return the Vietnamese name in ``procedure.toml``, or nothing when it cannot be read."""
    with suppress(UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError):
        return str(tomllib.loads(files[DECLARATION].decode())["name"]["vi"])[:300]
    return ""
