"""Embedded files and actions put into a sealed document."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from tests.signing.attacks.filled import name
from tests.signing.attacks.ranges import Variant

text = generic.pdf_string
Writer = IncrementalPdfFileWriter


def entry(**values: generic.PdfObject) -> generic.DictionaryObject:
    """A dictionary; keys without their slash."""
    return generic.DictionaryObject({name(f"/{key}"): value for key, value in values.items()})


ACTIONS = {
    "JavaScript": entry(S=name("/JavaScript"), JS=text("app.alert(1)")),
    "Launch": entry(S=name("/Launch"), F=text("cmd.exe")),
    "URI": entry(S=name("/URI"), URI=text("http://127.0.0.1:9/")),
    "GoToR": entry(S=name("/GoToR"), F=text("//host/share")),
    "SubmitForm": entry(S=name("/SubmitForm"), F=text("http://127.0.0.1:9/")),
    "ImportData": entry(S=name("/ImportData"), F=text("data.fdf")),
    "Named": entry(S=name("/Named"), N=name("/Print")),
    "Hide": entry(S=name("/Hide"), T=text("number"), H=generic.BooleanObject(True)),
    "ResetForm": entry(S=name("/ResetForm")),
    "SetOCGState": entry(S=name("/SetOCGState"), State=generic.ArrayObject()),
}


def _file(writer: Writer) -> generic.IndirectObject:
    stream = writer.add_object(generic.StreamObject(stream_data=b"MZ"))
    return writer.add_object(entry(Type=name("/Filespec"), F=text("a.exe"), EF=entry(F=stream)))


def _page(writer: Writer) -> generic.DictionaryObject:
    page: generic.DictionaryObject = writer.root["/Pages"]["/Kids"][0]
    return page


def _on_root(key: str, made: Callable[[Writer], generic.PdfObject]) -> Callable[[Writer], None]:
    def alter(writer: Writer) -> None:
        writer.root[name(key)] = made(writer)
        writer.update_root()

    return alter


def _on_page(key: str, made: Callable[[Writer], generic.PdfObject]) -> Callable[[Writer], None]:
    def alter(writer: Writer) -> None:
        page = _page(writer)
        page[name(key)] = made(writer)
        writer.update_container(page)

    return alter


def _on_field(field: str, key: str, made: Callable[[Writer], generic.PdfObject]) -> Callable[[Writer], None]:
    def alter(writer: Writer) -> None:
        target = next(one.get_object() for one in writer.root["/AcroForm"]["/Fields"] if one.get_object()["/T"] == field)
        target[name(key)] = made(writer)
        writer.update_container(target)

    return alter


def _annotation(kind: str, **more: generic.PdfObject) -> Callable[[Writer], None]:
    def alter(writer: Writer) -> None:
        page = _page(writer)
        rectangle = generic.ArrayObject(generic.NumberObject(one) for one in (10, 10, 300, 300))
        page["/Annots"].append(writer.add_object(entry(Type=name("/Annot"), Subtype=name(f"/{kind}"), Rect=rectangle, **more)))
        writer.update_container(page["/Annots"])

    return alter


def additions(pdf: bytes) -> Iterator[Variant]:
    """Every kind of action at every place, files, media, layers."""
    acts: dict[str, Callable[[Writer], None]] = {}
    for kind, action in ACTIONS.items():
        acts[f"{kind} on opening"] = _on_root("/OpenAction", lambda _, action=action: action)  # type: ignore[misc]
        acts[f"{kind} before closing"] = _on_root("/AA", lambda _, action=action: entry(WC=action))  # type: ignore[misc]
        acts[f"{kind} on the page"] = _on_page("/AA", lambda _, action=action: entry(O=action))  # type: ignore[misc]
        acts[f"{kind} at the number"] = _on_field("number", "/AA", lambda _, action=action: entry(F=action))  # type: ignore[misc]
        acts[f"{kind} at the seal"] = _on_field("agency", "/A", lambda _, action=action: action)  # type: ignore[misc]
        acts[f"{kind} behind a link"] = _annotation("Link", A=action)
    acts["file by name"] = _on_root("/Names", lambda w: entry(EmbeddedFiles=entry(Names=generic.ArrayObject([text("a"), _file(w)]))))
    acts["script by name"] = _on_root(
        "/Names", lambda _: entry(JavaScript=entry(Names=generic.ArrayObject([text("a"), ACTIONS["JavaScript"]])))
    )
    acts["associated file"] = _on_root("/AF", lambda w: generic.ArrayObject([_file(w)]))
    acts["portfolio"] = _on_root("/Collection", lambda _: entry(View=name("/D")))
    acts["layers"] = _on_root("/OCProperties", lambda w: entry(OCGs=generic.ArrayObject(), D=entry()))
    acts["permissions"] = _on_root("/Perms", lambda w: entry(UR3=w.add_object(entry())))
    acts["form of another kind"] = _on_root("/AcroForm", lambda w: entry(XFA=text("<x/>"), Fields=generic.ArrayObject()))
    acts["viewer's wishes"] = _on_root("/ViewerPreferences", lambda _: entry(HideMenubar=generic.BooleanObject(True)))
    acts["mail of the page"] = _on_page("/Metadata", lambda w: w.add_object(generic.StreamObject(stream_data=b"x")))
    for kind in ("Square", "FileAttachment", "Screen", "Movie", "RichMedia", "FreeText", "Stamp", "Redact", "Watermark", "Widget", "Text"):
        acts[f"annotation {kind}"] = _annotation(kind, Contents=text("99/QĐ"))
    for title, alter in acts.items():
        writer = Writer(io.BytesIO(pdf))
        alter(writer)
        writer.write(out := io.BytesIO())
        yield title, out.getvalue()
