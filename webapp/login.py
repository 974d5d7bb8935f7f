"""Signing in and out, the second factor, one's own account; demo accounts by one click, only in demo mode."""

from __future__ import annotations

import unicodedata
from typing import Any

from flask import Blueprint, Flask, current_app, flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user, logout_user
from sqlalchemy import func, select

from engine.accounts.administration import hash_password
from engine.errors import NotFound, Refused
from engine.queries.signed_in import choose, demo_accounts
from engine.runtime import UnitOfWork
from webapp import accounts, throttle
from webapp.accounts import User, begin_session, me, security, signed_in, using
from webapp.i18n import gettext as _
from webapp.qr import qr_svg
from webapp.security import limiter
from webapp.transaction import SYSTEM, act, look, work

area = Blueprint("login", __name__, template_folder="templates")
SHORTEST = 10
PENDING_SECONDS = 300
# Checked when no account has this name, so that an unknown name takes as long as a wrong password.
NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


def install(app: Flask) -> None:
    """Install accounts and the pages around them."""
    accounts.install(app)
    app.register_blueprint(area)
    app.jinja_env.globals["qr_svg"] = qr_svg


@area.get("/start")
def front() -> ResponseReturnValue:
    """Lead people to where they work, everybody else to the public front page."""
    if current_user.is_authenticated:
        return redirect(url_for("desk.inbox"), 303)
    return redirect(url_for("portal.front") if "portal.front" in current_app.view_functions else url_for("login.form"), 303)


@area.get("/login")
def form() -> ResponseReturnValue:
    """Show the sign-in form, and the demo accounts where there are any."""
    if current_user.is_authenticated:
        return redirect(url_for("desk.inbox"), 303)
    demo = []
    if current_app.config["DEMO"]:
        with look(SYSTEM) as w:
            demo = demo_accounts(w)
    return render_template("login/sign_in.html", demo=demo, next=safe_next())


@area.post("/login")
@limiter.limit("60/minute")
def sign_in() -> ResponseReturnValue:
    """Check name and password; a second factor is asked for where one is set."""
    g.form_page = "login.form"
    name, password = request.form.get("name", "").strip().lower()[:254], typed("password")
    with work(SYSTEM) as w, using(w):
        answer = check(w, name, password)
    if isinstance(answer, Refused):
        raise answer
    return signed(answer)


def check(w: UnitOfWork, name: str, password: str) -> User | Refused:
    """Return the account of this name and password, or why not; what failed is counted."""
    waiting = throttle.blocked(w, name)
    if waiting:
        return waiting
    user = w.session.scalars(select(User).where((func.lower(User.email) == name) | (func.lower(User.username) == name))).first()
    known = user is not None and user.active and bool(user.password)
    right = (
        User(password=NOBODY).verify_and_update_password(password)
        if not known or user is None
        else user.verify_and_update_password(password)
    )
    if user is None or not known or not right:
        throttle.failed(w, name)
        w.record("account.sign_in_failed", account=user.id if user else None)
        return Refused("sign_in.wrong", field="password")
    throttle.succeeded(w, name)
    if user.tf_totp_secret:
        session["pending"] = {"account": user.id, "at": int(w.now.timestamp())}
    else:
        begin_session(user)
        w.record("account.signed_in", account=user.id)
    w.session.flush()
    w.session.expunge(user)
    return user


def signed(user: User) -> ResponseReturnValue:
    """Send somebody whose password was right to the second factor, or to where they wanted to go."""
    return redirect(url_for("login.code", next=safe_next() or None) if "pending" in session else safe_next() or url_for("desk.inbox"), 303)


@area.get("/login/code")
def code() -> ResponseReturnValue:
    """Ask for the code of the authenticator."""
    return render_template("login/code.html", next=safe_next()) if "pending" in session else redirect(url_for("login.form"), 303)


@area.post("/login/code")
@limiter.limit("20/minute")
def check_code() -> ResponseReturnValue:
    """Check the second factor."""
    g.form_page = "login.code"
    pending: dict[str, Any] = session.get("pending", {})
    with work(SYSTEM) as w, using(w):
        user = w.session.get(User, pending.get("account", 0))
        answer: Refused | None = None
        if user is None or w.now.timestamp() - pending.get("at", 0) > PENDING_SECONDS:
            answer = Refused("sign_in.code_late", field="code")
        else:
            answer = throttle.blocked(w, f"totp:{user.id}")
            if answer is None and not right_code(user, request.form.get("code", "")):
                throttle.failed(w, f"totp:{user.id}")
                answer = Refused("sign_in.code_wrong", field="code")
            elif answer is None:
                throttle.succeeded(w, f"totp:{user.id}")
                begin_session(user)
                w.record("account.signed_in", account=user.id, second_factor=True)
    if answer is not None:
        raise answer
    return redirect(safe_next() or url_for("desk.inbox"), 303)


def right_code(user: User, given: str) -> bool:
    """Say whether a code is the authenticator's now (half a minute early or late is allowed)."""
    digits = "".join(c for c in given if c.isdigit())
    return (
        len(digits) == 6 and bool(user.tf_totp_secret) and bool(security()._totp_factory.verify_totp(digits, user.tf_totp_secret, user, 30))
    )


@area.post("/login/demo")
def demo() -> ResponseReturnValue:
    """Sign in to a demo account by one click."""
    if not current_app.config["DEMO"]:
        raise NotFound("web.no_demo")
    with work(SYSTEM) as w, using(w):
        user = w.session.get(User, request.form.get("account", 0, int))
        if user is None or not user.demo or not user.active:
            raise NotFound("web.no_demo")
        begin_session(user)
        w.record("account.signed_in", account=user.id, demo=True)
    return redirect(safe_next() or url_for("desk.inbox"), 303)


@area.post("/logout")
def sign_out() -> ResponseReturnValue:
    """End the session."""
    logout_user()
    session.clear()
    return redirect(url_for("login.form"), 303)


@area.get("/account")
@signed_in
def account() -> ResponseReturnValue:
    """Show one's own account: positions held, password, second factor, theme, shortcuts."""
    secret = "" if current_user.tf_totp_secret else session.get("new_totp") or security()._totp_factory.generate_totp_secret()
    if secret:
        session["new_totp"] = secret
    uri = security()._totp_factory.get_totp_uri(current_user.email, secret) if secret else ""
    return render_template(
        "login/account.html", me=me(), uri=uri, key=security()._totp_factory.get_totp_pretty_key(secret) if secret else ""
    )


@area.post("/account/choices")
@signed_in
@act("login.account")
def choices(w: UnitOfWork) -> ResponseReturnValue:
    """Keep theme and shortcuts."""
    theme = request.form.get("theme", "")
    choose(w, current_user.id, theme=theme if theme in ("light", "dark") else "", shortcuts="shortcuts" in request.form)
    flash(_("Đã lưu."), "done")
    return redirect(url_for("login.account"), 303)


@area.get("/account/password")
@signed_in
def password() -> ResponseReturnValue:
    """Show the form of a new password."""
    return render_template("login/password.html", first=current_user.must_change_password)


@area.post("/account/password")
@signed_in
@act("login.password", remembered=False)
def change_password(w: UnitOfWork) -> ResponseReturnValue:
    """Change one's own password; other sessions of the account end."""
    fresh = typed("fresh")
    user = own(w)
    with using(w):
        if not user.verify_and_update_password(typed("current")):
            raise Refused("password.wrong", field="current")
        if len(fresh) < SHORTEST or fresh.casefold() in (user.email.casefold(), (user.username or "").casefold()):
            raise Refused("password.weak", field="fresh", shortest=SHORTEST)
        if fresh != typed("again"):
            raise Refused("password.differs", field="again")
        user.password, user.must_change_password = hash_password(fresh), False
        security().datastore.set_uniquifier(user)
        w.record("account.password_changed", account=user.id)
        w.session.flush()
        begin_session(user)
    flash(_("Đã đổi mật khẩu. Các phiên đăng nhập khác đã bị đóng."), "done")
    return redirect(url_for("login.account"), 303)


@area.post("/account/totp")
@signed_in
@act("login.account", remembered=False)
def second_factor(w: UnitOfWork) -> ResponseReturnValue:
    """Switch the second factor on (with a code that proves the authenticator knows the key) or off."""
    user = own(w)
    if user.tf_totp_secret:
        if not right_code(user, request.form.get("code", "")):
            raise Refused("sign_in.code_wrong", field="code")
        user.tf_totp_secret = user.tf_primary_method = None
        w.record("account.second_factor_off", account=user.id)
        flash(_("Đã tắt xác thực hai bước."), "done")
    else:
        user.tf_totp_secret, user.tf_primary_method = session.get("new_totp", ""), "authenticator"
        if not right_code(user, request.form.get("code", "")):
            raise Refused("sign_in.code_wrong", field="code")
        session.pop("new_totp", None)
        w.record("account.second_factor_on", account=user.id)
        flash(_("Đã bật xác thực hai bước."), "done")
    return redirect(url_for("login.account"), 303)


def own(w: UnitOfWork) -> User:
    """Return the signed-in account inside this unit of work."""
    user: User | None = w.session.get(User, current_user.id, with_for_update=True)
    if user is None:
        raise NotFound("web.no_account")
    return user


def typed(field: str) -> str:
    """Return a password as typed: NFC, for keyboards differ in how they compose letters."""
    return unicodedata.normalize("NFC", request.form.get(field, ""))[:200]


def safe_next() -> str:
    """Return where to go after signing in: an address of ours, or nothing."""
    target = request.values.get("next", "")
    return target if target.startswith("/") and not target.startswith(("//", "/\\")) and "\n" not in target else ""
