"""Writes event sub-processes as events on a frame around their level: the interpreter runs such events, but not the sub-processes.

Of a level (a process or a sub-process) everything but its event sub-processes moves into a frame, and each of them becomes a step
behind a boundary event of that frame (BPMN 2.0.2, 10.3.5 and 13.5.4):

* one that does not interrupt stands on the inner frame: it may start as often as its event happens, as long as the level is at work,
  and the level ends only when it has ended;
* one that interrupts stands on the outer frame, which holds the others too: it ends everything that runs in the level, then runs
  itself, and the level ends with it.

The identifiers that were drawn stay: the boundary event is the drawn start event, the step the drawn sub-process. What is added is
named ``…__of__…``. A terminate end of the level ends its other event sub-processes too; where there are some that do not interrupt, it
is written as an error that the inner frame hands on to a terminate end outside.
"""

from __future__ import annotations

from collections.abc import Iterable

from lxml import etree

from engine.procedure.diagram import ARTIFACTS, FLOW_NODES, SUBPROCESSES, bpmn, local, tag

_MOVED = FLOW_NODES | ARTIFACTS | {"sequenceFlow"}
ADDED = "__of__"
"""Part of the identifier of everything that was not drawn."""


def spoken(identifier: str) -> str:
    """Return an identifier as people write it: what stands inside a call as ``call.step``, everything else as it is."""
    inner, added, call = identifier.rpartition(ADDED)
    return f"{call}.{inner}" if added else identifier


def frame(root: etree._Element) -> tuple[str, ...]:
    """Rewrite the event sub-processes of the tree in place, the outer levels first, and return their identifiers."""
    levels = list(root.iter(bpmn("process"), *(bpmn(kind) for kind in SUBPROCESSES)))
    framed: list[str] = []
    for level in levels:  # in document order: an event sub-process has become a plain one before its own level is looked at
        found = [child for child in level if tag(child) == "subProcess" and child.get("triggeredByEvent") == "true"]
        if found:
            _frame_level(root, level, found)
            framed += [one.get("id", "") for one in found]
    return tuple(framed)


def _frame_level(root: etree._Element, level: etree._Element, found: list[etree._Element]) -> None:
    of = level.get("id", "")
    aside = [one for one in found if not _interrupts(one)]
    ending = [one for one in found if _interrupts(one)]
    if aside:
        inside = [child for child in level if tag(child) in _MOVED and child not in found]
        inner = _wrap(level, "body", of, inside)
        _hand_terminate_on(root, level, inner)
        for one in aside:
            _attach(level, inner, one, interrupting=False)
    if ending:
        outer = _wrap(level, "whole", of, [child for child in level if tag(child) in _MOVED and child not in ending])
        for one in ending:
            _attach(level, outer, one, interrupting=True)


def _start(subprocess: etree._Element) -> etree._Element | None:
    return subprocess.find(bpmn("startEvent"))


def _interrupts(subprocess: etree._Element) -> bool:
    start = _start(subprocess)
    return start is not None and (start.get("isInterrupting", "true") == "true" or start.find(bpmn("errorEventDefinition")) is not None)


def _wrap(level: etree._Element, prefix: str, of: str, inside: Iterable[etree._Element]) -> etree._Element:
    """Move *inside* into a new sub-process of *level*, between a start and an end of its own, and return it."""
    wrapper = _add(level, "subProcess", f"{prefix}{ADDED}{of}")
    wrapper.extend(inside)
    start = _add(level, "startEvent", f"{prefix}_start{ADDED}{of}")
    end = _add(level, "endEvent", f"{prefix}_end{ADDED}{of}")
    _connect(level, start, wrapper)
    _connect(level, wrapper, end)
    return wrapper


def _attach(level: etree._Element, host: etree._Element, handler: etree._Element, *, interrupting: bool) -> None:
    """Make the start of *handler* a boundary event of *host*, and *handler* the step behind it."""
    start = _start(handler)
    if start is None:
        return
    drawn = start.get("id", "")
    event = _add(level, "boundaryEvent", drawn, attachedToRef=host.get("id", ""), cancelActivity="true" if interrupting else "false")
    if start.get("name"):
        event.set("name", start.get("name", ""))
    event.extend([child for child in start if tag(child) not in ("incoming", "outgoing")])
    start.set("id", f"begin{ADDED}{drawn}")
    start.attrib.pop("isInterrupting", None)
    for flow in handler.findall(bpmn("sequenceFlow")):
        if local(flow.get("sourceRef")) == drawn:
            flow.set("sourceRef", start.get("id", ""))
    del handler.attrib["triggeredByEvent"]
    _connect(level, event, handler)
    _connect(level, handler, _add(level, "endEvent", f"end{ADDED}{handler.get('id', '')}"))


def _hand_terminate_on(root: etree._Element, level: etree._Element, inner: etree._Element) -> None:
    """Write the terminate ends directly in *inner* as an error that reaches a terminate end of *level*."""
    ends = [end for end in inner.findall(bpmn("endEvent")) if end.find(bpmn("terminateEventDefinition")) is not None]
    if not ends:
        return
    of = level.get("id", "")
    error = f"terminate{ADDED}{of}"
    root.append(etree.Element(bpmn("error"), id=error, name=error, errorCode=error))
    for end in ends:
        end.remove(end.find(bpmn("terminateEventDefinition")))  # type: ignore[arg-type]
        etree.SubElement(end, bpmn("errorEventDefinition"), errorRef=error)
    caught = _add(level, "boundaryEvent", f"terminated{ADDED}{of}", attachedToRef=inner.get("id", ""))
    etree.SubElement(caught, bpmn("errorEventDefinition"), errorRef=error)
    over = _add(level, "endEvent", f"over{ADDED}{of}")
    etree.SubElement(over, bpmn("terminateEventDefinition"))
    _connect(level, caught, over)


def _add(level: etree._Element, kind: str, identifier: str, **attributes: str) -> etree._Element:
    element = etree.SubElement(level, bpmn(kind))
    for name, value in {"id": identifier, **attributes}.items():
        element.set(name, value)
    return element


def _connect(level: etree._Element, source: etree._Element, target: etree._Element) -> None:
    ends = {"sourceRef": source.get("id", ""), "targetRef": target.get("id", "")}
    flow = _add(level, "sequenceFlow", f"to_{ends['targetRef']}_from_{ends['sourceRef']}{ADDED}frame", **ends)
    for end, kind in ((source, "outgoing"), (target, "incoming")):
        part = etree.Element(bpmn(kind))
        part.text = flow.get("id")
        end.insert(0, part)
