"""What becomes of a request, in plain words for the person who asked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.db.models import F
from django.utils.translation import gettext

from apps.inbox import rules, words
from apps.inbox.models import Question, UserTask
from apps.inbox.queries import decisions_by_task
from apps.requests.models import Request
from apps.runs.models import Run, RunCommand, RunEvent, WaitingStart
from apps.runs.queries import waiting_for, with_large_values

State = Literal["waiting", "working", "on_hold", "done", "failed", "withdrawn"]
STATES: tuple[State, ...] = ("waiting", "working", "on_hold", "done", "failed", "withdrawn")
#: Runs that wait for one another are followed so far.
MOST_DEPTH = 3
#: For what the run waits by itself, without a person.
_HELD = frozenset({"paused", "stopped"})


@dataclass(frozen=True, slots=True)
class Progress:
    """``who`` has it now: people and groups, since when and until when. ``said``: one sentence."""

    state: State
    said: str
    who: Sequence[str] = ()
    since: datetime | str | None = None
    until: datetime | str | None = None
    may_withdraw: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """One thing that people have said to it: ``word``, by whom, and what they added."""

    title: str
    word: str
    by: Sequence[str]
    comments: Sequence[str] = field(default=())
    at: datetime | None = None


def progress(
    request: Request,
    run: Run | None,
    asked: Sequence[Question] = (),
    to_fill_in: Sequence[UserTask] = (),
) -> Progress:
    """Where a request stands.

    ``asked`` and ``to_fill_in`` are the questions and the forms that wait for who has asked for it.
    """
    if run is None:
        return Progress("done", gettext("It is over, and what was done is kept no longer."))
    ended: Mapping[str, tuple[State, str]] = {
        "completed": ("done", gettext("Done.")),
        "failed": ("failed", gettext("It ended without what you asked for.")),
        "cancelled": ("withdrawn", gettext("It was stopped by those who look after it.")),
    }
    if run.status in ended:
        state, said = ended[run.status]
        if run.status == "cancelled" and request.withdrawn_at is not None:
            said = gettext("You have withdrawn it.")
        return Progress(state, said, since=run.finished_at)
    if request.withdrawn_at is not None:
        said = gettext("You have withdrawn it; it is being ended.")
        return Progress("withdrawn", said, since=request.withdrawn_at)
    if asked:
        who = asked[0].asked_by.get_full_name()
        said = gettext("%(name)s asks you something; it goes on with your answer.")
        return Progress(
            "waiting",
            said % {"name": who},
            [gettext("You")],
            asked[0].asked_at,
            may_withdraw=True,
        )
    if to_fill_in:
        first = to_fill_in[0]
        return Progress(
            "waiting",
            gettext("You are asked to fill something in: “%(title)s”. It goes on when you have.")
            % {"title": first.title},
            [gettext("You")],
            first.opened_at,
            _earliest(one.due_at for one in to_fill_in),
            may_withdraw=True,
        )
    return _under_way(run)


def _under_way(run: Run) -> Progress:
    reasons = _reasons(run)
    asked = [one for one in reasons if one["kind"] == "person"]
    if asked and all(one.get("held") for one in asked):
        return Progress(
            "working",
            gettext("It has been decided, and goes on unless an answer is taken back until then."),
            since=_earliest(one["since"] for one in asked),
            until=_earliest(one["until"] for one in asked),
            may_withdraw=True,
        )
    if asked:
        named = (one.get(kind, ()) for one in asked for kind in ("groups", "people"))
        who = sorted({name for some in named for name in some})
        return Progress(
            "waiting",
            _asks(who, is_fault=any(one.get("error") for one in asked)),
            who,
            _earliest(one["since"] for one in asked),
            _earliest(one["until"] for one in asked),
            may_withdraw=True,
        )
    if any(one["kind"] in _HELD for one in reasons):
        said = gettext("It is on hold and goes on by itself later.")
        return Progress(
            "on_hold", said, since=_earliest(one["since"] for one in reasons), may_withdraw=True
        )
    times = [one for one in reasons if one["kind"] == "time"]
    if times and len(times) == len(reasons):
        return Progress(
            "working",
            gettext("It goes on by itself at a time that is set."),
            since=_earliest(one["since"] for one in times),
            until=_earliest(one["until"] for one in times),
            may_withdraw=True,
        )
    if any(one["kind"] == "event" for one in reasons):
        said = gettext("It waits for news from elsewhere.")
    else:
        said = gettext("It is being worked on.")
    return Progress(
        "working", said, since=_earliest(one["since"] for one in reasons), may_withdraw=True
    )


def _reasons(run: Run, depth: int = 0) -> list[dict[str, Any]]:
    """For what the run waits; where it waits for another run, for what that one waits."""
    found = waiting_for(run)
    below = [one["run"] for one in found if one["kind"] == "run" and one.get("run")]
    if not below or depth >= MOST_DEPTH:
        return found
    kept = [one for one in found if one["kind"] != "run"]
    for child in Run.objects.for_workspace(run.workspace_id).filter(pk__in=below):
        kept += _reasons(child, depth + 1)
    return kept


def _asks(who: Sequence[str], *, is_fault: bool) -> str:
    names = ", ".join(who)
    if is_fault:
        if names:
            return gettext("Something went wrong; %(names)s decide how it goes on.") % {
                "names": names
            }
        return gettext("Something went wrong; somebody decides how it goes on.")
    if names:
        return gettext("It waits for an answer: %(names)s.") % {"names": names}
    return gettext("It waits for an answer.")


def _earliest(times: Iterable[Any]) -> Any:
    found = [one for one in times if one]
    return min(
        found, key=lambda one: one if isinstance(one, str) else one.isoformat(), default=None
    )


def answered(requests: Sequence[Request]) -> dict[UUID, list[Answered]]:
    """By run: what people have said to each of these requests, oldest first."""
    runs = [one.run_id for one in requests]
    tasks = list(
        UserTask.objects.filter(run_id__in=runs, status="decided", kind="approval").order_by("id")
    )
    given = decisions_by_task(tasks)
    found: dict[UUID, list[Answered]] = {}
    for task in tasks:
        fitting = [one for one in given.get(task.pk, []) if one.outcome == task.outcome]
        found.setdefault(task.run_id, []).append(
            Answered(
                title=task.title,
                word=words.outcome_word(task.rule, task.outcome),
                by=[one.user.get_full_name() for one in fitting],
                comments=[one.comment for one in fitting if one.comment],
                at=task.closed_at,
            )
        )
    return found


def questions(requests: Sequence[Request]) -> dict[UUID, list[Question]]:
    """By run: what people who decide ask those who have asked for something, oldest first."""
    rows = (
        Question.objects.filter(
            task__run_id__in=[one.run_id for one in requests],
            task__status="open",
            task__settles_at__isnull=True,
            answered_at__isnull=True,
            closed_at__isnull=True,
        )
        .select_related("task", "asked_by")
        .order_by("id")
    )
    asks = {one.run_id: one.person_id for one in requests}
    found: dict[UUID, list[Question]] = {}
    for row in rows:
        if row.asked_of_id == asks[row.task.run_id]:
            found.setdefault(row.task.run_id, []).append(row)
    return found


def to_fill_in(requests: Sequence[Request]) -> dict[UUID, list[UserTask]]:
    """By run: the forms that wait to be filled in by those who have asked for something."""
    asks = {one.run_id: one.person_id for one in requests}
    rows = (
        UserTask.objects.filter(
            run_id__in=list(asks),
            status="open",
            kind=rules.FILL_IN,
            assignees__user__in=[one for one in asks.values() if one],
            assignees__dropped_at__isnull=True,
        )
        .annotate(person=F("assignees__user"))
        .order_by("id")
    )
    found: dict[UUID, list[UserTask]] = {}
    for row in rows:
        if row.person == asks[row.run_id]:
            found.setdefault(row.run_id, []).append(row)
    return found


def answers_of(run: Run | None) -> dict[str, Any]:
    """What was filled in, as the run has it; empty where it is kept no longer."""
    trigger = _trigger_of(run) if run is not None else None
    body = trigger.get("body") if isinstance(trigger, Mapping) else None
    return dict(body) if isinstance(body, Mapping) else {}


def _trigger_of(run: Run) -> Any:
    """What started the run: from its journal, or from what waits to start it."""
    started = RunEvent.objects.filter(run_id=run.pk, type="run.started")
    for row in with_large_values(run, started):
        return row.data["trigger"]
    for kind in (WaitingStart.objects, RunCommand.objects.filter(kind="start")):
        waiting = kind.filter(run_id=run.pk).first()
        if waiting is not None:
            return waiting.payload["trigger"]
    return None
