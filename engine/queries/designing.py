"""What designers see: procedures with their versions, how dossiers fare under each, one version drawn and in words, two compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from engine.dossier.model import Dossier
from engine.errors import NotFound, Refused
from engine.kernel.unit_of_work import UnitOfWork
from engine.office import papers
from engine.office.drafting import designer
from engine.office.standing import ZONE
from engine.organisation.roles import capacity_name, role_name
from engine.procedure import guided, reviews
from engine.procedure.difference import difference
from engine.procedure.drafts import STARTERS
from engine.procedure.drafts import packed as packed_files
from engine.procedure.forms import Form
from engine.procedure.loader import CAPACITIES, load_files, to_zip
from engine.procedure.operators import OPERATORS
from engine.procedure.outline import outline
from engine.procedure.package import DECLARATION, DIAGRAM, Package
from engine.procedure.phrases import OPERATOR_WORDS
from engine.procedure.registry import ProcedureCache, ProcedureVersion, all_in_force, versions
from engine.procedure.reviews import ProcedureReview
from engine.procedure.roles import ROLES
from engine.procedure.words import Words


@dataclass(frozen=True, slots=True)
class Fate:
    """How dossiers fare under a version: all, still running, late."""

    dossiers: int = 0
    running: int = 0
    late: int = 0


@dataclass(frozen=True, slots=True)
class Overview:
    """A procedure: the version in force (None before the first takes effect), the newest one, its dossiers over all versions."""

    key: str
    in_force: ProcedureVersion | None
    newest: ProcedureVersion
    versions: int
    fate: Fate


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One version with who published it and how its dossiers fare; ``standing`` is ``in_force``, ``upcoming`` or ``past``."""

    version: ProcedureVersion
    published_by: str
    standing: str
    fate: Fate


@dataclass(frozen=True, slots=True)
class VersionPage:
    """One version: its package, the outline, what it changed against the one before."""

    line: VersionLine
    package: Package
    outline: Sequence[Any]
    before: ProcedureVersion | None
    changes: Sequence[Any]


def overview(w: UnitOfWork) -> list[Overview]:
    """Return every procedure with its newest version and the one in force today, by name."""
    today = w.now.astimezone(ZONE).date()
    current = {v.key: v for v in all_in_force(w.session, w.province, today)}
    by_key: dict[str, list[ProcedureVersion]] = {}
    for version in w.session.scalars(
        select(ProcedureVersion)
        .where(ProcedureVersion.province == w.province)
        .order_by(ProcedureVersion.number.desc(), ProcedureVersion.drawing_number.desc())
    ):
        by_key.setdefault(version.key, []).append(version)
    fates = fates_by(w, Dossier.procedure_key)
    found = [Overview(key, current.get(key), own[0], len(own), fates.get(key, Fate())) for key, own in by_key.items()]
    return sorted(found, key=lambda o: o.newest.name_vi)


def fates_by(w: UnitOfWork, column: Any) -> dict[Any, Fate]:
    """Return how dossiers fare, grouped by a column of theirs."""
    late = Dossier.due_at < func.coalesce(Dossier.resolved_at, Dossier.closed_at, w.now)
    rows = w.session.execute(
        select(column, func.count(), func.count().filter(Dossier.closed_at.is_(None)), func.count().filter(late))
        .where(Dossier.province == w.province)
        .group_by(column)
    )
    return {group: Fate(total, running, overdue) for group, total, running, overdue in rows}


def version_lines(w: UnitOfWork, key: str) -> list[VersionLine]:
    """Return every version of a procedure, newest first.

    Raises:
        NotFound: it has none.
    """
    found = versions(w.session, w.province, key)
    if not found:
        raise NotFound("procedure.unknown", key=key)
    today = w.now.astimezone(ZONE).date()
    now = next((v for v in all_in_force(w.session, w.province, today) if v.key == key), None)
    fates = fates_by(w, Dossier.procedure_version_id)

    def standing(version: ProcedureVersion) -> str:
        if now is not None and version.id == now.id:
            return "in_force"
        return "upcoming" if version.effective_from > today else "past"

    return [VersionLine(v, papers.person_name(w, v.published_by), standing(v), fates.get(v.id, Fate())) for v in found]


def version_page(w: UnitOfWork, key: str, version_id: UUID | None = None) -> VersionPage:
    """Return one version of a procedure, by default the one in force, else the newest.

    Raises:
        NotFound: there is no such version of this procedure.
    """
    lines = version_lines(w, key)
    if version_id is None:
        line = next((one for one in lines if one.standing == "in_force"), lines[0])
    else:
        chosen = next((one for one in lines if one.version.id == version_id), None)
        if chosen is None:
            raise NotFound("procedure.unknown", key=key)
        line = chosen
    cache = w.part(ProcedureCache)
    package = cache.package(w, line.version.id)
    place = lines.index(line)
    before = lines[place + 1].version if place + 1 < len(lines) else None
    changed = difference(cache.package(w, before.id), package) if before is not None else ()
    return VersionPage(line, package, outline(package), before, changed)


def diagram(package: Package) -> bytes:
    """Return a package's diagram as it was drawn."""
    return package.files[DIAGRAM]


def archive(package: Package) -> bytes:
    """Return a package as a zip file; the same package gives the same bytes."""
    return to_zip(package)


def differing(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> Sequence[Any]:
    """Return in words what *new* files change against *old* ones; nothing when one of them makes no package."""
    try:
        return tuple(difference(load_files(old), load_files(new)))
    except Refused:
        return ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A proposal that waits for a second person."""

    review: ProcedureReview
    submitted_by: str


def waiting(w: UnitOfWork) -> list[Waiting]:
    """Return what waits for a second person, the oldest first."""
    return [Waiting(one, papers.person_name(w, one.submitted_by_id)) for one in reviews.waiting(w.session, w.province)]


def person(w: UnitOfWork, person_id: UUID | None) -> str:
    """Return the name of one of our people."""
    return papers.person_name(w, person_id)


def panel(package: Package | None) -> dict[str, Any]:
    """Return what the properties panel of the editor offers: lanes with their roles, forms, documents, capacities, operators."""
    nothing: dict[str, Any] = {"lanes": [], "forms": [], "documents": [], "decisions": []}
    own = nothing if package is None else _offered(package)
    operators = [
        {
            "id": name,
            "required": sorted(one.required),
            "optional": sorted(one.optional),
            "open": one.open,
            "vi": OPERATOR_WORDS[name].vi,
            "en": OPERATOR_WORDS[name].en,
        }
        for name, one in OPERATORS.items()
    ]
    return {**own, "capacities": [{"id": one, "vi": words.vi, "en": words.en} for one, words in capacities()], "operators": operators}


def _offered(package: Package) -> dict[str, Any]:
    return {
        "lanes": [
            {"id": lane.id, "role": lane.role, "unit": lane.unit, "vi": lane.title.vi, "en": lane.title.en} for lane in package.lanes
        ],
        "forms": list(package.form_keys),
        "documents": [{"id": one.key, "vi": one.name.vi, "en": one.name.en, "capacity": one.capacity} for one in package.documents],
        "decisions": sorted(name[10:-4] for name in package.files if name.startswith("decisions/")),
    }


def form_shown(w: UnitOfWork, content: str, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return a form as it is being drawn: the items that show for these answers, or why it cannot be read.

    Raises:
        Forbidden: the actor designs no procedures.
    """
    designer(w)
    try:
        form = Form.parse(content, "form")
        return {"items": form.shown_items(answers, {}), "answers": answers, "problem": None}
    except Refused as refused:
        return {"items": (), "answers": {}, "problem": refused}


@dataclass(frozen=True, slots=True)
class Data:
    """The procedure's data as a form: sections, values and findings by field, how many entries each array has."""

    sections: Sequence[guided.Section]
    values: Mapping[str, str]
    entries: Mapping[str, int]
    faults: Mapping[str, Any]


def data(files: Mapping[str, bytes], findings: Sequence[Any]) -> Data:
    """Return the form of ``procedure.toml``; *findings* are shown at their fields.

    Raises:
        Refused: the file is no TOML.
    """
    text = files[DECLARATION].decode("utf-8", "replace")
    return Data(guided.SECTIONS, guided.values(text), guided.entries(text), guided.at_fields(text, findings))


def roles() -> list[tuple[str, Words]]:
    """Return the roles a lane may name, with what people call them."""
    return [(role, Words(role_name(role), role_name(role, "en"))) for role in ROLES]


def capacities() -> list[tuple[str, Words]]:
    """Return the signing capacities with what people call them."""
    return [(one, Words(capacity_name(one), capacity_name(one, "en"))) for one in CAPACITIES]


def packed(files: Mapping[str, bytes]) -> bytes:
    """Return files as a zip that depends on them alone."""
    return packed_files(files)


def starter(name: str) -> str:
    """Return what a new file of a draft begins with, by its ending."""
    return next((text for ending, text in STARTERS.items() if name.endswith(ending)), "")


def words(package: Package) -> Sequence[Any]:
    """Return a package's diagram in words."""
    return outline(package)
