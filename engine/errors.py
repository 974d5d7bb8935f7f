"""Every reason the engine may say no: codes and facts, never sentences.

The sentences (what, why, what to do; Vietnamese and English) live in ``engine/catalogue/*.toml`` and are read by ``engine.sentences``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class EngineError(Exception):
    """A reason with a catalogued *code* and the facts its sentence needs; facts never hold personal data."""

    status: ClassVar[int] = 500

    def __init__(self, code: str, /, *, field: str | None = None, source: str | None = None, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.field = field
        self.source = source
        self.facts: Mapping[str, Any] = facts


class Refused(EngineError):
    """A rule says no (422); *source* names the law or the rule, *field* the form field at fault."""

    status = 422


class Invalid(Refused):
    """Several fields are wrong at once; ``errors`` maps each field to its own refusal."""

    def __init__(self, errors: Mapping[str, Refused]) -> None:
        super().__init__("form.invalid", count=len(errors))
        self.errors = dict(errors)


class Forbidden(EngineError):
    """This person may not do this now (403)."""

    status = 403


class NotFound(EngineError):
    """There is no such thing, for this person (404)."""

    status = 404


class Conflict(EngineError):
    """Somebody was faster, or the form is stale (409); facts name who, what and when."""

    status = 409
