"""Draws well-typed expressions, for the comparison with other implementations and for the fuzzer."""

from __future__ import annotations

from hypothesis import strategies as st

Texts = st.SearchStrategy[str]

SCOPE: dict[str, object] = {
    "n": 3,
    "m": -2,
    "s": "abc",
    "t": "",
    "b": True,
    "l": [1, 2, 3],
    "c": {"x": 5, "y": "ab"},
    "r": [{"x": 1, "y": "a"}, {"x": 4, "y": "b"}],
    "nothing": None,
}
"""The variables that drawn expressions use, as JSON."""

_NUMBERS = st.sampled_from(["0", "1", "2", "3", "7", "10", "0.5", "1.25", "n", "m", "c.x", "-1", "count(l)", "l[1]", "r[2].x"])
_TEXTS = st.sampled_from(['"a"', '"abc"', '"x y"', '""', "s", "t", "c.y", "r[1].y", '"phí"'])
_BOOLEANS = st.sampled_from(["true", "false", "b", "n > 2", 's = "abc"', "not(b)"])
_DATES = st.sampled_from(['@"2026-02-28"', 'date("2024-02-29")', "date(2025, 12, 31)", '@"2026-07-15"'])
_LISTS = st.sampled_from(["[1, 2, 3]", "l", "[]", "[5]", "r.x", "[n, m]"])


def _numbers(inner: Texts, booleans: Texts, lists: Texts, texts: Texts, dates: Texts) -> Texts:
    return st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*"]), inner),
        st.builds("(if {} then {} else {})".format, booleans, inner, inner),
        st.builds("{}({})".format, st.sampled_from(["abs", "floor", "ceiling"]), inner),
        st.builds("{}({})".format, st.sampled_from(["sum", "count", "min", "max"]), lists),
        st.builds("string length({})".format, texts),
        st.builds("{}.{}".format, dates, st.sampled_from(["year", "month", "day", "weekday"])),
        st.builds("modulo({}, 3)".format, inner),
        st.builds("{}[1]".format, lists),
        st.builds("{}[-1]".format, lists),
        st.builds("(-{})".format, inner),
        st.builds("({} - {}).days".format, dates, dates),
    )


def _booleans(inner: Texts, numbers: Texts, texts: Texts, lists: Texts, dates: Texts) -> Texts:
    compare = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
    return st.one_of(
        st.builds("({} {} {})".format, numbers, compare, numbers),
        st.builds("({} {} {})".format, texts, st.sampled_from(["=", "!="]), texts),
        st.builds("({} {} {})".format, dates, compare, dates),
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner),
        st.builds("not({})".format, inner),
        st.builds("({} between {} and {})".format, numbers, numbers, numbers),
        st.builds("({} in [1..5])".format, numbers),
        st.builds("({} in ({}, {}))".format, numbers, numbers, numbers),
        st.builds("(some i in {} satisfies i > {})".format, lists, numbers),
        st.builds("(every i in {} satisfies i < {})".format, lists, numbers),
        st.builds("list contains({}, {})".format, lists, numbers),
        st.builds("{}({}, {})".format, st.sampled_from(["contains", "starts with", "ends with"]), texts, texts),
        st.builds("({} = null)".format, numbers),
        st.builds("({} instance of number)".format, numbers),
        st.builds("(null {} {})".format, st.sampled_from(["and", "or"]), inner),
    )


def _texts(inner: Texts, booleans: Texts, numbers: Texts) -> Texts:
    return st.one_of(
        st.builds("({} + {})".format, inner, inner),
        st.builds("{}({})".format, st.sampled_from(["upper case", "lower case"]), inner),
        st.builds("(if {} then {} else {})".format, booleans, inner, inner),
        st.builds("string(floor({}))".format, numbers),
        st.builds('substring("abcdef", 2, 3)'.format),
        st.builds('replace({}, "a", "b")'.format, inner),
        st.builds('substring before({}, "b")'.format, inner),
        st.builds('substring after({}, "b")'.format, inner),
    )


def _lists(inner: Texts, numbers: Texts) -> Texts:
    return st.one_of(
        st.builds("{}[item > {}]".format, inner, numbers),
        st.builds("(for i in {} return i * 2)".format, inner),
        st.builds("(for i in 1..3 return i + {})".format, numbers),
        st.builds("{}({}, {})".format, st.sampled_from(["concatenate", "union"]), inner, inner),
        st.builds("append({}, {})".format, inner, numbers),
        st.builds("reverse({})".format, inner),
        st.builds("distinct values({})".format, inner),
        st.builds("sort({}, function(p, q) p < q)".format, inner),
        st.builds("flatten([{}, {}])".format, inner, inner),
        st.builds("[{}, {}]".format, numbers, numbers),
        st.builds("{{a: {}, b: [a]}}.b".format, numbers),
        st.builds("index of({}, {})".format, inner, numbers),
    )


def _dates(inner: Texts) -> Texts:
    return st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-"]), st.sampled_from(['@"P1D"', '@"P1M"', '@"P1Y"', '@"P30D"'])),
    )


def typed(depth: int = 2) -> dict[str, Texts]:
    """Strategies of expressions by the type of their value, nested *depth* times."""
    numbers, booleans, texts, dates, lists = _NUMBERS, _BOOLEANS, _TEXTS, _DATES, _LISTS
    for _ in range(depth):
        numbers, booleans, texts, dates, lists = (
            st.one_of(numbers, _numbers(numbers, booleans, lists, texts, dates)),
            st.one_of(booleans, _booleans(booleans, numbers, texts, lists, dates)),
            st.one_of(texts, _texts(texts, booleans, numbers)),
            st.one_of(dates, _dates(dates)),
            st.one_of(lists, _lists(lists, numbers)),
        )
    return {"number": numbers, "boolean": booleans, "string": texts, "date": dates.map("string({})".format), "list": lists}


def any_typed(depth: int = 2) -> Texts:
    """Expressions of any of the types."""
    return st.one_of(*typed(depth).values())
