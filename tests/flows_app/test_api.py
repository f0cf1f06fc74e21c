"""The API about flows, as browsers and programs use it."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import jsonschema
import pytest
from django.db import connection
from django.test import Client

from apps.accounts import commands as accounts
from apps.core import clock
from apps.flows.examples import EXAMPLES
from apps.flows.models import Draft, Flow, FlowVersion
from tests.support import people
from tests.support.people import send

API = "/api/v1/flows/"


@pytest.fixture
def web(builder):
    return people.browser(builder)


@pytest.fixture
def url(flow):
    return f"{API}{flow.pk}/"


def codes(answer):
    return [one["code"] for one in answer.json()["findings"]]


pytestmark = pytest.mark.django_db


class TestFlows:
    def test_are_created_and_shown(self, web, builder):
        answer = send(web, "POST", API, {"name": "<b>Orders</b>"})

        assert answer.status_code == 201
        row = answer.json()
        assert row["name"] == "<b>Orders</b>"
        assert answer["Content-Type"] == "application/json"
        assert answer["ETag"] == '"1"'
        assert row["owner"] == {
            "id": str(builder.pk),
            "name": builder.name,
            "email": builder.email,
        }
        assert row["active_version"] is None
        assert row["rights"] == ["view", "edit", "publish", "run"]
        assert web.get(f"{API}{row['id']}/").json() == row
        assert web.get(API).json() == {"results": [row], "next": None, "previous": None}

    @pytest.mark.parametrize(
        "body",
        [{}, {"name": ""}, {"name": "a\nb"}, {"name": "n" * 151}, {"name": 3, "example": []}, [], "x",
         {"name": "A", "example": "nope"}],
    )  # fmt: skip
    def test_of_a_bad_body_are_refused_with_the_field(self, web, body):
        answer = send(web, "POST", API, body)
        assert answer.status_code == 422
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["errors"]

    def test_are_made_once_per_key(self, web):
        key = {"Idempotency-Key": "k1"}
        first = send(web, "POST", API, {"name": "Orders"}, **key)
        again = send(web, "POST", API, {"name": "Orders"}, **key)
        other = send(web, "POST", API, {"name": "Other"}, **key)

        assert (first.status_code, again.status_code, other.status_code) == (201, 201, 409)
        assert first.json() == again.json()
        assert other.json()["code"] == "idempotency_key_reused"
        assert Flow.objects.count() == 1

    def test_are_listed_in_pages_with_few_queries(
        self, web, actor, now, django_assert_max_num_queries
    ):
        from apps.flows import commands

        for index in range(7):
            commands.create_flow(actor=actor, name=f"Flow {index}", example="daily-report", now=now)
        web.get(API)
        with django_assert_max_num_queries(6):  # two of them say who asks
            first = web.get(API, {"limit": 3}).json()
        second = web.get(first["next"]).json()
        third = web.get(second["next"]).json()

        names = [row["name"] for page in (first, second, third) for row in page["results"]]
        assert names == [f"Flow {index}" for index in range(6, -1, -1)]
        assert third["next"] is None
        assert first["results"][0]["trigger"] == {"type": "schedule"}

    def test_are_found_and_filtered(self, web, flow):
        assert [one["id"] for one in web.get(API, {"search": "repo"}).json()["results"]] == [
            str(flow.pk)
        ]
        assert web.get(API, {"search": "zzz"}).json()["results"] == []
        assert web.get(API, {"state": "paused"}).json()["results"] == []
        odd = web.get(API, {"search": "\0 ' \\ %", "state": "'", "cursor": "\0", "limit": "x"})
        assert odd.status_code in {200, 404}

    def test_are_renamed_and_given_away(self, web, url, viewer):
        answer = send(web, "PATCH", url, {"name": "Sales", "owner": str(viewer.pk)})

        assert answer.status_code == 200
        assert (answer.json()["name"], answer.json()["owner"]["id"]) == ("Sales", str(viewer.pk))
        assert answer["ETag"] == '"2"'
        assert send(web, "PATCH", url, {}).status_code == 422

    def test_are_duplicated(self, web, url):
        answer = send(web, "POST", f"{url}duplicate/")
        assert (answer.status_code, answer.json()["name"]) == (201, "Copy of Report")
        named = send(web, "POST", f"{url}duplicate/", {"name": "Twin"})
        assert named.json()["name"] == "Twin"


class TestTheDraft:
    def test_is_the_bare_document(self, web, url):
        answer = web.get(f"{url}draft/")
        assert answer.json() == {**EXAMPLES["daily-report"].document, "name": "Report"}
        assert answer["ETag"] == '"1"'

    def test_is_saved_over_the_revision_that_was_read(self, web, url):
        document = web.get(f"{url}draft/").json()
        saved = send(web, "PUT", f"{url}draft/", {**document, "x": 1}, **{"If-Match": '"1"'})
        stale = send(web, "PUT", f"{url}draft/", document, **{"If-Match": '"1"'})

        assert (saved.status_code, saved["ETag"]) == (200, '"2"')
        assert saved.json()["x"] == 1
        assert stale.status_code == 412
        assert stale.json()["code"] == "stale"
        assert stale.json()["revision"] == 2
        assert stale.json()["updated_by"]["name"] == "Builder"
        assert web.get(f"{url}draft/").json()["x"] == 1

    def test_is_not_saved_without_a_revision(self, web, url):
        assert send(web, "PUT", f"{url}draft/", {"a": 1}).status_code == 428
        odd = send(web, "PUT", f"{url}draft/", {"a": 1}, **{"If-Match": "abc"})
        assert odd.status_code == 412

    @pytest.mark.parametrize(
        "body, status, code",
        [
            (b"", 422, "invalid"),
            (b"{}", 422, "invalid"),
            (b"[]", 422, "invalid"),
            (b"null", 422, "invalid"),
            (b"{", 400, "malformed_json"),
            (b'{"a": NaN}', 422, "bad_json"),
            (b'{"a": "\\u0000"}', 422, "bad_json"),
            (b'{"a": 1, "a": 2}', 422, "bad_json"),
            (b'{"a": ' + b"[" * 70 + b"]" * 70 + b"}", 422, "bad_json"),
            (json.dumps({"a": "x" * 1_000_001}).encode(), 413, "too_large"),
        ],
    )
    def test_is_not_replaced_by_what_is_no_document(self, web, url, body, status, code):
        web.cookies["csrftoken"] = "a" * 32
        answer = web.put(
            f"{url}draft/",
            data=body,
            content_type="application/json",
            headers={"X-CSRFToken": "a" * 32, "If-Match": '"1"'},
        )
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert Draft.objects.get().revision == 1

    def test_keeps_numbers_digit_by_digit(self, web, url):
        raw = (
            b'{"name": "N", "a": 1.50, "b": 1E+3, "c": 12345678901234567890123456789.01, "d": -0.0}'
        )
        web.cookies["csrftoken"] = "a" * 32
        web.put(
            f"{url}draft/",
            data=raw,
            content_type="application/json",
            headers={"X-CSRFToken": "a" * 32, "If-Match": '"1"'},
        )
        shown = web.get(f"{url}draft/").content.decode()
        for number in ("1.50", "1E+3", "12345678901234567890123456789.01", "-0.0"):
            assert number in shown


class TestCheck:
    def test_judges_the_draft(self, web, url):
        answer = send(web, "POST", f"{url}check/")
        assert answer.json()["findings"] == []
        assert answer.json()["checked_ms"] >= 0

    def test_judges_a_document_that_is_sent(self, web, url):
        answer = send(web, "POST", f"{url}check/", {"document": {"format": "signalbox.flow/1"}})
        assert answer.status_code == 200
        assert {"no_trigger", "no_steps"} <= set(codes(answer))
        assert set(answer.json()["findings"][0]) == {
            "code", "severity", "step", "path", "message", "fix", "position", "way",
            "repair",
        }  # fmt: skip
        assert codes(send(web, "POST", f"{url}check/", {"document": None})) == ["bad_document"]


class TestPublishing:
    def test_makes_versions(self, web, url):
        first = send(web, "POST", f"{url}publish/", {"note": "First"})
        second = send(web, "POST", f"{url}publish/", {})

        assert (first.status_code, second.status_code) == (201, 201)
        assert first.json()["number"] == 1
        assert first.json()["hash"] == second.json()["hash"]
        assert (first.json()["unchanged"], second.json()["unchanged"]) == (False, True)
        rows = web.get(f"{url}versions/").json()["results"]
        assert [(row["number"], row["is_active"], row["note"]) for row in rows] == [
            (2, True, ""),
            (1, False, "First"),
        ]
        assert rows[1]["author"]["name"] == "Builder"
        whole = web.get(f"{url}versions/1/").json()
        assert whole["document"] == web.get(f"{url}draft/").json()
        assert web.get(url).json()["active_version"] == 2
        assert web.get(url).json()["hash"] == second.json()["hash"]

    def test_is_refused_with_the_findings(self, web, url):
        document = web.get(f"{url}draft/").json()
        del document["steps"]["warn"]
        send(web, "PUT", f"{url}draft/", document, **{"If-Match": '"1"'})

        answer = send(web, "POST", f"{url}publish/", {"note": "x"})

        assert answer.status_code == 422
        assert answer.json()["code"] == "has_errors"
        assert "unknown_step" in codes(answer)
        assert not FlowVersion.objects.exists()

    def test_of_the_revision_that_was_seen(self, web, url):
        stale = send(web, "POST", f"{url}publish/", {}, **{"If-Match": '"7"'})
        good = send(web, "POST", f"{url}publish/", {}, **{"If-Match": '"1"'})
        assert (stale.status_code, good.status_code) == (412, 201)

    def test_twice_under_one_key_makes_one_version(self, web, url):
        for _ in range(2):
            answer = send(web, "POST", f"{url}publish/", {"note": "x"}, **{"Idempotency-Key": "p"})
            assert answer.json()["number"] == 1
        assert FlowVersion.objects.count() == 1

    def test_older_versions_can_be_activated(self, web, url):
        send(web, "POST", f"{url}publish/", {})
        send(web, "POST", f"{url}publish/", {})
        answer = send(web, "POST", f"{url}versions/1/activate/", {"reason": "Back"})
        assert (answer.status_code, answer.json()["is_active"]) == (200, True)
        assert web.get(url).json()["active_version"] == 1
        assert send(web, "POST", f"{url}versions/9/activate/").status_code == 404
        assert web.get(f"{url}versions/9/").status_code == 404
        assert web.get(f"{url}versions/{10**30}/").status_code == 404


class TestStates:
    def test_are_moved_by_who_may(self, web, url, operator, admin):
        assert send(web, "POST", f"{url}pause/").status_code == 403
        desk = people.browser(operator)
        assert send(desk, "POST", f"{url}pause/", {"reason": "Holiday"}).json()["state"] == "paused"
        assert send(desk, "POST", f"{url}resume/").json()["state"] == "active"
        assert send(web, "POST", f"{url}archive/").status_code == 403
        office = people.browser(admin)
        assert send(office, "POST", f"{url}archive/").json()["state"] == "archived"
        assert send(desk, "POST", f"{url}pause/").status_code == 409
        refused = send(web, "POST", f"{url}publish/", {})
        assert (refused.status_code, refused.json()["code"]) == (409, "archived")

    def test_a_pause_says_since_when_by_whom_and_why(self, web, url, operator):
        assert "pause" not in web.get(url).json()
        send(people.browser(operator), "POST", f"{url}pause/", {"reason": "The ledger is closed"})
        pause = web.get(url).json()["pause"]
        assert (pause["by"], pause["reason"]) == (operator.get_full_name(), "The ledger is closed")
        assert (pause["held"], pause["at"][:2]) == (0, "20")
        send(people.browser(operator), "POST", f"{url}resume/")
        assert "pause" not in web.get(url).json()


class TestWhoMay:
    READ = ["", "draft/", "versions/", "versions/1/"]
    WRITE = [
        ("PATCH", "", {"name": "X"}),
        ("PUT", "draft/", {"name": "X"}),
        ("POST", "check/", {}),
        ("POST", "publish/", {}),
        ("POST", "versions/1/activate/", {}),
        ("POST", "pause/", {}),
        ("POST", "resume/", {}),
        ("POST", "archive/", {}),
        ("POST", "duplicate/", {}),
    ]

    @pytest.fixture
    def published(self, web, url):
        send(web, "POST", f"{url}publish/", {})
        return url

    def test_strangers_find_nothing(self, published, stranger):
        client = people.browser(stranger)
        assert client.get(API).json()["results"] == []
        for path in self.READ:
            assert client.get(published + path).status_code == 404, path
        for method, path, body in self.WRITE:
            answer = send(client, method, published + path, body, **{"If-Match": '"1"'})
            assert answer.status_code == 404, path

    def test_approvers_find_nothing_either(self, published, acme):
        client = people.browser(people.person(acme, "approver"))
        assert client.get(API).json()["results"] == []
        assert client.get(published).status_code == 404

    def test_nobody_is_asked_to_sign_in(self, published):
        assert Client().get(published).status_code == 401
        assert Client().get("/api/v1/step-types/").status_code == 401

    def test_viewers_look_and_change_nothing(self, published, viewer):
        client = people.browser(viewer)
        for path in self.READ:
            assert client.get(published + path).status_code == 200, path
        assert client.get(published).json()["rights"] == ["view"]
        for method, path, body in self.WRITE:
            answer = send(client, method, published + path, body, **{"If-Match": '"1"'})
            assert answer.status_code == 403, path
        assert send(client, "POST", API, {"name": "X"}).status_code == 403

    def test_a_grant_lets_in(self, published, acme, admin, flow):
        guest = people.person(acme, "approver")
        accounts.grant_flow(
            actor=people.actor(admin),
            flow_id=flow.pk,
            subject=accounts.GrantSubject("user", guest.pk),
            rights=["edit"],
            now=clock.now(),
        )
        client = people.browser(guest)
        assert [row["rights"] for row in client.get(API).json()["results"]] == [["view", "edit"]]
        saved = send(client, "PUT", f"{published}draft/", {"name": "G"}, **{"If-Match": '"1"'})
        assert saved.status_code == 200
        assert send(client, "POST", f"{published}check/").status_code == 200
        assert send(client, "POST", f"{published}publish/", {}).status_code == 403

    def test_a_token_is_held_to_its_scopes(self, published, builder):
        headers = people.bearer(builder, scopes=["flow.view"])
        assert Client().get(published, headers=headers).json()["rights"] == ["view"]
        answer = send(Client(), "POST", f"{published}publish/", {}, **headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "out_of_scope")


class TestCatalogues:
    def test_step_types_say_all_that_an_editor_needs(self, web):
        answer = web.get("/api/v1/step-types/").json()
        kinds = {row["kind"] for row in answer["results"]}
        assert {"map", "decide", "join", "http.request", "approval", "stop"} <= kinds
        assert {row["kind"] for row in answer["triggers"]} >= {"webhook", "schedule", "manual"}
        for row in answer["results"]:
            assert row["help"], row["kind"]
            assert (row["ports"] is None) != (row["ports_from"] is None)

    @pytest.mark.parametrize("slug", list(EXAMPLES))
    def test_examples_fit_the_schema(self, web, slug):
        schema = web.get("/api/v1/flow-schema/").json()
        jsonschema.Draft202012Validator.check_schema(schema)
        shown = {row["slug"]: row for row in web.get("/api/v1/flow-examples/").json()["results"]}
        jsonschema.Draft202012Validator(schema).validate(shown[slug]["document"])

    @pytest.mark.parametrize(
        "change",
        [
            {"format": "signalbox.flow/2"},
            {"steps": {"Bad Id": {"type": "map"}}},
            {"steps": {"a": {"type": "unheard"}}},
            {"steps": {"a": {"type": "stop", "config": {"outcome": "maybe"}}}},
            {"links": [{"from": "trigger"}]},
            {"trigger": {"type": "webhook", "config": {"path": "a b"}}},
        ],
    )
    def test_the_schema_refuses_other_shapes(self, web, change):
        schema = web.get("/api/v1/flow-schema/").json()
        document = {**EXAMPLES["daily-report"].document, **change}
        assert not jsonschema.Draft202012Validator(schema).is_valid(document)


@pytest.mark.django_db(transaction=True)
def test_of_two_saves_at_once_one_is_refused(acme):
    from apps.flows import commands

    actor = people.actor(people.person(acme, "builder"))
    flow = commands.create_flow(actor=actor, name="Race", now=clock.now())
    start = Barrier(2)

    def save(name):
        try:
            start.wait(10)
            commands.save_draft(
                actor=actor, flow_id=flow.pk, document={"name": name}, if_match=1, now=clock.now()
            )
        except commands.DraftChanged:
            return None
        finally:
            connection.close()
        return name

    with ThreadPoolExecutor(2) as pool:
        saved = [name for name in pool.map(save, ["One", "Two"]) if name]

    assert len(saved) == 1
    draft = Draft.objects.get(flow=flow)
    assert (draft.document, draft.revision) == ({"name": saved[0]}, 2)
