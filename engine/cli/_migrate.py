"""``motcua procedure migrate``: what a move of running dossiers to another version would do, the move itself, and its undo."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any
from uuid import UUID

from engine.cli import leaf
from engine.errors import NotFound

KINDS = {
    "vi": {"untouched": "không bị ảnh hưởng", "automatic": "chuyển được ngay", "choice": "cần lựa chọn", "refused": "giữ phiên bản cũ"},
    "en": {"untouched": "untouched", "automatic": "automatic", "choice": "needs a choice", "refused": "refused"},
}


def add(found: Any) -> None:
    """Add the command."""
    one = leaf(found, "migrate", migrate, "let running dossiers go on under another version of their procedure, or undo it")
    one.add_argument("key")
    one.add_argument("--to", type=int, help="the number of the version; by default the one in force")
    one.add_argument("--dry-run", action="store_true", help="say what would happen; nothing is stored")
    one.add_argument("--legal-basis", default="", help="the act that decided the move")
    one.add_argument("--choice", choices=("move", "keep"), help="for every group that needs a choice")
    one.add_argument("--undo", type=UUID, metavar="PLAN", help="put back the dossiers of a plan that have taken no new step")
    one.add_argument("--lang", choices=("vi", "en"), default="vi")
    one.add_argument("--json", action="store_true", help="for machines")


def migrate(chosen: argparse.Namespace) -> int:
    """Dry run, move or undo."""
    from engine.cli._opening import opened, operator
    from engine.commands import migration
    from engine.queries import migration as queries
    from engine.worker.migrations import carry_on

    with opened() as runtime:
        if chosen.undo:
            plan = chosen.undo
            with runtime.begin(operator()) as w:
                migration.undo(w, plan)
        else:
            with runtime.begin(operator()) as w:
                target = _target(w, chosen.key, chosen.to)
                if chosen.dry_run:
                    found = queries.dry_run(w, chosen.key, target)
                    _say(found.as_json(), chosen)
                    return 1 if found.faults else 0
                plan = migration.plan(w, chosen.key, target, chosen.legal_basis).id
                page = queries.page(w, plan)
                waiting = [one.id for one in page.groups if one.kind == "choice"]
                if waiting and chosen.choice:
                    migration.choose(w, plan, dict.fromkeys(waiting, chosen.choice))
                migration.start(w, plan)
        carry_on(runtime, plan, lambda done: print(f"… {done}", file=sys.stderr))
        with runtime.begin(operator()) as w:
            page = queries.page(w, plan)
    _say(
        {"plan": str(plan), "state": page.state, "target": page.target.number, "counts": dict(page.counts), "states": dict(page.states)},
        chosen,
    )
    return 0 if page.state in ("applied", "undone") else 1


def _target(w: Any, key: str, number: int | None) -> UUID:
    from engine.office.standing import ZONE
    from engine.procedure.registry import in_force, versions

    if number is None:
        return in_force(w.session, w.province, key, w.now.astimezone(ZONE).date()).id
    for version in versions(w.session, w.province, key):
        if version.number == number:
            return version.id
    raise NotFound("procedure.unknown", key=key)


def _say(said: dict[str, Any], chosen: argparse.Namespace) -> None:
    if chosen.json:
        print(json.dumps(said, ensure_ascii=False, indent=2))
        return
    for kind, number in said["counts"].items():
        print(f"{KINDS[chosen.lang][kind]}: {number}")
    for group in said.get("groups", ()):
        print(f"- {KINDS[chosen.lang][group['kind']]} × {group['number']} ({group['from']} → {said['target']})")
        for reason in group["reasons"]:
            print(f"    {reason[chosen.lang]}")
    for code, fault in said.get("faults", {}).items():
        print(f"✗ {code}: {fault}")
    if "plan" in said:
        print(f"{said['plan']}: {said['state']} {said['states']}")
