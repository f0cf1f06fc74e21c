"""The golden graphs of the control-flow patterns give the same traces through the real driver."""

from typing import Any

import pytest

from apps.accounts.actors import Actor
from apps.accounts.commands import create_team
from apps.core import clock
from apps.core.models import uuid7
from apps.engine.lifecycle import StepStatus
from apps.engine.state import from_json
from apps.runs import commands, verify
from apps.runs.drive import drive_all
from apps.runs.models import RunEvent, RunState, Timer
from apps.triggers.events import publish_event
from apps.triggers.matching import match_all
from tests.patterns.goldens import goldens
from tests.patterns.playing import ANSWER, line
from tests.runs.support import assert_replays, status
from tests.support import people

# The same traces are held in memory all day, in tests/patterns.
pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PARTS = 6


class Driven:
    """A run on the real tables; what workers, people and clocks write is written by the test."""

    def __init__(self, bench, document, body):
        self.bench = bench
        self.run_id = bench.start(bench.publish(document), body)
        self.settle()

    @property
    def is_over(self):
        return not RunState.objects.filter(run_id=self.run_id).exists()

    @property
    def trace(self):
        rows = RunEvent.objects.filter(run_id=self.run_id).order_by("seq")
        return [line(row.type, row.step, row.data) for row in rows]

    def settle(self):
        drive_all()
        while match_all():
            drive_all()

    def move(self, who, answer, output=None):
        if who.startswith("event:"):
            self.happens(who.partition(":")[2], output, is_kept=answer == "kept")
        elif who == "run":
            assert answer == "cancel"
            actor = Actor.system(self.bench.workspace.id)
            commands.cancel_run(actor=actor, run_id=self.run_id, reason="", now=clock.now())
        else:
            self.answers(who, answer, output)
        self.settle()

    def answers(self, who, answer, output):
        kept = RunState.objects.get(run_id=self.run_id)
        step, visit = self.visit_of(who, from_json(kept.snapshot))
        payload: dict[str, Any] = {"step": step, "visit": visit}
        kind = "complete"
        if answer == "too late":
            kind = "expire"
        elif answer == "due":
            timer = Timer.objects.get(
                run_id=self.run_id, step=step, visit=visit, kind="delay", status="open"
            )
            Timer.objects.filter(pk=timer.pk).update(status="fired")
            payload |= {"port": timer.port, "output": timer.output}
        else:
            payload |= {"port": answer, "output": {**ANSWER, "body": output}}
        commands.add_command(
            run_id=self.run_id, lane=kept.lane, kind=kind, payload=payload, now=clock.now()
        )

    def visit_of(self, who, state):
        step, _, number = who.partition("#")
        asleep = {StepStatus.READY, StepStatus.BLOCKED}
        visits = [key[1] for key, at in state.active.items() if key[0] == step and at not in asleep]
        return step, int(number) if number else min(visits, default=state.visits[step])

    def happens(self, type_, data, *, is_kept):
        event = {"specversion": "1.0", "id": str(uuid7()), "source": "/test", "type": type_}
        ttl = {} if is_kept else {"ttl": "PT0S"}
        actor = Actor.system(self.bench.workspace.id)
        publish_event(actor=actor, event={**event, "data": data, **ttl}, now=clock.now())


@pytest.mark.parametrize("part", range(PARTS))
def test_the_traces_are_the_golden_ones(bench, part):
    bench.workspace = people.make_workspace()
    desk = people.person(bench.workspace, "approver", "admin")
    actor = people.actor(desk, bench.workspace)
    team = create_team(actor=actor, slug="desk", name="Desk", now=clock.now())
    team.group.user_set.add(desk)
    told = [(one, play) for one in goldens() for play in one["plays"]]
    for golden, play in told[part::PARTS]:
        run = Driven(bench, golden["document"], play["input"])
        for move in play["script"]:
            if not run.is_over:  # what comes later than the end is buried by the clock
                run.move(*move)

        ends = [one for one in play["trace"] if not one.endswith(" run_over")]
        assert run.trace == ends, f"{golden['name']}: {play['said']}"
        assert status(run.run_id) == play["status"]
        assert_replays(run.run_id)
    assert verify.check_runs().problems == []
