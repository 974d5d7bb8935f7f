"""Random nested regions, several rounds, any order of completion: what a step reads is what was written last before it.

The expected values come from a small model of tokens and variables that knows nothing of the interpreter.
"""

from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.process import instance, pruning, state
from engine.process.running import running
from tests.process.kit import Case, el, step, sub, xml, xor


@dataclass
class Shape:
    """A piece of a diagram: its nodes, its flows, where it begins and ends, and the steps in it, as a tree of `seq` and `par`."""

    body: str
    flows: list[str]
    first: str
    last: str
    tree: tuple


@dataclass
class Drawing:
    """Numbers nodes while a shape is drawn."""

    number: int = 0
    steps: list[str] = field(default_factory=list)

    def name(self, prefix):
        self.number += 1
        return f"{prefix}{self.number}"


trees = st.recursive(
    st.just("step"),
    lambda inner: st.one_of(
        st.tuples(st.just("seq"), st.lists(inner, min_size=2, max_size=3)),
        st.tuples(st.just("par"), st.lists(inner, min_size=2, max_size=3)),
        st.tuples(st.just("sub"), st.lists(inner, min_size=1, max_size=2)),
        st.tuples(st.just("inclusive"), st.lists(inner, min_size=2, max_size=3)),
        st.tuples(st.just("exclusive"), st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=7,
)


def draw(tree, drawing):
    if tree == "step":
        name = drawing.name("u")
        drawing.steps.append(name)
        return Shape(step(name), [], name, name, name)
    kind, parts = tree
    shapes = [draw(part, drawing) for part in parts]
    inside = "".join(shape.body for shape in shapes)
    flows = [flow for shape in shapes for flow in shape.flows]
    if kind == "par":
        split, join = drawing.name("g"), drawing.name("j")
        gates = el("parallelGateway", split) + el("parallelGateway", join)
        flows += [flow for shape in shapes for flow in (f"{split}>{shape.first}", f"{shape.last}>{join}")]
        return Shape(inside + gates, flows, split, join, ("par", [shape.tree for shape in shapes]))
    if kind in ("inclusive", "exclusive"):
        # A step whose answers pick the branches; the first branch is the default.
        asked, split, join = drawing.name("u"), drawing.name("g"), drawing.name("j")
        first = f"{split}__{shapes[0].first}"
        gates = step(asked) + el(f"{kind}Gateway", split, default=first) + el(f"{kind}Gateway", join)
        flows += [f"{asked}>{split}", f"{split}>{shapes[0].first}"]
        flows += [f"{split}>{shape.first}?list contains({asked}.pick, {place})" for place, shape in enumerate(shapes) if place]
        flows += [f"{shape.last}>{join}" for shape in shapes]
        return Shape(inside + gates, flows, asked, join, (kind, [asked, *(shape.tree for shape in shapes)]))
    flows += [f"{one.last}>{other.first}" for one, other in pairwise(shapes)]
    if kind == "seq":
        return Shape(inside, flows, shapes[0].first, shapes[-1].last, ("seq", [shape.tree for shape in shapes]))
    name = drawing.name("p")
    flows = [f"ss{name}>{shapes[0].first}", *flows, f"{shapes[-1].last}>se{name}"]
    inner = sub(name, inside, "; ".join(flows)).replace('"ss"', f'"ss{name}"').replace('"se"', f'"se{name}"')
    return Shape(inner, [], name, name, ("seq", [shape.tree for shape in shapes]))


class Tokens:
    """The model: which steps are open, and what each would read."""

    def __init__(self, tree, variables):
        self.root = self._node(tree)
        self.variables = variables
        self.open = {}
        self._enter(self.root, dict(variables))

    def _node(self, tree):
        if isinstance(tree, str):
            return {"kind": "step", "name": tree, "up": None}
        kind, parts = tree
        node = {"kind": kind, "parts": [self._node(part) for part in parts], "up": None}
        for part in node["parts"]:
            part["up"] = node
        return node

    def _enter(self, node, data):
        if node["kind"] == "step":
            self.open[node["name"]] = (node, data)
        elif node["kind"] in ("seq", "inclusive", "exclusive"):
            node["at"] = 0
            self._enter(node["parts"][0], data)
        else:
            self._enter_all(node, node["parts"], data)

    def _enter_all(self, node, parts, data):
        node["base"], node["done"], node["expected"] = data, [], len(parts)
        for part in parts:
            self._enter(part, dict(data))

    def complete(self, name, answers):
        node, data = self.open.pop(name)
        self._leave(node, {**data, name: answers})

    def _leave(self, node, data):
        up = node["up"]
        if up is None:
            self.variables = data
        elif up["kind"] == "seq":
            up["at"] += 1
            if up["at"] < len(up["parts"]):
                self._enter(up["parts"][up["at"]], data)
            else:
                self._leave(up, data)
        elif up["kind"] in ("inclusive", "exclusive") and up["at"] == 0:
            up["at"] = 1
            asked, *branches = up["parts"]
            picked = [branch for place, branch in enumerate(branches) if place and place in data[asked["name"]]["pick"]] or branches[:1]
            self._enter_all(up, picked[:1] if up["kind"] == "exclusive" else picked, data)
        else:
            up["done"].append(data)
            if len(up["done"]) == up["expected"]:
                merged = dict(up["base"])
                for one in up["done"]:
                    merged |= {key: value for key, value in one.items() if value != up["base"].get(key, ...)}
                self._leave(up, merged)


def diagram(tree):
    drawing = Drawing()
    shape = draw(tree, drawing)
    body = xor("m") + shape.body + step("c") + xor("x", "x__e")
    flows = ["s>m", f"m>{shape.first}", *shape.flows, f"{shape.last}>c", "c>x", "x>m?c.again", "x>e"]
    return xml(body, "; ".join(flows)), shape.tree


def stable(case):
    with running(case.program, case.context, case.last.state) as run:
        assert state.dump(run.instance) == case.last.state


def pruned(case):
    """Drop all that can be dropped, however small the instance is."""
    with running(case.program, case.context, case.last.state) as run:
        before = instance.view(case.program, case.last.state)
        pruning.prune(run.instance, case.program, above=0, recent=0)
        stored = state.dump(run.instance)
    after = instance.view(case.program, stored)
    assert (after.done, after.walked, after.active) == (before.done, before.walked, before.active)
    return stored


@settings(deadline=None, max_examples=120, suppress_health_check=list(HealthCheck))
@given(tree=trees, rounds=st.integers(1, 4), order=st.randoms(use_true_random=False), prune=st.booleans())
def test_a_step_reads_what_was_written_last_whatever_the_order_and_however_often_stored(tree, rounds, order, prune):
    document, shape = diagram(tree)
    case = Case(document)
    variables = {}
    for number in range(rounds):
        tokens = Tokens(shape, variables)
        while tokens.open:
            assert sorted(case.ready) == sorted(tokens.open)
            name = order.choice(sorted(tokens.open))
            answers = {"round": number, "pick": [place for place in range(3) if order.random() < 0.6]}
            case.done(name, answers)
            tokens.complete(name, answers)
            stable(case)
            if prune and order.random() < 0.4:
                case.last = case.last.__class__(**{**fields(case.last), "state": pruned(case)})
        assert case.ready == ["c"]
        assert case.last.variables == tokens.variables
        answers = {"again": number < rounds - 1}
        case.done("c", answers)
        variables = {**tokens.variables, "c": answers}
    assert case.last.outcome == "completed"
    assert case.last.variables == variables


def fields(advance):
    return {name: getattr(advance, name) for name in advance.__slots__}


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(tree=trees, order=st.randoms(use_true_random=False))
def test_sending_back_to_any_offered_step_leaves_exactly_that_step_and_what_does_not_follow_it(tree, order):
    document, shape = diagram(tree)
    case = Case(document)
    for _ in range(14):
        targets = case.targets
        if targets and order.random() < 0.4:
            target = order.choice(targets)
            case.back(target)
            assert case.ready == [target], "every open step lay behind the target, so the target alone is open"
            stable(case)
        elif case.ready and case.ready != ["c"]:
            case.done(order.choice(case.ready), {"n": order.randint(0, 99), "pick": [place for place in range(3) if order.random() < 0.6]})
        else:
            break
    for _ in range(60):
        if case.ready == ["c"]:
            break
        case.done(order.choice(case.ready), {"n": 100, "pick": [1, 2]})
    assert case.ready == ["c"]
    assert set(case.last.variables) <= set(names(shape))
    case.done("c", {"again": False})
    assert case.last.outcome == "completed"


def names(tree):
    if isinstance(tree, str):
        yield tree
    else:
        for part in tree[1]:
            yield from names(part)


@pytest.mark.parametrize("recent", [0, 5, 60])
def test_pruning_never_offers_a_step_whose_inherited_data_went(recent):
    case = Case(xml(xor("m") + step("a") + step("b") + xor("x", "x__e"), "s>m; m>a; a>b; b>x; x>m?b.again; x>e"))
    for number in range(20):
        case.done("a", {"n": number}).done("b", {"again": True, "n": number})
    with running(case.program, case.context, case.last.state) as run:
        pruning.prune(run.instance, case.program, above=0, recent=recent)
        stored = state.dump(run.instance)
    assert {target.step for target in instance.send_back_targets(case.program, stored)} == {"a", "b"}
    for target in instance.send_back_targets(case.program, stored):
        back = instance.send_back(case.program, stored, target.step, case.context)
        assert back.variables["b"]["n"] == (19 if target.step == "b" else 18)
        assert back.ready[0].answers["n"] == 19


@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(tree=trees, rounds=st.integers(0, 2), more=st.integers(0, 12), order=st.randoms(use_true_random=False))
def test_a_pruned_dossier_goes_back_to_every_step_it_could_go_back_to_with_the_same_answers(tree, rounds, more, order):
    document, _shape = diagram(tree)
    case = Case(document)
    for number in range(rounds):
        while case.ready != ["c"]:
            case.done(order.choice(case.ready), {"n": number, "pick": [1, 2]})
        case.done("c", {"again": True})
    for _ in range(more):
        if case.ready != ["c"]:
            case.done(order.choice(case.ready), {"n": rounds, "pick": [0, 2]})
    stored = pruned(case)
    offered = instance.send_back_targets(case.program, case.last.state)
    assert [one.step for one in instance.send_back_targets(case.program, stored)] == [one.step for one in offered]
    for target in offered[:4]:
        whole = instance.send_back(case.program, case.last.state, target.step, case.context)
        back = instance.send_back(case.program, stored, target.step, case.context)
        assert back.ready == whole.ready
        assert back.variables == whole.variables
