"""What the office does with a dossier as a whole: receive, answer a supplement, return the result, withdraw, stop."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from engine.commands import files, flow, papers
from engine.commands.flow import Flow
from engine.commands.operators import announce, operators
from engine.commands.papers import short_code
from engine.commands.standing import ZONE, acting, agency_of, units_of
from engine.deadline.explanation import explain
from engine.deadline.term import Term, due
from engine.documents.model import StoredFile
from engine.dossier import checklist, codes, fees, identity
from engine.dossier.model import Dossier, DossierComponent, FeeDue, Handover, Party
from engine.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from engine.kernel.identifiers import new_id
from engine.kernel.sealing import Sealing, place
from engine.kernel.search import fold
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.procedure.package import Package
from engine.procedure.registry import ProcedureCache, ProcedureVersion
from engine.procedure.registry import in_force as in_force_version
from engine.process.instance import cancel as cancel_process
from engine.process.instance import program, receive, start
from engine.process.model import Instance, Task

RECEIVERS = ("reception_officer",)


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


@dataclass(frozen=True, slots=True)
class Received:
    """The answer of the counter: code, due date, the receipt, and the access code printed on it."""

    dossier_id: UUID
    code: str
    access_code: str
    receipt_id: UUID | None


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


def receive_dossier(w: UnitOfWork, reception: Reception) -> Received:
    """Receive a dossier at the counter: check it whole, start the clock, hand it over, print Mẫu 01.

    Raises:
        Invalid: fields are wrong, each named.
        Forbidden: the actor is no reception officer today.
    """
    officer = acting(w)
    seat = officer.require(*RECEIVERS)
    version, package = in_force(w, reception.procedure)
    if package.scope != "public":
        raise Refused("dossier.internal_procedure")
    uploads = files.waiting(w, reception.upload_key) if reception.upload_key else []
    answers = check_reception(w, package, reception, uploads)
    dossier = new_dossier(w, version, package, reception, answers, seat.unit_id, uploads)
    dossier.receiver_id = officer.person_id
    return open_dossier(w, dossier, package, uploads, reception)


def check_reception(w: UnitOfWork, package: Package, reception: Reception, uploads: Sequence[StoredFile]) -> Json:
    """Check parties, components and the start form together; return the cleaned answers.

    Raises:
        Invalid: with one refusal per field.
    """
    wrong: dict[str, Refused] = {}
    today = w.now.astimezone(ZONE).date()
    for kind, party in (("owner", reception.owner), ("submitter", reception.submitter)):
        if party is not None:
            for refused in identity.check_person(
                name=party.name,
                number=party.identity,
                birth_on=party.birth_on,
                sex=party.sex,
                phone=party.phone,
                email=party.email,
                today=today,
            ):
                wrong[f"{kind}.{refused.field}"] = refused
    facts = reception_facts(reception, dict(reception.answers))
    handed_in = set(reception.components) | {u.component for u in uploads if u.component}
    for refused in checklist.missing(package.components, handed_in, {u.component for u in uploads}, facts):
        wrong[f"component.{refused.field}"] = refused
    units = units_of(w.session, w.province)
    if reception.deciding_unit_id not in units:
        wrong["deciding_unit"] = Refused("dossier.deciding_unit_unknown", field="deciding_unit")
    answers: Json = {}
    if package.start_form:
        try:
            answers = package.form(package.start_form).check(reception.answers, {"dossier": facts})
        except Invalid as invalid:
            wrong |= {f"answers.{k}": v for k, v in invalid.errors.items()}
    if wrong:
        raise Invalid(wrong)
    return answers


def reception_facts(reception: Reception, answers: Json) -> Json:
    """Return what a component's condition may read before the dossier exists."""
    return {
        "channel": reception.channel,
        "delivery": reception.delivery,
        "by_representative": reception.submitter is not None,
        "answers": answers,
    }


def new_dossier(
    w: UnitOfWork,
    version: ProcedureVersion,
    package: Package,
    reception: Reception,
    answers: Json,
    reception_unit_id: UUID,
    uploads: Sequence[StoredFile],
) -> Dossier:
    """Return the new record with its parties; nothing of it is promised yet."""
    units = units_of(w.session, w.province)
    agency = units[agency_of(units, reception.deciding_unit_id)]
    today = w.now.astimezone(ZONE).date()
    dossier = Dossier(
        province=w.province,
        id=new_id(),
        code=codes.next_code(w.session, w.province, agency.agency_code, today),
        procedure_key=package.key,
        procedure_version_id=version.id,
        scope=package.scope,
        channel=reception.channel,
        status="received",
        reception_unit_id=reception_unit_id,
        deciding_unit_id=reception.deciding_unit_id,
        received_at=w.now,
        term=term_of(package).to_json(),
        delivery=reception.delivery,
        subject=reception.subject.strip(),
        pages=sum(u.pages for u in uploads),
        answers=answers,
        version=1,
    )
    dossier.parties = [party_record(w, "owner", reception.owner)]
    if reception.submitter is not None:
        dossier.parties.append(party_record(w, "submitter", reception.submitter))
    dossier.suspensions, dossier.fees = [], []
    dossier.components = [
        DossierComponent(
            province=w.province,
            position=position,
            key=component.key,
            name={"vi": component.name.vi, "en": component.name.en},
            form=component.form,
            copies=component.copies,
            required=checklist.is_required(component, reception_facts(reception, answers)),
            present=component.key in set(reception.components) | {u.component for u in uploads},
        )
        for position, component in enumerate(package.components)
    ]
    dossier.folded = fold(" ".join([dossier.code, dossier.subject, package.name.vi, *(p.name for p in dossier.parties)]))
    return dossier


def party_record(w: UnitOfWork, kind: str, given: PartyInput) -> Party:
    """Return a party with its personal columns sealed in place."""
    sealing = w.part(Sealing)
    party = Party(province=w.province, id=new_id(), kind=kind, name=identity.clean_text(given.name), sex=given.sex or None)
    values = {
        "identity": identity.digits(given.identity),
        "birth": given.birth_on.isoformat() if given.birth_on else "",
        "address": identity.clean_text(given.address),
        "phone": identity.digits(given.phone),
        "email": given.email.strip(),
    }
    for column, value in values.items():
        setattr(party, f"{column}_sealed", sealing.seal(value, place("party", party.id, column)) if value else None)
    party.identity_index = sealing.blind("identity", values["identity"]) if values["identity"] else None
    return party


def open_dossier(w: UnitOfWork, dossier: Dossier, package: Package, uploads: Sequence[StoredFile], reception: Reception | None) -> Received:
    """Bind the files, count the fees and the term, start the process, print the receipt."""
    access = short_code(6)
    dossier.access_hash = access_hash(w, dossier.id, access)
    w.session.add(dossier)
    w.session.flush()
    for upload in uploads:
        upload.dossier_id = dossier.id
    run = Flow(w, dossier, None, package)
    w.record(
        "dossier.received",
        dossier.id,
        code=dossier.code,
        procedure=package.key,
        version=str(dossier.procedure_version_id),
        channel=dossier.channel,
        reception=str(dossier.reception_unit_id),
        deciding=str(dossier.deciding_unit_id),
        components=[c.key for c in dossier.components if c.present],
        files=[str(u.id) for u in uploads],
    )
    flow.project_due(run, "received")
    facts = flow.dossier_context(run)
    for position, fee in enumerate(fees.due_fees(package.fees, facts)):
        dossier.fees.append(
            FeeDue(
                province=w.province,
                position=position,
                key=fee.key,
                kind=fee.kind,
                name=fee.name,
                amount=fee.amount,
                legal_basis=fee.legal_basis,
            )
        )
    if dossier.fees:
        dossier.financial_status = "due"
    if reception is not None and reception.paid and dossier.fees:
        pay_fees(run, reception.paid)
    begun = start(program(dossier.procedure_version_id, package), initial_variables(dossier, package), flow.context(run, operators))
    run.instance = Instance(
        province=w.province,
        id=new_id(),
        dossier_id=dossier.id,
        procedure_version_id=dossier.procedure_version_id,
        state=begun.state,
        version=1,
    )
    run.instance.waiting = sorted(begun.waiting)
    w.session.add(run.instance)
    w.session.flush()
    flow.follow_tasks(run, begun, None, w.actor.person)
    flow.follow_timers(run, begun)
    if begun.ended is not None:
        run.instance.status, run.instance.ended_by = "ended", begun.ended
    receipt = print_receipt(run, access) if dossier.scope == "public" else None
    announce(run, "received")
    return Received(dossier.id, dossier.code, access, receipt)


def initial_variables(dossier: Dossier, package: Package) -> Json:
    """Return the variables an instance starts with: the start form's answers under the form's name."""
    return {package.start_form: dossier.answers} if package.start_form else {}


def access_hash(w: UnitOfWork, dossier_id: UUID, access: str) -> str:
    """Return what is kept of an access code: a keyed hash, useless without the installation's keys."""
    return w.part(Sealing).blind("access", f"{dossier_id}:{access.upper()}").hex()


def print_receipt(run: Flow, access: str) -> UUID:
    """Print Mẫu 01 with its number in the register of dossiers, the QR code and the access code."""
    w, d = run.w, run.dossier
    total, paid = sum(f.amount for f in d.fees), all(f.paid_at is not None for f in d.fees)
    content: Json = {
        "access_code": access,
        "components": [papers.copies_print(c.name, c.form, c.copies) for c in d.components if c.present],
        "files": [{"name": f.name, "pages": f.pages, "size": f.size, "sha256": f.sha256} for f in papers.files_of(w, d.id)],
        "term": term_words(d.term),
        "return_place": papers.agency_print(w, d.reception_unit_id)["name"]
        if d.delivery == "counter"
        else "Tải về tại trang theo dõi hồ sơ",
        "fees": [{"name": f.name.get("vi", f.key), "amount": f.amount} for f in d.fees],
        "fee_total": total,
        "fee_paid": paid,
        "receiver": papers.person_name(w, d.receiver_id),
        "hotline": papers.agency_print(w, d.reception_unit_id)["phone"],
    }
    receipt = papers.make(
        run,
        "receipt",
        "receipt",
        content,
        unit_id=d.reception_unit_id,
        name={"vi": "Giấy tiếp nhận hồ sơ và hẹn trả kết quả", "en": "Receipt and appointment"},
        register="dossier",
        symbol="TNHS",
        by=d.receiver_id,
    )
    receipt.content = {k: v for k, v in receipt.content.items() if k != "access_code"}
    return receipt.id


BY_DOWNLOAD = "Tải về tại trang theo dõi hồ sơ"
UNITS = {"working_day": "ngày làm việc", "calendar_day": "ngày", "working_hour": "giờ làm việc"}


def term_words(term: Json) -> str:
    """Return a term as Mẫu 01 prints it."""
    if term["unit"] == "same_day":
        late = f" (nhận sau {term['cutoff'].replace(':', ' giờ ')} phút: trong ngày làm việc tiếp theo)" if term.get("cutoff") else ""
        return "Trong ngày" + late
    return f"{term['amount']} {UNITS[term['unit']]}"


def pay_fees(run: Flow, method: str) -> None:
    """Take the fees at the counter, each with the next number of the fee receipts' register.

    Raises:
        Conflict: they are paid already.
    """
    w, d = run.w, run.dossier
    open_fees = [f for f in d.fees if f.paid_at is None]
    if not open_fees:
        raise Conflict("fee.paid_already")
    taken = papers.take_number(w, d.reception_unit_id, "fee_receipt", d.code, dossier_id=d.id, document_id=None, by=w.actor.person)
    for due_fee in open_fees:
        due_fee.paid_at, due_fee.method, due_fee.receipt_number, due_fee.cashier_id = w.now, method, taken.number, w.actor.person
    d.financial_status = "paid"
    w.record("fee.paid", d.id, amount=sum(f.amount for f in open_fees), method=method, receipt=taken.number)


def pay(w: UnitOfWork, code: str, method: str) -> None:
    """Take the open fees of a dossier at the counter."""
    seat = acting(w).require(*RECEIVERS, "cashier", "return_officer")
    run = flow.lock(w, code=code)
    if run.dossier.reception_unit_id not in seat.reach:
        raise Forbidden("dossier.other_unit")
    pay_fees(run, method)


def start_internal(w: UnitOfWork, procedure: str, answers: Mapping[str, Any], *, upload_key: str = "") -> Received:
    """Start an internal procedure for oneself (QĐ 1085/QĐ-TTg): no counter, no receipt, the same engine.

    Raises:
        Invalid: the start form has wrong fields.
        Refused: the procedure is one for citizens.
    """
    person = acting(w)
    seat = person.require()
    version, package = in_force(w, procedure)
    if package.scope != "internal":
        raise Refused("dossier.public_procedure")
    uploads = files.waiting(w, upload_key) if upload_key else []
    cleaned = package.form(package.start_form).check(answers, {"initiator": initiator_facts(w, seat.title)}) if package.start_form else {}
    reception = Reception(
        procedure, seat.agency_id, PartyInput(person.name), channel="online", upload_key=upload_key, answers=cleaned, delivery="download"
    )
    dossier = new_dossier(w, version, package, reception, cleaned, seat.unit_id, uploads)
    dossier.initiator_id, dossier.support_unit_id = person.person_id, seat.unit_id
    return open_dossier(w, dossier, package, uploads, None)


def initiator_facts(w: UnitOfWork, title: str) -> Json:
    """Return what expressions may read of the person who started an internal procedure."""
    return {"title": title}


def answer_supplement(
    w: UnitOfWork, code: str, answers: Mapping[str, Sequence[files.Examined]], note: str, *, access_checked: bool = False
) -> None:
    """Take the owner's answer to a supplement request; the clock resumes and the dossier goes back to the step that asked.

    *answers* maps component keys to examined files. A citizen must have proved access (``access_checked``); staff act by their seat.

    Raises:
        Refused: nothing was asked, or a paper asked for is still missing.
    """
    run = flow.lock(w, code=code)
    d = run.dossier
    if w.actor.kind == "citizen":
        if not access_checked:
            raise Forbidden("tracking.access_needed")
    else:
        acting(w).require(*RECEIVERS, unit=d.reception_unit_id)
    waiting = next((s for s in d.suspensions if s.resumed_at is None and s.ground == "supplement"), None)
    if waiting is None:
        raise Conflict("supplement.not_awaited")
    wrong = {
        f"component.{c.key}": Refused("supplement.paper_missing", field=f"component.{c.key}", component=c.name.get("vi", c.key))
        for c in d.components
        if c.asked and not answers.get(c.key)
    }
    if wrong:
        raise Invalid(wrong)
    kept: list[str] = []
    for key, uploads in answers.items():
        component = next((c for c in d.components if c.key == key), None)
        if component is None:
            raise NotFound("dossier.component_unknown", component=key)
        kept.extend(str(files.keep(w, upload, component=key, dossier_id=d.id).id) for upload in uploads)
        component.present, component.asked = True, False
    for component in d.components:
        component.asked = False
    waiting.resumed_at, waiting.answer = w.now, {"note": note.strip()[:2000], "files": kept}
    w.session.flush()
    d.pages = sum(f.pages for f in papers.files_of(w, d.id))
    flow.status(run, "supplement_answered")
    w.record("supplement.answered", d.id, files=kept)
    flow.project_due(run, "supplement_answered")
    flow.advance(run, lambda prog, state, ctx: receive(prog, state, "supplement_answered", {"answered_at": w.now.isoformat()}, ctx))


def give_back(w: UnitOfWork, dossier: Dossier, how: str) -> None:
    """Mark the result as delivered; finishing late or early was decided when the result was ready."""
    dossier.delivery_status, dossier.returned_at = "delivered", w.now
    w.record("result.returned", dossier.id, how=how)


def withdraw(w: UnitOfWork, code: str, reason: str) -> None:
    """The owner withdraws the dossier at the counter: the process ends, the papers stay in the file.

    Raises:
        Refused: it has ended already, or no reason was given.
    """
    end_early(w, code, reason, "withdrawn", "withdrawal", "stop_notice", {"vi": "Xác nhận rút hồ sơ", "en": "Confirmation of withdrawal"})


def stop(w: UnitOfWork, code: str, reason: str, legal_basis: str) -> None:
    """Stop handling a dossier with Mẫu 05 (TT 03/2025/TT-VPCP): a document with reason and ground, not a status flip."""
    if not legal_basis.strip():
        raise Refused("dossier.legal_basis_missing", field="legal_basis")
    name = {"vi": "Thông báo dừng giải quyết hồ sơ", "en": "Notice of stopping"}
    end_early(w, code, reason, "stopped", "stop_notice", "stop_notice", name, legal_basis=legal_basis)


def end_early(w: UnitOfWork, code: str, reason: str, event: str, kind: str, template: str, name: Json, *, legal_basis: str = "") -> None:
    """End a dossier before its result, with a numbered paper."""
    person = acting(w)
    run = flow.lock(w, code=code)
    d = run.dossier
    roles = RECEIVERS if event == "withdrawn" else ("specialist", "division_head", "head", "deputy_head", "centre_leader")
    unit = d.reception_unit_id if event == "withdrawn" else d.deciding_unit_id
    person.require(*roles, unit=unit)
    if not reason.strip():
        raise Refused("dossier.reason_missing", field="reason")
    if d.closed_at is not None or d.resolved_at is not None:
        raise Conflict("dossier.ended", status=d.status)
    for suspension in d.suspensions:
        suspension.resumed_at = suspension.resumed_at or w.now
    papers.make(
        run,
        kind,
        template,
        {
            "ground": reason.strip(),
            "legal_basis": legal_basis.strip(),
            "requested_by": papers.party_print(w, d, "owner")["name"] if event == "withdrawn" else "",
            "signer": {"title": person.require(*roles, unit=unit).title, "name": person.name},
        },
        unit_id=agency_of(units_of(w.session, w.province), unit),
        name=name,
        register=kind,
        symbol="DGQ",
        by=person.person_id,
    )
    flow.status(run, event)
    flow.advance(run, lambda prog, state, ctx: cancel_process(prog, state, ctx))
    for task in w.session.scalars(select(Task).where(Task.province == w.province, Task.dossier_id == d.id, Task.state == "open")):
        task.state, task.closed_at, task.closed_by_id, task.closed_how = "cancelled", w.now, person.person_id, event
    flow.close(run)
    w.record(f"dossier.{event}", d.id)
    announce(run, event)


def check_access(w: UnitOfWork, code: str, number: str, access: str) -> Dossier:
    """Return the dossier to somebody who knows the owner's or submitter's identity number and the access code of the receipt.

    Raises:
        Refused: one of them is wrong; never says which, nor whether there is such a dossier.
    """
    dossier = w.session.scalars(select(Dossier).where(Dossier.province == w.province, Dossier.code == code)).one_or_none()
    if dossier is None:
        raise Refused("tracking.access_refused", field="access")
    index = w.part(Sealing).blind("identity", identity.digits(number))
    known = any(p.identity_index is not None and hmac.compare_digest(p.identity_index, index) for p in dossier.parties)
    right = hmac.compare_digest(dossier.access_hash, access_hash(w, dossier.id, access.strip()))
    if not (known and right):
        raise Refused("tracking.access_refused", field="access")
    w.record("tracking.access_granted", dossier.id)
    return dossier


def note_handover(run: Flow, kind: str, note: str) -> None:
    """Write a line of the control sheet that is not a step: sent back, reassigned."""
    w, d = run.w, run.dossier
    w.session.add(
        Handover(
            province=w.province,
            dossier_id=d.id,
            at=w.now,
            kind=kind,
            step=run.task.name if run.task else {},
            from_person_id=w.actor.person,
            from_unit_id=run.task.unit_id if run.task else None,
            note=note,
        )
    )


def digest(content: bytes) -> str:
    """Return the SHA-256 (hex) of a content."""
    return hashlib.sha256(content).hexdigest()
