"""A leader moves the signature on its page: by mouse, by keys, by a finger, and by two numbers where no script runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, expect

from tests.journeys.steps import LEADER, PICTURES, Person


@pytest.fixture
def leader(somebody: Callable[..., Person]) -> Iterator[Person]:
    """The leader, whose signature stands where the template has it, before and afterwards."""
    one = somebody()
    one.sign_in(LEADER)
    back(one)
    yield one
    back(one)


def open_one(one: Person) -> str:
    """Open a document that waits for the signature of this leader."""
    one.open("/signing")
    address = one.page.locator("tbody a[href^='/signing/']").first.get_attribute("href")
    assert address is not None
    one.open(address)
    return address


def back(one: Person) -> None:
    """Put the signature back where the template has it."""
    open_one(one)
    details = one.page.locator("#place")
    if details.locator("[name=reset]").count():  # by its name: inside the closed part nothing has a role
        details.locator("summary").click()
        details.get_by_role("button", name="Về vị trí của mẫu").click()
        expect(one.page.locator(".notice.done")).to_be_visible()
    expect(details.locator("summary")).to_contain_text("theo mẫu")


def place(one: Person) -> tuple[float, float]:
    """What the form says, in millimetres."""
    x, y = (float(one.page.locator(f"[name={name}]").input_value().replace(",", ".")) for name in ("x", "y"))
    return x, y


def handle(one: Person) -> Locator:
    found = one.page.locator(".place-handle")
    found.scroll_into_view_if_needed()
    expect(one.page.locator("[data-place] img")).to_have_js_property("complete", True)
    return found


def code_of(one: Person) -> str:
    return one.page.locator(".check-code").inner_text()


def drag(one: Person, right: float, down: float) -> None:
    """Drag the frame by millimetres of the page."""
    box, sheet = handle(one).bounding_box(), one.page.locator("[data-place]").bounding_box()
    assert box is not None
    assert sheet is not None
    scale, x, y = sheet["width"] / 210, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    one.page.mouse.move(x, y)
    one.page.mouse.down()
    one.page.mouse.move(x + right * scale / 2, y + down * scale / 2)
    one.page.mouse.move(x + right * scale, y + down * scale)
    one.page.mouse.up()


def use(one: Person) -> None:
    """Take the new place; the page comes back with a new preparation."""
    before = code_of(one)
    one.page.locator("[data-place-bar]").get_by_role("button", name="Dùng vị trí này").click()
    expect(one.page.locator(".notice.done")).to_be_visible()
    expect(one.page.locator(".check-code")).not_to_have_text(before)


def test_by_mouse_and_by_keys_and_the_next_document_stands_there_too(leader: Person):
    address = open_one(leader)
    x, y = place(leader)

    drag(leader, 8, 4)
    moved = place(leader)
    expect(leader.page.get_by_role("button", name="Ký số")).to_be_disabled()
    PICTURES.mkdir(parents=True, exist_ok=True)
    leader.page.screenshot(path=PICTURES / "signature-place.png", clip={"x": 208, "y": 130, "width": 620, "height": 638})
    leader.page.keyboard.press("Escape")
    assert place(leader) == (x, y), "Escape puts it back"
    expect(leader.page.get_by_role("button", name="Ký số")).to_be_enabled()

    handle(leader).focus()
    for key in ("Shift+ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown", "ArrowUp"):
        leader.page.keyboard.press(key)
    assert place(leader) == (pytest.approx(x + 6), pytest.approx(y + 1))
    leader.page.keyboard.press("Enter")
    expect(leader.page.locator(".notice.done")).to_be_visible()
    kept = place(leader)
    leader.page.reload()

    assert moved == (pytest.approx(x + 8, abs=0.6), pytest.approx(y + 4, abs=0.6))
    assert kept == place(leader) == (pytest.approx(x + 6), pytest.approx(y + 1))
    others = [one for one in leader.page.locator("[data-key=next]").all() if one.get_attribute("href") != address]
    others[0].click()
    expect(leader.page.locator("#place summary")).to_contain_text("6 mm sang phải")
    assert leader.wrong == []


def test_it_cannot_be_dragged_off_the_page_and_what_is_covered_is_named(leader: Person):
    open_one(leader)
    x, _ = place(leader)
    drag(leader, 90, 0)
    at_the_edge = place(leader)[0]
    leader.page.keyboard.press("Escape")
    drag(leader, 0, -60)
    leader.page.locator("[data-place-bar]").get_by_role("button", name="Dùng vị trí này").click()

    expect(leader.page.locator("#field-place-error")).to_contain_text(re.compile("che mất phần đã in: |Phần bị che"))
    assert x < at_the_edge <= 205 - 57.6 + 0.1
    assert leader.wrong == []


def test_by_a_finger_on_a_telephone(leader: Person, somebody: Callable[..., Person]):
    phone = somebody(width=360)
    phone.sign_in(LEADER)
    open_one(phone)
    x, y = place(phone)
    handle(phone).evaluate("frame => frame.scrollIntoView({block: 'center'})")
    box = handle(phone).bounding_box()
    assert box is not None
    assert box["height"] >= 24, "large enough for a finger"
    phone.page.wait_for_timeout(300)
    box = handle(phone).bounding_box()
    assert box is not None
    wire = phone.context.new_cdp_session(phone.page)
    start = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    wire.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [start]})
    for step in (4, 8):
        wire.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": start["x"] + step, "y": start["y"] + step / 4}]})
    wire.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    moved = place(phone)
    phone.picture("signature-place-360")
    use(phone)

    assert moved[0] > x
    assert moved[1] > y
    assert place(phone) == moved
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 360
    assert phone.wrong == []


def test_without_a_script_two_numbers_move_it(leader: Person, somebody: Callable[..., Person]):
    plain = somebody(scripts=False)
    plain.sign_in(LEADER)
    open_one(plain)
    x, y = place(plain)
    before = code_of(plain)
    plain.page.locator("#place summary").click()
    plain.page.get_by_label("Cách mép trái (mm)").fill(f"{x + 5:.1f}".replace(".", ","))
    plain.page.locator("#place").get_by_role("button", name="Dùng vị trí này").click()

    expect(plain.page.locator(".notice.done")).to_be_visible()
    assert place(plain) == (pytest.approx(x + 5), pytest.approx(y))
    assert code_of(plain) != before
