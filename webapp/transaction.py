"""The only place of the web that begins a unit of work.

A page looks (`look`), a form acts (`act`). An act is one POST = one unit of work = one command, and its answer is remembered
under the form's ``request_id`` in the same transaction: a double click or a refresh gets the first answer again, the act is not
repeated.

Who asks is found out in the same unit of work too (`first`): the page or the act goes on in it. A page that looks while it looks, such as
the navigation with its counts, looks with the same eyes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, cast

from flask import Flask, Response, g, make_response
from flask.typing import ResponseReturnValue

from engine.runtime import Actor, Runtime, UnitOfWork
from webapp.application import Answer, at_hand, this_application, this_request, this_session

P = ParamSpec("P")


SYSTEM = Actor(kind="system", label="sign-in")
CITIZEN = Actor(kind="citizen", label="web")
Begun = tuple[AbstractContextManager[UnitOfWork], UnitOfWork]
"""A unit of work that was entered, with what ends it."""


def install(app: Flask, runtime: Runtime) -> None:
    """Give the application its runtime."""
    app.extensions["motcua"] = runtime
    app.teardown_request(leave)


def runtime() -> Runtime:
    """Return the runtime of this application, for views that begin units of work themselves: none is left open behind them."""
    leave()
    return _runtime()


def _runtime() -> Runtime:
    return cast(Runtime, this_application().extensions["motcua"])


def actor() -> Actor:
    """Return who acts in this request: the signed-in person, a token's person, or a citizen without a name."""
    known: Actor | None = at_hand().get("actor")
    return known or CITIZEN


def first() -> UnitOfWork:
    """Return the unit of work in which this request finds out who asks; the first look, work or act goes on in it."""
    known = at_hand()
    begun: Begun | None = known.get("begun")
    if begun is None:
        entered = _runtime().begin(SYSTEM)
        begun = known.begun = (entered, entered.__enter__())
    return begun[1]


class opened:  # noqa: N801 — reads as English: with opened(who) as w
    """Go on in the unit of work this request has begun with, as *who*; open one when there is none."""

    def __init__(self, who: Actor) -> None:
        self._who = who

    def __enter__(self) -> UnitOfWork:
        begun: Begun | None = at_hand().pop("begun", None)
        if begun is None:
            self._entered = _runtime().begin(self._who)
            return self._entered.__enter__()
        self._entered, w = begun
        w.actor = self._who
        return w

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool | None:
        return self._entered.__exit__(kind, error, trace)


def leave(_error: BaseException | None = None) -> None:
    """Let go of the unit of work nobody went on in: it has only looked."""
    known = at_hand()
    begun: Begun | None = known.pop("begun", None)
    if begun is not None:
        known.pop("recalled", None)
        entered, w = begun
        w.session.close()
        entered.__exit__(None, None, None)


@contextmanager
def look(who: Actor | None = None) -> Iterator[UnitOfWork]:
    """Open a unit of work for a page; what it records (a read of personal data) becomes true with it."""
    looker = who or actor()
    looking: UnitOfWork | None = g.get("looking")
    if looking is not None and looking.actor == looker:
        yield looking
        return
    with opened(looker) as w:
        if looking is None:
            g.looking = w
        try:
            yield w
        finally:
            if looking is None:
                g.pop("looking", None)


@contextmanager
def work(who: Actor | None = None) -> Iterator[UnitOfWork]:
    """Open a unit of work for an act without a form, such as a draft being kept; forms use `act`."""
    with opened(who or actor()) as w:
        yield w


def act(
    page: str | None = None, *, remembered: bool = True, claims: bool = True
) -> Callable[[Callable[Concatenate[UnitOfWork, P], ResponseReturnValue]], Callable[P, Response]]:
    """Turn a view into an act: it gets the open unit of work as its first argument.

    ``page`` names the endpoint that shows the form again, with the answers and the reasons at their fields, when a rule refuses. An act
    claims the number of its form before it begins, so the same form waits for the first one's answer; without ``claims`` it is only
    looked for, and written with the answer. That is enough where all an act does is written to the database under a lock: of the same
    form twice at the same moment one is refused or taken back whole, and gets the other's answer (`answered_meanwhile`).
    """

    def decorate(view: Callable[Concatenate[UnitOfWork, P], ResponseReturnValue]) -> Callable[P, Response]:
        @wraps(view)
        def answered(*args: P.args, **kwargs: P.kwargs) -> Response:
            here = at_hand()
            here.form_page = page
            key = number_of_form() if remembered else ""
            with opened(here.get("actor") or CITIZEN) as w:
                known = recalled(w, key, claims) if key else None
                if known is not None:
                    return again(known)
                if not claims:
                    here.looked_for = key
                made = view(w, *args, **kwargs)
                response = made if type(made) is Answer else make_response(made)
                if key:
                    w.remember(key, first_answer(response), claimed=claims)
            return response

        answered.remembers, answered.claims = remembered, claims  # type: ignore[attr-defined]
        return answered

    return decorate


def key_of_form() -> tuple[str, bool]:
    """Return the number of the form whose view is an act that is remembered, and whether the act claims it.

    The number is empty when the view is no such act, even if it begins one later.
    """
    asked = this_request()
    view: Any = this_application().view_functions[asked.endpoint or ""]
    if asked.method != "POST" or not getattr(view, "remembers", False):
        return "", True
    return asked.form_number, view.claims


def number_of_form() -> str:
    """Return the number of the form that is sent; empty when it has none."""
    return this_request().form_number


def recalled(w: UnitOfWork, key: str, claims: bool) -> dict[str, Any] | None:
    """Return the answer this form got before; who asks and this were found out together where a session asks."""
    asked: tuple[str, dict[str, Any] | None] | None = at_hand().get("recalled")
    if asked is not None and asked[0] == key:
        return asked[1]
    return w.recall(key) if claims else w.find(key)


def answered_meanwhile() -> Response | None:
    """Return the answer of the same form that was faster, for one that was refused or taken back; None when there is none."""
    key: str = at_hand().pop("looked_for", "")
    if not key:
        return None
    with work() as w:
        known = w.find(key)
    return again(known) if known is not None else None


def first_answer(response: Response) -> dict[str, Any]:
    """Return what has to be kept of an answer to give it again: where it sends people, and what it tells them there."""
    notes = this_session().get("_flashes", [])
    return {"status": response.status_code, "location": response.headers.get("Location", ""), "notes": [list(note) for note in notes]}


def again(known: dict[str, Any]) -> Response:
    """Give the first answer to a repeated request."""
    session = this_session()
    if known.get("notes") and not session.get("_flashes"):
        session["_flashes"] = [tuple(note) for note in known["notes"]]
    response = make_response("", known.get("status", 303))
    if known.get("location"):
        response.headers["Location"] = known["location"]
    return response
