"""Reads and checks ``procedure.toml``: every problem is collected, each with file, key and line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import date, time
from typing import Any

from engine.errors import Refused
from engine.procedure.toml_lines import line_of
from engine.procedure.words import Words

FILE = "procedure.toml"


class PackageInvalid(Refused):
    """A package that cannot be loaded; ``problems`` holds one refusal per fault."""

    def __init__(self, problems: tuple[Refused, ...]) -> None:
        first = problems[0]
        super().__init__("package.invalid", count=len(problems), file=first.facts.get("file", FILE))
        self.problems = problems


class Declaration:
    """The parsed file with its problems; tables hand their faults to it."""

    def __init__(self, content: bytes, file: str = FILE) -> None:
        self.file = file
        self.problems: list[Refused] = []
        self.unread: list[tuple[str, int | None]] = []
        self.text = ""
        self.values: Mapping[str, Any] = {}
        try:
            self.text = content.decode("utf-8")
            self.values = tomllib.loads(self.text)
        except UnicodeDecodeError:
            self.problems.append(Refused("package.not_utf8", file=self.file))
        except tomllib.TOMLDecodeError as error:
            line = getattr(error, "lineno", None) or _line_in(str(error))
            self.problems.append(Refused("package.toml_broken", file=self.file, line=line))

    def fault(self, code: str, path: tuple[str | int, ...], **facts: Any) -> None:
        """Note a fault at *path*."""
        self.problems.append(Refused(code, file=self.file, key=dotted(path), line=line_of(self.text, path) or 1, **facts))

    def root(self) -> Table:
        """Return the top table."""
        return Table(self, (), self.values)


class Table:
    """One table of the file; every reading method notes a fault instead of raising, and remembers what was read."""

    def __init__(self, declaration: Declaration, path: tuple[str | int, ...], values: Mapping[str, Any]) -> None:
        self._declaration = declaration
        self.path = path
        self.values = values
        self._read: set[str] = set()

    def fault(self, code: str, key: str, **facts: Any) -> None:
        """Note a fault at *key*."""
        self._declaration.fault(code, (*self.path, key), **facts)

    def _take(self, key: str, kind: type | tuple[type, ...], expected: str, *, required: bool) -> Any:
        self._read.add(key)
        value = self.values.get(key)
        if value is None:
            if required:
                self.fault("package.key_missing", key)
            return None
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
            self.fault("package.key_kind", key, expected=expected)
            return None
        return value

    def text(self, key: str, default: str | None = None, *, pattern: str | None = None) -> str:
        """Return a text; without *default* it is required and may not be empty."""
        value = self._take(key, str, "text", required=default is None)
        if value is None:
            return default or ""
        if default is None and not value.strip():
            self.fault("package.key_missing", key)
        elif pattern is not None and not re.fullmatch(pattern, value):
            self.fault("package.key_pattern", key, value=value[:60])
        return str(value)

    def choice(self, key: str, options: tuple[str, ...], default: str | None = None) -> str:
        """Return one of *options*."""
        value = self.text(key, default)
        if value and value not in options:
            self.fault("package.key_choice", key, value=value[:60], options=", ".join(options))
        return value

    def integer(self, key: str, default: int | None = None, *, minimum: int = 0, maximum: int = 10**9) -> int:
        """Return a whole number between *minimum* and *maximum*."""
        value = self._take(key, int, "whole number", required=default is None)
        if value is None:
            return default if default is not None else minimum
        if not minimum <= value <= maximum:
            self.fault("package.key_range", key, minimum=minimum, maximum=maximum)
        return int(value)

    def truth(self, key: str, default: bool) -> bool:
        """Return true or false."""
        value = self._take(key, bool, "true or false", required=False)
        return default if value is None else bool(value)

    def truth_or_text(self, key: str, default: bool) -> bool | str:
        """Return true, false, or a FEEL text."""
        value = self._take(key, (bool, str), "true, false or an expression", required=False)
        return default if value is None else value

    def day(self, key: str, *, required: bool = False) -> date | None:
        """Return a date."""
        value = self._take(key, (date, str), "date", required=required)
        if isinstance(value, str):
            try:
                return date.fromisoformat(value)
            except ValueError:
                self.fault("package.key_kind", key, expected="date")
                return None
        return value if isinstance(value, date) else None

    def clock(self, key: str) -> time | None:
        """Return a time of day."""
        value = self._take(key, (time, str), "time of day", required=False)
        if isinstance(value, str):
            try:
                return time.fromisoformat(value)
            except ValueError:
                self.fault("package.key_kind", key, expected="time of day")
                return None
        return value if isinstance(value, time) else None

    def words(self, key: str, *, required: bool = True) -> Words:
        """Return a text in both languages: a table with ``vi`` and ``en``."""
        value = self._take(key, dict, "table with vi and en", required=required)
        if value is None:
            return Words("", "")
        table = Table(self._declaration, (*self.path, key), value)
        words = Words(table.text("vi"), table.text("en"))
        if key != "field":
            table.finish()
        return words

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self._take(key, (list, str), "list of texts", required=False)
        if isinstance(value, str):
            return (value,)
        if value is not None and not all(isinstance(item, str) for item in value):
            self.fault("package.key_kind", key, expected="list of texts")
            return ()
        return tuple(value or ())

    def table(self, key: str, *, required: bool = False) -> Table:
        """Return a sub-table, empty when it is absent."""
        value = self._take(key, dict, "table", required=required)
        return Table(self._declaration, (*self.path, key), value or {})

    def tables(self, key: str) -> tuple[Table, ...]:
        """Return an array of tables."""
        value = self._take(key, list, "array of tables", required=False) or []
        if not all(isinstance(item, dict) for item in value):
            self.fault("package.key_kind", key, expected="array of tables")
            return ()
        return tuple(Table(self._declaration, (*self.path, key, position), item) for position, item in enumerate(value))

    def raw(self, key: str) -> Any:
        """Return the value as it stands."""
        self._read.add(key)
        return self.values.get(key)

    def finish(self) -> None:
        """Remember the keys nobody read."""
        for key in self.values:
            if key not in self._read:
                path = (*self.path, key)
                self._declaration.unread.append((dotted(path), line_of(self._declaration.text, path)))


def dotted(path: tuple[str | int, ...]) -> str:
    """Return a path as people write it: ``fee[2].amount`` (counted from one)."""
    written = ""
    for part in path:
        written += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if written else part
    return written


def _line_in(message: str) -> int:
    _, _, rest = message.rpartition("at line ")
    digits = rest.split(",")[0]
    return int(digits) if digits.isdigit() else 1
