"""Trusted authorities: what counts and why, what waits for a second person, what is still wanted."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.commands import trust as commands
from engine.errors import Refused
from engine.runtime import UnitOfWork
from webapp.accounts import holding
from webapp.admin.area import ADMINISTRATORS, SECOND_HANDS, area
from webapp.i18n import gettext as _
from webapp.i18n import lazy
from webapp.transaction import act, look

MOST = 20_000
REGIMES = {"public": lazy("Công cộng (NEAC)"), "specialised": lazy("Chuyên dùng công vụ (Ban Cơ yếu)"), "other": lazy("Khác")}
ROLES = {"anchor": lazy("Chứng thư số gốc"), "intermediate": lazy("Chứng thư số trung gian")}


@area.get("/trust", endpoint="trust")
@holding(*SECOND_HANDS)
def trusted() -> ResponseReturnValue:
    """Show the store."""
    with look() as w:
        store, me = commands.listed(w), commands.name_of(w)
        order = {"proposed": 0, "approved": 1, "withdrawn": 2}
        entries = sorted(store.entries, key=lambda one: (order[one.state], one.name))
        return render_template(
            "admin/trust.html", entries=entries, faults=store.faults, wanted=commands.wanted(store), me=me, regimes=REGIMES, roles=ROLES,
            known_root=commands.is_known_root,
        )  # fmt: skip


@area.post("/trust")
@holding(*ADMINISTRATORS)
@act("admin.trust")
def propose_authority(w: UnitOfWork) -> ResponseReturnValue:
    """Put a certificate forward."""
    sent = request.files.get("certificate")
    content = sent.read(MOST + 1) if sent is not None else b""
    if not content or len(content) > MOST:
        raise Refused("trust.unreadable", field="certificate")
    hosts = request.form.get("hosts", "").replace(",", " ").split()
    regime, role = request.form.get("regime", ""), request.form.get("role", "")
    if regime not in REGIMES or role not in ROLES:
        raise Refused("web.choose_one", field="regime" if regime not in REGIMES else "role")
    commands.propose(w, content, regime=regime, role=role, source=request.form.get("source", "")[:2000], hosts=hosts)  # type: ignore[arg-type]
    flash(_("Đã đề xuất. Chứng thư số chỉ được tin cậy khi người thứ hai duyệt."), "done")
    return redirect(url_for("admin.trust"), 303)


@area.post("/trust/<sha256>/approval")
@holding(*SECOND_HANDS)
@act("admin.trust")
def approve_authority(w: UnitOfWork, sha256: str) -> ResponseReturnValue:
    """Let it count, as the second person."""
    commands.approve(w, sha256)
    flash(_("Đã duyệt. Từ bây giờ chứng thư số được tin cậy."), "done")
    return redirect(url_for("admin.trust"), 303)


@area.post("/trust/<sha256>/withdrawal")
@holding(*SECOND_HANDS)
@act("admin.trust")
def withdraw_authority(w: UnitOfWork, sha256: str) -> ResponseReturnValue:
    """Let it count no more."""
    commands.withdraw(w, sha256)
    flash(_("Đã gỡ. Chứng thư số không còn được tin cậy; mục vẫn được giữ lại."), "done")
    return redirect(url_for("admin.trust"), 303)
