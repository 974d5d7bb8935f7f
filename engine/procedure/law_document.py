"""The index of law as a document: every act, its articles, and what of which procedure cites them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.procedure.law import Act, merged
from engine.procedure.law_places import Place

HEAD = """# Pháp luật mà các quy trình dựa vào · The law the procedures stand on

Viết ra từ `bpmn/` bằng `motcua procedure law --document bpmn > docs/law.md`; `tests/procedures/test_law.py` giữ cho khớp. Một điều
thay đổi thì mọi dòng của điều đó, và mọi dòng viện dẫn *cả văn bản*, phải được xem lại. Trên màn hình: **Quy trình → Căn cứ pháp luật**,
có cả hồ sơ đang chạy.

*Written from `bpmn/`. When an article changes, every line of it and every line that cites the whole act is to be looked at again; on
screen: Procedures → Law, with the running dossiers.*
"""
KIND_WORDS = {
    "procedure": "căn cứ",
    "term": "thời hạn",
    "component": "thành phần hồ sơ",
    "fee": "phí, lệ phí",
    "document": "văn bản",
    "reason": "lý do mẫu",
    "notice": "thông báo",
    "element": "phần tử sơ đồ",
    "form": "biểu mẫu",
    "decision": "bảng quyết định",
    "template": "mẫu văn bản",
    "shared": "dùng chung",
}


def document(procedures: Mapping[str, Iterable[Place]], shared: Iterable[Place]) -> str:
    """Return the index as Markdown; *procedures* are the places by the key of the procedure."""
    rows = [(key, place) for key, found in sorted(procedures.items()) for place in found] + [("_shared", place) for place in shared]
    parts = [HEAD]
    for act in merged(place.citation.act for _key, place in rows):
        parts.append(f"\n## {act.label}\n\n| Điều | Quy trình | Nơi viện dẫn |\n|---|---|---|\n")
        parts.extend(_table(act, rows))
    return "".join(parts)


def _table(act: Act, rows: Iterable[tuple[str, Place]]) -> Iterable[str]:
    grouped: dict[tuple[str, str], dict[str, None]] = {}
    for key, place in rows:
        if place.citation.act.same(act):
            for article in [one.label for one in place.citation.articles] or ["cả văn bản"]:
                grouped.setdefault((article, key), {})[_where(place)] = None
    for (article, key), places in sorted(grouped.items(), key=lambda one: (_order(one[0][0]), one[0][1])):
        yield f"| {article} | `{key}` | {', '.join(places)} |\n"


def _where(place: Place) -> str:
    name = "" if place.kind in ("procedure", "term") else f" `{place.key}`"
    return f"{KIND_WORDS[place.kind]}{name}"


def _order(article: str) -> tuple[int, str]:
    digits = article.split("–")[0].rstrip("abcdđeghiklmn")
    return (int(digits), article) if digits.isdigit() else (0, article)
