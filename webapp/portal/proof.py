"""Where a paper stands in the sealed journal, and the proof to be checked without us."""

from __future__ import annotations

import json

from flask import Response, render_template
from flask.typing import ResponseReturnValue

from engine.errors import Refused
from engine.queries import audit
from webapp.portal.area import area
from webapp.security import limiter
from webapp.transaction import look


@area.get("/bang-chung/<public_id>")
@limiter.limit("30/minute")
def proof(public_id: str) -> ResponseReturnValue:
    """Show which line of the journal keeps this paper and under which night's seal it stands."""
    with look() as w:
        found = audit.paper(w, public_id)
    return render_template("portal/proof.html", found=found, seal=audit.seal_of(found))


@area.get("/bang-chung/<public_id>.json")
@limiter.limit("30/minute")
def proof_file(public_id: str) -> ResponseReturnValue:
    """Send the proof as a file; `docs/check_journal.py` and openssl check it offline."""
    with look() as w:
        found = audit.paper(w, public_id)
    if found.proof is None:
        raise Refused("journal.not_sealed_yet")
    response = Response(json.dumps(found.proof, ensure_ascii=False, indent=1), mimetype="application/json")
    response.headers.set("Content-Disposition", "attachment", filename=f"bang-chung-{found.public_id}.json")
    return response
