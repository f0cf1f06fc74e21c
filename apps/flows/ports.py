"""Where packages above join in: what to check before publishing, do on a release, count as held.

They register in ``AppConfig.ready``. Checks and releases run inside the command's transaction, with
the flow's row locked, in the order of registration; what raises undoes the command.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from apps.accounts.actors import Actor
from apps.flows.models import Flow, FlowVersion
from apps.flows.roads import Trial
from apps.steps.findings import Finding


class Check(Protocol):
    """Judges a document against what only a database knows.

    The document is an object of a known format; any part of it may still have a wrong shape.
    """

    def __call__(self, *, flow: Flow, document: Mapping[str, Any]) -> list[Finding]: ...


class Release(Protocol):
    """Follows a flow: ``version`` is what new runs get from now on, in this ``state``."""

    def __call__(
        self,
        *,
        flow: Flow,
        version: FlowVersion | None,
        state: str,
        actor: Actor,
        now: datetime,
    ) -> None: ...


class Begun(Protocol):
    """Keeps what a flow that was begun from an example can be tried with."""

    def __call__(
        self, *, flow: Flow, trials: Sequence[Trial], actor: Actor, now: datetime
    ) -> None: ...


class Held(Protocol):
    """Counts the signals that wait for a paused flow to be resumed."""

    def __call__(self, *, flow: Flow) -> int: ...


_checks: list[Check] = []
_releases: list[Release] = []
_counts: list[Held] = []
_begun: list[Begun] = []


def register_check(check: Check) -> None:
    """Ask ``check`` whenever a document is checked or published."""
    if check not in _checks:
        _checks.append(check)


def register_release(release: Release) -> None:
    """Call ``release`` on publishing, activating, pausing, resuming and archiving."""
    if release not in _releases:
        _releases.append(release)


def register_held(count: Held) -> None:
    """Ask ``count`` what a paused flow holds back. It only reads, outside of any command."""
    if count not in _counts:
        _counts.append(count)


def register_begun(keep: Begun) -> None:
    """Call ``keep`` when a flow is begun from an example."""
    if keep not in _begun:
        _begun.append(keep)


def begun(*, flow: Flow, trials: Sequence[Trial], actor: Actor, now: datetime) -> None:
    """Tell the registered packages what the flow can be tried with."""
    for keep in _begun:
        keep(flow=flow, trials=trials, actor=actor, now=now)


def held(*, flow: Flow) -> int:
    """How many signals the registered packages hold back for a paused flow."""
    return sum(count(flow=flow) for count in _counts)


def checked(*, flow: Flow, document: Mapping[str, Any]) -> list[Finding]:
    """What the registered checks find."""
    return [finding for check in _checks for finding in check(flow=flow, document=document)]


def released(
    *, flow: Flow, version: FlowVersion | None, state: str, actor: Actor, now: datetime
) -> None:
    """Tell the registered packages what holds from now on."""
    for release in _releases:
        release(flow=flow, version=version, state=state, actor=actor, now=now)
