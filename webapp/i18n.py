"""Two languages: Vietnamese sentences stand in the source, the English catalogue beside it.

The pseudo-language ``xx`` puts ⟦brackets⟧ around everything that went through the catalogue; whatever a crawl finds without brackets was
forgotten.
The catalogue is compiled in memory when the application is created, so that it can never be older than its source.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import LazyProxy, NullTranslations, Translations
from flask import Blueprint, Flask, Response, current_app, g, has_request_context, redirect, request

LANGUAGES = {"vi": "Tiếng Việt", "en": "English"}
COOKIE = "language"
FOLDER = Path(__file__).parent / "translations"
area = Blueprint("i18n", __name__)


def install(app: Flask) -> None:
    """Compile the catalogues and give the templates their words."""
    app.extensions["catalogues"] = {
        "vi": NullTranslations(),
        **{lang: compiled(FOLDER / lang / "LC_MESSAGES" / "messages.po") for lang in LANGUAGES if lang != "vi"},
    }
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    app.jinja_env.globals.update(language=language, languages=LANGUAGES)
    app.jinja_env.filters["pick"] = pick
    app.register_blueprint(area)


def compiled(path: Path) -> NullTranslations:
    """Return the catalogue of a .po file."""
    with path.open("rb") as source:
        catalogue = read_po(source)
    machine = BytesIO()
    write_mo(machine, catalogue)
    machine.seek(0)
    return Translations(machine)


def language() -> str:
    """Return the reader's language: the one chosen, else Vietnamese."""
    if not has_request_context():
        return "vi"
    chosen: str | None = g.get("language")
    if chosen is None:
        asked = request.cookies.get(COOKIE, "vi")
        chosen = g.language = asked if asked in LANGUAGES or (asked == "xx" and current_app.config["PSEUDO_LANGUAGE"]) else "vi"
    return chosen


def catalogue() -> NullTranslations:
    """Return the catalogue of the reader's language."""
    found: NullTranslations = current_app.extensions["catalogues"][language() if language() in LANGUAGES else "vi"]
    return found


def gettext(message: str) -> str:
    """Return *message* in the reader's language."""
    if not has_request_context() or not message:
        return message
    return f"⟦{message}⟧" if language() == "xx" else catalogue().gettext(message)


def ngettext(one: str, many: str, count: int) -> str:
    """Return the message for *count* in the reader's language; Vietnamese has one form."""
    if not has_request_context():
        return many
    if language() == "xx":
        return f"⟦{many}⟧"
    return many if language() == "vi" else catalogue().ngettext(one, many, count)


def lazy(message: str) -> LazyProxy:
    """Return a message that is looked up when it is shown, for constants of modules."""
    return LazyProxy(gettext, message, enable_cache=False)


def pick(names: Any, default: str = "") -> str:
    """Return a two-language text of a procedure package in the reader's language, Vietnamese where no other was written."""
    if names is None:
        return default
    if isinstance(names, str):
        return names
    if not isinstance(names, Mapping):
        names = {"vi": getattr(names, "vi", ""), "en": getattr(names, "en", "")}
    text = str(names.get("en") or names.get("vi") or default) if language() == "en" else str(names.get("vi") or default)
    return f"⟦{text}⟧" if language() == "xx" and text else text


@area.post("/language")
def choose() -> Response:
    """Change the language and go back to where the reader was."""
    target = request.form.get("back", "/")
    response = redirect(target if target.startswith("/") and not target.startswith(("//", "/\\")) else "/", 303)
    response.set_cookie(
        COOKIE, request.form.get("language", "vi")[:2], max_age=31536000, samesite="Lax", httponly=True, secure=request.is_secure
    )
    return response  # type: ignore[return-value]
