"""The gate watches the statutory clock: it stops for a ground of the law, on a document, and runs on before the dossier ends."""

from __future__ import annotations

import pytest

from engine.dossier import lifecycle
from engine.procedure.gate import check
from engine.procedure.operators import GROUNDS
from tests.procedures.packages import CLOSE, DECLARATION, act, el, small, step

GROUND = "&quot;other_authority&quot;"
PAID = "&quot;financial_obligation&quot;"
LAW = "&quot;Điều 1&quot;"
NOTICE = "&quot;12/TB&quot;"
STOP = act("stop", "dossier/suspend", ground=GROUND, legal_basis=LAW, reference=NOTICE)
GO_ON = act("go_on", "dossier/resume", ground=GROUND)
WAY = "s>stop; stop>wait; wait>go_on; go_on>close; close>e"
SHORT = DECLARATION.replace("amount = 100\n", "amount = 1\n")


def refused(nodes: str, flows: str, declaration: str = DECLARATION) -> list[str]:
    report = check(small(nodes, flows, declaration=declaration))
    return sorted({finding.rule for finding in report.findings if finding.severity == "refused"})


def test_a_clock_that_stops_on_a_document_and_runs_on_is_fine():
    assert refused(STOP + step("wait") + GO_ON + CLOSE, WAY) == []


def test_hours_of_a_step_do_not_count_while_the_clock_stands_still():
    slow = step("wait", stage_hours="40") + step("work", stage_hours="8")
    way = "s>stop; stop>wait; wait>go_on; go_on>work; work>close; close>e"

    assert refused(STOP + slow + GO_ON + CLOSE, way, SHORT) == []
    assert refused(slow + CLOSE, "s>wait; wait>work; work>close; close>e", SHORT) == ["stages-within-term"]


def stop(**given: str) -> str:
    return act("stop", "dossier/suspend", **given)


@pytest.mark.parametrize(
    ("rule", "nodes"),
    [
        ("suspension-ground", stop(ground="&quot;leader_away&quot;", legal_basis=LAW, reference=NOTICE) + GO_ON),
        ("suspension-ground", stop(ground="&quot;supplement&quot;", legal_basis=LAW, reference=NOTICE) + GO_ON),
        ("suspension-document", stop(ground=GROUND, legal_basis=LAW) + GO_ON),
        ("suspension-document", stop(ground=GROUND, legal_basis=LAW, reference=NOTICE, document="&quot;slip&quot;") + GO_ON),
        ("parameter-missing", stop(ground=GROUND, reference=NOTICE) + GO_ON),
        ("suspension-idle", act("stop", "dossier/resume", ground=GROUND) + GO_ON),
        ("suspension-idle", STOP + act("go_on", "dossier/resume", ground=PAID)),
    ],
)
def test_what_the_law_does_not_allow_is_refused(rule: str, nodes: str):
    assert rule in refused(nodes + CLOSE, "s>stop; stop>go_on; go_on>close; close>e")


def test_a_way_around_the_end_of_the_suspension_is_refused_with_the_end_it_reaches():
    choice = el("exclusiveGateway", "g", default="g__go_on", name="Xong?")
    finished = act("finished", "dossier/approve")
    flows = "s>stop; stop>wait; wait>g; g>go_on; g>finished?true; go_on>close; close>e; finished>e"

    assert refused(STOP + step("wait") + choice + GO_ON + finished + CLOSE, flows) == ["suspension-open"]


def test_a_dossier_that_is_refused_need_not_run_on():
    choice = el("exclusiveGateway", "g", default="g__go_on", name="Xong?")
    no = act("no", "dossier/refuse", reason="&quot;Không nộp tiền&quot;")
    flows = "s>stop; stop>wait; wait>g; g>go_on; g>no?true; go_on>close; close>e; no>e"

    assert refused(STOP + step("wait") + choice + GO_ON + no + CLOSE, flows) == []


def test_a_document_of_the_package_must_have_been_issued_on_every_way():
    slip = stop(ground=GROUND, legal_basis=LAW, document="&quot;slip&quot;")
    declared = DECLARATION + (
        '[[document]]\nkey = "slip"\ntemplate = "slip"\nregister = "outgoing"\nsymbol = "PC"\n'
        '[document.name]\nvi = "Phiếu chuyển"\nen = "Slip"\n'
    )

    assert "suspension-not-issued" in refused(slip + GO_ON + CLOSE, "s>stop; stop>go_on; go_on>close; close>e", declared)


def test_the_gate_knows_the_grounds_the_life_of_a_dossier_knows():
    assert set(GROUNDS) == set(lifecycle.GROUNDS)
    assert {lifecycle.follow("processing", begun) for begun, _ in lifecycle.GROUNDS.values()} == lifecycle.WAITING
    for begun, ended in lifecycle.GROUNDS.values():
        assert lifecycle.follow(lifecycle.follow("processing", begun), ended) == "processing"
