"""Which regular expressions a form may use: those that can never take long, whatever somebody types."""

from __future__ import annotations

import re

from engine.errors import Refused

MAX_PATTERN = 200
MAX_UNBOUNDED = 3


def refuse_costly(pattern: str, *, form: str, key: str) -> None:
    """Refuse a pattern that is broken, or that could backtrack for longer than a request may last.

    A repetition inside a repetition costs exponential time, back references and look-arounds hide such costs, and each unbounded
    repetition adds one power; at most three of them on at most 200 letters end in milliseconds.

    Raises: Refused ``form.pattern_broken`` or ``form.pattern_costly``.
    """
    if len(pattern) > MAX_PATTERN:
        raise Refused("form.pattern_costly", form=form, key=key)
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        raise Refused("form.pattern_broken", form=form, key=key) from None
    if not _is_cheap(pattern):
        raise Refused("form.pattern_costly", form=form, key=key)


def _is_cheap(pattern: str) -> bool:
    repeats: list[bool] = [False]  # one entry per open group: does it contain a repetition?
    closed_repeats = False  # whether the atom just read is a group that contains a repetition
    unbounded = position = 0
    while position < len(pattern):
        letter = pattern[position]
        if letter == "\\":
            if position + 1 < len(pattern) and pattern[position + 1].isdigit():
                return False
            position, closed_repeats = position + 2, False
            continue
        if letter == "[":
            position, closed_repeats = _after_class(pattern, position), False
            continue
        if letter == "(":
            if pattern.startswith("(?", position) and not pattern.startswith("(?:", position):
                return False
            repeats.append(False)
            position += 3 if pattern.startswith("(?:", position) else 1
            closed_repeats = False
            continue
        if letter == ")":
            closed_repeats = repeats.pop() if len(repeats) > 1 else False
            repeats[-1] = repeats[-1] or closed_repeats
            position += 1
            continue
        if letter in "*+?{":
            bounds = re.match(r"\{(\d*)(,?)(\d*)\}", pattern[position:]) if letter == "{" else None
            if letter == "{" and bounds is None:
                position, closed_repeats = position + 1, False
                continue
            if closed_repeats and letter != "?":
                return False
            open_ended = letter in "*+" or (bounds is not None and bool(bounds[2]) and not bounds[3])
            unbounded += open_ended or (bounds is not None and bounds[1] != bounds[3] and bool(bounds[2]) and int(bounds[3] or 0) > 20)
            repeats[-1] = True
            position += len(bounds[0]) if bounds else 1
            continue
        position, closed_repeats = position + 1, False
    return unbounded <= MAX_UNBOUNDED


def _after_class(pattern: str, position: int) -> int:
    position += 1
    if pattern[position : position + 1] == "^":
        position += 1
    if pattern[position : position + 1] == "]":
        position += 1
    while position < len(pattern) and pattern[position] != "]":
        position += 2 if pattern[position] == "\\" else 1
    return position + 1
