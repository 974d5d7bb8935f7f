"""Types of the language: what a variable is declared to hold and what a check expects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FeelType:
    """A type by its name in the standard, such as ``number`` or ``days and time duration``.

    ``allowed`` closes a text or number to a set of values: comparing it with any other constant is then an error of the author.
    """

    name: str
    allowed: tuple[object, ...] = ()

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class ListType(FeelType):
    """A list whose items all have one type."""

    item: FeelType = FeelType("Any")

    def __str__(self) -> str:
        return f"list<{self.item}>"


@dataclass(frozen=True, slots=True)
class RangeType(FeelType):
    """A range between two values of one type."""

    item: FeelType = FeelType("Any")

    def __str__(self) -> str:
        return f"range<{self.item}>"


@dataclass(frozen=True, slots=True)
class ContextType(FeelType):
    """A context with named entries; ``open`` when it may have entries that are not named."""

    entries: Mapping[str, FeelType] = field(default_factory=dict)
    open: bool = False

    def __str__(self) -> str:
        return "context<" + ", ".join(f"{name}: {kind}" for name, kind in self.entries.items()) + ">" if self.entries else "context"

    def __hash__(self) -> int:
        return hash((self.name, tuple(self.entries), self.open))


@dataclass(frozen=True, slots=True)
class FunctionType(FeelType):
    """A function with the types of its parameters and of its result."""

    parameters: tuple[FeelType, ...] | None = None
    result: FeelType = FeelType("Any")

    def __str__(self) -> str:
        if self.parameters is None:
            return "function"
        return f"function<{', '.join(map(str, self.parameters))}>->{self.result}"


ANY = FeelType("Any")
NULL = FeelType("Null")
NUMBER = FeelType("number")
STRING = FeelType("string")
BOOLEAN = FeelType("boolean")
DATE = FeelType("date")
TIME = FeelType("time")
DATE_TIME = FeelType("date and time")
DAYS = FeelType("days and time duration")
MONTHS = FeelType("years and months duration")
LIST = ListType("list")
RANGE = RangeType("range")
CONTEXT = ContextType("context", open=True)
FUNCTION = FunctionType("function")

NAMED: dict[str, FeelType] = (
    {kind.name: kind for kind in (ANY, NULL, NUMBER, STRING, BOOLEAN, DATE, TIME, DATE_TIME, DAYS, MONTHS, LIST, RANGE, CONTEXT, FUNCTION)}
    | {"day and time duration": DAYS, "year and month duration": MONTHS, "dateTime": DATE_TIME, "dayTimeDuration": DAYS}
    | {
        "yearMonthDuration": MONTHS,
        "days and time duration": DAYS,
    }
)


def list_of(item: FeelType) -> ListType:
    """The type of a list of *item*."""
    return ListType("list", item=item)


def range_of(item: FeelType) -> RangeType:
    """The type of a range of *item*."""
    return RangeType("range", item=item)


def context_of(entries: Mapping[str, FeelType], *, open: bool = False) -> ContextType:  # noqa: A002 - the word of the domain
    """The type of a context with these *entries*; *open* when more may be there."""
    return ContextType("context", entries=dict(entries), open=open)


def one_of(*values: object) -> FeelType:
    """The type of a text (or number) that holds one of *values*."""
    return FeelType("string" if isinstance(values[0], str) else "number", allowed=values)
