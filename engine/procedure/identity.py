"""What a package is: hashes over a canonical manifest, with the drawing apart from the content.

Two packages with the same content hash behave the same; moving a box, renaming an annotation or re-saving the diagram in another
editor changes the drawing hash only. Identity is a hash and never a number somebody typed.
"""

from __future__ import annotations

import copy
import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from typing import Any

from lxml import etree

from engine.procedure.diagram import ARTIFACTS, BPMN, bpmn, tag
from engine.procedure.safe_xml import parse_xml

XSI = "http://www.w3.org/2001/XMLSchema-instance"
CONTENT_FOLDERS = ("forms/", "decisions/", "templates/")


def content_hash(files: Mapping[str, bytes]) -> str:
    """Return the SHA-256 (hex) over the canonical manifest of everything that has an effect."""
    lines = []
    for path in sorted(files):
        # The shared parts a package calls are part of what it does: ``_shared/<key>/…`` counts as the same file of a package would.
        name = path.split("/", 2)[2] if path.startswith("_shared/") else path
        if name == "process.bpmn" or name.endswith(".dmn"):
            canonical = _without_drawing(parse_xml(files[path], path))
        elif name in ("procedure.toml", "part.toml"):
            canonical = canonical_json(tomllib.loads(files[path].decode("utf-8")))
        elif name.startswith("forms/") and name.endswith(".json"):
            canonical = canonical_json(loaded(files[path]))
        elif name.startswith(CONTENT_FOLDERS):
            canonical = files[path]
        else:
            continue
        lines.append(f"{path}\0{hashlib.sha256(canonical).hexdigest()}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def drawing_hash(files: Mapping[str, bytes]) -> str:
    """Return the SHA-256 (hex) of the drawings: diagram interchange and annotations."""
    digest = hashlib.sha256()
    for name in sorted(files):
        if name == "process.bpmn" or name.endswith(".dmn"):
            root = parse_xml(files[name], name)
            drawn = [
                child for child in root if _namespace(child) != BPMN and _namespace(child) == "http://www.omg.org/spec/BPMN/20100524/DI"
            ]
            noted = [element for element in root.iter() if _is_artifact(element)]
            for element in (*drawn, *noted):
                digest.update(_canonical(_tidy(copy.deepcopy(element))))
    return digest.hexdigest()


def canonical_json(value: Any) -> bytes:
    """Return *value* as JSON with sorted keys, dates as text, no spaces."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain).encode()


def loaded(content: bytes) -> Any:
    """Return JSON as a value, or the text itself when it is none."""
    try:
        return json.loads(content)
    except ValueError:
        return content.decode("utf-8", "replace")


def _plain(value: object) -> str:
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def _without_drawing(root: etree._Element) -> bytes:
    whole = copy.deepcopy(root)
    if root.tag == bpmn("definitions"):
        for child in list(whole):
            if _namespace(child) != BPMN:
                whole.remove(child)
        for element in list(whole.iter()):
            # Incoming and outgoing repeat what the flows say; artifacts are remarks for the reader.
            parent = element.getparent()
            if parent is not None and (_is_artifact(element) or element.tag in (bpmn("incoming"), bpmn("outgoing"))):
                parent.remove(element)
        for attribute in ("exporter", "exporterVersion", "id", "name"):
            whole.attrib.pop(attribute, None)
    else:
        for child in list(whole):
            if tag(child) == "DMNDI":
                whole.remove(child)
    return _canonical(_tidy(whole))


def _tidy(element: etree._Element) -> etree._Element:
    for part in element.iter():
        if len(part) and not (part.text or "").strip():
            part.text = None
        elif part.text is not None:
            part.text = part.text.strip()
        part.tail = None
    etree.cleanup_namespaces(element)
    return element


def _canonical(element: etree._Element) -> bytes:
    """Return exclusive-style canonical XML whose prefixes do not depend on the editor: names are written in Clark notation."""
    parts: list[str] = []
    _write(element, parts)
    return "".join(parts).encode()


def _write(element: etree._Element, parts: list[str]) -> None:
    if not isinstance(element.tag, str):
        return
    parts.append(f"<{element.tag}")
    parts.extend(_attributes(element.attrib.items()))
    parts.append(">")
    parts.append(json.dumps(element.text, ensure_ascii=False) if element.text else "")
    for child in element:
        _write(child, parts)
    parts.append("</>")


def _attributes(items: Iterable[tuple[Any, Any]]) -> list[str]:
    # The schema type of an expression is written with the editor's own prefix and says nothing that the element does not.
    kept = sorted((str(key), str(value)) for key, value in items if not str(key).startswith(f"{{{XSI}}}"))
    return [f" {key}={json.dumps(value, ensure_ascii=False)}" for key, value in kept]


def _is_artifact(element: etree._Element) -> bool:
    return _namespace(element) == BPMN and tag(element) in ARTIFACTS


def _namespace(element: etree._Element) -> str | None:
    return etree.QName(element).namespace if isinstance(element.tag, str) else None
