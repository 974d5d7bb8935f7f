"""Packages made in a line: a real one from bpmn/ with a part replaced, or a small diagram with everything a package needs around it."""

from __future__ import annotations

import json
from pathlib import Path

from engine.procedure.diagram import FLOW_NODES, tag
from engine.procedure.loader import load_files, load_folder
from tests.process.kit import BPMN_NS, NS, REFS, el, fl

BPMN = Path(__file__).parents[2] / "bpmn"
SHIPPED = tuple(sorted(path.parent.name for path in BPMN.glob("*/procedure.toml")))
"""Every package we ship, the one to copy included."""
LANE = "Phòng chuyên môn"


def real(name="certified_electronic_copy"):
    return load_folder(BPMN / name)


def changed(package, **replacements):
    """The package with texts of its diagram replaced: pairs old, new."""
    text = package.files["process.bpmn"].decode()
    for old, new in replacements.get("diagram", ()):
        assert old in text, old
        text = text.replace(old, new)
    declaration = package.files["procedure.toml"].decode()
    for old, new in replacements.get("declaration", ()):
        assert old in declaration, old
        declaration = declaration.replace(old, new)
    files = {**package.files, "process.bpmn": text.encode(), "procedure.toml": declaration.encode(), **replacements.get("files", {})}
    return load_files(files, package.folder)


DECLARATION = f"""
key = "trial"
code = "1.000001"
scope = "internal"
effective_from = 2026-01-01
[name]
vi = "Thử"
en = "Trial"
[term]
amount = 100
unit = "working_day"
legal_basis = "Quy chế"
[[lane]]
id = "{LANE}"
role = "specialist"
unit = "deciding"
[lane.title]
vi = "Chuyên viên"
en = "Specialist"
"""


def form(*keys, **fields):
    components = [{"type": "textfield", "key": key, "label": key, "label_en": key} for key in keys]
    return json.dumps({"components": components + list(fields.values())}).encode()


def step(node, **properties):
    """A complete step: form, hours, both names; stores its answers under its own name."""
    given = {"form": "note", "variable": node, "stage_hours": "1", "name_en": f"Step {node}", **properties}
    listed = "".join(f'<spiffworkflow:property name="{k}" value="{v}"/>' for k, v in given.items() if v is not None)
    return el(
        "userTask",
        node,
        f"<bpmn:extensionElements><spiffworkflow:properties>{listed}</spiffworkflow:properties></bpmn:extensionElements>",
        name=f"Bước {node}",
    )


def act(node, operator, result="", **parameters):
    listed = "".join(f"<spiffworkflow:parameter id='{k}' type='any' value='{v}'/>" for k, v in parameters.items())
    given = f"<spiffworkflow:parameters>{listed}</spiffworkflow:parameters>"
    tag = "spiffworkflow:serviceTaskOperator"
    inner = f"<{tag} id='{operator}' resultVariable='{result}'>{given}</{tag}>"
    return el("serviceTask", node, f"<bpmn:extensionElements>{inner}</bpmn:extensionElements>", name=f"Tự động {node}")


def diagram(body, flows, *, more="", lane=True):
    """A process `p` from `s` to `e`, every step in the one lane."""
    from lxml import etree

    inside = f'<bpmn:startEvent id="s"/>{body}<bpmn:endEvent id="e"/>{fl(flows)}'
    root = etree.fromstring(f"<x {NS}>{inside}</x>")
    members = "".join(f"<bpmn:flowNodeRef>{node.get('id')}</bpmn:flowNodeRef>" for node in root if tag(node) in FLOW_NODES)
    lanes = f'<bpmn:laneSet id="lanes"><bpmn:lane id="lane" name="{LANE}">{members}</bpmn:lane></bpmn:laneSet>' if lane else ""
    return (
        f'<bpmn:definitions {NS} id="d" targetNamespace="u"><bpmn:process id="p" isExecutable="true">{lanes}{inside}</bpmn:process>'
        f"{more}{REFS}</bpmn:definitions>"
    ).encode()


def small(body, flows, *, files=None, declaration=DECLARATION, more="", lane=True):
    everything = {
        "procedure.toml": declaration.encode(),
        "process.bpmn": diagram(body, flows, more=more, lane=lane),
        "forms/note.json": form("note", "other"),
        **(files or {}),
    }
    return load_files(everything, "trial")


CLOSE = act("close", "dossier/close")
"""The outcome a small internal procedure ends with."""

__all__ = ["BPMN", "BPMN_NS", "CLOSE", "DECLARATION", "LANE", "SHIPPED", "act", "changed", "diagram", "form", "real", "small", "step"]
