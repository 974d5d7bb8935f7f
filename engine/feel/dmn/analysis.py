"""Finds what is wrong with a decision table before any dossier meets it: overlaps, gaps, rows that never fire, types that clash.

The analysis knows cells of constants exactly. A cell that computes something may accept anything; nothing is reported that depends on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.feel.dmn.axis import OTHER_TEXT, Piece, pieces_of
from engine.feel.dmn.decisions import Decisions
from engine.feel.dmn.reader import read_model
from engine.feel.dmn.table import Table
from engine.feel.equality import same
from engine.feel.errors import FeelError
from engine.feel.expression import Functions

MAX_STATES = 40_000
"""States the search may visit in one table; beyond it the finding says that the search was not complete."""
MAX_FINDINGS = 50


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: a code of the catalogue, the table, the rows (from 1), an example input, and facts for the sentence."""

    code: str
    element: str
    rows: tuple[int, ...] = ()
    example: Mapping[str, Any] = field(default_factory=dict)
    line: int = 0
    column: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)


def examine(data: bytes, *, imports: Mapping[str, Decisions] | None = None, functions: Functions | None = None) -> list[Finding]:
    """Everything wrong with a DMN file: all errors of its texts, then the analysis of its tables; empty when it is sound."""
    problems: list[FeelError] = []
    try:
        decisions = Decisions(read_model(data), imports=imports, functions=functions, problems=problems)
    except FeelError as problem:
        problems.append(problem)
        return [_finding(problem) for problem in problems]
    if problems:
        return [_finding(problem) for problem in problems[:MAX_FINDINGS]]
    return [finding for table in decisions.tables for finding in analyse(table)]


def _finding(problem: FeelError) -> Finding:
    return Finding(problem.code, problem.element, line=problem.line, column=problem.column, facts=problem.facts)


def analyse(table: Table) -> list[Finding]:
    """What is wrong with one table."""
    search = _Search(table)
    if not search.possible:
        return []
    found = [*search.overlaps(), *search.unreachable(), *search.gaps()][:MAX_FINDINGS]
    if search.exhausted:
        found.append(Finding("decision.analysis_partial", table.element, line=table.box.line))
    return found


class _Search:
    """Walks the elementary pieces of all columns; sets of rows are the bits of numbers."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.count = len(table.box.rules)
        columns = [pieces_of(column, self.count) for column in table.inputs]
        self.possible = self.count > 0 and bool(columns) and all(column is not None for column in columns)
        self.columns: list[list[Piece]] = [_distinct(column) for column in columns if column is not None]
        self.computed = sum(
            1 << row
            for row in range(self.count)
            if any(column.tests[row] is not None and column.regions[row] is None for column in table.inputs)
        )
        self.states = 0

    @property
    def exhausted(self) -> bool:
        """Whether the search had to stop early."""
        return self.states > MAX_STATES

    def search(self, rows: int, wanted: int, unwanted: int) -> list[Piece] | None:
        """One piece per column that all *wanted* rows accept and no *unwanted* row does; None when there is none.

        *rows* limits the rows that count.
        """
        failed: set[tuple[int, int]] = set()

        def walk(level: int, left: int) -> list[Piece] | None:
            self.states += 1
            if left & wanted != wanted or self.exhausted:
                return None
            if level == len(self.columns):
                return [] if not left & unwanted else None
            if (level, left) in failed:
                return None
            for piece in self.columns[level]:
                rest = walk(level + 1, left & piece.rows)
                if rest is not None:
                    return [piece, *rest]
            failed.add((level, left))
            return None

        return walk(0, rows)

    def example(self, pieces: list[Piece]) -> dict[str, Any]:
        """The pieces as input values."""
        return {column.label: piece.example for column, piece in zip(self.table.inputs, pieces, strict=True) if piece.example is not None}

    def finding(self, code: str, rows: tuple[int, ...], pieces: list[Piece] | None = None) -> Finding:
        """A finding in this table."""
        example = self.example(pieces) if pieces else {}
        shown = ", ".join(f"{label} = {OTHER_TEXT if value == OTHER_TEXT else value}" for label, value in example.items())
        line = self.table.box.rules[rows[-1] - 1].line if rows else self.table.box.line
        facts = {"rows": ", ".join(map(str, rows)), "example": shown, "table": self.table.element}
        return Finding(code, self.table.element, rows, example, line, facts=facts)

    def overlaps(self) -> list[Finding]:
        """Rows that accept the same input although the policy allows one, or outputs that are equal, only."""
        policy = self.table.box.policy
        if policy not in ("UNIQUE", "ANY"):
            return []
        found: list[Finding] = []
        for other in range(self.count):
            for one in range(other):
                both = 1 << one | 1 << other
                if both & self.computed or (policy == "ANY" and self._equal(one, other)):
                    continue
                pieces = self._common(both)
                if pieces is not None:
                    found.append(self.finding("decision.rows_overlap", (one + 1, other + 1), pieces))
                if len(found) >= MAX_FINDINGS or self.exhausted:
                    return found
        return found

    def _common(self, both: int) -> list[Piece] | None:
        pieces = []
        for column in self.columns:
            self.states += 1 if len(column) > 100 else 0
            piece = next((piece for piece in column if piece.rows & both == both), None)
            if piece is None:
                return None
            pieces.append(piece)
        return pieces

    def _equal(self, one: int, other: int) -> bool:
        """Whether two rows give the same, as far as it is fixed."""
        for output in self.table.outputs:
            (_, first, fixed), (_, second, also_fixed) = output.cells[one], output.cells[other]
            if fixed and also_fixed and same(first, second) is not True:
                return False
        return True

    def unreachable(self) -> list[Finding]:
        """Rows no input reaches: their own cells exclude each other, or under F the rows before them take everything."""
        found = []
        everything = (1 << self.count) - 1
        for row in range(self.count):
            own = 1 << row
            earlier = (own - 1) & ~self.computed if self.table.box.policy == "FIRST" else 0
            if own & self.computed or self.search(everything, own, earlier) is not None or self.exhausted:
                continue
            covered = bool(earlier) and self.search(everything, own, 0) is not None
            found.append(self.finding("decision.row_covered" if covered else "decision.row_never", (row + 1,)))
        return found

    def gaps(self) -> list[Finding]:
        """An input that no row accepts, unless the table has a default."""
        if any(output.default is not None for output in self.table.outputs) or self.table.box.policy == "COLLECT":
            return []
        everything = (1 << self.count) - 1
        pieces = self.search(everything, 0, everything)
        return [] if pieces is None else [self.finding("decision.gap", (), pieces)]


def _distinct(column: list[Piece]) -> list[Piece]:
    """One piece for every set of rows: pieces that meet the same cells are alike."""
    return list({piece.rows: piece for piece in reversed(column)}.values())[::-1]
