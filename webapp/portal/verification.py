"""Checking a signed file: one verdict first, then who, when, what was signed and what changed later; the file is not kept."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue

from engine.errors import Invalid, Refused
from engine.queries import verification
from engine.sentences import Sentence, sentence
from webapp.i18n import language
from webapp.portal.area import area
from webapp.security import limiter
from webapp.transaction import look, runtime

MOST = 50 * 1024 * 1024


@area.app_template_global()
def said_code(code: str, facts: dict[str, Any]) -> Sentence:
    """Return the sentence of a reason in the reader's language."""
    return sentence(code, language(), facts)


@area.app_template_global()
def headline(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Return why a file is not valid, for the first screen: what decided first, each sentence once, three at the most."""
    deciding = [one for one in report["signatures"] if one["verdict"] == report["verdict"] != verification.VALID]
    found = {one["code"]: one for one in (*(reason for signature in deciding for reason in signature["reasons"]), *report["reasons"])}
    if len(found) > 1:
        found.pop("verify.time_unproven", None)
    return list(found.values())[:3]


@area.get("/xac-minh")
def check() -> ResponseReturnValue:
    """Show the page where a file is checked."""
    return render_template("portal/check.html")


@area.post("/xac-minh")
@limiter.limit("20/minute")
def verdict() -> ResponseReturnValue:
    """Judge a file somebody brought; nothing of it is kept."""
    from flask import g

    g.form_page = "portal.check"
    code = request.form.get("code", "").strip()
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        if code:
            return by_code(code)
        raise Invalid({"file": Refused("verify.no_file", field="file")})
    content = upload.read(MOST + 1)
    if not content:
        raise Invalid({"file": Refused("file.empty", field="file")})
    if len(content) > MOST:
        raise Invalid({"file": Refused("verify.too_large", field="file")})
    return judged(content)


@area.get("/xac-minh/<code>")
@limiter.limit("30/minute")
def by_code(code: str) -> ResponseReturnValue:
    """Judge the issued document behind the code printed on it; its content is not shown."""
    with look() as w:
        content = verification.issued(w, code)
    return judged(content, shown=False)


def judged(content: bytes, *, shown: bool = True) -> ResponseReturnValue:
    """Show the verdict on a file."""
    with look() as w:
        known, now = verification.known(w, content), w.now
    report = verification.judge(runtime(), content, now)
    pages: list[bytes] = []
    compared: list[verification.Compared] = []
    if shown and report["signatures"]:
        from webapp.errors import attempted

        attempted(lambda: pages.extend(verification.pictures(content)))
        attempted(lambda: compared.extend(verification.compared(content, report)))
    return render_template(
        "portal/verdict.html", report=report, known=known, pages=pages, compared=compared, shown=shown, downloads=downloads(report)
    )


@dataclass(frozen=True)
class Download:
    """A report to take away: its address holds it, for nothing of the file is kept here."""

    name: str
    kind: str
    address: str


def downloads(report: dict[str, Any]) -> list[Download]:
    """Return the report for programs: as JSON, and as ETSI TS 119 102-2 writes it."""
    stem = f"xac-minh-{report['sha256'][:12]}"
    made = (
        ("JSON", f"{stem}.json", "application/json", json.dumps(report, ensure_ascii=False, indent=1).encode()),
        ("ETSI TS 119 102-2 (XML)", f"{stem}.xml", "application/xml", verification.etsi(report)),
    )
    return [Download(file, label, f"data:{media};base64,{base64.b64encode(body).decode()}") for label, file, media, body in made]


@area.app_template_filter()
def inline_picture(content: bytes) -> str:
    """Return a picture (PNG) as an address that holds it."""
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"
