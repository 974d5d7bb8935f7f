"""The parts of an installation that run as processes of their own, for tests that want them real."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from engine.documents.signature import SigningOffice
from engine.settings import ROOT
from signing.custody import Custody
from tests.support.office import Office
from tests.support.signing_office import wait_for


@contextmanager
def custody_of(office: Office) -> Iterator[Custody]:
    """The real key-custody process on the office's keys; a PIN reaches it sealed."""
    folder = office.runtime.settings.home / "pki"
    address = folder / "custody.json"
    command = [sys.executable, "-m", "signing.custody", "--home", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(address.exists)
            opened = Custody(address)
            offered = office.runtime.part(SigningOffice)
            office.runtime.parts.offer(SigningOffice, lambda: replace(offered, custody=opened))
            yield opened
        finally:
            process.terminate()
