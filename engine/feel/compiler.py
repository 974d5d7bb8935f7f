"""Turns a syntax tree into a function of Python that can call nothing but our guards.

This is the only module that compiles or evaluates Python. It never passes on text of the author: names become keys of a dictionary,
literals become constants, and every operation becomes a call of a guard. The generated function sees no builtins. The line number of each
generated call is the offset of its operator plus one, so that an error at run time has a place without any table.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from engine.feel import guards, limits, python, tree
from engine.feel.errors import FeelError
from engine.feel.library import LIBRARY, Builtin, Overload, in_order
from engine.feel.limits import Meter
from engine.feel.resolver import Resolver, similar
from engine.feel.scopes import Frame, Local
from engine.feel.types import ANY
from engine.feel.values import Function

_COMPARE = {"=": "_equal", "!=": "_unequal", "<": "_less", "<=": "_most", ">": "_greater", ">=": "_least"}
_ARITHMETIC = {"+": "_add", "-": "_subtract", "*": "_multiply", "/": "_divide", "**": "_power"}
Compiled = Callable[[Mapping[str, Any], Any, Mapping[str, Any]], Any]


class Compiler(Resolver):
    """Compiles one tree."""

    def compile(self, node: tree.Node) -> Compiled:
        """The function of (scope, meter, outside functions, implicit variables …) that evaluates *node*."""
        body = self.emit(node)
        outer = ast.Expression(python.closure(("s", "m", "f", *self.implicit), body, node.at))
        code = compile(outer, "<feel>", "eval", dont_inherit=True)
        return eval(code, self.globals)  # type: ignore[no-any-return]  # noqa: S307 - of our own tree only, see above

    # -- the tree -----------------------------------------------------------------------------------------------------------------

    def emit(self, node: tree.Node) -> ast.expr:
        """The Python expression for *node*."""
        self.level += 1
        if self.level > limits.TREE:
            raise self.fail("feel.too_deep", node.at, limit=limits.TREE)
        made: ast.expr = _EMIT[type(node)](self, node)
        self.level -= 1
        return made

    def literal(self, node: tree.Literal) -> ast.expr:
        """A constant."""
        return self.constant(node.value, node.at)

    def name_node(self, node: tree.Name) -> ast.expr:
        """A variable, or a function as a value."""
        return self.resolved(node, (node.name,))

    def path(self, node: tree.Path) -> ast.expr:
        """``base.name``: from the scope in one step where the base is a plain path."""
        names = [node.name]
        base = node.base
        while isinstance(base, tree.Path):
            names.append(base.name)
            base = base.base
        if isinstance(base, tree.Name):
            return self.resolved(base, (base.name, *reversed(names)))
        return self.call("_entry", node.at, self.emit(node.base), self.constant(node.name, node.at))

    def filter(self, node: tree.Filter) -> ast.expr:
        """``base[condition]``; a constant position needs no loop."""
        base = self.emit(node.base)
        condition = node.condition
        if isinstance(condition, tree.Literal) and isinstance(condition.value, Decimal):
            return self.call("_item", node.at, base, self.emit(condition))
        if isinstance(condition, tree.Negate) and isinstance(condition.operand, tree.Literal):
            return self.call("_item", node.at, base, self.emit(condition))
        item = self.fresh()
        self.frames.append(Frame({}, Local(item, ANY)))
        test = python.closure((item,), self.emit(condition), node.at)
        self.frames.pop()
        return self.call("_filter", node.at, self.meter(node.at), base, test)

    def call_node(self, node: tree.Call) -> ast.expr:
        """A function invocation: built-in functions are chosen here, all others when the value is known."""
        names = tuple(node.names) if node.names is not None else None
        callee = node.callee
        if isinstance(callee, tree.Name) and not self.is_variable(callee.name):
            outside = self.functions.get(callee.name)
            if outside is not None:
                return self.outside(node, callee.name, outside, names)
            if isinstance(callee, tree.External):
                raise self.fail("feel.external_function", callee.at, name=callee.name)
            known = LIBRARY.get(callee.name)
            if known is None:
                raise self.fail("feel.unknown_function", callee.at, name=callee.name, known=similar(callee.name, LIBRARY))
            return self.builtin(node, known, names)
        function = self.emit(callee)
        arguments = [self.emit(argument) for argument in node.arguments]
        return self.call("_invoke", node.at, self.meter(node.at), function, self.shown(names, node.at), *arguments)

    def external(self, node: tree.External) -> ast.expr:
        """An external function that a decision model holds as a variable."""
        if node.name not in (self.names or {}):
            raise self.fail("feel.external_function", node.at, name=node.name)
        return self.name_node(node)

    def is_variable(self, name: str) -> bool:
        """Whether *name* in front of brackets is a variable: a local one, or one declared to hold a function."""
        if any(name in frame.names for frame in self.frames):
            return True
        kind = (self.names or {}).get(name)
        return kind is not None and (kind.name == "function" or (kind.name == "Any" and name not in LIBRARY and name not in self.functions))

    def builtin(self, node: tree.Call, function: Builtin, names: tuple[str, ...] | None) -> ast.expr:
        """A call of a built-in function."""
        overload = function.choose(len(node.arguments), names)
        if overload is None:
            problem = function.arity_error()
            raise problem.at(self.text, node.at)
        if function.name in _LITERAL_FUNCTIONS and len(node.arguments) == 1 and isinstance(node.arguments[0], tree.Literal):
            return self.folded(node, overload, node.arguments[0].value)
        arguments = [self.emit(argument) for argument in node.arguments]
        if names is not None:
            arguments = in_order(overload, names, tuple(arguments), self.constant(None, node.at))
        guard = self.overload(overload)
        return self.call(guard, node.at, self.meter(node.at), *arguments)

    def folded(self, node: tree.Call, overload: Overload, value: Any) -> ast.expr:
        """A date or duration that is written as a call with a text: a literal of the language (rule 60), read now."""
        try:
            return self.constant(overload(Meter(), value), node.at)
        except FeelError as problem:
            if not self.lenient:
                raise problem.at(self.text, node.at) from None
        return self.call(self.overload(overload), node.at, self.meter(node.at), self.constant(value, node.at))

    def overload(self, overload: Overload) -> str:
        """The global name of an overload, in the mode at hand."""
        name = f"b{id(overload)}"
        if name not in self.globals:
            self.globals[name] = guards.forgiving(overload) if self.lenient else overload
        return name

    def outside(self, node: tree.Call, name: str, function: Function, names: tuple[str, ...] | None) -> ast.expr:
        """A call of a function registered from outside; which one is looked up at each evaluation."""
        if (not set(names) <= set(function.parameters)) if names is not None else len(node.arguments) != len(function.parameters):
            raise self.fail("feel.arity", node.at, function=name, parameters=", ".join(function.parameters))
        found = python.item(python.name("f", node.at), name, node.at)
        arguments = [self.emit(argument) for argument in node.arguments]
        return self.call("_invoke", node.at, self.meter(node.at), found, self.shown(names, node.at), *arguments)

    def compare(self, node: tree.Compare) -> ast.expr:
        """A comparison."""
        return self.call(_COMPARE[node.operator], node.at, self.emit(node.left), self.emit(node.right))

    def arithmetic(self, node: tree.Arithmetic) -> ast.expr:
        """An arithmetic operation."""
        return self.call(_ARITHMETIC[node.operator], node.at, self.emit(node.left), self.emit(node.right))

    def negate(self, node: tree.Negate) -> ast.expr:
        """A negation; of a constant number a constant."""
        if isinstance(node.operand, tree.Literal) and isinstance(node.operand.value, Decimal):
            return self.constant(node.operand.value.copy_negate() if node.operand.value else node.operand.value, node.at)
        return self.call("_negate", node.at, self.emit(node.operand))

    def between(self, node: tree.Between) -> ast.expr:
        """``value between low and high``."""
        return self.call("_between", node.at, self.emit(node.value), self.emit(node.low), self.emit(node.high))

    def logic(self, node: tree.Logic) -> ast.expr:
        """``and``, ``or``: decided by the first term that decides, else by the guard over all of them."""
        at = node.at
        kept = [self.fresh() for _ in node.terms]
        decides = [
            python.is_constant(python.keep(name, self.emit(term), term.at), not node.every, at)
            for name, term in zip(kept, node.terms, strict=True)
        ]
        either = python.either(decides, at)
        rest = self.call("_and" if node.every else "_or", at, *(python.name(name, at) for name in kept))
        return python.choice(either, self.constant(not node.every, at), rest, at)

    def if_node(self, node: tree.If) -> ast.expr:
        """``if``."""
        condition = self.call("_holds", node.condition.at, self.emit(node.condition))
        return python.choice(condition, self.emit(node.positive), self.emit(node.negative), node.at)

    def in_node(self, node: tree.In) -> ast.expr:
        """``value in tests``."""
        variable = self.fresh()
        kept = python.keep(variable, self.emit(node.value), node.at)
        self.frames.append(Frame({"?": Local(variable)}))
        tests = self.tests(node.tests)
        self.frames.pop()
        pair = python.pack([kept, tests], node.at)
        return python.item(pair, 1, node.at)

    def tests(self, node: tree.Tests) -> ast.expr:
        """Unary tests of the variable ``?``."""
        if not node.tests:
            return self.constant(True, node.at)
        made = [self.test(test) for test in node.tests]
        result = made[0] if len(made) == 1 else self.call("_or", node.at, *made)
        if node.negated:
            result = self.call(self.overload(LIBRARY["not"].overloads[0]), node.at, self.meter(node.at), result)
        return result

    def test(self, node: tree.Test) -> ast.expr:
        """One unary test."""
        operand = self.emit(node.operand)
        if node.asks and not node.operator:
            return self.call("_passes", node.at, operand)
        value = self.resolved(tree.Name(node.at, "?"), ("?",))
        return self.call(_COMPARE[node.operator] if node.operator else "_matches", node.at, value, operand)

    def instance_of(self, node: tree.InstanceOf) -> ast.expr:
        """``value instance of type``."""
        return self.call("_instance", node.at, self.emit(node.value), python.name(self.hold(node.type), node.at))

    def list_of(self, node: tree.ListOf) -> ast.expr:
        """A list."""
        items = [self.emit(item) for item in node.items]
        return python.array(items, node.at)

    def context_of(self, node: tree.ContextOf) -> ast.expr:
        """A context; every entry is kept in a variable for the entries behind it."""
        frame = Frame()
        self.frames.append(frame)
        keys: list[ast.expr | None] = []
        values: list[ast.expr] = []
        for key, entry in node.entries:
            made = self.emit(entry)
            variable = self.fresh()
            frame.names[key] = Local(variable)
            keys.append(self.constant(key, entry.at))
            values.append(python.keep(variable, made, entry.at))
        self.frames.pop()
        return python.mapping(keys, values, node.at)

    def range_of(self, node: tree.RangeOf) -> ast.expr:
        """A range; of constants a constant."""
        low, high = node.low, node.high
        none = tree.Literal(node.at, None)
        if isinstance(low or none, tree.Literal) and isinstance(high or none, tree.Literal):
            first, last = getattr(low, "value", None), getattr(high, "value", None)
            try:
                return self.constant(self.guards["_range"](first, node.low_closed, last, node.high_closed), node.at)
            except FeelError as problem:
                raise problem.at(self.text, node.at) from None
        return self.call(
            "_range",
            node.at,
            self.emit(low or none),
            self.constant(node.low_closed, node.at),
            self.emit(high or none),
            self.constant(node.high_closed, node.at),
        )

    def iterations(self, node: tree.For | tree.Quantified) -> tuple[ast.Tuple, tuple[str, ...]]:
        """The sources of a loop as functions of the variables before them, and those variables; opens one frame."""
        frame = Frame()
        self.frames.append(frame)
        sources: list[ast.expr] = []
        variables: list[str] = []
        for iteration in node.iterations:
            at = iteration.at
            if iteration.upto is None:
                made = self.emit(iteration.source)
            else:
                made = self.call("_span", at, self.meter(at), self.emit(iteration.source), self.emit(iteration.upto))
            sources.append(python.closure(tuple(variables), made, at))
            variables.append(self.fresh())
            frame.names[iteration.name] = Local(variables[-1])
        return python.pack(sources, node.at), tuple(variables)

    def for_node(self, node: tree.For) -> ast.expr:
        """``for``."""
        sources, variables = self.iterations(node)
        partial = self.fresh()
        local = Local(partial)
        self.frames[-1].names.setdefault("partial", local)
        body = self.emit(node.body)
        wanted = any(isinstance(part, ast.Name) and part.id == partial for part in ast.walk(body))
        self.frames.pop()
        made = python.closure((*variables, partial) if wanted else variables, body, node.at)
        return self.call("_loop", node.at, self.meter(node.at), sources, made, self.constant(wanted, node.at))

    def quantified(self, node: tree.Quantified) -> ast.expr:
        """``some``, ``every``."""
        sources, variables = self.iterations(node)
        body = python.closure(variables, self.emit(node.body), node.at)
        self.frames.pop()
        return self.call("_quantified", node.at, self.meter(node.at), sources, body, self.constant(node.every, node.at))

    def function_of(self, node: tree.FunctionOf) -> ast.expr:
        """A function definition."""
        frame = Frame({name: Local(self.fresh(), kind) for name, kind in node.parameters})
        self.frames.append(frame)
        body = python.closure(("m", *(local.variable for local in frame.names.values())), self.emit(node.body), node.at)
        self.frames.pop()
        names = tuple(name for name, _ in node.parameters)
        kinds = tuple(kind for _, kind in node.parameters)
        return self.call("_function", node.at, python.name(self.hold((names, kinds)), node.at), body)


_LITERAL_FUNCTIONS = frozenset(("date", "time", "date and time", "duration"))
_EMIT: dict[type, Callable[[Compiler, Any], ast.expr]] = {
    tree.Literal: Compiler.literal,
    tree.Name: Compiler.name_node,
    tree.External: Compiler.external,
    tree.Path: Compiler.path,
    tree.Filter: Compiler.filter,
    tree.Call: Compiler.call_node,
    tree.Negate: Compiler.negate,
    tree.Arithmetic: Compiler.arithmetic,
    tree.Compare: Compiler.compare,
    tree.Between: Compiler.between,
    tree.Logic: Compiler.logic,
    tree.If: Compiler.if_node,
    tree.In: Compiler.in_node,
    tree.Tests: Compiler.tests,
    tree.InstanceOf: Compiler.instance_of,
    tree.ListOf: Compiler.list_of,
    tree.ContextOf: Compiler.context_of,
    tree.RangeOf: Compiler.range_of,
    tree.For: Compiler.for_node,
    tree.Quantified: Compiler.quantified,
    tree.FunctionOf: Compiler.function_of,
}
