"""The blueprint of the programming interface: tokens instead of cookies, the reader's language from the request, honest 401s."""

from __future__ import annotations

from flask import Blueprint, Response

from webapp.application import at_hand, carry, this_request
from webapp.security import csrf

area = Blueprint("api", __name__, url_prefix="/api/v1")
csrf.exempt(area)  # no cookie is ever looked at here, so no other site can act in anybody's name


@area.before_request
def choose_language() -> None:
    """Speak the language the program asks for."""
    asked = this_request()
    at_hand().language = asked.accept_languages.best_match(["vi", "en"], "vi") if "HTTP_ACCEPT_LANGUAGE" in asked.environ else "vi"


@area.after_request
def ask_for_a_token(response: Response) -> Response:
    """Say how to sign in when that is what is missing."""
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="motcua"'
    carry(response.headers, (("Content-Language", at_hand().get("language", "vi")),))
    return response
