"""From an upload to a version in force: every finding in a sentence with its element and place, the difference in words, publication."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.commands import procedures as commands
from engine.commands import proposals as queries
from engine.errors import NotFound, Refused
from engine.queries import designing
from engine.runtime import UnitOfWork
from webapp.accounts import holding, me
from webapp.admin.organisation import asked_day
from webapp.designer.area import DESIGNERS, KIND, SEVERITY, area, file
from webapp.i18n import gettext as _
from webapp.rendering.forms import spoken
from webapp.transaction import act, look, work


@area.post("/examination", endpoint="examine_new", defaults={"key": ""})
@area.post("/<key>/examination")
@holding(*DESIGNERS)
def examine(key: str) -> ResponseReturnValue:
    """Examine an upload; a refused one is answered with every finding (422), a clean one gets an address of its own."""
    g.form_page = "designer.procedure" if key else "designer.procedures"
    sent = request.files.get("file")
    with work() as w:
        found = queries.propose(w, key, sent.read() if sent else b"", sent.filename or "" if sent else "")
        if found.report.passed and found.package is not None:
            return redirect(url_for("designer.proposal", key=found.package.key, reference=found.reference), 303)
        return shown(w, found, found.package.key if found.package is not None else key), 422


@area.post("/supplied/<key>")
@holding(*DESIGNERS)
@act("designer.procedures")
def examine_supplied(w: UnitOfWork, key: str) -> ResponseReturnValue:
    """Put a package delivered with the system forward; the second person publishes it as any other."""
    found = queries.propose_supplied(w, key)
    return redirect(url_for("designer.proposal", key=key, reference=found.reference), 303)


@area.get("/<key>/proposals/<reference>")
@holding(*DESIGNERS)
def proposal(key: str, reference: str) -> ResponseReturnValue:
    """Show a proposal: what it changes, what the gate says, its diagram and outline; and the form that puts it in force."""
    with look() as w:
        return shown(w, of(w, key, reference), key)


def of(w: UnitOfWork, key: str, reference: str) -> Any:
    """Return the proposal at this address.

    Raises:
        NotFound: there is none for this procedure.
    """
    found = queries.proposal(w, reference)
    if found.package is None or found.package.key != key:
        raise NotFound("procedure.no_proposal")
    return found


def day_asked() -> date | None:
    """Return the day somebody has just tried to publish from: law may have ended by then."""
    with suppress(Refused):
        return asked_day("effective_from") if request.form.get("effective_from") else None
    return None


def shown(w: UnitOfWork, found: Any, key: str) -> str:
    """Return the page of a proposal: everything that stands against it, numbered, on the elements of the diagram too."""
    report = queries.put_in_force(w, found, day_asked())
    findings = [
        {
            "number": number,
            "severity": finding.severity,
            "element": finding.element,
            "name": finding.name,
            "place": finding.place,
            "rule": finding.rule,
            "said": spoken(finding.sentence),
        }
        for number, finding in enumerate(report.findings, start=1)
    ]
    notes = [{"id": one["element"], "text": str(one["number"]), "tone": one["severity"]} for one in findings if one["element"]]
    marks: dict[str, list[str]] = {}
    for one in findings:
        marks.setdefault(str(one["severity"]), []).append(str(one["element"]))
    changed = [change.element for change in found.changes if change.element]
    return render_template(
        "designer/proposal.html",
        found=found,
        key=key,
        findings=findings,
        notes=notes,
        marks={**({"changed": changed} if changed else {}), **marks},
        severities=SEVERITY,
        kind=KIND.get(found.kind, ""),
        today=w.now,
        outline=designing.words(found.package) if found.package is not None and found.report.passed else (),
        own=found.review is not None and found.review.submitted_by_id == me().person,
        submitter=designing.person(w, found.review.submitted_by_id) if found.review is not None else "",
        passed=report.passed,
    )


@area.get("/<key>/proposals/<reference>/diagram.bpmn")
@holding(*DESIGNERS)
def proposed_diagram(key: str, reference: str) -> ResponseReturnValue:
    """Send the diagram of a proposal."""
    with look() as w:
        return file(of(w, key, reference).diagram, f"{key}.bpmn", "application/xml")


@area.post("/<key>/proposals/<reference>")
@holding(*DESIGNERS)
@act("designer.proposal")
def publish(w: UnitOfWork, key: str, reference: str) -> ResponseReturnValue:
    """Put a proposal in force from a day on: the next dossier takes it, those already received keep theirs."""
    found = of(w, key, reference)
    basis = request.form.get("legal_basis", "").strip()[:500]
    if not basis:
        raise Refused("procedure.basis_missing", field="legal_basis")
    done = commands.publish(w, found.package, effective_from=asked_day("effective_from"), legal_basis=basis)
    assert done.version is not None
    said = {"vi": _("Đã công bố phiên bản %(n)s, hiệu lực từ %(day)s."), "same": _("Phiên bản %(n)s đã có sẵn, không có gì thay đổi.")}
    text = said["same" if done.kind == "same" else "vi"]
    flash(text % {"n": done.version.number, "day": done.version.effective_from.strftime("%d/%m/%Y")}, "done")
    return redirect(url_for("designer.procedure", key=key), 303)


@area.post("/<key>/proposals/<reference>/rejection")
@holding(*DESIGNERS)
@act("designer.proposal")
def reject(w: UnitOfWork, key: str, reference: str) -> ResponseReturnValue:
    """Send a proposal back with a reason."""
    commands.reject(w, of(w, key, reference).package, request.form.get("reason", ""))
    flash(_("Đã trả lại đề xuất kèm lý do."), "done")
    return redirect(url_for("designer.procedures"), 303)
