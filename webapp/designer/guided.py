"""The procedure's data as a form: what the law says about it, in both languages, with errors at the fields; the file keeps its comments."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.commands import drafts as commands
from engine.errors import Refused
from engine.queries import designing
from engine.runtime import UnitOfWork
from webapp.accounts import holding
from webapp.designer.area import DESIGNERS, area
from webapp.designer.drafts import frame, met_on_a_file
from webapp.errors import attempted
from webapp.i18n import gettext as _
from webapp.i18n import lazy
from webapp.transaction import look, work

DECLARATION = "procedure.toml"
TITLES = {
    "": lazy("Thủ tục"),
    "legal_basis": lazy("Căn cứ pháp lý"),
    "term": lazy("Thời hạn giải quyết"),
    "component": lazy("Thành phần hồ sơ"),
    "fee": lazy("Phí, lệ phí"),
    "document": lazy("Kết quả và văn bản"),
    "lane": lazy("Làn: ai làm việc gì"),
    "reason": lazy("Lý do có sẵn"),
}
ADD = {
    "legal_basis": lazy("Thêm căn cứ"),
    "component": lazy("Thêm thành phần"),
    "fee": lazy("Thêm phí"),
    "document": lazy("Thêm văn bản"),
    "lane": lazy("Thêm làn"),
    "reason": lazy("Thêm lý do"),
}
VI, EN = lazy("tiếng Việt"), lazy("tiếng Anh")
LABELS = {
    "name": lazy("Tên"),
    "code": lazy("Mã thủ tục quốc gia"),
    "scope": lazy("Loại"),
    "online_level": lazy("Mức độ dịch vụ trực tuyến"),
    "effective_from": lazy("Ngày hiệu lực"),
    "field": lazy("Lĩnh vực"),
    "field.code": lazy("Mã lĩnh vực"),
    "start.form": lazy("Biểu mẫu tiếp nhận"),
    "legal_basis.act": lazy("Văn bản"),
    "legal_basis.article": lazy("Điều, khoản"),
    "legal_basis.from": lazy("Có hiệu lực từ"),
    "legal_basis.to": lazy("Hết hiệu lực từ"),
    "term.amount": lazy("Số"),
    "term.unit": lazy("Đơn vị"),
    "term.counting": lazy("Cách tính"),
    "term.cutoff": lazy("Giờ chốt nhận"),
    "term.on_supplement": lazy("Khi bổ sung xong"),
    "legal_basis": lazy("Căn cứ"),
    "valid_from": lazy("Áp dụng từ"),
    "key": lazy("Khóa"),
    "component.form": lazy("Dạng giấy tờ"),
    "component.copies": lazy("Số bản"),
    "component.required": lazy("Bắt buộc"),
    "component.upload": lazy("Nộp tệp trực tuyến được"),
    "component.media": lazy("Loại tệp"),
    "fee.kind": lazy("Phí hay lệ phí"),
    "fee.amount": lazy("Mức thu (đồng)"),
    "document.template": lazy("Mẫu in"),
    "document.type": lazy("Tên loại viết tắt"),
    "document.symbol": lazy("Ký hiệu"),
    "document.register": lazy("Sổ"),
    "register_name": lazy("Tên sổ"),
    "document.capacity": lazy("Thẩm quyền ký"),
    "document.order": lazy("Ký trước hay lấy số trước"),
    "document.pages_of": lazy("In các trang của thành phần"),
    "document.annex_of": lazy("Là phụ lục của giấy tờ"),
    "document.copy": lazy("Là bản sao điện tử"),
    "lane.id": lazy("Tên làn trên sơ đồ"),
    "title": lazy("Người làm việc"),
    "lane.role": lazy("Vai trò"),
    "lane.unit": lazy("Đơn vị"),
    "text": lazy("Nội dung"),
    "reason.kind": lazy("Dùng khi"),
}
HINTS = {
    "code": lazy("Ví dụ: 2.000815"),
    "component.required": lazy("«Khi» thì thành phần chỉ đòi trong trường hợp ghi ở ô bên."),
    "component.media": lazy("Cách nhau bằng dấu phẩy, ví dụ application/pdf, image/jpeg."),
    "fee.amount": lazy("Số tiền, hoặc biểu thức FEEL theo trường hợp, ví dụ 2000 * dossier.pages."),
    "legal_basis.to": lazy("Ghi khi văn bản bị thay thế: quy trình còn viện dẫn thì không công bố được."),
    "key": lazy("Chữ thường không dấu, chữ số, gạch dưới."),
    "lane.unit": lazy("reception, deciding, owner_unit, initiator, hoặc mã một đơn vị."),
    "term.cutoff": lazy("Ví dụ 15:00; hồ sơ nhận sau giờ này tính từ ngày làm việc sau."),
    "document.pages_of": lazy("Khóa của các thành phần, cách nhau bằng dấu phẩy."),
    "document.annex_of": lazy("Khóa của văn bản chính; phụ lục để ở tệp riêng, ghi số và ký hiệu của văn bản ấy."),
}
WHEN = lazy("Trường hợp (FEEL)")
WHEN_HINT = lazy("Ví dụ: dossier.by_representative")
CHOICES = {
    "public": lazy("Thủ tục hành chính"),
    "internal": lazy("Việc nội bộ"),
    "full": lazy("toàn trình"),
    "partial": lazy("một phần"),
    "none": lazy("không trực tuyến"),
    "same_day": lazy("trong ngày"),
    "working_hour": lazy("giờ làm việc"),
    "working_day": lazy("ngày làm việc"),
    "calendar_day": lazy("ngày"),
    "day": lazy("hết giờ làm việc ngày cuối"),
    "hour": lazy("tính từng giờ"),
    "resume": lazy("tính tiếp phần còn lại"),
    "restart": lazy("tính lại từ đầu"),
    "original": lazy("bản chính"),
    "certified_copy": lazy("bản sao chứng thực"),
    "plain_copy": lazy("bản sao"),
    "electronic": lazy("bản điện tử"),
    "fee": lazy("phí"),
    "charge": lazy("lệ phí"),
    "leader_first": lazy("lãnh đạo ký rồi lấy số"),
    "number_first": lazy("lấy số rồi ký"),
    "agency_only": lazy("chỉ cơ quan ký: phụ lục, bản sao"),
    "full_copy": lazy("sao y"),
    "re_copy": lazy("sao lục"),
    "extract": lazy("trích sao"),
    "supplement": lazy("yêu cầu bổ sung"),
    "refusal": lazy("từ chối"),
    "send_back": lazy("trả lại bước trước"),
    "yes": lazy("có"),
    "no": lazy("không"),
    "when": lazy("khi"),
}


@area.get("/drafts/<uuid:draft_id>/data")
@holding(*DESIGNERS)
def draft_data(draft_id: UUID) -> ResponseReturnValue:
    """Show the procedure's data as a form; a file that is no TOML is edited as text first."""
    with look() as w:
        return data_page(w, draft_id)


def data_page(w: UnitOfWork, draft_id: UUID) -> ResponseReturnValue:
    """Return the page of the form, every finding at its field."""
    seen = frame(w, draft_id, "data")
    try:
        data = designing.data(seen["page"].files, seen["found"].report.findings)
    except Refused:
        return redirect(url_for("designer.draft_file", draft_id=draft_id, name=DECLARATION), 303)
    faults = {name: finding for name, finding in data.faults.items() if finding.severity != "note"}
    g.refusals = {name: Refused(finding.rule if "." in finding.rule else f"gate.{finding.rule.replace('-', '_')}",
                                **{"subject": finding.subject, **finding.facts}) for name, finding in faults.items()}  # fmt: skip
    shown = set(map(id, faults.values()))
    others = [one for one in seen["findings"].get(DECLARATION, ()) if id(one) not in shown]
    return render_template(
        "designer/draft_data.html", **seen, data=data, others=others, opened=request.args.get("open", ""), titles=TITLES, add=ADD,
        label=label, hints=HINTS, when=(WHEN, WHEN_HINT), offered=offered(seen["page"].files),
    )  # fmt: skip


def label(section: str, path: str) -> tuple[Any, Any]:
    """Return the label of a field, and its language where it is one of two."""
    base, _dot, tongue = path.rpartition(".")
    if base and tongue in ("vi", "en"):
        return LABELS[base], VI if tongue == "vi" else EN
    return LABELS.get(f"{section}.{path}") or LABELS.get(path) or path, ""


def offered(files: Any) -> Any:
    """Return a function that gives what a choice offers: value and words."""
    named = {"lane.role": designing.roles(), "document.capacity": designing.capacities()}
    own = {
        "start.form": sorted(name[6:-5] for name in files if name.startswith("forms/")),
        "template": sorted(name[10:-4] for name in files if name.startswith("templates/") and name.endswith(".typ")),
    }

    def choices(section: str, path: str, options: tuple[str, ...]) -> list[tuple[str, Any]]:
        if path in own:
            return [(one, one) for one in own[path]]
        words = dict(named.get(f"{section}.{path}", ()))
        return [(one, words.get(one) or CHOICES.get(one, one)) for one in options]

    return choices


@area.post("/drafts/<uuid:draft_id>/data")
@holding(*DESIGNERS)
def draft_data_save(draft_id: UUID) -> ResponseReturnValue:
    """Save the form; what cannot be read as its field asks is kept as typed and said at the field."""
    form = request.form
    values = {name[2:]: value for name, value in form.items() if name.startswith("d.")}
    asked = {name: form.get(name, "") for name in ("add", "remove", "up")}
    version = form.get("version", 0, int)
    made: list[Any] = []

    def save() -> None:
        with work() as w:
            made.append(commands.save_data(w, draft_id, version, values, **asked))

    met = attempted(save)
    if isinstance(met, commands.EditedMeanwhile):
        return met_on_a_file(draft_id, DECLARATION, met), 409
    if met is not None:
        raise met
    flash(_("Đã lưu (lần %(n)s).") % {"n": made[0].version}, "done")
    place = f"{asked['add']}.new" if asked["add"] else asked["up"] or asked["remove"]
    return redirect(url_for("designer.draft_data", draft_id=draft_id, open=place or None, _anchor=place.partition(".")[0] or None), 303)
