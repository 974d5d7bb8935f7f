"""Reads an expression into a syntax tree: precedence climbing over tokens, names of several words matched against the known ones."""

from __future__ import annotations

from engine.feel import limits, numbers, temporal, tree
from engine.feel.errors import FeelError
from engine.feel.tokens import KEYWORDS, Token, unescape
from engine.feel.types import ANY, FeelType
from engine.feel.typetext import parse_type_tokens
from engine.feel.unarytests import TestParser

# Clause 10.3.1.2: from the loosest to the tightest. Operators of one level group to the left.
_OR, _AND, _COMPARE, _ADD, _MULTIPLY, _POWER, _NEGATE, _INSTANCE = 1, 2, 3, 4, 5, 6, 7, 8
_LEVEL = {"+": _ADD, "-": _ADD, "*": _MULTIPLY, "/": _MULTIPLY, "**": _POWER}
_LEVEL |= dict.fromkeys(("=", "!=", "<", "<=", ">", ">=", "between", "in"), _COMPARE) | {"or": _OR, "and": _AND, "instance": _INSTANCE}
_CONSTANTS = {"null": None, "true": True, "false": False}
_ORDER = ("<", "<=", ">", ">=")


_EXTERNAL = {"java": ("class", "method signature"), "pmml": ("document", "model")}


def external_name(written: tree.Node) -> str:
    """The name an external function is registered by, ``class.method`` or ``document.model``; nothing when it is written otherwise."""
    kinds = dict(written.entries) if isinstance(written, tree.ContextOf) else {}
    for kind, keys in _EXTERNAL.items():
        entries = kinds.get(kind)
        if isinstance(entries, tree.ContextOf) and len(kinds) == 1:
            known = dict(entries.entries)
            values = [known.get(key) for key in keys]
            texts = [value.value for value in values if isinstance(value, tree.Literal) and isinstance(value.value, str)]
            return f"{texts[0]}.{texts[1].partition('(')[0]}" if len(texts) == len(keys) and len(known) == len(keys) else ""
    return ""


class Parser(TestParser):
    """One pass over the tokens of one text. *names* are the names of several words that the expression may use."""

    # -- whole texts --------------------------------------------------------------------------------------------------------------

    def whole_expression(self) -> tree.Node:
        """The text as one expression."""
        node = self.expression()
        if self.token.kind != "end":
            raise self.unexpected()
        return node

    # -- expressions --------------------------------------------------------------------------------------------------------------

    def expression(self) -> tree.Node:
        """Any expression."""
        return self.operators(_OR)

    def operators(self, level: int, *, filters: bool = True) -> tree.Node:
        """An expression whose operators bind at least as tightly as *level*."""
        self.depth += 1
        if self.depth > limits.DEPTH:
            raise self.fail("feel.too_deep", limit=limits.DEPTH)
        left = self.prefix(filters)
        chain = 0
        while True:
            token = self.token
            own = _LEVEL.get(token.text, 0) if token.kind != "string" else 0
            if own < level:
                break
            chain += 1
            if chain > limits.CHAIN:
                raise self.fail("feel.too_long_chain", limit=limits.CHAIN)
            left = self.operation(left, token, own)
        self.depth -= 1
        return left

    def operation(self, left: tree.Node, token: Token, level: int) -> tree.Node:
        """*left* combined with the operator at the current token."""
        operator = token.text
        self.next()
        if level in (_OR, _AND):
            right = self.operators(level + 1)
            every = level == _AND
            if isinstance(left, tree.Logic) and left.every == every and not left.closed:
                left.terms.append(right)
                return left
            return tree.Logic(token.at, every, [left, right])
        if operator == "between":
            low = self.operators(_ADD)
            self.expect("and")
            return tree.Between(token.at, left, low, self.operators(_ADD))
        if operator == "in":
            return tree.In(token.at, left, self.in_tests())
        if operator == "instance":
            self.expect("of")
            return tree.InstanceOf(token.at, left, self.type())
        right = self.operators(level + 1)
        if level == _COMPARE:
            return tree.Compare(token.at, operator, left, right)
        return tree.Arithmetic(token.at, operator, left, right)

    def prefix(self, filters: bool) -> tree.Node:
        """A signed or plain operand with its paths, filters and calls."""
        token = self.token
        if token.kind == "sign" and token.text == "-":
            self.next()
            if self.token.kind == "number":
                # Rule 35: the sign is part of the literal.
                literal = self.primary()
                assert isinstance(literal, tree.Literal)
                return self.postfix(tree.Literal(token.at, -literal.value if literal.value else literal.value), filters)
            operand = self.operators(_INSTANCE, filters=filters)
            return tree.Negate(token.at, operand)
        if token.kind == "sign" and token.text in _ORDER:
            return self.unary_range()
        return self.postfix(self.primary(), filters)

    def postfix(self, node: tree.Node, filters: bool) -> tree.Node:
        """*node* followed by any number of ``.name``, ``[filter]`` and ``(arguments)``."""
        chain = 0
        while self.token.kind == "sign":
            sign, at = self.token.text, self.token.at
            if sign == ".":
                self.next()
                node = tree.Path(at, node, self.entry_name())
            elif sign == "[" and filters:
                self.next()
                node = tree.Filter(at, node, self.expression())
                self.expect("]")
            elif sign == "(":
                self.next()
                node = self.arguments(node, at)
            else:
                break
            chain += 1
            if chain > limits.CHAIN:
                raise self.fail("feel.too_long_chain", limit=limits.CHAIN)
        return node

    def primary(self) -> tree.Node:
        """A literal, a name, or something in brackets."""
        token = self.token
        kind, text = token.kind, token.text
        if kind == "word":
            return self.word(token)
        if kind == "number":
            self.next()
            try:
                return tree.Literal(token.at, numbers.literal(text))
            except FeelError as problem:
                raise problem.at(self.text, token.at) from None
        if kind == "string":
            self.next()
            return tree.Literal(token.at, unescape(text))
        if text == "(":
            return self.bracket(token)
        if text in ("[", "]"):
            return self.square(token)
        if text == "{":
            return self.context(token)
        if text == "@":
            return self.at_literal(token)
        raise self.unexpected()

    def word(self, token: Token) -> tree.Node:
        """A name, or a construct that starts with a word of the language."""
        name = self.known_name()
        if name is not None:
            return tree.Name(token.at, name)
        text = token.text
        if text not in KEYWORDS:
            return tree.Name(token.at, self.free_name())
        if text in _CONSTANTS:
            self.next()
            return tree.Literal(token.at, _CONSTANTS[text])
        if text == "not" and self.tokens[self.index + 1].text == "(":
            self.next()
            return tree.Name(token.at, "not")
        if text in ("if", "for", "some", "every", "function"):
            self.next()
            return getattr(self, f"{text}_construct")(token.at)  # type: ignore[no-any-return]
        raise self.unexpected()

    # -- constructs ------------------------------------------------------------------------------------------------------------

    def type(self) -> FeelType:
        """A type."""
        kind, self.index = parse_type_tokens(self.text, self.tokens, self.index, self.types)
        self.token = self.tokens[self.index]
        return kind

    def at_literal(self, token: Token) -> tree.Node:
        """``@"…"``: a date, time, date and time, or duration."""
        self.next()
        if self.token.kind != "string":
            raise self.fail("feel.at_literal", at=token.at)
        value = temporal.read_any(unescape(self.token.text))
        if value is None:
            raise self.fail("feel.at_literal", at=token.at)
        self.next()
        return tree.Literal(token.at, value)

    def if_construct(self, at: int) -> tree.Node:
        """``if … then … else …`` behind its first word."""
        condition = self.expression()
        self.expect("then")
        positive = self.expression()
        self.expect("else")
        return tree.If(at, condition, positive, self.expression())

    def iterations(self, until: str) -> list[tree.Iteration]:
        """``name in source, …`` up to the word *until*, each name known to what follows; opens one scope per iteration."""
        found: list[tree.Iteration] = []
        while True:
            at = self.token.at
            name = self.new_name(("in",))
            self.next()
            source = self.operators(_OR)
            upto = None
            if self.at_sign(".."):
                self.next()
                upto = self.operators(_OR)
            found.append(tree.Iteration(at, name, source, upto))
            self.introduce([name])
            if len(found) > 20:
                raise self.fail("feel.too_deep", limit=20)
            if self.at_sign(until):
                self.next()
                return found
            self.expect(",")

    def for_construct(self, at: int) -> tree.Node:
        """``for … return …`` behind its first word."""
        iterations = self.iterations("return")
        body = self.expression()
        del self.scopes[-len(iterations) :]
        return tree.For(at, iterations, body)

    def some_construct(self, at: int, every: bool = False) -> tree.Node:
        """``some … satisfies …`` behind its first word."""
        iterations = self.iterations("satisfies")
        body = self.expression()
        del self.scopes[-len(iterations) :]
        return tree.Quantified(at, every, iterations, body)

    def every_construct(self, at: int) -> tree.Node:
        """``every … satisfies …`` behind its first word."""
        return self.some_construct(at, every=True)

    def function_construct(self, at: int) -> tree.Node:
        """``function(a, b: number) body`` behind its first word."""
        self.expect("(")
        parameters: list[tuple[str, FeelType]] = []
        while not self.at_sign(")"):
            if parameters:
                self.expect(",")
            name = self.new_name((":", ",", ")"))
            if name in (known for known, _ in parameters):
                raise self.fail("feel.duplicate_name", name=name)
            kind: FeelType = ANY
            if self.at_sign(":"):
                self.next()
                kind = self.type()
            parameters.append((name, kind))
        self.next()
        self.introduce(name for name, _ in parameters)
        body = self.external([name for name, _ in parameters]) if self.at_sign("external") else self.expression()
        self.scopes.pop()
        return tree.FunctionOf(at, parameters, body)

    def external(self, parameters: list[str]) -> tree.Node:
        """What ``external {java: {class: "c", method signature: "m(types)"}}`` (or ``pmml``) calls: the function registered as ``c.m``.

        Clause 10.3.2.13.3. Nothing of the text is ever loaded or run: whoever compiles decides what stands behind the name.
        """
        at = self.next().at
        written = self.expression()
        name = external_name(written)
        if not name:
            raise self.fail("feel.external_function", at, name="?")
        return tree.Call(at, tree.External(at, name), [tree.Name(at, one) for one in parameters], None)

    def arguments(self, callee: tree.Node, at: int) -> tree.Node:
        """``(…)`` behind a function: positional or named arguments."""
        values: list[tree.Node] = []
        names: list[str] | None = None
        start = self.index
        if self.token.kind == "word":
            try:
                self.new_name((":",))
                names = []
            except FeelError:
                names = None
            self.moved(start)
        while not self.at_sign(")"):
            if values:
                self.expect(",")
            if names is not None:
                name = self.new_name((":",))
                if name in names:
                    raise self.fail("feel.duplicate_name", name=name)
                names.append(name)
                self.next()
            values.append(self.expression())
        self.next()
        return tree.Call(at, callee, values, names)

    def context(self, token: Token) -> tree.Node:
        """``{ key: value, … }``."""
        self.next()
        self.introduce(())
        entries: list[tuple[str, tree.Node]] = []
        seen: set[str] = set()
        while not self.at_sign("}"):
            if entries:
                self.expect(",")
            at = self.token.at
            if self.token.kind == "string":
                key = unescape(self.next().text)
            else:
                key = self.new_name((":",))
            self.expect(":")
            if key in seen:
                raise self.fail("feel.duplicate_name", at, name=key)
            seen.add(key)
            entries.append((key, self.expression()))
            self.scopes[-1].add(key)
        self.next()
        self.scopes.pop()
        return tree.ContextOf(token.at, entries)

    def bracket(self, token: Token) -> tree.Node:
        """``( … )``: an expression, or a range that excludes its start; ``(< 5)`` is a range without the other end."""
        self.next()
        low = self.expression()
        if self.at_sign(".."):
            return self.range(token.at, low, closed=False)
        self.expect(")")
        if isinstance(low, tree.Logic):
            low.closed = True
        return low

    def unary_range(self) -> tree.Node:
        """``< 5`` as a value: the range below five."""
        operator = self.next()
        end = self.operators(_ADD)
        if operator.text in ("<", "<="):
            return tree.RangeOf(operator.at, None, False, end, operator.text == "<=")
        return tree.RangeOf(operator.at, end, operator.text == ">=", None, False)

    def square(self, token: Token) -> tree.Node:
        """``[ … ]``: a list or a range; ``] …`` a range that excludes its start."""
        self.next()
        closed = token.text == "["
        if closed and self.at_sign("]") and not self.range_follows():
            self.next()
            return tree.ListOf(token.at, [])
        items = [self.expression()]
        if self.at_sign(".."):
            return self.range(token.at, items[0], closed=closed)
        if not closed:
            raise self.fail("feel.missing", expected="..", found=self.token.text[:40])
        while self.at_sign(","):
            self.next()
            items.append(self.expression())
        self.expect("]")
        return tree.ListOf(token.at, items)

    def range_follows(self) -> bool:
        """Whether the ``]`` at hand opens a range, as in ``[]1..2[, 3]``; right behind ``[`` it closes an empty list unless it does."""
        start, depth, scopes, asks = self.index, self.depth, len(self.scopes), self.asks
        if start not in self.tried:
            # Remembered: brackets nested in each other would otherwise be tried again at every level.
            try:
                self.square(self.token)
            except FeelError:
                self.tried[start] = False
            else:
                self.tried[start] = True
            self.moved(start)
            self.depth, self.asks = depth, asks
            del self.scopes[scopes:]
        return self.tried[start]

    def range(self, at: int, low: tree.Node, *, closed: bool) -> tree.Node:
        """The rest of a range from its ``..`` on."""
        self.next()
        high = self.operators(_ADD, filters=False)
        if not (self.at_sign("]") or self.at_sign("[") or self.at_sign(")")):
            raise self.fail("feel.missing", expected="]", found=self.token.text[:40]) if self.token.kind != "end" else self.unexpected()
        return tree.RangeOf(at, low, closed, high, self.next().text == "]")
