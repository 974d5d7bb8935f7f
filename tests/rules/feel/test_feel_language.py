"""The language of clause 10.3.1 and 10.3.2, one table per part of the clause."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from engine.feel import (
    DATE,
    NUMBER,
    STRING,
    FeelError,
    compile_expression,
    compile_unary,
    context_of,
    evaluate,
    evaluate_condition,
    list_of,
    to_feel,
    to_json,
)
from tests.rules.feel.cases import holds, rows

LITERALS = r"""
1                                  ⇒ 1
.5                                 ⇒ 0.5
1.2e3                              ⇒ 1200
-0                                 ⇒ 0
"a\u00e2\U01F40E\t\"\\"            ⇒ "a" + "\u00e2" + "\U01F40E" + "\t" + "\"" + "\\"
"\d"                               ⇒ "\\d"
true                               ⇒ true
null                               ⇒ null
@"2026-02-28"                      ⇒ date("2026-02-28")
@"08:30:00"                        ⇒ time("08:30:00")
@"08:30:00@Asia/Ho_Chi_Minh"       ⇒ time("08:30:00+07:00")
@"2026-02-28T08:30:00Z"            ⇒ date and time("2026-02-28T08:30:00Z")
@"P10D"                            ⇒ duration("P10D")
@"P1Y2M"                           ⇒ duration("P14M")
[1, "a", null]                     ⇒ append([1], "a", null)
{a: 1, "b c": 2}.a                 ⇒ 1
1 /* một */ + // hai               ⇒ error
1 /* một */ + 2                    ⇒ 3
"""

ARITHMETIC = """
1 + 2 * 3                          ⇒ 7
(1 + 2) * 3                        ⇒ 9
10 - 3 - 2                         ⇒ 5
2 ** 3 ** 2                        ⇒ 64
-4 ** 2                            ⇒ 16
-(4 ** 2)                          ⇒ -16
-4[1]                              ⇒ -4
2 - -3                             ⇒ 5
0.1 + 0.2                          ⇒ 0.3
1 / 3                              ⇒ 0.3333333333333333333333333333333333
9999999999999999999999999999999999 + 1 ⇒ 10000000000000000000000000000000000
1 / 0                              ⇒ error
"a" + "b"                          ⇒ "ab"
"a" - "b"                          ⇒ error
1 + "a"                            ⇒ error
1 + null                           ⇒ null
null * null                        ⇒ null
2 ** 0.5                           ⇒ sqrt(2)
0 ** 0                             ⇒ 1
-null                              ⇒ null
-"a"                               ⇒ error
10 ** 6000 * 10 ** 6000            ⇒ error
0 ** -10                           ⇒ error
"""

LOGIC = """
true and true                      ⇒ true
true and null                      ⇒ null
false and null                     ⇒ false
null and false                     ⇒ false
null and null                      ⇒ null
true or null                       ⇒ true
null or true                       ⇒ true
false or null                      ⇒ null
not(null)                          ⇒ null
not(false)                         ⇒ true
true or false and false            ⇒ true
1 = 1 and 2 = 2 or false           ⇒ true
if null then 1 else 2              ⇒ 2
if true then 1 else 2              ⇒ 1
true and "x"                       ⇒ error
"""

COMPARISON = """
1 = 1.0                            ⇒ true
"a" = "A"                          ⇒ false
null = null                        ⇒ true
1 = null                           ⇒ false
null != 1                          ⇒ true
1 = "1"                            ⇒ error
1 != "1"                           ⇒ error
[1] = 1                            ⇒ error
[1, [2]] = [1, [2]]                ⇒ true
{a: 1, b: 2} = {b: 2, a: 1}        ⇒ true
[1..3] = [1..3]                    ⇒ true
[1..3] = (1..3]                    ⇒ false
1 < 2                              ⇒ true
"a" < "b"                          ⇒ true
2 >= 2                             ⇒ true
null < 1                           ⇒ null
true < false                       ⇒ error
1 between 1 and 2                  ⇒ true
3 between 1 and 2                  ⇒ false
1 between null and 2               ⇒ null
@"2026-01-01" < @"2026-01-02"      ⇒ true
@"PT24H" = @"P1D"                  ⇒ true
@"P1Y" = @"P12M"                   ⇒ true
@"P1Y" = @"P365D"                  ⇒ error
@"2018-12-08T00:00:00" = @"2018-12-08T00:00:00@Asia/Dhaka"     ⇒ false
@"2018-12-08T00:00:00Z" = @"2018-12-08T07:00:00+07:00"         ⇒ true
@"2018-12-08T00:00:00" < @"2018-12-08T00:00:01@Asia/Dhaka"     ⇒ true
@"10:00:00Z" = @"17:00:00+07:00"   ⇒ true
@"10:00:00" = @"10:00:00Z"         ⇒ false
"""

MEMBERSHIP = """
1 in [1, 2]                        ⇒ true
1 in (1, 2)                        ⇒ true
1 in 1                             ⇒ true
1 in [2..3]                        ⇒ false
2 in [2..3]                        ⇒ true
2 in (2..3]                        ⇒ false
2 in ]2..3]                        ⇒ false
3 in [2..3[                        ⇒ false
3 in [2..3)                        ⇒ false
5 in (< 3, > 4)                    ⇒ true
5 in > 4                           ⇒ true
5 in (<= 5)                        ⇒ true
5 in ([1..2], [4..6])              ⇒ true
5 in [[1..2], [4..6]]              ⇒ true
"b" in ["a".."c"]                  ⇒ true
@"2026-03-01" in [@"2026-01-01"..@"2026-06-30"] ⇒ true
null in [1..2]                     ⇒ null
null in (null)                     ⇒ true
[1, 2] in [[1, 2], [3]]            ⇒ true
4 in (? > 3)                       ⇒ true
"""

STRUCTURE = """
[1, 2, 3][1]                       ⇒ 1
[1, 2, 3][-1]                      ⇒ 3
[1, 2, 3][4]                       ⇒ null
[1, 2, 3][0]                       ⇒ null
[1, 2, 3][item > 1]                ⇒ [2, 3]
[1, 2, 3, 4][item > 2][1]          ⇒ 3
5[1]                               ⇒ 5
5[item > 2]                        ⇒ [5]
5[item > 7]                        ⇒ []
[{x: 1, y: 2}, {x: 2, y: 3}][x = 1] ⇒ [{x: 1, y: 2}]
[{x: 1, y: 2}, {x: null, y: 3}][x < 2] ⇒ [{x: 1, y: 2}]
[{x: 1, y: 2}, {x: 2, y: 3}].y     ⇒ [2, 3]
[{x: 1, y: 2}, {x: 2}].y           ⇒ [2, null]
[{item: 5}, {item: 6}][item = 6]   ⇒ [{item: 6}]
[{a: {b: [1]}}, {a: {b: [2.1, 2.2]}}].a.b ⇒ [[1], [2.1, 2.2]]
{a: 1, b: a + 1, c: a + b}.c       ⇒ 3
{"x y": 2, z: x y * 2}.z           ⇒ 4
{a: {b: {c: 1}}}.a.b.c             ⇒ 1
{a: null}.a.b                      ⇒ null
[][1]                              ⇒ null
[1..5].end                         ⇒ 5
(1..5].start included              ⇒ false
(< 5).start                        ⇒ null
"""

ITERATION = """
for x in [1, 2] return x * 2       ⇒ [2, 4]
for x in [1, 2], y in [3, 4] return x * y ⇒ [3, 4, 6, 8]
for x in 1..3 return x             ⇒ [1, 2, 3]
for x in 3..1 return x             ⇒ [3, 2, 1]
for x in [[1, 2], [3]], y in x return y ⇒ [1, 2, 3]
for i in 0..4 return if i = 0 then 1 else i * partial[-1] ⇒ [1, 1, 2, 6, 24]
for i in 1..3 return count(partial) ⇒ [0, 1, 2]
for d in @"2026-02-27"..@"2026-03-01" return d.day ⇒ [27, 28, 1]
for x in [] return x               ⇒ []
some x in [1, 2] satisfies x > 1   ⇒ true
every x in [1, 2] satisfies x > 1  ⇒ false
some x in [] satisfies x           ⇒ false
every x in [] satisfies x          ⇒ true
some x in [1, 2], y in [2, 3] satisfies x = y ⇒ true
some x in [1, null] satisfies x > 5 ⇒ null
every x in [1, null] satisfies x > 0 ⇒ null
"""

FUNCTIONS = """
{f: function(x) x + 1, r: f(2)}.r  ⇒ 3
{f: function(a, b) a - b, r: f(b: 1, a: 5)}.r ⇒ 4
{f: function(a, b) b, r: f(b: 1)}.r ⇒ 1
{f: function(x: number) x, r: f([5])}.r ⇒ 5
{f: function(x: number) x, r: f("a")}.r ⇒ error
{f: function(x) function(y) x + y, r: f(1)(2)}.r ⇒ 3
{f: function() 7, r: f()}.r        ⇒ 7
(function(x) x * x)(4)             ⇒ 16
sort(list: [3, 1, 2], precedes: function(x, y) x > y) ⇒ [3, 2, 1]
"""

TYPES = """
1 instance of number               ⇒ true
1 instance of string               ⇒ false
-1 instance of number              ⇒ true
null instance of Null              ⇒ true
null instance of number            ⇒ false
[1] instance of list<number>       ⇒ true
[1, "a"] instance of list<number>  ⇒ false
{a: 1} instance of context<a: number> ⇒ true
{a: 1, b: 2} instance of context<a: number> ⇒ true
{a: "x"} instance of context<a: number> ⇒ false
@"P1D" instance of days and time duration ⇒ true
@"P1M" instance of years and months duration ⇒ true
@"2026-01-01" instance of date     ⇒ true
@"2026-01-01T00:00:00" instance of date and time ⇒ true
[1..2] instance of range<number>   ⇒ true
(function(x) x) instance of function<Any>->Any ⇒ true
"""

TEMPORAL = """
@"2026-01-31" + @"P1M"             ⇒ @"2026-02-28"
@"2024-02-29" + @"P1Y"             ⇒ @"2025-02-28"
@"2026-03-31" - @"P1M"             ⇒ @"2026-02-28"
@"2026-01-01" + @"P1D"             ⇒ @"2026-01-02"
@"2026-01-01" + @"PT36H"           ⇒ @"2026-01-02"
@"2026-01-01" - @"2025-12-30"      ⇒ @"P2D"
@"2012-12-24T23:59:00" + @"PT1M"   ⇒ @"2012-12-25T00:00:00"
@"2012-12-24T23:59:00" - @"2012-12-22T03:45:00" ⇒ @"P2DT20H14M"
@"2026-01-01T00:00:00Z" - @"2026-01-01" ⇒ @"PT0S"
@"2026-01-01T00:00:00" - @"2026-01-01" ⇒ error
@"23:59:00z" + @"PT2M"             ⇒ @"00:01:00@Etc/UTC"
@"00:30:00" - @"PT1H"              ⇒ @"23:30:00"
@"10:00:00" - @"08:30:00"          ⇒ @"PT1H30M"
@"P1D" * 2.5                       ⇒ @"PT60H"
@"P1Y" * 2                         ⇒ @"P2Y"
@"P1Y" / 2                         ⇒ @"P6M"
@"P2D" / @"PT12H"                  ⇒ 4
@"P1Y" / @"P4M"                    ⇒ 3
@"P1D" + @"P1M"                    ⇒ error
@"P1Y" * 10 ** 6000                ⇒ error
@"P1D" * 10 ** 6000                ⇒ error
-@"P1D"                            ⇒ @"-P1D"
@"2026-07-15".weekday              ⇒ 3
@"2026-07-15T10:20:30.5+07:00".second ⇒ 30.5
@"10:20:30+07:00".time offset      ⇒ @"PT7H"
@"10:20:30@Asia/Ho_Chi_Minh".timezone ⇒ "Asia/Ho_Chi_Minh"
@"10:20:30".timezone               ⇒ null
@"P1Y14M".years                    ⇒ 2
@"P1Y14M".months                   ⇒ 2
@"-P1DT25H".days                   ⇒ -2
@"P1DT25H".hours                   ⇒ 1
@"2026-03-29T01:30:00@Europe/Paris" + @"PT1H" ⇒ @"2026-03-29T03:30:00@Europe/Paris"
@"9999-12-31" + @"P1D"             ⇒ error
@"2026-01-01".hour                 ⇒ error
"""


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        pytest.param(*pair, id=pair[0][:60])
        for table in (LITERALS, ARITHMETIC, LOGIC, COMPARISON, MEMBERSHIP, STRUCTURE, ITERATION, FUNCTIONS, TYPES, TEMPORAL)
        for pair in rows(table)
        if "//" not in pair[0]
    ],
)
def test_an_expression_means_what_the_standard_says(expression: str, expected: str) -> None:
    holds(expression, expected)


def test_line_comments_end_with_the_line() -> None:
    assert evaluate("1 // một\n+ 2") == 3


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("phí thẩm định * 2", 20),
        ("phí   thẩm\n định * 2", 20),
        ("a-b", 7),
        ("a - b", 7),
        ("(a)-(b)", 3),
        ("a +b", 7),
        ("Profit and loss", 1),
        ("what if?", 2),
        ("hồ sơ.ngày nộp.year", 2026),
        ("hồ sơ.giấy tờ[số bản > 1].tên", ["B"]),
        ("{số tiền: 5, kết quả: số tiền * phí thẩm định}.kết quả", 50),
        ("for giấy tờ in hồ sơ.giấy tờ return giấy tờ.số bản", [1, 2]),
    ],
)
def test_names_of_several_words_are_the_longest_known_ones(expression: str, value: object) -> None:
    names = {
        "phí thẩm định": NUMBER,
        "a": NUMBER,
        "b": NUMBER,
        "a-b": NUMBER,
        "Profit and loss": NUMBER,
        "what if?": NUMBER,
        "hồ sơ": context_of({"ngày nộp": DATE, "giấy tờ": list_of(context_of({"tên": STRING, "số bản": NUMBER}))}),
    }
    papers = [{"tên": "A", "số bản": 1}, {"tên": "B", "số bản": 2}]
    scope = {"phí thẩm định": 10, "a": 5, "b": 2, "a-b": 7, "Profit and loss": 1, "what if?": 2}
    scope["hồ sơ"] = {"ngày nộp": "2026-07-01", "giấy tờ": papers}  # type: ignore[assignment]
    assert to_json(compile_expression(expression, names=names).evaluate(scope)) == value


@pytest.mark.parametrize(
    ("name", "expression", "value"),
    [
        ("days in weekend", 'for i in days in weekend return if i = "CN" then 1 else 0', [0, 1]),
        ("in a list", "for i in in a list return i", ["T7", "CN"]),
        ("if urgent", "if if urgent[1] = null then 1 else 2", 2),
        ("between 1 and 5", "count(between 1 and 5) between 1 and 5", True),
        ("null value", "null value[1] = null", False),
        ("not true", "not(not true = null) and not true != [true]", True),
        ("date and time of arrival", "count(date and time of arrival)", 2),
        ("x satisfies y", "some x in x satisfies y satisfies x = null", False),
        ("function f", "function f[-1]", "CN"),
        ("Pre-bureau risk", "Pre-bureau risk[1]", "T7"),
        ("a*b'c/d.e", "a*b'c/d.e[1]", "T7"),
    ],
)
def test_known_names_may_collide_with_keywords_and_signs(name: str, expression: str, value: object) -> None:
    compiled = compile_expression(expression, names={name: list_of(STRING)}, mode="lenient")
    assert to_json(compiled.evaluate({name: ["T7", "CN"]})) == value


def test_undeclared_words_that_follow_each_other_are_one_name() -> None:
    assert evaluate("Monthly Salary * 12", {"Monthly Salary": 10}) == 120


@pytest.mark.parametrize(
    ("tests", "value", "passes"),
    [
        ("-", 1, True),
        ("-", None, True),
        ("5", 5, True),
        ("5, 6", 6, True),
        ("not(5, 6)", 7, True),
        ("not(5, 6)", 6, False),
        ("> 5", 6, True),
        ("[1..5]", 3, True),
        ("< 1, > 5", 3, False),
        ("? * 2 > 5", 3, True),
        ("count(?) > 1", [1, 2], True),
        ('starts with(?, "a")', "abc", True),
        ("null", None, True),
        ("not(null)", None, False),
        ('"a","b"', "b", True),
        ("limit", 10, True),
        ("> limit", 11, True),
        ("[1, 2]", 2, True),
        ("true", True, True),
        ("not(true)", True, False),
    ],
)
def test_unary_tests_ask_about_their_input(tests: str, value: object, passes: bool) -> None:
    compiled = compile_unary(tests, names={"limit": NUMBER})
    assert compiled.evaluate({"limit": 10}, None, to_feel(value)) is passes


def test_the_input_of_a_test_may_be_of_json() -> None:
    assert compile_unary("decimal(1/3, ?) = 0.333").evaluate({}, None, 3) is True
    assert compile_unary("? = [1, 2]").evaluate({}, None, [1, 2]) is True


def test_values_of_json_become_decimals_and_declared_text_becomes_dates() -> None:
    names = {"dossier": context_of({"received_on": DATE, "amount": NUMBER, "pages": NUMBER})}
    scope = {"dossier": {"received_on": "2026-02-28", "amount": "12.50", "pages": 3}}
    expression = compile_expression('[dossier.received_on + @"P1D", dossier.amount * 2, dossier.pages]', names=names)
    assert expression.evaluate(scope) == [date(2026, 3, 1), Decimal("25.00"), Decimal(3)]
    assert expression.names == {"dossier.received_on", "dossier.amount", "dossier.pages"}
    assert to_json(expression.evaluate(scope)) == ["2026-03-01", 25, 3]


def test_what_is_declared_and_absent_is_null() -> None:
    expression = compile_expression("review.note = null", names={"review": context_of({"note": STRING})})
    assert expression.evaluate({}) is True
    assert expression.evaluate({"review": None}) is True


def test_what_is_not_declared_and_absent_stops_the_evaluation() -> None:
    with pytest.raises(FeelError, match=r"feel\.unknown_name at line 1, column 5"):
        evaluate("1 + review.note", {"review": {}})


def test_a_condition_is_true_or_false_and_nothing_else() -> None:
    assert evaluate_condition(compile_expression("1 < 2"), {}) is True
    for text in ("null", "1", '"true"', "null and true"):
        with pytest.raises(FeelError, match=r"feel\.not_boolean"):
            evaluate_condition(compile_expression(text), {})


def test_functions_registered_from_outside_are_called_by_position_and_by_name() -> None:
    def working_days_after(start: date, count: Decimal) -> date:
        return date.fromordinal(start.toordinal() + int(count))

    functions = {"working days after": working_days_after}
    expression = compile_expression('working days after(@"2026-01-01", n)', functions=functions)
    assert expression.evaluate({"n": 2}) == date(2026, 1, 3)
    assert evaluate('working days after(count: 1, start: @"2026-01-01")', functions=functions) == date(2026, 1, 2)
    replaced = {"working days after": lambda start, count: start}
    assert expression.evaluate({"n": 2}, replaced) == date(2026, 1, 1)


def test_a_lenient_evaluation_tells_why_something_became_null() -> None:
    value, reasons = compile_expression('[1 + "a",\n 1 / 0]', mode="lenient").reasoned({})
    assert value == [None, None]
    assert [(reason.code, reason.line, reason.column) for reason in reasons] == [
        ("feel.operands", 1, 4),
        ("feel.division_by_zero", 2, 4),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('(function(a) external {java: {class: "vn.Fees", method signature: "half(number)"}})(10)', 5),
        ('(function(a) external {pmml: {document: "vn", model: "Fees.half"}})(a: 4)', 2),
        ('(for i in [2, 4] return (function(a) external {java: {class: "vn.Fees", method signature: "half(x)"}})(i))[2]', 2),
    ],
)
def test_an_external_function_calls_what_was_registered_from_outside(text: str, expected: int) -> None:
    assert to_json(evaluate(text, functions={"vn.Fees.half": lambda a: a / 2})) == expected


@pytest.mark.parametrize(
    "text",
    [
        "function(a) external 1",
        'function(a) external {java: {class: "x"}}',
        'function(a) external {java: {class: "x", method signature: y}}',
        'function(a) external {python: {class: "os", method signature: "system(s)"}}',
        '(function(a) external {java: {class: "os", method signature: "system(s)"}})("id")',
    ],
)
def test_an_external_function_nobody_registered_is_refused_in_its_place(text: str) -> None:
    with pytest.raises(FeelError) as caught:
        evaluate(text)

    assert caught.value.code == "feel.external_function"
    assert caught.value.column > 1
