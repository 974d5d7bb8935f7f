"""Twelve-factor settings: read once from MOTCUA_* variables, all problems reported at once. The only reader of the environment."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

ROOT = Path(__file__).resolve().parent.parent


class SettingsError(Exception):
    """The settings cannot be used; ``problems`` lists every one of them."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Settings:
    """Everything an installation is told from outside."""

    home: Path = Path("var")
    """The data folder: embedded database, blobs, keys, reports."""
    database_url: str | None = None
    """The owner's connection to a PostgreSQL ≥ 15; None means the embedded server."""
    application_url: str | None = None
    """The application role's connection; derived from the owner's when None."""
    procedures: Path = ROOT / "bpmn"
    """Folder of procedure packages and calendars the installation starts with."""
    blob_folder: Path | None = None
    """Where file contents go; None means ``home/blobs``."""
    seal_copies: Path | None = None
    """File the journal's daily seals are copied to, best on another machine; None means ``home/seals.jsonl``."""
    storage_quota: int | None = None
    """How many bytes of file contents may be kept; None means as many as the disk holds."""
    province: int = 1
    """The first part of every key."""
    timezone: str = "Asia/Ho_Chi_Minh"
    demo: bool = False
    """Demonstration: one-click sign-in, movable clock, test trust services."""
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str | None = None
    """The address citizens use; it stands in QR codes. None means http://localhost:<port>."""
    smtp_url: str | None = None
    """smtp://user:password@host:port (smtps for TLS from the start); None drops mails as files into ``home/mail``."""
    mail_from: str = "motcua@localhost"
    log_level: str = "info"
    agent_port: int = 18417
    """Where the signing agent listens on the computers of those whose key is on a USB token."""
    web_workers: int = 1
    """Web server processes."""
    proxies: int = 0
    """How many reverse proxies of the installation stand before the web: that many entries of ``X-Forwarded-*`` are believed."""
    api_per_minute: int = 1200
    """How many requests a minute a program may send with one person's tokens, or one address without any, to each web process."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the settings from the environment.

        Raises:
            SettingsError: naming every variable that is wrong.
        """
        given = dict(os.environ if environment is None else environment)  # noqa: TID251
        problems: list[str] = []

        def text(name: str) -> str | None:
            return given.get(f"MOTCUA_{name}", "").strip() or None

        def number(name: str, default: int, low: int, high: int) -> int:
            written = text(name)
            if written is None:
                return default
            if not written.isascii() or not written.isdigit() or not low <= int(written) <= high:
                problems.append(f"MOTCUA_{name} must be a whole number from {low} to {high}")
                return default
            return int(written)

        def switch(name: str) -> bool:
            written = (text(name) or "no").lower()
            if written not in {"1", "yes", "true", "on", "0", "no", "false", "off"}:
                problems.append(f"MOTCUA_{name} must be yes or no")
            return written in {"1", "yes", "true", "on"}

        def address(name: str, schemes: set[str]) -> str | None:
            written = text(name)
            if written is not None and urlsplit(written).scheme not in schemes:
                problems.append(f"MOTCUA_{name} must begin with {' or '.join(f'{scheme}://' for scheme in sorted(schemes))}")
            return written

        def folder(name: str, default: Path) -> Path:
            return Path(text(name) or default).expanduser().absolute()

        quota = number("STORAGE_QUOTA", 0, 0, 2**62)
        blobs, copies = text("BLOBS"), text("SEAL_COPIES")
        settings = cls(
            home=folder("HOME", Path("var")),
            database_url=address("DATABASE_URL", {"postgresql", "postgres"}),
            application_url=address("APPLICATION_URL", {"postgresql", "postgres"}),
            procedures=folder("PROCEDURES", ROOT / "bpmn"),
            blob_folder=Path(blobs).expanduser().absolute() if blobs else None,
            seal_copies=Path(copies).expanduser().absolute() if copies else None,
            storage_quota=quota or None,
            province=number("PROVINCE", 1, 1, 32_767),
            timezone=text("TIMEZONE") or cls.timezone,
            demo=switch("DEMO"),
            host=text("HOST") or cls.host,
            port=number("PORT", cls.port, 1, 65_535),
            public_url=address("PUBLIC_URL", {"http", "https"}),
            smtp_url=address("SMTP_URL", {"smtp", "smtps"}),
            mail_from=text("MAIL_FROM") or cls.mail_from,
            log_level=(text("LOG_LEVEL") or cls.log_level).lower(),
            agent_port=number("AGENT_PORT", cls.agent_port, 1024, 65_535),
            web_workers=number("WEB_WORKERS", cls.web_workers, 1, 64),
            proxies=number("PROXIES", cls.proxies, 0, 8),
            api_per_minute=number("API_PER_MINUTE", cls.api_per_minute, 1, 1_000_000),
        )
        if settings.log_level not in {"debug", "info", "warning", "error"}:
            problems.append("MOTCUA_LOG_LEVEL must be debug, info, warning or error")
        try:
            ZoneInfo(settings.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            problems.append("MOTCUA_TIMEZONE is not a known time zone")
        if problems:
            raise SettingsError(problems)
        return settings

    @property
    def blobs(self) -> Path:
        """The folder of file contents."""
        return self.blob_folder or self.home / "blobs"

    @property
    def kept_seals(self) -> Path:
        """The file of copies of the journal's daily seals."""
        return self.seal_copies or self.home / "seals.jsonl"

    @property
    def address(self) -> str:
        """The address citizens use, without a final slash."""
        return (self.public_url or f"http://localhost:{self.port}").rstrip("/")

    @property
    def clock_file(self) -> Path:
        """How many seconds a demonstration's clock is moved; the trust services read it too."""
        return self.home / "clock.offset"

    @property
    def zone(self) -> ZoneInfo:
        """The office's time zone."""
        return ZoneInfo(self.timezone)

    @cached_property
    def secret_key(self) -> str:
        """The key of sessions and tokens, kept in ``home/keys/secret.key`` (0600) unless MOTCUA_SECRET_KEY is set."""
        return os.environ.get("MOTCUA_SECRET_KEY") or kept_secret(self.home / "keys" / "secret.key")  # noqa: TID251


def kept_secret(path: Path, fresh: str | None = None) -> str:
    """Return the secret in the file at *path*; made first (0600: *fresh*, or random) when there is none."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(fresh or secrets.token_urlsafe(48))
        with suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text().strip()


def environment(**changes: str | None) -> dict[str, str]:
    """Return the environment for a child process, with *changes* (None takes a variable out)."""
    merged: dict[str, str | None] = {**os.environ, **changes}  # noqa: TID251
    return {name: value for name, value in merged.items() if value is not None}
