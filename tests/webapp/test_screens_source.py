"""What the sources of the screens promise: no inline style, no raw markup, no sentence outside the catalogue, none without English."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from jinja2 import Environment

from engine.settings import ROOT

WEB = ROOT / "webapp"
TEMPLATES = sorted(p for p in WEB.rglob("*.html") if "node_modules" not in p.parts)
METHODS = [("assets/**", "ignore"), ("**.py", "python"), ("**/templates/**.html", "jinja2")]
KEYWORDS = {"_": None, "lazy": None, "gettext": None, "ngettext": (1, 2)}
LETTERS = re.compile(r"[A-Za-zÀ-ỹ]{2}")
SPOKEN = re.compile(r'\b(?:aria-label|title|placeholder|alt|label)="([^"{]*[A-Za-zÀ-ỹ]{2}[^"{]*)"')
NAMES = {"Motcua", "SHA-256", "CSV", "XLSX", "PDF"}
names = [str(p.relative_to(WEB)) for p in TEMPLATES]


def sentences() -> set[str]:
    """Every sentence the screens can say, in Vietnamese."""
    found: set[str] = set()
    for _file, _line, message, _comments, _context in extract_from_dir(str(WEB), METHODS, keywords=KEYWORDS):
        found.add(message[0] if isinstance(message, tuple) else message)
    return found


def english() -> dict[str, object]:
    catalogue = read_po(BytesIO((WEB / "translations/en/LC_MESSAGES/messages.po").read_bytes()), locale="en")
    return {m.id[0] if isinstance(m.id, tuple) else m.id: m.string for m in catalogue if m.id}


def static_text(source: str) -> list[str]:
    """The text of a template that stands in no expression, no tag and no attribute."""
    out: list[str] = []
    for _line, kind, value in Environment(autoescape=True).lex(source):
        out.append(value if kind == "data" else "\x00")
    text = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", "".join(out), flags=re.DOTALL)
    text = re.sub(r"<[^>]*translate=\"no\"[^>]*>[^<]*", "<>", text)
    text = re.sub(r"<(kbd|code|title)\b[^>]*>[^<]*", "<>", text)
    text = re.sub(r"<[^>]*>", "\x00", text, flags=re.DOTALL)
    # A macro or a block that writes only attributes stands outside any tag of its own.
    text = re.sub(r'[a-z-]+="[^"\x00]*"?', " ", text)
    return [part.strip() for part in text.split("\x00") if LETTERS.search(part) and part.strip() not in NAMES]


def test_every_sentence_of_the_screens_has_its_english():
    known = english()

    missing = sorted(s for s in sentences() if not known.get(s))

    assert missing == []


def test_the_english_keeps_every_placeholder():
    def places(text: object) -> set[str]:
        return set(re.findall(r"%\(\w+\)s", str(text)))

    pairs = [(vietnamese, text) for vietnamese, found in english().items() for text in (found if isinstance(found, tuple) else (found,))]

    assert [vietnamese for vietnamese, text in pairs if places(text) != places(vietnamese)] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=names)
def test_a_template_says_nothing_past_the_catalogue(path: Path):
    source = path.read_text("utf-8")

    assert static_text(source) == []
    assert SPOKEN.findall(re.sub(r"\{#.*?#\}", "", source, flags=re.DOTALL)) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=names)
def test_a_template_has_no_inline_style_no_handler_and_no_raw_markup(path: Path):
    source = path.read_text("utf-8")

    assert not re.search(r"\sstyle\s*=", source)
    assert not re.search(r"\son[a-z]+\s*=", source)
    assert "autoescape false" not in source
    assert source.count("|safe") == (1 if path.name == "macros.html" else 0), "only the QR macro writes markup"


def test_no_hx_attribute_needs_eval():
    text = "\n".join(p.read_text("utf-8") for p in TEMPLATES)

    assert not re.search(r"hx-on|hx-vals=\"js:|hx-trigger=\"[^\"]*\[", text)


def test_every_icon_a_screen_names_is_drawn():
    drawn = set(re.findall(r'<symbol id="([a-z-]+)"', (WEB / "static/icons.svg").read_text(encoding="utf-8")))
    named = {name for path in TEMPLATES for name in re.findall(r"icon\('([a-z-]+)'\)", path.read_text(encoding="utf-8"))}
    entry = re.compile(r'Entry\((?:[^()]|\([^()]*\))*?"[a-z_]+\.[a-z_]+",\s*"([a-z-]+)"', re.DOTALL)
    listed = {name for path in WEB.rglob("*.py") for name in entry.findall(path.read_text(encoding="utf-8"))}

    assert len(listed) > 5
    assert sorted((named | listed) - drawn) == []
