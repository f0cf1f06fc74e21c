"""A draft's own address: what arrives is checked, masked and kept, and starts nothing."""

import json
from datetime import timedelta
from typing import Any

import pytest

from apps.audit.models import AuditEvent
from apps.connections.masking import fingerprint
from apps.core import clock
from apps.core.errors import Conflict, Forbidden
from apps.flows.models import Draft
from apps.runs import samples
from apps.runs.models import Run, Sample
from apps.runs.samples import get_sample, paste_sample, samples_of
from apps.triggers import listening, sending
from apps.triggers.models import Delivery, Listener
from apps.triggers.signing import signed
from tests.support import people
from tests.triggers.conftest import call

SECRET = "s3cret-of-the-portal"
SIGNED = {"scheme": "hmac-sha256", "secret": "portal"}


@pytest.fixture
def sheet(shop):
    """A flow with a draft; ``sheet(signature=…)`` gives it."""

    def make(config=None, *, type="webhook", settings=None):
        flow = shop.flow(path=f"p{len(shop.flows)}")
        document: dict[str, Any] = {
            "format": "signalbox.flow/1",
            "name": "Orders",
            "trigger": {"type": type, "config": config or {}},
            "steps": {},
            "links": [],
            "settings": settings or {},
        }
        Draft.objects.create(flow=flow, document=document, updated_at=clock.now())
        return flow

    return make


@pytest.fixture
def listen(shop, hooks):
    def opened(flow):
        listener = listening.open_listener(actor=shop.actor, flow_id=flow.pk, now=clock.now())

        def post(body=b'{"id": 1}', **options):
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            path = f"/hooks/-/listen/{listener.token}"
            return hooks.run(call(hooks.gateway, path, raw, **options))

        return post

    return opened


def kept(flow):
    return [one.trigger for one in Sample.objects.filter(flow_id=flow.pk).order_by("id")]


class TestWhatArrives:
    def test_is_kept_and_starts_nothing(self, sheet, listen, shop):
        flow = sheet()
        reply = listen(flow)(b'{"amount": 10.50}', query="source=web")
        assert reply.status == 202
        [trigger] = kept(flow)
        assert trigger["type"] == "webhook"
        assert trigger["query"] == {"source": "web"}
        assert str(trigger["body"]["amount"]) == "10.50"
        assert shop.runs == []
        assert not Delivery.objects.filter(workspace_id=shop.workspace.pk).exists()
        assert Listener.objects.get(flow=flow).heard == 1

    def test_is_masked_before_it_is_stored(self, sheet, listen):
        flow = sheet({"masked": ["card.number", "lines[].iban"]})
        # Words that no hash or id can hold by chance.
        body = {"card": {"number": "my number"}, "lines": [{"iban": "my iban"}], "name": "Ada"}
        listen(flow)(body, headers={"authorization": "Bearer my-token"}, query="token=my-word")
        [trigger] = kept(flow)
        assert trigger["body"]["card"]["number"] == fingerprint("my number")
        assert trigger["body"]["lines"] == [{"iban": fingerprint("my iban")}]
        assert trigger["body"]["name"] == "Ada"
        text = json.dumps(trigger, default=str)
        secrets = ("my number", "my iban", "my-token", "my-word")
        assert not any(secret in text for secret in secrets)

    def test_needs_the_signature_that_the_draft_asks_for(self, sheet, listen, shop):
        shop.secret(value=SECRET)
        flow = sheet({"signature": SIGNED})
        post = listen(flow)
        refused = post()
        assert (refused.status, refused.json["code"]) == (401, "bad_signature")
        assert kept(flow) == []
        listener = Listener.objects.get(flow=flow)
        assert (listener.heard, listener.refused) == (0, 1)
        assert "not signed" in listener.said
        config = listening.config_of(Draft.objects.get(flow=flow))
        body = b'{"id": 1}'
        sign = signed(config.signature, SECRET, body=body, at=0, call_id=flow.pk)
        assert post(body, headers=sign).status == 202

    def test_is_held_against_the_contract_of_the_draft(self, sheet, listen):
        contract = {"input": {"type": "object", "required": ["id"]}}
        flow = sheet(settings={"contract": contract})
        post = listen(flow)
        assert (post({"no": 1}).status, post({"id": 1}).status) == (422, 202)
        assert len(kept(flow)) == 1

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            (b"{", 400, "malformed_json"),
            (b'{"a": 1, "a": 2}', 422, "bad_json"),
            (b"1e9999", 422, "bad_json"),
            (b'"\\u0000"', 422, "bad_json"),
            (b"[" * 100, 422, "bad_json"),
            (b'"' + b"x" * 1_100_000 + b'"', 413, "too_large"),
        ],
    )
    def test_is_refused_as_it_would_be_at_the_flows_own(self, sheet, listen, body, status, code):
        flow = sheet()
        reply = listen(flow)(body)
        assert (reply.status, reply.json["code"]) == (status, code)
        assert kept(flow) == []

    def test_is_judged_by_the_draft_as_it_is_now(self, sheet, listen, shop):
        shop.secret(value=SECRET)
        flow = sheet()
        post = listen(flow)
        assert post().status == 202
        draft = Draft.objects.get(flow=flow)
        draft.document["trigger"]["config"] = {"signature": SIGNED}
        draft.save()
        assert post().status == 401


class TestTheAddress:
    def test_ends_after_ten_minutes(self, sheet, listen):
        flow = sheet()
        post = listen(flow)
        opened = Listener.objects.get(flow=flow)
        assert opened.until - opened.opened_at == timedelta(minutes=10)
        Listener.objects.filter(flow=flow).update(until=clock.now() - timedelta(seconds=1))
        reply = post()
        assert (reply.status, reply.json["code"]) == (404, "not_found")
        assert listening.forget_old(now=clock.now()) == 1

    def test_changes_each_time(self, sheet, listen):
        flow = sheet()
        first, second = listen(flow), listen(flow)
        assert (first().status, second().status) == (404, 202)

    def test_that_nobody_opened_is_not_there(self, hooks, sheet):
        path = "/hooks/-/listen/" + "x" * 32
        assert hooks.run(call(hooks.gateway, path, b"{}")).status == 404

    def test_takes_so_many_calls(self, sheet, listen):
        flow = sheet()
        post = listen(flow)
        Listener.objects.filter(flow=flow).update(heard=listening.MOST_HEARD)
        assert (post().status, post().json["code"]) == (429, "heard_enough")

    def test_is_for_flows_that_are_called(self, sheet, shop):
        flow = sheet(type="schedule")
        with pytest.raises(Conflict, match="Webhook"):
            listening.open_listener(actor=shop.actor, flow_id=flow.pk, now=clock.now())

    def test_needs_a_trigger_that_is_filled_in(self, sheet, shop):
        flow = sheet({"signature": {"scheme": "github"}})
        with pytest.raises(Conflict, match="not filled in"):
            listening.open_listener(actor=shop.actor, flow_id=flow.pk, now=clock.now())

    def test_is_opened_by_who_may_edit(self, sheet, shop):
        viewer = people.actor(people.person(shop.workspace, "viewer"), shop.workspace)
        flow = sheet()
        with pytest.raises(Forbidden):
            listening.open_listener(actor=viewer, flow_id=flow.pk, now=clock.now())

    def test_is_in_the_trail(self, sheet, listen):
        flow = sheet()
        listen(flow)
        verbs = AuditEvent.objects.filter(target_id=str(flow.pk)).values_list("verb", flat=True)
        assert "sample.listen" in verbs

    def test_keeps_the_newest_so_many(self, sheet, listen, monkeypatch):
        monkeypatch.setattr(samples, "MOST_KEPT", 2)
        flow = sheet()
        post = listen(flow)
        for number in range(4):
            post({"n": number})
        assert [one["body"]["n"] for one in kept(flow)] == [2, 3]


SCHEMES = [
    {"scheme": "none"},
    SIGNED,
    {**SIGNED, "encoding": "base64", "prefix": "v1="},
    {**SIGNED, "timestamp_header": "X-Time"},
    {"scheme": "github", "secret": "portal"},
    {"scheme": "standard-webhooks", "secret": "portal"},
]


class TestASample:
    @pytest.mark.parametrize("signature", SCHEMES, ids=lambda one: "-".join(map(str, one.values())))
    def test_is_sent_with_a_signature_that_holds(self, sheet, shop, signature):
        shop.secret(value=SECRET)
        flow = shop.flow(path="orders", signature=signature)
        Draft.objects.create(
            flow=flow,
            document={"trigger": {"type": "webhook", "config": {}}},
            updated_at=clock.now(),
        )
        found = send(shop, flow, pasted(shop, flow, '{"n": 7}'), "flow")
        assert found.status == 202
        [run] = shop.runs
        assert found.run == str(run.pk)
        assert shop.started_with(run.pk)["body"] == {"n": 7}
        assert AuditEvent.objects.filter(verb="sample.send", target_id=str(flow.pk)).exists()

    def test_is_sent_to_the_drafts_address_and_starts_nothing(self, sheet, listen, shop):
        shop.secret(value=SECRET)
        flow = sheet({"signature": SIGNED})
        listen(flow)
        found = send(shop, flow, pasted(shop, flow, '{"n": 7}'), "draft")
        assert (found.status, found.run) == (202, None)
        assert shop.runs == []
        assert kept(flow)[-1]["body"] == {"n": 7}

    def test_is_not_sent_twice_under_one_key(self, sheet, shop):
        flow = sheet()
        sample = pasted(shop, flow, '{"n": 7}')
        first, again = send(shop, flow, sample, "flow", "k"), send(shop, flow, sample, "flow", "k")
        assert (first.status, again.status) == (202, 200)
        assert first.run == again.run
        assert len(shop.runs) == 1

    def test_is_sent_nowhere_where_nobody_listens(self, sheet, shop):
        flow = sheet()
        with pytest.raises(sending.NoAddress):
            send(shop, flow, pasted(shop, flow, "{}"), "draft")

    def test_that_is_refused_says_why(self, sheet, shop):
        flow = shop.flow(
            path="orders", settings={"contract": {"input": {"type": "object", "required": ["id"]}}}
        )
        Draft.objects.create(
            flow=flow,
            document={"trigger": {"type": "webhook", "config": {}}},
            updated_at=clock.now(),
        )
        found = send(shop, flow, pasted(shop, flow, '{"n": 7}'), "flow")
        assert found.status == 422
        assert found.answer["code"] == "contract_broken"

    def test_is_sent_by_who_may_start_runs(self, sheet, shop):
        flow = sheet()
        viewer = people.actor(people.person(shop.workspace, "viewer"), shop.workspace)
        sample = pasted(shop, flow, "{}")
        with pytest.raises(Forbidden):
            sending.send_test(
                actor=viewer, flow_id=flow.pk, sample_id=sample, to="flow", key="", now=clock.now()
            )

    def test_of_another_flow_is_not_there(self, sheet, shop):
        one, other = sheet(), sheet()
        sample = pasted(shop, one, "{}")
        with pytest.raises(Exception, match="no such sample"):
            get_sample(shop.actor, other.pk, sample)

    def test_is_gone_after_so_many_days(self, sheet, shop, settings):
        flow = sheet()
        sample = pasted(shop, flow, "{}")
        later = clock.now() + timedelta(days=settings.RAW_DAYS + 1)
        assert samples.forget_old(now=clock.now()) == 0
        assert samples.forget_old(now=later) >= 1
        assert not Sample.objects.filter(pk=sample).exists()

    def test_the_latest_triggers_of_each_kind_are_samples(self, sheet, shop, hooks):
        from apps.runs.drive import drive_batch

        flow = shop.flow(path="orders")
        for number in range(7):
            hooks.post(body={"n": number})
        while drive_batch():
            pass
        found = samples_of(shop.actor, flow.pk)
        assert [one.trigger["body"]["n"] for one in found] == [6, 5, 4, 3, 2]
        assert {one.source for one in found} == {"run"}
        assert Run.objects.filter(flow_id=flow.pk).count() == 7


def pasted(shop, flow, text):
    return paste_sample(actor=shop.actor, flow_id=flow.pk, text=text, name="", now=clock.now()).pk


def send(shop, flow, sample, to, key=""):
    return sending.send_test(
        actor=shop.actor, flow_id=flow.pk, sample_id=sample, to=to, key=key, now=clock.now()
    )
