"""Typst makes every paper: a template of a package and its data become a PDF/A with the places of its fields.

A template is compiled in process, in a folder of its own that holds nothing but the package's templates, the shared ones, the
data and the pictures handed over; no package from outside, no file of the machine, no font but those of the installation.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, Protocol, cast

import orjson
import segno
import typst

from engine.errors import NotFound, Refused

TEST_MARK = "TEST · BẢN THỬ NGHIỆM, KHÔNG CÓ GIÁ TRỊ PHÁP LÝ"

# Typst itself would fetch "@preview/…" from the network, whatever folders it is given. The path of an import may be computed,
# so only imports that name a file literally pass, and the ways to reach code through text (eval, a module taken apart) do not.
_IMPORT = re.compile(r"\b(?:import|include)\b(?P<target>\s*\"[^\"@\\]*\")?")
_BEYOND = re.compile(r"\b(?:eval|plugin|dictionary|std)\b")
_MISSING = "input is missing"
_POINTED = re.compile(r"┌─ (\S+):(\d+):\d+")
_MEMBER = re.compile(r"[\w][\w .-]*(?:/[\w][\w .-]*)*")


@dataclass(frozen=True, slots=True)
class FieldBox:
    """A rectangle of a page that later takes a number, a date or a signature.

    ``page`` counts from 0; ``x``, ``y`` is the lower left corner, all in PDF points from the page's lower left corner.
    """

    name: str
    page: int
    x: float
    y: float
    width: float
    height: float

    def to_json(self) -> dict[str, Any]:
        """The rectangle as it is kept in a record."""
        return {"name": self.name, "page": self.page, "x": self.x, "y": self.y, "width": self.width, "height": self.height}


@dataclass(frozen=True, slots=True)
class Wording:
    """A text of the template a drafter may change, with what the template itself says."""

    key: str
    default: str
    value: str

    @property
    def changed(self) -> bool:
        """Does the paper say something else than its template?"""
        return self.value != self.default


@dataclass(frozen=True, slots=True)
class Printed:
    """A finished PDF, the places of its fields and its wordings; ``archival`` says whether it is PDF/A."""

    pdf: bytes
    fields: tuple[FieldBox, ...]
    wordings: tuple[Wording, ...]
    archival: bool

    @property
    def differences(self) -> tuple[Wording, ...]:
        """What differs from the template."""
        return tuple(wording for wording in self.wordings if wording.changed)

    def field(self, name: str) -> FieldBox:
        """Return the field *name*.

        Raises: NotFound ``template.field_unknown``.
        """
        for found in self.fields:
            if found.name == name:
                return found
        raise NotFound("template.field_unknown", field=name)


class Templates(Protocol):
    """What a printer needs of a package: its files by their path inside it."""

    @property
    def files(self) -> Mapping[str, bytes]:
        """Every file of the package."""
        ...


class Printer:
    """Renders templates with the fonts in *fonts* and the shared templates in *shared* (the folder ``bpmn/_shared``).

    *test_mark* is printed on every page; an installation with real keys passes an empty text.
    """

    def __init__(self, fonts: Path, shared: Path, test_mark: str = TEST_MARK) -> None:
        self._font_folder = fonts
        self._shared_folder = shared
        self._test_mark = test_mark

    @cached_property
    def _fonts(self) -> Any:
        fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(self._font_folder)])
        if "Tinos" not in fonts.families():
            raise NotFound("template.fonts_missing", family="Tinos")
        return fonts

    @cached_property
    def _shared(self) -> Mapping[str, bytes]:
        found = {f"_shared/{path.relative_to(self._shared_folder).as_posix()}": path for path in self._shared_folder.rglob("*.typ")}
        if not found:
            raise NotFound("template.shared_missing")
        return {name: path.read_bytes() for name, path in sorted(found.items())}

    def render(
        self,
        package: Templates,
        template: str,
        data: Mapping[str, Any],
        pictures: Mapping[str, bytes] | None = None,
        at: datetime | None = None,
    ) -> Printed:
        """Render *template* of *package* (``certified_copy``), or else the shared one of that name (``receipt``), with *data*.

        *pictures* are the images the template shows, by the name the data gives them; *at* is the instant written into the PDF,
        so that the same paper has the same bytes.

        Raises: NotFound ``template.unknown``; Refused ``template.import_forbidden``, ``template.file_unsafe``, ``template.failed``.
        """
        with self._compiler(package, template, data, pictures or {}) as compiler:
            pdf, archival = _export(compiler, int(at.timestamp()) if at is not None else None)
            fields = orjson.loads(compiler.query("<motcua-field>", field="value"))
            return Printed(pdf, tuple(_box(field) for field in fields), _wordings(compiler), archival)

    def texts(
        self, package: Templates, template: str, data: Mapping[str, Any], pictures: Mapping[str, bytes] | None = None
    ) -> tuple[Wording, ...]:
        """Return the texts of *template* a drafter may change, as they stand with *data*; no PDF is made.

        Raises: as ``render``.
        """
        with self._compiler(package, template, data, pictures or {}) as compiler:
            return _wordings(compiler)

    def faults(self, package: Templates) -> list[Refused]:
        """Return what is wrong with the templates of *package* before any dossier needs them: one refusal per template at most.

        Each is compiled without data, so it stops at its first required input; whatever stops it earlier is a fault of its own.
        """
        found = list(outside(package))
        faulty = {refused.facts["file"] for refused in found}
        for name in sorted(package.files):
            if name.startswith("templates/") and name.endswith(".typ") and name not in faulty:
                try:
                    self.render(package, name, {})
                except Refused as refused:
                    if _MISSING not in str(refused.facts.get("reason")):
                        line = (
                            {"line": refused.facts["line"]} if refused.facts.get("place", name) == name and "line" in refused.facts else {}
                        )
                        found.append(Refused("template.broken", file=name, reason=refused.facts.get("reason"), **line))
        return found

    @contextmanager
    def _compiler(
        self, package: Templates, template: str, data: Mapping[str, Any], pictures: Mapping[str, bytes]
    ) -> Iterator[typst.Compiler]:
        own = {name: content for name, content in package.files.items() if name.startswith("templates/")}
        for name, content in own.items():
            if name.endswith(".typ"):
                refuse_outside(name, content)
        members = {**self._shared, **_checked(own), **_checked(pictures)}
        main = _main(template, members)
        with tempfile.TemporaryDirectory(prefix="typeset-") as folder:
            root = Path(folder)
            for name, content in members.items():
                place = root / name
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
            (root / "data.json").write_bytes(orjson.dumps({"test_mark": self._test_mark, **data}))
            nowhere = str(root / "none")
            try:
                yield typst.Compiler(
                    str(root / main),
                    root=str(root),
                    font_paths=self._fonts,
                    ignore_system_fonts=True,
                    package_path=nowhere,
                    package_cache_path=nowhere,
                )
            except RuntimeError as error:  # TypstError is one
                raise Refused("template.failed", template=template, reason=_reason(error), **_where(error, main)) from error


def _checked(files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    for name in files:
        if not _MEMBER.fullmatch(name) or ".." in PurePosixPath(name).parts or name.startswith("_shared/") or name == "data.json":
            raise Refused("template.file_unsafe", file=name[:80])
    return files


def _export(compiler: typst.Compiler, stamp: int | None) -> tuple[bytes, bool]:
    try:
        return cast(bytes, compiler.compile(format="pdf", pdf_standards=["a-2b"], timestamp=stamp)), True
    except typst.TypstError as error:
        # PDF/A refuses a letter the fonts do not have (a name in another script, an emoji). The owner still gets the paper.
        if "PDF/A" not in f"{error} {error.diagnostic}":
            raise
        return cast(bytes, compiler.compile(format="pdf", timestamp=stamp)), False


def _wordings(compiler: typst.Compiler) -> tuple[Wording, ...]:
    return tuple(Wording(**wording) for wording in orjson.loads(compiler.query("<motcua-text>", field="value")))


def outside(package: Templates) -> Iterator[Refused]:
    """Yield a refusal for each template of *package* that could reach beyond its own folder; nothing is compiled."""
    for name, content in sorted(package.files.items()):
        if name.startswith("templates/") and name.endswith(".typ"):
            try:
                refuse_outside(name, content)
            except Refused as refused:
                yield refused


def refuse_outside(name: str, content: bytes) -> None:
    """Refuse a template that could reach beyond its own folder; comments are read too, for what is one is Typst's to decide.

    Raises: Refused ``template.import_forbidden``, ``template.not_utf8``.
    """
    try:
        source = content.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("template.not_utf8", file=name) from None
    for found in _IMPORT.finditer(source):
        if found["target"] is None:
            raise Refused("template.import_forbidden", file=name, line=source.count("\n", 0, found.start()) + 1)
    if beyond := _BEYOND.search(source):
        raise Refused("template.import_forbidden", file=name, line=source.count("\n", 0, beyond.start()) + 1)


@lru_cache(maxsize=512)
def qr_rows(text: str) -> list[str]:
    """Return the QR code of *text* as rows of ``0`` and ``1``, as the templates draw it (quiet zone left to the page)."""
    return ["".join("1" if dark else "0" for dark in row) for row in segno.make(text, error="m", micro=False).matrix]


def _main(template: str, members: Mapping[str, bytes]) -> str:
    bare = template.removeprefix("templates/").removesuffix(".typ")
    for name in (f"templates/{bare}.typ", f"_shared/templates/{bare}.typ"):
        if name in members:
            return name
    raise NotFound("template.unknown", template=bare[:80])


def _box(field: Mapping[str, Any]) -> FieldBox:
    bottom = field["page-height"] - field["y"] - field["h"]
    return FieldBox(field["name"], field["page"] - 1, field["x"], bottom, field["w"], field["h"])


def _reason(error: Exception) -> str:
    """The first line of what Typst says: it names the missing input or the mistake, never a value of the data, never a folder of ours."""
    message = str(getattr(error, "message", "") or error).strip().splitlines()
    return re.sub(r"\s*\(searched at [^)]*\)", "", message[0] if message else type(error).__name__)[:200]


def _where(error: Exception, main: str) -> dict[str, Any]:
    """Return the file and line Typst points at: in the template itself where its trace leads there, else where the mistake is."""
    found = [(path, int(line)) for path, line in _POINTED.findall(str(getattr(error, "diagnostic", "") or ""))]
    places = [(main, line) for path, line in found if path.endswith(main)] or [
        (name[0], line) for path, line in found if (name := re.findall(r"(?:_shared/)?templates/.*", path))
    ]
    return {"place": places[0][0], "line": places[0][1]} if places else {}
