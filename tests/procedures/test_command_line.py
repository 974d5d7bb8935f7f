"""``motcua procedure``: the exit code says whether it did what it says."""

from __future__ import annotations

import json

import pytest

from engine.cli import main
from engine.procedure.loader import load_zip, to_zip
from tests.procedures.packages import BPMN, changed, real

GOOD = str(BPMN / "certified_electronic_copy")


@pytest.fixture
def broken(tmp_path):
    path = tmp_path / "broken.zip"
    path.write_bytes(to_zip(changed(real(), diagram=[('name="form" value="review"', 'name="form" value="missing"')])))
    return path


def test_a_good_package_is_told_so(capsys):
    assert main(["procedure", "check", GOOD, "--layout"]) == 0
    assert "có thể công bố" in capsys.readouterr().out


def test_a_broken_package_is_refused_with_element_and_place(broken, capsys):
    assert main(["procedure", "check", str(broken), "--lang", "en"]) == 1
    said = capsys.readouterr().out
    assert "[form-unknown]" in said
    assert "(examine)" in said
    assert "process.bpmn:" in said


def test_the_report_for_machines_holds_both_languages(broken, capsys):
    assert main(["procedure", "check", str(broken), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    finding = report["findings"][0]
    assert not report["passed"]
    assert finding["element"] == "examine"
    assert finding["vi"] != finding["en"]
    assert finding["place"]["line"] > 1


def test_a_folder_without_a_package_is_refused(tmp_path, capsys):
    assert main(["procedure", "check", str(tmp_path)]) == 1
    assert "procedure.toml" in capsys.readouterr().out


def test_what_is_no_zip_is_refused(tmp_path, capsys):
    (tmp_path / "x.zip").write_bytes(b"hello")

    assert main(["procedure", "check", str(tmp_path / "x.zip")]) == 1
    assert "x" in capsys.readouterr().out


def test_the_difference_is_told_in_words(broken, capsys):
    assert main(["procedure", "diff", GOOD, str(broken)]) == 0
    assert "biểu mẫu" in capsys.readouterr().out


def test_the_outline_is_printed(capsys):
    assert main(["procedure", "outline", GOOD, "--lang", "en"]) == 0
    assert capsys.readouterr().out.startswith("1. ")


def test_an_exported_package_is_what_was_published(settings, monkeypatch, tmp_path, capsys):
    from engine.settings import Settings

    monkeypatch.setattr(Settings, "from_environment", classmethod(lambda cls, *_, **__: settings))
    target = tmp_path / "out.zip"

    assert main(["procedure", "publish", GOOD]) == 0
    assert main(["procedure", "export", real().key, str(target)]) == 0
    assert load_zip(target.read_bytes()).content_hash == real().content_hash


def test_an_unknown_procedure_cannot_be_exported(settings, monkeypatch, tmp_path, capsys):
    from engine.settings import Settings

    monkeypatch.setattr(Settings, "from_environment", classmethod(lambda cls, *_, **__: settings))

    assert main(["procedure", "export", "nothing", str(tmp_path / "x.zip")]) == 1
    assert "procedure.unknown" in capsys.readouterr().err


def test_every_delivered_package_may_be_published(capsys):
    """As a shell says ``bpmn/*``: what is no package is left out aloud, every package is judged."""
    everything = sorted(BPMN.iterdir())

    assert main(["procedure", "check", *map(str, everything), "--lang", "en"]) == 0

    said = capsys.readouterr()
    packages = [path.name for path in everything if not path.name.startswith("_") and path.is_dir()]
    assert [line.split(":")[0] for line in said.out.splitlines() if "may be published" in line] == packages
    assert "_calendars" in said.err


def test_one_broken_package_among_several_is_enough(broken, capsys):
    assert main(["procedure", "check", GOOD, str(broken), "--json"]) == 1
    assert [report["passed"] for report in json.loads(capsys.readouterr().out)] == [True, False]


def test_among_several_none_is_a_package(capsys, tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "README.md").touch()

    assert main(["procedure", "check", *map(str, tmp_path.iterdir())]) == 1
    assert "procedure.toml" in capsys.readouterr().err
