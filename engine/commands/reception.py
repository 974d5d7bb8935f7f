"""Receiving a dossier: check it whole, start the clock, hand it over, print Mẫu 01; or start an internal procedure for oneself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from engine.commands.access import access_hash
from engine.commands.fees import pay_fees
from engine.documents.model import StoredFile
from engine.dossier import checklist, codes, fees, identity
from engine.dossier.model import Dossier, DossierComponent, FeeDue, Party
from engine.errors import Invalid, Refused
from engine.kernel.identifiers import new_id
from engine.kernel.sealing import Sealing, place
from engine.kernel.search import fold
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.office import flow, papers
from engine.office.flow import Flow
from engine.office.intake import PartyInput, Reception, in_force, reception_facts, start_facts, term_of, waiting
from engine.office.operators import announce, operators
from engine.office.papers import short_code
from engine.office.standing import ZONE, acting, agency_of, units_of
from engine.procedure.package import Package
from engine.procedure.registry import ProcedureVersion
from engine.process.instance import program, start
from engine.process.model import Instance

RECEIVERS = ("reception_officer",)


@dataclass(frozen=True, slots=True)
class Received:
    """The answer of the counter: code, due date, the receipt, and the access code printed on it."""

    dossier_id: UUID
    code: str
    access_code: str
    receipt_id: UUID | None


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
    uploads = waiting(w, reception.upload_key) if reception.upload_key else []
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
    answers: Json = {}
    required = checklist.is_required
    if package.start_form:
        try:
            answers = package.form(package.start_form).check(
                reception.answers, {"dossier": reception_facts(reception, package, reception.answers)}
            )
        except Invalid as invalid:
            wrong |= {f"answers.{k}": v for k, v in invalid.errors.items()}
            required = checklist.wanted_so_far
    facts = reception_facts(reception, package, answers or reception.answers)
    handed_in = set(reception.components) | {u.component for u in uploads if u.component}
    for refused in checklist.missing(package.components, handed_in, {u.component for u in uploads}, facts, required):
        wrong[f"component.{refused.field}"] = refused
    units = units_of(w.session, w.province)
    if reception.deciding_unit_id not in units:
        wrong["deciding_unit"] = Refused("dossier.deciding_unit_unknown", field="deciding_unit")
    if wrong:
        raise Invalid(wrong)
    return answers


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
        subject=identity.clean_text(reception.subject),
        pages=sum(u.pages for u in uploads),
        answers=answers,
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
            required=checklist.is_required(component, reception_facts(reception, package, answers)),
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
    facts = {**flow.dossier_context(run), "answers": start_facts(package, dossier.answers)}
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
    run.instance.waiting = flow.awaited(begun)
    w.session.add(run.instance)
    w.session.flush()
    flow.follow_tasks(run, begun, None, w.actor.person)
    flow.follow_timers(run, begun)
    flow.follow_thrown(run, begun)
    if begun.ended is not None:
        run.instance.status, run.instance.ended_by = "ended", begun.ended
    receipt = print_receipt(run, access) if dossier.scope == "public" else None
    announce(run, "received")
    return Received(dossier.id, dossier.code, access, receipt)


def initial_variables(dossier: Dossier, package: Package) -> Json:
    """Return the variables an instance starts with: the start form's answers under the form's name."""
    return {package.start_form: dossier.answers} if package.start_form else {}


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
    uploads = waiting(w, upload_key) if upload_key else []
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
