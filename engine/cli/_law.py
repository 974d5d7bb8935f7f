"""``motcua procedure law``: what cites an act or an article, the drafts a change asks for, and the index as a document."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from engine.cli import leaf


def add(found: Any) -> None:
    """Add the command."""
    one = leaf(found, "law", _law, "say which procedures, elements, terms, fees, forms, templates and running dossiers cite the law")
    one.add_argument("text", nargs="?", default="", help="for example “Điều 54 NĐ 217/2026”; without it every act is listed")
    one.add_argument("--begin", nargs="+", default=[], metavar="KEY", help="begin a draft of these (“all”: of every one concerned)")
    one.add_argument("--document", type=Path, metavar="FOLDER", help="write the index of a folder of packages as Markdown")
    one.add_argument("--json", action="store_true", help="for machines")


def _law(chosen: argparse.Namespace) -> int:
    if chosen.document is not None:
        print(written(chosen.document), end="")
        return 0
    from engine.cli._opening import opened, operator
    from engine.commands import law as commands
    from engine.queries import law

    with opened() as runtime, runtime.begin(operator()) as w:
        if not chosen.text:
            lines = [{"act": one.act.label, "procedures": one.procedures, "places": one.places} for one in law.acts(w)]
            if chosen.json:
                print(json.dumps(lines, ensure_ascii=False, indent=2))
            else:
                for line in lines:
                    print(f"{line['act']}: {line['procedures']} thủ tục, {line['places']} chỗ")
            return 0
        answer = law.affected(w, chosen.text)
        keys = [one.version.key for one in answer.affected] if chosen.begin == ["all"] else chosen.begin
        begun = commands.begin_drafts(w, chosen.text, keys) if keys else []
        if chosen.json:
            print(json.dumps({**as_json(answer), "begun": [str(one.id) for one in begun]}, ensure_ascii=False, indent=2))
            return 0
        for one in answer.affected:
            print(f"{one.version.key} ({one.version.number}): {one.version.name_vi}")
            for place in one.places:
                print(f"  - {place.kind} {place.key} · {place.file}:{place.line or 1} · {place.text[:100]}")
            for group in one.running:
                print(f"  - {group.dossiers} hồ sơ đang chạy theo phiên bản {group.version.number}: {', '.join(group.codes)}")
        for place in answer.shared:
            print(f"_shared: {place.file}:{place.line or 1} · {place.text[:100]}")
        for draft in begun:
            print(f"+ {draft.key}: {draft.id}")
    return 0


def as_json(answer: Any) -> dict[str, Any]:
    """Return an answer of the index for machines."""
    return {
        "act": answer.act.label,
        "article": answer.article,
        "procedures": [
            {
                "key": one.version.key,
                "version": one.version.number,
                "places": [place.as_json() for place in one.places],
                "running": [{"version": g.version.number, "dossiers": g.dossiers, "codes": list(g.codes)} for g in one.running],
                "draft": str(one.draft) if one.draft else None,
            }
            for one in answer.affected
        ],
        "shared": [place.as_json() for place in answer.shared],
    }


def written(folder: Path) -> str:
    """Return the index of the packages in *folder* as Markdown."""
    from engine.procedure.law_document import document
    from engine.procedure.law_places import places, shared_places
    from engine.procedure.loader import load_folder

    packages = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith((".", "_")))
    return document({path.name: places(load_folder(path)) for path in packages}, shared_places(folder))
