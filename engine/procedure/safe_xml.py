"""Reading XML that a stranger sent: no document type, no entities, no network, bounded size, depth and number of elements."""

from __future__ import annotations

from lxml import etree

from engine.errors import Refused

MAX_BYTES = 2 * 1024 * 1024
MAX_DEPTH = 100
MAX_ELEMENTS = 20_000


def parse_xml(content: bytes, file: str) -> etree._Element:
    """Return the root element of *content*; *file* is named in every refusal.

    Raises: Refused ``xml.*``, always with the file and, where the parser knows it, line and column.
    """
    if len(content) > MAX_BYTES:
        raise Refused("xml.too_large", file=file, limit=MAX_BYTES // 1024 // 1024)
    if b"<!doctype" in content.lower() or "<!doctype".encode("utf-16-le") in content.lower():
        raise Refused("xml.doctype", file=file)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_pis=True,
        remove_comments=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        raise Refused("xml.broken", file=file, line=line, column=column) from None
    except (ValueError, LookupError):
        raise Refused("xml.broken", file=file, line=1, column=1) from None
    # The second look is the one that counts: it sees the document type in whatever encoding it was written.
    if root.getroottree().docinfo.doctype:
        raise Refused("xml.doctype", file=file)
    _bound(root, file)
    return root


def _bound(root: etree._Element, file: str) -> None:
    depth = count = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        count += event == "start"
        if depth > MAX_DEPTH:
            raise Refused("xml.too_deep", file=file, limit=MAX_DEPTH)
        if count > MAX_ELEMENTS:
            raise Refused("xml.too_many", file=file, limit=MAX_ELEMENTS)
