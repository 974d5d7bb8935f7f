"""Random well-formed diagrams of nested blocks, for the reference interpreter and our engine to run side by side."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import strategies as st

from tests.process.kit import el, ev, fl, process, step, xml, xor


def _parts(inner, smallest=1, largest=3):
    return st.lists(inner, min_size=smallest, max_size=largest)


EVENTS = st.lists(st.tuples(st.sampled_from(("message", "timer")), st.booleans()), max_size=2)


def _blocks(inner):
    return st.one_of(
        st.tuples(st.just("seq"), _parts(inner, 2)),
        st.tuples(st.sampled_from(("parallel", "inclusive", "exclusive")), _parts(inner, 2)),
        st.tuples(st.just("loop"), _parts(inner, 1, 2)),
        st.tuples(st.just("many"), st.integers(1, 3), st.booleans()),
        st.tuples(st.just("race"), st.lists(st.sampled_from(("message", "timer")), min_size=2, max_size=3), inner),
        st.tuples(st.just("sub"), _parts(inner, 1, 2), EVENTS, EVENTS),
        st.tuples(st.just("call"), _parts(inner, 1, 2)),
        st.tuples(st.just("stop"), inner, EVENTS),
        st.tuples(st.just("throw"), inner, st.sampled_from(("error", "escalation")), st.booleans(), st.booleans()),
    )


blocks = st.recursive(st.just("step"), _blocks, max_leaves=7)


@dataclass
class Piece:
    """A piece of a level: its nodes, its flows, where it begins and ends."""

    body: str
    flows: list[str]
    first: str
    last: str


@dataclass
class Drawing:
    """What is drawn so far beside the level at hand: numbers, called processes, declared messages, errors and escalations."""

    number: int = 0
    more: list[str] = field(default_factory=list)
    timers: int = 0

    def name(self, prefix):
        self.number += 1
        return f"{prefix}{self.number}"

    def declare(self, kind):
        name = self.name(kind[:2])
        code = f' {kind}Code="{name}"' if kind != "message" else ""
        self.more.append(f'<bpmn:{kind} id="{name}" name="{name}"{code}/>')
        return name

    def event(self, tag, node, kind, reference="", **facts):
        if kind == "timer":
            self.timers += 1  # lengths that no sums of others equal: two deadlines never fall due together
            return ev(tag, node, "timer", f"<bpmn:timeDuration>PT{3**self.timers}M</bpmn:timeDuration>", **facts)
        reference = reference or self.declare(kind)
        return ev(tag, node, kind, **facts).replace(f'{kind}Ref="{kind[:2]}"', f'{kind}Ref="{reference}"')

    # -- blocks

    def draw(self, block):
        if block == "step":
            name = self.name("u")
            return Piece(step(name), [], name, name)
        return getattr(self, f"_{block[0]}")(*block[1:])

    def _seq(self, parts):
        pieces = [self.draw(part) for part in parts]
        flows = [flow for piece in pieces for flow in piece.flows] + [f"{a.last}>{b.first}" for a, b in pairwise(pieces)]
        return Piece("".join(piece.body for piece in pieces), flows, pieces[0].first, pieces[-1].last)

    def _split(self, kind, parts):
        pieces = [self.draw(part) for part in parts]
        asked, split, join = self.name("u"), self.name("g"), self.name("j")
        flows = [flow for piece in pieces for flow in piece.flows] + [f"{piece.last}>{join}" for piece in pieces]
        default = {} if kind == "parallel" else {"default": f"{split}__{pieces[0].first}"}
        flows += [f"{asked}>{split}"]
        for place, piece in enumerate(pieces):
            condition = f"?list contains({asked}.pick, {place})" if default and place else ""
            flows.append(f"{split}>{piece.first}{condition}")
        gates = el(f"{kind}Gateway", split, **default) + el(f"{kind}Gateway", join)
        return Piece(step(asked) + gates + "".join(piece.body for piece in pieces), flows, asked, join)

    def _parallel(self, parts):
        return self._split("parallel", parts)

    def _inclusive(self, parts):
        return self._split("inclusive", parts)

    def _exclusive(self, parts):
        return self._split("exclusive", parts)

    def _loop(self, parts):
        piece = self._seq(parts)
        merge, asked, split, out = self.name("g"), self.name("u"), self.name("g"), self.name("j")
        flows = [f"{merge}>{piece.first}", *piece.flows, f"{piece.last}>{asked}", f"{asked}>{split}"]
        flows += [f"{split}>{merge}?list contains({asked}.pick, 1)", f"{split}>{out}"]
        return Piece(xor(merge) + piece.body + step(asked) + xor(split, f"{split}__{out}") + xor(out), flows, merge, out)

    def _many(self, times, sequential):
        name = self.name("u")
        # A step that is repeated leaves one result each time, in a list nobody else writes.
        inner = f"<bpmn:loopCardinality>{times}</bpmn:loopCardinality><bpmn:loopDataOutputRef>{name}s</bpmn:loopDataOutputRef>"
        inner += f'<bpmn:outputDataItem id="r{name}"/>'
        loop = el("multiInstanceLoopCharacteristics", f"l{name}", inner, isSequential=str(sequential).lower())
        return Piece(step(name, loop, form=f"r{name}"), [], name, name)

    def _race(self, kinds, part):
        gate, out, piece = self.name("g"), self.name("j"), self.draw(part)
        body, flows = el("eventBasedGateway", gate) + xor(out) + piece.body, [*piece.flows, f"{piece.last}>{out}"]
        for place, kind in enumerate(kinds):
            name = self.name("c")
            body += self.event("intermediateCatchEvent", name, kind)
            flows += [f"{gate}>{name}", f"{name}>{out}" if place else f"{name}>{piece.first}"]
        return Piece(body, flows, gate, out)

    def _sub(self, parts, borders, inside):
        name, out = self.name("p"), self.name("j")
        handlers = "".join(self._handler(kind, interrupts) for kind, interrupts in inside)
        body = self._level(name, self._seq(parts), handlers) + xor(out)
        flows = [f"{name}>{out}"]
        for kind, interrupts in borders:
            event, after = self.name("b"), self.name("u")
            body += self.event("boundaryEvent", event, kind, attachedToRef=name, cancelActivity=str(interrupts).lower()) + step(after)
            flows.append(f"{event}>{after}")
            end = out if interrupts else self.name("e")
            body += "" if interrupts else el("endEvent", end)
            flows.append(f"{after}>{end}")
        return Piece(body, flows, name, out)

    def _level(self, name, piece, more="", attributes=None):
        start, end = f"s{name}", f"e{name}"
        flows = "; ".join([f"{start}>{piece.first}", *piece.flows, f"{piece.last}>{end}"])
        inner = el("startEvent", start) + piece.body + more + el("endEvent", end) + fl(flows)
        return el("subProcess", name, inner, **(attributes or {}))

    def _handler(self, kind, interrupts, reference=""):
        name, inner = self.name("h"), self.name("u")
        start = self.event("startEvent", f"s{name}", kind, reference, isInterrupting=str(interrupts).lower())
        flows = fl(f"s{name}>{inner}; {inner}>e{name}")
        return el("subProcess", name, start + step(inner) + el("endEvent", f"e{name}") + flows, triggeredByEvent="true")

    def _call(self, parts):
        name = self.name("q")
        inner = self._seq(parts)
        flows = "; ".join([f"{name}s>{inner.first}", *inner.flows, f"{inner.last}>{name}e"])
        self.more.append(process(f"p{name}", inner.body, flows))
        return Piece(el("callActivity", f"ca{name}", calledElement=f"p{name}"), [], f"ca{name}", f"ca{name}")

    def _beside(self, part, end):
        """Two branches: the part, and a choice that leads to *end* or on."""
        piece, asked, split, fork, join = self.draw(part), self.name("u"), self.name("g"), self.name("g"), self.name("j")
        body = el("parallelGateway", fork) + piece.body + step(asked) + el("parallelGateway", join) + xor(split, f"{split}__{join}")
        flows = [f"{fork}>{piece.first}", f"{fork}>{asked}", *piece.flows, f"{piece.last}>{join}", f"{asked}>{split}"]
        flows += [f"{split}>{end}?list contains({asked}.pick, 1)", f"{split}>{join}"]
        return Piece(body, flows, fork, join)

    def _stop(self, part, inside):
        """A sub-process one branch of which may end everything in it."""
        name, end = self.name("p"), self.name("x")
        piece = self._beside(part, end)
        handlers = "".join(self._handler(kind, interrupts) for kind, interrupts in inside)
        return Piece(self._level(name, piece, ev("endEvent", end, "terminate") + handlers), [], name, name)

    def _throw(self, part, kind, interrupts, on_border):
        """A sub-process one branch of which may throw what its border, or an event sub-process in it, catches."""
        name, end, reference, out = self.name("p"), self.name("x"), self.declare(kind), self.name("j")
        interrupts = interrupts or kind == "error"
        piece = self._beside(part, end)
        thrower = self.event("endEvent", end, kind, reference)
        if not interrupts:  # a token that ended would never reach the join: thrown on the way instead
            thrower = self.event("intermediateThrowEvent", end, kind, reference) + el("exclusiveGateway", f"m{end}")
            split = next(flow for flow in piece.flows if flow.partition("?")[0].endswith(f">{end}")).partition(">")[0]
            join = piece.last
            piece.flows = [flow for flow in piece.flows if flow != f"{split}>{join}"]
            piece.flows += [f"{split}>m{end}", f"{end}>m{end}", f"m{end}>{join}"]
            piece.body = piece.body.replace(f'"{split}__{join}"', f'"{split}__m{end}"')
        if not on_border:
            return Piece(self._level(name, piece, thrower + self._handler(kind, interrupts, reference)), [], name, name)
        event, after = self.name("b"), self.name("u")
        border = self.event("boundaryEvent", event, kind, reference, attachedToRef=name, cancelActivity=str(interrupts).lower())
        finish = out if interrupts else self.name("e")
        body = self._level(name, piece, thrower) + border + step(after) + xor(out) + ("" if interrupts else el("endEvent", finish))
        return Piece(body, [f"{name}>{out}", f"{event}>{after}", f"{after}>{finish}"], name, out)


def drawn(block, inside):
    """Return the BPMN document of a block, with event sub-processes for *inside* at the level of the process."""
    drawing = Drawing()
    piece = drawing.draw(block)
    handlers = "".join(drawing._handler(kind, interrupts) for kind, interrupts in inside)
    flows = "; ".join([f"s>{piece.first}", *piece.flows, f"{piece.last}>e"])
    return xml(piece.body + handlers, flows, more="".join(drawing.more))
