"""The questions about a task as pages and the API show them."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext

from apps.accounts.actors import Actor
from apps.engine.lifecycle import TaskStatus
from apps.inbox import asking, words
from apps.inbox.holding import is_held
from apps.inbox.models import Question, UserTask


def shown(
    actor: Actor, task: UserTask, questions: Sequence[Question], *, may_decide: bool
) -> list[dict[str, Any]]:
    """Each question with how it stands, and what the actor may do about it."""
    waits = task.status == TaskStatus.OPEN
    gone = asking.gone([one for one in questions if _is_open(one)]) if waits else set()
    return [
        {
            "id": one.pk,
            "by": one.asked_by.get_full_name(),
            "of": one.asked_of.get_full_name(),
            "text": one.text,
            "asked_at": one.asked_at,
            "answer": one.answer,
            "answered_at": one.answered_at,
            "state": state(one, has_left=one.pk in gone, is_over=not waits),
            "may_answer": waits and _is_open(one) and one.asked_of_id == actor.user_id,
            "may_take_back": waits and _is_open(one) and may_decide,
        }
        for one in questions
    ]


def context(
    actor: Actor, task: UserTask, zone: ZoneInfo, *, may_decide: bool, typed: str = ""
) -> dict[str, Any]:
    """What the page of a task shows of them."""
    questions = asking.questions_of(task)
    rows = shown(actor, task, questions, may_decide=may_decide)
    for row in rows:
        row["asked"] = words.moment(row["asked_at"], zone)
        row["answered"] = words.moment(row["answered_at"], zone) if row["answered_at"] else ""
    return {
        "questions": rows,
        "heard": sum(one.answered_at is not None for one in questions),
        "may_ask": may_decide,
        "ask_of": _who_asked(actor, task),
        "ask_typed": typed,
        "stands_still": _stands_still(task, zone),
    }


def state(question: Question, *, has_left: bool, is_over: bool) -> str:
    """How a question stands that has no answer, in a sentence; empty where it has one."""
    if question.answered_at is not None:
        return ""
    name = question.asked_of.get_full_name()
    if question.closed_at is not None:
        return gettext("Taken back without an answer.")
    if is_over:
        return gettext("Not answered; it was decided before.")
    if has_left:
        return gettext("%(name)s has left and cannot answer any more.") % {"name": name}
    return gettext("%(name)s has not answered yet.") % {"name": name}


def _is_open(question: Question) -> bool:
    return question.answered_at is None and question.closed_at is None


def _who_asked(actor: Actor, task: UserTask) -> str:
    """Who is asked where nobody is named; empty where that is not known, or is the reader."""
    if task.requester is None or task.requester_id == actor.user_id:
        return ""
    return task.requester.get_full_name()


def _stands_still(task: UserTask, zone: ZoneInfo) -> str:
    if task.paused_at is None or task.status != TaskStatus.OPEN or is_held(task):
        return ""
    return words.moment(task.paused_at, zone)
