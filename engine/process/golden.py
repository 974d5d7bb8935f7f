"""Golden states: where dossiers of a version stood, kept with the version, to be read and led on by every later interpreter.

An upgrade of the library, or of our own way to store an instance, is tried on these before any running dossier meets it (defect 17 of
`docs/engine-defects.md` was such an upgrade). One file holds a version as it was published and, for every scenario of its package, the
state after each move.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import zstandard

from engine.errors import EngineError
from engine.procedure.loader import load_zip, to_zip
from engine.procedure.package import Package
from engine.procedure.scenarios import Move, read_scenarios
from engine.process.instance import Advance, Program
from engine.process.program import prepare
from engine.process.rehearsal import MORNING, Functions, Rehearsal, rehearse

PACKAGE, STATES = "package.zip", "states.json"
_DATE = (1980, 1, 1, 0, 0, 0)


def record(package: Package, functions: Functions) -> bytes:
    """Return the golden file of a version: the package and the states its scenarios pass through.

    Raises:
        EngineError: a scenario does not go as written; such a version is not published.
    """
    base = rehearse(package, functions)
    lives = []
    for scenario in read_scenarios(package).scenarios:
        if not scenario.ends:
            continue
        run = Rehearsal(package, base.program, functions, scenario.at or MORNING, scenario.dossier)
        run.begin(scenario.start)
        places = [_place(run, None)]
        for move in scenario.moves:
            run.act(move)
            places.append(_place(run, move))
        lives.append({"name": scenario.name, "start": dict(scenario.start), "dossier": dict(scenario.dossier), "places": places})
    return _packed({PACKAGE: to_zip(package, with_parts=True), STATES: json.dumps(lives, ensure_ascii=False, default=str).encode()})


def replay(content: bytes, functions: Functions) -> Iterator[str]:
    """Read every state of a golden file and make the next move from it; yield what is not as it was, nothing when all is well."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        package = load_zip(archive.read(PACKAGE))
        lives = json.loads(archive.read(STATES))
    program = prepare(("golden", package.content_hash), package)
    for life in lives:
        for number, place in enumerate(life["places"]):
            where = f"{package.key} {package.content_hash[:12]} «{life['name']}» {number}"
            try:
                run = _standing(package, program, functions, life, place)
                assert run.advance is not None
                if (found := _seen(run.advance)) != place["seen"]:
                    yield f"{where}: read as {found}, was {place['seen']}"
                for following in life["places"][number + 1 : number + 2]:
                    run.act(Move(**following["move"]))
                    if (found := _seen(run.advance)) != following["seen"]:
                        yield f"{where}: goes on to {found}, went on to {following['seen']}"
            except EngineError as fault:
                yield f"{where}: {fault.code} {dict(fault.facts)}"


def _place(run: Rehearsal, move: Move | None) -> dict[str, Any]:
    assert run.advance is not None
    text = zstandard.ZstdDecompressor().decompress(run.advance.state).decode()
    made = None if move is None else {"kind": move.kind, "name": move.name, "answers": dict(move.answers)}
    return {"move": made, "now": run.now.isoformat(), "seen": _seen(run.advance), "state": text}


def _standing(package: Package, program: Program, functions: Functions, life: Mapping[str, Any], place: Mapping[str, Any]) -> Rehearsal:
    run = Rehearsal(package, program, functions, datetime.fromisoformat(place["now"]), life["dossier"])
    run.resume(zstandard.ZstdCompressor().compress(place["state"].encode()), life["start"])
    return run


def _seen(advance: Advance) -> dict[str, Any]:
    """Return what an upgrade must not change; instants of deadlines follow the calendar, so only where they run is compared."""
    return {
        "open": sorted(f"{task.step} {task.lane or ''}" for task in advance.ready),
        "waiting": [*advance.waiting, *advance.signals],
        "timers": sorted(timer.step for timer in advance.timers),
        "variables": json.loads(json.dumps(dict(advance.variables), sort_keys=True, default=str)),
        "ended": advance.ended,
        "outcome": advance.outcome,
    }


def _packed(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_LZMA) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _DATE), content, zipfile.ZIP_LZMA)
    return out.getvalue()
