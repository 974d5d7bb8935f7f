"""``motcua procedure``: check a package, publish it, compare two, export a published one, read a diagram in words."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.cli import _law, _migrate, group, leaf
from engine.cli._rehearse import new, play
from engine.errors import EngineError, NotFound, Refused
from engine.procedure.declaration import FILE, PackageInvalid
from engine.procedure.difference import difference
from engine.procedure.loader import load_folder, load_zip, to_zip
from engine.procedure.outline import outline
from engine.procedure.package import Package
from engine.procedure.report import Finding, Report, from_refusal, ordered

if TYPE_CHECKING:  # the interpreter takes a second to load, which only commands that run it should pay
    from engine.process.rehearsal import Trial

MARKS = {"refused": "✗", "warning": "!", "note": "·"}


def add(commands: Any) -> None:
    """Add the commands of this area."""
    found = group(commands, "procedure", "check, publish, compare and export procedure packages")
    one = leaf(found, "check", _check, "say what the publication gate finds in package folders or zips (bpmn/*)")
    one.add_argument("packages", type=Path, nargs="+", metavar="package")
    one.add_argument("--layout", action="store_true", help="kept for scripts that say it: the drawing is always judged")
    _speaking(one)
    one = leaf(found, "publish", _publish, "publish a package: the next dossier takes it")
    one.add_argument("package", type=Path)
    one.add_argument("--effective-from", type=date.fromisoformat, help="YYYY-MM-DD; by default what the package says")
    one.add_argument("--legal-basis", default="", help="the act that decided the change")
    _speaking(one)
    one = leaf(found, "diff", _diff, "say in words what the second package changes against the first")
    one.add_argument("old", type=Path)
    one.add_argument("new", type=Path)
    _speaking(one)
    one = leaf(found, "test", _test, "play the scenarios of packages (bpmn/*) and say which flows none of them walks")
    one.add_argument("packages", type=Path, nargs="+", metavar="package")
    _speaking(one)
    one = leaf(found, "new", new, "begin a package folder from the template")
    one.add_argument("folder", type=Path, help="its name is the key of the procedure")
    one.add_argument("--code", required=True, help="the national code")
    one.add_argument("--name-vi", required=True)
    one.add_argument("--name-en", default="")
    one = leaf(found, "try", play, "play a package move by move: <step> field=value …, message NAME, wait TIMER, undo, save NAME, quit")
    one.add_argument("package", type=Path)
    one.add_argument("--start", default="{}", help="answers of the start form as JSON")
    _speaking(one)
    one = leaf(found, "export", _export, "write the newest version of a published procedure as a zip file")
    one.add_argument("key")
    one.add_argument("file", type=Path)
    _migrate.add(found)
    _law.add(found)
    one = leaf(found, "outline", _outline, "print the diagram of a package in words")
    one.add_argument("package", type=Path)
    _speaking(one)


def _speaking(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lang", choices=("vi", "en"), default="vi")
    parser.add_argument("--json", action="store_true", help="for machines")


def read_package(path: Path) -> Package:
    """Return the package in a folder or a zip file.

    Raises: Refused ``package.*``; NotFound ``package.no_folder``.
    """
    if path.is_file():
        return load_zip(path.read_bytes(), path.stem)
    return load_folder(path)


def chosen_packages(paths: Sequence[Path]) -> list[Path]:
    """Return which of *paths* are packages; of several (``bpmn/*``) the others, ``_shared`` too, are left out aloud."""
    if len(paths) == 1:
        return list(paths)
    found = [path for path in paths if path.suffix == ".zip" or (not path.name.startswith("_") and (path / FILE).is_file())]
    for path in paths:
        if path not in found:
            print(f"– {path}", file=sys.stderr)
    if not found:
        raise NotFound("package.no_folder", folder=paths[0].parent.name)
    return found


def _check(chosen: argparse.Namespace) -> int:
    reports = [_report(path) for path in chosen_packages(chosen.packages)]
    if chosen.json and len(chosen.packages) > 1:
        _as_json([report.as_json() for report in reports])
    else:
        for report in reports:
            _say(report, chosen)
    return 0 if all(report.passed for report in reports) else 1


def _report(path: Path) -> Report:
    """Return the report of gate and proof run, the same as publishing would give."""
    from engine.commands.procedures import whole_report
    from engine.office.standing import ZONE
    from engine.procedure.readiness import expired
    from engine.runtime import printer_of
    from engine.settings import Settings

    try:
        package = read_package(path)
    except PackageInvalid as invalid:
        return Report(path.stem, "", ordered(from_refusal(problem) for problem in invalid.problems))
    except EngineError as refused:
        return Report(path.stem, "", (from_refusal(Refused(refused.code, **{"file": path.name, **refused.facts})),))
    return whole_report(package, printer_of(Settings.from_environment())).with_findings(expired(package, datetime.now(ZONE).date()))


def _as_json(told: Any) -> None:
    print(json.dumps(told, ensure_ascii=False, indent=2))


def _say(report: Report, chosen: argparse.Namespace) -> None:
    if chosen.json:
        _as_json(report.as_json())
        return
    for finding in report.findings:
        print(_line(finding, chosen.lang))
    refused, warnings = len(report.refused), sum(finding.severity == "warning" for finding in report.findings)
    if chosen.lang == "vi":
        verdict = "có thể công bố" if report.passed else "CHƯA thể công bố"
        print(f"{report.key}: {verdict} — {refused} điểm phải sửa, {warnings} cảnh báo. {report.content_hash[:12]}")
    else:
        verdict = "may be published" if report.passed else "may NOT be published"
        print(f"{report.key}: {verdict} — {refused} to correct, {warnings} warnings. {report.content_hash[:12]}")


def _line(finding: Finding, language: str) -> str:
    place = finding.place
    where = f"{place.file}:{place.line}" if place.line else place.file
    drawn = f" @({place.x:g}, {place.y:g})" if place.x is not None and place.y is not None else ""
    said = finding.sentence(language)
    repair = f"\n    → {said.do}" if said.do else ""
    return f"{MARKS[finding.severity]} {where}{drawn} [{finding.rule}] {said.what} {said.why}{repair}"


def _publish(chosen: argparse.Namespace) -> int:
    from engine.cli._opening import opened, operator
    from engine.commands.procedures import NotPublishable, publish

    try:
        package = read_package(chosen.package)
    except PackageInvalid as invalid:
        _say(Report(chosen.package.stem, "", ordered(from_refusal(problem) for problem in invalid.problems)), chosen)
        return 1
    with opened() as runtime:
        try:
            with runtime.begin(operator()) as w:
                done = publish(w, package, effective_from=chosen.effective_from, legal_basis=chosen.legal_basis)
                number = done.version.number if done.version is not None else 0
        except NotPublishable as refused:
            _say(refused.report, chosen)
            return 1
    if chosen.json:
        changes = [change.as_json() for change in done.changes]
        _as_json({"key": package.key, "kind": done.kind, "number": number, "changes": changes})
        return 0
    for change in done.changes:
        print(f"- {change.vi if chosen.lang == 'vi' else change.en}")
    kinds = {"first": "công bố lần đầu", "changed": "phiên bản mới", "redrawn": "chỉ đổi hình vẽ", "same": "không có gì thay đổi"}
    print(f"{package.key}: {kinds[done.kind] if chosen.lang == 'vi' else done.kind} — {number}")
    return 0


def _test(chosen: argparse.Namespace) -> int:
    from engine.deadline.calendar_file import Calendars
    from engine.deadline.functions import working_time
    from engine.process.rehearsal import try_all
    from engine.settings import Settings

    calendar = Calendars(Settings.from_environment().procedures / "_calendars").of()
    packages = [read_package(path) for path in chosen_packages(chosen.packages)]
    trials = [(package, try_all(package, lambda now: working_time(calendar, now))) for package in packages]
    if chosen.json:
        _as_json(
            trials[0][1].as_json() if len(chosen.packages) == 1 else [{"key": package.key, **trial.as_json()} for package, trial in trials]
        )
    else:
        for package, trial in trials:
            _tell(package, trial, chosen.lang)
    return 0 if all(trial.green for _package, trial in trials) else 1


def _tell(package: Package, trial: Trial, language: str) -> None:
    for played in trial.played:
        print(f"{'✗' if played.fault else '✓'} {played.scenario.name}")
    for finding in trial.faults:
        print(_line(finding, language))
    walked = sum(times > 0 for times in trial.coverage.flows.values())
    said = {"vi": "kịch bản, luồng đã thử", "en": "scenarios, flows walked"}[language]
    print(f"{package.key}: {len(trial.played)} {said}: {walked}/{len(trial.coverage.flows)}")


def _diff(chosen: argparse.Namespace) -> int:
    changes = difference(read_package(chosen.old), read_package(chosen.new))
    if chosen.json:
        _as_json([change.as_json() for change in changes])
        return 0
    for change in changes:
        print(f"- {change.vi if chosen.lang == 'vi' else change.en}")
    if not changes:
        print("Không có gì thay đổi." if chosen.lang == "vi" else "Nothing changes.")
    return 0


def _export(chosen: argparse.Namespace) -> int:
    from engine.cli._opening import opened, operator
    from engine.procedure.registry import ProcedureCache, latest

    with opened() as runtime, runtime.begin(operator()) as w:
        version = latest(w.session, w.province, chosen.key)
        if version is None:
            raise NotFound("procedure.unknown", key=chosen.key)
        content = to_zip(w.part(ProcedureCache).package(w, version.id))
    chosen.file.write_bytes(content)
    print(chosen.file, file=sys.stderr)
    return 0


def _outline(chosen: argparse.Namespace) -> int:
    entries = outline(read_package(chosen.package))
    if chosen.json:
        listed = [{"number": entry.number, "id": entry.id, "kind": entry.kind, "sentence": entry.sentence} for entry in entries]
        _as_json(listed)
        return 0
    for entry in entries:
        print(f"{'   ' * entry.depth}{entry.number}. {entry.sentence[chosen.lang]}")
    return 0
