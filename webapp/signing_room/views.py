"""One leader, one document after the other: read what will be signed, sign with one's own PIN, or send back with a reason."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import flash, g, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.commands import placement, signatures, tasks
from engine.errors import NotFound, Refused
from engine.queries import ceremony, signing
from engine.queries import placement as places
from engine.runtime import UnitOfWork
from webapp.accounts import me, signed_in
from webapp.desk.area import task_address
from webapp.desk.files import download, picture
from webapp.desk.task import chosen_person
from webapp.i18n import gettext as _
from webapp.i18n import lazy, pick
from webapp.rendering.formats import duration, instant
from webapp.rendering.lists import Column, asked, taken_away
from webapp.rendering.words import DOCUMENT_STATE
from webapp.signing_room.agent import agent_of, brought_back
from webapp.signing_room.area import REVISION, area
from webapp.signing_room.ceremony import approve, prepared, under_way
from webapp.transaction import act, look, work

SIZE = 25
EXPIRING = timedelta(days=30)
MILLIMETRES = re.compile(r"\d{1,4}(\.\d{1,2})?")
WAITING = (
    Column("left", lazy("Còn lại"), lambda r: ("-" if r.left.total_seconds() < 0 else "") + duration(r.left) if r.left is not None else ""),
    Column("dossier", lazy("Hồ sơ"), lambda r: r.dossier_code),
    Column("document", lazy("Văn bản"), lambda r: pick(r.procedure)),
    Column("owner", lazy("Chủ hồ sơ"), lambda r: r.owner),
    Column("prepared", lazy("Người trình")),
    Column("changed", lazy("Thay đổi từ lần xem trước")),
    Column("due", lazy("Hạn"), lambda r: instant(r.due_at), shown=False),
)
SIGNED = (
    Column("at", lazy("Ký lúc"), lambda r: instant(r.at)),
    Column("document", lazy("Văn bản"), lambda r: pick(r.name)),
    Column("dossier", lazy("Hồ sơ"), lambda r: r.dossier_code),
    Column("subject", lazy("Nội dung"), lambda r: r.subject),
    Column("state", lazy("Trạng thái"), lambda r: str(DOCUMENT_STATE[r.document_state][2]) if r.document_state in DOCUMENT_STATE else ""),
)


@area.get("")
@signed_in
def waiting() -> ResponseReturnValue:
    """Show how many documents wait for my signature, the least time left first."""
    listing = asked(WAITING, size=SIZE)
    with look() as w:
        found = signing.waiting(w, search=listing.query, number=1 if listing.export else listing.page, size=listing.limit)
        listing = listing.showing(found.rows, found.total)
        if listing.export:
            return taken_away(listing, "cho-ky")
        briefs = ceremony.briefs(w, [row.task_id for row in found.rows])
        lent = [held for held in me().held if held.lent]
        underway = ceremony.under_way(w, [row.task_id for row in found.rows])
        return render_template("signing_room/waiting.html", listing=listing, briefs=briefs, lent=lent, underway=underway)


@area.get("/signed")
@signed_in
def signed() -> ResponseReturnValue:
    """Show what I have signed, newest first."""
    listing = asked(SIGNED, size=SIZE)
    with look() as w:
        rows, total = ceremony.signed_by_me(w, number=1 if listing.export else listing.page, size=listing.limit)
        listing = listing.showing(rows, total)
        if listing.export:
            return taken_away(listing, "da-ky")
        return render_template("signing_room/signed.html", listing=listing)


@area.get("/<uuid:task_id>")
@signed_in
def page(task_id: UUID) -> ResponseReturnValue:
    """Show one document: the very bytes that will be signed, what differs, the history; and the form of the signature."""
    with look() as w:
        task = tasks.find(w, task_id)
        room, elsewhere = task_address(task_id, task.action), ceremony.open_elsewhere(w, task_id)
    if room != url_for("signing_room.page", task_id=task_id):
        return redirect(room, 303)
    ready = prepared([task_id])[0] if task.state == "open" else None
    with look() as w:
        seen, key = signing.page(w, task_id), ceremony.key_in_use(w)
        place = places.of_request(w, ready.request_id) if ready is not None and ready.request_id is not None else None
        return render_template(
            "signing_room/page.html",
            page=seen,
            task=seen.desk.task,
            ready=ready,
            elsewhere=elsewhere,
            place=place,
            misplaced=Refused(place.why, **place.facts) if place is not None and place.why else None,
            refused=Refused(ready.failure, **ready.facts) if ready is not None and ready.failure else None,
            brief=ceremony.brief(w, seen.desk.task),
            telephone=key.approval == "telephone",
            agent=agent_of(key, url_for("signing_room.agent_approval")),
            expiring=seen.key_until is not None and seen.key_until - w.now < EXPIRING,
            neighbours=neighbours(w, task_id),
            revision_word=REVISION,
        )


def neighbours(w: UnitOfWork, task_id: UUID) -> dict[str, Any]:
    """Return the documents before and after this one, and how many wait."""
    found = signing.waiting(w, size=50)
    ids = [row.task_id for row in found.rows]
    here = ids.index(task_id) if task_id in ids else -1
    return {
        "total": found.total,
        "place": here + 1,
        "previous": ids[here - 1] if here > 0 else None,
        "next": ids[here + 1] if 0 <= here < len(ids) - 1 else None,
    }


@area.get("/invitation")
@signed_in
def invitation() -> ResponseReturnValue:
    """Return what the browser seals the PIN to; good once, for a minute."""
    with look() as w:
        return jsonify(signatures.invitation(w, ceremony.key_reference(w)))


@area.post("/<uuid:task_id>")
@signed_in
def sign(task_id: UUID) -> ResponseReturnValue:
    """Sign what was shown; the next document opens by itself."""
    g.form_page = "signing_room.page"
    sealed_pin = request.form.get("sealed_pin", "")[:2000]
    with work() as w:
        if tasks.find(w, task_id).closed_by_id == w.actor.person:
            return redirect(url_for("signing_room.waiting"), 303)
        approval = ceremony.key_in_use(w).approval
        shown = shown_request(w, task_id, at_agent=approval == "device")
    if not sealed_pin and approval == "pin":
        raise Refused("web.pin_missing", field="pin")
    outcome = brought_back([shown])[0] if approval == "device" else approve([shown], sealed_pin)[0]
    if outcome.waiting and outcome.failure:
        flash(under_way(outcome), "soon")
        return redirect(url_for("signing_room.waiting"), 303)
    if outcome.failure:
        raise Refused(outcome.failure, field="pin", **outcome.facts)
    flash(_("Đã ký: %(name)s.") % {"name": pick(outcome.name)}, "done")
    with look() as w:
        follow = next(iter(signing.waiting(w, size=1).rows), None)
    return redirect(url_for("signing_room.page", task_id=follow.task_id) if follow else url_for("signing_room.waiting"), 303)


@area.post("/<uuid:task_id>/place")
@signed_in
@act("signing_room.page")
def put(w: UnitOfWork, task_id: UUID) -> ResponseReturnValue:
    """Move the signature on its page, or put it back; the document is prepared anew and its page shows the new bytes."""
    if "reset" in request.form:
        placement.reset(w, task_id)
    else:
        placement.place(w, task_id, millimetres("x"), millimetres("y"))
    flash(_("Đã đặt chữ ký và chuẩn bị lại văn bản. Xem lại trang rồi mới ký."), "done")
    return redirect(url_for("signing_room.page", task_id=task_id, _anchor="pages-title"), 303)


def millimetres(name: str) -> float:
    """Return a length somebody typed, with comma or point.

    Raises:
        Refused: ``placement.millimetres`` at its field.
    """
    text = request.form.get(name, "").strip().replace(",", ".")
    if not MILLIMETRES.fullmatch(text):
        raise Refused("placement.millimetres", field=name)
    return float(text)


def shown_request(w: UnitOfWork, task_id: UUID, *, at_agent: bool) -> UUID:
    """Return the preparation the form was shown for; only that one is signed, never a newer one the signer has not seen.

    One that is already *at_agent* has been approved: what the agent brings back for it is judged there.

    Raises:
        NotFound: it is not mine, or of another document.
        Refused: it is over; the page shows the new one and asks for the PIN again.
    """
    known = ceremony.request_of(w, request.form.get("request", UUID(int=0), UUID))
    if known.task_id != task_id:
        raise NotFound("signing.request_not_found")
    if at_agent and known.state in (*ceremony.UNDER_WAY, "embedded"):
        return known.id
    if known.state in ceremony.UNDER_WAY:
        approved = known.approved_at.isoformat() if known.approved_at else ""
        raise Refused("signing.under_way", field="pin", at=approved)
    if known.state not in ceremony.READY or known.expires_at <= w.now:
        raise Refused("signing.request_over", field="pin", state=known.state)
    return known.id


@area.post("/<uuid:task_id>/send-back")
@signed_in
@act("signing_room.page")
def send_back(w: UnitOfWork, task_id: UUID) -> ResponseReturnValue:
    """Send the document back, with a reason, to whom the leader chooses."""
    tasks.send_back(w, task_id, request.form.get("step", ""), request.form.get("reason", ""))
    flash(_("Đã chuyển trả kèm lý do."), "done")
    return redirect(url_for("signing_room.waiting"), 303)


@area.post("/<uuid:task_id>/assignee")
@signed_in
@act("signing_room.page")
def assign(w: UnitOfWork, task_id: UUID) -> ResponseReturnValue:
    """Hand the signature to a colleague who may give it."""
    tasks.assign(w, task_id, chosen_person(), request.form.get("note", ""))
    flash(_("Đã giao việc cho đồng nghiệp."), "done")
    return redirect(url_for("signing_room.waiting"), 303)


@area.get("/requests/<uuid:request_id>/pages/<int:number>")
@signed_in
def prepared_page(request_id: UUID, number: int) -> ResponseReturnValue:
    """Send one page of the very bytes that will be signed."""
    with look() as w:
        return picture(ceremony.prepared_picture(w, request_id, number))


@area.get("/requests/<uuid:request_id>.pdf")
@signed_in
def prepared_file(request_id: UUID) -> ResponseReturnValue:
    """Send the very bytes that will be signed."""
    with look() as w:
        return download(ceremony.prepared_bytes(w, request_id), f"trinh-ky-{str(request_id)[:8]}.pdf", "application/pdf")
