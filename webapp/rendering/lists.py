"""Lists: search, filters and sort live in the address, a page at a time, and what is filtered can be taken away as CSV or XLSX."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from io import BytesIO, StringIO
from typing import Any

import xlsxwriter
from babel.support import LazyProxy
from flask import Response, request, url_for

PAGE_SIZE = 50
EXPORT_LIMIT = 20_000


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a list: heading, the value taken away in an export, whether the list can be sorted by it.

    One that is not *shown* stands inside another cell on screen and is a column of its own in the export only.
    """

    key: str
    label: str | LazyProxy
    value: Callable[[Any], Any] = lambda row: ""
    sort: bool = False
    numeric: bool = False
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Listing:
    """What one request asks of a list, and what it shows: the rows of this page and how many there are."""

    columns: tuple[Column, ...]
    query: str
    filters: dict[str, str]
    sort: str
    page: int
    size: int
    export: str
    rows: Sequence[Any] = ()
    total: int = 0
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def offset(self) -> int:
        """How many rows stand before this page; an export starts at the first."""
        return 0 if self.export else (self.page - 1) * self.size

    @property
    def limit(self) -> int:
        """How many rows are wanted."""
        return EXPORT_LIMIT if self.export else self.size

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // self.size))

    @property
    def narrowed(self) -> bool:
        """Whether a search or a filter is on."""
        return bool(self.query or any(self.filters.values()))

    def showing(self, rows: Sequence[Any], total: int) -> Listing:
        """Return the same list with its rows."""
        return Listing(self.columns, self.query, self.filters, self.sort, self.page, self.size, self.export, rows, total, self.extra)

    def address(self, **changes: Any) -> str:
        """Return the address of this list with *changes*; an empty value leaves the parameter out."""
        wanted: dict[str, Any] = {"q": self.query, **self.filters, "sort": self.sort, "page": self.page if self.page > 1 else "", **changes}
        arguments = {**(request.view_args or {}), **{k: v for k, v in wanted.items() if v not in ("", None)}}
        return url_for(request.endpoint or "", **arguments)

    def sorted_by(self, column: Column) -> str:
        """Return ``ascending`` or ``descending`` when the list is sorted by the column."""
        return {column.key: "ascending", f"-{column.key}": "descending"}.get(self.sort, "")

    def sort_address(self, column: Column) -> str:
        """Return the address that sorts by the column, the other way round when it already is."""
        return self.address(sort=f"-{column.key}" if self.sort == column.key else column.key, page="")


def asked(columns: Iterable[Column], filters: Iterable[str] = (), *, sort: str = "", size: int = PAGE_SIZE) -> Listing:
    """Return what the request asks of a list; anything unknown is ignored."""
    known = tuple(columns)
    wanted = request.args.get("sort", sort)
    wanted = wanted if wanted.lstrip("-") in {c.key for c in known if c.sort} else sort
    wanted_export = request.args.get("export", "")
    return Listing(
        known,
        request.args.get("q", "").strip()[:100],
        {name: request.args.get(name, "").strip()[:80] for name in filters},
        wanted,
        max(1, request.args.get("page", 1, int)),
        size,
        wanted_export if wanted_export in ("csv", "xlsx") else "",
    )


def taken_away(listing: Listing, name: str) -> Response:
    """Return the filtered list as a file: XLSX, or CSV the way Vietnamese Excel reads it."""
    heads = [str(c.label) for c in listing.columns]
    table = [[plain(c.value(row)) for c in listing.columns] for row in listing.rows]
    if listing.export == "csv":
        text = StringIO()
        writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
        writer.writerows([heads, *([harmless(cell) for cell in row] for row in table)])
        return attachment(("\ufeff" + text.getvalue()).encode(), f"{name}.csv", "text/csv; charset=utf-8")
    content = BytesIO()
    with xlsxwriter.Workbook(
        content, {"constant_memory": True, "in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    ) as book:
        sheet = book.add_worksheet()
        bold = book.add_format({"bold": True})
        sheet.write_row(0, 0, heads, bold)
        for index, row in enumerate(table, start=1):
            for place, cell in enumerate(row):
                sheet.write(index, place, cell)
    return attachment(content.getvalue(), f"{name}.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")


def plain(value: Any) -> Any:
    """Return a cell's value: numbers stay numbers, everything else is text."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else "" if value is None else str(value)


def harmless(cell: Any) -> Any:
    """Return a CSV cell that a spreadsheet does not take for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def attachment(content: bytes, name: str, media_type: str) -> Response:
    """Return bytes as a download."""
    response = Response(content, content_type=media_type)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response
