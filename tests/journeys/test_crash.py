"""Web and worker are killed in mid-journey: the supervisor starts them again, the dossier goes on, nothing is lost or doubled."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Error, expect

from engine.settings import ROOT
from tests.journeys.conftest import Installation
from tests.journeys.installed import ask, ready, until, web, worker
from tests.journeys.steps import CARD, CLERK, DESIGNER, LEADER, RECEPTION, SPECIALIST, Person, approve, issue, receive, sign

pytestmark = pytest.mark.browser
Somebody = Callable[..., Person]
OF = "from {} x join dossier d on d.id = x.dossier_id where d.code = :code"


def kill(installation: Installation, *watching: Person, only_web: bool = False) -> None:
    """Kill -9, and wait until the office can work again; open windows may have noticed, and nobody holds that against them."""
    victims = [*web(installation), *([] if only_web else worker(installation))]
    assert victims
    for process in victims:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(victims, timeout=30)
    until(lambda: ready(installation))
    for one in watching:
        one.page.wait_for_timeout(200)
        one.wrong[:] = [complaint for complaint in one.wrong if not complaint.startswith(("Failed to load resource: net::", "htmx:"))]


def test_killed_between_the_steps_the_dossier_goes_on(somebody: Somebody, installation: Installation, paper: Path, tmp_path: Path):
    code, _access = receive(somebody(RECEPTION), paper, tmp_path)
    officer, leader, clerk = somebody(SPECIALIST), somebody(LEADER), somebody(CLERK)
    kill(installation, officer, leader, clerk)
    approve(officer, code)
    kill(installation, officer, leader, clerk)
    sign(leader, code)
    kill(installation, officer, leader, clerk)
    issue(clerk, code)

    def count(query: str) -> int:
        return int(ask(installation, query, code=code))

    assert count("select count(*) from dossier where code = :code") == 1
    assert count(f"select count(*) {OF.format('document')} and x.kind = 'result' and x.number is not null") == 1
    assert count(f"select count(*) {OF.format('task')} and x.state = 'open'") == 1
    assert ask(installation, f"select x.action {OF.format('task')} and x.state = 'open'", code=code) == "return_result"
    assert sound(installation)


def test_killed_while_a_form_is_being_sent_it_is_received_once_or_not_at_all(
    somebody: Somebody, installation: Installation, paper: Path, tmp_path: Path
):
    clerk = somebody(RECEPTION)
    before = dossiers(installation)
    page = clerk.open("/counter/intake/certified_electronic_copy")
    page.locator("[data-scan]").fill(CARD)
    page.locator("[data-scan]").press("Enter")
    expect(page.locator("[name='owner.name']")).not_to_have_value("")
    page.locator("input[type=file]").first.set_input_files(paper)
    page.get_by_text("2 trang").first.wait_for()
    page.get_by_label("Đã thu tiền mặt").check()
    address, body = page.evaluate(FORM)
    killer = threading.Timer(0.15, kill, (installation,), {"only_web": True})
    killer.start()
    first = send(clerk, address, body)
    killer.join()
    after_the_kill = dossiers(installation)
    again = send(clerk, address, body)

    assert after_the_kill - before in (0, 1)
    assert again is not None
    assert re.search("/counter/received/", again)
    assert first in (None, again), "the same form gets the same answer"
    assert dossiers(installation) - before == 1
    assert consecutive(installation)
    assert sound(installation)


FORM = """() => {
  const form = document.querySelector('[name=upload_key]').form;
  const fields = [...new FormData(form)].filter(([, value]) => typeof value === 'string');
  return [form.action, new URLSearchParams(fields).toString()];
}"""


def send(one: Person, address: str, body: str) -> str | None:
    """Send a form by itself, as a browser whose user presses again; None when the connection was cut."""
    with suppress(Error):
        answer = one.context.request.post(
            address, data=body, headers={"Content-Type": "application/x-www-form-urlencoded"}, max_redirects=0, timeout=60_000
        )
        assert answer.status == 303, answer.text()
        return answer.headers["location"]
    return None


def dossiers(installation: Installation) -> int:
    """How many dossiers there are."""
    return int(ask(installation, "select count(*) from dossier"))


def consecutive(installation: Installation) -> bool:
    """Whether the dossiers of today, and the entries of every book, are numbered without a gap or a double."""
    gaps = """select count(*) from (
        select substring(code from '^(.*)-') as series, count(*) as n, max(substring(code from '[0-9]+$')::int) as last,
               min(substring(code from '[0-9]+$')::int) as first, count(distinct code) as different
        from dossier where received_at::date >= current_date - 1 group by 1) s
        where last - first + 1 <> n or different <> n"""
    books = """select count(*) from (
        select register_id, count(*) as n, max(number) as last, count(distinct number) as different from register_entry group by 1) s
        where last <> n or different <> n"""
    return ask(installation, gaps) == 0 and ask(installation, books) == 0


def sound(installation: Installation) -> bool:
    """Whether every line of the journal is as it was written."""
    return installation.motcua("audit", "verify").returncode == 0


def test_a_killed_server_costs_a_designer_nothing_that_stands_on_the_screen(somebody: Somebody, installation: Installation):
    designer = somebody(DESIGNER)
    page = designer.open("/designer/drafts")
    page.get_by_role("button", name=re.compile("Chứng thực bản sao")).first.click()
    page.wait_for_selector("body[data-editor-ready]")
    hours, kept = page.get_by_label("Thời hạn (giờ làm việc)"), page.locator("#save-state")
    page.locator("[data-element-id='examine']").first.click()
    hours.fill("2")
    hours.press("Tab")
    expect(kept).to_have_text(re.compile("Đã lưu lúc"), timeout=60_000)
    first = page.locator("#save-number").inner_text()

    hours.fill("1")
    hours.press("Tab")
    kill(installation, designer, only_web=True)  # the change is younger than the pause before it is sent

    expect(page.locator("#save-number")).not_to_have_text(first, timeout=60_000)
    expect(kept).to_have_text(re.compile("Đã lưu lúc"), timeout=60_000)
    designer.wrong.clear()
    again = somebody(DESIGNER).open(page.url.removeprefix(designer.address))
    again.wait_for_selector("body[data-editor-ready]")
    again.locator("[data-element-id='examine']").first.click()
    expect(again.get_by_label("Thời hạn (giờ làm việc)")).to_have_value("1")


def test_a_change_waits_less_than_five_seconds_before_it_is_sent():
    keeper = (ROOT / "webapp" / "assets" / "src" / "editor" / "keeper.mjs").read_text("utf-8")
    waits = [int(one) for one in re.findall(r"setTimeout\(\(\) => this\.send\(\), (\d+)\)", keeper)]
    assert waits
    assert max(waits) < 5000, "what a window that closes with the server could lose"
