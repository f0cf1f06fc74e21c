"""Write ``docs/feel.md``: what FEEL is here, and how it does in the compatibility kit of DMN.

``python -m tools.feel_report`` writes the page; ``--kit FOLDER`` names another place of the
kit, ``--print`` only prints the totals and what did not pass.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from apps.engine.feel.builtins import BUILTINS
from tools.dmn.kit import KIT, RULES, VERDICTS, Outcome, Verdict, counted, run_kit

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "feel.md"

_HEAD: Final = """\
# FEEL and decision tables

Written by `python -m tools.feel_report`. Expressions and decision tables are those of OMG DMN 1.5,
conformance level 3, and *strict*: where FEEL answers null because of a mistake, Signalbox stops
with an error that says what was expected, what was found, and where. What that changes is said
below, rule by rule, with every case of the public compatibility kit (`dmn-tck/tck`) it concerns.

## Beside the standard

- `get or else(value, default)` and `is defined(path)` say what may be absent.
- `now()` and `today()` are the journaled time of the command, in the workspace's zone.
- Numbers have 34 digits and are rounded half to even; a number is written out, without exponent
  (`1000`, not `1e3`; `number("1e3")` reads one).
- A name of several words is read where the expression itself gives it (an entry of a context, a
  parameter, a loop); other odd names are read by `get value(context, "odd key")`.
- Durations of days and time are exact to the microsecond, dates and times to the nanosecond, in
  the years -999,999,999 to 999,999,999.
- Regular expressions are those of XPath without references back to a group and without
  look-around; they take time in proportion to the text, whatever the pattern.
- An evaluation may spend 100,000 operations, make 1 MB, and nest 64 deep. More is the error
  `budget`.
"""


def page(outcomes: Sequence[Outcome]) -> str:
    """The page as it must be; a test compares."""
    return "\n".join(
        [
            _HEAD,
            *_functions(),
            *_totals(outcomes),
            *_rules(outcomes),
            *_stricter(outcomes),
            *_rest(outcomes),
            *_folders(outcomes),
        ]
    )


def _functions() -> list[str]:
    lines = ["## Built-in functions", "", "| Function | Answers |", "| --- | --- |"]
    for name in sorted(BUILTINS):
        ways = BUILTINS[name]
        calls = dict.fromkeys(f"`{way}`" for way in ways)
        said = dict.fromkeys(
            (way.run.__doc__ or "").split("\n", 1)[0].strip().rstrip(".") for way in ways
        )
        words = "; ".join(one for one in said if one).replace("``", "`").replace("|", r"\|")
        lines.append(f"| {', '.join(calls)} | {words} |")
    return [*lines, ""]


_WORDS: Final[dict[Verdict, str]] = {
    "passed": "passed",
    "differs": "null expected, an error by a rule",
    "stricter": "a value expected, an error by a rule",
    "unsupported": "not supported",
    "failed": "failed",
}


def _totals(outcomes: Sequence[Outcome]) -> list[str]:
    lines = [
        "## The compatibility kit",
        "",
        f"| Level | Cases | {' | '.join(_WORDS[one] for one in VERDICTS)} | first two |",
        f"| --- |{' --- |' * (len(VERDICTS) + 2)}",
    ]
    for level in _levels(outcomes):
        chosen = [one for one in outcomes if one.level == level]
        counts = counted(chosen)
        well = counts["passed"] + counts["differs"]
        cells = [str(counts[one]) for one in VERDICTS]
        lines.append(
            f"| {level} | {len(chosen)} | {' | '.join(cells)} | {100 * well / len(chosen):.1f} % |"
        )
    return [
        *lines,
        "",
        "A case differs by a rule only where null is expected and an error comes whose code",
        "belongs to the rule. Nothing else is looked at. Fractions are compared to the eighth",
        "digit.",
        "",
    ]


def _levels(outcomes: Iterable[Outcome]) -> list[str]:
    return sorted({one.level for one in outcomes})


def _rules(outcomes: Sequence[Outcome]) -> list[str]:
    lines = ["## Rules of strictness", ""]
    for rule in RULES:
        chosen = [one for one in outcomes if one.verdict == "differs" and rule.name in one.rules]
        codes = ", ".join(f"`{code}`" for code in sorted(rule.codes))
        lines += [f"### {rule.name.capitalize()}", "", f"{rule.sentence} Codes: {codes}.", ""]
        lines += [*_listed(chosen), ""] if chosen else ["No case of the kit.", ""]
    return lines


def _stricter(outcomes: Sequence[Outcome]) -> list[str]:
    """Errors by a rule where the kit expects a value."""
    lines = [
        "## Where FEEL goes on with a value",
        "",
        "The same rules, but the kit expects a value: FEEL takes what is not true for false, null",
        "for a value that compares, one element for a list, or a list of one for its element.",
        "These cases are not counted as passed.",
        "",
    ]
    for rule in RULES:
        chosen = [one for one in outcomes if one.verdict == "stricter" and rule.name in one.rules]
        lines += [f"**{rule.name.capitalize()}**", "", *_listed(chosen), ""] if chosen else []
    return lines


def _rest(outcomes: Sequence[Outcome]) -> list[str]:
    lines: list[str] = []
    for verdict, title in (("unsupported", "Not supported"), ("failed", "Failed")):
        chosen = [one for one in outcomes if one.verdict == verdict]
        lines += [f"## {title}", ""]
        lines += [f"- `{one.name}`: {one.reason}" for one in chosen] or ["Nothing."]
        lines.append("")
    return lines


def _listed(outcomes: Iterable[Outcome]) -> list[str]:
    """``- 0057-feel-context: 001, 002``."""
    by_folder: dict[str, list[str]] = defaultdict(list)
    for one in outcomes:
        by_folder[f"{one.folder} (level {one.level})"].append(one.case)
    return [f"- {folder}: {', '.join(cases)}" for folder, cases in by_folder.items()]


def _folders(outcomes: Sequence[Outcome]) -> list[str]:
    shown = [one for one in VERDICTS if any(case.verdict == one for case in outcomes)]
    lines = [
        "## By category",
        "",
        f"| Level | Category | {' | '.join(_WORDS[one] for one in shown)} |",
        f"| --- | --- |{' --- |' * len(shown)}",
    ]
    for level, folder in sorted({(one.level, one.folder) for one in outcomes}):
        counts = counted(one for one in outcomes if (one.level, one.folder) == (level, folder))
        cells = [str(counts[one] or "") for one in shown]
        lines.append(f"| {level} | {folder} | {' | '.join(cells)} |")
    return [*lines, ""]


def main() -> int:
    """Write the page, or print what it would say."""
    parser = argparse.ArgumentParser(description="FEEL against the DMN compatibility kit.")
    parser.add_argument("--kit", type=Path, default=KIT, help="the folder of the kit")
    parser.add_argument("--print", action="store_true", help="print totals, write nothing")
    chosen = parser.parse_args()
    if not chosen.kit.is_dir():
        print(f"The compatibility kit is not at {chosen.kit}.", file=sys.stderr)
        return 2
    outcomes = list(run_kit(chosen.kit))
    if chosen.print:
        for level in _levels(outcomes):
            print(level, counted(one for one in outcomes if one.level == level))
        for one in outcomes:
            if one.verdict not in {"passed", "differs"}:
                print(one.verdict, one.level, one.name, one.reason)
        return 0
    PAGE.write_text(page(outcomes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
