"""Runs the cases of the DMN compatibility kit and says how each came out.

A case *passes* where every result is the expected one. It *differs by a rule* where null is
expected and an error comes whose code belongs to a stated rule: the verdict looks at nothing
else. It is *stricter* where such an error comes although a value is expected, because FEEL
goes on with null or converts without being asked; that is never counted as passed. It is *not
supported*, with the reason, where it asks for more than FEEL; the rest *fails*.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal

from defusedxml.ElementTree import ParseError

from apps.engine.feel import FeelError, to_json
from apps.engine.feel.errors import Fault
from apps.engine.feel.temporal import format_temporal
from apps.engine.feel.types import NUMBERS, is_context, is_whole
from apps.engine.tables import TableError
from tools.dmn.evaluation import Decisions, Unsupported, load
from tools.dmn.reader import Case, Wanted, read_cases

__all__ = ["KIT", "RULES", "VERDICTS", "Outcome", "Rule", "Verdict", "counted", "run_kit"]

KIT: Final = Path(__file__).resolve().parents[3] / "shared/data/dmn-tck"
Verdict = Literal["passed", "differs", "stricter", "unsupported", "failed"]
VERDICTS: Final[tuple[Verdict, ...]] = ("passed", "differs", "stricter", "unsupported", "failed")


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of strictness: what FEEL answers with null and Signalbox with an error."""

    name: str
    sentence: str
    codes: frozenset[str]


RULES: Final = (
    Rule(
        "missing path",
        "A name or path that is not there is an error, also in `= null`; "
        "`is defined(path)` and `get or else(path, default)` ask for what may be absent.",
        frozenset({"missing_path", "unknown_name"}),
    ),
    Rule(
        "index out of range",
        "An element or character at a place that does not exist is an error.",
        frozenset({"index_out_of_range"}),
    ),
    Rule(
        "wrong type",
        "Arithmetic on null, comparing or equating two different types, text + number, and an "
        "argument or result of the wrong type are errors; nothing is converted without being "
        "asked, and a list of one is not its element.",
        frozenset({"wrong_type"}),
    ),
    Rule(
        "not boolean",
        "A condition that is neither true nor false is an error: after `if`, `satisfies`, in a "
        "filter, and on both sides of `and` and `or`, which stop early from left to right.",
        frozenset({"not_boolean"}),
    ),
    Rule(
        "bad arguments",
        "A call with too many or too few arguments, or with a value that the function has no "
        "result for, such as the mean of nothing, is an error, found before a flow is published "
        "where the source shows it.",
        frozenset({"bad_arguments"}),
    ),
    Rule(
        "unknown function",
        "A call of a function that does not exist is an error before a flow is published.",
        frozenset({"unknown_function"}),
    ),
    Rule(
        "conversion",
        "Text that is no number, date, time or duration is an error.",
        frozenset({"conversion"}),
    ),
    Rule("division by zero", "1/0 is an error.", frozenset({"division_by_zero"})),
    Rule(
        "overflow",
        "A number of more than 34 digits' exponent, a date or a duration too far out is an error.",
        frozenset({"overflow"}),
    ),
    Rule(
        "syntax",
        "A text that is not an expression is an error before a flow is published.",
        frozenset({"syntax"}),
    ),
    Rule(
        "table without an answer",
        "A decision table in which no rule matches and no default stands, in which rules "
        "contradict each other, or whose input is not permitted, is an error that names the rules.",
        frozenset({"no_rule", "many_rules", "not_permitted"}),
    ),
)
_NEAR: Final = Decimal("0.00000001")
_BY_CODE: Final = {code: rule for rule in RULES for code in rule.codes}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one case came out."""

    level: str
    folder: str
    case: str
    verdict: Verdict
    rules: tuple[str, ...] = ()
    reason: str = ""
    labels: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.folder}/{self.case}"


def run_kit(kit: Path = KIT) -> Iterator[Outcome]:
    """Run every case below a folder, in order of their names."""
    for path in sorted(kit.rglob("*-test-*.xml")):
        folder = path.parent
        level = next((part for part in reversed(path.parts) if "compliance" in part), "")
        level = level.rpartition("-")[2]
        cases = read_cases(path)
        models: dict[str, Decisions | str] = {}
        for case in cases:
            if case.model not in models:
                models[case.model] = _loaded(folder / case.model)
            number = path.stem.rpartition("-test-")[2]
            name = case.id if number == "01" else f"{number}/{case.id}"
            yield _judged(models[case.model], case, (level, folder.name, name))


def _loaded(path: Path) -> Decisions | str:
    try:
        return load(path)
    except (OSError, ParseError) as wrong:
        return f"The model cannot be read: {type(wrong).__name__}"


def _judged(model: Decisions | str, case: Case, place: tuple[str, str, str]) -> Outcome:
    if isinstance(model, str):
        return Outcome(*place, "unsupported", reason=model, labels=case.labels)
    rules: list[str] = []
    reasons: list[str] = []
    worst: Verdict = "passed"
    for wanted in case.wanted:
        try:
            rule = _result(model, case, wanted)
        except Unsupported as wrong:
            return Outcome(*place, "unsupported", reason=str(wrong), labels=case.labels)
        except _Different as wrong:
            reasons.append(f"{wanted.name}: {wrong}")
            rule = wrong.rule
            verdict: Verdict = "stricter" if rule else "failed"
        except Exception as wrong:  # noqa: BLE001 - a fault in one case must not hide the others
            reasons.append(f"{wanted.name}: {type(wrong).__name__}: {wrong}")
            rule, verdict = "", "failed"
        else:
            verdict = "differs" if rule else "passed"
        rules += [rule] if rule else []
        worst = max(worst, verdict, key=VERDICTS.index)
    found = tuple(dict.fromkeys(rules))
    return Outcome(*place, worst, found, reason=" | ".join(reasons), labels=case.labels)


class _Different(Exception):
    """The result is not the expected one; ``rule`` is the one that an error belongs to."""

    def __init__(self, message: str, rule: str = "") -> None:
        super().__init__(message)
        self.rule = rule


def _result(model: Decisions, case: Case, wanted: Wanted) -> str:
    """The rule by which a result differs, or an empty text where it is as expected."""
    try:
        if case.invocable or wanted.kind in {"bkm", "decisionService"}:
            value = model.invoke(case.invocable or wanted.name, case.inputs)
            if case.invocable and is_context(value) and wanted.name in value:
                value = value[wanted.name]
        else:
            value = model.decision(wanted.name, case.inputs)
    except (FeelError, TableError, Fault) as wrong:
        if "external functions" in wrong.message:
            raise Unsupported("External functions (Java, PMML) are not run.") from None
        return _error(wrong, wanted)
    if not alike(value, wanted.value):
        raise _Different(f"found {_shown(value)}, expected {wanted.value!r}")
    return ""


def _error(wrong: FeelError | TableError | Fault, wanted: Wanted) -> str:
    """The rule that an error belongs to, where null or an error is expected."""
    rule = _BY_CODE.get(wrong.code)
    if rule and (wanted.is_error or wanted.value is None):
        return rule.name
    message = f"{wrong.code}: {wrong.message}; expected {wanted.value!r}"
    raise _Different(message, rule.name if rule else "")


def _shown(value: Any) -> str:
    try:
        return repr(to_json(value))
    except FeelError:
        return repr(value)


def alike(found: Any, wanted: Any) -> bool:
    """Whether a value is the expected one; fractions to the eighth digit."""
    if type(wanted) in NUMBERS:
        return type(found) in NUMBERS and _close(Decimal(found), Decimal(wanted))
    if isinstance(wanted, list):
        return type(found) is list and len(found) == len(wanted) and all(map(alike, found, wanted))
    if isinstance(wanted, dict):
        return (
            is_context(found)
            and found.keys() == wanted.keys()
            and all(alike(found[key], wanted[key]) for key in wanted)
        )
    if isinstance(wanted, datetime | time):
        return type(found) is type(wanted) and format_temporal(found) == format_temporal(wanted)
    return type(found) is type(wanted) and bool(found == wanted)


def _close(found: Decimal, wanted: Decimal) -> bool:
    return found == wanted or (not is_whole(wanted) and abs(found - wanted) <= _NEAR)


def counted(outcomes: Iterable[Outcome]) -> dict[Verdict, int]:
    """How many came out in each way."""
    found: dict[Verdict, int] = dict.fromkeys(VERDICTS, 0)
    for outcome in outcomes:
        found[outcome.verdict] += 1
    return found
