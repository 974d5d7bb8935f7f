"""Generators of manipulated documents, one per published class; each yields variants of our own signed files.

``classic``: universal forgery, incremental saving, wrapping, shadow changes, dishonest filling of number and date. ``prepared``: shadow
documents made before the first signature (hide, replace, hide-and-replace). ``readers``: parser differentials and hybrid
cross-references. ``active``: embedded files and actions. ``containers``: certificates, hashes and algorithms. ``answers``: status answers
and revocation lists. ``packets``: XML signature wrapping.
"""

from tests.signing.attacks.active import additions
from tests.signing.attacks.classic import (
    Variant,
    dishonest_filling,
    form_stream,
    incremental_saving,
    shadow,
    universal_forgery,
    wrapping,
)
from tests.signing.attacks.readers import differentials

__all__ = [
    "Variant",
    "additions",
    "differentials",
    "dishonest_filling",
    "form_stream",
    "incremental_saving",
    "shadow",
    "universal_forgery",
    "wrapping",
]
