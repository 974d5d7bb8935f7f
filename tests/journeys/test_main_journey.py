"""From application to signed result, in a real browser, and judged by everybody but ourselves."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from tests.journeys.conftest import Installation
from tests.journeys.steps import (
    CARD,
    CLERK,
    INSPECTOR,
    LEADER,
    LEADER_PIN,
    NUMBER,
    RECEPTION,
    SPECIALIST,
    SUPPLEMENT_ACTS,
    Person,
    approve,
    ask_for_supplement,
    issue,
    issue_copy,
    open_own,
    receive,
    sign,
)

pytestmark = pytest.mark.browser
Somebody = Callable[..., Person]


def test_a_dossier_goes_from_the_counter_to_its_owners_phone(somebody: Somebody, installation: Installation, paper: Path, tmp_path: Path):
    code, access = receive(somebody(RECEPTION), paper, tmp_path)
    officer = somebody(SPECIALIST)
    approve(officer, code, with_copy=True)
    officer.open(f"/desk/dossiers/{code}")
    officer.page.locator(".djs-container [data-element-id=sign]").first.wait_for()
    officer.picture("dossier-1366")
    sign(somebody(LEADER), code)
    clerk = somebody(CLERK)
    issue(clerk, code)
    issue_copy(clerk, code)
    citizen = somebody(width=360)
    page = open_own(citizen, code, access)
    with page.expect_download() as taken:
        page.get_by_role("link", name=re.compile("Bản sao y điện tử")).click()
    copy = tmp_path / "copy.pdf"
    taken.value.save_as(copy)
    page.get_by_role("link", name=re.compile("Xem và tải kết quả")).click()
    page.get_by_text("HỢP LỆ").first.wait_for()
    citizen.picture("result-360", whole=True)
    with page.expect_download() as taken:
        page.get_by_role("button", name=re.compile("Tải kết quả")).click()
    result = tmp_path / "result.pdf"
    taken.value.save_as(result)

    judged_by_others(result, tmp_path)
    assert installation.motcua("verify", str(result)).returncode == 0
    changed = tmp_path / "changed.pdf"
    content = bytearray(result.read_bytes())
    content[len(content) // 3] ^= 1
    changed.write_bytes(content)
    assert installation.motcua("verify", str(changed)).returncode == 1
    stranger = somebody(width=360)
    verdict(stranger, result, "HỢP LỆ")
    stranger.picture("verification-360")
    verdict(stranger, copy, "HỢP LỆ")
    expect(stranger.page.get_by_text("bản sao y của: Bản chính giấy tờ")).to_be_visible()
    verdict(stranger, changed, "KHÔNG HỢP LỆ")
    audited = installation.motcua("audit", "verify")
    assert audited.returncode == 0, audited.stdout
    secret = somebody().open(f"/tra-cuu/{code}").content()
    assert NUMBER not in secret
    assert "Nguyễn Thị Mai" not in secret


def judged_by_others(result: Path, folder: Path) -> None:
    """Poppler finds two valid signatures, OpenSSL agrees on the second one's mathematics."""
    told = subprocess.run(["pdfsig", "-nocert", result], capture_output=True, text=True, check=True).stdout
    assert told.count("Signature is Valid.") == 2
    assert "Total document signed" in told
    content = result.read_bytes()
    start, first, second, last = (int(n) for n in re.findall(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)", content)[-1])
    (folder / "signed").write_bytes(content[start : start + first] + content[second : second + last])
    hexadecimal = content[first + 1 : second - 1].rstrip(b"0")
    (folder / "cms").write_bytes(bytes.fromhex((hexadecimal + b"0" * (len(hexadecimal) % 2)).decode()))
    checked = subprocess.run(
        ["openssl", "cms", "-verify", "-binary", "-noverify", "-inform", "DER", "-in", folder / "cms", "-content", folder / "signed",
         "-out", "/dev/null"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Verification successful" in checked.stderr, checked.stderr


def verdict(stranger: Person, file: Path, word: str) -> None:
    """Check a file on the public page; the first word is the verdict."""
    page = stranger.open("/xac-minh")
    page.locator("#file").set_input_files(file)
    page.get_by_role("button", name="Kiểm tra", exact=True).click()
    page.locator(".verdict .word").first.wait_for(timeout=60_000)
    assert page.locator(".verdict .word").first.inner_text().strip() == word


def test_a_supplement_is_answered_on_a_phone_and_comes_back_to_the_same_step(somebody: Somebody, paper: Path, tmp_path: Path):
    code, access = receive(somebody(RECEPTION), paper, tmp_path)
    officer = somebody(SPECIALIST)
    ask_for_supplement(officer, code)
    citizen = somebody(width=360)
    page = open_own(citizen, code, access)
    citizen.acts = 3  # identity number, access code, open
    citizen.did(page.get_by_role("link", name="Gửi bổ sung").click)
    citizen.picture("supplement-360", whole=True)
    citizen.did(page.locator("input[type=file]").first.set_input_files, paper)
    citizen.did(page.get_by_label("Lời nhắn").fill, "Tôi đã quét lại đủ các trang.")
    citizen.did(page.get_by_role("button", name="Gửi bổ sung").click)

    page.get_by_text("Đã nhận bổ sung").wait_for()
    # Typing 12 + 6 characters and a sentence, taking a photo and four taps: by the keystroke-level model well under two minutes.
    assert citizen.acts <= SUPPLEMENT_ACTS, citizen.acts
    approve(officer, code)


def test_two_hundred_megabytes_are_refused_at_the_field_and_nothing_typed_is_lost(somebody: Somebody, tmp_path: Path):
    large = tmp_path / "ban-quet.pdf"
    with large.open("wb") as file:
        file.truncate(200 * 2**20)
    clerk = somebody(RECEPTION)
    page = clerk.open("/counter/intake/certified_electronic_copy")
    scan_field = page.locator("[data-scan]")
    scan_field.fill(CARD)
    scan_field.press("Enter")
    expect(page.locator("[name='owner.name']")).not_to_have_value("")
    page.locator("input[type=file]").first.set_input_files(large)

    expect(page.locator(".field-error").first).to_contain_text("tối đa 50 MB")
    assert page.locator("input[type=file]").first.input_value() == ""
    expect(page.locator("[name='owner.name']")).to_have_value("Nguyễn Thị Mai")

    # Without any script the server itself says it, before it has read the whole.
    stranger = somebody(width=360, scripts=False)
    page = stranger.open("/xac-minh")
    page.locator("#file").set_input_files(large)
    page.get_by_role("button", name="Kiểm tra", exact=True).click()
    page.get_by_text("Tệp quá lớn").first.wait_for()


def test_a_hundred_open_browsers_keep_nobody_waiting(installation: Installation):
    """Each keeps its connection after the answer, as browsers do; the server must not count them as work."""
    host, port = installation.address.removeprefix("http://").split(":")
    opened = [HTTPConnection(host, int(port), timeout=20) for _ in range(100)]
    for connection in opened:
        connection.request("GET", "/healthz")
        assert connection.getresponse().read()
    for connection in opened:
        connection.close()


def test_a_supplement_is_answered_without_any_script(somebody: Somebody, paper: Path, tmp_path: Path):
    code, access = receive(somebody(RECEPTION), paper, tmp_path)
    ask_for_supplement(somebody(SPECIALIST), code)
    page = open_own(somebody(width=360, scripts=False), code, access)
    page.get_by_role("link", name="Gửi bổ sung").click()
    page.locator("input[type=file]").first.set_input_files(paper)
    page.get_by_role("button", name="Gửi bổ sung").click()

    page.get_by_text("Đã nhận bổ sung").wait_for()


def test_a_leader_signs_several_on_a_telephone_with_one_pin_and_sees_how_far_it_is(somebody: Somebody):
    leader = somebody(LEADER, width=360)
    page = leader.open("/signing")
    boxes = page.locator("tbody input[name=task]")
    wanted = min(boxes.count(), 5)
    assert wanted >= 2
    for place in range(wanted):
        boxes.nth(place).check()
    page.get_by_role("button", name="Ký các văn bản đã đánh dấu").click()
    page.locator("[data-pin]").fill(LEADER_PIN)
    leader.picture("batch-360", whole=True)

    def slowly(route: Route) -> None:
        """A batch takes a while on its way; the page is there meanwhile."""
        time.sleep(2)
        route.continue_()

    page.route(re.compile("/signing/batch$"), slowly)
    with page.expect_response(re.compile("/signing/batch/progress")) as progress:
        page.get_by_role("button", name=re.compile(rf"^Ký {wanted} văn bản")).click()
    assert progress.value.ok
    assert progress.value.url.count("request=") == wanted
    page.get_by_text(f"Đã ký {wanted} văn bản.").wait_for(timeout=120_000)

    expect(page.locator("tbody .state.done, tbody .done").filter(has_text="Đã ký")).to_have_count(wanted)
    told = leader.context.request.get(progress.value.url).json()
    assert (told["done"], told["total"]) == (wanted, wanted)


def test_a_wrong_pin_is_said_at_its_field_and_nothing_is_lost(somebody: Somebody, paper: Path, tmp_path: Path):
    code, _access = receive(somebody(RECEPTION), paper, tmp_path)
    approve(somebody(SPECIALIST), code)
    leader = somebody(LEADER)

    sign(leader, code, "000000")

    assert "PIN" in leader.page.locator(".field-error").first.inner_text()
    sign(leader, code)
    assert leader.page.locator(".field-error").count() == 0


def test_the_inspector_reads_and_the_stranger_does_not(somebody: Somebody, paper: Path, tmp_path: Path):
    code, _access = receive(somebody(RECEPTION), paper, tmp_path)

    somebody(INSPECTOR).open(f"/desk/dossiers/{code}").get_by_text(code).first.wait_for()
    answer = somebody("Trịnh Văn Ơn").page.goto(f"{somebody().address}/desk/dossiers/{code}")
    assert answer is not None
    assert answer.status == 404
