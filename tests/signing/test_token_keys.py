"""Keys that never leave their device (SoftHSM2): same two phases, same refusals."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from signing import pades
from signing.custody import Custody, seal_pin
from signing.model import LEADER
from signing.token_keys import TokenKey
from tests.support.signing_office import Office, examined, refused, wait_for

ROOT = Path(__file__).parents[2]
LIBRARY = next(
    str(path)
    for path in (Path("/usr/lib/softhsm/libsofthsm2.so"), Path("/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"))
    if path.exists()
)
PIN = "864209"


@pytest.fixture
def tokens(office: Office) -> dict[str, str]:
    """A token of its own with the leaders' keys; their PKCS#12 files are taken away."""
    store = office.folder / "tokens"
    store.mkdir()
    configuration = office.folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {store}\nobjectstore.backend = file\nlog.level = ERROR\n")
    environment = {"PATH": os.defpath, "SOFTHSM2_CONF": str(configuration)}

    def run(*arguments: str) -> None:
        subprocess.run(["softhsm2-util", *arguments], env=environment, check=True, capture_output=True)

    run("--init-token", "--free", "--label", "leaders", "--so-pin", "11223344", "--pin", PIN)
    for number, key_id in enumerate(("lan", "binh"), 1):
        path = office.folder / "keys" / f"{key_id}.p12"
        key = pkcs12.load_pkcs12(path.read_bytes(), office.pins[key_id].encode()).key
        assert key is not None
        raw = office.folder / f"{key_id}.pk8"
        raw.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        run("--import", str(raw), "--token", "leaders", "--label", key_id, "--id", f"0{number}", "--pin", PIN)
        raw.unlink()
        path.unlink()
        TokenKey(LIBRARY, "leaders", key_id).write(office.folder / "keys" / f"{key_id}.p11.json")
    return environment


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
