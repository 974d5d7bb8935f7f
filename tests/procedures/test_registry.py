"""Published versions: numbered, dated, never edited; the cache reads each package once."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest

from engine.errors import NotFound, Refused
from engine.kernel.unit_of_work import Actor
from engine.procedure.registry import ProcedureCache, all_in_force, in_force, latest, store, versions
from tests.procedures.packages import changed, real

CLI = Actor("cli", label="test")
LONGER = {"diagram": [('name="stage_hours" value="3"', 'name="stage_hours" value="4"')]}
MOVED = {"diagram": [('<dc:Bounds x="', '<dc:Bounds x="1')]}


def published(runtime, package, effective_from=None):
    with runtime.begin(CLI) as w:
        version, kind = store(w, package, effective_from=effective_from)
        return version.id, version.number, version.drawing_number, kind


def test_versions_are_numbered_and_the_same_package_adds_nothing(runtime):
    first = published(runtime, real())

    assert first[1:] == (1, 1, "first")
    assert published(runtime, real()) == (first[0], 1, 1, "same")
    assert published(runtime, changed(real(), **MOVED))[1:] == (1, 2, "redrawn")
    assert published(runtime, changed(real(), **LONGER))[1:] == (2, 1, "changed")


def test_a_dossier_falls_under_the_version_in_force_on_its_day(runtime):
    published(runtime, real(), date(2026, 1, 1))
    published(runtime, changed(real(), **LONGER), date(2027, 3, 1))

    with runtime.begin(CLI) as w:
        key = real().key
        assert in_force(w.session, w.province, key, date(2027, 2, 28)).number == 1
        assert in_force(w.session, w.province, key, date(2027, 3, 1)).number == 2
        assert [version.number for version in all_in_force(w.session, w.province, date(2027, 3, 1))] == [2]
        assert [version.number for version in versions(w.session, w.province, key)] == [2, 1]
        with pytest.raises(Refused) as refused:
            in_force(w.session, w.province, key, date(2025, 12, 31))
        assert refused.value.code == "procedure.not_in_force"
        with pytest.raises(NotFound):
            in_force(w.session, w.province, "nothing", date(2026, 1, 1))
        assert latest(w.session, w.province, "nothing") is None


def test_a_version_taken_back_does_not_return_on_its_later_day(runtime):
    published(runtime, real(), date(2026, 1, 1))
    published(runtime, changed(real(), **LONGER), date(2027, 3, 1))
    published(runtime, real(), date(2026, 1, 1))

    with runtime.begin(CLI) as w:
        assert in_force(w.session, w.province, real().key, date(2027, 3, 2)).number == 3
        assert [version.number for version in all_in_force(w.session, w.province, date(2027, 3, 2))] == [3]


def test_the_cache_reads_a_package_once(runtime, statements):
    package = real()
    version, *_ = published(runtime, package)
    cache = ProcedureCache()

    with runtime.begin(CLI) as w:
        again = cache.package(w, version)
        before = len(statements)
        assert cache.package(w, version) is again
        assert len(statements) == before

    assert dict(again.files) == dict(package.files)
    assert again.content_hash == package.content_hash


def test_an_unknown_version_is_not_found(runtime):
    with runtime.begin(CLI) as w, pytest.raises(NotFound):
        ProcedureCache().package(w, uuid4())


def test_the_cache_keeps_no_more_than_its_size(runtime):
    one, *_ = published(runtime, real())
    other, *_ = published(runtime, changed(real(), **LONGER))
    cache = ProcedureCache(size=1)

    with runtime.begin(CLI) as w:
        first = cache.package(w, one)
        cache.package(w, other)
        assert cache.package(w, one) is not first
