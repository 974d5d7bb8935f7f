"""Keys leave the custody process never, PINs reach it sealed, guessing stops after three."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from signing.custody import Custody, seal_pin
from signing.errors import SigningError
from tests.support.memory import SEEN, spread
from tests.support.signing_office import Office, refused, wait_for

ROOT = Path(__file__).parents[2]


@pytest.fixture
def custody(office: Office) -> Iterator[Custody]:
    address = office.folder / "custody.json"
    command = [sys.executable, "-m", "signing.custody", "--home", str(office.folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        wait_for(address.exists)
        yield Custody(address)
        process.terminate()
        out, err = process.communicate(timeout=10)
        assert out == b"custody ready\n"
        assert err == b""


def sealed(custody: Custody, key_id: str, pin: str) -> str:
    challenge = custody.challenge(key_id)
    return seal_pin(challenge.public_key, challenge.nonce, pin)


def test_one_pin_signs_a_whole_batch(custody: Custody, office: Office) -> None:
    contents = [b"first", b"second", b"third"]
    signatures = custody.sign("lan", sealed(custody, "lan", office.pins["lan"]), contents)
    key = x509.load_der_x509_certificate(custody.key("lan").certificate.der).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    for content, signature in zip(contents, signatures, strict=True):
        key.verify(signature, content, ec.ECDSA(hashes.SHA256()))


def test_a_sealed_pin_works_once_and_only_for_its_key(custody: Custody, office: Office) -> None:
    once = sealed(custody, "lan", office.pins["lan"])
    custody.sign("lan", once, [b"content"])
    with refused("signing.pin_seal_expired"):
        custody.sign("lan", once, [b"content"])
    with refused("signing.pin_seal_expired"):
        custody.sign("agency", sealed(custody, "lan", office.pins["agency"]), [b"content"])


def test_an_altered_or_foreign_seal_is_refused_without_costing_a_try(custody: Custody, office: Office) -> None:
    good = sealed(custody, "lan", office.pins["lan"])
    with refused("signing.pin_seal_broken"):
        custody.sign("lan", good[:-6] + ("AAAAAA" if good[-6:] != "AAAAAA" else "BBBBBB"), [b"content"])
    with refused("signing.pin_seal_broken"):
        custody.sign("lan", "not a seal", [b"content"])
    assert custody.key("lan").tries_left == 3


def test_three_wrong_pins_lock_the_key_until_an_administrator_unlocks_it(custody: Custody, office: Office) -> None:
    for left in (2, 1):
        with refused("signing.pin_wrong") as facts:
            custody.sign("lan", sealed(custody, "lan", "000000"), [b"content"])
        assert facts["left"] == left
    with refused("signing.pin_locked"):
        custody.sign("lan", sealed(custody, "lan", "000000"), [b"content"])
    with refused("signing.pin_locked"):
        custody.sign("lan", sealed(custody, "lan", office.pins["lan"]), [b"content"])
    assert custody.key("lan").tries_left == 0
    custody.unlock("lan")
    assert custody.sign("lan", sealed(custody, "lan", office.pins["lan"]), [b"content"])


def test_the_right_pin_gives_the_tries_back(custody: Custody, office: Office) -> None:
    with refused("signing.pin_wrong"):
        custody.sign("lan", sealed(custody, "lan", "000000"), [b"content"])
    custody.sign("lan", sealed(custody, "lan", office.pins["lan"]), [b"content"])
    assert custody.key("lan").tries_left == 3


def test_a_lock_survives_a_restart_of_the_process(office: Office) -> None:
    from signing.vault import Vault

    vault = Vault(office.folder / "keys")
    for _ in range(3):
        with pytest.raises(SigningError):
            vault.sign("lan", bytearray(b"000000"), [b"content"])
    with refused("signing.pin_locked"):
        Vault(office.folder / "keys").sign("lan", bytearray(office.pins["lan"].encode()), [b"content"])


def test_changing_the_pin_needs_the_old_one(custody: Custody, office: Office) -> None:
    with refused("signing.pin_wrong"):
        custody.change_pin("lan", sealed(custody, "lan", "wrong!"), sealed(custody, "lan", "mã mới 2026"))
    with refused("signing.pin_short"):
        custody.change_pin("lan", sealed(custody, "lan", office.pins["lan"]), sealed(custody, "lan", "12345"))
    custody.change_pin("lan", sealed(custody, "lan", office.pins["lan"]), sealed(custody, "lan", "mã mới 2026"))
    assert custody.sign("lan", sealed(custody, "lan", "mã mới 2026"), [b"content"])
    with refused("signing.pin_wrong"):
        custody.sign("lan", sealed(custody, "lan", office.pins["lan"]), [b"content"])


def test_only_the_token_holder_is_answered_and_the_address_is_private(custody: Custody, office: Office) -> None:
    address = office.folder / "custody.json"
    assert address.stat().st_mode & 0o777 == 0o600
    forged = office.folder / "forged.json"
    forged.write_text(json.dumps(json.loads(address.read_text()) | {"token": "guess"}))
    with refused("custody.token_wrong"):
        Custody(forged).keys()
    with refused("custody.down"):
        Custody(office.folder / "absent.json").keys()


def test_a_new_key_is_issued_under_a_pin_nobody_else_knows(custody: Custody, office: Office) -> None:
    custody.issue_person(
        "moi",
        sealed(custody, "moi", "654321"),
        name="Người Mới",
        title="Chuyên viên",
        agency="Sở Tư pháp",
        uid="0009",
        valid_from=office.now,
    )
    assert custody.sign("moi", sealed(custody, "moi", "654321"), [b"content"])
    with refused("testpki.exists"):
        custody.issue_agency("moi", sealed(custody, "moi", "654321"), name="X", code="H01", valid_from=office.now)


WEB_PROCESS = (
    """
import json, re, subprocess, sys
from pathlib import Path
from signing.custody import Custody

address, ask, pin_pattern, sealer, pin_file = sys.argv[1:]
custody = Custody(Path(address))
challenge = custody.challenge("canary")
Path(ask).write_text(json.dumps({"key": challenge.public_key, "nonce": challenge.nonce}))
sealed = subprocess.run([sys.executable, "-c", sealer, ask, pin_file], capture_output=True, check=True, text=True).stdout.strip()
assert custody.sign("canary", sealed, [b"content"])

"""
    + SEEN
    + """
spread = lambda text: "".join(f"[{letter}]" for letter in text)
print(seen(pin_pattern), seen(spread(sealed[30:60])))
"""
)
BROWSER = """
import json, sys
from pathlib import Path
from signing.custody import seal_pin

ask = json.loads(Path(sys.argv[1]).read_text())
print(seal_pin(ask["key"], ask["nonce"], Path(sys.argv[2]).read_text()))
"""


def test_the_pin_is_nowhere_in_the_memory_of_the_process_that_asked(custody: Custody, office: Office, tmp_path: Path) -> None:
    """One process plays the browser; another the web server: it signs, then searches its own memory for the canary.

    The pattern searched for has brackets around each letter, so that searching does not put into memory what is searched.
    """
    canary = office.pins["canary"]
    pin_file, ask = tmp_path / "pin", tmp_path / "ask.json"
    pin_file.write_text(canary)
    arguments = [str(office.folder / "custody.json"), str(ask), spread(canary), BROWSER, str(pin_file)]
    done = subprocess.run([sys.executable, "-c", WEB_PROCESS, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    hits, control = (int(part) for part in done.stdout.split())
    assert control >= 1, "the search must find what certainly is there"
    assert hits == 0
