"""Has anything been altered? A check of the whole trail, told so that people find the place.

The check goes over the installation, since seals do. What is told of another workspace's rows is
only that there is something: neither which rows nor what they say.
"""

import os
import time
from typing import Any, Final
from uuid import UUID

from django.conf import settings

from apps.audit.format import time_text
from apps.audit.models import AuditEvent
from apps.audit.queries import Row, with_values
from apps.audit.row_checks import Problem
from apps.audit.verify import verify_trail
from apps.core import clock
from apps.operations.models import TrailJob

__all__ = ["check_trail", "told_of_row"]

MOST_TOLD: Final = 200


def check_trail(job: TrailJob) -> dict[str, Any]:
    """Check everything and say what was found; what is wrong is named as people know it."""
    began = time.monotonic()
    report = verify_trail(checkpoints=settings.CHECKPOINTS, processes=os.cpu_count() or 1)
    told = report.problems[:MOST_TOLD]
    rows = _rows_named(told)
    problems = [_told(one, rows, job.workspace_id) for one in told]
    return {
        "intact": not report.problems,
        "rows": report.rows,
        "values": report.values,
        "erased": report.erased,
        "dropped": report.dropped,
        "seals": report.seals,
        "checkpoints": report.checkpoints,
        "unsealed": report.unsealed,
        "fingerprint": report.fingerprint,
        "seconds": round(time.monotonic() - began, 1),
        "checked_at": time_text(clock.now()),
        "count": len(report.problems),
        "problems": problems,
        "notes": report.notes,
    }


def told_of_row(row: Row) -> dict[str, Any]:
    """A row as people know it, from what the database says of it now."""
    return {
        "id": str(row.event.pk),
        "at": time_text(row.event.at),
        "verb": row.event.verb,
        "actor": row.text("actor.label") or row.event.actor_id,
        "target": row.text("target.label") or row.event.target_id,
    }


def _rows_named(problems: list[Problem]) -> dict[str, tuple[UUID | None, dict[str, Any]]]:
    ids = {one.row for one in problems if one.row}
    events = AuditEvent.objects.filter(pk__in=ids)
    return {
        str(row.event.pk): (row.event.workspace_id, told_of_row(row)) for row in with_values(events)
    }


def _told(
    problem: Problem, rows: dict[str, tuple[UUID | None, dict[str, Any]]], workspace_id: UUID
) -> dict[str, Any]:
    """One problem; of a row that is not the workspace's only that it is one."""
    owner, row = rows.get(problem.row or "", (None, None))
    if row is not None and owner != workspace_id:
        return {
            "code": problem.code,
            "message": "An entry that is not this workspace's was altered.",
            "seal": problem.seal,
            "row": None,
            "entry": None,
        }
    return {
        "code": problem.code,
        "message": problem.message,
        "seal": problem.seal,
        "row": problem.row,
        "entry": row,
    }
