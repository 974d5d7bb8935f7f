"""USB tokens for tests: SoftHSM2 in a folder of its own, with keys and certificates as a vendor would have written them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

LIBRARY = next(
    str(path)
    for path in (Path("/usr/lib/softhsm/libsofthsm2.so"), Path("/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"))
    if path.exists()
)
PIN = "864209"
# The driver belongs to the process that loads it, with the configuration of that process: certificates are written by one of their own.
WRITER = """
import sys
from pathlib import Path
import pkcs11
from pkcs11 import Attribute, CertificateType, ObjectClass

library, token, pin, *files = sys.argv[1:]
with pkcs11.lib(library).get_token(token_label=token).open(rw=True, user_pin=pin) as session:
    for one in files:
        identifier, label, path = one.split(":", 2)
        session.create_object({
            Attribute.CLASS: ObjectClass.CERTIFICATE, Attribute.CERTIFICATE_TYPE: CertificateType.X_509, Attribute.TOKEN: True,
            Attribute.PRIVATE: False, Attribute.ID: bytes.fromhex(identifier), Attribute.LABEL: label,
            Attribute.SUBJECT: b"", Attribute.VALUE: Path(path).read_bytes(),
        })
"""


@dataclass(frozen=True)
class Token:
    """One token plugged in: its label, and the environment in which a process finds it."""

    label: str
    folder: Path
    environment: dict[str, str]

    def pull_out(self) -> None:
        """Take it away; what is said of it afterwards is the driver's business."""
        self.store.rename(self.store.with_name("pulled-out"))
        self.store.mkdir()

    def plug_in(self) -> None:
        """Put it back."""
        shutil.rmtree(self.store)
        self.store.with_name("pulled-out").rename(self.store)

    @property
    def store(self) -> Path:
        """Where SoftHSM2 keeps it."""
        return self.folder / "tokens"


def make_token(folder: Path, keys: Path, pins: Mapping[str, str], *key_ids: str, label: str = "leaders", pin: str = PIN) -> Token:
    """A token with the keys of *key_ids* (PKCS#12 files in *keys*), their certificates and those above them."""
    store = folder / "tokens"
    store.mkdir(parents=True)
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {store}\nobjectstore.backend = file\nlog.level = ERROR\n")
    environment = {"PATH": os.defpath, "SOFTHSM2_CONF": str(configuration), "HOME": str(folder)}

    def run(*arguments: str) -> None:
        subprocess.run(["softhsm2-util", *arguments], env=environment, check=True, capture_output=True)

    run("--init-token", "--free", "--label", label, "--so-pin", "11223344", "--pin", pin)
    written: dict[bytes, str] = {}
    for number, key_id in enumerate(key_ids, 1):
        opened = pkcs12.load_pkcs12((keys / f"{key_id}.p12").read_bytes(), pins[key_id].encode())
        assert opened.key is not None
        raw = folder / f"{key_id}.pk8"
        raw.write_bytes(
            opened.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        run("--import", str(raw), "--token", label, "--label", key_id, "--id", f"{number:02x}", "--pin", pin)
        raw.unlink()
        for place, one in enumerate(x509.load_pem_x509_certificates((keys / f"{key_id}.pem").read_bytes())):
            der = one.public_bytes(serialization.Encoding.DER)
            file = folder / f"{key_id}-{place}.der"
            file.write_bytes(der)
            written.setdefault(der, f"{number if place == 0 else 128 + place:02x}:{key_id}:{file}")
    subprocess.run([sys.executable, "-c", WRITER, LIBRARY, label, pin, *written.values()], env=environment, check=True, capture_output=True)
    return Token(label, folder, environment)
