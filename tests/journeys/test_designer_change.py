"""The designer changes the diagram in the browser: told in words, published, taken by the next dossier only; a broken one is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from engine.procedure.loader import to_zip
from engine.settings import ROOT
from tests.journeys.conftest import Installation
from tests.journeys.installed import ask
from tests.journeys.steps import APPROVER, DESIGNER, RECEPTION, SPECIALIST, Person, approve, receive
from tests.procedures.packages import with_head

pytestmark = pytest.mark.browser
KEY = "certified_electronic_copy"
CASES = Path(__file__).parents[1] / "procedures"
PRESENT = ROOT / "bpmn" / KEY
STEP = "Trưởng phòng xem xét"


def upload(designer: Person, file: Path) -> Page:
    """Upload a diagram at the procedure's page."""
    page = designer.open(f"/designer/{KEY}")
    page.locator("input[type=file]").first.set_input_files(file)
    page.locator("form:has(input[type=file]) button").first.click()
    page.wait_for_url(re.compile("/(proposals/|examination)"))
    return page


def publish(page: Page) -> None:
    """Put the proposal on the page in force, as the second person."""
    page.get_by_label("Căn cứ").fill("Quyết định số 12/QĐ-UBND ngày 20/11/2026")
    page.get_by_role("button", name="Công bố").click()
    page.wait_for_url(re.compile(f"/designer/{KEY}$"))


@pytest.fixture
def restored(installation: Installation) -> Iterator[None]:
    """Afterwards the procedure is again as the other journeys know it."""
    yield
    done = installation.motcua("procedure", "publish", str(PRESENT))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.usefixtures("restored")
def test_the_next_dossier_takes_the_new_step_and_yesterdays_does_not(
    somebody: Callable[..., Person], installation: Installation, paper: Path, tmp_path: Path
):
    reception, officer, designer = somebody(RECEPTION), somebody(SPECIALIST), somebody(DESIGNER)
    before, _access = receive(reception, paper, tmp_path)

    package = tmp_path / "goi.zip"
    package.write_bytes(to_zip(with_head()))
    page = upload(designer, package)
    assert (
        STEP in page.get_by_role("region", name=re.compile("Khác phiên bản")).or_(page.locator("section:has(#changed)")).first.inner_text()
    )
    page.locator(".djs-container svg").first.wait_for()
    designer.picture("designer-proposal-1366", whole=True)
    expect(page.get_by_text("Cần người thứ hai công bố")).to_be_visible()
    publish(somebody(APPROVER).open(page.url.removeprefix(designer.address)))
    after, _access = receive(reception, paper, tmp_path)
    for code in (before, after):
        approve(officer, code)

    waiting = "select t.name->>'vi' from task t join dossier d on d.id = t.dossier_id where d.code = :code and t.state = 'open'"
    assert ask(installation, waiting, code=before) != STEP
    assert ask(installation, waiting, code=after) == STEP


@pytest.mark.parametrize("case", ["dead_end", "script_task", "not_xml"])
def test_a_broken_diagram_is_refused_with_sentence_element_and_place(
    somebody: Callable[..., Person], installation: Installation, case: str
):
    versions = "select count(*) from procedure_version"
    before = ask(installation, versions)

    page = upload(somebody(DESIGNER), CASES / "broken" / case / "process.bpmn")

    assert "Sơ đồ này chưa thể công bố" in page.locator("[role=alert]").inner_text()
    said = page.locator(".findings .refused").first.inner_text()
    assert re.search(r"process\.bpmn", said)
    assert case == "not_xml" or re.search(r"x=-?\d+, y=-?\d+|:\d+", said)
    assert ask(installation, versions) == before
