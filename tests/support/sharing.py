"""How the tests are shared out among processes: journeys through one installation stay in one, everything else goes wherever is room.

The marker ``xdist_group`` is of no use: pytest 9.2 keeps the names of tests where pytest-xdist 3.8 does not look for them, so each process
started an installation with its demonstration and both waited for each other.
"""

from __future__ import annotations

from xdist.scheduler.loadscope import LoadScopeScheduling

JOURNEYS = "tests/journeys/"
APART = ("test_bad_input.py", "test_first_hour.py", "test_usb_token.py")
"""Journeys that start no installation, or one of their own."""


class OneInstallation(LoadScopeScheduling):
    """The whole of the shared installation's tests is the largest unit of work, so it is begun first."""

    def _split_scope(self, nodeid: str) -> str:
        shared = nodeid.startswith(JOURNEYS) and not nodeid.removeprefix(JOURNEYS).startswith(APART)
        return JOURNEYS if shared else nodeid
