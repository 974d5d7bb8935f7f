"""The daily seal: one root over every chain that grew, so that even a cut tail with a rewritten head is noticed.

A time-stamp token over the seal's hash (kept beside it, and worth copying elsewhere) proves the journal's state at that moment to
people who do not trust the database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
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


TokenFault = Callable[[bytes, bytes], str | None]
"""What is wrong with a token (DER) over a digest; None when nothing is."""
Kept = Iterable[tuple[int, bytes]]
"""Number and hash of seals as somebody outside the database keeps them."""


def leaf_content(chain: UUID, number: int, head: bytes) -> bytes:
    """Return the canonical bytes of one chain's head, a leaf of the day's tree."""
    return canonical([chain, number, head.hex()])


def seal_content(number: int, at: datetime, count: int, previous: bytes, root: bytes) -> bytes:
    """Return the canonical bytes of a seal; their digest is what the time-stamping authority sees."""
    return canonical([number, at, count, previous.hex(), root.hex()])


def _seal_hash(number: int, at: datetime, count: int, previous: bytes, root: bytes) -> bytes:
    return hashlib.sha256(seal_content(number, at, count, previous, root)).digest()


def add_seal(session: Session, province: int, now: datetime) -> JournalSeal | None:
    """Seal every chain that grew since the last seal; None when none did."""
    session.execute(text("select pg_advisory_xact_lock(hashtext('journal_seal'), :province)"), {"province": province})
    grown = (
        session.execute(
            select(JournalHead).where(JournalHead.province == province, JournalHead.unsealed).order_by(JournalHead.chain).with_for_update()
        )
        .scalars()
        .all()
    )
    if not grown:
        return None
    last = session.scalars(select(JournalSeal).where(JournalSeal.province == province).order_by(JournalSeal.number.desc()).limit(1)).first()
    number, previous = (last.number + 1, last.hash) if last else (1, GENESIS)
    root = merkle_root([leaf_content(head.chain, head.number, head.hash) for head in grown])
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


def verify(session: Session, province: int, *, token_fault: TokenFault | None = None, kept: Kept = ()) -> Report:
    """Read the whole journal and all seals and report every fault with its place.

    *token_fault* judges the time-stamp tokens (without it they are not looked at); *kept* are seals as they were copied elsewhere: one
    that the journal does not hold says that an older state was put in its place.
    """
    count = [0, 0]
    faults = list(faults_of(session, province, count))
    seals, stamped = 0, 0
    previous = GENESIS
    found: set[tuple[int, bytes]] = set()
    tokens = _tokens(session, province) if token_fault else {}
    for seal in session.scalars(select(JournalSeal).where(JournalSeal.province == province).order_by(JournalSeal.number)):
        seals += 1
        if seal.number != seals:
            faults.append(Fault(OFFICE, seals, "seal_missing"))
            seals = seal.number
        faults.extend(_faults_of_seal(session, province, seal, previous))
        if token_fault and seal.number in tokens:
            wrong = token_fault(tokens.pop(seal.number), seal.hash)
            faults.extend([Fault(OFFICE, seal.number, "token_wrong")] if wrong else [])
            stamped += not wrong
        previous = seal.hash
        found.add((seal.number, seal.hash))
    faults.extend(Fault(OFFICE, number, "token_wrong") for number in sorted(tokens))  # a token over a seal that is not there
    faults.extend(Fault(OFFICE, number, "restored") for number in sorted({number for number, _ in set(kept) - found}))
    return Report(chains=count[0], lines=count[1], seals=seals, faults=tuple(faults), stamped=stamped)


def _tokens(session: Session, province: int) -> dict[int, bytes]:
    query = select(JournalToken.seal, JournalToken.token).where(JournalToken.province == province)
    return {seal: token for seal, token in session.execute(query)}  # noqa: C416 - rows, not pairs, as far as types know


def _faults_of_seal(session: Session, province: int, seal: JournalSeal, previous: bytes) -> Iterator[Fault]:
    leaf, line = JournalSealLeaf, JournalLine
    joined = and_(line.province == leaf.province, line.chain == leaf.chain, line.number == leaf.number)
    rows = session.execute(
        select(leaf.chain, leaf.number, leaf.hash, line.hash.label("stands"))
        .outerjoin(line, joined)
        .where(leaf.province == province, leaf.seal == seal.number)
        .order_by(leaf.chain)
    ).all()
    root = merkle_root([leaf_content(row.chain, row.number, row.hash) for row in rows])
    expected = _seal_hash(seal.number, seal.at, seal.count, seal.previous, seal.root)
    if root != seal.root or len(rows) != seal.count or expected != seal.hash or seal.previous != previous:
        yield Fault(OFFICE, seal.number, "seal_altered")
    for row in rows:
        if row.stands != row.hash:
            yield Fault(row.chain, row.number, "sealed_line_missing")


def last_sealed_at(session: Session, province: int) -> datetime | None:
    """Return when the last seal was made."""
    return session.scalar(select(func.max(JournalSeal.at)).where(JournalSeal.province == province))
