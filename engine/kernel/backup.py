"""Backup of a small site: pg_dump, then the documents. A document without a row is harmless, a row without its document is not."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import URL, make_url

from engine.errors import Refused
from engine.kernel.database import open_engine
from engine.kernel.postgres import binaries
from engine.settings import environment

DUMP, BLOBS, SUMMARY = "database.dump", "blobs", "summary.json"


@dataclass(frozen=True)
class Kept:
    """What a backup holds; the digest covers the hashes of all journal lines in order."""

    lines: int
    digest: str
    blobs: int


def save(owner_url: str, blobs: Path, folder: Path) -> Kept:
    """Write the database and then the documents into *folder*, which must be new or empty.

    Raises:
        Refused: ``backup.folder_not_empty`` or ``backup.failed``.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Refused("backup.folder_not_empty", folder=str(folder))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    before = _journal(owner_url)
    _client(owner_url, "pg_dump", "--format=custom", "--compress=gzip:1", "--no-owner", f"--file={folder / DUMP}")
    kept = Kept(before[0], before[1], _copy(blobs, folder / BLOBS))
    (folder / SUMMARY).write_text(json.dumps(asdict(kept)))
    return kept


def restore(owner_url: str, blobs: Path, folder: Path) -> Kept:
    """Bring the documents and then the database back; the database must be empty.

    Raises:
        Refused: ``backup.incomplete``, ``backup.database_not_empty`` or ``backup.failed``.
    """
    if not (folder / DUMP).exists() or not (folder / SUMMARY).exists():
        raise Refused("backup.incomplete", folder=str(folder))
    kept = Kept(**json.loads((folder / SUMMARY).read_text()))
    engine = open_engine(owner_url, pool_size=1, max_overflow=0)
    with engine.connect() as connection:
        tables = connection.scalar(text("select count(*) from pg_tables where schemaname = 'public'"))
    engine.dispose()
    if tables:
        raise Refused("backup.database_not_empty")
    _copy(folder / BLOBS, blobs)
    _client(owner_url, "pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", str(folder / DUMP))
    lines, digest = _journal(owner_url, kept.lines)
    if (lines, digest) != (kept.lines, kept.digest):
        raise Refused("backup.failed", cause="the journal differs from the one that was saved")
    return kept


def _journal(owner_url: str, expected: int | None = None) -> tuple[int, str]:
    engine = open_engine(owner_url, pool_size=1, max_overflow=0, limits={})
    digest, count = hashlib.sha256(), 0
    try:
        with engine.connect().execution_options(yield_per=5000) as connection:
            for (line,) in connection.execute(text("select hash from journal_line order by recorded_at, province, chain, number")):
                if expected is not None and count == expected:
                    break
                digest.update(line)
                count += 1
    finally:
        engine.dispose()
    return count, digest.hexdigest()


def _copy(source: Path, target: Path) -> int:
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    count = 0
    for path in sorted(source.rglob("*")) if source.exists() else ():
        if path.is_file() and not path.name.endswith(".draft"):
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.exists():
                shutil.copy2(path, place)
            count += 1
    return count


def _client(owner_url: str, tool: str, *arguments: str) -> None:
    url: URL = make_url(owner_url)
    # The password goes by the environment: arguments can be read by everybody on the computer.
    told = environment(
        PGHOST=url.host or _text(url.query.get("host")),  # a folder: the server is met at its socket
        PGPORT=str(url.port or 5432),
        PGUSER=url.username,
        PGPASSWORD=url.password,
        PGSSLMODE=_text(url.query.get("sslmode")),
    )
    name = f"--dbname={url.database}" if tool == "pg_restore" else str(url.database)
    done = subprocess.run([binaries() / tool, *arguments[:-1], name, arguments[-1]], env=told, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused("backup.failed", cause=done.stderr.strip().splitlines()[-1] if done.stderr.strip() else tool)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
