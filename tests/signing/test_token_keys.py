"""Keys that never leave their device (SoftHSM2): same two phases, same refusals."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from signing import pades
from signing.custody import Custody, seal_pin
from signing.model import LEADER
from signing.token_keys import TokenKey
from tests.support.signing_office import Office, examined, refused, wait_for
from tests.support.tokens import LIBRARY, PIN, make_token

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tokens(office: Office) -> dict[str, str]:
    """A token with the leaders' keys; their PKCS#12 files are taken away."""
    token = make_token(office.folder / "computer", office.folder / "keys", office.pins, "lan", "binh")
    for key_id in ("lan", "binh"):
        (office.folder / "keys" / f"{key_id}.p12").unlink()
        TokenKey(LIBRARY, token.label, key_id).write(office.folder / "keys" / f"{key_id}.p11.json")
    return token.environment


@pytest.fixture
def custody(office: Office, tokens: dict[str, str]) -> Iterator[Custody]:
    address = office.folder / "custody.json"
    command = [sys.executable, "-m", "signing.custody", "--home", str(office.folder)]
    with subprocess.Popen(command, cwd=ROOT, env=tokens, stdout=subprocess.DEVNULL) as process:
        wait_for(address.exists)
        yield Custody(address)
        process.terminate()


def sealed(custody: Custody, key_id: str, pin: str) -> str:
    challenge = custody.challenge(key_id)
    return seal_pin(challenge.public_key, challenge.nonce, pin)


@pytest.mark.parametrize("key_id", ["lan", "binh"], ids=["ecdsa", "rsa-pss"])
def test_a_document_is_signed_by_a_key_on_a_device(custody: Custody, office: Office, key_id: str) -> None:
    certificate = custody.key(key_id).certificate
    batch = [pades.prepare(office.with_fields(), LEADER, certificate, office.now) for _ in range(3)]
    answers = custody.sign(key_id, sealed(custody, key_id, PIN), [one.to_sign for one in batch])
    for prepared, raw in zip(batch, answers, strict=True):
        signed = pades.finish(prepared.pdf, prepared.state, raw, office.tsa.token(pades.imprint(raw), office.now))
        assert examined(office, signed).signatures[0].indication == "PASSED"


def test_a_wrong_pin_of_the_device_is_counted_and_locks(custody: Custody) -> None:
    for left in (2, 1):
        with refused("signing.pin_wrong") as facts:
            custody.sign("lan", sealed(custody, "lan", "000000"), [b"content"])
        assert facts["left"] == left
    with refused("signing.pin_locked"):
        custody.sign("lan", sealed(custody, "lan", "000000"), [b"content"])
    custody.unlock("lan")
    assert custody.sign("lan", sealed(custody, "lan", PIN), [b"content"])


def test_a_removed_device_costs_no_try_and_nothing_is_signed(custody: Custody, office: Office) -> None:
    TokenKey(LIBRARY, "gone", "lan").write(office.folder / "keys" / "lan.p11.json")
    with refused("custody.device_missing"):
        custody.sign("lan", sealed(custody, "lan", PIN), [b"content"])
    assert custody.key("lan").tries_left == 3


def test_the_pin_of_a_device_is_not_changed_here(custody: Custody) -> None:
    with refused("custody.key_on_device"):
        custody.change_pin("lan", sealed(custody, "lan", PIN), sealed(custody, "lan", "123123123"))
