"""One way to have hostile bytes opened: by a warm forking process's forked child when there is one, by a fresh child process otherwise."""

from __future__ import annotations

from signing.isolation import ask_child
from signing.model import Json
from signing.warm import Forker


class Child:
    """Children of one *module* (which has a ``work`` function and is its own entry point)."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._forker = Forker(module)

    def ask(self, request: Json, payload: bytes, *, cpu_seconds: int = 10, seconds: float = 20) -> tuple[Json, bytes]:
        """The answer to *request* on *payload*, made within limits.

        Raises:
            ChildFailed: for every crash, time-out or malformed answer.
        """
        answer = self._forker.ask(request, payload, cpu_seconds, seconds)
        return answer if answer is not None else ask_child(self._module, request, payload, cpu_seconds=cpu_seconds, seconds=seconds)
