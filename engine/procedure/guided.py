"""``procedure.toml`` as a form: its values by the name of their field, and edits that leave every comment and every other line alone.

A field is named by its path, entries counted from nought: ``term.amount``, ``fee.0.name.vi``. What cannot be what its field asks for (a
word where a number is wanted) is written down as it was typed, and the report says so at the field: nothing anybody typed is lost.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any

import tomlkit
from tomlkit.items import AoT

from engine.errors import Refused
from engine.procedure.loader import CAPACITIES
from engine.procedure.package import COPIES, ORDERS
from engine.procedure.report import Finding
from engine.procedure.roles import ROLES

SCOPES, LEVELS = ("public", "internal"), ("full", "partial", "none")


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its path inside the section, what it holds, what may be chosen, whether the law or the loader asks for it."""

    path: str
    kind: str = "text"
    """``text``, ``long``, ``day``, ``clock``, ``number``, ``truth``, ``choice``, ``list``, ``amount`` or ``case`` (yes, no, or when)."""
    options: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the file, or with *many* an array of them; *title* is the field that names an entry."""

    key: str
    fields: tuple[Field, ...]
    many: bool = False
    title: str = ""


def _both(path: str, kind: str = "text", *, required: bool = True) -> tuple[Field, Field]:
    return Field(f"{path}.vi", kind, required=required), Field(f"{path}.en", kind, required=required)


SECTIONS = (
    Section(
        "",
        (
            *_both("name", "long"),
            Field("code", required=True),
            Field("scope", "choice", SCOPES, required=True),
            Field("online_level", "choice", LEVELS),
            Field("effective_from", "day", required=True),
            *_both("field", required=False),
            Field("field.code"),
            Field("start.form", "choice"),
        ),
    ),
    Section(
        "legal_basis",
        (Field("act", "long", required=True), Field("article"), Field("from", "day"), Field("to", "day")),
        many=True,
        title="act",
    ),
    Section(
        "term",
        (
            Field("amount", "number", required=True),
            Field("unit", "choice", ("same_day", "working_hour", "working_day", "calendar_day"), required=True),
            Field("counting", "choice", ("day", "hour")),
            Field("cutoff", "clock"),
            Field("on_supplement", "choice", ("resume", "restart")),
            Field("legal_basis", "long", required=True),
            Field("valid_from", "day"),
        ),
    ),
    Section(
        "component",
        (
            *_both("name", "long"),
            Field("key", required=True),
            Field("form", "choice", ("original", "certified_copy", "plain_copy", "electronic")),
            Field("copies", "number"),
            Field("required", "case"),
            Field("upload", "truth"),
            Field("media", "list"),
            Field("legal_basis", "long"),
        ),
        many=True,
        title="name.vi",
    ),
    Section(
        "fee",
        (
            *_both("name", "long"),
            Field("key", required=True),
            Field("kind", "choice", ("fee", "charge"), required=True),
            Field("amount", "amount", required=True),
            Field("legal_basis", "long", required=True),
            Field("valid_from", "day"),
        ),
        many=True,
        title="name.vi",
    ),
    Section(
        "document",
        (
            *_both("name", "long"),
            Field("key", required=True),
            Field("template", "choice", required=True),
            Field("type"),
            Field("symbol"),
            Field("register"),
            *_both("register_name", required=False),
            Field("capacity", "choice", CAPACITIES),
            Field("order", "choice", ORDERS),
            Field("pages_of", "list"),
            Field("annex_of"),
            Field("copy", "choice", COPIES),
        ),
        many=True,
        title="name.vi",
    ),
    Section(
        "lane",
        (Field("id", required=True), *_both("title"), Field("role", "choice", ROLES, required=True), Field("unit", required=True)),
        many=True,
        title="id",
    ),
    Section(
        "reason",
        (*_both("text", "long"), Field("kind", "choice", ("supplement", "refusal", "send_back"), required=True), Field("legal_basis")),
        many=True,
        title="text.vi",
    ),
)
BY_KEY = {section.key: section for section in SECTIONS}
_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")


def values(text: str) -> dict[str, str]:
    """Return every value of the file as people write it, by the name of its field.

    Raises:
        Refused: ``package.toml_broken`` when it is no TOML.
    """
    data = _read(text)
    found: dict[str, str] = {}
    for section in SECTIONS:
        for prefix, table in _tables(data, section):
            for field in section.fields:
                value = _at(table, field.path)
                found[prefix + field.path] = _shown(field, value)
                if field.kind == "case":
                    found[f"{prefix}{field.path}_when"] = value if isinstance(value, str) else ""
    return found


def entries(text: str) -> dict[str, int]:
    """Return how many entries each array of the file has."""
    data = _read(text)
    return {section.key: len(_tables(data, section)) for section in SECTIONS if section.many}


def edited(text: str, given: Mapping[str, str]) -> str:
    """Return the file with the values in *given* that differ from what stands there; comments and everything else stay.

    Raises:
        Refused: ``package.toml_broken`` when it is no TOML.
    """
    now = values(text)
    changes = {name: value.replace("\r\n", "\n").strip() for name, value in given.items() if name in now}
    changes = {name: value for name, value in changes.items() if value != now[name]}
    if not changes:
        return text
    document = tomlkit.parse(text)
    for section in SECTIONS:
        for prefix, table in _tables(document, section, make=any(name.startswith(f"{section.key}.") for name in changes)):
            for field in section.fields:
                name = prefix + field.path
                if name in changes or (field.kind == "case" and f"{name}_when" in changes):
                    _put(table, field, changes.get(name, now[name]), changes.get(f"{name}_when", now.get(f"{name}_when", "")))
    return tomlkit.dumps(document)


def with_entry(text: str, key: str) -> str:
    """Return the file with an empty entry more at the end of the array *key*.

    Raises:
        Refused: ``draft.no_such_entry`` for what is no array; ``package.toml_broken``.
    """
    section = _array(text, key)
    blocks = _blocks(text, key)
    written = _empty(section)
    lines = text.splitlines(keepends=True)
    if not blocks:
        return f"{text.rstrip()}\n\n{written}"
    end = blocks[-1][1]
    before = "".join(lines[:end]).rstrip()
    after = "".join(lines[end:])
    return f"{before}\n\n{written}" + (f"\n{after}" if after.strip() else after)


def without_entry(text: str, key: str, place: int) -> str:
    """Return the file without one entry of the array *key*; comments above it and above the next table stay.

    Raises:
        Refused: ``draft.no_such_entry``; ``package.toml_broken``.
    """
    _array(text, key)
    blocks = _blocks(text, key)
    if not 0 <= place < len(blocks):
        raise Refused("draft.no_such_entry", key=key, place=place + 1)
    start, end = blocks[place]
    lines = text.splitlines(keepends=True)
    while lines[start].lstrip().startswith("#"):
        start += 1
    return "".join(lines[:start] + lines[end:])


def moved_up(text: str, key: str, place: int) -> str:
    """Return the file with an entry of the array *key* before the one above it.

    Raises:
        Refused: ``draft.no_such_entry``; ``package.toml_broken``.
    """
    _array(text, key)
    blocks = _blocks(text, key)
    if not 1 <= place < len(blocks):
        raise Refused("draft.no_such_entry", key=key, place=place + 1)
    (first, middle), (second, end) = blocks[place - 1], blocks[place]
    lines = text.splitlines(keepends=True)
    above, between, below = ("".join(lines[a:b]) for a, b in ((first, middle), (middle, second), (second, end)))
    return "".join(lines[:first]) + _closed(below) + between + _closed(above) + "".join(lines[end:])


def at_fields(text: str, findings: Iterable[Finding]) -> dict[str, Finding]:
    """Return the findings about the file by the name of the field they concern, the first one of each."""
    known = values(text)
    keys = {known[name]: name.removesuffix("key") for name in known if re.fullmatch(r"\w+\.\d+\.key", name)}
    found: dict[str, Finding] = {}
    for finding in findings:
        if finding.place.file == "procedure.toml":
            name = _field_of(finding, known, keys)
            if name:
                found.setdefault(name, finding)
    return found


_OWN = {
    "template-missing": ("template",),
    "register-missing": ("register",),
    "component-unknown": ("pages_of",),
    "agency-only-kind": ("order",),
    "annex-of-unknown": ("annex_of",),
    "expression": ("required_when", "amount"),
    "expression-kind": ("required_when", "amount"),
}


def _field_of(finding: Finding, known: Mapping[str, str], keys: Mapping[str, str]) -> str:
    if finding.rule == "form-unknown":
        return "start.form"
    dotted = re.sub(r"\[(\d+)\]", lambda match: f".{int(match[1]) - 1}", finding.element)
    for name in (dotted, f"{dotted}.vi", *(f"{keys.get(finding.element, '')}{own}" for own in _OWN.get(finding.rule, ()))):
        if name in known:
            return name
    return ""


def _read(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        raise Refused("package.toml_broken", file="procedure.toml", line=int(found[1]) if found else 1) from None


def _tables(data: Any, section: Section, *, make: bool = False) -> Sequence[tuple[str, Any]]:
    if not section.key:
        return [("", data)]
    found = data.get(section.key)
    if section.many:
        entries = [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
        return [(f"{section.key}.{place}.", table) for place, table in enumerate(entries)]
    if make and not isinstance(found, Mapping):
        data[section.key] = tomlkit.table()
        found = data[section.key]
    return [(f"{section.key}.", found if isinstance(found, Mapping) else {})]


def _at(table: Any, path: str) -> Any:
    for part in path.split("."):
        table = table.get(part) if isinstance(table, Mapping) else None
    return table


def _shown(field: Field, value: Any) -> str:
    if field.kind == "case":
        return "when" if isinstance(value, str) else "no" if value is False else "yes" if value is True else ""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return value.strftime("%d/%m/%Y")
    if isinstance(value, time):
        return value.strftime("%H:%M")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value).strip()


def _put(table: Any, field: Field, value: str, when: str) -> None:
    *above, last = field.path.split(".")
    for part in above:
        if not isinstance(table.get(part), Mapping):
            if not value:
                return
            table[part] = tomlkit.table()
        table = table[part]
    made = when if field.kind == "case" and value == "when" else _made(field, value)
    if value == "" and not field.required:
        if last in table:
            table.remove(last)
    elif isinstance(made, str) and "\n" in made:
        table[last] = tomlkit.string(made, multiline=True)
    else:
        table[last] = made


def _made(field: Field, value: str) -> Any:
    """Return the value as the file holds it; what cannot be read as its kind stays a text, for the report to say so."""
    if field.kind in ("truth", "case"):
        return {"yes": True, "no": False}.get(value, value)
    if field.kind == "list":
        return [part.strip() for part in value.replace("\n", ",").split(",") if part.strip()]
    if field.kind in ("number", "amount") and re.fullmatch(r"\d{1,12}", value):
        return int(value)
    if field.kind == "day":
        found = re.fullmatch(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})", value)
        try:
            return date(int(found[3]), int(found[2]), int(found[1])) if found else date.fromisoformat(value)
        except ValueError:
            return value
    if field.kind == "clock":
        try:
            return time.fromisoformat(value.replace("h", ":").zfill(5))
        except ValueError:
            return value
    return value


def _array(text: str, key: str) -> Section:
    section = BY_KEY.get(key)
    found = _read(text).get(key) if section is not None and section.many else None
    if section is None or not section.many or (found is not None and not isinstance(tomlkit.parse(text).get(key), AoT)):
        raise Refused("draft.no_such_entry", key=key[:40], place=1)
    return section


def _blocks(text: str, key: str) -> list[tuple[int, int]]:
    """Return the lines of each entry of an array (from, to), sub-tables and the comment directly above it included."""
    lines = text.splitlines()
    headers = _headers(lines)
    starts = [number for number, header in headers if header == f"[[{key}]]"]
    blocks = []
    for start in starts:
        later = [number for number, header in headers if number > start and not header.lstrip("[").startswith(f"{key}.")]
        end = _above(lines, later[0]) if later else len(lines)
        blocks.append((_above(lines, start), end))
    return blocks


def _headers(lines: Sequence[str]) -> list[tuple[int, str]]:
    found, fence = [], ""
    for number, line in enumerate(lines):
        if fence:
            fence = "" if fence in line else fence
            continue
        header = _HEADER.match(line)
        if header:
            found.append((number, header[1] + header[2].replace(" ", "").replace('"', "") + "]" * len(header[1])))
            continue
        fence = next((quote for quote in ('"""', "'''") if line.count(quote) % 2), "")
    return found


def _above(lines: Sequence[str], header: int) -> int:
    """Return where what belongs to a header begins: the comment lines right above it."""
    start = header
    while start > 0 and lines[start - 1].lstrip().startswith("#"):
        start -= 1
    return start


def _closed(block: str) -> str:
    return block if block.endswith("\n") else f"{block}\n"


def _empty(section: Section) -> str:
    written, tables = [f"[[{section.key}]]"], dict[str, list[str]]()
    for field in section.fields:
        above, _, last = field.path.rpartition(".")
        if above and field.required:
            tables.setdefault(above, []).append(last)
        elif field.required:
            written.append(f'{last} = "{field.options[0] if field.options else ""}"')
    for table, names in tables.items():
        written += [f"[{section.key}.{table}]", *(f'{name} = ""' for name in names)]
    return "\n".join(written) + "\n"
