"""The launcher: whatever was killed in whatever moment, the next start finds a whole cluster."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg
import pytest
from sqlalchemy.engine import make_url

from engine.kernel import postgres
from engine.kernel.postgres import SHARED, NotRunning, Server, StartFailed, running_url, server_of


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server of its own, in a home that is closed to others."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    made = server_of(home)
    yield made
    made.stop()
    for pid in made.live():
        os.kill(pid, signal.SIGKILL)
    if made.home.parent == SHARED:
        shutil.rmtree(made.home, ignore_errors=True)


def rows(server: Server) -> int:
    with psycopg.connect(server.url("postgres")) as connection:
        found = connection.execute("select count(*) from kept").fetchone()
        assert found is not None
        return int(found[0])


def kill_all(server: Server, child: subprocess.Popen[bytes]) -> None:
    for pid in server.live():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    child.wait()


def test_a_second_start_attaches_and_stop_leaves_nothing(server: Server) -> None:
    first = server.start()
    assert first is not None
    assert server.start() is None
    assert server.postmaster() == first.pid

    server.stop(first)

    assert server.live() == set()
    assert server.postmaster() is None


def test_rows_acknowledged_before_a_kill_are_there_after_it(server: Server) -> None:
    child = server.start()
    assert child is not None
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("create table kept (number int)")
    acknowledged = 0
    for _ in range(3):
        with suppress(psycopg.Error), psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            stop = time.monotonic() + 0.3
            while time.monotonic() < stop:
                connection.execute("insert into kept values (1)")
                acknowledged += 1
            kill_all(server, child)
        child = server.start()
        assert child is not None

    assert acknowledged > 0
    assert rows(server) >= acknowledged


def test_a_pid_file_naming_a_living_stranger_does_not_count(server: Server) -> None:
    child = server.start()
    assert child is not None
    kill_all(server, child)
    pid_file = server.data / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    lock = server.socket_path.with_name(f"{server.socket_path.name}.lock")
    stranger = subprocess.Popen(["sleep", "60"], user=server.user)  # PostgreSQL believes a pid that its own user has
    try:
        lock.write_text("\n".join([str(stranger.pid), *lock.read_text().splitlines()[1:]]) + "\n")

        assert server.postmaster() is None
        assert server.start() is not None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_creation_that_was_killed_is_begun_anew(server: Server) -> None:
    draft = server.home / "data.draft.1234"
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18\n")

    assert server.start() is not None
    assert not draft.exists()
    assert (server.data / "global" / "pg_control").exists()


def test_two_launchers_at_once_start_one_server(server: Server) -> None:
    with ThreadPoolExecutor(2) as pool:
        started = list(pool.map(lambda _: server.start(), range(2)))

    assert sorted(child is None for child in started) == [False, True]


def test_data_of_another_major_version_are_refused_with_both_numbers(server: Server) -> None:
    child = server.start()
    assert child is not None
    server.stop(child)
    (server.data / "PG_VERSION").write_text("12\n")

    with pytest.raises(StartFailed, match="PostgreSQL 12"):
        server.start()
    (server.data / "PG_VERSION").write_text("18\n")


def shown(server: Server, *names: str) -> dict[str, str]:
    with psycopg.connect(server.url("postgres")) as connection:
        return {name: str((connection.execute(f"show {name}").fetchone() or [None])[0]) for name in names}


def listening(server: Server) -> list[str]:
    """Where the server's own process takes connections from other computers or users: addresses of TCP."""
    connections = psutil.Process(server.postmaster()).net_connections("tcp")
    return [one.laddr.ip for one in connections if one.status == psutil.CONN_LISTEN]


def guessed(server: Server) -> None:
    psycopg.connect(make_url(server.url("postgres")).set(password="guessed").render_as_string(hide_password=False), connect_timeout=5)


def test_only_its_own_socket_only_with_the_password_and_no_port(server: Server) -> None:
    server.start()

    assert shown(server, "listen_addresses", "unix_socket_directories", "data_checksums", "server_encoding", "fsync") == {
        "listen_addresses": "",
        "unix_socket_directories": f'"{server.home}"',
        "data_checksums": "on",
        "server_encoding": "UTF8",
        "fsync": "on",
    }
    assert listening(server) == []
    assert server.socket_path.stat().st_mode & 0o077 == 0
    with pytest.raises(psycopg.OperationalError, match="password"):
        guessed(server)
    assert (server.home / "superuser.secret").stat().st_mode & 0o077 == 0


def test_where_a_path_is_too_long_it_listens_on_loopback_and_moves_to_the_socket_with_its_data(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(postgres, "LONGEST", 10)
        child = server.start()
        assert not server.takes_a_socket()
    # Without the patch: as a newer version of ours finds a server that an older one has left running.
    assert make_url(server.url()).host == "127.0.0.1"
    assert listening(server) == ["127.0.0.1"]
    assert server.start() is None
    with psycopg.connect(server.url("postgres")) as connection:
        connection.execute("create table kept (number int)")
        connection.execute("insert into kept values (1)")
    with pytest.raises(psycopg.OperationalError, match="password"):
        guessed(server)

    server.stop(child)
    server.start()

    assert make_url(server.url()).query == {"host": str(server.home)}
    assert listening(server) == []
    assert rows(server) == 1


def test_where_no_socket_can_be_made_or_named_none_is_used(server: Server) -> None:
    assert server.takes_a_socket()
    assert not list(server.home.glob(".s.*")), "nothing is left of the trial"
    for home in (server.home / "not there", server.home / ("x" * 90)):
        assert not replace(server, home=home).takes_a_socket()
    named = server.home / "a,b"
    named.mkdir()
    assert not replace(server, home=named).takes_a_socket()


def test_under_a_closed_home_root_keeps_data_where_the_unprivileged_user_can_pass(server: Server, tmp_path: Path) -> None:
    child = server.start()
    assert child is not None
    recorded = tmp_path / "home" / "postgres.place"

    if os.geteuid() == 0:
        assert server.home.parent == SHARED
        assert recorded.read_text().strip() == str(server.home)
        assert Path(f"/proc/{child.pid}").stat().st_uid != 0
    else:
        assert server.home == tmp_path / "home" / "postgres"
    assert (tmp_path / "home").stat().st_mode & 0o077 == 0
    assert server_of(tmp_path / "home") == server


def test_a_home_without_server_says_how_to_start_it(tmp_path: Path, server: Server) -> None:
    with pytest.raises(NotRunning, match=r"\./run"):
        running_url(tmp_path / "home")


def test_a_launcher_killed_at_any_moment_leaves_a_home_that_starts(server: Server, tmp_path: Path) -> None:
    code = f"from engine.kernel.postgres import server_of; from pathlib import Path; server_of(Path({str(tmp_path / 'home')!r})).start()"
    for pause in (0.25, 0.5, 0.8):
        launcher = subprocess.Popen([sys.executable, "-c", code])
        time.sleep(pause)
        launcher.kill()
        launcher.wait()

    server.start()
    with psycopg.connect(server.url("postgres")) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
