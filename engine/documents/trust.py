"""What this installation trusts: the anchors signatures and time stamps are judged against."""

from __future__ import annotations

from pathlib import Path

from signing.verify import Trust

NOTHING = Trust((), ())


def anchors(home: Path) -> Trust:
    """Return the anchors of the installation; without any, nothing can be called valid."""
    pki = home / "pki"
    return Trust.of_test_pki(pki) if (pki / "root.der").exists() else NOTHING
