"""Offices for tests of signatures."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.signing_office import Office, make_hierarchy


@pytest.fixture(scope="session")
def hierarchy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The TEST hierarchy, made once."""
    folder = tmp_path_factory.mktemp("pki") / "made"
    make_hierarchy(folder)
    return folder


@pytest.fixture
def office(hierarchy: Path, tmp_path: Path) -> Office:
    """An office with a hierarchy of its own."""
    return Office.copy_of(hierarchy, tmp_path / "office")
