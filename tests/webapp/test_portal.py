"""The citizens' pages: progress by the code alone, the owner's answer, the result, and the verdict on a file."""

from __future__ import annotations

import base64
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from lxml import etree
from sqlalchemy import select

from engine.documents.blobs import BlobStore
from engine.documents.model import Document
from engine.documents.templates import qr_rows
from engine.settings import ROOT
from engine.worker.seal import seal_once_a_day
from tests.support.office import OWNER, Office, scan
from tests.support.papers import read_back
from webapp import create_app

APPROVE = {"decision": "approve", "paper_name": "Bằng tốt nghiệp", "paper_issuer": "Trường Đại học Mẫu", "compared": "true"}
SUPPLEMENT = {
    "decision": "supplement", "components": ["original"], "reason": "Bản quét thiếu trang 2, đề nghị nộp lại.", "legal_basis": "Điều 20",
}  # fmt: skip


@pytest.fixture
def visitor(office: Office) -> FlaskClient:
    return create_app(office.runtime).test_client()


def token(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def post(visitor: FlaskClient, at: str, form_at: str, **fields: Any) -> Any:
    """Send a form as a browser does: with the token of the page it stands on."""
    return visitor.post(at, data={"csrf_token": token(visitor.get(form_at).text), **fields})


def opened(visitor: FlaskClient, code: str, access: str) -> Any:
    return post(visitor, f"/tra-cuu/{code}/mo", f"/tra-cuu/{code}", number=OWNER.identity, access=access)


def test_the_code_shows_progress_and_nothing_personal(office: Office, visitor: FlaskClient):
    received = office.receive()

    page = visitor.get(f"/tra-cuu/{received.code}")

    assert page.status_code == 200
    assert "Thẩm định" in page.text
    assert "23/11/2026" in page.text
    for secret in (OWNER.name, OWNER.identity, OWNER.phone, "12 phố Huế"):
        assert secret not in page.text


def test_wrong_proof_is_said_at_the_form_and_opens_nothing(office: Office, visitor: FlaskClient):
    received = office.receive()

    refused = opened(visitor, received.code, "WRONG1")

    assert refused.status_code == 422
    assert "Số định danh hoặc mã tra cứu không đúng" in refused.text
    assert visitor.get(f"/ho-so/{received.code}").status_code == 403


def test_the_owner_answers_a_supplement_from_the_page(office: Office, visitor: FlaskClient):
    received = office.receive()
    office.complete("specialist", received.code, SUPPLEMENT)

    assert opened(visitor, received.code, received.access_code).status_code == 303
    page = visitor.get(f"/ho-so/{received.code}")
    assert "Bản quét thiếu trang 2" in page.text
    address = f"/ho-so/{received.code}/bo-sung"
    wrong = post(visitor, address, address, **{"file.original": (io.BytesIO(b"not a pdf"), "anh.pdf")})
    assert wrong.status_code == 422
    sent = post(visitor, address, address, **{"file.original": (io.BytesIO(scan(2)), "bo sung.pdf"), "note": "Đã quét lại."})

    assert sent.status_code == 303
    assert office.open_task(received.code).step == "examine"


def test_the_result_is_shown_with_its_verdict_and_taken(office: Office, visitor: FlaskClient):
    received = office.receive(delivery="download")
    office.complete("specialist", received.code, APPROVE)
    office.sign("head", received.code)
    office.issue("clerk", received.code)
    opened(visitor, received.code, received.access_code)

    page = visitor.get(f"/ho-so/{received.code}/ket-qua")
    assert "Lê Hoàng Nam" in page.text
    taken = post(visitor, f"/ho-so/{received.code}/ket-qua", f"/ho-so/{received.code}/ket-qua")

    assert taken.mimetype == "application/pdf"
    assert taken.data.startswith(b"%PDF")
    verdict = post(visitor, "/xac-minh", "/xac-minh", file=(io.BytesIO(taken.data), "ket-qua.pdf"))
    assert verdict.status_code == 200
    assert "không khác một byte" in verdict.text
    assert re.findall(r"<dd>(Toàn bộ văn bản[^<]*)</dd>", verdict.text) == ["Toàn bộ văn bản tại thời điểm đó", "Toàn bộ văn bản"]
    reports = dict(re.findall(r'href="data:(application/\w+);base64,([^"]+)" download=', verdict.text))
    told = json.loads(base64.b64decode(reports["application/json"]))
    assert next(one["certificate"]["common_name"] for one in told["signatures"]).startswith("Lê Hoàng Nam")
    assert etree.fromstring(base64.b64decode(reports["application/xml"])).tag.endswith("}ValidationReport")
    # The leader signed before number, date and seal were there: both looks of the page are shown.
    assert re.findall(r"<figcaption>(Trang \d) khi được ký</figcaption>", verdict.text) == ["Trang 3"]
    changed = taken.data.replace(b"/Author", b"/Auther", 1) if b"/Author" in taken.data else taken.data[:5000] + b"X" + taken.data[5001:]
    judged = post(visitor, "/xac-minh", "/xac-minh", file=(io.BytesIO(changed), "ket-qua.pdf"))
    box = re.search(r'<div class="verdict late".*?</div>', judged.text, re.DOTALL)
    assert box is not None
    assert re.search(r"KHÔNG HỢP LỆ.*<strong>Hãy ", box[0], re.DOTALL), "the first screen says why and what to do"
    assert "Nội dung đã ký" not in judged.text


def test_a_file_without_signatures_and_no_file_at_all_are_told_apart(visitor: FlaskClient):
    plain = post(visitor, "/xac-minh", "/xac-minh", file=(io.BytesIO(scan(1)), "x.pdf"))
    nothing = post(visitor, "/xac-minh", "/xac-minh")

    assert "KHÔNG HỢP LỆ" in plain.text
    assert "Tệp không có chữ ký số nào" in plain.text
    assert nothing.status_code == 422
    assert "Chưa chọn tệp" in nothing.text


def test_a_receipt_leads_by_its_picture_to_its_place_in_the_journal(office: Office, visitor: FlaskClient, tmp_path: Path):
    received = office.receive()
    with office.as_("reception") as w:
        receipt = w.session.execute(select(Document).where(Document.kind == "receipt")).scalar_one()
        public_id, sha256 = receipt.public_id, receipt.sha256
        pdf = w.part(BlobStore).get(str(sha256))

    code = qr_rows(f"{office.runtime.settings.address}/tra-cuu/{received.code}?giay={public_id}")
    assert read_back(pdf, len(code)) == code
    page = visitor.get(f"/tra-cuu/{received.code}?giay={public_id}")
    assert f"/bang-chung/{public_id}" in page.text
    assert "mỗi đêm" in visitor.get(f"/bang-chung/{public_id}").text
    assert visitor.get(f"/bang-chung/{public_id}.json").status_code == 422
    assert visitor.get("/bang-chung/AAAAAAAAAAAA").status_code == 404

    seal_once_a_day(office.runtime)

    page = visitor.get(f"/bang-chung/{public_id}")
    assert "Không ai sửa hay xóa được" in page.text
    assert str(sha256) in page.text
    sent = visitor.get(f"/bang-chung/{public_id}.json")
    told = visitor.get(f"/api/v1/journal/proofs/{public_id}")
    assert told.get_json()["proof"] == sent.get_json()
    assert sha256 in sent.get_json()["line"]["content"]
    for secret in (OWNER.name, OWNER.identity, OWNER.phone):
        assert secret not in sent.text
    file = tmp_path / "proof.json"
    file.write_text(sent.text)
    done = subprocess.run(
        [sys.executable, ROOT / "docs/check_journal.py", "none.pem", file, public_id], capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == ["the seal has no time stamp yet"]
