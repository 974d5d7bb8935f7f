"""Signing keys: who has one, until when, is it locked; a new one under a PIN only its holder types; a locked one gets its tries back."""

from __future__ import annotations

import base64
import json
from uuid import UUID

from flask import flash, g, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.commands import keys as commands
from engine.errors import Refused
from engine.queries import administration
from engine.queries import organisation as queries
from engine.runtime import UnitOfWork
from webapp.accounts import holding
from webapp.admin.area import ADMINISTRATORS, area
from webapp.i18n import gettext as _
from webapp.transaction import act, look, runtime


@area.get("/keys", endpoint="keys")
@holding(*ADMINISTRATORS)
def key_list() -> ResponseReturnValue:
    """Show the keys and who may get one."""
    with look() as w:
        rows = administration.keys(w)
        people = [(f"person:{p.id}", p.name) for p in queries.people(w) if not p.has_key and p.held]
        agencies = [(f"agency:{u.id}", u.name) for u in queries.units(w, levels=("province", "department", "commune"))]
        everybody = [(f"person:{p.id}", p.name) for p in queries.people(w) if p.held]
        g.agent = f"http://127.0.0.1:{runtime().settings.agent_port}"
        return render_template(
            "admin/keys.html", rows=rows, holders=[*people, *agencies], everybody=[*everybody, *agencies], agent_address=g.agent
        )


@area.post("/keys/invitation")
@holding(*ADMINISTRATORS)
def key_invitation() -> ResponseReturnValue:
    """Return what the browser seals the new key's PIN to."""
    kind, holder = holder_of(request.form.get("holder", ""))
    with look() as w:
        return jsonify(commands.invitation(w, kind, holder))


@area.post("/keys")
@holding(*ADMINISTRATORS)
@act("admin.keys", remembered=False)
def issue_key(w: UnitOfWork) -> ResponseReturnValue:
    """Issue a key under the PIN the holder has just typed."""
    kind, holder = holder_of(request.form.get("holder", ""))
    if not request.form.get("sealed_pin"):
        raise Refused("web.pin_missing", field="pin")
    commands.issue(w, kind, holder, request.form["sealed_pin"][:2000])
    flash(_("Đã cấp khóa."), "done")
    return redirect(url_for("admin.keys"), 303)


@area.post("/keys/device")
@holding(*ADMINISTRATORS)
@act("admin.keys")
def register_key(w: UnitOfWork) -> ResponseReturnValue:
    """Register the certificate of a key on a USB token, from a file or read from the token plugged in here."""
    kind, holder = holder_of(request.form.get("token_holder", ""), "token_holder")
    given, file = request.form.get("token_certificate", "")[:100_000], request.files.get("certificate")
    leaf, *above = certificates_of(given) if given else [file.read(100_000) if file is not None else b""]
    if not leaf:
        raise Refused("key.certificate_unreadable", field="certificate")
    commands.register(w, kind, holder, leaf, above)
    flash(_("Đã đăng ký khóa trên USB token; khóa cũ của người giữ không dùng để ký nữa."), "done")
    return redirect(url_for("admin.keys"), 303)


def certificates_of(text: str) -> list[bytes]:
    """Return the certificates (DER) the page read from the token.

    Raises:
        Refused: they are none.
    """
    try:
        return [base64.b64decode(one, validate=True) for one in json.loads(text)] or [b""]
    except (ValueError, TypeError, RecursionError):
        raise Refused("key.certificate_unreadable", field="certificate") from None


@area.post("/keys/<reference>/unlock")
@holding(*ADMINISTRATORS)
@act("admin.keys")
def unlock_key(w: UnitOfWork, reference: str) -> ResponseReturnValue:
    """Give a locked key its tries back."""
    commands.unlock(w, reference)
    flash(_("Đã mở khóa; mã PIN không thay đổi."), "done")
    return redirect(url_for("admin.keys"), 303)


def holder_of(text: str, field: str = "holder") -> tuple[str, UUID]:
    """Return whose key is meant.

    Raises:
        Refused: nobody was chosen.
    """
    kind, _colon, holder = text.partition(":")
    if kind not in ("person", "agency") or len(holder) != 36:
        raise Refused("web.choose_one", field=field)
    return kind, UUID(holder)
