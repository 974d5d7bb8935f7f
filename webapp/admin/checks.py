"""What is checked: the calendar days count by, incidents that need a person, the journal and whether it is whole."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.commands import incidents as commands
from engine.queries import administration, audit, preservation
from engine.runtime import UnitOfWork
from webapp.accounts import holding, me, signed_in
from webapp.admin.area import ADMINISTRATORS, AUDITORS, INCIDENT_READERS, area
from webapp.i18n import gettext as _
from webapp.i18n import lazy
from webapp.rendering.formats import ZONE, instant
from webapp.rendering.lists import Column, asked, taken_away
from webapp.rendering.words import ACTOR, FACT
from webapp.transaction import act, look

JOURNAL = (
    Column("at", lazy("Lúc"), lambda r: instant(r.at)),
    Column("kind", lazy("Việc"), lambda r: str(FACT.get(r.kind, r.kind))),
    Column("who", lazy("Ai"), lambda r: str(ACTOR.get(r.who, r.who))),
    Column("dossier", lazy("Hồ sơ"), lambda r: r.dossier),
    Column("number", lazy("Số"), lambda r: r.number, numeric=True),
    Column("hash", lazy("Dấu vết"), lambda r: r.hash),
)


@area.get("/calendar")
@signed_in
def calendar() -> ResponseReturnValue:
    """Show a month as the deadlines count it, every day with its act."""
    with look() as w:
        today = w.now.astimezone(ZONE).date()
        year = min(max(request.args.get("year", today.year, int), 2000), 2100)
        number = min(max(request.args.get("month", today.month, int), 1), 12)
        return render_template(
            "admin/calendar.html",
            days=administration.month(w, year, number),
            first=date(year, number, 1),
            today=today,
            before=(year, number - 1) if number > 1 else (year - 1, 12),
            after=(year, number + 1) if number < 12 else (year + 1, 1),
            until=administration.approved_until(w),
        )


@area.get("/incidents")
@holding(*INCIDENT_READERS)
def incidents() -> ResponseReturnValue:
    """Show what went wrong without anybody at the screen; trying again and closing are offered to whom the commands let do so."""
    with look() as w:
        every = request.args.get("all") == "1"
        rows = audit.incidents(w, open_only=not every)
        return render_template("admin/incidents.html", rows=rows, every=every, may_settle=bool(me().roles & ADMINISTRATORS))


@area.post("/incidents/<uuid:incident_id>/retry")
@holding(*ADMINISTRATORS)
@act("admin.incidents")
def retry(w: UnitOfWork, incident_id: UUID) -> ResponseReturnValue:
    """Try what failed again."""
    commands.retry(w, incident_id, request.form.get("reason", ""))
    flash(_("Đang thử lại."), "done")
    return redirect(url_for("admin.incidents"), 303)


@area.post("/incidents/<uuid:incident_id>/settlement")
@holding(*ADMINISTRATORS)
@act("admin.incidents")
def settle(w: UnitOfWork, incident_id: UUID) -> ResponseReturnValue:
    """Close an incident with a reason."""
    commands.settle(w, incident_id, request.form.get("reason", ""))
    flash(_("Đã đóng sự cố."), "done")
    return redirect(url_for("admin.incidents"), 303)


@area.get("/journal")
@holding(*AUDITORS)
def journal() -> ResponseReturnValue:
    """Search the journal."""
    listing = asked(JOURNAL, ("kind",))
    with look() as w:
        rows, total = audit.lines(
            w, code=listing.query, kind=listing.filters["kind"], number=1 if listing.export else listing.page, size=listing.limit
        )
        listing = listing.showing(rows, total)
        if listing.export:
            return taken_away(listing, "nhat-ky")
        kinds = [(kind, FACT.get(kind, kind)) for kind in audit.kinds(w)]
        return render_template("admin/journal.html", listing=listing, kinds=kinds, report=None)


@area.post("/journal/check")
@holding(*AUDITORS)
def check_journal() -> ResponseReturnValue:
    """Compute every hash anew and say whether the journal is whole."""
    listing = asked(JOURNAL, ("kind",))
    with look() as w:
        report = audit.check(w)
        rows, total = audit.lines(w, size=listing.size)
        kinds = [(kind, FACT.get(kind, kind)) for kind in audit.kinds(w)]
        return render_template("admin/journal.html", listing=listing.showing(rows, total), kinds=kinds, report=report)


@area.get("/evidence")
@holding(*AUDITORS)
def evidence() -> ResponseReturnValue:
    """Show until when the signatures of issued documents can be proven, and what is renewed when."""
    with look() as w:
        return render_template("admin/evidence.html", rows=preservation.renewals(w))
