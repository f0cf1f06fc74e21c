"""The API about what is done with the trail: checks, evidence packs, logs elsewhere, proofs."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api import page, sent
from apps.accounts.authentication import actor_of
from apps.accounts.permissions import require
from apps.accounts.schema import PAGE, paged
from apps.audit.bundle import consistency
from apps.audit.commands import record
from apps.audit.models import AuditSeal
from apps.audit.one_row import check_row
from apps.audit.queries import get_row
from apps.audit.records import Target
from apps.core import clock
from apps.core.errors import Conflict, Invalid, NotFound
from apps.core.idempotency import idempotent
from apps.core.sentences import said, said_in
from apps.flows.models import Flow
from apps.operations import destinations, evidence, trail_jobs
from apps.operations.models import DestinationKind, JobState, TrailDestination, TrailJob
from apps.operations.streams import streamed_bytes, streamed_lines

LONGEST = timedelta(days=1100)
ROW_STATES = ["verified", "unsealed", "altered"]


class WrongShown(serializers.Serializer[Any]):
    """One thing that is wrong."""

    code = serializers.CharField()
    message = serializers.CharField()


class RowProofShown(serializers.Serializer[Any]):
    """Whether a row is as it was sealed: `verified`, `unsealed` or `altered`."""

    state = serializers.ChoiceField(ROW_STATES)
    seal = serializers.IntegerField(allow_null=True)
    place = serializers.IntegerField(allow_null=True)
    count = serializers.IntegerField()
    steps = serializers.IntegerField()
    sealed_at = serializers.DateTimeField(allow_null=True)
    fingerprint = serializers.CharField()
    problems = WrongShown(many=True)


class EntryShown(serializers.Serializer[Any]):
    """An entry as people know it."""

    id = serializers.UUIDField()
    at = serializers.DateTimeField()
    verb = serializers.CharField()
    actor = serializers.CharField()
    target = serializers.CharField()


class FoundShown(WrongShown):
    """One thing that is wrong, and where; `entry` is null where it is gone or not ours."""

    seal = serializers.IntegerField(allow_null=True)
    row = serializers.UUIDField(allow_null=True)
    entry = EntryShown(allow_null=True)


class CheckResult(serializers.Serializer[Any]):
    """What a check of the whole trail came to."""

    intact = serializers.BooleanField()
    rows = serializers.IntegerField()
    values = serializers.IntegerField()
    erased = serializers.IntegerField()
    dropped = serializers.IntegerField()
    seals = serializers.IntegerField()
    checkpoints = serializers.IntegerField()
    unsealed = serializers.IntegerField()
    fingerprint = serializers.CharField()
    seconds = serializers.FloatField()
    checked_at = serializers.DateTimeField()
    count = serializers.IntegerField()
    problems = FoundShown(many=True)
    notes = serializers.ListField(child=serializers.CharField())


class JobShown(serializers.Serializer[Any]):
    """Something that is made beside the request that asked for it."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(JobState.choices)
    asked_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField()


class CheckShown(JobShown):
    """A check of the whole trail."""

    result = CheckResult(allow_null=True)


class EvidenceWanted(serializers.Serializer[Any]):
    """What an evidence pack is to hold; days are whole ones, in UTC."""

    from_ = serializers.DateField()
    to = serializers.DateField()
    flow = serializers.UUIDField(required=False, allow_null=True)
    lists = serializers.ListField(
        child=serializers.ChoiceField(list(evidence.LISTS)), allow_empty=False
    )

    def get_fields(self) -> dict[str, Any]:
        # `from` is no name in Python.
        fields = super().get_fields()
        return {"from": fields.pop("from_"), **fields}


class EvidenceResult(serializers.Serializer[Any]):
    """What is in an evidence pack."""

    name = serializers.CharField()
    bytes = serializers.IntegerField()
    sha256 = serializers.CharField()
    lists = serializers.DictField(child=serializers.IntegerField())
    versions = serializers.IntegerField()
    seals = serializers.ListField(child=serializers.IntegerField())
    unsealed = serializers.IntegerField()


class FlowOfPack(serializers.Serializer[Any]):
    """A flow by its name."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class EvidenceAsked(serializers.Serializer[Any]):
    """What was asked for; `to` is excluded."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    flow = FlowOfPack(allow_null=True)
    lists = serializers.ListField(child=serializers.CharField())


class EvidenceShown(JobShown):
    """An evidence pack."""

    wanted = EvidenceAsked()
    result = EvidenceResult(allow_null=True)


class DestinationWanted(serializers.Serializer[Any]):
    """A log elsewhere."""

    name = serializers.CharField(max_length=100)
    kind = serializers.ChoiceField(DestinationKind.choices)
    address = serializers.CharField(max_length=500)
    secret = serializers.CharField(required=False, allow_blank=True, default="", max_length=100)
    with_rows = serializers.BooleanField(required=False, default=True)
    with_checkpoints = serializers.BooleanField(required=False, default=True)
    from_start = serializers.BooleanField(required=False, default=False)


class DestinationChanged(serializers.Serializer[Any]):
    """What changes of it."""

    name = serializers.CharField(max_length=100, required=False)
    kind = serializers.ChoiceField(DestinationKind.choices, required=False)
    address = serializers.CharField(max_length=500, required=False)
    secret = serializers.CharField(required=False, allow_blank=True, max_length=100)
    with_rows = serializers.BooleanField(required=False)
    with_checkpoints = serializers.BooleanField(required=False)
    is_paused = serializers.BooleanField(required=False)


class DestinationShown(serializers.Serializer[Any]):
    """A log elsewhere and how it stands; `behind` counts the seals it does not have whole."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(DestinationKind.choices)
    address = serializers.CharField()
    secret = serializers.CharField()
    with_rows = serializers.BooleanField()
    with_checkpoints = serializers.BooleanField()
    is_paused = serializers.BooleanField()
    sent = serializers.IntegerField()
    seal = serializers.IntegerField()
    behind = serializers.IntegerField()
    behind_since = serializers.DateTimeField(allow_null=True)
    last_sent_at = serializers.DateTimeField(allow_null=True)
    failing_since = serializers.DateTimeField(allow_null=True)
    failures = serializers.IntegerField()
    last_error = serializers.CharField()
    created_at = serializers.DateTimeField()


class TestShown(serializers.Serializer[Any]):
    """Whether the test line was taken, and else what is in the way."""

    taken = serializers.BooleanField()
    fault = serializers.CharField()


class RowCheckView(APIView):
    """Whether one row is as it was sealed."""

    @extend_schema(responses=RowProofShown)
    def get(self, request: Request, event_id: UUID) -> Response:
        actor = actor_of(request)
        require(actor, "audit.view")
        get_row(actor.workspace_id, event_id)
        proof = check_row(event_id)
        state = "altered" if proof.problems else "unsealed" if proof.seal is None else "verified"
        return Response(
            {
                "state": state,
                "seal": proof.seal,
                "place": proof.place,
                "count": proof.count,
                "steps": proof.steps,
                "sealed_at": proof.sealed_at,
                "fingerprint": proof.key,
                "problems": [
                    {"code": one.code, "message": said(one.message)} for one in proof.problems
                ],
            }
        )


class ConsistencyView(APIView):
    """The seals from one checkpoint to another: that the later one continues the earlier one."""

    @extend_schema(
        parameters=[
            OpenApiParameter("from", int, required=True, description="The earlier seal's number."),
            OpenApiParameter("to", int, required=True, description="The later seal's number."),
        ],
        responses={(200, "application/x-ndjson"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request) -> HttpResponseBase:
        actor, now = actor_of(request), clock.now()
        require(actor, "audit.view")
        require(actor, "export.read")
        first, last = (_number(request, name) for name in ("from", "to"))
        lines = consistency(actor.workspace_id, first, last, made_by=actor.who.label, now=now)
        with transaction.atomic():
            record(
                who=actor.who,
                workspace_id=actor.workspace_id,
                verb="export.read",
                target=Target("audit", "consistency", "Proof between two checkpoints"),
                details={"what": "consistency", "from": first, "to": last},
                now=now,
            )
        return streamed_lines(request, lines, name=f"seals-{first}-{last}.ndjson")


class VerifierView(APIView):
    """The program that checks bundles, proofs and evidence packs without us; one Python file."""

    @extend_schema(responses={(200, "text/x-python"): OpenApiTypes.BINARY})
    def get(self, request: Request) -> HttpResponse:
        require(actor_of(request), "audit.view")
        text = (settings.BASE_DIR / "tools" / "verify_audit.py").read_bytes()
        response = HttpResponse(text, content_type="text/x-python; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="verify_audit.py"'
        return response


class ChecksView(APIView):
    """Checks of the whole trail, newest first; another one."""

    @extend_schema(operation_id="audit_checks_list", parameters=PAGE, responses=paged(CheckShown))
    def get(self, request: Request) -> Response:
        return page(self, request, trail_jobs.jobs(actor_of(request), "check"), check_shown)

    @extend_schema(request=None, responses={201: CheckShown})
    @idempotent
    def post(self, request: Request) -> Response:
        job = trail_jobs.ask_for(actor=actor_of(request), kind="check", wanted={}, now=clock.now())
        return Response(check_shown(job), status=201)


class CheckView(APIView):
    """One check."""

    @extend_schema(operation_id="audit_checks_read", responses=CheckShown)
    def get(self, request: Request, check_id: UUID) -> Response:
        return Response(check_shown(trail_jobs.one_job(actor_of(request), "check", check_id)))


class EvidenceView(APIView):
    """Evidence packs, newest first; another one."""

    @extend_schema(
        operation_id="audit_evidence_list", parameters=PAGE, responses=paged(EvidenceShown)
    )
    def get(self, request: Request) -> Response:
        found = trail_jobs.jobs(actor_of(request), "evidence")
        return page(self, request, found, evidence_shown)

    @extend_schema(request=EvidenceWanted, responses={201: EvidenceShown})
    @idempotent
    def post(self, request: Request) -> Response:
        actor, given = actor_of(request), sent(EvidenceWanted, request)
        require(actor, "audit.view")
        require(actor, "export.read")
        since, until = (
            datetime(day.year, day.month, day.day, tzinfo=UTC)
            for day in (given["from"], given["to"])
        )
        until += timedelta(days=1)
        if not timedelta(0) < until - since <= LONGEST:
            raise Invalid("Give a period of one day to three years, its first day first.")
        flow_id = given.get("flow")
        flows = Flow.objects.for_workspace(actor.workspace_id)
        flow = flows.filter(pk=flow_id).first() if flow_id else None
        if flow_id and flow is None:
            raise NotFound("There is no such flow, or it is not for you.")
        job = trail_jobs.ask_for(
            actor=actor,
            kind="evidence",
            wanted={
                "from": since.isoformat(),
                "to": until.isoformat(),
                "flow": str(flow.pk) if flow else "",
                "flow_name": flow.name if flow else "",
                "lists": [name for name in evidence.LISTS if name in given["lists"]],
            },
            now=clock.now(),
        )
        return Response(evidence_shown(job), status=201)


class OneEvidenceView(APIView):
    """One evidence pack."""

    @extend_schema(operation_id="audit_evidence_read", responses=EvidenceShown)
    def get(self, request: Request, pack_id: UUID) -> Response:
        return Response(evidence_shown(trail_jobs.one_job(actor_of(request), "evidence", pack_id)))


class EvidenceFileView(APIView):
    """The archive of an evidence pack."""

    @extend_schema(responses={(200, "application/zip"): OpenApiTypes.BINARY})
    def get(self, request: Request, pack_id: UUID) -> HttpResponseBase:
        actor = actor_of(request)
        job = trail_jobs.one_job(actor, "evidence", pack_id)
        if job.state != JobState.DONE or job.result is None:
            raise Conflict("This pack is not made yet, or could not be made.")
        with transaction.atomic():
            record(
                who=actor.who,
                workspace_id=actor.workspace_id,
                verb="export.read",
                target=Target("audit", str(job.pk), "Evidence pack"),
                details={"what": "evidence file", "sha256": job.result["sha256"]},
                now=clock.now(),
            )
        return streamed_bytes(
            request,
            evidence.file_of(job),
            name=job.result["name"],
            content_type="application/zip",
        )


class DestinationsView(APIView):
    """The logs elsewhere that the trail is sent to."""

    @extend_schema(
        operation_id="audit_destinations_list", parameters=PAGE, responses=paged(DestinationShown)
    )
    def get(self, request: Request) -> Response:
        rows = destinations.destinations(actor_of(request))
        return page(self, request, rows, destination_shown)

    @extend_schema(request=DestinationWanted, responses={201: DestinationShown})
    @idempotent
    def post(self, request: Request) -> Response:
        given = sent(DestinationWanted, request)
        row = destinations.add_destination(actor=actor_of(request), now=clock.now(), **given)
        return Response(destination_shown(row), status=201)


class DestinationView(APIView):
    """One of them."""

    @extend_schema(request=DestinationChanged, responses=DestinationShown)
    def patch(self, request: Request, destination_id: UUID) -> Response:
        row = destinations.change_destination(
            actor=actor_of(request),
            destination_id=destination_id,
            changes=sent(DestinationChanged, request),
            now=clock.now(),
        )
        return Response(destination_shown(row))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, destination_id: UUID) -> Response:
        destinations.remove_destination(
            actor=actor_of(request), destination_id=destination_id, now=clock.now()
        )
        return Response(status=204)


class DestinationTestView(APIView):
    """Send one line to it that says it is a test."""

    @extend_schema(request=None, responses=TestShown)
    def post(self, request: Request, destination_id: UUID) -> Response:
        taken, fault = destinations.test_destination(
            actor=actor_of(request), destination_id=destination_id, now=clock.now()
        )
        return Response({"taken": taken, "fault": fault})


def check_shown(job: TrailJob) -> dict[str, Any]:
    """A check as the API gives it."""
    result = job.result and {
        **job.result,
        "problems": [said_in(one, "message") for one in job.result["problems"]],
        "notes": [said(note) for note in job.result["notes"]],
    }
    return {**_job_shown(job), "result": result}


def evidence_shown(job: TrailJob) -> dict[str, Any]:
    """An evidence pack as the API gives it."""
    wanted = job.wanted
    flow = {"id": wanted["flow"], "name": wanted["flow_name"]} if wanted["flow"] else None
    return {
        **_job_shown(job),
        "wanted": {
            "since": datetime.fromisoformat(wanted["from"]),
            "until": datetime.fromisoformat(wanted["to"]),
            "flow": flow,
            "lists": wanted["lists"],
        },
        "result": job.result,
    }


def destination_shown(row: TrailDestination) -> dict[str, Any]:
    """A destination as the API gives it."""
    # A seal counts as behind as long as anything of it is missing there.
    first_missing = row.seal + 1 if row.leaf_index >= 2**31 else max(1, row.seal)
    head = AuditSeal.objects.order_by("-number").first()
    behind = max(0, head.number - first_missing + 1) if head else 0
    oldest = AuditSeal.objects.filter(number=first_missing).first() if behind else None
    return {
        "id": row.pk,
        "name": row.name,
        "kind": row.kind,
        "address": row.address,
        "secret": row.secret_name,
        "with_rows": row.with_rows,
        "with_checkpoints": row.with_checkpoints,
        "is_paused": row.is_paused,
        "sent": row.sent,
        "seal": first_missing - 1,
        "behind": behind,
        "behind_since": oldest.at if oldest else None,
        "last_sent_at": row.last_sent_at,
        "failing_since": row.failing_since,
        "failures": row.failures,
        "last_error": row.last_error,
        "created_at": row.created_at,
    }


def _job_shown(job: TrailJob) -> dict[str, Any]:
    return {
        "id": job.pk,
        "state": job.state,
        "asked_by": job.asked_by.name or job.asked_by.email,
        "created_at": job.created_at,
        "finished_at": job.finished_at,
        "error": said(job.error),
    }


def _number(request: Request, name: str) -> int:
    text = request.query_params.get(name, "")
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise Invalid(f"“{name}” is the number of a seal, such as 12.")
    return int(text)
