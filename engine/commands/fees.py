"""Taking fees at the counter, each with the next number of the receipts' register."""

from __future__ import annotations

from engine.errors import Conflict, Forbidden
from engine.kernel.unit_of_work import UnitOfWork
from engine.office import flow, papers
from engine.office.flow import Flow
from engine.office.standing import acting
from engine.procedure.operators import PAYMENT_RECEIVED

RECEIVERS = ("reception_officer",)


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
    flow.tell(run, PAYMENT_RECEIVED, {"receipt": taken.number, "method": method})


def pay(w: UnitOfWork, code: str, method: str) -> None:
    """Take the open fees of a dossier at the counter."""
    seat = acting(w).require(*RECEIVERS, "cashier", "return_officer")
    run = flow.lock(w, code=code)
    if run.dossier.reception_unit_id not in seat.reach:
        raise Forbidden("dossier.other_unit")
    pay_fees(run, method)
