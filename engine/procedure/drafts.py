"""Drafts of packages: files a designer is still working on, every save kept; pure rules about files, and the records.

A draft need not be a package that can be loaded: a half-written ``procedure.toml`` is a draft too. Files are checked against the places
a package may have, nothing else.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import tomlkit
from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.errors import Refused
from engine.kernel.tables import Record, belongs_to
from engine.procedure.loader import MAX_FILE, MAX_FILES, MAX_TOTAL, PLACES, packed
from engine.procedure.package import DECLARATION, DIAGRAM

Files = Mapping[str, bytes]
__all__ = ["STARTERS", "Files", "ProcedureDraft", "ProcedureDraftSave", "applied", "named", "overlapping", "packed", "unpacked"]

REQUIRED = (DECLARATION, DIAGRAM)
KEPT = 200
"""Saves of one draft that are kept; the oldest go first."""


STARTERS = {
    ".dmn": """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="table" name="Bảng" namespace="urn:motcua:decision">
  <inputData id="dossier_input" name="dossier"><variable name="dossier"/></inputData>
  <decision id="decision" name="Kết quả">
    <variable name="Kết quả" typeRef="string"/>
    <informationRequirement id="reads"><requiredInput href="#dossier_input"/></informationRequirement>
    <decisionTable id="rules" hitPolicy="UNIQUE">
      <input id="input" label="Hình thức nộp">
        <inputExpression id="input_text" typeRef="string"><text>dossier.channel</text></inputExpression>
      </input>
      <output id="output" name="result" typeRef="string"/>
      <rule id="rule"><inputEntry id="when"><text>-</text></inputEntry><outputEntry id="then"><text>""</text></outputEntry></rule>
    </decisionTable>
  </decision>
</definitions>
""",
    ".json": '{\n  "type": "default",\n  "id": "form",\n  "schemaVersion": 16,\n  "components": []\n}\n',
    ".typ": '#set page(paper: "a4")\n',
}
"""What a new file of a kind begins with, so that its editor has something to open."""


class ProcedureDraft(Record):
    """A package being worked on. ``version`` counts its saves: whoever saves says which one was on the screen."""

    __tablename__ = "procedure_draft"
    __table_args__ = (Index("ix_procedure_draft_open", "province", "state", "updated_at"),)

    key: Mapped[str] = mapped_column(String(60))
    title: Mapped[str] = mapped_column(default="")
    """The name the draft's ``procedure.toml`` gives, as far as it can be read."""
    words: Mapped[str] = mapped_column(default="")
    """Key and title folded for the search."""
    state: Mapped[str] = mapped_column(String(12), default="draft")
    """``draft``, ``submitted`` (its content is a proposal now) or ``discarded``."""
    origin: Mapped[str] = mapped_column(String(12))
    """``template``, ``version``, ``upload``: what it began as."""
    base_id: Mapped[UUID | None]
    """The published version it began from."""
    owner_id: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(default=1)
    content: Mapped[str] = mapped_column(String(64))
    """The blob with the files of the last save."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    updated_by_id: Mapped[UUID | None]


class ProcedureDraftSave(Record):
    """One save of a draft: what it held then, by whom, and why if somebody said so."""

    __tablename__ = "procedure_draft_save"
    __table_args__ = (
        belongs_to("draft_id", "procedure_draft", ondelete="CASCADE"),
        Index("ix_procedure_draft_save_draft", "province", "draft_id", "number", unique=True),
    )

    draft_id: Mapped[UUID]
    number: Mapped[int]
    content: Mapped[str] = mapped_column(String(64))
    saved_at: Mapped[datetime]
    saved_by_id: Mapped[UUID | None]
    note: Mapped[str] = mapped_column(default="")


def unpacked(content: bytes) -> dict[str, bytes]:
    """Return the files of a zip made by `engine.procedure.loader.packed`."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def applied(files: Files, changes: Mapping[str, bytes | None]) -> dict[str, bytes]:
    """Return *files* with *changes* made: a content replaces or adds a file, None removes it.

    Raises:
        Refused: ``package.file_unknown`` for a place no package has, ``draft.file_needed`` when a required file would go,
            ``package.too_large`` beyond the limits of a package.
    """
    for name, content in changes.items():
        if not PLACES.fullmatch(name):
            raise Refused("package.file_unknown", field="file", file=name[:80])
        if content is None and name in REQUIRED:
            raise Refused("draft.file_needed", field="file", file=name)
        if content is not None and len(content) > MAX_FILE:
            raise Refused("package.too_large", field="file", file=name, limit=MAX_FILE // 1024 // 1024)
    made = {name: content for name, content in {**files, **changes}.items() if content is not None}
    if len(made) > MAX_FILES or sum(map(len, made.values())) > MAX_TOTAL:
        raise Refused("package.too_large", field="file", file="zip", limit=MAX_TOTAL // 1024 // 1024)
    return made


def overlapping(base: Files, theirs: Files, changes: Mapping[str, bytes | None]) -> tuple[str, ...]:
    """Return the files that *changes* would overwrite although somebody changed them between *base* and *theirs*.

    A file both changed to the same content is no conflict.
    """
    return tuple(sorted(name for name, mine in changes.items() if theirs.get(name) != base.get(name) and theirs.get(name) != mine))


def named(declaration: str, *, key: str = "", code: str = "", vi: str = "", en: str = "") -> str:
    """Return a ``procedure.toml`` with key, code and names put in; comments and everything else stay as they are."""
    document = tomlkit.parse(declaration)
    if key:
        document["key"] = key
    if code:
        document["code"] = code
    if vi or en:
        name = document["name"]
        name["vi"], name["en"] = vi or name["vi"], en or name["en"]
    return tomlkit.dumps(document)
