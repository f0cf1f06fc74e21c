"""What stands in the bell: what went wrong with flows, with a count, and what waits for the reader.

The outbox calls the handlers; each may be called twice for one message.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext, ngettext

from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.accounts.permissions import flows_with, has_right
from apps.accounts.queries import actor_of_user, people_in
from apps.core import clock, live
from apps.core.sentences import said
from apps.flows.compiled import compiled
from apps.flows.models import Flow
from apps.inbox.models import TaskChange, UserTask
from apps.inbox.telling import WHILE_OPEN, tasks_waiting_for
from apps.notices.commands import Subject, tell
from apps.notices.models import Kind, Notice
from apps.notices.words import one_line, sentence, subject
from apps.operations.models import Alert, AlertCase, AlertKind
from apps.runs.models import Run
from apps.triggers.events import chain_of
from apps.triggers.models import Event
from apps.triggers.starting import MAX_DEPTH

HOUR = timedelta(hours=1)
#: Of events that led to one another, so many are named: enough to see the circle.
CHAIN_SHOWN = 8


def tell_of_failed_run(payload: dict[str, Any]) -> None:
    """Handles ``run.failed``: tells the flow's owner which step failed and why."""
    error = payload["error"]
    flow = Flow.objects.select_related("owner").get(pk=payload["flow"])
    step = _step_title(UUID(payload["run"]), error["step"])
    for user in told(owners(flow)):
        words = gettext("“%(flow)s” failed at “%(step)s”") if step else gettext("“%(flow)s” failed")
        raise_alert(
            user=user,
            flow=flow,
            kind=AlertKind.RUN_FAILED,
            cause=f"{error['step']}/{error['code']}",
            case_id=UUID(payload["run"]),
            run_id=UUID(payload["run"]),
            title=words % {"flow": flow.name, "step": step},
            body=said(error["message"]),
            now=clock.now(),
        )


def tell_of_held_run(payload: dict[str, Any]) -> None:
    """Handles ``run.engine_fault``: tells the operators and the flow's owner.

    The fault itself stays in the run's journal; it may name what the run carries.
    """
    flow = Flow.objects.select_related("owner").get(pk=payload["flow"])
    operators = people_in(flow.workspace_id, teams=["operator"])
    for user in told({one.pk: one for one in [*operators, *owners(flow)]}.values()):
        raise_alert(
            user=user,
            flow=flow,
            kind=AlertKind.RUN_HELD,
            cause="",
            case_id=UUID(payload["run"]),
            run_id=UUID(payload["run"]),
            title=gettext("“%(flow)s” is held by a fault of Signalbox") % {"flow": flow.name},
            body=gettext(
                "Nothing is lost and nothing was failed. When the fault is put right, resume the"
                " run; it goes on where it stands."
            ),
            now=clock.now(),
        )


def tell_of_stuck_run(payload: dict[str, Any]) -> None:
    """Handles ``run.stuck``: tells the flow's owner where a run makes no progress, and why."""
    flow = Flow.objects.select_related("owner").get(pk=payload["flow"])
    step = _step_title(UUID(payload["run"]), payload["step"])
    for user in told(owners(flow)):
        words = gettext("“%(flow)s” makes no progress at “%(step)s”")
        if not step:
            words = gettext("“%(flow)s” makes no progress")
        raise_alert(
            user=user,
            flow=flow,
            kind=AlertKind.RUN_STUCK,
            cause=payload["step"],
            case_id=UUID(payload["run"]),
            run_id=UUID(payload["run"]),
            title=words % {"flow": flow.name, "step": step},
            body=said(payload["detail"]),
            now=clock.now(),
        )


def tell_of_too_few(payload: dict[str, Any]) -> None:
    """Handles ``task.too_few``: tells the flow's owner that a rule cannot be met."""
    task = UserTask.objects.get(pk=payload["task"])
    flow = Flow.objects.select_related("owner").get(pk=task.flow_id)
    found = payload["found"]
    for user in told(owners(flow)):
        body = ngettext(
            "%(needed)d must approve, but only %(found)d person can be asked. It cannot be"
            " approved: cancel the run, or name more people in the step and start it again.",
            "%(needed)d must approve, but only %(found)d people can be asked. It cannot be"
            " approved: cancel the run, or name more people in the step and start it again.",
            found,
        ) % {"needed": payload["needed"], "found": found}
        raise_alert(
            user=user,
            flow=flow,
            kind=AlertKind.TOO_FEW,
            cause=task.step,
            case_id=task.pk,
            run_id=task.run_id,
            title=gettext("Too few people can decide “%(title)s”") % {"title": task.title},
            body=body,
            now=clock.now(),
        )


def tell_of_fallback(payload: dict[str, Any]) -> None:
    """Handles ``task.fallback``: tells the flow's owner that the group that stands in was asked."""
    task = UserTask.objects.get(pk=payload["task"])
    flow = Flow.objects.select_related("owner").get(pk=task.flow_id)
    for user in told(owners(flow)):
        raise_alert(
            user=user,
            flow=flow,
            kind=AlertKind.TOO_FEW,
            cause=task.step,
            case_id=task.pk,
            run_id=task.run_id,
            title=gettext("The group that stands in was asked to decide “%(title)s”")
            % {"title": task.title},
            body=gettext(
                "Nobody else who may decide could be found, or a manager or department is not"
                " known. Look at whom the step names, and at the people in the settings."
            ),
            now=clock.now(),
        )


def tell_of_empty_rung(payload: dict[str, Any]) -> None:
    """Handles ``task.rung_empty``: tells the flow's owner that nobody else could be asked."""
    task = UserTask.objects.get(pk=payload["task"])
    flow = Flow.objects.select_related("owner").get(pk=task.flow_id)
    for user in told(owners(flow)):
        raise_alert(
            user=user,
            flow=flow,
            kind=AlertKind.TOO_FEW,
            cause=f"{task.step}/ladder",
            case_id=task.pk,
            run_id=task.run_id,
            title=gettext("Nobody else could be asked to decide “%(title)s”")
            % {"title": task.title},
            body=gettext(
                "The step says who is asked as well or instead while nobody answers, but nobody of"
                " them is there any more or may decide. Whoever was asked before still is, and the"
                " group that stands in, if there is one. Look at whom the step names."
            ),
            now=clock.now(),
        )


def tell_of_failed_change(payload: dict[str, Any]) -> None:
    """Handles ``task.change_failed``: tells the flow's owner that a question did not follow."""
    change = TaskChange.objects.select_related("task").get(pk=payload["change"])
    task = change.task
    flow = Flow.objects.select_related("owner").get(pk=task.flow_id)
    for user in told(owners(flow)):
        raise_alert(
            user=user,
            flow=flow,
            kind=AlertKind.REFUSED,
            cause=f"{task.step}/{change.event_type}",
            case_id=change.pk,
            run_id=task.run_id,
            title=gettext("“%(title)s” could not follow an event “%(event)s”")
            % {"title": task.title, "event": change.event_type},
            body=said(change.note),
            now=clock.now(),
        )


def tell_of_unreadable_event(payload: dict[str, Any]) -> None:
    """Handles ``task.unreadable_event``: nobody knows which question an event is about."""
    flow = Flow.objects.select_related("owner").get(pk=payload["flow"])
    for user in told(owners(flow)):
        raise_alert(
            user=user,
            flow=flow,
            kind=AlertKind.REFUSED,
            cause=f"watch/{payload['type']}",
            case_id=UUID(payload["event"]),
            run_id=None,
            title=gettext("Nobody can tell what an event “%(event)s” is about")
            % {"event": payload["type"]},
            body=said(payload["reason"]),
            now=clock.now(),
        )


def tell_of_circle(payload: dict[str, Any]) -> None:
    """Handles ``event.too_deep``: tells the flow's owner which events led to one another."""
    event = Event.objects.get(pk=payload["event"])
    flow = Flow.objects.select_related("owner").get(pk=payload["flow"])
    chain = chain_of(event)
    names = dict(
        Flow.objects.filter(pk__in={one.flow_id for one in chain}).values_list("pk", "name")
    )
    links = [
        f"{one.type} (“{names[one.flow_id]}”)" if one.flow_id in names else one.type
        for one in chain
    ]
    for user in told(owners(flow)):
        body = gettext(
            "An event did not start this flow: %(depth)d in a row, each caused by the one before,"
            " are more than %(most)d. It looks like a circle. The last of them: %(chain)s"
        ) % {"depth": event.depth, "most": MAX_DEPTH, "chain": " → ".join(links[-CHAIN_SHOWN:])}
        raise_alert(
            user=user,
            flow=flow,
            kind=AlertKind.TOO_DEEP,
            cause=event.type,
            case_id=event.pk,
            run_id=event.run_id,
            title=gettext("Events that start “%(flow)s” go in a circle") % {"flow": flow.name},
            body=body,
            now=clock.now(),
        )


def tell_of_refused_start(payload: dict[str, Any]) -> None:
    """Handles ``start.refused``: tells the flow's owner what an event or schedule did not start."""
    flow = Flow.objects.select_related("owner").get(pk=payload["flow"])
    for user in told(owners(flow)):
        words = gettext("A time of its schedule did not start “%(flow)s”")
        if payload["event_type"]:
            words = gettext("An event “%(event)s” did not start “%(flow)s”")
        raise_alert(
            user=user,
            flow=flow,
            kind=AlertKind.REFUSED,
            cause=payload["event_type"],
            case_id=UUID(payload["case"]),
            run_id=None,
            title=words % {"flow": flow.name, "event": payload["event_type"]},
            body=said(payload["reason"]),
            now=clock.now(),
        )


@transaction.atomic
def raise_alert(
    *,
    user: User,
    flow: Flow,
    kind: AlertKind,
    cause: str,
    case_id: UUID,
    run_id: UUID | None,
    title: str,
    body: str,
    now: datetime,
) -> None:
    """Tell a person in the app and by mail; within the hour the same cause only counts on.

    Safe to call twice for one case: it is counted once.

    Locks:
        An advisory lock on person and cause, until the transaction ends.
    """
    fingerprint = sha256(f"{kind}/{flow.pk}/{cause}".encode()).hexdigest()
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{user.pk}/{fingerprint}"]
        )
    latest = Alert.objects.filter(user=user, fingerprint=fingerprint).order_by("-id").first()
    if latest is not None and latest.cases.filter(case_id=case_id).exists():
        return
    if latest is not None and latest.created_at > now - HOUR:
        Alert.objects.filter(pk=latest.pk).update(count=F("count") + 1, last_at=now)
        alert = latest
    else:
        alert = Alert.objects.create(
            workspace_id=flow.workspace_id,
            user=user,
            kind=kind,
            flow=flow,
            run_id=run_id,
            title=one_line(title, 300),
            body=one_line(body, 1000),
            fingerprint=fingerprint,
            created_at=now,
            last_at=now,
        )
        _write_mail(alert, before=latest.count if latest else 0, now=now)
    AlertCase.objects.create(alert=alert, case_id=case_id)
    live.publish_to([user.pk], "alert", [alert.pk])


def alerts_of(actor: Actor) -> QuerySet[Alert]:
    """A person's own alerts, newest first: about flows whose runs they may still view, and tasks.

    A task that waits for the reader no more is gone from here with the same query.
    """
    if actor.user_id is None:
        return Alert.objects.none()
    waiting = tasks_waiting_for(actor.user_id, actor.workspace_id)
    return (
        Alert.objects.for_workspace(actor.workspace_id)
        .filter(
            Q(flows_with(actor, "run.view", "flow_id"), task_id__isnull=True)
            | Q(kind=AlertKind.TASK_NEWS)
            | Q(Exists(waiting.filter(pk=OuterRef("task_id"))), kind=AlertKind.TASK),
            user_id=actor.user_id,
        )
        .select_related("flow")
        .order_by("-id")
    )


def read_alerts(*, actor: Actor, ids: Iterable[UUID] | None, now: datetime) -> int:
    """Mark own alerts as read, all where ``ids`` is None; returns how many were unread."""
    if actor.user_id is None:
        return 0
    unread = Alert.objects.for_workspace(actor.workspace_id).filter(
        user_id=actor.user_id, read_at__isnull=True
    )
    if ids is not None:
        unread = unread.filter(pk__in=list(ids))
    with transaction.atomic():
        count = unread.update(read_at=now)
        if count:
            live.publish_to([actor.user_id], "alert", [])
    return count


def owners(flow: Flow) -> list[User]:
    """Who is told about a flow: its owner, or the administrators where it has none who can look."""
    owner = flow.owner
    actor = actor_of_user(owner, flow.workspace_id) if owner else None
    if (
        owner is not None
        and actor is not None
        and actor.workspace_id == flow.workspace_id
        and has_right(actor, "run.view", flow.pk)
    ):
        return [owner]
    return people_in(flow.workspace_id, teams=["admin"])


def told(people: Iterable[User]) -> Iterator[User]:
    """Each of them in turn; what is said meanwhile is said in their language."""
    for user in people:
        with translation.override(user.mail_language):
            yield user


def show_notice(notice: Notice) -> None:
    """Put a notice into its reader's bell. Safe to call twice."""
    if notice.user_id is None:
        return
    fingerprint = sha256(f"notice/{notice.pk}".encode()).hexdigest()
    if Alert.objects.filter(user=notice.user_id, fingerprint=fingerprint).exists():
        return
    alert = Alert.objects.create(
        workspace_id=notice.workspace_id,
        user_id=notice.user_id,
        kind=AlertKind.TASK if notice.kind in WHILE_OPEN else AlertKind.TASK_NEWS,
        flow_id=notice.flow_id,
        run_id=notice.run_id,
        task_id=notice.task_id,
        path=notice.path,
        title=one_line(subject(notice), 300),
        body=one_line(notice.words or sentence(notice), 1000),
        fingerprint=fingerprint,
        created_at=notice.created_at,
        last_at=notice.created_at,
    )
    live.publish_to([notice.user_id], "alert", [alert.pk])


def _write_mail(alert: Alert, *, before: int, now: datetime) -> None:
    """By mail and the other ways; in the app it is the alert itself."""

    def words() -> str:
        more = gettext(
            "More of the same within the hour are counted in the app; the next mail comes after it."
        )
        if before > 1:
            said_before = gettext("The hour of the last mail counted %(before)d of these.")
            more = f"{said_before % {'before': before}} {more}"
        return f"{alert.body}\n\n{more}" if alert.body else more

    tell(
        people=[alert.user],
        kind=Kind.ALERT,
        about=Subject(
            workspace_id=alert.workspace_id,
            title=alert.title,
            path=f"/runs/{alert.run_id}/" if alert.run_id else f"/flows/{alert.flow_id}/",
            flow_id=alert.flow_id,
            run_id=alert.run_id,
        ),
        key=f"alert/{alert.pk}",
        words=words,
        now=now,
    )


def _step_title(run_id: UUID, step: str) -> str:
    """The step as its author named it; empty where the failure is no step's."""
    version_id = Run.objects.filter(pk=run_id).values_list("version_id", flat=True).first()
    found = compiled(version_id).steps.get(step) if version_id else None
    if found is None:
        return ""
    return found.title if found.title != found.id else found.type.title
