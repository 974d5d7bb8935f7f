"""Generators of manipulated documents, one per published class; each yields variants of our own signed files.

``ranges``: universal forgery and wrapping. ``revisions``: incremental saving and hybrid cross-references. ``filled``: number and date
changed after the seal or filled dishonestly before it. ``prepared``: shadow documents made before the first signature (hide, replace,
hide-and-replace). ``readers``: parser differentials. ``active``: embedded files and actions. ``containers`` and ``confusion``:
certificates, hashes and algorithms. ``answers``: status answers and revocation lists. ``packets``: XML signature wrapping. ``classes`` says
how each class is judged, ``python -m tests.signing.attack_run`` judges all and counts.
"""

from tests.signing.attacks.active import additions
from tests.signing.attacks.filled import after_the_seal, dishonest_filling, form_stream
from tests.signing.attacks.ranges import Variant, universal_forgery, wrapping
from tests.signing.attacks.readers import differentials
from tests.signing.attacks.revisions import hybrids, incremental_saving

__all__ = [
    "Variant",
    "additions",
    "after_the_seal",
    "differentials",
    "dishonest_filling",
    "form_stream",
    "hybrids",
    "incremental_saving",
    "universal_forgery",
    "wrapping",
]
