"""What a request asks of the database: who asks, the act and its answer are one transaction; a longer list asks no more."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask, request
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from engine.accounts.model import AccessToken, Account, new_token
from engine.commands import dossiers, organisation
from engine.dossier.model import Dossier
from engine.kernel.journal import JournalLine
from engine.kernel.journal_check import faults_of
from engine.kernel.requests import AnsweredRequest
from engine.kernel.unit_of_work import Actor
from engine.office import flow
from engine.organisation.model import Appointment
from engine.process.model import Task
from engine.runtime import Runtime
from tests.commands.test_races import waits
from tests.support.office import LEAVE, Office
from tests.support.statements import counted
from tests.support.visitors import Visitor, account_of, signed_in, token
from webapp import create_app
from webapp.allowance import Allowance

SYSTEM = Actor("system", label="tests")
AGREE = {"decision": "agree"}


@pytest.fixture
def head(app: Flask, office: Office) -> Visitor:
    return signed_in(app, office, "division_head")


def waiting(office: Office) -> Any:
    """A leave request on the desk of the head of division."""
    with office.as_("specialist") as w:
        code = dossiers.start_internal(w, "internal_leave", LEAVE).code
    with office.runtime.begin(SYSTEM) as w:
        query = select(Task).join(Dossier, Dossier.id == Task.dossier_id).where(Dossier.code == code, Task.step == "division_review")
        return w.session.scalars(query).one()


def bearer(office: Office, who: str) -> dict[str, str]:
    text, digest = new_token()
    account = account_of(office, who)
    with office.runtime.begin(Actor("cli", label="tests")) as w:
        w.session.add(AccessToken(account=account, name="tests", hash=digest, scopes=[], created_at=w.now, last_used_at=w.now))
    return {"Authorization": f"Bearer {text}"}


def sent(visitor: Visitor, task: Any, mark: str, **more: str) -> Any:
    fields = {"csrf_token": mark, "_version": str(task.version), "f.decision": "agree", **more}
    return visitor.client.post(f"/desk/tasks/{task.id}/completion", data=fields)


def test_an_officer_completes_a_step_in_one_transaction_of_four_statements(head: Visitor, office: Office) -> None:
    first, second = waiting(office), waiting(office)
    mark = token(head.get("/account").text)
    assert sent(head, first, mark, request_id="one").status_code == 303

    with counted() as asked:
        answer = sent(head, second, mark, request_id="two")

    assert answer.status_code == 303, answer.text
    # Who asks, and whether it was asked before; the dossier locked; what is around it; everything written, the answer with it.
    assert (len(asked), asked.commits) == (4, 1), asked
    with counted() as asked:
        again = sent(head, second, mark, request_id="two")
    assert (again.status_code, again.headers["Location"]) == (303, answer.headers["Location"])
    assert len(asked) == 1, asked


@contextmanager
def held(office: Office, task: Any) -> Iterator[None]:
    """Hold the dossier of a task while the block runs: whoever is to write there has looked by then, and waits."""
    with office.runtime.begin(SYSTEM) as w:
        flow.lock_task(w, task.id)
        yield


def told(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.headers.get("Location", "")


def effects(office: Office, *of: Any) -> tuple[int, int]:
    """How many of these steps were completed, and how many answers are kept."""
    with office.runtime.begin(SYSTEM) as w:
        chains = {task.dossier_id for task in of}
        done = select(func.count()).where(JournalLine.chain.in_(chains), JournalLine.kind == "task.completed")
        return w.session.scalar(done) or 0, w.session.scalar(select(func.count()).select_from(AnsweredRequest)) or 0


def test_the_same_form_twice_at_the_same_moment_completes_the_step_once_and_gets_one_answer(app: Flask, office: Office) -> None:
    task, browsers = waiting(office), [signed_in(app, office, "division_head") for _ in range(3)]
    marks = [token(one.get("/account").text) for one in browsers]

    with ThreadPoolExecutor(3) as pool:
        with held(office, task):
            forms = [pool.submit(sent, one, task, mark, request_id="one") for one, mark in zip(browsers, marks, strict=True)]
            waits(office, 3)  # each has looked for the number and found none
        answers = {told(one.result(60)) for one in forms}

    assert len(answers) == 1
    assert answers.pop()[0] == 303
    assert effects(office, task) == (1, 1)
    other = told(sent(browsers[0], task, marks[0], request_id="another"))
    assert other[0] == 409, "the step was closed by another form"


def test_of_one_number_used_for_two_steps_at_the_same_moment_the_second_is_taken_back_whole(app: Flask, office: Office) -> None:
    slow, quick = waiting(office), waiting(office)
    first, second = signed_in(app, office, "division_head"), signed_in(app, office, "division_head")
    marks = token(first.get("/account").text), token(second.get("/account").text)

    with ThreadPoolExecutor(1) as pool:
        with held(office, slow):
            late = pool.submit(sent, first, slow, marks[0], request_id="one")
            waits(office, 1)
            answer = told(sent(second, quick, marks[1], request_id="one"))
        assert told(late.result(60)) == answer

    assert answer[0] == 303
    assert effects(office, slow, quick) == (1, 1)
    assert effects(office, slow) == (0, 1)
    with office.runtime.begin(SYSTEM) as w:
        assert w.session.get_one(Task, (w.province, slow.id)).state == "open"
        assert list(faults_of(w.session, w.province, [0, 0])) == []


def test_a_form_that_was_refused_is_new_again(head: Visitor, office: Office) -> None:
    task = waiting(office)
    mark = token(head.get("/account").text)
    assert sent(head, task, mark, request_id="one", **{"f.decision": "nothing of these"}).status_code == 422
    assert sent(head, task, mark, request_id="one").status_code == 303
    assert effects(office, task) == (1, 1)


def test_a_program_completes_a_step_in_one_transaction_of_four_statements(app: Flask, office: Office) -> None:
    first, second, headers = waiting(office), waiting(office), bearer(office, "division_head")
    client = app.test_client()
    assert client.post(f"/api/v1/tasks/{first.id}/completion", json={"answers": AGREE}, headers=headers).status_code == 200

    with counted() as asked:
        answer = client.post(f"/api/v1/tasks/{second.id}/completion", json={"answers": AGREE}, headers=headers)

    assert answer.status_code == 200, answer.text
    assert (len(asked), asked.commits) == (4, 1), asked


def test_a_session_that_was_ended_completes_nothing_and_a_lost_seat_is_lost_at_once(head: Visitor, office: Office) -> None:
    one, other, third = waiting(office), waiting(office), waiting(office)
    mark = token(head.get("/account").text)
    assert sent(head, one, mark, request_id="one").status_code == 303

    with office.runtime.begin(Actor("cli", label="tests")) as w:
        for appointment in w.session.scalars(select(Appointment).where(Appointment.person_id == office.people["division_head"])):
            organisation.end_appointment(w, appointment.id, w.now.date())
    assert sent(head, other, mark, request_id="two").status_code == 403

    with office.runtime.begin(Actor("cli", label="tests")) as w:
        account = account_of(office, "division_head")
        w.session.execute(update(Account).where(Account.id == account).values(fs_uniquifier="another"))
    answer = sent(head, third, mark, request_id="three")
    assert answer.headers["Location"].startswith("/login")
    with office.runtime.begin(SYSTEM) as w:
        assert {one.state for one in w.session.scalars(select(Task).where(Task.id.in_([other.id, third.id])))} == {"open"}


def test_a_closed_account_completes_nothing_with_the_session_it_has(head: Visitor, office: Office) -> None:
    task = waiting(office)
    mark = token(head.get("/account").text)
    with office.runtime.begin(Actor("cli", label="tests")) as w:
        w.session.execute(update(Account).where(Account.id == account_of(office, "division_head")).values(active=False))

    assert sent(head, task, mark, request_id="one").headers["Location"].startswith("/login")
    with office.runtime.begin(SYSTEM) as w:
        assert w.session.scalars(select(AnsweredRequest)).all() == []


@pytest.mark.parametrize(("who", "address", "most"), [("specialist", "/desk", 6), ("reception", "/counter", 5)])
def test_a_list_asks_the_same_of_one_row_and_of_many(app: Flask, office: Office, who: str, address: str, most: int) -> None:
    visitor = signed_in(app, office, who)
    office.receive()
    visitor.get(address)
    with counted() as one:
        assert visitor.get(address).status_code == 200
    for _ in range(6):
        office.receive()
    with counted() as many:
        assert visitor.get(address).status_code == 200

    assert len(one) == len(many), many
    assert (len(many), many.commits) == (most, 1), many


@pytest.mark.parametrize(("address", "most"), [("/desk/dossiers/{code}", 18), ("/desk/tasks/{task}", 13)])
def test_a_dossier_and_a_task_are_one_transaction(app: Flask, office: Office, address: str, most: int) -> None:
    code = office.receive().code
    visitor = signed_in(app, office, "specialist")
    where = address.format(code=code, task=office.open_task(code).id)
    visitor.get(where)

    with counted() as asked:
        assert visitor.get(where).status_code == 200

    assert (len(asked), asked.commits) == (most, 1), asked


def test_a_program_has_its_own_allowance_whoever_shares_its_address(office: Office) -> None:
    app = create_app(office.runtime)
    app.extensions["allowance"] = Allowance(3, clock=lambda: 0.0)
    client, eager, calm = app.test_client(), bearer(office, "division_head"), bearer(office, "specialist")

    answers = [client.get("/api/v1/tasks/counts", headers=eager) for _ in range(4)]

    assert [one.status_code for one in answers] == [200, 200, 200, 429]
    assert answers[-1].headers["Retry-After"] == "20"
    assert client.get("/api/v1/tasks/counts", headers=calm).status_code == 200
    unknown = [client.get("/api/v1/tasks/counts", headers={"Authorization": "Bearer nobody"}).status_code for _ in range(4)]
    assert unknown == [401, 401, 401, 429]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 90)), max_size=60), st.integers(1, 5))
def test_nobody_gets_more_than_a_minutes_worth_and_what_trickles_in(asked: list[tuple[str, float]], most: int) -> None:
    now = [0.0]
    allowance = Allowance(most, clock=lambda: now[0])
    let_in = dict.fromkeys("ab", 0)
    for caller, pause in asked:
        now[0] += pause
        wait = allowance.take(caller)
        let_in[caller] += wait == 0
        assert 0 <= wait <= 60 / most + 1e-9
        assert let_in[caller] <= most + now[0] * most / 60 + 1e-6


def test_what_anybody_may_ask_is_limited_at_its_view(app: Flask) -> None:
    client = app.test_client()

    reports = [client.post("/csp-report", json={}).status_code for _ in range(61)]
    looked = [client.get("/api/v1/tracking/H98-000000-0000").status_code for _ in range(31)]

    assert (reports[59], reports[60]) == (204, 429)
    assert 429 not in looked[:30]
    assert looked[30] == 429


def test_a_page_seals_the_session_again_when_it_grows_old_and_an_act_when_it_changed_it(
    head: Visitor, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    head.get("/desk")
    assert "Set-Cookie" not in head.get("/desk").headers

    monkeypatch.setattr("webapp.sessions.RENEWED", timedelta(seconds=-1))
    assert head.get("/desk").headers["Set-Cookie"].startswith("motcua=")
    beside = head.get("/desk/rows", headers={"Sec-Fetch-Mode": "cors"})
    assert "Set-Cookie" not in beside.headers


def test_only_the_installations_own_proxy_is_believed_about_where_somebody_comes_from(office: Office) -> None:
    told = {"X-Forwarded-For": "198.51.100.7, 203.0.113.9", "X-Forwarded-Proto": "https"}
    settings = office.runtime.settings
    behind = create_app(Runtime(replace(settings, proxies=1), office.runtime.engine, office.runtime.clock, office.runtime.parts))

    assert "Strict-Transport-Security" not in create_app(office.runtime).test_client().get("/login", headers=told).headers
    assert "Secure" in behind.test_client().get("/login", headers=told).headers["Set-Cookie"]
    with behind.test_client() as client:
        client.get("/healthz", headers=told)
        assert request.remote_addr == "203.0.113.9"
