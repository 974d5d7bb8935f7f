"""The classes of attacks, each with what it is judged against: every case must be refused, and says how it was."""

from __future__ import annotations

import io
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property, lru_cache
from pathlib import Path

import pikepdf
from pikepdf import Array, Dictionary, Name, ObjectStreamMode, Pdf, String

from signing import archive, fields, xades
from signing.examine import Inquiry, examine
from signing.model import AGENCY, LEADER
from signing.report import Verdict
from signing.trust_services import TrustServices
from signing.verify import Trust, verify
from tests.signing import attacks
from tests.signing.attacks import answers, confusion, containers, packets, prepared
from tests.support.signing_office import InProcessSources, Office, letter, make_hierarchy

ACCEPTED = Verdict.VALID.value
Judge = Callable[[], str]


@dataclass(frozen=True)
class Case:
    """One manipulated document; *judge* answers the verdict, or ``crash``, ``time``, ``memory`` when the child did not end well."""

    title: str
    judge: Judge


@dataclass(frozen=True)
class Outcome:
    """How one case ended, and after how many seconds."""

    title: str
    verdict: str
    seconds: float


MOST_SECONDS = 5.0


def judged(cases: Iterator[Case]) -> Iterator[Outcome]:
    """Judge case by case; what is judged in this process and raises is a crash, what works more than five seconds is out of time."""
    for case in cases:
        since, worked = time.perf_counter(), time.process_time()
        try:
            verdict = case.judge()
        except Exception as problem:
            # Counted and named instead of ending a run of many hours.
            verdict = "crash"
            print(f"{case.title}: {type(problem).__name__}", file=sys.stderr)
        if time.process_time() - worked > MOST_SECONDS:
            verdict = "time"
        yield Outcome(case.title, verdict, time.perf_counter() - since)


@dataclass
class Bench:
    """The documents that are attacked and who judges: in this process, or in the limited child asking services on this machine."""

    office: Office
    folder: Path
    in_child: bool = False
    _services: list[TrustServices] = field(default_factory=list)

    def judge(self, pdf: bytes) -> str:
        """The verdict on a PDF."""
        if not self.in_child:
            sources = InProcessSources(self.office)
            return examine(pdf, Inquiry((self.office.pki.root,), (self.office.pki.issuing,), self.office.now, sources)).verdict.value
        if not self._services:
            self._services.append(TrustServices(self.office.folder, lambda: self.office.now))
            self._services[0].start()
        report = verify(pdf, Trust.of_test_pki(self.office.folder, self._services[0].routes), now=self.office.now)
        ended = [str(one.facts["ended"]) for one in report.reasons if "ended" in one.facts]
        return ended[0] if ended else report.verdict.value

    def close(self) -> None:
        """Stop the services."""
        for one in self._services:
            one.stop()
        self._services.clear()

    @cached_property
    def issued(self) -> bytes:
        """Signed, numbered and sealed with ECDSA, level B-T."""
        return self.office.issued()

    @cached_property
    def bases(self) -> dict[str, bytes]:
        """Files of our own that are valid before they are touched, and one of a hostile hierarchy that never is."""
        make_hierarchy(self.folder / "hostile")
        return {
            "ECDSA": self.issued,
            "RSA": self.office.issued("binh"),
            "B-LTA": lasting(self.office, self.issued),
            "streams": streamed(self.office),
            "hostile": Office(self.folder / "hostile").issued(),
        }

    @cached_property
    def lasting(self) -> list[bytes]:
        """Four files at level B-LTA, valid with the network off; the first has number, date and seal."""
        alone = [self.office.sign(containers.document(), LEADER, key) for key in ("lan", "binh", "lan")]
        return [lasting(self.office, one) for one in (self.issued, *alone)]

    @cached_property
    def hostile(self) -> Office:
        """An office of a hierarchy nobody trusts."""
        return Office(self.folder / "hostile") if "hostile" in self.bases else self.office


def lasting(office: Office, pdf: bytes) -> bytes:
    """The document at level B-LTA: it proves itself without a network."""
    raised = archive.raise_level(pdf, Inquiry((office.pki.root,), (office.pki.issuing,), office.now, InProcessSources(office)), office.tsa)
    assert raised.level == "B-LTA"
    return raised.pdf


def streamed(office: Office) -> bytes:
    """An issued document whose first revision keeps its objects in streams and has no table."""
    with Pdf.open(io.BytesIO(office.with_fields())) as pdf:
        pdf.save(out := io.BytesIO(), object_stream_mode=ObjectStreamMode.generate)
    signed = office.sign(out.getvalue(), LEADER, "lan")
    return office.sign(fields.fill_number(signed, "15", "ngày 22 tháng 11 năm 2026"), AGENCY, "agency")


def with_seal(pdf: bytes) -> bytes:
    """A field for the leader beside whatever form the document has already: what a maker without our lint would do."""
    with Pdf.open(io.BytesIO(pdf)) as document, warnings.catch_warnings():
        warnings.simplefilter("ignore", pikepdf.PageCopyWarning)  # a widget outside the form is what an attacker makes
        page = document.pages[0].obj
        place = Dictionary(FT=Name.Sig, T=String(LEADER), Type=Name.Annot, Subtype=Name.Widget, Rect=[300, 250, 500, 340], P=page, F=132)
        placed = document.make_indirect(place)
        form = document.Root.get("/AcroForm", Dictionary(Fields=Array()))
        form.Fields.append(placed)
        form.SigFlags = 3
        document.Root.AcroForm = form
        page.Annots = Array([*page.get("/Annots", []), placed])
        document.save(out := io.BytesIO())
    return out.getvalue()


def _over(generator: Callable[[bytes], Iterator[attacks.Variant]], *names: str) -> Callable[[Bench], Iterator[Case]]:
    """The generator over several of the bases; a variant that is no change is left out."""

    def cases(bench: Bench) -> Iterator[Case]:
        for base in names or ("ECDSA", "RSA", "B-LTA", "streams", "hostile"):
            document = bench.issued if base == "ECDSA" else bench.bases[base]
            for title, forged in generator(document):
                if forged != document:
                    yield Case(f"{base}: {title}", lambda forged=forged: bench.judge(forged))

    return cases


def _shadows(generator: Callable[[], Iterator[prepared.Shadow]]) -> Callable[[Bench], Iterator[Case]]:
    """Prepared, signed, then revealed; signed once for every way to reveal it."""

    def cases(bench: Bench) -> Iterator[Case]:
        @lru_cache(maxsize=2)
        def signed(prepare: Callable[[Pdf], None]) -> bytes:
            return bench.office.sign(with_seal(prepared.prepared(letter(), prepare)), LEADER, "lan", visible=False)

        for title, prepare, reveal in generator():
            yield Case(title, lambda prepare=prepare, reveal=reveal: bench.judge(reveal(signed(prepare))))

    return cases


def _sealed_filling(bench: Bench) -> Iterator[Case]:
    for title, filled in attacks.dishonest_filling(bench.office.leader_signed()):
        if title != "honest":
            yield Case(title, lambda filled=filled: bench.judge(bench.office.sign(filled, AGENCY, "agency", visible=False)))


def _containers(generator: confusion.Generator) -> Callable[[Bench], Iterator[Case]]:
    def cases(bench: Bench) -> Iterator[Case]:
        office, document = bench.office, containers.document()
        inquiry = Inquiry((office.pki.root,), (office.pki.issuing,), office.now, InProcessSources(office))

        def verdict(recipe: containers.Recipe) -> str:
            fresh = replace(inquiry, sources=InProcessSources(office))
            return examine(containers.embedded(office, recipe, document), fresh, second_view=False).verdict.value

        for title, recipe in generator(office):
            yield Case(title, lambda recipe=recipe: verdict(recipe))

    return cases


def _answers(bench: Bench) -> Iterator[Case]:
    office = Office.copy_of(bench.office.folder, Path(tempfile.mkdtemp(dir=bench.folder)) / "revoked")
    document = office.sign(containers.document(), LEADER, "lan")
    office.pki.revoke("lan", office.now - timedelta(days=10))

    def verdict(sources: answers.ForgedSources) -> str:
        return examine(document, Inquiry((office.pki.root,), (office.pki.issuing,), office.now, sources), second_view=False).verdict.value

    for title, sources in answers.forged(office):
        yield Case(title, lambda sources=sources: verdict(sources))


PACKET = """<edXML xmlns="http://www.e-doc.vn/Schema/"><Header Id="h"><Subject>Quyết định số 15</Subject><To>H27.05</To></Header>
<Body>nội dung</Body></edXML>""".encode()


def packet(office: Office, key_id: str = "agency") -> bytes:
    """An exchanged document, signed and time-stamped."""
    made = xades.sign_xml(PACKET, office.pki.certificate(key_id), lambda content: office.raw_sign(key_id, content), office.now)
    return xades.stamp_xml(made, office.tsa, office.now)


def read(office: Office, forged: bytes) -> xades.XmlReport:
    """The report on an exchanged document."""
    return xades.examine_xml(forged, Inquiry((office.pki.root,), (office.pki.issuing,), office.now, InProcessSources(office)))


def _packets(bench: Bench) -> Iterator[Case]:
    """Taking the time stamp away is no forgery: what is left is valid and says that its time is only claimed."""
    for signer in (bench.office, bench.hostile) if bench.in_child else (bench.office,):
        made = packet(signer)
        for generator in (packets.wrapped, packets.altered):
            for title, forged in generator(made):
                if title != "UnsignedProperties gone":
                    told = title if signer is bench.office else f"hostile: {title}"
                    yield Case(told, lambda forged=forged: read(bench.office, forged.replace(b"{port}", b"9")).verdict.value)


@dataclass(frozen=True)
class AttackClass:
    """A class of attacks: what it does and its cases; *fatal* when nothing less than INVALID will do for documents of ours."""

    name: str
    does: str
    cases: Callable[[Bench], Iterator[Case]]
    fatal: bool = True

    def refused(self, outcome: Outcome) -> bool:
        """Whether an outcome is good enough."""
        if self.fatal and not outcome.title.startswith("hostile"):
            return outcome.verdict == Verdict.INVALID.value
        return outcome.verdict in (Verdict.INVALID.value, Verdict.INSUFFICIENT.value)


CLASSES = (
    AttackClass(
        "universal forgery", "signed ranges or signature value missing, malformed, pointing elsewhere",
        _over(attacks.universal_forgery, "ECDSA", "B-LTA", "hostile"),
    ),
    AttackClass(
        "incremental saving", "new bodies appended, with every kind of cross-reference or none",
        _over(attacks.incremental_saving, "ECDSA", "streams", "hostile"),
    ),
    AttackClass(
        "signature wrapping", "the signed range moved, other bytes put between", _over(attacks.wrapping, "ECDSA", "B-LTA", "hostile")
    ),
    AttackClass("shadow, hide", "a cover over the true content is taken away after signing", _shadows(prepared.hiding)),
    AttackClass("shadow, replace", "a form value or a font changes after signing", _shadows(prepared.replacing)),
    AttackClass("shadow, hide and replace", "a second page tree is brought forward after signing", _shadows(prepared.hiding_and_replacing)),
    AttackClass(
        "after the seal", "number or date changed, hidden or removed when everybody has signed",
        _over(attacks.after_the_seal, "ECDSA", "B-LTA", "hostile"),
    ),
    AttackClass("dishonest filling", "opaque, displaced or untrue appearance of the number, sealed afterwards", _sealed_filling),
    AttackClass(
        "files and actions", "scripts, actions, attachments, annotations, layers added",
        _over(attacks.additions, "ECDSA", "B-LTA", "streams"),
    ),
    AttackClass("parser differentials", "what one program reads otherwise than another", _over(attacks.differentials)),
    AttackClass(
        "hybrid cross-references", "table and stream of one revision tell different things",
        _over(attacks.hybrids, "ECDSA", "streams", "hostile"),
    ),
    AttackClass("certificates", "wrong purpose, time, issuer or company", _containers(confusion.certificates), fatal=False),
    AttackClass(
        "hashes and algorithms", "every wrong combination of digest, mechanism and key",
        _containers(confusion.hashes_and_algorithms), fatal=False,
    ),
    AttackClass("status answers", "forged OCSP answers and lists about a revoked certificate", _answers, fatal=False),
    AttackClass("XML signature wrapping", "signed node moved, doubled, pointed away from; fetching references", _packets, fatal=False),
)  # fmt: skip


__all__ = ["ACCEPTED", "CLASSES", "AttackClass", "Bench", "Case", "Outcome", "judged", "lasting", "packet", "read", "with_seal"]
