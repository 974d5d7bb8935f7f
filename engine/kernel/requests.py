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


def remember(session: Session, province: int, key: str, answer: Json) -> None:
    """Keep the answer at once."""
    wire.send(session, answered(province, key, answer))


def forget(session: Session, province: int, now: datetime, age: timedelta = timedelta(days=7)) -> None:
    """Drop answers older than *age*."""
    session.execute(delete(AnsweredRequest).where(AnsweredRequest.province == province, AnsweredRequest.at < now - age))
