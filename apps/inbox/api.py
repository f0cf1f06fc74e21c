"""The API about tasks: mine, one, deciding."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.actors import Actor
from apps.accounts.authentication import actor_of
from apps.core import clock
from apps.core.sentences import said
from apps.engine.lifecycle import TaskStatus
from apps.inbox import (
    asking,
    bulk,
    commands,
    form_api,
    glance,
    handing,
    holding,
    queries,
    returning,
    rules,
    stages,
    stale,
    taking_back,
    thread,
    words,
)
from apps.inbox.course_api import CourseStop, NextShape, next_shown, timed
from apps.inbox.models import UserTask
from apps.inbox.recording import origin_of
from apps.runs.shapes import FlowNamed
from apps.steps.watching import POLICIES

TASK_STATUSES = [one.value for one in TaskStatus]
TASK_KINDS = list(rules.OUTCOMES)


class Requester(serializers.Serializer[Any]):
    """Who asked: a person, or the text by which the flow names them."""

    name = serializers.CharField()
    email = serializers.CharField()


class FactShape(serializers.Serializer[Any]):
    """A line of facts, as it stood when the task was opened."""

    label = serializers.CharField()  # type: ignore[assignment] # the field's name is the surface's
    value = serializers.JSONField()


class DecisionShape(serializers.Serializer[Any]):
    """What somebody answered."""

    by = serializers.CharField()
    outcome = serializers.CharField()
    word = serializers.CharField(help_text="The answer as people read it.")
    on_behalf_of = serializers.CharField(
        allow_blank=True, help_text="For whom, where somebody stood in."
    )
    in_exception = serializers.BooleanField(
        help_text="In spite of a rule, as two people had agreed."
    )
    stale = serializers.BooleanField(help_text="Whether the facts have changed since.")
    comment = serializers.CharField(allow_blank=True)
    filled_in = form_api.FilledIn(many=True)
    at = serializers.DateTimeField()


class FactChange(serializers.Serializer[Any]):
    """A fact before and after."""

    label = serializers.CharField()  # type: ignore[assignment] # the field's name is the surface's
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)


class EventChange(serializers.Serializer[Any]):
    """What an event did to the facts while people were asked."""

    at = serializers.DateTimeField()
    happened_at = serializers.DateTimeField(help_text="As whoever told of it says.")
    event = serializers.CharField(help_text="The type of the event.")
    state = serializers.ChoiceField(
        choices=["applied", "late", "failed"],
        help_text="Whether the facts changed, or it came too late or could not be read.",
    )
    policy = serializers.ChoiceField(choices=list(POLICIES))
    text = serializers.CharField(help_text="What became of the answers, in a sentence.")
    changes = FactChange(many=True)
    answered_before = serializers.ListField(child=serializers.CharField())


class StageShape(serializers.Serializer[Any]):
    """A stage before this one, and what people answered there."""

    name = serializers.CharField()
    decisions = DecisionShape(many=True)


class ExceptionShape(serializers.Serializer[Any]):
    """Somebody asks to decide in spite of a rule, and who has allowed it."""

    id = serializers.UUIDField()
    by = serializers.CharField()
    reason = serializers.CharField()
    asked_at = serializers.DateTimeField()
    allowed_by = serializers.CharField(allow_blank=True)
    may_allow = serializers.BooleanField(help_text="Whether the caller can be the second person.")


class BulkAnswer(serializers.Serializer[Any]):
    """An answer that several tasks can be given at once."""

    outcome = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment] # the field's name is the surface's
    side = serializers.ChoiceField(choices=["for", "against", "back"], allow_null=True)


class BulkOffered(serializers.Serializer[Any]):
    """With which others a task can be answered: those of the same kind, so many at most."""

    kind = serializers.CharField()
    most = serializers.IntegerField()
    answers = BulkAnswer(many=True)


class BeforeShape(serializers.Serializer[Any]):
    """What the same step asked before, and what became of it."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    word = serializers.CharField(help_text="The outcome as people read it.")
    outcome = serializers.CharField()
    by = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField()
    amount = serializers.JSONField(allow_null=True)
    compared = serializers.ChoiceField(
        choices=["less", "same", "more"],
        allow_blank=True,
        help_text="Its amount beside this one's; empty where one of them is not known.",
    )


class TaskShape(serializers.Serializer[Any]):
    """A task in a list."""

    id = serializers.UUIDField()
    run = serializers.UUIDField()
    flow = FlowNamed()
    step = serializers.CharField()
    kind = serializers.ChoiceField(choices=TASK_KINDS)
    status = serializers.ChoiceField(choices=TASK_STATUSES)
    title = serializers.CharField()
    requester = Requester(allow_null=True)
    opened_at = serializers.DateTimeField()
    due = serializers.DateTimeField(allow_null=True)
    urgency = serializers.ChoiceField(choices=["normal", "urgent"])
    next = NextShape(allow_null=True, help_text="What happens first while nobody answers.")
    outcome = serializers.CharField(allow_blank=True)
    outcome_word = serializers.CharField(
        allow_blank=True, help_text="The outcome as people read it."
    )
    pending_word = serializers.CharField(
        allow_blank=True, help_text="As what it is decided while that can be taken back."
    )
    settles_at = serializers.DateTimeField(
        allow_null=True, help_text="When that is passed on; null where nothing is held."
    )
    decided_at = serializers.DateTimeField(allow_null=True, help_text="When it ended, however.")
    decided_by = serializers.CharField(allow_blank=True)
    stands_in_for = serializers.CharField(
        allow_blank=True, help_text="Whose it is, where the caller only stands in for them."
    )
    claimed_by = serializers.CharField(allow_blank=True, help_text="Who has taken it, if anybody.")
    stage = serializers.IntegerField(help_text="Which of the stages of one question it is.")
    stages = serializers.IntegerField(help_text="How many stages the question has.")
    stage_name = serializers.CharField(
        allow_blank=True, help_text="The stage as people read it; empty where there is one."
    )
    bulk = BulkOffered(allow_null=True, help_text="Null where it has to be answered alone.")


class AnswerShape(serializers.Serializer[Any]):
    """An answer: its button, and what happens then."""

    outcome = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment] # the field's name is the surface's
    then = serializers.CharField()
    side = serializers.ChoiceField(
        choices=["for", "against", "back"],
        allow_null=True,
        help_text="Whether it lets things go on or stops them.",
    )


class ChangedShape(serializers.Serializer[Any]):
    """A fact before and now; what was not there is left out."""

    label = serializers.CharField()  # type: ignore[assignment] # the field's name is the surface's
    before = serializers.JSONField(required=False, allow_null=True)
    after = serializers.JSONField(required=False, allow_null=True)


class TakenBackShape(serializers.Serializer[Any]):
    """An answer that somebody has taken back."""

    by = serializers.CharField()
    word = serializers.CharField(help_text="The answer as people read it.")
    at = serializers.DateTimeField()


class ReturnShape(serializers.Serializer[Any]):
    """It was sent back before: by whom, why, and what has changed since."""

    by = serializers.CharField()
    reason = serializers.CharField()
    at = serializers.DateTimeField()
    changes = ChangedShape(many=True)


class QuestionShape(serializers.Serializer[Any]):
    """A question to somebody and its answer. ``state`` says how it stands where it has none."""

    id = serializers.UUIDField()
    by = serializers.CharField()
    of = serializers.CharField()
    text = serializers.CharField()
    asked_at = serializers.DateTimeField()
    answer = serializers.CharField(allow_blank=True)
    answered_at = serializers.DateTimeField(allow_null=True)
    state = serializers.CharField(allow_blank=True)
    may_answer = serializers.BooleanField()
    may_take_back = serializers.BooleanField()


class TaskDetail(TaskShape):
    """A task with everything to decide by."""

    details = serializers.CharField(allow_blank=True)
    facts = FactShape(many=True)
    seen = serializers.CharField()
    outcomes = serializers.ListField(child=serializers.CharField())
    answers = AnswerShape(many=True)
    without_answer = serializers.CharField(allow_blank=True)
    form = form_api.TaskFormShape(
        allow_null=True, help_text="What is to be filled in, for who may answer."
    )
    respond_by = serializers.DateTimeField(
        allow_null=True, help_text="By when somebody is to take it up; null once somebody has."
    )
    course = CourseStop(many=True)
    rule = serializers.CharField()
    why = serializers.CharField(
        allow_blank=True, help_text="Why it is put to the caller; empty where it is not."
    )
    amount = FactShape(allow_null=True, help_text="The fact that says how much it is about.")
    similar = BeforeShape(many=True)
    assignees = serializers.ListField(child=serializers.CharField())
    decisions = DecisionShape(many=True)
    earlier = StageShape(many=True)
    changes = EventChange(many=True, help_text="What events changed while people were asked.")
    superseded_at = serializers.DateTimeField(
        allow_null=True, help_text="Since when it counts no more, because it began anew."
    )
    anew = serializers.CharField(
        allow_blank=True, help_text="What is asked instead, where the caller may see it."
    )
    taken_back = TakenBackShape(many=True)
    undo = serializers.CharField(
        allow_blank=True,
        help_text="For how long answers can be taken back once it is decided; empty for none.",
    )
    may_take_back = serializers.BooleanField(
        help_text="Whether the caller has an answer that can still be taken back."
    )
    returned = ReturnShape(allow_null=True)
    questions = QuestionShape(many=True)
    heard = serializers.IntegerField(help_text="How many of the questions have an answer.")
    paused_at = serializers.DateTimeField(
        allow_null=True, help_text="Since when its time stands still, as somebody was asked."
    )
    may_decide = serializers.BooleanField()
    why_not = serializers.CharField(allow_null=True)
    may_claim = serializers.BooleanField()
    may_release = serializers.BooleanField()
    may_hand_over = serializers.BooleanField()
    may_ask_exception = serializers.BooleanField(
        help_text="Whether a rule keeps the caller from deciding and can be set aside."
    )
    exceptions = ExceptionShape(many=True)


class DecideShape(serializers.Serializer[Any]):
    """An answer. ``seen`` is the task's own, so that nobody answers what they did not read."""

    outcome = serializers.CharField(max_length=63)
    comment = serializers.CharField(required=False, allow_blank=True, default="", max_length=5000)
    seen = serializers.CharField(required=False, max_length=64)
    heard = serializers.IntegerField(
        required=False, min_value=0, help_text="The task's own, so that no answer is passed over."
    )
    form_hash = serializers.CharField(
        required=False, max_length=64, help_text="Names the form that was filled in."
    )
    answers = form_api.Named(
        required=False, help_text="What was filled in, where the answer needs it."
    )


class CountShape(serializers.Serializer[Any]):
    """How many tasks wait for the caller; 1,000 stands for more than 999."""

    open = serializers.IntegerField(max_value=queries.MOST_COUNTED)


class TaskCountView(APIView):
    """The badge: the same query as the list."""

    @extend_schema(responses=CountShape)
    def get(self, request: Request) -> Response:
        return Response({"open": queries.count_open(actor_of(request))})


class TaskView(APIView):
    """One task."""

    @extend_schema(responses=TaskDetail)
    def get(self, request: Request, task_id: UUID) -> Response:
        actor = actor_of(request)
        return Response(detailed(actor, queries.get_task(actor, task_id)))


class DecideView(APIView):
    """Answer a task."""

    @extend_schema(request=DecideShape, responses=TaskDetail)
    def post(self, request: Request, task_id: UUID) -> Response:
        shape = DecideShape(data=request.data)
        shape.is_valid(raise_exception=True)
        sent = shape.validated_data
        actor = actor_of(request)
        task = commands.decide_task(
            actor=actor,
            task_id=task_id,
            outcome=sent["outcome"],
            comment=sent["comment"],
            seen=sent.get("seen"),
            heard=sent.get("heard"),
            form_hash=sent.get("form_hash"),
            answers=sent.get("answers"),
            now=clock.now(),
            origin=origin_of(request, "api" if actor.kind == "token" else "app"),
        )
        return Response(detailed(actor, task))


def shown(tasks: Sequence[UserTask], actor: Actor) -> list[dict[str, Any]]:
    """Tasks as lists show them."""
    flows, deciders = queries.flow_names(tasks), queries.deciders(tasks)
    others, taken = queries.by_places(tasks, actor), queries.claimers(tasks)
    coming = next_shown(tasks)
    return [
        {
            "id": task.pk,
            "run": task.run_id,
            "flow": {"id": task.flow_id, "name": flows.get(task.flow_id, "")},
            "step": task.step,
            "kind": task.kind,
            "status": task.status,
            "title": task.title,
            "requester": _requester(task),
            "opened_at": task.opened_at,
            "due": task.due_at,
            "urgency": task.urgency,
            "next": coming.get(task.pk),
            "outcome": task.outcome,
            "outcome_word": words.outcome_word(task.rule, task.outcome) if task.outcome else "",
            "pending_word": words.outcome_word(task.rule, task.pending) if task.pending else "",
            "settles_at": task.settles_at,
            "decided_at": task.closed_at,
            "decided_by": deciders.get(task.pk, ""),
            "stands_in_for": others.get(task.pk, ""),
            "claimed_by": taken.get(task.pk, ""),
            "stage": task.stage,
            "stages": task.stages,
            "stage_name": stages.name_of(task),
            "bulk": bulk.offered(task),
        }
        for task in tasks
    ]


def detailed(actor: Actor, task: UserTask) -> dict[str, Any]:
    """A task with everything to decide by."""
    queries.read_once(task)
    now, people = clock.now(), queries.assignees_of(task)
    refused = commands.refusal_for(actor, task, now)
    questions = asking.questions_of(task)
    waits = task.status == TaskStatus.OPEN and not holding.is_held(task)
    return {
        **shown([task], actor)[0],
        "details": task.details,
        "facts": task.facts,
        "seen": task.seen,
        "outcomes": list(rules.outcomes(task.kind, task.rule)),
        "answers": [
            {"outcome": one.outcome, "label": one.label, "then": one.then, "side": one.side}
            for one in words.answers(task, people)
        ],
        "without_answer": words.without_answer(task),
        "form": form_api.shown(actor, task) if refused is None else None,
        **timed(task),
        "rule": words.rule_sentence(task.rule, people),
        "why": glance.why_me(actor, task, people),
        "amount": glance.amount(task),
        "similar": [_before(one) for one in glance.similar(actor, task)],
        "assignees": [one.user.get_full_name() for one in people],
        "decisions": _decisions(task),
        "earlier": [
            {"name": stages.name_of(one), "decisions": _decisions(one)}
            for one in queries.earlier_stages(task)
        ],
        "changes": stale.shown(task),
        "superseded_at": task.superseded_at,
        "anew": queries.anew_for(actor, task),
        "taken_back": [
            {
                "by": one["by"],
                "word": words.outcome_word(task.rule, one["outcome"]),
                "at": one["at"],
            }
            for one in taking_back.taken_back(task)
        ],
        "undo": holding.undo_said(task),
        "may_take_back": taking_back.may_take_back(actor, task, now),
        "returned": _returned(task),
        "questions": thread.shown(actor, task, questions, may_decide=refused is None),
        "heard": sum(one.answered_at is not None for one in questions),
        "paused_at": task.paused_at if waits else None,
        "may_decide": refused is None,
        "why_not": said(refused.message) if refused else None,
        **handing.offered(actor, task, refused),
    }


def _before(one: glance.Before) -> dict[str, Any]:
    return {
        "id": one.task.pk,
        "title": one.task.title,
        "word": one.word,
        "outcome": one.task.outcome,
        "by": one.by,
        "at": one.at,
        "amount": one.amount,
        "compared": one.compared,
    }


def _returned(task: UserTask) -> dict[str, Any] | None:
    found = returning.returned(task)
    if found is None:
        return None
    return {
        "by": found.decision.user.get_full_name(),
        "reason": found.decision.comment,
        "at": found.at,
        "changes": [
            {
                "label": words.changed_label(one.label),
                **({"before": one.before} if one.before is not returning.ABSENT else {}),
                **({"after": one.after} if one.after is not returning.ABSENT else {}),
            }
            for one in found.changes
        ],
    }


def _decisions(task: UserTask) -> list[dict[str, Any]]:
    given = queries.decisions_of(task)
    behind = stale.stale_of(task, given, stages.facts_now(task))
    return [
        {
            "by": one.user.get_full_name(),
            "outcome": one.outcome,
            "word": words.outcome_word(task.rule, one.outcome),
            "on_behalf_of": one.on_behalf_of.get_full_name() if one.on_behalf_of else "",
            "in_exception": one.exception_id is not None,
            "stale": one.pk in behind,
            "comment": one.comment,
            "filled_in": form_api.filled(task, one.answers),
            "at": one.decided_at,
        }
        for one in given
    ]


def _requester(task: UserTask) -> dict[str, str] | None:
    if task.requester is not None:
        return {"name": task.requester.get_full_name(), "email": task.requester.email}
    if task.requester_text:
        return {"name": task.requester_text, "email": task.requester_text}
    return None
