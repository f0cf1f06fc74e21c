"""From the call to the flow's answer, with the real driver and the real commands of ``flows``."""

import asyncio

import pytest

from apps.core import clock


def step(type, **config):
    return {"type": type, "version": 1, "config": config}


@pytest.fixture
def driven(hooks):
    """Post while a driver works in a thread, as a worker process would."""

    def post(path="orders", body=b'{"id": 1}', **options):
        from django.db import connection

        from apps.runs.drive import drive_all

        over = asyncio.Event()

        def work():
            try:
                return drive_all()
            finally:
                connection.close()

        async def driving():
            while not over.is_set():
                await asyncio.to_thread(work)
                await asyncio.sleep(0.01)

        async def both():
            driver = asyncio.ensure_future(driving())
            try:
                return await hooks.apost(path, body, **options)
            finally:
                over.set()
                await driver

        return hooks.run(both())

    return post


class TestACallerWhoWaits:
    def test_gets_what_the_flow_responds(self, shop, driven):
        shop.flow(
            path="orders",
            steps={
                "reply": step("respond", status=201, body={"double": "= trigger.body.id * 2"}),
                "again": step("respond", status=500, body="later answers are not sent"),
                "end": step("stop", outcome="completed"),
            },
            links=[
                {"from": "trigger", "to": "reply"},
                {"from": "reply", "to": "again"},
                {"from": "again", "to": "end"},
            ],
        )
        reply = driven(query="wait=30")
        assert (reply.status, reply.json) == (201, {"double": 2})
        (run,) = shop.runs
        assert run.status == "completed"

    def test_hears_how_a_run_ended(self, shop, driven):
        shop.flow(path="orders")
        reply = driven(query="wait=30")
        assert (reply.status, reply.json["status"]) == (200, "completed")

    def test_hears_why_a_run_failed(self, shop, driven):
        shop.flow(
            path="orders",
            steps={"end": step("stop", outcome="failed", message="No such order.")},
            links=[{"from": "trigger", "to": "end"}],
        )
        reply = driven(query="wait=30")
        assert (reply.status, reply.json["code"]) == (502, "run_failed")
        assert "No such order." in reply.json["detail"]


class TestAFlowFromItsFirstDraftToItsEnd:
    def test_takes_holds_and_refuses_signals_as_its_state_says(self, shop, hooks, driven):
        from apps.flows import commands
        from apps.flows.models import Draft

        actor = shop.actor
        flow = commands.create_flow(actor=actor, name="Orders", now=clock.now())
        draft = Draft.objects.get(flow=flow)
        document = {
            **draft.document,
            "trigger": {"type": "webhook", "config": {"path": "orders"}},
            "steps": {"end": step("stop", outcome="completed")},
            "links": [{"from": "trigger", "to": "end"}],
        }
        commands.save_draft(
            actor=actor,
            flow_id=flow.pk,
            document=document,
            if_match=draft.revision,
            now=clock.now(),
        )
        assert hooks.post().status == 404
        commands.publish_flow(actor=actor, flow_id=flow.pk, note="first", now=clock.now())
        assert driven(query="wait=30").json["status"] == "completed"

        system = type(actor).system(shop.workspace.pk)
        commands.pause_flow(actor=system, flow_id=flow.pk, now=clock.now())
        held = hooks.post()
        assert held.json["held"] is True
        commands.resume_flow(actor=system, flow_id=flow.pk, now=clock.now())
        assert driven(query="wait=30").json["status"] == "completed"
        assert [run.status for run in shop.runs] == ["completed"] * 3

        commands.archive_flow(actor=system, flow_id=flow.pk, now=clock.now())
        assert hooks.post().status == 404


def test_what_a_condition_read_stays_masked(shop, hooks):
    from apps.runs import queries
    from apps.runs.drive import drive_all
    from apps.runs.models import Run

    shop.flow(
        path="orders",
        masked=["card.number"],
        steps={
            "known": step(
                "decide",
                branches=[{"port": "yes", "when": 'trigger.body.card.number != ""'}],
                otherwise="no",
            )
        },
        links=[{"from": "trigger", "to": "known"}],
    )
    reply = hooks.post(body=b'{"card": {"number": "4111-PLANTED"}}')
    drive_all()
    run = Run.objects.get(pk=reply.json["run"])
    shown = queries.steps_of(run, queries.journal(run))["known"]["input"]
    assert shown["branches"][0]["reads"]["trigger.body.card.number"].startswith("fp:")
    assert "PLANTED" not in str(shown)
