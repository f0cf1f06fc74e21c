"""Decide tasks, and close those that are late, have nobody left, or whose run has ended."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.audit.commands import Record, record, record_many
from apps.audit.records import Target, Who
from apps.core import clock
from apps.core.errors import Conflict, Forbidden, Invalid, NotFound, ProductError
from apps.engine.lifecycle import TASK_TRANSITIONS, TaskStatus, move
from apps.inbox import drafts, filling, holding, limits, pausing, queries, recording, rules, stages
from apps.inbox.assigning import ask_fallback
from apps.inbox.models import BulkDecision, Decision, TaskAssignee, UserTask
from apps.inbox.opening import NO_ASSIGNEE, open_tasks, publish, tell_too_few, voters_of
from apps.inbox.outputs import output_of
from apps.inbox.permissions import Seat, require_decider
from apps.inbox.stale import has_changed
from apps.inbox.watches import close_watches
from apps.runs.commands import fail_wait, resolve_wait, settle_held
from apps.runs.ports import NOBODY, TaskRequest, Wait
from apps.steps import deciding

MAX_COMMENT = 5000


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


@transaction.atomic
def decide_task(
    *,
    actor: Actor,
    task_id: UUID,
    outcome: str,
    comment: str,
    seen: str | None,
    now: datetime,
    heard: int | None = None,
    form_hash: str | None = None,
    answers: Mapping[str, Any] | None = None,
    origin: recording.Origin | None = None,
    bulk: BulkDecision | None = None,
) -> UserTask:
    """Answer a task; the run goes on when the rule is satisfied.

    ``seen`` and ``heard`` say what the page showed that was answered: the task's own hash, and how
    many answers to questions. ``answers`` is what was filled in, where the answer needs the task's
    form, and ``form_hash`` names the one it was filled in on. ``origin`` is where the answer comes
    from; the trail keeps it with what was seen and by which grant it was allowed, see
    ``recording``.

    Raises:
        NotFound: There is no such task in this workspace.
        NotForYou, KeptApart, Claimed, OutOfScope: See there; nobody's role changes that.
        Invalid: There is no such answer, or the comment cannot be kept.
        FormChanged, FormNeeded, AnswersRefused: See ``filling``.
        TaskClosed, TooLate, Held, AlreadyDecided, StalePage: See there; nothing is changed.

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
    # The lock may have been waited for; what counts is the time after (engine rule 7).
    now = max(now, clock.now())
    seat = require_decider(actor, task, now)
    _check_open(seat, task, now)
    _check_answer(task, outcome, comment, seen)
    heard_now = task.questions.filter(answered_at__isnull=False).count()
    if heard is not None and heard != heard_now:
        raise StalePage("A question has been answered since; read it, then decide.")
    filled_in = filling.judged(task, outcome, form_hash=form_hash, answers=answers)
    decision = Decision.objects.create(
        task=task,
        user_id=seat.person_id,
        on_behalf_of_id=seat.on_behalf_of,
        exception=seat.exception,
        bulk=bulk,
        outcome=outcome,
        comment=comment,
        answers=filled_in,
        seen=task.seen,
        decided_at=now,
    )
    kept = recording.recorded(task, decision, seat, origin or recording.Origin(), now)
    limits.respond(task, now)
    if task.form_hash:
        drafts.forget_drafts([task.pk], seat.person_id)
    if not _judge(task, decision, now):
        UserTask.objects.filter(pk=task.pk).update(updated_at=now)
    record(
        who=_who(actor, seat),
        workspace_id=task.workspace_id,
        verb="task.decide",
        target=target_of(task),
        reason=comment,
        details={
            **about_task(task),
            "outcome": outcome,
            "seen": task.seen,
            "rule": task.rule,
            "result": task.outcome,
            **({"held": task.pending, "until": task.settles_at} if task.settles_at else {}),
            **({"answers_heard": heard_now} if heard_now else {}),
            **_filled_marks(task, filled_in),
            **_marks(seat),
            **({"bulk": str(bulk.pk)} if bulk else {}),
            **kept,
        },
        correlation_id=task.run_id,
        flow_id=task.flow_id,
        now=now,
    )
    publish([task])
    return task


def _who(actor: Actor, seat: Seat) -> Who:
    """The actor, for whom they stand in."""
    if seat.on_behalf_of is None or actor.kind == "token":
        return actor.who
    return replace(actor.who, on_behalf_of=str(seat.on_behalf_of))


def _filled_marks(task: UserTask, filled_in: dict[str, Any] | None) -> dict[str, Any]:
    """What was filled in with an answer, and on which form; empty where it takes nothing."""
    return {} if filled_in is None else {"answers": filled_in, "form_hash": task.form_hash}


def _marks(seat: Seat) -> dict[str, Any]:
    """What is special about an answer: given for somebody else, or in spite of a duty."""
    found: dict[str, Any] = {}
    if seat.through:
        names = dict(
            User.objects.filter(pk__in=[one.person_id for one in seat.through]).values_list(
                "pk", "email"
            )
        )
        found["on_behalf_of"] = names[seat.through[0].person_id]
        found["through"] = [names[one.person_id] for one in seat.through]
        found["delegations"] = [str(one.pk) for one in seat.through]
    if seat.exception is not None:
        found["exception"] = {
            "reason": seat.exception.reason,
            "allowed_by": seat.exception.allowed_by.email if seat.exception.allowed_by else "",
        }
    return found


def close_tasks(run_ids: Sequence[UUID], now: datetime) -> None:
    """Withdraw the open tasks of runs that ended, in the driver's transaction.

    Locks:
        The tasks' rows, by id.
    """
    _withdraw(UserTask.objects.filter(run_id__in=run_ids), lambda _: True, now)


def close_visits(waits: Sequence[Wait], held: Collection[Wait], now: datetime) -> None:
    """Withdraw the open tasks of visits that are over, in the driver's transaction.

    Of a visit that is ``held`` the question stays what becomes of it.

    Locks:
        The tasks' rows, by id.
    """
    wanted = set(waits)

    def is_over(task: UserTask) -> bool:
        wait = (task.run_id, task.step, task.visit)
        return wait in wanted and not (task.kind == rules.EXCEPTION and wait in held)

    rows = UserTask.objects.filter(
        run_id__in={run_id for run_id, _, _ in waits}, step__in={step for _, step, _ in waits}
    )
    _withdraw(rows, is_over, now)


def _withdraw(tasks: QuerySet[UserTask], wanted: Callable[[UserTask], bool], now: datetime) -> None:
    """Close those of the tasks that are open and wanted.

    Somebody may just now answer one stage, which opens the next: what was waited for is looked at
    anew until nothing is left.
    """
    still_open = tasks.filter(status=TaskStatus.OPEN)
    while any(wanted(one) for one in still_open.all()):
        rows = still_open.select_for_update(of=("self",), no_key=True).order_by("id")
        gone = [one for one in rows if wanted(one)]
        _close(gone, TaskStatus.CANCELLED, now=now)
        publish(gone)


def close_overdue(*, now: datetime, limit: int = 200) -> int:
    """Close tasks whose time is over, and send their runs on by ``timeout``, together.

    Silence never approves. Called by the clock each second; several may. Returns how many.

    Locks:
        The tasks' rows; those that somebody decides just now are skipped.
    """
    closed = 0
    while (count := _close_some_overdue(now, limit)) > 0:
        closed += count
        if count < limit:
            break
    return closed


@transaction.atomic
def _close_some_overdue(now: datetime, limit: int) -> int:
    late = list(
        UserTask.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
        .filter(pausing.late(now), status=TaskStatus.OPEN)
        .order_by("due_at", "id")[:limit]
    )
    if not late:
        return 0
    limits.breach(late, now)
    _close(late, TaskStatus.TIMED_OUT, now=now)
    given = stages.given(late)
    for task in late:
        _resolve(task, "timeout", output_of(task, "timeout", given[task.pk], now), now)
    rows = [
        Record(
            who=Actor.system(task.workspace_id).who,
            workspace_id=task.workspace_id,
            verb="task.timeout",
            target=target_of(task),
            details={**about_task(task), "due": task.due_at, "seen": task.seen},
            correlation_id=task.run_id,
            flow_id=task.flow_id,
        )
        for task in late
    ]
    record_many(rows=rows, now=now)
    publish(late)
    return len(late)


def end_unanswered(task: UserTask, outcome: str, now: datetime) -> bool:
    """End a task by an answer that nobody gave, because nobody did; whether it was still open.

    The caller holds the task's row.

    Raises:
        SilenceApproves: The answer is none of those against it.
    """
    limits.refuse_silent_yes(task.rule, outcome)
    if not _close([task], TaskStatus.DECIDED, outcome=outcome, now=now):
        return False
    given = stages.given([task])[task.pk]
    _resolve(task, outcome, output_of(task, outcome, given, now), now)
    return True


def drop_leavers(*, now: datetime, limit: int = 200) -> int:
    """Take people who lost access off their open tasks, and judge those tasks again.

    A task that nobody has answered and nobody can answer any more fails its step with
    ``no_assignee``. Called by the clock; returns how many people were taken off.

    Locks:
        The tasks' rows; those that somebody decides just now are left to the next call.
    """
    if not queries.leavers().exists():
        return 0
    with transaction.atomic():
        tasks = {
            task.pk: task
            for task in UserTask.objects.select_for_update(
                of=("self",), no_key=True, skip_locked=True
            )
            .filter(status=TaskStatus.OPEN, pk__in=queries.leavers().values("task"))
            .order_by("id")[:limit]
        }
        gone = list(queries.leavers().filter(task__in=list(tasks)).select_related("user"))
        TaskAssignee.objects.filter(pk__in=[one.pk for one in gone]).update(dropped_at=now)
        UserTask.objects.filter(pk__in=list(tasks)).update(updated_at=now)
        for one in gone:
            # What somebody had taken for themselves waits for the others again.
            UserTask.objects.filter(pk=one.task_id, claimed_by=one.user_id).update(
                claimed_by=None, claimed_at=None
            )
        for task in tasks.values():
            _judge(task, None, now)
        rows = [
            Record(
                who=Actor.system(tasks[one.task_id].workspace_id).who,
                workspace_id=tasks[one.task_id].workspace_id,
                verb="task.drop",
                target=target_of(tasks[one.task_id]),
                details={
                    **about_task(tasks[one.task_id]),
                    "person": one.user.email,
                    "result": tasks[one.task_id].outcome,
                },
                correlation_id=tasks[one.task_id].run_id,
                flow_id=tasks[one.task_id].flow_id,
            )
            for one in gone
        ]
        record_many(rows=rows, now=now)
        publish(tasks.values())
    return len(gone)


def refusal_for(actor: Actor, task: UserTask, now: datetime) -> ProductError | None:
    """Why ``decide_task`` would refuse this actor now; None where the page offers the buttons."""
    try:
        _check_open(require_decider(actor, task, now), task, now)
    except (Forbidden, Conflict) as refused:
        return refused
    return None


@dataclass(frozen=True)
class _Standing:
    """Who has answered what, and everybody who was asked as the rule counts them."""

    decisions: Sequence[Decision]
    voters: Sequence[deciding.Voter]


def _standing(task: UserTask) -> _Standing:
    decisions = queries.decisions_of(task)
    answers = {one.on_behalf_of_id or one.user_id: one.outcome for one in decisions}
    return _Standing(decisions, voters_of(task.assignees.all(), answers))


def _check_open(seat: Seat, task: UserTask, now: datetime) -> None:
    if task.superseded_at is not None:
        raise StalePage(
            "What this is about has changed, and it is asked anew; nothing was changed."
        )
    if task.status != TaskStatus.OPEN:
        raise TaskClosed("This has been decided or has ended already; nothing was changed.")
    holding.refuse_held(task)
    if pausing.is_late(task, now):
        raise TooLate("The time to decide this is over; nothing was changed.")
    given = list(task.decisions.all())
    if any(one.user_id == seat.person_id for one in given):
        raise AlreadyDecided("You have answered this already; nothing was changed.")
    if any(seat.place == (one.on_behalf_of_id or one.user_id) for one in given):
        raise AlreadyDecided("Somebody has answered in this place already; nothing was changed.")


def check_comment(comment: str) -> None:
    """Refuse what cannot be kept.

    Raises:
        Invalid: It is too long, or holds signs that no text has.
    """
    if len(comment) > MAX_COMMENT or "\x00" in comment:
        raise Invalid(
            f"The comment is too long or holds signs that cannot be kept;"
            f" write at most {MAX_COMMENT} characters."
        )


def _check_answer(task: UserTask, outcome: str, comment: str, seen: str | None) -> None:
    answers = rules.outcomes(task.kind, task.rule)
    if outcome not in answers:
        raise Invalid(f"Answer with one of: {', '.join(answers)}.")
    check_comment(comment)
    if rules.side(task.rule, outcome) == "back" and not comment.strip():
        raise Invalid("Say why you send it back, so that it can be put right.")
    if seen != task.seen and (seen is not None or has_changed(task)):
        raise StalePage("What you were shown has changed since; read it again, then decide.")


def _judge(task: UserTask, decision: Decision | None, now: datetime) -> bool:
    """See whether the answers so far end the task; close it and send the run on if they do.

    Where its step lets answers be taken back for a while, what they come to is held instead, see
    ``holding``. Returns whether it has ended. The caller holds the task's row.
    """
    if holding.is_held(task):
        return False
    standing = _standing(task)
    outcome = _verdict(task, standing)
    if outcome is None:
        return False
    if outcome == deciding.NOBODY:
        if ask_fallback(task, now):
            return False
        _give_up(task, now)
        return True
    is_held_back = task.undo_seconds > 0 and bool(standing.decisions)
    if is_held_back:
        is_in_time = holding.hold(task, outcome, now)
    else:
        is_in_time = bool(_close([task], TaskStatus.DECIDED, outcome=outcome, now=now))
    if not is_in_time:
        if decision is None:
            return False  # overdue: the next sweep closes it
        raise TooLate("The time to decide this is over; nothing was changed.")
    if decision is None and rules.side(task.rule, outcome) == "against":
        left = [one for one in standing.voters if not one.is_gone and one.answer != outcome]
        tell_too_few(task, found=len(left), now=now)
    if is_held_back:
        return False
    if task.kind == rules.EXCEPTION:
        _settle(task, outcome, standing.decisions[0].user.email, now)
    else:
        _pass_on([task], now)
    return True


def judge_again(task: UserTask, now: datetime) -> bool:
    """See what the answers come to once one was taken back; whether it is to be decided again.

    A held outcome to which they still come stays as it is. The caller holds the task's row.

    Raises:
        NobodyWorks: Its clock cannot go on.
    """
    was_held = holding.is_held(task)
    if was_held:
        if _verdict(task, _standing(task)) == task.pending:
            return False
        holding.lift(task, now)
    _judge(task, None, now)
    return was_held and task.status == TaskStatus.OPEN and not holding.is_held(task)


def settle(tasks: Sequence[UserTask], now: datetime) -> None:
    """End held tasks as they were decided, and let follow what follows; see ``settling``.

    The caller holds the tasks' rows.
    """
    for outcome in sorted({task.pending for task in tasks}):
        alike = [task for task in tasks if task.pending == outcome]
        _close(alike, TaskStatus.DECIDED, outcome=outcome, now=now)
    _pass_on(tasks, now)


def _pass_on(tasks: Sequence[UserTask], now: datetime) -> None:
    """Ask the next stage of each decided task, or send its run on."""
    given = stages.given(tasks)
    for task in tasks:
        if task.later and deciding.goes_on(deciding.Terms.of(task.rule), task.outcome):
            _go_on(task, now)
        else:
            output = output_of(task, task.outcome, given[task.pk], now)
            _resolve(task, task.outcome, output, now)


def _go_on(task: UserTask, now: datetime) -> None:
    """Ask the next stage; where nobody can be asked the step fails as if it were the first."""
    for refusal in open_tasks([stages.request_of_next(task, now)], now):
        _fail(task, refusal.code, refusal.message, now)


def begin_anew(task: UserTask, request: TaskRequest, now: datetime) -> None:
    """End a task because its whole question begins anew, and ask its first stage again.

    The caller holds the task's row.
    """
    _close([task], TaskStatus.CANCELLED, now=now)
    stages.supersede(task, now)
    for refusal in open_tasks([request], now):
        _fail(task, refusal.code, refusal.message, now)


def _verdict(task: UserTask, standing: _Standing) -> str | None:
    """What the answers so far come to; None while it is open."""
    if task.kind == rules.EXCEPTION and standing.decisions:
        return standing.decisions[0].outcome
    return deciding.verdict(deciding.Terms.of(task.rule), standing.voters)


def _settle(task: UserTask, answer: Any, by: str, now: datetime) -> None:
    settle_held(
        run_id=task.run_id,
        lane=task.lane,
        step=task.step,
        visit=task.visit,
        answer=answer,
        by=by,
        now=now,
    )


def _give_up(task: UserTask, now: datetime) -> None:
    _close([task], TaskStatus.CANCELLED, now=now)
    if task.kind == rules.EXCEPTION:
        _settle(task, rules.FAIL, NOBODY, now)
        return
    message = f"Nobody can decide “{task.title}” any more: everybody it was put to has left."
    _fail(task, NO_ASSIGNEE, message, now)


def _fail(task: UserTask, code: str, message: str, now: datetime) -> None:
    fail_wait(
        run_id=task.run_id,
        lane=task.lane,
        step=task.step,
        visit=task.visit,
        code=code,
        message=message,
        now=now,
    )


def _close(
    tasks: Collection[UserTask], status: TaskStatus, *, now: datetime, outcome: str = ""
) -> int:
    """The one guarded update that ends tasks; returns how many were open. Callers hold the rows."""
    move(TASK_TRANSITIONS, TaskStatus.OPEN, status)
    ids = [task.pk for task in tasks]
    open_now = UserTask.objects.filter(pk__in=ids, status=TaskStatus.OPEN)
    if status is TaskStatus.DECIDED:
        open_now = open_now.filter(pausing.in_time(now))
    closed = open_now.update(
        status=status, outcome=outcome, closed_at=now, updated_at=now, pending="", settles_at=None
    )
    if closed:
        TaskAssignee.objects.filter(task__in=ids).update(is_open=False)
        limits.stop(ids)
        close_watches(ids)
        drafts.forget_drafts([task.pk for task in tasks if task.form_hash])
        for task in tasks:
            task.status, task.outcome, task.closed_at = status, outcome, now
            task.pending, task.settles_at = "", None
    return closed


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


def target_of(task: UserTask) -> Target:
    """The task as a row of the trail names it."""
    return Target("task", str(task.pk), task.title)


def about_task(task: UserTask) -> dict[str, Any]:
    """What every row of the trail about a task names."""
    return {
        "run": str(task.run_id),
        "flow": str(task.flow_id),
        "version": str(task.version_id),
        "step": task.step,
        "kind": task.kind,
        **({"stage": f"{task.stage}/{task.stages}"} if task.stages > 1 else {}),
    }
