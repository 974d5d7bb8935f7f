"""The one exception of this package: a catalogued code and the facts its sentence needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class SigningError(Exception):
    """A reason with a catalogued *code*; *facts* hold neither secrets nor personal data."""

    def __init__(self, code: str, /, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.facts: Mapping[str, Any] = facts
