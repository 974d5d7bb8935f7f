"""How values are written for people: dd/MM/yyyy HH:mm (Ho Chi Minh City), đồng, sizes, remaining time in words."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from markupsafe import Markup

from webapp.i18n import gettext as _
from webapp.i18n import ngettext

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
DASH = "–"
DASH_MARK = Markup("–")
TIME = Markup('<time datetime="{}" class="nowrap">{}</time>')


def install(app: Flask) -> None:
    """Give the templates their filters."""
    app.jinja_env.filters.update(
        base64=lambda content: b64encode(content).decode(),
        instant=instant,
        day=day,
        clock_time=clock_time,
        money=money,
        size=size,
        number=number,
        millimetres=millimetres,
        instant_tag=instant_tag,
        day_tag=day_tag,
        weekday=weekday,
        duration=duration,
    )
    app.jinja_env.globals.update(remaining_time=remaining_time)


def as_instant(value: datetime | str) -> datetime:
    """Return an aware instant in the office's zone; text is read as ISO 8601."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.astimezone(ZONE)


def instant(value: datetime | str | None) -> str:
    """Return ``22/11/2026 08:12``."""
    return as_instant(value).strftime("%d/%m/%Y %H:%M") if value else DASH


def day(value: date | datetime | str | None) -> str:
    """Return ``22/11/2026``."""
    if not value:
        return DASH
    if isinstance(value, str):
        value = datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
    if isinstance(value, datetime):
        value = value.astimezone(ZONE) if value.tzinfo else value
    return value.strftime("%d/%m/%Y")


def clock_time(value: datetime | time | str | None) -> str:
    """Return ``08:12``."""
    if not value:
        return DASH
    if isinstance(value, time):
        return value.strftime("%H:%M")
    return as_instant(value).strftime("%H:%M")


def instant_tag(value: datetime | str | None) -> Markup:
    """Return the instant inside ``<time>`` for machines."""
    if not value:
        return DASH_MARK
    return TIME.format(as_instant(value).isoformat(timespec="minutes"), instant(value))


def day_tag(value: date | datetime | str | None) -> Markup:
    """Return the date inside ``<time>`` for machines."""
    if not value:
        return DASH_MARK
    shown = day(value)
    return TIME.format("-".join(reversed(shown.split("/"))), shown)


def weekday(value: date | datetime | str) -> str:
    """Return the day of the week as a word."""
    shown = day(value)
    index = date(int(shown[6:]), int(shown[3:5]), int(shown[:2])).weekday()
    return (_("thứ Hai"), _("thứ Ba"), _("thứ Tư"), _("thứ Năm"), _("thứ Sáu"), _("thứ Bảy"), _("Chủ nhật"))[index]


def number(value: Any) -> str:
    """Return a whole number with dots between thousands."""
    return f"{int(value):,}".replace(",", ".")


def millimetres(value: float) -> str:
    """Return a length with at most one decimal and a comma: ``112,4``."""
    return f"{value:.1f}".removesuffix(".0").replace(".", ",")


def money(value: Any) -> str:
    """Return an amount of đồng."""
    return f"{number(value or 0)} đ"


def size(value: int | None) -> str:
    """Return the size of a file."""
    amount = float(value or 0)
    for unit in ("B", "KB", "MB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit != "MB" else f"{amount:.1f} MB".replace(".", ",")
        amount /= 1024
    return f"{amount:.1f} GB".replace(".", ",")


def duration(value: timedelta | None, hours_a_day: float = 8) -> str:
    """Return working time as the one or two units that matter: ``2 ngày 3 giờ``, ``4 giờ``, ``25 phút``."""
    minutes = int(abs(value or timedelta()).total_seconds() // 60)
    per_day = int(hours_a_day * 60)
    days, rest = divmod(minutes, per_day)
    hours, left = divmod(rest, 60)
    if days >= 3 or (days and not hours):
        return ngettext("%(n)s ngày", "%(n)s ngày", days) % {"n": days}
    if days:
        return " ".join(
            (ngettext("%(n)s ngày", "%(n)s ngày", days) % {"n": days}, ngettext("%(n)s giờ", "%(n)s giờ", hours) % {"n": hours})
        )
    if hours:
        return ngettext("%(n)s giờ", "%(n)s giờ", hours) % {"n": hours}
    return ngettext("%(n)s phút", "%(n)s phút", left) % {"n": left} if left else _("chưa đầy 1 phút")


@dataclass(frozen=True, slots=True)
class Clock:
    """What a list says about a due date: tone (colour), picture, words."""

    tone: str
    icon: str
    words: str


def remaining_time(
    remaining: timedelta | None, *, paused: bool = False, finished: str | None = None, soon: timedelta = timedelta(hours=8)
) -> Clock:
    """Return how much working time is left, said with a picture and words; never with colour alone."""
    if finished:
        words = {"early": _("Xong trước hạn"), "on_time": _("Xong đúng hạn"), "late": _("Xong, quá hạn")}.get(finished, _("Đã xong"))
        return Clock("done" if finished != "late" else "late", "check" if finished != "late" else "warning", words)
    if paused:
        return Clock("paused", "pause", _("Tạm dừng"))
    if remaining is None:
        return Clock("", "dot", _("Không có hạn"))
    if remaining < timedelta():
        return Clock("late", "warning", _("Quá hạn %(time)s") % {"time": duration(remaining)})
    return Clock(
        "soon" if remaining <= soon else "", "half" if remaining <= soon else "dot", _("Còn %(time)s") % {"time": duration(remaining)}
    )
