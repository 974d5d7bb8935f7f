"""The workspace: drafts begun, opened, edited file by file, compared when two met, restored, submitted, given up."""

from __future__ import annotations

import re
from difflib import unified_diff
from typing import Any
from uuid import UUID

from flask import flash, g, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.commands import drafts as commands
from engine.commands import proposals
from engine.errors import NotFound
from engine.queries import deciding, designing, previewing
from engine.queries import drafts as queries
from engine.runtime import UnitOfWork
from webapp.accounts import holding, me
from webapp.designer.area import DESIGNERS, DRAFT_STATE, FIELD_KINDS, ORIGIN, SECTIONS, area, file
from webapp.errors import attempted, wants_json
from webapp.i18n import gettext as _
from webapp.transaction import act, look, work

DIAGRAM = "process.bpmn"
KINDS = {"forms": "forms/", "decisions": "decisions/", "templates": "templates/", "scenarios": "tests/"}
"""The sections of a draft that are lists of files, with the folder of each."""


@area.get("/drafts")
@holding(*DESIGNERS)
def workspace() -> ResponseReturnValue:
    """Show the drafts of one state, and the ways to begin one."""
    text, state = request.args.get("q", "").strip()[:100], request.args.get("state", "draft")
    state = state if state in DRAFT_STATE else "draft"
    mine = request.args.get("mine") == "yes"
    with look() as w:
        lines = queries.workspace(w, text=text, mine=mine, state=state)
        rows = designing.overview(w)
    return render_template(
        "designer/drafts.html", lines=lines, text=text, state=state, mine=mine, states=DRAFT_STATE, origins=ORIGIN, procedures=rows
    )


@area.post("/drafts")
@holding(*DESIGNERS)
@act("designer.workspace")
def begin_new(w: UnitOfWork) -> ResponseReturnValue:
    """Begin a new procedure from the template."""
    form = request.form
    words = {name: form.get(name, "").strip() for name in ("key", "code", "name_vi", "name_en")}
    return opened(commands.from_template(w, **words))


@area.post("/<key>/drafts")
@holding(*DESIGNERS)
@act()
def begin_version(w: UnitOfWork, key: str) -> ResponseReturnValue:
    """Begin the next version of a published procedure."""
    given = request.form.get("version_id", "")
    return opened(commands.from_version(w, key, UUID(given) if given else None))


@area.post("/drafts/upload")
@holding(*DESIGNERS)
@act("designer.workspace")
def begin_upload(w: UnitOfWork) -> ResponseReturnValue:
    """Begin from a diagram of any modeler, or a whole package."""
    sent = request.files.get("file")
    name = (sent.filename or "") if sent else ""
    return opened(commands.from_upload(w, sent.read() if sent else b"", name, key=request.form.get("of", "")))


def opened(draft: Any) -> ResponseReturnValue:
    """Go to a draft."""
    return redirect(url_for("designer.draft", draft_id=draft.id), 303)


def frame(w: UnitOfWork, draft_id: UUID, section: str, *, wait: bool = True) -> dict[str, Any]:
    """Return what every page of a draft shows: its line, its files by section, the report on it (with *wait* off: if it is known)."""
    page = queries.page(w, draft_id)
    found = proposals.examined(w, page.files, page.line.draft.key, wait=wait)
    lists = {name: sorted(path for path in page.files if path.startswith(folder)) for name, folder in KINDS.items()}
    return {
        "page": page,
        "d": page.line.draft,
        "found": found,
        "findings": found.findings_by_file(),
        "section": section,
        "sections": SECTIONS,
        "lists": lists,
        "mine": page.line.draft.owner_id == me().person,
        "states": DRAFT_STATE,
        "field_kinds": FIELD_KINDS,
    }


@area.get("/drafts/<uuid:draft_id>")
@holding(*DESIGNERS)
def draft(draft_id: UUID) -> ResponseReturnValue:
    """Show the diagram of a draft in the editor; the report comes beside it when the gate has judged, or with the page if asked for."""
    with look() as w:
        seen = frame(w, draft_id, "diagram", wait=request.args.get("judge") == "yes")
        return render_template("designer/draft_diagram.html", **seen, panel=designing.panel(seen["found"].package))


@area.get("/drafts/<uuid:draft_id>/<any(forms, decisions, templates, scenarios):section>")
@holding(*DESIGNERS)
def draft_files(draft_id: UUID, section: str) -> ResponseReturnValue:
    """List the files of one section."""
    with look() as w:
        return render_template("designer/draft_files.html", **frame(w, draft_id, section), folder=KINDS[section])


@area.get("/drafts/<uuid:draft_id>/edit/<path:name>")
@holding(*DESIGNERS)
def draft_file(draft_id: UUID, name: str) -> ResponseReturnValue:
    """Show one file as text to edit, with the findings at its lines."""
    section = next((one for one, folder in KINDS.items() if name.startswith(folder)), "data" if name == "procedure.toml" else "diagram")
    with look() as w:
        seen = frame(w, draft_id, section)
        content = seen["page"].files.get(name)
        if content is None:
            raise NotFound("package.file_missing", file=name[:80])
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            return file(content, name.rpartition("/")[2], "application/octet-stream")
        questions = deciding.asked(content) if section == "decisions" else ()
        shown = previewing.previewed(w, seen["page"].files, name) if name.endswith(".typ") else None
        return render_template("designer/draft_file.html", **seen, name=name, text=text, asked=questions, tried=None, preview=shown)


@area.post("/drafts/<uuid:draft_id>/form-preview")
@holding(*DESIGNERS)
def form_preview(draft_id: UUID) -> ResponseReturnValue:
    """Answer a form as people will get it, drawn by the same macros; what cannot be read is said instead. Nothing is stored."""
    with look() as w:
        seen = designing.form_shown(w, request.form.get("content", ""), read_answers_raw(request.form))
    return render_template("designer/form_preview.html", **seen)


@area.post("/drafts/<uuid:draft_id>/page-preview")
@holding(*DESIGNERS)
def page_preview(draft_id: UUID) -> ResponseReturnValue:
    """Show a template, as it stands in the editor, as printed pages; a fault is said at its line. Nothing is stored."""
    name = request.form.get("name", "")
    text = request.form.get("content", "").replace("\r\n", "\n")
    with look() as w:
        seen = frame(w, draft_id, "templates")
        if name not in seen["page"].files or not name.endswith(".typ"):
            raise NotFound("package.file_missing", file=name[:80])
        shown = previewing.previewed(w, {**seen["page"].files, name: text.encode()}, name, request.form.get("sample", ""))
        if shown.problem is not None and shown.problem.field:
            g.refusals = {shown.problem.field: shown.problem}
        page = render_template("designer/draft_file.html", **seen, name=name, text=text, asked=(), tried=None, preview=shown)
        return page, 422 if shown.problem is not None else 200


def read_answers_raw(form: Any) -> dict[str, Any]:
    """Return what was filled into a preview, as it was typed."""
    return {name[2:]: values if len(values) > 1 else values[0] for name, values in form.lists() if name.startswith("f.")}


@area.post("/drafts/<uuid:draft_id>/table-trial")
@holding(*DESIGNERS)
def table_trial(draft_id: UUID) -> ResponseReturnValue:
    """Evaluate the decisions of one file on given values and show the rows that fire. Nothing is stored."""
    name = request.form.get("name", "")
    g.submitted = request.form
    given = {key[2:]: value for key, value in request.form.items() if key.startswith("v.")}
    with look() as w:
        seen = frame(w, draft_id, "decisions")
        content = seen["page"].files.get(name, b"")
        tried = deciding.tried(w, content, given)
        shown = render_template(
            "designer/draft_file.html", **seen, name=name, text=content.decode(), asked=deciding.asked(content), tried=tried, preview=None
        )
        return shown, 422 if tried.problem else 200


@area.get("/drafts/<uuid:draft_id>/raw/<path:name>")
@holding(*DESIGNERS)
def draft_raw(draft_id: UUID, name: str) -> ResponseReturnValue:
    """Send one file of a draft."""
    with look() as w:
        content = queries.page(w, draft_id).files.get(name)
    if content is None:
        raise NotFound("package.file_missing", file=name[:80])
    return file(content, name.rpartition("/")[2], "application/octet-stream")


@area.post("/drafts/<uuid:draft_id>/files")
@holding(*DESIGNERS)
def draft_save(draft_id: UUID) -> ResponseReturnValue:
    """Save one file; two people on the same file are shown both versions."""
    name = request.form.get("name", "")
    typed = request.form.get("content", designing.starter(name)).replace("\r\n", "\n")
    content = None if request.form.get("remove") else typed.encode()
    sent = request.files.get("file")
    if sent and sent.filename:
        content = sent.read()
    version = request.form.get("version", 0, int)
    saved: list[Any] = []

    def save() -> None:
        with work() as w:
            saved.append(commands.save(w, draft_id, version, {name: content}, request.form.get("note", "")))

    met = attempted(save)
    if isinstance(met, commands.EditedMeanwhile) and not wants_json():
        return met_on_a_file(draft_id, name, met), 409
    if met is not None:
        raise met
    if wants_json():
        return jsonify(version=saved[0].version, at=saved[0].updated_at.isoformat())
    flash(_("Đã lưu (lần %(n)s).") % {"n": saved[0].version}, "done")
    kept = content is not None and name != DIAGRAM
    return redirect(
        url_for("designer.draft_file", draft_id=draft_id, name=name) if kept else url_for("designer.draft", draft_id=draft_id), 303
    )


def met_on_a_file(draft_id: UUID, name: str, met: commands.EditedMeanwhile) -> str:
    """Return the page that shows both versions of a file and asks which to keep."""
    theirs, mine = (side.get(name) or b"" for side in (met.theirs, met.mine))
    old, new = (text.decode("utf-8", "replace").splitlines() for text in (theirs, mine))
    compared = list(unified_diff(old, new, lineterm="", n=2))[2:]
    typed = mine.decode("utf-8", "replace")
    with look() as w:
        words = designing.differing(met.theirs, {**met.theirs, name: mine})
        return render_template(
            "designer/draft_met.html", **frame(w, draft_id, ""), name=name, met=met, compared=compared, mine_text=typed, words=words
        )  # fmt: skip


@area.get("/drafts/<uuid:draft_id>/report")
@holding(*DESIGNERS)
def draft_report(draft_id: UUID) -> ResponseReturnValue:
    """Send the gate's report on the last save, for the list beside the canvas."""
    with look() as w:
        page = queries.page(w, draft_id)
        return jsonify(version=page.line.draft.version, **proposals.examined(w, page.files, page.line.draft.key).report.as_json())


@area.get("/drafts/<uuid:draft_id>/readiness")
@holding(*DESIGNERS)
def draft_readiness(draft_id: UUID) -> ResponseReturnValue:
    """List everything that keeps a draft from being published, each with the place where it is put right."""
    with look() as w:
        seen = frame(w, draft_id, "")
        report = proposals.wanting(w, seen["page"].files, seen["d"].key)
        against = [(finding, place_of(draft_id, finding, seen["page"].files)) for finding in report.findings if finding.severity != "note"]
        return render_template("designer/draft_ready.html", **seen, against=against, ready=report.passed)


def place_of(draft_id: UUID, finding: Any, files: Any) -> str:
    """Return the address of the screen where a finding is put right."""
    if finding.rule.startswith("scenario."):
        bare = finding.rule == "scenario.flow_bare"
        return url_for("designer.trial", draft_id=draft_id, _anchor=f"flow-{finding.element}" if bare else "scenarios")
    if finding.place.file == DIAGRAM:
        return url_for("designer.draft", draft_id=draft_id, _anchor=finding.element or None)
    if finding.place.file == "procedure.toml":
        return url_for("designer.draft_data", draft_id=draft_id, _anchor=re.split(r"[.\[]", finding.subject)[0] or None)
    if finding.place.file in files:
        return url_for("designer.draft_file", draft_id=draft_id, name=finding.place.file)
    return url_for("designer.draft", draft_id=draft_id)


@area.get("/drafts/<uuid:draft_id>/words")
@holding(*DESIGNERS)
def draft_words(draft_id: UUID) -> ResponseReturnValue:
    """Show the procedure in words, for reading and print."""
    with look() as w:
        seen = frame(w, draft_id, "words")
        package = seen["found"].package
        return render_template("designer/draft_words.html", **seen, outline=designing.words(package) if package else ())


@area.get("/drafts/<uuid:draft_id>/history")
@holding(*DESIGNERS)
def draft_history(draft_id: UUID) -> ResponseReturnValue:
    """Show every save, and what the draft changes against the version it began from."""
    with look() as w:
        seen = frame(w, draft_id, "history")
        return render_template("designer/draft_history.html", **seen, changes=seen["found"].changes)


@area.post("/drafts/<uuid:draft_id>/restoration")
@holding(*DESIGNERS)
@act("designer.draft_history")
def draft_restore(w: UnitOfWork, draft_id: UUID) -> ResponseReturnValue:
    """Make an earlier save the present one."""
    made = commands.restore(w, draft_id, request.form.get("number", 0, int))
    flash(_("Đã khôi phục; bản vừa rồi vẫn ở trong lịch sử."), "done")
    return redirect(url_for("designer.draft_history", draft_id=made.id), 303)


@area.post("/drafts/<uuid:draft_id>/state")
@holding(*DESIGNERS)
@act()
def draft_move(w: UnitOfWork, draft_id: UUID) -> ResponseReturnValue:
    """Give a draft up, or work on it again."""
    if request.form.get("to") == "discarded":
        commands.discard(w, draft_id)
        flash(_("Đã bỏ bản soạn. Có thể mở lại từ danh sách «Đã bỏ»."), "done")
        return redirect(url_for("designer.workspace"), 303)
    commands.take_up(w, draft_id)
    return redirect(url_for("designer.draft", draft_id=draft_id), 303)


@area.get("/drafts/<uuid:draft_id>/package.zip")
@holding(*DESIGNERS)
def draft_package(draft_id: UUID) -> ResponseReturnValue:
    """Send the package as it is now."""
    with look() as w:
        page = queries.page(w, draft_id)
        return file(designing.packed(page.files), f"{page.line.draft.key}.zip", "application/zip")


@area.post("/drafts/<uuid:draft_id>/submission")
@holding(*DESIGNERS)
@act()
def draft_submit(w: UnitOfWork, draft_id: UUID) -> ResponseReturnValue:
    """Turn the content of a draft into a proposal that a second person reviews."""
    page = queries.page(w, draft_id)
    if not proposals.wanting(w, page.files, page.line.draft.key).passed:
        flash(_("Chưa gửi được: còn điểm phải sửa."), "late")
        return redirect(url_for("designer.draft_readiness", draft_id=draft_id), 303)
    found = proposals.propose(w, page.line.draft.key, designing.packed(page.files), f"{page.line.draft.key}.zip")
    assert found.package is not None
    commands.submitted(w, draft_id)
    return redirect(url_for("designer.proposal", key=found.package.key, reference=found.reference), 303)
