"""Reads the XML of a decision model without letting it reach files, the network or unbounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree

from engine.feel.errors import FeelError

MAX_BYTES = 4_000_000
MAX_ELEMENTS = 60_000
MAX_DEPTH = 100

NAMESPACES = {
    "http://www.omg.org/spec/DMN/20151101/dmn.xsd": "1.1",
    "http://www.omg.org/spec/DMN/20180521/MODEL/": "1.2",
    "https://www.omg.org/spec/DMN/20191111/MODEL/": "1.3",
    "http://www.omg.org/spec/DMN/20191111/MODEL/": "1.3",
    "https://www.omg.org/spec/DMN/20211108/MODEL/": "1.4",
    "https://www.omg.org/spec/DMN/20230324/MODEL/": "1.5",
}
"""The namespace of each edition of the standard that is read."""

_FEEL = ("", "http://www.omg.org/spec/FEEL/20140401", "https://www.omg.org/spec/DMN/20191111/FEEL/", "feel", "FEEL")

Element = etree._Element


def read_root(data: bytes) -> Element:
    """The ``definitions`` element of a model.

    Raises:
        FeelError: ``decision.too_large``, ``decision.not_xml``, ``decision.doctype`` or ``decision.not_dmn``.
    """
    if len(data) > MAX_BYTES:
        raise FeelError("decision.too_large", limit=MAX_BYTES)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as problem:
        line, column = getattr(problem, "position", (1, 1))
        raise FeelError("decision.not_xml", int(line or 1), int(column or 1)) from None
    if root.getroottree().docinfo.doctype:
        raise FeelError("decision.doctype", 1, 1)
    _bounded(root)
    name = etree.QName(root)
    if name.localname != "definitions" or name.namespace not in NAMESPACES:
        raise FeelError("decision.not_dmn", 1, 1, found=name.localname[:60])
    return root


def _bounded(root: Element) -> None:
    count = depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        count += event == "start"
        if count > MAX_ELEMENTS or depth > MAX_DEPTH:
            raise FeelError("decision.too_large", limit=MAX_ELEMENTS if count > MAX_ELEMENTS else MAX_DEPTH)


def kind(element: Element) -> str:
    """The local name of an element of DMN; empty for elements of other namespaces, which are no part of the logic."""
    name = etree.QName(element)
    return name.localname if name.namespace in NAMESPACES else ""


def children(element: Element, *kinds: str) -> Iterator[Element]:
    """The children of these kinds in document order."""
    return (child for child in element if kind(child) in kinds)


def child(element: Element, *kinds: str) -> Element | None:
    """The first child of one of these kinds."""
    return next(children(element, *kinds), None)


def text(element: Element | None, *path: str) -> str:
    """The text of the element behind a path of children, without the space around it; empty when something is missing."""
    for step in path:
        element = None if element is None else child(element, step)
    return "" if element is None else "".join(element.itertext()).strip()


def attribute(element: Element, name: str) -> str:
    """An attribute, or empty."""
    return str(element.get(name) or "")


def is_feel(language: str) -> bool:
    """Whether an expression or type language is FEEL, as any edition writes it; FEEL is the default."""
    return language in _FEEL or language.endswith("/FEEL/")


def label(element: Element) -> str:
    """How a person recognises an element: its name or label, else its id, else its kind and line."""
    return (
        attribute(element, "name") or attribute(element, "label") or attribute(element, "id") or f"{kind(element)} ({element.sourceline})"
    )


def refuse(code: str, element: Element, **facts: Any) -> FeelError:
    """An error at *element*."""
    return FeelError(code, element.sourceline or 1, 1, element=label(element), **facts)
