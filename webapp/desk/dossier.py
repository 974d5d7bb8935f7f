"""Everything about a dossier: where it is, drawn and in words, its clock day by day, papers, parties, history; and the list of dossiers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from engine.queries import dossiers as queries
from engine.queries.organisation import units as units_today
from engine.queries.procedures import in_force
from webapp.accounts import signed_in
from webapp.desk.area import area
from webapp.i18n import lazy as _
from webapp.i18n import pick
from webapp.rendering.formats import instant
from webapp.rendering.lists import Column, asked, taken_away
from webapp.rendering.words import OUTCOME, status_state, statuses
from webapp.transaction import look

COLUMNS = (
    Column("code", _("Mã hồ sơ"), lambda r: r.code),
    Column("procedure", _("Thủ tục"), lambda r: pick(r.procedure)),
    Column("owner", _("Chủ hồ sơ"), lambda r: r.owner),
    Column("status", _("Trạng thái"), lambda r: status_state(r.status)[2]),
    Column("received", _("Tiếp nhận"), lambda r: instant(r.received_at)),
    Column("due", _("Hẹn trả"), lambda r: instant(r.due_at)),
    Column("outcome", _("Kết quả hạn"), lambda r: str(OUTCOME[r.outcome][2]) if r.outcome in OUTCOME else ""),
)


@area.get("/dossiers")
@signed_in
def dossiers() -> ResponseReturnValue:
    """Show the dossiers I may read; identity numbers are looked up at the counter, by POST."""
    listing = asked(COLUMNS, ("status", "procedure", "now", "unit"), size=25)
    with look() as w:
        found, total = queries.search(
            w,
            listing.query,
            status=listing.filters["status"],
            procedure=listing.filters["procedure"],
            standing=listing.filters["now"] if listing.filters["now"] in ("running", "soon", "late") else "",
            deciding_unit=UUID(listing.filters["unit"]) if len(listing.filters["unit"]) == 36 else None,
            page_number=1 if listing.export else listing.page,
            size=listing.limit,
        )
        listing = listing.showing(found, total)
        if listing.export:
            return taken_away(listing, "ho-so")
        units = [(str(u.id), pick({"vi": u.name, "en": u.name_en})) for u in units_today(w, levels=("province", "department", "commune"))]
        procedures = [(row.version.key, pick({"vi": row.version.name_vi, "en": row.version.name_en})) for row in in_force(w)]
        if listing.query and total == 1 and found[0].code.casefold() == listing.query.casefold():
            return redirect(url_for("desk.dossier", code=found[0].code), 303)
        return render_template("desk/dossiers.html", listing=listing, procedures=procedures, statuses=statuses(), units=units)


@area.get("/dossiers/<code>")
@signed_in
def dossier(code: str) -> ResponseReturnValue:
    """Show a dossier whole."""
    with look() as w:
        page = queries.page(w, code)
        return render_template("desk/dossier.html", page=page, marks=marks(page), current=[t for t in page.tasks if t.state == "open"])


def marks(page: Any) -> dict[str, list[str]]:
    """Return which nodes of the diagram are done and active, and which flows were walked."""
    if page.place is None:
        return {}
    return {"done": list(page.place.done), "now": list(page.place.active), "walked": list(page.place.walked)}


@area.get("/dossiers/<code>/diagram.bpmn")
@signed_in
def diagram(code: str) -> ResponseReturnValue:
    """Send the diagram this dossier runs by."""
    with look() as w:
        return Response(queries.page(w, code).diagram, mimetype="application/xml")
