"""A backup that was not restored does not exist."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine

from engine.documents.blobs import BlobStore
from engine.errors import Refused
from engine.kernel import backup
from engine.kernel.clock import MovableClock
from engine.kernel.database import address
from engine.kernel.identifiers import new_id
from engine.kernel.install import install
from engine.kernel.journal_seal import add_seal, verify
from engine.migrations import make_schema
from engine.runtime import Runtime, open_runtime
from engine.settings import Settings
from tests.support.actors import SYSTEM, officer
from tests.support.database import ROLE, SECRET, Databases


@pytest.fixture
def kept(runtime: Runtime, settings: Settings, tmp_path: Path) -> Path:
    """A backup of an installation with a journal, a seal, a waiting message and two documents."""
    for number in range(30):
        with runtime.begin(officer()) as w:
            w.record("task.completed", new_id(), number=number)
            w.send("mail", f"notice:{number}", {})
    with runtime.begin(SYSTEM) as w:
        add_seal(w.session, w.province, w.now)
    for content in (b"one", b"two"):
        runtime.part(BlobStore).put(content)
    backup.save(settings.database_url or "", settings.blobs, tmp_path / "backup")
    return tmp_path / "backup"


def test_what_comes_back_is_what_was_there(databases: Databases, runtime: Runtime, kept: Path, clock: MovableClock, tmp_path: Path) -> None:
    with databases.clone(empty=True) as name:
        fresh = Settings(home=tmp_path / "fresh", database_url=databases.owner_url(name), application_url=databases.application_url(name))

        restored = backup.restore(databases.owner_url(name), fresh.blobs, kept)
        install(databases.owner_url(name), SECRET, make_schema, ROLE)

        assert (restored.lines, restored.blobs) == (30, 2)
        again = open_runtime(fresh, clock=clock)
        with again.begin(SYSTEM) as w:
            report = verify(w.session, w.province)
            assert report.sound
            assert (report.lines, report.seals) == (30, 1)
            w.record("office.opened")
        assert sorted(path.read_bytes() for path in fresh.blobs.rglob("*") if path.is_file()) == [b"one", b"two"]
        again.close()


def test_a_backup_never_overwrites_and_a_restore_never_mixes(settings: Settings, kept: Path) -> None:
    with pytest.raises(Refused) as refused:
        backup.save(settings.database_url or "", settings.blobs, kept)
    assert refused.value.code == "backup.folder_not_empty"

    with pytest.raises(Refused) as refused:
        backup.restore(settings.database_url or "", settings.blobs, kept)
    assert refused.value.code == "backup.database_not_empty"


def test_half_a_backup_is_refused(databases: Databases, settings: Settings, kept: Path) -> None:
    (kept / backup.SUMMARY).unlink()

    with databases.clone(empty=True) as name, pytest.raises(Refused) as refused:
        backup.restore(databases.owner_url(name), settings.blobs, kept)
    assert refused.value.code == "backup.incomplete"


def test_a_damaged_dump_is_refused_and_leaves_the_database_empty(databases: Databases, settings: Settings, kept: Path) -> None:
    dump = kept / backup.DUMP
    dump.write_bytes(dump.read_bytes()[:-2000])

    with databases.clone(empty=True) as name:
        with pytest.raises(Refused) as refused:
            backup.restore(databases.owner_url(name), settings.blobs, kept)
        assert refused.value.code == "backup.failed"
        engine = create_engine(address(databases.owner_url(name)))
        with engine.connect() as connection:
            assert connection.exec_driver_sql("select count(*) from pg_tables where schemaname = 'public'").scalar() == 0
        engine.dispose()
