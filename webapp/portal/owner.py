"""The owner's own pages: papers, the answer to a supplement request, the result."""

from __future__ import annotations

from uuid import UUID

from flask import Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.commands import dossiers as commands
from engine.commands import files, tasks
from engine.errors import Invalid, Refused
from engine.queries import tracking, verification
from engine.runtime import UnitOfWork
from webapp.i18n import gettext as _
from webapp.portal.area import area
from webapp.portal.track import parts_of, require_opened
from webapp.security import limiter
from webapp.transaction import act, look

SANDBOX = "sandbox; default-src 'none'"
Answers = dict[str, list[files.Examined]]


@area.get("/ho-so/<code>")
def dossier(code: str) -> ResponseReturnValue:
    """Show the owner everything that concerns them: the next thing asked of them first."""
    require_opened(code)
    with look() as w:
        seen = tracking.owner(w, code)
        return render_template("portal/dossier.html", seen=seen, **parts_of(seen.progress))


@area.get("/ho-so/<code>/bo-sung")
def supplement(code: str) -> ResponseReturnValue:
    """Show what is asked for, with the officer's reason beside it."""
    require_opened(code)
    with look() as w:
        seen = tracking.owner(w, code)
        return render_template("portal/supplement.html", seen=seen, **parts_of(seen.progress))


@area.post("/ho-so/<code>/bo-sung")
@limiter.limit("20/minute")
def answer_supplement(code: str) -> ResponseReturnValue:
    """Look at every file first, outside any transaction, then take the answer whole."""
    g.form_page = "portal.supplement"
    require_opened(code)
    return answered(code, brought())


def brought() -> Answers:
    """Return the files brought, by component, each looked at; all that is wrong is said together.

    Raises:
        Invalid: with the reason at each component.
    """
    from webapp.errors import attempted

    found: Answers = {}
    wrong: dict[str, Refused] = {}
    for name, upload in request.files.items(multi=True):
        if not name.startswith("file.") or not upload.filename:
            continue
        component = name.removeprefix("file.")
        kept = found.setdefault(component, [])
        safe = component in request.form.getlist("safe_copy")
        content, called = upload.read(), upload.filename

        def look_at(content: bytes = content, called: str = called, safe: bool = safe, kept: list[files.Examined] = kept) -> None:
            kept.append(files.examine(content, called, safe_copy=safe))

        error = attempted(look_at)
        if error is not None:
            wrong[f"component.{component}"] = error if isinstance(error, Refused) else Refused(error.code, **dict(error.facts))
    if wrong:
        raise Invalid(wrong)
    return {component: kept for component, kept in found.items() if kept}


@act("portal.supplement")
def answered(w: UnitOfWork, code: str, answers: Answers) -> ResponseReturnValue:
    """Take the answer: the clock runs again and the dossier is back at the step that asked."""
    commands.answer_supplement(w, code, answers, request.form.get("note", ""), access_checked=True)
    flash(_("Đã nhận bổ sung. Hồ sơ trở lại đúng bước đã yêu cầu; thời hạn được tính tiếp."), "done")
    return redirect(url_for("portal.dossier", code=code), 303)


@area.post("/ho-so/<code>/xac-nhan")
@limiter.limit("20/minute")
def confirm(code: str) -> ResponseReturnValue:
    """Take the owner's word on the paper shown: content, or what is to be looked at again."""
    g.form_page = "portal.dossier"
    require_opened(code)
    return confirmed(code)


@act("portal.dossier")
def confirmed(w: UnitOfWork, code: str) -> ResponseReturnValue:
    """Let the process go on with it."""
    agreed = request.form.get("agreed") == "yes"
    commands.confirm(w, code, agreed, request.form.get("remark", ""), access_checked=True)
    flash(_("Đã nhận ý kiến: đồng ý.") if agreed else _("Đã nhận đề nghị; cơ quan sẽ xem lại và trả lời ông/bà."), "done")
    return redirect(url_for("portal.dossier", code=code), 303)


@area.get("/ho-so/<code>/giay-to/<uuid:document_id>.pdf")
def paper(code: str, document_id: UUID) -> ResponseReturnValue:
    """Send a paper the office has issued to the owner."""
    require_opened(code)
    with look() as w:
        document, content = tracking.issued_bytes(w, code, document_id)
        response = Response(content, mimetype="application/pdf")
        response.headers.set("Content-Disposition", "attachment", filename=f"{code}-{document.kind}.pdf")
        response.headers["Content-Security-Policy"] = SANDBOX
        return response


@area.get("/ho-so/<code>/ket-qua")
def result(code: str) -> ResponseReturnValue:
    """Show the result with its verdict in words before it is taken."""
    from webapp.transaction import runtime

    require_opened(code)
    with look() as w:
        seen = tracking.owner(w, code)
        if seen.result is None:
            raise Refused("result.not_ready")
        _document, content = tracking.issued_bytes(w, code, seen.result.id)
        now = w.now
    report = verification.judge(runtime(), content, now)
    return render_template("portal/result.html", seen=seen, report=report, **parts_of(seen.progress))


@area.post("/ho-so/<code>/ket-qua")
def take_result(code: str) -> ResponseReturnValue:
    """Hand the result over by download; that is its delivery."""
    require_opened(code)
    taken(code)
    with look() as w:
        seen = tracking.owner(w, code)
        if seen.result is None:
            raise Refused("result.not_ready")
        _document, content = tracking.issued_bytes(w, code, seen.result.id)
    response = Response(content, mimetype="application/pdf")
    response.headers.set("Content-Disposition", "attachment", filename=f"ket-qua-{code}.pdf")
    response.headers["Content-Security-Policy"] = SANDBOX
    return response


@act(remembered=False)
def taken(w: UnitOfWork, code: str) -> ResponseReturnValue:
    """Complete the return step by the download."""
    tasks.return_by_download(w, code)
    return ""
