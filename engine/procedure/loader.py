"""Loads a package from a folder or a zip file, and writes the zip: nothing outside the known places is ever read."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath

from engine.errors import NotFound, Refused
from engine.procedure.declaration import Declaration, PackageInvalid, Table
from engine.procedure.package import (
    COPIES,
    DECLARATION,
    DIAGRAM,
    ORDERS,
    Component,
    DocumentKind,
    Fee,
    LaneRule,
    LegalBasis,
    Package,
    Paper,
    Reason,
    TermRule,
    Unread,
)
from engine.procedure.parts import FOLDER, Part, lane_rule, legal_basis, parts_in
from engine.procedure.words import Words

MAX_FILES = 200
MAX_FILE = 5 * 1024 * 1024
MAX_TOTAL = 20 * 1024 * 1024
MAX_ZIP = 20 * 1024 * 1024

PLACES = re.compile(
    r"process\.bpmn|procedure\.toml|README\.md|forms/[\w-]+\.json|decisions/[\w-]+\.dmn|tests/[\w-]+\.toml"
    r"|templates/(?:[\w-]+/)*[\w.-]+\.(?:typ|svg|png|jpg|jpeg|json|toml)"
    r"|_shared/[a-z][a-z0-9_]*/(?:part\.toml|process\.bpmn|forms/[\w-]+\.json)"
)
KEY = r"[a-z][a-z0-9_-]{0,59}"
CODE = r"[0-9A-Za-z][0-9A-Za-z.\-]{0,39}"
CAPACITIES = ("own_power", "for_collective", "for_head", "by_order", "by_authorisation", "acting_head")


def load_folder(path: Path) -> Package:
    """Return the package in the folder *path*.

    Raises: NotFound ``package.no_folder``; PackageInvalid with every fault found.
    """
    if not path.is_dir():
        raise NotFound("package.no_folder", folder=path.name)
    files: dict[str, bytes] = {}
    problems: list[Refused] = []
    total = 0
    for found in sorted(path.rglob("*")):
        name = found.relative_to(path).as_posix()
        if found.is_dir() or any(part.startswith((".", "__")) for part in PurePosixPath(name).parts):
            continue
        if found.is_symlink() or not found.is_file():
            problems.append(Refused("package.file_link", file=name))
            continue
        size = found.stat().st_size
        total += size
        if size > MAX_FILE or total > MAX_TOTAL or len(files) >= MAX_FILES:
            problems.append(Refused("package.too_large", file=name, limit=MAX_TOTAL // 1024 // 1024))
            break
        files[name] = found.read_bytes()
    return _load(path.name, files, problems)


def load_zip(content: bytes, folder: str = "") -> Package:
    """Return the package in the zip file *content*; a single enclosing folder is allowed.

    Raises: Refused ``package.not_zip``; PackageInvalid with every fault found.
    """
    if len(content) > MAX_ZIP:
        raise PackageInvalid((Refused("package.too_large", file=f"{folder}.zip", limit=MAX_ZIP // 1024 // 1024),))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files, problems, enclosing = _unpack(archive)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, OSError):
        raise Refused("package.not_zip", file=folder or "package.zip") from None
    return _load(folder or enclosing, files, problems)


def to_zip(package: Package, *, with_parts: bool = False) -> bytes:
    """Return the package as a zip file that depends on the files alone: same files, same bytes.

    What is exchanged is the folder of the package. What is stored keeps the shared parts it calls too (*with_parts*): a dossier stays
    with the version it was received under, whatever becomes of the parts of the installation.
    """
    return packed({**package.files, **package.part_files} if with_parts else package.files)


def packed(files: Mapping[str, bytes]) -> bytes:
    """Return files as a zip that depends on them alone: same files, same bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            archive.writestr(entry, files[name])
    return target.getvalue()


def load_files(files: Mapping[str, bytes], folder: str = "") -> Package:
    """Return the package made of *files* (path inside the package → content).

    Raises: PackageInvalid with every fault found.
    """
    return _load(folder, dict(files), [])


def _unpack(archive: zipfile.ZipFile) -> tuple[dict[str, bytes], list[Refused], str]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    problems: list[Refused] = []
    if len(entries) > MAX_FILES or sum(entry.file_size for entry in entries) > MAX_TOTAL:
        return {}, [Refused("package.too_large", file="zip", limit=MAX_TOTAL // 1024 // 1024)], ""
    enclosing = _enclosing([entry.filename for entry in entries])
    files: dict[str, bytes] = {}
    for entry in entries:
        name = entry.filename
        unsafe = "\\" in name or name.startswith("/") or ":" in name or "\0" in name or ".." in PurePosixPath(name).parts
        symbolic = entry.external_attr >> 16 & 0o170000 == 0o120000
        if unsafe or symbolic or entry.flag_bits & 1:
            problems.append(Refused("package.file_unsafe", file=name[:80]))
            continue
        inner = name.removeprefix(f"{enclosing}/") if enclosing else name
        if any(part.startswith((".", "__")) for part in PurePosixPath(inner).parts):
            continue
        if inner in files:
            problems.append(Refused("package.file_twice", file=inner))
            continue
        # The declared size is the sender's word; reading stops at the cap whatever it says.
        with archive.open(entry) as stream:
            content = stream.read(MAX_FILE + 1)
        if len(content) > MAX_FILE:
            problems.append(Refused("package.too_large", file=inner, limit=MAX_FILE // 1024 // 1024))
            continue
        files[inner] = content
    return files, problems, enclosing


def _enclosing(names: list[str]) -> str:
    tops = {name.split("/", 1)[0] for name in names}
    if len(tops) == 1 and all("/" in name for name in names):
        top = tops.pop()
        return top if re.fullmatch(r"[\w.-]+", top) and top != ".." else ""
    return ""


def _load(folder: str, files: dict[str, bytes], problems: list[Refused]) -> Package:
    for name in list(files):
        if not PLACES.fullmatch(name):
            problems.append(Refused("package.file_unknown", file=name[:80]))
            del files[name]
    if DIAGRAM not in files:
        problems.append(Refused("package.file_missing", file=DIAGRAM))
    if DECLARATION not in files:
        problems.append(Refused("package.file_missing", file=DECLARATION))
        raise PackageInvalid(tuple(problems))
    declaration = Declaration(files[DECLARATION])
    declaration.problems[:0] = problems
    if not declaration.text or (declaration.problems and not declaration.values):
        raise PackageInvalid(tuple(declaration.problems or [Refused("package.file_missing", file=DECLARATION)]))
    package = _package(folder, files, declaration)
    if declaration.problems:
        raise PackageInvalid(tuple(declaration.problems))
    return package


def _package(folder: str, files: dict[str, bytes], declaration: Declaration) -> Package:
    top = declaration.root()
    frozen = {name: files.pop(name) for name in list(files) if name.startswith(f"{FOLDER}/")}
    field = top.table("field")
    start, term = top.table("start"), top.table("term", required=True)
    parts = _Parts(
        legal_basis=tuple(legal_basis(table) for table in top.tables("legal_basis")),
        components=tuple(_component(table) for table in top.tables("component")),
        fees=tuple(_fee(table) for table in top.tables("fee")),
        lanes=tuple(lane_rule(table) for table in top.tables("lane")),
        documents=tuple(_document(table) for table in top.tables("document")),
        papers=tuple(_paper(table) for table in top.tables("paper")),
        reasons=tuple(_reason(table) for table in top.tables("reason")),
    )
    for name, keys in (
        ("component", [part.key for part in parts.components]),
        ("fee", [part.key for part in parts.fees]),
        ("document", [part.key for part in parts.documents]),
        ("paper", [part.key for part in parts.papers]),
        ("lane", [part.id for part in parts.lanes]),
    ):
        for position, key in enumerate(keys):
            if key and key in keys[:position]:
                declaration.fault("package.key_twice", (name, position, "id" if name == "lane" else "key"), value=key)
    effective = top.day("effective_from", required=True)
    package = Package(
        folder=folder,
        files=files,
        frozen=_frozen(frozen, declaration),
        key=top.text("key", pattern=KEY),
        code=top.text("code", pattern=CODE),
        scope=top.choice("scope", ("public", "internal")),
        online_level=top.choice("online_level", ("full", "partial", "none"), "none"),
        effective_from=effective or date.max,
        name=top.words("name"),
        field=Words(field.text("vi", ""), field.text("en", "")),
        field_code=field.text("code", ""),
        legal_basis=parts.legal_basis,
        term=_term(term),
        components=parts.components,
        fees=parts.fees,
        lanes=parts.lanes,
        documents=parts.documents,
        papers=parts.papers,
        reasons=parts.reasons,
        start_form=start.text("form", "") or None,
        notices=top.raw("notice") or {},
        declaration=declaration.values,
    )
    for table in (start, field, top):
        table.finish()
    object.__setattr__(package, "unread", tuple(Unread(key, line) for key, line in declaration.unread))
    return package


def _frozen(files: Mapping[str, bytes], declaration: Declaration) -> Mapping[str, Part]:
    try:
        return parts_in(files)
    except PackageInvalid as invalid:
        declaration.problems.extend(invalid.problems)
    except Refused as refused:
        declaration.problems.append(refused)
    return {}


@dataclass(frozen=True, slots=True)
class _Parts:
    legal_basis: tuple[LegalBasis, ...]
    components: tuple[Component, ...]
    fees: tuple[Fee, ...]
    lanes: tuple[LaneRule, ...]
    documents: tuple[DocumentKind, ...]
    papers: tuple[Paper, ...]
    reasons: tuple[Reason, ...]


def _term(table: Table) -> TermRule:
    found = TermRule(
        amount=table.integer("amount", maximum=3650),
        unit=table.choice("unit", ("same_day", "working_hour", "working_day", "calendar_day")),
        counting=table.choice("counting", ("day", "hour"), "day"),
        cutoff=table.clock("cutoff"),
        on_supplement=table.choice("on_supplement", ("resume", "restart"), "resume"),
        legal_basis=table.text("legal_basis"),
        valid_from=table.day("valid_from"),
    )
    table.finish()
    return found


def _component(table: Table) -> Component:
    found = Component(
        key=table.text("key", pattern=KEY),
        name=table.words("name"),
        form=table.choice("form", ("original", "certified_copy", "plain_copy", "electronic"), "plain_copy"),
        copies=table.integer("copies", 1, maximum=99),
        required=table.truth_or_text("required", True),
        upload=table.truth("upload", True),
        media=table.texts("media"),
        legal_basis=table.text("legal_basis", ""),
    )
    table.finish()
    return found


def _fee(table: Table) -> Fee:
    amount = table.values.get("amount")
    found = Fee(
        key=table.text("key", pattern=KEY),
        name=table.words("name"),
        kind=table.choice("kind", ("fee", "charge")),
        amount=str(amount) if isinstance(amount, int) and not isinstance(amount, bool) else table.text("amount"),
        legal_basis=table.text("legal_basis"),
        valid_from=table.day("valid_from"),
    )
    table.raw("amount")
    table.finish()
    return found


def _document(table: Table) -> DocumentKind:
    found = DocumentKind(
        key=table.text("key", pattern=KEY),
        name=table.words("name"),
        template=table.text("template"),
        register=table.text("register", ""),
        symbol=table.text("symbol", ""),
        capacity=table.choice("capacity", CAPACITIES, "own_power"),
        order=table.choice("order", ORDERS, "leader_first"),
        type=table.text("type", ""),
        pages_of=table.texts("pages_of"),
        register_name=table.words("register_name", required=False),
        annex_of=table.text("annex_of", ""),
        copy=table.choice("copy", ("", *COPIES), ""),
    )
    table.finish()
    return found


def _paper(table: Table) -> Paper:
    found = Paper(table.text("key", pattern=KEY), table.words("name"), table.text("template"))
    table.finish()
    return found


def _reason(table: Table) -> Reason:
    found = Reason(
        kind=table.choice("kind", ("supplement", "refusal", "send_back")),
        text=table.words("text"),
        legal_basis=table.text("legal_basis", ""),
    )
    table.finish()
    return found
