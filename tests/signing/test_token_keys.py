"""Keys that never leave their device (SoftHSM2): same two phases, same refusals."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pkcs11
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils

from signing import pades, token_keys
from signing.custody import Custody, seal_pin
from signing.model import LEADER
from signing.token_keys import TokenKey
from tests.support.memory import SEEN, spread
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


class Key:
    """A device's key as its driver shows it: signs with what the device has, notes how it was asked."""

    key_type = pkcs11.KeyType.RSA

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(65537, 2048)
        self.asked: list[pkcs11.Mechanism] = []

    def sign(self, data: bytes, *, mechanism: pkcs11.Mechanism, mechanism_param: object) -> bytes:
        assert mechanism_param == (pkcs11.Mechanism.SHA256, pkcs11.MGF.SHA256, 32)
        self.asked.append(mechanism)
        hashed = utils.Prehashed(hashes.SHA256()) if mechanism is pkcs11.Mechanism.RSA_PKCS_PSS else hashes.SHA256()
        return self.key.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashed)


def test_an_older_device_pads_what_was_hashed_outside_and_one_that_cannot_is_refused() -> None:
    key, mechanism = Key(), pkcs11.Mechanism

    def device(*able: pkcs11.Mechanism) -> SimpleNamespace:
        return SimpleNamespace(token=SimpleNamespace(slot=SimpleNamespace(get_mechanisms=lambda: set(able))))

    for able in ((mechanism.SHA256_RSA_PKCS_PSS, mechanism.RSA_PKCS_PSS), (mechanism.RSA_PKCS_PSS,)):
        signature = token_keys._signature(device(*able), key, b"content")
        key.key.public_key().verify(signature, b"content", padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    assert key.asked == [mechanism.SHA256_RSA_PKCS_PSS, mechanism.RSA_PKCS_PSS]
    with refused("custody.device_weak"):
        token_keys._signature(device(mechanism.SHA256_RSA_PKCS), key, b"content")


SEARCHED = (
    SEEN
    + """
import sys, threading
from pathlib import Path
from signing.custody_server import CustodyServer

home, pattern, control = sys.argv[1:]
server = CustodyServer(Path(home), Path(home) / "custody.json")
threading.Thread(target=server.serve, daemon=True).start()
sys.stdin.readline()
print(seen(pattern), seen(control))
"""
)
CANARY = "Ca-Na-Ry-9310447265"


def test_the_pin_of_a_device_is_nowhere_after_use(office: Office) -> None:
    """Neither in the custody process that gave it to the driver, nor in the driver it has loaded, nor in what they keep on disk or say.

    The same of a PIN that was wrong: who mistypes has mostly typed nearly the right one.
    """
    token = make_token(office.folder / "computer", office.folder / "keys", office.pins, "lan", pin=CANARY)
    (office.folder / "keys" / "lan.p12").unlink()
    TokenKey(LIBRARY, token.label, "lan").write(office.folder / "keys" / "lan.p11.json")
    address = office.folder / "custody.json"
    command = [sys.executable, "-c", SEARCHED, str(office.folder), f"{spread(CANARY)}|{spread(CANARY[::-1])}", spread(str(office.folder))]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=token.environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        wait_for(address.exists, 60)
        custody = Custody(address)
        assert custody.sign("lan", sealed(custody, "lan", CANARY), [b"content"])
        with refused("signing.pin_wrong"):
            custody.sign("lan", sealed(custody, "lan", CANARY[::-1]), [b"other"])
        out, said = process.communicate("\n", timeout=60)
    hits, control = (int(part) for part in out.split())
    assert control >= 1, "the search must find what certainly is there"
    assert hits == 0
    kept = [path for path in office.folder.rglob("*") if path.is_file()]
    for pin in (CANARY, CANARY[::-1]):
        assert pin not in out + said
        assert [path.name for path in kept if pin.encode() in path.read_bytes()] == []
