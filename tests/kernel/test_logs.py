"""Logs: one JSON object a line, and failures without the values they failed on."""

from __future__ import annotations

import io
import json
import logging

import structlog

from engine.kernel.logs import configure, logger


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_failure_is_logged_by_type_and_place_never_by_its_text() -> None:
    stream = io.StringIO()
    configure("info", stream)
    structlog.contextvars.bind_contextvars(request="r-1")
    try:
        raise ValueError("duplicate key (identity)=(001190012345)")
    except ValueError as failure:
        logger("test").error("work.failed", dossier="d-1", exc_info=failure)
    try:
        raise KeyError("Nguyễn Thị Mai")
    except KeyError:
        logging.getLogger("library").exception("library failed")
    structlog.contextvars.clear_contextvars()

    ours, library = lines(stream)
    assert ours["event"] == "work.failed"
    assert ours["failure"] == "ValueError"
    assert ours["request"] == "r-1"
    assert "test_logs.py" in str(ours["places"])
    assert library["failure"] == "KeyError"
    assert "001190012345" not in stream.getvalue()
    assert "Mai" not in stream.getvalue()
