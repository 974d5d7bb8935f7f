"""On time, due soon, late, by unit and procedure; every number opens its list."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from engine.queries import board as queries
from webapp.accounts import holding
from webapp.i18n import lazy as _
from webapp.i18n import pick
from webapp.rendering.lists import Column, asked, taken_away
from webapp.rendering.navigation import Entry
from webapp.transaction import look

area = Blueprint("board", __name__, template_folder="templates", url_prefix="/board")
READERS = frozenset(
    {
        "head",
        "deputy_head",
        "office_chief",
        "office_deputy",
        "division_head",
        "division_deputy",
        "centre_leader",
        "inspector",
        "procedure_controller",
    }
)
navigation = [Entry(_("Điều hành"), _("Tình hình giải quyết"), "board.board", "board", READERS)]
COLUMNS = (
    Column("unit", _("Cơ quan giải quyết"), lambda r: r.unit),
    Column("procedure", _("Thủ tục"), lambda r: pick(r.procedure)),
    Column("received", _("Đã nhận"), lambda r: r.received, numeric=True),
    Column("open", _("Đang giải quyết"), lambda r: r.open, numeric=True),
    Column("due_soon", _("Sắp đến hạn"), lambda r: r.due_soon, numeric=True),
    Column("late_open", _("Đang quá hạn"), lambda r: r.late_open, numeric=True),
    Column("paused", _("Tạm dừng"), lambda r: r.paused, numeric=True),
    Column("early", _("Xong trước hạn"), lambda r: r.early, numeric=True),
    Column("on_time", _("Xong đúng hạn"), lambda r: r.on_time, numeric=True),
    Column("late", _("Xong quá hạn"), lambda r: r.late, numeric=True),
    Column("refused", _("Từ chối"), lambda r: r.refused, numeric=True),
    Column("ended", _("Rút, dừng"), lambda r: r.ended, numeric=True),
)


@area.get("")
@holding(*READERS)
def board() -> ResponseReturnValue:
    """Show the board of the units the reader looks after."""
    listing = asked(COLUMNS)
    with look() as w:
        rows = queries.rows(w)
        listing = listing.showing(rows, len(rows))
        if listing.export:
            return taken_away(listing, "tinh-hinh-giai-quyet")
        totals = {c.key: sum(c.value(r) for r in rows) for c in COLUMNS if c.numeric}
        return render_template("board/board.html", listing=listing, totals=totals, at=w.now)
