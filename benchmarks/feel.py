"""``motcua bench feel``: how fast the expression language is, beside pySFeel where it knows the expression, in one run.

Times are processor time, the best of several rounds: the noise of a shared computer only ever adds.
"""

from __future__ import annotations

import gc
import json
import logging
import resource
import runpy
import sys
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

from engine.feel import BOOLEAN, DATE, NUMBER, STRING, FeelError, compile_expression, context_of, evaluate, list_of, one_of
from engine.feel.dmn import read_decisions

NAMES = {
    "review": context_of({"decision": one_of("approve", "reject"), "signed": BOOLEAN}),
    "dossier": context_of({"pages": NUMBER, "received_on": DATE, "channel": STRING, "fees": list_of(context_of({"amount": NUMBER}))}),
}
SCOPE: dict[str, Any] = {
    "review": {"decision": "approve", "signed": True},
    "dossier": {"pages": 5, "received_on": "2026-07-15", "channel": "post", "fees": [{"amount": 20000}, {"amount": 3000}]},
}
EXPRESSIONS = {
    "route": ('review.decision = "approve"', '"approve" = "approve"'),
    "condition": ('review.decision = "approve" and dossier.pages > 2', '"approve" = "approve" and 5 > 2'),
    "fee": ("if dossier.pages <= 2 then 20000 else 20000 + (dossier.pages - 2) * 3000", "20000 + (5 - 2) * 3000"),
    "deadline": ('dossier.received_on + @"P10D" > date("2026-07-20")', None),
    "sum": ("sum(dossier.fees.amount)", "sum([20000, 3000])"),
}
"""Five expressions as procedures use them; beside each what pySFeel knows of it, with the values written in."""


def best(call: Callable[[], Any], rounds: int = 7, seconds: float = 0.05) -> float:
    """Seconds of one call, the best of *rounds*."""
    call()
    count = 1
    while True:
        begun = time.process_time()
        for _ in range(count):
            call()
        spent = time.process_time() - begun
        if spent > seconds / 4:
            break
        count *= 4
    count = max(1, int(count * seconds / spent))
    found = spent
    for _ in range(rounds):
        begun = time.process_time()
        for _ in range(count):
            call()
        found = min(found, (time.process_time() - begun) / count)
    return found


def expressions() -> dict[str, Any]:
    """Every expression with microseconds to compile and to evaluate, declared and undeclared, and pySFeel's."""
    logging.disable(logging.CRITICAL)
    import pySFeel

    parser = pySFeel.SFeelParser()
    found: dict[str, Any] = {}
    for name, (text, theirs) in EXPRESSIONS.items():
        declared = compile_expression(text, names=NAMES)
        row = {
            "expression": text,
            "compile_us": best(lambda text=text: compile_expression(text, names=NAMES)) * 1e6,  # type: ignore[misc]
            "evaluate_us": best(lambda: declared.evaluate(SCOPE)) * 1e6,  # noqa: B023 - called at once
        }
        if "@" not in text:
            plain = compile_expression(text)
            row["undeclared_us"] = best(lambda: plain.evaluate(SCOPE)) * 1e6  # noqa: B023
        row["per_second"] = 1e6 / row["evaluate_us"]
        if theirs is not None:
            row["pysfeel_us"] = best(lambda theirs=theirs: parser.sFeelParse(theirs), 3) * 1e6  # type: ignore[misc]
            row["times_pysfeel"] = row["pysfeel_us"] / row["evaluate_us"]
            row["times_pysfeel_with_compiling"] = row["pysfeel_us"] / (row["evaluate_us"] + row["compile_us"])
        found[name] = row
    logging.disable(logging.NOTSET)
    return found


def fee_table(rows: int) -> bytes:
    """A fee table over pages, channel and kind of paper."""
    channels, kinds = ["online", "counter", "post"], ["copy", "extract", "original", "certificate", "other"]
    rules = []
    for row in range(rows):
        low = row // 15 * 10
        cells = (f"[{low}..{low + 10})", f'"{channels[row % 3]}"', f'"{kinds[row // 3 % 5]}"', str(1000 + row))
        tags = ("inputEntry", "inputEntry", "inputEntry", "outputEntry")
        rules.append(f"<rule>{''.join(f'<{tag}><text>{cell}</text></{tag}>' for tag, cell in zip(tags, cells, strict=True))}</rule>")
    columns = "".join(f"<input><inputExpression><text>{text}</text></inputExpression></input>" for text in ("pages", "channel", "kind"))
    inputs = "".join(f'<inputData id="{n}" name="{n}"><variable name="{n}"/></inputData>' for n in ("pages", "channel", "kind"))
    needs = "".join(f'<informationRequirement><requiredInput href="#{n}"/></informationRequirement>' for n in ("pages", "channel", "kind"))
    table = f'<decisionTable hitPolicy="UNIQUE">{columns}<output name="fee" typeRef="number"/>{"".join(rules)}</decisionTable>'
    head = '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="f" name="f" namespace="https://motcua.example/bench">'
    decision = f'<decision id="fee" name="fee"><variable name="fee" typeRef="number"/>{needs}{table}</decision>'
    return f"{head}{inputs}{decision}</definitions>".encode()


def tables() -> dict[str, Any]:
    """Decision tables: milliseconds to read and compile, microseconds to decide."""
    found = {}
    for rows in (200, 2000):
        data = fee_table(rows)
        decisions = read_decisions(data)
        inputs = {"pages": Decimal(95), "channel": "post", "kind": "extract"}
        assert decisions.evaluate("fee", inputs).value is not None
        found[f"{rows} rows"] = {
            "read_ms": best(lambda data=data: read_decisions(data), 2, 0.2) * 1e3,  # type: ignore[misc]
            "decide_us": best(lambda: decisions.evaluate("fee", inputs)) * 1e6,  # noqa: B023
        }
    return found


def memory(count: int = 5000) -> dict[str, float]:
    """Memory of *count* different compiled expressions."""
    gc.collect()
    tracemalloc.start()
    kept = [compile_expression(f'review.decision = "approve" and dossier.pages > {number}', names=NAMES) for number in range(count)]
    gc.collect()
    held, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {"expressions": len(kept), "megabytes": held / 1e6, "kilobytes_each": held / 1e3 / len(kept)}


def hostile() -> dict[str, Any]:
    """Milliseconds until each hostile text has its answer, compiled and evaluated once; the best of three."""
    texts = runpy.run_path(str(Path(__file__).with_name("feel_hostile.py")))["TEXTS"]
    spent: dict[str, float] = {}
    for name, text in texts.items():
        rounds = []
        for _ in range(3):
            begun = time.process_time()
            with suppress(FeelError):
                evaluate(text, {"t": [1]})
            rounds.append((time.process_time() - begun) * 1000)
        spent[name] = min(rounds)
    slowest = max(spent, key=lambda name: spent[name])
    return {"texts": len(spent), "slowest": slowest, "slowest_ms": spent[slowest], "median_ms": sorted(spent.values())[len(spent) // 2]}


def measure() -> dict[str, Any]:
    """All figures of one run."""
    return {
        "expressions": expressions(),
        "tables": tables(),
        "memory": memory(),
        "hostile": hostile(),
        "process_peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "python": sys.version.split()[0],
    }


def main(as_json: bool) -> int:
    """Measure and print."""
    figures = measure()
    if as_json:
        print(json.dumps(figures, ensure_ascii=False))
        return 0
    for name, row in figures["expressions"].items():
        beside = f", {row['times_pysfeel']:,.0f}× pySFeel" if "times_pysfeel" in row else ""
        print(f"{name:10} compile {row['compile_us']:7.1f} µs  evaluate {row['evaluate_us']:6.2f} µs  {row['per_second']:12,.0f}/s{beside}")
    for name, row in figures["tables"].items():
        print(f"{name:10} read {row['read_ms']:9.1f} ms  decide {row['decide_us']:8.1f} µs")
    worst = figures["hostile"]
    print(f"{worst['texts']} hostile texts: the slowest ({worst['slowest']}) is answered in {worst['slowest_ms']:.1f} ms")
    print(f"{figures['memory']['expressions']} expressions hold {figures['memory']['megabytes']:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main("--json" in sys.argv))
