"""The clock: everything that must happen because time has passed, once a second.

It needs no leader and no broker: all work is claimed from PostgreSQL, so several may run.
A part that fails is logged and tried again with the next tick; the others go on.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

from django.db import connections as database

from apps.accounts import commands as accounts
from apps.audit import commands as audit
from apps.audit import partitions as audit_partitions
from apps.audit.sealing import seal_pending
from apps.connections import commands as connections
from apps.core import clock, outbox
from apps.inbox import asking, escalating, settling
from apps.inbox import commands as inbox
from apps.notices import commands as notices
from apps.notices import links
from apps.operations import trail_jobs, trail_work
from apps.requests import commands as requests
from apps.requests import uploads
from apps.runs import doorbell, effects, forgetting, held, late, samples, stuck, sweep
from apps.runs.partitions import ensure_partitions
from apps.triggers import commands as triggers
from apps.triggers import events, firing, listening, matching
from apps.triggers import partitions as call_partitions

#: The clock is put right by less than this without anybody noticing.
A_JUMP = timedelta(seconds=2)

#: A part that is due no more often than this is done beside the others.
SELDOM_S = 10.0
#: So long the end waits for what is under way there.
PATIENCE_S = 2.0

_log = logging.getLogger(__name__)


@dataclass
class Part:
    """Something to do every so many seconds."""

    name: str
    every_s: float
    do: Callable[[], object]
    next_at: float = field(default=0.0)

    @property
    def is_prompt(self) -> bool:
        """Whether it belongs to every round; what is seldom due does not hold those up."""
        return self.every_s < SELDOM_S


class AfterAJump:
    """Does something once the clock has jumped back, and at the start, when nobody knows.

    Several times over, since what somebody holds just then is passed over.
    """

    TIMES = 3

    def __init__(self, do: Callable[[], object]) -> None:
        self._do = do
        self._left = self.TIMES
        #: Business time less the time of a clock that nobody puts right.
        self._ahead_by: timedelta | None = None

    def look(self) -> None:
        """Do it where it is due."""
        ahead_by = clock.now() - datetime.fromtimestamp(monotonic(), UTC)
        if self._ahead_by is not None and self._ahead_by - ahead_by > A_JUMP:
            self._left = self.TIMES
        self._ahead_by = ahead_by
        if self._left:
            self._left -= 1
            self._do()


def relay_if_due() -> None:
    """Ring for the outbox where something is due."""
    if outbox.has_due():
        doorbell.ring_now("housekeeping")


def parts() -> list[Part]:
    """What the clock does, in order."""
    return [
        Part("timers", 1, sweep.fire_due),
        Part("leases", 1, effects.expire_leases),
        Part("dead drivers", 1, held.count_deaths),
        Part("unheard bells", 1, sweep.ring_for_the_unheard),
        Part("times ahead", 30, sweep.mend_times_ahead),
        Part("events ahead", 30, AfterAJump(events.mend_times_ahead).look),
        Part("messages ahead", 30, outbox.mend_times_ahead),
        Part("reminders and ladders", 1, lambda: escalating.fire_due(now=clock.now())),
        Part("overdue tasks", 1, lambda: inbox.close_overdue(now=clock.now())),
        Part("decisions held", 1, lambda: settling.settle_due(now=clock.now())),
        Part("people who left", 5, lambda: inbox.drop_leavers(now=clock.now())),
        Part("questions to who left", 5, lambda: asking.close_unanswerable(now=clock.now())),
        Part("schedules", 1, lambda: firing.fire_due(now=clock.now())),
        Part("unheard events", 1, matching.ring_if_due),
        Part("outbox", 1, relay_if_due),
        Part("seals", 5, lambda: seal_pending(now=clock.now())),
        Part("logs elsewhere", 2, trail_work.send_to_logs),
        Part("checks and evidence", 2, trail_work.take_up_jobs),
        Part("old checks and evidence", 3600, lambda: trail_jobs.forget_jobs(now=clock.now())),
        Part("counted rows", 10, lambda: audit.write_counted(now=clock.now())),
        Part("stuck runs", 15, stuck.Watch().look),
        Part("partitions of runs", 3600, lambda: ensure_partitions(clock.real_now())),
        Part(
            "partitions of the trail",
            3600,
            lambda: audit_partitions.ensure_partitions(clock.now()),
        ),
        Part(
            "partitions of calls",
            3600,
            lambda: call_partitions.ensure_partitions(clock.real_now()),
        ),
        Part("large values", 3600, lambda: sweep.forget_blobs(now=clock.now())),
        Part("work of old runs", 20, lambda: forgetting.forget_work(now=clock.now())),
        Part("late commands", 3600, late.bury_late_commands),
        Part("old months", 3600, lambda: forgetting.drop_old_months(now=clock.real_now())),
        Part("old calls", 20, lambda: triggers.forget_raw(now=clock.now())),
        Part("old samples", 3600, lambda: samples.forget_old(now=clock.now())),
        Part("old listeners", 60, lambda: listening.forget_old(now=clock.now())),
        Part("old events", 3600, lambda: events.forget_events(now=clock.now())),
        Part("ended sign-ins", 3600, lambda: accounts.delete_expired(now=clock.now())),
        Part("values before", 3600, lambda: connections.forget_previous(now=clock.now())),
        Part("keys of calls", 3600, lambda: triggers.forget_keys(now=clock.now())),
        Part("old request drafts", 3600, lambda: requests.forget_drafts(now=clock.now())),
        Part("drafts in the clear", 3600, requests.seal_drafts),
        Part("files never sent", 3600, lambda: uploads.forget_files(now=clock.now())),
        Part("held notices", 5, lambda: notices.release_due(now=clock.now())),
        Part("digests", 15, lambda: notices.collect_digests(now=clock.now())),
        Part("old notices", 3600, lambda: notices.forget_notices(now=clock.now())),
        Part("old mail links", 3600, lambda: links.forget_links(now=clock.now())),
    ]


def tick(everything: list[Part]) -> dict[str, float]:
    """Do what is due; a part that fails does not hold up the others.

    Returns how long each part that was due took, in milliseconds.
    """
    took: dict[str, float] = {}
    for part in everything:
        began = monotonic()
        if began < part.next_at:
            continue
        part.next_at = began + part.every_s
        try:
            part.do()
        except Exception:  # noqa: BLE001 - whatever it is, the other parts go on
            _log.exception("the clock's part “%s” failed and will be tried again", part.name)
            database.close_all()
        took[part.name] = (monotonic() - began) * 1000
    return took


def measured(rounds: int) -> list[dict[str, Any]]:
    """Tick beside the clocks that run, a second apart; how long each round took, in milliseconds.

    ``round_ms`` counts what belongs to every round, ``parts_ms`` names every part that was due.
    The first round does everything, also what is due once an hour.
    """
    everything = parts()
    found = []
    for number in range(rounds):
        if number:
            threading.Event().wait(1.0)
        took = tick(everything)
        prompt = sum(took.get(part.name, 0.0) for part in everything if part.is_prompt)
        shown = {name: round(one, 2) for name, one in took.items()}
        found.append({"round_ms": round(prompt, 2), "parts_ms": shown})
    return found


def run_until(stop: threading.Event, *, ready: Callable[[], None]) -> None:
    """Tick every second until told to stop; ``ready`` is called after the first tick.

    What is seldom due may take its time, so it has a thread of its own: nothing that people wait
    for, such as a timer, is late because old rows are cleared away.
    """
    everything = parts()
    aside = threading.Thread(
        target=_tick_until,
        args=(stop, [part for part in everything if not part.is_prompt]),
        name="seldom",
        daemon=True,
    )
    prompt = [part for part in everything if part.is_prompt]
    tick(prompt)
    aside.start()
    ready()
    _tick_until(stop, prompt)
    aside.join(PATIENCE_S)


def _tick_until(stop: threading.Event, some: list[Part]) -> None:
    while True:
        tick(some)
        if stop.wait(1.0):
            database.close_all()
            return
