"""Invented citizens with well-formed identity numbers, and the photographed papers they bring; every page says TEST."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from engine.commands.dossiers import PartyInput
from engine.dossier.identity import number_facts
from engine.errors import Refused

A4_SMALL = (620, 877)
"""Pixels of a photographed page: readable on screen, small in a store of two hundred dossiers."""


def invent(words: Mapping[str, Any], chance: Random) -> PartyInput:
    """Return a citizen who does not exist; one in ten gives an e-mail address (of a domain nobody can own)."""
    sex = chance.choice(("female", "male"))
    birth_on = date(1950, 1, 1) + timedelta(days=chance.randint(0, 58 * 365))
    name = f"{chance.choice(words['families'])} {chance.choice(words[sex])}"
    return PartyInput(
        name=name,
        identity=number(birth_on, sex, chance),
        birth_on=birth_on,
        sex=sex,
        address=chance.choice(words["places"]),
        phone=f"0900{chance.randint(0, 999_999):06d}",
        email=f"cong.dan.{chance.randint(1, 999)}@example.com" if chance.random() < 0.1 else "",
    )


def number(birth_on: date, sex: str, chance: Random) -> str:
    """Return an identity number that agrees with birth date and sex by its published structure."""
    while True:
        tried = f"{chance.randint(1, 96):03d}{chance.randint(0, 3)}{birth_on.year % 100:02d}{chance.randint(0, 999_999):06d}"
        try:
            facts = number_facts(tried)
        except Refused:
            continue
        if facts.birth_year == birth_on.year and facts.sex == sex:
            return tried


def photograph(paper: Mapping[str, Any], page: int, fonts: Path) -> bytes:
    """Return one page of a paper as a JPEG photograph."""
    image = Image.new("RGB", A4_SMALL, (250, 248, 240))
    pen = ImageDraw.Draw(image)
    tinos = next(fonts.rglob("Tinos_700Bold.ttf"))
    large, small = ImageFont.truetype(str(tinos), 30), ImageFont.truetype(str(tinos), 18)
    middle = A4_SMALL[0] / 2
    pen.rectangle((18, 18, A4_SMALL[0] - 18, A4_SMALL[1] - 18), outline=(120, 90, 40), width=3)
    pen.text((middle, 70), "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", font=small, fill="black", anchor="mm")
    pen.text((middle, 98), "Độc lập - Tự do - Hạnh phúc", font=small, fill="black", anchor="mm")
    for line, text in enumerate(wrapped(paper["name"].upper(), 26)):
        pen.text((middle, 210 + 40 * line), text, font=large, fill=(140, 20, 20), anchor="mm")
    for line, text in enumerate(wrapped(paper["issuer"], 44)):
        pen.text((middle, 340 + 26 * line), text, font=small, fill="black", anchor="mm")
    for line in range(12):
        pen.line((80, 420 + 30 * line, A4_SMALL[0] - 80 - 13 * (line % 4), 420 + 30 * line), fill=(90, 90, 90), width=2)
    pen.text((middle, 815), f"BẢN MẪU TEST · trang {page}/{paper['pages']}", font=small, fill=(160, 0, 0), anchor="mm")
    out = io.BytesIO()
    image.save(out, "JPEG", quality=60)
    return out.getvalue()


def wrapped(text: str, width: int) -> list[str]:
    """Return *text* in lines of at most *width* letters."""
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= width and lines[-1]:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
