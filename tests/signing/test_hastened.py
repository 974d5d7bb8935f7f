"""The hastened functions answer as the originals do: same value, same place in the file afterwards, same refusal."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from asn1crypto import cms, core, x509
from hypothesis import example, given
from hypothesis import strategies as st
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader

from signing import hastened, pades
from tests.support.effort import effort
from tests.support.signing_office import Office

_DIGITS = st.text("0123456789abcdefABCDEF", max_size=40)
_SPELLINGS = st.lists(st.one_of(_DIGITS, st.sampled_from([" ", "\n", "\0", "%x\n", "g", "<", ">", "é"])), max_size=6).map("".join)


def _outcome(read: Callable[[Any], Any], written: bytes) -> tuple[object, ...]:
    stream = io.BytesIO(b"x" + written)
    stream.seek(1)
    try:
        found = read(stream)
    except Exception as problem:
        return type(problem), str(problem)
    return type(found), found, found.original_bytes, stream.tell()


@given(_SPELLINGS, st.sampled_from(["", ">", "> /Next", ">>"]))
@example("0" * 4094, ">")
@example("0" * 4095, ">")
@example("0" * 4096, ">")
@example("0" * 4097, ">")
@example("F" * 8192, "")
@example("F" * 8191, " 0>")
def test_hexadecimal_strings(inside: str, after: str) -> None:
    written = f"<{inside}{after}".encode("latin-1")
    assert _outcome(hastened.read_hex_string, written) == _outcome(hastened.read_slowly, written)


def _prepared(prepare: Callable[[Any, str], str], text: str) -> object:
    try:
        return prepare(None, text)
    except Exception as problem:
        return type(problem), str(problem)


@given(st.text())
@example("Ban Cơ yếu Chính phủ")
@example("\ufffd")
@example("abc \u05d0")
@example("")
def test_names(text: str) -> None:
    for _ in range(2):
        assert _prepared(hastened.prepare_name, text) == _prepared(hastened.prepare_slowly, text)


_PARTS = st.tuples(
    st.sampled_from(["common_name", "country_name", "organization_name", "2.5.4.97"]),
    st.sampled_from(["Sở Tư pháp", "SỞ  TƯ PHÁP", " Sở Tư pháp ", "VN", "vn", "\ufffd", ""]),
    st.sampled_from(["utf8_string", "bmp_string"]),
)


def _name(parts: list[tuple[str, str, str]]) -> x509.RDNSequence:
    rows = [
        x509.RelativeDistinguishedName([x509.NameTypeAndValue({"type": kind, "value": x509.DirectoryString(form, text)})])
        for kind, text, form in parts
    ]
    return x509.RDNSequence(rows)


def _answer(ask: Callable[..., object], *asked: object) -> object:
    try:
        return ask(*asked)
    except Exception as problem:
        return type(problem), str(problem)


@given(st.lists(_PARTS, max_size=3), st.lists(_PARTS, max_size=3))
def test_names_are_the_same_or_not_as_before(one: list[tuple[str, str, str]], other: list[tuple[str, str, str]]) -> None:
    first, second = _name(one), _name(other)
    for pair in ((first, second), (first, _name(one)), (second, first), (first, "a text")):
        for _ in range(2):
            assert _answer(hastened.same_name, *pair) == _answer(hastened.same_slowly, *pair)
    assert _answer(hastened.name_key, first) == _answer(hastened.key_slowly, first)


@pytest.mark.parametrize(
    ("header", "is_indefinite"),
    [
        ("3080", True), ("308180", False), ("30820180", False), ("a0803080", True), ("a08180308180", False), ("a0043080", True),
        ("bf8a058180", False), ("bf8a0580", True), ("bf800180", True), ("30", False), ("", False), ("bf", False), ("bf80", False),
    ],
)  # fmt: skip
def test_an_indefinite_length_is_told_from_one_that_ends_in_the_same_octet(header: str, is_indefinite: bool) -> None:
    assert hastened.indefinite(bytes.fromhex(header)) is is_indefinite


class Bag(core.SequenceOf):
    _child_spec = core.OctetString


@pytest.mark.parametrize("length", [125, 126, 127, 382, 383])
@pytest.mark.parametrize("explicit", [None, 0])
def test_sequences_are_written_as_before(length: int, explicit: int | None) -> None:
    """A content of 128 octets has the header 30 81 80; read, made, changed, forced: the same bytes."""
    options: dict[str, Any] = {} if explicit is None else {"explicit": explicit}
    made = Bag([b"x" * (length - 3 if length > 200 else length - 2)], **options)
    written = hastened.dump_slowly[core.SequenceOf](made)
    read = Bag.load(written, **options)
    assert made.dump() == read.dump() == read.dump(force=True) == made.copy().dump() == written
    read.append(core.OctetString(b"more"))
    assert read.dump() == hastened.dump_slowly[core.SequenceOf](read) == Bag([one.native for one in read], **options).dump() != written


def test_an_indefinite_sequence_is_written_as_a_definite_one() -> None:
    assert Bag.load(bytes.fromhex("3080040161" + "0000")).dump() == bytes.fromhex("3003040161")


def test_what_is_128_octets_long_is_not_written_anew() -> None:
    """Whatever holds it: the library's way writes everything below it anew, at each level once more, each time it is asked."""
    sizes = (cms.CMSAttributes([cms.CMSAttribute({"type": "message_digest", "values": [b"x" * size]})]) for size in range(90, 128))
    made = next(one for one in sizes if one.dump()[:3] == b"\x31\x81\x80")
    read = cms.CMSAttributes.load(made.dump())
    assert read[0]["type"].native == "message_digest"

    with effort() as counted:
        written = read.dump()
    with effort() as slowly:
        same = hastened.dump_slowly[core.SequenceOf](read)
    assert same == written
    assert slowly.calls > 2 * counted.calls


def test_the_libraries_use_them() -> None:
    assert core.Sequence.dump is core.SequenceOf.dump is hastened.dump_sequence
    assert pades.hasten is hastened.hasten
    assert generic.read_hex_string_from_stream is hastened.read_hex_string  # type: ignore[comparison-overlap]
    assert x509.NameTypeAndValue._ldap_string_prep is hastened.prepare_name
    assert x509.RDNSequence.__eq__ is hastened.same_name
    assert x509.RDNSequence.hashable.fget is hastened.name_key
    with pytest.raises(ValueError, match="replacement"):
        _ = x509.NameTypeAndValue({"type": "common_name", "value": x509.DirectoryString("utf8_string", "\ufffd")}).prepped_value


def test_reading_a_signature_does_not_go_digit_by_digit(office: Office) -> None:
    signed = office.leader_signed()
    with effort() as counted:
        assert len(PdfFileReader(io.BytesIO(signed), strict=True).embedded_regular_signatures) == 1
    assert counted.calls < 20_000  # 32,768 digits are in it
