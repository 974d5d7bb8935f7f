"""Context functions (clause 10.3.4.10)."""

from __future__ import annotations

from typing import Any

from engine.feel.errors import FeelError
from engine.feel.library.registry import builtin
from engine.feel.limits import Meter, sized_items
from engine.feel.values import kind_of


@builtin("get value(m: context, key: string): Any")
def get_value(_: Meter, context: dict[str, Any], key: str) -> Any:
    """The entry of that name, null when there is none."""
    return context.get(key)


@builtin("get entries(m: context): list<context>")
def get_entries(_: Meter, context: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries as contexts of ``key`` and ``value``."""
    return [{"key": key, "value": value} for key, value in context.items()]


@builtin("context(entries: list): context")
def context_from(_: Meter, entries: list[Any]) -> dict[str, Any]:
    """A context from contexts of ``key`` and ``value``; no key may come twice."""
    made: dict[str, Any] = {}
    for entry in entries:
        if not isinstance(entry, dict) or "value" not in entry or not isinstance(entry.get("key"), str) or entry["key"] in made:
            raise FeelError("feel.argument", function="context", parameter="entries", expected="key, value", found=kind_of(entry))
        made[entry["key"]] = entry["value"]
    return made


@builtin("context put(context: context, key: string|list<string>, value: any): context")
def context_put(_: Meter, context: dict[str, Any], key: str | list[Any], value: Any) -> dict[str, Any]:
    """The context with the entry added or replaced; *key* may be a path of keys."""
    return sized_items({**context, key: value}) if isinstance(key, str) else context_put_at(_, context, key, value)


@builtin("context put(context: context, keys: list<string>, value: any): context")
def context_put_at(_: Meter, context: dict[str, Any], keys: list[Any], value: Any) -> dict[str, Any]:
    """The context with the entry at a path of keys added or replaced."""
    if not keys or not all(isinstance(key, str) for key in keys) or len(keys) > 32:
        raise FeelError("feel.argument", function="context put", parameter="keys", expected="list<string>", found="list")
    if len(keys) == 1:
        return sized_items({**context, keys[0]: value})
    inner = context.get(keys[0])
    if not isinstance(inner, dict):
        raise FeelError("feel.argument", function="context put", parameter="keys", expected="context", found=kind_of(inner))
    return sized_items({**context, keys[0]: context_put_at(_, inner, keys[1:], value)})


@builtin("context merge(contexts: list<context>): context")
def context_merge(_: Meter, contexts: list[Any]) -> dict[str, Any]:
    """All entries of all contexts; of entries of one name the last."""
    merged: dict[str, Any] = {}
    for entry in contexts:
        if not isinstance(entry, dict):
            raise FeelError("feel.argument", function="context merge", parameter="contexts", expected="context", found=kind_of(entry))
        merged.update(entry)
    return sized_items(merged)
