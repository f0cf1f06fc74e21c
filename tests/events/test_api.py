"""Events from outside: CloudEvents in and out, safe to repeat, refused with the reason."""

import json
from datetime import timedelta

import pytest

from apps.audit.models import AuditEvent
from apps.core import clock
from apps.core.models import first_uuid7_at
from apps.triggers import events
from apps.triggers.models import Event, EventKey

pytestmark = pytest.mark.django_db

SENT = {
    "specversion": "1.0",
    "id": "4711",
    "source": "https://shop.example",
    "type": "invoice.paid",
    "subject": "R-17",
    "time": "2026-03-01T12:00:00+01:00",
    "data": {"order": 7, "amount": 1.10},
}
MEDIA = "application/cloudevents+json"


def post(client, body, media=MEDIA):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post("/api/v1/events/", raw, content_type=media)


class TestPublish:
    @pytest.mark.parametrize("media", [MEDIA, "application/json"])
    def test_it_is_kept_and_comes_back_as_it_was_sent(self, api_as, media):
        client = api_as("builder")
        more = {"traceparent": "00-abc", "sequence": 3, "correlationid": "order/7", "version": "2"}
        answer = post(client, {**SENT, **more}, media)
        assert answer.status_code == 201, answer.content
        row = answer.json()
        assert (row["event_id"], row["depth"], row["flow"]) == ("4711", 1, None)

        found = client.get(f"/api/v1/events/{row['id']}/")
        assert found["Content-Type"].startswith(MEDIA)
        told = found.json()
        assert told["time"] == "2026-03-01T11:00:00Z"
        assert told["data"] == SENT["data"]
        assert {name: told[name] for name in more} == more
        for name in ("specversion", "id", "source", "type", "subject"):
            assert told[name] == SENT[name]

    def test_without_time_and_correlation_they_are_given(self, api_as):
        bare = {name: SENT[name] for name in ("specversion", "id", "source", "type")}
        row = post(api_as("operator"), bare).json()

        event = Event.objects.get(pk=row["id"])
        assert event.occurred_at == event.created_at
        assert event.correlation == row["id"]
        assert event.data is None

    def test_a_repeat_gives_the_first_one(self, api_as):
        client = api_as("builder")
        first = post(client, SENT)
        again = post(client, {**SENT, "data": {"other": True}})

        assert (first.status_code, again.status_code) == (201, 200)
        assert again.json() == first.json()
        assert Event.objects.get().data == {
            "order": 7,
            "amount": Event.objects.get().data["amount"],
        }
        assert AuditEvent.objects.filter(verb="event.publish").count() == 1
        assert post(client, {**SENT, "source": "https://other.example"}).status_code == 201

    @pytest.mark.parametrize(
        ("change", "path"),
        [
            ({"specversion": "0.3"}, "specversion"),
            ({"specversion": None}, "specversion"),
            ({"id": ""}, "id"),
            ({"id": 5}, "id"),
            ({"id": "x" * 201}, "id"),
            ({"source": None}, "source"),
            ({"source": "/flows/mine"}, "source"),
            ({"type": "no good"}, "type"),
            ({"type": "a\nb"}, "type"),
            ({"subject": ["x"]}, "subject"),
            ({"time": "yesterday"}, "time"),
            ({"time": "2026-03-01T12:00:00"}, "time"),
            ({"time": 12}, "time"),
            ({"data_base64": "AAAA"}, "data_base64"),
            ({"datacontenttype": "text/xml"}, "datacontenttype"),
            ({"data": "x" * (1024 * 1024)}, "data"),
            ({"ttl": "soon"}, "ttl"),
            ({"ttl": 60}, "ttl"),
            ({"ttl": "P31D"}, "ttl"),
            ({"depth": 1}, "depth"),
            ({"workspace": "other"}, "workspace"),
            ({"Bad-Name": "x"}, "Bad-Name"),
            ({"nested": {"a": 1}}, "nested"),
            ({f"a{n}": "x" for n in range(21)}, ""),
            ({"version": "x" * 21}, "version"),
            ({"correlationid": "x" * 201}, "correlationid"),
        ],
    )
    def test_what_does_not_fit_is_refused_by_name(self, api_as, change, path):
        answer = post(api_as("builder"), {**SENT, **change})

        assert answer.status_code == 422
        assert answer.json()["code"] == "bad_event"
        assert path in [one["path"] for one in answer.json()["errors"]]
        assert not Event.objects.exists()

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            (b"[]", 422),
            (b"3", 422),
            (b"{", 400),
            (b'{"id": "\\u0000"}', 422),
            (b'{"a":1,"a":2}', 422),
        ],
    )
    def test_what_is_no_event_is_refused(self, api_as, body, status):
        assert post(api_as("builder"), body).status_code == status

    def test_another_media_type_is_refused(self, api_as):
        assert post(api_as("builder"), SENT, "text/plain").status_code == 415

    def test_a_token_can_be_made_for_it_alone(self, api_as):
        client = api_as("builder", scopes=["event.publish"])

        assert post(client, SENT).status_code == 201
        assert client.get("/api/v1/events/").status_code == 403


class TestList:
    def test_the_newest_first_with_filters(self, api_as):
        client = api_as("viewer")
        builder = api_as("builder")
        for n in range(3):
            post(builder, {**SENT, "id": str(n), "type": f"type.{n % 2}", "subject": f"s{n}"})

        def ids(query):
            found = client.get(f"/api/v1/events/?{query}")
            assert found.status_code == 200, found.content
            return [one["event_id"] for one in found.json()["results"]]

        assert ids("") == ["2", "1", "0"]
        assert ids("type=type.0") == ["2", "0"]
        assert ids("subject=s1&source=https://shop.example") == ["1"]
        assert ids("source=elsewhere") == []
        assert ids("from=2999-01-01T00:00:00Z") == []
        assert ids("to=2999-01-01T00:00:00Z&limit=1") == ["2"]
        first = client.get("/api/v1/events/").json()["results"][0]
        assert "data" not in first
        assert ids(f"correlation={first['correlation']}") == ["2"]
        assert ids(f"run={first['id']}") == []

    @pytest.mark.parametrize("query", ["run=7", "from=yesterday", "to=2026-01-01T00:00:00"])
    def test_a_filter_that_cannot_be_read(self, api_as, query):
        assert api_as("viewer").get(f"/api/v1/events/?{query}").status_code == 422

    def test_keys_that_failed_are_named(self, api_as):
        row = post(api_as("builder"), SENT).json()
        EventKey.objects.create(
            event_id=row["id"], pattern_id=1, fault="It failed.", expires_at=clock.now()
        )

        [one] = api_as("viewer").get("/api/v1/events/").json()["results"]
        assert one["faults"] == ["It failed."]


def test_old_events_go_with_their_keys(api_as, settings):
    settings.RAW_DAYS = 30
    old = first_uuid7_at(int((clock.now() - timedelta(days=31)).timestamp() * 1000))
    for name in ("new", "old"):
        post(api_as("builder"), {**SENT, "id": name})
    Event.objects.filter(event_id="old").update(id=old)
    EventKey.objects.create(event_id=old, pattern_id=1, expires_at=clock.now())

    assert events.forget_events(now=clock.now()) == 1
    assert set(Event.objects.values_list("event_id", flat=True)) == {"new"}
    assert not EventKey.objects.exists()
