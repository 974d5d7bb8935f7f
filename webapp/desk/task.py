"""One task: the papers beside the form, drafts that keep themselves, completion, undo, send back, hand over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import flash, g, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue

from engine.commands import tasks as commands
from engine.queries import desk as queries
from engine.queries.steps import form_of
from engine.runtime import UnitOfWork
from webapp.accounts import signed_in
from webapp.application import redirect_to, this_request
from webapp.desk.area import area, task_address
from webapp.desk.inbox import undoable
from webapp.i18n import gettext as _
from webapp.rendering.formats import clock_time
from webapp.rendering.forms import read_answers
from webapp.transaction import act, look, work


def answers_of(page_form: Any, kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the fields show: defaults, over them what was kept, over that what was just submitted."""
    defaults = {field.key: field.default for field in page_form.fields if field.default is not None}
    given = read_answers(page_form.fields) if g.get("submitted") is not None else {}
    return {**defaults, **kept, **given}


def quick_reasons(seen: Any, answers: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the ready-made reasons of each field that asks for them, those that fit the answers so far."""
    found: dict[str, list[dict[str, Any]]] = {}
    for field in seen.form.fields if seen.form else ():
        wanted = str(dict(field.properties).get("quick_reasons", "")).split()
        chosen = [kind for kind in wanted if any(isinstance(v, str) and kind.startswith(v[:6]) for v in answers.values() if v)]
        if wanted:
            into = dict(field.properties).get("legal_basis_field", "")
            found[field.key] = [
                {"text": reason.text, "legal_basis": reason.legal_basis, "basis_into": into}
                for reason in seen.reasons
                if reason.kind in (chosen or wanted)
            ]
    return found


@area.get("/tasks/<uuid:task_id>")
@signed_in
def task(task_id: UUID) -> ResponseReturnValue:
    """Show a task; a signature or a seal is given in its own room."""
    with look() as w:
        seen = queries.page(w, task_id)
        room = task_address(task_id, seen.task.action)
        if seen.task.state == "open" and room != request.path and g.get("submitted") is None:
            return redirect(task_address(task_id, seen.task.action, done=request.args.get("done")), 303)
        answers = answers_of(seen.form, seen.task.draft) if seen.form else {}
        items = seen.form.shown_items(answers, seen.scope) if seen.form else ()
        return render_template(
            "desk/task.html",
            seen=seen,
            answers=answers,
            items=items,
            quick=quick_reasons(seen, answers),
            papers=papers_of(seen),
            undo=undoable(w),
        )


def papers_of(seen: Any) -> dict[str, Any]:
    """Return the papers to leaf through, and the one being shown."""
    shelf = [
        {
            "key": f"f-{f.id}",
            "name": f.name,
            "pages": f.pages,
            "endpoint": "desk.file_page",
            "argument": "file_id",
            "id": f.id,
            "signed": f.signed,
        }
        for f in seen.files
    ] + [
        {
            "key": f"d-{d.id}",
            "name": d.name,
            "pages": None,
            "endpoint": "desk.document_page",
            "argument": "document_id",
            "id": d.id,
            "signed": d.state != "draft",
        }
        for d in seen.documents
    ]
    wanted = request.args.get("paper", "")
    return {"shelf": shelf, "shown": next((p for p in shelf if p["key"] == wanted), shelf[0] if shelf else None)}


@area.post("/tasks/<uuid:task_id>/fields")
@signed_in
def fields(task_id: UUID) -> ResponseReturnValue:
    """Show the fields again for the answers given so far; which of them appear is decided here, never in the browser."""
    g.submitted = request.form
    with look() as w:
        seen = queries.page(w, task_id)
        answers = answers_of(seen.form, seen.task.draft) if seen.form else {}
        items = seen.form.shown_items(answers, seen.scope) if seen.form else ()
        return render_template("desk/fields.html", seen=seen, answers=answers, items=items, quick=quick_reasons(seen, answers))


@area.post("/tasks/<uuid:task_id>/draft")
@signed_in
def draft(task_id: UUID) -> ResponseReturnValue:
    """Keep what has been typed so far."""
    with work() as w:
        form = form_of(w, task_id)
        version = commands.save_draft(w, task_id, form.draft(read_answers(form.fields)), request.form.get("_draft_version", 0, int))
        return jsonify(draft_version=version, message=_("Đã lưu lúc %(time)s") % {"time": clock_time(w.now)})


@area.post("/tasks/<uuid:task_id>/completion")
@signed_in
@act("desk.task", claims=False)
def complete(w: UnitOfWork, task_id: UUID) -> ResponseReturnValue:
    """Complete the step; the next task opens by itself, and for ten seconds this one can be called back."""
    done = commands.complete(w, task_id, lambda form: read_answers(form.fields), version=this_request().form.get("_version", None, int))
    if done.undo_until is None:
        flash(_("Đã hoàn thành bước."), "done")
    follow: dict[str, Any] = {"done": str(done.task_id)} if done.undo_until else {}
    if done.next_task_id is None:
        return redirect_to("desk.inbox", **follow)
    return redirect_to("desk.task", task_id=done.next_task_id, **follow)


@area.post("/tasks/<uuid:task_id>/undo")
@signed_in
@act()
def undo(w: UnitOfWork, task_id: UUID) -> ResponseReturnValue:
    """Call a hand-over back."""
    commands.undo(w, task_id)
    flash(_("Đã hoàn tác; việc đã trở lại bàn của anh/chị."), "done")
    return redirect_to("desk.task", task_id=task_id)


@area.post("/tasks/<uuid:task_id>/send-back")
@signed_in
@act("desk.task")
def send_back(w: UnitOfWork, task_id: UUID) -> ResponseReturnValue:
    """Send the dossier back to an earlier step, with the reason."""
    commands.send_back(w, task_id, request.form.get("step", ""), request.form.get("reason", ""))
    flash(_("Đã chuyển trả kèm lý do."), "done")
    return redirect_to("desk.inbox")


@area.post("/tasks/<uuid:task_id>/assignee")
@signed_in
@act("desk.task")
def assign(w: UnitOfWork, task_id: UUID) -> ResponseReturnValue:
    """Hand the task to a colleague."""
    commands.assign(w, task_id, chosen_person(), request.form.get("note", ""))
    flash(_("Đã giao việc cho đồng nghiệp."), "done")
    return redirect_to("desk.inbox")


def chosen_person() -> UUID:
    """Return the colleague chosen in the form; none chosen is nobody's id, which the engine refuses at the field."""
    text = request.form.get("person", "")
    return UUID(text) if len(text) == 36 else UUID(int=0)
