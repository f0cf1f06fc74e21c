"""The API of the wizard for somebody who leaves: what is theirs, and handing it on."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api import sent
from apps.accounts.authentication import actor_of
from apps.core import clock
from apps.operations import leaving


class OwnedFlow(serializers.Serializer[Any]):
    """A flow of theirs."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    state = serializers.CharField()
    is_scheduled = serializers.BooleanField(help_text="It starts by itself at set times.")


class OpenTask(serializers.Serializer[Any]):
    """A task that waits for them; ``problem`` is why the successor cannot have it."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    problem = serializers.CharField(allow_blank=True)


class GrantedFlow(serializers.Serializer[Any]):
    """Rights on one flow."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    rights = serializers.ListField(child=serializers.CharField())


class BelongingsShape(serializers.Serializer[Any]):
    """Everything a person has in the workspace."""

    flows = OwnedFlow(many=True)
    tasks = OpenTask(many=True)
    grants = GrantedFlow(many=True)
    tokens = serializers.ListField(child=serializers.CharField())
    teams = serializers.ListField(child=serializers.CharField())
    manager_of = serializers.ListField(child=serializers.CharField())
    deputy_of = serializers.ListField(child=serializers.CharField())
    delegations = serializers.IntegerField()


class Rehome(serializers.Serializer[Any]):
    """To whom, and why."""

    to = serializers.CharField(max_length=254, help_text="A mail address.")
    reason = serializers.CharField(max_length=1000)


class BelongingsView(APIView):
    """What a person would leave behind."""

    @extend_schema(
        operation_id="belongings",
        parameters=[OpenApiParameter("to", str, description="Who would be given it.")],
        responses=BelongingsShape,
    )
    def get(self, request: Request, member_id: UUID) -> Response:
        found = leaving.belongings(
            actor=actor_of(request),
            membership_id=member_id,
            to=request.query_params.get("to", ""),
            now=clock.now(),
        )
        return Response(_shown(found))


class RehomeView(APIView):
    """Hand it all on and end the person's way in."""

    @extend_schema(operation_id="rehome", request=Rehome, responses=BelongingsShape)
    def post(self, request: Request, member_id: UUID) -> Response:
        found = leaving.rehome(
            actor=actor_of(request),
            membership_id=member_id,
            now=clock.now(),
            **sent(Rehome, request),
        )
        return Response(_shown(found))


def _shown(found: leaving.Belongings) -> dict[str, Any]:
    return {
        "flows": [
            {
                "id": one.pk,
                "name": one.name,
                "state": one.state,
                "is_scheduled": one.pk in found.scheduled,
            }
            for one in found.flows
        ],
        "tasks": [
            {"id": task.pk, "title": task.title, "problem": problem}
            for task, problem in found.tasks
        ],
        "grants": [
            {"id": flow.pk, "name": flow.name, "rights": rights} for flow, rights in found.grants
        ],
        "tokens": [one.name for one in found.tokens],
        "teams": [one.name for one in found.teams],
        "manager_of": [one.user.get_full_name() for one in found.leads],
        "deputy_of": [one.user.get_full_name() for one in found.stands_in_for],
        "delegations": len(found.delegations),
    }
