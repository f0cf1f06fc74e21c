"""The API about where people stand: their places, the file of them, calendars of their own."""

from __future__ import annotations

import binascii
from base64 import b64decode
from datetime import date
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts import commands, places, queries
from apps.accounts import serializers as shapes
from apps.accounts.api import sent
from apps.accounts.authentication import actor_of
from apps.accounts.commands.importing import Line
from apps.accounts.permissions import require
from apps.core import clock
from apps.core.errors import Invalid, NotFound


class PlaceView(APIView):
    """Where a person stands, and stood."""

    @extend_schema(
        operation_id="place",
        parameters=[OpenApiParameter("on", str, description="The day asked about; else today.")],
        responses=shapes.Places,
    )
    def get(self, request: Request, member_id: UUID) -> Response:
        actor = actor_of(request)
        require(actor, "people.manage")
        return Response(_places(actor.workspace_id, member_id, request.query_params.get("on")))

    @extend_schema(operation_id="place_set", request=shapes.PlaceAsked, responses=shapes.Places)
    def put(self, request: Request, member_id: UUID) -> Response:
        actor = actor_of(request)
        wanted = sent(shapes.PlaceAsked, request)
        commands.place_member(
            actor=actor,
            membership_id=member_id,
            begins_on=wanted["from"],
            place=commands.Place(
                manager_id=wanted["manager"],
                deputy_id=wanted["deputy"],
                department=wanted["department"],
                zone=wanted["zone"],
            ),
            language=wanted.get("language"),
            reason=wanted["reason"],
            now=clock.now(),
        )
        return Response(_places(actor.workspace_id, member_id, None))


class ImportPreviewView(APIView):
    """What a file of people would do, line by line."""

    @extend_schema(
        operation_id="members_import_preview",
        request=shapes.PeopleFile,
        responses=shapes.ImportLines,
    )
    def post(self, request: Request) -> Response:
        actor = actor_of(request)
        require(actor, "people.manage")
        lines = commands.preview_import(
            actor=actor, content=_file(sent(shapes.PeopleFile, request)["file"]), now=clock.now()
        )
        return Response({"results": [_line(one) for one in lines]})


class ImportView(APIView):
    """Keep what a file of people says, in one action."""

    @extend_schema(
        operation_id="members_import",
        request=shapes.PeopleFileKept,
        responses=shapes.ImportLines,
    )
    def post(self, request: Request) -> Response:
        actor = actor_of(request)
        require(actor, "people.manage")
        wanted = sent(shapes.PeopleFileKept, request)
        lines = commands.import_people(
            actor=actor,
            content=_file(wanted["file"]),
            skip_bad=wanted["skip_bad"],
            reason=wanted["reason"],
            now=clock.now(),
        )
        return Response({"results": [_line(one) for one in lines]})


class _CalendarView(APIView):
    """The calendar of one team or person: ``whose`` names the field that holds its id."""

    whose: str

    def _get(self, request: Request, owner_id: UUID) -> Response:
        actor = actor_of(request)
        require(actor, "settings.manage")
        self._check(actor.workspace_id, owner_id)
        return self._shown(actor.workspace_id, owner_id)

    def _put(self, request: Request, owner_id: UUID) -> Response:
        actor = actor_of(request)
        require(actor, "settings.manage")
        wanted = sent(shapes.WorkingCalendarShape, request)
        self._set(request, owner_id, wanted)
        return self._shown(actor.workspace_id, owner_id)

    def _delete(self, request: Request, owner_id: UUID) -> Response:
        self._set(request, owner_id, None)
        return Response(status=204)

    def _set(self, request: Request, owner_id: UUID, content: dict[str, Any] | None) -> None:
        whose: dict[str, Any] = {self.whose: owner_id}
        commands.set_own_calendar(
            actor=actor_of(request), content=content, now=clock.now(), **whose
        )

    def _check(self, workspace_id: UUID, owner_id: UUID) -> None:
        if self.whose == "membership_id":
            queries.get_member(workspace_id, owner_id)
        elif not queries.teams_of(workspace_id).filter(pk=owner_id).exists():
            raise NotFound("There is no such team in this workspace.")

    def _shown(self, workspace_id: UUID, owner_id: UUID) -> Response:
        row = places.own_calendars(workspace_id).filter(**{self.whose: owner_id}).first()
        content = row.content if row else queries.calendar_shown(workspace_id)
        return Response(shapes.OwnCalendarShape({**content, "own": row is not None}).data)


class TeamCalendarView(_CalendarView):
    """When the people of a team work."""

    whose = "team_id"

    @extend_schema(operation_id="team_calendar", responses=shapes.OwnCalendarShape)
    def get(self, request: Request, team_id: UUID) -> Response:
        return self._get(request, team_id)

    @extend_schema(
        operation_id="team_calendar_set",
        request=shapes.WorkingCalendarShape,
        responses=shapes.OwnCalendarShape,
    )
    def put(self, request: Request, team_id: UUID) -> Response:
        return self._put(request, team_id)

    @extend_schema(operation_id="team_calendar_drop", responses={204: None})
    def delete(self, request: Request, team_id: UUID) -> Response:
        return self._delete(request, team_id)


class MemberCalendarView(_CalendarView):
    """When one person works."""

    whose = "membership_id"

    @extend_schema(operation_id="member_calendar", responses=shapes.OwnCalendarShape)
    def get(self, request: Request, member_id: UUID) -> Response:
        return self._get(request, member_id)

    @extend_schema(
        operation_id="member_calendar_set",
        request=shapes.WorkingCalendarShape,
        responses=shapes.OwnCalendarShape,
    )
    def put(self, request: Request, member_id: UUID) -> Response:
        return self._put(request, member_id)

    @extend_schema(operation_id="member_calendar_drop", responses={204: None})
    def delete(self, request: Request, member_id: UUID) -> Response:
        return self._delete(request, member_id)


def _places(workspace_id: UUID, member_id: UUID, on: str | None) -> shapes.Row:
    member = queries.get_member(workspace_id, member_id)
    today = places.today(workspace_id, clock.now())
    try:
        day = date.fromisoformat(on) if on else today
    except ValueError:
        raise Invalid("Expected a day like 2026-12-31.") from None
    then = places.places_on(workspace_id, day, [member.user_id]).get(member.user_id)
    rows = places.placements(workspace_id).filter(membership=member)
    return {
        "language": member.user.language,
        "today": today,
        "on": shapes.place_row(then) if then else None,
        "history": [shapes.place_row(one) for one in rows],
    }


def _file(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except binascii.Error:
        raise Invalid("The file was damaged on its way; choose it again.") from None


def _line(line: Line) -> shapes.Row:
    return {
        "line": line.number,
        "mail": line.mail,
        "day": line.day,
        "problem": line.problem,
        "changes": line.changes,
    }
