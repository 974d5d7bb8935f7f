"""What is written byte by byte is what the general libraries write, and one signature costs what it should, counted."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from asn1crypto import cms, core
from hypothesis import given
from hypothesis import strategies as st
from pyhanko.sign import signers
from pyhanko.sign.timestamps import TimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from signing import der, keys, pades
from signing.increment import embed
from signing.model import LEADER, SignerCertificate
from signing.signed_data import DATA, TST_INFO, container, signed_attributes
from tests.support.effort import effort
from tests.support.signing_office import Office, refused

DIGEST = hashlib.sha256(b"a document").digest()


class _Library(signers.Signer):
    """The library's own way to the same container."""

    def __init__(self, certificate: SignerCertificate, name: str, signature: bytes) -> None:
        store = SimpleCertificateStore()
        store.register_multiple([keys.parsed(one) for one in certificate.chain])
        super().__init__(signing_cert=keys.parsed(certificate.der), cert_registry=store, signature_mechanism=keys.mechanism(name))
        self._signature = signature

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        return self._signature


class _Held(TimeStamper):
    def __init__(self, token: bytes) -> None:
        super().__init__()
        self._token = token

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> cms.ContentInfo:
        return cms.ContentInfo.load(self._token)


@pytest.mark.parametrize(("key_id", "name"), [("lan", keys.ECDSA), ("binh", keys.PSS), ("binh", keys.PKCS1)])
@pytest.mark.parametrize("chain", [0, 1, 2])
@pytest.mark.parametrize("stamped", [False, True])
def test_a_container_is_byte_for_byte_the_librarys(office: Office, key_id: str, name: str, chain: int, stamped: bool) -> None:
    whole = office.pki.certificate(key_id)
    certificate = SignerCertificate(whole.der, (office.pki.issuing, office.pki.root)[:chain])
    signature = b"any signature of any length" * 9
    token = office.tsa.token(pades.imprint(signature), office.now) if stamped else None
    library = _Library(certificate, name, signature)

    attributes = signed_attributes(certificate.der, DIGEST, DATA)
    theirs = pades.settle(library.signed_attrs(DIGEST, "sha256", use_pades=True))
    assert attributes == theirs.dump()
    stamper = _Held(token) if token else None
    expected = pades.settle(library.async_sign_prescribed_attributes("sha256", signed_attrs=theirs, timestamper=stamper))
    assert container(certificate, name, attributes, signature, token) == expected.dump()


def test_a_token_is_written_as_the_library_reads_it(office: Office) -> None:
    token = office.tsa.token(DIGEST, office.now)
    read = cms.ContentInfo.load(token, strict=True)
    assert read.copy().dump(force=True) == token
    assert read["content"]["version"].native == "v3"
    assert read["content"]["encap_content_info"]["content_type"].dump() == TST_INFO
    info = read["content"]["encap_content_info"]["content"].parsed
    assert info["gen_time"].native == office.now
    assert info["message_imprint"]["hashed_message"].native == DIGEST


@given(st.binary(max_size=70_000), st.integers(0, 2**70), st.lists(st.binary(min_size=1, max_size=5), max_size=6))
def test_der_is_what_asn1crypto_writes(content: bytes, number: int, items: list[bytes]) -> None:
    assert der.octets(content) == core.OctetString(content).dump()
    assert der.integer(number) == core.Integer(number).dump()

    class Items(core.SetOf):  # type: ignore[misc]  # the library has no types
        _child_spec = core.OctetString

    assert der.set_of(map(der.octets, items)) == Items(items).dump()
    assert der.context(3, content) == core.OctetString(content, implicit=3).dump().replace(b"\x83", b"\xa3", 1)


@given(st.integers(0, 2), st.integers(0, 39), st.lists(st.integers(0, 2**40), max_size=8))
def test_object_identifiers(first: int, second: int, rest: list[int]) -> None:
    dotted = ".".join(map(str, [first, second, *rest]))
    assert der.oid(dotted) == core.ObjectIdentifier(dotted).dump()


@given(st.integers(-630720000, 7258118400))
def test_times_change_their_form_in_2050(seconds: int) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    read: Any = cms.Time.load(der.time_of(at))
    assert read.native == at
    assert read.name == ("utc_time" if at.year < 2050 else "generalized_time")
    assert core.GeneralizedTime.load(der.general_time(at)).native == at


def test_a_revision_only_appends_and_its_digests_are_those_of_its_bytes(office: Office) -> None:
    letter = office.with_fields()
    prepared = pades.prepare(letter, LEADER, office.pki.certificate("lan"), office.now)
    start, end = prepared.state["reserved"]
    assert prepared.pdf.startswith(letter)
    assert prepared.pdf[start : start + 2] == b"<0"
    assert prepared.pdf[end - 2 : end] == b"0>"
    assert prepared.state["pdf_sha256"] == hashlib.sha256(prepared.pdf).hexdigest()
    assert prepared.state["document_digest"] == hashlib.sha256(prepared.pdf[:start] + prepared.pdf[end:]).hexdigest()
    ranges = re.findall(rb"/ByteRange \[(\d+) (\d+) (\d+) (\d+)\]", prepared.pdf[len(letter) :])
    assert [tuple(map(int, one)) for one in ranges] == [(0, start, end, len(prepared.pdf) - end)]


def test_what_does_not_fit_is_refused_and_what_fits_exactly_is_taken() -> None:
    room = b"before<00000000>after"
    assert embed(room, 6, 16, b"\xab\xcd\xef\x01") == b"before<ABCDEF01>after"
    assert embed(room, 6, 16, b"\xab") == b"before<AB000000>after"
    with refused("signing.too_large"):
        embed(room, 6, 16, bytes(5))


def test_one_signature_costs_few_calls(office: Office) -> None:
    """62,000 with the general writers of CMS; a slip back to them shows here, on any machine."""
    letter, certificate = office.with_fields(), office.pki.certificate("lan")
    pades.prepare(letter, LEADER, certificate, office.now)
    with effort() as counted:
        prepared = pades.prepare(letter, LEADER, certificate, office.now)
    signature = office.raw_sign("lan", prepared.to_sign)
    with effort() as finishing:
        pades.finish(prepared.pdf, prepared.state, signature)
    assert counted.calls < 25_000
    assert finishing.calls < 1_000
