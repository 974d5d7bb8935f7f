"""The same keys in every custody: opened here, on a PKCS#11 token behind the custody process, at a CSC service, behind the agent."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from engine.settings import ROOT
from signing.custody import Custody, seal_pin
from signing.keys import fingerprint
from signing.places import RemotePlace
from signing.token_keys import TokenKey
from signing.vault import Vault
from tests.signing.test_remote import PIN as SERVICE_PIN
from tests.signing.test_remote import Provider
from tests.support.agents import agent_of
from tests.support.signing_office import Office, wait_for
from tests.support.tokens import LIBRARY, PIN, make_token

RawSign = Callable[[str, bytes], bytes]
"""What a key of that name answers for these bytes."""
CUSTODIES = ("opened here", "two phases", "PKCS#11", "CSC", "agent")


@contextmanager
def custodies(office: Office, folder: Path, *key_ids: str) -> Iterator[dict[str, RawSign]]:
    """How each custody answers; the keys are the same, so that one certificate serves all."""
    with ExitStack() as open_until_the_end:
        token = make_token(folder / "computer", office.folder / "keys", office.pins, *key_ids)
        agent = open_until_the_end.enter_context(agent_of(token, folder / "agent"))

        def at_agent(key_id: str, content: bytes) -> bytes:
            return agent.sign(fingerprint(office.pki.certificate(key_id).der), [content])[0]

        yield {
            "opened here": office.raw_sign,
            "two phases": office.raw_sign,
            "PKCS#11": open_until_the_end.enter_context(on_token(office, folder / "custody", token.environment, key_ids)),
            "CSC": open_until_the_end.enter_context(at_service(office, folder / "service", key_ids)),
            "agent": at_agent,
        }


@contextmanager
def on_token(office: Office, home: Path, environment: dict[str, str], key_ids: tuple[str, ...]) -> Iterator[RawSign]:
    """The real custody process with its keys on a token."""
    keys = home / "keys"
    keys.mkdir(parents=True)
    for key_id in key_ids:
        (keys / f"{key_id}.pem").write_bytes((office.folder / "keys" / f"{key_id}.pem").read_bytes())
        TokenKey(LIBRARY, "leaders", key_id).write(keys / f"{key_id}.p11.json")
    address = home / "custody.json"
    command = [sys.executable, "-m", "signing.custody", "--home", str(home)]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: address.exists() and bool(json.loads(address.read_text())), 60)
            custody = Custody(address)

            def signed(key_id: str, content: bytes) -> bytes:
                challenge = custody.challenge(key_id)
                [raw] = custody.sign(key_id, seal_pin(challenge.public_key, challenge.nonce, PIN), [content])
                assert isinstance(raw, bytes), raw
                return raw

            yield signed
        finally:
            process.terminate()


@contextmanager
def at_service(office: Office, home: Path, key_ids: tuple[str, ...]) -> Iterator[RawSign]:
    """A vault whose keys are at a loopback signing service (CSC v1)."""
    vault, services = Vault(home), []
    for key_id in key_ids:
        opened = pkcs12.load_pkcs12((office.folder / "keys" / f"{key_id}.p12").read_bytes(), office.pins[key_id].encode()).key
        assert isinstance(opened, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)
        service = Provider(opened)
        services.append(service)
        place = RemotePlace.from_json({"kind": "csc", "url": service.service.url, "credential": key_id})
        vault.connect(key_id, place, (office.folder / "keys" / f"{key_id}.pem").read_bytes())

    def signed(key_id: str, content: bytes) -> bytes:
        [raw] = vault.sign(key_id, bytearray(SERVICE_PIN.encode()), [content])
        assert isinstance(raw, bytes), raw
        return raw

    try:
        yield signed
    finally:
        for service in services:
            service.server.shutdown()
            service.server.server_close()
