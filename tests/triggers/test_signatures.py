"""Each scheme, on real payloads and on the specification's own example."""

import base64
import hashlib
import hmac
import json
import time
from datetime import timedelta
from pathlib import Path

import pytest

from apps.steps.types.trigger_webhook import Signature
from apps.triggers.signatures import BadSignature, StaleTimestamp, standard_webhooks_key, verify

GITHUB_EXAMPLES = Path(__file__).parents[3] / "shared" / "data" / "webhooks" / "github"
BODY = b'{"amount": 12.50}'
SECRET = "s3cret-of-the-portal"
NOW = 1_700_000_000


def hexed(content, secret=SECRET):
    return hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


def judge(signature, headers, body=BODY, secrets=(SECRET,), at=NOW):
    verify(Signature(secret="portal", **signature), secrets, headers=headers, body=body, at=at)


class TestAKeyedHash:
    scheme = {"scheme": "hmac-sha256", "header": "X-Sign"}

    def test_over_the_raw_body_is_good(self):
        judge(self.scheme, {"x-sign": hexed(BODY)})
        judge(self.scheme, {"x-sign": hexed(BODY).upper()})

    def test_may_be_base64_behind_a_prefix(self):
        signature = {**self.scheme, "encoding": "base64", "prefix": "sha256="}
        digest = base64.b64encode(bytes.fromhex(hexed(BODY))).decode()
        judge(signature, {"x-sign": f"sha256={digest}"})
        with pytest.raises(BadSignature, match="begin with"):
            judge(signature, {"x-sign": digest})

    @pytest.mark.parametrize(
        "value",
        [
            "",
            hexed(BODY + b" "),
            hexed(BODY, "other"),
            hexed(BODY)[:-1],
            "zz" * 32,
            "é" * 64,
            hexed(BODY) + "00",
        ],
    )
    def test_that_is_missing_wrong_or_odd_is_refused(self, value):
        with pytest.raises(BadSignature):
            judge(self.scheme, {"x-sign": value})

    def test_is_refused_where_the_secret_is_gone(self):
        with pytest.raises(BadSignature):
            judge(self.scheme, {"x-sign": hexed(BODY)}, secrets=())

    def test_covers_the_time_where_a_header_names_it(self):
        signature = {**self.scheme, "timestamp_header": "X-Time"}
        good = {"x-sign": hexed(f"{NOW}.".encode() + BODY), "x-time": str(NOW)}
        judge(signature, good)
        judge(signature, good, at=NOW + 300)
        judge(signature, good, at=NOW - 300)
        with pytest.raises(StaleTimestamp):
            judge(signature, good, at=NOW + 301)
        with pytest.raises(StaleTimestamp):
            judge(signature, good, at=NOW - 301)
        with pytest.raises(BadSignature):
            judge(signature, {**good, "x-time": str(NOW + 1)})
        with pytest.raises(BadSignature, match="X-Time"):
            judge(signature, {"x-sign": hexed(BODY)})

    @pytest.mark.parametrize(
        "stamp", ["soon", "-1", "1e9", "1700000000.5", "\uff11\uff17", "9" * 40]
    )
    def test_with_an_odd_time_is_refused(self, stamp):
        signature = {**self.scheme, "timestamp_header": "X-Time"}
        headers = {"x-sign": hexed(f"{stamp}.".encode() + BODY), "x-time": stamp}
        with pytest.raises(StaleTimestamp):
            judge(signature, headers)

    def test_with_either_of_two_live_secrets_is_good(self):
        for secret in ("old", "new"):
            judge(self.scheme, {"x-sign": hexed(BODY, secret)}, secrets=("new", "old"))
        with pytest.raises(BadSignature):
            judge(self.scheme, {"x-sign": hexed(BODY, "older")}, secrets=("new", "old"))


class TestStandardWebhooks:
    scheme = {"scheme": "standard-webhooks"}
    # The example of the specification's reference libraries.
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    sent = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    body = b'{"test": 2432232314}'
    at = 1614265330

    def judge(self, headers, body=None, secrets=None, at=None):
        judge(self.scheme, headers, body or self.body, secrets or (self.secret,), at or self.at)

    def test_the_specifications_example_is_good(self):
        self.judge(self.sent)
        self.judge(self.sent, secrets=(self.secret.removeprefix("whsec_"),))

    def test_one_good_signature_among_several_is_enough(self):
        others = "v1a,xxxx v2,AAAA v1,bm90IGl0 "
        self.judge({**self.sent, "webhook-signature": others + self.sent["webhook-signature"]})

    @pytest.mark.parametrize(
        "change",
        [
            {"webhook-id": "msg_other"},
            {"webhook-id": ""},
            {"webhook-timestamp": "1614265331"},
            {"webhook-timestamp": ""},
            {"webhook-signature": ""},
            {"webhook-signature": "v1,"},
            {"webhook-signature": "v1"},
            {"webhook-signature": "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
        ],
    )
    def test_anything_changed_is_refused(self, change):
        with pytest.raises(BadSignature):
            self.judge({**self.sent, **change})
        with pytest.raises(BadSignature):
            self.judge(self.sent, body=self.body + b" ")

    def test_a_time_outside_five_minutes_is_refused(self):
        self.judge(self.sent, at=self.at + 300)
        for at in (self.at + 301, self.at - 301):
            with pytest.raises(StaleTimestamp):
                self.judge(self.sent, at=at)

    def test_a_secret_that_is_not_base64_is_its_own_bytes(self):
        assert standard_webhooks_key("not base64!") == b"not base64!"


class TestThroughTheGateway:
    def github(self, hooks, body, secret=SECRET, **more):
        headers = {
            "x-hub-signature-256": f"sha256={hexed(body, secret)}",
            "x-github-event": "issues",
            "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
            **more,
        }
        return hooks.post("github", body, headers=headers)

    @pytest.fixture
    def signed_flow(self, shop):
        shop.secret(value=SECRET)
        return shop.flow(path="github", signature={"scheme": "github", "secret": "portal"})

    @pytest.mark.parametrize(
        "example", sorted(GITHUB_EXAMPLES.glob("*.json")), ids=lambda one: one.name
    )
    def test_real_github_deliveries_are_accepted_as_they_are(
        self, shop, hooks, signed_flow, example
    ):
        body = example.read_bytes()
        reply = self.github(hooks, body)
        assert reply.status == 202
        assert shop.started_with(reply.json["run"])["body"].keys() == json.loads(body).keys()
        (delivery,) = shop.deliveries
        assert delivery.summary.startswith("issues: JSON, ")
        assert delivery.headers["x-hub-signature-256"].startswith("fp:")

    def test_a_github_delivery_sent_again_is_a_duplicate(self, shop, hooks, signed_flow):
        first, again = self.github(hooks, b'{"a": 1}'), self.github(hooks, b'{"a": 2}')
        assert (first.status, again.status) == (202, 200)
        assert again.json == {**first.json, "duplicate": True}
        other = self.github(hooks, b'{"a": 1}', **{"x-github-delivery": "another"})
        assert other.status == 202

    def test_githubs_form_encoding_is_read_too(self, shop, hooks, signed_flow):
        form = {"content-type": "application/x-www-form-urlencoded"}
        assert self.github(hooks, b"payload=%7B%7D", **form).status == 202
        assert self.github(hooks, b"text", **{"content-type": "text/plain"}).status == 415

    @pytest.mark.parametrize(
        "headers",
        [{}, {"x-hub-signature-256": "sha256=" + "0" * 64}, {"x-hub-signature": "sha1=00"}],
    )
    def test_unsigned_and_wrongly_signed_calls_are_401_and_noted(
        self, shop, hooks, signed_flow, headers
    ):
        reply = hooks.post("github", b"not even json", headers=headers)
        assert (reply.status, reply.json["code"]) == (401, "bad_signature")
        assert shop.runs == []
        (delivery,) = shop.deliveries
        assert (delivery.verdict, delivery.reason) == ("refused", reply.json["detail"])

    def test_a_wrong_signature_spends_no_key(self, shop, hooks, signed_flow):
        assert self.github(hooks, b"{}", secret="wrong").status == 401
        assert self.github(hooks, b"{}").status == 202

    def test_a_replay_after_five_minutes_is_401(self, shop, hooks):
        shop.secret(value=SECRET)
        shop.flow(
            path="orders",
            signature={
                "scheme": "hmac-sha256",
                "secret": "portal",
                "header": "X-Sign",
                "timestamp_header": "X-Time",
            },
        )

        def signed_at(stamp):
            content = f"{stamp}.".encode() + BODY
            return {"x-sign": hexed(content), "x-time": str(stamp)}

        now = int(time.time())
        assert hooks.post(body=BODY, headers=signed_at(now)).status == 202
        late = hooks.post(body=BODY, headers=signed_at(now - 400))
        assert (late.status, late.json["code"]) == (401, "stale_timestamp")
        headers = shop.deliveries[0].headers
        assert headers["x-sign"].startswith("fp:")

    def test_a_standard_webhook_is_known_by_its_id(self, shop, hooks):
        shop.secret(value=TestStandardWebhooks.secret)
        shop.flow(path="orders", signature={"scheme": "standard-webhooks", "secret": "portal"})
        stamp = str(int(time.time()))
        key = standard_webhooks_key(TestStandardWebhooks.secret)
        digest = hmac.digest(key, f"msg_1.{stamp}.".encode() + BODY, "sha256")
        headers = {
            "webhook-id": "msg_1",
            "webhook-timestamp": stamp,
            "webhook-signature": "v1," + base64.b64encode(digest).decode(),
        }
        assert hooks.post(body=BODY, headers=headers).status == 202
        assert hooks.post(body=BODY, headers=headers).json["duplicate"] is True

    def test_both_secrets_are_good_while_a_rotation_lasts(self, shop, hooks, signed_flow):
        from apps.connections import vault
        from apps.connections.models import Secret
        from apps.connections.queries import value_context
        from apps.core import clock

        row = Secret.objects.get(workspace=shop.workspace, name="portal")
        row.previous, row.previous_until = row.ciphertext, clock.now() + timedelta(hours=1)
        row.ciphertext = vault.seal(b"the new one", value_context(row.pk))
        row.save()
        ids = iter("abcdef")

        def status(secret):
            return self.github(hooks, BODY, secret, **{"x-github-delivery": next(ids)}).status

        assert (status("the new one"), status(SECRET)) == (202, 202)
        row.previous_until = clock.now() - timedelta(seconds=1)
        row.save()
        assert (status("the new one"), status(SECRET)) == (202, 401)

    def test_nothing_is_accepted_once_the_secret_is_deleted(self, shop, hooks, signed_flow, caplog):
        from apps.connections.models import Secret

        Secret.objects.filter(workspace=shop.workspace).delete()
        assert self.github(hooks, BODY).status == 401
        assert "its secret is not there" in caplog.text
