"""Requests that came twice: the first answer is given again, the act is not repeated."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Text, delete
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine.errors import Conflict
from engine.kernel import wire
from engine.kernel.canonical import json_text
from engine.kernel.tables import Base, Instant, Json, ProvinceKey
from engine.kernel.wire import Part, Prepared


class AnsweredRequest(Base):
    """A request id (of a form, or an Idempotency-Key) of one requester, and what was answered."""

    __tablename__ = "answered_request"

    province: Mapped[ProvinceKey]
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    content: Mapped[str] = mapped_column(Text, comment="fingerprint of what was asked; empty when none was given")
    answer: Mapped[Json | None] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(Instant)


# One statement: write the request down, or wait for whoever is answering it and read what they said.
CLAIM = Prepared(
    "insert into answered_request as known (province, key, content, at) values ($1, $2, $3, $4) "
    "on conflict (province, key) do update set key = known.key returning known.content, known.answer",
    ("province", "key", "content", "at"),
)
FOUND = Prepared("select answer from answered_request where province = $1 and key = $2 and content = ''", ("province", "key"))
# Of an act that writes nothing but the database the number need not be claimed: it is looked for first, and written with the answer. Of
# two that come at the same moment neither finds the other, and the second cannot write its own: it is taken back whole.
FIRST = "insert into answered_request (province, key, content, answer, at) values (%s, %s, '', %s, %s)"
TWICE = "pk_answered_request"
"""What the second breaks."""
ANSWER = "update answered_request set answer = %s where province = %s and key = %s returning 1"


def recall(session: Session, province: int, key: str, now: datetime, content: str = "") -> Json | None:
    """Return the answer given to this request before, or None when it is new; a request still under way is waited for.

    Raises:
        Conflict: when the same request id comes with other *content*.
    """
    asked = {"province": province, "key": key, "content": content, "at": now}
    ((known, answer),) = wire.read(session, (CLAIM,), asked)[0]
    if known != content:
        raise Conflict("request.other_content")
    return cast(Json | None, answer)


def answered(province: int, key: str, answer: Json) -> Part:
    """Return what keeps the answer, which is JSON already, for the case that the request comes again."""
    return Part(ANSWER, [json_text(answer), province, key], one=True)


def first_answered(province: int, key: str, answer: Json, now: datetime) -> Part:
    """Return what writes the answer to a request that was looked for and not claimed; it fails (`TWICE`) when another one has written."""
    return Part(FIRST, [province, key, json_text(answer), now])


def find(session: Session, province: int, key: str) -> Json | None:
    """Return the answer given to this request, if there is one; nothing is claimed, and nobody waited for."""
    found = wire.read(session, (FOUND,), {"province": province, "key": key})[0]
    return cast(Json | None, found[0][0]) if found else None


def remember(session: Session, province: int, key: str, answer: Json) -> None:
    """Keep the answer at once."""
    wire.send(session, answered(province, key, answer))


def forget(session: Session, province: int, now: datetime, age: timedelta = timedelta(days=7)) -> None:
    """Drop answers older than *age*."""
    session.execute(delete(AnsweredRequest).where(AnsweredRequest.province == province, AnsweredRequest.at < now - age))
