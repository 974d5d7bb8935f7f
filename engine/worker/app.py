"""The worker: runs the jobs of the outbox, sweeps what is due, seals the journal, rescues what a dead worker left."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

from procrastinate import App, JobContext, PsycopgConnector

from engine.kernel import outbox
from engine.kernel.database import conninfo
from engine.kernel.logs import configure, logger
from engine.runtime import Runtime, all_loaded, open_runtime
from engine.settings import Settings
from engine.worker import dispatch, migrations, preservation, seal, signatures, timers

SWEEP_PAUSE = 2.0  # seconds between two sweeps
SEAL_PAUSE = 60.0
HEARTBEAT, STALLED = 10.0, 30.0
log = logger("worker")


def assemble(runtime: Runtime) -> App:
    """Return the job application with its tasks, each known by its name."""
    url = runtime.engine.url.render_as_string(hide_password=False)
    jobs = App(connector=PsycopgConnector(conninfo=conninfo(url), min_size=1, max_size=4))

    @jobs.task(name=outbox.DELIVER, queue=outbox.QUEUE)
    def deliver(province: int, message: str) -> None:
        if province == runtime.settings.province:
            dispatch.deliver(runtime, UUID(message))

    @jobs.periodic(cron="* * * * *")
    @jobs.task(name="rescue", queue="system", queueing_lock="rescue", pass_context=True)
    async def rescue(context: JobContext, timestamp: int) -> None:
        """Give the jobs of dead workers back: nobody else does."""
        manager = context.app.job_manager
        for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED):
            await manager.retry_job(job)

    return jobs


class Ticker(threading.Thread):
    """Calls something again and again until it is stopped; a failure is logged and the next call comes all the same."""

    def __init__(self, name: str, act: Callable[[], object], pause: float) -> None:
        super().__init__(name=name, daemon=True)
        self._act, self._pause = act, pause
        self._stopped = threading.Event()

    def run(self) -> None:
        """Call, pause, call."""
        failures = 0
        while not self._stopped.is_set():
            try:
                self._act()
                failures = 0
            except Exception as failure:  # the database may be away for a while
                failures += 1
                log.warning("ticker.failed", ticker=self.name, exc_info=failure)
            self._stopped.wait(min(self._pause * 2**failures, max(60.0, self._pause)))

    def stop(self) -> None:
        """Finish the present call and end."""
        self._stopped.set()
        self.join(timeout=20)


def run(settings: Settings) -> None:
    """Work until a signal says stop."""
    configure(settings.log_level)
    runtime = open_runtime(settings)
    all_loaded()
    tickers = [
        Ticker("sweep", lambda: timers.sweep(runtime), SWEEP_PAUSE),
        Ticker("migrations", lambda: migrations.move_waiting(runtime), SWEEP_PAUSE),
        Ticker("signatures", lambda: signatures.carry_on(runtime), SWEEP_PAUSE),
        Ticker("preservation", lambda: preservation.preserve_waiting(runtime), SEAL_PAUSE),
        Ticker("seal", lambda: seal.seal_once_a_day(runtime), SEAL_PAUSE),
        Ticker("heartbeat", lambda: beat(settings), HEARTBEAT),
    ]
    for ticker in tickers:
        ticker.start()
    jobs = assemble(runtime)
    try:
        jobs.run_worker(
            queues=[outbox.QUEUE, "system", "builtin"],
            concurrency=2,
            update_heartbeat_interval=HEARTBEAT,
            stalled_worker_timeout=STALLED,
            shutdown_graceful_timeout=10,
            delete_jobs="successful",
            install_signal_handlers=True,
        )
    finally:
        for ticker in tickers:
            ticker.stop()
        runtime.close()


def beat(settings: Settings) -> None:
    """Leave a sign of life where readiness is asked for."""
    settings.home.mkdir(parents=True, exist_ok=True)
    mark = settings.home / "worker.alive"
    with suppress(OSError):
        mark.write_text(str(time.time()))


def main() -> int:
    """Run as a process of its own."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    run(Settings.from_environment())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
