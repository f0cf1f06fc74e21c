"""Rule 35: while versions are published and activated, no call is refused, and each is pinned."""

import asyncio
import time

from django.db import connection

from apps.core import clock
from apps.flows import commands
from apps.flows.models import Draft
from apps.runs.drive import drive_all
from tests.runs.support import outputs
from tests.support.releases import Timeline

SWITCHES = 18
CALLERS = 6


class Author:
    """Publishes new versions, and goes back to old ones, of one flow."""

    def __init__(self, shop):
        self.shop = shop
        self.flow = commands.create_flow(actor=shop.actor, name="Orders", now=clock.now())
        self.made = []
        self.timeline = Timeline()
        self.publish()

    def publish(self):
        draft = Draft.objects.get(flow=self.flow)
        number = len(self.made) + 1
        document = {
            **draft.document,
            "trigger": {"type": "webhook", "config": {"path": "orders"}},
            "steps": {"say": {"type": "map", "version": 1, "config": {"fields": {"n": number}}}},
            "links": [{"from": "trigger", "to": "say"}],
        }
        commands.save_draft(
            actor=self.shop.actor,
            flow_id=self.flow.pk,
            document=document,
            if_match=draft.revision,
            now=clock.now(),
        )
        with self.timeline.switching() as made:
            version = commands.publish_flow(
                actor=self.shop.actor, flow_id=self.flow.pk, note="", now=clock.now()
            )
            made.append(version.pk)
        self.made.append(version.pk)

    def go_back(self):
        number = len(self.made) - 1
        with self.timeline.switching() as made:
            commands.activate_version(
                actor=self.shop.actor, flow_id=self.flow.pk, number=number, now=clock.now()
            )
            made.append(self.made[number - 1])

    def work(self):
        try:
            for turn in range(SWITCHES):
                if turn % 3 == 2:
                    self.go_back()
                else:
                    self.publish()
        finally:
            connection.close()


def test_calls_are_taken_and_pinned_to_a_version_that_was_active(shop, hooks):
    author = Author(shop)
    calls = []

    async def calling(over):
        while not over.is_set():
            sent = time.monotonic()
            reply = await hooks.apost()
            calls.append((sent, time.monotonic(), reply))

    async def both():
        over = asyncio.Event()
        callers = [asyncio.ensure_future(calling(over)) for _ in range(CALLERS)]
        try:
            await asyncio.to_thread(author.work)
        finally:
            over.set()
            await asyncio.gather(*callers)

    hooks.run(both())

    assert {reply.status for _, _, reply in calls} == {202}
    pinned = {str(run.pk): run.version_id for run in shop.runs}
    assert len(pinned) == len(calls)
    for sent, answered, reply in calls:
        version = pinned[reply.json["run"]]
        assert author.timeline.may_have_met(version, sent, answered)
    assert len(set(pinned.values())) > SWITCHES / 3, "the calls did not meet the switches"

    while drive_all():
        pass
    numbers = {version: number for number, version in enumerate(author.made, start=1)}
    for run in shop.runs[:: max(1, len(calls) // 50)]:
        assert run.status == "completed"
        assert outputs(run.pk)["say"] == {"n": numbers[run.version_id]}
