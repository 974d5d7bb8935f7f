"""A certificate counts when its file is whole and two people let it in; provenance and dates stay with it."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import pytest

from engine.documents.trust import anchors, folder_of
from signing import trust_store
from signing.testpki import TestPki
from tests.support.signing_office import refused

AT = datetime(2026, 11, 26, tzinfo=UTC)
SOURCE = "https://rootca.gov.vn, so vân tay với công văn 12/CV-STTTT"


def proposed(folder: Path, hierarchy: Path, by: str = "an") -> trust_store.Entry:
    root = TestPki(hierarchy).root
    return trust_store.propose(folder, root, by=by, at=AT, regime="public", role="anchor", source=SOURCE, hosts=("ocsp.example.vn",))


def test_only_what_a_second_person_approved_counts(hierarchy: Path, tmp_path: Path) -> None:
    folder, root = folder_of(tmp_path), TestPki(hierarchy).root
    entry = proposed(folder, hierarchy)
    assert anchors(tmp_path).anchors == ()

    with refused("trust.one_hand"):
        trust_store.approve(folder, entry.sha256, by="an", at=AT)
    assert anchors(tmp_path).anchors == ()

    done = trust_store.approve(folder, entry.sha256, by="bình", at=AT)
    assert (done.state, done.proposed_by, done.approved_by, done.source) == ("approved", "an", "bình", SOURCE)
    assert done.sha256 == hashlib.sha256(root).hexdigest()
    assert datetime.fromisoformat(done.valid_until) > AT
    assert (anchors(tmp_path).anchors, anchors(tmp_path).hosts) == ((root,), ("ocsp.example.vn",))
    with refused("trust.not_proposed"):
        trust_store.approve(folder, entry.sha256, by="cúc", at=AT)

    gone = trust_store.withdraw(folder, entry.sha256, by="an", at=AT)
    assert (gone.state, gone.approved_by) == ("withdrawn", "bình")
    assert anchors(tmp_path).anchors == ()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"approved_by": "an", "approved_at": AT.isoformat()}, "trust.one_hand"),
        ({"approved_by": "", "approved_at": AT.isoformat()}, "trust.one_hand"),
        ({"sha256": "00" * 32}, "trust.other_certificate"),
        ({"colour": "red"}, "trust.unreadable"),
    ],
)
def test_a_file_changed_by_hand_counts_for_nothing_and_is_named(hierarchy: Path, tmp_path: Path, change: dict[str, str], code: str) -> None:
    folder = folder_of(tmp_path)
    entry = proposed(folder, hierarchy)
    trust_store.approve(folder, entry.sha256, by="bình", at=AT)
    file = folder / f"{entry.sha256}.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))

    assert trust_store.load(folder).faults == {file.name: code}
    assert anchors(tmp_path).anchors == ()


def test_another_certificate_under_the_same_name_counts_for_nothing(hierarchy: Path, tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    entry = proposed(folder, hierarchy)
    trust_store.approve(folder, entry.sha256, by="bình", at=AT)
    (folder / f"{entry.sha256}.der").write_bytes(TestPki(hierarchy).issuing)

    assert list(trust_store.load(folder).faults.values()) == ["trust.other_certificate"]
    assert anchors(tmp_path).anchors == ()


def test_a_person_s_certificate_nothing_and_no_source_are_refused(hierarchy: Path, tmp_path: Path) -> None:
    pki = TestPki(hierarchy)
    for certificate, source, code in (
        (pki.certificate("lan").der, SOURCE, "trust.unreadable"),
        (b"nothing", SOURCE, "trust.unreadable"),
        (pki.root, "  ", "trust.source_missing"),
    ):
        with refused(code):
            trust_store.propose(tmp_path, certificate, by="an", at=AT, regime="public", role="anchor", source=source, hosts=())
    proposed(tmp_path, hierarchy)
    with refused("trust.known"):
        proposed(tmp_path, hierarchy, by="bình")
    with refused("trust.unknown"):
        trust_store.approve(tmp_path, "00" * 32, by="bình", at=AT)


def test_a_root_that_is_publicly_known_is_trusted_no_sooner_than_any_other(tmp_path: Path, hierarchy: Path) -> None:
    entry = proposed(tmp_path, hierarchy)
    root = trust_store.NationalRoot("public", "n", "https://a", entry.sha256, "here")
    with mock.patch.object(trust_store, "NATIONAL", (root,)):
        assert trust_store.known_root(entry.sha256) is root
        assert [one.state for one in trust_store.load(tmp_path).entries] == ["proposed"]


def test_both_national_roots_are_described_and_none_is_invented() -> None:
    assert set(trust_store.WANTED) == {"public", "specialised"}
    for root in trust_store.NATIONAL:
        assert re.fullmatch(r"[0-9a-f]{64}", root.sha256)
        assert root.address in root.told
        assert root.told.endswith(f"{root.sha256[-2:].upper()})")
        assert trust_store.known_root(root.sha256.upper()) is root
    assert not list(Path(trust_store.__file__).parent.rglob("*.der"))
