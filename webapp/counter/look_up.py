"""One box finds a dossier: by code, the QR of a receipt, a scanned identity card, a number, a name without diacritics.

It is sent by POST: what is looked up is personal and has no place in an address.
"""

from __future__ import annotations

import re

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.queries import dossiers
from webapp.accounts import holding
from webapp.counter.area import COUNTER, area
from webapp.transaction import look

TRACKING = re.compile(r"/tra-cuu/([^/?#\s]+)")
NUMBER = re.compile(r"\d{12}")


@area.post("/look-up")
@holding(*COUNTER)
def look_up() -> ResponseReturnValue:
    """Open the only dossier found, or show those that fit."""
    text = request.form.get("q", "").strip()[:500]
    receipt = TRACKING.search(text)
    number = text.split("|", 1)[0].replace(" ", "").replace(".", "")
    with look() as w:
        if receipt:
            found, total = dossiers.search(w, receipt.group(1))
        elif NUMBER.fullmatch(number):
            found, total = dossiers.search(w, identity=number)
        else:
            found, total = dossiers.search(w, text) if text else ([], 0)
    if total == 1:
        return redirect(url_for("counter.one", code=found[0].code), 303)
    return render_template("counter/found.html", found=found, total=total, asked=bool(text))
