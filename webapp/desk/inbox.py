"""What waits for me, the least remaining working time first; claim, release, and the next task without looking for it."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.commands import tasks as commands
from engine.queries import inbox as queries
from engine.queries.procedures import in_force
from engine.runtime import UnitOfWork
from webapp.accounts import me, signed_in
from webapp.desk.area import area, task_address
from webapp.errors import attempted, said
from webapp.i18n import gettext as _
from webapp.i18n import lazy, ngettext, pick
from webapp.rendering.formats import duration, instant
from webapp.rendering.lists import Column, Listing, asked, taken_away
from webapp.rendering.words import status_state
from webapp.transaction import act, look, work

SIZE = 25
COLUMNS = (
    Column("left", lazy("Còn lại"), lambda r: ("-" if r.left.total_seconds() < 0 else "") + duration(r.left) if r.left is not None else ""),
    Column("dossier", lazy("Hồ sơ"), lambda r: r.dossier_code),
    Column("step", lazy("Việc cần làm"), lambda r: pick(r.step)),
    Column("owner", lazy("Chủ hồ sơ"), lambda r: r.owner),
    Column("status", lazy("Trạng thái"), lambda r: status_state(r.status)[2]),
    Column("due", lazy("Hạn"), lambda r: instant(r.due_at), shown=False),
    Column("assignee", lazy("Người làm"), lambda r: r.assignee),
)


def listed(w: UnitOfWork) -> tuple[Listing, queries.InboxPage]:
    """Return the list this request asks for."""
    listing = asked(COLUMNS, ("whose", "procedure", "late"), size=SIZE)
    found = queries.page(
        w,
        search=listing.query,
        whose=listing.filters["whose"] or "all",
        procedure=listing.filters["procedure"],
        late=bool(listing.filters["late"]),
        number=1 if listing.export else listing.page,
        size=listing.limit,
    )
    return listing.showing(found.rows, found.total), found


@area.get("")
@signed_in
def inbox() -> ResponseReturnValue:
    """Show my work."""
    if me().person is None:
        return redirect(url_for("admin.first_hour"), 303)
    with look() as w:
        listing, found = listed(w)
        if listing.export:
            return taken_away(listing, "viec-cua-toi")
        procedures = [(row.version.key, pick({"vi": row.version.name_vi, "en": row.version.name_en})) for row in in_force(w)]
        return render_template(
            "desk/inbox.html", listing=listing, found=found, procedures=procedures, address=task_address, undo=undoable(w)
        )


@area.get("/rows")
@signed_in
def rows() -> ResponseReturnValue:
    """Answer a poll: 204 while nothing has changed, the rows when something has."""
    with look() as w:
        if request.args.get("seen") == queries.seen(w):
            return "", 204
        listing, found = listed(w)
        return render_template("desk/rows.html", listing=listing, found=found, address=task_address)


@area.get("/next")
@signed_in
def next_task() -> ResponseReturnValue:
    """Open the most urgent task on my own desk, else take the most urgent one of my queue."""
    with look() as w:
        mine = queries.page(w, whose="mine", size=1).rows
        waiting = [] if mine else queries.page(w, whose="queue", size=1).rows
    row = next(iter([*mine, *waiting]), None)
    if row is None:
        flash(_("Không còn việc nào đang chờ. Tốt lắm!"), "done")
        return redirect(url_for("desk.inbox"), 303)
    return redirect(task_address(row.task_id, row.action), 303)


@area.post("/claim")
@signed_in
def claim_several() -> ResponseReturnValue:
    """Take several tasks at once; what could not be taken is named with its reason."""
    taken, missed = 0, []
    for text in request.form.getlist("task")[:100]:
        error = attempted(partial(claim_one, UUID(text)))
        taken += error is None
        if error is not None:
            missed.append(said(error).what)
    if taken:
        flash(ngettext("Đã nhận %(n)s việc.", "Đã nhận %(n)s việc.", taken) % {"n": taken}, "done")
    for reason in missed:
        flash(_("Một việc chưa nhận được: %(why)s") % {"why": reason}, "late")
    if not taken and not missed:
        flash(_("Chưa đánh dấu việc nào."), "soon")
    return redirect(url_for("desk.inbox", whose="mine" if taken else None), 303)


def claim_one(task_id: UUID) -> None:
    """Take one task in a unit of work of its own."""
    with work() as w:
        commands.claim(w, task_id)


@area.post("/tasks/<uuid:task_id>/claim")
@signed_in
@act("desk.task")
def claim(w: UnitOfWork, task_id: UUID) -> ResponseReturnValue:
    """Take a task to my own desk and open it."""
    taken = commands.claim(w, task_id)
    return redirect(task_address(task_id, taken.action), 303)


@area.post("/tasks/<uuid:task_id>/release")
@signed_in
@act("desk.task")
def release(w: UnitOfWork, task_id: UUID) -> ResponseReturnValue:
    """Give a task back to the queue of my unit."""
    commands.release(w, task_id)
    flash(_("Đã trả việc về hàng đợi."), "done")
    return redirect(url_for("desk.inbox"), 303)


def undoable(w: UnitOfWork) -> dict[str, Any] | None:
    """Return the hand-over that can still be called back, when this page follows one."""
    text = request.args.get("done", "")
    if len(text) != 36:
        return None
    task = commands.find(w, UUID(text))
    if task.undo_until is None or task.closed_by_id != w.actor.person or task.undo_until <= w.now:
        return None
    return {"id": task.id, "name": task.name, "seconds": int((task.undo_until - w.now).total_seconds()) + 1}
