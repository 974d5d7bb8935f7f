"""Time-stamps: clock compared, several authorities, nothing accepted that was not asked for."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import tsp

from signing.trust_services import TrustServices, clock_of
from signing.tsa import TimeStampClient, gen_time
from tests.support.signing_office import Office, refused

DIGEST = hashlib.sha256(b"content").digest()


@pytest.fixture
def services(office: Office, tmp_path: Path):  # type: ignore[no-untyped-def]
    running = TrustServices(office.folder, clock_of(tmp_path / "offset"))
    running.start()
    yield running
    running.stop()


def test_a_clock_more_than_a_minute_off_is_refused_with_the_difference(services: TrustServices, tmp_path: Path) -> None:
    client = TimeStampClient([services.tsa_url])
    assert client.token(DIGEST, datetime.now(UTC))
    (tmp_path / "offset").write_text("90")
    with refused("signing.clock_skew") as facts:
        client.token(DIGEST, datetime.now(UTC))
    assert 85 <= facts["seconds"] <= 95


def test_the_services_follow_the_office_s_shifted_clock(services: TrustServices, tmp_path: Path) -> None:
    (tmp_path / "offset").write_text(str(-86400 * 30))
    token = TimeStampClient([services.tsa_url]).token(DIGEST, datetime.now(UTC) - timedelta(days=30))
    assert token


def test_a_dead_authority_is_passed_over_and_all_dead_keep_the_work(services: TrustServices) -> None:
    dead = "http://127.0.0.1:9/tsa"
    assert TimeStampClient([dead, services.tsa_url], timeout=2).token(DIGEST, datetime.now(UTC))
    with refused("signing.tsa_down") as facts:
        TimeStampClient([dead, services.address + "/nothing"], timeout=2).token(DIGEST, datetime.now(UTC))
    assert facts["tried"] == 2


def test_an_answer_to_another_question_is_not_taken(office: Office) -> None:
    def replay(_url: str, body: bytes) -> bytes:
        query = tsp.TimeStampReq.load(body)
        query["nonce"] = 1
        return office.authorities.timestamp(query.dump(), office.now)

    def other_digest(_url: str, body: bytes) -> bytes:
        query = tsp.TimeStampReq.load(body)
        query["message_imprint"]["hashed_message"] = b"\0" * 32
        return office.authorities.timestamp(query.dump(), office.now)

    for post in (replay, other_digest, lambda _url, _body: b"garbage"):
        with refused("signing.tsa_down"):
            TimeStampClient(["http://tsa"], post=post).token(DIGEST, office.now)


def test_only_named_policies_are_accepted(office: Office) -> None:
    def post(_url: str, body: bytes) -> bytes:
        return office.authorities.timestamp(body, office.now)

    with refused("signing.tsa_down"):
        TimeStampClient(["x"], policies=["1.2.3"], post=post).token(DIGEST, office.now)
    assert TimeStampClient(["x"], policies=["1.3.6.1.4.1.99999.1.1"], post=post).token(DIGEST, office.now)


def test_weak_digests_get_no_token(office: Office) -> None:
    query = tsp.TimeStampReq({"version": "v1", "message_imprint": {"hash_algorithm": {"algorithm": "sha1"}, "hashed_message": b"\0" * 20}})
    answer = office.authorities.timestamp(query.dump(), office.now)
    assert tsp.PKIStatusInfo.load(answer[2:])["status"].native == "rejection"


def test_the_token_states_the_office_s_time(office: Office) -> None:
    from asn1crypto import cms

    assert gen_time(cms.ContentInfo.load(office.tsa.token(DIGEST, office.now))) == office.now
