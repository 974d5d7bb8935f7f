"""The checklist: which papers a dossier needs, by rules of the procedure over the facts of this dossier, and what is missing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any, Protocol

from engine.errors import Refused
from engine.feel import Expression, compile_expression, evaluate_condition


class Named(Protocol):
    """A name in both languages."""

    @property
    def vi(self) -> str:
        """The Vietnamese name."""


class Paper(Protocol):
    """What the checklist needs to know of a component of a procedure."""

    @property
    def key(self) -> str:
        """The component's key."""

    @property
    def name(self) -> Named:
        """What people call it."""

    @property
    def required(self) -> bool | str:
        """A truth value, or a FEEL condition over ``dossier``."""

    @property
    def upload(self) -> bool:
        """Whether a file of it is wanted as soon as it is handed in."""


def is_required(component: Paper, facts: Mapping[str, Any]) -> bool:
    """Say whether a component is required, given the facts of the dossier (``dossier`` in its condition).

    Raises:
        Refused: the condition of the procedure cannot be decided from these facts.
    """
    if isinstance(component.required, bool):
        return component.required
    try:
        return evaluate_condition(_condition(component.required), {"dossier": dict(facts)})
    except Exception as wrong:
        raise Refused("checklist.condition_undecided", field=component.key, condition=component.required) from wrong


def wanted_so_far(component: Paper, facts: Mapping[str, Any]) -> bool:
    """Say whether a component is required on what is known so far; a condition that cannot be decided yet asks for nothing."""
    try:
        return is_required(component, facts)
    except Refused:
        return False


def missing(
    components: Iterable[Paper],
    handed_in: Collection[str],
    uploaded: Collection[str | None],
    facts: Mapping[str, Any],
    required: Callable[[Paper, Mapping[str, Any]], bool] = is_required,
) -> list[Refused]:
    """Return one refusal for every required paper not handed in, every file not uploaded, and every paper nobody asked for."""
    known = list(components)
    found = [
        Refused("checklist.component_unknown", field=key, component=key)
        for key in handed_in
        if key not in {component.key for component in known}
    ]
    for component in known:
        present = component.key in handed_in
        if not present and required(component, facts):
            found.append(Refused("checklist.component_missing", field=component.key, component=component.name.vi))
        elif present and component.upload and component.key not in uploaded:
            found.append(Refused("checklist.upload_missing", field=component.key, component=component.name.vi))
    return found


@lru_cache(maxsize=512)
def _condition(text: str) -> Expression:
    return compile_expression(text)
