"""Forms as accessible HTML: the values and reasons of a refused POST, the fields of a procedure's form, and reading the answers back.

A refused form is shown by its own page again (`webapp.errors.show_again`); the macros ask here for what was typed and for the reason at
each field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flask import Flask, g

from engine.errors import Refused
from engine.sentences import Sentence, sentence
from webapp.application import this_request
from webapp.errors import said
from webapp.i18n import language

# Answers to a procedure's own fields travel under this prefix, so that no field name of a designer can clash with a control of the page.
PREFIX = "f."


def install(app: Flask) -> None:
    """Give the macros what was submitted and refused."""
    app.jinja_env.globals.update(
        submitted=submitted,
        submitted_all=submitted_all,
        refusal=refusal,
        refusals=refusals,
        said=said,
        field_id=field_id,
        shown_value=shown_value,
        url_endpoints=lambda: app.view_functions,
        sentence_of=sentence_of,
    )


def submitted(name: str, default: Any = "") -> Any:
    """Return what was typed into a field, when the form is shown again; *default* otherwise."""
    form = g.get("submitted")
    if form is None:
        return "" if default is None else default
    found: Any = form.get(name, "")
    return found


def submitted_all(name: str, default: Iterable[str] = ()) -> list[str]:
    """Return every value ticked under a name, when the form is shown again; *default* otherwise."""
    form = g.get("submitted")
    return list(default) if form is None else form.getlist(name)


def sentence_of(code: str, facts: Mapping[str, Any]) -> Sentence:
    """Return the sentence of a catalogued code in the reader's language."""
    return spoken(lambda reader: sentence(code, reader, facts))


def spoken(say: Callable[[str], Sentence]) -> Sentence:
    """Return what *say* says in the reader's language; in the pseudo-language with its brackets."""
    words = say("en" if language() == "en" else "vi")
    return words if language() != "xx" else Sentence(*(f"⟦{part}⟧" for part in (words.what, words.why, words.do)))


def refusal(name: str) -> Refused | None:
    """Return why this field was refused."""
    found: Mapping[str, Refused] = g.get("refusals") or {}
    return found.get(name) or found.get(name.removeprefix(PREFIX))


def refusals() -> list[tuple[str, Refused]]:
    """Return every reason for the summary at the top, with the id of its field ('' when it belongs to none)."""
    at_fields = [(name, reason) for name, reason in (g.get("refusals") or {}).items()]
    return [*(("", reason) for reason in g.get("refused") or []), *at_fields]


def field_id(name: str) -> str:
    """Return the id of a field's control; the error summary links to it."""
    return "field-" + name.removeprefix(PREFIX).replace(".", "-").replace("_", "-")


def shown_value(kind: str, value: Any) -> Any:
    """Return a stored answer as people write it: dates dd/mm/yyyy, numbers with a decimal comma."""
    if value is None:
        return ""
    if kind == "date" and isinstance(value, str) and len(value) == 10 and value[4] == "-":
        return f"{value[8:]}/{value[5:7]}/{value[:4]}"
    if kind == "number":
        return str(value).replace(".", ",")
    return value


def read_answers(fields: Iterable[Any], prefix: str = PREFIX) -> dict[str, Any]:
    """Return the raw answers to *fields* from the POST; the engine judges them.

    A field that the page did not show is left out.
    """
    answers: dict[str, Any] = {}
    form = this_request().form
    for field in fields:
        name = prefix + field.key
        if field.kind == "checklist" or getattr(field, "multiple", False):
            answers[field.key] = form.getlist(name)
        elif field.kind == "checkbox":
            answers[field.key] = name in form
        elif name in form:
            answers[field.key] = form[name]
    return answers
