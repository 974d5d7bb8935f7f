"""From XML to ``model``: every element is read or refused by name, none is skipped that could change the meaning."""

from __future__ import annotations

from collections.abc import Callable

from lxml import etree

from engine.feel.dmn import model
from engine.feel.dmn.boxes import read_box, type_of
from engine.feel.dmn.vocabulary import check_words
from engine.feel.dmn.xml import NAMESPACES, Element, attribute, child, children, kind, read_root, refuse, text
from engine.feel.errors import FeelError

MAX_TYPES = 2_000


def read_model(data: bytes) -> model.Model:
    """The model in a DMN file of the editions 1.1 to 1.5.

    Raises:
        FeelError: ``decision.…`` naming line and element.
    """
    root = read_root(data)
    check_words(root)
    imports: list[model.Import] = []
    types: list[model.ItemDefinition] = []
    elements: dict[str, model.Element] = {}
    for part in root:
        name = kind(part)
        if name == "import":
            imports.append(_import(part))
        elif name == "itemDefinition":
            types.append(_item(part, 0))
        elif name in _READERS:
            element = _READERS[name](part)
            if element.id in elements:
                raise refuse("decision.duplicate", part, name=element.id)
            elements[element.id] = element
    _unique_names(elements)
    if len(types) > MAX_TYPES:
        raise FeelError("decision.too_large", limit=MAX_TYPES)
    version = NAMESPACES[str(etree.QName(root).namespace)]
    return model.Model(attribute(root, "name"), attribute(root, "namespace"), version, tuple(imports), tuple(types), elements)


def _unique_names(elements: dict[str, model.Element]) -> None:
    seen: set[str] = set()
    for element in elements.values():
        if element.name in seen:
            raise FeelError("decision.duplicate", element.line, 1, element=element.name, name=element.name)
        seen.add(element.name)


def _import(part: Element) -> model.Import:
    language = attribute(part, "importType")
    if language not in NAMESPACES and "DMN" not in language:
        raise refuse("decision.import_kind", part, kind=language[:80])
    return model.Import(attribute(part, "name"), attribute(part, "namespace"), part.sourceline or 1)


def _item(part: Element, depth: int) -> model.ItemDefinition:
    if depth > 20:
        raise refuse("decision.too_large", part, limit=20)
    function = child(part, "functionItem")
    signature = None
    if function is not None:
        parameters = tuple(type_of(parameter) for parameter in children(function, "parameters"))
        signature = (parameters, attribute(function, "outputTypeRef"))
    return model.ItemDefinition(
        attribute(part, "name"),
        type_of(part),
        text(part, "allowedValues", "text"),
        attribute(part, "isCollection") == "true",
        tuple(_item(component, depth + 1) for component in children(part, "itemComponent")),
        part.sourceline or 1,
        signature,
        text(part, "typeConstraint", "text"),
    )


def _identity(part: Element) -> tuple[str, str, str, int]:
    name, key = attribute(part, "name"), attribute(part, "id")
    if not name or not key:
        raise refuse("decision.nameless", part)
    variable = child(part, "variable")
    return key, name, type_of(variable) if variable is not None else "", part.sourceline or 1


def _references(part: Element, *kinds: str) -> tuple[str, ...]:
    return tuple(_reference(required) for required in children(part, *kinds))


def _reference(element: Element) -> str:
    target = attribute(element, "href")
    if "#" not in target:
        raise refuse("decision.reference", element, target=target[:80])
    namespace, _, key = target.rpartition("#")
    return f"{namespace}#{key}" if namespace else key


def _requires(part: Element) -> tuple[str, ...]:
    found: list[str] = []
    for requirement in children(part, "informationRequirement", "knowledgeRequirement"):
        inner = child(requirement, "requiredInput", "requiredDecision", "requiredKnowledge")
        if inner is None:
            raise refuse("decision.reference", requirement, target="")
        found.append(_reference(inner))
    return tuple(dict.fromkeys(found))


def _logic(part: Element) -> Element | None:
    boxes = [inner for inner in part if kind(inner) in BOXES]
    if len(boxes) > 1:
        raise refuse("decision.unsupported", boxes[1], kind=kind(boxes[1]))
    return boxes[0] if boxes else None


BOXES = frozenset(
    [
        "literalExpression",
        "decisionTable",
        "context",
        "relation",
        "list",
        "invocation",
        "functionDefinition",
        "conditional",
        "filter",
        "for",
        "some",
        "every",
    ]
)


def _input(part: Element) -> model.InputData:
    return model.InputData(*_identity(part))


def _decision(part: Element) -> model.Decision:
    box = _logic(part)
    return model.Decision(*_identity(part), _requires(part), read_box(box) if box is not None else None)


def _knowledge(part: Element) -> model.Knowledge:
    inner = child(part, "encapsulatedLogic")
    box = read_box(inner, as_kind="functionDefinition") if inner is not None else None
    if box is not None and not isinstance(box, model.FunctionBox):
        raise refuse("decision.unsupported", part, kind=kind(part))
    return model.Knowledge(*_identity(part), _requires(part), box)


def _service(part: Element) -> model.Service:
    return model.Service(
        *_identity(part),
        outputs=_references(part, "outputDecision"),
        encapsulated=_references(part, "encapsulatedDecision"),
        input_decisions=_references(part, "inputDecision"),
        input_data=_references(part, "inputData"),
    )


_READERS: dict[str, Callable[[Element], model.Element]] = {
    "inputData": _input,
    "decision": _decision,
    "businessKnowledgeModel": _knowledge,
    "decisionService": _service,
}
