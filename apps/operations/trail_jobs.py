"""What is made about the trail beside the request that asked for it: checks and evidence packs.

A job is a row; a worker leases it, does it in a process of its own (the work is long and would
hold up the others of the worker) and notes the end. A worker that dies leaves a lease that runs
out; after three tries the job has failed.
"""

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import Q, QuerySet

from apps.accounts.actors import Actor
from apps.accounts.permissions import require
from apps.audit.commands import record
from apps.audit.records import Target
from apps.core import clock, live
from apps.core.errors import Conflict, Forbidden, NotFound, ProductError
from apps.core.models import uuid7
from apps.core.pool import give_back
from apps.operations.models import JOB_TRANSITIONS, JobState, TrailJob

__all__ = ["ask_for", "due_jobs", "forget_jobs", "jobs", "one_job", "work_on", "work_outside"]

LEASE: Final = timedelta(minutes=4)
#: How often the lease of a job that goes on is renewed.
RENEWED_S: Final = 60.0
MOST_TRIES: Final = 3
MOST_OPEN: Final = 3
KEPT: Final = timedelta(days=30)

_LABELS = {"check": "Check of the trail", "evidence": "Evidence pack"}
_VERBS = {"check": "audit.verify", "evidence": "export.read"}
_RIGHTS = {"check": ("audit.view",), "evidence": ("audit.view", "export.read")}
_log = logging.getLogger(__name__)

#: What does a job of each kind: it gives the result, and may write parts.
Doer = Callable[[TrailJob], dict[str, Any]]


class TooManyOpen(Conflict):
    """As many as may wait or run at once do."""

    code = "too_many_open"


def jobs(actor: Actor, kind: str) -> QuerySet[TrailJob]:
    """The workspace's jobs of a kind, newest first, for who may ask for one."""
    for right in _RIGHTS[kind]:
        require(actor, right)
    mine = TrailJob.objects.for_workspace(actor.workspace_id).filter(kind=kind)
    return mine.select_related("asked_by").order_by("-id")


def one_job(actor: Actor, kind: str, job_id: UUID) -> TrailJob:
    """One of them.

    Raises:
        NotFound: There is none of that id.
    """
    found = jobs(actor, kind).filter(pk=job_id).first()
    if found is None:
        raise NotFound("There is no such check." if kind == "check" else "There is no such pack.")
    return found


@transaction.atomic
def ask_for(*, actor: Actor, kind: str, wanted: dict[str, Any], now: datetime) -> TrailJob:
    """Ask for a check or an evidence pack; it is made soon, beside this request.

    Raises:
        TooManyOpen: As many as may be under way at once are.
    """
    mine = jobs(actor, kind)
    if actor.user_id is None:
        raise Forbidden("Only a person can ask for this.")
    open_ones = mine.filter(state__in=[JobState.WAITING, JobState.RUNNING]).count()
    if open_ones >= MOST_OPEN:
        raise TooManyOpen(f"{open_ones} are under way already; wait until one is done.")
    job = TrailJob(
        id=uuid7(),
        workspace_id=actor.workspace_id,
        kind=kind,
        wanted=wanted,
        asked_by_id=actor.user_id,
        created_at=now,
    )
    job.save(force_insert=True)
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb=_VERBS[kind],
        target=Target("audit", str(job.pk), _LABELS[kind]),
        details={"what": kind, **wanted},
        now=now,
    )
    return job


def due_jobs(*, now: datetime) -> list[UUID]:
    """The jobs that nobody works on, oldest first."""
    return list(_free(now).order_by("id").values_list("pk", flat=True)[:10])


def work_outside(job_id: UUID) -> bool:
    """Do a job in a process of its own; False where somebody else has it, or it is over.

    It is taken here, before the process is there: one that is slow to start is started once.
    """
    job = _take(job_id)
    if job is None:
        return False
    give_back()
    subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "manage.py", "trail_job", str(job_id), "--try", str(job.tries)],
        cwd=settings.BASE_DIR,
        env=dict(os.environ),
        check=False,
    )
    return True


def work_on(job_id: UUID, doers: Mapping[str, Doer], *, taken: int | None = None) -> bool:
    """Do one job; False where somebody else does it, or it is over.

    ``taken`` is the try for which it was taken already. Safe to call twice: the lease lets one in,
    and what a dead one has left is made anew.
    """
    if taken is None:
        job = _take(job_id)
    else:
        job = TrailJob.objects.filter(pk=job_id, state=JobState.RUNNING, tries=taken).first()
    if job is None:
        return False
    if job.tries > MOST_TRIES:
        _end(job, JobState.FAILED, error="It was tried three times and never came to an end.")
        return True
    job.parts.all().delete()
    try:
        with _lease_renewed(job):
            result = doers[job.kind](job)
    except ProductError as error:
        _end(job, JobState.FAILED, error=error.message)
    except Exception:
        _log.exception("the job %s failed", job.pk)
        _end(job, JobState.FAILED, error="Something went wrong here; the server's log says what.")
        raise
    else:
        _end(job, JobState.DONE, result=result)
    return True


def _take(job_id: UUID) -> TrailJob | None:
    """The job, ours for a while; None where somebody else has it, or it is over."""
    now = clock.now()
    free = _free(now).filter(pk=job_id)
    job = free.first()
    if job is None or not free.filter(tries=job.tries).update(
        state=_moved(job, JobState.RUNNING), leased_until=now + LEASE, tries=job.tries + 1
    ):
        return None
    job.refresh_from_db()
    return job


def forget_jobs(*, now: datetime) -> int:
    """Delete what was made long ago; returns how many jobs. The rows of the trail stay."""
    old = TrailJob.objects.filter(created_at__lt=now - KEPT, finished_at__isnull=False)
    count = old.count()
    old.delete()
    return count


@contextmanager
def _lease_renewed(job: TrailJob) -> Iterator[None]:
    """While it goes on, say again and again that it does: nobody knows how long one takes."""
    over = threading.Event()

    def renew() -> None:
        try:
            while not over.wait(RENEWED_S):
                _ours(job).update(leased_until=clock.now() + LEASE)
        except DatabaseError:
            _log.warning("the lease of the job %s is not renewed any more", job.pk)
        finally:
            connection.close()

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _ours(job: TrailJob) -> QuerySet[TrailJob]:
    """The job, as long as nobody else has taken it up after us."""
    return TrailJob.objects.filter(pk=job.pk, state=JobState.RUNNING, tries=job.tries)


def _free(now: datetime) -> QuerySet[TrailJob]:
    idle = Q(state=JobState.WAITING) | Q(state=JobState.RUNNING, leased_until__lt=now)
    return TrailJob.objects.filter(idle)


def _moved(job: TrailJob, state: JobState) -> JobState:
    if state not in JOB_TRANSITIONS[JobState(job.state)]:
        raise ValueError(f"{job} is {job.state}; it cannot become {state}.")
    return state


@transaction.atomic
def _end(
    job: TrailJob, state: JobState, *, result: dict[str, Any] | None = None, error: str = ""
) -> None:
    _ours(job).update(
        state=_moved(job, state),
        result=result,
        error=error,
        leased_until=None,
        finished_at=clock.now(),
    )
    live.publish(job.workspace_id, "audit", [job.pk])
