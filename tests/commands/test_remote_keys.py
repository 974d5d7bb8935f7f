"""A leader whose key is at a signing service: connected by an administrator, approved on a telephone, completed however late it comes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

from engine.commands import keys
from engine.documents.signature import SigningOffice
from engine.errors import Refused
from engine.kernel.unit_of_work import Actor
from engine.queries import ceremony as queries
from signing.model import SignerCertificate
from signing.places import RemotePlace
from signing.vault import Answer, Vault
from tests.commands.test_ceremony import later, ready, request, sign, signatures_in
from tests.signing.test_remote import Provider
from tests.support.office import PINS, Office

PLACE = {"kind": "polled", "provider": "motcua", "password": "canary-service", "user": "079", "pause": 0.01, "questions": 2}


class VaultHere:
    """A vault in this process, where the custody process would be."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault

    def challenge(self, key_id: str) -> Any:
        return SimpleNamespace(public_key={}, nonce=key_id, seconds=60.0)

    def sign(self, key_id: str, sealed_pin: str, contents: Sequence[bytes]) -> Sequence[Answer]:
        return self.vault.sign(key_id, bytearray(sealed_pin.encode()), contents)

    def answered(self, key_id: str, contents: Sequence[bytes]) -> Sequence[Answer | None]:
        return self.vault.answered(key_id, contents)

    def connect(self, key_id: str, place: dict[str, Any], pem: bytes) -> SignerCertificate:
        self.vault.connect(key_id, RemotePlace.from_json(place), pem)
        return self.vault.certificate(key_id)


@pytest.fixture
def provider(office: Office) -> Iterator[Provider]:
    """The service that holds the head's key from now on."""
    folder = office.runtime.settings.home / "pki" / "keys"
    key = pkcs12.load_pkcs12((folder / "head.p12").read_bytes(), PINS["head"].encode()).key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    opened = Provider(key)
    (folder / "head.p12").unlink()
    yield opened
    opened.server.shutdown()
    opened.server.server_close()


@pytest.fixture
def connected(office: Office, provider: Provider, tmp_path: Path) -> Provider:
    """The head's key at the service, in use."""
    working = office.runtime.part(SigningOffice)
    office.runtime.parts.offer(SigningOffice, lambda: replace(working, custody=VaultHere(Vault(tmp_path / "vault"))))
    pem = (office.runtime.settings.home / "pki" / "keys" / "head.pem").read_bytes()
    office.clock.at += timedelta(days=1)
    with office.runtime.begin(Actor("cli", label="tests")) as w:
        from sqlalchemy import update

        from engine.documents.model import SigningKey

        w.session.execute(update(SigningKey).where(SigningKey.person_id == office.people["head"]).values(revoked_at=w.now))
        key = keys.connect(w, "person", office.people["head"], {**PLACE, "url": provider.service.url}, pem)
        assert key.approval == "telephone"
    return provider


def test_a_leader_approves_on_the_telephone_while_the_page_waits(office: Office, connected: Provider):
    code, known = ready(office)
    with office.as_("head") as w:
        assert queries.key_in_use(w).approval == "telephone"

    [outcome] = sign(office, known, pin="")

    assert outcome.signed
    assert office.open_task(code).action == "issue"
    assert connected.count("signatures/sign") == 1


def test_an_approval_after_the_page_gave_up_is_completed_once(office: Office, connected: Provider):
    code, known = ready(office)
    connected.states = ["PENDING"] * 4

    [outcome] = sign(office, known, pin="")
    assert (outcome.failure, outcome.waiting) == ("custody.remote_late", True)
    later(office)  # still waiting for the owner
    assert request(office, known).state == "approved"
    connected.states = []
    later(office)

    assert request(office, known).state == "embedded"
    assert (connected.count("signatures/sign"), signatures_in(office, known)) == (1, 1)
    assert office.open_task(code).action == "issue"


def test_a_refusal_on_the_telephone_gives_the_document_back(office: Office, connected: Provider):
    _, known = ready(office)
    connected.states = ["PENDING"] * 2
    sign(office, known, pin="")
    connected.states = ["REJECTED"]
    later(office)

    assert (request(office, known).state, request(office, known).failure) == ("shown", "custody.remote_refused")


def test_a_certificate_no_root_of_ours_vouches_for_is_not_connected(office: Office, provider: Provider, tmp_path: Path):
    from tests.support.signing_office import make_hierarchy

    make_hierarchy(tmp_path / "other")
    working = office.runtime.part(SigningOffice)
    office.runtime.parts.offer(SigningOffice, lambda: replace(working, custody=VaultHere(Vault(tmp_path / "vault"))))
    pem = (tmp_path / "other" / "keys" / "lan.pem").read_bytes()

    with pytest.raises(Refused) as refused, office.runtime.begin(Actor("cli", label="tests")) as w:
        keys.connect(w, "person", office.people["head"], {**PLACE, "url": provider.service.url}, pem)

    assert refused.value.code == "signing.certificate_untrusted"
