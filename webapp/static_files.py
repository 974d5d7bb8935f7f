"""The front-end bundles: a manifest of hashed names, brotli made at build time, cached for a year."""

from __future__ import annotations

import json
import mimetypes
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, request, send_from_directory, url_for
from markupsafe import Markup

FOLDER = Path(__file__).parent / "static"
DIST = FOLDER / "dist"
UNHASHED = frozenset({"icons.svg", "favicon.svg"})
area = Blueprint("static_files", __name__)


def install(app: Flask) -> None:
    """Serve the bundles and give the templates ``asset`` and ``icon``."""
    app.register_blueprint(area)
    app.jinja_env.globals.update(asset=asset, bundle=bundle, icon=icon)


@lru_cache(maxsize=2)
def manifest_at(stamp: float) -> dict[str, Any]:
    """Return the manifest as of its modification time."""
    found: dict[str, Any] = json.loads((DIST / "manifest.json").read_text("utf-8"))
    return found


def bundle(name: str) -> dict[str, Any]:
    """Return the manifest entry of a bundle such as ``desk.js``."""
    entry: dict[str, Any] = manifest_at((DIST / "manifest.json").stat().st_mtime)[name]
    return entry


def asset(name: str) -> str:
    """Return the address of a bundle."""
    return url_for("static_files.asset", name=bundle(name)["file"])


def icon(name: str) -> Markup:
    """Return a picture of our own sprite; words always stand beside it, so it is hidden from readers."""
    sprite = url_for("static_files.asset", name="icons.svg")
    return Markup('<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>').format(sprite, name)


@area.get("/static/<path:name>", endpoint="asset")
def asset_view(name: str) -> Response:
    """Send a bundle, compressed where the browser takes brotli."""
    hashed = name not in UNHASHED
    folder = DIST if hashed else FOLDER
    squeezed = hashed and request.accept_encodings.quality("br") > 0 and (DIST / f"{name}.br").is_file()
    response = send_from_directory(
        folder, f"{name}.br" if squeezed else name, mimetype=mimetypes.guess_type(name)[0] or "application/octet-stream"
    )
    if squeezed:
        response.headers["Content-Encoding"] = "br"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "public, max-age=3600"
    return response


@area.get("/favicon.ico")
def favicon() -> Response:
    """Send the door, our sign."""
    return send_from_directory(FOLDER, "favicon.svg", mimetype="image/svg+xml", max_age=86400)
