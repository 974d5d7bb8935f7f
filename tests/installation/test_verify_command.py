"""``motcua verify``: 0 only when every file is valid; every other verdict, and a file that is not there, is 1 and said."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from lxml import etree

from engine.cli import main
from signing import kept_status
from signing.examine import Inquiry, examine
from tests.signing.attacks import classes, containers
from tests.support.signing_office import NOW, InProcessSources, Office, letter, make_hierarchy

VALID, BROKEN, BARE, UNSIGNED, NOTHING = "valid.pdf", "broken.pdf", "bare.pdf", "unsigned.pdf", "nothing.pdf"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file of every verdict, and the roots they are judged by."""
    made = tmp_path_factory.mktemp("files")
    make_hierarchy(made / "pki")
    office = Office(made / "pki")
    signed = office.sign(containers.document(), "leader", "lan")
    lasting = classes.lasting(office, signed)
    where = lasting.index(b"stream") + 40
    for name, content in (
        (VALID, lasting), (BROKEN, lasting[:where] + bytes([lasting[where] ^ 1]) + lasting[where + 1 :]), (BARE, signed),
        (UNSIGNED, letter()), (NOTHING, b"no pdf at all"),
    ):  # fmt: skip
        (made / name).write_bytes(content)
    return made


@pytest.fixture(autouse=True)
def _home(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation whose clock stands an hour after the signature, whatever today is."""
    monkeypatch.setenv("MOTCUA_HOME", str(tmp_path))
    (tmp_path / "clock.offset").write_text(str((NOW + timedelta(hours=1) - datetime.now(UTC)).total_seconds()))


@pytest.mark.parametrize(
    ("files", "code", "said"),
    [
        ([VALID], 0, ["HỢP LỆ / VALID"]),
        ([BARE], 1, ["CHƯA ĐỦ CĂN CỨ"]),
        ([BROKEN], 1, ["KHÔNG HỢP LỆ / INVALID"]),
        ([UNSIGNED], 1, ["CHƯA ĐỦ CĂN CỨ"]),
        ([NOTHING], 1, ["KHÔNG HỢP LỆ / INVALID"]),
        (["absent.pdf"], 1, ["no such file"]),
        ([VALID, BROKEN], 1, ["HỢP LỆ / VALID", "KHÔNG HỢP LỆ / INVALID"]),
        ([VALID, "absent.pdf"], 1, ["HỢP LỆ / VALID", "no such file"]),
    ],
)
def test_every_verdict_has_its_words_and_only_valid_is_zero(
    folder: Path, capsys: pytest.CaptureFixture[str], files: list[str], code: int, said: list[str]
) -> None:
    answer = main(["verify", "--offline", "--trust", str(folder / "pki"), *(str(folder / one) for one in files)])

    told = capsys.readouterr().out
    assert answer == code
    assert all(one in told for one in said)


def test_without_an_anchor_nothing_is_valid(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--offline", str(folder / VALID)]) == 1
    assert "CHƯA ĐỦ CĂN CỨ" in capsys.readouterr().out


def test_reports_for_programs_say_the_same(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(folder / one) for one in (VALID, BARE, BROKEN)]
    common = ["verify", "--offline", "--trust", str(folder / "pki"), "--json", "--etsi", str(tmp_path / "reports"), *files]

    assert main(common) == 1

    told = json.loads(capsys.readouterr().out)
    assert [told[file]["verdict"] for file in files] == ["valid", "insufficient", "invalid"]
    written = [etree.parse(tmp_path / "reports" / f"{Path(file).name}.xml") for file in files]
    main_indications = [one.findtext(".//{*}MainIndication", "").rsplit(":", 1)[-1] for one in written]
    assert main_indications == ["total-passed", "indeterminate", "total-failed"]


def test_answers_kept_serve_a_file_without_evidence_offline_and_it_is_said_where_they_come_from(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    office = Office(folder / "pki", now=NOW + timedelta(minutes=1))
    authorities, sources = (office.pki.root, office.pki.issuing), InProcessSources(office)
    examine((folder / BARE).read_bytes(), Inquiry(authorities[:1], authorities[1:], office.now, sources), second_view=False)
    kept_status.keep(tmp_path / "revocation", sources.gathered, authorities, office.now)
    judged = ["verify", "--offline", "--trust", str(folder / "pki"), str(folder / BARE)]

    assert main(["trust", "kept"]) == 0
    assert json.loads(capsys.readouterr().out)["answers"] >= 3
    assert main(judged) == 0
    assert "kept earlier" in capsys.readouterr().out
    assert main([*judged, "--kept", str(tmp_path / "elsewhere")]) == 1
    assert main(["trust", "kept", "--clear"]) == 0
    assert main(judged) == 1
