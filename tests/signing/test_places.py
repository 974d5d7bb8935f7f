"""A key at a signing service through the custody process: asked once, its answers kept, a lost one fetched and never asked for again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

from signing.errors import SigningError
from signing.keys import ECDSA, check_raw
from signing.places import SUFFIX, RemotePlace
from signing.vault import Vault
from tests.signing.test_remote import PIN, Provider
from tests.support.signing_office import Office, refused

CONTENTS = [b"first", b"second", b"third"]


@pytest.fixture
def provider(office: Office) -> Iterator[Provider]:
    key = pkcs12.load_pkcs12((office.folder / "keys" / "lan.p12").read_bytes(), office.pins["lan"].encode()).key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    opened = Provider(key)
    yield opened
    opened.server.shutdown()
    opened.server.server_close()


def vault(office: Office, provider: Provider, kind: str, tmp_path: Path) -> Vault:
    """A vault whose key “boss” lives at the provider, under the certificate of “lan”."""
    made = Vault(tmp_path / "keys")
    place = {
        "csc": {"kind": "csc", "url": provider.service.url, "credential": "boss"},
        "polled": {
            "kind": "polled", "url": provider.service.url, "provider": "motcua", "password": "canary-service", "user": "079",
            "pause": 0.01, "questions": 3,
        },
    }[kind]  # fmt: skip
    made.connect("boss", RemotePlace.from_json(place), (office.folder / "keys" / "lan.pem").read_bytes())
    return made


def good(made: Vault, signatures: object) -> None:
    assert isinstance(signatures, list)
    for content, signature in zip(CONTENTS, signatures, strict=True):
        assert isinstance(signature, bytes)
        check_raw(made.certificate("boss").der, ECDSA, signature, content)


def pin(text: str = PIN) -> bytearray:
    return bytearray(text.encode())


@pytest.mark.parametrize("kind", ["csc", "polled"])
def test_the_service_is_asked_once_and_its_answers_are_kept(office: Office, provider: Provider, kind: str, tmp_path: Path) -> None:
    made = vault(office, provider, kind, tmp_path)
    provider.states = ["PENDING", "SUCCESS"]

    first = made.sign("boss", pin(), CONTENTS)
    good(made, first)
    asked = len(provider.calls)

    assert made.sign("boss", pin(), CONTENTS) == first
    assert made.answered("boss", CONTENTS) == first
    assert Vault(tmp_path / "keys").answered("boss", CONTENTS) == first, "also after a restart"
    assert len(provider.calls) == asked
    assert made.needs_pin("boss") is (kind == "csc")


def test_what_the_owner_approves_late_is_fetched_and_never_asked_for_again(office: Office, provider: Provider, tmp_path: Path) -> None:
    made = vault(office, provider, "polled", tmp_path)
    provider.states = ["PENDING"] * 10
    with refused("custody.remote_late"):
        made.sign("boss", pin(""), CONTENTS)
    with refused("custody.remote_late"):
        Vault(tmp_path / "keys").answered("boss", CONTENTS[:1])

    provider.states = ["SUCCESS"]
    good(made, Vault(tmp_path / "keys").answered("boss", CONTENTS))
    assert provider.count("signatures/sign") == 1


def test_an_approval_refused_on_the_telephone_is_said_and_may_be_asked_again(office: Office, provider: Provider, tmp_path: Path) -> None:
    made = vault(office, provider, "polled", tmp_path)
    provider.states = ["REJECTED"]
    with refused("custody.remote_refused"):
        made.sign("boss", pin(""), CONTENTS)
    assert made.answered("boss", CONTENTS) == [None] * 3

    provider.states = ["SUCCESS"]
    good(made, made.sign("boss", pin(""), CONTENTS))


def test_a_lost_answer_of_a_service_that_cannot_be_asked_again_is_gone_not_repeated(
    office: Office, provider: Provider, tmp_path: Path
) -> None:
    made = vault(office, provider, "csc", tmp_path)
    provider.lose_answer = True
    with refused("custody.remote_down"):
        made.sign("boss", pin(), CONTENTS)
    provider.lose_answer = False
    signed = provider.count("signatures/signHash")

    told = made.answered("boss", CONTENTS)

    assert [one.code if isinstance(one, SigningError) else one for one in told] == ["custody.answer_gone"] * 3
    assert provider.count("signatures/signHash") == signed


def test_a_wrong_pin_of_the_service_leaves_nothing_under_way(office: Office, provider: Provider, tmp_path: Path) -> None:
    made = vault(office, provider, "csc", tmp_path)
    with refused("custody.remote_refused"):
        made.sign("boss", pin("000000"), CONTENTS)
    assert made.answered("boss", CONTENTS) == [None] * 3
    good(made, made.sign("boss", pin(), CONTENTS))


def test_an_answer_for_another_document_has_its_own_reason(office: Office, provider: Provider, tmp_path: Path) -> None:
    made = vault(office, provider, "csc", tmp_path)
    provider.change = lambda answers: [answers[0], answers[0], answers[2]]

    told = made.sign("boss", pin(), CONTENTS)

    assert isinstance(told[0], bytes)
    assert isinstance(told[1], SigningError)
    assert told[1].code == "signing.answer_wrong"
    assert isinstance(told[2], bytes)


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"kind": "ftp", "url": "https://x"}, "kind"),
        ({"kind": "csc", "url": "https://x"}, "credential"),
        ({"kind": "polled", "url": "https://x", "provider": "p", "user": "u"}, "password"),
        ({"kind": "csc", "url": "https://x", "credential": "c", "pin": "1234"}, "pin"),
    ],
)
def test_a_wrong_place_names_its_field(told: dict[str, str], field: str) -> None:
    with refused("custody.place_invalid") as facts:
        RemotePlace.from_json(told)
    assert facts["field"] == field


def test_secrets_of_a_place_are_in_no_text_and_in_a_closed_file(office: Office, provider: Provider, tmp_path: Path) -> None:
    vault(office, provider, "polled", tmp_path)
    path = tmp_path / "keys" / f"boss{SUFFIX}"
    assert path.stat().st_mode & 0o077 == 0
    assert "canary-service" not in repr(RemotePlace.read(path))


def test_a_key_is_not_put_in_the_place_of_another(office: Office, provider: Provider, tmp_path: Path) -> None:
    made = vault(office, provider, "csc", tmp_path)
    shutil.copy(office.folder / "keys" / "lan.pem", tmp_path / "lan.pem")
    with refused("custody.key_exists"):
        made.connect("boss", RemotePlace("csc", "https://x", credential="c"), (tmp_path / "lan.pem").read_bytes())
