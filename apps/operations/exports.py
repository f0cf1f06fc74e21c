"""Everything of a workspace as JSON lines, a page at a time, from any line on.

``docs/exports.md`` is the contract. A line is a row and its ``cursor``; who asks again with the
last cursor gets what came or changed since. By time, a cursor never passes rows younger than
15 seconds, because one that commits late may still be written before it (engine rule 20).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from apps.accounts.actors import Actor
from apps.accounts.permissions import flows_with, require
from apps.audit.commands import record
from apps.audit.queries import rows_after
from apps.audit.records import Target
from apps.core.errors import Invalid, NotFound
from apps.core.http import ExactJSONRenderer
from apps.flows.models import Flow, FlowVersion
from apps.inbox.models import UserTask
from apps.inbox.queries import decisions_by_task
from apps.operations.trail_rows import row_shown
from apps.runs.models import Run
from apps.runs.queries import real, version_numbers

PAGE = 500
YOUNG = timedelta(seconds=15)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Lines = Iterable[tuple[str, dict[str, Any]]]


@dataclass(frozen=True)
class _ByTime:
    """A kind of row that is given in the order in which rows changed."""

    right: str
    rows: Callable[[Actor], QuerySet[Any]]
    changed: str
    shown: Callable[[Sequence[Any]], Iterable[dict[str, Any]]]


@transaction.atomic
def begin_export(*, actor: Actor, kind: str, cursor: str, now: datetime) -> Iterator[bytes]:
    """Check the right, write the trail's row, and return the lines, not yet read.

    Raises:
        NotFound: There is no such export.
        OutOfScope, Forbidden: The actor may not export, or not look at this.
        Invalid: The cursor is not one of this export.
    """
    if kind not in KINDS:
        raise NotFound(f"There is no export of this name; there are {', '.join(KINDS)}.")
    require(actor, "export.read")
    require(actor, "audit.view" if kind == "audit" else _BY_TIME[kind].right)
    place = _place(kind, cursor)
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb="export.read",
        target=Target("export", kind, f"Export of {kind}"),
        details={"what": kind, "from": cursor},
        now=now,
    )
    if kind == "audit":
        return _encoded(_audit(actor, place))
    return _encoded(_by_time(actor, kind, place, now - YOUNG))


def _by_time(
    actor: Actor, kind: str, place: tuple[int, str] | None, until: datetime
) -> Iterator[tuple[str, dict[str, Any]]]:
    about = _BY_TIME[kind]
    rows = about.rows(actor).filter(**{f"{about.changed}__lt": until})
    rows = rows.order_by(about.changed, "id")
    while True:
        page = list(_after(rows, about.changed, place)[:PAGE])
        for row, line in zip(page, about.shown(page), strict=True):
            place = ((getattr(row, about.changed) - _EPOCH) // _MICROSECOND, str(row.pk))
            yield f"{kind}.{place[0]}.{place[1]}", line
        if len(page) < PAGE:
            return


def _after(rows: QuerySet[Any], changed: str, place: tuple[int, str] | None) -> QuerySet[Any]:
    if place is None:
        return rows
    at, last = _EPOCH + place[0] * _MICROSECOND, UUID(place[1])
    # The first condition is the index's; the second leaves out what was given at that instant.
    return rows.filter(**{f"{changed}__gte": at}).filter(
        Q(**{f"{changed}__gt": at}) | Q(pk__gt=last)
    )


def _audit(actor: Actor, place: tuple[int, str] | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Sealed rows in the order of the seals: a cursor that nothing slips behind."""
    seal, leaf = (place[0], int(place[1])) if place else (0, -1)
    while True:
        page = rows_after(actor.workspace_id, seal=seal, leaf_index=leaf, limit=PAGE)
        for row in page:
            seal, leaf = row.seal or 0, row.leaf_index or 0
            yield f"audit.{seal}.{leaf}", row_shown(row)
        if len(page) < PAGE:
            return


def _encoded(lines: Lines) -> Iterator[bytes]:
    renderer = ExactJSONRenderer()
    for cursor, line in lines:
        yield renderer.render({**line, "cursor": cursor}) + b"\n"


def _place(kind: str, cursor: str) -> tuple[int, str] | None:
    """Where a cursor points: a time in microseconds and an id, or a seal and a place in it."""
    if not cursor:
        return None
    named, _, rest = cursor[:100].partition(".")
    first, _, second = rest.partition(".")
    try:
        if named == "audit" == kind and max(int(first), int(second)) < 2**31:
            return int(first), str(int(second))
        if named == kind and (_EPOCH + int(first) * _MICROSECOND).year:
            return int(first), str(UUID(second))
    except (ValueError, OverflowError):
        pass
    raise Invalid(
        f"This is no cursor of this export; take the “cursor” of the last line of “{kind}”."
    )


# What a line of each kind holds


def _flows(actor: Actor) -> QuerySet[Flow]:
    return (
        Flow.objects.for_workspace(actor.workspace_id)
        .filter(flows_with(actor, "flow.view"))
        .select_related("owner", "active_version")
        .defer("active_version__document")
    )


def _flow_lines(flows: Sequence[Flow]) -> Iterator[dict[str, Any]]:
    for flow in flows:
        active = flow.active_version
        yield {
            "id": flow.pk,
            "name": flow.name,
            "state": flow.state,
            "owner": flow.owner.email if flow.owner else None,
            "active_version": active.number if active else None,
            "hash": active.hash if active else None,
            "created_at": flow.created_at,
            "updated_at": flow.updated_at,
        }


def _versions(actor: Actor) -> QuerySet[FlowVersion]:
    return (
        FlowVersion.objects.for_workspace(actor.workspace_id)
        .filter(flows_with(actor, "flow.view", "flow_id"))
        .select_related("author")
    )


def _version_lines(versions: Sequence[FlowVersion]) -> Iterator[dict[str, Any]]:
    for version in versions:
        yield {
            "id": version.pk,
            "flow": version.flow_id,
            "number": version.number,
            "hash": version.hash,
            "author": version.author.email if version.author else None,
            "note": version.note,
            "created_at": version.created_at,
            "document": version.document,
        }


def _runs(actor: Actor) -> QuerySet[Run]:
    runs = Run.objects.for_workspace(actor.workspace_id)
    return real(runs.filter(flows_with(actor, "run.view", "flow_id")))


def _run_lines(runs: Sequence[Run]) -> Iterator[dict[str, Any]]:
    numbers = version_numbers(runs)
    for run in runs:
        yield {
            "id": run.pk,
            "flow": run.flow_id,
            "version": numbers.get(run.version_id),
            "status": run.status,
            "error": run.error,
            "trigger": run.trigger_type,
            "started_by": run.started_by,
            "correlation_id": run.correlation_id,
            "created_at": run.created_at,
            "started_at": run.started_at,
            "finished_at": run.finished_at,
            "updated_at": run.updated_at,
        }


def _tasks(actor: Actor) -> QuerySet[UserTask]:
    return (
        UserTask.objects.for_workspace(actor.workspace_id)
        .filter(flows_with(actor, "run.view", "flow_id"))
        .select_related("requester")
        .prefetch_related("assignees__user")
    )


def _task_lines(tasks: Sequence[UserTask]) -> Iterator[dict[str, Any]]:
    given = decisions_by_task(tasks)
    for task in tasks:
        yield {
            "id": task.pk,
            "flow": task.flow_id,
            "version_id": task.version_id,
            "run": task.run_id,
            "step": task.step,
            "kind": task.kind,
            "stage": task.stage,
            "stages": task.stages,
            "status": task.status,
            "outcome": task.outcome,
            "pending": task.pending,
            "settles_at": task.settles_at,
            "title": task.title,
            "details": task.details,
            "facts": task.facts,
            "seen": task.seen,
            "rule": task.rule,
            "requester": task.requester.email if task.requester else task.requester_text or None,
            "assignees": [
                {"email": one.user.email, "via": one.via, "dropped_at": one.dropped_at}
                for one in task.assignees.all()
            ],
            "decisions": [
                {
                    "by": one.user.email,
                    "outcome": one.outcome,
                    "comment": one.comment,
                    "seen": one.seen,
                    "at": one.decided_at,
                }
                for one in given.get(task.pk, [])
            ],
            "opened_at": task.opened_at,
            "due": task.due_at,
            "closed_at": task.closed_at,
            "updated_at": task.updated_at,
        }


_BY_TIME: Mapping[str, _ByTime] = {
    "flows": _ByTime("flow.view", _flows, "updated_at", _flow_lines),
    "versions": _ByTime("flow.view", _versions, "created_at", _version_lines),
    "runs": _ByTime("run.view", _runs, "updated_at", _run_lines),
    "tasks": _ByTime("run.view", _tasks, "updated_at", _task_lines),
}
KINDS = (*_BY_TIME, "audit")
