"""The built-in functions of the standard (clause 10.3.4), grouped as the clause groups them."""

from engine.feel.library import contexts, conversion, lists, numeric, ranges, strings, times
from engine.feel.library.registry import LIBRARY, Builtin, Overload, builtin, in_order, name_table

__all__ = ["LIBRARY", "Builtin", "Overload", "builtin", "in_order", "name_table"]
_MODULES = (contexts, conversion, lists, numeric, ranges, strings, times)
