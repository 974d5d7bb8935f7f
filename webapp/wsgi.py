"""The door for a WSGI server: ``granian --interface wsgi --factory webapp.wsgi:application``."""

from __future__ import annotations

from flask import Flask

from engine.runtime import open_runtime
from engine.settings import Settings
from webapp import create_app


def application() -> Flask:
    """Return the web application of the installation the environment describes."""
    return create_app(open_runtime(Settings.from_environment()))
