"""Guards beside the cryptography: geometry of the signed ranges, what later revisions may change, no byte unaccounted for.

``pdfsig`` and stock policies call valid what these refuse; every guard stands for a class of published attacks.
"""

from __future__ import annotations

import io
import re

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import (
    CatalogModificationRule,
    DocInfoRule,
    DSSCompareRule,
    FormUpdatingRule,
    MetadataUpdateRule,
    ModificationLevel,
    ObjectStreamRule,
    SigFieldCreationRule,
    SigFieldModificationRule,
    StandardDiffPolicy,
    XrefStreamRule,
)
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from signing.container import container_fault
from signing.numbering import NumberingRule

_EVIDENCE_ONLY = [
    rule().as_qualified(ModificationLevel.LTA_UPDATES)
    for rule in (DocInfoRule, XrefStreamRule, ObjectStreamRule, DSSCompareRule, MetadataUpdateRule)
]
# No general form filling: signatures, evidence and the two named fields are all that may come later.
OFFICE = StandardDiffPolicy(
    global_rules=[CatalogModificationRule(), *_EVIDENCE_ONLY],
    form_rule=FormUpdatingRule(field_rules=[SigFieldCreationRule(), SigFieldModificationRule(), NumberingRule()]),
    ignore_orphaned_objects=False,
)

_KINDS = ("/ETSI.CAdES.detached", "/adbe.pkcs7.detached")
_STAMP = "/ETSI.RFC3161"


def byte_range_fault(pdf: bytes, signature: EmbeddedPdfSignature) -> str | None:
    """Why the signed ranges are not exactly "everything but the signature value up to the end of a revision"; None = they are.

    A document time-stamp is held to the same: nothing else protects its own value.
    """
    ranges = signature.sig_object.get("/ByteRange")
    if not isinstance(ranges, generic.ArrayObject) or len(ranges) != 4 or not all(isinstance(one, int) for one in ranges):
        return "not four integers"
    start, first, second, rest = (int(one) for one in ranges)
    end = second + rest
    if start != 0 or not 0 < first < second < end <= len(pdf):
        return "ranges out of order"
    gap = pdf[first:second]
    if gap[:1] != b"<" or gap[-1:] != b">" or not re.fullmatch(rb"[0-9A-Fa-f]*", gap[1:-1]):
        return "gap is more than the signature value"
    if bytes.fromhex(gap[1:-1].decode()).rstrip(b"\0") != bytes(signature.pkcs7_content).rstrip(b"\0"):
        return "gap is not the signature value"
    if not _ends_revision(pdf, end):
        return "not the end of a revision"
    kind = signature.sig_object.get("/SubFilter")
    stamp = signature.sig_object_type == "/DocTimeStamp"
    if kind not in ((_STAMP,) if stamp else _KINDS):
        return "another kind of signature"
    inside = container_fault(gap[1:-1], pades=kind == _KINDS[0], stamped=stamp)
    return f"container: {inside}" if inside else None


def _ends_revision(pdf: bytes, end: int) -> bool:
    """Whether *end* is where a revision's last line ends, however many line ends follow it; nothing is copied: a file may have 100 MB."""
    while end and pdf[end - 1] in b"\r\n":
        end -= 1
    return pdf.endswith(b"%%EOF", 0, end)


def signed_end(signature: EmbeddedPdfSignature) -> int:
    """Length of the revision a signature covers."""
    ranges = signature.sig_object["/ByteRange"]
    return int(ranges[2]) + int(ranges[3])


def appended_fault(pdf: bytes, end: int) -> str | None:
    """What is wrong with the bytes after a signed revision; None = every byte belongs to a proper revision."""
    tail = pdf[end:]
    if not tail.strip():
        return None
    starts = [int(found[1]) for found in re.finditer(rb"startxref\s+(\d+)", tail)]
    if not starts:
        return "appended bytes without a cross-reference"
    if min(starts) < end:
        return "cross-reference points into the signed part"
    if not tail.rstrip().endswith(b"%%EOF"):
        return "bytes after the last revision"
    references = PdfFileReader(io.BytesIO(pdf), strict=True).xrefs
    known = {
        references.get_historical_ref(one, revision)
        for revision in range(references.total_revisions)
        for one in references.explicit_refs_in_revision(revision)
    }
    headers = (end + found.start(1) for found in re.finditer(rb"(?:^|[\r\n])\s*(\d+\s+\d+\s+obj\b)", tail))
    hidden = sum(1 for header in headers if header not in known)
    return f"{hidden} objects no cross-reference reaches" if hidden else None


def hides_signature(pdf: bytes) -> bool:
    """Whether a file without readable signatures still carries the marks of one: damaged or removed on purpose."""
    return bool(re.search(rb"/ByteRange|/ETSI\.CAdES\.detached|/adbe\.pkcs7|/ETSI\.RFC3161", pdf))
