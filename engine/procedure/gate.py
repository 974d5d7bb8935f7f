"""The publication gate: normalise, apply every rule, walk the state space; one report, all findings at once."""

from __future__ import annotations

from pathlib import Path

from engine.errors import EngineError, Refused
from engine.procedure import soundness
from engine.procedure.declaration import PackageInvalid
from engine.procedure.layout import check_layout
from engine.procedure.loader import load_folder
from engine.procedure.package import Package
from engine.procedure.paths import reachable
from engine.procedure.report import Finding, Place, Report, from_refusal, ordered
from engine.procedure.rules import RULES, STRUCTURE
from engine.procedure.rules.examined import Examined
from engine.procedure.rules.size import oversize

__all__ = ["Finding", "Report", "check", "check_folder"]


def check(package: Package, *, layout: bool = False) -> Report:
    """Return what the gate has to say about *package*; with *layout* also about its drawing.

    The proof run on the real engine is added by whoever publishes.
    """
    findings = [Finding("key-unread", "warning", unread.key, "", Place("procedure.toml", unread.line)) for unread in package.unread]
    try:
        oversized = list(oversize(package.diagram))
        if oversized:
            return Report(package.key, package.content_hash, ordered((*findings, *oversized)))
        examined = Examined(package)
    except Refused as refused:
        return Report(package.key, "", ordered((*findings, from_refusal(refused))))
    findings += examined.normalised.notes
    structural = [finding for rule in STRUCTURE for finding in rule(examined)]
    findings += structural
    findings += [finding for rule in RULES for finding in rule(examined)]
    if not any(finding.severity == "refused" for finding in structural):
        findings += _sound(examined)
    if layout:
        findings += drawing(package)
    return Report(package.key, package.content_hash, ordered(findings))


def check_folder(path: Path, *, layout: bool = False) -> tuple[Package | None, Report]:
    """Return the package in a folder with its report; faults of the loader are findings too."""
    try:
        package = load_folder(path)
    except PackageInvalid as invalid:
        return None, Report(path.name, "", ordered(from_refusal(problem) for problem in invalid.problems))
    except EngineError as refused:
        return None, Report(path.name, "", (from_refusal(Refused(refused.code, **{"file": path.name, **refused.facts})),))
    return package, check(package, layout=layout)


def drawing(package: Package) -> list[Finding]:
    """Return the flaws of the drawing as warnings."""
    found = []
    for flaw in check_layout(package.diagram):
        first = flaw.elements[0] if flaw.elements else ""
        node = package.diagram.nodes.get(first)
        place = Place(package.diagram.file, node.line if node is not None else None, "", flaw.x, flaw.y)
        facts = {"elements": ", ".join(flaw.elements), "other": flaw.elements[-1] if flaw.elements else "", "detail": flaw.detail}
        found.append(
            Finding(flaw.rule.replace(".", "-").replace("_", "-"), "warning", first, node.name if node is not None else "", place, facts)
        )
    return found


_RULES = {"deadlock": "deadlock", "twice": "twice", "dead": "dead", "livelock": "livelock"}


def _sound(examined: Examined) -> list[Finding]:
    diagram = examined.diagram
    findings: list[Finding] = []
    containers = list(diagram.containers)
    for container in containers:
        verdict = soundness.judge(diagram, container, budget=soundness.BUDGET // len(containers))
        for fault in verdict.faults:
            severity = "refused"
            element = fault.elements[0]
            if fault.kind == "twice" and not _on_the_main_way(examined, container, element):
                # A reminder that is still open when its step comes round again is two pieces of work, as the standard says.
                severity = "warning"
            found = examined.find(
                _RULES[fault.kind],
                element,
                "warning" if severity == "warning" else "refused",
                way=" → ".join(_named(examined, step) for step in fault.path),
                all=", ".join(_named(examined, name) for name in fault.elements),
            )
            findings.append(Finding(found.rule, found.severity, found.element, found.name, found.place, found.facts, fault.path))
        if not verdict.proved:
            findings.append(examined.find("not-proved", container, "warning", states=verdict.states))
    return findings


def _on_the_main_way(examined: Examined, container: str, element: str) -> bool:
    diagram = examined.diagram
    starts = [node.id for node in diagram.inside(container) if node.kind == "startEvent"]
    aside = [node.id for node in diagram.inside(container) if node.kind == "boundaryEvent" and not node.interrupting]
    return element in reachable(diagram, starts, without=aside)


def _named(examined: Examined, identifier: str) -> str:
    node = examined.diagram.nodes.get(identifier)
    return node.name or identifier if node is not None else identifier
