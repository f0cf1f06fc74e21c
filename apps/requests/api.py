"""The API about requests: what may be asked for, drafts, sending, one's own, withdrawing."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request as Call
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.authentication import actor_of
from apps.accounts.schema import PAGE, paged
from apps.core import clock
from apps.core.http import CursorPages
from apps.core.idempotency import idempotent
from apps.flows.compiled import compiled
from apps.flows.models import FlowState
from apps.inbox import filling
from apps.inbox.form_api import FilledIn, Named
from apps.requests import commands, drafts, progress, queries, uploads
from apps.requests.models import Request, RequestDraft
from apps.requests.permissions import open_to
from apps.runs.shapes import FlowNamed
from apps.steps import forms
from apps.triggers.models import Trigger

#: Each that is under way asks the database a few times.
PAGE_SIZE = 25


class FormItem(serializers.Serializer[Any]):
    """A form that the caller may fill in."""

    flow = FlowNamed()
    text = serializers.CharField(allow_blank=True, help_text="What it is for.")
    is_paused = serializers.BooleanField(help_text="What is sent is held until the flow goes on.")
    draft_at = serializers.DateTimeField(
        allow_null=True, help_text="When the caller's draft was saved last, if there is one."
    )


class FormList(serializers.Serializer[Any]):
    """All of them, by name."""

    results = FormItem(many=True)


class DraftShape(serializers.Serializer[Any]):
    """What the caller has filled in and not sent."""

    id = serializers.UUIDField()
    answers = Named()
    is_stale = serializers.BooleanField(help_text="It was filled in on another form.")
    updated_at = serializers.DateTimeField()


class FormDetail(serializers.Serializer[Any]):
    """One form, as it is now."""

    flow = FlowNamed()
    text = serializers.CharField(allow_blank=True)
    is_paused = serializers.BooleanField()
    open_to = serializers.ChoiceField(choices=["runners", "members", "public"])
    form = Named(help_text="A JSON Schema.")
    form_hash = serializers.CharField(help_text="Names this form; sent along with the answers.")
    draft = DraftShape(allow_null=True)


class SaveShape(serializers.Serializer[Any]):
    """What is filled in so far."""

    form_hash = serializers.CharField(max_length=64)
    answers = Named()


class FilledForm(serializers.Serializer[Any]):
    """A form that is filled in."""

    flow = serializers.UUIDField()
    form_hash = serializers.CharField(max_length=64)
    answers = Named()
    draft = serializers.UUIDField(
        required=False,
        allow_null=True,
        help_text="The draft that becomes the request; one that is gone was sent already.",
    )


class WithdrawShape(serializers.Serializer[Any]):
    """Why, where somebody wants to say."""

    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=1000)


class ProgressShape(serializers.Serializer[Any]):
    """Where a request stands."""

    state = serializers.ChoiceField(choices=progress.STATES)
    said = serializers.CharField(help_text="One sentence.")
    who = serializers.ListField(child=serializers.CharField(), help_text="Who has it now.")
    since = serializers.DateTimeField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True)
    may_withdraw = serializers.BooleanField()


class AnsweredShape(serializers.Serializer[Any]):
    """What people have said to it."""

    title = serializers.CharField()
    word = serializers.CharField()
    by = serializers.ListField(child=serializers.CharField())
    comments = serializers.ListField(child=serializers.CharField())
    at = serializers.DateTimeField(allow_null=True)


class AskedOfYou(serializers.Serializer[Any]):
    """What somebody who decides asks the caller; answered at ``questions/{id}/answer/``."""

    id = serializers.UUIDField()
    by = serializers.CharField()
    text = serializers.CharField()
    at = serializers.DateTimeField()


class ToFillIn(serializers.Serializer[Any]):
    """A form that the caller is asked to fill in; see ``tasks/{task}/``."""

    task = serializers.UUIDField()
    title = serializers.CharField()
    at = serializers.DateTimeField()
    until = serializers.DateTimeField(allow_null=True)


class RequestItem(serializers.Serializer[Any]):
    """Something that the caller has asked for."""

    id = serializers.UUIDField()
    flow = FlowNamed()
    created_at = serializers.DateTimeField()
    progress = ProgressShape()
    answered = AnsweredShape(many=True)
    questions = AskedOfYou(many=True)
    to_fill_in = ToFillIn(many=True)


class RequestDetail(RequestItem):
    """The same with what was filled in, and the form and version that it was filled in on."""

    answers = FilledIn(many=True)
    form_hash = serializers.CharField()
    version_hash = serializers.CharField()


class FormsView(APIView):
    """What the caller may ask for."""

    @extend_schema(operation_id="request_forms_list", responses=FormList)
    def get(self, request: Call) -> Response:
        actor = actor_of(request)
        found = queries.forms_for(actor)
        drafts = queries.drafts_of(actor, [one.flow_id for one in found])
        return Response({"results": [_item(one, drafts.get(one.flow_id)) for one in found]})


class FormView(APIView):
    """One form, with the caller's draft."""

    @extend_schema(responses=FormDetail)
    def get(self, request: Call, form_id: UUID) -> Response:
        actor = actor_of(request)
        form = queries.get_form(actor, form_id)
        draft = queries.drafts_of(actor, [form_id]).get(form_id)
        now_hash = forms.form_hash(form.config)
        return Response(
            {
                "flow": {"id": form.flow_id, "name": form.flow.name},
                "text": form.config.get("text") or "",
                "is_paused": form.flow.state == FlowState.PAUSED,
                "open_to": open_to(form),
                "form": form.config.get("form") or {},
                "form_hash": now_hash,
                "draft": _draft(draft, now_hash),
            }
        )


class DraftView(APIView):
    """The caller's draft for a form: saved as it is filled in, thrown away."""

    @extend_schema(request=SaveShape, responses=DraftShape)
    def put(self, request: Call, form_id: UUID) -> Response:
        shape = SaveShape(data=request.data)
        shape.is_valid(raise_exception=True)
        sent = shape.validated_data
        draft = commands.save_draft(
            actor=actor_of(request),
            flow_id=form_id,
            form_hash=sent["form_hash"],
            answers=sent["answers"],
            now=clock.now(),
        )
        return Response(_draft(draft, draft.form_hash))

    @extend_schema(responses={204: None})
    def delete(self, request: Call, form_id: UUID) -> Response:
        commands.discard_draft(actor=actor_of(request), flow_id=form_id)
        return Response(status=204)


class RequestsView(APIView):
    """What the caller has asked for, newest first; asking for something."""

    @extend_schema(operation_id="requests_list", parameters=[*PAGE], responses=paged(RequestItem))
    def get(self, request: Call) -> Response:
        pages = CursorPages()
        pages.page_size = pages.max_page_size = PAGE_SIZE
        rows = queries.requests_of(actor_of(request))
        found = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response(shown(found))

    @extend_schema(request=FilledForm, responses={201: RequestDetail})
    @idempotent
    def post(self, request: Call) -> Response:
        shape = FilledForm(data=request.data)
        shape.is_valid(raise_exception=True)
        sent = shape.validated_data
        made = commands.send_request(
            actor=actor_of(request),
            flow_id=sent["flow"],
            form_hash=sent["form_hash"],
            answers=sent["answers"],
            key=request.headers.get("Idempotency-Key", ""),
            draft_id=sent.get("draft"),
            now=clock.now(),
        )
        return Response(detailed(made), status=201)


class RequestView(APIView):
    """One of the caller's requests."""

    @extend_schema(responses=RequestDetail)
    def get(self, request: Call, request_id: UUID) -> Response:
        return Response(detailed(queries.get_request(actor_of(request), request_id)))


class WithdrawView(APIView):
    """Take a request back."""

    @extend_schema(request=WithdrawShape, responses=RequestDetail)
    def post(self, request: Call, request_id: UUID) -> Response:
        shape = WithdrawShape(data=request.data)
        shape.is_valid(raise_exception=True)
        taken = commands.withdraw_request(
            actor=actor_of(request),
            request_id=request_id,
            reason=shape.validated_data["reason"],
            now=clock.now(),
        )
        return Response(detailed(taken))


class FileShape(serializers.Serializer[Any]):
    """A file that was uploaded, as answers name it."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    type = serializers.CharField(help_text="By its content.")
    size = serializers.IntegerField(help_text="In bytes, as it is kept.")
    sha256 = serializers.CharField(help_text="Of what is kept; pictures are drawn anew.")


class UploadShape(serializers.Serializer[Any]):
    """A file for a field of a form."""

    form = serializers.UUIDField(help_text="The flow.")
    field = serializers.CharField(max_length=200)
    file = serializers.FileField(max_length=1000)


class FilesView(APIView):
    """Uploading a file for a form."""

    parser_classes = [MultiPartParser]

    @extend_schema(request={"multipart/form-data": UploadShape}, responses={201: FileShape})
    def post(self, request: Call) -> Response:
        uploads.require_size(request.META.get("CONTENT_LENGTH"))
        shape = UploadShape(data=request.data)
        shape.is_valid(raise_exception=True)
        sent = shape.validated_data
        file = uploads.upload_file(
            actor=actor_of(request),
            flow_id=sent["form"],
            field=sent["field"],
            name=uploads.hold_name(sent["file"].name),
            content=sent["file"].read(),
            now=clock.now(),
        )
        return Response(uploads.as_answer(file), status=201)


class FileView(APIView):
    """One file: read as an attachment, thrown away before it is sent."""

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request: Call, file_id: UUID) -> HttpResponse:
        file, content = uploads.open_file(actor=actor_of(request), file_id=file_id, now=clock.now())
        return as_attachment(file.name, file.type, content)

    @extend_schema(responses={204: None})
    def delete(self, request: Call, file_id: UUID) -> Response:
        uploads.discard_file(actor=actor_of(request), file_id=file_id)
        return Response(status=204)


def as_attachment(name: str, type_: str, content: bytes) -> HttpResponse:
    """Never shown in place, whatever it is: a browser saves it and runs nothing of it."""
    answer = HttpResponse(content, content_type=type_)
    answer["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, no-store"
    answer["Cross-Origin-Resource-Policy"] = "same-origin"
    return answer


def shown(requests: Sequence[Request]) -> list[dict[str, Any]]:
    """Requests as lists show them."""
    runs, said = queries.runs_of(requests), progress.answered(requests)
    asked, waiting = progress.questions(requests), progress.to_fill_in(requests)
    return [
        {
            "id": one.pk,
            "flow": {"id": one.flow_id, "name": one.title},
            "created_at": one.created_at,
            "progress": _progress(
                progress.progress(
                    one,
                    runs.get(one.run_id),
                    asked.get(one.run_id, ()),
                    waiting.get(one.run_id, ()),
                )
            ),
            "answered": [_answered(each) for each in said.get(one.run_id, [])],
            "questions": [
                {
                    "id": each.pk,
                    "by": each.asked_by.get_full_name(),
                    "text": each.text,
                    "at": each.asked_at,
                }
                for each in asked.get(one.run_id, [])
            ],
            "to_fill_in": [
                {
                    "task": each.pk,
                    "title": each.title,
                    "at": each.opened_at,
                    "until": each.due_at,
                }
                for each in waiting.get(one.run_id, [])
            ],
        }
        for one in requests
    ]


def detailed(request: Request) -> dict[str, Any]:
    """A request with what was filled in."""
    run = queries.runs_of([request]).get(request.run_id)
    given = progress.answers_of(run)
    form = compiled(request.version_id).trigger_config.get("form")
    return {
        **shown([request])[0],
        "answers": [
            {"name": one.name, "label": one.label, "kind": one.kind, "value": one.value}
            for one in filling.as_read(form, given)
        ],
        "form_hash": request.form_hash,
        "version_hash": request.version_hash,
    }


def _item(form: Trigger, draft: RequestDraft | None) -> dict[str, Any]:
    return {
        "flow": {"id": form.flow_id, "name": form.flow.name},
        "text": form.config.get("text") or "",
        "is_paused": form.flow.state == FlowState.PAUSED,
        "draft_at": draft.updated_at if draft else None,
    }


def _draft(draft: RequestDraft | None, now_hash: str) -> dict[str, Any] | None:
    given = drafts.opened(draft) if draft is not None else None
    if draft is None or given is None:
        return None
    return {
        "id": draft.pk,
        "answers": given,
        "is_stale": draft.form_hash != now_hash,
        "updated_at": draft.updated_at,
    }


def _progress(one: progress.Progress) -> dict[str, Any]:
    return {
        "state": one.state,
        "said": one.said,
        "who": list(one.who),
        "since": one.since,
        "until": one.until,
        "may_withdraw": one.may_withdraw,
    }


def _answered(one: progress.Answered) -> dict[str, Any]:
    return {
        "title": one.title,
        "word": one.word,
        "by": list(one.by),
        "comments": list(one.comments),
        "at": one.at,
    }
