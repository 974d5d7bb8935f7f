"""What this installation trusts: the TEST hierarchy of its home, and the certificates two people have let in (``home/trust``)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from signing import trust_store
from signing.verify import Trust

NOTHING = Trust((), ())


def folder_of(home: Path) -> Path:
    """Return where the certificates let in lie."""
    return home / "trust"


def kept_answers(home: Path) -> Path:
    """Return where status answers of earlier verifications are kept (``signing.kept_status``)."""
    return home / "revocation"


def anchors(home: Path, routes: Mapping[str, str] | None = None) -> Trust:
    """Return the anchors of the installation, and *routes* to the demonstration's services; without any, nothing is valid."""
    pki = home / "pki"
    test = Trust.of_test_pki(pki) if (pki / "root.der").exists() else NOTHING
    let_in = trust_store.load(folder_of(home)).trust()
    intermediates = (*test.intermediates, *let_in.intermediates)
    return Trust((*test.anchors, *let_in.anchors), intermediates, dict(routes or {}), let_in.hosts)
