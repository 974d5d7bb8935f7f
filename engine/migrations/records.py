"""Every module that declares records, imported so that the metadata are whole and relations between areas resolve."""

from __future__ import annotations

from engine.accounts import model as accounts
from engine.documents import model as documents
from engine.dossier import codes
from engine.dossier import model as dossiers
from engine.kernel import clock, due, incidents, journal, journal_seal, outbox, requests
from engine.organisation import directory
from engine.organisation import model as organisation
from engine.procedure import drafts, registry, reviews
from engine.process import changes
from engine.process import model as process

MODULES = (
    accounts, changes, clock, codes, directory, documents, dossiers, drafts, due, incidents, journal, journal_seal, organisation, outbox,
    process, registry, requests, reviews,
)  # fmt: skip
