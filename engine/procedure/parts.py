"""Shared parts: pieces of process that many procedures call, each a folder under ``bpmn/_shared`` with its diagram and its forms.

A part is no procedure: it has no term, no papers of its own and is never published alone. A package that calls it is published
together with the part as it stands on that day, so that a dossier never meets another one than it was received under.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from engine.errors import Refused
from engine.procedure.declaration import Declaration, PackageInvalid, Table
from engine.procedure.diagram import Diagram
from engine.procedure.diagram_reader import read_diagram
from engine.procedure.package import LaneRule, LegalBasis
from engine.procedure.roles import ROLES
from engine.procedure.words import Words
from engine.settings import Settings

FOLDER = "_shared"
PART = "part.toml"
PROCESS = "process.bpmn"
KEY = r"[a-z][a-z0-9_]{0,59}"
UNIT = r"reception|deciding|owner_unit|initiator|answer:[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*|[A-Z0-9.]{3,30}"
"""Whose people work in a lane: a place of the dossier, the agency whose code an answer names, or an agency for all dossiers."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a call gives a part: *kind* is ``value`` (an expression) or ``text`` (a word, such as the key of a document)."""

    key: str
    kind: str
    default: str | None
    """What counts when the call says nothing; ``None`` if the call must say it."""
    words: Words


@dataclass(frozen=True)
class Part:
    """One shared part, immutable; *files* are named as inside its folder."""

    key: str
    name: Words
    purpose: Words
    legal_basis: tuple[LegalBasis, ...]
    parameters: tuple[Parameter, ...]
    lanes: tuple[LaneRule, ...]
    files: Mapping[str, bytes]

    @cached_property
    def diagram(self) -> Diagram:
        """The part's diagram as it was drawn.

        Raises: Refused ``xml.*`` or ``diagram.*``.
        """
        return read_diagram(self.files[PROCESS], f"{FOLDER}/{self.key}/{PROCESS}")

    @property
    def stored(self) -> Mapping[str, bytes]:
        """The files under the names a stored package keeps them by: ``_shared/<key>/…``."""
        return {f"{FOLDER}/{self.key}/{name}": content for name, content in self.files.items()}

    @property
    def forms(self) -> Mapping[str, bytes]:
        """The forms of the part, named ``forms/<key>.json``."""
        return {name: content for name, content in self.files.items() if name.startswith("forms/")}


def read_part(key: str, files: Mapping[str, bytes]) -> Part:
    """Return the part made of *files*.

    Raises: PackageInvalid with every fault found.
    """
    declaration = Declaration(files.get(PART, b""), f"{FOLDER}/{key}/{PART}")
    top = declaration.root()
    part = Part(
        key=top.text("key", pattern=KEY),
        name=top.words("name"),
        purpose=top.words("purpose"),
        legal_basis=tuple(legal_basis(table) for table in top.tables("legal_basis")),
        parameters=tuple(_parameter(table) for table in top.tables("parameter")),
        lanes=tuple(lane_rule(table) for table in top.tables("lane")),
        files=dict(files),
    )
    if part.key and part.key != key:
        declaration.fault("package.part_key", ("key",), named=part.key, folder=key)
    if PROCESS not in files:
        declaration.problems.append(Refused("package.file_missing", file=f"{FOLDER}/{key}/{PROCESS}"))
    elif [process.id for process in part.diagram.processes] != [key]:
        declaration.problems.append(Refused("package.part_process", file=f"{FOLDER}/{key}/{PROCESS}", key=key))
    if declaration.problems:
        raise PackageInvalid(tuple(declaration.problems))
    return part


def parts_in(files: Mapping[str, bytes]) -> dict[str, Part]:
    """Return the parts among files named ``_shared/<key>/…``.

    Raises: PackageInvalid.
    """
    grouped: dict[str, dict[str, bytes]] = {}
    for name, content in files.items():
        _, key, inner = name.split("/", 2)
        grouped.setdefault(key, {})[inner] = content
    return {key: read_part(key, own) for key, own in grouped.items()}


_known: dict[Path, tuple[str, dict[str, Part]]] = {}


def installed_parts(procedures: Path | None = None) -> Mapping[str, Part]:
    """Return the parts of this installation (the folder ``_shared`` beside the packages), read again only when a file has changed.

    Raises: PackageInvalid.
    """
    folder = (procedures or Settings.from_environment().procedures) / FOLDER
    found = sorted(path for part in folder.glob(f"*/{PART}") for path in part.parent.rglob("*") if path.is_file())
    stamp = hashlib.sha256()
    for path in found:
        state = path.stat()
        stamp.update(f"{path}\0{state.st_mtime_ns}\0{state.st_size}\n".encode())
    mark = stamp.hexdigest()
    if folder not in _known or _known[folder][0] != mark:
        files = {
            f"{FOLDER}/{path.relative_to(folder).as_posix()}": path.read_bytes()
            for path in found
            if path.suffix in (".toml", ".bpmn", ".json")
        }
        _known[folder] = (mark, parts_in(files))
    return _known[folder][1]


def legal_basis(table: Table) -> LegalBasis:
    """Read one ``[[legal_basis]]``."""
    found = LegalBasis(table.text("act"), table.text("article", ""), table.day("from"), table.day("to"))
    table.finish()
    return found


def lane_rule(table: Table) -> LaneRule:
    """Read one ``[[lane]]``."""
    found = LaneRule(
        id=table.text("id"),
        role=table.choice("role", ROLES),
        unit=table.text("unit", pattern=UNIT),
        title=table.words("title"),
    )
    table.finish()
    return found


def _parameter(table: Table) -> Parameter:
    given = table.raw("default")
    found = Parameter(
        key=table.text("key", pattern=KEY),
        kind=table.choice("kind", ("value", "text"), "value"),
        default=table.text("default", "") if given is not None else None,
        words=table.words("words"),
    )
    table.finish()
    return found
