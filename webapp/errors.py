"""What people see when the answer is no: the only place of the web that catches exceptions.

Refused (422) shows the form again with the reason at its field, Forbidden 403, NotFound 404, Conflict 409 says who was faster and when;
anything
else is our own mistake: 500 with an incident number that also stands in the log.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import structlog
from flask import Flask, current_app, g, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, TooManyRequests

from engine.errors import Conflict, EngineError, Forbidden, Invalid, NotFound, Refused
from engine.sentences import Sentence, sentence
from webapp.i18n import language
from webapp.i18n import lazy as _
from webapp.transaction import answered_meanwhile

log = structlog.get_logger("motcua.web")

# Problems of the transport, not of the office: said in our own words.
TRANSPORT = {
    400: (_("Yêu cầu không đọc được"), _("Trình duyệt đã gửi một yêu cầu không đúng dạng."), _("Quay lại trang trước và thử lại.")),
    401: (_("Cần đăng nhập"), _("Trang này chỉ dành cho người đã đăng nhập."), _("Đăng nhập rồi mở lại trang.")),
    403: (_("Không có quyền"), _("Tài khoản này không được mở trang này."), _("Quay về trang chính hoặc hỏi người quản trị.")),
    404: (_("Không tìm thấy"), _("Địa chỉ này không có trang nào."), _("Kiểm tra lại đường dẫn hoặc tìm theo mã hồ sơ.")),
    405: (_("Không làm được ở đây"), _("Địa chỉ này không nhận thao tác vừa gửi."), _("Quay lại trang trước và dùng nút trên trang.")),
    413: (
        _("Tệp quá lớn"),
        _("Tổng dung lượng gửi lên vượt mức cho phép."),
        _("Gửi từng tệp nhỏ hơn, hoặc quét lại với độ phân giải thấp hơn."),
    ),
    429: (_("Quá nhiều lần thử"), _("Đã gửi quá nhiều yêu cầu trong thời gian ngắn."), _("Đợi một phút rồi thử lại.")),
}
STALE_FORM = (
    _("Biểu mẫu đã hết hạn"),
    _("Phiên làm việc đã thay đổi từ khi trang được mở."),
    _("Tải lại trang rồi gửi lại; nội dung đã lưu tự động vẫn còn."),
)


def install(app: Flask) -> None:
    """Catch everything, here and nowhere else."""
    app.register_error_handler(EngineError, engine_said_no)
    app.register_error_handler(CSRFError, stale_form)
    app.register_error_handler(HTTPException, transport_problem)
    app.register_error_handler(Exception, our_mistake)


def said(error: EngineError) -> Sentence:
    """Return what, why and what to do, in the reader's language."""
    return sentence(error.code, language(), error.facts)


def engine_said_no(error: EngineError) -> ResponseReturnValue:
    """Answer a reason of the engine: at the field when a form asked, as a page otherwise; the same form twice gets its one answer."""
    first = answered_meanwhile()
    if first is not None:
        return first
    if wants_json():
        return problem(error), error.status
    if isinstance(error, Refused) and g.get("form_page") and not g.get("shown_again"):
        return show_again(error)
    if isinstance(error, NotFound | Forbidden | Conflict | Refused):
        return page(error.status, said(error), error), error.status
    return our_mistake(error)


def show_again(error: Refused) -> ResponseReturnValue:
    """Show the form's page again with the submitted answers and the reasons; nothing typed is lost, nothing was stored."""
    reasons = error.errors if isinstance(error, Invalid) else {error.field or "": error}
    g.shown_again = True
    g.refusals = {field: reason for field, reason in reasons.items() if field}
    g.refused = [reason for field, reason in reasons.items() if not field]
    g.submitted = request.form
    endpoint: str = g.form_page
    wanted = {name for rule in current_app.url_map.iter_rules(endpoint) for name in rule.arguments}
    answer = current_app.ensure_sync(current_app.view_functions[endpoint])(
        **{k: v for k, v in (request.view_args or {}).items() if k in wanted}
    )
    response = make_response(answer)
    response.status_code = 422 if response.status_code == 200 else response.status_code
    return response


def problem(error: EngineError) -> Any:
    """Return an error as an RFC 9457 problem, one entry per field."""
    words = said(error)
    body: dict[str, Any] = {
        "type": f"urn:motcua:problem:{error.code}",
        "title": words.what,
        "status": error.status,
        "detail": words.why,
        "code": error.code,
        "remedy": words.do,
        "message": f"{words.what} {words.do}",
    }
    if error.field:
        body["field"] = error.field
    if error.source:
        body["source"] = error.source
    if isinstance(error, Invalid):
        body["errors"] = {field: said(reason).what for field, reason in error.errors.items()}
    report = getattr(error, "report", None)
    if report is not None:
        body["report"] = report.as_json()
    return as_problem(body)


def as_problem(body: dict[str, Any]) -> Any:
    """Return a problem as its own media type."""
    response = jsonify(body)
    response.mimetype = "application/problem+json"
    return response


def stale_form(error: CSRFError) -> ResponseReturnValue:
    """Answer a form whose token is no longer ours."""
    return page(400, Sentence(*map(str, STALE_FORM))), 400


def transport_problem(error: HTTPException) -> ResponseReturnValue:
    """Answer what the transport refused; redirects pass."""
    code = error.code or 500
    if code < 400 or error.response is not None:
        return error
    if code not in TRANSPORT:
        return our_mistake(error)
    words = Sentence(*map(str, TRANSPORT[code]))
    if wants_json():
        known = {"title": words.what, "status": code, "detail": words.why, "remedy": words.do, "message": words.what}
        response = as_problem({"type": f"urn:motcua:problem:http.{code}", **known})
        if isinstance(error, TooManyRequests) and error.retry_after is not None:
            response.headers["Retry-After"] = str(error.retry_after)
        return response, code
    return page(code, words), code


def our_mistake(error: Exception) -> ResponseReturnValue:
    """Say that the mistake is ours, with the number under which the log knows it."""
    number = secrets.token_hex(4).upper()
    log.error("request.failed", incident=number, endpoint=request.endpoint, exc_info=error)
    words = sentence("web.our_mistake", language(), {"incident": number})
    if wants_json():
        known = {"title": words.what, "status": 500, "detail": words.why, "incident": number, "message": words.what}
        return as_problem({"type": "urn:motcua:problem:web.our_mistake", **known}), 500
    return page(500, words), 500


def page(status: int, words: Sentence, error: EngineError | None = None) -> str:
    """Return the error page: what happened, why, what to do; for a conflict also who and when."""
    return render_template(
        "error.html",
        status=status,
        words=words,
        facts=dict(error.facts) if isinstance(error, Conflict) else {},
        source=error.source if error else None,
    )


def wants_json() -> bool:
    """Whether a program asked: the API, or a script of ours that keeps a draft."""
    return request.path.startswith("/api/") or request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"


def attempted(act: Callable[[], object]) -> EngineError | None:
    """Do one of several acts; return why it was refused, so that the others go on and nothing is hidden."""
    try:
        act()
    except EngineError as error:
        return error
    return None
