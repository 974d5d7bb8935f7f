"""Annexes in files of their own and electronic copies: the agency's signature alone, one line top right of page 1 (NĐ 30/2020)."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pikepdf
import pypdfium2
import pytest
from PIL import Image, ImageChops, ImageDraw
from sqlalchemy import select

from engine.commands import files, signatures
from engine.documents.blobs import BlobStore
from engine.documents.model import Document
from engine.errors import Refused
from engine.kernel.unit_of_work import Actor
from engine.queries import signing, tracking, verification
from signing.model import MM
from tests.commands.test_land_and_houses import HOUSE, do, open_steps, published
from tests.commands.test_main_job import APPROVE
from tests.support.office import OWNER, Office

SCALE = 4.0
CAPITAL = 0.662  # of Tinos, in em
PERMIT = {
    "decision": "grant", "plot": "45", "map_sheet": "12", "plot_area": "120", "built_area": "90", "density": "75",
    "ground_level": "+0,45 m", "red_line": "x", "building_line": "x", "design_file": "KT-01",
}  # fmt: skip


def of_key(office: Office, key: str) -> tuple[Document, bytes]:
    with office.runtime.begin(Actor("system")) as w:
        found = w.session.scalars(select(Document).where(Document.key == key, Document.state != "cancelled")).one()
        pdf = w.part(BlobStore).get(found.sha256 or "")
        w.session.expunge_all()
        return found, pdf


def written_later(pdf: bytes) -> tuple[Image.Image, tuple[float, float]]:
    """What the signature's appearance draws on the first page, as a picture that is black where it draws, and the page's size in points."""
    with pypdfium2.PdfDocument(pdf) as document:
        document.init_forms()
        page = document[0]
        pictures = [page.render(scale=SCALE, may_draw_forms=shown).to_pil().convert("L") for shown in (True, False)]
        return ImageChops.difference(*pictures).point(lambda tone: 255 if tone > 60 else 0), page.get_size()


def assert_line_top_right(pdf: bytes, lines: int) -> None:
    drawn, (width, _) = written_later(pdf)
    left, top, right, bottom = (edge / SCALE for edge in drawn.getbbox() or ())
    assert top >= 5 * MM - 1, "printers need 5 mm"
    assert bottom <= 20 * MM, "within the top margin NĐ 30/2020 prescribes, so over no text of the page's header"
    assert width - 25 * MM <= right <= width - 5 * MM
    assert left > width / 2 - 15 * MM
    rows = [any(drawn.crop((0, y, drawn.width, y + 1)).getextrema()[1:]) for y in range(drawn.height)]
    starts = [y for y in range(1, len(rows)) if rows[y] and not rows[y - 1]]
    assert len(starts) >= lines
    first = next(y for y in range(starts[0], len(rows)) if not rows[y]) - starts[0]
    assert first / SCALE >= 10 * CAPITAL - 0.8, "the first line is whole, not cut at the upper edge of its box"
    with pikepdf.open(io.BytesIO(pdf)) as document:
        [widget] = [one for one in document.pages[0].Annots if str(one.get("/T")) == "agency"]
        fonts = str(fonts_in(widget.AP.N))
    assert "Tinos" in fonts
    assert "Bold" not in fonts
    assert "Italic" not in fonts
    digits = drawn.crop((0, starts[-1] if len(starts) > lines else starts[lines - 1], drawn.width, drawn.height)).getbbox()
    assert digits is not None
    assert 10 * CAPITAL - 0.8 <= (digits[3] - digits[1]) / SCALE <= 10 * CAPITAL + 1.2, "figures of upright 10 pt"


def fonts_in(form: Any) -> list[str]:
    """The fonts of an appearance and of the forms it draws."""
    resources = form.get("/Resources", {})
    own = [str(font.BaseFont) for font in dict(resources.get("/Font", {})).values()]
    return own + [name for inner in dict(resources.get("/XObject", {})).values() for name in fonts_in(inner)]


def full_page_scan() -> bytes:
    """A page printed up to its edges: nothing is free at the top right."""
    page = Image.new("RGB", (1240, 1754), "white")
    ImageDraw.Draw(page).rectangle((40, 40, 1200, 1700), outline="black", width=12)
    page.save(out := io.BytesIO(), "PDF", resolution=150)
    return out.getvalue()


def test_a_copy_carries_its_form_the_agency_and_the_time_and_is_listed_for_its_owner(office: Office) -> None:
    received = office.receive()
    office.complete("specialist", received.code, {**APPROVE, "file_copy": "true"})
    office.sign("head", received.code)
    office.issue("clerk", received.code)
    task = office.open_task(received.code)
    assert task.step == "issue_file_copy"
    with office.as_("clerk") as w:
        page = signing.page(w, task.id)
    assert page.line is not None
    assert page.line.texts[0] == "SAO Y"

    with office.as_("clerk") as w:
        first, again = signatures.prepare_issue(w, task.id), signatures.prepare_issue(w, task.id)
    assert first.request_id == again.request_id, "asked twice, prepared once"
    office.clock.at += timedelta(minutes=2)
    [signed] = office.issue("clerk", received.code, verify=True)
    assert signed.signed
    assert signed.request_id != first.request_id, "the line prints the time of signing, so an old preparation is made anew"

    copy, pdf = of_key(office, "file_copy")
    assert (copy.state, copy.number, copy.register) == ("issued", None, None)
    assert_line_top_right(pdf, 3)
    with office.runtime.begin(Actor("system")) as w:
        known = verification.known(w, pdf)
        seen = tracking.owner(w, received.code)
        assert [(document.key, link["copy"]) for document, link in seen.beside] == [("file_copy", "full_copy")]
    assert known.newest
    assert known.attached is not None
    assert known.attached["of"][0]["vi"].startswith("Bản chính")
    assert seen.result is not None
    assert seen.result.key == "certified_copy", "the result is what was certified, not the copy made after it"
    report = verification.judge(office.runtime, pdf, office.clock.at)
    assert report["verdict"] == "valid"
    assert [one["role"] for one in report["signatures"]] == ["agency"]


def test_an_annex_bears_the_number_of_its_document_and_never_comes_before_it(office: Office) -> None:
    published(office, "house_construction_permit")
    code = permit_case(office)
    do(office, "specialist", code, "examine", decision="complete", site="unneeded")
    do(office, "specialist", code, "conclude", **PERMIT)
    do(office, "division_head", code, "review", decision="agree")
    office.sign("head", code)
    office.issue("clerk", code)
    assert list(open_steps(office, code)) == ["issue__of__issue_drawings"]

    permit, _ = of_key(office, "construction_permit")
    with office.runtime.begin(Actor("system")) as w:
        w.session.get_one(Document, (permit.province, permit.id)).state = "signed"
    with pytest.raises(Refused, match="not_issued_yet"):
        office.issue("clerk", code)
    with office.runtime.begin(Actor("system")) as w:
        w.session.get_one(Document, (permit.province, permit.id)).state = "issued"

    [signed] = office.issue("clerk", code, verify=True)
    assert signed.signed
    annex, pdf = of_key(office, "design_drawings")
    assert (annex.kind, annex.number) == ("annex", None)
    assert annex.content["attached"] == {"to": str(permit.id), "number": 1, "symbol": "GPXD", "name": permit.name}
    assert annex.content["line_above"] is True, "the drawing is printed to its edge: the line gets a free band above it"
    assert_line_top_right(pdf, 2)


def permit_case(office: Office) -> str:
    """A house whose drawings fill the sheet up to the edge."""
    from engine.commands import dossiers
    from engine.commands.dossiers import Reception

    with office.as_("reception") as w:
        for key in ("application", "land_right", "drawings"):
            files.keep(w, files.examine(full_page_scan(), "ban ve.pdf"), component=key, upload_key="case")
        asked = Reception(
            "house_construction_permit", office.units["commune"], OWNER, components=("application", "land_right", "drawings"),
            upload_key="case", answers=HOUSE, paid="cash",
        )  # fmt: skip
        return dossiers.receive_dossier(w, asked).code
