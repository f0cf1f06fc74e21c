"""Samples and tests over the API: what is refused and how it is said, and who sees what."""

import json

import pytest

from apps.core import clock
from apps.flows import commands as flows
from apps.flows.models import Draft
from apps.runs import samples
from apps.runs.models import Run, Sample
from tests.support import people

pytestmark = pytest.mark.django_db

DOCUMENT = {
    "format": "signalbox.flow/1",
    "name": "Orders",
    "trigger": {"type": "webhook", "config": {"path": "orders", "masked": ["card"]}},
    "steps": {
        "read": {
            "type": "map",
            "version": 1,
            "config": {"fields": {"twice": "= trigger.body.amount * 2"}},
        },
        "tell": {
            "type": "mail.send",
            "version": 1,
            "config": {"to": "ann@example.org", "subject": "= trigger.body.name", "text": "Hello"},
        },
    },
    "links": [{"from": "trigger", "to": "read"}, {"from": "read", "to": "tell"}],
    "settings": {},
    "layout": {},
}
BODY = '{"amount": 4, "name": "Ada", "card": "my card"}'


@pytest.fixture
def flow(workspace, people):
    from tests.support.people import actor

    builder = actor(people["builder"], workspace)
    made = flows.create_flow(actor=builder, name="Orders", now=clock.now())
    flows.save_draft(
        actor=builder,
        flow_id=made.pk,
        document=DOCUMENT,
        if_match=Draft.objects.get(flow=made).revision,
        now=clock.now(),
    )
    return made


@pytest.fixture
def sample(workspace, people, flow):
    from tests.support.people import actor

    return samples.paste_sample(
        actor=actor(people["builder"], workspace),
        flow_id=flow.pk,
        text=BODY,
        name="Large",
        now=clock.now(),
    )


def post(client, path, body, **headers):
    return people.send(client, "POST", f"/api/v1/{path}", body, **headers)


class TestPasting:
    def test_keeps_what_was_pasted_masked_as_the_draft_says(self, client_as, flow):
        answer = post(client_as("builder"), f"flows/{flow.pk}/samples/", {"text": BODY})
        assert answer.status_code == 201
        kept = Sample.objects.get(pk=answer.json()["id"])
        assert kept.trigger["body"]["amount"] == 4
        assert kept.trigger["body"]["card"].startswith("fp:")
        assert "my card" not in json.dumps(kept.trigger, default=str)

    @pytest.mark.parametrize(
        ("text", "status", "code", "said"),
        [
            ("{", 422, "bad_json", "cannot be read as JSON"),
            ('{"a": 1, "a": 2}', 422, "bad_json", "stands twice"),
            ('{"a": NaN}', 422, "bad_json", "cannot be read"),
            ("1e99999", 422, "bad_json", "cannot be read"),
            ("1" * 40, 422, "bad_json", "digits"),
            ('"\\u0000"', 422, "bad_json", "cannot be read"),
            ("[" * 80 + "]" * 80, 422, "bad_json", "cannot be read"),
            ("  ", 422, "invalid", "Nothing was pasted"),
            ('"' + "x" * 1_100_000 + '"', 413, "too_large", "at most"),
        ],
    )
    def test_says_why_it_refuses(self, client_as, flow, text, status, code, said):
        answer = post(client_as("builder"), f"flows/{flow.pk}/samples/", {"text": text})
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert said in answer.json()["detail"]
        assert not Sample.objects.exists()

    def test_takes_a_text_or_a_run_and_not_both(self, client_as, flow):
        for body in ({}, {"text": "{}", "run": str(flow.pk)}):
            assert post(client_as("builder"), f"flows/{flow.pk}/samples/", body).status_code == 422

    def test_is_done_once_under_one_key(self, client_as, flow):
        builder, path = client_as("builder"), f"flows/{flow.pk}/samples/"
        first = post(builder, path, {"text": "{}"}, **{"Idempotency-Key": "k"})
        again = post(builder, path, {"text": "{}"}, **{"Idempotency-Key": "k"})
        assert first.json() == again.json()
        assert Sample.objects.count() == 1

    def test_shows_fields_to_who_may_not_see_data(self, api_as, flow, sample):
        path = f"/api/v1/flows/{flow.pk}/samples/{sample.pk}/"
        seen = api_as("builder").get(path).json()
        assert seen["trigger"]["body"]["name"] == "Ada"
        assert seen["steps"]["read"]["output"] == {"twice": 8}
        veiled = api_as("builder", scopes=["flow.view"]).get(path).json()
        assert veiled["trigger"]["body"] == {"amount": "•••", "name": "•••", "card": "•••"}
        assert veiled["steps"]["read"]["output"] == {"twice": "•••"}
        assert not veiled["may_see"]


class TestExpressions:
    def ask(self, client, flow, sample, expression):
        body = {"expression": expression, "flow": str(flow.pk), "sample": str(sample.pk)}
        return post(client, "evaluate/", body)

    def test_are_worked_out_with_the_chosen_sample(self, client_as, flow, sample):
        builder = client_as("builder")
        assert self.ask(builder, flow, sample, "trigger.body.name").json()["value"] == "Ada"
        assert self.ask(builder, flow, sample, "steps.read.output.twice + 1").json()["value"] == 9

    def test_give_their_type_alone_to_who_may_not_see_data(self, api_as, flow, sample):
        client = api_as("builder", scopes=["flow.view"])
        answer = client.post(
            "/api/v1/evaluate/",
            {
                "expression": "trigger.body.amount",
                "flow": str(flow.pk),
                "sample": str(sample.pk),
            },
            content_type="application/json",
        )
        assert answer.json() == {"value": "•••", "type": "number", "hidden": True}

    def test_that_fail_tell_nothing_of_the_data_to_them(self, api_as, flow, sample):
        client = api_as("builder", scopes=["flow.view"])
        answer = client.post(
            "/api/v1/evaluate/",
            {
                "expression": "number(trigger.body.name)",
                "flow": str(flow.pk),
                "sample": str(sample.pk),
            },
            content_type="application/json",
        )
        assert answer.status_code == 422
        assert "Ada" not in answer.content.decode()


class TestTesting:
    def test_plan_and_run_say_the_same(self, client_as, flow, sample):
        builder = client_as("builder")
        asked = {"kind": "dry", "sample": str(sample.pk)}
        plan = post(builder, f"flows/{flow.pk}/test-plan/", asked).json()
        assert [one["id"] for one in plan["steps"]] == ["read", "tell"]
        assert plan["leaves"] == [{"type": "mail.send", "sent": False, "count": 1}]
        assert plan["steps"][1]["given"][0]["subject"] == "Ada"
        started = post(
            builder, f"flows/{flow.pk}/test-runs/", {**asked, "announced": ["read", "tell"]}
        )
        assert started.status_code == 201
        assert started.json()["trigger"] == {"type": "test"}
        assert started.json()["version"] is None
        report = builder.get(f"/api/v1/runs/{started.json()['id']}/test/").json()
        assert set(report["document"]["steps"]) == set(DOCUMENT["steps"])
        assert report["announced"] == ["read", "tell"]

    def test_of_something_else_than_was_announced_is_refused_with_the_new_plan(
        self, client_as, flow, sample
    ):
        body = {"kind": "dry", "sample": str(sample.pk), "announced": ["read"]}
        answer = post(client_as("builder"), f"flows/{flow.pk}/test-runs/", body)
        assert (answer.status_code, answer.json()["code"]) == (409, "plan_changed")
        assert [one["id"] for one in answer.json()["plan"]["steps"]] == ["read", "tell"]
        assert not Run.objects.exists()

    def test_is_started_once_under_one_key(self, client_as, flow, sample):
        body = {"kind": "dry", "sample": str(sample.pk), "announced": ["read", "tell"]}
        builder, path = client_as("builder"), f"flows/{flow.pk}/test-runs/"
        first = post(builder, path, body, **{"Idempotency-Key": "k"})
        again = post(builder, path, body, **{"Idempotency-Key": "k"})
        assert first.json()["id"] == again.json()["id"]
        assert Run.objects.count() == 1

    def test_hides_what_would_be_sent_from_who_may_not_see_data(self, api_as, flow, sample):
        client = api_as("builder", scopes=["flow.view", "flow.run"])
        plan = client.post(
            f"/api/v1/flows/{flow.pk}/test-plan/",
            {"kind": "dry", "sample": str(sample.pk)},
            content_type="application/json",
        ).json()
        assert "Ada" not in json.dumps(plan)
        assert plan["steps"][1]["given"][0]["subject"] == "•••"

    @pytest.mark.parametrize(
        "body",
        [
            {"kind": "all"},
            {"kind": "dry", "answers": [1]},
            {"kind": "dry", "answers": {"tell": {"port": "away"}}},
            {"kind": "dry", "live": ["tell"]},
            {"kind": "only"},
            {"kind": "to", "step": "nothing"},
            {"kind": "only", "step": "read", "live": ["read"]},
        ],
    )
    def test_that_makes_no_sense_is_refused(self, client_as, flow, body):
        answer = post(client_as("builder"), f"flows/{flow.pk}/test-plan/", body)
        assert answer.status_code == 422
        assert answer.json()["detail"]

    def test_of_a_step_with_an_error_names_it(self, client_as, workspace, people, flow):
        draft = Draft.objects.get(flow=flow)
        draft.document["steps"]["tell"]["config"]["subject"] = "= ("
        draft.save()
        answer = post(client_as("builder"), f"flows/{flow.pk}/test-plan/", {"kind": "dry"})
        assert (answer.status_code, answer.json()["code"]) == (422, "has_errors")
        assert answer.json()["findings"][0]["step"] == "tell"
        other = {"kind": "only", "step": "read"}
        assert post(client_as("builder"), f"flows/{flow.pk}/test-plan/", other).status_code == 200
