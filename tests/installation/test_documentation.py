"""``motcua dev docs``: the documentation shows the pictures of the last run, and only those it has a place for."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.cli import dev, main


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    for name, content in {
        "docs/pictures/dossier.png": b"old",
        "var/reports/pictures/dossier.png": b"new",
        "var/reports/pictures/batch.png": b"shown nowhere",
        "var/reports/docs/pictures/how-to-1.png": b"written for a how-to",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def pictures(project: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (project / "docs" / "pictures").iterdir()}


def test_what_the_documentation_shows_is_taken_from_the_last_run(project: Path) -> None:
    assert main(["dev", "docs"]) == 0
    assert pictures(project) == {"dossier.png": b"new", "how-to-1.png": b"written for a how-to"}


def test_a_picture_that_is_too_large_changes_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "var/reports/pictures/dossier.png").write_bytes(bytes(dev.LARGEST_PICTURE + 1))

    assert main(["dev", "docs"]) == 1
    assert "pictures/dossier.png" in capsys.readouterr().err
    assert pictures(project) == {"dossier.png": b"old"}
