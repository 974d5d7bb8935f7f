"""The agent's own sentences, Vietnamese and English; it knows no catalogue, it runs on another computer."""

from __future__ import annotations

from collections.abc import Mapping

LANGUAGES = ("vi", "en")

WORDS: Mapping[str, tuple[str, str]] = {
    "title": ("Ký trên máy này", "Signing on this computer"),
    "asks": ("Trang này đề nghị ký {count} văn bản", "This site asks you to sign {count} documents"),
    "asks_one": ("Trang này đề nghị ký một văn bản", "This site asks you to sign one document"),
    "with_key": ("Khóa của", "Key of"),
    "until": ("chứng thư hiệu lực đến", "certificate valid until"),
    "document": ("Văn bản", "Document"),
    "code": ("Mã đối chiếu", "Check code"),
    "compare": (
        "So từng mã với mã trong phòng ký. Khác mã, hoặc không phải anh/chị vừa bấm ký, thì từ chối.",
        "Compare each code with the signing room. If a code differs, or you have not just pressed sign, refuse.",
    ),
    "pin": ("Mã PIN của USB token", "PIN of the USB token"),
    "pin_hint": (
        "Mã PIN chỉ đi từ cửa sổ này vào token cắm ở máy này; không gửi lên máy chủ, không ghi lại.",
        "The PIN goes from this window to the token in this computer only; it is neither sent to a server nor kept.",
    ),
    "sign": ("Ký", "Sign"),
    "refuse": ("Từ chối", "Refuse"),
    "signed": ("Đã ký.", "Signed."),
    "back": ("Đóng cửa sổ này và quay lại phòng ký; văn bản tự hoàn tất ở đó.", "Close this window and go back to the signing room."),
    "agent.refused": ("Đã từ chối; chưa có gì được ký.", "Refused; nothing was signed."),
    "agent.withdrawn": ("Phòng ký đã hủy yêu cầu này.", "The signing room has withdrawn this request."),
    "agent.replaced": ("Yêu cầu này đã được thay bằng yêu cầu mới hơn.", "A newer request has taken the place of this one."),
    "agent.expired": ("Yêu cầu đã quá 10 phút; bấm ký lại trong phòng ký.", "The request is older than 10 minutes; press sign again."),
    "agent.pin_locked": (
        "Sai mã PIN ba lần: chương trình ngừng hỏi token để token không tự khóa. Kiểm tra lại mã PIN bằng phần mềm của token, rồi chạy lại"
        " chương trình với --unlock.",
        "Three wrong PINs: the agent no longer asks the token, so that the token does not lock itself. Check the PIN with the token's own"
        " software, then start the agent with --unlock.",
    ),
    "agent.approval_unknown": ("Không có yêu cầu này.", "There is no such request."),
    "agent.certificate_missing": (
        "Không thấy token có chứng thư này. Cắm đúng token rồi bấm lại; chưa có gì được ký.",
        "No token with this certificate is plugged in. Plug in the right one and try again; nothing was signed.",
    ),
    "custody.device_missing": (
        "Token đã bị rút ra. Cắm lại rồi bấm lại; chưa có gì được ký.",
        "The token was pulled out. Plug it in and try again; nothing was signed.",
    ),
    "custody.device_failed": (
        "Token báo lỗi. Rút ra, cắm lại rồi thử lại; chưa có gì được ký.",
        "The token reports a fault. Plug it in again and try again; nothing was signed.",
    ),
    "custody.device_weak": (
        "Token này không ký được RSASSA-PSS. Cần token mới hơn; chưa có gì được ký.",
        "This token cannot make RSASSA-PSS signatures. A newer one is needed; nothing was signed.",
    ),
    "custody.key_unknown": (
        "Token có chứng thư nhưng không có khóa của nó; chưa có gì được ký.",
        "The token holds the certificate but not its key; nothing was signed.",
    ),
    "signing.pin_wrong": ("Mã PIN không đúng. Còn {left} lần thử.", "The PIN is wrong. {left} tries are left."),
    "pin_missing": ("Chưa nhập mã PIN.", "No PIN was entered."),
    "home": ("Chương trình ký đang chạy", "The signing agent is running"),
    "serves": ("Chỉ trả lời trang", "It answers this site only:"),
    "tokens": ("Chứng thư trên các token đang cắm", "Certificates on the tokens plugged in"),
    "no_token": (
        "Chưa thấy chứng thư ký nào. Cắm token rồi tải lại trang này.",
        "No certificate for signing is found. Plug a token in and reload.",
    ),
    "home_hint": (
        "Để ký, bấm ký trong phòng ký; cửa sổ nhập mã PIN mở ở đây. Tắt chương trình: Ctrl+C trong cửa sổ lệnh.",
        "To sign, press sign in the signing room; the window for the PIN opens here. Ctrl+C in the terminal stops the agent.",
    ),
}


def word(name: str, language: str, **facts: object) -> str:
    """One sentence in a language; an unknown one is its own name."""
    if name not in WORDS:
        return name
    vi, en = WORDS[name]
    return (en if language == "en" else vi).format(**facts)
