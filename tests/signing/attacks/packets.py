"""XML signature wrapping and its relatives: the signed node moved, doubled, pointed away from; references that would fetch."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator

from lxml import etree

from signing.xades import DS, XA

NS = "http://www.e-doc.vn/Schema/"
Variant = tuple[str, bytes]
WRAPPERS = (
    "Wrapper", f"{{{NS}}}Header", f"{{{NS}}}edXML", f"{{{NS}}}Body", f"{DS}Object", f"{DS}Manifest", f"{XA}QualifyingProperties",
    "{http://schemas.xmlsoap.org/soap/envelope/}Body", "{http://www.w3.org/2001/XInclude}fallback",
)  # fmt: skip
MARKS = ("ids kept", "ids exchanged", "ids gone")


def _root(packet: bytes) -> tuple[etree._Element, etree._Element]:
    root = etree.fromstring(packet)
    signature = root.find(f"{DS}Signature")
    assert signature is not None
    return root, signature


def _evil(root: etree._Element, marks: str = MARKS[0]) -> etree._Element:
    """The document an attacker wants read; its identifiers as in the original, other ones or none."""
    evil = copy.deepcopy(root)
    for one in evil.findall(f"{DS}Signature"):
        evil.remove(one)
    subject = evil.find(f".//{{{NS}}}Subject")
    assert subject is not None
    subject.text = "Quyết định số 99"
    for one in evil.iter():
        if "Id" in one.attrib and marks != MARKS[0]:
            value = one.attrib.pop("Id")
            if marks == MARKS[1]:
                one.set("Id", f"{value}-evil")
    return evil


def wrapped(packet: bytes) -> Iterator[Variant]:
    """The true document kept somewhere inside, another one read."""
    root, _ = _root(packet)
    for wrapper in WRAPPERS:
        for marks in MARKS:
            for place in (
                "before",
                "after",
                "in the signature",
                "beside the signed information",
                "in the body",
                "in the header",
                "as a comment's neighbour",
            ):
                evil, original = _evil(root, marks), copy.deepcopy(root)
                signature = original.find(f"{DS}Signature")
                assert signature is not None
                holder = etree.Element(wrapper)
                if place in ("in the signature", "beside the signed information"):
                    original.remove(signature)
                    holder.append(original)
                    signature.insert(1 if place.startswith("beside") else len(signature), holder)
                    evil.append(signature)
                elif place in ("in the body", "in the header"):
                    holder.append(original)
                    evil[-1 if place.endswith("body") else 0].append(holder)
                else:
                    original.remove(signature)
                    holder.append(original)
                    if place.startswith("as"):
                        evil.insert(0, etree.Comment("x"))
                    evil.insert(0 if place == "before" else len(evil), holder)
                    evil.append(signature)
                yield f"{etree.QName(wrapper).localname} {wrapper[:24]} {place}, {marks}", etree.tostring(evil)
        outer = etree.Element(wrapper)
        outer.append(copy.deepcopy(root))
        outer.append(_evil(root))
        yield f"beside each other under {wrapper}", etree.tostring(outer)
        moved = copy.deepcopy(root)
        signature = moved.find(f"{DS}Signature")
        assert signature is not None
        holder = etree.SubElement(moved, wrapper)
        holder.append(signature)
        yield f"signature under {wrapper}", etree.tostring(moved)


def altered(packet: bytes) -> Iterator[Variant]:
    """One thing changed in a good packet."""
    text = packet.decode()
    yield "content", text.replace("số 15", "số 16").encode()
    yield "attribute", text.replace('Id="h"', 'Id="i"').encode()
    yield "attribute added", text.replace('Id="h"', 'Id="h" x="1"').encode()
    yield "element added", text.replace("<Body>", "<Body/><Body>").encode()
    yield "element emptied", re.sub(r"<Body>.*</Body>", "<Body></Body>", text).encode()
    yield "namespace", text.replace(NS, NS + "x").encode()
    yield "value cut", re.sub(r"(<ds:SignatureValue>)....", r"\1", text).encode()
    yield "value empty", re.sub(r"(<ds:SignatureValue>)[^<]*", r"\1", text).encode()
    for title, method in (
        ("SHA-1", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1"), ("MAC", "http://www.w3.org/2000/09/xmldsig#hmac-sha1"),
        ("MAC 256", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"), ("RSA", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"),
        ("DSA", "http://www.w3.org/2000/09/xmldsig#dsa-sha1"), ("nonsense", "urn:none"), ("nothing", ""),
    ):  # fmt: skip
        yield f"method {title}", text.replace("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", method).encode()
    for title, digest in (("SHA-1", "http://www.w3.org/2000/09/xmldsig#sha1"), ("MD5", "http://www.w3.org/2001/04/xmldsig-more#md5")):
        yield f"digest {title}", text.replace("http://www.w3.org/2001/04/xmlenc#sha256", digest).encode()
    for address in (
        "http://127.0.0.1:{port}/x",
        "file:///etc/passwd",
        "#h",
        "#xpointer(/)",
        "#xpointer(id('h'))",
        "x.xml",
        "ftp://127.0.0.1/",
    ):
        yield f"reference {address}", text.replace('URI=""', f'URI="{address}"').encode()
    for title, transform in transforms():
        yield f"transform {title}", text.replace("<ds:Transforms>", f"<ds:Transforms>{transform}", 1).encode()
    for tag in ("Signature", "SignedInfo", "KeyInfo", "Object", "SignatureValue", "Reference", "X509Certificate", "DigestValue"):
        yield from _twice_and_gone(packet, f"{DS}{tag}")
    for tag in (
        "QualifyingProperties",
        "SignedProperties",
        "SigningCertificateV2",
        "SigningTime",
        "EncapsulatedTimeStamp",
        "UnsignedProperties",
    ):
        yield from _twice_and_gone(packet, f"{XA}{tag}")
    yield "doctype", text.replace("?>", "?><!DOCTYPE edXML [<!ENTITY a 'b'>]>", 1).encode()
    yield (
        "outer entity",
        text.replace("?>", "?><!DOCTYPE edXML [<!ENTITY a SYSTEM 'http://127.0.0.1:{port}/e'>]>", 1).replace("số 15", "&a;").encode(),
    )
    yield "outer doctype", text.replace("?>", "?><!DOCTYPE edXML SYSTEM 'http://127.0.0.1:{port}/d'>", 1).encode()
    yield "bomb", b"<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;'>]><x>&b;</x>"
    yield (
        "stylesheet asked for",
        text.replace("?>", "?><?xml-stylesheet href='http://127.0.0.1:{port}/s' type='text/xsl'?>", 1).replace("số 15", "số 16").encode(),
    )
    yield (
        "included",
        text.replace("<Body>", "<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='http://127.0.0.1:{port}/i'/><Body>").encode(),
    )
    yield "cut", packet[:-30]
    yield "twice", packet + packet
    yield "other encoding", text.replace("UTF-8", "UTF-16").encode()
    yield "deep", b"<a>" * 5000 + b"</a>" * 5000
    yield "empty", b""
    yield "no xml", b"\x00\x01"


def transforms() -> Iterator[tuple[str, str]]:
    """Transforms that change, cut or fetch what is signed."""
    xslt = "<xsl:stylesheet version='1.0' xmlns:xsl='http://www.w3.org/1999/XSL/Transform'><xsl:template match='/'>"
    end = "</xsl:template></xsl:stylesheet>"
    for title, body in (
        ("constant", f"{xslt}<x/>{end}"),
        ("fetching", f"{xslt}<xsl:copy-of select=\"document('http://127.0.0.1:{{port}}/t')\"/>{end}"),
        ("including", "<xsl:stylesheet version='1.0' xmlns:xsl='http://www.w3.org/1999/XSL/Transform'><xsl:include href='http://127.0.0.1:{port}/u'/></xsl:stylesheet>"),
    ):  # fmt: skip
        yield f"XSLT {title}", f"<ds:Transform Algorithm='http://www.w3.org/TR/1999/REC-xslt-19991116'>{body}</ds:Transform>"
    yield "XPath", "<ds:Transform Algorithm='http://www.w3.org/TR/1999/REC-xpath-19991116'><ds:XPath>false()</ds:XPath></ds:Transform>"
    yield (
        "XPath filter",
        "<ds:Transform Algorithm='http://www.w3.org/2002/06/xmldsig-filter2'><XPath Filter='subtract'>//*</XPath></ds:Transform>",
    )
    yield "Base64", "<ds:Transform Algorithm='http://www.w3.org/2000/09/xmldsig#base64'/>"


def _twice_and_gone(packet: bytes, tag: str) -> Iterator[Variant]:
    short = etree.QName(tag).localname
    for act in ("twice", "gone", "moved to the root"):
        root = etree.fromstring(packet)
        found = root.find(f".//{tag}")
        parent = found.getparent() if found is not None else None
        if found is None or parent is None or (act == "moved to the root" and parent is root):
            continue
        if act == "twice":
            parent.append(copy.deepcopy(found))
        else:
            parent.remove(found)
            if act != "gone":
                root.append(found)
        yield f"{short} {act}", etree.tostring(root)
