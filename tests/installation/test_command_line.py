"""The command line: exit code 0 only when it did what it says, a sentence otherwise."""

from __future__ import annotations

import io
import json
import unicodedata
from collections.abc import Iterator
from uuid import UUID

import pytest
from argon2 import PasswordHasher
from sqlalchemy import create_engine, select

from engine.accounts.model import Account, new_token, token_hash
from engine.cli import main
from engine.kernel.database import address
from engine.kernel.identifiers import new_id
from engine.organisation.model import Appointment, Person
from engine.runtime import Runtime
from engine.settings import Settings
from tests.support.actors import SYSTEM, officer


@pytest.fixture
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The environment as an operator's shell has it."""
    monkeypatch.setenv("MOTCUA_HOME", str(settings.home))
    monkeypatch.setenv("MOTCUA_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("MOTCUA_APPLICATION_URL", settings.application_url or "")
    monkeypatch.delenv("MOTCUA_DEMO", raising=False)
    return


@pytest.fixture
def dossier(runtime: Runtime) -> UUID:
    """A dossier with three lines in the journal."""
    dossier = new_id()
    for step in range(3):
        with runtime.begin(officer()) as w:
            w.record("task.completed", dossier, step=step)
    return dossier


@pytest.mark.usefixtures("environment")
def test_a_sound_journal_is_zero_and_counted(dossier: UUID, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify"]) == 0
    assert capsys.readouterr().out == "3 lines in 1 chains, 0 daily seals, 0 time-stamped: sound\n"

    assert main(["audit", "verify", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"sound": True, "chains": 1, "lines": 3, "seals": 0, "stamped": 0, "faults": []}


@pytest.mark.usefixtures("environment")
def test_a_flipped_bit_is_not_zero_and_said_where(dossier: UUID, settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    engine = create_engine(address(settings.database_url or ""))
    with engine.begin() as connection:
        connection.exec_driver_sql("set session_replication_role = replica")
        connection.exec_driver_sql(f"update journal_line set facts = '{{\"step\": 7}}' where chain = '{dossier}' and number = 2")
    engine.dispose()

    assert main(["audit", "verify"]) == 1
    assert f"dossier {dossier}: line 2 was changed after it was written" in capsys.readouterr().out

    assert main(["audit", "verify", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["faults"] == [{"chain": str(dossier), "line": 2, "reason": "altered"}]


@pytest.mark.usefixtures("environment")
def test_the_first_administrator_can_sign_in_and_holds_posts(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    password = "một câu dài dễ nhớ"
    monkeypatch.setattr("sys.stdin", io.StringIO(unicodedata.normalize("NFD", password) + "\n"))

    assert main(["admin", "create", "Quan.Tri@TinhMau.vn", "--password-stdin"]) == 0

    with runtime.begin(SYSTEM) as w:
        account = w.session.scalars(select(Account)).one()
        person = w.session.scalars(select(Person)).one()
        posts = w.session.scalars(select(Appointment).where(Appointment.person_id == person.id)).all()
    assert account.email == "quan.tri@tinhmau.vn"
    assert PasswordHasher().verify(account.password or "", unicodedata.normalize("NFC", password))
    assert person.account_id == account.id
    assert len(posts) == 3


@pytest.mark.usefixtures("environment")
def test_a_short_password_is_refused_with_a_sentence_and_leaves_nothing(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("ngắn\n"))

    assert main(["admin", "create", "quantri@tinhmau.vn", "--password-stdin"]) == 1

    assert "The password is too short." in capsys.readouterr().err
    with runtime.begin(SYSTEM) as w:
        assert w.session.scalars(select(Account)).all() == []


def test_wrong_settings_are_told_all_at_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("MOTCUA_PORT", "eighty")
    monkeypatch.setenv("MOTCUA_DEMO", "perhaps")

    assert main(["audit", "verify"]) == 1

    told = capsys.readouterr().err
    assert "MOTCUA_PORT" in told
    assert "MOTCUA_DEMO" in told


def test_a_token_is_kept_only_as_its_hash() -> None:
    token, kept = new_token()

    assert token.startswith("mct_")
    assert token_hash(token) == kept
    assert token.encode() not in kept
