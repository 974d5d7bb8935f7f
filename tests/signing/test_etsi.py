"""The report in the form of ETSI TS 119 102-2: names, order and what is required are checked against the binding pyHanko ships.

The schema itself cannot be had without a network; the binding was generated from it.
"""

from __future__ import annotations

import ast
import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import pyhanko.sign
import pytest
from lxml import etree

from signing.etsi import DS, VR, to_xml
from signing.report import Report
from tests.signing import attacks
from tests.support.signing_office import Office, examined

BINDING = Path(pyhanko.sign.__file__).parents[1] / "generated" / "etsi" / "ts_11910202.py"


@cache
def types() -> dict[str, list[dict[str, Any]]]:
    """Each type of the schema: its elements in order, whether they are required, of which type."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in ast.parse(BINDING.read_text()).body:
        if not isinstance(one, ast.ClassDef):
            continue
        found[one.name] = []
        for entry in one.body:
            if isinstance(entry, ast.AnnAssign) and isinstance(entry.value, ast.Call) and isinstance(entry.target, ast.Name):
                told = next((ast.literal_eval(k.value) for k in entry.value.keywords if k.arg == "metadata"), {})
                kind = ast.unparse(entry.annotation).replace("tuple[", "").replace(", ...]", "").split(" |")[0]
                found[one.name].append({"name": entry.target.id, **told, "of": kind, "many": "tuple" in ast.unparse(entry.annotation)})
    return found


def faults(node: etree._Element, kind: str) -> list[str]:
    """Where an element is not what its type says."""
    entries = types().get(kind)
    if entries is None:
        return []
    known = [one for one in entries if one.get("type") == "Element"]
    order = [f"{{{one['namespace']}}}{one['name']}" for one in known]
    wrong, place = [], 0
    for child in node:
        if child.tag not in order:
            wrong.append(f"{kind}: {child.tag} is unknown")
            continue
        if order.index(child.tag) < place:
            wrong.append(f"{kind}: {child.tag} out of order")
        place = order.index(child.tag)
        wrong += faults(child, known[place]["of"])
    tags = [child.tag for child in node]
    for one, tag in zip(known, order, strict=True):
        if (one.get("required") or one.get("min_occurs")) and tag not in tags:
            wrong.append(f"{kind}: {tag} is missing")
        if not one["many"] and tags.count(tag) > 1:
            wrong.append(f"{kind}: {tag} more than once")
    return wrong


def read(report: Report) -> etree._Element:
    root = etree.fromstring(to_xml(report))
    assert root.tag == f"{{{VR}}}ValidationReport"
    assert faults(root, "ValidationReportType") == []
    return root


def texts(root: etree._Element, tag: str) -> list[str]:
    return [one.text or "" for one in root.iter(f"{{{VR}}}{tag}")]


def test_a_valid_document_s_report_is_what_the_schema_asks_for(office: Office) -> None:
    pdf = office.issued()
    report = examined(office, pdf)
    root = read(report)

    assert texts(root, "MainIndication") == ["urn:etsi:019102:mainindication:total-passed"] * 2
    assert texts(root, "SubIndication") == []
    assert texts(root, "Signer") == [one.certificate.common_name for one in report.signatures]
    assert texts(root, "POETime") == [one.best_time for one in report.signatures]
    digests = {base64.b64decode(one.text or "").hex() for one in root.iter(f"{{{DS}}}DigestValue")}
    assert hashlib.sha256(office.pki.certificate("lan").der).hexdigest() in digests
    assert {hashlib.sha256(pdf[: one.revision_end]).hexdigest() for one in report.signatures} <= digests
    names = {one.get("id") for one in root.iter(f"{{{VR}}}ValidationObject")}
    assert {one.get("VOReference") for one in root.iter() if one.get("VOReference")} <= names


@pytest.mark.parametrize("stamped", [True, False])
def test_every_other_verdict_is_told_with_its_sub_indication(office: Office, stamped: bool) -> None:
    pdf = office.sign(office.with_fields(), "leader", "lan", stamped=stamped)
    offline = read(examined(office, pdf, online=False))
    assert texts(offline, "MainIndication") == ["urn:etsi:019102:mainindication:indeterminate"]
    assert texts(offline, "SubIndication")[0].startswith("urn:etsi:019102:subindication:")
    forged = dict(attacks.incremental_saving(pdf))["saved: page turned by 180"]
    assert texts(read(examined(office, forged)), "MainIndication") == ["urn:etsi:019102:mainindication:total-failed"]
    assert texts(read(examined(office, b"%PDF-1.7\nnonsense")), "SubIndication") == ["urn:etsi:019102:subindication:FORMAT_FAILURE"]


def test_the_check_of_the_structure_finds_what_is_wrong(office: Office) -> None:
    root = read(examined(office, office.leader_signed()))
    first = root[0]
    first.append(first[0])
    assert any("out of order" in one for one in faults(root, "ValidationReportType"))
    first.remove(first[-1])
    first.remove(next(one for one in first if one.tag.endswith("SignatureValidationStatus")))
    assert any("is missing" in one for one in faults(root, "ValidationReportType"))
