"""Trust anchors as files: each with its provenance, its dates and two people, or it does not count.

A folder holds, for each certificate, ``<sha256>.der`` and ``<sha256>.json`` (an `Entry`). What is damaged, named wrongly, proposed and
approved by the same hand, or not approved at all is told as a fault and trusted by nobody. The national roots are described in
``NATIONAL``: their certificates are not shipped, because a root must come from its authority by a way the office can answer for.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from cryptography import x509

from signing.errors import SigningError
from signing.verify import Trust

Role = Literal["anchor", "intermediate"]


@dataclass(frozen=True)
class NationalRoot:
    """A root of a national hierarchy as data: whose it is, where it is published, and the SHA-256 its certificate is publicly known by."""

    regime: str
    name: str
    address: str
    sha256: str
    known_from: str
    """Where the fingerprint was read and when: a help for whoever compares, never a reason to trust."""

    @property
    def told(self) -> str:
        """The root in one line, its fingerprint in pairs as the usual tools print it, a blank after eight of them for narrow screens."""
        pairs = [self.sha256[at : at + 2].upper() for at in range(0, 64, 2)]
        return f"{self.name}, {self.address} (SHA-256 {' '.join(':'.join(pairs[at : at + 8]) for at in range(0, 32, 8))})"


NATIONAL = (
    NationalRoot(
        "public",
        "Chứng thư số gốc của Tổ chức cung cấp dịch vụ chứng thực điện tử quốc gia (NEAC), Vietnam National Root CA",
        "https://rootca.gov.vn/crt/vnrca256.p7b",
        "bac8bf609ab420a8ee1780d74f4de5c7f7184959d2a7375b0a75e4c29f0908e7",
        "trust folders of two public repositories of one kind, read 2026-11-26; not compared with the authority's own publication",
    ),
    NationalRoot(
        "specialised",
        "Chứng thư số gốc chuyên dùng công vụ G2, Ban Cơ yếu Chính phủ",
        "http://ca.gov.vn/pki/pub/crt/rootcag2.crt",
        "f04ba4b459a7c9a1b971ad9b1cb833e695a80c79aea63b174b66a70edfe2fdb8",
        "trust folders of three public repositories, read 2026-11-26; not compared with the authority's own publication",
    ),
)
"""The two national hierarchies (NĐ 23/2025/NĐ-CP; NĐ 68/2024/NĐ-CP) and where their operators publish; addresses and fingerprints as known
publicly, to be confirmed by whoever proposes the certificate. Another root of the same operator may be proposed as well."""

WANTED = {root.regime: root.told for root in NATIONAL}


def known_root(sha256: str) -> NationalRoot | None:
    """Return the national root that is publicly known by this fingerprint; that it is known makes nobody trust it."""
    return next((root for root in NATIONAL if root.sha256 == sha256.lower()), None)


@dataclass(frozen=True)
class Entry:
    """One certificate and why it is here.

    *regime* is ``public``, ``specialised`` or another name; *source* says where the file came from and how its fingerprint was compared;
    *hosts* are the names its services answer under; instants are ISO 8601.
    """

    sha256: str
    name: str
    regime: str
    role: Role
    source: str
    proposed_by: str
    proposed_at: str
    valid_from: str
    valid_until: str
    hosts: tuple[str, ...] = ()
    approved_by: str = ""
    approved_at: str = ""
    withdrawn_by: str = ""
    withdrawn_at: str = ""

    @property
    def state(self) -> Literal["proposed", "approved", "withdrawn"]:
        """Where it stands."""
        if self.withdrawn_at:
            return "withdrawn"
        return "approved" if self.approved_at else "proposed"


@dataclass(frozen=True)
class Store:
    """What a folder holds, and which files are not what they should be (file name → code)."""

    entries: tuple[Entry, ...] = ()
    faults: dict[str, str] = field(default_factory=dict)
    _certificates: dict[str, bytes] = field(default_factory=dict)

    def trust(self) -> Trust:
        """What counts: approved by a second person, not withdrawn."""
        good = [one for one in self.entries if one.state == "approved"]
        ders = {role: tuple(self._certificates[one.sha256] for one in good if one.role == role) for role in ("anchor", "intermediate")}
        return Trust(ders["anchor"], ders["intermediate"], hosts=tuple(sorted({host for one in good for host in one.hosts})))


def load(folder: Path) -> Store:
    """Read the folder; a missing one is empty."""
    entries, faults, certificates = [], {}, {}
    for file in sorted(folder.glob("*.json")):
        try:
            raw = json.loads(file.read_text("utf-8"))
            entry = Entry(**{**raw, "hosts": tuple(raw.get("hosts", ()))})
            der = file.with_suffix(".der").read_bytes()
        except (OSError, ValueError, TypeError):
            faults[file.name] = "trust.unreadable"
            continue
        if entry.sha256 != file.stem or hashlib.sha256(der).hexdigest() != entry.sha256:
            faults[file.name] = "trust.other_certificate"
        elif entry.approved_at and entry.approved_by in ("", entry.proposed_by):
            faults[file.name] = "trust.one_hand"
        else:
            entries.append(entry)
            certificates[entry.sha256] = der
    return Store(tuple(entries), faults, certificates)


def propose(
    folder: Path, certificate: bytes, *, by: str, at: datetime, regime: str, role: Role, source: str, hosts: tuple[str, ...]
) -> Entry:
    """Put a certificate (PEM or DER) forward; it counts for nothing yet.

    Raises:
        SigningError: ``trust.unreadable`` for what is no authority's certificate, ``trust.expired``, ``trust.source_missing``,
            ``trust.host_invalid`` for anything but a public host name, ``trust.known``.
    """
    try:
        loader = x509.load_pem_x509_certificate if certificate.lstrip().startswith(b"-----") else x509.load_der_x509_certificate
        read = loader(certificate)
        authority = read.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (ValueError, x509.ExtensionNotFound) as problem:
        raise SigningError("trust.unreadable") from problem
    if not authority:
        raise SigningError("trust.unreadable")
    if read.not_valid_after_utc < at:
        raise SigningError("trust.expired", until=read.not_valid_after_utc.date().isoformat())
    if len(source.strip()) < 10:
        raise SigningError("trust.source_missing")
    for host in hosts:
        if not re.fullmatch(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", host):
            raise SigningError("trust.host_invalid", host=host[:80])
    from cryptography.hazmat.primitives.serialization import Encoding

    der = read.public_bytes(Encoding.DER)
    sha256 = hashlib.sha256(der).hexdigest()
    if (folder / f"{sha256}.json").exists():
        raise SigningError("trust.known")
    entry = Entry(
        sha256, read.subject.rfc4514_string(), regime, role, source.strip(), by, at.isoformat(), read.not_valid_before_utc.isoformat(),
        read.not_valid_after_utc.isoformat(), hosts,
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{sha256}.der").write_bytes(der)
    return _kept(folder, entry)


def approve(folder: Path, sha256: str, *, by: str, at: datetime) -> Entry:
    """Let a proposed certificate count; by another person than the one who proposed it.

    Raises:
        SigningError: ``trust.unknown``, ``trust.one_hand``, ``trust.not_proposed``.
    """
    entry = _found(folder, sha256)
    if entry.state != "proposed":
        raise SigningError("trust.not_proposed")
    if by in ("", entry.proposed_by):
        raise SigningError("trust.one_hand")
    return _kept(folder, Entry(**{**asdict(entry), "approved_by": by, "approved_at": at.isoformat()}))


def withdraw(folder: Path, sha256: str, *, by: str, at: datetime) -> Entry:
    """Let a certificate count no more; one person suffices, for less trust is never the danger. The entry stays, with who and when."""
    entry = _found(folder, sha256)
    if entry.state == "withdrawn":
        raise SigningError("trust.withdrawn")
    return _kept(folder, Entry(**{**asdict(entry), "withdrawn_by": by, "withdrawn_at": at.isoformat()}))


def _found(folder: Path, sha256: str) -> Entry:
    for entry in load(folder).entries:
        if entry.sha256 == sha256:
            return entry
    raise SigningError("trust.unknown")


def _kept(folder: Path, entry: Entry) -> Entry:
    target = folder / f"{entry.sha256}.json"
    draft = target.with_suffix(".new")
    draft.write_text(json.dumps(asdict(entry), ensure_ascii=False, indent=1), "utf-8")
    draft.replace(target)
    return entry
