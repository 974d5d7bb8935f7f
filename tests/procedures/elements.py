"""The table of BPMN elements: read from `docs/bpmn-elements.toml`, written as `docs/bpmn-elements.md`."""

from __future__ import annotations

import tomllib
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
SOURCE, TABLE = DOCS / "bpmn-elements.toml", DOCS / "bpmn-elements.md"

HEAD = """# Every element of BPMN and what becomes of it

Written from `docs/bpmn-elements.toml` by `python -m tests.procedures.elements`; `tests/procedures/test_elements.py` holds it against the
schema of the standard and runs every kind.

* **runs**: as BPMN 2.0.2 says.
* **normalised**: rewritten in the executable copy into an equivalent that runs; the report says so, the designer's file stays as it is.
* **refused**: the gate names the element, the rule and the repair.
* **documents**: has no effect on a run, by the standard itself; kept in the file.
* **abstract**: stands in the schema only, never in a file.

| element | becomes | note | shown by |
|---|---|---|---|
"""


def elements():
    """Return every element with what becomes of it."""
    return tomllib.loads(SOURCE.read_text(encoding="utf-8"))


def written():
    """Return the table as Markdown."""
    rows = []
    for name, row in elements().items():
        file, _, test = row["test"].partition("::")
        rows.append(f"| `{name}` | {row['becomes']} | {row.get('note', '')} | [{test}](../{file}) |")
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    TABLE.write_text(written(), encoding="utf-8")
