"""Other implementations of the language, asked at test time only."""

from __future__ import annotations

import json
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


class Feelin:
    """npm ``feelin`` behind a pipe."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            ["node", "feelin_oracle.mjs"], cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def evaluate(self, expression: str, context: Any) -> Any:
        """What it gives, as JSON; an error is the text ``error``."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"expression": expression, "context": context}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        return "error" if "error" in answer else answer["value"]

    def close(self) -> None:
        """End the process."""
        self.process.stdin.close()  # type: ignore[union-attr]
        self.process.wait(10)
        self.process.stdout.close()  # type: ignore[union-attr]


def alike(ours: Any, theirs: Any) -> bool:
    """Whether two values of JSON say the same; numbers of theirs are binary, so only nearly."""
    if isinstance(ours, bool) or isinstance(theirs, bool) or ours is None or theirs is None:
        return ours is theirs
    if isinstance(theirs, int | float) and (isinstance(ours, int | str)):
        try:
            return abs(Decimal(str(ours)) - Decimal(repr(theirs))) <= abs(Decimal(repr(theirs))) * Decimal("1e-12") + Decimal("1e-12")
        except ArithmeticError:
            return False
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(alike, ours, theirs))
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(alike(value, theirs[key]) for key, value in ours.items())
    return bool(ours == theirs)
