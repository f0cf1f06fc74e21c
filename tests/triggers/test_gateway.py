"""Intake: what is accepted is stored before it is answered, once, and nothing else is.

Engine rules 16, 17, 33 and 36.
"""

import asyncio
import json
from decimal import Decimal
from uuid import UUID

import pytest

from apps.connections import vault
from apps.triggers.calls import body_context
from tests.triggers.conftest import call


class TestAnAcceptedCall:
    def test_is_a_queued_run_of_the_active_version_with_what_it_carried(self, shop, hooks, bells):
        flow = shop.flow(path="orders")
        bells.clear()
        reply = hooks.post(body=b'{"amount": 10.50, "id": "A"}', query="source=web&tag=a&tag=b")
        assert reply.status == 202
        run_id = UUID(reply.json["run"])
        assert reply.json == {"run": str(run_id), "status_url": f"/api/v1/runs/{run_id}/"}
        (run,) = shop.runs
        assert (run.id, run.status, run.flow_id, run.version_id, run.trigger_type) == (
            run_id,
            "queued",
            flow.pk,
            flow.active_version_id,
            "webhook",
        )
        trigger = shop.started_with(run_id)
        assert trigger["body"] == {"amount": Decimal("10.50"), "id": "A"}
        assert trigger["query"] == {"source": "web", "tag": ["a", "b"]}
        assert trigger["headers"]["content-type"] == "application/json"
        assert trigger["type"] == "webhook"
        assert trigger["id"] == str(run_id)
        assert bells == ["drive"]

    def test_is_kept_as_it_arrived_but_sealed(self, shop, hooks):
        shop.flow(path="orders")
        hooks.post(body=b'{ "card": "4111 1111" }')
        (delivery,) = shop.deliveries
        assert delivery.verdict == "accepted"
        assert delivery.summary == "JSON, 23 bytes"
        assert b"4111" not in bytes(delivery.body)
        assert vault.open(delivery.body, body_context(delivery.id)) == b'{ "card": "4111 1111" }'

    def test_answers_json_that_no_browser_runs_without_cookies_or_cors(self, shop, hooks):
        shop.flow(path="orders")
        headers = hooks.post(headers={"origin": "https://evil.test", "cookie": "a=b"}).headers
        assert headers["content-type"] == "application/json"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"] == "sandbox; default-src 'none'"
        assert not {"set-cookie", "access-control-allow-origin", "vary"} & headers.keys()

    def test_may_come_in_pieces(self, shop, hooks):
        shop.flow(path="orders")
        reply = hooks.post(chunks=[b'{"a"', b": [1,", b"2]}"])
        assert shop.started_with(reply.json["run"])["body"] == {"a": [1, 2]}

    def test_may_be_large_up_to_one_megabyte(self, shop, hooks):
        shop.flow(path="orders")
        body = json.dumps({"text": "x" * 1_000_000}).encode()
        assert hooks.post(body=body).status == 202

    @pytest.mark.parametrize(
        ("content_type", "body", "read"),
        [
            ("application/json; charset=utf-8", b"[1]", [1]),
            ("application/cloudevents+json", b'"x"', "x"),
            (
                "application/x-www-form-urlencoded",
                b"a=1&b=2&b=3&c=",
                {"a": "1", "b": ["2", "3"], "c": ""},
            ),
            ("text/plain", "grün".encode(), "grün"),
            ("application/json", b"", None),
        ],
    )
    def test_is_read_by_its_content_type(self, shop, hooks, content_type, body, read):
        shop.flow(path="orders")
        reply = hooks.post(body=body, headers={"content-type": content_type})
        assert shop.started_with(reply.json["run"])["body"] == read

    def test_stores_secrets_only_as_fingerprints(self, shop, hooks):
        shop.flow(path="orders", masked=["customer.iban", "lines[].note"])
        body = {"customer": {"iban": "DE89-PLANTED"}, "lines": [{"note": "PLANTED"}, {"n": 1}]}
        planted = {"authorization": "Bearer PLANTED", "x-api-key": "PLANTED", "x-kind": "plain"}
        reply = hooks.post(body=body, headers=planted, query="token=PLANTED&page=2")
        trigger = shop.started_with(reply.json["run"])
        (delivery,) = shop.deliveries
        assert trigger["headers"]["x-kind"] == "plain"
        assert trigger["query"]["page"] == "2"
        assert trigger["headers"]["authorization"].startswith("fp:")
        assert trigger["body"]["customer"]["iban"].startswith("fp:")
        assert trigger["body"]["lines"][1] == {"n": 1}
        stored = json.dumps([trigger, delivery.headers, delivery.query], default=str)
        assert "PLANTED" not in stored
        assert b"PLANTED" not in bytes(delivery.body)


class TestARefusedCall:
    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            (b"{not json", 400, "malformed_json"),
            (b'{"a": 1} trailing', 400, "malformed_json"),
            (b'{"a": "\\u0000"}', 422, "bad_json"),
            (b'{"a": "\\ud800"}', 422, "bad_json"),
            (b'{"a": 1, "a": 2}', 422, "bad_json"),
            (b'{"a": NaN}', 422, "bad_json"),
            (b"[" * 70 + b"]" * 70, 422, "bad_json"),
            (b"[" * 200_000, 422, "bad_json"),
            (b'{"a": 1e99999}', 422, "bad_json"),
            (b'{"a": "\xff"}', 422, "bad_json"),
        ],
    )
    def test_with_bad_json_is_told_where_it_is_wrong(self, shop, hooks, body, status, code):
        shop.flow(path="orders")
        reply = hooks.post(body=body)
        assert (reply.status, reply.json["code"]) == (status, code)
        assert reply.headers["content-type"] == "application/problem+json"
        assert {"position", "line", "column"} <= reply.json.keys()
        assert reply.json["line"] == 1
        assert shop.runs == []
        (delivery,) = shop.deliveries
        assert (delivery.verdict, delivery.reason) == ("refused", reply.json["detail"])
        assert delivery.body is None

    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            ("application/x-www-form-urlencoded", b"a=%00"),
            ("application/x-www-form-urlencoded", b"a=%ff"),
            ("application/x-www-form-urlencoded", b"&".join([b"a=1"] * 1001)),
            ("text/plain", b"a\0b"),
            ("text/plain", b"\xff"),
        ],
    )
    def test_with_text_that_cannot_be_stored_is_422(self, shop, hooks, content_type, body):
        shop.flow(path="orders")
        reply = hooks.post(body=body, headers={"content-type": content_type})
        assert (reply.status, reply.json["code"]) == (422, "bad_text")
        assert shop.runs == []

    def test_with_a_nul_in_query_or_header(self, shop, hooks):
        shop.flow(path="orders")
        assert hooks.post(query="a=%00").status == 422
        assert hooks.post(headers={"x-odd": "a\0b"}).status == 400
        assert shop.runs == []

    @pytest.mark.parametrize(
        "headers",
        [
            {"content-type": "application/xml"},
            {"content-type": "multipart/form-data; boundary=x"},
            {"content-type": "application/octet-stream"},
            {"content-type": ""},
            {"content-encoding": "gzip"},
            {"content-type": "application/json; charset=utf-16"},
        ],
    )
    def test_of_a_kind_that_is_not_read_is_415(self, shop, hooks, headers):
        shop.flow(path="orders")
        reply = hooks.post(headers=headers)
        assert (reply.status, reply.json["code"]) == (415, "unsupported_media_type")

    def test_oversized_is_413_however_it_is_sent(self, shop, hooks):
        shop.flow(path="orders")
        big = b'"' + b"x" * (1024 * 1024) + b'"'
        assert hooks.post(body=big).status == 413
        assert hooks.post(chunks=[big[:600_000], big[600_000:]]).status == 413
        assert hooks.post(body=b"", headers={"content-length": str(10**10)}).status == 413
        assert hooks.post(chunks=[b"x" * 1_000_000] * 50).status == 413
        assert shop.runs == []
        assert {one.verdict for one in shop.deliveries} == {"refused"}

    @pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
    def test_by_another_method_is_405_and_changes_nothing(self, shop, hooks, method):
        shop.flow(path="orders")
        reply = hooks.post(method=method, headers={"access-control-request-method": "POST"})
        assert (reply.status, reply.headers["allow"]) == (405, "POST")
        assert shop.runs == []

    @pytest.mark.parametrize(
        "path",
        ["nothing", "orders/", "Orders", "orders/x", "..", "a//b", "<b>", "a\nb", "%00", "a\0"],
    )
    def test_at_an_unknown_address_is_404(self, shop, hooks, path):
        shop.flow(path="orders")
        reply = hooks.post(path)
        assert (reply.status, reply.json["code"]) == (404, "not_found")

    def test_of_another_workspace_is_404(self, shop, hooks):
        shop.flow(path="orders")
        assert hooks.run(call(hooks.gateway, "/hooks/nobody/orders", b"{}")).status == 404
        assert hooks.run(call(hooks.gateway, "/hooks/", b"{}")).status == 404

    @pytest.mark.parametrize(
        "host", ["evil.test", "127.0.0.1.evil.test", "", "127.0.0.1:80:80", "a b"]
    )
    def test_at_another_host_is_400(self, shop, hooks, host):
        shop.flow(path="orders")
        reply = hooks.post(headers={"host": host})
        assert (reply.status, reply.json["code"]) == (400, "bad_host")
        assert shop.runs == []

    def test_with_markup_comes_back_as_text(self, shop, hooks):
        shop.flow(path="orders")
        markup = "<script>alert(1)</script>"
        reply = hooks.post(headers={"content-type": markup, "x-name": markup})
        assert reply.status == 415
        assert reply.headers["content-type"] == "application/problem+json"
        assert reply.headers["x-content-type-options"] == "nosniff"
        accepted = hooks.post(headers={"x-name": markup})
        assert shop.started_with(accepted.json["run"])["headers"]["x-name"] == markup

    def test_is_noted_only_so_often_a_minute(self, shop, hooks, monkeypatch):
        from apps.triggers import intake
        from apps.triggers.gateway import Gateway

        shop.flow(path="orders")
        for _ in range(intake.NOTED_PER_MINUTE + 5):
            assert hooks.post(body=b"{", headers={"x-long": "y" * 5000}).status == 400
        assert len(shop.deliveries) == intake.NOTED_PER_MINUTE
        assert len(shop.deliveries[0].headers["x-long"]) == intake.NOTED_HEADER
        # Another process has another count of its own, but the same table.
        monkeypatch.setattr(Gateway, "_may_note", lambda _self, _id: True)
        hooks.post(body=b"{")
        assert len(shop.deliveries) == intake.NOTED_PER_MINUTE

    def test_does_not_keep_a_fault_of_ours_from_being_answered(
        self, shop, hooks, monkeypatch, caplog
    ):
        from apps.triggers import gateway

        def broken(*_arguments, **_more):
            raise RuntimeError("planted fault")

        shop.flow(path="orders")
        monkeypatch.setattr(gateway, "make_ready", broken)
        reply = hooks.post()
        assert (reply.status, reply.json["code"]) == (500, "fault")
        assert b"planted" not in reply.body
        assert "planted fault" in caplog.text


class TestAFlowThatIsNotActive:
    def test_holds_signals_while_paused_says_so_and_starts_them_when_resumed(
        self, shop, hooks, bells
    ):
        from apps.flows import ports
        from apps.flows.queries import pause_of
        from apps.runs.models import RunCommand, WaitingStart

        flow = shop.flow(path="orders")
        shop.move(flow, "paused")
        bells.clear()
        first, second = hooks.post(body=b'{"n": 1}'), hooks.post(body=b'{"n": 2}')
        assert (first.status, first.json["held"]) == (202, True)
        assert [one.verdict for one in shop.deliveries] == ["held", "held"]
        assert bells == []
        flow.refresh_from_db()
        assert WaitingStart.objects.filter(flow_id=flow.pk, reason="paused").count() == 2
        pause = pause_of(flow)
        assert pause is not None
        assert (ports.held(flow=flow), pause.held) == (2, 2)
        shop.move(flow, "active")
        started = RunCommand.objects.filter(lane=flow.pk).order_by("id")
        assert [str(one.run_id) for one in started] == [first.json["run"], second.json["run"]]
        assert not WaitingStart.objects.filter(flow_id=flow.pk).exists()
        assert "held" not in hooks.post().json

    def test_answers_a_waiting_caller_at_once_while_paused(self, shop, hooks):
        flow = shop.flow(path="orders")
        shop.move(flow, "paused")
        assert hooks.post(query="wait=30").json["held"] is True

    def test_is_not_there_when_archived_and_frees_its_address(self, shop, hooks):
        flow = shop.flow(path="orders")
        assert hooks.post().status == 202
        shop.move(flow, "archived")
        assert hooks.post().status == 404
        newer = shop.flow(path="orders")
        reply = hooks.post()
        assert reply.status == 202
        assert shop.runs[-1].flow_id == newer.pk

    def test_a_call_read_while_paused_but_stored_after_the_resumption_starts(
        self, shop, hooks, monkeypatch
    ):
        """Held then, it would be held for ever."""
        from apps.runs.models import RunCommand
        from apps.triggers import intake

        flow = shop.flow(path="orders")
        shop.move(flow, "paused")
        store = intake.store

        async def resumed_meanwhile(wires, stored):
            await asyncio.to_thread(shop.move, flow, "active")
            return await store(wires, stored)

        monkeypatch.setattr(intake, "store", resumed_meanwhile)
        reply = hooks.post()
        assert "held" not in reply.json
        assert RunCommand.objects.filter(run_id=reply.json["run"]).exists()

    def test_a_publication_holds_for_the_next_call(self, shop, hooks):
        from django.db import transaction

        from apps.core import clock
        from apps.flows.models import FlowVersion
        from apps.triggers.commands import apply_release

        flow = shop.flow(path="orders")
        hooks.post()
        first = flow.active_version
        second = FlowVersion.objects.create(
            flow=flow,
            workspace=shop.workspace,
            number=2,
            hash="f" * 64,
            document={
                **first.document,
                "trigger": {"type": "webhook", "config": {"path": "moved"}},
            },
            trigger_type="webhook",
            created_at=clock.now(),
        )
        flow.active_version = second
        flow.save()
        with transaction.atomic():
            apply_release(
                flow=flow, version=second, state="active", actor=shop.actor, now=clock.now()
            )
        assert hooks.post().status == 404
        assert hooks.post("moved").status == 202
        assert shop.runs[-1].version_id == second.pk


class TestTheSameCallAgain:
    def test_fifty_at_once_under_one_key_are_one_run(self, shop, hooks, bells):
        shop.flow(path="orders")
        bells.clear()

        async def all_at_once():
            return await asyncio.gather(
                *(hooks.apost(headers={"idempotency-key": "order-1"}) for _ in range(50))
            )

        replies = hooks.run(all_at_once())
        assert sorted({reply.status for reply in replies}) == [200, 202]
        assert [reply.status for reply in replies].count(202) == 1
        assert len({reply.json["run"] for reply in replies}) == 1
        assert len(shop.runs) == 1
        repeats = [reply for reply in replies if reply.status == 200]
        assert all(reply.json["duplicate"] is True for reply in repeats)
        assert bells == ["drive"]

    def test_under_one_idempotency_key_with_another_body_is_409(self, shop, hooks):
        shop.flow(path="orders")
        key = {"idempotency-key": "k"}
        first = hooks.post(body=b'{"a": 1}', headers=key)
        assert hooks.post(body=b'{"a": 1}', headers=key).json == {**first.json, "duplicate": True}
        reply = hooks.post(body=b'{"a": 2}', headers=key)
        assert (reply.status, reply.json["code"]) == (409, "idempotency_key_reused")
        assert [one.verdict for one in shop.deliveries] == ["accepted", "duplicate", "refused"]

    def test_is_known_by_the_triggers_expression_whatever_the_header_says(self, shop, hooks):
        shop.flow(path="orders", dedupe="trigger.body.id")
        first = hooks.post(body=b'{"id": 1.0, "x": 1}', headers={"idempotency-key": "a"})
        again = hooks.post(body=b'{"id": 1.00, "x": 2}', headers={"idempotency-key": "b"})
        assert (first.status, again.status) == (202, 200)
        assert again.json["run"] == first.json["run"]
        assert hooks.post(body=b'{"id": 2}', headers={"idempotency-key": "a"}).status == 202

    def test_an_expression_that_is_null_leaves_it_to_the_header(self, shop, hooks):
        shop.flow(path="orders", dedupe="= get or else(trigger.body.id, null)")
        assert hooks.post(body=b"{}").status == 202
        assert hooks.post(body=b"{}").status == 202
        assert hooks.post(body=b"{}", headers={"idempotency-key": "a"}).status == 202
        assert hooks.post(body=b"{}", headers={"idempotency-key": "a"}).status == 200

    def test_an_expression_that_fails_is_a_refusal_with_its_cause(self, shop, hooks):
        shop.flow(path="orders", dedupe="trigger.body.id")
        reply = hooks.post(body=b'{"ID": 1}')
        assert (reply.status, reply.json["code"]) == (422, "dedupe_failed")
        assert '"trigger.body" has no "id"' in reply.json["detail"]

    def test_an_expression_that_takes_too_long_is_stopped(self, shop, hooks):
        shop.flow(path="orders", dedupe="count(for i in 1..90000 return i)")
        reply = hooks.post()
        assert (reply.status, reply.json["code"]) == (422, "dedupe_failed")

    def test_keys_of_two_webhooks_are_apart(self, shop, hooks):
        shop.flow(path="orders")
        shop.flow(path="returns")
        key = {"idempotency-key": "k"}
        assert hooks.post("orders", headers=key).status == 202
        assert hooks.post("returns", headers=key).status == 202

    def test_a_key_is_not_spent_by_a_refused_call(self, shop, hooks):
        shop.flow(path="orders")
        key = {"idempotency-key": "k"}
        assert hooks.post(body=b"{", headers=key).status == 400
        assert hooks.post(body=b"{}", headers=key).status == 202

    def test_a_key_too_long_is_refused(self, shop, hooks):
        shop.flow(path="orders")
        assert hooks.post(headers={"idempotency-key": "k" * 201}).status == 422

    def test_without_a_key_each_call_is_a_run(self, shop, hooks):
        shop.flow(path="orders")
        assert {hooks.post().status for _ in range(3)} == {202}
        assert len(shop.runs) == 3


def test_answers_are_counted_by_code(shop, hooks, monkeypatch):
    from collections import Counter

    from apps.triggers import answers

    monkeypatch.setattr(answers, "given", Counter())
    shop.flow(path="orders")
    hooks.post()
    hooks.post()
    hooks.post("elsewhere")
    hooks.post(body=b"{")
    assert answers.given == {202: 2, 404: 1, 400: 1}
