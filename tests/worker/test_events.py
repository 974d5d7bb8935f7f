"""Events thrown out of one dossier reach others through the outbox: by business key to one, by signal to all, once, not before an undo."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from engine.commands import incidents, tasks
from engine.commands.procedures import replaced
from engine.dossier.model import Dossier
from engine.errors import Conflict, Forbidden, Refused
from engine.kernel.incidents import Incident
from engine.kernel.journal import JournalLine
from engine.kernel.outbox import OutboxMessage
from engine.kernel.unit_of_work import Actor
from engine.procedure.registry import store
from engine.process.model import Instance, Task
from engine.worker import dispatch
from tests.commands.test_main_job import APPROVE
from tests.procedures.packages import real
from tests.support.office import Office

SYSTEM = Actor("system", label="tests")
KEY = """<bpmn:correlationKey id="ck" name="parcel"><bpmn:correlationPropertyRef>cp</bpmn:correlationPropertyRef></bpmn:correlationKey>
  </bpmn:collaboration>
  <bpmn:message id="m_found" name="found"/>
  <bpmn:signal id="s_found" name="found"/>
  <bpmn:correlationProperty id="cp" name="plot"><bpmn:correlationPropertyRetrievalExpression id="re" messageRef="m_found">
    <bpmn:messagePath>plot</bpmn:messagePath></bpmn:correlationPropertyRetrievalExpression></bpmn:correlationProperty>"""
MESSAGE = """<bpmn:messageEventDefinition id="{0}_m" messageRef="m_found"><bpmn:extensionElements>
  <spiffworkflow:messagePayload>{{plot: review.paper_name}}</spiffworkflow:messagePayload>
  <spiffworkflow:messageVariable>found</spiffworkflow:messageVariable></bpmn:extensionElements></bpmn:messageEventDefinition>"""
SIGNAL = '<bpmn:signalEventDefinition id="{0}_s" signalRef="s_found"/>'


def talking(office: Office, definition: str) -> None:
    """Publish a procedure in which a dossier tells others what it has found and waits to be told; the gate would ask for a catcher."""
    package = real()
    diagram = package.files["process.bpmn"].decode()
    flow = 'id="draft_copy_to_sign" sourceRef="draft_copy" targetRef="sign"'
    assert flow in diagram
    events = (
        f'<bpmn:intermediateThrowEvent id="tell">{definition.format("tell")}</bpmn:intermediateThrowEvent>'
        f'<bpmn:intermediateCatchEvent id="hear">{definition.format("hear")}</bpmn:intermediateCatchEvent>'
        '<bpmn:sequenceFlow id="f1" sourceRef="tell" targetRef="hear"/><bpmn:sequenceFlow id="f2" sourceRef="hear" targetRef="sign"/>'
    )
    diagram = diagram.replace(flow, flow.replace('targetRef="sign"', 'targetRef="tell"'))
    diagram = diagram.replace("<bpmn:incoming>draft_copy_to_sign</bpmn:incoming>", "<bpmn:incoming>f2</bpmn:incoming>")
    diagram = diagram.replace("</bpmn:collaboration>", KEY, 1).replace("</bpmn:process>", events + "</bpmn:process>", 1)
    with office.runtime.begin(Actor("cli", label="tests")) as w:
        store(w, replaced(package, {"process.bpmn": diagram.encode()}))


def told(office: Office, plot: str) -> str:
    """A dossier that has told what it has found, and waits."""
    received = office.receive()
    office.complete("specialist", received.code, {**APPROVE, "paper_name": plot})
    return received.code


def steps(office: Office, code: str) -> list[str]:
    with office.runtime.begin(SYSTEM) as w:
        return list(
            w.session.scalars(
                select(Task.step).join(Dossier, Dossier.id == Task.dossier_id).where(Dossier.code == code, Task.state == "open")
            )
        )


def promised(office: Office, code: str) -> Any:
    with office.runtime.begin(SYSTEM) as w:
        return w.session.execute(
            select(OutboxMessage.id, OutboxMessage.state, OutboxMessage.attempts, OutboxMessage.receipt, OutboxMessage.not_before)
            .join(Dossier, Dossier.id == OutboxMessage.dossier)
            .where(Dossier.code == code, OutboxMessage.kind == "event")
        ).one()


def deliver(office: Office, code: str) -> Any:
    dispatch.deliver(office.runtime, promised(office, code).id)
    return promised(office, code)


def dossier_id(office: Office, code: str) -> UUID:
    with office.runtime.begin(SYSTEM) as w:
        return w.session.scalars(select(Dossier.id).where(Dossier.code == code)).one()


def taken(office: Office) -> list[UUID]:
    with office.runtime.begin(SYSTEM) as w:
        return list(w.session.scalars(select(JournalLine.chain).where(JournalLine.kind == "event.taken")))


def test_a_message_reaches_the_one_dossier_of_its_business_key_and_no_other(office: Office):
    talking(office, MESSAGE)
    one, other, stranger = told(office, "thửa 12"), told(office, "thửa 12"), told(office, "thửa 13")
    assert [steps(office, code) for code in (one, other, stranger)] == [[], [], []]

    assert deliver(office, stranger).state == "waiting"  # the wrong key: nobody takes it, it is tried again later
    assert taken(office) == []
    done = deliver(office, one)

    assert (done.state, done.receipt) == ("delivered", {"took": [str(dossier_id(office, other))]})
    assert [steps(office, code) for code in (one, other, stranger)] == [[], ["sign"], []]
    assert deliver(office, other).state == "delivered"
    assert [steps(office, code) for code in (one, other, stranger)] == [["sign"], ["sign"], []]
    assert sorted(taken(office)) == sorted([dossier_id(office, one), dossier_id(office, other)])


def test_a_message_delivered_again_has_no_second_effect(office: Office):
    talking(office, MESSAGE)
    one, other = told(office, "thửa 12"), told(office, "thửa 12")
    first = deliver(office, one)
    with office.runtime.begin(SYSTEM) as w:  # a worker that died after the hand-over: the message waits again
        row = w.session.get(OutboxMessage, (w.province, first.id))
        assert row is not None
        row.state = "waiting"
        version = w.session.scalars(select(Instance.version).where(Instance.dossier_id == dossier_id(office, other))).one()
    deliver(office, one)
    with office.runtime.begin(SYSTEM) as w:
        assert w.session.scalars(select(Instance.version).where(Instance.dossier_id == dossier_id(office, other))).one() == version
    assert len(taken(office)) == 1


def test_a_signal_is_heard_by_everybody_who_listens(office: Office):
    talking(office, SIGNAL)
    codes = [told(office, f"thửa {number}") for number in range(3)]
    done = deliver(office, codes[0])
    assert (done.state, sorted(done.receipt["took"])) == ("delivered", sorted(str(dossier_id(office, code)) for code in codes[1:]))
    assert [steps(office, code) for code in codes] == [[], ["sign"], ["sign"]]


def test_what_nobody_ever_waits_for_becomes_an_incident_after_five_tries(office: Office):
    talking(office, MESSAGE)
    lonely = told(office, "thửa 99")
    for _ in range(5):
        deliver(office, lonely)
    assert promised(office, lonely).state == "failed"
    with office.runtime.begin(SYSTEM) as w:
        [incident] = w.session.scalars(select(Incident))
        assert (incident.code, incident.dossier) == ("event.nobody_waits", dossier_id(office, lonely))


def test_an_administrator_tries_an_incident_again_or_closes_it_with_a_reason_each_once(office: Office):
    talking(office, MESSAGE)
    lonely = told(office, "thửa 99")
    for _ in range(5):
        deliver(office, lonely)
    with office.runtime.begin(SYSTEM) as w:
        incident = w.session.scalars(select(Incident.id)).one()
    for act in (incidents.retry, incidents.settle):
        with pytest.raises(Forbidden), office.as_("specialist") as w:
            act(w, incident, "x")
        with pytest.raises(Refused, match="reason_missing"), office.as_("administrator") as w:
            act(w, incident, " ")
    partner = told(office, "thửa 99")
    with office.as_("administrator") as w:
        incidents.retry(w, incident, "Hồ sơ kia nay đã chờ.")
    with pytest.raises(Conflict, match="settled"), office.as_("administrator") as w:
        incidents.settle(w, incident, "x")
    assert deliver(office, lonely).state == "delivered"
    assert steps(office, partner) == ["sign"]
    with office.runtime.begin(SYSTEM) as w:
        [line] = w.session.scalars(select(JournalLine).where(JournalLine.kind == "incident.retried"))
        assert (line.facts["reason"], line.actor["person"]) == ("Hồ sơ kia nay đã chờ.", str(office.people["administrator"]))
        assert line.chain == dossier_id(office, lonely)

    other = told(office, "thửa 100")
    for _ in range(5):
        deliver(office, other)
    with office.runtime.begin(SYSTEM) as w:
        second = w.session.scalars(select(Incident.id).where(Incident.resolved_at.is_(None))).one()
    with office.as_("administrator") as w:
        incidents.settle(w, second, "Đã xử lý bằng văn bản giấy.")
    assert promised(office, other).state == "withdrawn"


def test_what_was_called_back_within_ten_seconds_is_never_told(office: Office):
    talking(office, SIGNAL)
    received = office.receive()
    done = office.complete("specialist", received.code, APPROVE)
    row = promised(office, received.code)
    assert row.not_before == office.clock.at + timedelta(seconds=10)
    with office.as_("specialist") as w:
        tasks.undo(w, done.task_id)
    assert deliver(office, received.code).state == "withdrawn"
