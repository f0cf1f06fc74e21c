"""Every write about requests: keeping a draft, sending, withdrawing, forgetting old drafts."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import TextField
from django.db.models.functions import Cast

from apps.accounts.actors import Actor
from apps.audit.commands import record
from apps.audit.records import Target, Who
from apps.core import live
from apps.core.errors import Conflict, Invalid, NotFound
from apps.core.models import uuid7
from apps.flows.models import Flow, FlowState, FlowVersion
from apps.inbox.filling import AnswersRefused as AnswersRefused  # noqa: PLC0414 - raised here
from apps.inbox.filling import hold
from apps.requests import drafts, uploads
from apps.requests.models import Request, RequestDraft
from apps.requests.permissions import require_asking
from apps.requests.queries import get_form, get_request, public_form
from apps.requests.sniffing import Known
from apps.runs.commands import (
    FlowNotRunning,
    enqueue_run,
    hold_contract,
    order_cancel,
    run_values,
    start_payload,
)
from apps.steps import forms
from apps.steps.forms import REQUEST
from apps.triggers.models import Trigger

#: A draft that nobody has touched for so long is deleted.
DRAFTS_KEPT = timedelta(days=30)
MOST_CHARACTERS = 500_000
MAX_KEY = 200
#: Who sends by a public page.
ANYBODY = Who(kind="system", id="public-form", label="Public form")


class FormChanged(Conflict):
    """The form is another one than that which was filled in."""

    code = "form_changed"


class SentAlready(Conflict):
    """The draft was sent meanwhile, from another window."""

    code = "sent_already"


@transaction.atomic
def save_draft(
    *, actor: Actor, flow_id: UUID, form_hash: str, answers: Any, now: datetime
) -> RequestDraft:
    """Keep what the actor has filled in so far, whether it fits or not. The last save counts.

    Raises:
        NotFound: There is no such form for the actor.
        FormChanged: It is another form by now.
        Invalid: The answers are no set of named values, or too much.
    """
    person = require_asking(actor)
    form = get_form(actor, flow_id)
    _hold_hash(form, form_hash)
    given = _named(answers)
    pk = uuid7()
    draft, is_new = RequestDraft.objects.get_or_create(
        person_id=person,
        flow_id=flow_id,
        defaults={
            "id": pk,
            "workspace_id": actor.workspace_id,
            "form_hash": form_hash,
            "sealed": drafts.sealed(pk, given),
            "updated_at": now,
        },
    )
    if not is_new:
        draft.workspace_id, draft.form_hash, draft.updated_at = actor.workspace_id, form_hash, now
        draft.sealed, draft.answers = drafts.sealed(draft.pk, given), {}
        draft.save()
    return draft


@transaction.atomic
def discard_draft(*, actor: Actor, flow_id: UUID) -> None:
    """Throw away what the actor has filled in and not sent."""
    person = require_asking(actor)
    mine = RequestDraft.objects.for_workspace(actor.workspace_id)
    mine.filter(person=person, flow=flow_id).delete()
    uploads.forget_unsent(person=person, flow_id=flow_id)


@transaction.atomic
def send_request(
    *,
    actor: Actor,
    flow_id: UUID,
    form_hash: str,
    answers: Any,
    now: datetime,
    key: str = "",
    draft_id: UUID | None = None,
) -> Request:
    """Ask for something: start a run whose requester is the actor. The draft goes with it.

    Args:
        key: The same key again gives the first request, whatever is sent with it.
        draft_id: The draft that was filled in; one that is gone was sent already.

    Raises:
        NotFound: There is no such form for the actor.
        FlowNotRunning: The flow was archived meanwhile.
        FormChanged: It is another form by now.
        SentAlready: The draft was sent from another window.
        AnswersRefused: Some answers do not fit.

    Locks:
        The flow's row: a publication or a pause waits or is seen.
    """
    person = require_asking(actor)
    form = get_form(actor, flow_id)
    flow = _locked(form)
    mine = Request.objects.for_workspace(actor.workspace_id).filter(person=person)
    if key and (first := mine.filter(key=key[:MAX_KEY]).first()) is not None:
        return first
    # Read anew: what was published meanwhile counts.
    form = get_form(actor, flow_id)
    _hold_hash(form, form_hash)
    begun = RequestDraft.objects.for_workspace(actor.workspace_id).filter(
        person=person, flow=flow_id
    )
    if draft_id is not None and not begun.filter(pk=draft_id).exists():
        raise SentAlready("This was sent already, or thrown away; see your requests.")
    request = _start(flow=flow, form=form, answers=_named(answers), actor=actor, key=key, now=now)
    begun.delete()
    uploads.forget_unsent(person=person, flow_id=flow_id)
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb="request.send",
        target=Target("request", str(request.pk), flow.name),
        details={"run": str(request.run_id), "form": form_hash, "version": request.version_hash},
        flow_id=flow.pk,
        correlation_id=request.run_id,
        now=now,
    )
    live.publish(actor.workspace_id, "run", [request.run_id])
    return request


@transaction.atomic
def send_public(
    *,
    trigger_id: UUID,
    form_hash: str,
    answers: Mapping[str, Any],
    key: str,
    now: datetime,
    files: Mapping[str, Sequence[Known]] | None = None,
) -> None:
    """Take what somebody sends by a public page. Tells nothing of it; a repeat starts nothing.

    What is answered though it is not asked is dropped: a page without script asks everything.

    Raises:
        NotFound: The form is not open to everybody, or not any more.
        FlowNotRunning, FormChanged, AnswersRefused: As :func:`send_request`.

    Locks:
        The flow's row.
    """
    form = public_form(trigger_id)
    flow = _locked(form)
    if Request.objects.filter(flow=flow, person__isnull=True, key=key).exists():
        return
    form = public_form(trigger_id)
    _hold_hash(form, form_hash)
    given = _named(answers)
    for name, some in (files or {}).items():
        given[name] = [uploads.as_answer(uploads.keep_public(form, one, now)) for one in some]
    given = forms.only_asked(form.config.get("form"), given)
    request = _start(flow=flow, form=form, answers=given, actor=None, key=key, now=now)
    record(
        who=ANYBODY,
        workspace_id=flow.workspace_id,
        verb="request.send",
        target=Target("request", str(request.pk), flow.name),
        details={"run": str(request.run_id), "form": form_hash, "version": request.version_hash},
        flow_id=flow.pk,
        correlation_id=request.run_id,
        now=now,
    )
    live.publish(flow.workspace_id, "run", [request.run_id])


@transaction.atomic
def withdraw_request(*, actor: Actor, request_id: UUID, reason: str, now: datetime) -> Request:
    """Take back what the actor has asked for; its run is cancelled, its open tasks are closed.

    Raises:
        NotFound: It is not the actor's own.
        RunIsOver: It has ended; nothing was changed.

    Locks:
        The request, then the run's state row.
    """
    get_request(actor, request_id)
    request = Request.objects.select_for_update(no_key=True).get(pk=request_id)
    if request.withdrawn_at is not None:
        return request
    order_cancel(run_id=request.run_id, by=actor.email or actor.name, reason=reason, now=now)
    request.withdrawn_at = now
    request.save(update_fields=["withdrawn_at"])
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb="request.withdraw",
        target=Target("request", str(request.pk), request.title),
        reason=reason,
        details={"run": str(request.run_id)},
        flow_id=request.flow_id,
        correlation_id=request.run_id,
        now=now,
    )
    live.publish(actor.workspace_id, "run", [request.run_id])
    return request


def forget_drafts(*, now: datetime) -> int:
    """Delete drafts that nobody has touched for long; returns how many."""
    count, _ = RequestDraft.objects.filter(updated_at__lt=now - DRAFTS_KEPT).delete()
    return count


@transaction.atomic
def seal_drafts(*, limit: int = 200) -> int:
    """Seal what workers of the release before have kept in the clear; returns how many.

    Locks:
        The drafts' rows; those that somebody holds are left to the next call.
    """
    plain = RequestDraft.objects.alias(text=Cast("answers", TextField())).exclude(text="{}")
    rows = list(plain.select_for_update(skip_locked=True).order_by("id")[:limit])
    for draft in rows:
        draft.sealed, draft.answers = drafts.sealed(draft.pk, draft.answers), {}
        draft.save(update_fields=["sealed", "answers"])
    return len(rows)


def _locked(form: Trigger) -> Flow:
    flow = Flow.objects.select_for_update(no_key=True, of=("self",)).get(pk=form.flow_id)
    if flow.active_version_id is None or flow.state == FlowState.ARCHIVED:
        raise FlowNotRunning("This form is closed: its flow is archived. Ask whoever runs it.")
    return flow


def _hold_hash(form: Trigger, form_hash: str) -> None:
    if forms.form_hash(form.config) != form_hash:
        raise FormChanged(
            "The form was changed while you filled it in. Open it again: what you have filled in is"
            " kept where the questions are the same."
        )


def _named(answers: Any) -> dict[str, Any]:
    if not isinstance(answers, Mapping):
        raise Invalid("The answers must be an object of named values.")
    if forms.size_of(answers) > MOST_CHARACTERS:
        raise Invalid("That is more than a form can hold; shorten your answers.")
    return dict(answers)


def _start(
    *,
    flow: Flow,
    form: Trigger,
    answers: dict[str, Any],
    actor: Actor | None,
    key: str,
    now: datetime,
) -> Request:
    """Judge the answers and start the run, in the caller's transaction."""
    if flow.active_version_id is None:  # pragma: no cover - `_locked` has looked
        raise NotFound("There is no such form.")
    person = actor.user_id if actor is not None else None
    answers, files, wrong = uploads.resolve(form, answers, person)
    hold(form.config.get("form"), answers, form.workspace_id, wrong)
    hold_contract(flow.active_version_id, answers)
    request_id, run_id = uuid7(), uuid7()
    uploads.attach(files, run_id)
    email, name = (actor.email, actor.name) if actor is not None else ("", "")
    enqueue_run(
        parameters=run_values(
            run_id=run_id,
            workspace_id=flow.workspace_id,
            flow_id=flow.pk,
            version_id=flow.active_version_id,
            trigger_type=REQUEST,
            payload=start_payload(
                run_id=run_id,
                trigger_type=REQUEST,
                body=answers,
                now=now,
                started_by=email,
                requester={"name": name, "email": email},
            ),
            now=now,
            held=flow.state == FlowState.PAUSED,
            started_by=email,
            priority=form.priority,
        )
    )
    version = FlowVersion.objects.only("hash").get(pk=flow.active_version_id)
    return Request.objects.create(
        id=request_id,
        workspace_id=flow.workspace_id,
        flow=flow,
        title=flow.name,
        version_id=version.pk,
        version_hash=version.hash,
        form_hash=forms.form_hash(form.config),
        run_id=run_id,
        person_id=person,
        key=key[:MAX_KEY] or str(request_id),
        created_at=now,
    )
