"""Templates as they will be printed: pages as pictures on sample data, faults at their line, nothing stored."""

from __future__ import annotations

import io
import re
from base64 import b64decode

import pytest
from PIL import Image

from engine.documents.samples import sampled
from engine.documents.templates import Printed
from engine.errors import Refused
from engine.kernel.unit_of_work import Actor
from engine.procedure.loader import load_folder
from engine.queries.previewing import previewed
from engine.settings import ROOT
from tests.support.office import Office
from tests.support.visitors import Visitor

COPY, TEMPLATE = "certified_electronic_copy", "templates/certified_copy.typ"
PACKAGES = sorted(path.name for path in (ROOT / "bpmn").iterdir() if (path / "templates").is_dir() and path.name != "_shared")


def begun(designer: Visitor) -> str:
    return str(designer.post(f"/designer/{COPY}/drafts", "/designer/drafts").headers["Location"])


def test_every_template_of_every_package_prints_on_sample_data_alone(office: Office):
    with office.runtime.begin(Actor("cli", label="tests")) as w:
        for name in PACKAGES:
            files = load_folder(ROOT / "bpmn" / name).files
            for template in (one for one in files if one.endswith(".typ")):
                shown = previewed(w, files, template)
                assert shown.problem is None, f"{name}/{template}: {shown.problem}"
                assert shown.count >= 1


def test_a_template_stands_beside_its_pages(designer: Visitor):
    page = designer.get(f"{begun(designer)}/edit/{TEMPLATE}").text

    pictures = re.findall(r'src="data:image/jpeg;base64,([^"]+)" alt="Trang \d+', page)
    assert pictures
    drawn = Image.open(io.BytesIO(b64decode(pictures[0])))
    assert drawn.height > drawn.width > 600
    assert drawn.convert("L").getextrema()[0] < 80, "something is printed on it"


def test_what_stands_in_the_editor_is_shown_and_nothing_is_stored(designer: Visitor):
    here = begun(designer)
    source = designer.get(f"{here}/raw/{TEMPLATE}").text
    before = designer.get(f"{here}/edit/{TEMPLATE}").text

    shown = designer.post(f"{here}/page-preview", here, name=TEMPLATE, content=source + "\n#pagebreak()\nMột trang nữa\n", sample="")

    assert shown.status_code == 200
    assert shown.text.count("data:image/jpeg") == before.count("data:image/jpeg") + 1
    assert "Một trang nữa" in shown.text, "what was typed is still in the editor"
    assert designer.get(f"{here}/raw/{TEMPLATE}").text == source


@pytest.mark.parametrize(
    ("broken", "words"),
    [("#par(foo: 1)[a]", "unexpected argument"), ("#no_such_thing", "unknown variable"), ('#import "@preview/x:1.0.0": y', "Mẫu")],
)
def test_a_fault_is_said_at_its_line(designer: Visitor, broken: str, words: str):
    here = begun(designer)
    lines = designer.get(f"{here}/raw/{TEMPLATE}").text.splitlines()
    lines.insert(3, broken)

    shown = designer.post(f"{here}/page-preview", here, name=TEMPLATE, content="\n".join(lines), sample="")

    assert shown.status_code == 422
    assert words in shown.text
    assert "Dòng 4" in shown.text
    assert re.search(r'class="fault">\s+4\s', shown.text)
    assert "/tmp" not in shown.text


def test_the_report_names_the_line_of_a_broken_template_too(designer: Visitor):
    here = begun(designer)
    source = designer.get(f"{here}/raw/{TEMPLATE}").text

    designer.post(f"{here}/files", here, name=TEMPLATE, version="1", content=f"\n#no_such_thing\n{source}")

    assert f"{TEMPLATE}:2" in designer.get(f"{here}/edit/{TEMPLATE}").text


def test_sample_data_may_be_given_and_is_refused_at_its_field(designer: Visitor):
    here = begun(designer)
    source = designer.get(f"{here}/raw/{TEMPLATE}").text

    broken = designer.post(f"{here}/page-preview", here, name=TEMPLATE, content=source, sample='{"owner": ')
    short = designer.post(f"{here}/page-preview", here, name=TEMPLATE, content=source, sample="{}")

    assert broken.status_code == 422
    assert 'id="field-sample-error"' in broken.text
    assert "input is missing" in short.text


def test_what_no_sample_satisfies_ends_with_its_reason():
    def never(data: object) -> Printed:
        raise Refused("template.failed", template="x", reason=f"assertion failed: input is missing: a.b{len(str(data))}")

    data, fault = sampled(never, "", {})

    assert isinstance(fault, Refused)
    assert data["a"]
