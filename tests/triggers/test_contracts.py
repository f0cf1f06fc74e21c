"""What a flow says it takes is held at its own door, before there is a run."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from apps.core import clock

ORDER = {
    "type": "object",
    "required": ["amount"],
    "properties": {
        "amount": {"type": "number", "minimum": 1},
        "lines": {"type": "array", "items": {"type": "object", "required": ["sku"]}},
        "card": {"type": "string", "maxLength": 4},
    },
    "additionalProperties": False,
}
TAKES_ORDERS = {"contract": {"input": ORDER}}


class TestAWebhook:
    @pytest.mark.parametrize(
        ("body", "path", "said"),
        [
            (b"[]", "", "must be a set of named fields; it is a list"),
            (b"", "", "must be a set of named fields; it is empty"),
            (b"{}", "", "lacks “amount”"),
            (b'{"amount": "x"}', "amount", "must be a number; it is text"),
            (b'{"amount": 0.5}', "amount", "must be 1 or more"),
            (b'{"amount": 1, "lines": [{"sku": 1}, {}]}', "lines.1", "lacks “sku”"),
            (b'{"amount": 1, "more": 2}', "", "has “more”, which is not asked for"),
        ],
    )
    def test_refuses_what_does_not_fit_and_says_where(self, shop, hooks, bells, body, path, said):
        shop.flow(path="orders", settings=TAKES_ORDERS)
        bells.clear()
        reply = hooks.post(body=body)
        hooks.settle()

        assert (reply.status, reply.json["code"]) == (422, "contract_broken")
        assert reply.json["errors"] == [{"path": path, "message": f"It {said}."}]
        assert said in reply.json["detail"]
        assert shop.runs == []
        assert bells == []
        (delivery,) = shop.deliveries
        assert (delivery.verdict, delivery.run_id) == ("refused", None)
        assert said in delivery.reason

    def test_takes_what_fits(self, shop, hooks):
        shop.flow(path="orders", settings=TAKES_ORDERS)
        assert hooks.post(body=b'{"amount": 10.5, "lines": [{"sku": 1}]}').status == 202

    def test_never_says_the_value_that_does_not_fit(self, shop, hooks):
        shop.flow(path="orders", settings=TAKES_ORDERS, masked=["card"])
        reply = hooks.post(body=b'{"amount": 1, "card": "4111 PLANTED"}')
        hooks.settle()
        assert "must have 4 characters at most" in reply.json["detail"]
        assert "PLANTED" not in reply.body.decode() + shop.deliveries[0].reason

    def test_a_call_that_does_not_fit_uses_up_no_key(self, shop, hooks):
        shop.flow(path="orders", settings=TAKES_ORDERS)
        key = {"idempotency-key": "one"}
        assert hooks.post(body=b"{}", headers=key).status == 422
        assert hooks.post(body=b'{"amount": 1}', headers=key).status == 202

    def test_holds_the_contract_of_the_release_from_its_next_call_on(self, shop, hooks):
        from django.db import transaction

        from apps.flows.models import FlowVersion
        from apps.triggers.commands import apply_release

        flow = shop.flow(path="orders")
        assert hooks.post(body=b"{}").status == 202
        old = flow.active_version
        version = FlowVersion.objects.create(
            flow=flow,
            workspace=shop.workspace,
            number=2,
            hash=old.hash[::-1],
            document={**old.document, "settings": TAKES_ORDERS},
            trigger_type="webhook",
            created_at=clock.now(),
        )
        for one, status in ((version, 422), (old, 202)):
            with transaction.atomic():
                apply_release(
                    flow=flow, version=one, state="active", actor=shop.actor, now=clock.now()
                )
            assert hooks.post(body=b"{}").status == status

    @pytest.mark.parametrize("anything", [True, {}, None])
    def test_of_a_flow_that_takes_anything_holds_nothing(self, shop, hooks, anything):
        from apps.triggers.models import Trigger

        flow = shop.flow(path="orders", settings={"contract": {"input": anything}})
        assert Trigger.objects.get(flow=flow).contract is None
        assert hooks.post(body=b"[]").status == 202

    @pytest.mark.parametrize(
        ("schema", "body"),
        [
            ({"items": {"type": "integer"}}, [1] * 300_000),
            ({"uniqueItems": True}, [[n] for n in range(100_000)]),
            (
                {"$defs": {"a": {"items": {"allOf": [{"$ref": "#/$defs/a"}] * 2}}}}
                | {"$ref": "#/$defs/a"},
                json.loads("[" * 60 + "]" * 60),
            ),
        ],
        ids=["long", "all different", "doubling"],
    )
    def test_is_not_kept_busy(self, shop, hooks, schema, body):
        shop.flow(path="orders", settings={"contract": {"input": schema}})
        begun = time.perf_counter()
        assert hooks.post(body=json.dumps(body).encode()).status in {202, 422, 503}
        assert time.perf_counter() - begun < 10
        assert hooks.post(body=b"[1]").status == 202


class TestASchedule:
    now = datetime(2026, 6, 1, 7, tzinfo=UTC)

    def flow(self, shop, schema, **config):
        from apps.triggers.models import Schedule

        Schedule.objects.update(enabled=False)
        flow = shop.flow(
            type="schedule", cron="0 9 * * *", settings={"contract": {"input": schema}}, **config
        )
        Schedule.objects.filter(trigger__flow=flow).update(next_at=self.now, looked_at=None)
        return flow

    def fires(self, flow):
        from apps.triggers.models import ScheduleFire

        return list(ScheduleFire.objects.filter(schedule__trigger__flow=flow).order_by("fire_at"))

    def test_that_does_not_fit_starts_nothing_and_is_told(self, shop, bells):
        from apps.core import outbox
        from apps.operations.models import Alert
        from apps.triggers.firing import fire_due

        flow = self.flow(shop, ORDER)
        assert fire_due(now=self.now) == 0

        assert shop.runs == []
        (fire,) = self.fires(flow)
        assert (fire.status, fire.run_id) == ("refused", None)
        assert "lacks “amount”" in fire.reason
        outbox.relay()
        alert = Alert.objects.get(flow=flow)
        assert (alert.kind, alert.user) == ("refused", shop.builder)
        assert "lacks “amount”" in alert.body
        # The time counts as fired: it is not refused again with every look.
        assert fire_due(now=self.now + timedelta(seconds=1)) == 0
        assert len(self.fires(flow)) == 1

    def test_that_fits_starts(self, shop, bells):
        from apps.triggers.firing import fire_due

        self.flow(shop, {"type": "object", "required": ["scheduled_for"]})
        assert fire_due(now=self.now) == 1

    def test_ends_no_older_run_for_one_that_does_not_start(self, shop, bells):
        from apps.runs.models import RunCommand
        from apps.triggers.firing import fire_due
        from apps.triggers.models import Trigger

        flow = self.flow(shop, True, overlap="cancel_old")
        assert fire_due(now=self.now) == 1
        Trigger.objects.filter(flow=flow).update(contract=ORDER)
        assert fire_due(now=self.now + timedelta(days=1)) == 0
        run_ids = [run.pk for run in shop.runs]
        assert not RunCommand.objects.filter(run_id__in=run_ids, kind="cancel").exists()

    def test_whose_time_waited_is_held_to_what_the_flow_takes_now(self, shop, bells):
        from apps.runs.models import RunState
        from apps.triggers.firing import fire_due
        from apps.triggers.models import Trigger

        flow = self.flow(shop, True, overlap="queue")
        assert fire_due(now=self.now) == 1
        assert fire_due(now=self.now + timedelta(days=1)) == 0
        Trigger.objects.filter(flow=flow).update(contract=ORDER)
        RunState.objects.filter(workspace_id=shop.workspace.pk).delete()
        assert fire_due(now=self.now + timedelta(days=1, seconds=1)) == 0
        assert [fire.status for fire in self.fires(flow)] == ["over", "refused"]
