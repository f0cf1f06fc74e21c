"""Ask for more: a decider asks somebody a question, and the clock stands still until the answer.

Whoever decides asks who asked for the matter, or anybody of the workspace by name. Who is asked
sees the question and what the matter is called, not its facts: those were put to the deciders.
An answer that a decider has not read makes their page stale, see ``decide_task``.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext

from apps.accounts.actors import Actor
from apps.accounts.models import Membership, User
from apps.accounts.permissions import in_scope, require
from apps.audit.commands import record
from apps.audit.records import Target
from apps.core import clock
from apps.core.errors import Conflict, Forbidden, Invalid, NotFound
from apps.core.models import uuid7
from apps.engine.lifecycle import TaskStatus
from apps.inbox.commands import MAX_COMMENT, TaskClosed, TooLate
from apps.inbox.holding import is_held, refuse_held
from apps.inbox.models import Question, UserTask
from apps.inbox.opening import publish
from apps.inbox.pausing import is_late, pause, resume
from apps.inbox.permissions import require_decider, require_view
from apps.inbox.queries import get_task
from apps.inbox.telling import tell_about
from apps.notices.models import Kind

#: Questions of one task that wait for an answer at once.
MOST_OPEN = 20


class CannotAsk(Conflict):
    """The person named cannot be asked."""

    code = "cannot_ask"


class NotAskedYou(Forbidden):
    """The question was put to somebody else."""

    code = "not_asked"


class QuestionOver(Conflict):
    """It has been answered or taken back already."""

    code = "question_over"


@transaction.atomic
def ask_question(*, actor: Actor, task_id: UUID, text: str, of: str, now: datetime) -> Question:
    """Ask somebody for more before deciding; the time to decide stands still until the answer.

    Args:
        of: A mail address; empty for whoever asked for the matter.

    Raises:
        NotForYou, KeptApart, Claimed: As for deciding.
        CannotAsk: Oneself, nobody that is known, or somebody who is not here any more.
        Invalid: Without a question.

    Locks:
        The task's row.
    """
    task = _task(actor, task_id)
    now = max(now, clock.now())
    require_decider(actor, task, now)
    if task.status != TaskStatus.OPEN:
        raise TaskClosed("This has been decided or has ended already; nothing was changed.")
    refuse_held(task)
    if is_late(task, now):
        raise TooLate("The time to decide this is over; nothing was changed.")
    text = _checked(text)
    person = _person(actor, task, of)
    assert actor.user_id is not None  # noqa: S101 - nobody else decides
    if open_questions(task).count() >= MOST_OPEN:
        raise CannotAsk("So many questions wait for an answer already; take one back first.")
    question = Question.objects.create(
        id=uuid7(),
        task=task,
        workspace_id=task.workspace_id,
        asked_by_id=actor.user_id,
        asked_of=person,
        text=text,
        asked_at=now,
    )
    pause(task, now)
    _record(actor, question, "task.ask", now, reason=text, of=person.email)
    tell_about(
        task,
        [person],
        kind=Kind.QUESTION,
        key=f"question/{question.pk}",
        path=f"/inbox/questions/{question.pk}/",
        now=now,
    )
    publish([task])
    return question


@transaction.atomic
def answer_question(*, actor: Actor, question_id: UUID, text: str, now: datetime) -> Question:
    """Answer what one was asked; the clock goes on when nothing else is open.

    Raises:
        NotFound: There is no such question, or it is none of the actor's business.
        NotAskedYou: It was put to somebody else.
        QuestionOver, TaskClosed: It is answered or taken back, or the matter is decided.

    Locks:
        The task's row.
    """
    question, now = _locked(actor, question_id), max(now, clock.now())
    if question.asked_of_id != actor.user_id:
        raise NotAskedYou("This question was put to somebody else; nothing was changed.")
    _require_unanswered(question)
    question.answer = _checked(text)
    question.answered_at = now
    question.save(update_fields=["answer", "answered_at"])
    _go_on(question.task, now)
    _record(actor, question, "task.answer", now, reason=question.answer)
    tell_about(
        question.task,
        [question.asked_by],
        kind=Kind.ANSWER,
        key=f"answer/{question.pk}",
        now=now,
    )
    publish([question.task])
    return question


@transaction.atomic
def take_back_question(*, actor: Actor, question_id: UUID, now: datetime) -> Question:
    """Do without an answer: any decider may, so that nobody waits for who does not answer.

    Raises:
        NotForYou, KeptApart, Claimed: As for deciding.
        QuestionOver, TaskClosed: See there.

    Locks:
        The task's row.
    """
    question, now = _locked(actor, question_id), max(now, clock.now())
    require_decider(actor, question.task, now)
    _require_unanswered(question)
    _close(question, now)
    _record(actor, question, "task.unask", now)
    publish([question.task])
    return question


def close_unanswerable(*, now: datetime, limit: int = 200) -> int:
    """Close questions to people who have left, so that nobody waits for them; returns how many.

    The decider who asked is told. Called by the clock.

    Locks:
        The tasks' rows, one at a time; those that somebody holds are left to the next call.
    """
    closed = 0
    for question_id in list(_unanswerable().values_list("pk", flat=True)[:limit]):
        closed += _close_unanswerable(question_id, now)
    return closed


def questions_for(actor: Actor) -> QuerySet[Question]:
    """What waits for the actor's answer, the newest first; the badge counts the same."""
    require_view(actor)
    if actor.user_id is None:
        return Question.objects.none()
    return (
        Question.objects.for_workspace(actor.workspace_id)
        .filter(
            asked_of=actor.user_id,
            answered_at__isnull=True,
            closed_at__isnull=True,
            task__status=TaskStatus.OPEN,
            task__settles_at__isnull=True,
        )
        .select_related("task", "asked_by", "asked_of")
        .order_by("-id")
    )


def get_question(actor: Actor, question_id: UUID) -> Question:
    """One question, for who asked and who was asked, and for whoever sees the task.

    Raises:
        NotFound: There is none, or not for this actor.
    """
    require_view(actor)
    found = (
        Question.objects.for_workspace(actor.workspace_id)
        .select_related("task", "asked_by", "asked_of")
        .filter(pk=question_id)
        .first()
    )
    if found is None:
        raise NotFound("There is no such question, or it is not for you.")
    if actor.user_id not in {found.asked_of_id, found.asked_by_id}:
        get_task(actor, found.task_id)
    return found


def questions_of(task: UserTask) -> list[Question]:
    """All that was asked about a task, the oldest first."""
    return list(task.questions.select_related("asked_by", "asked_of"))


def open_questions(task: UserTask) -> QuerySet[Question]:
    """Those that wait for an answer."""
    return task.questions.filter(answered_at__isnull=True, closed_at__isnull=True)


def gone(questions: Sequence[Question]) -> set[UUID]:
    """Those of these questions whose person is not here any more."""
    ids = [one.pk for one in questions]
    return set(_to_leavers(Question.objects.filter(pk__in=ids)).values_list("pk", flat=True))


def _person(actor: Actor, task: UserTask, of: str) -> User:
    address = of.strip().lower()
    if not address and task.requester is None:
        raise CannotAsk("It is not known who asked for this; name somebody.")
    address = address or (task.requester.email if task.requester else "")
    member = (
        Membership.objects.for_workspace(actor.workspace_id)
        .filter(user__email=address)
        .select_related("user")
        .first()
    )
    if member is None:
        raise CannotAsk(f"There is nobody “{address[:80]}” here; look at the address.")
    if member.user_id == actor.user_id:
        raise CannotAsk("You cannot ask yourself; name somebody else.")
    if not member.is_active or not member.user.is_active:
        raise CannotAsk(f"{member.user.get_full_name()} is not here any more; ask somebody else.")
    return member.user


def _checked(text: str) -> str:
    found = text.replace("\r\n", "\n").strip()
    if not found or len(found) > MAX_COMMENT or "\x00" in found:
        raise Invalid(f"Write something, in at most {MAX_COMMENT} characters.")
    return found


def _require_unanswered(question: Question) -> None:
    if question.task.status != TaskStatus.OPEN:
        raise TaskClosed("This has been decided or has ended already; nothing was changed.")
    if question.answered_at is not None:
        raise QuestionOver("This question has been answered already; nothing was changed.")
    if question.closed_at is not None:
        raise QuestionOver("This question was taken back; nothing was changed.")


def _locked(actor: Actor, question_id: UUID) -> Question:
    """The question with its task, whose row is held; the task is locked first everywhere."""
    if not in_scope(actor, "task.decide"):
        require(actor, "task.decide")
    found = Question.objects.for_workspace(actor.workspace_id).filter(pk=question_id).first()
    if found is None:
        raise NotFound("There is no such question, or it is not for you.")
    task = _task(actor, found.task_id)
    question = Question.objects.select_related("asked_by", "asked_of").get(pk=question_id)
    question.task = task
    return question


def _task(actor: Actor, task_id: UUID) -> UserTask:
    task = (
        UserTask.objects.for_workspace(actor.workspace_id)
        .select_for_update(of=("self",), no_key=True)
        .select_related("requester")
        .filter(pk=task_id)
        .first()
    )
    if task is None:
        raise NotFound("There is no such task, or it is not for you.")
    return task


def _close(question: Question, now: datetime) -> None:
    question.closed_at = now
    question.save(update_fields=["closed_at"])
    _go_on(question.task, now)


def _go_on(task: UserTask, now: datetime) -> None:
    """Let the clock go on where nothing else is open, and it is not decided meanwhile."""
    if open_questions(task).exists() or is_held(task):
        UserTask.objects.filter(pk=task.pk).update(updated_at=now)
    else:
        resume(task, now)


def _to_leavers(questions: QuerySet[Question]) -> QuerySet[Question]:
    here = Membership.objects.filter(
        user=OuterRef("asked_of"),
        workspace_id=OuterRef("workspace_id"),
        is_active=True,
        user__is_active=True,
    )
    return questions.filter(~Exists(here))


def _unanswerable() -> QuerySet[Question]:
    waiting = Question.objects.filter(
        answered_at__isnull=True, closed_at__isnull=True, task__status=TaskStatus.OPEN
    )
    return _to_leavers(waiting)


@transaction.atomic
def _close_unanswerable(question_id: UUID, now: datetime) -> int:
    task = (
        UserTask.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
        .filter(questions=question_id)
        .first()
    )
    question = _unanswerable().select_related("asked_by", "asked_of").filter(pk=question_id).first()
    if task is None or question is None:
        return 0
    question.task = task
    _close(question, now)
    system = Actor.system(task.workspace_id)
    _record(system, question, "task.unask", now, person=question.asked_of.email, left=True)
    name = question.asked_of.get_full_name()
    tell_about(
        task,
        [question.asked_by],
        kind=Kind.ANSWER,
        key=f"unasked/{question.pk}",
        words=partial(_left, name),
        now=now,
    )
    publish([task])
    return 1


def _left(name: str) -> str:
    return gettext(
        "%(name)s has left and cannot answer any more. The time to decide runs again."
    ) % {"name": name}


def _record(
    actor: Actor,
    question: Question,
    verb: str,
    now: datetime,
    *,
    reason: str = "",
    **details: object,
) -> None:
    task = question.task
    record(
        who=actor.who,
        workspace_id=task.workspace_id,
        verb=verb,
        target=Target("task", str(task.pk), task.title),
        reason=reason,
        details={
            "run": str(task.run_id),
            "flow": str(task.flow_id),
            "question": str(question.pk),
            **details,
        },
        correlation_id=task.run_id,
        flow_id=task.flow_id,
        now=now,
    )
