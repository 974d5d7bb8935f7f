"""What goes into the interpreter and what comes out: plain values, no library object, no session."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import NoneType
from typing import Any, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from engine.errors import Refused
from engine.feel.dmn import Outcome as DecisionOutcome

Json: TypeAlias = Any
Outcome: TypeAlias = str
RUNNING, COMPLETED, CANCELLED, FAILED = "running", "completed", "cancelled", "error"

MAX_DEPTH = 64
MAX_INTEGER = 10**15
_AS_IT_IS: frozenset[type] = frozenset({str, bool, NoneType})
_NESTED: frozenset[type] = frozenset({dict, list})
_TEXT = frozenset({str})
RESERVED_NAMES = frozenset({"dossier", "typename"})


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of a service task: the operator's *id*, its *parameters* already evaluated, and where in the process it stands."""

    id: str
    parameters: Mapping[str, Json]
    variables: Mapping[str, Json]
    step: str
    name: str
    lane: str | None
    properties: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Context:
    """The world one advance may see: the instant, the operators, the functions expressions may call, and the dossier.

    *now* is an aware instant; *functions* are pure; *operators* run inside the caller's transaction and never touch the network.
    *zone* is the civil calendar in which a duration of months or years is counted.
    """

    now: datetime
    operators: Mapping[str, Callable[[Operation], Json]] = field(default_factory=dict)
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    dossier: Mapping[str, Json] | Callable[[], Mapping[str, Json]] = field(default_factory=dict)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Ho_Chi_Minh"))
    decided: Callable[[Operation, DecisionOutcome], None] = field(default=lambda operation, outcome: None)
    """Told of every decision table that was applied, with the rows that fired."""

    def __post_init__(self) -> None:
        if self.now.tzinfo is None:
            raise ValueError("the instant of a context must carry its zone")

    def facts(self) -> Mapping[str, Json]:
        """Return what expressions may read of the dossier, gathered when somebody asks where it is a function."""
        return self.dossier() if callable(self.dossier) else self.dossier


@dataclass(frozen=True, slots=True)
class OpenTask:
    """A step that waits for a person; *answers* is what was last stored in its variable (a returned step shows it again)."""

    uuid: UUID
    step: str
    name: str
    lane: str | None
    properties: Mapping[str, str]
    answers: Json = None
    item: Json = None
    variables: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """What the process knows at this step; to read, not to keep."""


@dataclass(frozen=True, slots=True)
class Timer:
    """A deadline the process waits for: *key* is stable as long as it runs, *due_at* an aware instant."""

    key: str
    step: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Thrown:
    """An event nobody inside the instance caught: *kind* is message, signal, error or escalation; *keys* a message's correlation keys."""

    kind: str
    name: str
    payload: Json = None
    keys: Json = None


@dataclass(frozen=True, slots=True)
class Advance:
    """One move from wait state to wait state: the new state and everything the office must do about it.

    *opened* and *closed* are the difference of the steps that wait for a person, *ready* all of them; *timers* and *waiting*
    (names of awaited messages) are complete lists, not differences. *ended* is the end event reached, once the instance is over.
    """

    state: bytes
    opened: tuple[OpenTask, ...]
    closed: tuple[UUID, ...]
    ready: tuple[OpenTask, ...]
    ended: str | None
    outcome: Outcome
    timers: tuple[Timer, ...]
    waiting: tuple[str, ...]
    thrown: tuple[Thrown, ...]
    told: Callable[[], Mapping[str, Json]] = field(repr=False, compare=False)
    signals: tuple[str, ...] = ()
    """The names of the signals the instance listens to now."""
    apart: Callable[[], None] = field(default=lambda: None, repr=False, compare=False)

    def forget(self) -> None:
        """Take the instance apart, whose `variables` nobody will ask for: it holds itself, and somebody would have to look for it."""
        self.apart()

    @property
    def variables(self) -> Mapping[str, Json]:
        """The variables as the live steps see them, put together when somebody asks: what all branches wrote costs a walk over the tree."""
        return self.told()


@dataclass(frozen=True, slots=True)
class View:
    """The instance on its diagram: how often each node was done, which flows were walked, what is active, what is awaited."""

    done: Mapping[str, int]
    walked: tuple[str, ...]
    active: tuple[str, ...]
    events: tuple[str, ...]
    messages: tuple[str, ...]
    timers: tuple[Timer, ...]


def plain(value: Json, depth: int = MAX_DEPTH) -> Json:
    """Return a deep copy of *value* made of JSON values only.

    Raises: Refused ``process.not_plain`` for any other type, a number JSON cannot carry exactly, or more than 64 levels.
    """
    kind = type(value)
    if kind in _AS_IT_IS:
        return value
    if kind is int:
        if abs(value) > MAX_INTEGER:
            raise Refused("process.not_plain", kind="int")
        return value
    if kind is float:
        if not math.isfinite(value):
            raise Refused("process.not_plain", kind="float")
        return value
    if depth == 0:
        raise Refused("process.not_plain", kind="depth")
    if kind is list or kind is tuple:
        return [item if item.__class__ in _AS_IT_IS else plain(item, depth - 1) for item in value]
    if kind is dict or isinstance(value, Mapping):
        if not _TEXT.issuperset(map(type, value)):
            raise Refused("process.not_plain", kind="key")
        return {key: item if item.__class__ in _AS_IT_IS else plain(item, depth - 1) for key, item in value.items()}
    raise Refused("process.not_plain", kind=kind.__name__)


def copied(value: Json) -> Json:
    """Return a deep copy of a value that is made of JSON values already."""
    if value.__class__ is dict:
        return {key: copied(item) if item.__class__ in _NESTED else item for key, item in value.items()}
    return [copied(item) for item in value] if value.__class__ is list else value


def variable_name(name: str, functions: Mapping[str, Any]) -> str:
    """Return *name* if a step may store its answers under it.

    Raises: Refused ``process.reserved_name`` for the names expressions use for something else.
    """
    if not name or name in RESERVED_NAMES or name.startswith("_") or name in functions:
        raise Refused("process.reserved_name", name=name)
    return name
