"""The journal seen from outside: what leaves the house is checked by a program that knows nothing of ours, and lies are found."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine

from engine.documents import anchor
from engine.kernel import journal_proof
from engine.kernel.clock import MovableClock
from engine.kernel.database import address
from engine.kernel.identifiers import new_id
from engine.kernel.journal import FORMAT, line_content, line_hash
from engine.kernel.journal_check import merkle_path, merkle_root
from engine.runtime import Runtime
from engine.settings import ROOT, Settings
from engine.worker import seal
from signing.testpki import TestPki, create
from signing.trust_services import TrustServices
from tests.support.actors import SYSTEM, officer

SCRIPT = ROOT / "docs" / "check_journal.py"


@dataclass
class House:
    """An installation whose journal is sealed and stamped."""

    runtime: Runtime
    clock: MovableClock
    dossier: UUID
    other: UUID
    root: Path
    folder: Path

    def another_day(self, steps: int = 3) -> None:
        """Lines in two chains, then the night's seal."""
        for step in range(steps):
            for chain in (self.dossier, self.other):
                with self.runtime.begin(officer()) as w:
                    w.record("task.completed", chain, step=step, note="Đã kiểm tra", public_id=f"K7QF{step}")
        self.clock.move(timedelta(days=1))
        assert seal.seal_once_a_day(self.runtime)

    def exported(self) -> Path:
        """What `motcua audit export` writes."""
        folder = self.folder / "export"
        with self.runtime.begin(SYSTEM) as w:
            journal_proof.export(w.session, w.province, folder)
        return folder

    def proof(self, number: int) -> Path:
        """The proof of one line of the dossier, as a citizen keeps it."""
        with self.runtime.begin(SYSTEM) as w:
            found = journal_proof.proof(w.session, w.province, self.dossier, number)
        assert found is not None
        file = self.folder / f"proof-{number}.json"
        file.write_text(json.dumps(found))
        return file

    def judged(self) -> list[tuple[str, int]]:
        """What `motcua audit verify` finds."""
        with self.runtime.begin(SYSTEM) as w:
            return [(fault.reason, fault.number) for fault in anchor.judged(w).faults]


def check(*arguments: object) -> list[str]:
    """Run the program a stranger would run; the faults it names."""
    done = subprocess.run([sys.executable, "-I", str(SCRIPT), *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    lines = done.stdout.strip().splitlines()
    assert (done.returncode == 0) == (lines == ["sound"])
    return [line for line in lines if line != "sound"]


@pytest.fixture
def house(runtime: Runtime, settings: Settings, clock: MovableClock, tmp_path: Path) -> Iterator[House]:
    pki = settings.home / "pki"
    create(pki, [], [], valid_from=clock.at - timedelta(days=1))
    services = TrustServices(pki, lambda: clock.at)
    services.start()
    (settings.home / "trust_services.json").write_text(json.dumps({"tsa": services.tsa_url}))
    root = tmp_path / "root.pem"
    root.write_bytes(x509.load_der_x509_certificate(TestPki(pki).root).public_bytes(Encoding.PEM))
    made = House(runtime, clock, new_id(), new_id(), root, tmp_path)
    made.another_day()
    yield made
    services.stop()


def tamper(settings: Settings, *statements: str) -> None:
    """Do what only somebody can do who owns the server."""
    engine = create_engine(address(settings.database_url or ""))
    with engine.begin() as connection:
        connection.exec_driver_sql("set session_replication_role = replica")
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def test_the_program_has_sixty_lines_and_needs_nothing_of_ours() -> None:
    text = SCRIPT.read_text()

    assert len([line for line in text.splitlines() if line.strip()]) <= 60
    (imports,) = re.findall(r"^import (.+)$", text, re.MULTILINE)
    assert set(imports.split(", ")) <= sys.stdlib_module_names


def test_an_export_and_every_line_s_proof_are_sound(house: House, settings: Settings) -> None:
    house.another_day()

    assert check(house.root, house.exported(), settings.kept_seals, house.proof(1)) == []
    for number in range(1, 7):
        assert check(house.root, house.proof(number)) == []
    assert check(house.root, house.proof(2), "K7QF1") == []
    assert house.judged() == []


def test_a_proof_shows_of_other_lines_and_dossiers_only_digests(house: House) -> None:
    shown = house.proof(2).read_text()

    assert shown.count("Đã kiểm tra") + shown.count("\\u0110\\u00e3 ki") == 1
    assert str(house.other) not in shown


def test_no_proof_before_the_night_and_none_for_a_line_that_is_not_there(house: House) -> None:
    with house.runtime.begin(officer()) as w:
        w.record("task.completed", house.dossier, step=4)

    with house.runtime.begin(SYSTEM) as w:
        assert journal_proof.proof(w.session, w.province, house.dossier, 4) is None
        assert journal_proof.proof(w.session, w.province, house.dossier, 99) is None
        assert journal_proof.proof(w.session, w.province, new_id(), 1) is None


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ("content", "the line does not lead to the seal"),
        ("later", "the line does not lead to the seal"),
        ("path", "seal 1 was changed"),
        ("seal", "seal 1 was changed"),
        ("token", "the time stamp over seal 1 does not hold"),
        ("no token", "the seal has no time stamp yet"),
    ],
)
def test_a_changed_proof_is_no_proof(house: House, part: str, found: str) -> None:
    file = house.proof(1)
    told = json.loads(file.read_text())
    if part == "content":
        told["line"]["content"] = told["line"]["content"].replace("Đã", "Ðã")
    elif part == "later":
        told["later"][0] = "00" * 32
    elif part == "path":
        told["path"][0][1] = "00" * 32
    elif part == "seal":
        told["seal"]["content"] = told["seal"]["content"].replace(",2,", ",3,", 1)
    else:
        told["seal"]["token"] = "" if part == "no token" else told["seal"]["token"][:-8] + "AAAAAAA="
    file.write_text(json.dumps(told))

    assert found in check(house.root, file)


def test_the_code_on_the_paper_must_be_the_proof_s(house: House) -> None:
    assert check(house.root, house.proof(1), "K7QF9") == ["the proof is of another paper"]


def test_an_edited_row_is_found_here_and_outside(house: House, settings: Settings) -> None:
    tamper(settings, f"update journal_line set facts = jsonb_set(facts, '{{step}}', '9') where chain = '{house.dossier}' and number = 2")

    assert house.judged() == [("altered", 2)]
    folder = house.exported()
    (folder / "journal.jsonl").write_text((folder / "journal.jsonl").read_text().replace('"content": ""', '"content": "[0,0,0,0]"'))
    assert f"line 2 of {house.dossier} was changed" in check(house.root, folder)


def test_an_edited_row_with_all_hashes_made_anew_is_found_by_the_seal(house: House, settings: Settings) -> None:
    forge(house, settings)

    assert ("sealed_line_missing", 3) in house.judged()
    assert f"line 3 of {house.dossier} is not what seal 1 saw" in check(house.root, house.exported())


def forge(house: House, settings: Settings) -> None:
    """Change a line and give it and its followers proper hashes again, the head too."""
    from sqlalchemy import select

    from engine.kernel.journal import JournalLine

    table = JournalLine.__table__
    with house.runtime.begin(SYSTEM) as w:
        lines = w.session.execute(select(table).where(table.c.chain == house.dossier).order_by(table.c.number)).all()
    statements, previous = [], lines[0].previous
    for line in lines:
        said = {name: getattr(line, name) for name in ("province", "chain", "number", "at", "recorded_at", "kind", "actor", "facts")}
        if line.number == 2:
            said["facts"] = {**line.facts, "step": 9}
            statements.append(
                f"update journal_line set facts = jsonb_set(facts, '{{step}}', '9') where chain = '{line.chain}' and number = 2"
            )
        own = line_hash(previous, line_content(**said))
        statements.append(
            f"update journal_line set previous = '\\x{previous.hex()}', hash = '\\x{own.hex()}' "
            f"where chain = '{line.chain}' and number = {line.number}"
        )
        previous = own
    tamper(settings, *statements, f"update journal_head set hash = '\\x{previous.hex()}' where chain = '{house.dossier}'")


def test_a_deleted_tail_with_a_rewritten_head_is_found_outside_too(house: House, settings: Settings) -> None:
    tamper(
        settings,
        f"delete from journal_line where chain = '{house.dossier}' and number = 3",
        f"update journal_head set number = 2, hash = (select hash from journal_line where chain = '{house.dossier}' and number = 2) "
        f"where chain = '{house.dossier}'",
    )

    assert house.judged() == [("sealed_line_missing", 3)]
    assert check(house.root, house.exported()) == [f"line 3 of {house.dossier} is not what seal 1 saw"]


def test_a_restored_older_backup_is_found_by_the_copied_seals_and_by_a_citizen_s_proof(house: House, settings: Settings) -> None:
    house.another_day()
    citizens = house.proof(4)
    newest = "(select max(number) from journal_seal)"
    tamper(  # the state of the day before, whole in itself
        settings,
        "delete from journal_line where number > 3",
        f"delete from journal_token where seal = {newest}",
        f"delete from journal_seal_leaf where seal = {newest}",
        f"delete from journal_seal where number = {newest}",
        "update journal_head h set number = 3, sealed = 3, "
        "hash = (select hash from journal_line l where l.chain = h.chain and l.number = 3) where number > 3",
    )

    assert house.judged() == [("restored", 2)]
    folder = house.exported()
    restored = "seal 2 is kept elsewhere but not here: an older state was restored"
    assert check(house.root, folder) == []
    assert restored in check(house.root, folder, settings.kept_seals)
    assert check(house.root, folder, citizens) == [restored]

    house.another_day(1)  # the next night makes another seal with the same number

    assert house.judged() == [("restored", 2)]


def test_a_token_over_another_seal_or_of_a_stranger_is_found(house: House, settings: Settings, tmp_path: Path) -> None:
    house.another_day()
    tamper(settings, "update journal_token set token = (select token from journal_token where seal = 1) where seal = 2")
    assert house.judged() == [("token_wrong", 2)]
    assert check(house.root, house.exported()) == ["the time stamp over seal 2 does not hold"]

    shutil.rmtree(settings.home / "pki")
    create(settings.home / "pki", [], [], valid_from=house.clock.at - timedelta(days=9))
    assert ("token_wrong", 1) in house.judged()


def test_copies_are_only_added_to_and_survive_a_place_that_cannot_be_written(house: House, settings: Settings) -> None:
    before = settings.kept_seals.read_text()
    house.another_day()
    after = settings.kept_seals.read_text()
    assert after.startswith(before)
    assert len(after.splitlines()) == 2

    settings.kept_seals.unlink()
    settings.kept_seals.mkdir()  # a disk that is not there
    house.another_day()


def test_lines_of_the_first_format_are_still_read(house: House, settings: Settings) -> None:
    """Journals begun before proofs could be shown stay sound; their lines are proven by the export."""
    said = {"province": 1, "chain": new_id(), "number": 1, "at": house.clock.at, "recorded_at": house.clock.at, "kind": "office.opened"}
    old = line_content(**said, actor={}, facts={}, form=1)

    assert FORMAT == 2
    assert old.startswith(b"[1,")
    assert line_hash(bytes(32), old) != line_hash(bytes(32), line_content(**said, actor={}, facts={}))


@given(st.lists(st.binary(min_size=1, max_size=4), min_size=1, max_size=40), st.data())
def test_every_leaf_s_path_leads_to_the_root(leaves: list[bytes], data: st.DataObject) -> None:
    from hashlib import sha256

    index = data.draw(st.integers(0, len(leaves) - 1))
    top = sha256(b"\0" + leaves[index]).digest()
    for side, other in merkle_path(leaves, index):
        top = sha256(b"\1" + (other + top if side == "left" else top + other)).digest()

    assert top == merkle_root(leaves)
