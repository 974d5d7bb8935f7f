"""The guards of signed XML and the limits of the verifying process, switched off one by one: each stops something nothing else stops.

The packets are signed by a key we trust, so that their cryptography is good and only the guard stands in the way.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod

from signing import verify, warm, xades
from signing.model import Json
from signing.xades import DS, XA
from tests.signing import switches
from tests.signing.attacks import containers, packets
from tests.signing.test_xades import PACKET, examined, signed, signed_with
from tests.support.signing_office import Office

BY_NAME = {one.name: one for one in (*switches.XML_GUARDS, *switches.LIMITS)}


@pytest.fixture(scope="module")
def shared(hierarchy: Path, tmp_path_factory: pytest.TempPathFactory) -> Office:
    return Office.copy_of(hierarchy, tmp_path_factory.mktemp("xml-guards") / "office")


def transformed(office: Office) -> bytes:
    """Another program would cut away everything before it compares."""
    return signed_with(office, transform=dict(packets.transforms())["XPath"])


def signed_otherwise(office: Office, raw_sign: Callable[[bytes], bytes], **options: Any) -> bytes:
    """Our own signature with another algorithm."""
    stock = xades._Signer

    def signer(now: datetime, **chosen: Any) -> xades._Signer:
        return stock(now, **{**chosen, **options})

    with patch.object(xades, "_Signer", signer):
        return xades.sign_xml(PACKET, office.pki.certificate("agency"), raw_sign, office.now)


def another_digest(office: Office) -> bytes:
    return signed_otherwise(office, lambda content: office.raw_sign("agency", content), digest_algorithm=DigestAlgorithm.SHA3_256)


def another_method(office: Office) -> bytes:
    key = containers.opened(office, "agency")
    sign = lambda content: bytes(key.sign(content, ec.ECDSA(hashes.SHA512())))  # noqa: E731
    return signed_otherwise(office, sign, signature_algorithm=SignatureMethod.ECDSA_SHA512)


def stuffed_token(office: Office) -> bytes:
    root = etree.fromstring(signed(office))
    token = next(root.iter(f"{XA}EncapsulatedTimeStamp"))
    token.text = base64.b64encode(base64.b64decode(token.text or "") + b"\0\1").decode()
    return etree.tostring(root)


ATTACKS: dict[str, Callable[[Office], bytes]] = {
    "XML transforms": transformed,
    "XML digests": another_digest,
    "XML methods": another_method,
    "token in XML": stuffed_token,
}


@pytest.mark.parametrize("name", ATTACKS)
def test_only_this_guard_of_signed_xml_stops_the_attack(shared: Office, name: str) -> None:
    packet = ATTACKS[name](shared)
    assert examined(shared, packet).verdict.value != "valid"

    with switches.switched_off(BY_NAME[name]):
        assert examined(shared, packet).verdict.value == "valid"


def test_a_signature_over_the_head_alone_is_stopped_by_each_of_two_guards(shared: Office) -> None:
    """The body was exchanged after signing; by its cryptography the packet is good."""
    packet = over_the_head(shared)
    place, whole = BY_NAME["place and references"], BY_NAME["whole document"]

    with switches.switched_off(place, whole):
        assert examined(shared, packet).verdict.value == "valid"
    for other in (place, whole):
        with switches.switched_off(other):
            assert examined(shared, packet).verdict.value == "invalid"


def over_the_head(office: Office) -> bytes:
    """Signed by the agency, but only its head; then another body."""
    root = etree.fromstring(signed(office, stamped=False))
    head = root[0]
    reference = next(one for one in root.iter(f"{DS}Reference") if one.get("URI") == "")
    reference.set("URI", "#h")
    transforms, value = reference.find(f"{DS}Transforms"), reference.find(f"{DS}DigestValue")
    assert transforms is not None
    assert value is not None
    transforms.remove(next(one for one in transforms if str(one.get("Algorithm")).endswith("enveloped-signature")))
    value.text = base64.b64encode(hashlib.sha256(etree.tostring(head, method="c14n")).digest()).decode()
    made = signed_with(office, packet=etree.tostring(root).decode())
    return made.replace("nội dung".encode(), "nội dung khác".encode())


def test_a_large_packet_is_stopped_by_its_size_alone(shared: Office) -> None:
    packet = signed(shared)
    with patch.object(xades, "_MOST_BYTES", len(packet) - 1):
        assert examined(shared, packet).verdict.value == "invalid"
        with switches.switched_off(BY_NAME["size of XML"]):
            assert examined(shared, packet).verdict.value == "valid"


def test_a_large_file_is_never_given_to_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []

    class Counting:
        def ask(self, _: Json, payload: bytes, **__: float) -> tuple[Json, bytes]:
            given.append(len(payload))
            raise verify.ChildFailed("crash")

    def reason() -> str:
        return verify.verify(b"%PDF-", verify.Trust(()), now=datetime.now(UTC)).reasons[0].code

    monkeypatch.setattr(verify, "_CHILD", Counting())
    monkeypatch.setattr(verify, "MOST_BYTES", 4)
    assert (reason(), given) == ("verify.too_large", [])

    with switches.switched_off(BY_NAME["size of a file"]):
        assert (reason(), given) == ("verify.unreadable", [5])


def greedy(request: Json, _: bytes) -> tuple[Json, bytes]:
    """Takes more memory or processor time than is allowed, then ends well."""
    taken = bytes(1100 * 1024 * 1024 if request["act"] == "memory" else 0)
    while request["act"] == "processor time" and time.process_time() < 1.3:
        pass
    return {"taken": len(taken)}, b""


@pytest.mark.parametrize(("name", "kind"), [("memory", "memory"), ("processor time", "time")])
def test_nothing_but_its_limit_bounds_the_verifying_process(name: str, kind: str) -> None:
    head: Json = {"request": {"act": name}, "cpu_seconds": 1, "seconds": 120}
    assert warm._forked(greedy, head, b"")[0] == kind

    with switches.switched_off(BY_NAME[name]):
        assert warm._forked(greedy, head, b"")[0] == "done"


def test_every_guard_of_signed_xml_and_every_limit_is_switched_off_here() -> None:
    here = {*ATTACKS, "place and references", "whole document", "size of XML", "size of a file", "memory", "processor time"}
    assert set(BY_NAME) == here
