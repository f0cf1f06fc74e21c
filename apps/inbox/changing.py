"""Change the facts of an open question by an event, and see what that means to those asked.

What people saw before is kept with each answer and in the trail. The flow says whether the answers
given before stand, lapse, or whether it all begins anew.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Max
from django.utils.translation import gettext, gettext_noop

from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.accounts.queries import zone_of
from apps.audit.commands import record
from apps.core import outbox
from apps.engine import feel, values
from apps.engine.feel import FeelError
from apps.engine.lifecycle import TaskStatus
from apps.inbox import commands, stages
from apps.inbox.models import Decision, TaskChange, TaskWatch, UserTask
from apps.inbox.opening import publish, seen_hash
from apps.inbox.pausing import is_late
from apps.inbox.telling import tell_about
from apps.notices.models import Kind
from apps.runs.event_ports import CameEvent
from apps.steps.document import expression_source
from apps.steps.event_ways import key_digest
from apps.steps.forms import FILE_NAMES
from apps.steps.watching import ASK_AGAIN, KEEP, RESTART

#: As for telling events apart, see ``triggers.matching``.
BUDGET = feel.Budget(operations=20_000, size=100_000, depth=32)
MAX_NOTE = 500
STANDS = gettext_noop("What you answered stands, marked as given before the change.")
AGAIN = gettext_noop("What it is about has changed. What was answered before has lapsed.")
ANEW = gettext_noop("What was answered before has lapsed; it all begins anew.")
TAKEN = gettext_noop("What it is about has changed since you took it.")

State = TaskChange.State


class _CannotTell(Exception):
    """What the event says of the question cannot be told; the message is the reason."""


def apply(watch: TaskWatch, task: UserTask, event: CameEvent, now: datetime) -> None:
    """Apply an event to an open task, once; one that is not meant leaves no trace.

    The caller holds the task's row.
    """
    if task.status != TaskStatus.OPEN or is_late(task, now):
        return
    if TaskChange.objects.filter(question=watch.question, event_id=event.id).exists():
        return
    case = _Case(watch, task, event, now)
    try:
        if not case.is_meant():
            return
        if case.is_overtaken():
            case.keep(State.LATE)
            publish([task])
            return
        found = case.changes()
    except _CannotTell as wrong:
        _fail(case, str(wrong))
        return
    if not found:
        case.keep(State.SAME)
        return
    _change(case, found)


def told(source: str, names: Mapping[str, Any], workspace_id: UUID, now: datetime) -> Any:
    """What an expression over an event gives, as JSON.

    Raises:
        FeelError, NotJson: It fails, or gives what is no value.
    """
    expression = feel.compile_expression(expression_source(source).strip())
    zone = zone_of(workspace_id)
    value = feel.to_json(expression.evaluate(names, now=now, zone=zone, budget=BUDGET))
    values.check_kept(value)
    return value


@dataclass
class _Case:
    """An event that may change a task."""

    watch: TaskWatch
    task: UserTask
    event: CameEvent
    now: datetime
    change: TaskChange = field(init=False)

    def is_meant(self) -> bool:
        """Whether the filter lets it through."""
        if not self.watch.where:
            return True
        names = {**(self.watch.known or {}), "event": self.event.shown}
        try:
            expression = feel.compile_expression(self.watch.where)
            zone = zone_of(self.task.workspace_id)
            return expression.holds(names, now=self.now, zone=zone, budget=BUDGET)
        except FeelError as wrong:
            raise _CannotTell(f"Whether it is meant could not be told: {wrong.message}") from wrong

    def is_overtaken(self) -> bool:
        """Whether one that happened later has been applied already."""
        done = TaskChange.objects.filter(
            question=self.watch.question, state__in=[State.APPLIED, State.SAME]
        )
        last: datetime | None = done.aggregate(last=Max("event_at"))["last"]
        return last is not None and self.event.at < last

    def changes(self) -> list[dict[str, Any]]:
        """The facts of which it says something else than they do: ``{label, before, after}``."""
        before = {fact["label"]: fact["value"] for fact in self.task.facts}
        found = []
        for one in self.watch.sets:
            label = one["label"]
            after = self._value(label, one["value"])
            if key_digest(before[label]) != key_digest(after):
                found.append({"label": label, "before": before[label], "after": after})
        return found

    def _value(self, label: str, source: str) -> Any:
        try:
            value = told(source, {"event": self.event.shown}, self.task.workspace_id, self.now)
        except (FeelError, values.NotJson, values.TooLarge) as wrong:
            raise _CannotTell(f"“{label}” could not be told from it: {wrong}") from wrong
        if _has_file(value):
            raise _CannotTell(f"“{label}” would be a file, which no event can bring.")
        return value

    def keep(self, state: State, **more: Any) -> None:
        """Write down what it did."""
        self.change = TaskChange.objects.create(
            task=self.task,
            question=self.watch.question,
            event_id=self.event.id,
            event_type=self.event.type,
            event_at=self.event.at,
            state=state,
            on_change=self.watch.on_change,
            at=self.now,
            **more,
        )

    def record(self, **more: Any) -> None:
        """A row of the trail about it."""
        task = self.task
        given = {name: more.pop(name, None) for name in ("before", "after")}
        record(
            who=Actor.system(task.workspace_id).who,
            workspace_id=task.workspace_id,
            verb="task.change",
            target=commands.target_of(task),
            details={
                **commands.about_task(task),
                "event": str(self.event.id),
                "type": self.event.type,
                "happened": self.event.at,
                **more,
            },
            correlation_id=task.run_id,
            flow_id=task.flow_id,
            now=self.now,
            **given,
        )


def _fail(case: _Case, why: str) -> None:
    """Nothing is changed; the task says so, and the flow's owner is told."""
    case.keep(State.FAILED, note=why[:MAX_NOTE])
    case.record(failed=why[:MAX_NOTE])
    outbox.enqueue(
        topic="task.change_failed", payload={"change": str(case.change.pk)}, now=case.now
    )
    publish([case.task])


def _change(case: _Case, found: Sequence[Mapping[str, Any]]) -> None:
    """Change the facts, and let follow what the flow says."""
    task, now = case.task, case.now
    new = {one["label"]: one["after"] for one in found}
    facts, seen = task.facts, task.seen
    task.facts = [{**one, "value": new.get(one["label"], one["value"])} for one in facts]
    task.seen = seen_hash(task)
    case.keep(
        State.APPLIED,
        fields=list(found),
        facts_before=facts,
        facts_after=task.facts,
        seen_before=seen,
        seen_after=task.seen,
    )
    UserTask.objects.filter(pk=task.pk).update(facts=task.facts, seen=task.seen, updated_at=now)
    here = list(task.decisions.select_related("user", "on_behalf_of"))
    before = _people(Decision.objects.filter(task__in=stages.earlier(task)))
    lapsed = here if case.watch.on_change != KEEP else []
    _tell(case, _people(here), before)
    # Before what may end the task: the trail reads in the order in which it happened.
    case.record(
        before={"facts": [{"label": one["label"], "value": one["before"]} for one in found]},
        after={"facts": [{"label": one["label"], "value": one["after"]} for one in found]},
        policy=case.watch.on_change,
        seen_before=seen,
        seen=task.seen,
        lapsed=sorted({one.user.email for one in lapsed}),
    )
    if case.watch.on_change == ASK_AGAIN:
        _ask_again(case, here)
    elif case.watch.on_change == RESTART:
        commands.begin_anew(task, stages.request_of_first(task, case.watch, now), now)
    publish([task])


def _ask_again(case: _Case, given: Collection[Decision]) -> None:
    """Let the answers of this stage lapse; where nobody is left to answer, it is judged at once."""
    if not given:
        return
    ids = [one.pk for one in given]
    Decision.every.filter(pk__in=ids).update(taken_back_at=case.now, lapsed_by=case.change)
    commands.judge_again(case.task, case.now)


def _tell(case: _Case, here: Mapping[UUID, User], before: Mapping[UUID, User]) -> None:
    """Those who have answered and who has taken it: whoever is to act, and whoever is to know."""
    policy, task = case.watch.on_change, case.task
    holder = {task.claimed_by.pk: task.claimed_by} if task.claimed_by else {}
    if policy == RESTART:
        _say(case, {**before, **here, **holder}, Kind.CHANGED, ANEW)
        return
    act = {**here, **holder} if policy == ASK_AGAIN else _less(holder, here)
    _say(case, act, Kind.DECIDE, AGAIN if policy == ASK_AGAIN else TAKEN)
    _say(case, _less({**before, **here}, act), Kind.CHANGED, STANDS)


def _say(case: _Case, people: Mapping[UUID, User], kind: Kind, words: str) -> None:
    tell_about(
        case.task,
        people.values(),
        kind=kind,
        key=f"change/{case.change.pk}",
        words=lambda: gettext(words),
        now=case.now,
    )


def _less(people: Mapping[UUID, User], others: Mapping[UUID, User]) -> dict[UUID, User]:
    return {pk: user for pk, user in people.items() if pk not in others}


def _people(given: Any) -> dict[UUID, User]:
    """Who answered, and in whose place."""
    found: dict[UUID, User] = {}
    for one in given:
        found[one.user_id] = one.user
        if one.on_behalf_of is not None:
            found[one.on_behalf_of.pk] = one.on_behalf_of
    return found


def _has_file(value: Any) -> bool:
    """Whether it names a file of ours: what is shown of it would open it to those who look."""
    if isinstance(value, Mapping):
        return set(value) == set(FILE_NAMES) or any(map(_has_file, value.values()))
    return isinstance(value, list) and any(map(_has_file, value))
