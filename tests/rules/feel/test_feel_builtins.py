"""Every example that clause 10.3.4 prints for its functions, and what the text around them demands."""

from __future__ import annotations

import pytest

from tests.rules.feel.cases import holds, rows

CONVERSION = """
date("2012-12-25") - date("2012-12-24") ⇒ duration("P1D")
date(date and time("2012-12-25T11:00:00Z")) ⇒ date("2012-12-25")
date(2012, 12, 25)                 ⇒ date("2012-12-25")
date("2026-02-31")                 ⇒ error
date(2026, 2, 31)                  ⇒ error
date(null)                         ⇒ null
date and time(date("2012-12-24"), time("23:59:00")) ⇒ date and time("2012-12-24T23:59:00")
date and time("2012-12-24T23:59:00") + duration("PT1M") ⇒ date and time("2012-12-25T00:00:00")
date and time("2012-12-24")        ⇒ date and time("2012-12-24T00:00:00")
time("23:59:00z") + duration("PT2M") ⇒ time("00:01:00@Etc/UTC")
time(date and time("2012-12-25T11:00:00Z")) ⇒ time("11:00:00Z")
time(23, 59, 0, duration("PT0H"))  ⇒ time("23:59:00z")
time(8, 30, 0.5)                   ⇒ time("08:30:00.5")
time(24, 0, 1)                     ⇒ error
time("25:00:00")                   ⇒ error
number("1 000,0", " ", ",")        ⇒ 1000
number("1,000.0", ",", ".")        ⇒ 1000
number("1.000.000,01", ".", ",")   ⇒ 1000000.01
number("x", null, null)            ⇒ error
number("1", ",", ",")              ⇒ error
string(1.1)                        ⇒ "1.1"
string(null)                       ⇒ null
string("a")                        ⇒ "a"
string(true)                       ⇒ "true"
string(10 ** 20)                   ⇒ "100000000000000000000"
string(@"2026-01-01")              ⇒ "2026-01-01"
string(@"P1DT2H")                  ⇒ "P1DT2H"
string([1, "a"])                   ⇒ "[1, \\"a\\"]"
string({a: 1})                     ⇒ "{a: 1}"
duration("P2Y2M")                  ⇒ duration("P26M")
duration("P1DT")                   ⇒ error
duration("P")                      ⇒ error
duration("P1Y2D")                  ⇒ error
years and months duration(date("2011-12-22"), date("2013-08-24")) ⇒ duration("P1Y8M")
years and months duration(date("2013-08-24"), date("2011-12-22")) ⇒ duration("-P1Y8M")
range("[18..21)")                  ⇒ [18..21)
range("[2..)")                     ⇒ >=2
range("(..2)")                     ⇒ <2
range("")                          ⇒ error
range("[..]")                      ⇒ error
not(true)                          ⇒ false
not(null)                          ⇒ null
"""

STRINGS = r"""
substring("foobar", 3)             ⇒ "obar"
substring("foobar", 3, 3)          ⇒ "oba"
substring("foobar", -2, 1)         ⇒ "a"
substring("\U01F40Eab", 2)         ⇒ "ab"
substring("foobar", 0)             ⇒ error
substring("foobar", 7)             ⇒ error
substring("foobar", 3, 9)          ⇒ error
string length("foo")               ⇒ 3
string length("\U01F40Eab")        ⇒ 3
string length(null)                ⇒ null
upper case("aBc4đ")                ⇒ "ABC4Đ"
lower case("aBc4Đ")                ⇒ "abc4đ"
substring before("foobar", "bar")  ⇒ "foo"
substring before("foobar", "xyz")  ⇒ ""
substring after("foobar", "ob")    ⇒ "ar"
substring after("", "a")           ⇒ ""
replace("banana", "a", "o")        ⇒ "bonono"
replace("abcd", "(ab)|(a)", "[1=$1][2=$2]") ⇒ "[1=ab][2=]cd"
replace("a.b.c", ".", "-", "q")    ⇒ "a-b-c"
replace("ABC", "b", "x", "i")      ⇒ "AxC"
replace("abc", "b", "$")           ⇒ error
replace("abc", "x*", "-")          ⇒ error
contains("foobar", "of")           ⇒ false
starts with("foobar", "fo")        ⇒ true
ends with("foobar", "r")           ⇒ true
matches("foobar", "^fo*b")         ⇒ true
matches("foobar", "^FO*b", "i")    ⇒ true
matches("a\nb", "a.b")             ⇒ false
matches("a\nb", "a.b", "s")        ⇒ true
matches("a\nb", "^b$", "m")        ⇒ true
matches("foo", "f o o", "x")       ⇒ true
matches("foo", "(")                ⇒ error
matches("foo", "o", "z")           ⇒ error
matches("abab", "^(ab)\\1$")       ⇒ true
matches("079203001234", "^0[0-9]{11}$") ⇒ true
matches("ế", "^\\p{IsLatinExtendedAdditional}$") ⇒ true
matches("☃", "\\p{IsMiscellaneousSymbols}")    ⇒ true
matches("α", "\\p{IsGreek}")                   ⇒ true
matches("a", "\\P{IsSupplementaryPrivateUseArea-B}") ⇒ true
matches("a", "\\p{IsNowhere}")                 ⇒ error
matches("Hồ sơ", "^\\p{Lu}\\p{Ll}+ \\w+$") ⇒ true
matches("x-y", "^[a-z-[aeiou]]-[^aeiou]$") ⇒ true
matches("ab", "^(?:a|b)+?$")       ⇒ true
split("John Doe", "\\s")           ⇒ ["John", "Doe"]
split("a;b;c;;", ";")              ⇒ ["a", "b", "c", "", ""]
string join(["a", "b", "c"], "_and_") ⇒ "a_and_b_and_c"
string join(["a", "b", "c"], "")   ⇒ "abc"
string join(["a", "b", "c"], null) ⇒ "abc"
string join(["a", null, "c"], "X") ⇒ "aXc"
string join([], "X")               ⇒ ""
string join(["a", null, "c"])      ⇒ "ac"
contains(["foobar"], "of")         ⇒ false
"""

LISTS = """
list contains([1, 2, 3], 2)        ⇒ true
list contains([1, null], null)     ⇒ true
count([1, 2, 3])                   ⇒ 3
count([])                          ⇒ 0
count([1, [2, 3]])                 ⇒ 2
min([1, 2, 3])                     ⇒ 1
max(1, 2, 3)                       ⇒ 3
min(1)                             ⇒ 1
max([])                            ⇒ null
min("b", "a")                      ⇒ "a"
max([1, "a"])                      ⇒ error
sum([1, 2, 3])                     ⇒ 6
sum(1, 2, 3)                       ⇒ 6
sum(1)                             ⇒ 1
sum([])                            ⇒ null
sum([1, "a"])                      ⇒ error
mean([1, 2, 3])                    ⇒ 2
mean(1)                            ⇒ 1
mean([])                           ⇒ null
all([false, null, true])           ⇒ false
all([true, null])                  ⇒ null
all(true)                          ⇒ true
all([])                            ⇒ true
all(0)                             ⇒ error
any([false, null, true])           ⇒ true
any([])                            ⇒ false
any(0)                             ⇒ error
sublist([4, 5, 6], 1, 2)           ⇒ [4, 5]
sublist([4, 5, 6], -2)             ⇒ [5, 6]
sublist([4, 5, 6], 0)              ⇒ error
append([1], 2, 3)                  ⇒ [1, 2, 3]
concatenate([1, 2], [3])           ⇒ [1, 2, 3]
insert before([1, 3], 1, 2)        ⇒ [2, 1, 3]
remove([1, 2, 3], 2)               ⇒ [1, 3]
remove([1, 2, 3], 4)               ⇒ error
list replace([2, 4, 7, 8], 3, 6)   ⇒ [2, 4, 6, 8]
list replace([2, 4, 7, 8], function(item, newItem) item < newItem, 5) ⇒ [5, 5, 7, 8]
reverse([1, 2, 3])                 ⇒ [3, 2, 1]
index of([1, 2, 3, 2], 2)          ⇒ [2, 4]
index of([1, null], null)          ⇒ [2]
union([1, 2], [2, 3])              ⇒ [1, 2, 3]
distinct values([1, 2, 3, 2, 1])   ⇒ [1, 2, 3]
distinct values([[1], [1], {a: 1}, {a: 1}, true, 1]) ⇒ [[1], {a: 1}, true, 1]
flatten([[1, 2], [[3]], 4])        ⇒ [1, 2, 3, 4]
product([2, 3, 4])                 ⇒ 24
product([])                        ⇒ null
product(2, 3, 4)                   ⇒ 24
median(8, 2, 5, 3, 4)              ⇒ 4
median([6, 1, 2, 3])               ⇒ 2.5
median([])                         ⇒ null
stddev(2, 4, 7, 5)                 ⇒ 2.081665999466132735282297706979931
stddev([47])                       ⇒ null
stddev([])                         ⇒ null
mode(6, 3, 9, 6, 6)                ⇒ [6]
mode([6, 1, 9, 6, 1])              ⇒ [1, 6]
mode([])                           ⇒ []
sort(list: [3, 1, 4, 5, 2], precedes: function(x, y) x < y) ⇒ [1, 2, 3, 4, 5]
sort([{a: 2, b: 1}, {a: 1, b: 2}, {a: 1, b: 3}], function(x, y) x.a < y.a) ⇒ [{a: 1, b: 2}, {a: 1, b: 3}, {a: 2, b: 1}]
"""

NUMBERS = """
decimal(1/3, 2)                    ⇒ 0.33
decimal(1.5, 0)                    ⇒ 2
decimal(2.5, 0)                    ⇒ 2
decimal(1, 6177)                   ⇒ error
floor(1.5)                         ⇒ 1
floor(-1.56, 1)                    ⇒ -1.6
ceiling(1.5)                       ⇒ 2
ceiling(-1.56, 1)                  ⇒ -1.5
round up(5.5, 0)                   ⇒ 6
round up(-5.5, 0)                  ⇒ -6
round up(1.121, 2)                 ⇒ 1.13
round up(-1.126, 2)                ⇒ -1.13
round down(5.5, 0)                 ⇒ 5
round down(-5.5, 0)                ⇒ -5
round half up(5.5, 0)              ⇒ 6
round half up(-1.126, 2)           ⇒ -1.13
round half down(5.5, 0)            ⇒ 5
round half down(-1.126, 2)         ⇒ -1.13
floor(null)                        ⇒ null
abs(-10)                           ⇒ 10
abs(@"-PT5H")                      ⇒ @"PT5H"
abs(@"-P5M")                       ⇒ @"P5M"
modulo(12, 5)                      ⇒ 2
modulo(-12, 5)                     ⇒ 3
modulo(12, -5)                     ⇒ -3
modulo(-12, -5)                    ⇒ -2
modulo(10.1, 4.5)                  ⇒ 1.1
modulo(-10.1, 4.5)                 ⇒ 3.4
modulo(10.1, -4.5)                 ⇒ -3.4
modulo(-10.1, -4.5)                ⇒ -1.1
modulo(1, 0)                       ⇒ error
sqrt(16)                           ⇒ 4
sqrt(-1)                           ⇒ error
decimal(log(10), 11)               ⇒ 2.30258509299
log(0)                             ⇒ error
decimal(exp(5), 12)                ⇒ 148.413159102577
odd(5)                             ⇒ true
odd(2)                             ⇒ false
even(-4)                           ⇒ true
even(5)                            ⇒ false
"""

RANGES = """
before(1, 10)                      ⇒ true
before(10, 1)                      ⇒ false
before(1, [1..10])                 ⇒ false
before(1, (1..10])                 ⇒ true
before(1, [5..10])                 ⇒ true
before([1..10], 10)                ⇒ false
before([1..10), 10)                ⇒ true
before([1..10], [10..20])          ⇒ false
before([1..10), [10..20])          ⇒ true
before([1..10], (10..20])          ⇒ true
after(10, 5)                       ⇒ true
after(12, [1..10])                 ⇒ true
after(10, [1..10))                 ⇒ true
after(10, [1..10])                 ⇒ false
after([11..20], 12)                ⇒ false
after((11..20], 11)                ⇒ true
after([11..20], [1..11))           ⇒ true
meets([1..5], [5..10])             ⇒ true
meets([1..5), [5..10])             ⇒ false
meets([1..5], [6..10])             ⇒ false
met by([5..10], [1..5])            ⇒ true
met by((5..10], [1..5])            ⇒ false
overlaps([1..5], [3..8])           ⇒ true
overlaps([1..5], [6..8])           ⇒ false
overlaps([1..5], [5..8])           ⇒ true
overlaps([1..5], (5..8])           ⇒ false
overlaps((5..8], [1..5))           ⇒ false
overlaps before([1..5], [3..8])    ⇒ true
overlaps before([1..5], [6..8])    ⇒ false
overlaps before([1..5), (1..5])    ⇒ true
overlaps before([1..5], (1..5])    ⇒ true
overlaps before([1..5), [1..5])    ⇒ false
overlaps after([3..8], [1..5])     ⇒ true
overlaps after((5..8], [1..5])     ⇒ false
overlaps after((1..5], [1..5))     ⇒ true
overlaps after([1..5], [1..5))     ⇒ false
finishes(10, [1..10])              ⇒ true
finishes(10, [1..10))              ⇒ false
finishes([5..10], [1..10])         ⇒ true
finishes([5..10), [1..10])         ⇒ false
finishes((1..10], [1..10])         ⇒ true
finished by([1..10], 10)           ⇒ true
finished by([1..10], [5..10))      ⇒ false
finished by([1..10], (1..10])      ⇒ true
includes([1..10], 5)               ⇒ true
includes([1..10], 12)              ⇒ false
includes((1..10], 1)               ⇒ false
includes([1..10], (1..10))         ⇒ true
includes((1..10], [1..10])         ⇒ false
during(5, [1..10])                 ⇒ true
during(10, [1..10))                ⇒ false
during([4..6], [1..10])            ⇒ true
starts(1, [1..10])                 ⇒ true
starts(1, (1..10])                 ⇒ false
starts([1..5], [1..10])            ⇒ true
starts((1..5], [1..10])            ⇒ false
started by([1..10], 1)             ⇒ true
started by([1..10], [1..10))       ⇒ true
coincides(5, 5)                    ⇒ true
coincides(3, 4)                    ⇒ false
coincides((1..5), [1..5])          ⇒ false
coincides([1..5], 5)               ⇒ error
before(< 5, 7)                     ⇒ true
includes(> 5, [6..7])              ⇒ true
"""

OTHERS = """
is(date("2012-12-25"), time("23:00:50")) ⇒ false
is(date("2012-12-25"), date("2012-12-25")) ⇒ true
is(time("23:00:50z"), time("23:00:50")) ⇒ false
is(time("23:00:50z"), time("23:00:50+00:00")) ⇒ true
is(null, null)                     ⇒ true
day of year(date(2019, 9, 17))     ⇒ 260
day of week(date(2019, 9, 17))     ⇒ "Tuesday"
month of year(date(2019, 9, 17))   ⇒ "September"
week of year(date(2019, 9, 17))    ⇒ 38
week of year(date(2003, 12, 29))   ⇒ 1
week of year(date(2005, 1, 1))     ⇒ 53
get value({key1: "value1"}, "key1") ⇒ "value1"
get value({key1: "value1"}, "unexistent-key") ⇒ null
get entries({key1: "value1", key2: "value2"}) ⇒ [{key: "key1", value: "value1"}, {key: "key2", value: "value2"}]
get entries({key1: "value1"})[key = "key1"].value ⇒ ["value1"]
context([{key: "a", value: 1}, {key: "b", value: 2, something: "else"}]) ⇒ {a: 1, b: 2}
context([{key: "a", value: 1}, {key: "b"}]) ⇒ error
context put({x: 1}, "y", 2)        ⇒ {x: 1, y: 2}
context put({x: 1, y: {a: 0}}, ["y", "a"], 2) ⇒ {x: 1, y: {a: 2}}
context put({x: 1}, [], 2)         ⇒ error
context merge([{x: 1, y: 0}, {y: 2}]) ⇒ {x: 1, y: 2}
"""


@pytest.mark.parametrize(
    ("expression", "expected"),
    [pytest.param(*pair, id=pair[0][:60]) for table in (CONVERSION, STRINGS, LISTS, NUMBERS, RANGES, OTHERS) for pair in rows(table)],
)
def test_a_function_gives_what_the_standard_prints(expression: str, expected: str) -> None:
    holds(expression, expected)
