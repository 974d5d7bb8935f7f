"""Regular expressions of XPath (F&O 3.1, section 5.6) that cannot run away.

Backtracking with a memory of every state already tried makes the work proportional to text times pattern, whatever the pattern; with
back references the groups are part of the state and the cap on steps decides: such a step costs more memory and is charged for it.
"""

from __future__ import annotations

from functools import lru_cache

from engine.feel import limits
from engine.feel.errors import FeelError
from engine.feel.limits import Meter
from engine.feel.pattern import ANY_STATE, Instruction, compile_pattern

Groups = tuple[int, ...]
REFERRING = 5
"""Steps charged for one step of a pattern with back references."""


class Pattern:
    """A compiled regular expression."""

    __slots__ = ("groups", "program", "referring")

    def __init__(self, program: list[Instruction], groups: int, referring: bool) -> None:
        self.program = program
        self.groups = groups
        self.referring = referring

    def search(self, text: str, start: int, meter: Meter | None = None) -> Groups | None:
        """The leftmost match from *start* on as start and end of every group (-1: took no part), or None.

        Raises:
            FeelError: ``feel.pattern_steps`` when the pattern needs too many steps for this text.
        """
        tried: set[object] = set()
        left = limits.MATCH_STEPS
        try:
            for position in range(start, len(text) + 1):
                found, left = self._match(text, position, tried, left)
                if found is not None:
                    return found
        finally:
            if meter is not None:
                meter.spend((limits.MATCH_STEPS - max(left, 0)) // 8)
        return None

    def _match(self, text: str, start: int, tried: set[object], left: int) -> tuple[Groups | None, int]:
        program, size, cost = self.program, len(text), REFERRING if self.referring else 1
        width = size + 1
        waiting: list[tuple[int, int, Groups]] = [(0, start, (-1,) * (2 * self.groups + 2))]
        while waiting:
            place, position, groups = waiting.pop()
            while True:
                left -= cost
                if left < 0:
                    raise FeelError("feel.pattern_steps", limit=limits.MATCH_STEPS)
                state: object = (place, position, groups) if self.referring else place * width + position
                if state in tried:
                    break
                tried.add(state)
                kind, first, second = program[place]
                if kind == "one":
                    if position < size and first(text[position]):
                        place, position = place + 1, position + 1
                        continue
                    break
                if kind == "split":
                    waiting.append((second, position, groups))
                    place = first
                elif kind == "jump":
                    place = first
                elif kind == "save":
                    groups = (*groups[:first], position, *groups[first + 1 :])
                    place += 1
                elif kind == "check":
                    if not first(text, position):
                        break
                    place += 1
                elif kind == "again":
                    taken = text[groups[2 * first] : groups[2 * first + 1]] if groups[2 * first + 1] >= 0 else ""
                    left -= len(taken) // 16
                    if not second(text[position : position + len(taken)], taken):
                        break
                    place, position = place + 1, position + len(taken)
                else:
                    return (start, position, *groups[2:]), left
        return None, left

    def matches_of(self, text: str, meter: Meter | None) -> list[Groups]:
        """All matches, one behind the other.

        Raises:
            FeelError: ``feel.pattern_empty`` when the pattern matches the empty text: such a match has no place in the text.
        """
        if self.search("", 0, meter) is not None:
            raise FeelError("feel.pattern_empty")
        found: list[Groups] = []
        start = 0
        while (match := self.search(text, start, meter)) is not None:
            found.append(match)
            start = max(match[1], match[0] + 1)
            if len(found) > limits.ITEMS:
                raise FeelError("feel.too_large", limit=limits.ITEMS)
        return found

    def split(self, text: str, meter: Meter | None = None) -> list[str]:
        """The pieces between the matches."""
        pieces: list[str] = []
        last = 0
        for match in self.matches_of(text, meter):
            pieces.append(text[last : match[0]])
            last = match[1]
        return [*pieces, text[last:]]

    def replace(self, text: str, parts: list[str | int], meter: Meter | None = None) -> str:
        """The text with every match replaced by *parts*: texts, and numbers of groups."""
        pieces: list[str] = []
        last = length = 0
        for match in self.matches_of(text, meter):
            pieces.append(text[last : match[0]])
            for part in parts:
                made = part if isinstance(part, str) else self._group(text, match, part)
                pieces.append(made)
                length += len(made)
            if length > limits.STRING:
                raise FeelError("feel.too_large", limit=limits.STRING)
            last = match[1]
        return "".join([*pieces, text[last:]])

    def _group(self, text: str, match: Groups, number: int) -> str:
        rest = ""
        while number > self.groups and number > 9:
            number, digit = divmod(number, 10)
            rest = str(digit) + rest
        if number > self.groups:
            return rest
        return text[match[2 * number] : match[2 * number + 1]] + rest if match[2 * number + 1] >= 0 else rest


def replacement_parts(text: str, literal: bool) -> list[str | int]:
    """The replacement as texts and numbers of groups.

    Raises:
        FeelError: ``feel.replacement`` for a ``$`` without number or a backslash before anything but ``$`` and itself.
    """
    if literal:
        return [text]
    parts: list[str | int] = []
    position = 0
    while position < len(text):
        char = text[position]
        follows = text[position + 1 : position + 2]
        if char == "\\":
            if follows not in ("\\", "$") or not follows:
                raise FeelError("feel.replacement")
            parts.append(follows)
            position += 2
        elif char == "$":
            end = position + 1
            while end < len(text) and text[end] in "0123456789" and end - position < 4:
                end += 1
            if end == position + 1:
                raise FeelError("feel.replacement")
            parts.append(int(text[position + 1 : end]))
            position = end
        else:
            parts.append(char)
            position += 1
    return parts


@lru_cache(256)
def compiled(pattern: str, flags: str) -> Pattern:
    """The compiled pattern.

    Raises:
        FeelError: ``feel.pattern`` or ``feel.pattern_flags``.
    """
    if set(flags) - set("smixq"):
        raise FeelError("feel.pattern_flags")
    program, groups = compile_pattern(pattern, flags)
    return Pattern(program, groups, any(kind == ANY_STATE for kind, _, _ in program))
