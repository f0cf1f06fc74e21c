"""The trigger card and the list of deliveries."""

import hashlib
import hmac
import json
import os
import shutil
import subprocess

import pytest

from tests.support import people

SECRET = "a secret with 'quotes' $and \\ more"


@pytest.fixture
def ask(shop):
    def get(path, user=None):
        headers = people.bearer(user or shop.builder)
        from django.test import Client

        return Client().get(f"/api/v1/flows/{path}", headers=headers)

    return get


class TestTheTriggerCard:
    def test_has_the_address_and_lines_to_call_it_with(self, shop, ask, bells, settings):
        settings.PUBLIC_URL = "https://signals.example.com/"
        flow = shop.flow(path="orders/eu")
        card = ask(f"{flow.pk}/trigger/").json()
        url = f"https://signals.example.com/hooks/{shop.workspace.slug}/orders/eu"
        assert (card["type"], card["url"], card["path"]) == ("webhook", url, "orders/eu")
        assert (card["enabled"], card["secret"], card["next_at"]) == (True, "", None)
        assert f"curl -X POST '{url}'" in card["curl"]
        shop.move(flow, "paused")
        paused = ask(f"{flow.pk}/trigger/").json()
        assert (paused["enabled"], paused["state"]) == (False, "paused")

    def test_of_a_schedule_says_when_it_fires_next(self, shop, ask, bells):
        flow = shop.flow(type="schedule", cron="0 9 * * *")
        card = ask(f"{flow.pk}/trigger/").json()
        assert (card["type"], card["url"], card["curl"]) == ("schedule", "", "")
        assert card["next_at"].endswith("T09:00:00Z")

    def test_of_a_schedule_says_its_next_five_times_and_what_became_of_the_last(
        self, shop, ask, bells
    ):
        from datetime import timedelta

        from apps.core import clock
        from apps.triggers.firing import fire_due
        from apps.triggers.models import Schedule

        flow = shop.flow(type="schedule", cron="0 9 * * *", zone="Europe/Berlin")
        card = ask(f"{flow.pk}/trigger/").json()
        assert (len(card["next_times"]), card["fires"]) == (5, [])
        assert card["next_times"][0] == card["next_at"]
        assert sorted(set(card["next_times"])) == card["next_times"]
        Schedule.objects.exclude(trigger__flow=flow).update(enabled=False)
        due = clock.now() - timedelta(hours=1)
        Schedule.objects.filter(trigger__flow=flow).update(next_at=due)
        assert fire_due(now=clock.now()) == 1
        card = ask(f"{flow.pk}/trigger/").json()
        (run,) = shop.runs
        (fire,) = card["fires"]
        assert (fire["status"], fire["run"]) == ("started", str(run.id))
        shop.move(flow, "paused")
        assert ask(f"{flow.pk}/trigger/").json()["next_times"] == []

    def test_before_the_first_publication_is_the_drafts(self, shop, ask, bells):
        from django.utils import timezone

        from apps.flows.models import Draft, Flow

        now = timezone.now()
        flow = Flow.objects.create(
            workspace=shop.workspace, name="New", created_at=now, updated_at=now
        )
        document = {"trigger": {"type": "webhook", "config": {"path": "<b>half", "signature": 3}}}
        Draft.objects.create(flow=flow, document=document, updated_at=now)
        card = ask(f"{flow.pk}/trigger/").json()
        assert (card["type"], card["path"], card["enabled"]) == ("webhook", "<b>half", False)

    def test_never_shows_the_secret(self, shop, ask, bells):
        shop.secret(value=SECRET)
        flow = shop.flow(path="orders", signature={"scheme": "github", "secret": "portal"})
        reply = ask(f"{flow.pk}/trigger/")
        assert reply.json()["secret"] == "portal"
        assert SECRET not in reply.content.decode()
        assert "$SECRET" in reply.json()["curl"]

    def test_of_a_strangers_flow_is_not_there(self, shop, ask, bells):
        other = people.make_workspace(f"other-{shop.workspace.slug}")
        stranger = people.person(other, "admin")
        flow = shop.flow(path="orders")
        assert ask(f"{flow.pk}/trigger/", stranger).status_code == 404
        assert ask(f"{flow.pk}/deliveries/", stranger).status_code == 404

    def test_and_deliveries_are_not_for_an_approver(self, shop, ask, bells):
        flow = shop.flow(path="orders")
        approver = people.person(shop.workspace, "approver")
        assert ask(f"{flow.pk}/trigger/", approver).status_code == 404
        assert ask(f"{flow.pk}/deliveries/", approver).status_code == 404


needs_openssl = pytest.mark.skipif(
    not (shutil.which("openssl") and shutil.which("od")), reason="the lines use openssl"
)


@needs_openssl
class TestTheCurlLines:
    """Run in a real shell with a curl that only writes down what it was given."""

    @pytest.fixture
    def sent(self, tmp_path):
        curl = tmp_path / "curl"
        curl.write_text('#!/bin/sh\nfor one in "$@"; do printf "%s\\n" "$one"; done\n')
        curl.chmod(0o755)
        uuidgen = tmp_path / "uuidgen"
        uuidgen.write_text("#!/bin/sh\necho 72d3162e\n")
        uuidgen.chmod(0o755)

        def run(signature, secret=SECRET):
            from apps.steps.types.trigger_webhook import Signature
            from apps.triggers.queries import curl_line

            line = curl_line("http://x.test/hooks/a/b", Signature.model_validate(signature))
            done = subprocess.run(
                ["sh", "-c", line],
                env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "SECRET": secret},
                capture_output=True,
                text=True,
                check=True,
            )
            words = done.stdout.splitlines()
            headers = dict(one.split(": ", 1) for one in words if ": " in one and one[0] != "{")
            body = words[words.index("--data-binary") + 1]
            return {name.lower(): value for name, value in headers.items()}, body.encode()

        return run

    @pytest.mark.parametrize(
        "signature",
        [
            {"scheme": "github"},
            {"scheme": "hmac-sha256", "header": "X-Sign"},
            {"scheme": "hmac-sha256", "header": "X-Sign", "encoding": "base64", "prefix": "v0="},
            {"scheme": "hmac-sha256", "header": "X-Sign", "timestamp_header": "X-Time"},
        ],
    )
    def test_sign_so_that_the_gateway_accepts(self, sent, signature):
        import time

        from apps.steps.types.trigger_webhook import Signature
        from apps.triggers.signatures import verify

        signature = {**signature, "secret": "portal"}
        headers, body = sent(signature)
        verify(
            Signature.model_validate(signature),
            [SECRET],
            headers=headers,
            body=body,
            at=time.time(),
        )
        assert json.loads(body) == {"hello": "world"}

    def test_sign_for_standard_webhooks(self, sent):
        import time

        from apps.steps.types.trigger_webhook import Signature
        from apps.triggers.signatures import verify

        signature = {"scheme": "standard-webhooks", "secret": "portal"}
        secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        headers, body = sent(signature, secret)
        verify(
            Signature.model_validate(signature),
            [secret],
            headers=headers,
            body=body,
            at=time.time(),
        )

    def test_hold_nothing_that_the_shell_would_run(self, sent):
        headers, body = sent(
            {
                "scheme": "hmac-sha256",
                "secret": "s",
                "header": "X'$(id)`id`",
                "prefix": "\"$(id)'",
            }
        )
        assert headers["x'$(id)`id`"].startswith("\"$(id)'")
        digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert headers["x'$(id)`id`"].endswith(digest)


class TestDeliveries:
    def test_are_listed_newest_first_with_verdict_and_reason(self, shop, hooks, ask):
        flow = shop.flow(path="orders")
        first = hooks.post(headers={"idempotency-key": "k"})
        hooks.post(headers={"idempotency-key": "k"})
        hooks.post(body=b"{")
        page = ask(f"{flow.pk}/deliveries/?limit=2").json()
        assert [one["verdict"] for one in page["results"]] == ["refused", "duplicate"]
        assert page["results"][0]["run"] is None
        assert page["results"][0]["reason"]
        assert page["results"][1]["run"] == first.json["run"]
        _, _, query = page["next"].partition("?")
        (last,) = ask(f"{flow.pk}/deliveries/?{query}").json()["results"]
        assert (last["verdict"], last["summary"]) == ("accepted", "JSON, 9 bytes")
        assert last.keys() == {"id", "received_at", "verdict", "reason", "run", "event", "summary"}


class TestThePreview:
    @pytest.fixture
    def preview(self, shop):
        def post(body, user=None):
            from django.test import Client

            return Client().post(
                "/api/v1/trigger-preview/",
                body,
                content_type="application/json",
                headers=people.bearer(user or shop.builder),
            )

        return post

    def test_says_the_next_five_times_in_the_zone(self, preview):
        from datetime import datetime
        from zoneinfo import ZoneInfo

        reply = preview({"cron": "30 9 * * 1-5", "zone": "Europe/Berlin"})
        times = [datetime.fromisoformat(at) for at in reply.json()["next_times"]]
        assert len(times) == 5
        local = [at.astimezone(ZoneInfo("Europe/Berlin")) for at in times]
        assert {(at.hour, at.minute) for at in local} == {(9, 30)}
        assert all(at.weekday() < 5 for at in local)

    def test_of_a_line_that_never_fires_is_empty(self, preview):
        assert preview({"cron": "0 0 30 2 *"}).json() == {"next_times": []}

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ({"cron": "at nine"}, "five cron fields"),
            ({"cron": "0 9 * * *", "zone": "Mars/North"}, "time zone"),
            ({"cron": "* * * * * *"}, "five cron fields"),
            ({"cron": "R * * * *"}, "five cron fields"),
            ({"cron": "0 9 * * \u0000"}, ""),
            ({"cron": "1" * 101}, ""),
            ({"cron": None}, ""),
            ({}, ""),
        ],
    )
    def test_of_what_is_none_says_what_was_expected(self, preview, body, said):
        reply = preview(body)
        assert reply.status_code == 422
        assert said in reply.json()["detail"]
