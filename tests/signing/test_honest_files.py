"""Honest documents of many makers are not refused: normalised if need be, signed, numbered, sealed, and called valid."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.signing import honest
from tests.support.signing_office import Office

INSTALLED = sorted(maker for maker in honest.MAKERS if not maker.startswith("libreoffice"))


@pytest.mark.parametrize("maker", INSTALLED)
def test_an_honest_document_can_be_signed_and_is_called_valid(office: Office, tmp_path: Path, maker: str) -> None:
    text = list(honest.TEXTS)[INSTALLED.index(maker) % len(honest.TEXTS)]

    assert honest.refusal(office, honest.made(maker, text, tmp_path)) == ""


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_of_the_whole_set_at_most_one_in_a_hundred_is_refused(tmp_path: Path) -> None:
    """Three hundred without a refusal bound the rate at one in a hundred (95 %); `./test --full` installs every maker's program."""
    assert [maker for maker in honest.MAKERS if honest.missing(maker)] == []
    rows = list(honest.judged(tmp_path))

    assert len(rows) >= 300
    assert len([row for row in rows if row[2]]) * 100 <= len(rows), [row for row in rows if row[2]]
