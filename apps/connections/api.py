"""The API about secrets, which are set and never read, and about the allow-list."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api import page, sent
from apps.accounts.authentication import actor_of
from apps.accounts.permissions import has_right, require
from apps.accounts.schema import paged
from apps.connections import commands, queries
from apps.connections.models import AllowedHost, Secret
from apps.connections.permissions import CHANGE_HOSTS, KEEP_SECRETS
from apps.core import clock
from apps.core.idempotency import idempotent


class SecretShown(serializers.Serializer[Any]):
    """A secret without its value."""

    name = serializers.CharField()
    hosts = serializers.ListField(child=serializers.CharField())
    updated_at = serializers.DateTimeField()
    updated_by = serializers.CharField(allow_null=True)
    has_previous = serializers.BooleanField()
    previous_until = serializers.DateTimeField(allow_null=True)


class SecretSet(serializers.Serializer[Any]):
    """What a secret is set to."""

    value = serializers.CharField(required=False, trim_whitespace=False, write_only=True)
    hosts = serializers.ListField(child=serializers.CharField(), required=False)
    previous_hours = serializers.IntegerField(
        required=False, help_text="How long the value before still counts for signatures (24)."
    )


class HostAsked(serializers.Serializer[Any]):
    """A host and port inside the network."""

    host = serializers.CharField()
    port = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField()


class HostShown(HostAsked):
    """A line of the allow-list."""

    id = serializers.UUIDField()
    created_by = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()


def secret_row(secret: Secret, now: datetime) -> dict[str, Any]:
    """A secret as the API shows it."""
    live = secret.has_previous(now)
    return {
        "name": secret.name,
        "hosts": secret.hosts,
        "updated_at": secret.updated_at,
        "updated_by": secret.updated_by.name if secret.updated_by else None,
        "has_previous": live,
        "previous_until": secret.previous_until if live else None,
    }


def host_row(row: AllowedHost) -> dict[str, Any]:
    """A line of the allow-list as the API shows it."""
    return {
        "id": row.pk,
        "host": row.host,
        "port": row.port,
        "reason": row.reason,
        "created_by": row.created_by.name if row.created_by else None,
        "created_at": row.created_at,
    }


class SecretsView(APIView):
    """The secrets of the workspace."""

    @extend_schema(operation_id="secrets_list", responses=paged(SecretShown))
    def get(self, request: Request) -> Response:
        actor, now = actor_of(request), timezone.now()
        require(actor, KEEP_SECRETS)
        rows = queries.secrets(actor.workspace_id)
        return page(self, request, rows, lambda row: secret_row(row, now))


class SecretView(APIView):
    """One secret."""

    @extend_schema(request=SecretSet, responses=SecretShown)
    def put(self, request: Request, name: str) -> Response:
        wanted, now = sent(SecretSet, request), clock.now()
        hours = wanted.get("previous_hours")
        row = commands.set_secret(
            actor=actor_of(request),
            name=name,
            value=wanted.get("value"),
            hosts=wanted.get("hosts"),
            previous_for=None if hours is None else timedelta(hours=hours),
            now=now,
        )
        return Response(secret_row(row, now))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, name: str) -> Response:
        commands.delete_secret(actor=actor_of(request), name=name, now=clock.now())
        return Response(status=204)


class AllowedHostsView(APIView):
    """The allow-list: who builds flows may read it, administrators change it."""

    @extend_schema(operation_id="allowed_hosts_list", responses=paged(HostShown))
    def get(self, request: Request) -> Response:
        actor = actor_of(request)
        if not has_right(actor, KEEP_SECRETS):
            require(actor, CHANGE_HOSTS)
        return page(self, request, queries.allowed_hosts(actor.workspace_id), host_row)

    @extend_schema(request=HostAsked, responses={201: HostShown})
    @idempotent
    def post(self, request: Request) -> Response:
        row = commands.allow_host(
            actor=actor_of(request), now=clock.now(), **sent(HostAsked, request)
        )
        return Response(host_row(row), status=201)


class AllowedHostView(APIView):
    """One line of the allow-list."""

    @extend_schema(responses={204: None})
    def delete(self, request: Request, host_id: UUID) -> Response:
        commands.remove_host(actor=actor_of(request), host_id=host_id, now=clock.now())
        return Response(status=204)
