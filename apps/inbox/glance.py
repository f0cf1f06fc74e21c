"""What a task's page answers at a glance: how much, why me, what was decided before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext

from apps.accounts.actors import Actor
from apps.accounts.models import Team
from apps.accounts.permissions import has_right
from apps.engine.lifecycle import TaskStatus
from apps.inbox import bulk, queries, words
from apps.inbox.models import Decision, TaskAssignee, UserTask
from apps.inbox.standing_in import amount_of

MOST_BEFORE = 5
Compared = Literal["less", "same", "more"]


@dataclass(frozen=True, slots=True)
class Before:
    """A question that the same step has put before, and what became of it."""

    task: UserTask
    word: str
    by: str
    at: datetime
    amount: Any
    #: Its amount beside this one's; empty where one of the two is not known.
    compared: Compared | Literal[""]


def amount(task: UserTask) -> dict[str, Any] | None:
    """The fact that says how much: the one that the step names, else the first number."""
    terms = bulk.terms_of(task)
    named = terms.amount_label if terms else ""
    for fact in task.facts:
        if fact["label"] == named or (not named and _is_number(fact["value"])):
            return {"label": fact["label"], "value": fact["value"]}
    return None


def why_me(actor: Actor, task: UserTask, people: Sequence[TaskAssignee]) -> str:
    """Why the task is the reader's, in a sentence; empty where it is not."""
    own = next((one for one in people if one.user_id == actor.user_id), None)
    if own is None:
        name = queries.by_places([task], actor).get(task.pk, "")
        if not name:
            return ""
        return gettext(
            "You stand in for %(name)s; your answer counts as theirs, and both names are kept."
        ) % {"name": name}
    if own.handed_by is not None:
        return gettext("%(name)s handed this over to you.") % {
            "name": own.handed_by.get_full_name()
        }
    group = _group(actor, own.via)
    if own.is_fallback:
        return gettext(
            "Nobody else could be asked; you are one of “%(group)s”, which stands in then."
        ) % {"group": group}
    if own.via:
        return gettext("You are asked as one of “%(group)s”.") % {"group": group}
    return gettext("You are asked by name.")


def similar(actor: Actor, task: UserTask) -> list[Before]:
    """What the same step of the flow asked before and how it was decided, the newest first.

    Only what the actor may see: all of it where they may view the flow's runs, else what was put
    to them or answered by them.
    """
    rows = UserTask.objects.for_workspace(task.workspace_id).filter(
        flow_id=task.flow_id,
        step=task.step,
        kind=task.kind,
        status=TaskStatus.DECIDED,
        superseded_at__isnull=True,
    )
    if not has_right(actor, "run.view", task.flow_id):
        seats = TaskAssignee.objects.filter(user=actor.user_id, dropped_at__isnull=True)
        given = Decision.objects.filter(user=actor.user_id)
        rows = rows.filter(
            Q(Exists(seats.filter(task=OuterRef("pk"))))
            | Q(Exists(given.filter(task=OuterRef("pk"))))
        )
    found = list(rows.exclude(pk=task.pk).order_by("-closed_at", "-id")[:MOST_BEFORE])
    deciders = queries.deciders(found)
    here = amount(task)
    label = here["label"] if here else ""
    now = amount_of(task.facts, label) if label else None
    return [
        Before(
            task=one,
            word=words.outcome_word(one.rule, one.outcome),
            by=deciders.get(one.pk, ""),
            at=one.closed_at or one.updated_at,
            amount=then if (then := amount_of(one.facts, label)) is not None else None,
            compared=_compared(then, now),
        )
        for one in found
    ]


def _compared(then: Decimal | None, now: Decimal | None) -> Compared | Literal[""]:
    if then is None or now is None:
        return ""
    return "same" if then == now else "less" if then < now else "more"


def _group(actor: Actor, slug: str) -> str:
    team = Team.objects.for_workspace(actor.workspace_id).filter(slug=slug).first()
    return team.shown if team else slug


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)
