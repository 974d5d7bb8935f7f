"""Every module that declares records, imported so that the metadata are whole."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec

MODULES = (
    "engine.kernel.clock",
    "engine.kernel.journal",
    "engine.kernel.journal_seal",
    "engine.kernel.outbox",
    "engine.kernel.incidents",
    "engine.kernel.requests",
    "engine.kernel.due",
    "engine.accounts.model",
    "engine.organisation.model",
    "engine.procedure.registry",
    "engine.documents.model",
    "engine.process.model",
    "engine.dossier.model",
    "engine.dossier.codes",
)

for module in MODULES:
    if find_spec(module) is not None:
        with suppress(ImportError):
            import_module(module)
