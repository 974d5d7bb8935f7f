"""What the gate found: each finding names rule, element and place, and speaks both languages through the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.errors import Refused
from engine.procedure.diagram import Diagram, Flow, Node
from engine.procedure.sources import SOURCES
from engine.sentences import Sentence, sentence

Severity = Literal["refused", "warning", "note"]
_ORDER = {"refused": 0, "warning": 1, "note": 2}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a finding is: a file and line, and in a diagram the level and the corner of the drawn shape."""

    file: str
    line: int | None = None
    container: str = ""
    x: float | None = None
    y: float | None = None


@dataclass(frozen=True)
class Finding:
    """One thing the gate has to say about one element."""

    rule: str
    severity: Severity
    element: str
    name: str
    place: Place
    facts: Mapping[str, Any] = field(default_factory=dict)
    path: tuple[str, ...] = ()
    """Identifiers of the nodes of a counter-example, from the start to the fault."""

    def sentence(self, language: str = "vi") -> Sentence:
        """Return what is wrong, why, and what to do."""
        code = self.rule if "." in self.rule else f"gate.{self.rule.replace('-', '_')}"
        facts = {"subject": self.subject, **self.facts}
        if "reason_code" in facts:
            facts["reason"] = sentence(facts["reason_code"], language, facts.get("reason_facts")).what
        return sentence(code, language, facts)

    @property
    def subject(self) -> str:
        """The element as sentences name it: «name» (id)."""
        return f"«{self.name}» ({self.element})" if self.name and self.element else self.element or self.name

    @property
    def vi(self) -> str:
        """The Vietnamese sentence without the repair."""
        text = self.sentence("vi")
        return f"{text.what} {text.why}".strip()

    @property
    def en(self) -> str:
        """The English sentence without the repair."""
        text = self.sentence("en")
        return f"{text.what} {text.why}".strip()

    def repair(self, language: str = "vi") -> str:
        """Return the proposed repair."""
        return self.sentence(language).do

    def as_json(self) -> dict[str, Any]:
        """Return the finding for machines: stable keys, both languages."""
        return {
            "rule": self.rule,
            "source": SOURCES.get(self.rule, ""),
            "severity": self.severity,
            "element": self.element,
            "name": self.name,
            "place": {
                "file": self.place.file,
                "line": self.place.line,
                "container": self.place.container,
                "x": self.place.x,
                "y": self.place.y,
            },
            "vi": self.vi,
            "en": self.en,
            "repair": {"vi": self.repair("vi"), "en": self.repair("en")},
            "path": list(self.path),
        }


@dataclass(frozen=True)
class Report:
    """All findings about one package, the refusing ones first."""

    key: str
    content_hash: str
    findings: tuple[Finding, ...]

    @property
    def refused(self) -> tuple[Finding, ...]:
        """What keeps the package from being published."""
        return tuple(finding for finding in self.findings if finding.severity == "refused")

    @property
    def passed(self) -> bool:
        """Whether the package may be published."""
        return not self.refused

    def with_findings(self, more: Iterable[Finding]) -> Report:
        """Return the report with *more* findings, sorted again."""
        return Report(self.key, self.content_hash, ordered((*self.findings, *more)))

    def as_json(self) -> dict[str, Any]:
        """Return the report for machines."""
        return {
            "key": self.key,
            "content_hash": self.content_hash,
            "passed": self.passed,
            "counts": {severity: sum(finding.severity == severity for finding in self.findings) for severity in _ORDER},
            "findings": [finding.as_json() for finding in self.findings],
        }

    def require(self) -> None:
        """Raise unless the package may be published.

        Raises: Refused ``procedure.refused``.
        """
        if self.refused:
            raise Refused("procedure.refused", count=len(self.refused), key=self.key)


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings without repetition in a stable order: severity, file, level, line, element, rule."""
    unique = {(finding.rule, finding.element, finding.vi): finding for finding in findings}
    return tuple(
        sorted(
            unique.values(),
            key=lambda found: (
                _ORDER[found.severity],
                found.place.file,
                found.place.line or 0,
                found.element,
                found.rule,
            ),
        )
    )


def from_refusal(refused: Refused, severity: Severity = "refused") -> Finding:
    """Return a refusal of the loader as a finding of the report."""
    facts = dict(refused.facts)
    form = facts.get("form")
    file = str(facts.get("file") or (f"forms/{form}.json" if form else "procedure.toml"))
    line = facts.get("line")
    name = str(facts.get("key") or "")
    return Finding(refused.code, severity, name, "", Place(file, line if isinstance(line, int) else None), facts)


def at(
    diagram: Diagram,
    rule: str,
    element: Node | Flow | str,
    severity: Severity = "refused",
    *,
    path: Iterable[str] = (),
    **facts: Any,
) -> Finding:
    """Return a finding about *element* of *diagram*; what the normaliser inserted is reported at its origin."""
    identifier = origin(element if isinstance(element, str) else element.id)
    known: Node | Flow | None = diagram.nodes.get(identifier) or diagram.flows.get(identifier)
    box = diagram.boxes.get(identifier)
    edge = next((edge for edge in diagram.edges if edge.element == identifier and edge.points), None)
    x, y = (box.x, box.y) if box is not None else edge.points[0] if edge is not None else (None, None)
    if known is None and identifier in diagram.containers:
        container = diagram.containers[identifier]
        return Finding(
            rule, severity, identifier, container.name, Place(diagram.file, container.line, identifier, x, y), facts, tuple(path)
        )
    return Finding(
        rule,
        severity,
        identifier,
        known.name if known is not None else "",
        Place(diagram.file, known.line if known is not None else None, known.container if known is not None else "", x, y),
        facts,
        tuple(dict.fromkeys(origin(step) for step in path)),
    )


def origin(identifier: str) -> str:
    """Return the designer's element behind an element that the normaliser inserted."""
    return identifier.rsplit("__of__", 1)[1] if "__of__" in identifier else identifier
