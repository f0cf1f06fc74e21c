"""Measure expressions and decision tables on one core: ``python -m tools.bench_feel``.

Each figure is the best of several rounds, so that a busy machine says less about itself. A bar
that is missed is said, and the exit status is 1.
"""

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from timeit import repeat
from typing import Any, Final

from apps.engine.feel import compile_expression, compile_unary_tests
from apps.engine.table_cover import find_gap, find_overlaps
from apps.engine.values import loads

NOW: Final = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
CONTEXT: Final[Any] = loads("""{
    "trigger": {"body": {
        "amount": 1250.50, "tier": "gold", "name": "Ann", "count": 3, "on": "2026-03-01",
        "lines": [{"qty": 2, "price": 10.25}, {"qty": 1, "price": 99.99}, {"qty": 7, "price": 3}]
    }},
    "steps": {"read": {"output": {"rate": 0.19, "open": true}}},
    "run": {"id": "1"}
}""")
CONDITION: Final = 'trigger.body.amount > 1000 and trigger.body.tier = "gold"'
MAPPING: Final = """{
    amount: trigger.body.amount,
    tax: trigger.body.amount * steps.read.output.rate,
    total: trigger.body.amount * (1 + steps.read.output.rate),
    tier: trigger.body.tier,
    name: trigger.body.name,
    greeting: "Dear " + trigger.body.name,
    count: trigger.body.count + 1,
    is_large: trigger.body.amount > 1000,
    kind: if trigger.body.count > 2 then "many" else "few",
    open: steps.read.output.open
}"""
SUM: Final = "sum(for line in trigger.body.lines return line.qty * line.price)"
DATES: Final = 'date(trigger.body.on) + duration("P1M") > date("2026-03-15")'
CELLS: Final = ("> 1000", '"gold", "silver"', "[1..10]")
RULES: Final = [[f"[{n}..{n + 1})", f'"{n % 5}"', "-"] for n in range(100)]


@dataclass(frozen=True, slots=True)
class Case:
    """Something to measure, with how often it must be done in a second."""

    name: str
    run: Callable[[], object]
    bar: int


def cases() -> list[Case]:
    """What is measured."""

    def expression(source: str) -> Callable[[], object]:
        compiled = compile_expression(source)
        return lambda: compiled.evaluate(CONTEXT, now=NOW)

    cells = [compile_unary_tests(cell) for cell in CELLS]
    values = (1250, "silver", 7)

    def row() -> bool:
        return all(
            cell.hold(value, CONTEXT, now=NOW) for cell, value in zip(cells, values, strict=True)
        )

    def judged() -> object:
        return find_gap(RULES), list(find_overlaps(RULES))

    return [
        Case("condition of two parts", expression(CONDITION), 300_000),
        Case("mapping of 10 fields", expression(MAPPING), 40_000),
        Case("sum over three lines", expression(SUM), 0),
        Case("sum of a date and a month, compared", expression(DATES), 0),
        Case("rule of a table, three cells", row, 0),
        Case("table of 100 rules judged for gaps and overlaps", judged, 0),
    ]


def rate(run: Callable[[], object], rounds: int) -> float:
    """How often it is done in a second, in the best of several rounds of about 50 ms."""
    run()
    once = min(repeat(run, number=1, repeat=5))
    count = max(1, int(0.05 / once))
    return count / min(repeat(run, number=count, repeat=rounds))


def main() -> int:
    """Print a line for each case."""
    parser = argparse.ArgumentParser(description="Expressions and tables, on one core.")
    parser.add_argument("--rounds", type=int, default=9)
    chosen = parser.parse_args()
    print(f"load of the machine: {os.getloadavg()[0]:.1f}")
    is_missed = False
    for case in cases():
        found = rate(case.run, chosen.rounds)
        said = f", bar {case.bar:,}" if case.bar else ""
        missed = " MISSED" if found < case.bar else ""
        is_missed = is_missed or bool(missed)
        print(f"{case.name}: {found:,.0f}/s{said}{missed}")
    return 1 if is_missed else 0


if __name__ == "__main__":
    sys.exit(main())
