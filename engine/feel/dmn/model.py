"""A decision model as read from XML: elements, requirements and boxed expressions, before anything is compiled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Aggregation = Literal["", "SUM", "COUNT", "MIN", "MAX"]
HitPolicy = Literal["UNIQUE", "ANY", "PRIORITY", "FIRST", "RULE ORDER", "OUTPUT ORDER", "COLLECT"]


@dataclass(frozen=True, slots=True)
class Boxed:
    """Any boxed expression; ``line`` is its place in the file, ``type`` the type its value must have, if stated."""

    line: int
    type: str


@dataclass(frozen=True, slots=True)
class LiteralBox(Boxed):
    """A FEEL text."""

    text: str


@dataclass(frozen=True, slots=True)
class Input:
    """One input column: the text that gives the value, and the tests its values must pass."""

    label: str
    text: str
    type: str
    values: str


@dataclass(frozen=True, slots=True)
class Output:
    """One output column: its name (empty for a single one), allowed values in order of priority, and the default."""

    name: str
    type: str
    values: str
    default: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: the text of every cell."""

    id: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    annotation: str
    line: int


@dataclass(frozen=True, slots=True)
class TableBox(Boxed):
    """A decision table."""

    policy: HitPolicy
    aggregation: Aggregation
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a boxed context; without name it is the result."""

    name: str
    type: str
    value: Boxed


@dataclass(frozen=True, slots=True)
class ContextBox(Boxed):
    """A boxed context."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class ListBox(Boxed):
    """A boxed list."""

    items: tuple[Boxed, ...]


@dataclass(frozen=True, slots=True)
class RelationBox(Boxed):
    """A relation: named columns and rows of expressions."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Boxed, ...], ...]


@dataclass(frozen=True, slots=True)
class InvocationBox(Boxed):
    """An invocation with named arguments."""

    function: Boxed
    arguments: tuple[tuple[str, Boxed], ...]


@dataclass(frozen=True, slots=True)
class FunctionBox(Boxed):
    """A function definition."""

    parameters: tuple[tuple[str, str], ...]
    body: Boxed


@dataclass(frozen=True, slots=True)
class ConditionalBox(Boxed):
    """A boxed conditional (since 1.4)."""

    condition: Boxed
    positive: Boxed
    negative: Boxed


@dataclass(frozen=True, slots=True)
class FilterBox(Boxed):
    """A boxed filter (since 1.4)."""

    source: Boxed
    match: Boxed


@dataclass(frozen=True, slots=True)
class IteratorBox(Boxed):
    """A boxed iterator (since 1.4): ``for``, ``some`` or ``every``."""

    kind: str
    variable: str
    source: Boxed
    body: Boxed


@dataclass(frozen=True, slots=True)
class ItemDefinition:
    """A declared type: a base type with tests its values must pass, or named components."""

    name: str
    base: str
    values: str
    collection: bool
    components: tuple[ItemDefinition, ...]
    line: int
    function: tuple[tuple[str, ...], str] | None = None
    constraint: str = ""
    """Tests of the value itself; ``values`` tests the items when the type is a collection (edition 1.5)."""


@dataclass(frozen=True, slots=True)
class Element:
    """An element of the requirement graph."""

    id: str
    name: str
    type: str
    line: int
    requires: tuple[str, ...] = ()
    """References of required elements: ``id`` or ``namespace#id``."""


@dataclass(frozen=True, slots=True)
class InputData(Element):
    """Data given from outside."""


@dataclass(frozen=True, slots=True)
class Decision(Element):
    """A decision with its logic."""

    logic: Boxed | None = None


@dataclass(frozen=True, slots=True)
class Knowledge(Element):
    """A business knowledge model: a named function."""

    logic: FunctionBox | None = None


@dataclass(frozen=True, slots=True)
class Service(Element):
    """A decision service: some decisions of the model as a function."""

    outputs: tuple[str, ...] = ()
    encapsulated: tuple[str, ...] = ()
    input_decisions: tuple[str, ...] = ()
    input_data: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Import:
    """An imported model: under which name, from which namespace."""

    name: str
    namespace: str
    line: int


@dataclass(frozen=True, slots=True)
class Model:
    """One file."""

    name: str
    namespace: str
    version: str
    imports: tuple[Import, ...] = ()
    types: tuple[ItemDefinition, ...] = ()
    elements: dict[str, Element] = field(default_factory=dict)
