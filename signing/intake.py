"""What comes from outside: judged by its content, never by its name, in a child process with limits.

``inspect`` accepts PDF, JPEG and PNG. Documents already signed are never rewritten; active documents are refused and ``safe_copy`` makes
one without its active parts; ``normalise`` and ``lint`` stand before the first signature.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from signing.child import Child
from signing.errors import SigningError
from signing.isolation import ChildFailed
from signing.model import Json
from signing.pdf_findings import Finding as Finding

Kind = Literal["pdf", "jpeg", "png"]
_CHILD = Child("signing.intake_child")
_MAGIC: tuple[tuple[bytes, Kind], ...] = ((b"\xff\xd8\xff", "jpeg"), (b"\x89PNG\r\n\x1a\n", "png"))


@dataclass(frozen=True)
class Limits:
    """Caps on one upload: bytes, pages, unpacked bytes, pixels of a picture."""

    most_bytes: int = 50 * 1024 * 1024
    most_pages: int = 500
    most_unpacked: int = 400 * 1024 * 1024
    most_pixels: int = 80_000_000


DEFAULT = Limits()


@dataclass(frozen=True)
class Inspection:
    """What an upload is.

    *content* is what to keep: the very bytes of a PDF, a picture encoded anew; *name* the file name to keep it under: NFC, no path, the
    extension of what it really is. *refusals* are catalogued reasons why it cannot be taken;
    *safe_copy_possible* says that ``safe_copy`` may be offered; *signatures* counts those a PDF carries already: it stays untouched.
    """

    kind: Kind | None
    content: bytes
    name: str = ""
    pages: int = 0
    signatures: int = 0
    width: int = 0
    height: int = 0
    refusals: tuple[Finding, ...] = ()
    safe_copy_possible: bool = False

    @property
    def accepted(self) -> bool:
        """Whether it may be kept."""
        return not self.refusals

    def require(self) -> Inspection:
        """This inspection, or the first refusal as ``SigningError``."""
        if self.refusals:
            raise SigningError(self.refusals[0].code, **self.refusals[0].facts)
        return self


def kind_of(content: bytes) -> Kind | None:
    """PDF, JPEG or PNG by the first bytes, None for anything else."""
    for magic, kind in _MAGIC:
        if content.startswith(magic):
            return kind
    return "pdf" if b"%PDF-" in content[:1024] else None


def kept_name(name: str, kind: Kind) -> str:
    """A file name to keep: NFC, without path and control characters, at most 120 letters, with the extension of *kind*."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    visible = "".join(letter for letter in last if unicodedata.category(letter)[0] != "C").strip(" .")
    stem = re.sub(r"\.(pdf|jpe?g|png)$", "", visible, flags=re.IGNORECASE)[:120].strip(" .") or "tep"
    return f"{stem}.{'jpg' if kind == 'jpeg' else kind}"


def inspect(content: bytes, name: str = "", limits: Limits = DEFAULT) -> Inspection:
    """Inspect one upload called *name*; never raises for bad content, the reasons are in ``refusals``."""
    if not content:
        return _refused(None, content, "file.empty")
    if len(content) > limits.most_bytes:
        return _refused(None, b"", "file.too_large", megabytes=round(len(content) / 1e6), limit=limits.most_bytes // (1024 * 1024))
    kind = kind_of(content)
    if kind is None:
        return _refused(None, content, "file.archive" if content.startswith(b"PK\x03\x04") else "file.kind_unknown")
    request: Json = {
        "act": "inspect",
        "kind": kind,
        "most_pages": limits.most_pages,
        "most_unpacked": limits.most_unpacked,
        "most_pixels": limits.most_pixels,
    }
    try:
        answer, picture = _CHILD.ask(request, content)
    except ChildFailed as problem:
        return _refused(kind, content, "file.bomb" if problem.kind in ("memory", "time") else "file.unreadable")
    if "code" in answer:
        return _refused(kind, content, answer["code"], **answer["facts"])
    refusals = tuple(Finding(one["code"], one["facts"]) for one in answer["findings"])
    return Inspection(
        kind=kind,
        content=picture or content,
        name=kept_name(name, kind),
        pages=answer["pages"],
        signatures=answer["signatures"],
        width=answer.get("width", 0),
        height=answer.get("height", 0),
        refusals=refusals,
        safe_copy_possible=answer["active"] and not answer["signatures"] and all(one.code == "file.pdf_active" for one in refusals),
    )


def safe_copy(content: bytes) -> bytes:
    """A copy of a PDF without scripts, automatic actions and attachments.

    Raises:
        SigningError: ``file.pdf_encrypted``, ``file.pdf_broken``, ``file.unreadable``.
    """
    return _copy("safe_copy", content)


def normalise(content: bytes) -> bytes:
    """A copy of a foreign PDF fit for its first signature: one revision, no form, no layers, foreign fonts as pictures.

    Raises:
        SigningError: as ``safe_copy``.
    """
    return _copy("normalise", content)


def lint(content: bytes) -> tuple[Finding, ...]:
    """Why a PDF must not be signed as it is; empty when it may."""
    try:
        answer, _ = _CHILD.ask({"act": "lint"}, content)
    except ChildFailed:
        return (Finding("file.unreadable"),)
    if "code" in answer:
        return (Finding(answer["code"], answer["facts"]),)
    return tuple(Finding(one["code"], one["facts"]) for one in answer["findings"])


def _copy(act: str, content: bytes) -> bytes:
    try:
        answer, copy = _CHILD.ask({"act": act}, content, cpu_seconds=60, seconds=90)
    except ChildFailed as problem:
        raise SigningError("file.unreadable") from problem
    if "code" in answer:
        raise SigningError(answer["code"], **answer["facts"])
    return copy


def _refused(kind: Kind | None, content: bytes, code: str, **facts: object) -> Inspection:
    return Inspection(kind, content, refusals=(Finding(code, dict(facts)),))
