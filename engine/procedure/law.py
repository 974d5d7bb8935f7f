"""Which law a procedure stands on: acts and articles read out of its data, diagram, forms, decisions and templates.

A citation is what people write (``Khoản 1 Điều 20 Nghị định số 23/2015/NĐ-CP``, ``NĐ 217/2026``, ``Bộ luật Lao động 2019, Điều 112``).
It is read to the article; the clause and the point stay in the text that is shown, for an amendment of an article concerns whoever
cites a part of it. A citation without article stands on the whole act.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from engine.errors import Refused
from engine.kernel.search import fold

KINDS = {
    "nghị định": "NĐ", "nđ": "NĐ", "thông tư liên tịch": "TTLT", "ttlt": "TTLT", "thông tư": "TT", "tt": "TT", "quyết định": "QĐ",
    "qđ": "QĐ", "nghị quyết": "NQ", "nq": "NQ", "chỉ thị": "CT", "bộ luật": "L", "luật": "L", "pháp lệnh": "PL",
}  # fmt: skip
"""The kinds of acts, as they are written and as they are kept."""

_KIND = r"(?P<kind>nghị định|nđ|thông tư liên tịch|ttlt|thông tư|tt|quyết định|qđ|nghị quyết|nq|chỉ thị|bộ luật|luật|pháp lệnh)"
_ISSUER = r"[A-ZĐ][A-ZĐa-zđ0-9]*(?:-[A-ZĐ][A-ZĐa-zđ0-9]*)*"
_UPPER = "A-ZĐÀÁẢÃẠĂẰẮẲẴẶÂẦẤẨẪẬÈÉẺẼẸÊỀẾỂỄỆÌÍỈĨỊÒÓỎÕỌÔỒỐỔỖỘƠỜỚỞỠỢÙÚỦŨỤƯỪỨỬỮỰỲÝỶỸỴ"
_NO_NAME = r"(?!(?i:nghị định|thông tư|quyết định|nghị quyết|chỉ thị)\b)"
_LAW = (
    rf"(?P<law>(?i:bộ luật|luật|pháp lệnh))\s+"
    rf"(?P<name>(?=[{_UPPER}])(?:{_NO_NAME}(?:[^\W\d]|\s|,\s(?!(?i:điều|khoản|năm)\b)(?=[^\W\d{_UPPER}]))){{2,60}}?)"
)
_NUMBERED = re.compile(
    rf"(?:\b(?:{_LAW}|(?i:{_KIND}))\s+)?(?:số\s+)?(?<![\d/])(?P<number>\d{{1,5}})/(?P<year>(?:19|20)\d\d)(?:/(?P<symbol>{_ISSUER}))?(?![\d/])"
)
_DATED = re.compile(
    rf"(?<![\d/])(?P<number>\d{{1,5}})/(?P<symbol>(?:QĐ|NQ|CT)-{_ISSUER})(?:,?\s+ngày\s+\d{{1,2}}/\d{{1,2}}/(?P<year>(?:19|20)\d\d))?"
)
_NAMED = re.compile(rf"\b{_LAW}\s*(?:\bnăm\s+|,\s*năm\s+|\s)(?P<year>(?:19|20)\d\d)\b(?!/)")
_NUMBER = r"\d{1,3}[a-zđ]?"
_JOINT = r"(?:,|và|and|đến|to|–|-)"
_ARTICLES = re.compile(
    rf"\b(?:các\s+)?(?:điều|đ\.|articles?)\s*(?P<first>{_NUMBER})\b(?P<rest>(?:\s*{_JOINT}\s*(?:điều\s+)?{_NUMBER}\b(?![\d/]))*)",
    re.IGNORECASE,
)
_MORE = re.compile(rf"(?P<joint>{_JOINT})\s*(?:điều\s+)?(?P<number>{_NUMBER})", re.IGNORECASE)
_CLAUSE_END = re.compile(r"[;\n()]|(?<!\bNo)\.\s")


@dataclass(frozen=True, slots=True)
class Act:
    """A legal act by its kind, number and year; *symbol* (``NĐ-CP``) and *name* (of a law) as far as they were written."""

    kind: str
    number: int
    year: int
    symbol: str = ""
    name: str = ""

    @property
    def label(self) -> str:
        """The act as it is written shortest: ``217/2026/NĐ-CP``, ``NĐ 217/2026``, ``Luật Hộ tịch 2014``."""
        if not self.number:
            return f"{self.name} {self.year}"
        written = f"{self.number:02d}/{self.year}" if self.year else f"{self.number:02d}"
        numbered = f"{written}/{self.symbol}" if self.symbol else f"{self.kind} {written}"
        return f"{self.name} ({numbered})" if self.name else numbered

    def same(self, other: Act) -> bool:
        """Whether both are one act: by number where both have one, else by name; what one of them leaves out is no difference."""
        if self.kind != other.kind or (self.year and other.year and self.year != other.year):
            return False
        if self.number and other.number:
            return self.number == other.number and not (self.symbol and other.symbol and fold(self.symbol) != fold(other.symbol))
        return bool(self.name and other.name) and fold(self.name) == fold(other.name)

    @property
    def fullness(self) -> int:
        """How much of the act is written."""
        return sum(map(bool, (self.number, self.year, self.symbol, self.name)))


@dataclass(frozen=True, slots=True)
class Article:
    """An article, or a row of them: ``first`` to ``last``."""

    first: str
    last: str

    def covers(self, article: str) -> bool:
        """Whether *article* is one of them; 54a lies between 54 and 55."""
        return _order(self.first) <= _order(article) <= _order(self.last)

    @property
    def label(self) -> str:
        """``54`` or ``18–22``."""
        return self.first if self.first == self.last else f"{self.first}–{self.last}"


@dataclass(frozen=True, slots=True)
class Citation:
    """An act with the articles that are cited (none: the whole act)."""

    act: Act
    articles: tuple[Article, ...] = ()

    def concerns(self, act: Act, article: str = "") -> bool:
        """Whether a change of *article* (empty: of anything) of *act* concerns whoever cites this."""
        return self.act.same(act) and (not article or not self.articles or any(one.covers(article) for one in self.articles))


def _order(article: str) -> tuple[int, str]:
    found = re.fullmatch(r"(\d+)(\D*)", article.casefold())
    return (int(found[1]), found[2]) if found else (0, article)


def acts_in(text: str) -> list[tuple[int, int, Act]]:
    """Return the acts a text names, with where each begins and ends."""
    found = [*_numbered(text), *_named(text)]
    kept: list[tuple[int, int, Act]] = []
    for start, end, act in sorted(found, key=lambda one: (one[0], -one[1])):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end, act))
    return kept


def _numbered(text: str) -> Iterator[tuple[int, int, Act]]:
    for match in _NUMBERED.finditer(text):
        symbol, name = match["symbol"] or "", _law_name(match)
        kind = KINDS.get((match["law"] or match["kind"] or "").casefold()) or _kind_of(symbol)
        if kind:
            yield match.start(), match.end(), Act(kind, int(match["number"]), int(match["year"]), symbol, name)
    for match in _DATED.finditer(text):
        yield match.start(), match.end(), Act(_kind_of(match["symbol"]), int(match["number"]), int(match["year"] or 0), match["symbol"])


def _kind_of(symbol: str) -> str:
    head = symbol.partition("-")[0]
    return head if head in KINDS.values() else "L" if re.fullmatch(r"QH\d+", head) else ""


def _law_name(match: re.Match[str]) -> str:
    """Return the name of a law (``Bộ luật Lao động``), empty for other acts."""
    name = " ".join((match["name"] or "").split()).removesuffix(" số")
    return f"{match['law'][0].upper()}{match['law'][1:].lower()} {name}" if name else ""


def _named(text: str) -> Iterator[tuple[int, int, Act]]:
    for match in _NAMED.finditer(text):
        yield match.start(), match.end(), Act(KINDS[match["law"].casefold()], 0, int(match["year"]), name=_law_name(match))


def articles_in(text: str) -> tuple[Article, ...]:
    """Return the articles a text names: ``Điều 5, các Điều 18 đến 22`` → 5, 18–22."""
    found: list[Article] = []
    for match in _ARTICLES.finditer(text):
        row = [Article(match["first"], match["first"])]
        for more in _MORE.finditer(match["rest"]):
            joined = more["joint"].casefold() in ("đến", "to", "–", "-")
            row[-1:] = [Article(row[-1].first, more["number"])] if joined else [row[-1], Article(more["number"], more["number"])]
        found.extend(row)
    return tuple(dict.fromkeys(found))


def citations(text: str) -> tuple[Citation, ...]:
    """Return what a text cites, each act once with all its articles, in the order of the text.

    Articles belong to the act of their clause (``Điều 10 Nghị định …`` as well as ``Nghị định …, Điều 10``); where a clause names several
    acts, each takes what stands on the side where the clause puts its articles.
    """
    found: dict[Act, list[Article]] = {}
    whole: set[Act] = set()
    for clause in _CLAUSE_END.split(text):
        acts = acts_in(clause)
        leading = bool(acts) and bool(articles_in(clause[: acts[0][0]]))
        for place, (start, end, act) in enumerate(acts):
            before = acts[place - 1][1] if place else 0
            after = acts[place + 1][0] if place + 1 < len(acts) else len(clause)
            if len(acts) == 1:
                own = articles_in(f"{clause[:start]} ; {clause[end:]}")
            else:
                own = articles_in(clause[before:start] if leading else clause[end:after])
            known = next((one for one in found if one.same(act)), act)
            found.setdefault(known, []).extend(own)
            if not own:
                whole.add(known)
    return tuple(Citation(act, () if act in whole else tuple(dict.fromkeys(articles))) for act, articles in found.items())


def cited_by(act: str, articles: str) -> tuple[Citation, ...]:
    """Return the citation of a declared act with its articles; acts inside its title (what it amends or guides) are not cited."""
    found = acts_in(act)
    return (Citation(found[0][2], articles_in(articles)),) if found else ()


def merged(acts: Iterable[Act]) -> list[Act]:
    """Return acts that are one as one, under the fullest way it is written; by kind, year and number."""
    kept: list[Act] = []
    for act in sorted(acts, key=lambda one: -one.fullness):
        if not any(one.same(act) for one in kept):
            kept.append(act)
    return sorted(kept, key=lambda one: (one.kind, one.year, one.number, one.name))


def question(text: str) -> tuple[Act, str]:
    """Return which act, and which of its articles (empty: any), a question is about: ``Điều 54 NĐ 217/2026``.

    Raises:
        Refused: ``law.no_act`` when no act is named, ``law.several_acts`` when more than one is, at the field.
    """
    found = citations(text[:300])
    if not found:
        raise Refused("law.no_act", field="q")
    if len(found) > 1 or len(found[0].articles) > 1:
        raise Refused("law.several_acts", field="q")
    articles = found[0].articles
    return found[0].act, articles[0].first if articles else ""
