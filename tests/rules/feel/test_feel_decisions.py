"""Decision models: every hit policy, every boxed expression, requirement graphs, services, types and imports."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from engine.feel import FeelError, compile_unary, to_json
from engine.feel.dmn import Decisions, read_decisions
from tests.rules.feel.tables import MINE, decision, definitions, given, knowledge, literal, needs, table

FEES = Path(__file__).parent / "models" / "fees.dmn"


def run(logic: str, inputs: dict[str, Any] | None = None, *, types: str = "", kinds: dict[str, str] | None = None, **options: Any) -> Any:
    """The value of one decision that reads *inputs*, as JSON."""
    inputs = inputs or {}
    data = definitions(types, *(given(name, (kinds or {}).get(name, "")) for name in inputs), decision("d", logic, needs("Input", *inputs)))
    return to_json(read_decisions(data, **options).evaluate("d", inputs).value)


RULES = [("> 0", "1"), ("< 2", "2"), ("1", "3")]


@pytest.mark.parametrize(
    ("policy", "x", "expected"),
    [
        ("U", 5, 1),
        ("U", -1, 2),
        ("F", 1, 1),
        ("R", 1, [1, 2, 3]),
        ("C", 1, [1, 2, 3]),
        ("C SUM", 1, 6),
        ("C MIN", 1, 1),
        ("C MAX", 1, 3),
        ("C COUNT", 1, 3),
        ("P", 1, 3),
        ("O", 1, [3, 1, 2]),
        ("O", 5, [1]),
    ],
)
def test_each_hit_policy_gives_what_the_standard_defines(policy: str, x: int, expected: object) -> None:
    assert run(table(policy, ["x"], ["r"], RULES, values=["3, 1, 2"]), {"x": x}) == expected


def test_unique_refuses_two_matching_rows_and_names_them() -> None:
    with pytest.raises(FeelError) as caught:
        run(table("U", ["x"], ["r"], RULES), {"x": 1})
    assert (caught.value.code, caught.value.facts["rows"], caught.value.element) == ("decision.overlap", "1, 2, 3", "d")
    assert run(table("U", ["x"], ["r"], RULES), {"x": 1}, mode="lenient") is None


def test_any_allows_several_rows_with_one_result() -> None:
    rules = [("> 0", '"a"'), ("< 5", '"a"'), ("< -5", '"b"')]
    assert run(table("A", ["x"], ["r"], rules), {"x": 1}) == "a"
    with pytest.raises(FeelError, match=r"decision\.any_differs"):
        run(table("A", ["x"], ["r"], rules), {"x": -7})


@pytest.mark.parametrize("policy", ["U", "A", "P", "F", "R", "O", "C", "C SUM", "C COUNT"])
def test_no_matching_row_gives_null_or_the_default(policy: str) -> None:
    rules = [("1", "10")]
    assert run(table(policy, ["x"], ["r"], rules, values=["10, 20"]), {"x": 9}) is None
    several = policy in ("R", "O", "C")
    with_default = run(table(policy, ["x"], ["r"], rules, values=["10, 20"], defaults=["20"]), {"x": 9})
    assert with_default == ([20] if several else 20)


def test_several_outputs_give_a_context() -> None:
    rules = [("> 10", "100", '"cao"'), ("-", "0", '"thấp"')]
    assert run(table("F", ["x"], ["phí", "mức"], rules), {"x": 11}) == {"phí": 100, "mức": "cao"}
    assert run(table("R", ["x"], ["phí", "mức"], rules), {"x": 11}) == [{"phí": 100, "mức": "cao"}, {"phí": 0, "mức": "thấp"}]
    ranked = table("P", ["x"], ["phí", "mức"], rules, values=["", '"thấp","cao"'])
    assert run(ranked, {"x": 11}) == {"phí": 0, "mức": "thấp"}


@pytest.mark.parametrize(
    ("logic", "code"),
    [
        (table("C SUM", ["x"], ["a", "b"], [("-", "1", "2")]), "decision.compound"),
        (table("O", ["x"], ["a", "b"], [("-", "1", "2")], values=["1", "2"]), "decision.compound"),
        (table("U", ["x"], ["a", "a"], [("-", "1", "2")]), "decision.output_names"),
        (table("U", ["x"], ["r"], [("-", "")]), "decision.empty_output"),
        (table("P", ["x"], ["r"], [("-", "1")]), "decision.no_priority"),
        (table("U", ["x"], ["r"], [("-",)]), "decision.cells"),
        (table("U", ["x"], ["r"], [("-", "1")]).replace("UNIQUE", "SOMETIMES"), "decision.hit_policy"),
        ("<decisionTable><input><inputExpression><text>x</text></inputExpression></input></decisionTable>", "decision.no_output"),
        (literal("1").replace("<literalExpression", '<literalExpression expressionLanguage="https://www.w3.org/js"'), "decision.language"),
        ("<context><contextEntry><variable name='a'/></contextEntry></context>", "decision.empty"),
        ("<functionDefinition kind='Java'><literalExpression><text>1</text></literalExpression></functionDefinition>", "decision.external"),
        ("<dataTable/>", "decision.unsupported"),
        (table("U", ["x"], ["r"], [("-", "1")]).replace("hitPolicy", "hitpolicy"), "decision.attribute"),
        (table("U", ["x"], ["r"], [("-", "1")]).replace("<rule ", "<line ").replace("</rule>", "</line>"), "decision.unsupported"),
        (table("U", ["x"], ["r"], [("-", "1")]).replace(" hit", ' preferredOrientation="diagonal" hit'), "decision.unsupported"),
        (literal("1").replace("</literal", "<importedValues/></literal"), "decision.unsupported"),
        ("", "decision.empty"),
        (literal("y + 1"), "feel.unknown_name"),
        (literal("1 +"), "feel.unexpected_end"),
    ],
)
def test_what_cannot_be_run_exactly_is_refused_with_its_element(logic: str, code: str) -> None:
    with pytest.raises(FeelError) as caught:
        run(logic, {"x": 1})
    assert caught.value.code == code
    assert caught.value.line >= 1
    assert caught.value.element


def test_a_table_means_the_same_however_it_is_drawn() -> None:
    logic = table("C SUM", ["x"], ["r"], RULES)
    drawn_as = [logic.replace(" hit", f' preferredOrientation="{way}" hit') for way in ("Rule-as-Row", "Rule-as-Column", "CrossTable")]
    assert [run(way, {"x": 1}) for way in drawn_as] == [6, 6, 6]


def test_what_tools_add_in_namespaces_of_their_own_is_no_part_of_the_logic() -> None:
    logic = '<t:decisionTable xmlns:t="https://tool.example" t:hitPolicy="ANY"/>' + literal("x")
    extended = "<extensionElements><t:anything xmlns:t='https://tool.example'/></extensionElements>" + logic
    assert run(extended, {"x": 3}) == 3


def test_a_model_in_another_language_is_refused() -> None:
    data = definitions(decision("d", literal("1"))).replace(b" id=", b' expressionLanguage="http://www.w3.org/1999/XPath" id=', 1)
    with pytest.raises(FeelError, match=r"decision\.language"):
        read_decisions(data)


def test_the_error_of_a_cell_names_row_and_column() -> None:
    with pytest.raises(FeelError) as caught:
        run(table("U", ["x"], ["r"], [("1", "1"), ("2 +", "2")]), {"x": 1})
    assert caught.value.element == "d: row 2, input “x”"
    with pytest.raises(FeelError) as caught:
        run(table("U", ["x"], ["r"], [("1", "1"), ('"a"', "2")], types=["number"]), {"x": 1}, kinds={"x": "number"})
    assert (caught.value.code, caught.value.element) == ("feel.operands", "d: row 2, input “x”")


def test_values_that_a_column_does_not_allow_are_refused() -> None:
    logic = table("U", ["x"], ["r"], [("-", "x")], input_values=["1, 2, 3"], values=["1, 2"])
    assert run(logic, {"x": 1}) == 1
    with pytest.raises(FeelError, match=r"decision\.output_not_allowed"):
        run(logic, {"x": 3})
    with pytest.raises(FeelError, match=r"decision\.input_not_allowed"):
        run(logic, {"x": 4})
    assert run(logic, {"x": 4}, mode="lenient") is None


def test_boxed_expressions_nest() -> None:
    context = (
        "<context><contextEntry><variable name='một số'/>" + literal("x + 1") + "</contextEntry>"
        "<contextEntry><variable name='gấp đôi'/><functionDefinition><formalParameter name='số tiền' typeRef='number'/>"
        + literal("số tiền * 2")
        + "</functionDefinition></contextEntry>"
        "<contextEntry><variable name='bảng'/><relation><column name='tên'/><column name='giá'/><row>"
        + literal('"A"')
        + literal("một số")
        + "</row><row>"
        + literal('"B"')
        + literal("một số * 2")
        + "</row></relation></contextEntry>"
        "<contextEntry><variable name='dãy'/><list>" + literal("1") + literal("một số") + "</list></contextEntry>"
        "<contextEntry><variable name='gọi'/><invocation>"
        + literal("gấp đôi")
        + "<binding><parameter name='số tiền'/>"
        + literal("một số")
        + "</binding></invocation></contextEntry>"
        "<contextEntry>" + literal('{a: bảng[tên = "B"].giá, b: sum(dãy), c: gọi, d: gấp đôi(10)}') + "</contextEntry></context>"
    )
    assert run(context, {"x": 4}) == {"a": [10], "b": 6, "c": 10, "d": 20}


def test_boxed_expressions_of_later_editions_are_read() -> None:
    conditional = f"<conditional><if>{literal('x > 1')}</if><then>{literal('10')}</then><else>{literal('20')}</else></conditional>"
    assert [run(conditional, {"x": x}) for x in (1, 2)] == [20, 10]
    chosen = f"<filter><in>{literal('[{v: 1}, {v: 5}]')}</in><match>{literal('v > x')}</match></filter>"
    assert run(chosen, {"x": 2}) == [{"v": 5}]
    walked = f"<for iteratorVariable='i'><in>{literal('1..x')}</in><return>{literal('i * i')}</return></for>".replace("1..x", "[1, 2, x]")
    assert run(walked, {"x": 3}) == [1, 4, 9]
    every = f"<every iteratorVariable='i'><in>{literal('[1, 2]')}</in><satisfies>{literal('i < x')}</satisfies></every>"
    assert run(every, {"x": 3}) is True


@pytest.mark.parametrize(
    "xmlns",
    [
        "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
        "http://www.omg.org/spec/DMN/20180521/MODEL/",
        "https://www.omg.org/spec/DMN/20191111/MODEL/",
        "https://www.omg.org/spec/DMN/20211108/MODEL/",
        "https://www.omg.org/spec/DMN/20230324/MODEL/",
    ],
)
def test_files_of_every_edition_are_read(xmlns: str) -> None:
    data = definitions(given("x"), decision("d", literal("x + 1"), needs("Input", "x")), xmlns=xmlns)
    assert read_decisions(data).evaluate("d", {"x": 1}).value == 2


def test_graphs_of_decisions_and_knowledge_are_evaluated_once_each() -> None:
    decisions = read_decisions(FEES.read_bytes())
    dossier = {"pages": 5, "channel": "post", "received on": "2026-08-01"}
    outcome = decisions.evaluate("Tổng phải nộp", {"dossier": dossier})
    assert outcome.value == 30_000
    assert [(step.element, step.value) for step in outcome.trace] == [("Mức phí", 29_000), ("Mức phí", 29_000), ("Tổng phải nộp", 30_000)]
    fired = outcome.fired[0]
    assert (fired.rows, fired.rule_ids, fired.inputs) == ((2,), ("R2",), {"Số trang": Decimal(5), "Hình thức": "post"})
    assert decisions.evaluate("d1", {"dossier": {**dossier, "channel": "online"}}).fired[0].annotations == ("Nghị quyết 1/2026",)
    assert set(decisions.inputs_of("Tổng phải nộp")) == {"dossier"}


def test_a_decision_service_is_a_function_and_can_be_evaluated() -> None:
    service = (
        '<decisionService id="s" name="dịch vụ"><variable name="dịch vụ"/><outputDecision href="#b"/><encapsulatedDecision href="#c"/>'
        '<inputDecision href="#a"/><inputData href="#x"/></decisionService>'
    )
    data = definitions(
        given("x", "number"),
        decision("a", literal("1000"), kind="number"),
        decision("c", literal("a + 1"), needs("Decision", "a")),
        decision("b", literal("c * x"), needs("Decision", "c"), needs("Input", "x")),
        service,
        decision("e", literal("dịch vụ(2, 4) + dịch vụ(x: 1, a: 0)"), needs("Knowledge", "s")),
    )
    decisions = read_decisions(data)
    assert decisions.evaluate("e", {"x": 7}).value == 11
    assert decisions.evaluate("dịch vụ", {"x": 3, "a": 9}).value == 30
    assert decisions.evaluate("b", {"x": 3}).value == 3003


def test_item_definitions_constrain_values() -> None:
    types = (
        "<itemDefinition name='tAge'><typeRef>number</typeRef><allowedValues><text>[0..120]</text></allowedValues></itemDefinition>"
        "<itemDefinition name='tAges' isCollection='true'><typeRef>tAge</typeRef></itemDefinition>"
        "<itemDefinition name='tPerson'><itemComponent name='tuổi'><typeRef>tAge</typeRef></itemComponent>"
        "<itemComponent name='tên' isCollection='true'><typeRef>string</typeRef></itemComponent></itemDefinition>"
    )
    assert run(literal("sum(x)"), {"x": [1, 2]}, types=types, kinds={"x": "tAges"}) == 3
    assert run(literal("x.tên[1]"), {"x": {"tuổi": 5, "tên": ["A"]}}, types=types, kinds={"x": "tPerson"}) == "A"
    for value, kind in (([1, 130], "tAges"), ({"tuổi": 130, "tên": []}, "tPerson"), (121, "tAge")):
        with pytest.raises(FeelError, match=r"decision\.not_allowed"):
            run(literal("x"), {"x": value}, types=types, kinds={"x": kind})
        assert run(literal("x"), {"x": value}, types=types, kinds={"x": kind}, mode="lenient") is None
    with pytest.raises(FeelError, match=r"feel\.value_type"):
        run(literal("x"), {"x": "a"}, types=types, kinds={"x": "tAge"})
    with pytest.raises(FeelError, match=r"feel\.unknown_name"):
        run(literal("x.ten"), {"x": {}}, types=types, kinds={"x": "tPerson"})


def test_an_item_may_be_a_function() -> None:
    item = (
        '<itemDefinition name="tFee"><functionItem outputTypeRef="number"><parameters name="pages" typeRef="number"/></functionItem>'
        "</itemDefinition>"
    )
    fee = "<functionDefinition><formalParameter name='pages' typeRef='number'/>" + literal("pages * 2000") + "</functionDefinition>"
    data = definitions(
        item,
        given("x", "number"),
        decision("fee", fee, kind="tFee"),
        decision("d", literal("fee(x)"), needs("Decision", "fee"), needs("Input", "x")),
    )
    assert read_decisions(data).evaluate("d", {"x": 3}).value == 6000


def test_constraints_add_up_and_those_of_a_collection_concern_the_list() -> None:
    types = (
        "<itemDefinition name='tAge'><typeRef>number</typeRef><allowedValues><text>[0..120]</text></allowedValues></itemDefinition>"
        "<itemDefinition name='tMinor'><typeRef>tAge</typeRef><allowedValues><text>&lt; 18</text></allowedValues></itemDefinition>"
        "<itemDefinition name='tFew' isCollection='true'><typeRef>tAge</typeRef><typeConstraint><text>count(?) &lt;= 2</text>"
        "</typeConstraint></itemDefinition>"
    )
    assert run(literal("x"), {"x": 17}, types=types, kinds={"x": "tMinor"}) == 17
    assert run(literal("x"), {"x": [17, 30]}, types=types, kinds={"x": "tFew"}) == [17, 30]
    for value, kind in ((18, "tMinor"), (-1, "tMinor"), ([1, 2, 3], "tFew"), ([121], "tFew")):
        with pytest.raises(FeelError, match=r"decision\.not_allowed"):
            run(literal("x"), {"x": value}, types=types, kinds={"x": kind})


def test_a_result_that_is_not_of_the_declared_type_is_refused_or_null() -> None:
    data = definitions(decision("d", literal('["1"][1]'), kind="number"))
    with pytest.raises(FeelError, match=r"feel\.value_type"):
        read_decisions(data).evaluate("d", {})
    assert read_decisions(data, mode="lenient").evaluate("d", {}).value is None
    assert read_decisions(definitions(decision("d", literal("[1]"), kind="number"))).evaluate("d", {}).value == 1


def test_imports_are_read_by_namespace_and_named() -> None:
    theirs = definitions(
        "<itemDefinition name='tFee'><typeRef>number</typeRef><allowedValues><text>&gt;= 0</text></allowedValues></itemDefinition>",
        given("x", "number"),
        decision("base", literal("x * 10"), needs("Input", "x"), kind="tFee"),
        knowledge("twice", ["v"], literal("v * 2")),
        namespace="https://motcua.example/theirs",
    )
    mine = definitions(
        '<import name="theirs" namespace="https://motcua.example/theirs" importType="https://www.omg.org/spec/DMN/20191111/MODEL/"/>',
        decision(
            "d",
            literal("theirs.twice(theirs.base) + 1"),
            '<informationRequirement><requiredDecision href="https://motcua.example/theirs#base"/></informationRequirement>'
            '<knowledgeRequirement><requiredKnowledge href="https://motcua.example/theirs#twice"/></knowledgeRequirement>',
            kind="theirs.tFee",
        ),
    )
    other = read_decisions(theirs)
    decisions = read_decisions(mine, imports={"https://motcua.example/theirs": other})
    assert decisions.evaluate("d", {"theirs": {"x": 3}}).value == 61
    assert set(decisions.inputs_of("d")) == {"theirs.x"}
    with pytest.raises(FeelError, match=r"decision\.import_missing"):
        read_decisions(mine)


def test_an_import_without_a_name_and_types_by_prefix_are_those_of_the_first_edition() -> None:
    first = "http://www.omg.org/spec/DMN/20151101/dmn.xsd"
    theirs = definitions(
        "<itemDefinition name='tFee'><typeRef>feel:number</typeRef><allowedValues><text>&gt;= 0</text></allowedValues></itemDefinition>",
        given("x", "feel:number"),
        decision("base", literal("x * 10"), needs("Input", "x")),
        xmlns=first,
        namespace="https://motcua.example/theirs",
    ).replace(b"<definitions", b'<definitions xmlns:feel="http://www.omg.org/spec/FEEL/20140401"')
    mine = definitions(
        f'<import namespace="https://motcua.example/theirs" importType="{first}"/>',
        decision(
            "d",
            literal("base - 50"),
            '<informationRequirement><requiredDecision href="https://motcua.example/theirs#base"/></informationRequirement>',
            kind="t:tFee",
        ),
        xmlns=first,
    ).replace(b"<definitions", b'<definitions xmlns:t="https://motcua.example/theirs"')
    decisions = read_decisions(mine, imports={"https://motcua.example/theirs": read_decisions(theirs)})
    assert set(decisions.inputs_of("d")) == {"x"}
    assert decisions.evaluate("d", {"x": 6}).value == 10
    with pytest.raises(FeelError, match=r"decision\.not_allowed"):
        decisions.evaluate("d", {"x": 4})


def test_decisions_that_require_themselves_are_refused() -> None:
    for parts in (
        [decision("a", literal("a"), needs("Decision", "a"))],
        [decision("a", literal("b"), needs("Decision", "b")), decision("b", literal("a"), needs("Decision", "a"))],
        [knowledge("f", ["x"], literal("g(x)"), needs("Knowledge", "g")), knowledge("g", ["x"], literal("f(x)"), needs("Knowledge", "f"))],
    ):
        with pytest.raises(FeelError, match=r"decision\.cycle"):
            read_decisions(definitions(*parts))
    contained = "<itemDefinition name='t'><itemComponent name='c'><typeRef>t</typeRef></itemComponent></itemDefinition>"
    with pytest.raises(FeelError, match=r"decision\.type_cycle"):
        read_decisions(definitions(contained))
    with pytest.raises(FeelError, match=r"decision\.reference"):
        read_decisions(definitions(decision("a", literal("1"), needs("Decision", "nobody"))))


def test_a_missing_input_is_refused_or_null() -> None:
    data = definitions(given("x"), decision("d", literal("x"), needs("Input", "x")))
    with pytest.raises(FeelError, match=r"decision\.missing_input"):
        read_decisions(data).evaluate("d", {})
    assert read_decisions(data).evaluate("d", {"x": None}).value is None
    assert read_decisions(data, mode="lenient").evaluate("d", {}).value is None


def test_functions_from_outside_are_known_everywhere_in_a_model() -> None:
    data = definitions(decision("d", table("U", ["phí cơ bản(2)"], ["r"], [("> 5", "phí cơ bản(1)")])))
    decisions = read_decisions(data, functions={"phí cơ bản": lambda n: n * 10})
    assert decisions.evaluate("d", {}).value == 10
    assert decisions.evaluate("d", {}, functions={"phí cơ bản": lambda n: n * 100}).value == 100


def test_endless_models_are_stopped() -> None:
    data = definitions(decision("d", literal("{f: function(g) g(g), r: f(f)}.r")))
    with pytest.raises(FeelError, match=r"feel\.too_deep_calls"):
        read_decisions(data, mode="lenient").evaluate("d", {})


# -- the index of a table means what its cells mean ------------------------------------------------------------------------------------

numbers = st.integers(-3, 8).map(str)
number_cells = st.one_of(
    st.just("-"),
    numbers,
    st.builds("{} {}".format, st.sampled_from(["<", "<=", ">", ">="]), numbers),
    st.builds("{}{}..{}{}".format, st.sampled_from("[(]"), st.integers(-3, 3), st.integers(3, 8), st.sampled_from("])[")),
    st.lists(numbers, min_size=2, max_size=3).map(", ".join),
    st.builds("not({}, > {})".format, numbers, numbers),
    st.builds("? * 2 > {}".format, numbers),
    st.just("limit"),
    st.just("null"),
)
text_cells = st.one_of(st.just("-"), st.sampled_from(['"a"', '"b","c"', 'not("a")', '< "b"', '["a".."b"]']))


@drawn(st.lists(st.tuples(number_cells, text_cells), min_size=1, max_size=8), st.integers(-4, 9) | st.none(), st.sampled_from("abcd"))
@settings(max_examples=120, deadline=None)
def test_looking_up_rows_agrees_with_testing_every_cell(cells: list[tuple[str, str]], x: int | None, y: str) -> None:
    rules = [(first, second, str(row)) for row, (first, second) in enumerate(cells, 1)]
    data = definitions(
        given("x"),
        given("y"),
        given("limit"),
        decision("d", table("R", ["x", "y"], ["r"], rules), needs("Input", "x", "y", "limit")),
    )
    value = None if x is None else Decimal(x)

    def passes(text: str, tested: object) -> bool:
        return compile_unary(text).evaluate({"limit": Decimal(2)}, None, tested) is True

    expected = [row for row, (first, second) in enumerate(cells, 1) if passes(first, value) and passes(second, y)]
    got = Decisions(read_decisions(data).model).evaluate("d", {"x": x, "y": y, "limit": 2}).value
    assert to_json(got or []) == expected


def test_the_namespace_of_the_tests_is_ours() -> None:
    assert read_decisions(definitions()).model.namespace == MINE


JAVA = """<invocation><functionDefinition kind='Java'><formalParameter name='amount' typeRef='number'/>
  <context><contextEntry><variable name='class'/><literalExpression><text>"vn.motcua.Fees"</text></literalExpression></contextEntry>
  <contextEntry><variable name='method signature'/><literalExpression><text>"half(BigDecimal)"</text></literalExpression></contextEntry>
  </context></functionDefinition><binding><parameter name='amount'/><literalExpression><text>x</text></literalExpression></binding>
  </invocation>"""


def test_an_external_function_is_the_one_registered_by_its_name_and_nothing_else() -> None:
    assert run(JAVA, {"x": 10}, kinds={"x": "number"}, functions={"vn.motcua.Fees.half": lambda amount: amount / 2}) == 5

    with pytest.raises(FeelError) as caught:
        run(JAVA, {"x": 10})
    assert (caught.value.code, caught.value.facts["name"]) == ("feel.external_function", "vn.motcua.Fees.half")
    with pytest.raises(FeelError, match=r"decision\.external"):
        run(JAVA.replace("class", "path"), {"x": 10})
