"""One more revision of a document held in memory: only what is appended is written, what stands before is read once for the digests."""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.signers.pdf_byterange import PdfSignedData

from signing.errors import SigningError


@dataclass(frozen=True)
class Reserved:
    """A revision with room for a container between *start* (the ``<``) and *end* (after the ``>``), and what is signed of it."""

    pdf: bytes
    pdf_sha256: str
    signed_sha256: bytes
    start: int
    end: int


class Increment(IncrementalPdfFileWriter):
    """The library's writer, but what it writes is the new section alone."""

    def __init__(self, pdf: bytes) -> None:
        """Continue *pdf*, read strictly; ``appended`` or ``reserved`` is asked once, as the last."""
        super().__init__(io.BytesIO(pdf), strict=True)
        self._pdf = pdf

    def appended(self) -> bytes:
        """The document with its new revision; without changes as it was."""
        new = self._section().getvalue() if self.objects else b""
        return b"".join((self._let_go(), new))

    def reserved(self) -> Reserved:
        """The document with its new revision, in which exactly one signature waits for its container."""
        (waiting,) = (one for one in self.objects.values() if isinstance(one, PdfSignedData))
        section = self._section()
        start, end = waiting.contents.offsets
        waiting.byte_range.fill_offsets(section, start, end, section.tell())
        pdf = self._let_go()
        before, signed = len(pdf), hashlib.sha256(pdf)
        whole = signed.copy()
        with section.getbuffer() as new:
            whole.update(new)
            signed.update(new[: start - before])
            signed.update(new[end - before :])
            return Reserved(b"".join((pdf, new)), whole.hexdigest(), signed.digest(), start, end)

    def _let_go(self) -> bytes:
        """The document, no longer held: reader and writer refer to each other and would keep it until the next collection."""
        pdf, self._pdf = self._pdf, b""
        self.input_stream.close()
        return pdf

    def _section(self) -> _Section:
        section = _Section(len(self._pdf))
        self._prep_dom_for_writing()  # type: ignore[no-untyped-call]  # the library has no types here
        self._write_updated_section(section)  # type: ignore[no-untyped-call]
        return section


def embed(pdf: bytes, start: int, end: int, container: bytes) -> bytes:
    """Put a *container* into the room between *start* and *end*.

    Raises:
        SigningError: ``signing.too_large``.
    """
    digits = container.hex().upper().encode("ascii")
    if len(digits) > end - start - 2:
        raise SigningError("signing.too_large")
    whole = memoryview(pdf)
    return b"".join((whole[: start + 1], digits, whole[start + 1 + len(digits) :]))


class _Section(io.BytesIO):
    """A stream whose first byte stands at *base* of the file it belongs to."""

    def __init__(self, base: int) -> None:
        super().__init__()
        self._base = base

    def tell(self) -> int:
        return super().tell() + self._base

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return super().seek(offset - self._base if whence == os.SEEK_SET else offset, whence) + self._base
