"""A certificate hierarchy for demonstration and tests, made once and kept as files; every subject says TEST.

Root "Ban Cơ yếu Chính phủ (TEST)" → issuing authority → certificates of people and agencies, a time-stamping authority and an OCSP
responder. Layout of the folder::

    root.der issuing.der tsa.der ocsp.der          certificates
    authority/{root,issuing,tsa,ocsp}.key          unencrypted PKCS#8 keys of the TEST authorities (0600)
    keys/<key_id>.p12  keys/<key_id>.pem           PKCS#12 under the owner's PIN, certificate and chain beside it
    services/                                      every certificate the time-stamping and OCSP services ever had
    revoked.json                                   serial → instant and reason
"""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from signing.errors import SigningError
from signing.model import SignerCertificate

# The services answer under a name that exists nowhere (RFC 2606); a verifier maps it to where they listen today. So certificates stay
# the same whichever port is free.
SERVICE_ADDRESS = "http://pki.motcua.test"
ROOT_NAME = "Ban Cơ yếu Chính phủ (TEST)"
ISSUING_NAME = "CA chuyên dùng công vụ (TEST)"
AuthorityKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_PBKDF2_ROUNDS = 200_000
_SERVICES = {
    "tsa": (ExtendedKeyUsageOID.TIME_STAMPING, "Dịch vụ cấp dấu thời gian (TEST)"),
    "ocsp": (ExtendedKeyUsageOID.OCSP_SIGNING, "Dịch vụ trạng thái chứng thư (TEST)"),
}


@dataclass(frozen=True)
class PersonSpec:
    """A person who signs: *uid* is a staff number, *pin* opens the key; nothing of it is kept in clear."""

    key_id: str
    name: str
    title: str
    agency: str
    uid: str
    pin: str
    algorithm: str = "ecdsa"


@dataclass(frozen=True)
class AgencySpec:
    """An agency whose seal signature a document clerk applies; *code* is the agency identifier (QĐ 20/2020/QĐ-TTg)."""

    key_id: str
    name: str
    code: str
    pin: str
    algorithm: str = "ecdsa"


def create(
    folder: Path,
    people: Iterable[PersonSpec],
    agencies: Iterable[AgencySpec],
    *,
    valid_from: datetime,
    years: int = 10,
    lives: Mapping[str, int] | None = None,
) -> TestPki:
    """Make the whole hierarchy in *folder* (which must not hold one yet) and return it opened.

    *years* is the life of every certificate below the authorities; *lives* may shorten that of ``tsa``, ``ocsp`` or ``people``.
    """
    lives = lives or {}
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if (folder / "root.der").exists():
        raise SigningError("testpki.exists")
    (folder / "authority").mkdir(mode=0o700)
    (folder / "keys").mkdir(mode=0o700)
    until = valid_from + timedelta(days=365 * years)
    root_key, issuing_key = _new_key("ecdsa"), _new_key("ecdsa")
    root = _certificate(_name(ROOT_NAME), root_key, None, root_key, (valid_from, until + timedelta(days=3650)), authority=1)
    issuing = _certificate(_name(ISSUING_NAME), issuing_key, root, root_key, (valid_from, until + timedelta(days=365)), authority=0)
    _write(folder / "root.der", root.public_bytes(serialization.Encoding.DER))
    _write(folder / "issuing.der", issuing.public_bytes(serialization.Encoding.DER))
    _write_key(folder / "authority" / "root.key", root_key)
    _write_key(folder / "authority" / "issuing.key", issuing_key)
    pki = TestPki(folder)
    for role in _SERVICES:
        pki.renew_service(role, valid_from=valid_from, years=lives.get(role, years))
    _write(folder / "revoked.json", b"{}")
    for person in people:
        pki.issue_person(person, valid_from=valid_from, years=lives.get("people", years))
    for agency in agencies:
        pki.issue_agency(agency, valid_from=valid_from, years=lives.get("people", years))
    return pki


class TestPki:
    """An existing hierarchy in *folder*."""

    __test__ = False  # not a test case, whatever its name says

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not (folder / "root.der").exists():
            raise SigningError("testpki.missing")

    @property
    def root(self) -> bytes:
        """The trust anchor, DER."""
        return (self.folder / "root.der").read_bytes()

    @property
    def issuing(self) -> bytes:
        """The issuing authority's certificate, DER."""
        return (self.folder / "issuing.der").read_bytes()

    def authority_key(self, role: str) -> AuthorityKey:
        """Key of one TEST authority: ``root``, ``issuing``, ``tsa`` or ``ocsp``."""
        raw = (self.folder / "authority" / f"{role}.key").read_bytes()
        key = serialization.load_der_private_key(raw, None, unsafe_skip_rsa_key_validation=True)
        if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            raise SigningError("signing.key_unsupported", algorithm=type(key).__name__)
        return key

    def certificate(self, key_id: str) -> SignerCertificate:
        """The certificate of one key with its chain below the root."""
        path = self.folder / "keys" / f"{key_id}.pem"
        if not path.exists():
            raise SigningError("custody.key_unknown")
        leaf, *above = (one.public_bytes(serialization.Encoding.DER) for one in x509.load_pem_x509_certificates(path.read_bytes()))
        return SignerCertificate(leaf, tuple(above))

    def key_ids(self) -> list[str]:
        """All keys issued so far, sorted."""
        return sorted(path.stem for path in (self.folder / "keys").glob("*.pem"))

    def issue_person(self, person: PersonSpec, *, valid_from: datetime, years: int = 5) -> SignerCertificate:
        """Make key and certificate of one person and keep them under the PIN."""
        name = _name(
            f"{person.name} (TEST)",
            title=person.title,
            organisation=f"{person.agency} (TEST)",
            uid=person.uid,
            unit="Chữ ký cá nhân (TEST)",
        )
        return self._issue(person.key_id, name, person.pin, person.algorithm, valid_from, years)

    def issue_agency(self, agency: AgencySpec, *, valid_from: datetime, years: int = 5) -> SignerCertificate:
        """Make key and certificate of one agency and keep them under the PIN."""
        name = _name(f"{agency.name} (TEST)", organisation=f"{agency.name} (TEST)", uid=agency.code, unit="Chữ ký cơ quan (TEST)")
        return self._issue(agency.key_id, name, agency.pin, agency.algorithm, valid_from, years)

    def renew_service(self, role: str, *, valid_from: datetime, years: int = 10) -> None:
        """Give the time-stamping authority (``tsa``) or the OCSP responder (``ocsp``) a new key and certificate."""
        usage, title = _SERVICES[role]
        key, issuing = _new_key("ecdsa"), x509.load_der_x509_certificate(self.issuing)
        window = (valid_from, valid_from + timedelta(days=365 * years))
        certificate = _certificate(_name(title), key, issuing, self.authority_key("issuing"), window, usage=usage)
        raw = certificate.public_bytes(serialization.Encoding.DER)
        _write(self.folder / f"{role}.der", raw)
        (self.folder / "services").mkdir(mode=0o700, exist_ok=True)
        _write(self.folder / "services" / f"{certificate.serial_number:x}.der", raw)
        _write_key(self.folder / "authority" / f"{role}.key", key)

    def revoke(self, key_id: str, at: datetime, reason: str = "key_compromise") -> None:
        """Declare the certificate of *key_id* revoked from instant *at*; OCSP and CRL tell it from now on."""
        serial = x509.load_der_x509_certificate(self.certificate(key_id).der).serial_number
        entries = self.revoked()
        entries[f"{serial:x}"] = {"at": at.astimezone(UTC).isoformat(), "reason": reason}
        _write(self.folder / "revoked.json", json.dumps(entries, indent=1).encode())

    def revoked(self) -> dict[str, dict[str, str]]:
        """Serial (hex) → ``at`` and ``reason`` of every revoked certificate."""
        loaded: dict[str, dict[str, str]] = json.loads((self.folder / "revoked.json").read_text())
        return loaded

    def knows_serial(self, serial: int) -> bool:
        """Whether the issuing authority issued this serial number."""
        current = [self.folder / f"{role}.der" for role in _SERVICES]
        services = (x509.load_der_x509_certificate(path.read_bytes()) for path in [*current, *(self.folder / "services").glob("*.der")])
        people = (x509.load_pem_x509_certificate(path.read_bytes()) for path in (self.folder / "keys").glob("*.pem"))
        return any(one.serial_number == serial for one in chain(services, people))

    def _issue(self, key_id: str, name: x509.Name, pin: str, algorithm: str, valid_from: datetime, years: int) -> SignerCertificate:
        path = self.folder / "keys" / f"{key_id}.p12"
        if not key_id.replace("-", "").replace("_", "").isalnum() or not key_id.isascii():
            raise SigningError("testpki.key_id_invalid")
        if path.exists():
            raise SigningError("testpki.exists")
        issuing = x509.load_der_x509_certificate(self.issuing)
        key = _new_key(algorithm)
        window = (valid_from, valid_from + timedelta(days=365 * years))
        certificate = _certificate(name, key, issuing, self.authority_key("issuing"), window)
        _write(path, sealed_p12(key_id, key, certificate, [issuing], pin.encode()))
        above = [issuing, x509.load_der_x509_certificate(self.root)]
        _write(path.with_suffix(".pem"), b"".join(one.public_bytes(serialization.Encoding.PEM) for one in [certificate, *above]))
        return self.certificate(key_id)


def sealed_p12(key_id: str, key: AuthorityKey, certificate: x509.Certificate, above: list[x509.Certificate], pin: bytes) -> bytes:
    """PKCS#12 under *pin*: PBES2, AES-256-CBC, PBKDF2-HMAC-SHA256 with enough rounds to slow a guesser of short PINs."""
    encryption = (
        serialization.PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(_PBKDF2_ROUNDS)
        .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
        .hmac_hash(hashes.SHA256())
        .build(pin)
    )
    return pkcs12.serialize_key_and_certificates(key_id.encode(), key, certificate, above, encryption)


def _new_key(algorithm: str) -> AuthorityKey:
    if algorithm == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


def _name(common_name: str, *, title: str = "", organisation: str = "", uid: str = "", unit: str = "") -> x509.Name:
    parts = [
        (NameOID.COUNTRY_NAME, "VN"),
        (NameOID.ORGANIZATION_NAME, organisation or ROOT_NAME),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
        (NameOID.TITLE, title),
        (NameOID.COMMON_NAME, common_name),
        (NameOID.USER_ID, uid),
    ]
    attributes = []
    for oid, raw in parts:
        text = unicodedata.normalize("NFC", raw)
        # X.520 caps most attributes at 64 characters; a long agency name is cut, never refused.
        limit = 64 if oid != NameOID.USER_ID else 128
        if oid == NameOID.COMMON_NAME and len(text) > limit:
            text = text.removesuffix(" (TEST)")[: limit - 7] + " (TEST)"
        if text:
            attributes.append(x509.NameAttribute(oid, text[:limit]))
    return x509.Name(attributes)


def _certificate(
    subject: x509.Name,
    key: AuthorityKey,
    issuer: x509.Certificate | None,
    issuer_key: AuthorityKey,
    window: tuple[datetime, datetime],
    *,
    authority: int | None = None,
    usage: x509.ObjectIdentifier | None = None,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(window[0].astimezone(UTC).replace(microsecond=0))
        .not_valid_after(window[1].astimezone(UTC).replace(microsecond=0))
        .add_extension(x509.BasicConstraints(ca=authority is not None, path_length=authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_key_usage(authority is not None, usage), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if usage is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
    if usage == ExtendedKeyUsageOID.OCSP_SIGNING:
        # Nobody can ask the responder about itself (RFC 6960, 4.2.2.2.1).
        builder = builder.add_extension(x509.OCSPNoCheck(), critical=False)
    elif issuer is not None:
        builder = _with_services(builder, "root" if authority is not None else "issuing")
    return builder.sign(issuer_key, hashes.SHA256())


def _with_services(builder: x509.CertificateBuilder, issuer_role: str) -> x509.CertificateBuilder:
    def point(path: str) -> x509.UniformResourceIdentifier:
        return x509.UniformResourceIdentifier(f"{SERVICE_ADDRESS}/{path}")

    access = [x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, point(f"{issuer_role}.der"))]
    if issuer_role == "issuing":
        access.insert(0, x509.AccessDescription(AuthorityInformationAccessOID.OCSP, point("ocsp")))
    crl = x509.DistributionPoint([point(f"{issuer_role}.crl")], None, None, None)
    return builder.add_extension(x509.AuthorityInformationAccess(access), critical=False).add_extension(
        x509.CRLDistributionPoints([crl]), critical=False
    )


def _key_usage(authority: bool, usage: x509.ObjectIdentifier | None) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=not authority and usage is None,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_suffix(path.suffix + ".new")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    temporary.replace(path)


def _write_key(path: Path, key: AuthorityKey) -> None:
    encoded = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write(path, encoded)
