"""The index of law: what cites an act or an article, and the drafts that are begun when it changes."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.commands import law as commands
from engine.errors import Refused
from engine.queries import law as queries
from engine.runtime import UnitOfWork
from webapp.accounts import holding
from webapp.designer.area import CITES, DESIGNERS, area
from webapp.i18n import gettext as _
from webapp.transaction import act, look


@area.get("/law")
@holding(*DESIGNERS)
def law() -> ResponseReturnValue:
    """Show every act the procedures stand on, or what a change of the one asked about concerns."""
    text = request.args.get("q", "").strip()[:200]
    shown: dict[str, Any] = {"text": text, "answer": None, "unread": None, "acts": (), "kinds": CITES}
    with look() as w:
        if text:
            try:
                shown["answer"] = queries.affected(w, text)
            except Refused as refused:
                shown["unread"] = refused
        if shown["answer"] is None:
            shown["acts"] = queries.acts(w)
        return render_template("designer/law.html", **shown), 422 if shown["unread"] else 200


@area.post("/law/drafts")
@holding(*DESIGNERS)
@act("designer.law")
def law_drafts(w: UnitOfWork) -> ResponseReturnValue:
    """Begin a draft of every procedure that was ticked."""
    text = request.form.get("q", "")
    made = commands.begin_drafts(w, text, request.form.getlist("key"))
    flash(_("Đã mở %(n)s bản soạn; lịch sử của mỗi bản ghi lý do: %(why)s.") % {"n": len(made), "why": text.strip()}, "done")
    return redirect(url_for("designer.draft", draft_id=made[0].id) if len(made) == 1 else url_for("designer.workspace"), 303)
