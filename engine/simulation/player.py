"""Plays a plan: every act by the office's own commands, in a unit of work of the person who does it, under a moved clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import select

from engine.commands import ceremony, dossiers, files, signatures, tasks
from engine.deadline.calendar import WorkingCalendar
from engine.errors import EngineError
from engine.kernel import requests
from engine.kernel.clock import MovableClock
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import Actor, UnitOfWork
from engine.organisation.authority import Act, permitted
from engine.process.model import Task
from engine.runtime import Runtime
from engine.simulation.citizens import invent
from engine.simulation.organisation import Member, Province
from engine.simulation.scenario import Life, Moment, Scenario, day_facts, filled

PROGRESS = "demonstration:life:{number}"
CITIZEN = Actor("citizen", label="demonstration")


class OutOfStep(Exception):
    """The scenario asks for something the process does not offer; names life, act and what is open instead."""


class Player:
    """Plays moments of one scenario in one province; *papers* are the examined photographs of each paper."""

    def __init__(
        self,
        runtime: Runtime,
        clock: MovableClock,
        province: Province,
        scenario: Scenario,
        papers: list[list[files.Examined]],
        calendar: WorkingCalendar,
        progress: Mapping[str, Json],
    ) -> None:
        self.runtime, self.clock, self.province, self.scenario, self.papers, self.calendar = (
            runtime,
            clock,
            province,
            scenario,
            papers,
            calendar,
        )
        self.lives = self.scenario.lives
        self.progress: dict[int, Json] = {int(key.rsplit(":", 1)[1]): state for key, state in progress.items()}
        self._acts: dict[str, Callable[[Life, Mapping[str, Any]], None]] = {
            "receive": self.receive,
            "claim": self.claim,
            "complete": self.complete,
            "send_back": self.send_back,
            "sign": self.sign,
            "issue": self.issue,
            "answer_supplement": self.answer_supplement,
            "withdraw": self.withdraw,
            "stop": self.stop,
        }
        self._candidates = lru_cache(maxsize=None)(self._find_candidates)

    def play(self, moment: Moment) -> None:
        """Let one moment happen, unless an earlier run has played it.

        Raises:
            OutOfStep: the scenario and the process disagree.
        """
        life = self.lives[moment.life]
        if moment.position < self.progress.get(life.number, {}).get("acts", 0):
            return
        self.clock.at = moment.at
        try:
            self._acts[moment.act["act"]](life, moment.act)
        except EngineError as refused:
            errors = {field: reason.code for field, reason in getattr(refused, "errors", {}).items()}
            where = f"life {life.number} ({life.row['name']}), act {moment.position} {dict(moment.act)}"
            raise OutOfStep(f"{where}: {refused.code} {dict(refused.facts)} {errors}") from refused

    # -- reception -----------------------------------------------------------------------------------------------------------------------

    def receive(self, life: Life, act: Mapping[str, Any]) -> None:
        """Receive a public dossier at a counter, or start an internal procedure at a desk."""
        if life.row.get("kind") == "internal":
            member = self.province.member(life.row["initiator"])
            with self.begin(member.actor) as w:
                made = dossiers.start_internal(w, life.row["procedure"], self.answers(life, life.row["answers"]))
                self.keep_progress(w, life, made.dossier_id, made.code)
            return
        public, chance = self.scenario.content["public"], life.chance
        reception_unit, deciding = self.offices(life)
        owner = invent(self.scenario.content["citizens"], chance)
        officer = next(m for m in self.province.members.values() if "reception_officer" in m.roles and reception_unit in m.units)
        paper = self.paper(life)
        draft = f"demonstration-{life.number}"
        with self.begin(officer.actor) as w:
            for photograph in self.papers[paper]:
                files.keep(w, photograph, component=public["component"], upload_key=draft)
            made = dossiers.receive_dossier(
                w,
                dossiers.Reception(
                    procedure=public["procedure"],
                    deciding_unit_id=self.province.units[deciding],
                    owner=owner,
                    channel=chance.choices(["in_person", "online", "postal"], [16, 3, 1])[0],
                    components=[public["component"]],
                    upload_key=draft,
                    subject=self.scenario.content["paper"][paper]["name"],
                    delivery=chance.choice(["counter", "download"]),
                    paid=public["paid"],
                ),
            )
            self.keep_progress(w, life, made.dossier_id, made.code)

    def offices(self, life: Life) -> tuple[str, str]:
        """Return reception and deciding unit of a public dossier."""
        found = self.scenario.offices(life)
        assert found is not None, "an internal procedure has no counter"
        return found

    def paper(self, life: Life) -> int:
        """Return which paper this life is about."""
        return life.number % len(self.papers)

    # -- desks ---------------------------------------------------------------------------------------------------------------------------

    def claim(self, life: Life, act: Mapping[str, Any]) -> None:
        """Somebody entitled takes the task."""
        task, member = self.task(life, act)
        with self.begin(member.actor) as w:
            tasks.claim(w, task.id)
            self.keep_progress(w, life)

    def complete(self, life: Life, act: Mapping[str, Any]) -> None:
        """Somebody entitled completes the step with the answers of the scenario."""
        task, member = self.task(life, act)
        with self.begin(member.actor) as w:
            tasks.complete(w, task.id, self.answers(life, act["answers"]))
            self.keep_progress(w, life)

    def send_back(self, life: Life, act: Mapping[str, Any]) -> None:
        """Somebody entitled sends the dossier back to an earlier step, with a reason."""
        task, member = self.task(life, act)
        with self.begin(member.actor) as w:
            tasks.send_back(w, task.id, act["to"], act["reason"])
            self.keep_progress(w, life)

    def sign(self, life: Life, act: Mapping[str, Any]) -> None:
        """A leader signs with their own key: prepare, sign outside any transaction, finish."""
        task, member = self.task(life, act)
        with self.begin(member.actor) as w:
            prepared = signatures.prepare(w, [task.id])[0]
        self.carry_out(life, member, prepared)

    def issue(self, life: Life, act: Mapping[str, Any]) -> None:
        """The document clerk gives number and date and applies the agency's seal signature."""
        task, member = self.task(life, act)
        with self.begin(member.actor) as w:
            prepared = signatures.prepare_issue(w, task.id)
        self.carry_out(life, member, prepared)

    def carry_out(self, life: Life, member: Member, prepared: signatures.PreparedRow) -> None:
        """Sign what was prepared and finish it.

        Raises:
            OutOfStep: it could not be prepared or signed.
        """
        if prepared.request_id is None:
            raise OutOfStep(f"life {life.number} ({life.row['name']}): {prepared.failure}")
        request_id = prepared.request_id
        with self.begin(member.actor) as w:
            ceremony.show(w, [request_id])

        def keep(w: UnitOfWork, outcome: ceremony.Outcome) -> None:
            if outcome.signed:
                self.keep_progress(w, life)

        [outcome] = ceremony.carry_through(lambda: self.begin(member.actor), [request_id], "", after=keep)
        if not outcome.signed:
            raise OutOfStep(f"life {life.number} ({life.row['name']}): {outcome.failure} {outcome.facts}")

    # -- counter and owner ---------------------------------------------------------------------------------------------------------------

    def answer_supplement(self, life: Life, act: Mapping[str, Any]) -> None:
        """The owner answers from the tracking page."""
        component, paper = self.scenario.content["public"]["component"], self.papers[self.paper(life)]
        with self.begin(CITIZEN) as w:
            dossiers.answer_supplement(w, self.code(life), {component: paper}, "Đã chụp lại đủ các trang.", access_checked=True)
            self.keep_progress(w, life)

    def withdraw(self, life: Life, act: Mapping[str, Any]) -> None:
        """The owner withdraws at the counter."""
        reception_unit, _ = self.offices(life)
        officer = next(m for m in self.province.members.values() if "reception_officer" in m.roles and reception_unit in m.units)
        with self.begin(officer.actor) as w:
            dossiers.withdraw(w, self.code(life), act["reason"])
            self.keep_progress(w, life)

    def stop(self, life: Life, act: Mapping[str, Any]) -> None:
        """The deciding agency stops handling the dossier."""
        _, deciding = self.offices(life)
        tree = self.province.roster.tree.within(self.province.units[deciding])
        holding = next(h for h in self.province.roster.holdings if h.role == "specialist" and h.unit_id in tree)
        with self.begin(self.province.members[holding.person_id].actor) as w:
            dossiers.stop(w, self.code(life), act["reason"], act["legal_basis"])
            self.keep_progress(w, life)

    # -- within --------------------------------------------------------------------------------------------------------------------------

    def begin(self, actor: Actor) -> AbstractContextManager[UnitOfWork]:
        """Open a unit of work at the moment's instant."""
        return self.runtime.begin(actor)

    def keep_progress(self, w: UnitOfWork, life: Life, dossier_id: UUID | None = None, code: str = "") -> None:
        """Write down, in the act's own transaction, how far this life has come."""
        key = PROGRESS.format(number=life.number)
        before = self.progress.get(life.number)
        if before is None:
            requests.recall(w.session, w.province, key, w.now)
            before = {"dossier": str(dossier_id), "code": code, "acts": 0}
        after = {**before, "acts": before["acts"] + 1}
        requests.remember(w.session, w.province, key, after)
        self.progress[life.number] = after

    def code(self, life: Life) -> str:
        """Return the code of a life's dossier."""
        return str(self.progress[life.number]["code"])

    def answers(self, life: Life, name: str) -> Json:
        """Return a table of answers with its placeholders filled."""
        paper = self.scenario.content["paper"][self.paper(life)]
        facts = {"paper": paper["name"], "issuer": paper["issuer"], **dict(day_facts(self.calendar, self.clock.at))}
        answers: Json = filled(self.scenario.content["answers"][name], facts)
        return answers

    def task(self, life: Life, act: Mapping[str, Any]) -> tuple[Task, Member]:
        """Return the open task an act is about, and who does it.

        Raises:
            OutOfStep: no such task is open, or nobody may take it.
        """
        with self.begin(CITIZEN) as w:
            dossier_id = UUID(self.progress[life.number]["dossier"])
            opened = w.session.scalars(
                select(Task).where(Task.province == w.province, Task.dossier_id == dossier_id, Task.state == "open")
            ).all()
        found = [t for t in opened if t.step == act.get("step", t.step) and (act["act"] not in ("sign", "issue") or t.action == act["act"])]
        if not found:
            raise OutOfStep(f"life {life.number} ({life.row['name']}): {act} but open are {[t.step for t in opened]}")
        task = found[0]
        if task.assignee_id is not None:
            return task, self.province.members[task.assignee_id]
        entitled = self._candidates(frozenset(task.roles), task.unit_id)
        if task.action == "sign":
            entitled = tuple(m for m in entitled if m.pin)
        if not entitled:
            raise OutOfStep(f"life {life.number} ({life.row['name']}): nobody for {task.step}, {task.roles}")
        return task, entitled[life.number % len(entitled)]

    def _find_candidates(self, roles: frozenset[str], unit_id: UUID) -> tuple[Member, ...]:
        roster, moment = self.province.roster, self.clock.at
        act = Act("perform", roles, roster.tree.within(unit_id))
        return tuple(m for m in self.province.members.values() if permitted(act, m.person_id, roster.holdings, (), moment) is not None)
