"""What the check before running finds, and the sentences people read about it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import engine.feel
from engine.feel import (
    BOOLEAN,
    DATE,
    NUMBER,
    STRING,
    FeelError,
    FeelType,
    compile_expression,
    compile_unary,
    context_of,
    list_of,
    one_of,
    parse_type,
)
from engine.sentences import catalogue, sentence

NAMES: dict[str, FeelType] = {
    "review": context_of({"decision": one_of("approve", "reject"), "note": STRING, "signed": BOOLEAN}),
    "dossier": context_of({"pages": NUMBER, "received_on": DATE, "papers": list_of(context_of({"name": STRING, "copies": NUMBER}))}),
    "anything": parse_type("Any"),
    "open": context_of({"a": NUMBER}, open=True),
}


@pytest.mark.parametrize(
    ("text", "code", "column"),
    [
        ('review.decision = "aprove"', "feel.never_equal", 19),
        ('review.decision in ("approve", "x")', "feel.never_equal", 32),
        ('review.decision in ["approve", "x"]', "feel.never_equal", 32),
        ('"x" != review.decision', "feel.never_equal", 1),
        ("dossier.page > 1", "feel.unknown_name", 1),
        ("reviw.decision", "feel.unknown_name", 1),
        ('dossier.pages = "3"', "feel.operands", 15),
        ("dossier.pages > dossier.received_on", "feel.operands", 15),
        ("dossier.received_on + 3", "feel.operands", 21),
        ("if dossier.pages then 1 else 2", "feel.not_boolean", 11),
        ("review.signed and dossier.pages", "feel.not_boolean", 26),
        ("dossier.papers[copies > 1].nam", "feel.unknown_entry", 27),
        ("dossier.papers[copie > 1]", "feel.unknown_name", 16),
        ("dossier.papers[name]", "feel.not_boolean", 16),
        ("substring(dossier.pages, 1)", "feel.argument", 18),
        ("dossier.received_on.years", "feel.no_property", 20),
        ("dossier.pages.x", "feel.no_property", 14),
        ("some p in dossier.papers satisfies p.copies", "feel.not_boolean", 37),
        ("for p in dossier.papers return p.x", "feel.unknown_entry", 33),
        ("-review.note", "feel.operand", 1),
        ("dossier.pages between 1 and review.note", "feel.operands", 35),
        ("cout(dossier.papers)", "feel.unknown_function", 1),
        ("count()", "feel.arity", 6),
        ("count(lst: [1])", "feel.arity", 6),
        ("dossier.pages in [1..review.note]", "feel.operands", 18),
        ("{a: 1}.b", "feel.unknown_entry", 7),
        ("1 instance of nmber", "feel.unknown_type", 15),
    ],
)
def test_what_can_only_go_wrong_is_refused_with_its_column(text: str, code: str, column: int) -> None:
    with pytest.raises(FeelError) as caught:
        compile_expression(text, names=NAMES)
    assert (caught.value.code, caught.value.line, caught.value.column) == (code, 1, column)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("dossier.pages * 2", "number"),
        ('dossier.received_on + @"P1D"', "date"),
        ("dossier.received_on - dossier.received_on", "days and time duration"),
        ("review.signed and null", "boolean"),
        ("dossier.papers.copies", "list<number>"),
        ("dossier.papers[copies > 1]", "list<context<name: string, copies: number>>"),
        ("dossier.papers[1].name", "string"),
        ("for p in dossier.papers return p.name", "list<string>"),
        ("if review.signed then 1 else null", "number"),
        ('if review.signed then 1 else "a"', "Any"),
        ("{a: 1, b: [a]}", "context<a: number, b: list<number>>"),
        ("function(x: number) x > 1", "function<number>->boolean"),
        ("count(dossier.papers)", "number"),
        ("anything.x.y + 1", "Any"),
        ("open.b", "Any"),
        ('review.decision = "approve"', "boolean"),
        ("dossier.received_on.year", "number"),
        ("[1..3]", "range<number>"),
    ],
)
def test_the_type_of_an_expression_is_inferred(text: str, kind: str) -> None:
    assert str(compile_expression(text, names=NAMES).type) == kind


def test_the_caller_may_demand_a_type() -> None:
    compile_expression("dossier.pages + 1", names=NAMES, result=NUMBER)
    compile_expression("anything", names=NAMES, result=NUMBER)
    with pytest.raises(FeelError, match=r"feel\.result_type"):
        compile_expression("review.note", names=NAMES, result=NUMBER)


def test_suggestions_name_what_the_author_may_have_meant() -> None:
    with pytest.raises(FeelError) as caught:
        compile_expression("dossier.pagse", names=NAMES)
    assert caught.value.facts["known"] == "pages"


def test_cells_are_checked_against_the_type_of_their_column() -> None:
    compile_unary("> 3", names=NAMES, input_type=NUMBER)
    compile_unary("dossier.pages, 5", names=NAMES, input_type=NUMBER)
    for cell in ('"a"', '> "a"', '["a".."b"]', "review.note"):
        with pytest.raises(FeelError, match=r"feel\.operands"):
            compile_unary(cell, names=NAMES, input_type=NUMBER)
    with pytest.raises(FeelError, match=r"feel\.never_equal"):
        compile_unary('"aprove"', names=NAMES, input_type=one_of("approve", "reject"))


@pytest.mark.parametrize("value", ["x", True, {"a": 1}, [1, 2], "1 ", "0x1", "1_000", "NaN"])
def test_a_value_that_is_not_of_its_declared_type_is_refused_without_being_shown(value: object) -> None:
    expression = compile_expression("dossier.pages > 1", names=NAMES)
    with pytest.raises(FeelError) as caught:
        expression.evaluate({"dossier": {"pages": value}})
    assert caught.value.code == "feel.value_type"
    assert caught.value.facts["name"] == "dossier.pages"
    assert repr(value) not in repr(caught.value.facts)


def test_every_code_has_its_sentences_in_both_languages() -> None:
    package = Path(engine.feel.__file__).parent
    codes: set[str] = set()
    for path in package.rglob("*.py"):
        codes.update(re.findall(r'"((?:feel|decision)\.[a-z_]+)"', path.read_text(encoding="utf-8")))
    assert len(codes) > 80
    for code in codes:
        assert code in catalogue()
        for language in ("vi", "en"):
            said = sentence(code, language, {})
            assert said.what
            assert said.why
            assert said.do
    assert {code for code in catalogue() if code.startswith(("feel.", "decision."))} == codes


def test_a_sentence_tells_what_happened_why_and_what_to_do() -> None:
    with pytest.raises(FeelError) as caught:
        compile_expression('review.decision = "aprove"', names=NAMES)
    said = sentence(caught.value.code, "vi", caught.value.facts)
    assert (
        str(said) == "Trường này không bao giờ có giá trị “aprove”. Các giá trị có thể có: approve, reject. Chọn một trong các giá trị đó."
    )
