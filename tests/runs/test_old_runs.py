"""Engine rule 19 on the real tables: runs of the first release go on; unknown ones are left alone."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from apps.core import clock
from apps.core.models import uuid7
from apps.engine import events as ev
from apps.runs import commands, stored
from apps.runs.drive import drive_all
from apps.runs.models import Run, RunCommand, RunEvent, RunState
from apps.runs.verify import check_runs
from tests.runs.support import Bench, journal
from tests.support.people import make_workspace, person

FOLDER = Path(__file__).resolve().parents[1] / "golden" / "journals"
SCENES = [
    path for path in sorted(FOLDER.glob("format1-*.json"))
    if stored.loads(path.read_text())["status"] not in ("completed", "failed")
]  # fmt: skip


@pytest.fixture
def bench(bench):
    """A bench with the person whom the recorded flows ask."""
    bench.workspace = make_workspace(uuid7().hex[-12:])
    person(bench.workspace, "approver", email="ada@example.org")
    return bench


def stored_run(bench: Bench, scene: Any) -> UUID:
    """The run as the first release left it in the tables."""
    version = bench.publish(scene["document"])
    run_id = bench.start(version)
    RunCommand.objects.filter(run_id=run_id).delete()
    now = clock.now()
    for row in scene["journal"]:
        RunEvent.objects.create(
            run_id=run_id,
            seq=row["seq"],
            type=row["type"],
            step=row["step"],
            at=now,
            data=row["data"],
        )
    snapshot = {**scene["snapshot"]}
    RunState.objects.filter(run_id=run_id).update(
        format=scene["format"], seq=len(scene["journal"]), snapshot=snapshot
    )
    Run.objects.filter(pk=run_id).update(
        status=scene["status"], started_at=now if snapshot["started"] else None
    )
    return run_id


def send(run_id: UUID, kind: str, payload: Any) -> None:
    lane = RunState.objects.get(run_id=run_id).lane
    commands.add_command(run_id=run_id, lane=lane, kind=kind, payload=payload, now=clock.now())


@pytest.mark.parametrize("path", SCENES, ids=lambda path: path.stem)
def test_a_run_of_the_first_release_ends_on_this_one(bench, path):
    scene = stored.loads(path.read_text())
    run_id = stored_run(bench, scene)
    for kind, payload in scene["commands"]:
        if RunState.objects.filter(run_id=run_id).exists():
            send(run_id, kind, payload)
            drive_all()
    assert Run.objects.get(pk=run_id).status == scene["ends"]["status"]
    rows = [(row["type"], row["step"]) for row in scene["journal"] + scene["ends"]["journal"]]
    assert journal(run_id) == [one for one in rows if one[0] != "outcome.ignored"]
    assert check_runs().problems == []


def test_what_this_release_has_written_to_is_left_to_it(bench):
    """An earlier release reads format 1 alone; it must not meet what it cannot read."""
    scene = stored.loads((FOLDER / "format1-half-of-a-join.json").read_text())
    run_id = stored_run(bench, scene)
    assert RunState.objects.get(run_id=run_id).format == 1
    send(run_id, "continue", {})
    drive_all()
    assert RunState.objects.get(run_id=run_id).format == ev.FORMAT


@pytest.mark.parametrize("unknown", [0, max(ev.READABLE) + 1])
def test_a_run_of_a_format_that_is_not_read_waits_and_others_go_on(bench, unknown):
    scene = stored.loads((FOLDER / "format1-waits-for-a-person.json").read_text())
    left, driven = stored_run(bench, scene), stored_run(bench, scene)
    RunState.objects.filter(run_id=left).update(format=unknown)
    for kind, payload in scene["commands"]:
        send(left, kind, payload)
        send(driven, kind, payload)
        drive_all()
    assert Run.objects.get(pk=driven).status == "completed"
    assert Run.objects.get(pk=left).status == "waiting"
    assert RunCommand.objects.filter(run_id=left).count() == len(scene["commands"])
    RunState.objects.filter(run_id=left).update(format=1)
    drive_all()
    assert not RunCommand.objects.filter(run_id=left).exists()
