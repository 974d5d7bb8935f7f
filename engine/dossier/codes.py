"""The dossier code: a dated pattern, and a sequence per agency and day without gaps or doubles.

The sequence row is the lock: it is taken by the transaction that receives the dossier and given back when that transaction fails.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from string import Formatter

from sqlalchemy import UniqueConstraint
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session

from engine.errors import Refused
from engine.kernel.identifiers import new_id
from engine.kernel.tables import Record

PLACEHOLDERS = frozenset({"agency", "date", "seq"})


class CodeSequence(Record):
    """The last running number given out by an agency on a day."""

    __tablename__ = "code_sequence"

    agency_code: Mapped[str]
    on: Mapped[date]
    last: Mapped[int]

    __table_args__ = (UniqueConstraint("province", "agency_code", "on"),)


@dataclass(frozen=True, slots=True)
class Pattern:
    """How codes of an agency (empty: of all) are written from a day on."""

    agency: str
    text: str
    valid_from: date
    legal_basis: str

    def __post_init__(self) -> None:
        used = [name for _, name, _, _ in Formatter().parse(self.text) if name is not None]
        if not set(used) <= PLACEHOLDERS or "seq" not in used:
            raise Refused("dossier.code_pattern_wrong", pattern=self.text)

    def code(self, agency: str, on: date, sequence: int) -> str:
        """Return the code of the *sequence*-th dossier of the day."""
        return self.text.format(agency=agency, date=on, seq=sequence)


def next_code(session: Session, province: int, agency: str, on: date) -> str:
    """Return the next code of an agency on a day; other receptions of that agency wait until this transaction ends."""
    row = insert(CodeSequence).values(province=province, id=new_id(), agency_code=agency, on=on, last=1)
    counted = row.on_conflict_do_update(index_elements=["province", "agency_code", "on"], set_={"last": CodeSequence.last + 1}).returning(
        CodeSequence.last
    )
    sequence: int = session.execute(counted).scalar_one()
    return pattern_for(agency, on).code(agency, on, sequence)


def pattern_for(agency: str, on: date) -> Pattern:
    """Return the pattern in force for an agency on a day.

    Raises:
        Refused: none is.
    """
    found = [p for p in patterns() if p.valid_from <= on and (p.agency in ("", agency) or agency.startswith(f"{p.agency}."))]
    if not found:
        raise Refused("dossier.code_pattern_missing", agency=agency)
    return max(found, key=lambda p: (len(p.agency), p.valid_from))


@cache
def patterns() -> tuple[Pattern, ...]:
    """Return every pattern of the installation."""
    text = resources.files("engine.dossier").joinpath("code_patterns.toml").read_text(encoding="utf-8")
    return tuple(Pattern(**row) for row in tomllib.loads(text)["pattern"])
