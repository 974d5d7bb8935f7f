"""Packages made in a line: a real one from bpmn/ with a part replaced, or a small diagram with everything a package needs around it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import tomlkit

from engine.procedure.diagram import FLOW_NODES, tag
from engine.procedure.loader import load_files, load_folder
from engine.procedure.scenarios import rewritten, with_waiver
from engine.process.mending import mended
from engine.process.rehearsal import try_all
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


def with_head():
    """The real package with one more step, drawn elsewhere, and the scenarios that know of it."""
    place = Path(__file__).parent / "with_division_head"
    package = real()
    return load_files({**package.files, **{name: (place / name).read_bytes() for name in NEW_FILES}}, package.folder)


NEW_FILES = ("process.bpmn", "tests/scenarios.toml")


def up_to_date(package):
    """The package with its scenarios mended for its diagram; those nothing can mend are left out, what nobody walks then is waived."""
    files = dict(package.files)
    for (file, _name), scenario in mended(package, clock).items():
        files[file] = rewritten(files[file].decode(), scenario).encode()
    found = load_files(files, package.folder)
    place = "tests/scenarios.toml"
    text = files[place].decode()
    for played in try_all(found, clock).played:
        if played.fault is not None:
            text = without(text, played.scenario.name)
    found = load_files({**files, place: text.encode()}, package.folder)
    for flow in try_all(found, clock).coverage.bare:
        text = with_waiver(text, flow, "Chỉ dùng để thử, không ai đi qua")
    return load_files({**files, place: text.encode()}, package.folder)


def without(text, name):
    document = tomlkit.parse(text)
    kept = [row for row in document["scenario"] if row["name"] != name]
    document["scenario"] = tomlkit.aot()
    for row in kept:
        document["scenario"].append(row)
    return tomlkit.dumps(document)


def clock(now):
    """An office that works round the clock: what scenarios read of working time."""
    return {
        "working hours": lambda hours: (now + timedelta(hours=float(hours))).isoformat(),
        "working days": lambda days: (now + timedelta(days=float(days))).isoformat(),
    }


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
