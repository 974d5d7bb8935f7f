"""Running dossiers on their way to another version: the plan with its reasons, choices in words, progress, report, undo."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.commands import migration as commands
from engine.errors import Refused
from engine.queries import designing
from engine.queries import migration as queries
from engine.runtime import UnitOfWork
from webapp.accounts import holding
from webapp.designer.area import DESIGNERS, area
from webapp.i18n import gettext as _
from webapp.i18n import lazy
from webapp.transaction import act, look

KIND = {
    "choice": ("soon", "warning", lazy("Cần lựa chọn")),
    "refused": ("late", "cross", lazy("Giữ phiên bản cũ")),
    "automatic": ("done", "check", lazy("Chuyển được ngay")),
    "untouched": ("", "dot", lazy("Không bị ảnh hưởng")),
}
STATE = {
    "planned": ("info", "half", lazy("Đã lập phương án")),
    "submitted": ("soon", "half", lazy("Chờ người thứ hai xác nhận")),
    "applying": ("soon", "half", lazy("Đang chuyển")),
    "applied": ("done", "check", lazy("Đã chuyển")),
    "undoing": ("soon", "undo", lazy("Đang hoàn tác")),
    "undone": ("", "undo", lazy("Đã hoàn tác")),
    "discarded": ("", "dot", lazy("Đã bỏ")),
}
FATE = {
    "planned": lazy("chờ chuyển"),
    "moved": lazy("đã chuyển"),
    "kept": lazy("giữ phiên bản cũ"),
    "failed": lazy("không chuyển được"),
    "undone": lazy("đã trở về phiên bản cũ"),
    "gone_on": lazy("đã qua bước mới, không hoàn tác"),
}


@area.get("/<key>/migrations")
@holding(*DESIGNERS)
def migrations(key: str) -> ResponseReturnValue:
    """Show the plans of a procedure and the form for a new one."""
    with look() as w:
        lines = designing.version_lines(w, key)
        return render_template("designer/migrations.html", key=key, lines=lines, plans=queries.plans(w, key), states=STATE)


@area.post("/<key>/migrations")
@holding(*DESIGNERS)
@act("designer.migrations")
def plan_migration(w: UnitOfWork, key: str) -> ResponseReturnValue:
    """Make a plan; nothing is moved by that."""
    target = request.form.get("target", type=UUID)
    if target is None:
        raise Refused("migration.unknown", field="target")
    made = commands.plan(w, key, target, request.form.get("legal_basis", ""))
    return redirect(url_for("designer.migration", migration_id=made.id), 303)


@area.get("/migrations/<uuid:migration_id>")
@holding(*DESIGNERS)
def migration(migration_id: UUID) -> ResponseReturnValue:
    """Show a plan: classes, groups with their choices, progress, and the report on every dossier."""
    number = max(request.args.get("page", 1, int), 1)
    with look() as w:
        page = queries.page(w, migration_id)
        lines, total = queries.lines(w, migration_id, number=number, size=50)
        return render_template(
            "designer/migration.html", page=page, lines=lines, total=total, number=number, kinds=KIND, states=STATE, fates=FATE
        )


@area.post("/migrations/<uuid:migration_id>/start")
@holding(*DESIGNERS)
@act("designer.migration")
def start_migration(w: UnitOfWork, migration_id: UUID) -> ResponseReturnValue:
    """Keep the choices and put the plan before a second person."""
    chosen = {name.removeprefix("choice."): value for name, value in request.form.items() if name.startswith("choice.") and value}
    if chosen:
        commands.choose(w, migration_id, chosen)
    commands.start(w, migration_id)
    flash(_("Đã gửi; hồ sơ được chuyển khi một người phê duyệt khác xác nhận."), "done")
    return redirect(url_for("designer.migration", migration_id=migration_id), 303)


@area.post("/migrations/<uuid:migration_id>/confirmation")
@holding(*DESIGNERS)
@act("designer.migration")
def confirm_migration(w: UnitOfWork, migration_id: UUID) -> ResponseReturnValue:
    """Let the worker begin, as the second person."""
    commands.confirm(w, migration_id)
    flash(_("Đang chuyển; trang này cho thấy tiến độ."), "done")
    return redirect(url_for("designer.migration", migration_id=migration_id), 303)


@area.post("/migrations/<uuid:migration_id>/discard")
@holding(*DESIGNERS)
@act("designer.migration")
def discard_migration(w: UnitOfWork, migration_id: UUID) -> ResponseReturnValue:
    """Put a plan aside."""
    commands.discard(w, migration_id)
    flash(_("Đã bỏ phương án; không hồ sơ nào thay đổi."), "done")
    return redirect(url_for("designer.migration", migration_id=migration_id), 303)


@area.post("/migrations/<uuid:migration_id>/undo")
@holding(*DESIGNERS)
@act("designer.migration")
def undo_migration(w: UnitOfWork, migration_id: UUID) -> ResponseReturnValue:
    """Put back what has taken no new step."""
    commands.undo(w, migration_id)
    flash(_("Đang hoàn tác; hồ sơ đã qua bước mới được để yên."), "done")
    return redirect(url_for("designer.migration", migration_id=migration_id), 303)
