"""The package of one procedure as values: what ``procedure.toml`` declares, the files beside it, and the package's identity."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as made_by
from datetime import date, time
from functools import cached_property
from typing import TYPE_CHECKING, Any

from engine.errors import NotFound
from engine.procedure.diagram import Diagram
from engine.procedure.diagram_reader import read_diagram
from engine.procedure.foreign import as_meant
from engine.procedure.forms import Form
from engine.procedure.identity import content_hash, drawing_hash
from engine.procedure.words import Words

if TYPE_CHECKING:
    from engine.procedure.parts import Part

DIAGRAM = "process.bpmn"
DECLARATION = "procedure.toml"
AGENCY_ONLY = "agency_only"
ORDERS = ("leader_first", "number_first", AGENCY_ONLY)
COPIES = ("full_copy", "re_copy", "extract")
"""Sao y, sao lục, trích sao (NĐ 30/2020/NĐ-CP, Điều 25)."""


@dataclass(frozen=True, slots=True)
class LegalBasis:
    """An article of a legal act, since when it is in force, and the first day on which it no longer is."""

    act: str
    article: str
    valid_from: date | None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class TermRule:
    """The term the law grants: an *amount* in *unit*, how it is counted and what a supplement does to it."""

    amount: int
    unit: str
    counting: str
    cutoff: time | None
    on_supplement: str
    legal_basis: str
    valid_from: date | None


@dataclass(frozen=True, slots=True)
class Component:
    """A paper the owner hands in; *required* is a truth value or a FEEL condition over ``dossier``."""

    key: str
    name: Words
    form: str
    copies: int
    required: bool | str
    upload: bool
    media: tuple[str, ...]
    legal_basis: str


@dataclass(frozen=True, slots=True)
class Fee:
    """A fee or charge; *amount* is a FEEL expression in đồng over ``dossier``."""

    key: str
    name: Words
    kind: str
    amount: str
    legal_basis: str
    valid_from: date | None


@dataclass(frozen=True, slots=True)
class LaneRule:
    """Who works in a lane of the diagram: a role, in which unit."""

    id: str
    role: str
    unit: str
    title: Words


@dataclass(frozen=True, slots=True)
class DocumentKind:
    """A document the procedure produces: its template, register, symbol and who signs in which capacity."""

    key: str
    name: Words
    template: str
    register: str
    symbol: str
    capacity: str
    order: str
    type: str
    pages_of: tuple[str, ...] = ()
    """The components whose pages the document shows (a certified copy shows the original's)."""
    register_name: Words = Words("", "")  # noqa: RUF009  frozen, safe to share
    """What people call the register its numbers come from."""
    annex_of: str = ""
    """The document this is an annex of, kept as a file of its own: it bears that document's number."""
    copy: str = ""
    """The form of copy, when this is an electronic copy: ``full_copy``, ``re_copy`` or ``extract``."""

    @property
    def agency_only(self) -> bool:
        """Whether the agency alone signs it, in one line at the top right: an annex in its own file, an electronic copy."""
        return self.order == AGENCY_ONLY

    @property
    def kind(self) -> str:
        """What its records are called: ``annex``, ``copy`` or ``result``."""
        return ("annex" if self.annex_of else "copy") if self.agency_only else "result"


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper for the owner (receipt, supplement request, refusal …) whose template the package brings itself."""

    key: str
    name: Words
    template: str


@dataclass(frozen=True, slots=True)
class Reason:
    """A quick reason offered to the officer; *kind* is ``supplement``, ``refusal`` or ``send_back``."""

    kind: str
    text: Words
    legal_basis: str


@dataclass(frozen=True, slots=True)
class Unread:
    """A key of ``procedure.toml`` that nobody reads, with its line: probably a slip of the pen."""

    key: str
    line: int | None


@dataclass(frozen=True)
class Package:
    """One version of a procedure, immutable; the diagram and the forms are read when first asked for."""

    folder: str
    files: Mapping[str, bytes]
    key: str
    code: str
    scope: str
    online_level: str
    effective_from: date
    name: Words
    field: Words
    field_code: str
    legal_basis: tuple[LegalBasis, ...]
    term: TermRule
    components: tuple[Component, ...]
    fees: tuple[Fee, ...]
    lanes: tuple[LaneRule, ...]
    documents: tuple[DocumentKind, ...]
    papers: tuple[Paper, ...]
    reasons: tuple[Reason, ...]
    start_form: str | None
    notices: Mapping[str, Any]
    declaration: Mapping[str, Any]
    """The whole ``procedure.toml``, for tables that only one part of the product reads."""
    unread: tuple[Unread, ...] = ()
    frozen: Mapping[str, Part] = made_by(default_factory=dict)
    """The shared parts stored with this version; those of the installation hold for a package that was never published."""

    @cached_property
    def parts(self) -> Mapping[str, Part]:
        """The shared parts the diagram calls, by key.

        Raises: Refused when the diagram or a part cannot be read.
        """
        from engine.procedure.calls import called
        from engine.procedure.parts import installed_parts

        wanted = {called(node) for node in self.diagram.nodes.values() if node.kind == "callActivity"}
        wanted -= {process.id for process in self.diagram.processes}
        if not wanted:
            return {}
        known = self.frozen if wanted <= set(self.frozen) else {**installed_parts(), **self.frozen}
        return {key: known[key] for key in sorted(wanted) if key in known}

    @property
    def part_files(self) -> Mapping[str, bytes]:
        """The files of the shared parts it calls, as a stored package keeps them."""
        return {name: content for part in self.parts.values() for name, content in part.stored.items()}

    @cached_property
    def whole(self) -> Diagram:
        """The diagram with every call of a shared part written out: what runs, before it is brought into normal form.

        Raises: Refused ``xml.*`` or ``diagram.*``.
        """
        from engine.procedure.calls import written_out

        return written_out(self.diagram, self.parts)

    @cached_property
    def diagram(self) -> Diagram:
        """The diagram as it was drawn.

        Raises: Refused ``xml.*`` or ``diagram.*``.
        """
        return read_diagram(self.files[DIAGRAM], DIAGRAM)

    @cached_property
    def meant(self) -> Diagram:
        """The whole diagram, with what other modelers wrote read into our own settings."""
        return as_meant(self.whole)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 (hex) of everything that has an effect; the drawing is not part of it."""
        return content_hash({**self.files, **self.part_files})

    @cached_property
    def drawing_hash(self) -> str:
        """SHA-256 (hex) of the drawing alone: positions, labels' places, annotations."""
        return drawing_hash(self.files)

    @cached_property
    def package_hash(self) -> str:
        """SHA-256 (hex) of the stored files byte for byte."""
        digest = hashlib.sha256()
        files = {**self.files, **self.part_files}
        for name in sorted(files):
            digest.update(f"{len(name.encode())}:{name}:{len(files[name])}:".encode())
            digest.update(files[name])
        return digest.hexdigest()

    @cached_property
    def _forms(self) -> dict[str, Form]:
        return {}

    @cached_property
    def _form_files(self) -> Mapping[str, bytes]:
        """The forms of the package and of the parts it calls; a form of its own comes before a part's of the same name."""
        shared = {name: content for part in self.parts.values() for name, content in part.forms.items()}
        own = {name: content for name, content in self.files.items() if name.startswith("forms/") and name.endswith(".json")}
        return {**shared, **own}

    @property
    def form_keys(self) -> tuple[str, ...]:
        """The forms of the package, by the name of their file."""
        return tuple(sorted(name[6:-5] for name in self._form_files))

    def form_file(self, key: str) -> bytes | None:
        """Return the form as it is written, the package's own or that of a part it calls; nothing where there is none."""
        return self._form_files.get(f"forms/{key}.json")

    def form(self, key: str) -> Form:
        """Return the form ``forms/<key>.json``.

        Raises: NotFound ``form.unknown``; Refused ``form.*`` if it cannot be read.
        """
        if key not in self._forms:
            content = self.form_file(key)
            if content is None:
                raise NotFound("form.unknown", form=key)
            self._forms[key] = Form.parse(content, key)
        return self._forms[key]

    def lane(self, name: str | None) -> LaneRule | None:
        """Return the rule for the lane called *name* in the diagram: the package's own, else the one of a part it calls."""
        shared = (lane for part in self.parts.values() for lane in part.lanes)
        return next((lane for lane in (*self.lanes, *shared) if lane.id == name), None)

    def document(self, key: str) -> DocumentKind:
        """Return the document kind *key*.

        Raises: NotFound ``document.kind_unknown``.
        """
        for document in self.documents:
            if document.key == key:
                return document
        raise NotFound("document.kind_unknown", document=key)

    def template(self, key: str) -> bytes:
        """Return the Typst source ``templates/<key>.typ`` (the ending may be given).

        Raises: NotFound ``package.template_unknown``.
        """
        name = template_file(key)
        if name not in self.files:
            raise NotFound("package.template_unknown", template=key)
        return self.files[name]


def template_file(key: str) -> str:
    """Return the file a template's name stands for."""
    bare = key.removeprefix("templates/").removesuffix(".typ")
    return f"templates/{bare}.typ"
