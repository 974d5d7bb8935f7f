"""Signing with a USB token: the page asks here what is approved, carries it to the agent on that computer, and brings the answer back.

The answer comes as an ordinary form (``answers`` or ``refusal``), so that what follows is what follows a PIN.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Response, g, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.commands import device
from engine.commands.ceremony import Outcome
from engine.errors import Refused
from engine.queries import agent as program
from engine.queries import ceremony
from engine.sentences import sentence
from webapp.accounts import signed_in
from webapp.desk.files import download
from webapp.i18n import language, pick
from webapp.signing_room.area import area
from webapp.transaction import look, runtime, work

MOST_TEXT = 400_000
SPOKEN = (*sorted(device.REASONS), "custody.answer_lost")
USUAL_PORT = 18417
DRIVERS = (
    ("Windows", r"C:\Windows\System32\eToken.dll"),
    ("Linux", "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so"),
    ("macOS", "/usr/local/lib/opensc-pkcs11.so"),
)
IDENTIFIER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def agent_of(key: ceremony.KeyInUse, approval: str) -> dict[str, Any] | None:
    """Return what a page needs to talk to the agent, or None when the key is not on a token; *approval* is where it asks what is approved.

    The page may then, and only then, connect to this computer's agent.
    """
    if key.approval != "device":
        return None
    address = f"http://127.0.0.1:{runtime().settings.agent_port}"
    g.agent = address
    words = {code: " ".join((said.what, said.why, said.do)) for code in SPOKEN for said in [sentence(code, language(), {})]}
    return {"address": address, "certificate": key.certificate, "approval": approval, "language": language(), "sentences": words}


@area.post("/agent/approval")
@signed_in
def agent_approval() -> Response:
    """Approve what was shown and say what the agent is to sign."""
    return handed_over([UUID(one) for one in request.form.getlist("request") if IDENTIFIER.fullmatch(one)][:100])


def handed_over(request_ids: Sequence[UUID]) -> Response:
    """Answer what the agent is to sign.

    Raises:
        Refused: nothing could be approved.
    """
    claimed, failed = device.claim(work, request_ids)
    if not claimed:
        first = failed[0] if failed else None
        raise Refused(first.failure or "signing.request_over", **first.facts) if first else Refused("signing.request_not_found")
    documents = [
        {
            "request": str(one.request_id),
            "name": pick(one.name),
            "check_code": one.check_code,
            "content": base64.b64encode(one.content).decode(),
        }
        for one in claimed
    ]
    return jsonify({"certificate": claimed[0].certificate, "documents": documents})


def brought_back(request_ids: Sequence[UUID]) -> list[Outcome]:
    """Take the agent's answers, or the reason why there are none, as the form brings them.

    Raises:
        Refused: nothing was approved and nothing came back.
    """
    refusal, answers = request.form.get("refusal", ""), answers_of(request.form.get("answers", ""))
    taken = {one: answers[one] for one in request_ids if one in answers}
    outcomes = device.answer(work, taken) if taken else []
    outcomes += device.put_back(work, [one for one in request_ids if one not in taken], refusal)
    if not outcomes:
        raise Refused(refusal if refusal in device.REASONS else "agent.absent", field="pin")
    return outcomes


def answers_of(text: str) -> dict[UUID, bytes]:
    """Return the raw signatures by request; what is no such thing is left out."""
    try:
        given = json.loads(text[:MOST_TEXT]) if text else {}
        return {UUID(one): base64.b64decode(raw, validate=True) for one, raw in given.items() if IDENTIFIER.fullmatch(one)}
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}


@area.get("/agent")
@signed_in
def agent() -> ResponseReturnValue:
    """Tell how the agent is started on the computer with the token, and whether it runs."""
    with look() as w:
        key = ceremony.key_in_use(w)
    settings = runtime().settings
    g.agent = f"http://127.0.0.1:{settings.agent_port}"
    origin = settings.address if settings.public_url else request.host_url.rstrip("/")
    return render_template(
        "signing_room/agent.html",
        key=key,
        address=g.agent,
        origin=origin,
        install=f"python -m pip install {' '.join(program.NEEDS)}",
        start=f"python {program.NAME} --origin",
        more="--library" if settings.agent_port == USUAL_PORT else f"--port {settings.agent_port} --library",
        file=program.NAME,
        examples=DRIVERS,
        program=url_for("signing_room.agent_program"),
    )


@area.get("/agent/program")
@signed_in
def agent_program() -> ResponseReturnValue:
    """Send the agent as one file."""
    return download(program.program(), program.NAME, "application/zip")
