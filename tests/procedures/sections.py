"""Titles of the sections of BPMN 2.0.2 that rules cite, as found when the numbers were checked; `docs/gate-rules.md` shows them."""

from __future__ import annotations

import re

SECTIONS = {
    "2.2": "Process Modeling Conformance",
    "7.6.1": "Sequence Flow Connections Rules",
    "7.6.2": "Message Flow Connection Rules",
    "8.3.1": "Base Element",
    "8.3.3": "Extensibility",
    "8.4.1": "Artifacts",
    "8.4.2": "Correlation",
    "8.4.3": "Error",
    "8.4.4": "Escalation",
    "8.4.6": "Expressions",
    "8.4.9": "Gateways",
    "8.4.11": "Message",
    "8.4.13": "Sequence Flow",
    "9.3": "Pool and Participant",
    "9.4": "Message Flow",
    "10.2.1": "Types of BPMN Processes",
    "10.3": "Activities",
    "10.3.3": "Tasks",
    "10.3.5": "Sub-Processes",
    "10.3.6": "Call Activity",
    "10.3.7": "Global Task",
    "10.3.8": "Loop Characteristics",
    "10.4.1": "Data Modeling",
    "10.5.1": "Concepts",
    "10.5.2": "Start Event",
    "10.5.3": "End Event",
    "10.5.4": "Intermediate Event",
    "10.5.5": "Event Definitions",
    "10.5.6": "Handling Events",
    "10.5.7": "Scopes",
    "10.6.1": "Sequence Flow Considerations",
    "10.6.2": "Exclusive Gateway",
    "10.6.3": "Inclusive Gateway",
    "10.6.4": "Parallel Gateway",
    "10.6.5": "Complex Gateway",
    "10.6.6": "Event-Based Gateway",
    "10.7": "Compensation",
    "10.8": "Lanes",
    "11.1": "General",
    "13.2": "Process Instantiation and Termination",
    "13.3.1": "Sequence Flow Considerations",
    "13.3.4": "Sub-Process / Call Activity",
    "13.3.7": "Multiple Instances Activity",
    "13.4": "Gateways",
    "13.5.3": "Intermediate Boundary Events",
    "13.5.4": "Event Sub-Processes",
    "15.2": "Machine Readable Files",
    "15.3": "XSD",
}

CHECKED = """
## How the sections were checked

On 2026-11-26 every number of a section of BPMN 2.0.2 above was held against descriptions of formal/2013-12-09 that others keep
in public repositories, made independently of each other, with titles and, mostly, page numbers; and what a rule cites a section
for, against what they say stands there. The text of the standard itself was not at hand: a number is right by their word. Five
were wrong before and were mended (the schema is no annex but 15.2 and 15.3; several tokens on one path are 13.3.1, not 13.3.2).
Of DMN 1.3, clauses 6.3 and 10.3 were checked in the same way. Articles of law were no part of this check. A number without a
title in this list fails a test.

"""


def cited(source: str) -> set[str]:
    """Return the numbers of sections of BPMN 2.0.2 in the *source* of a rule."""
    found: set[str] = set()
    for said in source.split("BPMN 2.0.2,")[1:]:
        ours = re.split(r"DMN|defect|docs/|ISO", said)[0]
        found.update(re.findall(r"(?<!table )\b\d+(?:\.\d+)+", re.sub(r"\([^)]*\)", "", ours)))
    return found


def written() -> str:
    """Return the part of the table's page that says what was checked."""
    return CHECKED + "; ".join(f"{number} {title}" for number, title in SECTIONS.items()) + ".\n"
