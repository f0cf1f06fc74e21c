"""Look the answer up in a table of rules.

Use **Decision table** where an answer depends on several things at once. Each row is a rule:
its cells say what the inputs must be, such as `> 1000`, `"gold", "silver"`, `[1..10]` or `-`
for anything, and what then comes out. Later steps read the result by its name.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import Any, Final, Literal

from pydantic import Field, ValidationError

from apps.engine import feel, tables, values
from apps.engine.feel.errors import Fault
from apps.engine.feel.types import described
from apps.engine.graph import Behaviour
from apps.engine.table_cover import Example, find_gap, find_overlaps, said
from apps.steps.findings import Flaw, Repair, Severity, at, replaced
from apps.steps.outcomes import Exit, StepError
from apps.steps.registry import (
    Feel,
    PureContext,
    StepModel,
    Tests,
    step_type,
)

_MOST_RULES: Final = 1_000
_MOST_COLUMNS: Final = 30
_MOST_FLAWS: Final = 5
_MOST_TRIALS: Final = 100
_NAME: Final = r"^[^\W\d]\w*$"

Hit = Literal["unique", "first", "any", "collect"]
Aggregate = Literal["sum", "min", "max", "count"]
Type = Literal[
    "any", "string", "number", "boolean", "date", "time", "date and time",
    "days and time duration", "years and months duration", "list", "context",
]  # fmt: skip


class Input(StepModel):
    label: str = Field("", max_length=150, title="Heading")
    expression: Feel = Field(min_length=1, title="Value", examples=["trigger.body.amount"])


class Column(StepModel):
    name: str = Field(pattern=_NAME, max_length=63, title="Name", examples=["discount"])
    label: str = Field("", max_length=150, title="Heading")
    type: Type = Field(
        "any",
        title="Kind of value",
        json_schema_extra={
            "x-labels": {
                "any": "Anything", "string": "Text", "number": "Number",
                "boolean": "True or false", "date": "Date", "time": "Time",
                "date and time": "Date and time",
                "days and time duration": "Length of time (days, hours)",
                "years and months duration": "Length of time (years, months)",
                "list": "List", "context": "Group of fields",
            }
        },
    )  # fmt: skip


class Rule(StepModel):
    when: list[Tests] = Field(max_length=_MOST_COLUMNS, title="When")
    then: list[Feel] = Field(max_length=_MOST_COLUMNS, title="Then")
    note: str = Field("", max_length=1000, title="Note")


class Trial(StepModel):
    """Values for the inputs, and what shall come out; a cell that is empty is not looked at."""

    given: list[str] = Field(max_length=_MOST_COLUMNS, title="Given")
    expect: list[str] = Field(max_length=_MOST_COLUMNS, title="Expected")
    note: str = Field("", max_length=1000, title="Note")


class Config(StepModel):
    inputs: list[Input] = Field(min_length=1, max_length=_MOST_COLUMNS, title="Inputs")
    outputs: list[Column] = Field(min_length=1, max_length=_MOST_COLUMNS, title="Results")
    hit: Hit = Field(
        "unique",
        title="If several rules match",
        json_schema_extra={
            "x-labels": {
                "unique": "That is an error: only one may",
                "first": "Take the first from the top",
                "any": "They must say the same",
                "collect": "Take them all",
            }
        },
    )
    aggregate: Aggregate | None = Field(
        None,
        title="Make of them",
        json_schema_extra={
            "x-when": {"hit": "collect"},
            "x-labels": {
                "sum": "Their sum", "min": "The least", "max": "The greatest",
                "count": "How many they are",
            },
        },
    )  # fmt: skip
    rules: list[Rule] = Field(max_length=_MOST_RULES, title="Rules")
    default: list[Feel] | None = Field(
        None,
        max_length=_MOST_COLUMNS,
        title="If no rule matches",
        description="A result for each column; without it, no match is an error.",
    )
    tests: list[Trial] = Field(
        default_factory=list,
        max_length=_MOST_TRIALS,
        title="Test rows",
        description="Tried with each check; runs do not look at them.",
    )

    model_config = {"json_schema_extra": {"x-widget": "decision-table"}}


def output_names(config: Mapping[str, Any]) -> list[str]:
    """What later steps may read: the columns, or ``results`` where whole rows are collected."""
    names = _names(config)
    whole_rows = config.get("hit") == "collect" and not config.get("aggregate")
    return ["results"] if whole_rows and len(names) > 1 else names


def _names(config: Mapping[str, Any]) -> list[str]:
    found = [at(one, "name") for one in _listed(config, "outputs") if isinstance(one, Mapping)]
    return [name for name in found if isinstance(name, str) and name]


def check(config: Mapping[str, Any]) -> Iterator[Flaw]:
    """Cells for each column, names of their own, and rules that forget or contradict nothing."""
    yield from _aggregate_flaws(config)
    seen: set[str] = set()
    for index, name in enumerate(_names(config)):
        if name in seen:
            yield Flaw(
                "duplicate_name",
                ("outputs", index, "name"),
                f"Two results have the name “{name}”.",
                "Give each result a name of its own.",
            )
        seen.add(name)
    misfits = list(_shape_flaws(config))
    yield from misfits
    cells = [at(rule, "when") for rule in _rules(config)]
    if not misfits and cells and all(isinstance(row, list) for row in cells):
        yield from _cover_flaws(config, cells)
    if not misfits:
        yield from trial_flaws(config)


def _aggregate_flaws(config: Mapping[str, Any]) -> Iterator[Flaw]:
    if not config.get("aggregate"):
        return
    if config.get("hit") != "collect":
        yield Flaw(
            "aggregate_without_collect",
            ("aggregate",),
            "Only rules that are all taken can be made into one value.",
            "Choose “Take them all”, or make nothing of them.",
            repair=Repair("Make nothing of them", replaced("/aggregate", None)),
        )
    elif len(_names(config)) > 1:
        yield Flaw(
            "aggregate_of_many",
            ("aggregate",),
            "One value can be made of one result only, and the table has several.",
            "Keep one result, or take the rules as they are.",
        )


def _rules(config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for one in _listed(config, "rules") if isinstance(one, Mapping)]


def _listed(config: Mapping[str, Any], name: str) -> list[Any]:
    found = config.get(name)
    return found if isinstance(found, list) else []


def _shape_flaws(config: Mapping[str, Any]) -> Iterator[Flaw]:
    """Rows that have too few or too many cells."""
    inputs, outputs = len(_listed(config, "inputs")), len(_listed(config, "outputs"))
    for index, rule in enumerate(_rules(config)):
        said_ = f"Rule {index + 1}"
        yield from _cell_flaws(rule.get("when"), inputs, ("rules", index, "when"), said_, "input")
        yield from _cell_flaws(rule.get("then"), outputs, ("rules", index, "then"), said_, "result")
    default = config.get("default")
    yield from _cell_flaws(default, outputs, ("default",), "The default", "result")


def _cell_flaws(
    cells: Any, count: int, path: tuple[str | int, ...], row: str, what: str
) -> Iterator[Flaw]:
    if isinstance(cells, list) and len(cells) != count:
        yield Flaw(
            "table_shape",
            path,
            f"{row} has {len(cells)} cells for {count} {what}{'' if count == 1 else 's'}.",
            f"Give it one cell for each {what}.",
        )


def _cover_flaws(config: Mapping[str, Any], rows: Sequence[Sequence[Any]]) -> Iterator[Flaw]:
    """The input that no rule matches, and the rules that match one and the same."""
    texts = [[cell if isinstance(cell, str) else "-" for cell in row] for row in rows]
    hit, aggregate = config.get("hit", "unique"), config.get("aggregate")
    wants_one = hit != "collect" or aggregate in {"sum", "min", "max"}
    if wants_one and config.get("default") is None:
        gap = find_gap(texts)
        if gap is not None:
            yield Flaw(
                "table_gap",
                ("rules",),
                f"No rule matches {_example(config, gap)}.",
                "Add a rule for it, or a default for everything that no rule matches.",
                "warning",
            )
    yield from islice(_overlap_flaws(config, str(hit), texts), _MOST_FLAWS)


def _overlap_flaws(
    config: Mapping[str, Any], hit: str, texts: Sequence[Sequence[str]]
) -> Iterator[Flaw]:
    severity: Severity = "error" if hit == "unique" else "warning"
    fix = {
        "unique": "Make their conditions differ, or choose another way to treat several matches.",
        "any": "Give both the same results, or make their conditions differ.",
        "first": "Put the narrower rule first, or make their conditions differ.",
    }
    if hit not in fix:
        return
    rules = _rules(config)
    for one in find_overlaps(texts):
        # A wider rule after a narrower one is how "first" is meant: it catches the rest.
        is_meant = hit == "first" and one.is_fallback
        is_same = hit == "any" and at(rules[one.first], "then") == at(rules[one.second], "then")
        if not is_meant and not is_same:
            yield Flaw(
                "table_overlap",
                ("rules", one.second),
                f"The rules {one.first + 1} and {one.second + 1} both match "
                f"{_example(config, one.example)}.",
                fix[hit],
                severity,
            )


def _example(config: Mapping[str, Any], example: Sequence[Example]) -> str:
    """``Amount = 5, Tier = "gold"``; an input whose value does not matter is left out."""
    named = [
        f"{_heading(config, index)} = {said(one)}"
        for index, one in enumerate(example)
        if not one.is_any
    ]
    return ", ".join(named) or "any input"


def _heading(config: Mapping[str, Any], index: int) -> str:
    label = at(config, "inputs", index, "label") or at(config, "inputs", index, "expression")
    return str(label or f"input {index + 1}").removeprefix("=").strip()[:60]


@step_type(
    kind="table",
    version=1,
    title="Decision table",
    category="Flow",
    icon="table",
    behaviour=Behaviour.PURE,
    ports=("done",),
    config=Config,
    default_config={
        "inputs": [{"label": "Amount", "expression": "get or else(trigger.body.amount, 0)"}],
        "outputs": [{"name": "size", "label": "Size", "type": "string"}],
        "hit": "unique",
        "rules": [
            {"when": ["< 1000"], "then": ['"small"']},
            {"when": [">= 1000"], "then": ['"large"']},
        ],
    },
    check=check,
    output_from="outputs",
    output_names=output_names,
)
def run(config: Config, ctx: PureContext) -> Exit:
    _refuse_ragged(config)
    given = [ctx.evaluate(one.expression) for one in config.inputs]
    names = [one.name for one in config.outputs]
    rules = [
        tables.Rule(
            partial(_matches, ctx, number, rule, given),
            partial(_results, ctx, config.outputs, rule.then, f"rule {number}"),
        )
        for number, rule in enumerate(config.rules, start=1)
    ]
    try:
        found = tables.decide(
            rules,
            hit=config.hit,
            aggregate=config.aggregate,
            outputs=names,
            default=_default(ctx, config),
        )
    except tables.TableError as wrong:
        raise StepError(wrong.code, wrong.message) from None
    except Fault as wrong:
        raise StepError(f"expression.{wrong.code}", wrong.message) from None
    return Exit("done", _output(found, names))


def _refuse_ragged(config: Config) -> None:
    """Rules that are written out were checked; those that an expression gave were not."""
    inputs, outputs = len(config.inputs), len(config.outputs)
    for number, rule in enumerate(config.rules, start=1):
        if len(rule.when) != inputs or len(rule.then) != outputs:
            message = f"Rule {number} must have a cell for each input and each result."
            raise StepError("table_shape", message)
    if config.default is not None and len(config.default) != outputs:
        raise StepError("table_shape", "The default must have a cell for each result.")


def _output(found: Any, names: Sequence[str]) -> dict[str, Any]:
    if isinstance(found, list):
        rows = [_json(row) for row in found]
        return {"results": rows} if len(names) > 1 else {names[0]: [row[names[0]] for row in rows]}
    return dict(_json(found if isinstance(found, Mapping) else {names[0]: found}))


def _json(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: feel.to_json(value) for name, value in row.items()}


def _matches(ctx: PureContext, number: int, rule: Rule, given: Sequence[Any]) -> bool:
    try:
        return all(ctx.matches(cell, value) for cell, value in zip(rule.when, given, strict=True))
    except feel.FeelError as wrong:
        raise StepError(
            f"expression.{wrong.code}", f"Rule {number} cannot be asked: {wrong.message}"
        ) from None


def _default(ctx: PureContext, config: Config) -> Mapping[str, Any] | None:
    if config.default is None:
        return None
    return _results(ctx, config.outputs, config.default, "the default")


def _results(
    ctx: PureContext, columns: Sequence[Column], cells: Sequence[str], row: str
) -> dict[str, Any]:
    found = {}
    for column, cell in zip(columns, cells, strict=True):
        value = ctx.evaluate(cell)
        if column.type != "any" and feel.type_name(value) != column.type:
            raise StepError(
                "wrong_type",
                f"“{column.name}” of {row} must be of the kind “{column.type}”, "
                f"found {described(value)}.",
            )
        found[column.name] = value
    return found


# Test rows: the table itself, asked with values that are written beside it


class _TrialContext:
    """A run without data, at a set time: what a table reads beside its inputs cannot be tried."""

    now = datetime(2026, 1, 1, tzinfo=UTC)
    zone = "UTC"

    def evaluate(self, expression: str) -> Any:
        """The FEEL value. Raises ``FeelError``."""
        source = expression.removeprefix("=")
        return feel.compile_expression(source).evaluate({}, now=self.now, zone=self.zone)

    def matches(self, tests: str, value: Any) -> bool:
        """Whether a value passes unary tests. Raises ``FeelError``."""
        compiled = feel.compile_unary_tests(tests if tests.strip() else "-")
        return compiled.hold(value, {}, now=self.now, zone=self.zone)


def trial_flaws(config: Mapping[str, Any]) -> Iterator[Flaw]:
    """Test rows in which something else comes out than is expected, or nothing can."""
    if not _listed(config, "tests"):
        return
    try:
        table = Config.model_validate(config)
    except ValidationError:
        return  # what does not fit is said at its place
    for index, trial in enumerate(table.tests):
        flaw = _tried(table, trial, index)
        if flaw is not None:
            yield flaw


def _tried(table: Config, trial: Trial, index: int) -> Flaw | None:
    path, name = ("tests", index), f"Test {index + 1}"
    if len(trial.given) != len(table.inputs) or len(trial.expect) != len(table.outputs):
        return Flaw(
            "table_test_failed",
            path,
            f"{name} has not one cell for each input and each result.",
            "Give it a cell for each.",
            "warning",
        )
    inputs = [
        one.model_copy(update={"expression": cell or "null"})
        for one, cell in zip(table.inputs, trial.given, strict=True)
    ]
    trying: Any = _TrialContext()
    try:
        gave: Any = run(table.model_copy(update={"inputs": inputs}), trying).output
        wanted = {
            column.name: feel.to_json(trying.evaluate(cell))
            for column, cell in zip(table.outputs, trial.expect, strict=True)
            if cell.strip()
        }
    except (StepError, feel.FeelError) as wrong:
        return Flaw(
            "table_test_failed",
            path,
            f"{name} cannot be tried: {wrong.message}",
            "Change the row or the rules; what is read of a run is not known here.",
            "warning",
        )
    gave = _by_column(gave, table)
    wrong_ones = [one for one, value in wanted.items() if not _same(gave.get(one), value)]
    if not wrong_ones:
        return None
    said_ = ", ".join(
        f"{one} = {_written(wanted[one])} and gets {_written(gave.get(one))}"
        for one in wrong_ones[:3]
    )
    given = [
        _written(gave.get(one.name)) if cell.strip() else cell
        for one, cell in zip(table.outputs, trial.expect, strict=True)
    ]
    return Flaw(
        "table_test_failed",
        path,
        f"{name} expects {said_}.",
        "Change the rules, or what is expected.",
        "warning",
        repair=Repair("Expect what it gives", replaced(f"/tests/{index}/expect", given)),
    )


def _by_column(gave: Mapping[str, Any], table: Config) -> Mapping[str, Any]:
    """Rows that are collected as a list for each column, as a test row expects them."""
    rows = gave.get("results")
    if len(table.outputs) < 2 or not isinstance(rows, list):
        return gave
    return {one.name: [row[one.name] for row in rows] for one in table.outputs}


def _same(one: Any, other: Any) -> bool:
    return (type(one) is type(other) and one == other) or (_is_number(one) and one == other)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _written(value: Any) -> str:
    """A value as JSON, which FEEL reads as the same."""
    return values.dumps(value)[:200]
