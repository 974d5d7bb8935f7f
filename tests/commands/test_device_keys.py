"""A leader whose key is on a USB token: registered by its certificate, claimed before the agent is asked, answered once or not at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from engine.commands import ceremony, device, keys, signatures
from engine.documents.model import SignatureRequest, SigningKey
from engine.documents.signature import SigningOffice
from engine.errors import EngineError, NotFound, Refused
from engine.kernel.journal import JournalLine
from engine.kernel.unit_of_work import Actor
from engine.queries import administration
from engine.queries import ceremony as queries
from signing.errors import SigningError
from tests.commands.test_ceremony import later, ready, request, shown, sign, signatures_in
from tests.support.agents import agent_of
from tests.support.device import P12_PIN, TokenHolder, issue, register
from tests.support.office import Office
from tests.support.signing_office import make_hierarchy
from tests.support.tokens import make_token

ADMIN = Actor("cli", label="tests")


@pytest.fixture
def token(office: Office) -> TokenHolder:
    """The head's key on a token."""
    return register(office, "head")


def head(office: Office):
    return lambda: office.as_("head")


def claim(office: Office, *requests: UUID) -> list[device.Claimed]:
    claimed, failed = device.claim(head(office), requests)
    assert failed == []
    return claimed


def answer(office: Office, answers: dict[UUID, bytes]) -> list[ceremony.Outcome]:
    return device.answer(head(office), answers)


def test_what_was_shown_is_claimed_carried_to_the_agent_and_its_answer_embedded(office: Office, token: TokenHolder):
    code, known = ready(office)
    with office.as_("head") as w:
        assert queries.key_in_use(w) == queries.KeyInUse("device", token.fingerprint)

    [one] = claim(office, known)
    assert (request(office, known).state, one.certificate) == ("approved", token.fingerprint)
    [outcome] = answer(office, {known: token.sign(one.content)})

    assert outcome.signed
    assert (request(office, known).state, signatures_in(office, known)) == ("embedded", 1)
    assert office.open_task(code).action == "issue"


@pytest.mark.full
def test_the_real_agent_with_a_real_token(office: Office, token: TokenHolder, tmp_path: Path):
    _, first = ready(office)
    _, second = ready(office)
    plugged = make_token(tmp_path / "computer", token.folder, {token.name: P12_PIN}, token.name)

    claimed = claim(office, first, second)
    with agent_of(plugged, tmp_path / "agent") as agent:
        given = agent.sign(token.fingerprint, [one.content for one in claimed])
        again = agent.sign(token.fingerprint, [one.content for one in claimed])
    outcomes = answer(office, {one.request_id: raw for one, raw in zip(claimed, given, strict=True)})

    assert [one.signed for one in outcomes] == [True, True]
    assert again == given


def test_an_answer_given_twice_counts_once(office: Office, token: TokenHolder):
    _, known = ready(office)
    [one] = claim(office, known)
    raw = token.sign(one.content)

    with ThreadPoolExecutor(8) as pool:
        outcomes = [made for [made] in pool.map(lambda _: answer(office, {known: raw}), range(8))]
    [after] = answer(office, {known: raw})

    assert any(made.signed for made in outcomes)
    assert all(made.signed or made.waiting for made in outcomes)
    assert after.signed
    assert signatures_in(office, known) == 1
    with office.runtime.begin(ADMIN) as w:
        assert len(w.session.scalars(select(JournalLine).where(JournalLine.kind == "document.signed")).all()) == 1


def test_an_answer_for_other_bytes_or_of_another_key_gets_into_no_file(office: Office, token: TokenHolder):
    code, known = ready(office)
    [one] = claim(office, known)

    [outcome] = answer(office, {known: token.sign(b"other bytes")})

    assert (outcome.signed, outcome.failure) == (False, "signing.answer_wrong")
    assert (request(office, known).raw, signatures_in(office, known)) == (None, 0)
    anew = shown(office, code)
    [one] = claim(office, anew)
    stranger = issue(office, "deputy")
    assert answer(office, {anew: stranger.sign(one.content)})[0].failure == "signing.answer_wrong"
    last = shown(office, code)
    [one] = claim(office, last)
    assert answer(office, {last: token.sign(one.content)})[0].signed


def test_a_refusal_at_the_agent_gives_the_document_back_with_the_reason(office: Office, token: TokenHolder):
    _, known = ready(office)
    [one] = claim(office, known)

    for code in sorted(device.REASONS):
        [outcome] = device.put_back(head(office), [known], code)
        assert (outcome.signed, outcome.failure, request(office, known).state) == (False, code, "shown")
        [same] = claim(office, known)
        assert same.content == one.content, "what the agent may have signed after all is asked for again, never anew"
    [made_up] = device.put_back(head(office), [known], "signing.certificate_revoked")
    assert made_up.failure == "agent.withdrawn", "what the page makes up is not believed"


def test_a_lost_answer_is_fetched_by_claiming_again_the_same_bytes(office: Office, token: TokenHolder):
    code, known = ready(office)
    [one] = claim(office, known)
    token.sign(one.content)  # and the browser is closed

    with office.as_("head") as w:  # the page opened again shows the same preparation, ready to be fetched
        [row] = signatures.prepare(w, [office.open_task(code).id])
        lines = queries.batch(w, [office.open_task(code).id], {})
    assert (row.request_id, row.failure) == (known, None)
    assert (lines[0].state, lines[0].request_id) == ("ready", known)
    [again] = claim(office, known)
    assert again.content == one.content
    assert answer(office, {known: token.sign(again.content)})[0].signed
    assert signatures_in(office, known) == 1


def test_an_approval_nobody_answered_lapses_and_its_late_answer_is_judged_anew(office: Office, token: TokenHolder):
    _, known = ready(office)
    [one] = claim(office, known)
    assert later(office, timedelta(minutes=5)) == 0, "the signer may still be typing"
    assert later(office, timedelta(minutes=11)) == 1
    assert (request(office, known).state, request(office, known).failure) == ("shown", "signing.approval_lapsed")

    assert answer(office, {known: token.sign(one.content)})[0].signed


@pytest.mark.full
def test_an_answer_after_the_preparation_is_over_is_refused(office: Office, token: TokenHolder):
    code, known = ready(office)
    [one] = claim(office, known)
    later(office, timedelta(minutes=16))
    office.clock.at += timedelta(minutes=30)

    [outcome] = answer(office, {known: token.sign(one.content)})

    assert (outcome.signed, outcome.failure) == (False, "signing.request_over")
    assert shown(office, code) != known


def test_a_dead_process_after_the_answer_was_kept_costs_nothing(office: Office, token: TokenHolder):
    code, known = ready(office)
    [one] = claim(office, known)
    with office.as_("head") as w:
        ceremony.keep(w, [(known, token.sign(one.content))], "good")  # and the process dies

    later(office, timedelta(minutes=2))

    assert request(office, known).state == "embedded"
    assert office.open_task(code).action == "issue"


def test_authority_is_judged_when_it_is_claimed(office: Office, token: TokenHolder):
    _, known = ready(office)
    claimed, failed = device.claim(lambda: office.as_("deputy"), [known])
    assert (claimed, failed[0].failure) == ([], "signing.request_not_found")
    assert [one.failure for one in device.answer(lambda: office.as_("deputy"), {known: b"x"})] == ["signing.request_not_found"]
    with pytest.raises(NotFound):
        device.put_back(lambda: office.as_("deputy"), [known], "agent.refused")


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_certificate_revoked_meanwhile_signs_nothing(office: Office, token: TokenHolder, moment: str):
    _, known = ready(office)
    raw = b""
    if moment == "after":
        [one] = claim(office, known)
        raw = token.sign(one.content)
    working = office.runtime.part(SigningOffice)

    def revoked(*_: object) -> str:
        raise SigningError("signing.certificate_revoked", since="2026-11-20")

    office.runtime.parts.offer(SigningOffice, lambda: replace(working, standing=revoked))
    with pytest.raises(Refused) as refused:
        answer(office, {known: raw}) if moment == "after" else device.claim(head(office), [known])

    assert refused.value.code == "signing.certificate_revoked"
    assert (request(office, known).state, signatures_in(office, known)) == ("shown", 0)


def test_a_key_on_a_token_is_not_asked_of_the_server_and_one_in_custody_not_of_an_agent(office: Office):
    _, in_custody = ready(office)
    claimed, failed = device.claim(head(office), [in_custody])
    assert (claimed, failed[0].failure, request(office, in_custody).state) == ([], "agent.key_elsewhere", "shown")

    register(office, "head")
    assert device.claim(head(office), [in_custody])[1][0].failure == "signing.key_changed", "it is prepared anew for the new key"
    _, known = ready(office)
    [outcome] = sign(office, known)
    assert (outcome.failure, request(office, known).state) == ("agent.needed", "shown")


def test_one_of_a_batch_that_fails_is_named_and_exchanged_answers_fit_nowhere(office: Office, token: TokenHolder):
    several = [ready(office)[1] for _ in range(4)]
    with office.runtime.begin(ADMIN) as w:
        gone = w.session.get(SignatureRequest, (w.province, several[1]))
        assert gone is not None
        gone.state = "refused"

    claimed, failed = device.claim(head(office), several)
    first, second, third = claimed
    exchanged = {first.request_id: token.sign(second.content), second.request_id: token.sign(first.content)}
    outcomes = answer(office, {**exchanged, third.request_id: token.sign(third.content)})

    assert [(one.request_id, one.failure) for one in failed] == [(several[1], "signing.request_over")]
    assert [one.failure for one in outcomes] == ["signing.answer_wrong", "signing.answer_wrong", None]
    assert outcomes[2].signed


def test_the_agency_s_seal_may_be_on_a_token_too(office: Office):
    code, known = ready(office)
    assert sign(office, known)[0].signed
    seal = register(office, "seal")
    task = office.open_task(code)
    with office.as_("clerk") as w:
        prepared = signatures.prepare_issue(w, task.id)
        assert prepared.request_id is not None
        ceremony.show(w, [prepared.request_id])
        assert queries.key_in_use(w, office.units["commune"]).approval == "device"
    claimed, failed = device.claim(lambda: office.as_("clerk"), [prepared.request_id])
    assert failed == []

    [outcome] = device.answer(lambda: office.as_("clerk"), {prepared.request_id: seal.sign(claimed[0].content)})

    assert outcome.signed
    assert signatures_in(office, prepared.request_id) == 2


# -- registering ---------------------------------------------------------------------------------------------------------------------------


def attempt(office: Office, der: bytes, who: str = "head", actor: Actor = ADMIN) -> EngineError:
    with pytest.raises(EngineError) as refused, office.runtime.begin(actor) as w:
        keys.register(w, "person", office.people[who], der)
    return refused.value


def test_a_registered_key_takes_the_place_of_the_former_and_is_known_by_its_chain(office: Office, token: TokenHolder):
    with office.runtime.begin(ADMIN) as w:
        mine = [k for k in w.session.scalars(select(SigningKey)) if k.person_id == office.people["head"]]
        assert sorted((k.approval, k.revoked_at is None) for k in mine) == [("device", True), ("pin", False)]
        assert [len(k.chain) for k in mine if k.approval == "device"] == [1], "the issuing authority was added, the root was not"
        assert {line.kind for line in w.session.scalars(select(JournalLine))} >= {"key.registered", "key.replaced"}
        [row] = [row for row in administration.keys(w) if row.approval == "device"]
        assert row.tries_left is None


def test_a_certificate_is_judged_before_it_is_registered(office: Office, token: TokenHolder, tmp_path: Path):
    make_hierarchy(tmp_path / "other")
    foreign = (tmp_path / "other" / "keys" / "lan.pem").read_bytes()
    pki = office.runtime.settings.home / "pki"

    assert attempt(office, issue(office, "head", key_id="second").certificate.der, actor=office.actor("head")).status == 403
    assert attempt(office, token.certificate.der).code == "key.certificate_taken"
    other = attempt(office, issue(office, "deputy").certificate.der)
    assert (other.code, other.field) == ("key.certificate_other_holder", "certificate")
    assert attempt(office, b"not a certificate").code == "key.certificate_unreadable"
    assert attempt(office, foreign).code == "signing.certificate_untrusted"
    for authority in ("tsa.der", "root.der"):
        assert attempt(office, (pki / authority).read_bytes()).code == "key.certificate_usage"
    with pytest.raises(NotFound), office.runtime.begin(ADMIN) as w:
        keys.register(w, "person", office.units["commune"], issue(office, "office").certificate.der)
    der = issue(office, "head", key_id="third").certificate.der
    office.clock.at += timedelta(days=5000)
    assert attempt(office, der).code == "signing.certificate_expired"


@pytest.mark.parametrize(
    ("name", "written", "same"),
    [("Nguyễn Văn Ân", "NGUYỄN  VĂN ÂN (TEST)", True), ("Nguyễn Văn Ân", "Nguyễn Văn Ấn", False), ("A B", "A\u00a0B", True)],
)
def test_names_are_compared_by_their_letters(name: str, written: str, same: bool):
    assert keys.same_name(name, written) is same
