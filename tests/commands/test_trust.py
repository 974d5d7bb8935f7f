"""Trusted authorities: by two people, over every door; who comes second at the same moment is told, and nothing counts before."""

from __future__ import annotations

import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from engine.cli import main
from engine.commands import trust
from engine.documents.trust import anchors, folder_of
from engine.errors import EngineError, Forbidden, Refused
from engine.kernel.unit_of_work import Actor
from engine.queries import audit
from signing import testpki, trust_store
from tests.signing.test_trust_store import SOURCE
from tests.support.office import Office
from tests.support.signing_office import VALID_FROM
from tests.support.visitors import Visitor, signed_in, token
from webapp import create_app


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hierarchy that is not the office's own."""
    folder = tmp_path_factory.mktemp("roots") / "pki"
    testpki.create(folder, [testpki.PersonSpec("x", "X", "X", "X", "1", "135790")], [], valid_from=VALID_FROM)
    return folder


def root_of(roots: Path) -> bytes:
    return testpki.TestPki(roots).root


def proposed(
    office: Office, roots: Path, who: str = "administrator", *, certificate: bytes = b"", hosts: tuple[str, ...] = ("ocsp.example.vn",)
) -> str:
    with office.as_(who) as w:
        return trust.propose(w, certificate or root_of(roots), regime="public", role="anchor", source=SOURCE, hosts=hosts).sha256


def counts(office: Office, roots: Path) -> bool:
    return root_of(roots) in anchors(office.runtime.settings.home).anchors


def test_an_administrator_proposes_the_inspector_approves_either_withdraws(office: Office, roots: Path) -> None:
    sha256 = proposed(office, roots)
    assert not counts(office, roots)
    with office.as_("administrator") as w, pytest.raises(Refused) as refused:
        trust.approve(w, sha256)
    assert refused.value.code == "trust.one_hand"
    assert not counts(office, roots)

    with office.as_("inspector") as w:
        entry = trust.approve(w, sha256)
        assert set(trust.wanted(trust.listed(w))) == {"specialised"}
    assert counts(office, roots)
    assert (entry.source, entry.regime) == (SOURCE, "public")

    with office.as_("administrator") as w:
        trust.withdraw(w, sha256)
    assert not counts(office, roots)
    with office.as_("inspector") as w, pytest.raises(Refused) as refused:
        trust.withdraw(w, sha256)
    assert refused.value.code == "trust.withdrawn"
    with office.as_("administrator") as w:
        lines = [line.kind for line in audit.lines(w, size=20)[0] if line.kind.startswith("trust.")]
    assert sorted(lines) == ["trust.approved", "trust.proposed", "trust.withdrawn"]


def test_nobody_else_touches_the_store(office: Office, roots: Path) -> None:
    sha256 = proposed(office, roots)
    with office.as_("inspector") as w, pytest.raises(Forbidden):
        trust.propose(w, root_of(roots), regime="public", role="anchor", source=SOURCE, hosts=())
    for act in (lambda w: trust.approve(w, sha256), lambda w: trust.withdraw(w, sha256), trust.listed):
        with office.as_("specialist") as w, pytest.raises(Forbidden):
            act(w)
        with office.runtime.begin(Actor("citizen", label="web")) as w, pytest.raises(Forbidden):
            act(w)
    assert not counts(office, roots)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"certificate": b"nothing"}, "trust.unreadable"),
        ({"hosts": ("169.254.169.254",)}, "trust.host_invalid"),
        ({"hosts": ("localhost",)}, "trust.host_invalid"),
        ({"hosts": ("ocsp.example.vn:80",)}, "trust.host_invalid"),
        ({"hosts": ("http://ocsp.example.vn/",)}, "trust.host_invalid"),
    ],
)
def test_what_is_wrong_is_refused_by_name_and_leaves_nothing(office: Office, roots: Path, wrong: dict[str, object], code: str) -> None:
    with pytest.raises(Refused) as refused:
        proposed(office, roots, **wrong)  # type: ignore[arg-type]
    assert refused.value.code == code
    assert trust_store.load(folder_of(office.runtime.settings.home)).entries == ()


def test_an_authority_that_has_ended_is_not_let_in(office: Office, roots: Path) -> None:
    with office.as_("administrator") as w, pytest.raises(Refused) as refused:
        w.now += timedelta(days=40 * 365)
        trust.propose(w, root_of(roots), regime="public", role="anchor", source=SOURCE, hosts=())
    assert refused.value.code == "trust.expired"


def test_of_two_approvals_at_the_same_moment_one_counts_and_the_other_is_told(office: Office, roots: Path) -> None:
    sha256, together = proposed(office, roots), threading.Barrier(2)

    def approve(number: int) -> str:
        with office.runtime.begin(Actor("cli", label=f"second-{number}")) as w:
            together.wait(timeout=60)
            try:
                return trust.approve(w, sha256).approved_by
            except EngineError as refused:
                return refused.code

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(approve, range(2)))

    store = trust_store.load(folder_of(office.runtime.settings.home))
    assert answers[1] == "trust.not_proposed"
    assert (store.entries[0].approved_by, store.faults) == (answers[0], {})
    with office.as_("administrator") as w:
        assert [line.kind for line in audit.lines(w, size=20)[0]].count("trust.approved") == 1


def test_the_commands_say_what_they_did_and_what_is_wanting(
    office: Office, roots: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = office.runtime.settings
    monkeypatch.setenv("MOTCUA_HOME", str(settings.home))
    monkeypatch.setenv("MOTCUA_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("MOTCUA_APPLICATION_URL", settings.application_url or "")
    file = tmp_path / "root.der"
    file.write_bytes(root_of(roots))

    assert main(["trust", "propose", str(tmp_path / "absent.der"), "--source", SOURCE]) != 0
    assert main(["trust", "propose", str(file), "--source", "x"]) != 0
    assert "trust.source_missing" in "".join(capsys.readouterr())
    assert main(["trust", "propose", str(file), "--source", SOURCE, "--host", "ocsp.example.vn"]) == 0
    sha256 = capsys.readouterr().out.split()[0]
    assert main(["trust", "approve", sha256]) != 0, "the same hand"
    assert main(["trust", "approve", "00" * 32]) != 0
    capsys.readouterr()
    assert not counts(office, roots)

    with office.as_("inspector") as w:
        trust.approve(w, sha256)
    assert main(["trust", "list"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(one["sha256"], one["state"], one["source"]) for one in told["entries"]] == [(sha256, "approved", SOURCE)]
    assert (set(told["wanted"]), told["faults"]) == ({"specialised"}, {})

    (folder_of(settings.home) / f"{sha256}.der").write_bytes(b"other")
    assert main(["trust", "list"]) == 1
    assert json.loads(capsys.readouterr().out)["faults"] == {f"{sha256}.json": "trust.other_certificate"}


@pytest.fixture
def app(office: Office) -> Flask:
    return create_app(office.runtime)


def send(visitor: Visitor, certificate: bytes, **fields: str) -> object:
    page = visitor.client.get("/admin/trust").text
    more = {"regime": "specialised", "role": "anchor", "source": SOURCE, "hosts": "", **fields}
    return visitor.client.post(
        "/admin/trust", data={"csrf_token": token(page), **more, "certificate": (io.BytesIO(certificate), "root.cer")}
    )


def test_the_screen_shows_where_each_came_from_and_offers_approval_to_the_other_one_only(office: Office, app: Flask, roots: Path) -> None:
    first, second = signed_in(app, office, "administrator"), signed_in(app, office, "inspector")
    assert "Ban Cơ yếu Chính phủ" in first.get("/admin/trust").text
    refused = send(first, b"nothing")
    assert refused.status_code == 422
    assert "không phải chứng thư số" in refused.text
    assert send(first, root_of(roots)).status_code == 303

    sha256 = trust_store.load(folder_of(office.runtime.settings.home)).entries[0].sha256
    mine, theirs = first.get("/admin/trust").text, second.get("/admin/trust").text
    assert SOURCE in mine
    assert f"/admin/trust/{sha256}/approval" not in mine
    assert f"/admin/trust/{sha256}/approval" in theirs
    assert first.post(f"/admin/trust/{sha256}/approval", "/admin/trust").status_code == 422
    assert not counts(office, roots)
    assert second.post(f"/admin/trust/{sha256}/approval", "/admin/trust").status_code == 303
    assert counts(office, roots)
    assert "được tin cậy" in first.get("/admin/trust").text
    assert first.post(f"/admin/trust/{sha256}/withdrawal", "/admin/trust").status_code == 303
    assert not counts(office, roots)
    assert signed_in(app, office, "specialist").get("/admin/trust").status_code in (403, 404)
