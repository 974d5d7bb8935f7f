"""What waits for me, most urgent first."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from webapp.accounts import signed_in
from webapp.i18n import lazy as _
from webapp.rendering.navigation import Entry

area = Blueprint("desk", __name__, template_folder="templates", url_prefix="/desk")
navigation = [Entry(_("Công việc"), _("Việc của tôi"), "desk.inbox", "inbox", count="inbox", shortcut="i")]


@area.get("")
@signed_in
def inbox() -> ResponseReturnValue:
    """Show my work, the least remaining working time first."""
    return render_template("desk/inbox.html")
