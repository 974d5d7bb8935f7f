"""Trying a draft by hand with a movable clock, keeping what was done as a scenario, and the coverage of all scenarios.

A rehearsal is its moves: the page carries them and the server plays them again, so nothing has to be stored and every move can be
taken back.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.commands import drafts as commands
from engine.errors import Invalid, Refused
from engine.queries import drafts as queries
from engine.queries import rehearsing
from engine.queries.rehearsing import Move
from engine.runtime import UnitOfWork
from webapp.accounts import holding
from webapp.designer.area import DESIGNERS, area
from webapp.designer.drafts import frame
from webapp.i18n import gettext as _
from webapp.rendering.forms import read_answers
from webapp.transaction import act, look

SCENARIOS = "tests/scenarios.toml"


@area.get("/drafts/<uuid:draft_id>/rehearsal")
@holding(*DESIGNERS)
def rehearsal(draft_id: UUID) -> ResponseReturnValue:
    """Show the beginning of a rehearsal."""
    with look() as w:
        return staged(w, draft_id, ())


@area.post("/drafts/<uuid:draft_id>/rehearsal")
@holding(*DESIGNERS)
def rehearse(draft_id: UUID) -> ResponseReturnValue:
    """Play one more move, or take the last one back; nothing is stored."""
    moves = rehearsing.moves_of(request.form.get("moves", ""))
    with look() as w:
        return staged(w, draft_id, moves[:-1] if request.form.get("undo") else (*moves, asked(w, draft_id, moves)))


def asked(w: UnitOfWork, draft_id: UUID, moves: tuple[Move, ...]) -> Move:
    """Return the move a form asks for."""
    kind, name = request.form.get("kind", "step"), request.form.get("step", "")
    if kind in ("message", "wait"):
        return Move(kind, name)  # type: ignore[arg-type]
    found = frame(w, draft_id, "try")["found"].package
    now = rehearsing.stage(w, found, moves)
    form = now.start if not moves else next((one.form for one in now.open if one.id == name), None)
    return Move("step", name, read_answers(form.fields) if form is not None else {})


def staged(w: UnitOfWork, draft_id: UUID, moves: tuple[Move, ...]) -> ResponseReturnValue:
    """Return the page of a rehearsal after *moves*; a move that was not possible says why, at its field where there is one."""
    seen = frame(w, draft_id, "try")
    package = seen["found"].package
    if package is None:
        return render_template("designer/draft_try.html", **seen, stage=None)
    stage = rehearsing.stage(w, package, moves)
    status = 200
    if stage.fault is not None:
        reasons: dict[str, Any] = stage.fault.errors if isinstance(stage.fault, Invalid) else {"": stage.fault}
        g.refusals = {f"f.{field}": reason for field, reason in reasons.items() if field}
        g.refused = [reason for field, reason in reasons.items() if not field]
        g.submitted = request.form
        status = 422
    return render_template("designer/draft_try.html", **seen, stage=stage), status


@area.get("/drafts/<uuid:draft_id>/trial")
@holding(*DESIGNERS)
def trial(draft_id: UUID) -> ResponseReturnValue:
    """Play every scenario and show how each goes and which flows nobody walks."""
    with look() as w:
        seen = frame(w, draft_id, "scenarios")
        package = seen["found"].package
        return render_template(
            "designer/draft_trial.html", **seen, trial=rehearsing.trial(w, package) if package else None, scenarios=SCENARIOS
        )


@area.post("/drafts/<uuid:draft_id>/scenarios")
@holding(*DESIGNERS)
@act()
def keep_scenario(w: UnitOfWork, draft_id: UUID) -> ResponseReturnValue:
    """Write what was played into the scenarios of the draft."""
    name = request.form.get("name", "").strip()[:200]
    if not name:
        raise Refused("scenario.name_missing", field="name")
    page = queries.page(w, draft_id)
    moves = rehearsing.moves_of(request.form.get("moves", ""))
    package = frame(w, draft_id, "try")["found"].package
    text = page.files.get(SCENARIOS, b"").decode()
    made = rehearsing.with_scenario(text, name, rehearsing.written(w, package, moves))
    commands.save(w, draft_id, page.line.draft.version, {SCENARIOS: made.encode()}, name)
    flash(_("Đã lưu kịch bản «%(name)s».") % {"name": name}, "done")
    return redirect(url_for("designer.trial", draft_id=draft_id), 303)


@area.post("/drafts/<uuid:draft_id>/waivers")
@holding(*DESIGNERS)
@act("designer.trial")
def waive(w: UnitOfWork, draft_id: UUID) -> ResponseReturnValue:
    """Excuse flows that no scenario walks, with a reason."""
    page = queries.page(w, draft_id)
    made = rehearsing.waived(page.files, SCENARIOS, request.form.getlist("flow"), request.form.get("reason", ""))
    commands.save(w, draft_id, page.line.draft.version, {SCENARIOS: made})
    return redirect(url_for("designer.trial", draft_id=draft_id), 303)


@area.post("/drafts/<uuid:draft_id>/mending")
@holding(*DESIGNERS)
@act("designer.trial")
def mend(w: UnitOfWork, draft_id: UUID) -> ResponseReturnValue:
    """Bring the scenarios of an earlier diagram up to date, in one save that the history can take back."""
    page = queries.page(w, draft_id)
    package = frame(w, draft_id, "scenarios")["found"].package
    made, names = rehearsing.mended(w, package)
    if not made:
        raise Refused("scenario.not_mended")
    commands.save(w, draft_id, page.line.draft.version, made, _("Sửa kịch bản theo sơ đồ mới"))
    flash(_("Đã sửa %(n)s kịch bản; hãy xem lại câu trả lời ở bước mới.") % {"n": len(names)}, "done")
    return redirect(url_for("designer.trial", draft_id=draft_id), 303)
