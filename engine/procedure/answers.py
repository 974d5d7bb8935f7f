"""What one field makes of one answer: the canonical value that is stored, or the reason why not.

Texts are NFC; an integral number is a JSON integer and any other a canonical decimal text; a date is ISO text; a checklist keeps the
order of its options. ``typed`` turns a stored value into what FEEL computes with.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from engine.errors import Refused
from engine.procedure.form_fields import MAX_TEXT, Field

EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+")
PHONE = re.compile(r"(?:\+84|0)\d{9,10}")
CITIZEN_NUMBER = re.compile(r"\d{12}")
FILE_ID = re.compile(r"[A-Za-z0-9-]{1,80}")
MAX_NUMBER = Decimal(10) ** 15
MAX_PATTERN_TEXT = 200
MAX_FILES = 20

_DATE = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_ODD = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")  # control, direction, half letters


def is_blank(value: object) -> bool:
    """Return whether nothing was answered."""
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def clean(field: Field, value: object) -> Any:
    """Return the canonical value of *value* for *field*, ``None`` for no answer.

    Raises: Refused ``form.*`` with the field.
    """
    if field.kind == "checkbox":
        ticked = _truth(field, value)
        if field.required and not ticked:
            raise _refused("form.required", field)
        return ticked
    if is_blank(value):
        if field.required:
            raise _refused("form.required", field)
        return [] if field.kind == "checklist" or field.multiple else None
    if field.kind == "checklist":
        return _chosen(field, value)
    if field.kind == "file":
        return _files(field, value)
    if isinstance(value, list):
        if len(value) != 1:
            raise _refused("form.one_answer", field)
        value = value[0]
    if field.kind == "number":
        return canonical_number(_number(field, value))
    if not isinstance(value, str):
        raise _refused("form.text_expected", field)
    if field.kind == "date":
        return _date(field, value)
    if field.kind in ("select", "radio"):
        if value not in field.values:
            raise _refused("form.option_unknown", field)
        return value
    return _text(field, value)


def typed(field: Field, value: Any) -> Any:
    """Return a stored *value* as FEEL computes with it: Decimal, date, or unchanged."""
    if value is None:
        return None
    if field.kind == "number":
        return Decimal(str(value))
    if field.kind == "date":
        return date.fromisoformat(value)
    return value


def canonical_number(number: Decimal) -> int | str:
    """Return an integer for an integral number, else the shortest plain decimal text."""
    if number == number.to_integral_value():
        return int(number)
    return format(number.normalize(), "f")


def parse_number(text: str, decimals: int | None = None) -> Decimal:
    """Return the number a person wrote: Vietnamese (``1.234,5``) or plain (``1234.5``).

    ``1.250`` is read in two ways: as thousands where the field takes whole numbers, as a fraction where it takes three *decimals*; else it
    is refused rather than guessed.

    Raises: ValueError.
    """
    compact = text.strip().replace("\u00a0", "").replace(" ", "")
    if "," in compact:
        if not re.fullmatch(r"-?(\d{1,3}(\.\d{3})+|\d+),\d+", compact):
            raise ValueError(text)
        compact = compact.replace(".", "").replace(",", ".")
    elif re.fullmatch(r"-?[1-9]\d{0,2}(\.\d{3})+", compact):
        if decimals == 0 or compact.count(".") > 1:
            compact = compact.replace(".", "")
        elif decimals is None or decimals < 3:
            raise ValueError(text)
    if not re.fullmatch(r"-?\d{1,20}(\.\d{1,10})?", compact):
        raise ValueError(text)
    return Decimal(compact)


def parse_date(text: str) -> date | None:
    """Return the date in ``dd/MM/yyyy`` or ISO form; ``None`` if it is not written as a date.

    Raises: ValueError for a day that does not exist.
    """
    written = text.strip()
    if match := _DATE.fullmatch(written):
        return date(int(match[3]), int(match[2]), int(match[1]))
    if match := _ISO.fullmatch(written):
        return date(int(match[1]), int(match[2]), int(match[3]))
    return None


def _refused(code: str, field: Field, **facts: Any) -> Refused:
    return Refused(code, field=field.key, label=field.label.vi, label_en=field.label.en or field.label.vi, **facts)


def _truth(field: Field, value: object) -> bool:
    if isinstance(value, list):
        value = value[-1] if value else None
    if isinstance(value, bool):
        return value
    if value is None or value in ("", "false", "off", "0"):
        return False
    if value in ("true", "on", "1", "yes"):
        return True
    raise _refused("form.option_unknown", field)


def _chosen(field: Field, value: object) -> list[str]:
    answers = value if isinstance(value, list) else [value]
    if any(not isinstance(answer, str) or answer not in field.values for answer in answers):
        raise _refused("form.option_unknown", field)
    return [option for option in field.values if option in answers]


def _files(field: Field, value: object) -> Any:
    answers = value if isinstance(value, list) else [value]
    if len(answers) > MAX_FILES or any(not isinstance(answer, str) or not FILE_ID.fullmatch(answer) for answer in answers):
        raise _refused("form.file_unknown", field)
    if field.multiple:
        return answers
    if len(answers) != 1:
        raise _refused("form.one_answer", field)
    return answers[0]


def _number(field: Field, value: object) -> Decimal:
    if isinstance(value, bool):
        raise _refused("form.number_expected", field)
    try:
        number = parse_number(value, field.decimals) if isinstance(value, str) else Decimal(str(value))
    except (ValueError, InvalidOperation):
        raise _refused("form.number_expected", field) from None
    if not number.is_finite() or abs(number) > MAX_NUMBER:
        raise _refused("form.number_too_large", field)
    exponent = number.normalize().as_tuple().exponent
    if field.decimals is not None and isinstance(exponent, int) and -exponent > field.decimals:
        raise _refused("form.decimals", field, decimals=field.decimals)
    if field.minimum is not None and number < field.minimum:
        raise _refused("form.too_small", field, minimum=canonical_number(field.minimum))
    if field.maximum is not None and number > field.maximum:
        raise _refused("form.too_big", field, maximum=canonical_number(field.maximum))
    return number


def _date(field: Field, value: str) -> str:
    try:
        day = parse_date(value)
    except ValueError:
        raise _refused("form.date_impossible", field) from None
    if day is None:
        raise _refused("form.date_expected", field)
    if not 1850 <= day.year <= 2200:
        raise _refused("form.date_impossible", field)
    return day.isoformat()


def _text(field: Field, value: str) -> str:
    text = unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if _ODD.search(text):
        raise _refused("form.letters_odd", field)
    if field.kind == "text":
        text = " ".join(text.split())
    limit = min(field.max_length if field.max_length is not None else MAX_TEXT, MAX_TEXT)
    if len(text) > limit:
        raise _refused("form.too_long", field, limit=limit)
    if field.min_length is not None and len(text) < field.min_length:
        raise _refused("form.too_short", field, limit=field.min_length)
    if field.format == "email" and not EMAIL.fullmatch(text):
        raise _refused("form.email", field)
    if field.format == "phone":
        text = re.sub(r"[ .()-]", "", text)
        if not PHONE.fullmatch(text):
            raise _refused("form.phone", field)
    if field.format == "citizen_number":
        text = re.sub(r"[ .-]", "", text)
        if not CITIZEN_NUMBER.fullmatch(text):
            raise _refused("form.citizen_number", field)
    if field.pattern is not None and (len(text) > MAX_PATTERN_TEXT or not re.fullmatch(field.pattern, text)):
        raise _refused("form.pattern", field)
    return text
