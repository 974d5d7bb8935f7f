"""A walk through every page served: as its owner at two widths, as everybody else by its answer, and in the pseudo-language.

A route without a row in `ROWS` fails: whoever adds a page says here who owns it and how one comes to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Browser
from werkzeug.routing import IntegerConverter, Rule

from engine.commands import migration
from engine.kernel import journal_seal
from engine.kernel.unit_of_work import Actor
from engine.settings import ROOT
from tests.journeys.conftest import Installation
from tests.journeys.installed import ask, beside
from tests.journeys.steps import (
    APPROVER,
    CLERK,
    DESIGNER,
    INSPECTOR,
    LEADER,
    RECEPTION,
    RETURNS,
    SPECIALIST,
    Person,
    approve,
    ask_for_supplement,
    issue,
    open_own,
    person,
    receive,
    sign,
)
from webapp import create_app

pytestmark = pytest.mark.browser

CASHIER, ADMINISTRATOR, DIRECTOR = "Đỗ Thị Kim Ngân", "Lý Văn Tú", "Phạm Quốc Khánh"
OFFICE = (RECEPTION, SPECIALIST, LEADER, CLERK, RETURNS, CASHIER, DESIGNER, APPROVER, ADMINISTRATOR, INSPECTOR, DIRECTOR)
PUBLIC, OWNER = "the public", "the owner of a dossier"
AXE = ROOT / "webapp" / "assets" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
CANVASES = (".djs-container", ".form-canvas", ".table-canvas")
"""Where other people's editors draw: their controls are theirs."""
NEW_STEP = Path(__file__).parents[1] / "procedures" / "with_division_head" / "process.bpmn"
PROCEDURE, INTERNAL = "certified_electronic_copy", "internal_leave"


@dataclass(frozen=True)
class Row:
    """How a route is walked: who owns it, the parts of its address, and what it answers if not a page."""

    owner: str
    parts: tuple[str, ...] = ()
    media: str = "text/html"
    leads: bool = False
    """It has no page of its own: it leads elsewhere, or answers a part of a page."""
    query: str = ""


ROWS = {
    "login.front": Row(PUBLIC, leads=True),
    "login.form": Row(PUBLIC),
    "login.code": Row(PUBLIC, leads=True),
    "login.account": Row(SPECIALIST),
    "login.password": Row(SPECIALIST),
    "health.alive": Row(PUBLIC, media="application/json"),
    "health.ready": Row(PUBLIC, media="application/json"),
    "health.metrics": Row(PUBLIC, media="text/plain"),
    "static_files.asset": Row(PUBLIC, ("picture",), media="image/svg+xml"),
    "static_files.favicon": Row(PUBLIC, media="image/svg+xml"),
    "portal.front": Row(PUBLIC),
    "portal.procedure": Row(PUBLIC, ("procedure",)),
    "portal.search": Row(PUBLIC),
    "portal.progress": Row(PUBLIC, ("finished",)),
    "portal.proof": Row(PUBLIC, ("paper_id",)),
    "portal.proof_file": Row(PUBLIC, ("paper_id",), media="application/json"),
    "portal.check": Row(PUBLIC),
    "portal.by_code": Row(PUBLIC, ("public_id",)),
    "portal.dossier": Row(OWNER, ("finished",)),
    "portal.supplement": Row(OWNER, ("waiting",)),
    "portal.paper": Row(OWNER, ("finished", "receipt"), media="application/pdf"),
    "portal.result": Row(OWNER, ("finished",)),
    "desk.inbox": Row(SPECIALIST),
    "desk.rows": Row(SPECIALIST, leads=True),
    "desk.next_task": Row(SPECIALIST, leads=True),
    "desk.dossiers": Row(INSPECTOR),
    "desk.dossier": Row(INSPECTOR, ("finished",)),
    "desk.diagram": Row(SPECIALIST, ("finished",), media="application/xml"),
    "desk.file": Row(SPECIALIST, ("file",), media="application/pdf"),
    "desk.file_page": Row(SPECIALIST, ("file", "first"), media="image/jpeg"),
    "desk.document": Row(SPECIALIST, ("document",), media="application/pdf"),
    "desk.document_page": Row(SPECIALIST, ("document", "first"), media="image/jpeg"),
    "desk.internal": Row(SPECIALIST),
    "desk.internal_form": Row(SPECIALIST, ("internal",)),
    "desk.task": Row(SPECIALIST, ("examination",)),
    "desk.waiting_moves": Row(LEADER),
    "desk.interventions": Row(LEADER, ("waiting",)),
    "counter.home": Row(RECEPTION),
    "counter.intake": Row(RECEPTION, ("procedure",)),
    "counter.received": Row(RECEPTION, ("finished",)),
    "counter.results": Row(RETURNS),
    "counter.handover": Row(RECEPTION),
    "counter.one": Row(RECEPTION, ("waiting",)),
    "counter.withdrawal": Row(RECEPTION, ("waiting",)),
    "signing_room.waiting": Row(LEADER),
    "signing_room.signed": Row(LEADER),
    "signing_room.page": Row(LEADER, ("signature",)),
    "signing_room.agent": Row(LEADER),
    "signing_room.agent_program": Row(LEADER, media="application/zip"),
    "signing_room.invitation": Row(LEADER, media="application/json"),
    "signing_room.prepared_page": Row(LEADER, ("request", "first"), media="image/jpeg"),
    "signing_room.prepared_file": Row(LEADER, ("request",), media="application/pdf"),
    "signing_room.batch": Row(LEADER, query="?task={signature}"),
    "signing_room.batch_progress": Row(LEADER, query="?request={request}", media="application/json"),
    "documents.waiting": Row(CLERK),
    "documents.issue": Row(CLERK, ("number",)),
    "documents.invitation": Row(CLERK, ("number",), media="application/json"),
    "documents.books": Row(CLERK),
    "documents.book": Row(CLERK, ("register",)),
    "board.board": Row(DIRECTOR),
    "designer.procedures": Row(DESIGNER),
    "designer.procedure": Row(DESIGNER, ("procedure",)),
    "designer.version": Row(DESIGNER, ("procedure", "version")),
    "designer.compare": Row(DESIGNER, ("procedure",)),
    "designer.diagram": Row(DESIGNER, ("procedure", "version"), media="application/xml"),
    "designer.package": Row(DESIGNER, ("procedure", "version"), media="application/zip"),
    "designer.proposal": Row(DESIGNER, ("procedure", "proposal")),
    "designer.proposed_diagram": Row(DESIGNER, ("procedure", "proposal"), media="application/xml"),
    "designer.workspace": Row(DESIGNER),
    "designer.law": Row(DESIGNER, query="?q=Điều 20 NĐ 23/2015"),
    "designer.migrations": Row(DESIGNER, ("procedure",)),
    "designer.migration": Row(DESIGNER, ("migration",)),
    "designer.draft": Row(DESIGNER, ("draft",)),
    "designer.draft_files": Row(DESIGNER, ("draft", "forms")),
    "designer.draft_file": Row(DESIGNER, ("draft", "form_file")),
    "designer.draft_raw": Row(DESIGNER, ("draft", "form_file"), media="application/octet-stream"),
    "designer.draft_report": Row(DESIGNER, ("draft",), media="application/json"),
    "designer.draft_compare": Row(DESIGNER, ("draft",)),
    "designer.draft_data": Row(DESIGNER, ("draft",)),
    "designer.draft_words": Row(DESIGNER, ("draft",)),
    "designer.draft_history": Row(DESIGNER, ("draft",)),
    "designer.draft_package": Row(DESIGNER, ("draft",), media="application/zip"),
    "designer.draft_readiness": Row(DESIGNER, ("draft",)),
    "designer.rehearsal": Row(DESIGNER, ("draft",)),
    "designer.trial": Row(DESIGNER, ("draft",)),
    "admin.first_hour": Row(ADMINISTRATOR),
    "admin.units": Row(ADMINISTRATOR),
    "admin.people": Row(ADMINISTRATOR),
    "admin.person": Row(ADMINISTRATOR, ("person",)),
    "admin.delegations": Row(ADMINISTRATOR),
    "admin.keys": Row(ADMINISTRATOR),
    "admin.tokens": Row(ADMINISTRATOR),
    "admin.calendar": Row(ADMINISTRATOR),
    "admin.incidents": Row(ADMINISTRATOR),
    "admin.journal": Row(INSPECTOR),
    "admin.evidence": Row(INSPECTOR),
    "admin.trust": Row(ADMINISTRATOR),
}


@dataclass
class World:
    """The application's routes, examples for their arguments, and the browsers the walk uses."""

    rules: dict[str, Rule]
    examples: dict[str, str]
    people: dict[str, Person]
    adapter: Any
    problems: list[str] = field(default_factory=list)

    def address(self, endpoint: str) -> str:
        """The address of a route with its example arguments."""
        row, rule = ROWS[endpoint], self.rules[endpoint]
        names = [name for is_part, name in rule._trace if is_part]
        path = str(self.adapter.build(endpoint, dict(zip(names, (self.examples[part] for part in row.parts), strict=True)), method="GET"))
        return path + row.query.format(**self.examples)


@pytest.fixture(scope="module")
def world(installation: Installation, chromium: Browser, paper: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Dossiers in every state a page needs, each made by the people whose work it is, and the browsers of everybody."""
    folder = tmp_path_factory.mktemp("walk")
    people = {name: person(chromium, installation.address) for name in (*OFFICE, PUBLIC, OWNER)}
    for name in OFFICE:
        people[name].sign_in(name)
    reception, officer, leader, clerk = (people[name] for name in (RECEPTION, SPECIALIST, LEADER, CLERK))
    finished, access = receive(reception, paper, folder, delivery="download")
    waiting, other_access = receive(reception, paper, folder)
    examined, _ = receive(reception, paper, folder)
    approve(officer, finished)
    ask_for_supplement(officer, waiting)
    sign(leader, finished)
    issue(clerk, finished)
    open_own(people[OWNER], finished, access)
    open_own(people[OWNER], waiting, other_access)
    signature, number = (first_link(one, place) for one, place in ((leader, "/signing"), (clerk, "/documents")))
    leader.open(f"/signing/{signature}")
    designer = people[DESIGNER]
    designer.open(f"/designer/{PROCEDURE}").locator("input[type=file]").first.set_input_files(NEW_STEP)
    designer.page.locator("form:has(input[type=file]) button").first.click()
    designer.page.wait_for_url(re.compile("/proposals/"))
    proposal = designer.page.url.rsplit("/", 1)[1].split("?")[0]
    designer.open("/designer/drafts").locator(f"form[action$='/{PROCEDURE}/drafts'] button").click()
    designer.page.wait_for_url(re.compile("/drafts/[0-9a-f-]{36}"))
    draft = designer.page.url.rsplit("/", 1)[1].split("?")[0]

    def known(query: str, code: str = "") -> str:
        found = ask(installation, query, code=code)
        assert found is not None, query
        return str(found)

    of = "from {} x join dossier d on d.id = x.dossier_id where d.code = :code"
    examples = {
        "first": "1", "picture": "icons.svg", "procedure": PROCEDURE, "internal": INTERNAL, "finished": finished, "waiting": waiting,
        "signature": signature, "number": number, "proposal": proposal, "draft": draft, "forms": "forms", "form_file": "forms/review.json",
        "examination": known(f"select x.id {of.format('task')} and x.state = 'open'", examined),
        "file": known(f"select x.id {of.format('stored_file')}", finished),
        "document": known(f"select x.id {of.format('document')} and x.kind = 'result'", finished),
        "receipt": known(f"select x.id {of.format('document')} and x.kind = 'receipt'", finished),
        "public_id": known(f"select x.public_id {of.format('document')} and x.kind = 'result'", finished),
        "paper_id": known(f"select x.public_id {of.format('document')} and x.kind = 'receipt'", finished),
        "request": known("select id from signature_request where state in ('prepared', 'shown') order by expires_at desc limit 1"),
        "register": first_link(clerk, "/documents/books"),
        "version": known(f"select id from procedure_version where key = '{PROCEDURE}' order by number desc limit 1"),
        "person": known("select id from person where full_name = :code", SPECIALIST),
    }  # fmt: skip
    with beside(installation) as runtime:
        with runtime.begin(Actor("cli", label="tests")) as w:
            plan = migration.plan(w, PROCEDURE, UUID(examples["version"]), "Quyết định số 12/QĐ-UBND ngày 20/11/2026")
            examples["migration"] = str(plan.id)
        with runtime.begin(Actor("clock")) as w:
            journal_seal.add_seal(w.session, w.province, w.now)
        app = create_app(runtime)
        rules = {rule.endpoint: rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
        yield World(rules, examples, people, app.url_map.bind("localhost"))
    for one in people.values():
        one.context.close()


def first_link(one: Person, place: str) -> str:
    """What the first line of a list leads to."""
    links = one.open(place).locator(f"a[href^='{place}/']").all()
    found = (re.search(rf"{place}/([0-9a-f-]{{36}})", str(link.get_attribute("href"))) for link in links)
    return next(match[1] for match in found if match)


def mine(rules: dict[str, Rule]) -> list[str]:
    """The routes of the screens: those of the interface for programs are walked by its own document."""
    return sorted(endpoint for endpoint in rules if not endpoint.startswith("api."))


def test_every_route_has_a_row_and_every_row_a_route(world: World):
    assert set(mine(world.rules)) == set(ROWS)


def test_every_page_is_whole_at_two_widths_light_and_dark(world: World):
    problems: list[str] = []
    for endpoint, row in ROWS.items():
        if row.media != "text/html" or row.leads:
            continue
        one = world.people[row.owner]
        for width, scheme in ((1366, "light"), (360, "dark")):
            one.page.set_viewport_size({"width": width, "height": 768 if width > 400 else 740})
            one.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            problems += [f"{endpoint} at {width}: {problem}" for problem in visit(one, world.address(endpoint))]
        one.page.set_viewport_size({"width": 1366, "height": 768})
    assert problems == [], "\n".join(problems)


def visit(one: Person, address: str, ready: str = "body") -> Iterator[str]:
    """Open a page, wait until it has what makes it *ready*; tell what is wrong with it."""
    before = len(one.wrong)
    answer = one.page.goto(one.address + address)
    assert answer is not None
    if answer.status != 200:
        yield f"answers {answer.status}"
        return
    one.page.wait_for_selector(ready)
    headings = one.page.locator("h1").count()
    if headings != 1:
        yield f"{headings} first headings"
    width, window = one.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    if width > window:
        yield f"scrolls sideways: {width} in {window} px; {one.page.evaluate(WIDE)}"
    one.page.wait_for_timeout(50)
    one.page.evaluate(AXE.read_text("utf-8"))
    found = one.page.evaluate(
        "([c, o]) => axe.run(c, o)",
        [{"exclude": [[one] for one in CANVASES]}, {"runOnly": TAGS, "resultTypes": ["violations"]}],
    )
    yield from (f"axe {v['id']} at {n['target']}: {n['failureSummary'][:300]}" for v in found["violations"] for n in v["nodes"][:3])
    yield from one.wrong[before:]
    del one.wrong[before:]


WIDE = """[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .slice(0, 4).map(e => e.tagName + '.' + e.className).join(' ')"""


def test_files_and_what_leads_elsewhere_answer_as_said(world: World):
    problems = []
    for endpoint, row in ROWS.items():
        if row.media == "text/html" and not row.leads:
            continue
        answer = world.people[row.owner].context.request.get(world.people[row.owner].address + world.address(endpoint))
        media = answer.headers.get("content-type", "").split(";")[0]
        if answer.status != 200 or media != row.media:
            problems.append(f"{endpoint} answers {answer.status} {media}")
    assert problems == [], "\n".join(problems)


def test_everybody_else_is_answered_or_refused_but_never_meets_a_mistake(world: World):
    problems = []
    for endpoint, row in ROWS.items():
        if row.owner == PUBLIC:
            continue
        for name in (*OFFICE, PUBLIC):
            one = world.people[name]
            answer = one.context.request.get(one.address + world.address(endpoint), max_redirects=0)
            expected = (303, 403) if name == PUBLIC else (200, 303, 403, 404, 409, 422)
            if answer.status not in expected:
                problems.append(f"{endpoint} answers {answer.status} to {name}")
    assert problems == [], "\n".join(problems)


def test_a_program_without_a_token_is_answered_by_a_problem_it_can_read(world: World):
    example = {"code": world.examples["finished"], "key": PROCEDURE}
    nobody = world.people[PUBLIC]
    problems = []
    for endpoint, rule in world.rules.items():
        if not endpoint.startswith("api."):
            continue
        parts = {
            name: 1 if isinstance(rule._converters[name], IntegerConverter) else example.get(name, world.examples["document"])
            for name in rule.arguments
        }
        answer = nobody.context.request.get(nobody.address + world.adapter.build(endpoint, parts, method="GET"))
        if answer.status not in (200, 401, 403, 404) or (answer.status >= 400 and "problem+json" not in answer.headers["content-type"]):
            problems.append(f"{endpoint} answers {answer.status} {answer.headers['content-type']}")
    assert problems == [], "\n".join(problems)


FORGOTTEN = r"""() => {
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const named = '[translate=no], .djs-container, .form-canvas, .table-canvas, .bjs-powered-by';
  const skip = 'script, style, noscript, .bjs-powered-by, [translate=no], .djs-container, .form-canvas, .table-canvas, textarea';
  for (let node = walker.nextNode(); node; node = walker.nextNode())
    if (!node.parentElement.closest(skip)) texts.push(node.data);
  for (const name of ['aria-label', 'placeholder', 'title', 'alt'])
    for (const element of document.querySelectorAll(`[${name}]`))
      if (!element.closest(named)) texts.push(element.getAttribute(name));
  if (!document.querySelector('h1[translate=no]')) texts.push(document.title);
  return texts.map(text => text.trim()).filter(Boolean);
}"""


def forgotten(text: str) -> str:
    """What of a text did not go through the catalogue and is neither number, code nor sign."""
    while (shorter := re.sub(r"⟦[^⟦⟧]*⟧", " ", text)) != text:
        text = shorter
    words = [w for w in re.findall(r"[^\s,;:()\[\]/·–—…]+", text) if any(c.isalpha() for c in w)]
    return " ".join(w for w in words if not CODE.fullmatch(w))


CODE = re.compile(
    r"[A-ZĐ]|Motcua|TEST|(?=.*\d)[\w.\-]+|&\w+|[jkxcragistu?]|Enter|Ctrl|Tiếng|Việt|English|PDF|QR|PIN|BPMN|JPEG|PNG|XML|ZIP|MB|KB"
)


def test_the_pseudo_language_finds_no_forgotten_sentence(world: World):
    problems: list[str] = []
    for endpoint, row in ROWS.items():
        if row.media != "text/html" or row.leads:
            continue
        one = world.people[row.owner]
        one.context.add_cookies([{"name": "language", "value": "xx", "url": one.address}])
        one.page.goto(one.address + world.address(endpoint))
        texts: list[str] = one.page.evaluate(FORGOTTEN)
        problems += sorted({f"{endpoint}: {left}" for left in map(forgotten, texts) if left})
        one.context.clear_cookies(name="language")
    assert problems == [], "\n".join(problems)
