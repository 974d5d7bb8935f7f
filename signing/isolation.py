"""Hostile bytes are opened only in a child process: limited memory, processor time and wall time, no inheritance but the pipe.

A request is one line of JSON followed by raw bytes; so is the answer. Whatever goes wrong in the child, the caller sees one exception.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from signing.model import Json

PROJECT = Path(__file__).parents[1]
MEMORY = 1024 * 1024 * 1024
# Nothing of the parent's environment is passed on: it may hold secrets.
ENVIRONMENT = {"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
Work = Callable[[Json, bytes], tuple[Json, bytes]]


class ChildFailed(Exception):
    """The child crashed, ran out of its limits or answered nonsense; *kind* is ``time``, ``memory`` or ``crash``."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def ask_child(module: str, request: Json, payload: bytes, *, cpu_seconds: int = 10, seconds: float = 20) -> tuple[Json, bytes]:
    """Let ``python -m module`` do *request* on *payload* and return its answer.

    Raises:
        ChildFailed: for every crash, time-out or malformed answer.
    """
    line = json.dumps({**request, "cpu_seconds": cpu_seconds}).encode() + b"\n"
    command = [sys.executable, "-m", module]
    with subprocess.Popen(
        command, cwd=PROJECT, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        try:
            out, _ = child.communicate(line + payload, timeout=seconds)
        except subprocess.TimeoutExpired as problem:
            child.kill()
            raise ChildFailed("time") from problem
    if child.returncode != 0:
        raise ChildFailed(_kind(child.returncode))
    head, _, rest = out.partition(b"\n")
    try:
        answer: Json = json.loads(head)
    except ValueError as problem:
        raise ChildFailed("crash") from problem
    return answer, rest


def serve_parent(work: Work) -> int:
    """The child's side: read one request, do *work* within the limits, write the answer; the exit code of the process."""
    request: Json = json.loads(sys.stdin.buffer.readline())
    limit(int(request["cpu_seconds"]))
    try:
        answer, payload = work(request, sys.stdin.buffer.read())
    except MemoryError:
        return _OUT_OF_MEMORY
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + payload)
    sys.stdout.buffer.flush()
    return 0


def limit(cpu_seconds: int, memory: int = MEMORY) -> None:
    """Bound this process's processor time from now on, its address space, file size and processes, where the system can."""
    if sys.platform == "win32":
        return
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    # The libraries are loaded already; the limit is for the work.
    most = cpu_seconds + int(used.ru_utime + used.ru_stime)
    resource.setrlimit(resource.RLIMIT_CPU, (most, most + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


_OUT_OF_MEMORY = 77
_CPU_SIGNALS = (-9, -24)


def _kind(code: int) -> str:
    if code == _OUT_OF_MEMORY:
        return "memory"
    return "time" if code in _CPU_SIGNALS else "crash"
