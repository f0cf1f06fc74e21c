"""Documents about events, and a bench that publishes them with their triggers."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from apps.accounts.actors import Actor
from apps.core import clock
from apps.core.models import uuid7
from apps.flows.models import Flow, FlowVersion
from apps.runs.drive import drive_all
from apps.runs.models import Run
from apps.triggers import events
from apps.triggers.commands import apply_release
from apps.triggers.matching import match_all
from apps.triggers.models import Event
from tests.runs.support import Bench, document, outputs

__all__ = ["BY_ORDER", "EventBench", "document", "emitting", "got", "starting", "waiting"]


def emitting(type_: str = "invoice.paid", data: Any = None, **config: Any) -> dict[str, Any]:
    """A flow that publishes what it was started with."""
    said = {"type": type_, "data": "= trigger.body" if data is None else data, **config}
    return document({"tell": {"type": "emit", "config": said}}, ["trigger -> tell"])


def waiting(type_: str = "invoice.paid", *, limit: str = "", **config: Any) -> dict[str, Any]:
    """A flow that waits for an event and notes what came."""
    wait: dict[str, Any] = {"type": "wait.event", "config": {"type": type_, **config}}
    links = ["trigger -> wait", "wait.done -> note"]
    steps = {
        "wait": wait,
        "note": {"type": "map", "config": {"fields": {"got": "= steps.wait.output.event.data"}}},
    }
    if limit:
        wait["time_limit"] = limit
        steps["late"] = {"type": "map", "config": {"fields": {}}}
        links.append("wait.timeout -> late")
    return document(steps, links)


def starting(type_: str = "invoice.paid", **config: Any) -> dict[str, Any]:
    """A flow that starts by an event."""
    return document(
        {"note": {"type": "map", "config": {"fields": {"got": "= trigger.body"}}}},
        ["trigger -> note"],
        trigger={"type": "event", "config": {"type": type_, **config}},
    )


BY_ORDER = {"key": "trigger.body.order", "key_of": "event.data.order"}


class EventBench(Bench):
    """A workspace with flows; ``settle`` also brings events together with who waits for them."""

    @property
    def actor(self) -> Actor:
        return Actor.system(self.workspace.id)

    def release(self, doc: dict[str, Any], *, state: str = "active") -> FlowVersion:
        """Publish with the trigger, as ``flows`` does it."""
        version = self.publish(doc)
        Flow.objects.filter(pk=version.flow_id).update(state=state)
        version.flow.refresh_from_db()
        self.move(version, state)
        return version

    def move(self, version: FlowVersion, state: str) -> None:
        """Pause, resume or archive."""
        with transaction.atomic():
            Flow.objects.filter(pk=version.flow_id).update(state=state)
            apply_release(
                flow=Flow.objects.get(pk=version.flow_id),
                version=version,
                state=state,
                actor=self.actor,
                now=clock.now(),
            )

    def tell(self, data: Any = None, type_: str = "invoice.paid", **more: Any) -> Event:
        """Publish an event from outside."""
        sent = {
            "specversion": "1.0",
            "id": str(uuid7()),
            "source": "https://shop.example",
            "type": type_,
            "data": data,
            **more,
        }
        event, _ = events.publish_event(actor=self.actor, event=sent, now=clock.now())
        return event

    def settle(self) -> None:
        """Drive, match, do effects and fire timers until nothing is due."""
        for _ in range(80):
            super().settle()
            if not match_all() and not drive_all():
                return

    def runs_of(self, version: FlowVersion) -> list[Run]:
        return list(Run.objects.filter(flow_id=version.flow_id).order_by("id"))


def got(run_id: UUID) -> Any:
    """What came, as the flow noted it; None where nothing did."""
    return outputs(run_id).get("note", {}).get("got")


@contextmanager
def stopped(before: str, work: Callable[[], Any]) -> Iterator[None]:
    """Do ``work`` in a thread that stops before a statement, until the block is left.

    ``before`` is a part of the statement's text; the first that has it is the one.
    """
    is_there, may_go = threading.Event(), threading.Event()
    raised: list[BaseException] = []
    held: list[str] = []

    def hold(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        if before in str(sql) and not is_there.is_set():
            held.append(sql)
            is_there.set()
            may_go.wait(60)
        return execute(sql, params, many, context)

    def do() -> None:
        try:
            with connection.execute_wrapper(hold):
                work()
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            raised.append(error)
        finally:
            is_there.set()
            connection.close()

    thread = threading.Thread(target=do, name="stopped work")
    thread.start()
    try:
        assert is_there.wait(60)
        assert held or raised, f"it never came to {before!r}"
        yield
    finally:
        may_go.set()
        thread.join(60)
    assert not thread.is_alive()
    for error in raised:
        raise error
