"""Answer several tasks of one kind at once, where their flow says so; each through every check.

Of one kind: the same step, and stage, of the same version. The step names how many and up to which
amount; where the flow's risk is high it must say that, too. Each task is answered in a transaction
of its own, by the same command as alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

from apps.accounts.actors import Actor
from apps.accounts.permissions import require
from apps.core.errors import Conflict, Forbidden, Invalid, ProductError
from apps.engine import values
from apps.engine.lifecycle import TaskStatus
from apps.flows.compiled import compiled
from apps.inbox import asking, commands, queries, recording, rules, words
from apps.inbox.duties import HIGH
from apps.inbox.holding import is_held
from apps.inbox.models import BulkDecision, Decision, UserTask
from apps.inbox.standing_in import amount_of

#: No flow allows more.
MOST = 100


class NotInBulk(Conflict):
    """The flow does not let this be answered together with others."""

    code = "not_in_bulk"


class OverLimit(NotInBulk):
    """It is about too much, or it is not known about how much."""

    code = "over_limit"


class BulkReused(Conflict):
    """The id came before with something else."""

    code = "bulk_reused"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a step says of answering several at once."""

    most: int
    amount_label: str
    amount_limit: Decimal


@dataclass(frozen=True, slots=True)
class Item:
    """A task to answer, and what was shown of it."""

    task_id: UUID
    seen: str


@dataclass(frozen=True, slots=True)
class Line:
    """One task of several: ``refused`` says why it is not answered; None where it is, or would be.

    ``task`` is None where the actor may not even see it.
    """

    task_id: UUID
    task: UserTask | None
    refused: ProductError | None = None


def terms_of(task: UserTask) -> Terms | None:
    """What the task's step says of it; None where it has to be answered alone."""
    if task.kind != rules.APPROVAL:
        return None
    said = compiled(task.version_id).steps[task.step].raw.get("bulk")
    if not isinstance(said, Mapping) or (task.risk == HIGH and not said.get("high_risk")):
        return None
    return Terms(
        min(int(said.get("max", MOST)), MOST),
        str(said["amount_label"]),
        Decimal(str(said["amount_limit"])),
    )


def kind_of(task: UserTask) -> str:
    """What tasks must share to be answered together."""
    return f"{task.version_id}/{task.step}/{task.stage}"


def refusal_of(task: UserTask) -> ProductError | None:
    """Why a task cannot be answered together with others; None where it can."""
    if task.form_hash:
        return NotInBulk("This needs a form filled in; answer it alone.")
    terms = terms_of(task)
    if terms is None:
        return NotInBulk("The flow does not let this be answered together with others.")
    amount = amount_of(task.facts, terms.amount_label)
    if amount is None:
        return OverLimit(
            f"How much it is about is not known: there is no number “{terms.amount_label}”."
        )
    if amount >= terms.amount_limit:
        return OverLimit(
            f"“{terms.amount_label}” is not below {terms.amount_limit:f}; answer this one alone."
        )
    return None


def offered(task: UserTask) -> dict[str, Any] | None:
    """How a task can be answered together with others; None where it cannot, or not any more."""
    terms = terms_of(task)
    if (
        task.status != TaskStatus.OPEN
        or is_held(task)
        or terms is None
        or refusal_of(task) is not None
    ):
        return None
    return {
        "kind": kind_of(task),
        "most": terms.most,
        "answers": [
            {"outcome": one, "label": words.button(task.rule, one), "side": side}
            for one in rules.outcomes(task.kind, task.rule)
            # What is sent back needs a word of its own.
            if (side := rules.side(task.rule, one)) != "back"
        ],
    }


def preview(actor: Actor, task_ids: Sequence[UUID], now: datetime) -> list[Line]:
    """What would become of each task if the actor answered them together now.

    Raises:
        Invalid: None, too many, the same twice, or tasks of several kinds.
    """
    lines = [_looked_at(actor, one, now) for one in _distinct(task_ids)]
    _check_kind(lines)
    return lines


def decide_tasks(
    *,
    actor: Actor,
    bulk_id: UUID,
    items: Sequence[Item],
    outcome: str,
    comment: str,
    now: datetime,
    origin: recording.Origin | None = None,
) -> list[Line]:
    """Answer several tasks alike; a result for each, in the order given.

    Sent again under the same id, what was answered stays answered and the rest is tried again.

    Raises:
        Invalid: As for ``preview``, or the comment cannot be kept.
        BulkReused: The id came before with something else.
        OutOfScope, Forbidden: The actor may decide nothing at all.

    Locks:
        One task's row at a time.
    """
    require(actor, "task.decide")
    if actor.user_id is None:
        raise Forbidden("Only a person decides.")
    commands.check_comment(comment)
    ids = _distinct([one.task_id for one in items])
    found = [_seen_by(actor, one) for one in ids]
    _check_kind(found)
    bulk = _bulk(actor, bulk_id, {"outcome": outcome, "comment": comment}, items, now)
    answered = set(bulk.decisions.values_list("task", flat=True))
    lines = []
    for line, item in zip(found, items, strict=True):
        refused = line.refused or (refusal_of(line.task) if line.task else None)
        if refused is None and line.task and item.task_id not in answered:
            refused = _asked(line.task) or _try(actor, bulk, item, now, origin)
        lines.append(Line(line.task_id, line.task, refused))
    return lines


def _try(
    actor: Actor,
    bulk: BulkDecision,
    item: Item,
    now: datetime,
    origin: recording.Origin | None,
) -> ProductError | None:
    try:
        commands.decide_task(
            actor=actor,
            task_id=item.task_id,
            outcome=bulk.outcome,
            comment=bulk.comment,
            seen=item.seen,
            now=now,
            origin=origin,
            bulk=bulk,
        )
    except ProductError as refused:
        # The same bulk, sent twice at once: the other one has answered it.
        if Decision.objects.filter(bulk=bulk, task=item.task_id).exists():
            return None
        return refused
    return None


def _looked_at(actor: Actor, task_id: UUID, now: datetime) -> Line:
    line = _seen_by(actor, task_id)
    if line.task is None:
        return line
    refused = refusal_of(line.task) or _asked(line.task)
    refused = refused or commands.refusal_for(actor, line.task, now)
    return Line(task_id, line.task, refused)


def _asked(task: UserTask) -> ProductError | None:
    """What somebody has asked or answered is read before it is decided, so not among others."""
    if asking.questions_of(task):
        return NotInBulk("Somebody was asked for more about this; answer it alone.")
    return None


def _seen_by(actor: Actor, task_id: UUID) -> Line:
    try:
        return Line(task_id, queries.get_task(actor, task_id))
    except ProductError as refused:
        return Line(task_id, None, refused)


def _distinct(task_ids: Sequence[UUID]) -> Sequence[UUID]:
    if not task_ids or len(task_ids) > MOST:
        raise Invalid(f"Choose at least one task, and at most {MOST}.")
    if len(set(task_ids)) < len(task_ids):
        raise Invalid("A task is named twice; choose each once.")
    return task_ids


def _check_kind(lines: Sequence[Line]) -> None:
    tasks = [one.task for one in lines if one.task is not None]
    if len({kind_of(one) for one in tasks}) > 1:
        raise Invalid("Choose tasks of one kind: the same step of the same version of a flow.")
    terms = terms_of(tasks[0]) if tasks else None
    if terms is not None and len(lines) > terms.most:
        raise Invalid(f"The flow lets at most {terms.most} of these be answered together.")


def _bulk(
    actor: Actor, bulk_id: UUID, answer: Mapping[str, str], items: Sequence[Item], now: datetime
) -> BulkDecision:
    sent = {**answer, "items": [[str(one.task_id), one.seen] for one in items]}
    digest = sha256(values.dumps(sent).encode()).hexdigest()
    assert actor.user_id is not None  # noqa: S101 - nobody else comes as far as this
    bulk, _ = BulkDecision.objects.get_or_create(
        pk=bulk_id,
        defaults={
            "workspace_id": actor.workspace_id,
            "user_id": actor.user_id,
            **answer,
            "sent": digest,
            "created_at": now,
        },
    )
    same = (bulk.workspace_id, bulk.user_id, bulk.sent)
    if same != (actor.workspace_id, actor.user_id, digest):
        raise BulkReused("These were sent before with another answer; choose the tasks again.")
    return bulk
