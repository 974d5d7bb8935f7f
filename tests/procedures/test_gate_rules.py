"""Every rule of the gate has a source, sentences in two languages, and a diagram that breaks it; the table in docs says the same."""

from __future__ import annotations

import re

import pytest

from engine.procedure.sources import SOURCES
from tests.procedures.rule_cases import TABLE, TEST, all_cases, explained, findings, written
from tests.procedures.sections import SECTIONS, cited


@pytest.mark.parametrize("rule", SOURCES)
def test_each_rule_is_broken_by_a_diagram(rule):
    found = findings(rule)

    assert found
    assert found[0].as_json()["source"] == SOURCES[rule]
    for language in ("vi", "en"):
        said = found[0].sentence(language)
        assert said.what
        assert "–" not in said.what.split()
        assert found[0].severity != "refused" or said.do


def test_every_rule_has_a_source_and_a_case_and_no_case_stands_for_nothing():
    assert set(SOURCES) == explained()
    assert set(all_cases()) == explained()


def test_every_section_a_rule_cites_has_the_title_it_was_found_under():
    assert set().union(*map(cited, SOURCES.values())) == set(SECTIONS)


def test_the_table_is_written_from_rules_and_cases():
    assert TABLE.read_text(encoding="utf-8") == written()


def test_every_link_of_the_table_names_a_test_that_is_there():
    links = re.findall(rf"\[{TEST}\[([a-z-]+)\]\]\(\.\./([\w./]+)\)", TABLE.read_text(encoding="utf-8"))

    assert {rule for rule, _ in links} == explained()
    for path in {path for _, path in links}:
        assert f"def {TEST}(" in (TABLE.parents[1] / path).read_text(encoding="utf-8")
