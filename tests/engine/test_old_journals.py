"""Runs that an earlier release began: their journals are read, and they end as they would have.

The files in ``tests/golden/journals`` were recorded by the release that brought their format
(``tools.record_journals``), in the middle of a wait, a retry, a join, a pause.
"""

import json
from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest

from apps.engine import events as ev
from apps.engine.fold import replay
from apps.engine.state import from_json, to_json
from apps.runs import snapshots, stored
from apps.runs.evaluation import Evaluation
from apps.runs.wanted import LoadedRun
from apps.steps.document import compile_flow
from tools import record_journals

FOLDER = Path(__file__).resolve().parents[1] / "golden" / "journals"
SCENES = sorted(FOLDER.glob("format*.json"))
#: What a state of the first format said; later ones say more, never something else.
FIRST_WORDS = {"status", "seq", "started", "responded", "visits", "active", "outputs", "errors"}


def scene_of(path):
    return stored.loads(path.read_text())


def events_of(rows):
    return [ev.from_row(row["type"], row["step"], row["data"]) for row in rows]


@pytest.fixture(params=SCENES, ids=lambda path: path.stem)
def scene(request):
    return scene_of(request.param)


def test_there_are_scenes_of_every_format_that_is_read():
    formats = {int(path.name.removeprefix("format").split("-")[0]) for path in SCENES}
    assert formats >= {one for one in ev.READABLE if one < ev.FORMAT}
    assert all(scene_of(path)["format"] in ev.READABLE for path in SCENES)


def test_its_rows_are_read_and_written_again_as_they_were(scene):
    for row in scene["journal"] + scene["ends"]["journal"]:
        event = ev.from_row(row["type"], row["step"], row["data"])
        type_, step, data = ev.to_row(event)
        assert (type_, step) == (row["type"], row["step"])
        kept = json.loads(json.dumps(data))
        assert kept.items() <= row["data"].items()
        missing = {name: row["data"][name] for name in row["data"].keys() - kept.keys()}
        assert not any(missing.values()), "only what says nothing may be left out"


def test_its_journal_gives_the_state_that_its_snapshot_says(scene):
    replayed = replay(events_of(scene["journal"]))
    stored_state = from_json(scene["snapshot"])
    assert to_json(stored_state) == to_json(replayed)
    as_now = json.loads(json.dumps(to_json(replayed)))
    for name in FIRST_WORDS:
        assert as_now[name] == scene["snapshot"][name], name
    for name in ("queued", "owed"):
        kept = {link: count for link, count in scene["snapshot"][name] if count}
        assert dict(map(tuple, as_now[name])) == kept


def test_a_state_that_was_read_is_written_and_read_again_alike(scene):
    once = json.loads(json.dumps(to_json(from_json(scene["snapshot"]))))
    assert json.loads(json.dumps(to_json(from_json(once)))) == once


class Continued:
    """An old run in the hands of this release; it is also the cursor that its rows come by."""

    def __init__(self, scene):
        self.flow = compile_flow(scene["document"])
        self.run = UUID(scene["run"])
        self.snapshot = stored.dumps(scene["snapshot"])
        self.rows = [
            (row["seq"], row["type"], row["step"], row["at"], stored.dumps(row["data"]))
            for row in scene["journal"]
        ]

    def take(self, *commands):
        at = record_journals.NOW.isoformat()
        state = from_json(stored.loads(self.snapshot))
        run = LoadedRun(
            run_id=self.run,
            workspace_id=self.run,
            flow_id=self.run,
            version_id=self.run,
            lane=self.run,
            state=state,
            awaited_until=None,
        )
        snapshots.load(self, [(run, self.flow)])
        one = Evaluation(run, self.flow, datetime.fromisoformat(at))
        one.take(commands)
        self.rows += [(row.seq, row.type, row.step, at, row.data) for row in one.rows]
        self.snapshot = stored.dumps(to_json(one.state))
        return one

    def execute(self, statement, given, **_how):
        assert statement is snapshots.ROWS
        found = [self.rows[seq - 1] for seq in given[1]]
        self.found = [
            (self.run, seq, step, datetime.fromisoformat(at), data)
            for seq, _, step, at, data in found
        ]

    def fetchall(self):
        return self.found


def test_it_ends_today_as_it_would_have_ended_then(scene):
    continued = Continued(scene)
    seen = len(continued.rows)
    status = scene["status"]
    for kind, payload in scene["commands"]:
        status = continued.take((kind, payload)).state.status.value
    assert status == scene["ends"]["status"]
    new = [(type_, step) for _, type_, step, _, _ in continued.rows[seen:]]
    assert new == [(row["type"], row["step"]) for row in scene["ends"]["journal"]]
    for (_, type_, _, _, data), then in zip(
        continued.rows[seen:], scene["ends"]["journal"], strict=True
    ):
        if type_ == "step.completed":
            assert stored.loads(data)["output"] == then["data"]["output"]
    rows = [(type_, step, stored.loads(data)) for _, type_, step, _, data in continued.rows]
    replayed = replay(ev.from_row(*row) for row in rows)
    assert to_json(from_json(stored.loads(continued.snapshot))) == to_json(replayed)


def test_this_release_records_such_scenes_too(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["record_journals", str(tmp_path)])
    assert record_journals.main() == 0
    recorded = sorted(tmp_path.glob("*.json"))
    assert len(recorded) == len(record_journals.SCENES)
    for path in recorded:
        then = scene_of(FOLDER / path.name.replace(f"format{ev.FORMAT}", "format1"))
        assert scene_of(path)["ends"]["status"] == then["ends"]["status"]
