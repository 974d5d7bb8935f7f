"""What a reception consists of, the version it falls under, the appointment it would promise, the files that wait for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from engine.deadline.explanation import explain
from engine.deadline.term import Term, due
from engine.documents.model import StoredFile
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.office import flow
from engine.office.standing import ZONE
from engine.procedure.package import Package
from engine.procedure.registry import ProcedureCache, ProcedureVersion
from engine.procedure.registry import in_force as in_force_version


@dataclass(frozen=True, slots=True)
class PartyInput:
    """A submitter or owner as typed or scanned at the counter."""

    name: str
    identity: str = ""
    birth_on: date | None = None
    sex: str = ""
    address: str = ""
    phone: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Reception:
    """Everything the counter says about a new dossier.

    ``components`` are the keys of the papers handed in; files wait under ``upload_key``. ``answers`` are those of the package's start form.
    """

    procedure: str
    deciding_unit_id: UUID
    owner: PartyInput
    submitter: PartyInput | None = None
    channel: str = "in_person"
    components: Sequence[str] = ()
    upload_key: str = ""
    subject: str = ""
    delivery: str = "counter"
    answers: Mapping[str, Any] = field(default_factory=dict)
    paid: str | None = None


def in_force(w: UnitOfWork, procedure: str) -> tuple[ProcedureVersion, Package]:
    """Return the version of a procedure in force at this instant, by key or by national code.

    Raises:
        NotFound: none is published or in force.
    """
    version = in_force_version(w.session, w.province, procedure, w.now.astimezone(ZONE).date())
    return version, w.part(ProcedureCache).package(w, version.id)


def term_of(package: Package) -> Term:
    """Return the term a package grants, as the statutory clock counts it."""
    rule = package.term
    return Term(rule.amount, rule.unit, rule.counting, rule.cutoff, rule.on_supplement, rule.legal_basis)  # type: ignore[arg-type]


def preview_due(w: UnitOfWork, procedure: str, unit_id: UUID) -> Json:
    """Return the appointment that would be promised now, before it is promised."""
    _, package = in_force(w, procedure)
    term, calendar = term_of(package), flow.calendar_for(w, unit_id)
    answer = due(w.now, term, [], calendar)
    days = explain(w.now, term, [], calendar)
    return {"term": term.to_json(), "due_at": answer.at, "provisional": answer.provisional, "days": days}


def reception_facts(reception: Reception, package: Package, answers: Mapping[str, Any]) -> Json:
    """Return what a component's condition may read before the dossier exists; a field not yet answered, or wrongly, is null."""
    return {
        "channel": reception.channel,
        "delivery": reception.delivery,
        "by_representative": reception.submitter is not None,
        "financial_status": "none",
        "answers": start_facts(package, answers),
    }


def start_facts(package: Package, answers: Mapping[str, Any]) -> Json:
    """Return the answers of the package's start form as conditions compute with them: numbers as numbers, days as days."""
    form = package.form(package.start_form) if package.start_form else None
    return form.typed(form.draft(answers)) if form is not None else dict(answers)


def waiting(w: UnitOfWork, upload_key: str) -> list[StoredFile]:
    """Return the files kept under a draft key, not yet bound to a dossier."""
    return list(
        w.session.scalars(
            select(StoredFile)
            .where(StoredFile.province == w.province, StoredFile.upload_key == upload_key, StoredFile.dossier_id.is_(None))
            .order_by(StoredFile.uploaded_at, StoredFile.id)
        )
    )
