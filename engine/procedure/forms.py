"""A form: form-js JSON in, fields out; decides which fields show and what the answers are worth (works without JavaScript)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from engine.errors import Invalid, Refused
from engine.feel import Expression, FeelError
from engine.procedure.answers import clean, is_blank, typed
from engine.procedure.form_fields import MAX_FIELDS, Field, Note, Option, read_components

__all__ = ["Field", "Form", "Note", "Option"]

MAX_FORM = 512 * 1024


@dataclass(frozen=True)
class Form:
    """A form of a package; ``items`` keeps fields and static texts in their order."""

    key: str
    items: tuple[Field | Note, ...]

    @classmethod
    def parse(cls, content: bytes | str | Mapping[str, Any], key: str = "") -> Form:
        """Return the form in *content* (form-js JSON).

        Raises: Refused ``form.*`` with form, field and reason.
        """
        if not isinstance(content, Mapping):
            content = _json(content, key)
        items = tuple(read_components(content.get("components", []), key))
        fields = [item for item in items if isinstance(item, Field)]
        if len(fields) > MAX_FIELDS:
            raise Refused("form.too_many", form=key, limit=MAX_FIELDS)
        seen: set[str] = set()
        for field in fields:
            if field.key in seen:
                raise Refused("form.key_twice", form=key, key=field.key)
            seen.add(field.key)
        return cls(key, items)

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The fields in their order."""
        return tuple(item for item in self.items if isinstance(item, Field))

    @cached_property
    def has_rules(self) -> bool:
        """Whether any of its fields or texts hides by a rule."""
        return any(item.hide is not None for item in self.items)

    def field(self, key: str) -> Field | None:
        """Return the field *key*."""
        return next((field for field in self.fields if field.key == key), None)

    def visible(self, answers: Mapping[str, Any], scope: Mapping[str, Any] | None = None) -> tuple[Field, ...]:
        """Return the fields that show for these *answers* (raw or cleaned); *scope* holds the other variables.

        A hidden field's answer counts for nothing, also where another field's visibility asks for it.
        """
        if not self.has_rules:
            return self.fields
        shown, _ = self._settle(answers, scope or {})
        return tuple(field for field in self.fields if field.key in shown)

    def shown_items(self, answers: Mapping[str, Any], scope: Mapping[str, Any] | None = None) -> tuple[Field | Note, ...]:
        """Return fields and static texts that show, in their order."""
        shown, values = self._settle(answers, scope or {})
        context = {**(scope or {}), **values}
        return tuple(item for item in self.items if (item.key in shown if isinstance(item, Field) else not _hidden(item.hide, context)))

    def check(self, answers: Mapping[str, Any], scope: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the answers to store: unknown keys dropped, hidden fields left out, values canonical (JSON only).

        Raises: Invalid with one refusal per wrong field.
        """
        errors: dict[str, Refused] = {}
        cleaned: dict[str, Any] = {}
        for field in self.visible(answers, scope):
            try:
                value = clean(field, answers.get(field.key))
            except Refused as refused:
                errors[field.key] = refused
                continue
            if value is not None:
                cleaned[field.key] = value
        if errors:
            raise Invalid(errors)
        return cleaned

    def draft(self, answers: Mapping[str, Any]) -> dict[str, Any]:
        """Return what can be kept of half a form: valid answers canonical, others as written (texts only), unknown keys dropped."""
        kept: dict[str, Any] = {}
        for field in self.fields:
            value = answers.get(field.key)
            if is_blank(value):
                continue
            try:
                kept[field.key] = clean(field, value)
            except Refused:
                if isinstance(value, str) and len(value) <= 10_000:
                    kept[field.key] = value
        return kept

    def typed(self, cleaned: Mapping[str, Any]) -> dict[str, Any]:
        """Return stored answers as FEEL computes with them; a field without an answer is ``None``."""
        values: dict[str, Any] = {}
        for field in self.fields:
            try:
                values[field.key] = typed(field, cleaned.get(field.key))
            except (ValueError, ArithmeticError, TypeError):
                values[field.key] = None
        return values

    def _settle(self, answers: Mapping[str, Any], scope: Mapping[str, Any]) -> tuple[set[str], dict[str, Any]]:
        raw = {field.key: _leniently(field, answers.get(field.key)) for field in self.fields}
        shown = {field.key for field in self.fields}
        # Hiding one field may hide or show the next; a chain is never longer than the form, a contradiction stops there too.
        for _ in range(len(self.fields) + 1):
            values = {key: value if key in shown else None for key, value in raw.items()}
            context = {**scope, **values}
            now = {field.key for field in self.fields if not _hidden(field.hide, context)}
            if now == shown:
                break
            shown = now
        return shown, {key: value if key in shown else None for key, value in raw.items()}

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)


def _leniently(field: Field, value: Any) -> Any:
    try:
        return typed(field, clean(field, value))
    except (Refused, ValueError, ArithmeticError):
        return None


def _hidden(hide: Expression | None, context: Mapping[str, Any]) -> bool:
    if hide is None:
        return False
    try:
        return hide.evaluate(context) is True
    except FeelError:
        return False


def _json(content: bytes | str, key: str) -> Mapping[str, Any]:
    if len(content) > MAX_FORM:
        raise Refused("form.too_large", form=key, limit=MAX_FORM // 1024)
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        raise Refused("form.broken", form=key) from None
    if not isinstance(value, Mapping):
        raise Refused("form.broken", form=key)
    return value
