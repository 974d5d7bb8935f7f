"""A child that misbehaves as it is told: for the limits every opener of hostile bytes runs under."""

from __future__ import annotations

import os
import sys
import time

from signing.isolation import serve_parent
from signing.model import Json


def work(request: Json, payload: bytes) -> tuple[Json, bytes]:
    """Do what *request* says."""
    act = request["act"]
    if act == "spin":
        while True:
            pass
    if act == "sleep":
        time.sleep(60)
    if act == "grow":
        return {"length": len(bytearray(4 * 1024**3))}, b""
    if act == "die":
        os.abort()
    if act == "raise":
        raise RuntimeError(payload.decode())
    if act == "environment":
        return {"names": sorted(os.environ)}, b""  # noqa: TID251 - what a child can see is the point
    return {"length": len(payload)}, payload[::-1]


if __name__ == "__main__":
    sys.exit(serve_parent(work))
