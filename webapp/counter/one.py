"""One dossier at the counter: take the fee, take what was asked for, withdraw, print."""

from __future__ import annotations

from functools import partial

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from engine.commands import dossiers as commands
from engine.commands import files
from engine.errors import Invalid, Refused
from engine.queries import dossiers as queries
from engine.runtime import UnitOfWork
from webapp.accounts import holding
from webapp.counter.area import COUNTER, area
from webapp.counter.intake import FILE_FIELD
from webapp.errors import attempted
from webapp.i18n import gettext as _
from webapp.transaction import act, look


@area.get("/dossiers/<code>")
@holding(*COUNTER)
def one(code: str) -> ResponseReturnValue:
    """Show what can be done with a dossier at the counter."""
    with look() as w:
        page = queries.page(w, code)
        waiting = next((s for s in page.suspensions if s.resumed_at is None and s.ground == "supplement"), None)
        return render_template(
            "counter/one.html",
            page=page,
            asked=[c for c in page.dossier.components if c.asked],
            waiting=waiting,
            results=[t for t in page.tasks if t.state == "open"],
        )


@area.post("/dossiers/<code>/payment")
@holding("reception_officer", "cashier", "return_officer")
@act("counter.one")
def pay(w: UnitOfWork, code: str) -> ResponseReturnValue:
    """Take the fees."""
    commands.pay(w, code, "transfer" if request.form.get("method") == "transfer" else "cash")
    flash(_("Đã thu phí, lệ phí."), "done")
    return redirect(url_for("counter.one", code=code), 303)


@area.post("/dossiers/<code>/supplement")
@holding("reception_officer")
def supplement(code: str) -> ResponseReturnValue:
    """Take the papers that were asked for; they are looked at before the transaction begins."""
    g.form_page = "counter.one"
    return supplement_now(code, examined_files())


def examined_files() -> dict[str, list[files.Examined]]:
    """Return the uploads that passed, by component.

    Raises:
        Invalid: with the reason at each component whose file was refused.
    """
    found: dict[str, list[files.Examined]] = {}
    wrong: dict[str, Refused] = {}
    for field, upload in request.files.items(multi=True):
        if field.startswith(FILE_FIELD) and upload.filename:
            component = field.removeprefix(FILE_FIELD)
            shelf = found.setdefault(component, [])
            error = attempted(partial(examine_into, shelf, upload, component))
            if isinstance(error, Refused):
                wrong[f"component.{component}"] = error
    if wrong:
        raise Invalid(wrong)
    return found


def examine_into(shelf: list[files.Examined], upload: FileStorage, component: str) -> None:
    """Look at one upload and put it on the shelf of its component."""
    safe = component in request.form.getlist("safe_copy")
    shelf.append(files.examine(upload.read(), upload.filename or "", safe_copy=safe, field=f"component.{component}"))


@act("counter.one")
def supplement_now(w: UnitOfWork, code: str, answers: dict[str, list[files.Examined]]) -> ResponseReturnValue:
    """Let the clock run on and the dossier go back to the step that asked."""
    commands.answer_supplement(w, code, answers, request.form.get("note", ""))
    flash(_("Đã nhận bổ sung; hồ sơ trở lại đúng bước đã yêu cầu."), "done")
    return redirect(url_for("counter.one", code=code), 303)


@area.get("/dossiers/<code>/withdrawal")
@holding("reception_officer")
def withdrawal(code: str) -> ResponseReturnValue:
    """Say what a withdrawal means before it happens."""
    with look() as w:
        return render_template("counter/withdrawal.html", page=queries.page(w, code))


@area.post("/dossiers/<code>/withdrawal")
@holding("reception_officer")
@act("counter.withdrawal")
def withdraw(w: UnitOfWork, code: str) -> ResponseReturnValue:
    """Withdraw the dossier on its owner's request."""
    commands.withdraw(w, code, request.form.get("reason", ""))
    flash(_("Hồ sơ đã được rút theo yêu cầu."), "done")
    return redirect(url_for("counter.one", code=code), 303)
