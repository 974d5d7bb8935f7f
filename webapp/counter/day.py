"""The counter's day: procedures to receive, what came in today, results to give back, the hand-over list both sides sign."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from engine.queries import inbox, reception
from engine.queries.procedures import in_force
from webapp.accounts import holding, me
from webapp.counter.area import COUNTER, RETURN, area
from webapp.counter.intake import day_of
from webapp.i18n import lazy as _
from webapp.i18n import pick
from webapp.rendering.formats import ZONE, instant
from webapp.rendering.lists import Column, asked, taken_away
from webapp.rendering.words import status_state
from webapp.transaction import look

TODAY = (
    Column("code", _("Mã hồ sơ"), lambda r: r.code),
    Column("procedure", _("Thủ tục"), lambda r: pick(r.procedure)),
    Column("owner", _("Chủ hồ sơ"), lambda r: r.owner),
    Column("received", _("Tiếp nhận"), lambda r: instant(r.received_at)),
    Column("due", _("Hẹn trả"), lambda r: instant(r.due_at)),
    Column("status", _("Trạng thái"), lambda r: status_state(r.status)[2]),
)
RESULTS = (
    Column("dossier", _("Hồ sơ"), lambda r: r.dossier_code),
    Column("owner", _("Chủ hồ sơ"), lambda r: r.owner),
    Column("procedure", _("Thủ tục"), lambda r: pick(r.procedure)),
    Column("since", _("Có kết quả từ"), lambda r: instant(r.opened_at)),
)


@area.get("")
@holding(*COUNTER)
def home() -> ResponseReturnValue:
    """Show what can be received here and what came in today."""
    with look() as w:
        listing = asked(TODAY)
        rows = reception.today(w)
        listing = listing.showing(rows, len(rows))
        if listing.export:
            return taken_away(listing, "tiep-nhan-hom-nay")
        return render_template(
            "counter/home.html", listing=listing, procedures=in_force(w, "public"), receives="reception_officer" in me().roles
        )


@area.get("/received/<code>")
@holding("reception_officer")
def received(code: str) -> ResponseReturnValue:
    """Show the reception that has just happened: the receipt to print, the next one to begin."""
    from engine.queries import dossiers

    with look() as w:
        page = dossiers.page(w, code)
        receipt = next((d for d in page.documents if d.kind == "receipt"), None)
        return render_template("counter/received.html", page=page, receipt=receipt)


@area.get("/results")
@holding(*RETURN)
def results() -> ResponseReturnValue:
    """Show the results that wait at the counter for their owners."""
    with look() as w:
        listing = asked(RESULTS, size=25)
        found = inbox.page(
            w, actions=("return_result",), search=listing.query, number=1 if listing.export else listing.page, size=listing.limit
        )
        listing = listing.showing(found.rows, found.total)
        if listing.export:
            return taken_away(listing, "cho-tra-ket-qua")
        return render_template("counter/results.html", listing=listing)


@area.get("/handover")
@holding(*COUNTER)
def handover() -> ResponseReturnValue:
    """Show and print the list of what was handed over on a day."""
    with look() as w:
        on = day_of(request.args.get("day", "")) or w.now.astimezone(ZONE).date()
        return render_template("counter/handover.html", on=on, units=reception.handovers(w, on), at=w.now)
