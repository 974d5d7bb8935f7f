"""The second half of a demonstration, in a process of its own: ``python -m engine.simulation.second_share``, told by its parent.

A new process, not a fork: the libraries that print and rasterise keep threads of their own, which a fork would lose.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.deadline.calendar_file import Calendars
from engine.kernel.clock import MovableClock
from engine.kernel.logs import configure
from engine.runtime import open_runtime
from engine.settings import Settings
from engine.simulation import demo
from engine.simulation.organisation import SYSTEM, read_back

FOLDERS = ("home", "procedures", "blob_folder")


def main() -> int:
    """Play the second share; stop when the parent has gone."""
    told = json.load(sys.stdin)
    given: dict[str, Any] = dict(told["settings"])
    given |= {name: Path(given[name]) for name in FOLDERS if given[name] is not None}
    settings, until = Settings(**given), datetime.fromisoformat(told["until"])
    configure(settings.log_level)
    clock = MovableClock(until)
    runtime = open_runtime(settings, clock=clock, pool_size=1)
    rehearsal = demo.rehearse(runtime, clock)
    try:
        with rehearsal.begin(SYSTEM) as w:
            province = read_back(w, until)
        plan = demo.scenario_of(rehearsal).plan(rehearsal.part(Calendars).of(), until)
        share = demo.scenario_of(rehearsal).shares(plan)[1]
        demo.play_share(rehearsal, clock, province, share, lambda _: None, lambda: os.getppid() == told["parent"])
    finally:
        rehearsal.close()
        runtime.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
