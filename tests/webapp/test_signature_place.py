"""Moving the signature: what is signed is what was shown after the move; the place is remembered for person and template."""

from __future__ import annotations

import io
import re
from typing import Any
from uuid import UUID

import pypdfium2
import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import func, select

from engine.documents.blobs import BlobStore
from engine.documents.model import Document, SignaturePlace, SignatureRequest
from engine.documents.signature import SigningOffice
from engine.kernel.journal import JournalLine
from signing.custody import Custody, seal_pin
from signing.model import MM
from tests.signing.test_appearance import colours, extent
from tests.support.office import PINS, Office
from tests.support.visitors import Visitor, signed_in
from tests.webapp.test_api import BASE, token
from tests.webapp.test_signing_room import hidden, sign, waiting
from webapp import create_app


@pytest.fixture
def app(office: Office, custody: Custody) -> Flask:
    return create_app(office.runtime)


def address_of(office: Office, code: str) -> str:
    return f"/signing/{office.open_task(code).id}"


def numbers(page: str) -> tuple[float, float]:
    """What the form says: millimetres from the left and the upper edge."""
    found = [re.search(rf'name="{one}" value="([0-9,]+)"', page) for one in ("x", "y")]
    assert all(found), page
    x, y = (float(one[1].replace(",", ".")) for one in found if one)
    return x, y


def put(visitor: Visitor, address: str, x: float, y: float) -> Any:
    return visitor.post(f"{address}/place", address, x=str(x).replace(".", ","), y=str(y))


def drawn(office: Office, sha256: str, page: int) -> Image.Image:
    with office.as_("head") as w, pypdfium2.PdfDocument(w.part(BlobStore).get(sha256)) as document:
        document.init_forms()
        return document[page].render(scale=4, may_draw_forms=True).to_pil().convert("RGB")


def last_request(office: Office) -> SignatureRequest:
    with office.as_("head") as w:
        found = w.session.scalars(select(SignatureRequest).order_by(SignatureRequest.created_at.desc(), SignatureRequest.id.desc())).first()
        assert found is not None
        w.session.expunge(found)
        return found


def test_what_is_signed_is_what_was_shown_after_the_move_and_the_seal_keeps_its_third(office: Office, head: Visitor, app: Flask):
    (code,) = waiting(office)
    address = address_of(office, code)
    before = head.get(address).text
    x, y = numbers(before)

    moved = put(head, address, x + 6, y + 3)
    old = sign_old(head, address, before)
    after = head.get(address).text
    request = last_request(office)
    page = office_page(office, request)
    left, bottom, right, top = extent(colours(drawn(office, request.prepared, page))[0])
    done = sign(head, address, PINS["head"])

    assert moved.status_code == 303
    assert old.status_code == 422, "the bytes shown before the move are not signed"
    assert "Lần chuẩn bị ký đã hết hiệu lực" in old.text
    assert numbers(after) == (x + 6, y + 3)
    assert hidden(after, "request") == [str(request.id)] != hidden(before, "request")
    assert done.status_code == 303
    ink = (x + 6, (841.89 / MM) - (y + 3) - 24)
    assert ink[0] * MM <= left < right <= (ink[0] + 57.6) * MM, "the ink stands where the numbers say"
    assert ink[1] * MM - 1 <= bottom < top <= (ink[1] + 24) * MM + 1
    assert seal(signed_in(app, office, "clerk"), office, code).status_code == 303
    with office.as_("head") as w:
        document = w.session.get(Document, (w.province, request.document_id))
        assert document is not None
        sealed, report = document.sha256 or "", w.part(SigningOffice).verifier(w.part(BlobStore).get(document.sha256 or ""), w.now)
    red = extent(colours(drawn(office, sealed, page))[1])
    assert report["verdict"] == "valid"
    assert (red[2] - red[0]) / MM == pytest.approx(36, abs=0.7)
    assert 0.30 <= (red[2] - ink[0] * MM) / (57.6 * MM) <= 0.37
    assert (red[1] + red[3]) / 2 == pytest.approx((ink[1] + 12) * MM, abs=1)


def seal(clerk: Visitor, office: Office, code: str) -> Any:
    address = f"/documents/{office.open_task(code).id}"
    told = clerk.get(f"{address}/invitation").json
    return clerk.post(address, address, sealed_pin=seal_pin(told["public_key"], told["nonce"], PINS["seal"]))


def sign_old(head: Visitor, address: str, page: str) -> Any:
    """Send the form of a page that was shown earlier."""
    return head.client.post(
        address, data={"csrf_token": hidden(page, "csrf_token")[0], "request": hidden(page, "request"), "sealed_pin": "not asked for"}
    )


def office_page(office: Office, request: SignatureRequest) -> int:
    with office.as_("head") as w:
        document = w.session.get(Document, (w.province, request.document_id))
        assert document is not None
        return next(int(f["page"]) for f in document.fields if f["name"] == "leader")


def test_the_place_is_remembered_for_the_template_and_the_person_until_it_is_put_back(office: Office, head: Visitor, app: Flask):
    first, second = waiting(office, 2)
    shown_already = hidden(head.get(address_of(office, second)).text, "request")
    x, y = numbers(head.get(address_of(office, first)).text)
    put(head, address_of(office, first), x + 4, y - 2)

    other = head.get(address_of(office, second)).text
    deputy = signed_in(app, office, "deputy").get(address_of(office, second)).text
    back = head.post(f"{address_of(office, first)}/place", address_of(office, first), reset="1")

    assert numbers(other) == (x + 4, y - 2), "the next document of this template stands as chosen"
    assert hidden(other, "request") != shown_already, "and is a new preparation, shown anew"
    assert "4 mm sang phải" in other
    assert numbers(deputy) == (x, y), "another person's signature stands where the template has it"
    assert back.status_code == 303
    assert numbers(head.get(address_of(office, first)).text) == (x, y)
    with office.as_("head") as w:
        assert w.session.scalar(select(func.count()).select_from(SignaturePlace)) == 0
        kinds = list(w.session.scalars(select(JournalLine.kind)))
    assert kinds.count("signature.placed") == 2


def test_a_place_that_covers_text_or_leaves_the_page_is_refused_at_its_form_and_nothing_changes(office: Office, head: Visitor):
    (code,) = waiting(office)
    address = address_of(office, code)
    page = head.get(address).text
    x, y = numbers(page)

    off, over, words = put(head, address, 190, y), put(head, address, x, 109), put(head, address, x, y)
    nonsense = head.post(f"{address}/place", address, x="rộng", y=str(y))

    assert [one.status_code for one in (off, over, nonsense)] == [422, 422, 422]
    assert "Chữ ký không đặt được ở chỗ này" in off.text
    assert "che mất phần đã in" in over.text
    assert "CHỦ TỊCH" in over.text, "the covered words are named"
    assert "dành cho số và ngày" in put(head, address, x - 20, y).text
    assert 'id="field-x-error"' in nonsense.text
    assert words.status_code == 303
    assert hidden(head.get(address).text, "request") == hidden(page, "request"), "the preparation shown is still good"


def test_where_the_chosen_place_is_not_free_the_template_s_own_is_taken_and_said(office: Office, head: Visitor):
    (code,) = waiting(office)
    address = address_of(office, code)
    x, y = numbers(head.get(address).text)
    put(head, address, x + 2, y)
    with office.as_("head") as w:
        place = w.session.scalars(select(SignaturePlace)).one()
        place.right, place.down = 0, -2000  # as if it had been chosen on a page with more room

    page = head.get(address).text

    assert numbers(page) == (x, y)
    assert "chữ ký đứng theo mẫu" in page
    assert sign(head, address, PINS["head"]).status_code == 303


def test_a_document_that_is_being_signed_is_not_moved(office: Office, head: Visitor):
    (code,) = waiting(office)
    address = address_of(office, code)
    x, y = numbers(head.get(address).text)
    with office.as_("head") as w:
        request = w.session.scalars(select(SignatureRequest)).one()
        request.state, request.approved_at = "approved", w.now

    answer = head.client.post(f"{address}/place", data={"csrf_token": head_token(head), "x": str(x + 2), "y": str(y)})

    assert answer.status_code == 409
    with office.as_("head") as w:
        assert w.session.scalar(select(func.count()).select_from(SignaturePlace)) == 0


def head_token(head: Visitor) -> str:
    return hidden(head.get("/signing").text, "csrf_token")[0]


def test_a_program_moves_it_too_and_reads_where_it_stands(office: Office, app: Flask):
    (code,) = waiting(office)
    task, headers, client = office.open_task(code).id, token(office, "head"), app.test_client()
    prepared = client.post(f"{BASE}/signatures/preparation", json={"tasks": [str(task)]}, headers=headers).json[0]
    here = client.get(f"{BASE}/signatures/requests/{prepared['request']}/place", headers=headers).json
    x, y = float(here["signature"]["x"]), float(here["signature"]["y"])

    moved = client.post(f"{BASE}/tasks/{task}/signature-place", json={"x_mm": f"{x + 5:.1f}", "y_mm": f"{y:.1f}"}, headers=headers)
    there = client.get(f"{BASE}/signatures/requests/{moved.json['request']}/place", headers=headers).json
    half = client.post(f"{BASE}/tasks/{task}/signature-place", json={"x_mm": f"{x:.1f}"}, headers=headers)
    off = client.post(f"{BASE}/tasks/{task}/signature-place", json={"x_mm": "-3", "y_mm": f"{y:.1f}"}, headers=headers)
    stranger = client.post(f"{BASE}/tasks/{task}/signature-place", json={"x_mm": "124", "y_mm": "125"}, headers=token(office, "specialist"))
    back = client.post(f"{BASE}/tasks/{task}/signature-place", json={}, headers=headers)

    assert not here["moved"]
    assert UUID(moved.json["request"]) != UUID(prepared["request"])
    assert (there["moved"], float(there["signature"]["x"]), float(there["template"]["x"])) == (True, x + 5, x)
    assert float(there["seal"]["x"]) + float(there["seal"]["width"]) == pytest.approx(x + 5 + 57.6 / 3, abs=0.2)
    assert (half.status_code, half.json["field"]) == (422, "y_mm")
    assert (off.status_code, off.json["code"]) == (422, "placement.off_page")
    assert stranger.status_code in (403, 404)
    assert back.json["request"] not in (moved.json["request"], prepared["request"])


def test_the_outlines_on_the_picture_are_where_the_ink_is(office: Office, head: Visitor):
    (code,) = waiting(office)
    page = head.get(address_of(office, code)).text
    request = last_request(office)
    frame = re.search(r'<rect class="signature" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', page)
    assert frame is not None
    x, y, width, height = map(float, frame.groups())
    number = office_page(office, request) + 1
    picture = Image.open(io.BytesIO(head.get(f"/signing/requests/{request.id}/pages/{number}").data)).convert("RGB")
    scale = picture.width / 210
    blue = colours(picture)[0].point(lambda value: 255 if value else 0).getbbox()

    assert blue is not None
    assert x * scale - 2 <= blue[0] < blue[2] <= (x + width) * scale + 2
    assert y * scale - 2 <= blue[1] < blue[3] <= (y + height) * scale + 2
