"""What the step that asked leaves with, once its question has come to something."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from apps.inbox.models import Decision, UserTask
from apps.inbox.stale import is_stale


def output_of(
    task: UserTask, outcome: str, given: Sequence[Decision], now: datetime
) -> dict[str, Any]:
    """What the step leaves with (engine rule 27); ``by`` gave the last answer that fits it."""
    last = next((one for one in reversed(given) if one.outcome == outcome), None)
    return {
        "outcome": outcome,
        "by": last.user.email if last else "",
        "comment": last.comment if last else "",
        "at": now.isoformat(),
        "answers": _filled(outcome, given),
        "decisions": [
            {
                "by": one.user.email,
                **({"on_behalf_of": one.on_behalf_of.email} if one.on_behalf_of else {}),
                **({"in_exception": True} if one.exception_id else {}),
                **({"stale": True} if is_stale(one, task.facts) else {}),
                "outcome": one.outcome,
                "comment": one.comment,
                "at": one.decided_at.isoformat(),
                **({"answers": one.answers} if one.answers is not None else {}),
                **({"stage": one.task.stage} if task.stages > 1 else {}),
            }
            for one in given
        ],
    }


def _filled(outcome: str, given: Sequence[Decision]) -> dict[str, Any]:
    """What was filled in with the last answer that fits; of stages, where there was a form."""
    fitting = (one.answers for one in reversed(given) if one.outcome == outcome and one.answers)
    return dict(next(fitting, {}))
