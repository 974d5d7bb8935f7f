"""The traps of signing and verifying, each with our guard and the tests that fail without it: ``python -m tests.signing.traps --write``.

The traps themselves stand in ``docs/signing-traps.toml``; here are the documents each finding of the lint is shown with.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

from pikepdf import Array, Dictionary, Name, Pdf, String

from tests.signing import switches

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "signing-traps.md"
T = "tests/signing/"
TRAPS = tomllib.loads((ROOT / "docs" / "signing-traps.toml").read_text("utf-8"))["trap"]


def _altered(alter: Callable[[Pdf], object]) -> Callable[[bytes], bytes]:
    def made(content: bytes) -> bytes:
        with Pdf.open(io.BytesIO(content)) as pdf:
            alter(pdf)
            pdf.save(out := io.BytesIO())
        return out.getvalue()

    return made


def _set(key: str, value: Callable[[Pdf], object]) -> Callable[[bytes], bytes]:
    return _altered(lambda pdf: pdf.Root.__setitem__(key, value(pdf)))


def _noted(pdf: Pdf) -> None:
    note = pdf.make_indirect(Dictionary(Type=Name.Annot, Subtype=Name.Square, Rect=[0, 0, 9, 9]))
    pdf.pages[0].obj.Annots = Array([*pdf.pages[0].obj.get("/Annots", []), note])


def _loose_font(pdf: Pdf) -> None:
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name("/Times-Roman"))
    pdf.pages[0].obj.Resources.Font["/Foreign"] = pdf.make_indirect(font)


def _second_tree(pdf: Pdf) -> None:
    tree = pdf.make_indirect(Dictionary(Type=Name.Pages, Count=0, Kids=Array([])))
    pdf.Root["/Shadow"] = tree


def _revised(content: bytes) -> bytes:
    from pyhanko.pdf_utils import generic
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    for number in range(2):
        writer = IncrementalPdfFileWriter(io.BytesIO(content))
        writer.root[generic.NameObject("/Lang")] = generic.pdf_string(f"vi-{number}")
        writer.update_root()
        writer.write(out := io.BytesIO())
        content = out.getvalue()
    return content


LINT: dict[str, Callable[[bytes], bytes]] = {
    "lint.revisions": _revised,
    "lint.hybrid": _altered(lambda pdf: pdf.trailer.__setitem__("/Note", String("/XRefStm 1"))),
    "lint.active": _set("/OpenAction", lambda _: Dictionary(S=Name.JavaScript, JS=String("1"))),
    "lint.form": _set("/AcroForm", lambda _: Dictionary(Fields=Array([]))),
    "lint.layers": _set("/OCProperties", lambda _: Dictionary(OCGs=Array([]), D=Dictionary())),
    "lint.permissions": _set("/Perms", lambda _: Dictionary()),
    "lint.annotations": _altered(_noted),
    "lint.fonts": _altered(_loose_font),
    "lint.orphans": _altered(_second_tree),
}
"""For every finding of the lint a document that has no other."""


def link(test: str) -> str:
    """A test as a link from ``docs/``."""
    file, name = (T + test).split("::")
    return f"[{name}](../{file})"


def page() -> str:
    """The whole page."""
    rows = "".join(
        f"| {one.get('number', '')} | {one['what']} | {one['guard']} | {'<br>'.join(link(test) for test in one['tests'])} |\n"
        for one in TRAPS
    )
    guards = "".join(f"| {one.name} | {one.where} | {one.asks} |\n" for one in (*switches.GUARDS, *switches.XML_GUARDS, *switches.LIMITS))
    return f"""# Traps of signing, and the tests that fail without our guard

Written by `python -m tests.signing.traps --write` from `docs/signing-traps.toml`; a test compares. What the attack generators do and how
many documents they made is told in [signing-attacks.md](signing-attacks.md).

## The traps

| # | what happens | our guard | shown by |
|---|---|---|---|
{rows}
## The guards, switched off one by one

`tests/signing/test_guards_off.py` switches them off: with none of them the attack passes, with one alone it is stopped, and for those that
nothing else replaces the attack passes with only this one off (`IRREPLACEABLE`). `tests/signing/test_xml_guards_off.py` does the same with
the guards of signed XML and with the limits of the verifying process. Before the first signature every finding of the lint has a
document that no other finding stops ({", ".join(f"`{code}`" for code in sorted(LINT))}).

| guard | where | what it asks |
|---|---|---|
{guards}"""


def missing() -> list[str]:
    """Tests that are named and do not exist."""
    absent = []
    for test in {test for one in TRAPS for test in one["tests"]}:
        file, name = (T + test).split("::")
        tree = ast.parse((ROOT / file).read_text("utf-8"))
        if name not in {one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)}:
            absent.append(test)
    return sorted(absent)


def stated() -> set[str]:
    """Every finding the lint can state, from its source."""
    return set(re.findall(r'"(lint\.[a-z]+)"', (ROOT / "signing" / "pdf_findings.py").read_text("utf-8")))


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(page(), "utf-8")
    else:
        print(page())


__all__ = ["LINT", "PAGE", "TRAPS", "missing", "page", "stated"]
