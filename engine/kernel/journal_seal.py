"""The daily seal: one root over every chain that grew, so that even a cut tail with a rewritten head is noticed.

A time-stamp token over the seal's hash (kept beside it, and worth copying elsewhere) proves the journal's state at that moment to
people who do not trust the database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Integer, LargeBinary, and_, func, insert, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine.kernel.canonical import canonical
from engine.kernel.journal import GENESIS, OFFICE, JournalHead, JournalLine
from engine.kernel.journal_check import Fault, Report, faults_of, merkle_root
from engine.kernel.tables import Base, Instant, ProvinceKey


class JournalSeal(Base):
    """One seal: the root over the heads of all chains that grew since the one before, linked to the one before."""

    __tablename__ = "journal_seal"

    province: Mapped[ProvinceKey]
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Instant)
    count: Mapped[int]
    previous: Mapped[bytes] = mapped_column(LargeBinary)
    root: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class JournalSealLeaf(Base):
    """One chain's head as a seal saw it."""

    __tablename__ = "journal_seal_leaf"

    province: Mapped[ProvinceKey]
    seal: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    chain: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class JournalToken(Base):
    """The time-stamp token (RFC 3161, DER) over a seal's hash."""

    __tablename__ = "journal_token"

    province: Mapped[ProvinceKey]
    seal: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    token: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column(Instant)


def _leaf(chain: UUID, number: int, head: bytes) -> bytes:
    return canonical([chain, number, head.hex()])


def _seal_hash(number: int, at: datetime, count: int, previous: bytes, root: bytes) -> bytes:
    return hashlib.sha256(canonical([number, at, count, previous.hex(), root.hex()])).digest()


def add_seal(session: Session, province: int, now: datetime) -> JournalSeal | None:
    """Seal every chain that grew since the last seal; None when none did."""
    session.execute(text("select pg_advisory_xact_lock(hashtext('journal_seal'), :province)"), {"province": province})
    grown = (
        session.execute(
            select(JournalHead)
            .where(JournalHead.province == province, JournalHead.number > JournalHead.sealed)
            .order_by(JournalHead.chain)
            .with_for_update()
        )
        .scalars()
        .all()
    )
    if not grown:
        return None
    last = session.scalars(select(JournalSeal).where(JournalSeal.province == province).order_by(JournalSeal.number.desc()).limit(1)).first()
    number, previous = (last.number + 1, last.hash) if last else (1, GENESIS)
    root = merkle_root([_leaf(head.chain, head.number, head.hash) for head in grown])
    made = JournalSeal(
        province=province, number=number, at=now, count=len(grown), previous=previous, root=root,
        hash=_seal_hash(number, now, len(grown), previous, root),
    )  # fmt: skip
    session.add(made)
    leaves = [{"province": province, "seal": number, "chain": head.chain, "number": head.number, "hash": head.hash} for head in grown]
    session.execute(insert(JournalSealLeaf), leaves)
    for head in grown:
        head.sealed = head.number
    session.flush()
    return made


def unstamped(session: Session, province: int) -> list[JournalSeal]:
    """Return the seals that have no time-stamp token yet."""
    has_token = select(JournalToken.seal).where(JournalToken.province == province)
    query = select(JournalSeal).where(JournalSeal.province == province, JournalSeal.number.not_in(has_token)).order_by(JournalSeal.number)
    return list(session.scalars(query))


def verify(session: Session, province: int) -> Report:
    """Read the whole journal and all seals and report every fault with its place."""
    count = [0, 0]
    faults = list(faults_of(session, province, count))
    seals = 0
    previous = GENESIS
    for seal in session.scalars(select(JournalSeal).where(JournalSeal.province == province).order_by(JournalSeal.number)):
        seals += 1
        if seal.number != seals:
            faults.append(Fault(OFFICE, seals, "seal_missing"))
            seals = seal.number
        faults.extend(_faults_of_seal(session, province, seal, previous))
        previous = seal.hash
    return Report(chains=count[0], lines=count[1], seals=seals, faults=tuple(faults))


def _faults_of_seal(session: Session, province: int, seal: JournalSeal, previous: bytes) -> Iterator[Fault]:
    leaf, line = JournalSealLeaf, JournalLine
    joined = and_(line.province == leaf.province, line.chain == leaf.chain, line.number == leaf.number)
    rows = session.execute(
        select(leaf.chain, leaf.number, leaf.hash, line.hash.label("stands"))
        .outerjoin(line, joined)
        .where(leaf.province == province, leaf.seal == seal.number)
        .order_by(leaf.chain)
    ).all()
    root = merkle_root([_leaf(row.chain, row.number, row.hash) for row in rows])
    expected = _seal_hash(seal.number, seal.at, seal.count, seal.previous, seal.root)
    if root != seal.root or len(rows) != seal.count or expected != seal.hash or seal.previous != previous:
        yield Fault(OFFICE, seal.number, "seal_altered")
    for row in rows:
        if row.stands != row.hash:
            yield Fault(row.chain, row.number, "sealed_line_missing")


def last_sealed_at(session: Session, province: int) -> datetime | None:
    """Return when the last seal was made."""
    return session.scalar(select(func.max(JournalSeal.at)).where(JournalSeal.province == province))
