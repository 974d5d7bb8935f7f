"""Child processes without the wait: a forking process that has loaded the libraries and forks one limited child for each request.

``python -m signing.warm MODULE`` never opens what it is given; it passes bytes to the child it forks and the child's answer back. It ends
when its owner does, or after a minute without work. Where processes cannot fork, or it is busy, a fresh child does the work.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from typing import IO, NoReturn

from signing.isolation import ENVIRONMENT, PROJECT, ChildFailed, Work, limit
from signing.model import Json

IDLE_SECONDS = 60.0
_GRACE = 5.0


class Forker:
    """The owner's side of one forking process; one request at a time."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def ask(self, request: Json, payload: bytes, cpu_seconds: int, seconds: float) -> tuple[Json, bytes] | None:
        """The answer, or None when the forking process is busy or not to be had.

        Raises:
            ChildFailed: when the child that did the work broke its limits or crashed.
        """
        if sys.platform == "win32" or not self._lock.acquire(blocking=False):
            return None
        try:
            process = self._running()
            assert process.stdin is not None
            head = {"request": request, "length": len(payload), "cpu_seconds": cpu_seconds, "seconds": seconds}
            process.stdin.write(json.dumps(head).encode() + b"\n" + payload)
            process.stdin.flush()
            answer, rest = self._read(process, time.monotonic() + seconds + _GRACE)
        except (OSError, ValueError, EOFError):
            self._drop()
            return None
        finally:
            self._lock.release()
        if answer["status"] != "done":
            raise ChildFailed(str(answer["status"]))
        return answer["answer"], rest

    def _running(self) -> subprocess.Popen[bytes]:
        # A forked copy of this object must not write into its parent's pipes.
        if self._process is None or self._owner != os.getpid() or self._process.poll() is not None:
            self._owner = os.getpid()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "signing.warm", self._module],
                cwd=PROJECT,
                env=ENVIRONMENT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
            )
        return self._process

    def _read(self, process: subprocess.Popen[bytes], until: float) -> tuple[Json, bytes]:
        assert process.stdout is not None
        buffer = bytearray()
        while b"\n" not in buffer:
            buffer += _some(process.stdout, until)
        line, _, rest = bytes(buffer).partition(b"\n")
        answer: Json = json.loads(line)
        content = bytearray(rest)
        while len(content) < answer["length"]:
            content += _some(process.stdout, until)
        return answer, bytes(content)

    def _drop(self) -> None:
        process, self._process = self._process, None
        if process is not None and self._owner == os.getpid():
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()


def _some(pipe: IO[bytes], until: float) -> bytes:
    ready, _, _ = select.select([pipe], [], [], max(0.0, until - time.monotonic()))
    content = os.read(pipe.fileno(), 1 << 20) if ready else b""
    if not content:
        raise EOFError
    return content


def main() -> int:
    """The forking process: load the module, then fork a child for each request."""
    work: Work = importlib.import_module(sys.argv[1]).work
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    entry, out = sys.stdin.buffer, sys.stdout.buffer
    while select.select([entry], [], [], IDLE_SECONDS)[0]:
        line = entry.readline()
        if not line:
            return 0
        head: Json = json.loads(line)
        payload = entry.read(head["length"])
        status, answer, content = _forked(work, head, payload)
        out.write(json.dumps({"status": status, "answer": answer, "length": len(content)}).encode() + b"\n" + content)
        out.flush()
    return 0


def _forked(work: Work, head: Json, payload: bytes) -> tuple[str, Json, bytes]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work_and_leave(work, head, payload, writing)
    os.close(writing)
    until, content = time.monotonic() + head["seconds"], bytearray()
    with os.fdopen(reading, "rb", buffering=0) as pipe, contextlib.suppress(EOFError):
        while True:
            content += _some(pipe, until)
    late = time.monotonic() >= until
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if late or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU):
        return "time", {}, b""
    line, _, rest = bytes(content).partition(b"\n")
    try:
        answer: Json = json.loads(line)
    except ValueError:
        return "memory" if line == b"memory" else "crash", {}, b""
    return "done", answer, rest


def _work_and_leave(work: Work, head: Json, payload: bytes, writing: int) -> NoReturn:
    """The child's whole life: it never returns into the forking process's code."""
    answer = b"crash"
    try:
        limit(head["cpu_seconds"])
        done, content = work(head["request"], payload)
        answer = json.dumps(done).encode() + b"\n" + content
    except MemoryError:
        answer = b"memory"
    finally:
        with contextlib.suppress(OSError), os.fdopen(writing, "wb") as pipe:
            pipe.write(answer)
        os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
