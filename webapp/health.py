"""What machines ask: is it alive, is it ready, how is it doing."""

from __future__ import annotations

import time
from typing import Any

from flask import Blueprint, Flask, Response, current_app, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from sqlalchemy import text

from engine.runtime import Actor
from webapp.application import this_request
from webapp.security import csrf
from webapp.transaction import look, runtime

area = Blueprint("health", __name__)


def install(app: Flask) -> None:
    """Serve the three addresses and measure every request by its endpoint."""
    registry = CollectorRegistry()
    requests = Counter("motcua_requests", "Answers by endpoint and status", ["endpoint", "status"], registry=registry)
    seconds = Histogram("motcua_request_seconds", "Time of an answer by endpoint", ["endpoint"], registry=registry)
    app.extensions["metrics"] = registry

    known: dict[tuple[str, int], tuple[Any, Any]] = {}

    def measure(response: Response) -> Response:
        asked = this_request()
        key = asked.endpoint or "none", response.status_code
        counted = known.get(key)
        if counted is None:  # the library would put names and locks together each time
            counted = known[key] = requests.labels(key[0], str(key[1])), seconds.labels(key[0])
        counted[0].inc()
        counted[1].observe(time.perf_counter() - asked.began)
        return response

    app.after_request(measure)
    csrf.exempt(area)
    app.register_blueprint(area)


@area.get("/healthz")
def alive() -> Response:
    """Say that the process answers."""
    return jsonify(status="ok")


@area.get("/readyz")
def ready() -> tuple[Response, int]:
    """Say whether the office can work: database, schema, worker."""
    checks = {"database": False, "schema": False, "worker": False}
    with look(Actor(kind="system", label="readyz")) as w:
        checks["database"] = w.session.scalar(text("select 1")) == 1
        checks["schema"] = w.session.scalar(text("select to_regclass('dossier') is not null")) is True
        checks["worker"] = (
            w.session.scalar(
                text("select exists (select 1 from procrastinate_workers where last_heartbeat > now() - interval '60 seconds')")
            )
            is True
        )
    return jsonify(status="ok" if all(checks.values()) else "waiting", checks=checks), 200 if all(checks.values()) else 503


@area.get("/metrics")
def metrics() -> Response:
    """Show the counters to Prometheus; only to this machine and its own network."""
    if request.remote_addr not in ("127.0.0.1", "::1") and not runtime().settings.demo:
        return Response(status=404)
    return Response(generate_latest(current_app.extensions["metrics"]), content_type=CONTENT_TYPE_LATEST)
