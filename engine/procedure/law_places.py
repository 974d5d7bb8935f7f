"""Where a package cites the law: term, components, fees, reasons, elements, forms, decisions, templates, each with file and line."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.procedure.law import Act, Citation, citations, cited_by
from engine.procedure.package import DECLARATION, Package
from engine.procedure.phrases import name_words
from engine.procedure.toml_lines import line_of
from engine.procedure.words import Words

KINDS = ("procedure", "term", "component", "fee", "document", "reason", "notice", "element", "form", "decision", "template", "shared")
"""What can cite the law, in the order in which it is shown."""
_TAGS = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class Place:
    """One place that cites: what it is (one of `KINDS`), which one, its name, where it stands, what is cited and the text itself."""

    kind: str
    key: str
    title: Words
    file: str
    line: int | None
    citation: Citation
    text: str

    def as_json(self) -> dict[str, Any]:
        """Return the place for machines."""
        return {
            "kind": self.kind,
            "key": self.key,
            "title": {"vi": self.title.vi, "en": self.title.en},
            "file": self.file,
            "line": self.line,
            "act": self.citation.act.label,
            "articles": [one.label for one in self.citation.articles],
            "text": self.text,
        }


def places(package: Package) -> tuple[Place, ...]:
    """Return every place of *package* that cites a legal act, in a stable order.

    Raises:
        Refused: the diagram cannot be read.
    """
    found = [*_declared(package), *_elements(package), *_forms(package.files), *_texts(package.files, ("templates/", "decisions/"))]
    return _ordered(found)


def shared_places(folder: Path) -> tuple[Place, ...]:
    """Return what every procedure shares that cites the law: templates of ``_shared`` and the calendar of ``_calendars``."""
    files: dict[str, bytes] = {}
    for pattern in ("_shared/**/*.typ", "_calendars/*.toml"):
        files |= {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.glob(pattern))}
    return _ordered([place for name, content in files.items() for place in _lines(name, content, "shared")])


def concerned(found: Iterable[Place], act: Act, article: str = "") -> tuple[Place, ...]:
    """Return the places a change of *article* of *act* concerns."""
    return tuple(place for place in found if place.citation.concerns(act, article))


def _ordered(found: Iterable[Place]) -> tuple[Place, ...]:
    unique = dict.fromkeys(found)
    return tuple(sorted(unique, key=lambda one: (KINDS.index(one.kind), one.file, one.line or 0, one.key, one.citation.act.label)))


def _declared(package: Package) -> Iterator[Place]:
    text = package.files[DECLARATION].decode("utf-8")

    def place(kind: str, key: str, title: Words, path: tuple[str | int, ...], cited: Iterable[Citation], said: str) -> Iterator[Place]:
        line = line_of(text, path)
        yield from (Place(kind, key, title, DECLARATION, line, one, said) for one in cited)

    for number, basis in enumerate(package.legal_basis):
        said = f"{basis.act}, {basis.article}" if basis.article else basis.act
        yield from place("procedure", package.key, package.name, ("legal_basis", number, "act"), cited_by(basis.act, basis.article), said)
    term = package.term.legal_basis
    yield from place("term", "term", Words("Thời hạn giải quyết", "The term"), ("term", "legal_basis"), citations(term), term)
    for number, part in enumerate(package.components):
        cited = citations(part.legal_basis)
        yield from place("component", part.key, part.name, ("component", number, "legal_basis"), cited, part.legal_basis)
    for number, fee in enumerate(package.fees):
        yield from place("fee", fee.key, fee.name, ("fee", number, "legal_basis"), citations(fee.legal_basis), fee.legal_basis)
    for number, document in enumerate(package.documents):
        yield from place(
            "document", document.key, document.name, ("document", number, "name"), citations(document.name.vi), document.name.vi
        )
    for number, reason in enumerate(package.reasons):
        said = f"{reason.text.vi} ({reason.legal_basis})" if reason.legal_basis else reason.text.vi
        yield from place("reason", reason.kind, reason.text, ("reason", number, "legal_basis"), citations(said), said)
    for key, notice in package.notices.items():
        for said in _strings(notice):
            yield from place("notice", str(key), Words(str(key), str(key)), ("notice", str(key)), citations(said), said)


def _elements(package: Package) -> Iterator[Place]:
    diagram = package.diagram
    for node in diagram.nodes.values():
        own = node.operator.parameters if node.operator is not None else {}
        said = [node.name, node.documentation, *node.properties.values(), *own.values(), *(event.text for event in node.events)]
        title = name_words(node) or Words(node.id, node.id)
        yield from _cited("element", node.id, title, diagram.file, node.line, said)
    for flow in diagram.flows.values():
        title = Words(flow.name or flow.id, flow.name or flow.id)
        yield from _cited("element", flow.id, title, diagram.file, flow.line, (flow.name, flow.condition or ""))


def _forms(files: Mapping[str, bytes]) -> Iterator[Place]:
    for name in sorted(files):
        if not name.startswith("forms/"):
            continue
        try:
            schema = json.loads(files[name])
        except ValueError:
            continue
        lines = files[name].decode("utf-8").splitlines()
        for component in _components(schema):
            said = [text for key, value in component.items() if key != "components" for text in _strings(value)]
            own = str(component.get("key") or component.get("id") or component.get("type") or "")
            label = str(component.get("label") or own)
            line = next((number for number, text in enumerate(lines, 1) if own and f'"{own}"' in text), None)
            yield from _cited("form", f"{name[6:-5]}.{own}", Words(label, label), name, line, said)


def _components(schema: Any) -> Iterator[dict[str, Any]]:
    for component in schema.get("components", ()) if isinstance(schema, dict) else ():
        if isinstance(component, dict):
            yield component
            yield from _components(component)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def _texts(files: Mapping[str, bytes], folders: tuple[str, ...]) -> Iterator[Place]:
    kinds = {"templates/": "template", "decisions/": "decision"}
    for name in sorted(files):
        folder = next((one for one in folders if name.startswith(one)), None)
        if folder and name.endswith((".typ", ".dmn")):
            yield from _lines(name, files[name], kinds[folder])


def _lines(name: str, content: bytes, kind: str) -> Iterator[Place]:
    short = name.rpartition("/")[2]
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        text = html.unescape(_TAGS.sub(" ", line)) if name.endswith(".dmn") else line
        yield from _cited(kind, name, Words(short, short), name, number, (text.strip(),))


def _cited(kind: str, key: str, title: Words, file: str, line: int | None, said: Iterable[str]) -> Iterator[Place]:
    for text in said:
        yield from (Place(kind, key, title, file, line, one, text.strip()) for one in citations(text))
