"""A signature moved on its page: what it may not cover, where it may be; the seal keeps its third whatever happens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing.appearance import signature_boxes
from signing.model import MM, Box
from signing.placement import EDGE_MM, LINE_TOP_MM, Placed, Shift, at_top_right, corner, judge, judge_line, page_size, room
from tests.support.signing_office import letter, refused

PAGE = (595.28, 841.89)
TITLE, NAME = "GIÁM ĐỐC", "Nguyễn Thị Lan"
# Title and name of the signer stand 40 mm apart in a block of 78 mm; a sentence stands far above, a number's place at the left.
PAPER = f"""
#set page(paper: "a4", margin: 0mm)
#set text(font: "Tinos", 13pt, lang: "vi")
#place(top + left, dx: 30mm, dy: 60mm)[Căn cứ Luật Tổ chức chính quyền địa phương]
#place(top + left, dx: 114mm, dy: 150mm, block(width: 78mm, height: 50mm, {{ set align(center); [*{TITLE}*]; v(1fr); [*{NAME}*] }}))
#place(top + left, dx: 20mm, dy: 230mm, square(size: 12mm, fill: black))
"""
BLOCK = Box.from_top_left(0, 114 * MM, 150 * MM, 78 * MM, 50 * MM, PAGE[1])


def at(x: float, y: float) -> Placed:
    """The signature with its upper left corner here (mm), its seal with it."""
    image, seal = signature_boxes(Box.from_top_left(0, x * MM, y * MM, 57.6 * MM, 24 * MM, PAGE[1]))
    return Placed(image, seal, BLOCK)


@pytest.fixture(scope="module")
def paper() -> bytes:
    return letter(PAPER)


def test_between_title_and_name_is_a_good_place(paper: bytes):
    judge(paper, at(124, 163), [])


def test_the_seal_may_touch_title_and_name_the_image_may_not(paper: bytes):
    judge(paper, at(124, 160), [])  # the seal reaches 6 mm above the image, into the line of the title
    with refused("placement.covers") as facts:
        judge(paper, at(124, 151), [])
    assert TITLE in facts["words"]


def test_nothing_leaves_the_page_or_the_room_between_title_and_name(paper: bytes):
    for x, y in ((160, 163), (0, 163), (124, 140), (124, 200)):
        with refused("placement.off_page") as facts:
            judge(paper, at(x, y), [])
        assert facts["left"] < 124 < facts["right"]
        assert facts["top"] < 163 < facts["bottom"]


def test_text_and_drawings_are_not_covered_and_the_words_are_named(paper: bytes):
    free = Placed(at(124, 163).image)
    above = Placed(free.moved(Shift(-940, -1100)).image)
    with refused("placement.covers") as facts:
        judge(paper, above, [])
    assert "Căn cứ Luật" in facts["words"]
    with refused("placement.covers") as facts:
        judge(paper, Placed(free.moved(Shift(-1100, 600)).image), [])
    assert facts["words"] == ""


def test_the_seal_covers_nothing_outside_the_block(paper: bytes):
    beside = f"{PAPER}\n#place(top + left, dx: 100mm, dy: 172mm)[Lưu: VT.]"
    with refused("placement.covers") as facts:
        judge(letter(beside), at(118, 163), [])
    assert "Lưu" in facts["words"]


def test_the_places_of_number_and_date_stay_free(paper: bytes):
    with refused("placement.field"):
        judge(paper, at(124, 163), [Box.from_top_left(0, 150 * MM, 170 * MM, 20 * MM, 6 * MM, PAGE[1])])
    judge(paper, at(124, 163), [Box.from_top_left(1, 150 * MM, 170 * MM, 20 * MM, 6 * MM, PAGE[1])])


@given(right=st.integers(-2000, 2000), down=st.integers(-3000, 3000))
def test_image_and_seal_move_as_one_and_back_again(right: int, down: int):
    own = at(124, 163)
    there = own.moved(Shift(right, down))
    assert there.seal is not None
    assert there.seal.x + there.seal.width == pytest.approx(there.image.x + there.image.width / 3)
    assert there.seal.width == pytest.approx(36 * MM)
    assert there.block == BLOCK
    back = there.moved(Shift(-right, -down))
    assert corner(back.image, PAGE[1]) == corner(own.image, PAGE[1])


@given(x=st.floats(-50, 250), y=st.floats(-50, 350), block=st.booleans(), seal=st.booleans())
def test_the_room_is_exactly_where_everything_is_on_the_page(x: float, y: float, block: bool, seal: bool):
    made = at(x, y)
    made = Placed(made.image, made.seal if seal else None, BLOCK if block else None)
    inside = all(
        one.x >= EDGE_MM * MM
        and one.y >= EDGE_MM * MM
        and one.x + one.width <= PAGE[0] - EDGE_MM * MM
        and one.y + one.height <= PAGE[1] - EDGE_MM * MM
        for one in ([made.image, made.seal] if made.seal else [made.image])
    ) and (not block or (made.image.y >= BLOCK.y and made.image.y + made.image.height <= BLOCK.y + BLOCK.height))
    free = room(made, *PAGE)
    if inside:
        assert free.holds(*corner(made.image, PAGE[1]))
    else:
        left, top = made.image.x / MM, (PAGE[1] - made.image.y - made.image.height) / MM
        assert not (free.left + 0.2 < left < free.right - 0.2 and free.top + 0.2 < top < free.bottom - 0.2)


def test_the_room_does_not_depend_on_where_the_signature_stands_now(paper: bytes):
    size = page_size(paper, 0)
    here, there = room(at(124, 163), *size), room(at(90, 155), *size)
    for one in ("left", "right", "top", "bottom"):
        assert getattr(here, one) == pytest.approx(getattr(there, one), abs=0.11)


EDGES = st.floats(0, 300).map(lambda mm: round(mm, 1))


@given(EDGES, EDGES, st.integers(0, 2), st.sampled_from(((210, 297), (297, 420), (148, 210))))
def test_a_line_stands_in_the_top_margin_at_the_right_of_page_one_and_nowhere_else(
    right: float, top: float, page: int, sheet: tuple[int, int]
):
    """NĐ 30/2020/NĐ-CP, Phụ lục I: "góc trên, bên phải, trang đầu"; what the place promises is measured from the page's own edges."""
    width, height = sheet
    line = Box.from_top_left(page, (width - right - 100) * MM, top * MM, 100 * MM, 15 * MM, height * MM)
    promised = page == 0 and EDGE_MM <= right <= 25 and EDGE_MM <= top <= LINE_TOP_MM - 15 and width - right - 100 >= EDGE_MM
    assert at_top_right(line, width * MM, height * MM) == (promised and right + 50 < width / 2)


def test_a_line_is_refused_elsewhere_and_over_anything_printed(paper: bytes):
    free = Box.from_top_left(0, 100 * MM, 5 * MM, 100 * MM, 15 * MM, PAGE[1])
    judge_line(paper, free)
    left, low = ((x * MM, y * MM) for x, y in ((10, 5), (100, 60)))
    for line in (Box.from_top_left(0, *place, 90 * MM, 15 * MM, PAGE[1]) for place in (left, low)):
        with refused("placement.line_place"):
            judge_line(paper, line)
    with refused("placement.line_covers"):
        judge_line(letter(PAPER + "#place(top + right, dx: -40mm, dy: 14mm)[CỘNG HÒA]"), free)
