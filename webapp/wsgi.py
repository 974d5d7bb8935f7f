"""The door for a WSGI server: ``granian --interface wsgi --factory webapp.wsgi:application``."""

from __future__ import annotations

from flask import Flask

from engine.runtime import all_loaded, open_runtime, write_logs
from engine.settings import Settings
from webapp import create_app


def application() -> Flask:
    """Return the web application of the installation the environment describes."""
    settings = Settings.from_environment()
    write_logs(settings)
    app = create_app(open_runtime(settings))
    all_loaded()
    return app
