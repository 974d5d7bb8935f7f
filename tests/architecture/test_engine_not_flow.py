"""It is an engine, not a flow: not one line of Python knows a procedure; and the other rules of the house that a search can prove."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.procedure.loader import load_folder
from engine.settings import ROOT

SOURCES = [p for top in ("engine", "webapp", "signing") for p in (ROOT / top).rglob("*.py") if "node_modules" not in p.parts]
PACKAGES = [p for p in sorted((ROOT / "bpmn").iterdir()) if (p / "procedure.toml").exists() and not p.name.startswith("_")]
GENERIC = set(
    """
    again agreed approve certified_copy closed comment compared components date days decision draft end examine issue kind
    legal_basis length mandate note notify number original owner place reason received receiver refuse refused reminder
    reply request_supplement resolve return_result returned review revise sign signed start store submitter supplement title
    withdrawn
    """.split()  # noqa: SIM905
)
"""Words of the house itself (actions, statuses, columns): they name no procedure even where one uses them for a step or a field."""


def words_of(package_folder: Path) -> set[str]:
    """The codes, keys, step ids, variables, field names and document keys only this procedure uses."""
    package = load_folder(package_folder)
    found = {package.code, package.key, package_folder.name}
    found |= {d.key for d in package.documents} | {f.key for f in package.fees}
    for form in package.form_keys:
        found |= {form, *(field.key for field in package.form(form))}
    found |= set(
        re.findall(
            r'<bpmn:(?:userTask|serviceTask|exclusiveGateway|intermediateCatchEvent)[^>]* id="([^"]+)"',
            package.files["process.bpmn"].decode(),
        )
    )
    return {w for w in found if len(w) > 3} - GENERIC


def literals(source: Path) -> Iterator[str]:
    """Every name, attribute and text of a module; docstrings may speak of anything."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    documented = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body and isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant)
    }  # fmt: skip
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
            yield node.value
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.arg | ast.keyword) and node.arg:
            yield node.arg


@pytest.mark.parametrize("package", PACKAGES, ids=lambda p: p.name)
def test_no_line_of_python_knows_this_procedure(package: Path):
    words = words_of(package)
    assert len(words) > 8
    known = []
    for source in SOURCES:
        for said in literals(source):
            known += [(source.relative_to(ROOT), word) for word in words if word == said or (len(word) > 6 and word in said.split("/"))]

    assert known == []


def test_the_word_commit_stands_in_one_file():
    found = {p.relative_to(ROOT).as_posix() for p in SOURCES if re.search(r"\.commit\(\)", p.read_text(encoding="utf-8"))}

    assert found == {"engine/kernel/unit_of_work.py"}


def test_only_the_expression_compiler_compiles():
    found = set()
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec", "compile"):
                found.add(source.relative_to(ROOT).as_posix())

    assert found == {"engine/feel/compiler.py"}


def test_only_the_settings_read_the_environment():
    found = {p.relative_to(ROOT).as_posix() for p in SOURCES if re.search(r"os\.(environ|getenv)\b", p.read_text(encoding="utf-8"))}

    assert found <= {"engine/settings.py"}


def test_every_error_code_is_catalogued_with_what_why_and_what_to_do_in_both_languages():
    catalogue: dict[str, dict[str, dict[str, str]]] = {}
    for file in (ROOT / "engine" / "catalogue").glob("*.toml"):
        entries = tomllib.loads(file.read_text(encoding="utf-8"))
        twice = catalogue.keys() & entries.keys()
        assert not twice, (file.name, twice)
        catalogue |= entries
    raised = set()
    families = {"Refused", "Forbidden", "NotFound", "Conflict", "EngineError", "SigningError", "FeelError"}
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in families and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    raised.add((first.value, source.relative_to(ROOT).as_posix()))

    assert len(raised) > 150
    assert sorted((code, where) for code, where in raised if "." in code and code not in catalogue) == []
    for code, entry in catalogue.items():
        if "vi" in entry:
            for language in ("vi", "en"):
                assert entry[language].get("what"), (code, language)


def test_every_public_name_says_what_it_is():
    silent = []
    for source in SOURCES:
        if "versions" in source.parts:
            continue
        tree = ast.parse(source.read_text(encoding="utf-8"))
        if not ast.get_docstring(tree) and source.read_text(encoding="utf-8").strip():
            silent.append(source.relative_to(ROOT).as_posix())
        silent += [
            f"{source.relative_to(ROOT).as_posix()}:{node.lineno} {node.name}"
            for node in tree.body
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_") and not ast.get_docstring(node)
        ]

    assert silent == []


def test_modules_stay_small():
    too_long = {
        p.relative_to(ROOT).as_posix(): n
        for p in SOURCES
        if (n := len(p.read_text(encoding="utf-8").splitlines())) > 500 and "versions" not in p.parts
    }

    assert too_long == {}


def test_templates_mark_nothing_safe_but_drawings():
    templates = [p for p in (ROOT / "webapp").rglob("*.html") if "node_modules" not in p.parts]
    found = {p.relative_to(ROOT).as_posix() for p in templates if "|safe" in p.read_text(encoding="utf-8").replace(" ", "")}

    assert found <= {"webapp/templates/macros.html"}


def test_templates_carry_no_styles_and_no_handlers():
    templates = [p for p in (ROOT / "webapp").rglob("*.html") if "node_modules" not in p.parts]
    found = [p.name for p in templates if re.search(r"\s(style|on[a-z]+)=[\"']", p.read_text(encoding="utf-8"))]

    assert found == []
