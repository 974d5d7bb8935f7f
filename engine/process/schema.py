"""The schema of the standard, held against the file as its author wrote it, before anything is rewritten.

The schema (BPMN 2.0.2, 15.3; the files of the OMG) comes with the interpreter. What it allows and nobody else knows passes: elements and
attributes of other namespaces belong to the editors that wrote them. Identifiers that are doubled or are no names are left to the rules
``duplicate-id`` and ``id-no-name``, which say it better.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import Any

from lxml import etree

from engine.procedure.diagram import BPMN, Diagram, tag, text_of
from engine.procedure.report import Finding, at

MAX_FINDINGS = 50
"""A file of another kind breaks the schema at every element; nobody reads further."""
_NAME = re.compile(r"\{[^}]*\}([\w.-]+)")
_EXPECTED = re.compile(r"Expected is (?:one of )?\( ?(.*?) ?\)\.")
_ATTRIBUTE = re.compile(r"[Aa]ttribute '([^']+)'")
_SET = re.compile(r"element of the set \{(.*)\}", re.DOTALL)
_SHOWN = 6
_lock = threading.Lock()


@cache
def schema() -> etree.XMLSchema:
    """Return the compiled schema: read once per process, from the installed files only."""
    with resources.as_file(resources.files("SpiffWorkflow.bpmn.parser") / "schema") as folder:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        return etree.XMLSchema(etree.parse(str(folder / "BPMN20.xsd"), parser))


def broken(diagram: Diagram) -> list[Finding]:
    """Return where the file breaks the schema of the standard: each finding with element, line and place.

    A part that may not stand where it stands hides what comes after it on its level: the next examination tells the rest.
    """
    compiled = schema()
    with _lock:  # a compiled schema keeps the errors of its last run
        compiled.validate(diagram.root)
        errors = list(compiled.error_log)
    found = []
    for error in errors:
        element = _element(diagram.root, error)
        if _told_by_a_rule(error, element):
            continue
        found.append(_finding(diagram, error, element))
        if len(found) == MAX_FINDINGS:
            break
    return found


def _finding(diagram: Diagram, error: Any, element: etree._Element | None) -> Finding:
    rule, facts = _read(error, element)
    part = tag(element) if element is not None else ""
    owner = _owner(element)
    # An element without an identifier is reported at whatever holds it; its line is its own.
    line = element.sourceline if element is not None and element.sourceline else error.line
    found = at(diagram, rule, owner, part=part, line=line, **facts)
    return replace(found, place=replace(found.place, line=line))


def _read(error: Any, element: etree._Element | None) -> tuple[str, dict[str, Any]]:
    """Return the rule an error of the validator breaks, with its facts; its own words are never shown."""
    text, kind = str(error.message), str(error.type_name)
    attribute = _first(_ATTRIBUTE, text)
    if kind == "SCHEMAV_ELEMENT_CONTENT":
        expected = _expected(text)
        if "Missing child element" in text:
            return "schema-incomplete", {"expected": expected}
        return "schema-unexpected", {"expected": expected}
    if kind == "SCHEMAV_CVC_COMPLEX_TYPE_4":
        return "schema-attribute-missing", {"attribute": attribute}
    if kind in ("SCHEMAV_CVC_COMPLEX_TYPE_3_2_1", "SCHEMAV_CVC_COMPLEX_TYPE_3_2_2"):
        return "schema-attribute-unknown", {"attribute": attribute}
    if kind in ("SCHEMAV_CVC_COMPLEX_TYPE_2_1", "SCHEMAV_CVC_COMPLEX_TYPE_2_2", "SCHEMAV_CVC_COMPLEX_TYPE_2_3", "SCHEMAV_CVC_TYPE_3_1_2"):
        return "schema-content", {}
    if kind.startswith(("SCHEMAV_CVC_DATATYPE", "SCHEMAV_CVC_ENUMERATION", "SCHEMAV_CVC_PATTERN", "SCHEMAV_CVC_MIN", "SCHEMAV_CVC_MAX")):
        value = "" if element is None else element.get(attribute, "") if attribute else text_of(element)
        allowed = _first(_SET, text).replace("'", "") or _type(text)
        return "schema-value", {"attribute": attribute, "value": value[:60], "allowed": allowed}
    return "schema-broken", {}


def _first(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match.group(1) if match else ""


def _expected(text: str) -> str:
    names = sorted(set(_NAME.findall(_first(_EXPECTED, text))))
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")


def _type(text: str) -> str:
    match = re.search(r"type '(?:\{[^}]*\}|xs:)?([\w.-]+)'", text)
    return match.group(1) if match else ""


def _element(root: etree._Element, error: Any) -> etree._Element | None:
    try:
        found = root.getroottree().xpath(error.path or "", namespaces={key: value for key, value in root.nsmap.items() if key})
    except etree.XPathError:
        return None
    return found[0] if isinstance(found, list) and found and isinstance(found[0], etree._Element) else None


def _owner(element: etree._Element | None) -> str:
    """Return the identifier of the nearest element that a designer can point at."""
    for one in _upwards(element):
        identifier = one.get("bpmnElement") or one.get("id")
        if identifier:
            return str(identifier)
    return ""


def _upwards(element: etree._Element | None) -> Iterator[etree._Element]:
    if element is not None:
        yield element
        yield from element.iterancestors()


def _told_by_a_rule(error: Any, element: etree._Element | None) -> bool:
    own = element is not None and str(element.tag).startswith(f"{{{BPMN}}}")
    return own and "attribute 'id'" in str(error.message) and "'xs:ID'" in str(error.message)
