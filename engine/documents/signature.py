"""Between a document's fields and the signing package: the plan of fields, the ceremony's parts, the steps without a transaction."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from engine.documents.trust import anchors, kept_answers
from engine.errors import EngineError, Refused
from engine.kernel.tables import Json
from signing import fields as places
from signing import pades
from signing.custody import Custody
from signing.errors import SigningError
from signing.examine import Inquiry
from signing.keys import check_raw
from signing.model import Box, FieldPlan, Prepared, SignerCertificate, TextField
from signing.revocation import Sources
from signing.standing import standing
from signing.tsa import TimeStampClient
from signing.verify import verify

NUMBER, DATE = "number", "date"


class KeyCustody(Protocol):
    """What holds the keys: answers raw signatures for one authorisation, never gives a key away."""

    def challenge(self, key_id: str) -> Any:
        """Return the public key and the nonce a PIN is sealed to."""
        ...

    def sign(self, key_id: str, sealed_pin: str, contents: Sequence[bytes]) -> Sequence[bytes | SigningError]:
        """Return one raw signature per content, or why there is none; asked again for a content, the same signature."""
        ...

    def answered(self, key_id: str, contents: Sequence[bytes]) -> Sequence[bytes | SigningError | None]:
        """Return what `sign` has answered before, None where nothing was signed; needs no PIN and signs nothing."""
        ...


class TimeStamping(Protocol):
    """A time-stamping authority."""

    def token(self, digest: bytes, now: datetime) -> bytes:
        """Return a time-stamp token over a digest."""
        ...


@dataclass(frozen=True)
class SigningOffice:
    """What a signing ceremony needs of the installation: custody, time-stamping, fonts, trust anchors, whether outputs are marked TEST.

    *standing* asks how a certificate stands now: ``good``, ``unknown`` (nobody answers), or a refusal.
    """

    custody: KeyCustody
    timestamps: TimeStamping
    verifier: Callable[[bytes, datetime], Json]
    standing: Callable[[SignerCertificate, datetime], str]
    fonts: Path
    test: bool
    intermediates: Callable[[], Sequence[bytes]] = tuple
    """The certificates between anchors and signers that this office knows."""

    def font(self) -> bytes:
        """Return the font number and date are written with."""
        return (self.fonts / "400Regular" / "Tinos_400Regular.ttf").read_bytes()


def plan_of(fields: Sequence[Json], order: str) -> FieldPlan:
    """Return the field plan of a printed document from the rectangles its template declares.

    With ``agency_only`` the one field is the agency's, where its line stands. With ``number_first`` number and date are part of what the
    leader signs (the register decides), so they get no field.
    """
    boxes = {f["name"]: Box(int(f["page"]), f["x"], f["y"], f["width"], f["height"]) for f in fields}
    if order == "agency_only":
        if "agency" not in boxes:
            raise Refused("document.no_signature_place")
        return FieldPlan(leader=None, agency=boxes["agency"])
    leader = boxes.get("leader")
    if leader is None:
        raise Refused("document.no_signature_place")
    late = order == "leader_first"
    number = boxes.get(NUMBER) if late else None
    day = boxes.get(DATE) if late else None
    return FieldPlan(
        leader=leader,
        agency=boxes.get("agency"),
        number=TextField(number, places.NUMBER_PATTERN, places.DIGITS, align="right") if number else None,
        date=TextField(day, places.DATE_PATTERN, places.DATE_ALPHABET, align="right") if day else None,
    )


def number_text(number: int) -> str:
    """Return a document number as printed: below ten with a leading zero (NĐ 30/2020/NĐ-CP, Phụ lục I)."""
    return f"{number:02d}"


def date_text(on: date) -> str:
    """Return a date as printed: day below ten and month below three with a leading zero (NĐ 30/2020/NĐ-CP, Phụ lục I)."""
    month = f"{on.month:02d}" if on.month < 3 else str(on.month)
    return f"ngày {on.day:02d} tháng {month} năm {on.year}"


@dataclass(frozen=True)
class ToSign:
    """One approved document on its way to the key and back: only bytes and JSON, no record."""

    request_id: UUID
    key: str
    pdf: bytes
    ceremony: Json
    verify: bool = False
    elsewhere: bool = False
    """Whether the key is at the signer's own computer: no process of ours can ask it."""

    @property
    def content(self) -> bytes:
        """Exactly the bytes the key signs."""
        return Prepared(self.pdf, self.ceremony).to_sign


@dataclass(frozen=True)
class Signed:
    """What came of one document: the signed bytes, or the reason why not."""

    request_id: UUID
    pdf: bytes | None
    failure: str | None
    facts: Json


def fits(item: ToSign, raw: bytes) -> bool:
    """Say whether a raw signature belongs to this document and this certificate."""
    try:
        check_raw(base64.b64decode(item.ceremony["certificate"]), item.ceremony["mechanism"], raw, item.content)
    except SigningError:
        return False
    return True


def embed(office: SigningOffice, item: ToSign, raw: bytes, now: datetime) -> Signed:
    """Time-stamp one signature and put it into its document; judge the whole when the request asks for it."""
    try:
        token = office.timestamps.token(pades.imprint(raw), now)
        pdf = pades.finish(item.pdf, item.ceremony, raw, token)
        if item.verify:
            report = office.verifier(pdf, now)
            if report["verdict"] != "valid":
                return Signed(item.request_id, None, "signing.not_verified", {"verdict": report["verdict"]})
    except SigningError as failed:
        return Signed(item.request_id, None, failed.code, dict(failed.facts))
    return Signed(item.request_id, pdf, None, {})


def translated(error: Any, *, field: str | None = None) -> EngineError:
    """Return a refusal of the signing package as one of ours."""
    return Refused(error.code, field=field, **dict(error.facts))


def open_signing_office(home: Path, fonts: Path, *, test: bool) -> SigningOffice:
    """Return the signing office of an installation: the custody and trust services it supervises, found by their address files."""
    return SigningOffice(
        custody=Custody(home / "pki" / "custody.json"),
        timestamps=SupervisedTimeStamps(home / "trust_services.json"),
        verifier=SupervisedVerifier(home / "pki", home / "trust_services.json"),
        standing=SupervisedStanding(home / "pki", home / "trust_services.json"),
        fonts=fonts,
        test=test,
        intermediates=lambda: anchors(home).intermediates,
    )


@dataclass(frozen=True)
class SupervisedTimeStamps:
    """The time-stamping authority whose address stands in a file, read at every token: the process may be restarted under us."""

    address_file: Path

    def token(self, digest: bytes, now: datetime) -> bytes:
        """Return a token, or a refusal ``signing.tsa_down`` when nobody answers."""
        try:
            url = json.loads(self.address_file.read_text())["tsa"]
        except (OSError, ValueError, KeyError):
            raise SigningError("signing.tsa_down") from None
        return TimeStampClient([url]).token(digest, now)


def routes_of(address_file: Path) -> dict[str, str]:
    """Return where the installation's trust services answer; nowhere while they are down."""
    try:
        routes: dict[str, str] = json.loads(address_file.read_text())["routes"]
    except (OSError, ValueError, KeyError):
        return {}
    return routes


@dataclass(frozen=True)
class SupervisedVerifier:
    """Judges a document against the trust anchors of the installation, in a child process; the services' places stand in a file.

    Status answers are kept in the home, for the days when their authority does not answer.
    """

    pki: Path
    address_file: Path

    def __call__(self, pdf: bytes, now: datetime) -> Json:
        """Return the report as JSON."""
        home = self.pki.parent
        return verify(pdf, anchors(home, routes_of(self.address_file)), now=now, kept=kept_answers(home)).to_json()


@dataclass(frozen=True)
class SupervisedStanding:
    """Asks the installation's authorities how a certificate stands."""

    pki: Path
    address_file: Path

    def __call__(self, certificate: SignerCertificate, now: datetime) -> str:
        """Return ``good`` or ``unknown``, or refuse."""
        trust = anchors(self.pki.parent, routes_of(self.address_file))
        return standing(certificate, Inquiry(trust.anchors, trust.intermediates, now, Sources(trust.routes, trust.hosts)))
