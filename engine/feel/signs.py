"""Which types an arithmetic sign combines, and into which (clause 10.3.2.14, tables 50 to 53)."""

from __future__ import annotations

from engine.feel.types import DATE, DATE_TIME, DAYS, MONTHS, NUMBER, STRING, TIME, FeelType

_N, _S, _D, _T, _DT, _DD, _MM = (kind.name for kind in (NUMBER, STRING, DATE, TIME, DATE_TIME, DAYS, MONTHS))
_RESULTS: dict[str, dict[tuple[str, str], FeelType]] = {
    "+": {
        (_N, _N): NUMBER,
        (_S, _S): STRING,
        (_D, _DD): DATE,
        (_DD, _D): DATE,
        (_D, _MM): DATE,
        (_MM, _D): DATE,
        (_DT, _DD): DATE_TIME,
        (_DD, _DT): DATE_TIME,
        (_DT, _MM): DATE_TIME,
        (_MM, _DT): DATE_TIME,
        (_T, _DD): TIME,
        (_DD, _T): TIME,
        (_DD, _DD): DAYS,
        (_MM, _MM): MONTHS,
    },
    "-": {
        (_N, _N): NUMBER,
        (_D, _D): DAYS,
        (_DT, _DT): DAYS,
        (_DT, _D): DAYS,
        (_D, _DT): DAYS,
        (_T, _T): DAYS,
        (_D, _DD): DATE,
        (_D, _MM): DATE,
        (_DT, _DD): DATE_TIME,
        (_DT, _MM): DATE_TIME,
        (_T, _DD): TIME,
        (_DD, _DD): DAYS,
        (_MM, _MM): MONTHS,
    },
    "*": {(_N, _N): NUMBER, (_DD, _N): DAYS, (_N, _DD): DAYS, (_MM, _N): MONTHS, (_N, _MM): MONTHS},
    "/": {(_N, _N): NUMBER, (_DD, _N): DAYS, (_MM, _N): MONTHS, (_DD, _DD): NUMBER, (_MM, _MM): NUMBER},
    "**": {(_N, _N): NUMBER},
}


def result_of(sign: str, left: str, right: str) -> FeelType | None:
    """The type of ``left sign right``, or None when the sign does not combine them."""
    return _RESULTS[sign].get((left, right))
