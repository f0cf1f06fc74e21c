"""What the conditions of a step read, told from the journal; nothing is evaluated again.

A condition's compiled form knows its paths, and the journal what stood there when the step was
visited. What was masked before it was written stays masked here.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from apps.engine import feel, values
from apps.engine.feel import FeelError
from apps.runs.models import Run, RunEvent
from apps.steps.document import CompiledStep, expression_source

#: Where a step type holds conditions, each with the port it leads to.
BRANCHES = ("branches", "*", "when")
#: A longer value is named, not shown: the trigger and the steps before show it whole.
MOST_CHARACTERS = 2000
_NOTHING = object()


def has_conditions(step: CompiledStep) -> bool:
    """Whether the step's way out depends on conditions of its own."""
    return BRANCHES in step.type.expression_fields


def conditions_read(
    run: Run, rows: Iterable[RunEvent], steps: Mapping[str, CompiledStep]
) -> dict[str, dict[str, Any]]:
    """By step, the config of the latest finished visit with what its conditions read.

    Each branch is ``{port, when, reads: {path: value}, result}``: ``result`` is null where the
    condition was not asked, or gave neither true nor false. A path that was not there is left
    out of ``reads``; ``too_long`` names those whose values are not shown.
    """
    rows = list(rows)
    last = {
        row.step: row.seq
        for row in rows
        if row.type in {"step.completed", "step.failed"}
        and row.step in steps
        and has_conditions(steps[row.step])
    }
    known: dict[str, Any] = {"steps": {}, "run": {"id": str(run.pk)}}
    found = {}
    for row in rows:
        if last.get(row.step) == row.seq:
            port = row.data.get("port") if row.type == "step.completed" else None
            found[row.step] = _asked(steps[row.step].raw, port, known)
        _take(row, known)
    return found


def _take(row: RunEvent, known: dict[str, Any]) -> None:
    """Know what the driver knew after this row; compare ``Evaluation._journal``."""
    match row.type:
        case "run.started":
            known["trigger"] = row.data["trigger"]
            known["run"]["started_at"] = row.at.isoformat()
        case "step.completed":
            known["steps"][row.step] = {"output": row.data["output"]}
        case "step.failed":
            step = known["steps"].setdefault(row.step, {})
            step["error"] = row.data["error"]
            if row.data.get("output") is not None:
                step["output"] = row.data["output"]


def _asked(config: Mapping[str, Any], port: str | None, known: Mapping[str, Any]) -> dict[str, Any]:
    branches: Sequence[Mapping[str, Any]] = config["branches"]
    results = _results([branch["port"] for branch in branches], config.get("otherwise"), port)
    return {
        **config,
        "branches": [
            {**branch, **_reads(branch["when"], known), "result": result}
            for branch, result in zip(branches, results, strict=True)
        ],
    }


def _results(ports: Sequence[str], otherwise: str | None, taken: str | None) -> list[bool | None]:
    """What each condition gave, as far as the way that was taken tells."""
    if taken is None:
        return [None] * len(ports)
    if taken not in ports:
        return [False] * len(ports)
    at = ports.index(taken)
    # Where “otherwise” leads the same way, it may also be that none of them held.
    held = None if taken == otherwise else True
    return [False] * at + [held] + [None] * (len(ports) - at - 1)


def _reads(when: str, known: Mapping[str, Any]) -> dict[str, Any]:
    try:
        paths = feel.compile_expression(expression_source(when)).paths
    except FeelError:  # published when an earlier release took it
        return {"reads": {}}
    reads, too_long = {}, []
    for path in sorted(paths):
        value = _at(known, path)
        if value is _NOTHING:
            continue
        name = ".".join(path)
        if len(values.dumps(value)) > MOST_CHARACTERS:
            too_long.append(name)
        else:
            reads[name] = value
    return {"reads": reads, **({"too_long": too_long} if too_long else {})}


def _at(value: Any, path: Sequence[str]) -> Any:
    """The value at a path; of a list, the part of each element, as FEEL reads it."""
    for index, name in enumerate(path):
        if isinstance(value, list):
            parts = [_at(item, path[index:]) for item in value]
            return _NOTHING if _NOTHING in parts else parts
        if not isinstance(value, Mapping) or name not in value:
            return _NOTHING
        value = value[name]
    return value
