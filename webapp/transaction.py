"""The only place of the web that begins a unit of work.

A page looks (`look`), a form acts (`act`). An act is one POST = one unit of work = one command, and its answer is remembered
under the form's ``request_id`` in the same transaction: a double click or a refresh gets the first answer again, the act is not
repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from flask import Flask, Response, current_app, g, make_response, request, session
from flask.typing import ResponseReturnValue

from engine.runtime import Actor, Runtime, UnitOfWork

P = ParamSpec("P")


def install(app: Flask, runtime: Runtime) -> None:
    """Give the application its runtime."""
    app.extensions["motcua"] = runtime


def runtime() -> Runtime:
    """Return the runtime this application was created with."""
    return cast(Runtime, current_app.extensions["motcua"])


def actor() -> Actor:
    """Return who acts in this request: the signed-in person, a token's person, or a citizen without a name."""
    known: Actor | None = g.get("actor")
    return known or Actor(kind="citizen", label="web")


@contextmanager
def look(who: Actor | None = None) -> Iterator[UnitOfWork]:
    """Open a unit of work for a page; what it records (a read of personal data) becomes true with it."""
    with runtime().begin(who or actor()) as w:
        yield w


@contextmanager
def work(who: Actor | None = None) -> Iterator[UnitOfWork]:
    """Open a unit of work for an act without a form, such as a draft being kept; forms use `act`."""
    with runtime().begin(who or actor()) as w:
        yield w


def act(
    page: str | None = None, *, remembered: bool = True
) -> Callable[[Callable[Concatenate[UnitOfWork, P], ResponseReturnValue]], Callable[P, Response]]:
    """Turn a view into an act: it gets the open unit of work as its first argument.

    ``page`` names the endpoint that shows the form again, with the answers and the reasons at their fields, when a rule refuses.
    """

    def decorate(view: Callable[Concatenate[UnitOfWork, P], ResponseReturnValue]) -> Callable[P, Response]:
        @wraps(view)
        def answered(*args: P.args, **kwargs: P.kwargs) -> Response:
            g.form_page = page
            key = request.form.get("request_id", "")[:64] if remembered else ""
            with runtime().begin(actor()) as w:
                known = w.recall(key) if key else None
                if known is not None:
                    return again(known)
                response = make_response(view(w, *args, **kwargs))
                if key:
                    w.remember(key, first_answer(response))
            return response

        return answered

    return decorate


def first_answer(response: Response) -> dict[str, Any]:
    """Return what has to be kept of an answer to give it again: where it sends people, and what it tells them there."""
    notes = session.get("_flashes", [])
    return {"status": response.status_code, "location": response.headers.get("Location", ""), "notes": [list(note) for note in notes]}


def again(known: dict[str, Any]) -> Response:
    """Give the first answer to a repeated request."""
    if known.get("notes") and not session.get("_flashes"):
        session["_flashes"] = [tuple(note) for note in known["notes"]]
    response = make_response("", known.get("status", 303))
    if known.get("location"):
        response.headers["Location"] = known["location"]
    return response
