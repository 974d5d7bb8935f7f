"""The fields of a form-js form as values, read and judged at publication: an unsupported one is refused, never half shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from engine.errors import Refused
from engine.feel import Expression, FeelError, compile_expression
from engine.procedure.patterns import refuse_costly
from engine.procedure.words import Words

KINDS = {
    "textfield": "text", "textarea": "textarea", "number": "number", "select": "select", "radio": "radio", "checklist": "checklist",
    "checkbox": "checkbox", "datetime": "date", "date": "date", "filepicker": "file", "file": "file",
}  # fmt: skip
STATIC = {"text": "note", "separator": "separator", "spacer": "separator"}
CHOICES = frozenset(("select", "radio", "checklist"))
FORMATS = ("email", "phone", "citizen_number")
RESERVED = frozenset(("typename", "dossier", "initiator", "now", "today", "true", "false", "null", "item", "partial"))
KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")
MAX_FIELDS = 100
MAX_TEXT = 10_000


@dataclass(frozen=True, slots=True)
class Option:
    """One answer to choose from."""

    value: str
    label: Words


@dataclass(frozen=True)
class Field:
    """One field: *kind* is ``text textarea number select radio checklist checkbox date file``."""

    key: str
    kind: str
    label: Words
    description: Words
    required: bool = False
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    decimals: int | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    pattern_message: Words = Words("", "")  # noqa: RUF009 — frozen, safe to share
    format: str | None = None
    options: tuple[Option, ...] = ()
    default: Any = None
    hide: Expression | None = None
    hide_text: str = ""
    read_only: bool = False
    multiple: bool = False
    accept: str = ""
    section: Words = Words("", "")  # noqa: RUF009
    properties: Mapping[str, str] = ()  # type: ignore[assignment]

    @property
    def values(self) -> tuple[str, ...]:
        """The values of the options."""
        return tuple(option.value for option in self.options)


@dataclass(frozen=True)
class Note:
    """A static text (``note``), heading of a group (``heading``) or line (``separator``) between the fields."""

    kind: str
    text: Words
    hide: Expression | None = None


def read_components(components: object, form: str) -> Iterator[Field | Note]:
    """Yield the fields and notes of a form-js component list, groups flattened under their heading.

    Raises: Refused ``form.*`` naming form and field.
    """
    yield from _read(components, form, Words("", ""), 0)


def _read(components: object, form: str, section: Words, depth: int) -> Iterator[Field | Note]:
    if not isinstance(components, list) or depth > 4:
        raise Refused("form.broken", form=form)
    for component in components:
        if not isinstance(component, Mapping):
            raise Refused("form.broken", form=form)
        kind = component.get("type")
        label = _words(component, "label")
        if kind == "group":
            if component.get("path"):
                raise Refused("form.group_path", form=form, path=str(component["path"])[:60])
            if label:
                yield Note("heading", label, _hide(component, form, "group")[0])
            yield from _read(component.get("components", []), form, label or section, depth + 1)
        elif kind in STATIC:
            yield Note(STATIC[kind], _words(component, "text"), _hide(component, form, str(kind))[0])
        elif kind == "button":
            continue
        elif isinstance(kind, str) and kind in KINDS:
            yield _field(component, KINDS[kind], form, label, section)
        else:
            raise Refused("form.component_unknown", form=form, kind=str(kind)[:60])


def _field(component: Mapping[str, Any], kind: str, form: str, label: Words, section: Words) -> Field:
    key = component.get("key")
    if not isinstance(key, str) or not KEY.fullmatch(key):
        raise Refused("form.key_broken", form=form, key=str(key)[:60])
    if key.startswith("_") or key in RESERVED:
        raise Refused("form.key_reserved", form=form, key=key)
    if not label.vi:
        label = _words(component, "dateLabel")
    if not label.vi:
        raise Refused("form.label_missing", form=form, key=key)
    if component.get("valuesKey") or component.get("valuesExpression"):
        raise Refused("form.options_dynamic", form=form, key=key)
    if kind == "date" and component.get("subtype", "date") != "date":
        raise Refused("form.component_unknown", form=form, kind=f"datetime/{component.get('subtype')}"[:60])
    rules = component.get("validate") or {}
    properties = {str(name): str(value) for name, value in (component.get("properties") or {}).items()}
    hide, hide_text = _hide(component, form, key)
    pattern = rules.get("pattern") or None
    if pattern is not None:
        refuse_costly(str(pattern), form=form, key=key)
    validation = properties.get("format") or rules.get("validationType")
    field = Field(
        key=key,
        kind=kind,
        label=label,
        description=_words(component, "description"),
        required=bool(rules.get("required")),
        minimum=_decimal(rules.get("min"), form, key),
        maximum=_decimal(rules.get("max"), form, key),
        decimals=_whole(component.get("decimalDigits"), form, key),
        min_length=_whole(rules.get("minLength"), form, key),
        max_length=_whole(rules.get("maxLength"), form, key),
        pattern=str(pattern) if pattern is not None else None,
        pattern_message=Words(properties.get("pattern_message", ""), properties.get("pattern_message_en", "")),
        format=validation if validation in FORMATS else None,
        options=_options(component, form, key) if kind in CHOICES else (),
        default=component.get("defaultValue"),
        hide=hide,
        hide_text=hide_text,
        read_only=bool(component.get("readonly") or component.get("disabled")),
        multiple=bool(component.get("multiple")),
        accept=str(component.get("accept") or ""),
        section=section,
        properties=properties,
    )
    if field.minimum is not None and field.maximum is not None and field.minimum > field.maximum:
        raise Refused("form.bounds", form=form, key=key)
    return field


def _words(component: Mapping[str, Any], name: str) -> Words:
    """Return a text of a component; its English stands beside it (``label_en``) or in the form editor's custom properties."""
    properties = component.get("properties") or {}
    english = [component.get(f"{name}_en"), properties.get(f"{name}_en")]
    if name == "dateLabel":
        english += [component.get("label_en"), properties.get("label_en")]
    return Words(str(component.get(name) or "").strip(), str(next((text for text in english if text), "")).strip())


def _options(component: Mapping[str, Any], form: str, key: str) -> tuple[Option, ...]:
    found: list[Option] = []
    for item in component.get("values") or []:
        if not isinstance(item, Mapping) or not isinstance(item.get("value"), str) or not item["value"]:
            raise Refused("form.options_broken", form=form, key=key)
        label = str(item.get("label") or item["value"])
        found.append(Option(item["value"], Words(label, str(item.get("label_en") or ""))))
    if not found or len({option.value for option in found}) != len(found):
        raise Refused("form.options_broken", form=form, key=key)
    return tuple(found)


def _hide(component: Mapping[str, Any], form: str, key: str) -> tuple[Expression | None, str]:
    text = (component.get("conditional") or {}).get("hide")
    if text in (None, "", False):
        return None, ""
    source = str(text).strip().removeprefix("=").strip()
    try:
        # Visibility is asked while half of the fields are still empty, so an absent value is null here and not an error.
        return compile_expression(source, mode="lenient"), source
    except FeelError as error:
        raise Refused("form.condition_broken", form=form, key=key, line=error.line, column=error.column) from None


def _decimal(value: object, form: str, key: str) -> Decimal | None:
    if value in (None, ""):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise Refused("form.bounds", form=form, key=key) from None
    if not number.is_finite():
        raise Refused("form.bounds", form=form, key=key)
    return number


def _whole(value: object, form: str, key: str) -> int | None:
    number = _decimal(value, form, key)
    if number is None:
        return None
    if number != number.to_integral_value() or not 0 <= number <= MAX_TEXT:
        raise Refused("form.bounds", form=form, key=key)
    return int(number)
