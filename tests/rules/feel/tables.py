"""Writes small DMN files for the tests."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

NAMESPACE = "https://www.omg.org/spec/DMN/20191111/MODEL/"
MINE = "https://motcua.example/test"


def definitions(*parts: str, xmlns: str = NAMESPACE, namespace: str = MINE) -> bytes:
    """A whole file."""
    return f'<definitions xmlns="{xmlns}" id="d" name="test" namespace="{namespace}">{"".join(parts)}</definitions>'.encode()


def given(name: str, kind: str = "") -> str:
    """An input with its type; its id is its name."""
    typed = f" typeRef={quoteattr(kind)}" if kind else ""
    return f"<inputData id={quoteattr(name)} name={quoteattr(name)}><variable name={quoteattr(name)}{typed}/></inputData>"


def needs(kind: str, *names: str) -> str:
    """Requirements: of kind ``Input``, ``Decision`` or ``Knowledge``."""
    outer = "knowledgeRequirement" if kind == "Knowledge" else "informationRequirement"
    return "".join(f'<{outer}><required{kind} href="#{escape(name)}"/></{outer}>' for name in names)


def decision(name: str, logic: str, *requirements: str, kind: str = "") -> str:
    """A decision; its id is its name."""
    typed = f" typeRef={quoteattr(kind)}" if kind else ""
    head = f"<decision id={quoteattr(name)} name={quoteattr(name)}><variable name={quoteattr(name)}{typed}/>"
    return f"{head}{''.join(requirements)}{logic}</decision>"


def literal(text: str, kind: str = "") -> str:
    """A literal expression."""
    typed = f" typeRef={quoteattr(kind)}" if kind else ""
    return f"<literalExpression{typed}><text>{escape(text)}</text></literalExpression>"


def knowledge(name: str, parameters: Sequence[str], logic: str, *requirements: str) -> str:
    """A business knowledge model with untyped parameters."""
    formal = "".join(f"<formalParameter name={quoteattr(parameter)}/>" for parameter in parameters)
    head = f"<businessKnowledgeModel id={quoteattr(name)} name={quoteattr(name)}><variable name={quoteattr(name)}/>"
    return f"{head}{''.join(requirements)}<encapsulatedLogic>{formal}{logic}</encapsulatedLogic></businessKnowledgeModel>"


def table(
    policy: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    rules: Sequence[Sequence[str]],
    *,
    values: Sequence[str] = (),
    defaults: Sequence[str] = (),
    input_values: Sequence[str] = (),
    types: Sequence[str] = (),
) -> str:
    """A decision table; ``"C SUM"`` as policy aggregates."""
    names = {"U": "UNIQUE", "A": "ANY", "P": "PRIORITY", "F": "FIRST", "R": "RULE ORDER", "O": "OUTPUT ORDER", "C": "COLLECT"}
    letter, _, aggregation = policy.partition(" ")
    made = [f'<decisionTable hitPolicy="{names[letter]}"' + (f' aggregation="{aggregation}">' if aggregation else ">")]
    for place, text in enumerate(inputs):
        allowed = input_values[place] if place < len(input_values) else ""
        shown = f"<inputValues><text>{escape(allowed)}</text></inputValues>" if allowed else ""
        typed = f" typeRef={quoteattr(types[place])}" if place < len(types) and types[place] else ""
        made.append(f"<input><inputExpression{typed}><text>{escape(text)}</text></inputExpression>{shown}</input>")
    for place, name in enumerate(outputs):
        allowed = values[place] if place < len(values) else ""
        default = defaults[place] if place < len(defaults) else ""
        inner = f"<outputValues><text>{escape(allowed)}</text></outputValues>" if allowed else ""
        inner += f"<defaultOutputEntry><text>{escape(default)}</text></defaultOutputEntry>" if default else ""
        made.append(f"<output name={quoteattr(name)}>{inner}</output>")
    for number, cells in enumerate(rules, 1):
        made.append(f'<rule id="R{number}">')
        for place, cell in enumerate(cells):
            kind = "inputEntry" if place < len(inputs) else "outputEntry"
            made.append(f"<{kind}><text>{escape(cell)}</text></{kind}>")
        made.append("</rule>")
    return "".join([*made, "</decisionTable>"])
