"""The journal: what happened, sealed line to line so that nothing can be changed or taken out unnoticed.

One chain per dossier and one for acts without a dossier. The hash of a line covers the hash of the line before it and the digest of
the canonical bytes of everything the line says, made here and not in the database, so that any program can repeat it; whoever proves
one line to a stranger shows of the lines after it only their digests (`engine.kernel.journal_proof`). The database
refuses to change or delete lines; whoever switches that off is found by `engine.kernel.journal_check`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, Computed, Index, LargeBinary, Text, bindparam, func, insert, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine.kernel.canonical import canonical, encoded, json_text, plain
from engine.kernel.tables import Base, Instant, Json, ProvinceKey
from engine.kernel.wire import Part

FORMAT = 2
GENESIS = hashlib.sha256(b"motcua journal").digest()
OFFICE = UUID(int=0)  # the chain of acts without a dossier


class JournalLine(Base):
    """One fact: who did what at which office time, and the hashes that hold it in its chain."""

    __tablename__ = "journal_line"
    __table_args__ = (Index(None, "province", "at"),)

    province: Mapped[ProvinceKey]
    chain: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Instant)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    kind: Mapped[str] = mapped_column(Text)
    actor: Mapped[Json] = mapped_column(JSONB)
    facts: Mapped[Json] = mapped_column(JSONB)
    previous: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class JournalHead(Base):
    """The last line of a chain; locked while lines are added, so a chain has no gaps and no forks."""

    __tablename__ = "journal_head"
    # A column that stays true from the first line after a seal to the next seal, not the comparison itself: the index is then touched by
    # the first line only, and the head is rewritten in its place. The database computes it, so no writer can leave a chain out of a seal.
    __table_args__ = (Index("ix_journal_head_unsealed", "province", postgresql_where="unsealed"),)

    province: Mapped[ProvinceKey]
    chain: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    sealed: Mapped[int] = mapped_column(BigInteger, server_default="0", comment="number of the last line under a daily seal")
    unsealed: Mapped[bool] = mapped_column(Computed("number > sealed", persisted=True))


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened within a unit of work, in the past tense, not yet sealed."""

    kind: str
    chain: UUID
    facts: Json


def fact(kind: str, dossier: UUID | None, facts: Mapping[str, Any]) -> Fact:
    """Return the fact in storable form; refuses at once what has no canonical form."""
    return Fact(kind, dossier or OFFICE, plain(facts))


def line_content(
    *, province: int, chain: UUID, number: int, at: datetime, recorded_at: datetime, kind: str, actor: Json, facts: Json,
    form: int = FORMAT,
) -> bytes:  # fmt: skip
    """Return the canonical bytes of everything a line says, the format's number first."""
    return canonical([form, province, chain, number, at, recorded_at, kind, actor, facts])


def line_hash(previous: bytes, content: bytes) -> bytes:
    """Return SHA-256 over the previous hash and the digest of the *content*.

    Lines of the first format (they begin ``[1,``) were hashed over the content itself, which no proof could keep to itself.
    """
    said = content if content.startswith(b"[1,") else hashlib.sha256(content).digest()
    return hashlib.sha256(previous + said).digest()


# One statement creates the chain's head or locks the one that stands, and tells the server's time.
LOCK_HEAD = text(
    "insert into journal_head as head (province, chain, number, hash) values (:province, :chain, 0, :genesis) "
    "on conflict (province, chain) do update set number = head.number "
    "returning head.number, head.hash, clock_timestamp() as recorded_at"
).bindparams(bindparam("chain", type_=JournalHead.chain.type), bindparam("genesis", value=GENESIS, type_=LargeBinary()))
ADD_LINES = insert(JournalLine)
MOVE_HEAD = (
    update(JournalHead)
    .where(JournalHead.province == bindparam("of_province"), JournalHead.chain == bindparam("of_chain"))
    .values(number=bindparam("last"), hash=bindparam("last_hash"))
)


HEAD = (JournalHead.number, JournalHead.hash, func.clock_timestamp())
"""The end of a chain and the server's time, for a statement that locks it together with its dossier, after the dossier."""
_HEADS = "journal heads"
# Whoever read the head under the dossier's lock adds lines without locking it again; if it has moved all the same, nothing is written.
ADD_TO_KNOWN = text(
    "with moved as (update journal_head set number = :last, hash = :last_hash "
    "where province = :province and chain = :chain and number = :number and hash = :hash returning 1) "
    "insert into journal_line (province, chain, number, at, recorded_at, kind, actor, facts, previous, hash) "
    "select :province, :chain, line.number, :at, :recorded_at, line.kind, cast(:actor as jsonb), line.facts::jsonb, line.previous, "
    "line.hash "
    "from unnest(cast(:numbers as bigint[]), cast(:kinds as text[]), cast(:facts as text[]), cast(:previous as bytea[]), "
    "cast(:hashes as bytea[])) as line(number, kind, facts, previous, hash) where exists (select 1 from moved)"
).bindparams(bindparam("chain", type_=JournalHead.chain.type), bindparam("at", type_=Instant()), bindparam("recorded_at", type_=Instant()))


def remember_head(session: Session, chain: UUID, head: Sequence[Any]) -> None:
    """Keep what `HEAD` gave, for the lines of this transaction."""
    number, known, recorded_at = head
    session.info.setdefault(_HEADS, {})[chain] = (number, bytes(known), recorded_at.astimezone(UTC))


SHARED = {"province": "smallint", "chain": "uuid", "at": "timestamptz", "recorded_at": "timestamptz", "actor": "jsonb"}
"""What all lines of a transaction have in common: sent, and read by the server, once."""
OWN = {"number": "bigint", "kind": "text", "facts": "jsonb", "previous": "bytea", "hash": "bytea"}
_HEAD_MOVES = "update journal_head set number = %s, hash = %s where province = %s and chain = %s and number = %s and hash = %s returning 1"


@cache
def _insertion(lines: int) -> str:
    """Return the statement that adds so many lines."""
    shared, own = (f"({', '.join([f'%s::{kind}' for kind in kinds.values()])})" for kinds in (SHARED, OWN))
    return (
        f"insert into journal_line ({', '.join([*SHARED, *OWN])}) select shared.*, line.* "  # noqa: S608 — constants
        f"from (values {shared}) as shared, (values {', '.join([own] * lines)}) as line"
    )


def parts(session: Session, province: int, at: datetime, actor: Json, recorded: list[Fact]) -> list[Part] | None:
    """Return what adds the *recorded* facts to a chain whose end this transaction has locked; None when there is no such chain."""
    heads = session.info.get(_HEADS, {})
    chains = {item.chain for item in recorded}
    if len(chains) != 1 or not chains <= heads.keys():
        return None
    (chain,) = chains
    number, previous, recorded_at = heads[chain]
    lines = _lines(heads[chain], province, chain, at, actor, recorded)
    given = [province, chain, at, recorded_at, json_text(actor)]  # as `SHARED`, and then for each line as `OWN`
    for line in lines:
        given += line.number, line.kind, json_text(line.facts), line.previous, line.hash
    return [
        Part(_HEAD_MOVES, [lines[-1].number, lines[-1].hash, province, chain, number, previous], one=True),
        Part(_insertion(len(lines)), given),
    ]


def seal(session: Session, province: int, at: datetime, actor: Json, recorded: list[Fact]) -> None:
    """Add the *recorded* facts to their chains; the chain without a dossier comes last, being the one everybody shares."""
    chains: dict[UUID, list[Fact]] = {}
    for item in recorded:
        chains.setdefault(item.chain, []).append(item)
    for chain in sorted(chains, key=lambda chain: (chain == OFFICE, chain)):
        known = session.info.get(_HEADS, {}).pop(chain, None)
        if known is not None and _added_to(session, known, province, chain, at, actor, chains[chain]):
            continue
        number, previous, recorded_at = session.execute(LOCK_HEAD, {"province": province, "chain": chain}).one()
        recorded_at = recorded_at.astimezone(UTC)
        lines = _lines((number, previous, recorded_at), province, chain, at, actor, chains[chain])
        shared = {"province": province, "chain": chain, "at": at, "recorded_at": recorded_at, "actor": actor}
        session.connection().execute(ADD_LINES, [{**shared, **line._asdict()} for line in lines])
        session.connection().execute(
            MOVE_HEAD, {"of_province": province, "of_chain": chain, "last": lines[-1].number, "last_hash": lines[-1].hash}
        )


class _Own(NamedTuple):
    """What a line says by itself, as `OWN`; the rest it shares with all lines of its transaction."""

    number: int
    kind: str
    facts: Json
    previous: bytes
    hash: bytes


def _lines(head: tuple[int, bytes, datetime], province: int, chain: UUID, at: datetime, actor: Json, recorded: list[Fact]) -> list[_Own]:
    number, previous, recorded_at = head
    lines: list[_Own] = []
    where, when = plain(chain), [plain(at), plain(recorded_at)]
    for item in recorded:
        number += 1
        # As `line_content`, of parts that are plain already: facts since they were recorded, the actor as the unit of work gives it.
        own = line_hash(previous, encoded([FORMAT, province, where, number, *when, item.kind, actor, item.facts]))
        lines.append(_Own(number, item.kind, item.facts, previous, own))
        previous = own
    return lines


def _added_to(
    session: Session, head: tuple[int, bytes, datetime], province: int, chain: UUID, at: datetime, actor: Json, recorded: list[Fact]
) -> bool:
    """Add lines to a head read under the dossier's lock, in one statement; False when somebody has moved it."""
    lines = _lines(head, province, chain, at, actor, recorded)
    numbers, kinds, facts, previous, hashes = map(list, zip(*lines, strict=True))
    done = session.connection().execute(
        ADD_TO_KNOWN,
        {
            "province": province, "chain": chain, "number": head[0], "hash": head[1], "last": numbers[-1], "last_hash": hashes[-1],
            "at": at, "recorded_at": head[2], "actor": json_text(actor), "numbers": numbers, "kinds": kinds,
            "facts": [json_text(one) for one in facts], "previous": previous, "hashes": hashes,
        },
    )  # fmt: skip
    return done.rowcount == len(lines)
