"""Reads types: ``number``, ``list<string>``, ``context<a: number>``, ``function<number>->string``."""

from __future__ import annotations

from collections.abc import Mapping

from engine.feel import limits
from engine.feel.errors import FeelError, place
from engine.feel.tokens import Token, tokenise, words_of
from engine.feel.types import NAMED, ContextType, FeelType, FunctionType, ListType, RangeType

_LONGEST = sorted(((tuple(name.split()), kind) for name, kind in NAMED.items()), key=lambda entry: -len(entry[0]))


def parse_type(text: str) -> FeelType:
    """The type written as *text*.

    Raises:
        FeelError: ``feel.unknown_type`` or a syntax error.
    """
    tokens = tokenise(text)
    kind, index = parse_type_tokens(text, tokens, 0)
    if tokens[index].kind != "end":
        raise FeelError("feel.unexpected", *place(text, tokens[index].at), found=tokens[index].text[:40])
    return kind


def parse_type_tokens(
    text: str, tokens: list[Token], index: int, named: Mapping[str, FeelType] = {}, depth: int = 0
) -> tuple[FeelType, int]:
    """The type at token *index*, and the index behind it."""

    def expect(sign: str, index: int) -> int:
        if tokens[index].text != sign:
            raise FeelError("feel.missing", *place(text, tokens[index].at), expected=sign, found=tokens[index].text[:40])
        return index + 1

    if depth > limits.DEPTH:
        raise FeelError("feel.too_deep", *place(text, tokens[index].at), limit=limits.DEPTH)
    start = tokens[index]
    follows = tokens[index + 1].text if start.kind != "end" else ""
    if start.text in ("list", "range") and follows == "<":
        item, index = parse_type_tokens(text, tokens, index + 2, named, depth + 1)
        index = expect(">", index)
        return (ListType("list", item=item) if start.text == "list" else RangeType("range", item=item)), index
    if start.text == "context" and follows == "<":
        return _context(text, tokens, index + 2, named, depth)
    if start.text == "function" and follows == "<":
        parameters: list[FeelType] = []
        index += 2
        while tokens[index].text != ">":
            if parameters:
                index = expect(",", index)
            parameter, index = parse_type_tokens(text, tokens, index, named, depth + 1)
            parameters.append(parameter)
        result, index = parse_type_tokens(text, tokens, expect("->", index + 1), named, depth + 1)
        return FunctionType("function", parameters=tuple(parameters), result=result), index
    for name, known in named.items():
        parts = words_of(name)
        if parts and tuple(token.text for token in tokens[index : index + len(parts)]) == parts:
            return known, index + len(parts)
    for words, kind in _LONGEST:
        if all(token.text == word and token.kind == "word" for token, word in zip(tokens[index:], words, strict=False)):
            return kind, index + len(words)
    if start.kind == "end":
        raise FeelError("feel.unexpected_end", *place(text, start.at))
    raise FeelError("feel.unknown_type", *place(text, start.at), name=start.text[:40])


def _context(text: str, tokens: list[Token], index: int, named: Mapping[str, FeelType], depth: int) -> tuple[FeelType, int]:
    entries: dict[str, FeelType] = {}
    while tokens[index].text != ">":
        if entries and tokens[index].text == ",":
            index += 1
        words = []
        while tokens[index].text != ":":
            if tokens[index].kind not in ("word", "number", "sign") or tokens[index].text in "<>{}":
                raise FeelError("feel.name_expected", *place(text, tokens[index].at))
            words.append(tokens[index].text)
            index += 1
        entries[" ".join(words)], index = parse_type_tokens(text, tokens, index + 1, named, depth + 1)
    return ContextType("context", entries=entries), index + 1
