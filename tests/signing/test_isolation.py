"""Openers of hostile bytes work within limits; whatever they do, the caller gets one exception and goes on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from signing.child import Child
from signing.isolation import ChildFailed, ask_child

MODULE = "tests.support.naughty_child"


@pytest.fixture(scope="module")
def warm() -> Child:
    return Child(MODULE)


@pytest.fixture(params=["cold", "warm"])
def ask(request: pytest.FixtureRequest, warm: Child):  # type: ignore[no-untyped-def]
    def asked(act: str, payload: bytes = b"", **limits: float):  # type: ignore[no-untyped-def]
        if request.param == "warm":
            return warm.ask({"act": act}, payload, **limits)  # type: ignore[arg-type]
        return ask_child(MODULE, {"act": act}, payload, **limits)  # type: ignore[arg-type]

    return asked


def test_bytes_go_in_and_out_unchanged(ask) -> None:  # type: ignore[no-untyped-def]
    payload = bytes(range(256)) * 5000
    assert ask("reverse", payload) == ({"length": len(payload)}, payload[::-1])


# Only the child that sleeps is ended by the wall clock; every other must end by its own act or limit however busy the machine is.
@pytest.mark.parametrize(
    ("act", "kind", "limits"),
    [
        ("spin", "time", {"cpu_seconds": 1, "seconds": 120}),
        ("sleep", "time", {"cpu_seconds": 60, "seconds": 2}),
        ("grow", "memory", {"cpu_seconds": 60, "seconds": 120}),
        ("die", "crash", {"cpu_seconds": 60, "seconds": 120}),
        ("raise", "crash", {"cpu_seconds": 60, "seconds": 120}),
    ],
)
def test_a_child_that_misbehaves_is_ended_and_told_apart(ask, act: str, kind: str, limits: dict[str, int]) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ChildFailed) as failed:
        ask(act, b"hostile text", **limits)
    assert failed.value.kind == kind
    assert "hostile" not in str(failed.value)
    assert ask("reverse", b"ab", seconds=120)[1] == b"ba"


def test_the_child_sees_nothing_of_the_caller_s_environment(ask, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("MOTCUA_SECRET_KEY", "canary")
    assert "MOTCUA_SECRET_KEY" not in ask("environment")[0]["names"]


def test_several_at_once_do_not_wait_for_each_other(warm: Child) -> None:
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda number: warm.ask({"act": "reverse"}, bytes([number]))[1], range(3)))
    assert answers == [b"\0", b"\1", b"\2"]
