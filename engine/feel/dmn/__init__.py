"""Decision models (DMN 1.3, files of the editions 1.1 to 1.5): read, evaluate with a trace, analyse."""

from engine.feel.dmn.analysis import Finding, analyse, examine
from engine.feel.dmn.decisions import Decisions, read_decisions
from engine.feel.dmn.trace import Fired, Outcome, Reached

__all__ = ["Decisions", "Finding", "Fired", "Outcome", "Reached", "analyse", "examine", "read_decisions"]
