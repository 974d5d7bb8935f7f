"""The tables of BPMN and DMN elements: read from `docs/*-elements.toml`, written as `docs/bpmn-elements.md`."""

from __future__ import annotations

import tomllib
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
SOURCE, TABLE = DOCS / "bpmn-elements.toml", DOCS / "bpmn-elements.md"
DECISIONS = DOCS / "dmn-elements.toml"

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


MORE = """
# Every element of DMN and what becomes of it

Written from `docs/dmn-elements.toml`; held against the schemas of DMN 1.2 and 1.3 and against the words our reader knows.

| element | becomes | note | shown by |
|---|---|---|---|
"""


def elements(source=SOURCE):
    """Return every element with what becomes of it."""
    return tomllib.loads(source.read_text(encoding="utf-8"))


def rows_of(source):
    for name, row in elements(source).items():
        file, _, test = row["test"].partition("::")
        yield f"| `{name}` | {row['becomes']} | {row.get('note', '')} | [{test}](../{file}) |\n"


def written():
    """Return the tables as Markdown."""
    return HEAD + "".join(rows_of(SOURCE)) + MORE + "".join(rows_of(DECISIONS))


if __name__ == "__main__":
    TABLE.write_text(written(), encoding="utf-8")
