"""Looking for a secret in a process's own memory: the process does it itself, with a pattern that is not the secret."""

from __future__ import annotations

SEEN = '''
def seen(text):
    """How often a pattern occurs in the writable memory of this process."""
    import re
    found, wanted = 0, re.compile(text.encode())
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
        for line in maps.read().splitlines():
            span, rights = line.split()[:2]
            start, end = (int(part, 16) for part in span.split("-"))
            if rights.startswith("rw"):
                try:
                    memory.seek(start)
                    found += len(wanted.findall(memory.read(end - start)))
                except (OSError, ValueError, OverflowError):
                    continue
    return found
'''


def spread(text: str) -> str:
    """A pattern that finds a text without holding it."""
    return "".join(f"[{letter}]" for letter in text)
