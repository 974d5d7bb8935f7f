"""Fuzzes parser, checker, compiler, evaluator, regular expressions and decision tables for a given time.

``python -m tests.rules.feel.fuzz --seconds 600 --seed 1`` runs for ten minutes and exits 1 at the first thing that is neither a value nor a
FeelError with a place, or that takes longer than it may; the text and the seed are printed so that it can be repeated.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import warnings
from collections.abc import Iterator

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import NonInteractiveExampleWarning

from engine.feel import FeelError, compile_expression, compile_unary, to_json
from engine.feel.dmn import examine, read_decisions
from tests.rules.feel import test_feel_builtins as builtins
from tests.rules.feel import test_feel_language as language
from tests.rules.feel.cases import rows
from tests.rules.feel.generator import SCOPE, any_typed
from tests.rules.feel.tables import decision, definitions, needs, table
from tests.rules.feel.tables import given as an_input

SLOWEST = 0.5
"""Seconds of processor time that nothing may exceed; far above the 0.1 s of a single text, for the computer is shared."""

CORPUS = [
    text
    for module in (language, builtins)
    for name, value in vars(module).items()
    if name.isupper() and isinstance(value, str)
    for pair in rows(value)
    for text in pair
]
SIGNS = "( ) [ ] { } , : . .. + - * / ** = != < <= > >= -> @ \" ' ? // /* */ \u0000 \U0001f40e"
WORDS = "if then else for in return some every satisfies between and or instance of null true false n s l r c item partial x y list<number>"
STARTS = "not( function( count( sum( matches( replace( sort( date( [1..3] 0 1 0.5 -1 1e9"
PIECES = [*SIGNS.split(), *WORDS.split(), *STARTS.split(), "(< 5)", '"a"', '@"P1D"', '@"2026-01-31"', " ", "\\u0041"]


def mutated(random_: random.Random) -> str:
    """A text of the corpus with a few pieces inserted, removed, doubled or exchanged."""
    text = random_.choice(CORPUS)
    for _ in range(random_.randint(1, 4)):
        place = random_.randint(0, len(text))
        end = min(len(text), place + random_.randint(0, 6))
        match random_.randint(0, 4):
            case 0:
                text = text[:place] + random_.choice(PIECES) + text[place:]
            case 1:
                text = text[:place] + text[end:]
            case 2:
                text = text[:end] + text[place:end] * random_.randint(1, 5) + text[end:]
            case 3:
                other = random_.choice(CORPUS)
                text = text[:place] + other[random_.randint(0, len(other)) :] + text[end:]
            case _:
                text = " ".join(random_.choices(PIECES, k=random_.randint(1, 12)))
    return text[:600]


def checked(text: str) -> str | None:
    """What is wrong with how *text* ends, or None."""
    for compiler, implicit in ((compile_expression, ()), (compile_unary, (3,))):
        for mode in ("strict", "lenient"):
            begun = time.process_time()
            try:
                value = compiler(text, mode=mode).evaluate(SCOPE, None, *implicit)  # type: ignore[operator]
                to_json(value)
            except FeelError as problem:
                if problem.code != "feel.no_json" and not (problem.line >= 1 and 1 <= problem.column <= len(text) + 1):
                    return f"{problem} has no place"
            except Exception as problem:
                return f"{type(problem).__name__}: {problem}"
            spent = time.process_time() - begun
            if spent > SLOWEST:
                return f"took {spent:.2f} s"
    return None


def tables(random_: random.Random) -> str | None:
    """What is wrong with how a table of mutated cells ends, or None."""
    policy = random_.choice(["U", "A", "P", "F", "R", "O", "C", "C SUM", "C MIN"])
    cells = [(mutated(random_), random_.choice(["1", "2", mutated(random_)])) for _ in range(random_.randint(1, 6))]
    try:
        data = definitions(an_input("n"), decision("d", table(policy, ["n"], ["r"], cells, values=["1, 2"]), needs("Input", "n")))
        examine(data)
        read_decisions(data).evaluate("d", {"n": 3})
    except FeelError:
        return None
    except Exception as problem:
        return f"{type(problem).__name__}: {problem} in {cells}"
    return None


def typed(number: int) -> Iterator[str]:
    """Well-typed expressions, drawn once for *number*."""
    drawn: list[str] = []

    @seed(number)
    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(any_typed(), st.none())
    def draw(text: str, _: None) -> None:
        drawn.append(text)

    draw()
    yield from drawn


def fuzz(seconds: float, number: int) -> tuple[int, str | None]:
    """Fuzz for *seconds*; gives how many texts were tried and what was found, if anything."""
    warnings.simplefilter("ignore", NonInteractiveExampleWarning)
    random_ = random.Random(number)
    tried = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        texts = [*(mutated(random_) for _ in range(200)), *(typed(number + tried) if tried % 1000 == 0 else ())]
        for text in texts:
            tried += 1
            if (wrong := checked(text)) is not None:
                return tried, f"{text!r}: {wrong}"
            if time.monotonic() > end:
                break
        for _ in range(5):
            tried += 1
            if (wrong := tables(random_)) is not None:
                return tried, wrong
    return tried, None


def main() -> int:
    """Run as a command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    chosen = parser.parse_args()
    tried, wrong = fuzz(chosen.seconds, chosen.seed)
    print(f"{tried} texts, seed {chosen.seed}: {wrong or 'nothing found'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
