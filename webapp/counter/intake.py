"""Receiving a dossier: one scan fills the person, papers are judged as they come, fee and due date are seen before they are promised."""

from __future__ import annotations

import re
import secrets
from datetime import date
from typing import Any
from uuid import UUID

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage, MultiDict

from engine.commands import dossiers as commands
from engine.commands import files
from engine.commands.dossiers import PartyInput, Reception
from engine.errors import Invalid, Refused
from engine.queries import reception as queries
from engine.runtime import UnitOfWork
from webapp.accounts import holding
from webapp.counter.area import area
from webapp.i18n import gettext as _
from webapp.rendering.forms import PREFIX, read_answers
from webapp.transaction import act, look, work

FILE_FIELD = "file."
DATE = re.compile(r"(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{4})")


@area.get("/intake/<procedure>")
@holding("reception_officer")
def intake(procedure: str) -> ResponseReturnValue:
    """Show the reception of a procedure; the same page shows it again with what was entered."""
    form = g.get("submitted") or MultiDict()
    g.refusals = {name.replace(".birth_on", ".birth"): reason for name, reason in g.get("refusals", {}).items()}
    key = form.get("upload_key") or secrets.token_urlsafe(18)
    with look() as w:
        entered = entered_so_far(procedure, form)
        page = queries.intake(w, procedure, upload_key=key, reception=entered, deciding_unit=unit_of(form))
        answers = {field.key: field.default for field in page.form.fields if field.default is not None} if page.form else {}
        answers |= dict(entered.answers)
        items = page.form.shown_items(answers, {}) if page.form else ()
        return render_template("counter/intake.html", page=page, upload_key=key, answers=answers, items=items, entered=entered, form=form)


@area.post("/intake/<procedure>/card")
@holding("reception_officer")
def scan(procedure: str) -> ResponseReturnValue:
    """Fill the person from a scanned card: the owner, or the submitter when one is being entered."""
    g.form_page = "counter.intake"
    with look() as w:
        card = queries.card(w, request.form.get("card", ""))
    form = MultiDict(request.form)
    party = "submitter" if form.get("party") == "submitter" else "owner"
    filled = {
        "name": card.name,
        "identity": card.number,
        "birth": card.birth_on.strftime("%d/%m/%Y"),
        "sex": card.sex,
        "address": card.address,
    }
    for field, value in filled.items():
        form[f"{party}.{field}"] = value
    form["card"] = ""
    g.submitted = form
    return intake(procedure)


@area.post("/intake/<procedure>/papers")
@holding("reception_officer")
def papers(procedure: str) -> ResponseReturnValue:
    """Take the chosen files at once, so that pages, fee and refusals are seen before reception; or take one out again."""
    g.form_page = "counter.intake"
    key = upload_key()
    keep_files(key)
    unwanted = request.form.get("discard", "")
    if unwanted:
        with work() as w:
            files.discard(w, key, UUID(unwanted))
    g.submitted = MultiDict(request.form)
    return intake(procedure)


@area.post("/intake/<procedure>")
@holding("reception_officer")
def receive(procedure: str) -> ResponseReturnValue:
    """Receive the dossier; the files are kept first, outside the transaction of the reception, so that a refusal loses none."""
    g.form_page = "counter.intake"
    if not answered_before():
        keep_files(upload_key())
    return receive_now(procedure)


def answered_before() -> bool:
    """Say whether this very form has been received already: its files are then in the dossier, and a second copy would be nobody's."""
    key = request.form.get("request_id", "")[:64]
    with look() as w:
        return bool(key) and w.recall(key) is not None


@act("counter.intake")
def receive_now(w: UnitOfWork, procedure: str) -> ResponseReturnValue:
    """Receive the dossier with everything entered, and show its receipt."""
    form = request.form
    wrong = {
        name: Refused("identity.no_such_date", field=name)
        for name in ("owner.birth", "submitter.birth")
        if form.get(name) and not day_of(form[name])
    }
    if wrong:
        raise Invalid(wrong)
    done = commands.receive_dossier(w, entered_so_far(procedure, form, checked=True))
    flash(_("Đã tiếp nhận hồ sơ %(code)s.") % {"code": done.code}, "done")
    return redirect(url_for("counter.received", code=done.code, receipt=done.receipt_id), 303)


def upload_key() -> str:
    """Return the key of this draft; one that we did not make is replaced."""
    given = request.form.get("upload_key", "")
    return given if re.fullmatch(r"[A-Za-z0-9_-]{20,40}", given) else secrets.token_urlsafe(18)


def keep_files(key: str) -> None:
    """Look at every chosen file in a child process, then keep those that passed; a file chosen twice is kept once.

    Raises:
        Invalid: with the reason at each component whose file was refused.
    """
    wrong: dict[str, Refused] = {}
    for field, upload in request.files.items(multi=True):
        if not field.startswith(FILE_FIELD) or not upload.filename:
            continue
        component = field.removeprefix(FILE_FIELD)
        refused = keep_file(key, component, upload)
        if refused is not None:
            wrong[f"component.{component}"] = refused
    if wrong:
        raise Invalid(wrong)


def keep_file(key: str, component: str, upload: FileStorage) -> Refused | None:
    """Keep one file, or return why not."""
    from webapp.errors import attempted

    examined: list[files.Examined] = []
    safe = component in request.form.getlist("safe_copy")
    error = attempted(
        lambda: examined.append(files.examine(upload.read(), upload.filename or "", safe_copy=safe, field=f"component.{component}"))
    )
    if error is None:
        error = attempted(lambda: keep_examined(key, component, examined[0]))
    return error if isinstance(error, Refused) else None if error is None else Refused(error.code, **dict(error.facts))


def keep_examined(key: str, component: str, examined: files.Examined) -> None:
    """Keep a file that passed, unless this draft has it already."""
    with work() as w:
        digest = commands.digest(examined.content)
        if not any(f.component == component and f.sha256 == digest for f in files.waiting(w, key)):
            files.keep(w, examined, component=component, upload_key=key)


def entered_so_far(procedure: str, form: Any, *, checked: bool = False) -> Reception:
    """Return the reception as entered; *checked* when it is about to become true."""
    other = form.get("party") == "submitter"
    return Reception(
        procedure=procedure,
        deciding_unit_id=unit_of(form) or UUID(int=0),
        owner=party(form, "owner"),
        submitter=party(form, "submitter") if other else None,
        components=form.getlist("components") if hasattr(form, "getlist") else (),
        upload_key=form.get("upload_key", ""),
        subject=form.get("subject", "")[:300],
        delivery=form.get("delivery", "counter") if form.get("delivery") in ("counter", "postal", "download", "store") else "counter",
        answers=start_answers(procedure, form)
        if form and checked
        else {k[len(PREFIX) :]: v for k, v in form.items() if k.startswith(PREFIX)},
        paid=form.get("paid") if form.get("paid") in ("cash", "transfer") else None,
    )


def start_answers(procedure: str, form: Any) -> dict[str, Any]:
    """Return the answers to the procedure's own start form."""
    with look() as w:
        _version, package = commands.in_force(w, procedure)
        return read_answers(package.form(package.start_form).fields) if package.start_form else {}


def party(form: Any, kind: str) -> PartyInput:
    """Return a person as entered."""
    return PartyInput(
        name=form.get(f"{kind}.name", "")[:120],
        identity=form.get(f"{kind}.identity", "")[:20],
        birth_on=day_of(form.get(f"{kind}.birth", "")),
        sex=form.get(f"{kind}.sex", ""),
        address=form.get(f"{kind}.address", "")[:300],
        phone=form.get(f"{kind}.phone", "")[:20],
        email=form.get(f"{kind}.email", "")[:120],
    )


def day_of(text: str) -> date | None:
    """Return a day written dd/mm/yyyy; None when there is no such day."""
    found = DATE.fullmatch(text.strip())
    if found is None:
        return None
    day, month, year = map(int, found.groups())
    last = (31, 29 if year % 4 == 0 and (year % 100 or year % 400 == 0) else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return date(year, month, day) if 1 <= month <= 12 and year >= 1 and 1 <= day <= last[month - 1] else None


def unit_of(form: Any) -> UUID | None:
    """Return the agency chosen to decide."""
    text = form.get("deciding_unit", "")
    return UUID(text) if re.fullmatch(r"[0-9a-fA-F-]{36}", text) else None
