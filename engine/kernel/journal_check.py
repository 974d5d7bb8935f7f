"""Reading the journal with suspicion: every hash computed anew, every gap and every cut named with its place."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from engine.kernel.journal import FORMAT, GENESIS, JournalHead, JournalLine, line_content, line_hash


@dataclass(frozen=True, slots=True)
class Fault:
    """One place where the journal is not what was written."""

    chain: UUID
    number: int
    # fmt: off
    reason: Literal["altered", "missing", "unlinked", "cut", "no_head", "seal_altered", "sealed_line_missing", "seal_missing",
                    "token_wrong", "restored"]
    # fmt: on


@dataclass(frozen=True, slots=True)
class Report:
    """What the check has read and found."""

    chains: int
    lines: int
    seals: int
    faults: tuple[Fault, ...]
    stamped: int = 0
    """Seals under a valid time-stamp token."""

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return not self.faults


def faults_of(session: Session, province: int, count: list[int]) -> Iterator[Fault]:
    """Yield the faults of all chains; *count* receives chains and lines read."""
    table = JournalLine.__table__
    query = select(table).where(table.c.province == province).order_by(table.c.chain, table.c.number)
    heads = {
        head.chain: (head.number, head.hash)
        for head in session.execute(select(JournalHead.chain, JournalHead.number, JournalHead.hash).where(JournalHead.province == province))
    }
    chain: UUID | None = None
    number, previous = 0, GENESIS
    for line in session.execute(query, execution_options={"yield_per": 2000}):
        if line.chain != chain:
            if chain is not None:
                yield from _end(chain, number, previous, heads)
            chain, number, previous = line.chain, 0, GENESIS
            count[0] += 1
        count[1] += 1
        if line.number != number + 1:
            yield Fault(line.chain, number + 1, "missing")
        elif line.previous != previous:
            yield Fault(line.chain, line.number, "unlinked")
        if content_of(line) is None:
            yield Fault(line.chain, line.number, "altered")
        number, previous = line.number, line.hash
    if chain is not None:
        yield from _end(chain, number, previous, heads)
    for left, (last, _) in heads.items():
        yield Fault(left, 1 if last else 0, "missing")


def content_of(line: Row[Any]) -> bytes | None:
    """Return the content a line was hashed over, in the format it was written in; None when its hash fits no format."""
    said = {name: getattr(line, name) for name in ("province", "chain", "number", "at", "recorded_at", "kind", "actor", "facts")}
    try:
        contents = [line_content(**said, form=form) for form in range(FORMAT, 0, -1)]
    except (TypeError, ValueError):  # a value that never could have been written
        return None
    return next((content for content in contents if line_hash(line.previous, content) == line.hash), None)


def _end(chain: UUID, number: int, last: bytes, heads: dict[UUID, tuple[int, bytes]]) -> Iterator[Fault]:
    head = heads.pop(chain, None)
    if head is None:
        yield Fault(chain, number, "no_head")
    elif head != (number, last):
        yield Fault(chain, number + 1, "cut")


def merkle_root(leaves: list[bytes]) -> bytes:
    """Return the root over *leaves* in their order; an odd node moves up unchanged, so two lists never share a root."""
    *_, top = _levels(leaves)
    return top[0] if top else hashlib.sha256(b"\2").digest()


def merkle_path(leaves: list[bytes], index: int) -> list[tuple[Literal["left", "right"], bytes]]:
    """Return the nodes that lead from the leaf at *index* to the root: on which side each stands, and its hash."""
    path: list[tuple[Literal["left", "right"], bytes]] = []
    for level in _levels(leaves)[:-1]:
        if index % 2:
            path.append(("left", level[index - 1]))
        elif index + 1 < len(level):
            path.append(("right", level[index + 1]))
        index //= 2
    return path


def _levels(leaves: list[bytes]) -> list[list[bytes]]:
    levels = [[hashlib.sha256(b"\0" + leaf).digest() for leaf in leaves]]
    while len(levels[-1]) > 1:
        level = levels[-1]
        pairs = [hashlib.sha256(b"\1" + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=False)]
        levels.append(pairs + (level[-1:] if len(level) % 2 else []))
    return levels
