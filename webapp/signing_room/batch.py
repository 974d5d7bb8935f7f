"""Several documents with one PIN: the page always says how each of them stands, so that only failures are left to try again."""

from __future__ import annotations

import re
from uuid import UUID

from flask import flash, g, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.commands import device
from engine.errors import Refused
from engine.queries import ceremony
from webapp.accounts import signed_in
from webapp.i18n import gettext as _
from webapp.i18n import ngettext, pick
from webapp.signing_room.agent import agent_of, brought_back
from webapp.signing_room.area import area
from webapp.signing_room.ceremony import approve, prepared
from webapp.transaction import look

MOST = 100
IDENTIFIER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def chosen(name: str) -> list[UUID]:
    """Return the ids ticked under a name, each once, at most as many as one batch takes."""
    given = request.form.getlist(name) if request.method == "POST" else request.args.getlist(name)
    return list(dict.fromkeys(UUID(text) for text in given if IDENTIFIER.fullmatch(text)))[:MOST]


@area.get("/batch")
@signed_in
def batch() -> ResponseReturnValue:
    """Show the ticked documents, each prepared: which are ready, which were signed, which could not be and why."""
    task_ids = chosen("task")
    if not task_ids:
        flash(_("Chưa đánh dấu văn bản nào."), "soon")
        return redirect(url_for("signing_room.waiting"), 303)
    with look() as w:
        still = [line.task_id for line in ceremony.batch(w, task_ids, {}) if line.state in ("ready", "refused")]
    rows = prepared(still) if still else []
    failures = {row.task_id: (row.failure, row.facts) for row in rows if row.failure}
    with look() as w:
        lines, key = ceremony.batch(w, task_ids, failures), ceremony.key_in_use(w)
        return render_template(
            "signing_room/batch.html",
            lines=lines,
            ready=[line for line in lines if line.state == "ready"],
            briefs=ceremony.briefs(w, [line.task_id for line in lines], before=True),
            reasons={line.task_id: Refused(line.failure, **line.facts) for line in lines if line.failure},
            most=MOST,
            telephone=key.approval == "telephone",
            agent=agent_of(key, url_for("signing_room.agent_approval")),
        )


@area.get("/batch/progress")
@signed_in
def batch_progress() -> ResponseReturnValue:
    """Say how far the batch is: how many are approved, signed by the key, in their documents."""
    with look() as w:
        states = ceremony.progress(w, chosen("request"))
    done, total = states.get("embedded", 0), sum(states.values())
    return jsonify({"done": done, "total": total, "words": _("Đã ký xong %(n)s trong %(total)s văn bản…") % {"n": done, "total": total}})


@area.post("/batch")
@signed_in
def sign_batch() -> ResponseReturnValue:
    """Sign everything that was shown as ready with one authorisation; each document has its own outcome."""
    g.form_page = "signing_room.batch"
    sealed_pin = request.form.get("sealed_pin", "")[:2000]
    wanted = chosen("request")
    with look() as w:
        approval = ceremony.key_in_use(w).approval
        if not sealed_pin and approval == "pin":
            raise Refused("web.pin_missing", field="pin")
        # A second submit finds some of them signed: those need nothing, the page says so.
        mine = [ceremony.request_of(w, one) for one in wanted]
        left = [one.id for one in mine if one.at_agent or one.state not in ("embedded", *ceremony.UNDER_WAY)]
    outcomes = [] if not left else brought_back(left) if approval == "device" else approve(left, sealed_pin)
    if outcomes and all(o.failure in device.REASONS for o in outcomes):
        # The agent signed none of them, for one reason: said at the field, where a wrong PIN would be.
        raise Refused(str(outcomes[0].failure), field="pin")
    if outcomes and all(o.failure == "signing.request_over" for o in outcomes):
        raise Refused("signing.request_over", field="pin", **outcomes[0].facts)
    done, failed = sum(o.signed for o in outcomes), [o for o in outcomes if not o.signed and not o.waiting]
    waiting = sum(o.waiting for o in outcomes)
    if done:
        flash(ngettext("Đã ký %(n)s văn bản.", "Đã ký %(n)s văn bản.", done) % {"n": done}, "done")
    if waiting:
        flash(_("%(n)s văn bản đang được hoàn tất, không cần nhập lại mã PIN.") % {"n": waiting}, "soon")
    if failed:
        names = "; ".join(pick(o.name) for o in failed)
        said = ngettext("%(n)s văn bản chưa ký được: %(names)s.", "%(n)s văn bản chưa ký được: %(names)s.", len(failed))
        flash(said % {"n": len(failed), "names": names}, "late")
    return redirect(url_for("signing_room.batch", task=[str(one) for one in chosen("task")]), 303)
