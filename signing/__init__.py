"""What mathematics guarantees: prepare, finish, verify. Imports nothing else of ours; bytes in, bytes and reports out.

The parts: ``intake`` judges uploads · ``fields`` and ``pades`` sign in two phases, ``appearance`` draws · ``tsa`` fetches time-stamps ·
``custody`` holds keys and PINs in a process of its own · ``verify`` reports in a child process · ``archive`` raises levels · ``xades``
does the same for XML · ``testpki``, ``authorities`` and ``trust_services`` are the TEST hierarchy.
"""

import logging

# The libraries' log lines quote certificate subjects and addresses: personal data that no log of ours may hold.
for _name in ("pyhanko", "pyhanko_certvalidator"):
    logging.getLogger(_name).addHandler(logging.NullHandler())
    logging.getLogger(_name).propagate = False
