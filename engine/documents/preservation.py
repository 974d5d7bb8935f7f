"""Keeping signatures provable: evidence into the document, a time stamp over everything, again before the evidence expires."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from engine.documents.signature import SupervisedTimeStamps, TimeStamping
from engine.documents.trust import anchors
from signing.archive import raise_level, renewal
from signing.evidence import Gathered
from signing.examine import Inquiry
from signing.revocation import Sources
from signing.verify import Trust


@dataclass(frozen=True)
class Preserved:
    """A document after an attempt: its bytes, the level read back from them, until when and from when to renew, why not more (a code)."""

    pdf: bytes
    level: str
    until: datetime | None
    renew_at: datetime | None
    missing: str


@dataclass(frozen=True)
class Preserver:
    """What keeping needs of the installation: trust, where evidence comes from, who stamps, what was gathered a moment ago."""

    trust: Callable[[], Trust]
    sources: Callable[[Trust], Sources]
    timestamps: TimeStamping
    gathered: Gathered = field(default_factory=Gathered)

    def __call__(self, pdf: bytes, now: datetime) -> Preserved:
        """Raise a document to the level that lasts, or renew its newest time stamp; never loses what it was given. Asks the network."""
        trust = self.trust()
        inquiry = Inquiry(trust.anchors, trust.intermediates, now, self.sources(trust))
        raised = raise_level(pdf, inquiry, self.timestamps, gathered=self.gathered)
        found = renewal(raised.pdf)
        return Preserved(raised.pdf, raised.level, found.until if found else None, found.due if found else None, raised.missing)


def open_preserver(home: Path) -> Preserver:
    """Return the preserver of an installation; the places of its services stand in a file, read at every attempt."""
    address_file = home / "trust_services.json"

    def sources(trust: Trust) -> Sources:
        try:
            routes = json.loads(address_file.read_text())["routes"]
        except (OSError, ValueError, KeyError):
            routes = {}
        return Sources(routes, trust.hosts)

    return Preserver(lambda: anchors(home), sources, SupervisedTimeStamps(address_file))
