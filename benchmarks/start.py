"""``motcua bench start``: a stranger's first start, in an empty clone with an empty home, and the next one; memory and what Ctrl-C leaves.

Seconds; memory in MiB, proportional (PSS), of all processes of the installation 60 s after Ready. Downloads are counted apart, as
``./run`` prints them.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from engine.settings import environment

ROOT = Path(__file__).resolve().parents[1]
SETTLE = 60  # seconds after Ready
LIMITS = {"first_own_s": 60, "later_s": 10, "memory_mib": 700, "left_running": 0}


def main(as_json: bool) -> int:
    """Measure and print; the exit code says whether every limit was kept."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(place / "clone")], check=True)
        figures = measured(place)
    kept = {name: figures[name] <= most for name, most in LIMITS.items()}
    if as_json:
        print(json.dumps({**figures, "limits": LIMITS, "kept": kept}, indent=2))
    else:
        for name, value in figures.items():
            print(f"{name:16} {value}{'' if kept.get(name, True) else f'  (limit {LIMITS[name]})'}")
    return 0 if all(kept.values()) else 1


def measured(place: Path) -> dict[str, Any]:
    """Start twice from an empty machine's state, and look at what runs."""
    (place / "home").mkdir()
    first = Start(place)
    own, downloads = re.search(r"Own time (\d+) s, downloads (\d+) s", first.said()).groups()  # type: ignore[union-attr]
    time.sleep(SETTLE)
    memory = sum(memory_of(process) for process in first.processes())
    first.stop()
    left = len(first.processes())
    begun = time.monotonic()
    second = Start(place)
    later = time.monotonic() - begun
    second.stop()
    return {
        "first_own_s": int(own),
        "first_downloads_s": int(downloads),
        "later_s": round(later, 1),
        "memory_mib": round(memory / 2**20),
        "left_running": left,
    }


class Start:
    """One ``./run`` with the demonstration, up to Ready."""

    def __init__(self, place: Path) -> None:
        self.home, self.log = place / "data", place / "said"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        given = {name: value for name, value in environment().items() if not name.startswith("MOTCUA_") and name != "VIRTUAL_ENV"}
        given |= {"HOME": str(place / "home"), "MOTCUA_HOME": str(self.home)}
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                ["./run", "--port", str(port)], cwd=place / "clone", env=given, stdout=out, stderr=out, start_new_session=True
            )
        while "Ready:" not in self.said():
            if self.process.poll() is not None:
                raise SystemExit(self.said())
            time.sleep(0.1)

    def said(self) -> str:
        """What it has printed."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        """Ctrl-C, as at a terminal."""
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(60)

    def processes(self) -> list[psutil.Process]:
        """Everything that runs for this home, PostgreSQL too."""
        place = self.home / "postgres.place"
        data = (Path(place.read_text().strip()) if place.exists() else self.home / "postgres") / "data"
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                ours = str(self.home) in process.environ().get("MOTCUA_HOME", "")
                if ours or (process.name().startswith("postgres") and os.path.samefile(process.cwd(), data)):
                    found.append(process)
        return found


def memory_of(process: psutil.Process) -> int:
    """Bytes, shared pages shared out among who shares them."""
    with suppress(psutil.Error):
        return int(process.memory_full_info().pss)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(True))
