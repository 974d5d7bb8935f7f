"""Bad input at the doors people use: a clear message at the field or file, the act whole or not at all, nothing lost."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pikepdf
import pytest
from flask import Flask
from pikepdf import Dictionary, Name, Pdf, String
from sqlalchemy import func, select

from engine.commands import ceremony, signatures, tasks
from engine.documents.blobs import BlobStore
from engine.documents.model import Document, StoredFile
from engine.documents.signature import SigningOffice
from engine.dossier.model import Dossier, Party
from engine.kernel.unit_of_work import Actor
from signing.tsa import TimeStampClient
from tests.support.office import OWNER, PINS, Office, scan
from tests.support.visitors import Visitor, signed_in, token
from webapp import create_app

PAGE = "/counter/intake/certified_electronic_copy"
APPROVE = {"decision": "approve", "paper_name": "Bằng tốt nghiệp", "paper_issuer": "Trường Đại học Mẫu", "compared": "true"}
KEY = "bad-input-draft-key-0001"


@pytest.fixture
def app(office: Office) -> Flask:
    return create_app(office.runtime)


@pytest.fixture
def reception(app: Flask, office: Office) -> Visitor:
    return signed_in(app, office, "reception")


def bring(visitor: Visitor, office: Office, content: bytes | None = None, name: str = "ban chinh.pdf", **changes: Any) -> Any:
    """Send the form of the counter, filled in, with one file."""
    fields: dict[str, Any] = {
        "owner.name": OWNER.name, "owner.identity": OWNER.identity, "owner.birth": "17/05/1990", "owner.sex": "female",
        "owner.address": OWNER.address, "owner.phone": OWNER.phone, "deciding_unit": str(office.units["commune"]),
        "components": "original", "subject": "Bằng tốt nghiệp đại học", "paid": "cash", "delivery": "counter", "upload_key": KEY,
    }  # fmt: skip
    if content is not None:
        fields["file.original"] = (io.BytesIO(content), name)
    return visitor.post(PAGE, PAGE, **{**fields, **changes})


def kept(office: Office, kind: type = Dossier) -> int:
    """How many dossiers (or other records) there are."""
    with office.runtime.begin(Actor("system", label="tests")) as w:
        return int(w.session.scalar(select(func.count()).select_from(kind)) or 0)


def encrypted() -> bytes:
    with Pdf.open(io.BytesIO(scan(1))) as pdf:
        pdf.save(out := io.BytesIO(), encryption=pikepdf.Encryption(owner="o", user="u"))
    return out.getvalue()


def bomb() -> bytes:
    """A PDF of some kilobytes whose page unpacks to more than a gigabyte."""
    import zlib

    once = zlib.compress(b" " * (1 << 30), 9)
    with Pdf.open(io.BytesIO(scan(1))) as pdf:
        pdf.pages[0].Contents = pikepdf.Stream(pdf, zlib.compress(once, 9), Filter=pikepdf.Array([Name.FlateDecode, Name.FlateDecode]))
        pdf.save(out := io.BytesIO(), stream_decode_level=pikepdf.StreamDecodeLevel.none, compress_streams=False)
    return out.getvalue()


def with_script() -> bytes:
    with Pdf.open(io.BytesIO(scan(1))) as pdf:
        pdf.Root.OpenAction = Dictionary(Type=Name.Action, S=Name.JavaScript, JS=String("app.alert(1)"))
        pdf.save(out := io.BytesIO())
    return out.getvalue()


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (lambda: b"MZ this is a program", "Loại tệp không được nhận"),
        (lambda: b"", "Tệp rỗng"),
        (encrypted, "PDF có mật khẩu"),
        (lambda: b"%PDF-1.7\n" + b"0" * (51 << 20), "Tệp quá lớn"),
        (bomb, "Tệp giải nén ra quá lớn"),
        (with_script, "PDF có nội dung tự chạy"),
    ],
    ids=["not a document", "empty", "encrypted", "over the cap", "a bomb", "with a script"],
)
def test_a_bad_file_is_refused_at_its_component_and_the_rest_stays_as_typed(
    office: Office, reception: Visitor, made: Callable[[], bytes], sentence: str
):
    answer = bring(reception, office, made())

    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'id="field-component-original-error"' in answer.text
    assert f'value="{OWNER.name}"' in answer.text
    assert (kept(office), kept(office, StoredFile)) == (0, 0)


def test_more_than_a_request_may_carry_is_refused_before_it_is_read(office: Office, reception: Visitor):
    answer = bring(reception, office, b"%PDF-1.7\n" + b"0" * (65 << 20))

    assert answer.status_code == 413
    assert "Tệp quá lớn" in answer.text
    assert kept(office) == 0


def test_of_a_pdf_with_a_script_a_safe_copy_is_offered_and_taken(office: Office, reception: Visitor):
    refused = bring(reception, office, with_script())
    assert 'name="safe_copy" value="original"' in refused.text

    taken = bring(reception, office, with_script(), safe_copy="original")

    assert taken.status_code == 303, taken.text
    with office.runtime.begin(Actor("system", label="tests")) as w:
        stored = w.session.scalars(select(StoredFile)).one()
        content = w.part(BlobStore).get(stored.sha256)
    assert b"JavaScript" not in content
    assert stored.pages == 1


def test_a_signed_pdf_is_kept_byte_for_byte(office: Office, reception: Visitor):
    made = office.receive(delivery="download")
    office.complete("specialist", made.code, APPROVE)
    office.sign("head", made.code)
    issued = office.issue("clerk", made.code)[0]
    assert issued.failure is None
    content = result_of(office, made.code)

    taken = bring(reception, office, content, "da ky.pdf")

    assert taken.status_code == 303, taken.text
    with office.runtime.begin(Actor("system", label="tests")) as w:
        stored = w.session.scalars(select(StoredFile).where(StoredFile.name == "da ky.pdf")).one()
        assert w.part(BlobStore).get(stored.sha256) == content
    assert stored.signed


def result_of(office: Office, code: str) -> bytes:
    """The issued result of a dossier."""
    from engine.documents.model import Document

    with office.runtime.begin(Actor("system", label="tests")) as w:
        found = w.session.scalars(
            select(Document).join(Dossier, Dossier.id == Document.dossier_id).where(Dossier.code == code, Document.kind == "result")
        ).one()
        assert found.sha256 is not None
        return w.part(BlobStore).get(found.sha256)


def test_names_typed_on_any_keyboard_are_stored_composed(office: Office, reception: Visitor):
    typed = unicodedata.normalize("NFD", OWNER.name)
    assert typed != OWNER.name

    taken = bring(reception, office, scan(1), unicodedata.normalize("NFD", "Bản chính.pdf"), **{"owner.name": typed, "subject": typed})

    assert taken.status_code == 303, taken.text
    with office.runtime.begin(Actor("system", label="tests")) as w:
        assert w.session.scalars(select(StoredFile.name)).one() == "Bản chính.pdf"
        assert {p.name for p in w.session.scalars(select(Party))} == {OWNER.name}
        assert w.session.scalars(select(Dossier.subject)).one() == OWNER.name


@pytest.mark.parametrize(
    ("field", "value"),
    [("owner.identity", "001190012"), ("owner.identity", "000190012345"), ("owner.birth", "31/02/1990"), ("owner.birth", "17/05/1991")],
)
def test_a_wrong_number_and_a_day_that_does_not_exist_are_said_at_their_field(office: Office, reception: Visitor, field: str, value: str):
    answer = bring(reception, office, scan(1), **{field: value})

    assert answer.status_code == 422
    assert 'id="field-owner-' in answer.text
    assert f'value="{value}"' in answer.text
    assert kept(office) == 0
    assert "2 trang" in answer.text or "1 trang" in answer.text, "the file that was good is still there"


def test_a_field_called_typename_is_no_field(office: Office, app: Flask):
    code = office.receive().code
    officer = signed_in(app, office, "specialist")
    address = f"/desk/tasks/{office.open_task(code).id}"

    answers = {f"f.{name}": value for name, value in APPROVE.items()}
    answer = officer.post(f"{address}/completion", address, **answers, **{"f.typename": "Decimal", "f.__class__": "x", "f.dossier": "x"})

    assert answer.status_code == 303, answer.text
    with office.runtime.begin(Actor("system", label="tests")) as w:
        done = w.session.scalars(select(tasks.Task).where(tasks.Task.step == "examine")).one()
        assert set(done.answers).isdisjoint({"typename", "__class__", "dossier"})
    assert office.open_task(code).action == "sign"


def test_a_second_submit_gets_the_first_answer_and_makes_no_second_dossier(office: Office, reception: Visitor):
    first = bring(reception, office, scan(1), request_id="the-same-form")
    second = bring(reception, office, scan(1), request_id="the-same-form")

    assert (first.status_code, second.status_code) == (303, 303), second.text
    assert first.headers["Location"] == second.headers["Location"]
    assert (kept(office), kept(office, StoredFile)) == (1, 1)


def test_the_second_officer_on_a_task_reads_who_was_faster_and_when(office: Office, app: Flask):
    code = office.receive().code
    address = f"/desk/tasks/{office.open_task(code).id}"
    slower = signed_in(app, office, "colleague")
    page = slower.get(address).text
    office.complete("specialist", code, APPROVE)

    answer = slower.client.post(
        f"{address}/completion", data={"csrf_token": token(page), **{f"f.{name}": value for name, value in APPROVE.items()}}
    )

    assert answer.status_code == 409
    assert "Phạm Văn Đức" in answer.text
    assert "09:00" in answer.text
    assert office.open_task(code).action == "sign"


def test_with_the_time_stamp_service_down_the_work_is_kept_and_signing_goes_on_later(office: Office):
    code = office.receive().code
    office.complete("specialist", code, APPROVE)
    working = office.runtime.part(SigningOffice)

    def nobody_answers(_url: str, _body: bytes) -> bytes:
        raise OSError("connection refused")

    office.runtime.parts.offer(
        SigningOffice, lambda: replace(working, timestamps=TimeStampClient(["http://127.0.0.1:9/"], post=nobody_answers))
    )
    outcome = office.sign("head", code)[0]
    assert outcome.failure == "signing.tsa_down"
    assert office.open_task(code).action == "sign"

    office.runtime.parts.offer(SigningOffice, lambda: working)
    office.clock.at += timedelta(minutes=5)
    ceremony.carry_on(lambda: office.runtime.begin(Actor("system", label="worker")))
    assert office.open_task(code).action == "issue", "the kept signature is completed without the PIN"


def test_a_time_stamp_hours_off_is_not_taken_and_leaves_the_document_as_it_was(office: Office):
    from signing.authorities import Authorities
    from signing.testpki import TestPki
    from signing.tsa import in_process

    code = office.receive().code
    office.complete("specialist", code, APPROVE)
    working = office.runtime.part(SigningOffice)
    off = in_process(Authorities(TestPki(office.runtime.settings.home / "pki")).timestamp, lambda: office.clock.at - timedelta(hours=1))

    office.runtime.parts.offer(SigningOffice, lambda: replace(working, timestamps=off))

    assert office.sign("head", code, PINS["head"])[0].failure == "signing.clock_skew"
    assert office.open_task(code).action == "sign"
    with office.runtime.begin(Actor("system", label="tests")) as w:
        assert w.session.scalars(select(signatures.SignatureRequest.state)).one() == "signed", "kept, not embedded"
        assert w.session.scalars(select(Document.state).where(Document.kind == "result")).one() == "draft"


def test_a_full_storage_refuses_the_file_with_its_reason_and_keeps_what_was_there(office: Office, reception: Visitor):
    before = office.receive()
    used = office.runtime.part(BlobStore).used()
    office.runtime.parts.offer(BlobStore, lambda: BlobStore(office.runtime.settings.blobs, used + 100))

    answer = bring(reception, office, scan(3))

    assert answer.status_code == 422
    assert "Kho lưu trữ đã đầy" in answer.text
    assert (kept(office), kept(office, StoredFile)) == (1, 1)
    assert office.open_task(before.code).step == "examine"
    assert office.runtime.part(BlobStore).used() == used
