"""Whatever the three editors say, they say in Vietnamese: every word of theirs goes through our words, in panel, palette and menus."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable

import pytest
from playwright.sync_api import Page

from engine.settings import ROOT
from tests.journeys.steps import DESIGNER, Person

pytestmark = pytest.mark.browser
READY = "body[data-editor-ready]"
LIBRARIES = ROOT / "webapp" / "assets" / "node_modules"
EDITOR = ROOT / "webapp" / "assets" / "src" / "editor"
FEES = ROOT / "tests" / "rules" / "feel" / "models" / "fees.dmn"
KINDS = (
    "textfield",
    "textarea",
    "number",
    "select",
    "radio",
    "checklist",
    "checkbox",
    "datetime",
    "filepicker",
    "text",
    "separator",
    "spacer",
    "group",
)
SPOKEN = r"""translate\(\s*(['"])((?:(?!\1).)*)\1"""
MENUS = ".table-canvas :is(.context-menu, .view-drd, .hit-policy, .add-input, .add-output)"
SAID = """roots => { const found = new Set(), skip = '.cm-editor, textarea, script, style, [data-typed]';
  for (const root of document.querySelectorAll(roots)) {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) if (!node.parentElement.closest(skip)) found.add(node.data.trim());
    for (const name of ['title', 'placeholder', 'aria-label'])
      for (const element of root.querySelectorAll(`[${name}]`)) found.add(element.getAttribute(name).trim());
  } return [...found]; }"""


def words_of(file: str, name: str) -> set[str]:
    """The English sentences a dictionary of ours knows."""
    source = (EDITOR / file).read_text("utf-8").split(f"const {name} = {{")[1].split("\n};")[0]
    return {
        match[2] or match[3] or match[1]
        for match in re.finditer(r"""(?:^\s*|[,{]\s*)(?:(\w[\w-]*)|'((?:[^'\\]|\\.)*)'|"([^"]*)"): '""", source, re.MULTILINE)
    }


def said_by(*packages: str) -> set[str]:
    """Every sentence the sources of a library hand to their translator."""
    files = [path for package in packages for path in (LIBRARIES / package / "lib").rglob("*.js")]
    assert files
    return {match[2] for path in files for match in re.finditer(SPOKEN, path.read_text("utf-8"))}


def test_every_sentence_of_the_diagram_editor_has_its_vietnamese():
    said = said_by("bpmn-js", "diagram-js", "diagram-js-minimap")

    assert len(said) > 40
    assert {one for one in said if not errors(one)} - words_of("words.mjs", "WORDS") == set()


def test_every_sentence_of_the_table_editor_has_its_vietnamese():
    said = said_by(*(path.name for path in LIBRARIES.glob("dmn-js*") if (path / "lib").is_dir()))

    assert len(said) > 100
    assert said - words_of("table-words.mjs", "TABLE_WORDS") == set()


def errors(text: str) -> bool:
    """Sentences for programmers: what an import of a broken file says on the console."""
    return bool(
        re.search(
            r"\{|\+|missing|must not|already|failed|multiple|no process|unresolved|not yet|unknown|out of bounds|no parent|no plane", text
        )
    )


def test_both_languages_of_the_panel_have_the_same_words():
    source = (EDITOR / "words.mjs").read_text("utf-8").split("const PANELS = {")[1].split("\n};")[0]
    vietnamese, english = source.split("\n  en: {")

    keys = [set(re.findall(r"(?:^\s*|[,{]\s*)(\w+): '", part, re.MULTILINE)) for part in (vietnamese, english)]

    assert keys[0] == keys[1]
    assert len(keys[0]) > 50


def begun(designer: Person) -> str:
    page = designer.open("/designer/drafts")
    page.locator("form[action$='/certified_electronic_copy/drafts'] button").first.click()
    page.wait_for_selector(READY)
    return page.url


def kept(designer: Person, address: str, name: str, content: str) -> None:
    page = designer.page
    fields = {"csrf_token": page.locator("main input[name=csrf_token]").first.input_value(), "name": name, "content": content,
              "version": page.locator("#save-number").inner_text()}  # fmt: skip
    assert designer.context.request.post(f"{address}/files", form=fields, headers={"Accept": "application/json"}).ok


def forgotten(texts: Iterable[str]) -> set[str]:
    """What did not go through our words and is neither typed by people nor a sign."""
    left = (re.sub(r"⟦[^⟦⟧]*⟧", "", text) for text in texts)
    return {text.strip() for text in left if re.search(r"[A-Za-z]{2}", text) and not TYPED.search(text)}


TYPED = re.compile(r"ZZ|k_\w+|Powered by|Phí|dossier|date|dd/mm|hh:mm|boolean|string|number|[Dd]uration|time|FEEL|^F$|^\d+[hm]$|fee")


def test_palette_and_panel_of_the_form_editor_speak_vietnamese(somebody: Callable[..., Person]):
    designer = somebody(DESIGNER)
    address = begun(designer)
    choices = {"values": [{"label": "ZZ", "value": "zz"}]}
    parts = [
        {"type": kind, "id": f"Id_{kind}", "key": f"k_{kind}", "label": "ZZ", "text": "ZZ"}
        | (choices if kind in ("select", "radio", "checklist") else {})
        | ({"components": []} if kind == "group" else {"subtype": "datetime"} if kind == "datetime" else {})
        for kind in KINDS
    ]
    kept(designer, address, "forms/review.json", json.dumps({"type": "default", "id": "F", "components": parts, "schemaVersion": 18}))
    designer.context.add_cookies([{"name": "language", "value": "xx", "url": designer.address}])
    page = designer.page
    page.goto(f"{address}/edit/forms/review.json")
    page.wait_for_selector(READY)

    left = set(spoken(page, "#form-canvas .fjs-palette-container"))
    for kind in KINDS:
        page.locator(f".fjs-element[data-id=Id_{kind}]").first.click(position={"x": 4, "y": 4})
        page.evaluate("document.querySelectorAll('.bio-properties-panel-group-header:not(.open)').forEach(header => header.click())")
        left |= spoken(page, "#form-canvas .fjs-properties-container")

    assert left == set()


def test_menus_of_the_table_editor_speak_vietnamese(somebody: Callable[..., Person]):
    designer = somebody(DESIGNER)
    address = begun(designer)
    kept(designer, address, "decisions/fees.dmn", FEES.read_text("utf-8"))
    designer.context.add_cookies([{"name": "language", "value": "xx", "url": designer.address}])
    page = designer.page
    page.goto(f"{address}/edit/decisions/fees.dmn")
    page.wait_for_selector(READY)
    page.locator(".table-canvas td", has_text="20000").first.click(button="right")

    assert page.locator(".table-canvas .context-menu, .dmn-decision-table-container .context-menu").first.is_visible()
    assert spoken(page, MENUS) == set()


def spoken(page: Page, roots: str) -> set[str]:
    page.wait_for_timeout(50)
    return forgotten(page.evaluate(SAID, roots))
