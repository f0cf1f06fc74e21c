"""Do what steps want done outside: pull, send under a lease, and report once.

Rows are pulled by worker threads (engine rules 12 to 14); those that ask or report at the same
time share a statement, see ``effect_claims`` and ``effect_reports``. No database connection is held
while a step talks to the outside. A result counts only with the fence it was claimed under.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import DatabaseError, connection, transaction

from apps.connections import masking
from apps.connections import queries as connection_queries
from apps.connections.outgoing import Answer, OutgoingClient, OutgoingError, check_host
from apps.core import clock
from apps.core.errors import ProductError
from apps.core.pool import give_back
from apps.engine import events as ev
from apps.engine import values
from apps.engine.lifecycle import EFFECT_TRANSITIONS, EffectStatus, move
from apps.runs import doorbell, effect_claims, effect_reports, slots, stored, tries
from apps.runs.commands import add_command
from apps.runs.effect_claims import LEASE, Claimed
from apps.runs.late import journal_after_end
from apps.runs.models import Effect, RunState
from apps.runs.patience import AWAY, insist
from apps.steps import outcomes, registry
from apps.steps.document import validated

HEARTBEAT_S = 5.0
MARGIN_S = 10.0
#: So long after its start PostgreSQL waits before a lease counts as lost: a worker whose every beat
#: it missed may be alive.
BACK_FOR_S = 2 * HEARTBEAT_S
MAX_DEATHS = 3
MAX_SECONDS_A_CALL = 60.0
REPORT_AGAIN_S = 1.0

Given = TypeVar("Given")

_log = logging.getLogger(__name__)


class LeaseLost(Exception):
    """Somebody else holds the effect by now; nothing may be sent any more."""


def work_effects() -> int:
    """Pull and do effects until none is due; returns how many were done.

    One thread does one at a time; while more are due it rings for another thread.
    """
    doorbell.answered("effects")
    started = monotonic()
    done = 0
    while _slots.enter():
        effect = None
        try:
            effect = claim()
            if effect is None:
                break
            perform(effect)
        finally:
            if effect is not None and effect.is_bulk:
                _slots.leave_bulk()
            _slots.leave()
        done += 1
        if monotonic() - started > MAX_SECONDS_A_CALL:
            doorbell.ring_now("effects")
            break
    return done


def claim() -> Claimed | None:
    """Take the oldest due effect of a lane drawn by lot, or nothing.

    One that was there when two processes died is taken only by an idle process, and nothing
    else beside it. Where it waits too long for one, this process takes nothing else until idle.

    Locks:
        The effect's row; nobody waits for it.
    """
    if _slots.is_time_to_look() and slots.reserve_one():
        _slots.reserve()
    effect = None if _slots.is_reserved else _claim_beside_others()
    if effect is None and _slots.close():
        effect = effect_claims.claim_alone()
        if effect is None:
            _slots.open()
        elif effect.is_bulk:
            _slots.enter_bulk()
    return effect


def _claim_beside_others() -> Claimed | None:
    may_be_bulk = _slots.enter_bulk()
    effect = None
    try:
        effect = effect_claims.claim_any(may_be_bulk=may_be_bulk)
    finally:
        if may_be_bulk and not (effect and effect.is_bulk):
            _slots.leave_bulk()
    return effect


def perform(effect: Claimed) -> None:
    """Do one try and report it. Whatever the step raises ends up as an outcome."""
    type_ = registry.find(effect.kind, effect.version)
    longest = min(
        float(effect.input.get("timeout_s") or type_.timeout.total_seconds()),
        type_.timeout.total_seconds(),
    )
    context = Context(effect)
    with _hearts.beating(effect, longest + MARGIN_S):
        try:
            config = validated(type_.config, effect.input)
            leave = type_.run(config, context)
            values.check_kept(leave.output)
        except LeaseLost:
            _refuse_late(effect, "complete")
            return
        except outcomes.StepError as failed:
            _report_failure(effect, context, failed)
            return
        except OutgoingError as failed:
            _report_failure(effect, context, context.as_step_error(failed))
            return
        except (ProductError, values.TooLarge) as failed:
            _report_failure(effect, context, outcomes.StepError(failed.code, str(failed)))
            return
        except values.NotJson as failed:
            message = f"The step's result cannot be kept: {failed}"
            _report_failure(effect, context, outcomes.StepError("bad_output", message))
            return
        except AWAY as error:
            # Steps ask the database before they send and never after: nothing has left.
            _log.warning("step %s of run %s is put off: %s", effect.step, effect.run_id, error)
            away = ev.Error(effect.step, "transient", "database_away", "The database was away.")
            _retry(effect, away, None)
            return
        except DatabaseError as error:
            _log.exception("step %s of run %s met a database error", effect.step, effect.run_id)
            refused = outcomes.StepError(
                "database_error", f"The database refused: {error}", error_class="transient"
            )
            _report_failure(effect, context, refused)
            return
        except Exception as fault:  # noqa: BLE001 - whatever it is, it is an outcome
            _log.exception("step %s of run %s raised", effect.step, effect.run_id)
            message = context.mask(f"The step stopped by a fault: {type(fault).__name__}: {fault}")
            _report_failure(effect, context, outcomes.StepError("step_fault", message[:500]))
            return
        payload = {
            "step": effect.step,
            "visit": effect.visit,
            "port": leave.port,
            "output": leave.output,
        }
        _report(effect, EffectStatus.SUCCEEDED, "complete", payload)


class Context:
    """What a step may use while it is outside; see ``registry.EffectContext``."""

    def __init__(self, effect: Claimed) -> None:
        self._effect = effect
        self._secrets: set[str] = set()
        self.idempotency_key = effect.key
        self.attempt = effect.attempt

    def http(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes, timeout_s: float
    ) -> Answer:
        client = OutgoingClient(self._effect.workspace_id, is_allowed=self._is_allowed)
        self._about_to_send()
        return client.request(method, url, headers=headers, content=content, timeout_s=timeout_s)

    def fill(self, value: Any, *, host: str, port: int | None) -> Any:
        if isinstance(value, Mapping):
            if isinstance(value.get("secret"), str) and set(value) <= {"secret", "prefix"}:
                secret = connection_queries.secret_for_host(
                    self._effect.workspace_id, value["secret"], host, port
                )
                self._secrets.add(secret)
                return f"{value.get('prefix') or ''}{secret}"
            return {name: self.fill(one, host=host, port=port) for name, one in value.items()}
        if isinstance(value, list):
            return [self.fill(one, host=host, port=port) for one in value]
        return value

    def mask(self, text: str) -> str:
        if not self._secrets:
            return text
        return masking.mask_secret_echo(text.encode(), self._secrets).decode("utf-8", "replace")

    def send_mail(self, *, to: list[str], subject: str, text: str) -> str:
        if settings.EMAIL_HOST and "smtp" in settings.EMAIL_BACKEND:
            # The installation's own server is allowed; addresses that nobody may call are not.
            check_host(settings.EMAIL_HOST, settings.EMAIL_PORT, is_allowed=lambda *_: True)
        message_id = f"<{self._effect.key}@signalbox>"
        self._about_to_send()
        message = EmailMessage(subject, text, to=to, headers={"Message-ID": message_id})
        try:
            message.send()
        except OSError as failed:
            raise outcomes.StepError(
                "mail_server",
                f"The mail server did not take the mail: {failed}",
                error_class="transient",
            ) from None
        return message_id

    def as_step_error(self, failed: OutgoingError) -> outcomes.StepError:
        """A call without an answer: unknown where something may have arrived."""
        error_class = "unknown" if failed.sent else failed.error_class
        return outcomes.StepError(failed.code, failed.message, error_class=error_class)

    def _is_allowed(self, host: str, port: int) -> bool:
        try:
            return connection_queries.is_allowed_host(self._effect.workspace_id, host, port)
        finally:
            give_back()  # what follows waits for the other side

    def _about_to_send(self) -> None:
        """Note under the fence that something may leave from here on; let go of the database."""
        if not effect_reports.mark_sent(self._effect.id, self._effect.fence):
            raise LeaseLost


def _report_failure(effect: Claimed, context: Context, failed: outcomes.StepError) -> None:
    message, output = _storable(context.mask(failed.message), failed.output)
    error_class: str = failed.error_class
    if error_class == "unknown" and tries.repeats_unknown(effect.input, effect.retry):
        error_class = "transient"
    error = ev.Error(effect.step, error_class, failed.code, message)
    if effect.attempt < _tries_of(effect, error_class).most:
        _retry(effect, error, failed.retry_after)
        return
    status = EffectStatus.UNKNOWN if error_class == "unknown" else EffectStatus.FAILED
    payload = {
        "step": effect.step,
        "visit": effect.visit,
        "error": error.as_json(),
        "output": output,
        "attempts": effect.attempt,
    }
    _report(effect, status, "fail", payload)


def _storable(message: str, output: Any) -> tuple[str, Any]:
    """What a failing step says, so that it can be kept: a failure must not fail for its words."""
    message = message.replace("\0", "\N{REPLACEMENT CHARACTER}")
    message = message.encode("utf-8", "replace").decode()
    try:
        values.check_kept(output)
    except values.NotJson:
        output = None
    return message, output


def _retry(effect: Claimed, error: ev.Error, wish: timedelta | None) -> None:
    allowed = _tries_of(effect, error.error_class)
    delay = tries.backoff(allowed.first_delay_s, effect.attempt, allowed.longest_delay_s)
    if wish is not None:
        delay = max(delay, wish.total_seconds())
    next_at = _patiently(effect, clock.now) + timedelta(seconds=delay)
    payload = {
        "step": effect.step,
        "visit": effect.visit,
        "attempt": effect.attempt,
        "error": error.as_json(),
        "next_at": next_at.isoformat(),
    }
    _report(effect, EffectStatus.QUEUED, "retry", payload, available_at=next_at)


def _tries_of(effect: Claimed, error_class: str) -> tries.Tries:
    return tries.allowed(effect.input, effect.retry, error_class, effect.max_attempts)


def _guarded(
    effect: Claimed,
    status: EffectStatus,
    kind: str,
    payload: Mapping[str, Any],
    available_at: datetime | None,
) -> bool:
    """Result, fence check and command in one transaction; false where the fence has moved on."""
    text = stored.dumps(payload)
    return effect_reports.report(
        effect_reports.Report(effect.id, effect.fence, status, kind, text, available_at)
    )


def _report(
    effect: Claimed,
    status: EffectStatus,
    kind: str,
    payload: Mapping[str, Any],
    *,
    available_at: datetime | None = None,
) -> None:
    """Report once, and refuse to where the fence has moved on."""
    if not _patiently(effect, lambda: _guarded(effect, status, kind, payload, available_at)):
        _refuse_late(effect, kind)


def _patiently(effect: Claimed, do: Callable[[], Given]) -> Given:
    """What ``do`` gives; while the database is away it is tried again as long as a lease is long.

    What was done outside must not be done again for want of a row, and a worker that cannot
    report must not be taken for a dead one.
    """
    return insist(
        do,
        what=f"what became of {effect.id}",
        seconds=LEASE.total_seconds(),
        pause_s=REPORT_AGAIN_S,
    )


def _refuse_late(effect: Claimed, outcome: str) -> None:
    """Write down that an outcome came too late and changed nothing."""
    _log.warning("a late %s of step %s of run %s is refused", outcome, effect.step, effect.run_id)
    _patiently(effect, lambda: _journal_late(effect, outcome))


def _journal_late(effect: Claimed, outcome: str) -> None:
    with transaction.atomic():
        if RunState.objects.select_for_update(no_key=True).filter(run_id=effect.run_id).exists():
            payload = {"step": effect.step, "visit": effect.visit, "outcome": outcome}
            add_command(
                run_id=effect.run_id,
                lane=effect.lane,
                kind="late",
                payload=payload,
                now=clock.now(),
            )
            return
    journal_after_end(run_id=effect.run_id, step=effect.step, visit=effect.visit, outcome=outcome)


def expire_leases(*, limit: int = 200) -> int:
    """Give up on effects whose worker is dead or frozen: queue them again, or end them as unknown.

    Called by the clock. A lost lease counts as a try and as a death; the third death, a try too
    many, or ``on_unknown: fail`` after sending ends the effect with an unknown outcome.

    Locks:
        The effects' rows; those that somebody reports on just now are skipped.
    """
    count = 0
    with transaction.atomic():
        now = clock.now()
        with connection.cursor() as cursor:
            cursor.execute(
                "select id, run_id, workspace_id, lane, step, visit, kind, kind_version,"
                " input::text, attempt, max_attempts, fence, deaths, idempotency_key,"
                " retry::text, sent_at"
                " from effect where status = 'running' and lease_until < clock_timestamp()"
                " and pg_postmaster_start_time() < clock_timestamp() - make_interval(secs => %s)"
                " order by id limit %s for update skip locked",
                [BACK_FOR_S, limit],
            )
            rows = cursor.fetchall()
        for row in rows:
            *effect, sent_at = row
            _expire(Claimed.of(effect), sent=sent_at is not None, now=now)
            count += 1
    return count


def _expire(lost: Claimed, *, sent: bool, now: datetime) -> None:
    deaths = lost.deaths + 1
    unknown = sent and lost.input.get("on_unknown", "repeat") == "fail"
    message = "The worker that did this stopped before it could report."
    if unknown or deaths >= MAX_DEATHS or lost.attempt >= lost.max_attempts + MAX_DEATHS:
        error = ev.Error(lost.step, "unknown", "lease_lost", message)
        status, kind = EffectStatus.UNKNOWN, "fail"
        payload: dict[str, Any] = {
            "error": error.as_json(),
            "output": None,
            "attempts": lost.attempt,
        }
    else:
        error = ev.Error(lost.step, "transient", "lease_lost", message)
        status, kind = EffectStatus.QUEUED, "retry"
        payload = {"attempt": lost.attempt, "error": error.as_json(), "next_at": now.isoformat()}
    Effect.objects.filter(pk=lost.id).update(
        status=move(EFFECT_TRANSITIONS, EffectStatus.RUNNING, status),
        deaths=deaths,
        lease_until=None,
        available_at=now,
        finished_at=None if status is EffectStatus.QUEUED else now,
    )
    add_command(
        run_id=lost.run_id,
        lane=lost.lane,
        kind=kind,
        payload={"step": lost.step, "visit": lost.visit, **payload},
        now=now,
    )
    transaction.on_commit(lambda: doorbell.ring("effects"))


class _Hearts:
    """Keeps this process's leases alive: one statement every few seconds for all of them."""

    def __init__(self) -> None:
        self._live: dict[UUID, tuple[int, float]] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def beating(self, effect: Claimed, seconds: float) -> "_Beat":
        """Keep the lease while inside, at most for so many seconds."""
        return _Beat(self, effect, monotonic() + seconds)

    def add(self, effect: Claimed, deadline: float) -> None:
        with self._lock:
            self._live[effect.id] = (effect.fence, deadline)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._beat, name="leases", daemon=True)
                self._thread.start()

    def remove(self, effect: Claimed) -> None:
        with self._lock:
            self._live.pop(effect.id, None)

    def _beat(self) -> None:
        pause = threading.Event()
        while True:
            pause.wait(HEARTBEAT_S)
            with self._lock:
                alive = [
                    (id_, fence)
                    for id_, (fence, deadline) in self._live.items()
                    if monotonic() < deadline
                ]
            if alive:
                self._renew(alive)

    def _renew(self, alive: list[tuple[UUID, int]]) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    effect_claims.RENEW,
                    {
                        "ids": [id_ for id_, _ in alive],
                        "fences": [fence for _, fence in alive],
                        "lease_s": LEASE.total_seconds(),
                    },
                )
        except Exception as error:  # noqa: BLE001 - the next beat tries again
            _log.warning("leases not renewed: %s", error)
        finally:
            connection.close()


class _Beat:
    def __init__(self, hearts: _Hearts, effect: Claimed, deadline: float) -> None:
        self._hearts, self._effect, self._deadline = hearts, effect, deadline

    def __enter__(self) -> None:
        self._hearts.add(self._effect, self._deadline)

    def __exit__(self, *_: object) -> None:
        self._hearts.remove(self._effect)


_hearts = _Hearts()
_slots = slots.Slots()
