"""Reads unary tests: the cells of decision tables, and what stands behind ``in``."""

from __future__ import annotations

from engine.feel import tree
from engine.feel.cursor import Cursor

LOWEST, ADDING = 1, 4
"""Levels of binding: any operator, and operators that bind at least as tightly as a sum."""
ORDER = ("<", "<=", ">", ">=")


class TestParser(Cursor):
    """Reads tests; the expressions in them are read by the parser that extends this one."""

    __test__ = False

    def operators(self, level: int, *, filters: bool = True) -> tree.Node:
        """An expression whose operators bind at least as tightly as *level*."""
        raise NotImplementedError

    def postfix(self, node: tree.Node, filters: bool) -> tree.Node:
        """*node* followed by paths, filters and calls."""
        raise NotImplementedError

    def range(self, at: int, low: tree.Node, *, closed: bool) -> tree.Node:
        """The rest of a range from its ``..`` on."""
        raise NotImplementedError

    def whole_tests(self) -> tree.Tests:
        """The text as unary tests: ``-``, ``not(…)`` or tests separated by commas."""
        at = self.token.at
        if self.at_sign("-") and self.tokens[self.index + 1].kind == "end":
            return tree.Tests(at, [], False)
        start = self.index
        if self.at_sign("not") and self.tokens[self.index + 1].text == "(":
            self.next()
            self.next()
            tests = self.test_list()
            self.expect(")")
            if self.token.kind == "end":
                return tree.Tests(at, tests, True)
            self.moved(start)
        tests = self.test_list()
        if self.token.kind != "end":
            raise self.unexpected()
        return tree.Tests(at, tests, False)

    def in_tests(self) -> tree.Tests:
        """What stands behind ``in``: one test, or tests in brackets."""
        at = self.token.at
        if not self.at_sign("("):
            return tree.Tests(at, [self.test(ADDING)], False)
        opening = self.next()
        tests = [self.test(LOWEST)]
        if self.at_sign("..") and not tests[0].operator:
            whole = self.postfix(self.range(opening.at, tests[0].operand, closed=False), filters=True)
            return tree.Tests(at, [tree.Test(at, "", whole, False)], False)
        while self.at_sign(","):
            self.next()
            tests.append(self.test(LOWEST))
        self.expect(")")
        return tree.Tests(at, tests, False)

    def test_list(self) -> list[tree.Test]:
        """Tests separated by commas."""
        tests = [self.test(LOWEST)]
        while self.at_sign(","):
            self.next()
            tests.append(self.test(LOWEST))
        return tests

    def test(self, level: int) -> tree.Test:
        """One test: an operator with its operand, or an expression."""
        token = self.token
        operator = ""
        if token.kind == "sign" and (token.text in ORDER or token.text in ("=", "!=")):
            operator = self.next().text
            level = ADDING
        asked, self.asks = self.asks, False
        operand = self.operators(level)
        asks, self.asks = self.asks, asked or self.asks
        return tree.Test(token.at, operator, operand, asks)
