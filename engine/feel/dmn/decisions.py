"""The door of decision models: read a file, evaluate its decisions and services, see what fired."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.feel.dmn import model
from engine.feel.dmn.logic import Logic, LogicCompiler
from engine.feel.dmn.reader import read_model
from engine.feel.dmn.table import Table
from engine.feel.dmn.trace import Outcome, Reached, Run
from engine.feel.dmn.types import Declared, TypeTable
from engine.feel.errors import FeelError
from engine.feel.expression import Functions, Mode, registered
from engine.feel.limits import STEPS, Meter
from engine.feel.types import ContextType, FeelType, FunctionType, context_of
from engine.feel.values import Function

RUN_STEPS = 4 * STEPS
"""Work units of the evaluation of one decision with everything it requires."""


class Decisions:
    """A compiled model. Immutable; may be evaluated by many threads at once.

    *imports* are the models that may be imported, by namespace. *functions* are registered by name and may be called by every expression.
    *mode* ``strict`` raises where the standard gives null because of an error; ``lenient`` gives null.
    With *problems* the errors of texts are collected there instead of raised; the model is then good for examining only.
    """

    def __init__(
        self,
        source: model.Model,
        *,
        imports: Mapping[str, Decisions] | None = None,
        functions: Functions | None = None,
        mode: Mode = "strict",
        problems: list[FeelError] | None = None,
    ) -> None:
        self.model = source
        self.mode = mode
        self.imported = {entry.namespace: (entry.name, self._import(entry, imports or {})) for entry in source.imports}
        self.types: TypeTable = TypeTable(
            source.types, {namespace: (name, other.types) for namespace, (name, other) in self.imported.items()}
        )
        self.functions = registered(functions) if functions else {}
        self.compiler = LogicCompiler(self.types, mode, problems)
        self.declared: dict[str, Declared] = {}
        self.kinds: dict[str, FeelType] = {}
        self.logic: dict[str, Logic] = {}
        self._open: set[str] = set()
        for key in source.elements:
            self._compile(key)

    # -- compiling ----------------------------------------------------------------------------------------------------------------

    @staticmethod
    def _import(entry: model.Import, imports: Mapping[str, Decisions]) -> Decisions:
        known = imports.get(entry.namespace)
        if known is None:
            raise FeelError("decision.import_missing", entry.line, 1, element=entry.name, namespace=entry.namespace[:200])
        return known

    def _compile(self, key: str) -> None:
        """Compile one element after everything it requires."""
        if key in self.kinds:
            return
        element = self.model.elements[key]
        if key in self._open:
            raise FeelError("decision.cycle", element.line, 1, element=element.name, name=element.name)
        self._open.add(key)
        if len(self._open) > 200:
            raise FeelError("decision.too_large", element.line, 1, element=element.name, limit=200)
        declared = self.types.named(element.type, element.line, element.name)
        self.declared[key] = declared
        match element:
            case model.InputData():
                self.kinds[key] = declared.kind
            case model.Decision():
                self._decision(key, element, declared)
            case model.Knowledge():
                self._knowledge(key, element)
            case model.Service():
                self._service(key, element)
        self._open.discard(key)

    def _names(self, element: model.Element) -> dict[str, FeelType]:
        """The variables an element sees: what it requires, under its names, and the functions from outside."""
        names: dict[str, FeelType] = {name: FunctionType("function", result=call.result) for name, call in self.functions.items()}
        for reference in element.requires:
            prefix, holder, key = self.resolve(reference, element)
            if holder is self:
                self._compile(key)
            if not prefix:
                names[holder.model.elements[key].name] = holder.kinds[key]
            else:
                known = names.get(prefix)
                entries = dict(known.entries) if isinstance(known, ContextType) else {}
                entries[holder.model.elements[key].name] = holder.kinds[key]
                names[prefix] = context_of(entries)
        return names

    def resolve(self, reference: str, element: model.Element) -> tuple[str, Decisions, str]:
        """The import name (empty for this model and for imports without a name), the model and the key of a required element.

        Raises:
            FeelError: ``decision.reference`` when nothing is there.
        """
        namespace, _, key = reference.rpartition("#")
        if not namespace or namespace == self.model.namespace:
            if key in self.model.elements:
                return "", self, key
        elif namespace in self.imported:
            name, other = self.imported[namespace]
            if key in other.model.elements:
                return name, other, key
        raise FeelError("decision.reference", element.line, 1, element=element.name, target=reference[:120])

    def _decision(self, key: str, element: model.Decision, declared: Declared) -> None:
        if element.logic is None:
            raise FeelError("decision.empty", element.line, 1, element=element.name)
        logic, kind = self.compiler.compile(element.logic, self._names(element), element.name, element.type)
        self.logic[key] = logic
        self.kinds[key] = declared.kind if declared.kind.name != "Any" else kind

    def _knowledge(self, key: str, element: model.Knowledge) -> None:
        if element.logic is None:
            raise FeelError("decision.empty", element.line, 1, element=element.name)
        self.logic[key], self.kinds[key] = self.compiler.compile(element.logic, self._names(element), element.name)

    def _service(self, key: str, element: model.Service) -> None:
        parameters = self.parameters(element)
        for reference in (*element.outputs, *element.encapsulated):
            _, holder, required = self.resolve(reference, element)
            if holder is self:
                self._compile(required)
        kinds = []
        for _, holder, required in parameters:
            if holder is self:
                self._compile(required)
            kinds.append(holder.kinds[required])
        outputs = {holder.model.elements[required].name: holder.kinds[required] for _, holder, required in self._outputs(element)}
        result = next(iter(outputs.values())) if len(outputs) == 1 else context_of(outputs)
        self.kinds[key] = FunctionType("function", parameters=tuple(kinds), result=result)

    def _outputs(self, element: model.Service) -> list[tuple[str, Decisions, str]]:
        return [self.resolve(reference, element) for reference in element.outputs]

    def parameters(self, element: model.Service) -> list[tuple[str, Decisions, str]]:
        """The parameters of a decision service: its input data, then its input decisions (clause 10.4)."""
        return [self.resolve(reference, element) for reference in (*element.input_data, *element.input_decisions)]

    # -- what is in the model -------------------------------------------------------------------------------------------------------

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the decisions, in the order of the file."""
        return tuple(element.name for element in self.model.elements.values() if isinstance(element, model.Decision))

    @property
    def tables(self) -> tuple[Table, ...]:
        """All decision tables of this model."""
        return tuple(self.compiler.tables)

    def key_of(self, name: str) -> str:
        """The key of the element called *name*, or with that id.

        Raises:
            FeelError: ``decision.unknown``.
        """
        if name in self.model.elements:
            return name
        for key, element in self.model.elements.items():
            if element.name == name:
                return key
        raise FeelError("decision.unknown", name=name[:80])

    def inputs_of(self, name: str) -> dict[str, FeelType]:
        """The input data a decision needs, directly or through what it requires, with their types."""
        found: dict[str, FeelType] = {}
        seen: set[str] = set()

        def visit(holder: Decisions, key: str, prefix: str) -> None:
            mark = f"{holder.model.namespace}#{key}"
            if mark in seen:
                return
            seen.add(mark)
            element = holder.model.elements[key]
            if isinstance(element, model.InputData):
                found[f"{prefix}{element.name}"] = holder.kinds[key]
            for reference in element.requires:
                name, other, required = holder.resolve(reference, element)
                visit(other, required, f"{prefix}{name}." if name else prefix)

        visit(self, self.key_of(name), "")
        return found

    # -- evaluating ---------------------------------------------------------------------------------------------------------------

    def evaluate(self, name: str, inputs: Mapping[str, Any], *, functions: Functions | None = None) -> Outcome:
        """The value of a decision or decision service (by name or id) for *inputs* of JSON or of the language.

        *functions* replaces functions from outside for this evaluation. Inputs of imported models stand under the name of the import.

        Raises:
            FeelError: ``decision.missing_input``, a value that is not of its type, or whatever an expression raises, with its element.
        """
        key = self.key_of(name)
        run = Run(Meter(RUN_STEPS))
        outside = {**self.functions, **registered(functions)} if functions else self.functions
        evaluation = Evaluation(self, inputs, run, outside)
        element = self.model.elements[key]
        try:
            if isinstance(element, model.Service):
                function = evaluation.value(key)
                arguments = [
                    evaluation.given(required) if holder is self else holder_value(holder, required, prefix, inputs)
                    for prefix, holder, required in self.parameters(element)
                ]
                value = function.invoke(run.meter, tuple(arguments), None)
            else:
                value = evaluation.value(key)
        except RecursionError:
            raise FeelError("feel.too_deep_calls", element=element.name, limit=0) from None
        return Outcome(value, tuple(run.steps))


def holder_value(holder: Decisions, key: str, prefix: str, inputs: Mapping[str, Any]) -> Any:
    """The value given for an input of an imported model."""
    return Evaluation(holder, inputs_under(prefix, inputs), Run(Meter()), {}).given(key)


def inputs_under(prefix: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """The inputs of an imported model: those under the name of the import, or all of them when it has none."""
    nested = inputs.get(prefix) if prefix else inputs
    return nested if isinstance(nested, Mapping) else {}


class Evaluation:
    """The values of one model during one run."""

    def __init__(
        self,
        decisions: Decisions,
        inputs: Mapping[str, Any],
        run: Run,
        functions: Mapping[str, Function],
    ) -> None:
        self.decisions = decisions
        self.inputs = inputs
        self.run = run
        self.functions = functions
        self.values: dict[str, Any] = {}
        self.inner: dict[str, Evaluation] = {}

    def value(self, key: str) -> Any:
        """The value of an element, computed once."""
        if key not in self.values:
            self.values[key] = self._compute(key)
        return self.values[key]

    def given(self, key: str) -> Any:
        """The value given from outside for an input or an input decision, checked against its declared type."""
        element, declared = self.decisions.model.elements[key], self.decisions.declared[key]
        if element.name not in self.inputs:
            if self.decisions.mode == "lenient":
                return None
            raise FeelError("decision.missing_input", element.line, 1, element=element.name, name=element.name)
        return self.decisions.compiler.bind(declared.read, self.inputs[element.name], element.name)

    def _compute(self, key: str) -> Any:
        element = self.decisions.model.elements[key]
        if isinstance(element, model.InputData):
            return self.given(key)
        if isinstance(element, model.Service):
            return self._service(key, element)
        scope = self._scope(element)
        before, self.run.element = self.run.element, element.name
        value = self.decisions.logic[key](scope, self.run)
        self.run.element = before
        if isinstance(element, model.Decision):
            self.run.steps.append(Reached(element.name, "decision", value))
        return value

    def _scope(self, element: model.Element) -> dict[str, Any]:
        scope: dict[str, Any] = dict(self.functions)
        for reference in element.requires:
            prefix, holder, key = self.decisions.resolve(reference, element)
            name = holder.model.elements[key].name
            value = self.value(key) if holder is self.decisions else self._imported(prefix, holder).value(key)
            if prefix:
                scope.setdefault(prefix, {})[name] = value
            else:
                scope[name] = value
        return scope

    def _imported(self, prefix: str, holder: Decisions) -> Evaluation:
        namespace = holder.model.namespace
        if namespace not in self.inner:
            functions = {**holder.functions, **self.functions}
            self.inner[namespace] = Evaluation(holder, inputs_under(prefix, self.inputs), self.run, functions)
        return self.inner[namespace]

    def _service(self, key: str, element: model.Service) -> Function:
        parameters = self.decisions.parameters(element)
        names = tuple(holder.model.elements[required].name for _, holder, required in parameters)
        kind = self.decisions.kinds[key]
        assert isinstance(kind, FunctionType)

        def call(_: Meter, *arguments: Any) -> Any:
            inside = Evaluation(self.decisions, self.inputs, self.run, self.functions)
            for (prefix, holder, required), value in zip(parameters, arguments, strict=True):
                owner = inside if holder is self.decisions else inside._imported(prefix, holder)
                owner.values[required] = owner._bound(required, value)
            made = {}
            for prefix, holder, required in self.decisions._outputs(element):
                source = inside if holder is self.decisions else inside._imported(prefix, holder)
                made[holder.model.elements[required].name] = source.value(required)
            return next(iter(made.values())) if len(made) == 1 else made

        return Function(names, call, types=kind.parameters or (), result=kind.result, name=element.name)

    def _bound(self, key: str, value: Any) -> Any:
        return self.decisions.compiler.bind(self.decisions.declared[key].bind, value, self.decisions.model.elements[key].name)


def read_decisions(
    data: bytes,
    *,
    imports: Mapping[str, Decisions] | None = None,
    functions: Functions | None = None,
    mode: Mode = "strict",
) -> Decisions:
    """Read and compile a DMN file.

    Raises:
        FeelError: with the element, and the line of the file or of the text, when anything in it cannot be read, checked or compiled.
    """
    return Decisions(read_model(data), imports=imports, functions=functions, mode=mode)
