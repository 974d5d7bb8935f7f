"""A real worker in a process of its own, with a connector that writes what it delivers into a folder, slowly."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.connectors import Connectors, Message
from engine.kernel import outbox
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.runtime import open_runtime
from engine.settings import Settings
from engine.worker import app


class SlowPost:
    """Delivers by writing a file named after the key; between knocking and leaving the letter it takes its time."""

    def __init__(self, folder: Path, pause: float) -> None:
        self.folder, self.pause = folder, pause

    def prepare(self, w: UnitOfWork, message: Message) -> Message:
        return message

    def deliver(self, prepared: Message) -> Json:
        with (self.folder / "knocks").open("a") as knocks:
            knocks.write(f"{prepared.key}\n")
        time.sleep(self.pause)
        draft = self.folder / f"{prepared.key}.{time.monotonic_ns()}"
        draft.write_text(prepared.key)
        draft.replace(self.folder / f"{prepared.key}.letter")
        return {"letter": prepared.key}


def main(owner_url: str, application_url: str, home: str, folder: str, pause: str) -> None:
    settings = replace(Settings(), home=Path(home), database_url=owner_url, application_url=application_url)
    runtime = open_runtime(settings)
    makers: dict[str, Any] = {"post": lambda _: SlowPost(Path(folder), float(pause))}
    runtime.parts.offer(Connectors, lambda: Connectors(settings, makers))
    jobs = app.assemble(runtime)
    jobs.run_worker(
        queues=[outbox.QUEUE, "system"], concurrency=2, update_heartbeat_interval=0.5, stalled_worker_timeout=2,
        fetch_job_polling_interval=0.5, delete_jobs="successful",
    )  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
