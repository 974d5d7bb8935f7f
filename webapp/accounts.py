"""Who is signed in: Flask-Security's session and password parts over `engine.accounts`; its datastore flushes, the unit of work commits.

Staff pages carry ``@signed_in`` or ``@holding("role", …)``; what a person may really do is decided by the engine again, at the act.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, cast

from flask import Flask, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_security import RoleMixin, Security, SQLAlchemySessionUserDatastore, UserMixin, current_user, login_user
from sqlalchemy.orm import Mapped, relationship
from werkzeug.local import LocalProxy

from engine.accounts.model import Account, RoleName, account_role
from engine.errors import Forbidden
from engine.queries.signed_in import Holder, SignedIn, holder
from engine.queries.signed_in import signed_in as behind
from engine.runtime import Actor, UnitOfWork
from webapp.application import at_hand, this_request, this_session
from webapp.transaction import SYSTEM, first, key_of_form, look

P = ParamSpec("P")
NOBODY_ASKED = ("static_files.", "health.", "api.")
"""The areas that do not ask whose session it is."""


class Role(RoleName, RoleMixin):
    """A role of the installation as Flask-Security knows it."""


class User(Account, UserMixin):  # type: ignore[misc]
    """An account as Flask-Security knows it."""

    roles: Mapped[list[Role]] = relationship(Role, secondary=account_role, lazy="selectin", overlaps="roles")  # type: ignore[assignment]


class Accounts(SQLAlchemySessionUserDatastore):
    """Flask-Security's view of the accounts, inside the unit of work of the request."""

    def __init__(self) -> None:
        super().__init__(LocalProxy(lambda: g.unit.session), User, Role)  # type: ignore[arg-type]

    def commit(self) -> None:
        """Send changes to the database; the unit of work makes them true."""
        self.db.session.flush()

    def find_user(self, case_insensitive: bool = False, **identity: Any) -> Any:
        """Return the account; outside a unit of work, for whoever asks the library who is signed in, the one of the session."""
        if "unit" in g:
            return super().find_user(case_insensitive, **identity)
        return read(str(identity["fs_uniquifier"]))


class Visitor(UserMixin):
    """The account of a session as it stands in this request, for whoever only looks at it."""

    must_change_password: bool

    def __init__(self, found: Holder) -> None:
        self.__dict__.update(found.account)
        self.roles = [Role(name=name, description=description) for name, description in found.roles]


def read(uniquifier: str, request_key: str = "", claims: bool = True) -> Visitor | None:
    """Return whose session this is as it stands now; None when the account is closed or its sessions were ended.

    Of the form of an act that is remembered, what was answered before is asked for on the same way.
    """
    found = holder(first(), uniquifier, request_key, claims=claims)
    if found is None:
        return None
    known = at_hand()
    known.holder = found
    if request_key:
        known.recalled = (request_key, found.answer)
    return Visitor(found)


class using:  # noqa: N801 — reads as English: with using(w)
    """Let Flask-Security work inside this unit of work."""

    def __init__(self, w: UnitOfWork) -> None:
        self.w = w

    def __enter__(self) -> None:
        g.unit = self.w

    def __exit__(self, *_: object) -> None:
        g.pop("unit", None)


def install(app: Flask) -> None:
    """Install Flask-Security without its pages: ours speak our languages and follow our transactions."""
    seed = app.config["SECRET_KEY"].encode()
    app.config.update(
        SECURITY_PASSWORD_HASH="argon2",  # noqa: S106 — the name of an algorithm
        SECURITY_PASSWORD_SINGLE_HASH=["argon2"],
        SECURITY_PASSWORD_SALT=hashlib.sha256(b"salt" + seed).hexdigest(),
        SECURITY_TOTP_SECRETS={1: hashlib.sha256(b"totp" + seed).hexdigest()},
        SECURITY_TOTP_ISSUER="Motcua",
        SECURITY_TWO_FACTOR=True,
        SECURITY_TWO_FACTOR_ENABLED_METHODS=["authenticator"],
        SECURITY_EMAIL_VALIDATOR_ARGS={"check_deliverability": False},
        SECURITY_SESSION_PROTECTION=None,
        REMEMBER_COOKIE_DURATION=0,
        PERMANENT_SESSION_LIFETIME=12 * 3600,
    )
    security = Security(app, Accounts(), register_blueprint=False)
    security.unauthn_handler(lambda *_, **__: to_sign_in())  # type: ignore[arg-type]
    # Nobody signs in but by the session's cookie; nothing asks Flask-Principal, which would look who asks at a program's requests too.
    security.login_manager.request_loader(lambda _request: None)
    app.before_request_funcs[None].remove(security.principal._on_before_request)
    app.after_request_funcs[None].remove(security.login_manager._update_remember_cookie)
    app.before_request(recognise)


def security() -> Any:
    """Return Flask-Security's object of this application."""
    return current_app.extensions["security"]


def recognise() -> ResponseReturnValue | None:
    """Find out who asks; somebody who must change a first password is sent there before anything else."""
    endpoint = this_request().endpoint
    if endpoint is None or endpoint.startswith(NOBODY_ASKED):
        return None
    known, uniquifier = at_hand(), this_session().get("_user_id")
    visitor = read(uniquifier, *key_of_form()) if uniquifier else None
    # What Flask-Login's own way ends in, for `current_user`; it would ask for more cookies, and where the session began.
    if visitor is None:
        security().login_manager._update_request_context_with_user(None)
    else:
        known._login_user = visitor
        known.visitor, known.actor = visitor, Actor(kind="person", account=visitor.id, person=known.holder.person_id)
        if visitor.must_change_password and not endpoint.startswith(("login.", "i18n.")):
            return redirect(url_for("login.password"), 303)
    return None


def me() -> SignedIn:
    """Return the signed-in person with the positions held today."""
    if "me" not in g:
        if "holder" in g:
            g.me = g.holder.person
        else:
            with look(SYSTEM) as w:
                g.me = behind(w, current_user.id)
    return cast(SignedIn, g.me)


def to_sign_in() -> ResponseReturnValue:
    """Send somebody unknown to the sign-in page and back afterwards."""
    target = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("login.form", next=target), 303)


def signed_in(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Let only people of the office see a page."""
    return holding()(view)


def holding(*roles: str) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
    """Let only people who hold one of *roles* today see a page (anybody signed in when none is given)."""

    def decorate(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            if at_hand().get("visitor") is None:
                return to_sign_in()
            if roles and not me().roles & set(roles):
                raise Forbidden("web.role_missing", roles=", ".join(roles))
            return view(*args, **kwargs)

        guarded.audience = roles or ("*",)  # type: ignore[attr-defined]
        return guarded

    return decorate


def begin_session(user: User) -> None:
    """Sign somebody in: a new session, so that nothing an attacker fixed before survives."""
    chosen = {key: session[key] for key in ("next",) if key in session}
    session.clear()
    session.update(chosen)
    session.permanent = True
    login_user(user, remember=False)
    g.pop("me", None)
    g.pop("holder", None)
