"""The composition root: everything one installation needs, and the only door to a unit of work."""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from threading import RLock
from typing import Any, TypeVar, cast

from sqlalchemy import Engine

from engine.connectors import Connectors
from engine.deadline.calendar_file import Calendars
from engine.documents.blobs import BlobStore
from engine.documents.preservation import Preserver, open_preserver
from engine.documents.signature import SigningOffice, open_signing_office
from engine.documents.templates import TEST_MARK, Printer
from engine.errors import Forbidden
from engine.kernel import logs, postgres, unit_of_work
from engine.kernel.clock import Clock, ShiftedClock, SystemClock, shift
from engine.kernel.database import application_url, may_log_in, open_engine, open_sessions
from engine.kernel.sealing import Sealing, open_keys
from engine.kernel.session import Sessions
from engine.kernel.unit_of_work import Actor, UnitOfWork
from engine.migrations import records
from engine.procedure.registry import ProcedureCache
from engine.settings import ROOT, Settings

__all__ = ["Actor", "PartShelf", "Runtime", "UnitOfWork", "open_runtime"]

T = TypeVar("T")
assert records.MODULES  # every record is declared, so relations between areas resolve whatever a process has imported
FONTS = ROOT / "webapp" / "assets" / "node_modules" / "@expo-google-fonts" / "tinos"
"""The fonts of printed documents, fetched at set-up."""


class PartShelf:
    """The installation's objects by type, each made when it is first asked for."""

    def __init__(self) -> None:
        self._makers: dict[type[Any], Callable[[], Any]] = {}
        self._made: dict[type[Any], Any] = {}
        self._lock = RLock()

    def offer(self, kind: type[T], make: Callable[[], T]) -> None:
        """Say how the object of this type is made; a later offer replaces an earlier one."""
        with self._lock:
            self._makers[kind] = make
            self._made.pop(kind, None)

    def part(self, kind: type[T]) -> T:
        """Return the only object of this type.

        Raises:
            LookupError: when nobody offered one.
        """
        made = self._made.get(kind)
        if made is None:
            with self._lock:
                made = self._made.get(kind)
                if made is None:
                    if kind not in self._makers:
                        raise LookupError(f"no {kind.__name__} in this installation")
                    made = self._made[kind] = self._makers[kind]()
        return cast(T, made)

    def copy(self) -> PartShelf:
        """Return a shelf with the same makers and nothing made yet."""
        other = PartShelf()
        other._makers = dict(self._makers)
        return other


class Runtime:
    """One open installation: settings, sessions, clock and parts."""

    def __init__(self, settings: Settings, engine: Engine, clock: Clock, parts: PartShelf) -> None:
        self.settings = settings
        self.engine = engine
        self.clock = clock
        self.parts = parts
        self.sessions: Sessions = open_sessions(engine)

    def begin(self, actor: Actor) -> AbstractContextManager[UnitOfWork]:
        """Open a unit of work for *actor*: everything in the block becomes true together when it ends, or nothing does.

        Raises:
            Conflict: when somebody else holds or has changed what the block needs.
        """
        return unit_of_work.begin(self.sessions, actor, self.clock, self.settings.province, self.parts)

    def part(self, kind: type[T]) -> T:
        """Return the installation's only object of this type."""
        return self.parts.part(kind)

    def with_clock(self, clock: Clock) -> Runtime:
        """Return the same installation under another clock: for simulations."""
        return Runtime(self.settings, self.engine, clock, self.parts)

    def move_clock(self, actor: Actor, offset: timedelta) -> None:
        """Move the demonstration's clock to *offset* from the computer's, for every process and the trust services too.

        Raises:
            Forbidden: outside demo mode.
        """
        if not self.settings.demo:
            raise Forbidden("clock.not_movable")
        with self.begin(actor) as w:
            shift(w.session, w.province, offset)
            w.record("clock.moved", offset=offset)
        draft = self.settings.clock_file.with_suffix(".new")
        draft.write_text(str(offset.total_seconds()))
        draft.replace(self.settings.clock_file)

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


def all_loaded() -> None:
    """Say that what this process has loaded so far stays for good: the collector of unreachable objects need not look through it again.

    Libraries, records and templates are half a million objects. Looking through all of them takes a tenth of a second and more, in the
    midst of whatever request happens to be served. How often the rest is looked through stays as it is: less often was tried, and costs
    more, for what is looked through at once is no longer in the processor's cache.
    """
    gc.collect()
    gc.freeze()


def write_logs(settings: Settings) -> None:
    """Let every log line of this process be one JSON object without values: no personal data, no secrets."""
    logs.configure(settings.log_level)


def open_runtime(settings: Settings, *, clock: Clock | None = None, pool_size: int = 5) -> Runtime:
    """Open the installation of *settings*; the database must be running and migrated.

    Raises:
        postgres.NotRunning: when the embedded server is meant and does not run.
    """
    url = settings.application_url
    if url is None:
        owner = settings.database_url or postgres.running_url(settings.home)
        application = application_url(owner, settings.secret_key)
        url = application.render_as_string(hide_password=False) if may_log_in(application) else owner
    engine = open_engine(url, pool_size=pool_size)
    parts = PartShelf()
    offer_parts(parts, settings)
    return Runtime(settings, engine, clock or (ShiftedClock() if settings.demo else SystemClock()), parts)


def printer_of(settings: Settings) -> Printer:
    """Return what prints an installation's papers; it needs no database."""
    return Printer(FONTS, settings.procedures / "_shared", TEST_MARK if settings.demo else "")


def offer_parts(parts: PartShelf, settings: Settings) -> None:
    """Say how every part of an installation is made."""
    parts.offer(Settings, lambda: settings)
    parts.offer(Sealing, lambda: open_keys(settings.home / "keys"))
    parts.offer(Connectors, lambda: Connectors(settings))
    parts.offer(BlobStore, lambda: BlobStore(settings.blobs, settings.storage_quota or 0))
    parts.offer(ProcedureCache, ProcedureCache)
    parts.offer(Calendars, lambda: Calendars(settings.procedures / "_calendars"))
    parts.offer(Printer, lambda: printer_of(settings))
    parts.offer(SigningOffice, lambda: open_signing_office(settings.home, FONTS, test=settings.demo))
    parts.offer(Preserver, lambda: open_preserver(settings.home))
