"""Drafts of procedures: begun, saved by two people at once, restored, handed over, given up; nothing anybody wrote is lost."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.commands import drafts as commands
from engine.errors import Conflict, Forbidden, NotFound, Refused
from engine.procedure.declaration import PackageInvalid
from engine.procedure.drafts import applied, overlapping, packed, unpacked
from engine.procedure.loader import load_files, load_folder
from engine.procedure.package import DECLARATION, DIAGRAM
from engine.queries import drafts as queries
from engine.settings import ROOT
from tests.support.office import Office

COPY = "certified_electronic_copy"
FORM = "forms/review.json"


def begun(office: Office, who: str = "designer") -> commands.ProcedureDraft:
    with office.as_(who) as w:
        return commands.from_version(w, COPY)


def files(office: Office, draft: commands.ProcedureDraft) -> dict[str, bytes]:
    with office.as_("designer") as w:
        return queries.page(w, draft.id).files


def test_a_draft_of_a_published_version_holds_exactly_its_files(office: Office) -> None:
    draft = begun(office)

    shipped = load_folder(ROOT / "bpmn" / COPY)
    assert files(office, draft) == dict(shipped.files)
    assert load_files(files(office, draft), COPY).content_hash == shipped.content_hash


def test_a_new_procedure_from_the_template_has_its_own_names_and_keeps_the_remarks(office: Office) -> None:
    with office.as_("designer") as w:
        draft = commands.from_template(w, key="well_permit", code="1.004232", name_vi="Cấp giấy phép thăm dò nước", name_en="Well permit")

    made = files(office, draft)
    package = load_files(made, "well_permit")
    assert (package.key, package.code, package.name.vi) == ("well_permit", "1.004232", "Cấp giấy phép thăm dò nước")
    assert b"# Starter package" in made[DECLARATION] or b"Starter package" in made[DECLARATION]
    assert draft.title == "Cấp giấy phép thăm dò nước"


@pytest.mark.parametrize(
    ("given", "field", "code"),
    [
        ({"key": COPY}, "key", "draft.key_taken"),
        ({"key": "Có dấu"}, "key", "draft.key_pattern"),
        ({"name_vi": " "}, "name_vi", "draft.word_missing"),
        ({"code": ""}, "code", "draft.word_missing"),
    ],
)
def test_a_wrong_word_is_said_at_its_field(office: Office, given: dict[str, str], field: str, code: str) -> None:
    words = {"key": "well_permit", "code": "1.0", "name_vi": "Giấy phép", "name_en": "Permit", **given}
    with pytest.raises(Refused) as refused, office.as_("designer") as w:
        commands.from_template(w, **words)

    assert (refused.value.field, refused.value.code) == (field, code)


def test_a_diagram_of_any_modeler_becomes_a_draft_and_a_broken_one_does_not(office: Office) -> None:
    drawn = (ROOT / "bpmn" / "internal_leave" / DIAGRAM).read_bytes()
    with office.as_("designer") as w:
        draft = commands.from_upload(w, drawn, "Nghi phep.bpmn")
    assert files(office, draft)[DIAGRAM] == drawn

    with pytest.raises(Refused), office.as_("designer") as w:
        commands.from_upload(w, b"<html/>", "x.bpmn")
    with pytest.raises((Refused, PackageInvalid)), office.as_("designer") as w:
        commands.from_upload(w, b"PK\x03\x04 broken", "x.zip")


def test_saves_to_different_files_are_joined_and_to_the_same_file_are_shown_to_both(office: Office) -> None:
    draft = begun(office)
    with office.as_("designer") as w:
        commands.save(w, draft.id, 1, {FORM: b"{}"})
    with office.as_("designer") as w:
        joined = commands.save(w, draft.id, 1, {"README.md": b"xin"})
    assert joined.version == 3
    assert files(office, draft)[FORM] == b"{}"
    assert files(office, draft)["README.md"] == b"xin"

    with pytest.raises(commands.EditedMeanwhile) as met, office.as_("designer") as w:
        commands.save(w, draft.id, 1, {FORM: b'{"mine": 1}'})

    assert met.value.files == (FORM,)
    assert met.value.theirs[FORM] == b"{}"
    assert met.value.mine[FORM] == b'{"mine": 1}'
    assert met.value.facts["who"] == "Tạ Ngọc Linh"
    assert files(office, draft)[FORM] == b"{}"


def test_an_earlier_save_comes_back_and_what_stood_between_is_kept(office: Office) -> None:
    draft = begun(office)
    with office.as_("designer") as w:
        commands.save(w, draft.id, 1, {FORM: b"{}"}, "thử")
        commands.restore(w, draft.id, 1)

    with office.as_("designer") as w:
        page = queries.page(w, draft.id)
    assert [save.number for save in page.saves] == [3, 2, 1]
    assert page.saves[1].note == "thử"
    assert page.files == dict(load_folder(ROOT / "bpmn" / COPY).files)

    with pytest.raises(NotFound), office.as_("designer") as w:
        commands.restore(w, draft.id, 99)


def test_saving_what_is_there_already_adds_nothing(office: Office) -> None:
    draft = begun(office)
    with office.as_("designer") as w:
        same = commands.save(w, draft.id, 1, {FORM: files_of(FORM)})

    assert same.version == 1


def files_of(name: str) -> bytes:
    return (ROOT / "bpmn" / COPY / name).read_bytes()


def test_a_half_written_declaration_is_a_draft_too_and_the_title_stays(office: Office) -> None:
    draft = begun(office)
    with office.as_("designer") as w:
        saved = commands.save(w, draft.id, 1, {DECLARATION: b"[name\nvi ="})

    assert saved.title == "Chứng thực bản sao điện tử từ bản chính"


def test_what_was_given_up_is_not_saved_to_until_taken_up_again(office: Office) -> None:
    draft = begun(office)
    with office.as_("designer") as w:
        commands.discard(w, draft.id)
    with pytest.raises(Conflict), office.as_("designer") as w:
        commands.save(w, draft.id, 1, {FORM: b"{}"})
    with office.as_("designer") as w:
        assert queries.workspace(w) == []
        assert [line.draft.id for line in queries.workspace(w, state="discarded")] == [draft.id]
        commands.take_up(w, draft.id)
        commands.save(w, draft.id, 1, {FORM: b"{}"})


def test_the_workspace_finds_without_diacritics_and_by_owner(office: Office) -> None:
    draft = begun(office)
    with office.as_("designer") as w:
        assert [line.draft.id for line in queries.workspace(w, text="chung thuc dien tu")] == [draft.id]
        assert [line.owner for line in queries.workspace(w, text="CERTIFIED")] == ["Tạ Ngọc Linh"]
        assert queries.workspace(w, text="khai sinh") == []
        assert queries.workspace(w, text="100%") == []
        commands.give_to(w, draft.id, office.people["division_head"])
        assert queries.workspace(w, mine=True) == []


def test_only_designers_see_and_make_drafts(office: Office) -> None:
    draft = begun(office)

    for who in ("specialist", "head"):
        with pytest.raises(Forbidden), office.as_(who) as w:
            commands.from_version(w, COPY)
        with pytest.raises(Forbidden), office.as_(who) as w:
            queries.page(w, draft.id)
        with pytest.raises(Forbidden), office.as_(who) as w:
            commands.save(w, draft.id, 1, {FORM: b"{}"})


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"../etc/passwd": b"x"}, "package.file_unknown"),
        ({"templates/../../x.typ": b"x"}, "package.file_unknown"),
        ({DIAGRAM: None}, "draft.file_needed"),
        ({FORM: b"x" * (5 * 2**20 + 1)}, "package.too_large"),
    ],
)
def test_only_files_a_package_may_have_are_saved(changes: dict[str, bytes | None], code: str) -> None:
    with pytest.raises(Refused) as refused:
        applied({DIAGRAM: b"", DECLARATION: b""}, changes)

    assert refused.value.code == code


NAMES = st.sampled_from([f"forms/{letter}.json" for letter in "abc"])
CONTENTS = st.binary(max_size=3)
FILES = st.dictionaries(NAMES, CONTENTS)
CHANGES = st.dictionaries(NAMES, st.none() | CONTENTS)


@given(FILES)
def test_packed_files_come_back_and_pack_to_the_same_bytes(made: dict[str, bytes]) -> None:
    assert unpacked(packed(made)) == made
    assert packed(dict(reversed(made.items()))) == packed(made)
    assert zipfile.is_zipfile(io.BytesIO(packed(made)))


@given(FILES, CHANGES, CHANGES)
def test_two_saves_that_do_not_overlap_give_the_same_whatever_their_order(
    base: dict[str, bytes], one: dict[str, bytes | None], two: dict[str, bytes | None]
) -> None:
    after_one, after_two = applied(base, one), applied(base, two)
    if not overlapping(base, after_one, two) and not overlapping(base, after_two, one):
        assert applied(after_one, two) == applied(after_two, one)


@given(FILES, CHANGES, CHANGES)
def test_a_save_never_silently_overwrites_what_somebody_else_wrote(
    base: dict[str, bytes], theirs: dict[str, bytes | None], mine: dict[str, bytes | None]
) -> None:
    now = applied(base, theirs)
    met = overlapping(base, now, mine)
    after = applied(now, {name: content for name, content in mine.items() if name not in met})

    for name in set(theirs) - set(mine) | set(met):
        assert after.get(name) == now.get(name)
