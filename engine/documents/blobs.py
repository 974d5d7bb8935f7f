"""File contents by their SHA-256: written durably before the row that names them, verified at every read."""

from __future__ import annotations

import hashlib
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from engine.errors import EngineError, NotFound, Refused


@dataclass(frozen=True)
class BlobStore:
    """A local folder of contents; *quota* in bytes, 0 = the disk is the limit."""

    folder: Path
    quota: int = 0

    def path(self, sha256: str) -> Path:
        """Return where a content lies: ``ab/cd/abcd…``."""
        return self.folder / sha256[:2] / sha256[2:4] / sha256

    def put(self, content: bytes) -> str:
        """Keep a content and return its SHA-256 (hex); the same content twice is kept once.

        The draft is written and synced, then renamed, then the folders are synced: a signed decision survives a power cut.

        Raises:
            Refused: ``storage.full``; nothing half-written stays behind.
        """
        sha256 = hashlib.sha256(content).hexdigest()
        target = self.path(sha256)
        if target.exists():
            return sha256
        if self.quota and self.used() + len(content) > self.quota:
            raise Refused("storage.full")
        draft = target.parent / f".{secrets.token_hex(8)}.draft"
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with open(draft, "xb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            draft.replace(target)
            for folder in (target.parent, target.parent.parent, self.folder):
                sync(folder)
        except OSError as failure:
            with suppress(OSError):
                draft.unlink()
            raise Refused("storage.full") from failure
        return sha256

    def get(self, sha256: str) -> bytes:
        """Return a content, checked against its name.

        Raises:
            NotFound: it is not here.
            EngineError: ``storage.damaged`` when the bytes no longer hash to their name.
        """
        try:
            content = self.path(sha256).read_bytes()
        except FileNotFoundError:
            raise NotFound("storage.missing") from None
        if hashlib.sha256(content).hexdigest() != sha256:
            raise EngineError("storage.damaged", sha256=sha256)
        return content

    def used(self) -> int:
        """Return the bytes kept; only asked when there is a quota."""
        return sum(p.stat().st_size for p in self.folder.rglob("*") if p.is_file())


def sync(folder: Path) -> None:
    """Make a new folder entry durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
