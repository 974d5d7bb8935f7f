"""What a new version of a procedure changes, in words: steps, roles, deadlines, forms, conditions, order, documents, fees, term."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import EngineError
from engine.procedure.diagram import Diagram, Flow, Node
from engine.procedure.foreign import as_meant
from engine.procedure.form_fields import Field
from engine.procedure.package import Package
from engine.procedure.phrases import ATTRIBUTE_WORDS, name_words
from engine.procedure.words import Words


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: *kind* (``step.added`` …), the element it concerns, and the sentence in both languages."""

    kind: str
    element: str
    vi: str
    en: str

    def as_json(self) -> dict[str, str]:
        """Return the change for machines."""
        return {"kind": self.kind, "element": self.element, "vi": self.vi, "en": self.en}


def difference(old: Package, new: Package) -> list[Change]:
    """Return what *new* changes against *old*, in a stable order; empty when nothing but the drawing differs.

    Work that moves to another lane stands first: it changes hands, which a reader must not overlook among smaller things.
    """
    found = [
        *_steps(old, new),
        *_routes(as_meant(old.diagram), as_meant(new.diagram)),
        *_declarations(old, new),
        *_forms(old, new),
        *_files(old, new),
    ]
    found.sort(key=lambda change: change.kind != "step.lane")
    if not found and old.content_hash != new.content_hash:
        found = [
            Change(
                "content", "", "Nội dung khác thay đổi (chú thích, thuộc tính phụ).", "Other content changes (remarks, minor attributes)."
            )
        ]
    if old.drawing_hash != new.drawing_hash:
        found.append(Change("drawing", "", "Hình vẽ của sơ đồ thay đổi.", "The drawing of the diagram changes."))
    return found


_WORDS = {
    "userTask": ("bước", "step"),
    "task": ("bước", "step"),
    "manualTask": ("bước", "step"),
    "serviceTask": ("bước tự động", "automatic step"),
    "startEvent": ("sự kiện bắt đầu", "start"),
    "endEvent": ("kết thúc", "end"),
    "subProcess": ("nhóm bước", "group of steps"),
    "boundaryEvent": ("sự kiện biên", "boundary event"),
    "intermediateCatchEvent": ("sự kiện chờ", "waiting event"),
    "callActivity": ("quy trình được gọi", "called process"),
}


def _kind(node: Node) -> tuple[str, str]:
    return _WORDS.get(node.kind, ("cổng", "gateway") if node.kind.endswith("Gateway") else ("sự kiện", "event"))


def _title(node: Node) -> Words:
    words = name_words(node)
    return words or Words(node.id, node.id)


def _steps(old: Package, new: Package) -> Iterator[Change]:
    before, after = as_meant(old.diagram).nodes, as_meant(new.diagram).nodes
    for name, node in after.items():
        if name in before:
            continue
        vi, en = _kind(node)
        title = _title(node)
        where = f" trong làn «{node.lane}»" if node.lane else ""
        where_en = f" in the lane «{_lane_title(new, node.lane)}»" if node.lane else ""
        hours = node.properties.get("stage_hours")
        limit = f", thời hạn {hours} giờ" if hours else ""
        limit_en = f", {hours} working hours" if hours else ""
        yield Change("step.added", name, f"Thêm {vi} «{title.vi}»{where}{limit}.", f"Adds the {en} «{title.en}»{where_en}{limit_en}.")
    for name, node in before.items():
        if name not in after:
            vi, en = _kind(node)
            title = _title(node)
            yield Change("step.removed", name, f"Bỏ {vi} «{title.vi}».", f"Removes the {en} «{title.en}».")
    for name, node in after.items():
        if name in before:
            yield from _step(before[name], node, old, new)


def _lane_title(package: Package, lane: str | None) -> str:
    rule = package.lane(lane)
    return rule.title.en if rule is not None and rule.title.en else lane or ""


def _step(before: Node, after: Node, old: Package, new: Package) -> Iterator[Change]:
    title = _title(after)
    if before.name != after.name:
        yield Change(
            "step.renamed", after.id, f"«{before.name}» đổi tên thành «{after.name}».", f"«{_title(before).en}» is renamed «{title.en}»."
        )
    if before.kind != after.kind:
        was, now = _kind(before), _kind(after)
        yield Change(
            "step.kind", after.id, f"«{title.vi}» đổi từ {was[0]} thành {now[0]}.", f"«{title.en}» changes from {was[1]} to {now[1]}."
        )
    if before.lane != after.lane:
        yield Change(
            "step.lane",
            after.id,
            f"«{title.vi}» chuyển từ làn «{before.lane or '–'}» sang «{after.lane or '–'}».",
            f"«{title.en}» moves from the lane «{_lane_title(old, before.lane) or '–'}» to «{_lane_title(new, after.lane) or '–'}».",
        )
    was_hours, now_hours = before.properties.get("stage_hours"), after.properties.get("stage_hours")
    if was_hours != now_hours:
        yield Change(
            "step.hours",
            after.id,
            f"Thời hạn của «{title.vi}» đổi từ {was_hours or '–'} thành {now_hours or '–'} giờ làm việc.",
            f"The time limit of «{title.en}» changes from {was_hours or '–'} to {now_hours or '–'} working hours.",
        )
    for key in sorted((before.properties.keys() | after.properties.keys()) - {"stage_hours"}):
        old_value, new_value = before.properties.get(key), after.properties.get(key)
        if old_value != new_value:
            words = ATTRIBUTE_WORDS.get(key, Words(key, key))
            yield Change(
                f"step.{key}",
                after.id,
                f"«{title.vi}»: {words.vi} đổi từ «{_cut(old_value)}» thành «{_cut(new_value)}».",
                f"«{title.en}»: {words.en} changes from «{_cut(old_value)}» to «{_cut(new_value)}».",
            )
    yield from _automatic(before, after, title)


def _automatic(before: Node, after: Node, title: Words) -> Iterator[Change]:
    was, now = before.operator, after.operator
    if (was.id if was else None) != (now.id if now else None):
        yield Change(
            "step.operator",
            after.id,
            f"«{title.vi}»: thao tác đổi từ «{was.id if was else '–'}» thành «{now.id if now else '–'}».",
            f"«{title.en}»: the operator changes from «{was.id if was else '–'}» to «{now.id if now else '–'}».",
        )
    elif was is not None and now is not None and dict(was.parameters) != dict(now.parameters):
        names = sorted(key for key in was.parameters.keys() | now.parameters.keys() if was.parameters.get(key) != now.parameters.get(key))
        listed = ", ".join(names)
        yield Change(
            "step.parameters", after.id, f"«{title.vi}»: tham số thay đổi: {listed}.", f"«{title.en}»: parameters change: {listed}."
        )
    if [event.text for event in before.events] != [event.text for event in after.events]:
        yield Change(
            "step.timer",
            after.id,
            f"«{title.vi}»: thời điểm đổi từ «{_texts(before)}» thành «{_texts(after)}».",
            f"«{title.en}»: the time changes from «{_texts(before)}» to «{_texts(after)}».",
        )
    if [(event.kind, event.reference) for event in before.events] != [(event.kind, event.reference) for event in after.events]:
        yield Change("step.event", after.id, f"«{title.vi}»: sự kiện được chờ thay đổi.", f"«{title.en}»: waits for another event.")
    if before.loop != after.loop:
        yield Change("step.loop", after.id, f"«{title.vi}»: cách lặp thay đổi.", f"«{title.en}»: repeats in another way.")
    if before.attached_to != after.attached_to or before.interrupting != after.interrupting:
        yield Change("step.boundary", after.id, f"«{title.vi}»: cách gắn vào bước thay đổi.", f"«{title.en}»: is attached in another way.")


def _texts(node: Node) -> str:
    return ", ".join(event.text for event in node.events) or "–"


def _routes(old: Diagram, new: Diagram) -> Iterator[Change]:
    """What follows what, between steps that stay; conditions and defaults of the ways."""
    for name, node in new.nodes.items():
        if name not in old.nodes:
            continue
        was = {flow.target: flow for flow in old.leaving(name)}
        now = {flow.target: flow for flow in new.leaving(name)}
        title = _title(node)
        if list(dict.fromkeys(was)) != list(dict.fromkeys(now)) and set(was) != set(now):
            vi, en = _listed(new, now, "vi"), _listed(new, now, "en")
            before_vi, before_en = _listed(old, was, "vi"), _listed(old, was, "en")
            yield Change(
                "route.changed",
                name,
                f"Sau «{title.vi}» đi tới {vi} (trước đây: {before_vi}).",
                f"After «{title.en}» it goes to {en} (before: {before_en}).",
            )
        for target in now:
            if target in was and _plain(was[target].condition) != _plain(now[target].condition):
                yield _condition(title, _of(new, target), was[target], now[target])
        if _default(old, old.nodes[name]) != _default(new, node) and node.kind == old.nodes[name].kind:
            target = _default(new, node)
            yield Change(
                "route.default",
                name,
                f"Nhánh mặc định của «{title.vi}» nay tới «{_of(new, target).vi if target else '–'}».",
                f"The default path of «{title.en}» now goes to «{_of(new, target).en if target else '–'}».",
            )


def _condition(source: Words, target: Words, was: Flow, now: Flow) -> Change:
    before, after = _cut(was.condition), _cut(now.condition)
    return Change(
        "route.condition",
        now.id,
        f"Điều kiện từ «{source.vi}» tới «{target.vi}» đổi từ «{before}» thành «{after}».",
        f"The condition from «{source.en}» to «{target.en}» changes from «{before}» to «{after}».",
    )


def _default(diagram: Diagram, node: Node) -> str:
    flow: Flow | None = diagram.flows.get(node.default or "")
    return flow.target if flow is not None else ""


def _of(diagram: Diagram, name: str) -> Words:
    return _title(diagram.nodes[name]) if name in diagram.nodes else Words(name, name)


def _listed(diagram: Diagram, targets: Iterable[str], language: str) -> str:
    return ", ".join(f"«{_of(diagram, target).in_language(language)}»" for target in targets) or "–"


def _plain(text: str | None) -> str:
    return " ".join((text or "").split())


def _cut(text: str | None) -> str:
    flat = _plain(text)
    return (flat if len(flat) <= 60 else f"{flat[:59]}…") or "–"


def _declarations(old: Package, new: Package) -> Iterator[Change]:
    yield from _whole(old, new)
    yield from _keyed("lane", "Làn", "Lane", old.lanes, new.lanes, lambda lane: lane.id, lambda lane: (lane.role, lane.unit))
    yield from _keyed(
        "component", "Thành phần hồ sơ", "Component", old.components, new.components, _key,
        lambda part: (part.form, part.copies, part.required, part.upload, *part.media),
    )  # fmt: skip
    yield from _keyed("fee", "Phí, lệ phí", "Fee", old.fees, new.fees, _key, lambda fee: (fee.kind, fee.amount))
    yield from _keyed(
        "document", "Văn bản", "Document", old.documents, new.documents, _key,
        lambda kind: (
            kind.template, kind.register, kind.symbol, kind.capacity, kind.order, kind.type, kind.annex_of, kind.copy, *kind.pages_of,
        ),
    )  # fmt: skip
    if [(reason.kind, reason.text) for reason in old.reasons] != [(reason.kind, reason.text) for reason in new.reasons]:
        yield Change("reasons", "", "Danh sách lý do mẫu thay đổi.", "The list of quick reasons changes.")
    if old.notices != new.notices:
        yield Change("notices", "", "Mẫu thông báo thay đổi.", "The texts of notices change.")


def _key(item: Any) -> str:
    return str(item.key)


def _whole(old: Package, new: Package) -> Iterator[Change]:
    if (old.term.amount, old.term.unit) != (new.term.amount, new.term.unit):
        was, now = _term(old), _term(new)
        yield Change("term", "", f"Thời hạn giải quyết đổi từ {was.vi} thành {now.vi}.", f"The term changes from {was.en} to {now.en}.")
    rules = ("counting", "cutoff", "on_supplement", "legal_basis", "valid_from")
    if any(getattr(old.term, rule) != getattr(new.term, rule) for rule in rules):
        yield Change(
            "term.rule", "", "Cách tính hoặc căn cứ của thời hạn thay đổi.", "How the term is counted, or its legal basis, changes."
        )
    for name, vi, en in (
        ("name", "Tên thủ tục", "The name"),
        ("code", "Mã thủ tục", "The code"),
        ("scope", "Phạm vi", "The scope"),
        ("online_level", "Mức độ dịch vụ trực tuyến", "The online level"),
        ("effective_from", "Ngày hiệu lực", "The effective date"),
        ("legal_basis", "Căn cứ pháp lý", "The legal basis"),
        ("start_form", "Biểu mẫu tiếp nhận", "The reception form"),
    ):
        if getattr(old, name) != getattr(new, name):
            yield Change(name, "", f"{vi} thay đổi.", f"{en} changes.")


def _term(package: Package) -> Words:
    amount, unit = package.term.amount, package.term.unit
    vi = {"same_day": "trong ngày", "working_hour": f"{amount} giờ làm việc", "working_day": f"{amount} ngày làm việc"}
    en = {"same_day": "the same day", "working_hour": f"{amount} working hours", "working_day": f"{amount} working days"}
    return Words(vi.get(unit, f"{amount} ngày"), en.get(unit, f"{amount} days"))


def _keyed(
    kind: str,
    vi: str,
    en: str,
    old: tuple[Any, ...],
    new: tuple[Any, ...],
    key: Callable[[Any], str],
    rest: Callable[[Any], tuple[Any, ...]],
) -> Iterator[Change]:
    before, after = {key(item): item for item in old}, {key(item): item for item in new}
    for name, item in after.items():
        words = _words(item)
        if name not in before:
            yield Change(f"{kind}.added", name, f"{vi}: thêm «{words.vi}».", f"{en}: adds «{words.en}».")
        elif rest(before[name]) != rest(item):
            yield Change(f"{kind}.changed", name, f"{vi}: «{words.vi}» thay đổi.", f"{en}: «{words.en}» changes.")
    for name, item in before.items():
        if name not in after:
            words = _words(item)
            yield Change(f"{kind}.removed", name, f"{vi}: bỏ «{words.vi}».", f"{en}: removes «{words.en}».")


def _words(item: Any) -> Words:
    words: Words = item.title if hasattr(item, "title") else item.name
    return words


def _forms(old: Package, new: Package) -> Iterator[Change]:
    for key in sorted(set(old.form_keys) | set(new.form_keys)):
        if key not in old.form_keys:
            yield Change("form.added", key, f"Thêm biểu mẫu «{key}».", f"Adds the form «{key}».")
        elif key not in new.form_keys:
            yield Change("form.removed", key, f"Bỏ biểu mẫu «{key}».", f"Removes the form «{key}».")
        elif old.form_file(key) != new.form_file(key):
            yield from _form(key, old, new)


def _form(key: str, old: Package, new: Package) -> Iterator[Change]:
    try:
        before = {field.key: field for field in old.form(key).fields}
        after = {field.key: field for field in new.form(key).fields}
    except EngineError:
        yield Change("form.changed", key, f"Biểu mẫu «{key}» thay đổi.", f"The form «{key}» changes.")
        return
    for name, field in after.items():
        label = _label(field)
        if name not in before:
            yield Change(
                "field.added",
                f"{key}.{name}",
                f"Biểu mẫu «{key}»: thêm trường «{label.vi}».",
                f"Form «{key}»: adds the field «{label.en}».",
            )
        elif _rules(before[name]) != _rules(field):
            yield Change(
                "field.changed",
                f"{key}.{name}",
                f"Biểu mẫu «{key}»: trường «{label.vi}» thay đổi.",
                f"Form «{key}»: the field «{label.en}» changes.",
            )
    for name, field in before.items():
        if name not in after:
            label = _label(field)
            yield Change(
                "field.removed",
                f"{key}.{name}",
                f"Biểu mẫu «{key}»: bỏ trường «{label.vi}».",
                f"Form «{key}»: removes the field «{label.en}».",
            )


def _label(field: Field) -> Words:
    return Words(field.label.vi, field.label.en or field.label.vi)


def _rules(field: Field) -> tuple[Any, ...]:
    return tuple(getattr(field, name) for name in Field.__dataclass_fields__ if name != "hide")


def _files(old: Package, new: Package) -> Iterator[Change]:
    before, after = {**old.files, **old.part_files}, {**new.files, **new.part_files}
    kinds = (
        ("templates/", "Mẫu in", "The template"),
        ("decisions/", "Bảng quyết định", "The decision table"),
        ("_shared/", "Phần dùng chung", "The shared part's file"),
    )
    for folder, vi, en in kinds:
        names: Mapping[str, None] = dict.fromkeys(sorted(name for name in {*before, *after} if name.startswith(folder)))
        for name in names:
            if before.get(name) != after.get(name):
                what = (
                    ("thêm mới", "is added")
                    if name not in before
                    else ("bị bỏ", "is removed")
                    if name not in after
                    else ("thay đổi", "changes")
                )
                yield Change(
                    "file", name, f"{vi} «{name.removeprefix(folder)}» {what[0]}.", f"{en} «{name.removeprefix(folder)}» {what[1]}."
                )
