"""What is not whole is not published, and the list says why: a translation, an untried flow, law out of force, a forgotten default flow."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import pytest

from engine.commands.procedures import NotPublishable, publish, report_on
from engine.kernel.unit_of_work import Actor
from engine.procedure.package import Package
from engine.procedure.readiness import expired
from engine.procedure.scenarios import with_waiver
from tests.procedures.packages import changed, real, with_head, without
from tests.support.office import Office
from tests.support.visitors import Visitor

COPY = "certified_electronic_copy"
BASIS = "Quyết định số 12/QĐ-UBND ngày 20/11/2026"
ENGLISH = r'(<bpmn:userTask id="examine".*?)<spiffworkflow:property name="name_en" value="[^"]*" ?/>'
DEFAULT = r' default="conclusion_to_draft_copy"'
WAY = (
    r'(<bpmn:sequenceFlow id="conclusion_to_draft_copy".*?</bpmn:extensionElements>)',
    r"\1<bpmn:conditionExpression>review.decision = &quot;approve&quot;</bpmn:conditionExpression>",
)
DECREE = 'article = "Điều 5, Điều 7, các Điều 18 đến 22"'


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
    assert sent.headers["Location"].endswith(f"{here}/readiness"), "it stays a draft"
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


SCENARIOS = "tests/scenarios.toml"


def first_only(text: str) -> str:
    for name in re.findall(r'^name = "([^"]+)"', text, re.MULTILINE)[1:]:
        text = without(text, name)
    return text


REFUSAL = "Không đủ điều kiện: từ chối"


def test_a_flow_nobody_walks_is_refused_by_name_until_it_is_waived(office: Office):
    template = real("_template")
    text = without(template.files[SCENARIOS].decode(), REFUSAL)
    untried = changed(template, files={SCENARIOS: text.encode()})
    with office.runtime.begin(Actor("cli", label="tests")) as w, pytest.raises(NotPublishable) as refused:
        publish(w, untried, legal_basis=BASIS)

    bare = [finding.element for finding in refused.value.report.refused if finding.rule == "scenario.flow_bare"]
    assert bare
    assert {finding.rule for finding in refused.value.report.refused} == {"scenario.flow_bare"}
    for flow in bare[1:]:
        text = with_waiver(text, flow, "Chưa từ chối hồ sơ nào, bổ sung sau")
    with office.runtime.begin(Actor("cli", label="tests")) as w, pytest.raises(NotPublishable) as refused:
        publish(w, changed(template, files={SCENARIOS: text.encode()}), legal_basis=BASIS)
    assert [finding.element for finding in refused.value.report.refused] == bare[:1], "one that is left is enough"

    with office.runtime.begin(Actor("cli", label="tests")) as w:
        whole = with_waiver(text, bare[0], "Chưa từ chối hồ sơ nào, bổ sung sau")
        assert publish(w, changed(template, files={SCENARIOS: whole.encode()}), legal_basis=BASIS).version is not None


def test_one_screen_lists_all_of_them_at_once_and_each_leads_to_its_place(designer: Visitor):
    here = kept(designer, "process.bpmn", lambda text: without_english(without_default(text)))
    for version, (name, change) in enumerate(
        [
            ("procedure.toml", lambda text: text.replace(DECREE, f"{DECREE}\nto = 2026-01-01")),
            (SCENARIOS, first_only),
        ],
        start=2,
    ):
        content = change(designer.get(f"{here}/raw/{name}").text)
        assert designer.post(f"{here}/files", here, name=name, version=str(version), content=content).status_code == 303

    page = designer.get(f"{here}/readiness").text
    links = re.findall(r'<li class="refused"><a href="([^"]+)">', page)

    for said in ("tiếng Anh", "chưa có nhánh mặc định", "hết hiệu lực từ 01/01/2026", "Chưa kịch bản nào đi qua"):
        assert said in page, said
    assert any(link.endswith(f"{here}#examine") for link in links)
    assert any(link.endswith(f"{here}/data#legal_basis") for link in links)
    bare = next(link for link in links if "/trial#flow-" in link)
    assert f'id="{bare.rpartition("#")[2]}"' in designer.get(bare.partition("#")[0]).text
    for link in {link.partition("#")[0] for link in links}:
        assert designer.get(link).status_code == 200, link


def test_scenarios_are_brought_up_to_date_with_one_press_and_the_history_takes_it_back(designer: Visitor):
    here = kept(designer, "process.bpmn", lambda _: with_head().files["process.bpmn"].decode())
    assert designer.post(f"{here}/submission", here).headers["Location"].endswith("/readiness")

    page = designer.get(f"{here}/trial").text
    mended = designer.post(f"{here}/mending", f"{here}/trial")
    text = designer.get(f"{here}/raw/{SCENARIOS}").text

    assert "Sửa kịch bản theo sơ đồ mới" in page
    assert mended.status_code == 303
    assert text.count("Activity_0k3v9tq") == 3
    assert "Mọi kịch bản đạt, mọi luồng đã được thử" in designer.get(f"{here}/trial").text
    assert "/proposals/" in designer.post(f"{here}/submission", here).headers["Location"]


def test_several_flows_are_waived_with_one_reason_and_none_without(designer: Visitor):
    here = kept(designer, SCENARIOS, first_only)
    bare = re.findall(r'name="flow" value="([^"]+)"', designer.get(f"{here}/trial").text)
    assert len(bare) > 1

    nothing = designer.post(f"{here}/waivers", f"{here}/trial", reason="Sẽ bổ sung kịch bản sau")
    silent = designer.post(f"{here}/waivers", f"{here}/trial", flow=bare, reason="n/a")
    done = designer.post(f"{here}/waivers", f"{here}/trial", flow=bare, reason="Sẽ bổ sung kịch bản sau")

    assert nothing.status_code == silent.status_code == 422
    assert 'id="field-reason-error"' in silent.text
    assert done.status_code == 303
    assert "Mọi kịch bản đạt" in designer.get(f"{here}/trial").text


def test_law_that_ends_later_is_published_today_and_refused_from_its_day_on(office: Office):
    ending = changed(real(), declaration=[(DECREE, f"{DECREE}\nto = 2027-03-01")])
    with office.runtime.begin(Actor("cli", label="tests")) as w:
        assert report_on(w, ending).passed
        with pytest.raises(NotPublishable):
            publish(w, ending, effective_from=date(2027, 3, 1), legal_basis=BASIS)

    assert not list(expired(ending, date(2027, 2, 28)))
    files = {finding.place.file for finding in expired(ending, date(2027, 3, 1))}
    assert files >= {"procedure.toml", "process.bpmn", "templates/certified_copy.typ"}
