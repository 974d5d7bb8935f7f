"""The only change of content admitted after a signature: number and date, once, between leader and agency, drawn exactly as declared."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import HistoricalResolver, PdfFileReader
from pyhanko.sign.diff_analysis import FieldMDPRule, FormUpdate, ModificationLevel, SuspiciousModification
from pyhanko.sign.diff_analysis.form_rules_api import FieldComparisonContext, FieldComparisonSpec

from signing.errors import SigningError
from signing.fields import PATTERN_KEY, field_size, font_program, font_size
from signing.fonts import RESOURCE_NAME, glyphs_of
from signing.model import AGENCY, DATE, NUMBER
from signing.textline import draw

NAMES = (NUMBER, DATE)
_FORM_KEYS = ("/DR", "/DA", "/Q", "/NeedAppearances")
_APPEARANCE_KEYS = {"/Type", "/Subtype", "/BBox", "/Resources", "/Length", "/Filter"}
_PACKED = "/FlateDecode"
Update = tuple[ModificationLevel, FormUpdate]


class NumberingRule(FieldMDPRule):
    """Admits the filling of the two named text fields; any other change of a text field, font or form default is suspicious."""

    def apply(self, context: FieldComparisonContext) -> Iterable[Update]:
        """The updates this rule explains."""
        old_form, new_form = _form(context.old), _form(context.new)
        for key in _FORM_KEYS:
            if _raw(old_form, key) != _raw(new_form, key):
                raise SuspiciousModification(f"form entry {key} changed")
        for name, spec in context.field_specs.items():
            if spec.field_type != "/Sig":
                yield from self._field(name, spec, context)

    def _field(self, name: str, spec: FieldComparisonSpec, context: FieldComparisonContext) -> Iterable[Update]:
        old, new = spec.old_field, spec.new_field
        if old is None or new is None or spec.new_field_ref is None:
            raise SuspiciousModification(f"field {name} added or removed")
        if _same(old, new):
            return
        if name not in NAMES or "/V" in old or "/V" not in new or spec.field_type != "/Tx":
            raise SuspiciousModification(f"field {name} changed")
        if set(new) - set(old) - {"/V"} or set(old) - set(new) or any(_raw(old, key) != _raw(new, key) for key in old if key != "/AP"):
            raise SuspiciousModification(f"field {name} changed beyond its value")
        shown = check_appearance(new, context.old)
        if not context.old.is_ref_unassignable(shown):
            raise SuspiciousModification("appearance replaces an existing object")
        for place in spec.expected_contexts():
            yield ModificationLevel.FORM_FILLING, FormUpdate(updated_ref=spec.new_field_ref, field_name=name, context_checked=place)
        yield ModificationLevel.FORM_FILLING, FormUpdate(updated_ref=shown, field_name=name)


def check_appearance(field: generic.DictionaryObject, signed: HistoricalResolver) -> generic.Reference:
    """Check that a filled field shows its value drawn with the font of the *signed* revision, byte by byte; its appearance's reference.

    Raises:
        SuspiciousModification: when anything differs: another pattern, font, size, place, background.
    """
    value = field["/V"]
    if not isinstance(value, generic.TextStringObject) or not re.fullmatch(str(field[PATTERN_KEY]), str(value)):
        raise SuspiciousModification("value against its pattern")
    looks = field["/AP"]
    if set(looks) != {"/N"} or not isinstance(looks.raw_get("/N"), generic.IndirectObject):
        raise SuspiciousModification("more than one appearance")
    reference: generic.Reference = looks.raw_get("/N").reference
    look = field["/AP"]["/N"]
    if not isinstance(look, generic.StreamObject) or set(look) - _APPEARANCE_KEYS:
        raise SuspiciousModification("undeclared appearance entries")
    if look.get("/Subtype") != "/Form" or look.get("/Type", "/XObject") != "/XObject" or look.get("/Filter", _PACKED) != _PACKED:
        raise SuspiciousModification("appearance of another kind")
    width, height = field_size(field)
    font = _form(signed)["/DR"]["/Font"].raw_get(RESOURCE_NAME)
    if [float(edge) for edge in look["/BBox"]] != [0, 0, width, height]:
        raise SuspiciousModification("appearance displaced")
    resources = look["/Resources"]
    if set(resources) != {"/Font"} or set(resources["/Font"]) != {RESOURCE_NAME} or resources["/Font"].raw_get(RESOURCE_NAME) != font:
        raise SuspiciousModification("appearance with another font")
    try:
        glyphs = glyphs_of(font_program(signed(font.reference)))
        expected = draw(str(value), width, height, font_size(field), int(field.get("/Q", 0)), glyphs)
    except SigningError as problem:
        raise SuspiciousModification("value cannot be drawn") from problem
    if look.data != expected:
        raise SuspiciousModification("appearance shows something else")
    return reference


def values(resolver: HistoricalResolver) -> dict[str, str]:
    """Number and date as filled in one revision."""
    if "/AcroForm" not in resolver.root:
        return {}
    found = (one.get_object() for one in resolver.root["/AcroForm"]["/Fields"])
    return {str(one["/T"]): str(one["/V"]) for one in found if str(one.get("/T", "")) in NAMES and "/V" in one}


def refilled(reader: PdfFileReader) -> bool:
    """Whether a number or date, once filled, was ever changed or removed in a later revision."""
    known: dict[str, str] = {}
    for revision in range(reader.xrefs.total_revisions):
        now = values(reader.get_historical_resolver(revision))
        if any(now.get(name) != value for name, value in known.items()):
            return True
        known |= now
    return False


def open_places(reader: PdfFileReader) -> list[str]:
    """Names of the fields still waiting: number, date, agency."""
    if "/AcroForm" not in reader.root:
        return []
    found = (one.get_object() for one in reader.root["/AcroForm"]["/Fields"])
    return [str(one["/T"]) for one in found if str(one.get("/T", "")) in (*NAMES, AGENCY) and "/V" not in one]


def _form(resolver: HistoricalResolver) -> generic.DictionaryObject:
    form = resolver.root["/AcroForm"]
    assert isinstance(form, generic.DictionaryObject)
    return form


def _raw(dictionary: generic.DictionaryObject, key: str) -> object:
    return dictionary.raw_get(key) if key in dictionary else None


def _same(old: generic.DictionaryObject, new: generic.DictionaryObject) -> bool:
    return set(old) == set(new) and all(old.raw_get(key) == new.raw_get(key) for key in old)
