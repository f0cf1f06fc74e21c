"""Open tasks, decide them, close those that are late or whose run has ended."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from apps.accounts.actors import Actor
from apps.accounts.models import Membership, User
from apps.accounts.permissions import in_scope
from apps.accounts.queries import people_in
from apps.audit.commands import record
from apps.audit.records import Target
from apps.core import live, outbox
from apps.core.errors import Conflict, Forbidden, Invalid, NotFound
from apps.core.models import uuid7
from apps.engine import values
from apps.engine.lifecycle import TASK_TRANSITIONS, TaskStatus, move
from apps.inbox import queries, rules
from apps.inbox.models import Decision, TaskAssignee, UserTask
from apps.runs.commands import fail_wait, resolve_wait
from apps.runs.ports import Refusal, TaskRequest

NO_ASSIGNEE = "no_assignee"


class TaskClosed(Conflict):
    """Somebody or something has ended the task already."""

    code = "task_closed"


class TooLate(Conflict):
    """The time to decide is over, whether or not the clock has noticed."""

    code = "too_late"


class StalePage(Conflict):
    """What the person saw is not what the task says now."""

    code = "stale_page"


class AlreadyDecided(Conflict):
    """This person has answered already."""

    code = "already_decided"


class NotForYou(Forbidden):
    """The task was not put to this person."""

    code = "not_assignee"


class RequesterMayNot(Forbidden):
    """Who asked may not decide."""

    code = "requester"


def open_tasks(requests: Sequence[TaskRequest], now: datetime) -> list[Refusal]:
    """Put questions to people, in the driver's transaction; returns those nobody can answer.

    People are fixed here: active members among the named and the groups, without the requester
    unless the step allows it.
    """
    tasks: list[UserTask] = []
    assignees: list[TaskAssignee] = []
    refusals: list[Refusal] = []
    for asked in requests:
        request = asked.request
        requester = _requester(request["requester"])
        people = people_in(asked.workspace_id, users=request["users"], teams=request["groups"])
        eligible = [one for one in people if request["allow_requester"] or one != requester]
        if not eligible:
            refusals.append(_nobody(asked, found=bool(people)))
            continue
        task = _task(asked, requester, len(eligible), now)
        tasks.append(task)
        assignees += [TaskAssignee(task=task, user=one) for one in eligible]
        if task.needed > len(eligible):
            outbox.enqueue(
                topic="task.too_few",
                payload={"task": str(task.pk), "needed": task.needed, "found": len(eligible)},
                now=now,
            )
    UserTask.objects.bulk_create(tasks)
    TaskAssignee.objects.bulk_create(assignees)
    for workspace_id in {task.workspace_id for task in tasks}:
        live.publish(workspace_id, "task", [task.pk for task in tasks])
    return refusals


def close_tasks(run_ids: Sequence[UUID], now: datetime) -> None:
    """Withdraw the open tasks of runs that ended, in the driver's transaction."""
    gone = list(UserTask.objects.filter(run_id__in=run_ids, status=TaskStatus.OPEN))
    for task in gone:
        _close(task, TaskStatus.CANCELLED, outcome="", now=now)
        live.publish(task.workspace_id, "task", [task.pk])


@transaction.atomic
def decide_task(
    *, actor: Actor, task_id: UUID, outcome: str, comment: str, seen: str | None, now: datetime
) -> UserTask:
    """Answer a task; the run goes on when the rule is satisfied.

    Raises:
        NotFound: There is no such task in this workspace.
        NotForYou, RequesterMayNot: See there; nobody's role changes that.
        TaskClosed, TooLate, AlreadyDecided, StalePage: See there; nothing is changed.

    Locks:
        The task's row.
    """
    task = (
        UserTask.objects.for_workspace(actor.workspace_id)
        .select_for_update(of=("self",), no_key=True)
        .select_related("requester")
        .filter(pk=task_id)
        .first()
    )
    if task is None:
        raise NotFound("There is no such task, or it is not for you.")
    _check_person(actor, task)
    _check_answer(actor, task, outcome, seen, now)
    decision = Decision.objects.create(
        task=task,
        user_id=actor.user_id,
        outcome=outcome,
        comment=comment,
        seen=task.seen,
        decided_at=now,
    )
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb="task.decide",
        target=Target("task", str(task.pk), task.title),
        reason=comment,
        details={
            "outcome": outcome,
            "seen": task.seen,
            "run": str(task.run_id),
            "flow": str(task.flow_id),
            "version": str(task.version_id),
            "step": task.step,
            "rule": task.rule,
            "on_behalf_of": "",
        },
        correlation_id=task.run_id,
        now=now,
    )
    _judge(task, decision, now)
    live.publish(task.workspace_id, "task", [task.pk])
    return task


def close_overdue(*, now: datetime, limit: int = 200) -> int:
    """Close tasks whose time is over, and send their runs on by ``timeout``, together.

    Silence never approves. Called by the clock each second; several may.

    Locks:
        The tasks' rows; those that somebody decides just now are skipped.
    """
    with transaction.atomic():
        late = list(
            UserTask.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
            .filter(status=TaskStatus.OPEN, due_at__lte=now)
            .order_by("due_at")[:limit]
        )
        for task in late:
            if not _close(task, TaskStatus.TIMED_OUT, outcome="", now=now):
                continue
            output = _output(task, "timeout", None, now)
            _resolve(task, "timeout", output, now)
            record(
                who=Actor.system(task.workspace_id).who,
                workspace_id=task.workspace_id,
                verb="task.timeout",
                target=Target("task", str(task.pk), task.title),
                details={
                    "due": task.due_at.isoformat() if task.due_at else "",
                    "run": str(task.run_id),
                },
                correlation_id=task.run_id,
                now=now,
            )
            live.publish(task.workspace_id, "task", [task.pk])
    return len(late)


def drop_leavers(*, now: datetime, limit: int = 200) -> int:
    """Take people who lost access off their open tasks, and judge those tasks again.

    A task that nobody can answer any more fails its step with ``no_assignee``.
    Called by the clock; returns how many were taken off.
    """
    member = Membership.objects.filter(
        user_id=OuterRef("user_id"), workspace_id=OuterRef("task__workspace_id"), is_active=True
    )
    with transaction.atomic():
        gone = list(
            TaskAssignee.objects.select_for_update(of=("self",), skip_locked=True)
            .select_related("task")
            .filter(is_open=True, dropped_at__isnull=True)
            .filter(Q(user__is_active=False) | ~Exists(member))[:limit]
        )
        for assignee in gone:
            assignee.dropped_at = now
            assignee.save(update_fields=["dropped_at"])
        for task in {assignee.task for assignee in gone}:
            _judge(task, None, now)
    return len(gone)


def may_decide(actor: Actor, task: UserTask) -> bool:
    """Whether the page offers the buttons: what ``decide_task`` would not refuse for the person."""
    if task.status != TaskStatus.OPEN:
        return False
    try:
        _check_person(actor, task)
    except Forbidden:
        return False
    return not Decision.objects.filter(task=task, user_id=actor.user_id).exists()


def _requester(address: str) -> User | None:
    return User.objects.filter(email=address.strip().lower()).first() if address else None


def _nobody(asked: TaskRequest, *, found: bool) -> Refusal:
    named = ", ".join([*asked.request["groups"], *asked.request["users"]]) or "nobody"
    if found:
        why = "the only person it finds is the one who asked"
    else:
        why = f"no active person is found for {named}"
    message = f"Nobody can decide “{asked.step_title}”: {why}."
    return Refusal(asked.run_id, asked.step, asked.visit, NO_ASSIGNEE, message)


def _task(asked: TaskRequest, requester: User | None, people: int, now: datetime) -> UserTask:
    request = asked.request
    due = datetime.fromisoformat(request["due_at"]) if request["due_at"] else None
    task = UserTask(
        id=uuid7(),
        workspace_id=asked.workspace_id,
        flow_id=asked.flow_id,
        version_id=asked.version_id,
        run_id=asked.run_id,
        lane=asked.lane,
        step=asked.step,
        visit=asked.visit,
        title=" ".join(request["title"].split())[:300],
        details=request["details"],
        facts=request["fields"],
        rule=request["rule"],
        requester=requester,
        requester_text="" if requester else request["requester"][:254],
        allow_requester=request["allow_requester"],
        needed=rules.needed(request["rule"], people),
        due_at=due,
        opened_at=now,
    )
    task.seen = seen_hash(task)
    return task


def seen_hash(task: UserTask) -> str:
    """SHA-256 over everything that a decider is shown of the matter."""
    shown = {
        "task": str(task.pk),
        "title": task.title,
        "details": task.details,
        "facts": task.facts,
        "requester": task.requester.email if task.requester else task.requester_text,
        "rule": task.rule,
        "due": task.due_at.isoformat() if task.due_at else None,
        "outcomes": list(rules.OUTCOMES),
    }
    return sha256(values.dumps(shown).encode()).hexdigest()


def _check_person(actor: Actor, task: UserTask) -> None:
    if actor.kind == "system" or not in_scope(actor, "task.decide"):
        raise NotForYou("This token may not decide tasks.")
    if not queries.is_assignee(actor, task):
        raise NotForYou("This task was not put to you; only those it was put to can answer.")
    if task.requester_id == actor.user_id and not task.allow_requester:
        raise RequesterMayNot("You asked for this yourself; somebody else has to decide.")


def _check_answer(
    actor: Actor, task: UserTask, outcome: str, seen: str | None, now: datetime
) -> None:
    if outcome not in rules.OUTCOMES:
        raise Invalid(f"Answer with one of: {', '.join(rules.OUTCOMES)}.")
    if task.status != TaskStatus.OPEN:
        raise TaskClosed("This has been decided or closed already; nothing was changed.")
    if task.due_at is not None and task.due_at <= now:
        raise TooLate("The time to decide this is over; nothing was changed.")
    if Decision.objects.filter(task=task, user_id=actor.user_id).exists():
        raise AlreadyDecided("You have answered this already; nothing was changed.")
    if seen is not None and seen != task.seen:
        raise StalePage("What you were shown has changed since; read it again, then decide.")


def _judge(task: UserTask, decision: Decision | None, now: datetime) -> None:
    """See whether the answers so far end the task; close it and send the run on if they do."""
    given = list(task.decisions.values_list("outcome", flat=True))
    may_answer = task.assignees.filter(dropped_at__isnull=True).count()
    answered = task.decisions.filter(
        user__in=task.assignees.filter(dropped_at__isnull=True).values("user")
    ).count()
    undecided = may_answer - answered
    outcome = rules.verdict(
        task.rule,
        approvals=given.count(rules.APPROVED),
        rejections=given.count(rules.REJECTED),
        undecided=undecided,
    )
    if outcome is not None:
        if _close(task, TaskStatus.DECIDED, outcome=outcome, now=now):
            _resolve(task, outcome, _output(task, outcome, decision, now), now)
    elif undecided == 0 and _close(task, TaskStatus.CANCELLED, outcome="", now=now):
        fail_wait(
            run_id=task.run_id,
            lane=task.lane,
            step=task.step,
            visit=task.visit,
            code=NO_ASSIGNEE,
            message=f"Nobody can decide “{task.title}” any more: everybody it was put to has left.",
            now=now,
        )


def _close(task: UserTask, status: TaskStatus, *, outcome: str, now: datetime) -> bool:
    """The one guarded update that ends a task; false where it was not open any more."""
    move(TASK_TRANSITIONS, TaskStatus.OPEN, status)
    open_now = UserTask.objects.filter(pk=task.pk, status=TaskStatus.OPEN)
    if status is TaskStatus.DECIDED:
        open_now = open_now.filter(Q(due_at__isnull=True) | Q(due_at__gt=now))
    closed = open_now.update(status=status, outcome=outcome, closed_at=now)
    if closed:
        TaskAssignee.objects.filter(task=task).update(is_open=False)
        task.status, task.outcome, task.closed_at = status, outcome, now
    return bool(closed)


def _resolve(task: UserTask, port: str, output: Mapping[str, Any], now: datetime) -> None:
    resolve_wait(
        run_id=task.run_id,
        lane=task.lane,
        step=task.step,
        visit=task.visit,
        port=port,
        output=dict(output),
        now=now,
    )


def _output(task: UserTask, outcome: str, last: Decision | None, now: datetime) -> dict[str, Any]:
    given = queries.decisions_of(task)
    last = last or (given[-1] if given and outcome != "timeout" else None)
    return {
        "outcome": outcome,
        "by": last.user.email if last else "",
        "comment": last.comment if last else "",
        "at": now.isoformat(),
        "decisions": [
            {
                "by": one.user.email,
                "outcome": one.outcome,
                "comment": one.comment,
                "at": one.decided_at.isoformat(),
            }
            for one in given
        ],
    }
