"""The syntax tree of an expression. Every node knows the offset of the text it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.feel.types import FeelType


@dataclass(slots=True)
class Node:
    """Any part of an expression; ``at`` is its offset in the text."""

    at: int


@dataclass(slots=True)
class Literal(Node):
    """A constant: null, boolean, number, text or an ``@`` literal."""

    value: Any


@dataclass(slots=True)
class Name(Node):
    """A variable, or the name of a function."""

    name: str


@dataclass(slots=True)
class External(Name):
    """The name of a function defined as external: class and method; it must be registered from outside."""


@dataclass(slots=True)
class Path(Node):
    """``base.name``."""

    base: Node
    name: str


@dataclass(slots=True)
class Filter(Node):
    """``base[condition]``."""

    base: Node
    condition: Node


@dataclass(slots=True)
class Call(Node):
    """A function invocation; ``names`` holds the parameter names of a named invocation."""

    callee: Node
    arguments: list[Node]
    names: list[str] | None


@dataclass(slots=True)
class Negate(Node):
    """Arithmetic negation."""

    operand: Node


@dataclass(slots=True)
class Arithmetic(Node):
    """``left operator right`` with ``+ - * / **``."""

    operator: str
    left: Node
    right: Node


@dataclass(slots=True)
class Compare(Node):
    """``left operator right`` with ``= != < <= > >=``."""

    operator: str
    left: Node
    right: Node


@dataclass(slots=True)
class Between(Node):
    """``value between low and high``."""

    value: Node
    low: Node
    high: Node


@dataclass(slots=True)
class Test(Node):
    """One unary test: an operator with its operand, or (operator ``""``) an expression matched by value."""

    operator: str
    operand: Node
    asks: bool
    """Whether the operand mentions ``?``: then its own boolean result decides."""


@dataclass(slots=True)
class Tests(Node):
    """Unary tests of one input: any must hold; ``negated`` for ``not(…)``; no tests at all for ``-``."""

    tests: list[Test]
    negated: bool


@dataclass(slots=True)
class In(Node):
    """``value in tests``."""

    value: Node
    tests: Tests


@dataclass(slots=True)
class Logic(Node):
    """A conjunction (``every``) or disjunction of two or more terms."""

    every: bool
    terms: list[Node]
    closed: bool = False
    """Whether brackets end it: what follows is then no further term of it."""


@dataclass(slots=True)
class If(Node):
    """``if condition then positive else negative``."""

    condition: Node
    positive: Node
    negative: Node


@dataclass(slots=True)
class Iteration(Node):
    """``name in source`` or ``name in source..upto``."""

    name: str
    source: Node
    upto: Node | None


@dataclass(slots=True)
class For(Node):
    """``for … return body``."""

    iterations: list[Iteration]
    body: Node


@dataclass(slots=True)
class Quantified(Node):
    """``some`` or ``every … satisfies body``."""

    every: bool
    iterations: list[Iteration]
    body: Node


@dataclass(slots=True)
class InstanceOf(Node):
    """``value instance of type``."""

    value: Node
    type: FeelType


@dataclass(slots=True)
class ListOf(Node):
    """A list literal."""

    items: list[Node]


@dataclass(slots=True)
class ContextOf(Node):
    """A context literal; each entry sees the entries before it."""

    entries: list[tuple[str, Node]]


@dataclass(slots=True)
class RangeOf(Node):
    """A range literal; a missing end is unbounded."""

    low: Node | None
    low_closed: bool
    high: Node | None
    high_closed: bool


@dataclass(slots=True)
class FunctionOf(Node):
    """A function definition."""

    parameters: list[tuple[str, FeelType]]
    body: Node
