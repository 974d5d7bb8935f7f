"""Every expression of the package compiles, and counts only on what every path to its place has set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lxml import etree

from engine.feel import Expression, FeelError, FeelType, compile_expression
from engine.procedure.diagram import SPIFF, Flow, Node, bpmn, text_of
from engine.procedure.foreign import FORMAL
from engine.procedure.form_fields import Field
from engine.procedure.juel import is_juel
from engine.procedure.normaliser import CYCLE, DURATION
from engine.procedure.report import Finding, Place
from engine.procedure.rules.examined import Examined
from engine.procedure.scope import FUNCTIONS, field_type

YES_OR_NO = ("boolean",)
MOMENT = ("days and time duration", "years and months duration", "date and time", "date", "string")
COUNT = ("number",)


def condition(examined: Examined) -> Iterator[Finding]:
    """Conditions of flows."""
    diagram = examined.diagram
    for flow in diagram.flows.values():
        if flow.condition is not None and flow.condition.strip() and flow.source in diagram.nodes:
            yield from _judged(examined, flow, flow.source, flow.condition, YES_OR_NO, after=True)


def expression_language(examined: Examined) -> Iterator[Finding]:
    """An expression that names its language names FEEL; JUEL was told in FEEL where both mean the same."""
    for element in examined.original.root.iter(*(bpmn(name) for name in sorted(FORMAL))):
        language = element.get("language", "")
        if language and not any(known in language.lower() for known in ("feel", "dmn", "juel")):
            owner = next((one.get("id", "") for one in (element, *element.iterancestors()) if one.get("id")), "")
            yield examined.find("expression-language", owner, language=language)


def timer(examined: Examined) -> Iterator[Finding]:
    """Timers: a literal that is a real deadline, or an expression (defects 12, 13, 22, 31)."""
    for node in examined.diagram.nodes.values():
        for event in node.events:
            if event.kind != "timer":
                continue
            if not event.text or _is_empty_deadline(event.text):
                yield examined.find("timer", node, text=event.text)
            elif event.expression == "timeCycle" and CYCLE.fullmatch(event.text.strip('"')):
                if node.interrupting or node.kind != "boundaryEvent":
                    yield examined.find("timer-cycle", node)
            elif event.expression == "timeDate" and _is_naive(event.text):
                yield examined.find("timer", node, text=event.text)
            else:
                # A boundary timer starts together with its step: it may count on what the step could.
                yield from _judged(examined, node, node.id, event.text, MOMENT)


def watched_condition(examined: Examined) -> Iterator[Finding]:
    """Conditions an event waits for: they watch the answers of the whole dossier, also those nobody has given yet."""
    for node in examined.diagram.nodes.values():
        for event in node.events:
            if event.kind != "conditional":
                continue
            compiled = _compiled(event.text, examined.types)
            if not event.text.strip():
                yield examined.find("condition-event", node)
            elif isinstance(compiled, FeelError):
                yield examined.find("expression", node, **_facts(compiled, event.text))
            elif not _gives(compiled, YES_OR_NO):
                yield examined.find("expression-kind", node, **_kind(compiled, event.text))


def _is_empty_deadline(text: str) -> bool:
    bare = text.strip().strip('"')
    inner = bare.removeprefix('duration("').removesuffix('")')
    if inner.startswith("-P") or inner in ("P", "PT"):
        return True
    return bool(DURATION.fullmatch(inner)) and not any(digit in inner for digit in "123456789")


def _is_naive(text: str) -> bool:
    bare = text.strip().strip('"')
    if "(" in bare:
        bare = bare.partition('("')[2].rpartition('")')[0]
    return len(bare) >= 10 and bare[:4].isdigit() and bare[4] == "-" and not (bare.endswith("Z") or "+" in bare[10:] or "-" in bare[10:])


def operator_parameter(examined: Examined) -> Iterator[Finding]:
    """Parameters of operators."""
    for node in examined.diagram.nodes.values():
        if node.operator is not None:
            for name, text in sorted(node.operator.parameters.items()):
                if text.strip():
                    yield from _judged(examined, node, node.id, text, parameter=name)


def message_expression(examined: Examined) -> Iterator[Finding]:
    """What a message carries, and the keys by which it finds its dossier (BPMN 2.0.2, 8.4.2)."""
    root = examined.diagram.root
    for payload in root.iter(f"{{{SPIFF}}}messagePayload"):
        node = next((found for one in payload.iterancestors() if (found := examined.diagram.nodes.get(one.get("id", "")))), None)
        if node is not None:
            yield from _judged(examined, node, node.id, text_of(payload))
    for path in root.iter(bpmn("messagePath")):
        # Over what the message carries, which comes from outside: its names are known when it arrives.
        yield from _key(examined, path, None)
    for path in root.iter(bpmn("dataPath")):
        if text_of(path):
            yield from _key(examined, path, examined.types)


def _key(examined: Examined, path: etree._Element, names: Mapping[str, FeelType] | None) -> Iterator[Finding]:
    owner = next((str(one.get("id")) for one in path.iterancestors() if one.get("id")), "")
    text = text_of(path)
    compiled = _compiled(text, names)
    if is_juel(text):
        yield examined.find("expression-foreign", owner, text=_shown(text))
    elif isinstance(compiled, FeelError):
        yield examined.find("expression", owner, **_facts(compiled, text))


def loop_expression(examined: Examined) -> Iterator[Finding]:
    """Counts, lists and completion conditions of repetitions."""
    for node in examined.diagram.nodes.values():
        if node.loop is None:
            continue
        for text, wanted in ((node.loop.cardinality, COUNT), (node.loop.input, ()), (node.loop.completion, YES_OR_NO)):
            if text:
                yield from _judged(examined, node, node.id, text, wanted)


def declaration_expression(examined: Examined) -> Iterator[Finding]:
    """Amounts of fees and conditions of components, over the dossier alone."""
    names: Mapping[str, FeelType] = {"dossier": examined.base_types["dossier"]}
    texts = [("fee", fee.key, fee.amount) for fee in examined.package.fees]
    texts += [("component", part.key, part.required) for part in examined.package.components if isinstance(part.required, str)]
    for kind, key, text in texts:
        problem = _compiled(text, names)
        if isinstance(problem, FeelError):
            yield Finding("expression", "refused", key, kind, Place("procedure.toml"), _facts(problem, text))
        elif not _gives(problem, COUNT if kind == "fee" else YES_OR_NO):
            yield Finding("expression-kind", "refused", key, kind, Place("procedure.toml"), _kind(problem, text))


def form_condition(examined: Examined) -> Iterator[Finding]:
    """Conditions that hide a field count on fields of their form and on what the step knows."""
    users: dict[str, list[Node]] = {}
    for node in examined.steps:
        users.setdefault(node.properties.get("form", ""), []).append(node)
    for key, form in examined.forms.items():
        own = {field.key: field_type(field) for field in form.fields}
        shared = [examined.known_at(node.id) for node in users.get(key, [])] or [dict(examined.base_types)]
        around = {name: kind for name, kind in shared[0].items() if all(name in known for known in shared)}
        for field in form.fields:
            if field.hide_text:
                problem = _compiled(field.hide_text, {**around, **own})
                if isinstance(problem, FeelError):
                    yield _of_form("expression", key, field, _facts(problem, field.hide_text))
                elif not _gives(problem, YES_OR_NO):
                    yield _of_form("expression-kind", key, field, _kind(problem, field.hide_text))


def _of_form(rule: str, key: str, field: Field, facts: Mapping[str, Any]) -> Finding:
    return Finding(rule, "refused", field.key, field.label.vi, Place(f"forms/{key}.json"), facts)


def _judged(
    examined: Examined, element: Flow | Node, node: str, text: str, wanted: tuple[str, ...] = (), *, after: bool = False, **facts: Any
) -> Iterator[Finding]:
    if is_juel(text):
        yield examined.find("expression-foreign", element, text=_shown(text))
        return
    compiled = _compiled(text, examined.types)
    if isinstance(compiled, FeelError):
        yield examined.find("expression", element, **_facts(compiled, text), **facts)
        return
    if not _gives(compiled, wanted):
        yield examined.find("expression-kind", element, **_kind(compiled, text), **facts)
    certain = set(examined.certain.get(node, frozenset()))
    if after:
        certain |= set(examined.gained(examined.diagram.nodes[node]))
    missing = sorted(name for name in compiled.names if not _is_certain(name, certain, examined))
    if missing and node in examined.certain:
        yield examined.find("not-certain", element, names=", ".join(missing), text=_shown(text))


def _is_certain(name: str, certain: set[str], examined: Examined) -> bool:
    root, _, rest = name.partition(".")
    if root not in certain:
        return False
    field = f"{root}.{rest.split('.')[0]}"
    return not rest or field in certain or field not in examined.fields


def _gives(expression: Expression, wanted: tuple[str, ...]) -> bool:
    """Whether an expression can give the kind of value its place needs; what is known only at run time is judged there."""
    return not wanted or expression.type.name == "Any" or expression.type.name in wanted


def _kind(expression: Expression, text: str) -> dict[str, Any]:
    return {"text": _shown(text), "kind": expression.type.name}


def _compiled(text: str, names: Mapping[str, FeelType] | None) -> Expression | FeelError:
    try:
        return compile_expression(text, names=names, functions=FUNCTIONS)
    except FeelError as error:
        return error


def _facts(error: FeelError, text: str) -> dict[str, Any]:
    return {"line": error.line, "column": error.column, "text": _shown(text), "reason_code": error.code, "reason_facts": dict(error.facts)}


def _shown(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 80 else f"{flat[:77]}…"
