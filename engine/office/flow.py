"""How a command moves a dossier: lock it, let the process run to its next wait state, and follow with tasks, timers, status and clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, SmallInteger, Uuid, bindparam, func, literal_column, or_, select
from sqlalchemy.orm import aliased

from engine.deadline.calendar import WorkingCalendar
from engine.deadline.calendar_file import Calendars
from engine.deadline.functions import working_time
from engine.deadline.stage import stage_due
from engine.deadline.term import Extension, Pause, Term, due, outcome
from engine.dossier import lifecycle
from engine.dossier.model import Dossier, DueChange, Handover, Party, Suspension
from engine.errors import NotFound, Refused
from engine.feel.dmn import Outcome as DecisionOutcome
from engine.kernel import due as due_table
from engine.kernel import journal, wire
from engine.kernel.due import Due
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.kernel.wire import Prepared, columns, prepared
from engine.office.standing import ZONE, Standing, agency_of, reach_of, seats_at, units_of
from engine.organisation.directory import OrganisationChange, renumber
from engine.organisation.model import Person
from engine.procedure.operators import TERM_ENDING
from engine.procedure.package import LaneRule, Package
from engine.procedure.registry import ProcedureCache
from engine.process.instance import Advance, Context, OpenTask, Operation, Program, program, receive
from engine.process.model import Instance, Task

Step = Callable[[Program, bytes, Context], Advance]


@dataclass(slots=True)
class Flow:
    """A dossier under its lock, with its instance and the published package it was received under."""

    w: UnitOfWork
    dossier: Dossier
    instance: Instance | None
    package: Package
    papers: list[UUID] = field(default_factory=list)
    irreversible: bool = False
    task: Task | None = None
    open_tasks: list[Task] | None = None
    """The open tasks, where they were read with the lock; kept up to date by every advance."""
    timers: dict[str, datetime] | None = None
    """The process timers in the due table, likewise."""
    by_representative: bool | None = None
    next_task_id: UUID | None = None
    """The most urgent other task of who acts, likewise."""
    _calendar: WorkingCalendar | None = None

    @property
    def calendar(self) -> WorkingCalendar:
        """The working calendar deadlines are counted in; which unit decides a dossier never changes."""
        if self._calendar is None:
            self._calendar = calendar_for(self.w, self.dossier.deciding_unit_id)
        return self._calendar


def calendar_for(w: UnitOfWork, unit_id: UUID) -> WorkingCalendar:
    """Return the working calendar that binds the agency of a unit."""
    units = units_of(w.session, w.province)
    code = units[agency_of(units, unit_id)].agency_code if unit_id in units else ""
    return w.part(Calendars).of(code)


def lock(w: UnitOfWork, *, dossier_id: UUID | None = None, code: str | None = None) -> Flow:
    """Lock the dossier's row and return it with its instance; the unit of work turns a lock held too long into a `Conflict`.

    Raises:
        NotFound: there is no such dossier.
    """
    query = select(Dossier).where(Dossier.province == w.province)
    query = query.where(Dossier.id == dossier_id) if dossier_id else query.where(Dossier.code == code)
    dossier = w.session.scalars(query.with_for_update().execution_options(populate_existing=True)).one_or_none()
    if dossier is None:
        raise NotFound("dossier.not_found")
    instance = w.session.scalars(
        select(Instance).where(Instance.province == w.province, Instance.dossier_id == dossier.id).execution_options(populate_existing=True)
    ).one_or_none()
    return Flow(w, dossier, instance, w.part(ProcedureCache).package(w, dossier.procedure_version_id))


@cache
def _reading() -> tuple[Prepared, ...]:
    """Return the statements that lock and read around a task; putting them together costs more than the database needs to answer."""
    other = aliased(Task)

    def literal(value: object) -> Any:  # written into the text: a partial index is only used for a condition that is known beforehand
        return literal_column(repr(value))

    province: BindParameter[int] = bindparam("province", type_=SmallInteger())
    task: BindParameter[UUID] = bindparam("task", type_=Uuid())
    person: BindParameter[UUID | None] = bindparam("person", type_=Uuid())
    its_dossier = select(Task.dossier_id).where(Task.province == province, Task.id == task).scalar_subquery()
    # The first reads the number of the organisation, and locks the dossier and then the end of its chain, which every dossier has: nobody
    # adds a line between reading and writing, not even who only looks at the dossier. Whoever had to wait sees both as they are now.
    lock = (
        select(
            select(OrganisationChange.number).where(OrganisationChange.province == province).scalar_subquery(),
            *journal.HEAD,
            *columns(Dossier),
        )
        .join(journal.JournalHead, (journal.JournalHead.province == Dossier.province) & (journal.JournalHead.chain == Dossier.id))
        .where(Dossier.province == province, Dossier.id == its_dossier)
        .with_for_update(of=[Dossier, journal.JournalHead])
    )
    # The second, under the lock: timers, whether somebody else submitted, what opens next for who acts; the instance, and with it its open
    # tasks and the one that is meant.
    timers = select(func.jsonb_object_agg(Due.ref, Due.due_at)).where(
        Due.province == province, Due.dossier == its_dossier, Due.kind == literal("timer")
    )
    submitter = select(Party.id).where(Party.province == province, Party.dossier_id == its_dossier, Party.kind == literal("submitter"))
    urgent = (
        select(other.id)
        .where(other.province == province, other.state == literal("open"), other.assignee_id == person, other.id != task)
        .order_by(other.due_at.asc().nulls_last(), other.opened_at)
        .limit(literal(1))
    )
    around = (
        select(timers.scalar_subquery(), submitter.exists(), urgent.scalar_subquery(), *columns(Instance), *columns(Task))
        .join(Task, (Task.province == Instance.province) & (Task.dossier_id == Instance.dossier_id))
        .where(Instance.province == province, Instance.dossier_id == its_dossier, or_(Task.state == literal("open"), Task.id == task))
    )
    return prepared(lock), prepared(around)


def lock_task(w: UnitOfWork, task_id: UUID) -> Flow:
    """Lock the dossier of a task and read all that completing the task needs: two statements, one journey.

    Raises:
        NotFound: there is no such task.
    """
    w.session.flush()
    given = {"province": w.province, "task": task_id, "person": w.actor.person}
    locked, rows = wire.read(w.session, _reading(), given)
    if not locked:
        raise NotFound("task.not_found")
    number, *head = locked[0][:4]
    timers, represented, urgent = rows[0][:3]
    dossier = wire.made(w.session, Dossier, locked[0][4:])
    renumber(w.session, w.province, number)
    journal.remember_head(w.session, dossier.id, head)
    width = 3 + len(columns(Instance))
    found = sorted([wire.made(w.session, Task, row[width:]) for row in rows], key=attrgetter("opened_at"))
    return Flow(
        w,
        dossier,
        wire.made(w.session, Instance, rows[0][3:width]),
        w.part(ProcedureCache).package(w, dossier.procedure_version_id),
        task=next(task for task in found if task.id == task_id),
        open_tasks=[task for task in found if task.state == "open"],
        timers={ref: datetime.fromisoformat(at) for ref, at in (timers or {}).items()},
        by_representative=represented,
        next_task_id=urgent,
    )


def dossier_context(flow: Flow) -> Json:
    """Return what expressions of the diagram may read of the dossier: facts, no personal data but the initiator's unit."""
    d = flow.dossier
    return {
        "code": d.code,
        "channel": d.channel,
        "status": d.status,
        "pages": d.pages,
        "delivery": d.delivery,
        "by_representative": (any(p.kind == "submitter" for p in d.parties) if flow.by_representative is None else flow.by_representative),
        "subject": d.subject,
        "financial_status": d.financial_status,
        "received_on": d.received_at.astimezone(ZONE).date().isoformat(),
        "answers": d.answers,
    }


def context(flow: Flow, operators: Callable[[Flow], dict[str, Callable[[Operation], Json]]]) -> Context:
    """Return the context an advance runs in: the instant, the operators, the working-time functions, the dossier's facts."""
    return Context(
        now=flow.w.now,
        operators=operators(flow),
        functions=working_time(flow.calendar, flow.w.now),
        dossier=lambda: dossier_context(flow),
        decided=lambda operation, outcome: _decided(flow, operation, outcome),
    )


def _decided(flow: Flow, operation: Operation, outcome: DecisionOutcome) -> None:
    """Write down which rows of which tables decided: numbers and names of tables, never the values they read."""
    rows = [{"table": fired.element, "rows": list(fired.rows), "rules": list(fired.rule_ids)} for fired in outcome.fired]
    decision = str(operation.parameters.get("decision", ""))
    flow.w.record("decision.made", flow.dossier.id, step=operation.step, decision=decision, fired=rows)


def suspended_since(flow: Flow) -> datetime | None:
    """Return since when the whole dossier stands still, None while it goes on or merely waits for a supplement."""
    if flow.instance is None or flow.instance.status != "suspended":
        return None
    return max((one.suspended_at for one in flow.dossier.suspensions if one.resumed_at is None), default=None)


def require_moving(flow: Flow) -> None:
    """Refuse while the dossier is suspended.

    Raises:
        Refused: ``dossier.suspended``, with since when.
    """
    since = suspended_since(flow)
    if since is not None:
        raise Refused("dossier.suspended", since=iso(since))


def advance(flow: Flow, step: Step, *, closing: Task | None = None, by: UUID | None = None, how: str = "superseded") -> Advance:
    """Run one step of the process and write down what it opened, closed (*how*), timed and ended."""
    from engine.office.operators import operators

    instance = flow.instance
    assert instance is not None, "an instance is made at reception"
    require_moving(flow)
    made = step(program(flow.dossier.procedure_version_id, flow.package), instance.state, context(flow, operators))
    wire.change(instance, state=made.state, version=instance.version + 1, waiting=awaited(made))
    follow_thrown(flow, made)
    follow_tasks(flow, made, closing, by, how)
    follow_timers(flow, made)
    if made.ended is not None:
        instance.status, instance.ended_by = "ended", made.ended
    made.forget()
    return made


SIGNAL = "signal:"


def awaited(made: Advance) -> list[str]:
    """Return what an instance waits for from outside, as its row keeps it: names of messages, and of signals with a mark."""
    return sorted((*made.waiting, *(SIGNAL + name for name in made.signals)))


def follow_thrown(flow: Flow, made: Advance) -> None:
    """Promise what the process threw and nobody in it caught to whoever waits for it elsewhere: by the outbox, once, not before an undo."""
    assert flow.instance is not None
    w, d = flow.w, flow.dossier
    for number, one in enumerate(made.thrown):
        if one.kind in ("message", "signal"):
            payload = {"kind": one.kind, "name": one.name, "payload": one.payload, "keys": one.keys}
            key = f"event:{flow.instance.id}:{flow.instance.version}:{number}"
            w.send("event", key, payload, dossier=d.id, not_before=w.now + UNDO)
            w.record("event.thrown", d.id, event=one.kind, name=one.name, key=key)


def follow_tasks(flow: Flow, made: Advance, closing: Task | None, by: UUID | None, how: str = "superseded") -> None:
    """Make the task rows agree with what the process has open."""
    w, d = flow.w, flow.dossier
    if flow.open_tasks is None:
        query = select(Task).where(Task.province == w.province, Task.dossier_id == d.id, Task.state == "open")
        flow.open_tasks = list(w.session.scalars(query))
    rows = [row for row in flow.open_tasks if row.state == "open"]
    ready = {t.uuid: t for t in made.ready}
    for row in rows:
        if row.engine_task not in ready or (closing is not None and row.id == closing.id):
            row.state, row.closed_at, row.closed_by_id = "cancelled", w.now, by
            row.closed_how = row.closed_how or how
    flow.open_tasks = [row for row in rows if row.state == "open"]
    still = {row.engine_task for row in flow.open_tasks}
    rewound = flow.instance is None or flow.instance.rewound
    flow.open_tasks += [open_task(flow, one, closing, by, again=rewound) for one in made.ready if one.uuid not in still]


def lane_of(package: Package, name: str | None) -> LaneRule:
    """Return the lane of the package a step stands in; the gate has made sure that it exists."""
    lane = package.lane(name)
    if lane is None:
        raise NotFound("procedure.lane_unknown", lane=name or "")
    return lane


LEADERS = {"agency_leader": ("head", "deputy_head")}


def roles_of(lane: LaneRule) -> list[str]:
    """Return the roles that may work in a lane; a leader of the agency is its head or a deputy."""
    return list(LEADERS.get(lane.role, (lane.role,)))


def open_task(flow: Flow, opened: OpenTask, closing: Task | None, by: UUID | None, *, again: bool = True) -> Task:
    """Put a step on the right desks: by lane → role → unit, or to the initiator; *again* when it may have been open before."""
    w, d = flow.w, flow.dossier
    lane, properties = lane_of(flow.package, opened.lane), dict(opened.properties)
    assert flow.instance is not None
    rounds = 0
    if again:
        before = select(func.count(Task.id)).where(
            Task.province == w.province, Task.instance_id == flow.instance.id, Task.engine_task == opened.uuid
        )
        rounds = w.session.scalar(before) or 0
    unit_id, assignee = address(flow, lane, properties, opened.variables)
    hours = float(properties.get("stage_hours") or 0)
    dossier_id, due_at = d.id, stage_due(w.now, hours, flow.calendar) if hours else None
    name = {"vi": opened.name, "en": properties.get("name_en") or opened.name}
    task = wire.fresh(
        w.session,
        Task,
        province=w.province,
        dossier_id=dossier_id,
        instance_id=flow.instance.id,
        engine_task=opened.uuid,
        round=rounds + 1,
        step=opened.step,
        name=name,
        lane=lane.id,
        action=properties.get("action", "form"),
        properties=properties,
        roles=roles_of(lane),
        unit_id=unit_id,
        assignee_id=assignee,
        reason={"lane": lane.id, "roles": roles_of(lane), "unit": str(unit_id), "rule": lane.unit, "initiator": assignee is not None},
        opened_at=w.now,
        due_at=due_at,
        answers={},
    )
    wire.fresh(
        w.session,
        Handover,
        province=w.province,
        dossier_id=dossier_id,
        at=w.now,
        kind="handed_over",
        step=name,
        from_person_id=by,
        from_unit_id=closing.unit_id if closing else d.reception_unit_id,
        to_unit_id=unit_id,
        to_person_id=assignee,
        due_at=due_at,
        outcome=closing.outcome if closing else None,
    )
    w.record("task.opened", dossier_id, task=str(task.id), step=opened.step, unit=str(unit_id), round=rounds + 1)
    return task


ANSWER = "answer:"


def address(flow: Flow, lane: LaneRule, properties: Json, variables: Mapping[str, Any]) -> tuple[UUID, UUID | None]:
    """Return the unit a step is addressed to and, when the rule names one, the person.

    Raises:
        Refused: an answer names an agency that is none of this province.
    """
    d, units = flow.dossier, units_of(flow.w.session, flow.w.province)
    if properties.get("assign") == "initiator" or lane.unit == "initiator":
        return d.support_unit_id or d.reception_unit_id, d.initiator_id
    match lane.unit:
        case "reception":
            return d.reception_unit_id, None
        case "owner_unit":
            return d.support_unit_id or d.deciding_unit_id, None
        case rule if rule.startswith(ANSWER):
            variable, _, key = rule.removeprefix(ANSWER).partition(".")
            answers = variables.get(variable)
            code = str(answers.get(key) or "").strip().upper() if isinstance(answers, dict) else ""
            return _by_code(units, code, key), None
        case rule if rule and rule[0].isupper():
            return _by_code(units, rule, "unit"), None
        case "agency":
            return agency_of(units, d.support_unit_id or d.deciding_unit_id), None
        case _:
            return d.deciding_unit_id, None


def _by_code(units: Mapping[UUID, Any], code: str, field: str) -> UUID:
    found: UUID | None = next((unit.id for unit in units.values() if code and unit.agency_code == code and unit.valid_to is None), None)
    if found is None:
        raise Refused("task.agency_unknown", field=field, agency=code)
    return found


def follow_timers(flow: Flow, made: Advance) -> None:
    """Put the process timers of this instance into the due table, and take out those that are gone; of a suspended one, all of them."""
    suspended = flow.instance is not None and flow.instance.status == "suspended"
    wanted = {} if suspended else {t.key: t.due_at for t in made.timers}
    w, d = flow.w, flow.dossier
    if flow.timers is None:
        due_table.replace(w.session, w.province, d.id, "timer", wanted)
    else:
        due_table.change(w.session, w.province, d.id, "timer", flow.timers, wanted)
        flow.timers = wanted


def status(flow: Flow, event: str) -> None:
    """Let the lifecycle follow an event, and journal the change of status."""
    before = flow.dossier.status
    if event == "work_started" and before != "received":
        return
    after = lifecycle.follow(before, event)
    if after == before:
        return
    flow.dossier.status = after
    flow.w.record("dossier.status_changed", flow.dossier.id, before=before, after=after)


def extension_of(dossier: Dossier) -> Extension | None:
    """Return the new date a dossier was given, as the value the statutory clock counts with."""
    given = dossier.extension
    return Extension(datetime.fromisoformat(given["granted_at"]), datetime.fromisoformat(given["until"])) if given else None


def tell(flow: Flow, message: str, payload: Json) -> bool:
    """Let a message arrive at the process if it waits for it; returns whether it did."""
    if flow.instance is None or flow.instance.status != "running" or message not in flow.instance.waiting:
        return False
    advance(flow, lambda prog, state, ctx: receive(prog, state, message, payload, ctx))
    return True


def pauses(flow: Flow) -> list[Pause]:
    """Return the suspension ledger as values."""
    return pauses_of(flow.dossier.suspensions)


def pauses_of(suspensions: Iterable[Suspension]) -> list[Pause]:
    """Return suspensions as the values the statutory clock counts with."""
    return [Pause(s.suspended_at, s.resumed_at, s.ground) for s in suspensions]


def project_due(flow: Flow, reason: str) -> None:
    """Recompute the due date from the ledger; keep the change with its reason, and the reminder in the due table."""
    w, d = flow.w, flow.dossier
    answer = due(d.received_at, Term.from_json(d.term), pauses(flow), flow.calendar, extension_of(d))
    if answer.at != d.due_at:
        w.session.add(DueChange(province=w.province, dossier_id=d.id, at=w.now, from_due_at=d.due_at, to_due_at=answer.at, reason=reason))
        w.record("dossier.due_changed", d.id, before=iso(d.due_at), after=iso(answer.at), reason=reason)
    d.due_at, d.due_provisional = answer.at, answer.provisional
    if d.original_due_at is None:
        d.original_due_at = answer.at
    falls: dict[str, datetime] = {}
    if answer.at is not None and d.resolved_at is None and d.closed_at is None:
        falls["due"] = answer.at
        if d.extension is None and any(name == TERM_ENDING for _, name in flow.package.whole.references.values()):
            falls["ending"] = max(w.now, flow.calendar.day_before(answer.at))
    due_table.replace(w.session, w.province, d.id, "term", falls)


def settle_outcome(flow: Flow) -> None:
    """Fix early, on time or late: the deciding agency has handed the result to the counter (status 9)."""
    d = flow.dossier
    d.resolved_at = flow.w.now
    if d.due_at is not None:
        d.outcome = outcome(flow.w.now, d.due_at).value
    due_table.clear(flow.w.session, flow.w.province, d.id, "term")


def close(flow: Flow) -> None:
    """Mark the dossier as ended: no timers, no open tasks."""
    flow.dossier.closed_at = flow.w.now
    due_table.clear(flow.w.session, flow.w.province, flow.dossier.id)


def iso(at: datetime | None) -> str | None:
    """Return the canonical text of an instant."""
    return at.isoformat() if at else None


def candidates(w: UnitOfWork, task: Task) -> list[Person]:
    """Return the people who may take this task now, in Vietnamese order of names."""
    from engine.organisation.model import Appointment, Position

    units = units_of(w.session, w.province)
    people = w.session.scalars(
        select(Person)
        .join(Appointment, (Appointment.province == Person.province) & (Appointment.person_id == Person.id))
        .join(Position, (Position.province == Appointment.province) & (Position.id == Appointment.position_id))
        .where(Person.province == w.province, Position.role.in_(task.roles), Position.unit_id.in_(below(units, task.unit_id)))
        .order_by(Person.sort_key)
    ).unique()
    return [person for person in people if may_take(seats_at(w, person.id, w.now), task)]


def below(units: dict[UUID, Any], unit_id: UUID) -> list[UUID]:
    """Return the units whose people a task addressed to *unit_id* may reach: itself and its divisions."""
    return [u for u in units if unit_id in reach_of(units, u)]


def may_take(standing: Standing, task: Task) -> bool:
    """Say whether a person with this standing may take this task."""
    if task.assignee_id == standing.person_id:
        return True
    return task.assignee_id is None and standing.seat(*task.roles, unit=task.unit_id) is not None


UNDO = timedelta(seconds=10)
