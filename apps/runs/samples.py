"""What a flow may be tried with: what arrived for its draft, what was pasted, its latest triggers.

The latest triggers of each kind are read from the runs that they started, so nothing is stored
twice; one that is to stay is kept as a sample of its own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from apps.accounts.actors import Actor
from apps.accounts.permissions import has_right, require
from apps.audit.commands import record
from apps.audit.records import Target
from apps.connections import masking
from apps.core.errors import BadBody, BodyTooLarge, Invalid, NotFound
from apps.core.models import uuid7
from apps.engine import values
from apps.flows.models import Draft, Flow
from apps.flows.queries import get_draft
from apps.flows.roads import Trial
from apps.runs.models import Run, RunEvent, Sample
from apps.runs.queries import journal_rows, steps_of, visible_runs, with_large_values
from apps.runs.trying import TEST
from apps.steps.findings import at
from apps.steps.forms import REQUEST

#: So many of the latest triggers of each kind can be chosen; looked for among so many runs.
LATEST = 5
LOOKED_AT = 500
#: So many samples a flow keeps; the oldest makes room for the next.
MOST_KEPT = 20
MAX_PASTED = 1024 * 1024
MAX_NAME = 150
CHUNK = 1000
SECONDS_A_CALL = 1.0
#: What stands in place of a value that is not for whoever looks.
HIDDEN = "•••"


@dataclass(frozen=True)
class Found:
    """A sample, or a run that can serve as one. ``source`` is ``run`` of the latter."""

    id: UUID
    source: str
    type: str
    name: str
    trigger: Any
    run_id: UUID | None
    made_by: str
    at: datetime


def samples_of(actor: Actor, flow_id: UUID) -> list[Found]:
    """Everything the flow can be tried with: its samples, then its latest triggers of each kind.

    Raises:
        NotFound: There is no such flow for this actor.
    """
    require(actor, "flow.view", flow_id)
    kept = Sample.objects.for_workspace(actor.workspace_id).filter(flow_id=flow_id)
    return [*map(_of_sample, kept.order_by("-id")[:MOST_KEPT]), *_latest(actor, flow_id)]


def get_sample(actor: Actor, flow_id: UUID, sample_id: UUID) -> Found:
    """One of them; the id of a run names what it was started with.

    Raises:
        NotFound: There is none of that id for this actor.
    """
    require(actor, "flow.view", flow_id)
    here = Sample.objects.for_workspace(actor.workspace_id)
    sample = here.filter(flow_id=flow_id, pk=sample_id).first()
    if sample is not None:
        return _of_sample(sample)
    run = visible_runs(actor).filter(flow_id=flow_id, pk=sample_id).first()
    found = _of_runs([run]) if run is not None else []
    if not found:
        raise NotFound("There is no such sample, or it is not for you.")
    return found[0]


def recorded(actor: Actor, sample: Found) -> dict[str, dict[str, Any]]:
    """What the steps came to in the run that goes with a sample: ``{port, output, error}``."""
    if sample.run_id is None:
        return {}
    run = visible_runs(actor).filter(pk=sample.run_id).first()
    if run is None:
        return {}
    rows = with_large_values(run, journal_rows(run))
    return {
        name: {part: step[part] for part in ("port", "output", "error")}
        for name, step in steps_of(run, rows).items()
        if step["finished_at"] is not None and step["status"] in {"completed", "failed"}
    }


def may_see(actor: Actor, flow_id: UUID) -> bool:
    """Whether the values of samples are for this actor; their names and types always are."""
    return has_right(actor, "run.view", flow_id)


def hidden(value: Any) -> Any:
    """A value whose fields can be seen, and not what is in them."""
    if isinstance(value, Mapping):
        return {name: hidden(one) for name, one in value.items()}
    if isinstance(value, list):
        return [hidden(one) for one in value[:20]]
    return None if value is None else HIDDEN


@transaction.atomic
def paste_sample(*, actor: Actor, flow_id: UUID, text: str, name: str, now: datetime) -> Sample:
    """Keep a text as what the flow is started with; masked as the draft says before it is stored.

    Raises:
        BadBody: The text is not JSON, or holds what is refused; position, line and column say
            where.
        BodyTooLarge: It is more than 1 MB.
        Invalid: It is empty, or its name does not fit.
    """
    require(actor, "flow.edit", flow_id)
    size = len(text.encode(errors="surrogatepass"))
    if size > MAX_PASTED:
        raise BodyTooLarge(
            f"The sample has {size:,} bytes; at most {MAX_PASTED:,} fit. Paste less of it."
        )
    if not text.strip():
        raise Invalid("Nothing was pasted; paste the JSON that the flow is started with.")
    try:
        body = values.loads(text)
    except values.BadJson as refused:
        raise BadBody(
            f"This cannot be read as JSON: {refused.message}",
            position=refused.position,
            line=refused.line,
            column=refused.column,
        ) from refused
    draft = get_draft(actor, flow_id)
    sample_id = uuid7()
    return _add(
        Sample(
            id=sample_id,
            workspace_id=actor.workspace_id,
            flow_id=flow_id,
            source=Sample.Source.PASTED,
            name=_name(name),
            trigger=_trigger(draft, sample_id, body, now),
            made_by=actor.email,
            created_at=now,
        ),
        actor,
        draft.flow,
        now,
    )


def keep_trials(*, flow: Flow, trials: Sequence[Trial], actor: Actor, now: datetime) -> None:
    """Keep what an example brings to be tried with; see ``flows.ports.register_begun``."""
    for trial in reversed(trials):
        text = values.dumps(trial.body)
        paste_sample(actor=actor, flow_id=flow.pk, text=text, name=trial.name, now=now)


@transaction.atomic
def keep_run(*, actor: Actor, flow_id: UUID, run_id: UUID, name: str, now: datetime) -> Sample:
    """Keep what a run was started with, with what its steps came to.

    Raises:
        NotFound: There is no such run of this flow for this actor.
    """
    require(actor, "flow.edit", flow_id)
    found = get_sample(actor, flow_id, run_id)
    flow = Flow.objects.for_workspace(actor.workspace_id).get(pk=flow_id)
    sample = Sample(
        workspace_id=actor.workspace_id,
        flow_id=flow_id,
        source=Sample.Source.KEPT,
        name=_name(name),
        trigger=found.trigger,
        run_id=found.run_id,
        made_by=actor.email,
        created_at=now,
    )
    return _add(sample, actor, flow, now)


@transaction.atomic
def forget_sample(*, actor: Actor, flow_id: UUID, sample_id: UUID, now: datetime) -> None:
    """Delete a sample.

    Raises:
        NotFound: There is none of that id.
    """
    require(actor, "flow.edit", flow_id)
    here = Sample.objects.for_workspace(actor.workspace_id).filter(flow_id=flow_id, pk=sample_id)
    sample = here.select_for_update().first()
    if sample is None:
        raise NotFound("There is no such sample, or it is gone already.")
    flow = Flow.objects.for_workspace(actor.workspace_id).get(pk=flow_id)
    sample.delete()
    _note(actor, flow, "sample.delete", {"sample": str(sample_id), "source": sample.source}, now)


def make_room(flow_id: UUID) -> None:
    """Delete the oldest samples of a flow beyond so many."""
    kept = Sample.objects.filter(flow_id=flow_id).order_by("-id")
    Sample.objects.filter(pk__in=list(kept.values_list("pk", flat=True)[MOST_KEPT:])).delete()


def forget_old(*, now: datetime) -> int:
    """Delete what tests no longer need; returns how many rows.

    Samples go after ``SIGNALBOX_RAW_DAYS``, as calls do, documents of tests with their runs.
    Safe to stop and repeat at any point; several clocks may call this at once.
    """
    edge = now - timedelta(days=settings.RAW_DAYS)
    return _chunks(_OLD_SAMPLES, edge) + _chunks(_OLD_DOCUMENTS, now - timedelta(days=1))


_OLD_SAMPLES = """
delete from run_sample where id in (
  select id from run_sample where created_at < %(edge)s
  order by created_at limit %(limit)s for update skip locked)
"""
_OLD_DOCUMENTS = """
delete from flows_testdocument where id in (
  select d.id from flows_testdocument d
  where d.created_at < %(edge)s and not exists (select 1 from run r where r.id = d.run_id)
  order by d.created_at limit %(limit)s for update skip locked)
"""


def _chunks(statement: str, edge: datetime) -> int:
    taken, end = 0, monotonic() + SECONDS_A_CALL
    while True:
        with connection.cursor() as cursor:
            cursor.execute(statement, {"edge": edge, "limit": CHUNK})
            count = int(cursor.rowcount)
        taken += count
        if count < CHUNK or monotonic() > end:
            return taken


def _trigger(draft: Draft, sample_id: UUID, body: Any, now: datetime) -> dict[str, Any]:
    kind = at(draft.document, "trigger", "type")
    config = at(draft.document, "trigger", "config")
    paths = config.get("masked") if isinstance(config, Mapping) else None
    if isinstance(paths, list) and all(isinstance(one, str) for one in paths):
        body = masking.mask_paths(body, paths)
    found = {
        "type": kind if isinstance(kind, str) else "manual",
        "id": str(sample_id),
        "received_at": now.isoformat(),
        "body": body,
        "headers": {},
        "query": {},
    }
    if kind == REQUEST:
        found["requester"] = {"name": "Sample", "email": "sample@example.com"}
    if kind == "event":
        found["event"] = {
            "id": str(sample_id),
            "type": at(draft.document, "trigger", "config", "type") or "",
            "version": "1",
            "source": "sample",
            "subject": "",
            "time": now.isoformat(),
        }
    return found


def _latest(actor: Actor, flow_id: UUID) -> list[Found]:
    runs = visible_runs(actor).filter(flow_id=flow_id).exclude(trigger_type=TEST)
    # Bounded: a kind that has not come for long is not looked for in a million runs.
    newest = list(runs.values_list("pk", "trigger_type")[:LOOKED_AT])
    by_type: dict[str, list[UUID]] = {}
    for run_id, type_ in newest:
        some = by_type.setdefault(type_, [])
        if len(some) < LATEST:
            some.append(run_id)
    wanted = [run_id for some in by_type.values() for run_id in some]
    return _of_runs(Run.objects.filter(pk__in=wanted).order_by("-id"))


def _of_runs(runs: Iterable[Run]) -> list[Found]:
    by_id = {run.pk: run for run in runs}
    rows = list(RunEvent.objects.filter(run_id__in=by_id, type="run.started"))
    found = {}
    for row in rows:
        run = by_id[row.run_id]
        trigger = with_large_values(run, [row])[0].data["trigger"]
        found[run.pk] = Found(
            run.pk, "run", run.trigger_type, "", trigger, run.pk, run.started_by, run.created_at
        )
    return [found[run_id] for run_id in by_id if run_id in found]


def _of_sample(sample: Sample) -> Found:
    type_ = sample.trigger.get("type", "") if isinstance(sample.trigger, Mapping) else ""
    return Found(
        sample.pk,
        str(sample.source),
        type_,
        sample.name,
        sample.trigger,
        sample.run_id,
        sample.made_by,
        sample.created_at,
    )


def _name(name: str) -> str:
    if len(name) > MAX_NAME:
        raise Invalid(f"The name has {len(name)} characters; at most {MAX_NAME} fit.")
    return name.strip()


def _add(sample: Sample, actor: Actor, flow: Flow, now: datetime) -> Sample:
    sample.save(force_insert=True)
    make_room(flow.pk)
    _note(actor, flow, "sample.keep", {"sample": str(sample.pk), "source": sample.source}, now)
    return sample


def _note(actor: Actor, flow: Flow, verb: str, details: Mapping[str, Any], now: datetime) -> None:
    record(
        who=actor.who,
        workspace_id=flow.workspace_id,
        verb=verb,
        target=Target("flow", str(flow.pk), flow.name),
        details=dict(details),
        now=now,
    )


def sizes(found: Sequence[Found]) -> list[int]:
    """How many bytes each has as JSON."""
    return [len(values.dumps(one.trigger).encode()) for one in found]
