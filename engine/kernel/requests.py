"""Requests that came twice: the first answer is given again, the act is not repeated."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Text, bindparam, delete, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine.errors import Conflict
from engine.kernel.canonical import plain
from engine.kernel.tables import Base, Instant, Json, ProvinceKey


class AnsweredRequest(Base):
    """A request id (of a form, or an Idempotency-Key) of one requester, and what was answered."""

    __tablename__ = "answered_request"

    province: Mapped[ProvinceKey]
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    content: Mapped[str] = mapped_column(Text, comment="fingerprint of what was asked; empty when none was given")
    answer: Mapped[Json | None] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(Instant)


# One statement: write the request down, or wait for whoever is answering it and read what they said.
CLAIM = text(
    "insert into answered_request as known (province, key, content, at) values (:province, :key, :content, :at) "
    "on conflict (province, key) do update set key = known.key returning known.content, known.answer"
).bindparams(bindparam("at", type_=Instant())).columns(answer=JSONB())  # fmt: skip
ANSWER = (
    update(AnsweredRequest)
    .where(AnsweredRequest.province == bindparam("of_province"), AnsweredRequest.key == bindparam("of_key"))
    .values(answer=bindparam("given", type_=JSONB()))
)


def recall(session: Session, province: int, key: str, now: datetime, content: str = "") -> Json | None:
    """Return the answer given to this request before, or None when it is new; a request still under way is waited for.

    Raises:
        Conflict: when the same request id comes with other *content*.
    """
    known = session.connection().execute(CLAIM, {"province": province, "key": key, "content": content, "at": now}).one()
    if known.content != content:
        raise Conflict("request.other_content")
    answer: Json | None = known.answer
    return answer


def remember(session: Session, province: int, key: str, answer: Any) -> None:
    """Keep the answer for the case that the request comes again."""
    session.connection().execute(ANSWER, {"of_province": province, "of_key": key, "given": plain(answer)})


def forget(session: Session, province: int, now: datetime, age: timedelta = timedelta(days=7)) -> None:
    """Drop answers older than *age*."""
    session.execute(delete(AnsweredRequest).where(AnsweredRequest.province == province, AnsweredRequest.at < now - age))
