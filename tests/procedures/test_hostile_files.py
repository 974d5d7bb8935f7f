"""Whatever a stranger sends as a diagram is refused before it can run: with sentences, nothing read, nothing opened, little done."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.commands.procedures import examine
from engine.errors import Refused
from engine.procedure.declaration import PackageInvalid
from engine.procedure.loader import load_files
from engine.process.program import prepare
from tests.procedures.packages import CLOSE, changed, real, small, step
from tests.process.kit import BPMN_NS, el, process, xor
from tests.support.effort import effort

FILES = {**small(step("a") + CLOSE, "s>a; a>close; close>e").files}
GOOD = FILES["process.bpmn"]
MOST = 6_000_000
"""Calls that judging any hostile file may take; an ordinary package of ten nodes takes about a million."""


def report(content):
    """Return the rules that refuse a package with *content* as its diagram, wherever they speak."""
    try:
        package = load_files({**FILES, "process.bpmn": content}, "trial")
    except PackageInvalid as invalid:
        return {problem.code for problem in invalid.problems}
    except Refused as refused:
        return {refused.code}
    found = examine(package)
    for finding in found.refused:
        for language in ("vi", "en"):
            said = str(finding.sentence(language))
            assert said
            assert "Traceback" not in said
            assert "Error(" not in said
    return {finding.rule for finding in found.refused}


def test_the_file_the_others_are_made_of_is_fine():
    assert report(GOOD) == set()


def with_head(head, body=GOOD):
    return head + body.replace(b'<?xml version="1.0"?>', b"")


BOMB = "<!DOCTYPE x [" + '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12)) + "]>"
DEEP = 120
HOSTILE = {
    "entity that reads a file": (with_head(b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'), "xml.doctype"),
    "entity that opens a connection": (with_head(b'<!DOCTYPE x [<!ENTITY e SYSTEM "http://127.0.0.1:9/x">]>'), "xml.doctype"),
    "parameter entity": (with_head(b'<!DOCTYPE x [<!ENTITY % e SYSTEM "http://127.0.0.1:9/x"> %e;]>'), "xml.doctype"),
    "document type from elsewhere": (with_head(b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">'), "xml.doctype"),
    "entities that multiply": (with_head(BOMB.encode()), "xml.doctype"),
    "document type in another encoding": ((BOMB + GOOD.decode()).encode("utf-16"), "xml.doctype"),
    "document type in big-endian": (b"\xfe\xff" + (BOMB + GOOD.decode()).encode("utf-16-be"), "xml.doctype"),
    "undeclared entity": (GOOD.replace(b'name="', b'name="&nowhere;', 1), "xml.broken"),
    "groups without end": (
        GOOD.replace(b"</bpmn:process>", b"<bpmn:subProcess>" * DEEP + b"</bpmn:subProcess>" * DEEP + b"</bpmn:process>"), "xml.too_deep"
    ),
    "extensions without end": (
        GOOD.replace(b"</bpmn:process>", b"<x xmlns='urn:x'>" * DEEP + b"</x>" * DEEP + b"</bpmn:process>"), "xml.too_deep"
    ),
    "elements without number": (GOOD.replace(b"</bpmn:process>", b"<bpmn:task/>" * 20_001 + b"</bpmn:process>"), "xml.too_many"),
    "more than two megabytes": (GOOD + b"<!--" + b"x" * 2 * 1024 * 1024 + b"-->", "xml.too_large"),
    "one name of a megabyte": (GOOD.replace(b'id="a"', b'id="a" x="' + b"y" * 1_500_000 + b'"'), "schema-attribute-unknown"),
    "encoding nobody knows": (with_head(b'<?xml version="1.0" encoding="x-motcua"?>'), "xml.broken"),
    "bytes that are not of the declared encoding": (
        with_head(b'<?xml version="1.0" encoding="UTF-8"?>').replace("Bước".encode(), b"B\xff\xfe"), "xml.broken"
    ),
    "a control character": (GOOD.replace("Bước".encode(), b"B&#1;"), "xml.broken"),
    "cut off": (GOOD[: len(GOOD) // 2], "xml.broken"),
    "two documents": (GOOD + GOOD, "xml.broken"),
    "nothing": (b"", "xml.broken"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(200), "xml.broken"),
    "no namespace": (GOOD.replace(f' xmlns:bpmn="{BPMN_NS}"'.encode(), b"").replace(b"bpmn:", b""), "diagram.not_bpmn"),
    "the namespace of an older edition": (GOOD.replace(BPMN_NS.encode(), b"http://schema.omg.org/spec/BPMN/2.0"), "diagram.not_bpmn"),
    "a namespace with one letter changed": (GOOD.replace(BPMN_NS.encode(), BPMN_NS.replace("2010", "2011").encode()), "diagram.not_bpmn"),
    "a decision instead of a process": (b'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/"/>', "diagram.not_bpmn"),
    "steps of another namespace inside": (
        GOOD.replace(b"<bpmn:userTask", b'<q:userTask xmlns:q="urn:q"').replace(b"</bpmn:userTask", b"</q:userTask"), "dangling-flow"
    ),
    "an extension that pretends to be ours": (
        GOOD.replace(b"http://spiffworkflow.org/bpmn/schema/1.0/core", b"http://spiffworkflow.org/bpmn/schema/1.0/cor"), "form-missing"
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _nothing_is_opened(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a diagram opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_with_little_work(name):
    content, code = HOSTILE[name]

    with effort() as work:
        found = report(content)

    assert code in found
    assert work.calls < MOST


def test_an_inclusion_reads_nothing(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("confidential")
    inclusion = f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{secret}" parse="text"/>'.encode()
    content = GOOD.replace(b"</bpmn:process>", inclusion + b"</bpmn:process>")

    package = load_files({**FILES, "process.bpmn": content}, "trial")

    assert {found.rule for found in examine(package).refused} == {"schema-unexpected"}
    assert "confidential" not in str(examine(package).as_json())


def test_a_stylesheet_and_a_schema_location_are_not_fetched():
    content = b'<?xml-stylesheet href="http://127.0.0.1:9/x.xsl"?>' + GOOD.replace(
        b"<bpmn:definitions ",
        b'<bpmn:definitions xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:x http://127.0.0.1:9/x.xsd" ',
    )

    assert report(content) == set()


def test_utf_16_is_an_encoding_like_another():
    assert report(b"\xff\xfe" + GOOD.decode().encode("utf-16-le")) == set()


@pytest.mark.parametrize("identifier", ["1st", "two words", "a:b", "a/b", "-a", "a&lt;b", "\N{SNOWMAN}", ""])
def test_an_identifier_that_is_no_name_is_refused_by_its_rule(identifier):
    content = GOOD.decode().replace('id="a"', f'id="{identifier}"').replace('"a"', f'"{identifier}"')

    assert report(content.encode()) & {"id-no-name", "id-missing"}


@pytest.mark.parametrize("identifier", ["Đơn_1", "_a", "a.b-c", "bước"])
def test_an_identifier_in_vietnamese_letters_is_a_name(identifier):
    content = GOOD.decode().replace('id="a"', f'id="{identifier}"').replace('Ref="a"', f'Ref="{identifier}"')
    content = content.replace(">a<", f">{identifier}<")

    assert report(content.encode()) == set()


def test_five_thousand_nodes_are_refused_without_being_examined():
    steps = "".join(el("userTask", f"n{number}") for number in range(5_000)).encode()

    with effort() as work:
        found = report(GOOD.replace(b"</bpmn:process>", steps + b"</bpmn:process>"))

    assert "too-many-nodes" in found
    assert not found & {"unreachable", "no-end"}
    assert work.calls < MOST


CALLS = {
    "itself": ("p", ""),
    "in a ring of two": ("pq", process("pq", el("callActivity", "c2", calledElement="p"), "qs>c2; c2>qe")),
    "in a ring beside it": (
        "pq",
        process("pq", el("callActivity", "c2", calledElement="pr"), "qs>c2; c2>qe")
        + process("pr", el("callActivity", "c3", calledElement="pq"), "rs>c3; c3>re"),
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_processes_that_call_each_other_in_a_ring_are_refused(name):
    called, more = CALLS[name]
    package = small(el("callActivity", "c", calledElement=called), "s>c; c>e", more=more.replace('isExecutable="true"', ""))

    with effort() as work:
        found = {finding.rule for finding in examine(package).refused}

    assert "self-call" in found
    assert work.calls < MOST


@pytest.mark.parametrize("called", ["internal_leave", "certified_electronic_copy", "nowhere", ""])
def test_calling_a_procedure_that_is_not_published_as_a_part_is_refused(called):
    package = small(el("callActivity", "c", calledElement=called), "s>c; c>e")

    assert "call-target" in {finding.rule for finding in examine(package).refused}
    with pytest.raises(Refused):
        prepare("x", package)


def without(field):
    form = json.loads(real().files["forms/review.json"])
    form["components"] = [component for component in form["components"] if component.get("key") != field]
    return changed(real(), files={"forms/review.json": json.dumps(form).encode()})


@pytest.mark.parametrize(("field", "element"), [("reason", "refuse"), ("decision", "conclusion_to_refuse")])
def test_a_form_that_lacks_a_field_used_later_is_refused_where_it_is_used(field, element):
    found = [finding for finding in examine(without(field)).refused if finding.rule in ("expression", "not-certain")]

    assert element in {finding.element for finding in found}
    assert all(field in finding.vi for finding in found)


def test_a_form_that_lacks_a_field_only_on_one_way_is_refused_there():
    body = xor("g", "g__b") + step("a", form="other", variable="v") + step("b", variable="v") + xor("m") + xor("h", "h__e") + CLOSE
    other = json.dumps({"components": [{"type": "textfield", "key": "note", "label": "Ghi", "label_en": "Note"}]}).encode()
    package = small(body, 's>g; g>a?true; g>b; a>m; b>m; m>h; h>close?v.other = "x"; h>e; close>e', files={"forms/other.json": other})

    assert "h__close" in {finding.element for finding in examine(package).refused if finding.rule == "not-certain"}


def test_a_refused_file_is_told_the_same_to_the_command_line(tmp_path, capsys):
    from engine.cli import main

    for path, content in FILES.items():
        Path(tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        Path(tmp_path / path).write_bytes(content)
    (tmp_path / "process.bpmn").write_bytes(HOSTILE["entity that reads a file"][0])

    assert main(["procedure", "check", str(tmp_path), "--lang", "en"]) == 1
    said = capsys.readouterr().out
    assert "[xml.doctype]" in said
    assert "root:" not in said


PLACES = [position for position, byte in enumerate(GOOD) if byte in b'<>"/= &']


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), st.binary(min_size=0, max_size=3)), min_size=1, max_size=4))
def test_a_damaged_file_is_told_or_passes_but_never_breaks_the_gate(damage):
    content = bytearray(GOOD)
    for place, text in sorted(damage, reverse=True):
        content[place : place + 1] = text
    report(bytes(content))
