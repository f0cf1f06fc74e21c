"""What is remembered of an address holds until it changes, and never a call longer."""

import asyncio
import hashlib
import hmac
from datetime import timedelta

import pytest
from django.db import transaction

from apps.connections import vault
from apps.connections.queries import value_context
from apps.core import clock
from apps.flows.models import FlowVersion
from apps.triggers import addresses, intake
from apps.triggers.commands import apply_release

BODY = b'{"id": 1}'


@pytest.fixture
def reads(monkeypatch):
    """The addresses that were read, a list for each round trip."""
    seen = []
    read = addresses.addresses_of

    async def counted(wires, places):
        seen.append(list(places))
        return await read(wires, places)

    monkeypatch.setattr(addresses, "addresses_of", counted)
    return seen


@pytest.fixture
def warm(shop, hooks, reads):
    """Call a flow's webhook once, so that its address is remembered; what is read then counts."""

    def call(**headers):
        assert hooks.post(body=BODY, headers=headers).status == 202
        reads.clear()

    return call


def republish(shop, flow, **settings):
    now = clock.now()
    document = {**flow.active_version.document, "settings": settings}
    with transaction.atomic():
        version = FlowVersion.objects.create(
            flow=flow,
            workspace=shop.workspace,
            number=2,
            hash=f"{flow.pk.int:064x}"[-64:],
            document=document,
            trigger_type="webhook",
            trigger_path="orders",
            created_at=now,
        )
        flow.active_version = version
        flow.save()
        apply_release(flow=flow, version=version, state="active", actor=shop.actor, now=now)
    return version


def together(hooks, count):
    async def all_at_once():
        return await asyncio.gather(*(hooks.apost(body=b'{"id": 2}') for _ in range(count)))

    return hooks.run(all_at_once())


class TestWhileNothingChanges:
    def test_the_next_calls_are_written_at_once(self, shop, hooks, reads, warm):
        shop.flow(path="orders")
        warm()
        assert {hooks.post().status for _ in range(3)} == {202}
        assert {one.status for one in together(hooks, 20)} == {202}
        assert reads == []
        assert len(shop.runs) == len(shop.deliveries) == 24

    def test_a_repeated_key_is_the_same_run(self, shop, hooks, reads, warm):
        shop.flow(path="orders")
        warm()
        first = hooks.post(headers={"idempotency-key": "k"})
        again = hooks.post(headers={"idempotency-key": "k"})
        other = hooks.post(body=b'{"id": 2}', headers={"idempotency-key": "k"})
        assert (first.status, again.status, other.status) == (202, 200, 409)
        assert again.json["run"] == first.json["run"]
        assert len(shop.runs) == 2

    def test_a_refusal_is_noted_as_ever(self, shop, hooks, warm):
        shop.flow(path="orders")
        warm()
        assert hooks.post(body=b"{").status == 400
        assert [one.verdict for one in shop.deliveries] == ["accepted", "refused"]

    def test_time_goes_on(self, shop, hooks, warm):
        shop.flow(path="orders")
        warm()
        before = clock.now() - timedelta(seconds=1)
        reply = hooks.post()
        run = next(one for one in shop.runs if str(one.id) == reply.json["run"])
        assert before < run.created_at <= clock.now()

    def test_it_is_read_anew_after_a_while(self, shop, hooks, reads, warm, monkeypatch):
        shop.flow(path="orders")
        warm()
        monkeypatch.setattr(addresses, "KEPT_S", 0.0)
        hooks.post()
        assert len(reads) == 1

    def test_only_so_many_are_kept(self, shop, hooks, monkeypatch):
        monkeypatch.setattr(addresses, "MOST_KEPT", 2)
        for path in ("a", "b", "c"):
            shop.flow(path=path)
            assert hooks.post(path).status == 202
        assert sorted(path for _, path in hooks.gateway._memory._known) == ["b", "c"]


class TestWhatChanges:
    @pytest.mark.parametrize("count", [1, 8])
    def test_a_publication_holds_for_the_next_call(self, shop, hooks, warm, count):
        flow = shop.flow(path="orders")
        warm()
        version = republish(shop, flow)
        assert {one.status for one in together(hooks, count)} == {202}
        assert {one.version_id for one in shop.runs[1:]} == {version.pk}
        assert len(shop.runs) == 1 + count

    @pytest.mark.parametrize("count", [1, 8])
    def test_a_pause_holds_for_the_next_call(self, shop, hooks, warm, count):
        flow = shop.flow(path="orders")
        warm()
        shop.move(flow, "paused")
        assert all(one.json["held"] for one in together(hooks, count))
        shop.move(flow, "active")
        assert "held" not in hooks.post().json

    @pytest.mark.parametrize("count", [1, 8])
    def test_an_archived_flow_is_gone_at_once(self, shop, hooks, warm, count):
        flow = shop.flow(path="orders")
        warm()
        shop.move(flow, "archived")
        assert {one.status for one in together(hooks, count)} == {404}
        assert len(shop.runs) == 1

    def test_a_contract_holds_for_the_next_call(self, shop, hooks, warm):
        flow = shop.flow(path="orders")
        warm()
        asked = {"type": "object", "required": ["amount"]}
        republish(shop, flow, contract={"input": asked})
        assert hooks.post(body=BODY).status == 422

    def test_a_new_secret_holds_for_the_next_call(self, shop, hooks, warm):
        row = shop.secret(value="the-old-one")
        signature = {"scheme": "hmac-sha256", "header": "X-Sign", "secret": "portal"}
        shop.flow(path="orders", signature=signature)
        old = hmac.new(b"the-old-one", BODY, hashlib.sha256).hexdigest()
        warm(**{"x-sign": old})
        row.ciphertext = vault.seal(b"the-new-one", value_context(row.pk))
        row.save()
        new = hmac.new(b"the-new-one", BODY, hashlib.sha256).hexdigest()
        assert hooks.post(body=BODY, headers={"x-sign": old}).status == 401
        assert hooks.post(body=BODY, headers={"x-sign": new}).status == 202

    def test_a_secret_on_its_way_out_is_read_each_time(self, shop, hooks, reads, warm):
        row = shop.secret()
        row.previous, row.previous_until = row.ciphertext, clock.now() + timedelta(hours=1)
        row.save()
        signature = {"scheme": "hmac-sha256", "header": "X-Sign", "secret": "portal"}
        shop.flow(path="orders", signature=signature)
        sign = hmac.new(b"s3cret-of-the-portal", BODY, hashlib.sha256).hexdigest()
        warm(**{"x-sign": sign})
        hooks.post(body=BODY, headers={"x-sign": sign})
        assert len(reads) == 1

    def test_a_clock_that_was_moved_is_seen(self, shop, hooks, warm, settings):
        settings.TEST_CLOCK = True
        shop.flow(path="orders")
        warm()
        later = clock.advance(by=timedelta(days=2))
        reply = hooks.post()
        run = next(one for one in shop.runs if str(one.id) == reply.json["run"])
        assert run.created_at >= later

    def test_what_came_while_it_was_written_is_written_once(self, shop, hooks, monkeypatch, warm):
        """The statement found the address changed; the call is stored by what is read then."""
        flow = shop.flow(path="orders")
        store = intake.store
        due: list[bool] = []
        found: list[FlowVersion] = []

        async def published_meanwhile(wires, calls):
            if due:
                due.clear()
                found.append(await asyncio.to_thread(republish, shop, flow))
            return await store(wires, calls)

        monkeypatch.setattr(intake, "store", published_meanwhile)
        warm()
        due.append(True)
        assert hooks.post().status == 202
        assert [one.version_id for one in shop.runs[1:]] == [found[0].pk]
