"""Structured logs: one JSON line per event, with request id and ids of things; no personal data."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Let every log line of this process, the libraries' included, be one JSON object on *stream* (standard error)."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _failure_without_values,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        cache_logger_on_first_use=True,
    )
    out = logging.StreamHandler(stream or sys.stderr)
    out.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer(ensure_ascii=False)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [out]
    root.setLevel(LEVELS[level])
    for noisy in (
        "procrastinate",
        "sqlalchemy.engine",
        "spiff",
        "alembic",
        "pyhanko",
        "pyhanko_certvalidator",
        "fontTools",
        "PIL",
        "pikepdf",
    ):
        logging.getLogger(noisy).setLevel(max(LEVELS[level], logging.WARNING))


def logger(name: str) -> Any:
    """Return a logger; bind ids to it, never names."""
    return structlog.get_logger(name)


def _failure_without_values(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Write a failure as its type and places in the code: messages of databases and parsers quote the data they failed on."""
    failure = event.pop("exc_info", None)
    if failure is True:
        failure = sys.exc_info()
    if isinstance(failure, BaseException):
        failure = (type(failure), failure, failure.__traceback__)
    if failure and failure[0] is not None:
        event["failure"] = failure[0].__qualname__
        event["places"] = places(failure[2])
    return event


def places(trace: Any, depth: int = 12) -> list[str]:
    """Return the last places of a traceback as ``file:line function``, without the source text and without values."""
    found = []
    while trace is not None:
        code = trace.tb_frame.f_code
        found.append(f"{'/'.join(code.co_filename.split('/')[-3:])}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return found[-depth:]
