"""Every shared read about runs: lists, one run step by step, its journal, what it waits for."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from apps.accounts.actors import Actor
from apps.accounts.permissions import flows_with
from apps.core.errors import Invalid, NotFound
from apps.core.models import first_uuid7_at
from apps.core.sentences import error_said
from apps.engine.graph import TRIGGER, Behaviour
from apps.engine.lifecycle import RunStatus, StepStatus
from apps.flows.compiled import compiled
from apps.flows.models import Flow, FlowVersion
from apps.runs import waits
from apps.runs.conditions import conditions_read
from apps.runs.models import Run, RunEvent, StuckRun
from apps.runs.snapshots import fill_blobs
from apps.runs.trying import TEST
from apps.steps.document import CompiledStep

#: So many runs that a run has started are listed with it.
MOST_CHILDREN = 1000
#: A run's id has its maker's time, its dates have the database's; they differ by less than a day.
CLOCKS_APART_MS = 24 * 3600 * 1000
EVENT_TO_STATUS: Mapping[str, StepStatus] = {
    "step.completed": StepStatus.COMPLETED,
    "step.failed": StepStatus.FAILED,
    "step.retried": StepStatus.RETRYING,
    "step.attempted": StepStatus.RUNNING,
    "step.held": StepStatus.WAITING,
    "step.repeated": StepStatus.READY,
}


def visible_runs(actor: Actor) -> QuerySet[Run]:
    """The runs that the actor may view, newest first."""
    return (
        Run.objects.for_workspace(actor.workspace_id)
        .filter(flows_with(actor, "run.view", "flow_id"))
        .order_by("-id")
    )


def real(runs: QuerySet[Run]) -> QuerySet[Run]:
    """Without those that only try a draft out: nothing counts them."""
    return runs.exclude(trigger_type=TEST)


def filtered(runs: QuerySet[Run], asked: Mapping[str, str]) -> QuerySet[Run]:
    """Runs that fit: ``flow``, ``status`` (several by commas), ``from``, ``to``, ``stuck``.

    ``parent``: those that this run has started. ``tests``: runs that try drafts out, which are
    left out otherwise.

    Raises:
        Invalid: A name or a value is not known.
    """
    if unknown := set(asked) - {"flow", "status", "from", "to", "stuck", "parent", "tests"}:
        raise Invalid(f"Runs have no filter “{min(unknown)[:30]}”.")
    if asked.get("tests", "") not in {"", "true", "false"}:
        raise Invalid("“tests” is true or false.")
    runs = runs.filter(trigger_type=TEST) if asked.get("tests") == "true" else real(runs)
    if asked.get("flow"):
        runs = runs.filter(flow_id=as_id(asked["flow"]))
    if asked.get("status"):
        wanted = asked["status"].split(",")
        if strange := set(wanted) - {one.value for one in RunStatus}:
            raise Invalid(f"There is no status “{min(strange)[:30]}”.")
        runs = runs.filter(status__in=wanted)
    if asked.get("from"):
        at = _as_time(asked["from"])
        runs = runs.filter(created_at__gte=at, pk__gte=_id_near(at, -CLOCKS_APART_MS))
    if asked.get("to"):
        at = _as_time(asked["to"])
        runs = runs.filter(created_at__lt=at, pk__lt=_id_near(at, CLOCKS_APART_MS))
    if asked.get("stuck"):
        if asked["stuck"] not in {"true", "false"}:
            raise Invalid("“stuck” is true or false.")
        is_stuck = Exists(stuck_rows())
        runs = runs.filter(is_stuck if asked["stuck"] == "true" else ~is_stuck)
    if asked.get("parent"):
        parent_id = as_id(asked["parent"])
        runs = runs.filter(parent_id=parent_id, pk__gte=parent_id)
    return runs


def stuck_rows() -> QuerySet[StuckRun]:
    """What was noted of the run of an outer query, where it has not moved since."""
    return StuckRun.objects.filter(run_id=OuterRef("pk"), progress_at=OuterRef("updated_at"))


def stuck_causes(runs: Iterable[Run]) -> dict[UUID, dict[str, Any]]:
    """Of a page of runs those that are stuck: since when, and why; see ``stuck``."""
    moved = {run.pk: run.updated_at for run in runs if not run.is_final}
    return {
        one.run_id: {
            "step": one.step,
            "since": one.progress_at,
            "usual_s": one.usual_s,
            "cause": one.cause,
        }
        for one in StuckRun.objects.filter(run_id__in=moved)
        if one.progress_at == moved[one.run_id]
    }


def as_id(text: str) -> UUID:
    """The id that a text is.

    Raises:
        Invalid: It is none.
    """
    try:
        return UUID(text)
    except ValueError:
        raise Invalid(f"“{text[:40]}” is not an id.") from None


def _as_time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"“{text[:40]}” is not a time; write it like 2026-11-20T17:00:00Z.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _id_near(at: datetime, milliseconds: int) -> UUID:
    """An id of that time and so much, so that a list by time need not read what is far from it.

    Ids hold the real time. Where the test clock may run ahead of it they tell nothing.
    """
    if settings.TEST_CLOCK:
        return UUID(int=0 if milliseconds < 0 else 2**128 - 1)
    near = int(at.timestamp() * 1000) + milliseconds
    return first_uuid7_at(min(max(near, 0), 2**48 - 1))


def get_run(actor: Actor, run_id: UUID) -> Run:
    """One run.

    Raises:
        NotFound: There is none, or not for this actor.
    """
    found = visible_runs(actor).filter(pk=run_id).first()
    if found is None:
        raise NotFound("There is no such run, or it is not for you.")
    return found


def latest_runs(actor: Actor, flow_ids: Iterable[UUID]) -> dict[UUID, Run]:
    """The newest run of each flow; one look-up per flow in its own index."""
    visible = real(visible_runs(actor))
    found = {flow_id: visible.filter(flow_id=flow_id).first() for flow_id in flow_ids}
    return {flow_id: run for flow_id, run in found.items() if run is not None}


def flow_names(runs: Iterable[Run]) -> dict[UUID, str]:
    """Names of the flows of a page of runs."""
    ids = {run.flow_id for run in runs}
    return dict(Flow.objects.filter(pk__in=ids).values_list("pk", "name"))


def version_numbers(runs: Iterable[Run]) -> dict[UUID, int]:
    """Numbers of the versions of a page of runs."""
    ids = {run.version_id for run in runs}
    return dict(FlowVersion.objects.filter(pk__in=ids).values_list("pk", "number"))


def journal(run: Run) -> list[RunEvent]:
    """The run's whole journal, oldest first, with large values in place."""
    return with_large_values(run, journal_rows(run))


def journal_rows(run: Run) -> QuerySet[RunEvent]:
    """The rows of the run's journal, oldest first, as they are stored."""
    return RunEvent.objects.filter(run_id=run.pk).order_by("seq")


def with_large_values(run: Run, found: Iterable[RunEvent]) -> list[RunEvent]:
    """Rows of a journal with their large values put back; one query for all."""
    rows = list(found)
    with connection.cursor() as cursor:
        fill_blobs(cursor, [(run.workspace_id, row.data) for row in rows])
    return rows


def waiting_for(run: Run) -> list[dict[str, Any]]:
    """Why the run does not go on, one exact reason per wait; see ``waits``."""
    return waits.waiting_for(run)


def children_of(run: Run) -> list[UUID]:
    """The runs that this one has started, oldest first, at most 1,000."""
    started = Run.objects.for_workspace(run.workspace_id).filter(parent_id=run.pk, pk__gte=run.pk)
    return list(started.order_by("pk").values_list("pk", flat=True)[:MOST_CHILDREN])


def held_matter(run: Run, step: str, visit: int) -> dict[str, Any]:
    """Why a held visit failed: ``{error, output}``, as its journal has it."""
    rows = RunEvent.objects.filter(run_id=run.pk, step=step, type="step.held").order_by("-seq")
    row = next(one for one in rows if one.data["visit"] == visit)
    data: dict[str, Any] = with_large_values(run, [row])[0].data
    return {"error": data["error"], "output": data.get("output")}


def resolved_input(run: Run, step: str, visit: int) -> Any:
    """What a visit was given, its expressions evaluated; None where it never came so far."""
    rows = RunEvent.objects.filter(run_id=run.pk, step=step, type="step.started").order_by("-seq")
    row = next((one for one in rows if one.data["visit"] == visit), None)
    return None if row is None else with_large_values(run, [row])[0].data["input"]


def steps_of(
    run: Run, rows: Iterable[RunEvent], *, is_final: bool | None = None
) -> dict[str, dict[str, Any]]:
    """Each step that was reached, by id.

    ``{status, visits, attempts, port, input, output, error, started_at, finished_at, items}`` of
    its latest visit. A condition stands in ``input`` with what it read; see ``conditions``.
    ``items`` of a step that contains others are ``{total, begun, done, failed}``, else None.
    """
    rows = list(rows)
    steps: dict[str, dict[str, Any]] = {}
    for row in rows:
        for _, target, visit in row.data.get("arrivals", []):
            if visit > 0:
                steps[target] = {**_fresh(row.at), "visits": visit}
        if row.type == "work.withdrawn":
            _withdraw(steps, row)
        if row.type == "undo.started":
            steps[row.step] = {**_fresh(row.at), "visits": row.data["visit"]}
        elif (row.step and row.step in steps) or row.type == "step.completed":
            step = steps.setdefault(row.step, _fresh(row.at))
            # Of visits side by side an earlier one may end after the latest has begun.
            if row.data.get("visit", step["visits"]) >= step["visits"]:
                _fold(step, row)
                _count_items(step, row)
    if run.is_final if is_final is None else is_final:
        for step in steps.values():
            if step["status"] not in {StepStatus.COMPLETED, StepStatus.FAILED}:
                step["status"] = StepStatus.CANCELLED.value
    drawn = compiled(run.version_id).steps
    asked = conditions_read(run, rows, drawn)
    for step_id, step in steps.items():
        if step["input"] is None and step["finished_at"] is not None:
            step["input"] = asked.get(step_id) or _input_of(drawn[step_id], step["output"])
    return steps


def _input_of(step: CompiledStep, output: Any) -> Any:
    """What a step that was evaluated at once was given; its journal row holds the output alone.

    The values of its config that are expressions stand in the output, under their own names or
    as the fields that it made. Where it failed, nothing but the config as drawn is known.
    """
    if step.resolve is None or not isinstance(output, Mapping):
        return step.raw
    if step.type.output_from:
        return {**step.raw, step.type.output_from: output}
    return {name: output.get(name, value) for name, value in step.raw.items()}


def replay_of(run: Run, rows: Iterable[RunEvent]) -> dict[str, Any] | None:
    """What the run does again: ``{of, from_step, mode, stopped_at}``; None where it does not.

    ``stopped_at`` is the step at which a dry run ended for want of a recorded outcome.
    """
    found = list(rows)
    row = next((one for one in found if one.type == "run.replayed"), None)
    if row is None or row.data["mode"] == TEST:
        return None
    shown = {name: row.data[name] for name in ("of", "from_step", "mode")}
    end = found[-1]
    stopped_at = None
    if row.data["mode"] == "dry" and end.type == "run.completed" and end.step:
        drawn = compiled(run.version_id).steps[end.step]
        stopped_at = None if drawn.type.behaviour is Behaviour.END else end.step
    return {**shown, "stopped_at": stopped_at}


def links_taken(run: Run, rows: Iterable[RunEvent]) -> list[dict[str, Any]]:
    """How often each link was taken: ``[{from, port, to, count}]``."""
    counts: dict[int, int] = {}
    for row in rows:
        for link, _, _ in row.data.get("arrivals", []):
            counts[link] = counts.get(link, 0) + 1
    links = compiled(run.version_id).graph.links
    return [
        {
            "from": links[index].source,
            "port": None if links[index].source == TRIGGER else links[index].port,
            "to": links[index].target,
            "count": count,
        }
        for index, count in sorted(counts.items())
    ]


def _fresh(at: datetime) -> dict[str, Any]:
    return {
        "status": StepStatus.READY.value,
        "visits": 1,
        "attempts": 0,
        "port": None,
        "input": None,
        "output": None,
        "error": None,
        "started_at": at,
        "finished_at": None,
        "taken_over": False,
        "items": None,
    }


def _withdraw(steps: dict[str, dict[str, Any]], row: RunEvent) -> None:
    """What was taken away is not at work any more."""
    for name, visit in row.data["visits"]:
        step = steps.get(name)
        if step is not None and step["visits"] == visit and step["finished_at"] is None:
            step.update(status=StepStatus.CANCELLED.value, finished_at=row.at)


def _count_items(step: dict[str, Any], row: RunEvent) -> None:
    """How far a step that contains others is with its items, or rounds."""
    data = row.data
    if row.type == "scope.opened":
        step["status"] = StepStatus.RUNNING.value
        step["items"] = {"total": data["count"], "begun": 0, "done": 0, "failed": 0}
    items = step["items"]
    if items is None:
        return
    if row.type == "items.begun":
        items["begun"] = max(items["begun"], data["first"] + data["count"])
    elif row.type == "items.added":
        items["total"] += len(data["items"])
    elif row.type == "items.repeated":
        items["failed"] = 0
    elif row.type == "step.repeated" and "total" in data:
        step["status"] = StepStatus.RUNNING.value
        items.update(failed=0, total=data["total"])
    elif row.type == "item.ended":
        items["total"] += data.get("more", 0)
        counted = {"completed": "done", "failed": "failed"}.get(data["outcome"])
        if counted is not None:
            items[counted] += 1


def _fold(step: dict[str, Any], row: RunEvent) -> None:
    data = row.data
    if row.type == "step.started":
        effect = data["kind"] == "effect"
        step["status"] = (StepStatus.RUNNING if effect else StepStatus.WAITING).value
        step["input"], step["attempts"] = data["input"], 1 if effect else 0
        step["started_at"] = row.at
    elif row.type in EVENT_TO_STATUS:
        step["status"] = EVENT_TO_STATUS[row.type].value
        step["visits"] = max(step["visits"], data.get("visit", 1))
        step["taken_over"] = data.get("taken", False)
        if "attempt" in data:
            step["attempts"] = data["attempt"]
        if row.type == "step.completed":
            step.update(port=data["port"] or None, output=data["output"], error=None)
            step["finished_at"] = row.at
        elif "error" in data:
            step["error"] = error_said(data["error"])
        if row.type == "step.failed":
            port = data.get("port") or "error"
            step.update(output=data.get("output"), finished_at=row.at, port=port)
        elif row.type == "step.repeated":
            step.update(error=None)
