"""Documents the leader has signed get number, date and the agency's seal signature; registers show every number and every gap."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, g, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.commands import ceremony, signatures, tasks
from engine.errors import NotFound, Refused
from engine.queries import ceremony as queries
from engine.queries import placement, registers, signing
from webapp.accounts import holding
from webapp.desk.area import task_address
from webapp.i18n import gettext as _
from webapp.i18n import lazy, pick
from webapp.rendering.formats import day, instant
from webapp.rendering.lists import Column, asked, taken_away
from webapp.rendering.navigation import Entry
from webapp.rendering.words import ENTRY, register_word
from webapp.signing_room.agent import agent_of, brought_back, handed_over
from webapp.signing_room.ceremony import approve, under_way
from webapp.transaction import look, work

area = Blueprint("documents", __name__, template_folder="templates", url_prefix="/documents")
CLERKS = frozenset({"agency_clerk", "unit_clerk"})
READERS = CLERKS | {"office_chief", "reception_officer", "return_officer", "cashier", "centre_leader", "inspector"}
OFFICE = lazy("Văn thư")
navigation = [
    Entry(OFFICE, lazy("Cấp số, đóng dấu"), "documents.waiting", "seal", CLERKS, count="issue"),
    Entry(OFFICE, lazy("Sổ đăng ký"), "documents.books", "list", READERS),
]
WAITING = (
    Column("left", lazy("Còn lại")),
    Column("dossier", lazy("Hồ sơ"), lambda r: r.dossier_code),
    Column("document", lazy("Văn bản"), lambda r: pick(r.procedure)),
    Column("owner", lazy("Chủ hồ sơ"), lambda r: r.owner),
    Column("due", lazy("Hạn"), lambda r: instant(r.due_at), shown=False),
)
ENTRIES = (
    Column("number", lazy("Số"), lambda r: r.number, numeric=True),
    Column("on", lazy("Ngày"), lambda r: day(r.on)),
    Column("subject", lazy("Trích yếu"), lambda r: r.subject),
    Column("dossier", lazy("Mã hồ sơ"), lambda r: r.dossier_code),
    Column("who", lazy("Người vào sổ"), lambda r: r.who),
    Column("state", lazy("Trạng thái"), lambda r: str(ENTRY[r.state][2]) if r.state in ENTRY else r.state),
)


@area.get("")
@holding(*CLERKS)
def waiting() -> ResponseReturnValue:
    """Show the signed documents that wait for number and seal, most urgent first."""
    listing = asked(WAITING, size=25)
    with look() as w:
        found = signing.to_issue(w, search=listing.query, number=1 if listing.export else listing.page, size=listing.limit)
        listing = listing.showing(found.rows, found.total)
        if listing.export:
            return taken_away(listing, "cho-cap-so")
        return render_template("documents/waiting.html", listing=listing)


@area.get("/<uuid:task_id>")
@holding(*CLERKS)
def issue(task_id: UUID) -> ResponseReturnValue:
    """Show one signed document before it gets its number and the seal."""
    with look() as w:
        page = signing.page(w, task_id)
        # Once the seal is in the picture there is nothing to outline any more.
        place = placement.of_document(w, page.document) if page.desk.task.state == "open" else None
        sealed = place if place is not None and place.seal is not None else None
        key = queries.key_in_use(w, page.document.unit_id)
        agent = agent_of(key, url_for("documents.agent_approval", task_id=task_id))
        return render_template("documents/issue.html", page=page, task=page.desk.task, place=sealed, agent=agent)


@area.get("/<uuid:task_id>/invitation")
@holding(*CLERKS)
def invitation(task_id: UUID) -> ResponseReturnValue:
    """Return what the browser seals the PIN to; good once, for a minute."""
    with look() as w:
        page = signing.page(w, task_id)
        return jsonify(signatures.invitation(w, signatures.key_of_agency(w, page.document.unit_id).reference))


@area.post("/<uuid:task_id>")
@holding(*CLERKS)
def seal(task_id: UUID) -> ResponseReturnValue:
    """Number, date and seal: prepare in one transaction, sign in none, finish in another.

    A number once given stays with the document when the seal fails: no gap arises and no number is given twice.
    """
    g.form_page = "documents.issue"
    sealed_pin = request.form.get("sealed_pin", "")[:2000]
    with work() as w:
        if tasks.find(w, task_id).closed_by_id == w.actor.person:
            return redirect(url_for("documents.waiting"), 303)
        document = signing.page(w, task_id).document
        alone = document.kind in ("annex", "copy")
        device = queries.key_in_use(w, document.unit_id).approval == "device"
        if not sealed_pin and not device:
            raise Refused("web.pin_missing", field="pin")
        prepared = signatures.prepare_issue(w, task_id)
        if prepared.request_id is None:
            raise NotFound("signing.request_not_found")
        # The page showed the leader's document and the number to come; number and seal are one act of the clerk.
        ceremony.show(w, [prepared.request_id])
    [outcome] = brought_back([prepared.request_id]) if device else approve([prepared.request_id], sealed_pin)
    with look() as w:
        follow = tasks.find(w, outcome.next_task_id) if outcome.next_task_id else None
    if outcome.waiting and outcome.failure:
        flash(under_way(outcome), "soon")
        return redirect(url_for("documents.waiting"), 303)
    if outcome.failure:
        raise Refused(outcome.failure, field="pin", **outcome.facts)
    said = _("Đã ký số của cơ quan: %(name)s.") if alone else _("Đã cấp số và đóng dấu: %(name)s.")
    flash(said % {"name": pick(outcome.name)}, "done")
    return redirect(task_address(follow.id, follow.action) if follow else url_for("documents.waiting"), 303)


@area.post("/<uuid:task_id>/agent")
@holding(*CLERKS)
def agent_approval(task_id: UUID) -> ResponseReturnValue:
    """Number and date a document whose seal key is on a USB token, and say what the agent is to sign."""
    with work() as w:
        prepared = signatures.prepare_issue(w, task_id)
        if prepared.request_id is None:
            raise NotFound("signing.request_not_found")
        ceremony.show(w, [prepared.request_id])
    return handed_over([prepared.request_id])


@area.get("/books")
@holding(*READERS)
def books() -> ResponseReturnValue:
    """Show the yearly registers of my units."""
    with look() as w:
        return render_template("documents/books.html", books=registers.mine(w))


@area.get("/books/<uuid:register_id>")
@holding(*READERS)
def book(register_id: UUID) -> ResponseReturnValue:
    """Show the lines of a register, newest first."""
    listing = asked(ENTRIES)
    with look() as w:
        register = next((r for r in registers.mine(w) if r.id == register_id), None)
        if register is None:
            raise NotFound("register.not_found")
        rows, total = registers.entries(w, register_id, number=1 if listing.export else listing.page, size=listing.limit)
        listing = listing.showing(rows, total)
        if listing.export:
            return taken_away(listing, f"so-{register.year}")
        return render_template(
            "documents/book.html",
            listing=listing,
            register=register,
            name=pick(register.name) or register_word(register.kind),
        )
