"""What people see: the Flask application, put together from top to bottom.

How an audience is added: a folder ``webapp/<audience>/`` whose package exports ``area`` (a `flask.Blueprint` with
``template_folder="templates"``) and ``navigation`` (a list of `webapp.rendering.navigation.Entry`, empty for public pages); then one
line in `AREAS`. Its pages `look`, its forms `act` (see `webapp.transaction`); staff pages carry ``@signed_in`` or
``@holding("role", …)`` of `webapp.accounts`; templates extend ``desk.html`` or ``citizen.html`` and build with ``macros.html``.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from engine.runtime import Runtime
from webapp import errors, frame, health, i18n, login, security, static_files, transaction
from webapp.allowance import Allowance
from webapp.application import Web
from webapp.rendering import formats, forms, navigation, words

AREAS = ("desk", "counter", "signing_room", "documents", "board", "designer", "admin", "portal", "api")
MEGABYTE = 1024 * 1024


def create_app(runtime: Runtime) -> Flask:
    """Return the web application of one installation."""
    settings = runtime.settings
    app = Web(__name__, static_folder=None)
    app.config.update(
        SECRET_KEY=settings.secret_key, MAX_CONTENT_LENGTH=64 * MEGABYTE, MAX_FORM_MEMORY_SIZE=2 * MEGABYTE, MAX_FORM_PARTS=1000
    )
    app.config.update(PSEUDO_LANGUAGE=settings.demo, DEMO=settings.demo, PREFERRED_URL_SCHEME="http")

    if settings.proxies:
        # Who came by https and from where is known to the proxy only; without it everybody would share the proxy's address.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies, x_host=settings.proxies)  # type: ignore[method-assign]
    app.extensions["allowance"] = Allowance(settings.api_per_minute)
    transaction.install(app, runtime)
    security.install(app)
    i18n.install(app)
    static_files.install(app)
    formats.install(app)
    words.install(app)
    forms.install(app)
    login.install(app)
    errors.install(app)
    frame.install(app)
    health.install(app)

    areas: list[Any] = [import_module(f"webapp.{name}") for name in AREAS]
    for audience in areas:
        app.register_blueprint(audience.area)
    navigation.install(app, [entry for audience in areas for entry in audience.navigation])
    return app
