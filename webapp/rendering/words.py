"""The words of the screens for what the engine keeps as codes: states, outcomes, reasons of a day, facts of the journal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from babel.support import LazyProxy
from flask import Flask

from engine.queries.names import capacity_names, role_names, status_names
from webapp.i18n import gettext, pick
from webapp.i18n import lazy as _

# status → colour, picture; the word comes from the engine's own table
STATUS = {
    "received": ("info", "inbox"),
    "processing": ("info", "half"),
    "awaiting_supplement": ("soon", "pause"),
    "awaiting_payment": ("soon", "pause"),
    "awaiting_authority": ("soon", "pause"),
    "refused": ("late", "cross"),
    "withdrawn": ("", "undo"),
    "stopped": ("", "cross"),
    "resolved": ("done", "check"),
    "returned": ("done", "check"),
    "approved": ("done", "check"),
    "closed": ("", "check"),
}

DOCUMENT_STATE = {
    "draft": ("", "paper", _("Dự thảo")),
    "signed": ("info", "pen", _("Lãnh đạo đã ký")),
    "numbered": ("info", "list", _("Đã cấp số")),
    "issued": ("done", "seal", _("Đã phát hành")),
    "cancelled": ("", "cross", _("Đã hủy")),
}

OUTCOME = {
    "early": ("done", "check", _("Trước hạn")),
    "on_time": ("done", "check", _("Đúng hạn")),
    "late": ("late", "warning", _("Quá hạn")),
}

HOW = {
    "completed": _("hoàn thành"),
    "sent_back": _("chuyển trả"),
    "skipped": _("bỏ qua"),
    "superseded": _("không còn cần"),
    "undone": _("hoàn tác"),
    "cancelled": _("hủy"),
    "timer": _("hết giờ"),
    "timed_out": _("hết giờ"),
}

HANDOVER = {
    "remarked": _("Người nộp đề nghị sửa"),
    "handed_over": _("Chuyển"),
    "reassigned": _("Giao người khác"),
    "sent_back": _("Chuyển trả"),
    "undone": _("Hoàn tác"),
    "migrated": _("Chuyển phiên bản quy trình"),
    "migration_undone": _("Hoàn tác chuyển phiên bản"),
    "suspended": _("Tạm dừng"),
    "resumed": _("Tiếp tục"),
    "skipped": _("Bỏ qua bước"),
    "moved": _("Chuyển bước khẩn cấp"),
    "move_undone": _("Hoàn tác chuyển bước"),
    "returned": _("Trả kết quả"),
    "accepted": _("Nhận"),
}

DAY = {
    "received": _("Ngày nhận, chưa tính"),
    "restarted": _("Ngày tính lại, chưa tính"),
    "before_restart": _("Trước khi tính lại, không tính"),
    "weekend": _("Nghỉ cuối tuần"),
    "holiday": _("Nghỉ lễ"),
    "compensatory_off": _("Nghỉ bù"),
    "swap_off": _("Nghỉ hoán đổi"),
    "closure": _("Cơ quan đóng cửa"),
    "makeup_work": _("Làm bù, có tính"),
    "half_day": _("Nửa ngày, tính theo giờ"),
    "counted": _("Ngày làm việc, có tính"),
    "counted_calendar": _("Có tính"),
    "suspended": _("Tạm dừng, không tính"),
    "suspended_part": _("Tạm dừng một phần, tính phần còn lại"),
    "outside_hours": _("Ngoài giờ làm việc"),
    "after_cutoff": _("Nhận sau giờ chốt trong ngày"),
    "same_day": _("Trả ngay trong ngày"),
    "next_day": _("Trả trong ngày làm việc này"),
    "made_up": _("Ngày đến hạn"),
    "last_day_off": _("Hạn rơi vào ngày nghỉ, chuyển sang ngày làm việc sau"),
}

DAY_KIND = {
    "working": _("Ngày làm việc"),
    "weekend": _("Nghỉ cuối tuần"),
    "holiday": _("Nghỉ lễ"),
    "compensatory_off": _("Nghỉ bù"),
    "swap_off": _("Nghỉ hoán đổi"),
    "makeup_work": _("Làm bù"),
    "half_day": _("Làm nửa ngày"),
    "closure": _("Cơ quan đóng cửa"),
}

DUE_REASON = {
    "received": _("Tiếp nhận"),
    "supplement_requested": _("Tạm dừng chờ bổ sung"),
    "supplement_answered": _("Nhận bổ sung, tính tiếp"),
    "payment_requested": _("Tạm dừng chờ thực hiện nghĩa vụ tài chính"),
    "paid": _("Đã thực hiện nghĩa vụ tài chính, tính tiếp"),
    "authority_asked": _("Tạm dừng chờ cơ quan khác"),
    "authority_answered": _("Cơ quan khác đã trả lời, tính tiếp"),
    "extended": _("Gia hạn"),
    "reopened": _("Mở lại, tính tiếp"),
    "calendar_changed": _("Lịch làm việc thay đổi"),
}

CHANNEL = {"in_person": _("Trực tiếp"), "online": _("Trực tuyến"), "postal": _("Bưu chính")}
DELIVERY = {
    "counter": _("Nhận tại quầy"),
    "postal": _("Qua bưu chính"),
    "download": _("Tải bản điện tử"),
    "store": _("Vào kho dữ liệu điện tử"),
}
COMPONENT_FORM = {
    "original": _("Bản chính"),
    "certified_copy": _("Bản sao chứng thực"),
    "plain_copy": _("Bản sao, bản chụp"),
    "electronic": _("Bản điện tử"),
}
REGISTER = {
    "dossier": _("Sổ theo dõi hồ sơ"),
    "outgoing": _("Sổ đăng ký văn bản đi"),
    "incoming": _("Sổ văn bản đến"),
    "fee_receipt": _("Sổ biên lai phí, lệ phí"),
    "supplement_request": _("Sổ phiếu yêu cầu bổ sung"),
    "refusal": _("Sổ phiếu từ chối"),
    "decision": _("Sổ quyết định"),
    "stop_notice": _("Sổ thông báo dừng giải quyết"),
    "suspension_notice": _("Sổ thông báo tạm dừng giải quyết"),
    "withdrawal": _("Sổ xác nhận rút hồ sơ"),
    "leave": _("Sổ giấy nghỉ phép"),
}
ENTRY = {
    "reserved": ("soon", "half", _("Đang giữ số")),
    "issued": ("done", "check", _("Đã phát hành")),
    "cancelled": ("", "cross", _("Đã hủy")),
}
LEVEL = {
    "province": _("Tỉnh"),
    "department": _("Sở, ban, ngành"),
    "commune": _("Xã, phường"),
    "division": _("Phòng, đơn vị"),
    "centre": _("Trung tâm"),
}
ACTOR = {
    "citizen": _("Người dân"),
    "clock": _("Đồng hồ hệ thống"),
    "system": _("Hệ thống"),
    "cli": _("Quản trị (dòng lệnh)"),
    "": _("Hệ thống"),
}

FACT = {
    "account.created": _("Tạo tài khoản"),
    "account.linked": _("Gắn tài khoản"),
    "account.password_changed": _("Đổi mật khẩu"),
    "account.password_reset": _("Đặt lại mật khẩu"),
    "account.second_factor_off": _("Tắt xác thực hai bước"),
    "account.second_factor_on": _("Bật xác thực hai bước"),
    "account.sign_in_failed": _("Đăng nhập sai"),
    "account.signed_in": _("Đăng nhập"),
    "appointment.ended": _("Kết thúc bổ nhiệm"),
    "clock.moved": _("Dịch chuyển đồng hồ"),
    "clock.resumed": _("Tính tiếp thời hạn"),
    "clock.suspended": _("Tạm dừng tính thời hạn"),
    "decision.made": _("Áp dụng bảng quyết định"),
    "document.cancelled": _("Hủy văn bản"),
    "document.drafted": _("Soạn dự thảo"),
    "document.made": _("Lập phiếu, giấy"),
    "trust.proposed": _("Đề xuất chứng thư số tin cậy"),
    "trust.approved": _("Duyệt chứng thư số tin cậy"),
    "trust.withdrawn": _("Gỡ chứng thư số tin cậy"),
    "document.preserved": _("Lưu bằng chứng lâu dài cho văn bản"),
    "document.numbered": _("Cấp số, ngày"),
    "document.sealed": _("Ký số cơ quan (đóng dấu)"),
    "document.signed": _("Lãnh đạo ký số"),
    "demonstration.made": _("Lập dữ liệu trình diễn"),
    "confirmation.answered": _("Người nộp xác nhận bản dự thảo"),
    "dossier.reopened": _("Mở lại hồ sơ"),
    "dossier.extended": _("Gia hạn thời hạn"),
    "dossier.term_ending": _("Sắp hết thời hạn"),
    "dossier.closed": _("Kết thúc hồ sơ"),
    "dossier.due_changed": _("Hạn thay đổi"),
    "dossier.overdue": _("Quá hạn"),
    "dossier.read": _("Xem hồ sơ"),
    "dossier.read_by_owner": _("Chủ hồ sơ xem"),
    "dossier.received": _("Tiếp nhận hồ sơ"),
    "dossier.refused": _("Từ chối hồ sơ"),
    "dossier.resolved": _("Đã giải quyết xong"),
    "dossier.status_changed": _("Chuyển trạng thái"),
    "dossier.started": _("Bắt đầu"),
    "dossier.stopped": _("Dừng giải quyết"),
    "dossier.withdrawn": _("Rút hồ sơ"),
    "dossier.suspended": _("Tạm dừng giải quyết"),
    "dossier.resumed": _("Tiếp tục giải quyết"),
    "task.skipped": _("Bỏ qua bước"),
    "token.move_proposed": _("Đề xuất chuyển bước khẩn cấp"),
    "token.move_rejected": _("Không duyệt chuyển bước"),
    "token.moved": _("Chuyển bước khẩn cấp"),
    "token.move_undone": _("Hoàn tác chuyển bước"),
    "event.taken": _("Nhận sự kiện từ quy trình khác"),
    "event.thrown": _("Phát sự kiện ra ngoài quy trình"),
    "fee.paid": _("Thu phí, lệ phí"),
    "file.discarded": _("Bỏ tệp"),
    "file.kept": _("Nhận tệp"),
    "identity.looked_up": _("Tra cứu số định danh"),
    "incident.opened": _("Phát sinh sự cố"),
    "incident.retried": _("Thử lại sự cố"),
    "incident.settled": _("Đóng sự cố"),
    "key.unlocked": _("Mở khóa ký"),
    "key.registered": _("Đăng ký khóa ký"),
    "key.replaced": _("Khóa ký được thay bằng khóa mới"),
    "key.pin_reset": _("Đặt lại mã PIN"),
    "message.delivered": _("Đã gửi thông báo"),
    "notice.sent": _("Gửi thông báo"),
    "person.appointed": _("Bổ nhiệm"),
    "person.entered": _("Thêm người"),
    "position.created": _("Lập vị trí công tác"),
    "power.delegated": _("Ủy quyền"),
    "draft.begun": _("Bắt đầu bản soạn quy trình"),
    "draft.handed_over": _("Giao bản soạn cho người khác"),
    "draft.moved": _("Đổi trạng thái bản soạn"),
    "procedure.put_forward": _("Gửi duyệt quy trình"),
    "procedure.rejected": _("Trả lại đề xuất quy trình"),
    "procedure.published": _("Ban hành quy trình"),
    "dossier.migrated": _("Chuyển phiên bản quy trình"),
    "dossier.migration_undone": _("Hoàn tác chuyển phiên bản"),
    "dossier.migration_refused": _("Giữ phiên bản cũ"),
    "migration.planned": _("Lập phương án chuyển phiên bản"),
    "migration.chosen": _("Chọn cách chuyển phiên bản"),
    "migration.submitted": _("Gửi xác nhận phương án chuyển phiên bản"),
    "migration.started": _("Bắt đầu chuyển phiên bản"),
    "migration.discarded": _("Hủy phương án chuyển phiên bản"),
    "migration.undo_started": _("Bắt đầu hoàn tác chuyển phiên bản"),
    "migration.finished": _("Kết thúc chuyển phiên bản"),
    "result.returned": _("Trả kết quả"),
    "seal.prepared": _("Chuẩn bị ký số cơ quan"),
    "line.prepared": _("Chuẩn bị ký số phụ lục, bản sao"),
    "signature.approved": _("Chấp thuận ký"),
    "signature.failed": _("Ký không thành"),
    "signature.placed": _("Dời vị trí chữ ký"),
    "signature.prepared": _("Chuẩn bị ký"),
    "supplement.answered": _("Nộp bổ sung"),
    "supplement.requested": _("Yêu cầu bổ sung"),
    "task.assigned": _("Giao việc"),
    "task.claimed": _("Nhận việc"),
    "task.completed": _("Hoàn thành bước"),
    "task.completion_undone": _("Hoàn tác"),
    "task.opened": _("Chuyển đến bước"),
    "task.released": _("Trả việc về hàng đợi"),
    "task.sent_back": _("Chuyển trả bước trước"),
    "timer.fired": _("Đồng hồ kích hoạt"),
    "token.created": _("Tạo mã truy cập"),
    "token.revoked": _("Thu hồi mã truy cập"),
    "tracking.access_granted": _("Người dân mở hồ sơ"),
    "tracking.access_refused": _("Mở hồ sơ bằng mã sai"),
    "unit.established": _("Thành lập đơn vị"),
}


def install(app: Flask) -> None:
    """Give the templates the words."""
    app.jinja_env.globals.update(
        status_state=status_state,
        document_state=lambda s: DOCUMENT_STATE.get(s, ("", "paper", s)),
        entry_state=lambda s: ENTRY.get(s, ("", "dot", s)),
        outcome_state=lambda o: OUTCOME.get(o),
        how_word=lambda h: HOW.get(h, h),
        handover_word=lambda h: HANDOVER.get(h, h),
        day_word=day_word,
        day_kind_word=lambda k: DAY_KIND.get(k, k),
        due_reason_word=lambda r: DUE_REASON.get(r, r),
        channel_word=lambda c: CHANNEL.get(c, c),
        delivery_word=lambda d: DELIVERY.get(d, d),
        component_form_word=lambda f: COMPONENT_FORM.get(f, f),
        register_word=register_word,
        attachment=attachment,
        level_word=lambda v: LEVEL.get(v, v),
        actor_word=actor_word,
        fact_word=fact_word,
        role_word=role_word,
        words_of=words_of,
        capacity_word=capacity_word,
        term_words=term_words,
    )


def status_state(status: str) -> tuple[str, str, str]:
    """Return colour, picture and word of a business status."""
    return (*STATUS.get(status, ("", "dot")), pick(status_names().get(status), status))


def statuses() -> list[tuple[str, str]]:
    """Return every status with its word, for a filter; before them all that stand still."""
    return [("paused", gettext("Tạm dừng")), *((key, pick(names)) for key, names in status_names().items())]


def day_word(reason_code: str) -> LazyProxy | str:
    """Return why a day counts or does not."""
    return DAY.get(reason_code.rsplit(".", 1)[-1], reason_code)


def actor_word(who: str) -> LazyProxy | str:
    """Return the word for an actor that is no person; a name stays a name."""
    return ACTOR.get(who, who)


def fact_word(kind: str) -> LazyProxy | str:
    """Return a journal fact as words."""
    return FACT.get(kind, kind)


def register_word(kind: str) -> LazyProxy | str:
    """Return the name of a register; one that belongs to a procedure is told apart by its key."""
    return REGISTER[kind] if kind in REGISTER else gettext("Sổ riêng của thủ tục (%(key)s)") % {"key": kind}


COPY = {"full_copy": _("bản sao y"), "re_copy": _("bản sao lục"), "extract": _("bản trích sao")}


def attachment(link: Mapping[str, Any]) -> str:
    """Return what an annex or a copy is attached to, in words."""
    if "copy" in link:
        of = ", ".join(pick(name) for name in link["of"])
        form = str(COPY.get(link["copy"], link["copy"]))
        return gettext("%(form)s của: %(of)s") % {"form": form, "of": of} if of else form
    number = f"{link['number']:02d}/{link['symbol']}"
    return gettext("phụ lục của %(name)s số %(number)s") % {"name": pick(link["name"]), "number": number}


def role_word(role: str) -> str:
    """Return what people call a role."""
    return pick(role_names().get(role), role)


def roles() -> list[tuple[str, str]]:
    """Return every role with its name, for a choice."""
    return [(key, pick(names)) for key, names in role_names().items()]


def capacity_word(capacity: str) -> str:
    """Return what people call a signing capacity."""
    return pick(capacity_names().get(capacity), capacity)


def words_of(options: Any) -> list[tuple[str, str]]:
    """Return the options of a field as (value, label)."""
    return [(option.value, pick(option.label)) for option in options]


def term_words(term: dict[str, Any]) -> str:
    """Return a term as words: ``3 ngày làm việc``."""
    unit = str(term.get("unit", ""))
    words = {
        "same_day": _("Trong ngày"),
        "working_day": _("%(n)s ngày làm việc"),
        "working_hour": _("%(n)s giờ làm việc"),
        "calendar_day": _("%(n)s ngày"),
    }.get(unit)
    return str(words) % {"n": term.get("amount", "")} if words is not None else ""
