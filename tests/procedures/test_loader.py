"""Loading a package: both ways through a zip, every fault with file, key and line, nothing from outside the package."""

from __future__ import annotations

import contextlib
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import NotFound, Refused
from engine.procedure.declaration import PackageInvalid
from engine.procedure.diagram_reader import read_diagram
from engine.procedure.loader import load_files, load_folder, load_zip, to_zip
from engine.procedure.safe_xml import MAX_BYTES, parse_xml
from engine.procedure.toml_lines import line_of
from engine.sentences import sentence
from tests.procedures.packages import BPMN, DECLARATION, changed, diagram, form, real, step


def zipped(files, **changes):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**files, **changes}.items():
            archive.writestr(name, content)
    return target.getvalue()


def codes(load):
    with pytest.raises(Refused) as refused:
        load()
    problems = refused.value.problems if isinstance(refused.value, PackageInvalid) else [refused.value]
    return {problem.code for problem in problems}


FILES = {"procedure.toml": DECLARATION.encode(), "process.bpmn": diagram(step("a"), "s>a; a>e"), "forms/note.json": form("note")}


def test_a_package_survives_the_zip_unchanged_and_the_same_files_give_the_same_bytes():
    package = real()

    again = load_zip(to_zip(package), package.folder)

    assert dict(again.files) == dict(package.files)
    assert to_zip(again) == to_zip(package)
    assert (again.content_hash, again.drawing_hash) == (package.content_hash, package.drawing_hash)


def test_a_zip_with_one_enclosing_folder_is_understood():
    assert load_zip(zipped({f"trial/{name}": content for name, content in FILES.items()})).folder == "trial"


@pytest.mark.parametrize("name", ["../evil.typ", "/etc/passwd", "templates/../../x.typ", "C:x.typ", "templates\\x.typ"])
def test_a_name_that_leaves_the_package_is_refused(name):
    assert "package.file_unsafe" in codes(lambda: load_zip(zipped(FILES, **{name: b"x"})))


def test_a_link_in_a_zip_is_refused():
    target = io.BytesIO(zipped(FILES))
    with zipfile.ZipFile(target, "a") as archive:
        entry = zipfile.ZipInfo("templates/x.typ")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")

    assert "package.file_unsafe" in codes(lambda: load_zip(target.getvalue()))


def test_a_link_in_a_folder_is_refused(tmp_path):
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "x.typ").symlink_to("/etc/passwd")

    assert "package.file_link" in codes(lambda: load_folder(tmp_path))


def test_a_zip_bomb_is_refused_before_it_is_unpacked():
    assert "package.too_large" in codes(lambda: load_zip(zipped(FILES, **{"templates/big.typ": b"\0" * 21 * 1024 * 1024})))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a zip", b"<xml/>"])
def test_what_is_no_zip_is_refused(content):
    assert codes(lambda: load_zip(content, "x")) == {"package.not_zip"}


def test_files_without_a_place_and_missing_files_are_named():
    files = {"procedure.toml": FILES["procedure.toml"], "run.sh": b"rm -rf /"}

    assert codes(lambda: load_files(files)) == {"package.file_unknown", "package.file_missing"}


def test_a_folder_that_is_not_there_is_not_found(tmp_path):
    with pytest.raises(NotFound):
        load_folder(tmp_path / "nothing")


FAULTS = [
    ('code = "1.000001"', "", "package.key_missing", 'key = "trial"'),
    ('scope = "internal"', 'scope = "secret"', "package.key_choice", "scope ="),
    ("amount = 100", "amount = -1", "package.key_range", "amount ="),
    ("amount = 100", 'amount = "many"', "package.key_kind", "amount ="),
    ('key = "trial"', 'key = "Thử nghiệm"', "package.key_pattern", "key ="),
    ('role = "specialist"', 'role = "wizard"', "package.key_choice", "role ="),
]


@pytest.mark.parametrize(("old", "new", "code", "near"), FAULTS)
def test_a_fault_of_the_declaration_names_key_and_line(old, new, code, near):
    text = DECLARATION.replace(old, new)

    with pytest.raises(PackageInvalid) as invalid:
        load_files({**FILES, "procedure.toml": text.encode()})

    problem = next(problem for problem in invalid.value.problems if problem.code == code)
    assert problem.facts["file"] == "procedure.toml"
    assert text.splitlines()[problem.facts["line"] - 1].strip().startswith(near.split(" ")[0]) or code == "package.key_missing"
    assert problem.facts["key"] in sentence(code, "vi", problem.facts).what


def test_broken_toml_names_the_line():
    with pytest.raises(PackageInvalid) as invalid:
        load_files({**FILES, "procedure.toml": (DECLARATION + "\n[oops\n").encode()})

    assert invalid.value.problems[0].code == "package.toml_broken"
    assert invalid.value.problems[0].facts["line"] >= DECLARATION.count("\n")


def test_all_faults_come_at_once():
    text = DECLARATION.replace('scope = "internal"', 'scope = "secret"').replace("amount = 100", "amount = -1")

    assert codes(lambda: load_files({**FILES, "procedure.toml": text.encode()})) == {"package.key_choice", "package.key_range"}


def test_the_line_of_a_key_is_found_in_arrays_inline_tables_and_after_long_texts():
    text = '[[fee]]\nkey = "a"\n[[fee]]\nkey = "b"\nnote = """\nkey = "c"\n"""\nname = { vi = "x" }\n[fee.extra]\nq = 1\n'

    assert line_of(text, ("fee", 0, "key")) == 2
    assert line_of(text, ("fee", 1, "key")) == 4
    assert line_of(text, ("fee", 1, "name", "vi")) == 8
    assert line_of(text, ("fee", 1, "extra", "q")) == 10
    assert line_of(text, ("fee", 1, "gone")) == 3
    assert line_of(text, ("nothing",)) is None


def test_moving_a_shape_changes_the_drawing_only():
    package = real()
    moved = changed(package, diagram=[('<dc:Bounds x="', '<dc:Bounds x="1')])

    assert moved.content_hash == package.content_hash
    assert moved.drawing_hash != package.drawing_hash


def test_another_editors_prefixes_and_spaces_change_nothing():
    package = real()
    text = package.files["process.bpmn"].decode().replace("bpmn:", "b:").replace("xmlns:bpmn=", "xmlns:b=").replace("      <", "\t<")

    again = load_files({**package.files, "process.bpmn": text.encode()}, package.folder)

    assert again.content_hash == package.content_hash


@pytest.mark.parametrize("old", ['name="stage_hours" value="3"', 'review.decision = "refuse"', 'targetRef="refuse"'])
def test_what_has_an_effect_changes_the_content(old):
    package = real()

    assert changed(package, diagram=[(old, old.replace('"3"', '"4"').replace("refuse", "x"))]).content_hash != package.content_hash


def test_tests_and_readme_are_not_part_of_the_identity():
    package = real()

    assert load_files({**package.files, "README.md": b"x", "tests/more.toml": b""}).content_hash == package.content_hash


# Hostile XML.


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>', "xml.doctype"),
        ('<!DOCTYPE x [<!ENTITY e "y">]><x>&e;</x>'.encode("utf-16"), "xml.doctype"),
        (b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>', "xml.doctype"),
        (b"<x>" * 100_000, "xml.broken"),
        (b"<x>" * 150 + b"</x>" * 150, "xml.too_deep"),
        (b"<x>" + b"<y/>" * 20_001 + b"</x>", "xml.too_many"),
        (b"<x>" + b" " * MAX_BYTES, "xml.too_large"),
        (b"", "xml.broken"),
        (b"<x>", "xml.broken"),
        (b'<?xml version="1.0" encoding="no-such-code"?><x/>', "xml.broken"),
        (b"\xff\xfe\x00", "xml.broken"),
    ],
)
def test_hostile_or_broken_xml_is_refused_with_a_sentence(content, code):
    with pytest.raises(Refused) as refused:
        parse_xml(content, "process.bpmn")

    assert refused.value.code == code
    assert "process.bpmn" in sentence(code, "vi", refused.value.facts).what


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"<x/>", "diagram.not_bpmn"), (diagram("", "s>e").split(b"<bpmn:process")[0] + b"</bpmn:definitions>", "diagram.no_process")],
)
def test_xml_that_is_no_process_is_refused(content, code):
    with pytest.raises(Refused) as refused:
        read_diagram(content)

    assert refused.value.code == code


@given(st.binary(max_size=400))
def test_no_bytes_make_the_loader_fall_over(content):
    for load in (lambda: load_zip(content), lambda: parse_xml(content, "x"), lambda: load_files({**FILES, "procedure.toml": content})):
        with contextlib.suppress(Refused):
            load()


def test_every_package_of_the_product_loads():
    for folder in BPMN.iterdir():
        if folder.is_dir() and not folder.name.startswith("_"):
            assert load_folder(folder).unread == ()
