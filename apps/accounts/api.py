"""The API about people: who am I, who belongs here, who may what, which keys are about."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers as drf
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts import commands, places, queries
from apps.accounts import serializers as shapes
from apps.accounts.authentication import actor_of
from apps.accounts.models import User
from apps.accounts.permissions import require
from apps.accounts.schema import paged
from apps.accounts.sessions import SessionStore
from apps.core import clock
from apps.core.errors import Forbidden, NotFound
from apps.core.http import CursorPages
from apps.core.idempotency import idempotent


def sent(shape: type[drf.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The body, checked against its shape; what does not fit is 422 with a sentence a field."""
    serializer = shape(data=request.data)
    serializer.is_valid(raise_exception=True)
    data: dict[str, Any] = serializer.validated_data
    return data


def page(view: APIView, request: Request, rows: QuerySet[Any], row: Any) -> Response:
    """One cursor page of rows, newest first, each shown by ``row``."""
    pages = CursorPages()
    found = pages.paginate_queryset(rows, request, view=view)
    return pages.get_paginated_response([row(one) for one in found or []])


def _person(request: Request) -> User:
    if not isinstance(request.user, User):
        raise NotFound("There is no such person.")
    return request.user


def _browser(request: Request) -> SessionStore:
    """The session of a signed-in browser; a token has none."""
    session = request._request.session  # noqa: SLF001 - DRF's request has no session of its own
    if actor_of(request).kind != "person" or not isinstance(session, SessionStore):
        raise Forbidden("Only the person, signed in, can do this; a token cannot.")
    return session


class MeView(APIView):
    """The signed-in person in the workspace they look at."""

    @extend_schema(responses=shapes.Me)
    def get(self, request: Request) -> Response:
        return Response(self._row(request))

    @extend_schema(request=shapes.MeChange, responses=shapes.Me)
    def patch(self, request: Request) -> Response:
        changed = sent(shapes.MeChange, request)
        request.user = commands.update_profile(actor=actor_of(request), now=clock.now(), **changed)
        return Response(self._row(request))

    def _row(self, request: Request) -> shapes.Row:
        actor, user = actor_of(request), _person(request)
        mine = list(queries.workspaces_of(user.pk))
        here = queries.get_workspace_of(user, actor.workspace_slug)
        rights = queries.rights_of(actor)
        return {
            "id": user.pk,
            "email": user.email,
            "name": user.name,
            "theme": user.theme,
            "language": user.language,
            "zone": user.zone,
            "workspace": {"id": here.pk, "slug": here.slug, "name": here.name, "zone": here.zone},
            "workspaces": [{"slug": one.slug, "name": one.name} for one in mine],
            "roles": sorted(actor.roles),
            "teams": sorted(actor.team_slugs),
            "rights": rights,
            "needs": queries.needs_of(rights),
            "admins": queries.administrators(actor.workspace_id),
            "embedded": settings.EMBEDDED,
        }


class MyWorkspaceView(APIView):
    """Which workspace this browser looks at."""

    @extend_schema(request=shapes.WorkspaceChoice, responses={204: None})
    def post(self, request: Request) -> Response:
        session = _browser(request)
        workspace = queries.get_workspace_of(
            _person(request), sent(shapes.WorkspaceChoice, request)["slug"]
        )
        commands.note_workspace(actor=actor_of(request), workspace=workspace, now=clock.now())
        session[queries.WORKSPACE_KEY] = str(workspace.pk)
        return Response(status=204)


class MyPasswordView(APIView):
    """One's own password."""

    @extend_schema(request=shapes.PasswordChange, responses={204: None})
    def post(self, request: Request) -> Response:
        session = _browser(request)
        wanted = sent(shapes.PasswordChange, request)
        user = commands.change_password(
            actor=actor_of(request),
            current=wanted["current"],
            new=wanted["new"],
            keep=session,
            now=clock.now(),
        )
        # This session goes on, under its new key, with the new password's mark in it.
        update_session_auth_hash(request._request, user)  # noqa: SLF001 - Django's function takes Django's request
        return Response(status=204)


class MySessionsView(APIView):
    """Browsers signed in as the caller."""

    @extend_schema(operation_id="me_sessions_list", responses=paged(shapes.SessionShown))
    def get(self, request: Request) -> Response:
        current = _browser(request).row_id
        rows = queries.sessions_of(_person(request).pk)[:200]
        results = [shapes.session_row(one, current) for one in rows]
        return Response({"results": results, "next": None, "previous": None})


class EndSessionsView(APIView):
    """Sign out one browser, or all but this one."""

    @extend_schema(request=shapes.SessionEnd, responses={204: None})
    def post(self, request: Request) -> Response:
        session, actor, now = _browser(request), actor_of(request), clock.now()
        session_id = sent(shapes.SessionEnd, request).get("id")
        if session_id is None:
            commands.end_sessions(actor=actor, keep=session.session_key, now=now)
        else:
            commands.end_session(actor=actor, session_id=session_id, now=now)
        return Response(status=204)


class MembersView(APIView):
    """The people of the workspace; everybody but an approver may know who they are."""

    @extend_schema(operation_id="members_list", responses=paged(shapes.MemberShown))
    def get(self, request: Request) -> Response:
        actor = actor_of(request)
        require(actor, "flow.view")
        today = places.today(actor.workspace_id, clock.now())
        known = places.places_on(actor.workspace_id, today)
        return page(
            self,
            request,
            queries.members(actor.workspace_id),
            lambda member: shapes.member_row(member, known.get(member.user_id)),
        )


class MemberView(APIView):
    """One person's roles, teams and way in."""

    @extend_schema(request=shapes.MemberChange, responses=shapes.MemberShown)
    def patch(self, request: Request, member_id: UUID) -> Response:
        member = commands.change_member(
            actor=actor_of(request),
            membership_id=member_id,
            now=clock.now(),
            **sent(shapes.MemberChange, request),
        )
        return Response(shapes.member_row(member))


class InvitationsView(APIView):
    """Invitations without an answer so far."""

    @extend_schema(operation_id="invitations_list", responses=paged(shapes.InvitationShown))
    def get(self, request: Request) -> Response:
        actor = actor_of(request)
        require(actor, "people.manage")
        rows = queries.open_invitations(actor.workspace_id)
        return page(self, request, rows, shapes.invitation_row)

    @extend_schema(request=shapes.InvitationAsked, responses={201: shapes.InvitationShown})
    @idempotent
    def post(self, request: Request) -> Response:
        invitation = commands.invite_member(
            actor=actor_of(request), now=clock.now(), **sent(shapes.InvitationAsked, request)
        )
        return Response(shapes.invitation_row(invitation), status=201)


class InvitationView(APIView):
    """One open invitation."""

    @extend_schema(responses={204: None})
    def delete(self, request: Request, invitation_id: UUID) -> Response:
        commands.revoke_invitation(
            actor=actor_of(request), invitation_id=invitation_id, now=clock.now()
        )
        return Response(status=204)


class TeamsView(APIView):
    """Roles and teams of the workspace."""

    @extend_schema(operation_id="teams_list", responses=paged(shapes.TeamShown))
    def get(self, request: Request) -> Response:
        actor = actor_of(request)
        require(actor, "flow.view")
        return page(self, request, queries.teams_of(actor.workspace_id), shapes.team_row)

    @extend_schema(request=shapes.TeamAsked, responses={201: shapes.TeamShown})
    @idempotent
    def post(self, request: Request) -> Response:
        team = commands.create_team(
            actor=actor_of(request), now=clock.now(), **sent(shapes.TeamAsked, request)
        )
        return Response(shapes.team_row(team), status=201)


class TeamView(APIView):
    """One team."""

    @extend_schema(request=shapes.TeamChange, responses=shapes.TeamShown)
    def patch(self, request: Request, team_id: UUID) -> Response:
        team = commands.rename_team(
            actor=actor_of(request),
            team_id=team_id,
            now=clock.now(),
            **sent(shapes.TeamChange, request),
        )
        return Response(shapes.team_row(team))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, team_id: UUID) -> Response:
        commands.delete_team(actor=actor_of(request), team_id=team_id, now=clock.now())
        return Response(status=204)


class TokensView(APIView):
    """Live tokens: the caller's, or the workspace's for who manages them."""

    @extend_schema(operation_id="tokens_list", responses=paged(shapes.TokenShown))
    def get(self, request: Request) -> Response:
        return page(self, request, queries.tokens_for(actor_of(request)), shapes.token_row)

    @extend_schema(request=shapes.TokenAsked, responses={201: shapes.TokenMade})
    def post(self, request: Request) -> Response:
        made: list[str] = []
        response = self._create(request, made)
        if made:
            # Added after the answer was kept for repeats: the value is stored nowhere, so a
            # repeat under the same Idempotency-Key gets the row without it.
            response.data = {**response.data, "token": made[0]}
        return response

    @idempotent
    def _create(self, request: Request, made: list[str]) -> Response:
        token, value = commands.create_token(
            actor=actor_of(request), now=clock.now(), **sent(shapes.TokenAsked, request)
        )
        made.append(value)
        return Response(shapes.token_row(token), status=201)


class TokenView(APIView):
    """One token."""

    @extend_schema(responses={204: None})
    def delete(self, request: Request, token_id: UUID) -> Response:
        commands.revoke_token(actor=actor_of(request), token_id=token_id, now=clock.now())
        return Response(status=204)


class CalendarView(APIView):
    """When people of the workspace work, for waits and limits in working time."""

    @extend_schema(operation_id="calendar", responses=shapes.WorkingCalendarShape)
    def get(self, request: Request) -> Response:
        actor = actor_of(request)
        require(actor, "settings.manage")
        found = queries.calendar_shown(actor.workspace_id)
        return Response(shapes.WorkingCalendarShape(found).data)

    @extend_schema(
        operation_id="calendar_set",
        request=shapes.WorkingCalendarShape,
        responses=shapes.WorkingCalendarShape,
    )
    def put(self, request: Request) -> Response:
        actor = actor_of(request)
        require(actor, "settings.manage")
        wanted = sent(shapes.WorkingCalendarShape, request)
        kept = commands.set_calendar(actor=actor, now=clock.now(), **wanted)
        return Response(shapes.WorkingCalendarShape(kept).data)


class FlowGrantsView(APIView):
    """Who may do what to one flow beyond what their role says."""

    @extend_schema(responses=shapes.Grants)
    def get(self, request: Request, flow_id: UUID) -> Response:
        actor = actor_of(request)
        require(actor, "flow.view", flow_id)
        return Response({"grants": queries.grants_on(actor.workspace_id, flow_id)})

    @extend_schema(request=shapes.Grants, responses=shapes.Grants)
    def put(self, request: Request, flow_id: UUID) -> Response:
        actor = actor_of(request)
        wanted = sent(shapes.Grants, request)["grants"]
        commands.set_flow_grants(
            actor=actor,
            flow_id=flow_id,
            grants=[
                (
                    commands.GrantSubject(one["subject"]["kind"], one["subject"]["id"]),
                    one["rights"],
                )
                for one in wanted
            ],
            now=clock.now(),
        )
        return Response({"grants": queries.grants_on(actor.workspace_id, flow_id)})
