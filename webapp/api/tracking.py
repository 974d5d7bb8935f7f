"""For citizens: progress by the code alone, the rest by a grant; and the verdict on a signed file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask import Response, request

from engine.commands import dossiers as commands
from engine.commands import tasks
from engine.errors import Refused
from engine.queries import tracking as queries
from engine.queries import verification
from engine.runtime import UnitOfWork
from webapp.api.access import GRANT_SECONDS, grant
from webapp.api.dossiers import FILE, FeeFacts, Note, PaperFacts, brought
from webapp.api.routes import download, route
from webapp.api.shapes import taken
from webapp.transaction import look, runtime, work

TAG = "tracking"
VERIFY = "verification"
MOST = 50 * 1024 * 1024


@route("GET", "/tracking/<code>", "How far a dossier is", tag=TAG, answer=queries.Progress, who="anyone", limit="30/minute")
def progress(w: UnitOfWork, code: str) -> Any:
    """Return the public progress of a dossier."""
    return queries.public(w, code.strip().upper())


@dataclass(frozen=True)
class Proof:
    """The owner's or submitter's identity number and the access code of the receipt."""

    identity: str
    access_code: str


@dataclass(frozen=True)
class Granted:
    """A grant for the header `Motcua-Grant`, good for some seconds."""

    grant: str
    seconds: int


@route(
    "POST",
    "/tracking/<code>/access",
    "Prove to be the owner",
    tag=TAG,
    answer=Granted,
    who="anyone",
    body=Proof,
    limit="10/minute",
    pure=True,
)
def prove(w: UnitOfWork, code: str, body: Proof) -> Granted:
    """Return a grant for half an hour."""
    commands.check_access(w, code, body.identity, body.access_code)
    return Granted(grant(code), GRANT_SECONDS)


@dataclass(frozen=True)
class AskedPaper:
    """A paper the owner is asked for."""

    key: str
    name: dict[str, str]
    form: str


@dataclass(frozen=True)
class OwnerDossier:
    """What the owner sees."""

    progress: queries.Progress
    owner: dict[str, str]
    documents: Sequence[PaperFacts]
    fees: Sequence[FeeFacts]
    asked: Sequence[AskedPaper]
    request: dict[str, Any]
    suspended_at: datetime | None
    result: PaperFacts | None


@route("GET", "/owner/<code>", "One's own dossier", tag=TAG, answer=OwnerDossier, who="owner")
def owner(w: UnitOfWork, code: str) -> OwnerDossier:
    """Return a dossier to its owner."""
    seen = queries.owner(w, code)
    return OwnerDossier(
        seen.progress,
        dict(seen.owner),
        [taken(PaperFacts, d) for d in seen.documents],
        [taken(FeeFacts, f) for f in seen.fees],
        [AskedPaper(a["key"], dict(a["name"]), a["form"]) for a in seen.asked],
        dict(seen.request),
        seen.suspended_at,
        taken(PaperFacts, seen.result) if seen.result is not None else None,
    )


@route("POST", "/owner/<code>/supplement", "Answer a supplement request", tag=TAG, who="owner", body=Note, files=(f"{FILE}*",),
       transaction=False, limit="20/minute")  # fmt: skip
def owner_supplement(code: str, body: Note) -> None:
    """Take the owner's answer whole."""
    answers = {component: files for component, files in brought().items() if files}
    with work() as w:
        commands.answer_supplement(w, code, answers, body.note, access_checked=True)


@dataclass(frozen=True)
class Confirmation:
    """The owner's word on a draft: right, or what is to be corrected."""

    agreed: bool
    remark: str = ""


@route("POST", "/owner/<code>/confirmation", "Say whether the paper shown is right", tag=TAG, who="owner", body=Confirmation,
       limit="20/minute")  # fmt: skip
def owner_confirmation(w: UnitOfWork, code: str, body: Confirmation) -> None:
    """Take the owner's word on the draft."""
    commands.confirm(w, code, body.agreed, body.remark, access_checked=True)


@route("GET", "/owner/<code>/documents/<uuid:document_id>", "A paper issued to the owner", tag=TAG, who="owner", media="application/pdf")
def owner_document(w: UnitOfWork, code: str, document_id: UUID) -> Response:
    """Send an issued paper."""
    document, content = queries.issued_bytes(w, code, document_id)
    return download(content, f"{code}-{document.kind}.pdf", "application/pdf")


@route("POST", "/owner/<code>/result", "Take the result: that is its delivery", tag=TAG, who="owner", media="application/pdf")
def take_result(w: UnitOfWork, code: str) -> Response:
    """Hand the result over by download; taking it twice delivers it once."""
    tasks.return_by_download(w, code)
    seen = queries.owner(w, code)
    if seen.result is None:
        raise Refused("result.not_ready")
    _document, content = queries.issued_bytes(w, code, seen.result.id)
    return download(content, f"ket-qua-{code}.pdf", "application/pdf")


@dataclass(frozen=True)
class KnownDocument:
    """What the office knows of these bytes."""

    ours: bool
    newest: bool
    revision: str
    name: dict[str, str]
    number: int | None
    symbol: str
    issued_on: date | None
    public_id: str
    attached: dict[str, Any] | None
    """Of an annex: its document. Of a copy: the form of copy and what was copied."""


@dataclass(frozen=True)
class Verdict:
    """The verdict on a signed file: valid, insufficient or invalid; the full report beside it."""

    verdict: str
    report: dict[str, Any]
    known: KnownDocument


@route("POST", "/verification", "Judge a signed file; it is not kept", tag=VERIFY, answer=Verdict, who="anyone", files=("file",),
       transaction=False, limit="20/minute", pure=True)  # fmt: skip
def verify() -> Verdict:
    """Judge a file somebody brought."""
    sent = request.files.get("file")
    content = sent.read(MOST + 1) if sent is not None else b""
    if not content:
        raise Refused("verify.no_file", field="file")
    if len(content) > MOST:
        raise Refused("verify.too_large", field="file")
    return judged(content)


@route("POST", "/verification/etsi", "Judge a signed file; the report is ETSI TS 119 102-2 XML", tag=VERIFY, answer=bytes, who="anyone",
       files=("file",), transaction=False, limit="20/minute", pure=True, media="application/xml")  # fmt: skip
def verify_etsi() -> Response:
    """Judge a file somebody brought, for programs of other makers."""
    judged_file = verify()
    return download(verification.etsi(judged_file.report), "verification.xml", "application/xml")


@route("GET", "/verification/<public_id>", "Judge the document behind a printed code", tag=VERIFY, answer=Verdict, who="anyone",
       transaction=False, limit="30/minute")  # fmt: skip
def verify_issued(public_id: str) -> Verdict:
    """Judge an issued document; its content is not shown."""
    with look() as w:
        content = verification.issued(w, public_id)
    return judged(content)


def judged(content: bytes) -> Verdict:
    """Return the verdict on a content."""
    with look() as w:
        known, now = verification.known(w, content), w.now
    report = verification.judge(runtime(), content, now)
    return Verdict(str(report["verdict"]), dict(report), taken(KnownDocument, known))
