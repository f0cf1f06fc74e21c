"""Why a run does not go on: one exact reason for each thing that it waits for.

One function per kind of wait. Each takes all visits of its kind and asks the database once,
however many there are.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext, ngettext

from apps.core import clock
from apps.core.sentences import said
from apps.engine import events as ev
from apps.engine.graph import TRIGGER, Graph
from apps.engine.lifecycle import EffectStatus, StepStatus
from apps.engine.state import ROOT, Frame, Key, RunState, from_json
from apps.flows.compiled import compiled
from apps.flows.models import Flow
from apps.runs import effect_limits, event_ports, ports, queueing, stopping, stored
from apps.runs.models import Effect, Limit, Run, RunEvent, Timer, WaitingStart
from apps.runs.models import RunState as StoredState
from apps.runs.snapshots import fill_blobs
from apps.steps.document import CompiledFlow

#: Of those who hold what is waited for, so many are named.
MOST_NAMED = 20

Reason = dict[str, Any]
Found = dict[Key, Reason]

_ROWS = """
select distinct on (e.step, e.type, u.visit) e.step, u.visit, e.type, e.at, e.data::text
from run_event e
join unnest(%s::text[], %s::int[]) as u(step, visit)
  on u.step = e.step and (e.data->>'visit')::int = u.visit
where e.run_id = %s and e.type = any(%s)
order by e.step, e.type, u.visit, e.seq desc
"""


@dataclass(frozen=True, slots=True)
class Row:
    """The latest row of its type about a visit."""

    at: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Look:
    """The run that is looked at, and when."""

    run: Run
    flow: CompiledFlow
    state: RunState
    now: datetime
    #: Why a run that could go on does not; asked only where it is one's reason.
    turn: Callable[[], dict[str, Any]]

    def title(self, step: str) -> str:
        """The step as its author named it."""
        return self.flow.steps[step].title

    def reason(self, kind: str, key: Key, **more: Any) -> Reason:
        """A reason about a visit."""
        return reason(kind, step=key[0], title=self.title(key[0]), **more)

    def rows(self, keys: Iterable[Key], *types: str) -> dict[tuple[str, int, str], Row]:
        """The latest journal row of each type about each visit, large values in place."""
        pairs = list(keys)
        if not pairs:
            return {}
        with connection.cursor() as cursor:
            steps, visits = [step for step, _ in pairs], [visit for _, visit in pairs]
            cursor.execute(_ROWS, [steps, visits, self.run.pk, list(types)])
            found = {
                (step, visit, type_): Row(at, stored.loads(text))
                for step, visit, type_, at, text in cursor.fetchall()
            }
            fill_blobs(cursor, [(self.run.workspace_id, row.data) for row in found.values()])
        return found


def reason(
    kind: str,
    *,
    step: str = "",
    title: str = "",
    until: datetime | str | None = None,
    since: datetime | str | None = None,
    detail: str = "",
    **more: Any,
) -> Reason:
    """A reason as the API gives it; ``detail`` is one sentence."""
    shown = {"kind": kind, "step": step, "title": title, "until": until, "detail": detail}
    return {**shown, "since": since, **more}


def waiting_for(run: Run) -> list[Reason]:
    """Why the run does not go on: ``[{kind, step, title, since, until, detail, …}]``.

    Empty if it is over. ``kind`` is one of ``person``, ``time``, ``event``, ``run``, ``retry``,
    ``effect``, ``limit``, ``lock``, ``join``, ``items``, ``paused``, ``stopped``, ``fault``,
    ``worker``. What else a reason says depends on it; see the function of that kind.
    """
    if run.is_final:
        return []
    held = WaitingStart.objects.filter(run_id=run.pk).first()
    if held is not None:
        return [_held_start(run, held)]
    stored_state = StoredState.objects.filter(run_id=run.pk).first()
    if stored_state is None:
        return []
    if run.status == "paused":
        return [_paused(run)]
    turn = partial(queueing.turn_of_run, stored_state)
    if stored_state.format not in ev.READABLE:
        return [_its_turn(turn(), since=run.updated_at)]
    state = from_json(stored_state.snapshot)
    if not state.started:
        return [_its_turn(turn(), since=run.created_at)]
    look = Look(run, compiled(run.version_id), state, clock.now(), turn)
    found: Found = {}
    for keys, kind in _by_kind(state):
        found |= kind(look, keys)
    return [found[key] for key in state.active if key in found] + list(joins(look))


def _by_kind(state: RunState) -> Iterable[tuple[list[Key], Callable[[Look, list[Key]], Found]]]:
    kinds: dict[Callable[[Look, list[Key]], Found], list[Key]] = defaultdict(list)
    for key, status in state.active.items():
        kinds[_kind_of(state, key, status)].append(key)
    return [(keys, kind) for kind, keys in kinds.items()]


def _kind_of(state: RunState, key: Key, status: StepStatus) -> Callable[[Look, list[Key]], Found]:
    if key in state.held:
        return failures
    if key in state.scopes:
        return containers
    if status is StepStatus.WAITING:
        return waits
    if status in {StepStatus.RUNNING, StepStatus.RETRYING}:
        return effects
    return locks if status is StepStatus.BLOCKED else ready


def _its_turn(turn: Reason, **more: Any) -> Reason:
    return reason(**{"kind": "worker", **turn, **more})


# Before the run has begun, or while it is held.


def _held_start(run: Run, held: WaitingStart) -> Reason:
    since = held.created_at
    if held.reason == WaitingStart.Reason.STOPPED:
        return _stopped(run.workspace_id, since=since)
    if held.reason == WaitingStart.Reason.PAUSED:
        return reason("paused", since=since, detail=str(held.get_reason_display()))
    limit = Limit.objects.filter(key=held.limit_key).first()
    before = Q(priority__lt=held.priority) | Q(priority=held.priority, id__lt=held.id)
    ahead = WaitingStart.objects.filter(before, limit_key=held.limit_key).count()
    ids = StoredState.objects.filter(limit_key=held.limit_key).order_by("run_id")
    holders = list(ids.values_list("run_id", flat=True)[:MOST_NAMED])
    most = limit.max if limit else len(holders)
    detail = ngettext(
        "At most %(most)d run of the flow is under way at once; %(ahead)d wait before this one.",
        "At most %(most)d runs of the flow are under way at once; %(ahead)d wait before this one.",
        most,
    ) % {"most": most, "ahead": ahead}
    shown = reason("limit", since=since, detail=detail, ahead=ahead, **_held_by(holders))
    if (above := queueing.holder_above(held)) is None:
        return shown
    detail = gettext(
        "Waits for a place that the run which waits for this one has: neither goes on. Cancel one"
        " of them, and let the flow not run itself while its runs are limited."
    )
    return {**shown, **_held_by([above]), "detail": detail, "for_ever": True}


def _held_by(run_ids: Sequence[UUID]) -> dict[str, Any]:
    """Who holds what is waited for: ``held_by`` ids, and ``holders`` ``[{run, title, since}]``."""
    runs = list(Run.objects.filter(pk__in=run_ids).order_by("id"))
    names = dict(
        Flow.objects.filter(pk__in={run.flow_id for run in runs}).values_list("pk", "name")
    )
    shown = [
        {"run": run.pk, "title": names.get(run.flow_id, ""), "since": run.started_at}
        for run in runs
    ]
    return {"held_by": list(run_ids), "holders": shown}


def _paused(run: Run) -> Reason:
    """``paused`` by a person, with ``by``; ``fault`` where Signalbox itself failed."""
    row = RunEvent.objects.filter(run_id=run.pk, type="run.paused").order_by("-seq").first()
    if row is None or row.data["reason"] != "person":
        detail = row.data["detail"] if row else ""
        return reason("fault", since=row.at if row else None, detail=detail)
    by, why = row.data.get("by", ""), row.data["detail"]
    detail = gettext("Paused by %(by)s: %(why)s") % {"by": by, "why": why}
    if not why:
        detail = gettext("Paused by %(by)s.") % {"by": by}
    return reason("paused", since=row.at, detail=detail, by=by)


def _stopped(workspace_id: UUID, **more: Any) -> Reason:
    stop = stopping.stop_of(workspace_id)
    detail = gettext("Everything is stopped.")
    if stop is not None:
        words = gettext("Everything was stopped by %(by)s: %(why)s")
        detail = words % {"by": stop.by, "why": stop.reason}
    return reason("stopped", **{"detail": detail, **more})


# One function per kind of wait.


def waits(look: Look, keys: list[Key]) -> Found:
    """Visits that a person, a time or an event ends; the journal says which."""
    rows = look.rows(keys, "step.started")
    kinds: dict[str, list[Key]] = defaultdict(list)
    for key in keys:
        row = rows.get((*key, "step.started"))
        kinds[row.data["kind"] if row else ""].append(key)
    opened = {(step, visit): row for (step, visit, _), row in rows.items()}
    found: Found = {}
    for kind, some in kinds.items():
        found |= _WAITS.get(kind, people)(look, some, opened)
    return found


def timers(look: Look, keys: list[Key], opened: Mapping[Key, Row]) -> Found:
    """``time``: which timer, until when."""
    ends = _timers_of(look)
    found = {}
    for key in keys:
        until = ends.get(key)
        detail = gettext("Waits for a time.")
        found[key] = look.reason("time", key, since=_at(opened, key), until=until, detail=detail)
    return found


def runs(look: Look, keys: list[Key], opened: Mapping[Key, Row]) -> Found:
    """``run``: which other one, and of which flow."""
    children = {
        (one.parent_step, one.parent_visit): one
        for one in StoredState.objects.filter(parent_id=look.run.pk)
    }
    flows = {one.flow_id for one in children.values()}
    names = dict(Flow.objects.filter(pk__in=flows).values_list("pk", "name"))
    found = {}
    held = {
        one.run_id: one
        for one in WaitingStart.objects.filter(
            run_id__in=[child.run_id for child in children.values()], reason="limit"
        )
    }
    for key in keys:
        child = children.get(key)
        detail = gettext("Waits for a run of another flow.")
        more = {}
        if child is not None:
            words = gettext("Waits for a run of “%(flow)s”.")
            if child.run_id in held and queueing.holder_above(held[child.run_id]) is not None:
                more["for_ever"] = True
                words = gettext(
                    "Waits for a run of “%(flow)s”, which waits for a place that this one, or one"
                    " that waits for it, has: neither goes on."
                )
            detail = words % {"flow": names.get(child.flow_id, "")}
        run = child.run_id if child else None
        found[key] = look.reason("run", key, since=_at(opened, key), detail=detail, run=run, **more)
    return found


def people(look: Look, keys: list[Key], opened: Mapping[Key, Row]) -> Found:
    """``person``: who is asked (``people``, ``groups``), in which ``task``, until when.

    ``next`` is what happens to it first while nobody answers: ``{at, words}``, if anything does.
    What is decided and ``held`` waits for nobody: it goes on at ``until``.
    """
    asked = ports.people_asked(look.run.pk)
    found = {}
    for key in keys:
        task = asked.get(key, {})
        row = opened.get(key)
        due = (row.data.get("input") or {}).get("due_at") if row else None
        found[key] = look.reason(
            "person",
            key,
            since=task.get("since") or _at(opened, key),
            until=task.get("until") or due,
            detail=_asked(task),
            **_who(task),
        )
    return found


def failures(look: Look, keys: list[Key]) -> Found:
    """``person``: a visit has failed, and somebody is asked what to do about the ``error``."""
    rows = look.rows(keys, "step.held")
    asked = ports.people_asked(look.run.pk)
    found = {}
    for key in keys:
        row, task = rows[*key, "step.held"], asked.get(key, {})
        error = row.data["error"]
        found[key] = look.reason(
            "person",
            key,
            since=row.at,
            until=task.get("until"),
            detail=said(error["message"]),
            error=error,
            **_who(task),
        )
    return found


def events(look: Look, keys: list[Key], opened: Mapping[Key, Row]) -> Found:
    """``event``: its ``type`` and ``key``, and all ``ways`` where the first of several counts."""
    ends = _timers_of(look)
    notes = event_ports.keeper().notes(look.run.pk)
    found = {}
    for key in keys:
        ways = list(opened[key].data["input"]["ways"])
        awaited = [way for way in ways if "type" in way]
        shown = look.reason(
            "event" if awaited else "time",
            key,
            since=_at(opened, key),
            until=ends.get(key),
            detail=notes.get(key, ""),
        )
        if awaited:
            shown |= {"type": awaited[0]["type"], "key": awaited[0]["key"]}
        found[key] = {**shown, "ways": ways} if len(ways) > 1 else shown
    return found


def effects(look: Look, keys: list[Key]) -> Found:
    """``effect`` under way, with its lease; ``retry`` after which error; ``limit``; ``worker``."""
    wanted = set(keys)
    rows = {
        (one.step, one.visit): one
        for one in Effect.objects.filter(run_id=look.run.pk).order_by("generation")
        if (one.step, one.visit) in wanted
    }
    retrying = [key for key in keys if look.state.active[key] is StepStatus.RETRYING]
    errors = look.rows(retrying, "step.retried")
    is_stopped = stopping.stop_of(look.run.workspace_id) is not None
    found: Found = {}
    for key in keys:
        effect = rows.get(key)
        if effect is None:
            found |= ready(look, [key])
        elif effect.status == EffectStatus.RUNNING:
            found[key] = _under_way(look, key, effect)
        elif is_stopped:
            title = look.title(key[0])
            stop = _stopped(look.run.workspace_id, step=key[0], title=title)
            found[key] = stop
        elif key in retrying and effect.available_at > look.now:
            found[key] = _retry(look, key, effect, errors.get((*key, "step.retried")))
        else:
            found[key] = _limited(look, key, effect) or _due(look, key, effect)
    return found


def _under_way(look: Look, key: Key, effect: Effect) -> Reason:
    words = gettext("A worker is at it: attempt %(attempt)d of %(most)d.")
    if effect.lease_until is not None and effect.lease_until < clock.real_now():
        words = gettext(
            "The worker at attempt %(attempt)d of %(most)d is silent; another takes it over."
        )
    return look.reason(
        "effect",
        key,
        since=effect.sent_at or effect.available_at,
        detail=words % {"attempt": effect.attempt, "most": effect.max_attempts},
        attempt=effect.attempt,
        max_attempts=effect.max_attempts,
        lease_until=effect.lease_until,
    )


def _due(look: Look, key: Key, effect: Effect) -> Reason:
    return look.reason("effect", key, since=effect.available_at, **queueing.turn_of_effect(effect))


def _retry(look: Look, key: Key, effect: Effect, row: Row | None) -> Reason:
    error = row.data["error"] if row else None
    return look.reason(
        "retry",
        key,
        since=row.at if row else None,
        until=effect.available_at,
        detail=said(error["message"]) if error else "",
        error=error,
        attempt=effect.attempt,
        max_attempts=effect.max_attempts,
    )


def _limited(look: Look, key: Key, effect: Effect) -> Reason | None:
    """An effect that is due but finds no place under its limit, with who has it."""
    if effect.limit_id is None or effect.available_at > look.now:
        return None
    at_work = Effect.objects.filter(limit_id=effect.limit_id, status=EffectStatus.RUNNING)
    if at_work.count() < (effect.limit_max or 0):
        return None
    words = gettext("At most %(most)d of this step are at work at once.")
    if effect.limit_name:
        words = gettext("At most %(most)d of this step are at work at once for “%(key)s”.")
    detail = words % {"most": effect.limit_max, "key": effect.limit_name}
    holders = effect_limits.holders(effect.limit_id)
    return look.reason("limit", key, since=effect.available_at, detail=detail, **_held_by(holders))


def locks(look: Look, keys: list[Key]) -> Found:
    """``lock``: which, and the step of this run that holds it (``holders``)."""
    at_rest = {StepStatus.READY, StepStatus.BLOCKED}
    found = {}
    for key in keys:
        lock = look.flow.graph.locks.get(key[0], "")
        sharing = [one for one in look.state.active if look.flow.graph.locks.get(one[0]) == lock]
        holder = next((one for one in sharing if look.state.active[one] not in at_rest), sharing[0])
        title = look.title(holder[0])
        shown = {"step": holder[0], "visit": holder[1], "title": title}
        detail = gettext("Waits until “%(step)s” is done: both hold the lock “%(lock)s”.")
        found[key] = look.reason(
            "lock", key, detail=detail % {"step": title, "lock": lock}, lock=lock, holders=[shown]
        )
    return found


def containers(look: Look, keys: list[Key]) -> Found:
    """``items``: a step with others inside, and how far it is: ``{done, failed, at_work, of}``."""
    found = {}
    for key in keys:
        scope = look.state.scopes[key]
        counts = {
            "done": scope.succeeded,
            "failed": scope.failed,
            "at_work": scope.open,
            "of": scope.total,
        }
        detail = gettext("%(done)d of %(of)d items are done, %(failed)d failed.") % counts
        found[key] = look.reason("items", key, detail=detail, counts=counts)
    return found


def ready(look: Look, keys: list[Key]) -> Found:
    """``worker``: nothing is missing, it is about to go on."""
    turn = look.turn()
    return {
        key: _its_turn(turn, step=key[0], title=look.title(key[0]), since=look.run.updated_at)
        for key in keys
    }


def joins(look: Look) -> Iterable[Reason]:
    """``join``: which, and the links of which no token has come (``missing``)."""
    graph = look.flow.graph
    for name, frame in look.state.frames.items():
        for step, arrived in frame.arrived.items():
            if arrived:
                yield _join(look, graph, frame, step, item=name if name != ROOT else "")


def _join(look: Look, graph: Graph, frame: Frame, step: str, *, item: str) -> Reason:
    missing = [
        {
            "from": link.source,
            "port": link.port,
            "title": look.title(link.source) if link.source != TRIGGER else "",
        }
        for link in graph.arriving[step]
        if link.index not in frame.arrived[step]
    ]
    rule = graph.steps[step].join
    names = ", ".join(f"“{one['title'] or one['from']}”" for one in missing)
    if not frame.alive:
        detail = gettext("Waits for %(names)s, and nothing can come any more.")
    elif rule.waits_for_active:
        detail = gettext("Goes on once nothing can come any more from %(names)s.")
    elif rule.needs and len(missing) > 1:
        detail = gettext("Waits for %(more)d more of %(names)s.")
    else:
        detail = gettext("Waits for %(names)s.")
    come = len(frame.arrived[step]) if rule.counts_tokens else len(set(frame.arrived[step]))
    counted = {"names": names, "more": max(0, (rule.needs or len(graph.arriving[step])) - come)}
    more = {"item": item} if item else {}
    return look.reason("join", (step, 0), detail=detail % counted, missing=missing, **more)


def _timers_of(look: Look) -> dict[Key, datetime]:
    """The nearest open timer of each visit; one query."""
    rows = Timer.objects.filter(run_id=look.run.pk, status="open").order_by("-fires_at")
    return {(step, visit): at for step, visit, at in rows.values_list("step", "visit", "fires_at")}


def _who(task: Mapping[str, Any]) -> dict[str, Any]:
    names = ("people", "groups", "task", "next", "held")
    return {name: task[name] for name in names if name in task}


def _asked(task: Mapping[str, Any]) -> str:
    names = [*task.get("groups", []), *task.get("people", [])]
    if task.get("held"):
        told = gettext("It is decided, and goes on unless an answer is taken back until then.")
    elif names:
        told = gettext("Waits for %(names)s.") % {"names": ", ".join(names[:MOST_NAMED])}
    else:
        return ""
    return f"{task['stage']}. {told}" if task.get("stage") else told


def _at(opened: Mapping[Key, Row], key: Key) -> datetime | None:
    return opened[key].at if key in opened else None


_WAITS: Mapping[str, Callable[[Look, list[Key], Mapping[Key, Row]], Found]] = {
    "timer": timers,
    "user_task": people,
    "event": events,
    "run": runs,
}
