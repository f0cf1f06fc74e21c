"""The front page's numbers. Each is the query of the list it leads to."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, Q, QuerySet
from django.urls import reverse

from apps.audit.queries import trail_state
from apps.flows.models import Flow, FlowState
from apps.inbox.models import UserTask
from apps.runs.models import Run, StuckRun
from apps.runs.priorities import Priority
from apps.runs.queries import real, stuck_rows
from apps.runs.sweep import oldest_command_age_s


@dataclass(frozen=True)
class Number:
    """A figure, what it counts, where its list is, and whether it asks for action."""

    title: str
    value: str
    hint: str
    link: str
    is_bad: bool


def ownerless_flows(workspace_id: UUID | None) -> QuerySet[Flow]:
    """Live flows whose owner is missing or cannot sign in any more."""
    gone = Q(owner__isnull=True) | Q(owner__is_active=False)
    return _in(Flow.objects.exclude(state=FlowState.ARCHIVED).filter(gone), workspace_id)


def failed_today(workspace_id: UUID | None, now: datetime) -> QuerySet[Run]:
    """Runs that failed since midnight (UTC)."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    runs = real(Run.objects.filter(status="failed", finished_at__gte=midnight))
    return _in(runs.filter(created_at__gte=midnight - timedelta(days=90)), workspace_id)


def stuck_runs(workspace_id: UUID | None) -> QuerySet[Run]:
    """Runs that make no progress for too long."""
    return _in(Run.objects.filter(pk__in=StuckRun.objects.values("run_id")), workspace_id).filter(
        Exists(stuck_rows())
    )


def overdue_tasks(workspace_id: UUID | None, now: datetime) -> QuerySet[UserTask]:
    """Open tasks whose time is over; the clock closes them within seconds."""
    late = UserTask.objects.filter(status="open", due_at__lt=now, paused_at__isnull=True)
    return _in(late, workspace_id)


def front_page(workspace_id: UUID | None, *, now: datetime) -> list[Number]:
    """The numbers to act on."""
    ownerless = ownerless_flows(workspace_id).count()
    failed = failed_today(workspace_id, now).count()
    overdue = overdue_tasks(workspace_id, now).count()
    stuck = stuck_runs(workspace_id).count()
    state = trail_state()
    age = (now - state.oldest_unsealed_at).total_seconds() if state.oldest_unsealed_at else 0.0
    waited = oldest_command_age_s(below=Priority.BULK)
    return [
        Number(
            "Flows without an owner",
            str(ownerless),
            "Somebody must answer for every flow." if ownerless else "Every flow has one.",
            reverse("admin:flows_flow_changelist") + "?owner=none",
            ownerless > 0,
        ),
        Number(
            "Failed runs today",
            str(failed),
            "Since midnight, UTC.",
            reverse("admin:runs_run_changelist") + "?failed=today",
            failed > 0,
        ),
        Number(
            "Stuck runs",
            str(stuck),
            "They make no progress; see why on their pages." if stuck else "Every run moves.",
            reverse("admin:runs_run_changelist") + "?stuck=yes",
            stuck > 0,
        ),
        Number(
            "Overdue tasks",
            str(overdue),
            "More than a few seconds means that the clock is down." if overdue else "None waits.",
            reverse("admin:inbox_usertask_changelist") + "?overdue=yes",
            overdue > 0,
        ),
        Number(
            "Oldest unsealed row",
            f"{age:.0f} s" if state.unsealed else "none",
            "1 row waits for a seal."
            if state.unsealed == 1
            else f"{state.unsealed} rows wait for a seal.",
            reverse("admin:audit_auditseal_changelist"),
            age > 60,
        ),
        Number(
            "Oldest work not begun",
            f"{waited:.0f} s",
            "More than a few seconds means that the workers are down or behind.",
            reverse("admin:runs_run_changelist") + "?status__exact=queued",
            waited > 60,
        ),
    ]


def _in(rows: QuerySet, workspace_id: UUID | None) -> QuerySet:  # type: ignore[type-arg]
    return rows if workspace_id is None else rows.filter(workspace_id=workspace_id)
