"""A template as it will be printed: its pages as pictures on sample data, or the line at which it fails. Nothing is stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.documents.digitise import page_count, picture
from engine.documents.samples import sampled
from engine.documents.templates import Printed, Printer
from engine.errors import EngineError, Refused
from engine.kernel.unit_of_work import UnitOfWork
from engine.office.drafting import designer
from engine.procedure.form_fields import Field
from engine.procedure.forms import Form

PAGES = 8
"""How many pages of a print are drawn."""
DPI = 84
LARGEST = 100_000  # characters of sample data


@dataclass(frozen=True, slots=True)
class Preview:
    """The pages of a print (JPEG), how many there are, the data it was printed with, or the fault with its lines around it."""

    pages: tuple[bytes, ...]
    count: int
    data: str
    problem: Refused | None = None
    around: tuple[tuple[int, str, bool], ...] = ()
    """Line number, text, whether it is the one at fault."""


@dataclass(frozen=True, slots=True)
class _Files:
    files: Mapping[str, bytes]


def previewed(w: UnitOfWork, files: Mapping[str, bytes], name: str, given: str = "") -> Preview:
    """Return a template of a draft as it prints on sample data, or on the data in *given* (JSON).

    Raises:
        Forbidden: the actor designs no procedures.
    """
    designer(w)
    printer = w.part(Printer)

    def render(data: Mapping[str, Any]) -> Printed:
        return printer.render(_Files(files), name, data, at=w.now)

    data: dict[str, Any] = {}
    try:
        if given.strip():
            data = _read(given)
            made: Printed | Refused = render(data)
        else:
            data, made = sampled(render, files[name].decode("utf-8", "replace"), _answers(files))
    except Refused as refused:
        made = refused
    said = given if given.strip() else json.dumps(data, ensure_ascii=False, indent=2)
    if isinstance(made, Refused):
        return Preview((), 0, said, made, _around(files[name], made) if made.facts.get("place", name) == name else ())
    count = page_count(made.pdf, "application/pdf")
    pages = tuple(picture(made.pdf, "application/pdf", page, DPI) for page in range(min(count, PAGES)))
    return Preview(pages, count, said)


def _read(given: str) -> dict[str, Any]:
    try:
        data = json.loads(given[:LARGEST])
    except ValueError as error:
        raise Refused("template.sample_broken", field="sample", line=getattr(error, "lineno", 1)) from None
    if not isinstance(data, dict):
        raise Refused("template.sample_broken", field="sample", line=1)
    return data


def _around(content: bytes, fault: Refused) -> tuple[tuple[int, str, bool], ...]:
    line = fault.facts.get("line")
    if not isinstance(line, int):
        return ()
    lines = content.decode("utf-8", "replace").splitlines()
    return tuple((number, lines[number - 1][:200], number == line) for number in range(max(1, line - 2), min(len(lines), line + 2) + 1))


def _answers(files: Mapping[str, bytes]) -> dict[str, Any]:
    """Return a value for every field of the package's forms: what an officer might have answered."""
    found: dict[str, Any] = {}
    for name in sorted(files):
        if name.startswith("forms/"):
            try:
                fields = Form.parse(files[name], name[6:-5]).fields
            except EngineError:
                continue
            for field in fields:
                found.setdefault(field.key, _answer(field))
    return found


def _answer(field: Field) -> Any:
    if field.default is not None:
        return field.default
    if field.kind in ("select", "radio"):
        return field.options[0].value if field.options else ""
    return {"number": 2, "checkbox": True, "checklist": [], "date": "2026-11-23", "file": []}.get(field.kind, field.label.vi)
