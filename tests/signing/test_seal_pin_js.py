"""What the browser seals, the custody opens: the module of the page under Node's own WebCrypto."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from signing.pin_seal import SealingKey, seal_pin
from tests.support.signing_office import refused

ROOT = Path(__file__).parents[2]
SCRIPT = """
import { sealPin } from './seal-pin.mjs'
const [key, nonce, pin] = process.argv.slice(2)
try { console.log(await sealPin(JSON.parse(key), nonce, pin)) } catch (problem) { console.log(problem.name) }
"""


@pytest.fixture
def browser(tmp_path: Path):  # type: ignore[no-untyped-def]
    node = shutil.which("node", path=f"{ROOT / '.venv' / 'bin'}:/usr/bin:/usr/local/bin")
    assert node is not None
    shutil.copy(ROOT / "webapp" / "assets" / "src" / "seal-pin.js", tmp_path / "seal-pin.mjs")
    (tmp_path / "page.mjs").write_text(SCRIPT)

    def sealed(key: SealingKey, nonce: str, pin: str) -> str:
        command = [node, "page.mjs", json.dumps(key.public), nonce, pin]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.strip()

    return sealed


@pytest.mark.parametrize("pin", ["135790", "mật khẩu ẵ 2026", "a" * 64])
def test_the_custody_opens_what_the_page_sealed(browser, pin: str) -> None:  # type: ignore[no-untyped-def]
    key = SealingKey()
    assert key.open(browser(key, "abc_-DEF0123456789xyz", pin)).decode() == pin


def test_a_pin_in_another_spelling_of_unicode_is_the_same_pin(browser) -> None:  # type: ignore[no-untyped-def]
    key = SealingKey()
    assert key.open(browser(key, "n", "ma\u0302\u0323t")).decode() == "mật"


def test_too_long_and_empty_pins_are_not_sealed(browser) -> None:  # type: ignore[no-untyped-def]
    key = SealingKey()
    assert browser(key, "n", "") == "RangeError"
    assert browser(key, "n", "a" * 65) == "RangeError"


def test_a_seal_tells_nothing_and_fits_one_process_one_nonce(browser) -> None:  # type: ignore[no-untyped-def]
    key, other = SealingKey(), SealingKey()
    short, long = seal_pin(key.public, "n", "123456"), seal_pin(key.public, "n", "1234567890123456")
    assert len(short) == len(long) == len(browser(key, "n", "1"))
    assert short != seal_pin(key.public, "n", "123456")
    with refused("signing.pin_seal_broken"):
        other.open(short)
    with refused("signing.pin_seal_broken"):
        key.open(short.replace("v1.n.", "v1.m."))
