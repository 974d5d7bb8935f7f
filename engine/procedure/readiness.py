"""What keeps a package that would run from being put in force: words missing in one language, law that is no longer in force."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from engine.errors import EngineError
from engine.procedure.law import acts_in
from engine.procedure.law_places import Place as Cited
from engine.procedure.law_places import places
from engine.procedure.package import DECLARATION, Package
from engine.procedure.report import Finding, Place, Report, ordered
from engine.procedure.toml_lines import line_of

TRANSLATIONS = frozenset(("name-in-english", "form-in-english"))
"""Warnings of the gate that refuse a publication: what people read is published in both languages or not at all."""


def strict(report: Report) -> Report:
    """Return the report as publication reads it: a missing translation refuses."""
    found = (replace(finding, severity="refused") if finding.rule in TRANSLATIONS else finding for finding in report.findings)
    return Report(report.key, report.content_hash, ordered(found))


def expired(package: Package, on: date) -> Iterator[Finding]:
    """Yield a finding for every act among the legal bases that is not in force on the day *on*, and for every place that still cites it.

    A ``[[legal_basis]]`` says since when it is in force (``from``) and, once it is replaced, the first day on which it is not (``to``).
    """
    text = package.files[DECLARATION].decode("utf-8", "replace")
    for number, basis in enumerate(package.legal_basis):
        if basis.valid_to is None or on < basis.valid_to:
            continue
        line = line_of(text, ("legal_basis", number, "to"))
        facts = {"act": basis.act[:120], "day": basis.valid_to.strftime("%d/%m/%Y")}
        yield Finding("law-expired", "refused", f"legal_basis[{number + 1}].to", "", Place(DECLARATION, line), facts)
        for cited in _citing(package, basis.act):
            if cited.kind != "procedure":
                yield Finding("law-expired-cited", "refused", _element(cited), cited.title.vi, Place(cited.file, cited.line), facts)


def _element(cited: Cited) -> str:
    return cited.key if cited.kind == "element" else ""


def _citing(package: Package, act: str) -> tuple[Cited, ...]:
    named = acts_in(act)
    if not named:
        return ()
    try:
        return tuple(place for place in places(package) if place.citation.act.same(named[0][2]))
    except EngineError:
        return ()
