"""NĐ 30/2020, annex I, measured on the drawn page: blue image, red seal at true size over its left third, lines in 10 pt with ISO time."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime

import pypdfium2
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageStat

from signing import appearance, fields, pades
from signing.model import AGENCY, LEADER, MM, Box, FieldPlan
from signing.pades import VIETNAM
from tests.support.signing_office import FONTS, Office, letter, plan, refused

SCALE = 4


@pytest.fixture
def drawn(office: Office) -> Iterator[Image.Image]:
    with pypdfium2.PdfDocument(office.issued()) as document:
        document.init_forms()
        yield document[0].render(scale=SCALE, may_draw_forms=True).to_pil().convert("RGB")


def extent(mask: Image.Image) -> tuple[float, float, float, float]:
    """Left, bottom, right, top in points of what the mask shows."""
    box = mask.getbbox()
    assert box is not None
    left, upper, right, lower = (edge / SCALE for edge in box)
    height = mask.height / SCALE
    return left, height - lower, right, height - upper


def colours(page: Image.Image) -> tuple[Image.Image, Image.Image]:
    """Where the page is blue and where it is red."""
    red, green, blue = page.split()

    def above(one: Image.Image, other: Image.Image) -> Image.Image:
        return ImageChops.subtract(one, other).point(lambda value: 255 if value > 60 else 0)

    return ImageChops.darker(above(blue, red), above(blue, green)), ImageChops.darker(above(red, blue), above(red, green))


def test_the_seal_has_its_true_size_and_covers_the_left_third_of_the_image(drawn: Image.Image) -> None:
    blue, red = colours(drawn)
    left, bottom, right, top = extent(red)
    assert (right - left) / MM == pytest.approx(36, abs=0.7)
    assert (top - bottom) / MM == pytest.approx(36, abs=0.7)
    image = plan().leader
    assert image is not None
    assert 0.30 <= (right - image.x) / image.width <= 0.37
    assert left < image.x
    assert (top + bottom) / 2 == pytest.approx(image.y + image.height / 2, abs=1)
    ink = extent(blue)
    assert image.x <= ink[0] < ink[2] <= image.x + image.width
    assert image.y <= ink[1] < ink[3] <= image.y + image.height


def test_seal_and_image_let_what_is_under_them_show_through(drawn: Image.Image) -> None:
    blue, red = colours(drawn)
    for colour in (blue, red):
        assert 0 < ImageStat.Stat(colour).mean[0] / 255 < 0.02


def test_the_image_is_centred_and_keeps_its_shape() -> None:
    leader, agency = appearance.signature_boxes(Box(0, 100, 100, 300, 60), aspect=2, seal_mm=34)
    assert (leader.width, leader.height) == (120, 60)
    assert leader.x + leader.width / 2 == 250
    assert agency.width == pytest.approx(34 * MM)
    assert agency.x + agency.width == pytest.approx(leader.x + leader.width / 3)


def test_handwriting_is_the_same_for_the_same_name_only() -> None:
    assert appearance.handwriting("Lan") == appearance.handwriting("Lan")
    assert appearance.handwriting("Lan") != appearance.handwriting("Bình")


def test_a_picture_with_transparency_is_taken_as_it_is(office: Office) -> None:
    picture = Image.new("RGBA", (240, 100), (0, 0, 0, 0))
    ImageDraw.Draw(picture).line((10, 80, 120, 10, 230, 80), fill=(20, 40, 200, 255), width=6)
    picture.save(out := io.BytesIO(), "PNG")
    box = plan().leader
    assert box is not None
    style = appearance.leader_appearance(box, "Lan", out.getvalue(), fonts=FONTS)
    prepared = pades.prepare(office.with_fields(), LEADER, office.pki.certificate("lan"), office.now, appearance=style)
    assert b"/SMask" in prepared.pdf or b"/Image" in prepared.pdf


def test_annexes_and_copies_carry_a_line_with_the_time_by_iso_8601(office: Office) -> None:
    box = Box(0, 350, 790, 210, 40)
    made = fields.add_fields(letter(), FieldPlan(agency=box))
    at = office.now.astimezone(VIETNAM)
    style = appearance.line_appearance(box, ["SAO Y ĐIỆN TỬ", "Sở Tư pháp"], at, fonts=FONTS)
    prepared = pades.prepare(made, AGENCY, office.pki.certificate("agency"), office.now, appearance=style)
    with pypdfium2.PdfDocument(prepared.pdf) as document:
        document.init_forms()
        page = document[0].render(scale=2, may_draw_forms=True).to_pil().convert("L")
    corner = page.crop((700, 0, page.width, 104))
    assert corner.getextrema()[0] < 128
    assert at.isoformat(timespec="seconds") == "2026-11-22T09:05:11+07:00"
    assert isinstance(at, datetime)


def test_a_line_that_leaves_its_box_is_refused_rather_than_shrunk_or_cut(office: Office) -> None:
    at = office.now.astimezone(VIETNAM)
    box = Box(0, 300, 780, 283, 42.5)
    long = "Trung tâm Phục vụ hành chính công Ủy ban nhân dân thành phố Mẫu, " * 3
    appearance.line_appearance(box, ["SAO Y", "Ủy ban nhân dân phường Mẫu"], at, fonts=FONTS)
    with refused("appearance.line_too_long"):
        appearance.line_appearance(box, ["SAO Y", long], at, fonts=FONTS)
