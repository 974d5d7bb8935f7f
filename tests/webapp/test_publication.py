"""What is not whole is not published, and the list says why: a translation, an untried flow, law out of force, a forgotten default flow."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask

from engine.commands.procedures import NotPublishable, publish, report_on
from engine.errors import Refused
from engine.kernel.unit_of_work import Actor
from engine.procedure.package import Package
from engine.procedure.readiness import expired
from tests.procedures.packages import changed, real
from tests.support.office import Office
from tests.support.visitors import Visitor, signed_in
from webapp import create_app

COPY = "certified_electronic_copy"
BASIS = "Quyết định số 12/QĐ-UBND ngày 20/11/2026"
ENGLISH = r'(<bpmn:userTask id="examine".*?)<spiffworkflow:property name="name_en" value="[^"]*" ?/>'
DEFAULT = r' default="conclusion_to_draft_copy"'
WAY = (
    r'(<bpmn:sequenceFlow id="conclusion_to_draft_copy".*?</bpmn:extensionElements>)',
    r"\1<bpmn:conditionExpression>review.decision = &quot;approve&quot;</bpmn:conditionExpression>",
)
DECREE = 'article = "Điều 5, Điều 7, các Điều 18 đến 22"'


@pytest.fixture
def app(office: Office) -> Flask:
    return create_app(office.runtime)


@pytest.fixture
def designer(app: Flask, office: Office) -> Visitor:
    return signed_in(app, office, "designer")


def without_english(drawn: str) -> str:
    made, times = re.subn(ENGLISH, r"\1", drawn, count=1, flags=re.DOTALL)
    assert times == 1
    return made


def without_default(drawn: str) -> str:
    made, times = re.subn(*WAY, re.sub(DEFAULT, "", drawn), count=1, flags=re.DOTALL)
    assert times == 1
    return made


def kept(designer: Visitor, name: str, change: Callable[[str], str]) -> str:
    """A draft with one file changed."""
    here = str(designer.post(f"/designer/{COPY}/drafts", "/designer/drafts").headers["Location"])
    content = designer.get(f"{here}/raw/{name}").text
    assert designer.post(f"{here}/files", here, name=name, version="1", content=change(content)).status_code == 303
    return here


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("process.bpmn", without_english, "tiếng Anh"),
        ("process.bpmn", without_default, "chưa có nhánh mặc định"),
        ("procedure.toml", lambda text: text.replace(DECREE, f"{DECREE}\nto = 2026-01-01"), "hết hiệu lực từ 01/01/2026"),
        ("procedure.toml", lambda text: text.replace('en = "Fee for certifying a copy from the original"', 'en = ""'), "name.en"),
    ],
    ids=["translation", "default", "law", "translation of a fee"],
)
def test_it_is_not_put_forward_and_the_list_says_why(designer: Visitor, name: str, change: Callable[[str], str], words: str):
    here = kept(designer, name, change)

    page = designer.get(f"{here}?judge=yes").text
    sent = designer.post(f"{here}/submission", here)

    assert words in page
    assert "Sửa các điểm bên dưới rồi mới gửi duyệt được" in page
    assert sent.status_code == 303
    assert sent.headers["Location"].endswith(here), "it stays a draft"
    assert "phiên bản 2" not in designer.get(f"/designer/{COPY}").text


def drawn(change: Callable[[str], str]) -> Package:
    diagram = change(real().files["process.bpmn"].decode())
    return changed(real(), files={"process.bpmn": diagram.encode()})


@pytest.mark.parametrize(
    ("package", "rules"),
    [
        (lambda: drawn(without_english), {"name-in-english"}),
        (lambda: drawn(without_default), {"default-path", "condition-missing"}),
        (lambda: changed(real(), declaration=[(DECREE, f"{DECREE}\nto = 2026-01-01")]), {"law-expired", "law-expired-cited"}),
    ],
    ids=["translation", "default", "law"],
)
def test_publishing_past_the_screens_is_refused_with_the_same_list(office: Office, package: Callable[[], Package], rules: set[str]):
    with office.runtime.begin(Actor("cli", label="tests")) as w, pytest.raises(NotPublishable) as refused:
        publish(w, package(), legal_basis=BASIS)

    found = {finding.rule for finding in refused.value.report.refused}
    assert found & rules
    assert found <= rules | {"expression", "not-certain"}


def test_a_flow_nobody_walks_is_refused_by_name_until_it_is_waived(office: Office):
    untried = changed(real(), files={"tests/scenarios.toml": b""})
    with office.runtime.begin(Actor("cli", label="tests")) as w, pytest.raises(Refused) as refused:
        publish(w, untried, legal_basis=BASIS)

    assert refused.value.code == "procedure.untested"
    assert int(refused.value.facts["count"]) >= 1


def test_law_that_ends_later_is_published_today_and_refused_from_its_day_on(office: Office):
    ending = changed(real(), declaration=[(DECREE, f"{DECREE}\nto = 2027-03-01")])
    with office.runtime.begin(Actor("cli", label="tests")) as w:
        assert report_on(w, ending).passed
        with pytest.raises(NotPublishable):
            publish(w, ending, effective_from=date(2027, 3, 1), legal_basis=BASIS)

    assert not list(expired(ending, date(2027, 2, 28)))
    files = {finding.place.file for finding in expired(ending, date(2027, 3, 1))}
    assert files >= {"procedure.toml", "process.bpmn", "templates/certified_copy.typ"}
