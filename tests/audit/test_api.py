import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import AsyncClient, Client

from apps.audit.commands import erase_values, record
from apps.audit.keys import signing_keys
from apps.audit.models import AuditEvent
from apps.audit.records import Target, Who
from apps.audit.sealing import seal_pending
from tests.support import people
from tools import verify_audit

pytestmark = pytest.mark.django_db
AUDIT = "/api/v1/audit/"


@pytest.fixture
def acme(now):
    return people.make_workspace("acme")


@pytest.fixture
def workspace_id(acme):
    return acme.pk


@pytest.fixture
def auditor(acme):
    return people.browser(people.person(acme, "auditor"))


@pytest.fixture
def rows(write, acme, ada):
    """Three rows of the workspace that a test can name, the newest last."""
    flow = str(uuid4())
    bob = Who("token", "t1", "Bob's script", on_behalf_of=ada.id)
    return [
        write(verb="test.first", target=Target("flow", flow, "Vendors & Söhne"))[0],
        write(verb="test.second", who=bob, target=Target("run", "r1", "Run"), correlation_id="c1")[
            0
        ],
        write(verb="other.third", flow_id=flow, target=Target("secret", "s1", "bank"))[0],
    ]


def ids(answer):
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


class TestList:
    def test_shows_who_what_why_and_the_change(self, auditor, rows, ada, now):
        seal_pending(now=now)
        row = auditor.get(AUDIT, {"verb": "test.first"}).json()["results"][0]
        event = AuditEvent.objects.get(pk=rows[0])
        assert row == {
            "id": str(rows[0]),
            "at": event.at.isoformat().replace("+00:00", "Z"),
            "verb": "test.first",
            "actor": {"kind": "person", "id": ada.id, "label": ada.label},
            "on_behalf_of": "",
            "target": {"type": "flow", "id": event.target_id, "label": "Vendors & Söhne"},
            "flow": event.target_id,
            "correlation_id": "",
            "reason": "Reason 0",
            "before": {"number": 0},
            "after": {"number": 1},
            "details": {},
            "withheld": [],
            "seal": 1,
            "hash": bytes(event.row_hash).hex(),
        }
        assert auditor.get(f"{AUDIT}{rows[0]}/").json() == row

    @pytest.mark.parametrize(
        "query, found",
        [
            ({"verb": "test.first"}, [0]),
            ({"verb": "test.first,other.third"}, [2, 0]),
            ({"verb": "test."}, [1, 0]),
            ({"actor": "bob"}, [1]),
            ({"actor": "ada LOVE"}, [2, 0]),
            ({"actor": "ada@example.org"}, [2, 0]),
            ({"actor": "vendors"}, []),
            ({"target": "run:r1"}, [1]),
            ({"target": "secret:"}, [2]),
            ({"target": "söhne"}, [0]),
            ({"target": "ada"}, []),
            ({"search": "script run"}, [1]),
            ({"search": "reason"}, [2, 1, 0]),
            ({"search": "vend söh"}, [0]),
            ({"search": "VENDORS"}, [0]),
            ({"search": "zebra"}, []),
            ({"search": "& | ! ' \\ :* <->"}, []),
            ({"correlation": "c1"}, [1]),
            ({"actor": "ada", "target": "bank", "verb": "other."}, [2]),
        ],
    )
    def test_is_searched_by(self, auditor, rows, query, found):
        query = {"verb": "test.,other."} | query
        assert ids(auditor.get(AUDIT, query)) == [str(rows[at]) for at in found]

    def test_is_searched_by_ids(self, auditor, rows, ada):
        flow = AuditEvent.objects.get(pk=rows[0]).target_id
        only = {"verb": "test.,other."}
        assert ids(auditor.get(AUDIT, {**only, "flow": flow})) == [str(rows[2]), str(rows[0])]
        assert ids(auditor.get(AUDIT, {**only, "target": flow})) == [str(rows[0])]
        assert ids(auditor.get(AUDIT, {**only, "actor": ada.id})) == [str(rows[2]), str(rows[0])]

    def test_is_searched_by_time(self, auditor, rows, now):
        at = [AuditEvent.objects.get(pk=row).at.isoformat() for row in rows]
        only = {"verb": "test.,other."}
        assert ids(auditor.get(AUDIT, {**only, "from": at[1]})) == [str(rows[2]), str(rows[1])]
        assert ids(auditor.get(AUDIT, {**only, "to": at[1]})) == [str(rows[0])]
        assert ids(auditor.get(AUDIT, {**only, "from": at[1], "to": at[2]})) == [str(rows[1])]
        day = f"{now:%Y-%m-%d}"
        assert str(rows[0]) in ids(auditor.get(AUDIT, {**only, "from": day, "to": day}))
        assert ids(auditor.get(AUDIT, {**only, "to": "2020-01-01"})) == []

    @pytest.mark.parametrize(
        "query",
        [
            {"from": "yesterday"},
            {"to": "2026-13-01"},
            {"from": "2026-02-30T00:00:00Z"},
            {"to": "9999-12-31"},
            {"from": "2026-03-02", "to": "2026-03-01"},
            {"flow": "no id"},
            {"scope": "universe"},
        ],
    )
    def test_refuses_what_it_cannot_read_with_a_sentence(self, auditor, query):
        answer = auditor.get(AUDIT, query)
        assert answer.status_code == 422
        assert answer.json()["detail"].endswith(".")

    def test_is_read_page_by_page_without_a_gap(self, auditor, write):
        written = [str(one) for one in reversed(write(25, verb="test.page"))]
        page = auditor.get(AUDIT, {"verb": "test.page", "limit": 10}).json()
        found = [row["id"] for row in page["results"]]
        write(3, verb="test.page")
        while page["next"]:
            page = auditor.get(page["next"]).json()
            found += [row["id"] for row in page["results"]]
        assert found == written

    def test_costs_the_same_for_any_number_of_rows(self, auditor, write, django_assert_num_queries):
        write(1, verb="test.page")
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as one:
            auditor.get(AUDIT, {"verb": "test.page"})
        write(40, verb="test.page")
        with django_assert_num_queries(len(one)):
            assert len(ids(auditor.get(AUDIT, {"verb": "test.page"}))) == 41

    def test_says_what_was_erased(self, auditor, rows, ada, workspace_id, now):
        erase_values(
            who=ada, workspace_id=workspace_id, event_ids=rows[:1],
            fields=["actor.label", "reason", "before.number"], reason="", now=now,
        )  # fmt: skip
        row = auditor.get(AUDIT, {"verb": "test.first"}).json()["results"][0]
        assert row["withheld"] == ["actor.label", "before.number", "reason"]
        assert (row["actor"]["label"], row["reason"], row["before"]) == (None, None, {})
        assert ids(auditor.get(AUDIT, {"verb": "test.first", "actor": "ada"})) == []

    def test_shows_markup_as_text(self, auditor, write):
        [row] = write(reason="<img src=x onerror=alert(1)>")
        answer = auditor.get(f"{AUDIT}{row}/")
        assert answer["Content-Type"] == "application/json"
        assert answer.json()["reason"] == "<img src=x onerror=alert(1)>"


class TestRights:
    PATHS = ["", "seals/", "state/", "bundle/", "{row}/", "{row}/proof/"]

    @pytest.mark.parametrize("path", PATHS)
    @pytest.mark.parametrize(
        "role, status",
        [
            ("auditor", 200),
            ("admin", 200),
            ("viewer", 403),
            ("builder", 403),
            ("operator", 403),
            ("approver", 403),
        ],
    )
    def test_only_auditors_and_administrators_read(self, acme, rows, now, path, role, status):
        seal_pending(now=now)
        client = people.browser(people.person(acme, role))
        assert client.get(AUDIT + path.format(row=rows[0])).status_code == status

    @pytest.mark.parametrize("path", PATHS)
    def test_strangers_are_asked_to_sign_in(self, client, rows, path):
        assert client.get(AUDIT + path.format(row=rows[0])).status_code == 401

    @pytest.mark.parametrize("path", PATHS)
    @pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
    def test_nothing_can_be_changed(self, acme, rows, path, method):
        headers = people.bearer(people.person(acme, "admin"))
        path = AUDIT + path.format(row=rows[0])
        assert getattr(Client(), method)(path, headers=headers).status_code == 405

    def test_another_workspace_sees_nothing(self, rows, now):
        seal_pending(now=now)
        other = people.browser(people.person(people.make_workspace("other"), "auditor"))
        assert ids(other.get(AUDIT, {"verb": "test."})) == []
        assert other.get(f"{AUDIT}{rows[0]}/").status_code == 404
        assert other.get(f"{AUDIT}{rows[0]}/proof/").status_code == 404
        assert str(rows[0]).encode() not in b"".join(other.get(f"{AUDIT}bundle/"))

    def test_what_has_no_workspace_is_for_administrators_of_the_installation(
        self, acme, auditor, ada, now
    ):
        with transaction.atomic():
            record(
                who=ada, workspace_id=None, verb="test.keys", target=Target("keys", "1"), now=now
            )
        query = {"scope": "installation", "verb": "test.keys"}
        assert auditor.get(AUDIT, query).status_code == 403
        assert ids(auditor.get(AUDIT, {"verb": "test.keys"})) == []
        user = people.person(acme, "admin")
        user.is_superuser = True
        user.save()
        assert len(ids(people.browser(user).get(AUDIT, query))) == 1

    def test_a_token_needs_the_scope(self, acme, rows, now):
        seal_pending(now=now)
        user = people.person(acme, "auditor")
        reads = people.bearer(user, scopes=["audit.view"])
        client = Client()
        assert client.get(AUDIT, headers=reads).status_code == 200
        assert client.get(f"{AUDIT}bundle/", headers=reads).status_code == 403
        exports = people.bearer(user, scopes=["audit.view", "export.read"])
        assert client.get(f"{AUDIT}bundle/", headers=exports).status_code == 200


class TestSeals:
    def test_are_listed_newest_first(self, auditor, sealed):
        results = auditor.get(f"{AUDIT}seals/").json()["results"]
        assert [seal["number"] for seal in results] == [3, 2, 1]
        assert results[1]["previous"] == results[2]["hash"]
        assert results[0]["key"] == signing_keys()[0].public.hex()

    def test_and_the_state_are_shown(self, auditor, sealed, write):
        write(2)
        state = auditor.get(f"{AUDIT}state/").json()
        assert state["fingerprint"] == signing_keys()[0].fingerprint
        assert (state["last_seal"], state["unsealed"], state["refused"]) == (3, 2, 0)
        assert datetime.fromisoformat(state["oldest_unsealed_at"]).tzinfo is not None


class TestBundle:
    def save(self, answer, tmp_path):
        assert answer.status_code == 200
        file = tmp_path / "bundle.ndjson"
        file.write_bytes(b"".join(answer))
        return file

    def verify(self, file, checkpoints):
        arguments = [str(file), "--fingerprint", signing_keys()[0].fingerprint]
        return verify_audit.main([*arguments, "--checkpoints", str(checkpoints)])

    def test_verifies_offline(self, auditor, sealed, checkpoints, tmp_path, capsys):
        answer = auditor.get(f"{AUDIT}bundle/")
        assert answer["Content-Type"] == "application/x-ndjson"
        assert answer["Content-Disposition"].startswith('attachment; filename="audit-acme-')
        file = self.save(answer, tmp_path)
        assert self.verify(file, checkpoints) == 0
        held = {json.loads(line).get("row", {}).get("id") for line in file.read_text().splitlines()}
        assert {str(row) for group in sealed for row in group} <= held
        assert "The bundle verifies." in capsys.readouterr().out

    def test_of_a_period_without_some_values(self, auditor, sealed, checkpoints, tmp_path, now):
        query = {
            "from": (now + timedelta(seconds=4)).isoformat(),
            "withhold": "actor.label, after.",
        }
        file = self.save(auditor.get(f"{AUDIT}bundle/", query), tmp_path)
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        assert lines[0]["bundle"]["seals"] == [2, 3]
        assert {name for line in lines if "row" in line for name in line["values"]} == {
            "target.label", "reason", "before.number",
        }  # fmt: skip
        assert self.verify(file, checkpoints) == 0

    def test_is_itself_in_the_trail(self, auditor, sealed):
        auditor.get(f"{AUDIT}bundle/", {"withhold": "reason"})
        row = auditor.get(AUDIT, {"verb": "export.read"}).json()["results"][0]
        assert row["actor"]["label"] == "auditor@acme.test"
        assert row["details"] == {"what": "audit", "from": None, "to": None, "withheld": ["reason"]}

    def test_proof_of_one_row_verifies(self, auditor, sealed, checkpoints, tmp_path):
        file = self.save(auditor.get(f"{AUDIT}{sealed[1][1]}/proof/"), tmp_path)
        assert self.verify(file, checkpoints) == 0
        assert auditor.get(AUDIT, {"verb": "export.read"}).json()["results"][0]["target"][
            "id"
        ] == str(sealed[1][1])

    def test_proof_of_a_row_that_is_not_sealed_is_a_conflict(self, auditor, write):
        assert auditor.get(f"{AUDIT}{write()[0]}/proof/").status_code == 409

    def test_refuses_a_wrong_period(self, auditor):
        assert auditor.get(f"{AUDIT}bundle/", {"from": "x"}).status_code == 422


@pytest.mark.django_db(transaction=True)
async def test_a_bundle_is_streamed_under_asgi(write, acme, now, checkpoints, tmp_path):
    from asgiref.sync import sync_to_async

    def prepare():
        write(300)
        seal_pending(now=now, limit=50)
        return people.bearer(people.person(acme, "auditor"))

    headers = await sync_to_async(prepare)()
    answer: Any = await AsyncClient().get(f"{AUDIT}bundle/", headers=headers)
    assert answer.is_async
    pieces = [piece async for piece in answer]
    assert len(pieces) > 3
    assert all(len(piece) < 100_000 for piece in pieces)
    file = tmp_path / "bundle.ndjson"
    file.write_bytes(b"".join(pieces))
    fingerprint = signing_keys()[0].fingerprint
    assert verify_audit.main([str(file), "--fingerprint", fingerprint]) == 0
    assert now.tzinfo == UTC
