"""The identity of a citizen: the QR text of the card, the published structure of the number, plain checks of a person's fields.

Nothing here looks a person up: a number that passes is well formed, not proven. Refusals name the field and never repeat what was typed.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from engine.errors import Invalid, Refused

LONGEST_CARD = 1000
_OLDEST = 130
_SEXES = {"male": "male", "nam": "male", "m": "male", "female": "female", "nữ": "female", "nu": "female", "f": "female"}
_GAPS = re.compile(r"\s+")
_PHONE = re.compile(r"(?:\+?84|0)\d{9,10}")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]{2,}")


@dataclass(frozen=True, slots=True)
class Card:
    """What the QR code of an identity card says."""

    number: str
    old_number: str
    name: str
    birth_on: date
    sex: str
    address: str
    issued_on: date | None


@dataclass(frozen=True, slots=True)
class NumberFacts:
    """What the digits of a personal identification number say by themselves."""

    place: str
    sex: str
    birth_year: int


def read_card(text: str, today: date) -> Card:
    """Return the card whose QR text was scanned: ``number|old number|name|ddmmyyyy|sex|address|issued``; later fields are ignored.

    Raises:
        Invalid: with one refusal per field at fault; the field ``card`` when it is no such text at all.
    """
    parts = [clean_text(part) for part in text.strip().split("|")]
    if len(text) > LONGEST_CARD or len(parts) < 6:
        raise Invalid({"card": Refused("identity.card_unreadable", field="card")})
    wrong: dict[str, Refused] = {}
    birth_on = _card_date(parts[3], "birth_on", wrong)
    issued_on = _card_date(parts[6], "issued_on", wrong) if len(parts) > 6 and parts[6] else None
    if parts[1] and not re.fullmatch(r"\d{9}|\d{12}", parts[1]):
        wrong["old_number"] = Refused("identity.old_number_wrong", field="old_number")
    if not parts[5]:
        wrong["address"] = Refused("identity.address_missing", field="address")
    sex = sex_of(parts[4]) or ""
    if not sex:
        wrong["sex"] = Refused("identity.sex_unknown", field="sex")
    for refused in check_person(name=parts[2], number=parts[0], birth_on=birth_on, sex=sex, today=today):
        wrong.setdefault(str(refused.field), refused)
    if issued_on is not None and birth_on is not None and not birth_on <= issued_on <= today:
        wrong.setdefault("issued_on", Refused("identity.issued_on_wrong", field="issued_on"))
    if wrong or birth_on is None:
        raise Invalid(wrong)
    return Card(digits(parts[0]), parts[1], parts[2], birth_on, sex, parts[5], issued_on)


def check_person(
    *, name: str, number: str, birth_on: date | None = None, sex: str = "", phone: str = "", email: str = "", today: date
) -> list[Refused]:
    """Return what is wrong with the fields of a person; the number is checked by its structure and against birth date and sex.

    Fields: ``name``, ``identity``, ``birth_on``, ``sex``, ``phone``, ``email``.
    """
    found = []
    cleaned = clean_text(name)
    if not cleaned:
        found.append(Refused("identity.name_missing", field="name"))
    elif any(c.isdigit() or c in "<>|@" for c in cleaned) or sum(c.isalpha() for c in cleaned) < 2:
        found.append(Refused("identity.name_wrong", field="name"))
    known_sex = sex_of(sex)
    if sex and known_sex is None:
        found.append(Refused("identity.sex_unknown", field="sex"))
    if birth_on is not None and (birth_on > today or today.year - birth_on.year > _OLDEST):
        found.append(Refused("identity.birth_on_wrong", field="birth_on"))
        birth_on = None
    found += check_number(number, birth_on, known_sex, today)
    if phone and not _PHONE.fullmatch(re.sub(r"[\s.\-()]", "", phone)):
        found.append(Refused("identity.phone_wrong", field="phone"))
    if email and not _MAIL.fullmatch(email.strip()):
        found.append(Refused("identity.email_wrong", field="email"))
    return found


def check_number(number: str, birth_on: date | None, sex: str | None, today: date) -> list[Refused]:
    """Return what is wrong with a number by the published rules, and where birth date or sex contradict it."""
    source = str(_rules()["structure"]["legal_basis"])
    if not number.strip():
        return [Refused("identity.number_missing", field="identity")]
    try:
        facts = number_facts(number)
    except Refused as refused:
        return [refused]
    if facts.birth_year > today.year:
        return [Refused("identity.number_from_the_future", field="identity", source=source)]
    found = []
    if birth_on is not None and birth_on.year != facts.birth_year:
        found.append(Refused("identity.birth_year_contradicts_number", field="birth_on", source=source))
    if sex is not None and sex != facts.sex:
        found.append(Refused("identity.sex_contradicts_number", field="sex", source=source))
    return found


def number_facts(number: str) -> NumberFacts:
    """Return what a number says by itself.

    Raises:
        Refused: it has letters, not twelve digits, or a code of no province.
    """
    rules, bare = _rules(), re.sub(r"[\s.\-]", "", unicodedata.normalize("NFKC", number))
    source = str(rules["structure"]["legal_basis"])
    if not re.fullmatch(r"[0-9]+", bare):
        raise Refused("identity.number_not_digits", field="identity", source=source)
    if len(bare) != rules["structure"]["length"]:
        raise Refused("identity.number_length", field="identity", source=source, length=rules["structure"]["length"], found=len(bare))
    place = bare[:3]
    if place not in rules["provinces"]["codes"] and int(place) < rules["structure"]["abroad_from"]:
        raise Refused("identity.number_place_unknown", field="identity", source=str(rules["provinces"]["legal_basis"]))
    digit = int(bare[3])
    century = next(row for row in rules["century"] if digit in (row["male"], row["female"]))
    return NumberFacts(place, "male" if digit == century["male"] else "female", century["first_year"] + int(bare[4:6]))


def clean_text(text: str) -> str:
    """Return *text* in NFC without control characters, gaps narrowed to one blank."""
    composed = unicodedata.normalize("NFC", text)
    printable = "".join(
        " " if c.isspace() else c for c in composed if c.isspace() or unicodedata.category(c) not in ("Cc", "Cf", "Co", "Cs")
    )
    return _GAPS.sub(" ", printable).strip()


def digits(text: str) -> str:
    """Return the digits of *text* as ASCII; how numbers and telephones are stored and compared."""
    return "".join(c for c in unicodedata.normalize("NFKC", text) if "0" <= c <= "9")


def sex_of(word: str) -> str | None:
    """Return ``male`` or ``female`` for a word of a card or a form; None for any other."""
    return _SEXES.get(clean_text(word).casefold())


def _card_date(text: str, field: str, wrong: dict[str, Refused]) -> date | None:
    found = re.fullmatch(r"(\d{2})/?(\d{2})/?(\d{4})", text)
    try:
        if found is None:
            raise ValueError(field)
        return date(int(found[3]), int(found[2]), int(found[1]))
    except ValueError:
        wrong[field] = Refused("identity.no_such_date", field=field)
        return None


@cache
def _rules() -> dict[str, Any]:
    return tomllib.loads(resources.files("engine.dossier").joinpath("identity_number.toml").read_text(encoding="utf-8"))
