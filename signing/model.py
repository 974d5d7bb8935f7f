"""Values that cross the package's border: places on a page, the field plan, certificates, prepared signatures."""

from __future__ import annotations

import base64
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

Json: TypeAlias = dict[str, Any]
Capacity: TypeAlias = Literal["leader", "agency"]

LEADER = "leader"
AGENCY = "agency"
NUMBER = "number"
DATE = "date"
MM = 72 / 25.4


@dataclass(frozen=True)
class Box:
    """A rectangle on one page, in PDF points, origin at the lower left corner; *page* counts from 0."""

    page: int
    x: float
    y: float
    width: float
    height: float

    @classmethod
    def from_top_left(cls, page: int, x: float, y: float, width: float, height: float, page_height: float) -> Box:
        """Convert from the origin of layout engines (top left, y downwards); all values in points."""
        return cls(page, x, page_height - y - height, width, height)

    @property
    def corners(self) -> tuple[float, float, float, float]:
        """Lower left and upper right corner, as a PDF rectangle."""
        return (round(self.x, 3), round(self.y, 3), round(self.x + self.width, 3), round(self.y + self.height, 3))


@dataclass(frozen=True)
class TextField:
    """A text field the clerk fills exactly once after the leader has signed.

    *pattern* is a regular expression the whole value must match; *alphabet* are the characters whose glyphs are embedded before the
    leader signs, so that the later appearance can show nothing else.
    """

    box: Box
    pattern: str
    alphabet: str
    font_size: float = 13
    align: Literal["left", "centre", "right"] = "left"


@dataclass(frozen=True)
class FieldPlan:
    """The fields a document gets before its first signature; *number* and *date* are absent when they are part of the signed text."""

    leader: Box | None = None
    agency: Box | None = None
    number: TextField | None = None
    date: TextField | None = None


@dataclass(frozen=True)
class SignerCertificate:
    """A signer's certificate and the certificates above it, as DER; public."""

    der: bytes
    chain: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class CertificateFacts:
    """What a person is shown of a certificate before signing and after verification."""

    common_name: str
    title: str
    organisation: str
    issuer: str
    serial: str
    valid_from: str
    valid_until: str
    algorithm: str
    is_test: bool

    def to_json(self) -> Json:
        """The same facts as plain JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Prepared:
    """A document with room for one signature; *state* is JSON and goes back into ``finish`` together with *pdf*."""

    pdf: bytes
    state: Json

    @property
    def to_sign(self) -> bytes:
        """The signed attributes: exactly the bytes the key signs (hashing them is the key's business)."""
        return base64.b64decode(self.state["attributes"])

    @property
    def check_code(self) -> str:
        """The first eight hex digits of what is signed, grouped, to be compared on two screens."""
        digest = str(self.state["to_sign_sha256"])
        return f"{digest[:4]} {digest[4:8]}".upper()
