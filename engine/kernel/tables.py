"""The base of all records: naming conventions, the province in every key, common column types."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import DateTime, ForeignKeyConstraint, LargeBinary, MetaData, SmallInteger, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from engine.kernel.identifiers import new_id

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Instant(TypeDecorator[datetime]):
    """An aware instant, stored and returned in UTC; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive instants before they reach the database."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a naive datetime reached the database")
        return value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the instant in UTC."""
        return value.astimezone(UTC) if value is not None else None


Json = dict[str, Any]


class Base(DeclarativeBase):
    """Declarative base of every record."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {datetime: Instant(), Json: JSONB(), list[Any]: JSONB(), bytes: LargeBinary(), UUID: Uuid()}  # noqa: RUF012


ProvinceKey = Annotated[int, mapped_column(SmallInteger, primary_key=True, autoincrement=False)]
IdKey = Annotated[UUID, mapped_column(Uuid, primary_key=True, default=new_id)]


class Record(Base):
    """A record of one province, keyed (province, id)."""

    __abstract__ = True

    province: Mapped[ProvinceKey]
    id: Mapped[IdKey]


def belongs_to(column: str, target: str, *, ondelete: str | None = None) -> ForeignKeyConstraint:
    """Return the foreign key (province, *column*) → *target*(province, id)."""
    return ForeignKeyConstraint(["province", column], [f"{target}.province", f"{target}.id"], ondelete=ondelete)
