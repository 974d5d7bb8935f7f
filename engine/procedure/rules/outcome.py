"""What the dossier gets: known operators with their parameters, a supplement that comes back, an outcome on every path."""

from __future__ import annotations

from collections.abc import Iterator

from engine.procedure.diagram import CATCHING, Node
from engine.procedure.operators import MESSAGES, NOTICE, OPERATORS, SUPPLEMENT, SUPPLEMENT_ANSWERED
from engine.procedure.paths import reachable
from engine.procedure.report import Finding
from engine.procedure.rules.examined import Examined, literal
from engine.procedure.scope import variable_of


def operator_known(examined: Examined) -> Iterator[Finding]:
    """A service task calls an operator of the product; there is no other way to act."""
    for node in examined.diagram.nodes.values():
        if node.kind == "serviceTask" and node.operator is None:
            yield examined.find("operator-missing", node)
        elif node.operator is not None and (node.operator.id not in OPERATORS or node.kind != "serviceTask"):
            yield examined.find("operator-unknown", node, operator=node.operator.id, known=", ".join(OPERATORS))


def operator_parameters(examined: Examined) -> Iterator[Finding]:
    """An operator gets the parameters it needs and none it does not know."""
    for node in examined.diagram.nodes.values():
        kind = OPERATORS.get(node.operator.id) if node.operator is not None else None
        if kind is None or node.operator is None:
            continue
        given = {name for name, value in node.operator.parameters.items() if value.strip()}
        for name in sorted((kind.required | set(node.operator.parameters)) - given):
            yield examined.find("parameter-missing", node, parameter=name, operator=node.operator.id)
        for name in sorted(set() if kind.open else set(node.operator.parameters) - kind.required - kind.optional):
            yield examined.find("parameter-unknown", node, parameter=name, operator=node.operator.id)


def operator_document(examined: Examined) -> Iterator[Finding]:
    """A document named by an operator is declared by the package."""
    declared = {document.key for document in examined.package.documents}
    for node in examined.diagram.nodes.values():
        kind = OPERATORS.get(node.operator.id) if node.operator is not None else None
        if kind is None or not kind.document or node.operator is None or "document" not in node.operator.parameters:
            continue
        document = literal(node.operator.parameters["document"])
        if document not in declared:
            yield examined.find("document-unknown", node, document=document)


def notice_known(examined: Examined) -> Iterator[Finding]:
    """The template of a notice is declared by the package."""
    for node in examined.diagram.nodes.values():
        if node.operator is None or node.operator.id != NOTICE:
            continue
        template = literal(node.operator.parameters.get("template", ""))
        if template and template not in examined.package.notices:
            yield examined.find("notice-unknown", node, template=template)


def supplement_answered(examined: Examined) -> Iterator[Finding]:
    """A supplement request is followed by the wait for its answer, and the answer leads back to the step that asked."""
    diagram = examined.diagram
    for node in diagram.nodes.values():
        if node.operator is None or node.operator.id != SUPPLEMENT:
            continue
        waits = [diagram.nodes[flow.target] for flow in diagram.leaving(node.id) if flow.target in diagram.nodes]
        waits = [wait for wait in waits if _awaits(examined, wait)]
        if not waits:
            yield examined.find("supplement-unanswered", node)
        elif not _comes_back(examined, node, waits[0].id):
            yield examined.find("supplement-not-back", node)


def supplement_asked(examined: Examined) -> Iterator[Finding]:
    """A wait for a supplement begins with the written request that stops the clock: nothing else pauses a term."""
    diagram = examined.diagram
    for node in diagram.nodes.values():
        if node.kind not in ("intermediateCatchEvent", "boundaryEvent", "receiveTask", "startEvent"):
            continue
        awaited = {event.reference for event in node.events if event.kind == "message"} | {node.attributes.get("messageRef")}
        if SUPPLEMENT_ANSWERED not in {diagram.name_of(reference) for reference in awaited}:
            continue
        before = [diagram.nodes[flow.source] for flow in diagram.entering(node.id) if flow.source in diagram.nodes]
        gateways = [one for one in before if one.kind == "eventBasedGateway"]
        before = [one for one in before if one not in gateways]
        before += [diagram.nodes[flow.source] for one in gateways for flow in diagram.entering(one.id) if flow.source in diagram.nodes]
        if not before or any(one.operator is None or one.operator.id != SUPPLEMENT for one in before):
            yield examined.find("supplement-not-asked", node)


def reason_given(examined: Examined) -> Iterator[Finding]:
    """A refusal and a request for a supplement give their reason: it comes from a field that must be filled in."""
    for node in examined.diagram.nodes.values():
        kind = OPERATORS.get(node.operator.id) if node.operator is not None else None
        if kind is None or node.operator is None or "reason" not in kind.required:
            continue
        variable, dot, key = node.operator.parameters.get("reason", "").strip().partition(".")
        forms = {step.properties.get("form", "") for step in examined.steps if variable_of(step) == variable} if dot else set()
        for form in sorted(forms & set(examined.forms)):
            for field in examined.forms[form].fields:
                if field.key == key and not field.required:
                    yield examined.find("reason-optional", node, field=f"{variable}.{key}", form=form)


def _comes_back(examined: Examined, request: Node, wait: str) -> bool:
    """Whether the answer leads to the request again: on its own level, or out of the shared part it stands in and round to it."""
    diagram = examined.diagram
    if request.id in reachable(diagram, [wait]):
        return True
    outer = [diagram.nodes[level] for level in diagram.level(request.container) if level in diagram.nodes]
    return any(group.id in reachable(diagram, [flow.target for flow in diagram.leaving(group.id)]) for group in outer)


def _awaits(examined: Examined, node: Node) -> bool:
    if node.kind == "eventBasedGateway":
        return any(_awaits(examined, examined.diagram.nodes[flow.target]) for flow in examined.diagram.leaving(node.id))
    return node.kind == "intermediateCatchEvent" and any(
        event.kind == "message" and examined.diagram.name_of(event.reference) == SUPPLEMENT_ANSWERED for event in node.events
    )


def message_known(examined: Examined) -> Iterator[Finding]:
    """What the procedure waits for is sent by somebody: the office, the diagram itself, or a dossier of another procedure.

    Another procedure can only reach it by a signal, or by a message with a business key; the gate cannot see whether one does.
    """
    diagram = examined.diagram
    thrown = {
        event.reference for node in diagram.nodes.values() if node.kind in ("intermediateThrowEvent", "endEvent") for event in node.events
    }
    thrown |= {node.attributes.get("messageRef") for node in diagram.nodes.values() if node.kind == "sendTask"}
    for node in diagram.nodes.values():
        awaited = [(event.kind, event.reference) for event in node.events] if node.kind in CATCHING else []
        if node.kind == "receiveTask":
            awaited.append(("message", node.attributes.get("messageRef")))
        for kind, reference in awaited:
            name = diagram.name_of(reference)
            if kind not in ("message", "signal") or not name or reference in thrown or (kind == "message" and name in MESSAGES):
                continue
            if kind == "signal" or reference in examined.keyed:
                yield examined.find("sent-elsewhere", node, "warning", message=name)
            else:
                yield examined.find("message-unknown", node, message=name, known=", ".join(sorted(MESSAGES)))


def no_outcome(examined: Examined) -> Iterator[Finding]:
    """Every path ends in a result, a reasoned refusal or a withdrawal."""
    diagram, main = examined.diagram, examined.main
    if not main:
        return
    starts = [node.id for node in diagram.inside(main) if node.kind == "startEvent"]
    aside = {event.id for event in diagram.nodes.values() if event.kind == "boundaryEvent" and not event.interrupting}
    leading = reachable(diagram, starts, without=aside)
    for node in diagram.inside(main):
        # A reminder beside the main way ends by itself; it decides nothing.
        if node.kind != "endEvent" or node.id not in leading or "@outcome" in examined.certain.get(node.id, frozenset()):
            continue
        if any(node.id in pair for pair in examined.parallel) and node.event() == "none":
            yield examined.find("no-outcome", node, "warning")
        else:
            yield examined.find("no-outcome", node)
