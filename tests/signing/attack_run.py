"""Every attack judged and counted: ``python -m tests.signing.attack_run [--json] [--write] [--most N] [--mutations N]``.

Each forged PDF goes to the verifier's limited child, which asks the TEST services on this machine; containers, status answers and XML are
judged in this process. ``--write`` puts the figures into ``docs/signing-attacks.md``. ``--most 20`` takes twenty cases of each class,
spread evenly, 0 all there are. ``--keep FOLDER`` keeps what is done, so that a run that was ended goes on where it was; what another state
of the verifier or of the attacks was judged by is not taken up. 1 when anything was accepted, crashed or took more than five seconds.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

from signing.verify import Trust, verify
from tests.signing.attacks import classes
from tests.signing.attacks.classes import Bench, Case, Outcome, judged, packet, read
from tests.support.signing_office import Office, make_hierarchy

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "signing-attacks.md"
BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->\n"
SEED = 20261122
MUTATED = ("mutated PDF", "mutated XML")
ENDED = ("crash", "time", "memory")
CHUNK = 1000
"""So many mutations are one part of a run that is kept."""


@dataclass(frozen=True)
class Row:
    """The figures of one class; *accepted* and *ended* (crashed, out of time or memory) must be 0."""

    name: str
    does: str
    cases: int
    invalid: int
    insufficient: int
    accepted: int
    ended: int
    highest: float
    """Upper bound of the rate of false acceptance (Wilson, 95 %)."""
    slowest: float = 0.0
    """Seconds of waiting for the slowest case, other work of the machine included."""
    faults: tuple[str, ...] = ()


def wilson(hits: int, of: int, z: float = 1.96) -> float:
    """Upper bound of a rate seen *hits* times in *of*."""
    if of == 0:
        return 1.0
    share = hits / of
    middle, width = share + z * z / (2 * of), z * (share * (1 - share) / of + z * z / (4 * of * of)) ** 0.5
    return float((middle + width) / (1 + z * z / of))


def row(name: str, does: str, outcomes: list[Outcome], refused: list[bool]) -> Row:
    """Count the outcomes of one class."""
    counts = Counter(one.verdict for one in outcomes)
    faults = tuple(f"{one.title}: {one.verdict}" for one, good in zip(outcomes, refused, strict=True) if not good)
    ended = sum(counts[kind] for kind in ENDED)
    return Row(
        name, does, len(outcomes), counts["invalid"], counts["insufficient"], counts["valid"], ended,
        wilson(counts["valid"], len(outcomes)), max((one.seconds for one in outcomes), default=0.0), faults[:20],
    )  # fmt: skip


def mutated(content: bytes, dice: random.Random) -> bytes:
    """A bit turned, a piece cut out, doubled or replaced by noise."""
    position, kind = dice.randrange(len(content)), dice.randrange(4)
    piece = content[position : position + dice.randrange(1, 60)]
    return {
        0: content[:position] + bytes([content[position] ^ (1 << dice.randrange(8))]) + content[position + 1 :],
        1: content[:position] + content[position + len(piece) :],
        2: content[:position] + piece + content[position:],
        3: content[:position] + dice.randbytes(len(piece)) + content[position + len(piece) :],
    }[kind]


def pdf_mutations(bench: Bench, first: int, count: int) -> Iterator[Case]:
    """Mutations of files at level B-LTA, valid with the network off; every fourth has number, date and seal."""
    office, bases = bench.office, bench.lasting
    trust = Trust((office.pki.root,), (office.pki.issuing,))

    def verdict(pdf: bytes) -> str:
        report = verify(pdf, trust, now=office.now, online=False)
        ended = [str(one.facts["ended"]) for one in report.reasons if "ended" in one.facts]
        return ended[0] if ended else report.verdict.value

    if {verdict(one) for one in bases} != {"valid"}:
        raise AssertionError("the untouched files must be valid")
    for number in range(first, first + count):
        base = bases[number % len(bases)]
        forged = mutated(base, random.Random(SEED + number))
        if forged != base:
            yield Case(f"mutation {number}", lambda forged=forged: verdict(forged))


def xml_mutations(bench: Bench, first: int, count: int) -> Iterator[Case]:
    """Mutations of a signed packet; white space outside the signed parts may change, what is read may not."""
    office, made = bench.office, packet(bench.office)
    content = read(office, made).content

    def verdict(forged: bytes) -> str:
        report = read(office, forged)
        return "invalid" if report.verdict.value == "valid" and report.content == content else report.verdict.value

    for number in range(first, first + count):
        forged = mutated(made, random.Random(SEED + number))
        yield Case(f"mutation {number}", lambda forged=forged: verdict(forged))


def spread(cases: list[Case], most: int) -> list[Case]:
    """At most so many, spread evenly; 0: all."""
    return [cases[index * len(cases) // most] for index in range(most)] if 0 < most < len(cases) else cases


def run(bench: Bench, most: int, mutations: int, *, first: int = 0, only: Sequence[str] = ()) -> Iterator[Row]:
    """Every class, then the mutations; or *only* some by name."""
    for one in classes.CLASSES:
        if only and one.name not in only:
            continue
        outcomes = list(judged(iter(spread(list(one.cases(bench)), most))))
        yield row(one.name, one.does, outcomes, [one.refused(outcome) for outcome in outcomes])
    for name, does, cases in (
        (MUTATED[0], "bits turned, pieces cut, doubled, replaced by noise", pdf_mutations(bench, first, mutations)),
        (MUTATED[1], "the same in a signed packet", xml_mutations(bench, first, mutations)),
    ):
        if only and name not in only:
            continue
        outcomes = list(judged(cases))
        yield row(name, does, outcomes, [outcome.verdict in ("invalid", "insufficient") for outcome in outcomes])


def added(one: Row, other: Row) -> Row:
    """The figures of two parts of one class."""
    counts = {key: getattr(one, key) + getattr(other, key) for key in ("cases", "invalid", "insufficient", "accepted", "ended", "faults")}
    return replace(one, **counts, highest=wilson(counts["accepted"], counts["cases"]), slowest=max(one.slowest, other.slowest))


def parts(mutations: int, only: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """Name of the class, first mutation and how many of each part of a run."""
    yield from ((one.name, 0, 0) for one in classes.CLASSES if not only or one.name in only)
    for name in MUTATED if not only else set(MUTATED) & {*only}:
        yield from ((name, first, min(CHUNK, mutations - first)) for first in range(0, mutations, CHUNK))


def state() -> str:
    """Digest of the verifier and of the attacks: figures of another state say nothing about this one."""
    digest = hashlib.sha256()
    for file in sorted([*(ROOT / "signing").glob("*.py"), *(ROOT / "tests" / "signing" / "attacks").glob("*.py"), Path(__file__)]):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def kept(bench: Bench, folder: Path, most: int, mutations: int, only: Sequence[str]) -> tuple[list[Row], list[str]]:
    """The figures of a run that leaves off nowhere: what *folder* has is taken up; and the days it was made on."""
    rows: dict[str, Row] = {}
    days = set()
    folder.mkdir(parents=True, exist_ok=True)
    for name, first, count in parts(mutations, only):
        file = folder / f"{state()} {most} {name} {first} {count}.json"
        if not file.exists():
            (one,) = run(bench, most, count, first=first, only=(name,))
            text = json.dumps({"day": date.today().isoformat(), "row": asdict(one)}, ensure_ascii=False)  # noqa: DTZ011 - as on the page
            file.with_suffix(".part").write_text(text, "utf-8")
            file.with_suffix(".part").rename(file)
            print(
                f"{name} {first or ''}: {one.cases}, accepted {one.accepted}, ended badly {one.ended} {one.faults or ''}", file=sys.stderr
            )
        raw = json.loads(file.read_text("utf-8"))
        days.add(raw["day"])
        part = Row(**{**raw["row"], "faults": tuple(raw["row"]["faults"])})
        rows[name] = added(rows[name], part) if name in rows else part
    return list(rows.values()), sorted(days)


def table(rows: list[Row]) -> str:
    """The figures as a table."""
    head = (
        "| class | what is done | documents | invalid | not enough evidence | **accepted** | crashed, > 5 s, > 1 GiB "
        "| slowest | rate at most |\n"
    )
    lines = "".join(
        f"| {one.name} | {one.does} | {one.cases:,} | {one.invalid:,} | {one.insufficient:,} | **{one.accepted}** | {one.ended} "
        f"| {one.slowest:.2f} s | {one.highest:.2%} |\n"
        for one in rows
    )
    told = sum(one.cases for one in rows), sum(one.accepted for one in rows)
    return f"{head}|---|---|--:|--:|--:|--:|--:|--:|--:|\n{lines}\n{told[0]:,} documents, {told[1]} accepted.\n"


def written(rows: list[Row], days: Sequence[str]) -> None:
    """Put the figures into the page."""
    page = PAGE.read_text("utf-8")
    head, rest = page.split(BEGIN)
    tail = rest.split(END)[1]
    PAGE.write_text(f"{head}{BEGIN}Run of {' to '.join(dict.fromkeys((days[0], days[-1])))}.\n\n{table(rows)}{END}{tail}", "utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Run, print, perhaps write."""
    parser = argparse.ArgumentParser(prog="python -m tests.signing.attack_run")
    parser.add_argument("--json", action="store_true", help="the figures for machines")
    parser.add_argument("--write", action="store_true", help=f"put them into {PAGE.name}")
    parser.add_argument("--most", type=int, default=0, metavar="N", help="so many cases of each class, spread evenly; 0: all")
    parser.add_argument("--mutations", type=int, default=10_000, metavar="N")
    parser.add_argument("--class", action="append", default=[], dest="only", metavar="NAME")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep what is done there and go on where an ended run was")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        make_hierarchy(Path(folder) / "pki")
        bench = Bench(Office(Path(folder) / "pki"), Path(folder), in_child=True)
        try:
            rows, days = kept(bench, chosen.keep or Path(folder) / "kept", chosen.most, chosen.mutations, chosen.only)
        finally:
            bench.close()
    if chosen.write:
        written(rows, days)
    print(json.dumps([asdict(one) for one in rows], ensure_ascii=False) if chosen.json else table(rows))
    return int(any(one.faults for one in rows))


if __name__ == "__main__":
    sys.exit(main())
