"""Stepping into the course of a dossier: suspend, resume, skip a step, propose and approve a move; and the proposals that wait."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.commands import interventions as commands
from engine.queries import interventions as queries
from engine.runtime import UnitOfWork
from webapp.accounts import holding, signed_in
from webapp.desk.area import INTERVENERS, area
from webapp.i18n import gettext as _
from webapp.i18n import lazy
from webapp.transaction import act, look

GROUND = {
    "financial_obligation": lazy("Chủ hồ sơ thực hiện nghĩa vụ tài chính"),
    "other_authority": lazy("Lấy ý kiến cơ quan khác, luật chuyên ngành không tính vào thời hạn"),
}
STATE = {
    "proposed": ("soon", "half", lazy("Chờ duyệt")),
    "made": ("done", "check", lazy("Đã chuyển")),
    "rejected": ("", "cross", lazy("Không duyệt")),
    "undone": ("", "undo", lazy("Đã hoàn tác")),
}


@area.get("/interventions")
@holding(*INTERVENERS)
def waiting_moves() -> ResponseReturnValue:
    """Show the proposals that wait, and find a dossier by its code."""
    code = request.args.get("code", "").strip()
    if code:
        return redirect(url_for("desk.interventions", code=code), 303)
    with look() as w:
        return render_template("desk/waiting_moves.html", moves=queries.waiting(w), states=STATE)


@area.get("/dossiers/<code>/interventions")
@signed_in
def interventions(code: str) -> ResponseReturnValue:
    """Show what can be done about a dossier from outside its diagram, by whoever looks."""
    with look() as w:
        return render_template("desk/interventions.html", page=queries.page(w, code), grounds=GROUND, states=STATE)


def there(code: str) -> ResponseReturnValue:
    """Lead back to the page of interventions."""
    return redirect(url_for("desk.interventions", code=code), 303)


@area.post("/dossiers/<code>/suspension")
@signed_in
@act("desk.interventions")
def suspend(w: UnitOfWork, code: str) -> ResponseReturnValue:
    """Let a dossier stand still."""
    commands.suspend(w, code, request.form.get("ground", ""), request.form.get("reason", ""), request.form.get("legal_basis", ""))
    flash(_("Đã tạm dừng; thông báo có số đã được lập."), "done")
    return there(code)


@area.post("/dossiers/<code>/resumption")
@signed_in
@act("desk.interventions")
def resume(w: UnitOfWork, code: str) -> ResponseReturnValue:
    """Let it go on."""
    commands.resume(w, code, request.form.get("reason", ""))
    flash(_("Hồ sơ được tiếp tục; hạn đã dời theo thời gian tạm dừng."), "done")
    return there(code)


@area.post("/dossiers/<code>/tasks/<uuid:task_id>/skip")
@signed_in
@act("desk.interventions")
def skip(w: UnitOfWork, code: str, task_id: UUID) -> ResponseReturnValue:
    """Skip a step."""
    commands.skip(w, task_id, request.form.get("reason", ""))
    flash(_("Đã bỏ qua bước; hồ sơ đi tiếp."), "done")
    return there(code)


@area.post("/dossiers/<code>/moves")
@signed_in
@act("desk.interventions")
def propose_move(w: UnitOfWork, code: str) -> ResponseReturnValue:
    """Propose a move; nothing moves yet."""
    source, _sep, target = request.form.get("way", "").partition(">")
    commands.propose_move(w, code, source, target, request.form.get("reason", ""), request.form.get("legal_basis", ""))
    flash(_("Đã gửi đề xuất; một lãnh đạo khác phải duyệt thì hồ sơ mới chuyển."), "done")
    return there(code)


@area.post("/dossiers/<code>/moves/<uuid:move_id>/approval")
@signed_in
@act("desk.interventions")
def approve_move(w: UnitOfWork, code: str, move_id: UUID) -> ResponseReturnValue:
    """Carry a proposal out."""
    commands.approve_move(w, move_id)
    flash(_("Đã chuyển hồ sơ sang bước được đề xuất."), "done")
    return there(code)


@area.post("/dossiers/<code>/moves/<uuid:move_id>/rejection")
@signed_in
@act("desk.interventions")
def reject_move(w: UnitOfWork, code: str, move_id: UUID) -> ResponseReturnValue:
    """Reject a proposal, or take one's own back."""
    commands.reject_move(w, move_id, request.form.get("reason", ""))
    flash(_("Đề xuất đã được đóng; hồ sơ không thay đổi."), "done")
    return there(code)


@area.post("/dossiers/<code>/moves/<uuid:move_id>/undo")
@signed_in
@act("desk.interventions")
def undo_move(w: UnitOfWork, code: str, move_id: UUID) -> ResponseReturnValue:
    """Put the token back."""
    commands.undo_move(w, move_id, request.form.get("reason", ""))
    flash(_("Đã đưa hồ sơ về chỗ cũ."), "done")
    return there(code)
