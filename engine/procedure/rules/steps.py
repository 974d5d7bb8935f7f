"""What the trade asks of a step: who, with which form, by when; and of a document: template, register, capacity, draft before signature."""

from __future__ import annotations

from collections.abc import Iterator

from engine.errors import EngineError
from engine.procedure.diagram import Node
from engine.procedure.loader import CAPACITIES
from engine.procedure.operators import ACTIONS, DRAFT
from engine.procedure.package import TermRule, template_file
from engine.procedure.paths import longest
from engine.procedure.report import Finding, Place
from engine.procedure.rules.examined import EXTENDED, Examined, extended_days, literal

HOURS_A_DAY = 8.0
"""Working hours of an ordinary day: only to compare the sum of stages with a term in days; due dates come from the calendar."""


def lane_known(examined: Examined) -> Iterator[Finding]:
    """Every step stands in one lane, and the package says who works there."""
    for node in examined.steps:
        if len(node.lanes) > 1:
            yield examined.find("lane-ambiguous", node, lanes=", ".join(node.lanes))
        elif node.lane is None:
            yield examined.find("lane-missing", node)
        elif examined.package.lane(node.lane) is None:
            yield examined.find("lane-unknown", node, lane=node.lane)


def lane_idle(examined: Examined) -> Iterator[Finding]:
    """A lane that two rules or no step use is probably a slip."""
    drawn = {lane.name for lane in examined.diagram.lanes}
    for rule in examined.package.lanes:
        if rule.id not in drawn:
            yield Finding("lane-idle", "note", "", rule.id, Place("procedure.toml"), {"lane": rule.id})


def name_missing(examined: Examined) -> Iterator[Finding]:
    """Steps and choices have names: people read them on their desks."""
    for node in examined.diagram.nodes.values():
        if "__of__" in node.id or node.name:
            continue
        if node.manual:
            yield examined.find("name-missing", node)
        elif node.kind in ("exclusiveGateway", "serviceTask") and len(examined.diagram.leaving(node.id)) > 1:
            yield examined.find("name-missing", node, "warning")


def name_in_english(examined: Examined) -> Iterator[Finding]:
    """Names speak both languages."""
    for node in examined.steps:
        if node.name and not node.properties.get("name_en"):
            yield examined.find("name-in-english", node, "warning")


def action_known(examined: Examined) -> Iterator[Finding]:
    """A step's action is one the product knows; the name of the person who starts it is not invented either."""
    for node in examined.steps:
        action = node.properties.get("action", "form")
        if action not in ACTIONS:
            yield examined.find("action-unknown", node, action=action, known=", ".join(ACTIONS))
        if node.properties.get("assign", "initiator") != "initiator":
            yield examined.find("assign-unknown", node, assign=node.properties["assign"])


def form_exists(examined: Examined) -> Iterator[Finding]:
    """A step that asks for answers has a form, and the form is in the package."""
    for node in examined.steps:
        form = node.properties.get("form")
        if form and form not in examined.package.form_keys:
            yield examined.find("form-unknown", node, form=form)
        elif not form and node.properties.get("action", "form") == "form":
            yield examined.find("form-missing", node)
    start = examined.package.start_form
    if start and start not in examined.package.form_keys:
        yield Finding("form-unknown", "refused", "", start, Place("procedure.toml"), {"form": start})


def form_readable(examined: Examined) -> Iterator[Finding]:
    """Every form of the package can be read."""
    for key in examined.package.form_keys:
        try:
            examined.package.form(key)
        except EngineError as refused:
            yield Finding(refused.code, "refused", str(refused.facts.get("key", "")), key, Place(f"forms/{key}.json"), dict(refused.facts))


def form_in_english(examined: Examined) -> Iterator[Finding]:
    """Labels and options speak both languages."""
    for key, form in examined.forms.items():
        for field in form.fields:
            if not field.label.en or any(not option.label.en for option in field.options):
                yield Finding("form-in-english", "warning", field.key, field.label.vi, Place(f"forms/{key}.json"), {"form": key})


def hours_of(node: Node) -> float | None:
    """Return the working hours of a step, ``None`` if they are missing or not a positive number."""
    try:
        hours = float(node.properties.get("stage_hours", ""))
    except ValueError:
        return None
    return hours if 0 < hours <= 10_000 else None


def stage_hours(examined: Examined) -> Iterator[Finding]:
    """Every step says how many working hours it may take."""
    for node in examined.steps:
        if hours_of(node) is None:
            yield examined.find("stage-hours", node)


def stages_within_term(examined: Examined) -> Iterator[Finding]:
    """The longest way through, each loop walked once, fits into the statutory term; while the clock stands still a step costs none.

    Steps behind an extension of so many working days fit, with all before them, into those days.
    """
    limit = term_hours(examined.package.term)
    if not examined.main or limit is None:
        return

    def counted(node: Node, *without: str) -> float:
        facts = examined.certain.get(node.id, frozenset())
        left_out = any(fact.startswith(("@suspended:", *without)) for fact in facts)
        return (hours_of(node) or 0.0) if node.manual and not left_out else 0.0

    ways = [(limit, longest(examined.diagram, examined.main, lambda node: counted(node, EXTENDED)))]
    granted = [HOURS_A_DAY * days for node in examined.diagram.nodes.values() for days in extended_days(node)]
    if granted:
        ways.append((max(limit, *granted), longest(examined.diagram, examined.main, counted)))
    for most, (total, way) in ways:
        if total > most:
            names = ", ".join(examined.diagram.nodes[name].name or name for name in way)
            yield examined.find("stages-within-term", way[-1], total=f"{total:g}", limit=f"{most:g}", way=names)
            return


def term_hours(term: TermRule) -> float | None:
    """Return a term as ordinary working hours."""
    match term.unit:
        case "same_day":
            return HOURS_A_DAY
        case "working_hour":
            return float(term.amount)
        case "working_day":
            return term.amount * HOURS_A_DAY
        case "calendar_day":
            return term.amount * HOURS_A_DAY * 5 / 7
    return None


def document_known(examined: Examined) -> Iterator[Finding]:
    """A step that signs or issues names a document the package declares."""
    declared = {document.key for document in examined.package.documents}
    for node in examined.steps:
        document = node.properties.get("document")
        if node.properties.get("action") in ("sign", "issue") and not document:
            yield examined.find("document-missing", node)
        elif document and document not in declared:
            yield examined.find("document-unknown", node, document=document)


def document_complete(examined: Examined) -> Iterator[Finding]:
    """A document has its template in the package, and its register when some step issues it."""
    issued = {node.properties.get("document") for node in examined.steps if node.properties.get("action") == "issue"}
    for document in examined.package.documents:
        if template_file(document.template) not in examined.package.files:
            yield Finding(
                "template-missing", "refused", document.key, document.name.vi, Place("procedure.toml"), {"template": document.template}
            )
        if document.key in issued and not document.agency_only and not (document.register and document.symbol):
            yield Finding("register-missing", "refused", document.key, document.name.vi, Place("procedure.toml"), {})
        for key in document.pages_of:
            if key not in {part.key for part in examined.package.components}:
                yield Finding("component-unknown", "refused", document.key, document.name.vi, Place("procedure.toml"), {"component": key})
    for paper in examined.package.papers:
        if template_file(paper.template) not in examined.package.files:
            yield Finding("template-missing", "refused", paper.key, paper.name.vi, Place("procedure.toml"), {"template": paper.template})


def capacity_known(examined: Examined) -> Iterator[Finding]:
    """A signing step has a signing capacity of NĐ 30/2020, article 13, its own or the document's."""
    documents = {document.key: document for document in examined.package.documents}
    for node in examined.steps:
        if node.properties.get("action") != "sign":
            continue
        document = documents.get(node.properties.get("document", ""))
        capacity = node.properties.get("capacity") or (document.capacity if document is not None else "")
        if capacity not in CAPACITIES:
            yield examined.find("capacity-unknown", node, capacity=capacity, known=", ".join(CAPACITIES))


def draft_before_signing(examined: Examined) -> Iterator[Finding]:
    """On every path the document is drafted before somebody signs it; an annex or a copy before the agency does."""
    alone = {document.key for document in examined.package.documents if document.agency_only}
    drafted = {
        literal(node.operator.parameters.get("document", ""))
        for node in examined.diagram.nodes.values()
        if node.operator and node.operator.id == DRAFT
    }
    for node in examined.steps:
        document = node.properties.get("document", "")
        if node.properties.get("action") not in ("sign", *(("issue",) if document in alone else ())) or not document:
            continue
        if document not in drafted or f"@draft:{document}" not in examined.certain.get(node.id, frozenset()):
            yield examined.find("draft-before-signing", node, document=document)


def signature_before_issue(examined: Examined) -> Iterator[Finding]:
    """On every path the leader signs before the clerk gives the number, unless the register numbers first."""
    order = {document.key: document.order for document in examined.package.documents}
    for node in examined.steps:
        document = node.properties.get("document", "")
        if node.properties.get("action") != "issue" or order.get(document) != "leader_first":
            continue
        if f"@signed:{document}" not in examined.certain.get(node.id, frozenset()):
            yield examined.find("signature-before-issue", node, document=document)


def agency_only_kind(examined: Examined) -> Iterator[Finding]:
    """What the agency alone signs is either an annex of a numbered document or a copy, and has no number of its own."""
    numbered = {document.key for document in examined.package.documents if document.register and not document.agency_only}
    for document in examined.package.documents:
        told = bool(document.annex_of) + bool(document.copy)
        if told != int(document.agency_only) or (told and document.register):
            yield Finding("agency-only-kind", "refused", document.key, document.name.vi, Place("procedure.toml"), {})
        elif document.annex_of and document.annex_of not in numbered:
            facts = {"document": document.annex_of}
            yield Finding("annex-of-unknown", "refused", document.key, document.name.vi, Place("procedure.toml"), facts)


def annex_after_document(examined: Examined) -> Iterator[Finding]:
    """No leader signs an annex or a copy; on every path the document has its number before its annex bears it."""
    alone = {document.key: document for document in examined.package.documents if document.agency_only}
    for node in examined.steps:
        document = alone.get(node.properties.get("document", ""))
        action = node.properties.get("action")
        if document is None:
            continue
        if action == "sign":
            yield examined.find("leader-signs-attachment", node, document=document.key)
        elif action == "issue" and document.annex_of and f"@issued:{document.annex_of}" not in examined.certain.get(node.id, frozenset()):
            yield examined.find("annex-before-document", node, document=document.annex_of)


def same_hand(examined: Examined) -> Iterator[Finding]:
    """Whoever examines does not sign, and whoever asks does not sign for themselves (separation of duties).

    An internal procedure may let one official check and sign; that is a warning.
    """
    lanes = {node.lane or "": examined.package.lane(node.lane) for node in examined.steps}
    roles = {name: lane.role for name, lane in lanes.items() if lane is not None}
    examining = {roles.get(node.lane or "") for node in examined.steps if node.properties.get("action", "form") == "form"}
    for node in examined.steps:
        role = roles.get(node.lane or "")
        if node.properties.get("action") != "sign" or role is None:
            continue
        if role == "initiator":
            yield examined.find("same-hand", node, role=role)
        elif role in examining and not _leads(role):
            yield examined.find("same-hand", node, "warning" if examined.package.scope == "internal" else "refused", role=role)


def _leads(role: str) -> bool:
    """An agency's leader may both give an opinion and sign: the law separates drafter and signer, not opinion and signature."""
    return role in ("agency_leader", "head", "deputy_head")
