"""The API about whose task it is: taking, giving back, handing over, standing in, exceptions."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.actors import Actor
from apps.accounts.api import sent
from apps.accounts.authentication import actor_of
from apps.accounts.models import User
from apps.accounts.permissions import DECIDING_ROLES, require
from apps.accounts.queries import deciders_in
from apps.accounts.schema import paged
from apps.core import clock
from apps.core.http import CursorPages
from apps.core.idempotency import idempotent
from apps.flows.models import Flow
from apps.inbox import delegating, handing, rules
from apps.inbox.api import TaskDetail, detailed
from apps.inbox.models import Delegation, UserTask


class HandOver(serializers.Serializer[Any]):
    """To whom, and why."""

    to = serializers.CharField(max_length=254, help_text="A mail address.")
    reason = serializers.CharField(max_length=5000)


class ExceptionAsked(serializers.Serializer[Any]):
    """Why."""

    reason = serializers.CharField(max_length=5000)


class ReleaseReason(serializers.Serializer[Any]):
    """Why, if there is something to say."""

    reason = serializers.CharField(max_length=5000, allow_blank=True, default="")


class Reassign(HandOver):
    """Whose tasks, and which of them; all where none is named."""

    person = serializers.UUIDField(help_text="The id of the person.")
    tasks = serializers.ListField(
        child=serializers.UUIDField(), required=False, max_length=handing.MOST_AT_ONCE
    )


class ReassignedOne(serializers.Serializer[Any]):
    """What became of one task; ``problem`` is empty where it was handed over."""

    task = serializers.UUIDField()
    title = serializers.CharField()
    problem = serializers.CharField(allow_blank=True)


class Reassigned(serializers.Serializer[Any]):
    """What became of each."""

    results = ReassignedOne(many=True)


class Colleague(serializers.Serializer[Any]):
    """Somebody who can be asked to decide."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    email = serializers.EmailField()


class DelegationAsked(serializers.Serializer[Any]):
    """Who stands in, how long, and for what; empty is everything."""

    person = serializers.UUIDField(required=False, help_text="Oneself where nobody is named.")
    to = serializers.CharField(
        max_length=254, allow_blank=True, default="", help_text="Empty for the deputy."
    )
    begins_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    kinds = serializers.ListField(
        child=serializers.ChoiceField(choices=list(rules.OUTCOMES)), default=list
    )
    flows = serializers.ListField(child=serializers.UUIDField(), default=list, max_length=200)
    amount_label = serializers.CharField(max_length=100, allow_blank=True, default="")
    amount_limit = serializers.DecimalField(
        max_digits=30, decimal_places=6, allow_null=True, default=None
    )
    without_high_risk = serializers.BooleanField(default=False)
    reason = serializers.CharField(max_length=1000, allow_blank=True, default="")


class FlowRef(serializers.Serializer[Any]):
    """A flow by its name."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class DelegationShown(serializers.Serializer[Any]):
    """Somebody who stands in, now or later."""

    id = serializers.UUIDField()
    person = Colleague()
    to = Colleague(allow_null=True, help_text="Null is the deputy.")
    begins_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    kinds = serializers.ListField(child=serializers.CharField())
    flows = FlowRef(many=True)
    amount_label = serializers.CharField(allow_blank=True)
    amount_limit = serializers.DecimalField(max_digits=30, decimal_places=6, allow_null=True)
    without_high_risk = serializers.BooleanField()
    reason = serializers.CharField(allow_blank=True)


class ClaimView(APIView):
    """Take a task of several people."""

    @extend_schema(request=None, responses=TaskDetail)
    def post(self, request: Request, task_id: UUID) -> Response:
        actor = actor_of(request)
        return _task(actor, handing.claim_task(actor=actor, task_id=task_id, now=clock.now()))


class ReleaseView(APIView):
    """Give a task back."""

    @extend_schema(request=ReleaseReason, responses=TaskDetail)
    def post(self, request: Request, task_id: UUID) -> Response:
        actor, reason = actor_of(request), sent(ReleaseReason, request)["reason"]
        return _task(
            actor,
            handing.release_task(actor=actor, task_id=task_id, reason=reason, now=clock.now()),
        )


class HandOverView(APIView):
    """Give one's place to a named person."""

    @extend_schema(request=HandOver, responses={204: None})
    def post(self, request: Request, task_id: UUID) -> Response:
        handing.hand_over_task(
            actor=actor_of(request), task_id=task_id, now=clock.now(), **sent(HandOver, request)
        )
        return Response(status=204)


class ExceptionsView(APIView):
    """Ask to decide in spite of a rule."""

    @extend_schema(request=ExceptionAsked, responses={201: TaskDetail})
    def post(self, request: Request, task_id: UUID) -> Response:
        actor = actor_of(request)
        found = handing.ask_exception(
            actor=actor, task_id=task_id, now=clock.now(), **sent(ExceptionAsked, request)
        )
        return _task(actor, found.task, status=201)


class AllowView(APIView):
    """Be the second person who sets a rule aside."""

    @extend_schema(request=None, responses=TaskDetail)
    def post(self, request: Request, task_id: UUID, exception_id: UUID) -> Response:
        actor = actor_of(request)
        found = handing.allow_exception(
            actor=actor, task_id=task_id, exception_id=exception_id, now=clock.now()
        )
        return _task(actor, found.task)


class ReassignView(APIView):
    """Hand a person's open tasks to somebody else, with a result for each."""

    @extend_schema(request=Reassign, responses=Reassigned)
    def post(self, request: Request) -> Response:
        actor = actor_of(request)
        require(actor, "people.manage")
        wanted = sent(Reassign, request)
        moved = handing.reassign_tasks(
            actor=actor,
            person_id=wanted["person"],
            to=wanted["to"],
            reason=wanted["reason"],
            task_ids=wanted.get("tasks"),
            now=clock.now(),
        )
        return Response({"results": [moved_row(one) for one in moved]})


class _ByAddress(CursorPages):
    ordering = "email"


class ColleaguesView(APIView):
    """People of the workspace who can be asked to decide: to hand over to, or to stand in."""

    @extend_schema(operation_id="colleagues", responses=paged(Colleague))
    def get(self, request: Request) -> Response:
        actor = actor_of(request)
        require(actor, "task.decide")
        pages = _ByAddress()
        rows = deciders_in(actor.workspace_id, teams=DECIDING_ROLES)
        found = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response([_colleague(one) for one in found])


class DelegationsView(APIView):
    """Who stands in for the caller and for whom the caller does; for an administrator all."""

    @extend_schema(operation_id="delegations_list", responses=paged(DelegationShown))
    def get(self, request: Request) -> Response:
        actor = actor_of(request)
        pages = CursorPages()
        rows = delegating.delegations(actor, clock.now())
        found = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response(_delegations(found))

    @extend_schema(request=DelegationAsked, responses={201: DelegationShown})
    @idempotent
    def post(self, request: Request) -> Response:
        wanted = sent(DelegationAsked, request)
        scope = delegating.Scope(
            **{
                name: wanted.pop(name)
                for name in ("kinds", "flows", "amount_label", "amount_limit", "without_high_risk")
            }
        )
        row = delegating.delegate(
            actor=actor_of(request),
            person_id=wanted.pop("person", None),
            scope=scope,
            now=clock.now(),
            **wanted,
        )
        return Response(_delegations([row])[0], status=201)


class DelegationView(APIView):
    """One of them."""

    @extend_schema(responses={204: None})
    def delete(self, request: Request, delegation_id: UUID) -> Response:
        delegating.end_delegation(
            actor=actor_of(request), delegation_id=delegation_id, now=clock.now()
        )
        return Response(status=204)


def moved_row(one: handing.Moved) -> dict[str, Any]:
    """What became of one task."""
    return {"task": one.task.pk, "title": one.task.title, "problem": one.problem}


def _task(actor: Actor, task: UserTask, status: int = 200) -> Response:
    return Response(detailed(actor, UserTask.objects.get(pk=task.pk)), status=status)


def _colleague(user: User) -> dict[str, Any]:
    return {"id": user.pk, "name": user.get_full_name(), "email": user.email}


def _delegations(rows: Sequence[Delegation]) -> list[dict[str, Any]]:
    ids = {flow for row in rows for flow in row.flows}
    names = {
        str(pk): name for pk, name in Flow.objects.filter(pk__in=ids).values_list("pk", "name")
    }
    return [
        {
            "id": row.pk,
            "person": _colleague(row.person),
            "to": _colleague(row.to) if row.to else None,
            "begins_at": row.begins_at,
            "ends_at": row.ends_at,
            "kinds": row.kinds,
            "flows": [{"id": one, "name": names.get(one, "")} for one in row.flows],
            "amount_label": row.amount_label,
            "amount_limit": row.amount_limit,
            "without_high_risk": row.without_high_risk,
            "reason": row.reason,
        }
        for row in rows
    ]
