"""Reads a regular expression of XPath into a program for ``regex``."""

from __future__ import annotations

from typing import Any, NoReturn

from engine.feel import limits
from engine.feel.characters import ESCAPES, Predicate, category, folded, one_of, single
from engine.feel.errors import FeelError

Instruction = tuple[str, Any, Any]
ANY_STATE = "again"
_SPECIAL = frozenset("\\|.?*+(){}[]^$")


def compile_pattern(pattern: str, flags: str) -> tuple[list[Instruction], int]:
    """The program of *pattern* and the number of its groups.

    Raises:
        FeelError: ``feel.pattern`` with the ``position`` in the pattern, counted from 1.
    """
    if len(pattern) > limits.PATTERN:
        raise FeelError("feel.pattern_length", limit=limits.PATTERN)
    if "q" in flags:
        program: list[Instruction] = [("one", single(char, "i" in flags), None) for char in pattern]
        return [*program, ("end", None, None)], 0
    reader = _Reader(pattern, flags)
    tree = reader.alternatives()
    if reader.position < len(pattern):
        reader.fail()
    program = []
    _emit(tree, program)
    return [*program, ("end", None, None)], reader.groups


class _Reader:
    """A tree of ``(kind, …)`` tuples from the text of a pattern."""

    def __init__(self, pattern: str, flags: str) -> None:
        self.pattern = pattern
        self.position = 0
        self.groups = 0
        self.closed: set[int] = set()
        self.depth = 0
        self.dot_all, self.lines, self.fold, self.free = ("s" in flags, "m" in flags, "i" in flags, "x" in flags)

    def fail(self) -> NoReturn:
        raise FeelError("feel.pattern", position=self.position + 1)

    def peek(self) -> str:
        while self.free and self.position < len(self.pattern) and self.pattern[self.position] in " \t\n\r":
            self.position += 1
        return self.pattern[self.position] if self.position < len(self.pattern) else ""

    def take(self) -> str:
        char = self.peek()
        if not char:
            self.fail()
        self.position += 1
        return char

    def alternatives(self) -> Any:
        self.depth += 1
        if self.depth > limits.DEPTH:
            self.fail()
        branches = [self.branch()]
        while self.peek() == "|":
            self.take()
            branches.append(self.branch())
        self.depth -= 1
        return branches[0] if len(branches) == 1 else ("either", branches)

    def branch(self) -> Any:
        pieces = []
        while self.peek() not in ("", "|", ")"):
            pieces.append(self.piece())
        return ("all", pieces)

    def piece(self) -> Any:
        atom = self.atom()
        mark = self.peek()
        if mark not in ("?", "*", "+", "{") or not mark:
            return atom
        if atom[0] == "check":
            self.fail()
        low, high = self.quantity(self.take())
        lazy = self.peek() == "?"
        if lazy:
            self.take()
        return ("repeat", atom, low, high, lazy)

    def quantity(self, mark: str) -> tuple[int, int | None]:
        if mark != "{":
            return {"?": (0, 1), "*": (0, None), "+": (1, None)}[mark]
        text = ""
        while (char := self.take()) != "}":
            text += char
        low, comma, high = text.partition(",")
        if not low.isascii() or not low.isdigit() or len(low) > 4 or len(high) > 4 or (high and not (high.isascii() and high.isdigit())):
            self.fail()
        if high and int(high) < int(low):
            self.fail()
        return int(low), int(high) if high else None if comma else int(low)

    def atom(self) -> Any:
        char = self.take()
        if char == "(":
            return self.group()
        if char == "[":
            return ("one", self.char_class())
        if char == ".":
            return ("one", (lambda _: True) if self.dot_all else (lambda c: c not in "\n\r"))
        if char == "^":
            return ("check", (lambda t, p: p == 0 or t[p - 1] == "\n") if self.lines else (lambda _, p: p == 0))
        if char == "$":
            return ("check", (lambda t, p: p == len(t) or t[p] == "\n") if self.lines else (lambda t, p: p == len(t)))
        if char == "\\":
            return self.escape()
        if char in _SPECIAL:
            self.position -= 1
            self.fail()
        return ("one", single(char, self.fold))

    def group(self) -> Any:
        if self.peek() == "?":
            self.take()
            if self.take() != ":":
                self.fail()
            inner = self.alternatives()
        else:
            self.groups += 1
            number = self.groups
            inner = ("group", number, self.alternatives())
            self.closed.add(number)
        if self.peek() != ")":
            self.fail()
        self.take()
        return inner

    def escape(self) -> Any:
        digit = self.pattern[self.position : self.position + 1]
        if digit and digit in "123456789":
            self.position += 1
            number = int(digit)
            follows = self.pattern[self.position : self.position + 1]
            while follows and follows in "0123456789" and number * 10 + int(follows) <= self.groups:
                number = number * 10 + int(follows)
                self.position += 1
                follows = self.pattern[self.position : self.position + 1]
            if number not in self.closed:
                self.fail()
            return ("again", number, (lambda a, b: folded(a) == folded(b)) if self.fold else (lambda a, b: a == b))
        return ("one", self.class_escape()[0])

    def class_escape(self) -> tuple[Predicate, str]:
        """What stands behind a backslash: its predicate, and the character if it is a single one."""
        if self.position >= len(self.pattern):
            self.fail()
        char = self.pattern[self.position]
        self.position += 1
        if char in ESCAPES:
            return ESCAPES[char], ""
        if char in "pP":
            end = self.pattern.find("}", self.position)
            if self.pattern[self.position : self.position + 1] != "{" or end < 0:
                self.fail()
            name = self.pattern[self.position + 1 : end].strip()
            known = category(name)
            if known is None:
                self.fail()
            self.position = end + 1
            return (known if char == "p" else lambda c: not known(c)), ""
        plain = {"n": "\n", "r": "\r", "t": "\t"}.get(char, char)
        if char not in "nrt" and char not in _SPECIAL and char != "-":
            self.position -= 1
            self.fail()
        return single(plain, self.fold), plain

    def char_class(self) -> Predicate:
        """The rest of ``[…]``, with its subtraction."""
        self.depth += 1
        if self.depth > limits.DEPTH:
            self.fail()
        negated = self.pattern[self.position : self.position + 1] == "^"
        self.position += negated
        ranges: list[tuple[str, str]] = []
        others: list[Predicate] = []
        subtracted: Predicate | None = None
        first = True
        while True:
            char = self.peek() if self.free else self.pattern[self.position : self.position + 1]
            if not char:
                self.fail()
            self.position += 1
            if char == "]":
                if first:
                    self.fail()
                break
            if char == "-" and self.pattern[self.position : self.position + 1] == "[" and not first:
                self.position += 1
                subtracted = self.char_class()
                if self.pattern[self.position : self.position + 1] != "]":
                    self.fail()
                self.position += 1
                break
            first = False
            self.class_part(char, ranges, others)
        self.depth -= 1
        return _class(one_of(ranges, others, self.fold), negated, subtracted)

    def class_part(self, char: str, ranges: list[tuple[str, str]], others: list[Predicate]) -> None:
        if char == "\\":
            predicate, char = self.class_escape()
            if not char:
                others.append(predicate)
                return
        elif char == "[":
            self.fail()
        ahead = self.pattern[self.position : self.position + 2]
        if len(ahead) == 2 and ahead[0] == "-" and ahead[1] not in "[]":
            self.position += 2
            end = ahead[1]
            if end == "\\":
                end = self.class_escape()[1]
            if not end or end < char:
                self.fail()
            ranges.append((char, end))
        else:
            ranges.append((char, char))


def _class(inside: Predicate, negated: bool, subtracted: Predicate | None) -> Predicate:
    if subtracted is None:
        return (lambda c: not inside(c)) if negated else inside
    return lambda c: inside(c) is not negated and not subtracted(c)


def _emit(node: Any, program: list[Instruction]) -> None:
    if len(program) > limits.PROGRAM:
        raise FeelError("feel.pattern_length", limit=limits.PROGRAM)
    match node:
        case ("one" | "check" as kind, test):
            program.append((kind, test, None))
        case ("again", number, same):
            program.append(("again", number, same))
        case ("all", pieces):
            for piece in pieces:
                _emit(piece, program)
        case ("group", number, inner):
            program.append(("save", 2 * number, None))
            _emit(inner, program)
            program.append(("save", 2 * number + 1, None))
        case ("either", branches):
            _either(branches, program)
        case ("repeat", atom, low, high, lazy):
            _repeat(atom, low, high, lazy, program)


def _either(branches: list[Any], program: list[Instruction]) -> None:
    ends: list[int] = []
    for branch in branches[:-1]:
        split = len(program)
        program.append(("split", split + 1, 0))
        _emit(branch, program)
        ends.append(len(program))
        program.append(("jump", 0, None))
        program[split] = ("split", split + 1, len(program))
    _emit(branches[-1], program)
    for end in ends:
        program[end] = ("jump", len(program), None)


def _repeat(atom: Any, low: int, high: int | None, lazy: bool, program: list[Instruction]) -> None:
    def split(inside: int, outside: int) -> Instruction:
        return ("split", outside, inside) if lazy else ("split", inside, outside)

    for _ in range(low):
        _emit(atom, program)
    if high is None:
        start = len(program)
        program.append(("split", 0, 0))
        _emit(atom, program)
        program.append(("jump", start, None))
        program[start] = split(start + 1, len(program))
        return
    starts = []
    for _ in range(high - low):
        starts.append(len(program))
        program.append(("split", 0, 0))
        _emit(atom, program)
    for start in starts:
        program[start] = split(start + 1, len(program))
