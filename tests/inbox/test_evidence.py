"""The evidence of a decision: the trail's row, the page, and the file that verifies offline."""

import json
import re
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from html import escape
from pathlib import Path

import pytest
from django.conf import settings

from apps.accounts import commands as people_commands
from apps.accounts.models import Team
from apps.audit.commands import erase_values
from apps.audit.keys import signing_keys
from apps.audit.models import AuditEvent
from apps.audit.sealing import seal_pending
from apps.core import clock
from apps.core.models import uuid7
from apps.inbox import delegating, evidence, recording
from apps.inbox.models import Decision
from tests.inbox.support import approval, fresh, move_clock
from tests.inbox.test_page import NEVER, page, text_of
from tests.support import people
from tools import verify_audit

pytestmark = pytest.mark.django_db
VERIFIER = Path(verify_audit.__file__)
FACTS = [
    {"label": "Amount", "value": "= trigger.body.amount"},
    {"label": "Order", "value": "= trigger.body"},
    {"label": "<b>Note</b>", "value": "<script>alert(1)</script> & more"},
]
BODY = {
    "amount": Decimal("12500.50"),
    "lines": [{"item": "Chair", "n": 4}, {"item": "Desk", "n": 2}],
}


@pytest.fixture(autouse=True)
def _checkpoints(settings, tmp_path):
    settings.CHECKPOINTS = tmp_path / "checkpoints.log"


@pytest.fixture
def auditor(desk):
    return desk.someone("ulla", "auditor")


@pytest.fixture
def finance(desk):
    desk.team("finance", "ada", "bob")
    return Team.objects.get(workspace=desk.workspace, slug="finance")


def decided(desk, *, by="ada", **config):
    """A question to the finance team, answered by one of it."""
    task = desk.ask(
        BODY, **{"assignees": {"users": [], "groups": ["finance"]}, "fields": FACTS} | config
    )
    desk.decide(task, desk.someone(by), comment="Within the budget")
    return fresh(task)


def row_of(desk):
    [row] = desk.trail("task.decide")
    return row


def evidence_page(task, user, **more):
    return people.browser(user).get(f"/inbox/{task.pk}/evidence/", **more)


def take(desk, task, user, tmp_path):
    """The signed file of the only decision, as the browser saves it."""
    seal_pending(now=clock.now())
    decision = Decision.objects.get(task=task)
    answer = people.browser(user).get(f"/api/v1/tasks/{task.pk}/decisions/{decision.pk}/evidence/")
    assert answer.status_code == 200, answer.content
    path = tmp_path / "decision.html"
    path.write_bytes(answer.content)
    return path


def check(path, capsys, fingerprint=None):
    key = fingerprint or signing_keys()[0].fingerprint
    status = verify_audit.main([str(path), "--fingerprint", key])
    return status, capsys.readouterr().out


def facts_in(answer):
    """The markup of the facts, as it stands in a page."""
    source = answer if isinstance(answer, str) else answer.content.decode()
    found = re.findall(
        r'<dl class="facts facts--lines"><div><dt dir="auto">.*?</dl>\s*(?=</section>|</div>)',
        source,
        re.DOTALL,
    )
    return [re.sub(r"\s+", " ", one).strip() for one in found]


class TestWhatTheTrailKeeps:
    def test_what_was_shown_has_the_hash_that_was_decided_by(self, desk, finance):
        task = decided(desk)
        row = row_of(desk)
        shown = row.salted["details.shown"][1]
        assert sha256(shown.encode()).hexdigest() == task.seen == row.values["details.seen"]
        assert json.loads(shown)["facts"] == task.facts

    def test_by_which_grant_and_by_the_names_of_that_moment(self, desk, finance):
        decided(desk)
        grant = row_of(desk).values["details.grant"]
        assert (grant["by"], grant["group"]["name"]) == ("group", "Finance")
        assert [one["slug"] for one in grant["roles"]] == ["approver"]
        assert [one["name"] for one in grant["teams"]] == ["Finance"]
        assert grant["duties"][0] == "requester"

    def test_who_else_could_have(self, desk, finance):
        decided(desk)
        others = row_of(desk).values["details.others"]
        assert others["count"] == 1
        assert [(one["email"], one["group"], one["state"]) for one in others["people"]] == [
            ("bob@acme.test", "Finance", "could")
        ]

    def test_who_had_answered_and_who_could_not_any_more(self, desk, finance):
        desk.team("board", "cid", "dan", "eve")
        task = desk.ask(assignees={"users": [], "groups": ["board"]}, rule={"n": 2})
        desk.decide(task, desk.someone("cid"))
        task.assignees.filter(user=desk.someone("dan")).update(dropped_at=clock.now())
        desk.decide(task, desk.someone("eve"))
        states = {
            one["email"]: one["state"]
            for one in desk.trail("task.decide")[-1].values["details.others"]["people"]
        }
        assert states == {"cid@acme.test": "answered", "dan@acme.test": "gone"}

    def test_the_version_the_form_and_the_rule_by_their_hashes(self, desk, finance):
        decided(desk)
        kept = row_of(desk).group("details")
        assert kept["release"]["number"] == 1
        for text in (kept["release"]["hash"], kept["form"]["hash"], kept["rule_hash"]):
            assert re.fullmatch("[0-9a-f]{64}", text)

    def test_from_where_without_the_address_itself(self, desk, finance):
        task = desk.ask(BODY, assignees={"users": [], "groups": ["finance"]})
        browser = people.browser(desk.someone("ada"))
        body = {"outcome": "approved", "seen": task.seen}
        more = {"REMOTE_ADDR": "203.0.113.77"}
        agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
        browser.defaults |= {**more, "HTTP_USER_AGENT": agent}
        assert (
            people.send(browser, "POST", f"/api/v1/tasks/{task.pk}/decide/", body).status_code
            == 200
        )
        origin = row_of(desk).values["details.origin"]
        assert origin == {"door": "app", "network": "203.0.113.0/24", "agent": "Firefox, Linux"}
        assert "203.0.113.77" not in json.dumps(row_of(desk).salted)

    def test_the_page_and_a_program_are_other_doors(self, desk, finance):
        one, other = (desk.ask(BODY, assignees={"users": [], "groups": ["finance"]}) for _ in "12")
        browser = people.browser(desk.someone("ada"))
        browser.cookies["csrftoken"] = "a" * 32
        form = {"outcome": "approved", "seen": one.seen, "csrfmiddlewaretoken": "a" * 32}
        assert browser.post(f"/inbox/{one.pk}/", form).status_code == 302
        headers = people.bearer(desk.someone("ada"))
        body = {"outcome": "approved", "seen": other.seen}
        client = people.browser(desk.someone("bob"))
        sent = client.post(
            f"/api/v1/tasks/{other.pk}/decide/",
            json.dumps(body),
            "application/json",
            headers=headers,
        )
        assert sent.status_code == 200
        doors = [row.values["details.origin"]["door"] for row in desk.trail("task.decide")]
        assert doors == ["page", "api"]

    @pytest.mark.parametrize(
        ("address", "network"),
        [("203.0.113.77", "203.0.113.0/24"), ("2001:db8:1:2::9", "2001:db8:1::/48"), ("x", "")],
    )
    def test_networks(self, address, network):
        assert recording.network_of(address) == network

    def test_a_place_that_was_handed_over(self, desk, finance):
        from apps.inbox import handing

        task = desk.ask_named("ada")
        desk.someone("eve")
        handing.hand_over_task(
            actor=desk.actor(desk.someone("ada")),
            task_id=task.pk,
            to="eve@acme.test",
            reason="On leave",
            now=clock.now(),
        )
        desk.decide(task, desk.someone("eve"))
        grant = row_of(desk).values["details.grant"]
        assert (grant["by"], grant["handed_by"]) == ("handed_over", "ada@acme.test")


class TestPage:
    def test_it_answers_an_auditors_questions(self, desk, finance, auditor):
        task = decided(desk)
        seal_pending(now=clock.now())
        answer = evidence_page(task, auditor)
        text = text_of(answer)
        for part in (
            "Approved: Ada (ada@acme.test)",
            "In their own name.",
            "Within the budget",
            "Asked as a member of “Finance”.",
            "Roles then: “Approver”.",
            "Bob (bob@acme.test) , Finance : could have answered",
            "it was kept, with 1 day left.",
            "Written by",
            "Published by",
            "Not altered since it was sealed",
            "What else happened to it",
        ):
            assert part in text, part
        assert f"/flows/{task.flow_id}/compare/?from=empty&amp;to=1" in answer.content.decode()

    def test_it_says_the_names_of_then_and_of_now(self, desk, finance, auditor):
        task = decided(desk)
        admin = desk.actor(desk.someone("admin", "admin"))
        people_commands.rename_team(
            actor=admin, team_id=finance.pk, name="Treasury", now=clock.now()
        )
        desk.deactivate(desk.someone("ada"))
        text = text_of(evidence_page(task, auditor))
        assert "Ada (ada@acme.test), who is not here any more" in text
        assert "“Finance” (now called “Treasury”)" in text

    def test_it_says_that_the_group_is_gone(self, desk, finance, auditor):
        task = decided(desk)
        people_commands.delete_team(
            actor=desk.actor(desk.someone("admin", "admin")), team_id=finance.pk, now=clock.now()
        )
        assert "“Finance” (not there any more)" in text_of(evidence_page(task, auditor))

    def test_on_whose_behalf(self, desk, finance, auditor):
        desk.someone("dee")
        delegating.delegate(
            actor=desk.actor(desk.someone("ada")),
            to="dee@acme.test",
            begins_at=clock.now() - timedelta(hours=1),
            ends_at=clock.now() + timedelta(days=2),
            now=clock.now(),
        )
        text = text_of(evidence_page(decided(desk, by="dee"), auditor))
        assert "Approved: Dee (dee@acme.test)" in text
        assert "On behalf of Ada, for whom they stood in." in text

    def test_what_else_happened(self, desk, finance, auditor):
        task = desk.ask_named("ada", due="P2D")
        move_clock(days=3)
        from apps.inbox.commands import close_overdue

        close_overdue(now=clock.now())
        text = text_of(evidence_page(task, auditor))
        assert "Nobody decided" in text
        assert "Nobody decided in time; it was closed · Signalbox" in text

    def test_an_altered_row_is_told(self, desk, finance, auditor):
        from django.db import connection

        task = decided(desk)
        seal_pending(now=clock.now())
        with connection.cursor() as cursor:
            cursor.execute("set local session_replication_role = replica")
            cursor.execute(
                "update audit_value set salted = jsonb_set(salted, '{reason,1}', '\"\\\"No\\\"\"')"
                " where event_id = %s",
                [row_of(desk).event.pk],
            )
            cursor.execute("set local session_replication_role = origin")
        text = text_of(evidence_page(task, auditor))
        assert "Altered since it was sealed." in text
        assert "The value 'reason' of row" in text

    def test_erased_values_leave_the_rest(self, desk, finance, auditor):
        task = decided(desk)
        erase_values(
            who=desk.actor(auditor).who,
            workspace_id=desk.workspace.pk,
            event_ids=[row_of(desk).event.pk],
            fields=["details.shown", "details.origin", "details.others"],
            reason="Asked to",
            now=clock.now(),
        )
        text = text_of(evidence_page(task, auditor))
        assert "It was erased, or nothing was kept of it." in text
        assert "Asked as a member of “Finance”." in text

    def test_it_is_for_auditors_and_for_who_decided(self, desk, finance, auditor):
        task = decided(desk)
        own = evidence_page(task, desk.someone("ada"))
        assert own.status_code == 200
        assert "/audit/" not in own.content.decode()
        assert "What else happened to it" not in text_of(own)
        assert evidence_page(task, desk.someone("bob")).status_code == 404
        assert evidence_page(task, desk.someone("eye", "viewer")).status_code == 404
        stranger = people.person(people.make_workspace("other"), "auditor", "admin")
        assert evidence_page(task, stranger).status_code == 404

    def test_it_needs_no_script_and_speaks_the_peoples_words(self, desk, finance, auditor):
        answer = evidence_page(decided(desk), auditor)
        assert b"<script" not in answer.content
        assert not NEVER.search(text_of(answer).replace("alert(1)", ""))

    def test_in_german(self, desk, finance, auditor):
        answer = evidence_page(decided(desk), auditor, headers={"accept-language": "de"})
        text = text_of(answer)
        assert "Wer hätte noch entscheiden können" in text
        assert "Was zu sehen war" in text


class TestFile:
    def test_it_verifies_offline_and_says_what_was_decided(
        self, desk, finance, auditor, tmp_path, capsys
    ):
        path = take(desk, decided(desk), auditor, tmp_path)
        status, told = check(path, capsys)
        assert (status, told.splitlines()[-1]) == (0, "The evidence verifies.")
        assert "Decision: approved, by Ada" in told
        assert "Amount: 12500.50" in told

    def test_it_shows_exactly_what_the_page_showed_whatever_changed_since(
        self, desk, finance, auditor, tmp_path
    ):
        ada = desk.someone("ada")
        ada.zone = "Asia/Tokyo"
        ada.save()
        facts = [*FACTS, {"label": "Starts", "value": "= trigger.body.starts"}]
        body = {**BODY, "starts": "2026-11-20T23:30:00Z"}
        task = desk.ask(body, assignees={"users": [], "groups": ["finance"]}, fields=facts)
        [seen] = facts_in(page(desk, task, ada))
        # Between opening and deciding: the flow asks something else now, and names have changed.
        flow = desk.flow_of(task)
        version = flow.active_version
        version.pk, version.number, version.hash = uuid7(), 2, "2" * 64
        version.document = approval(
            title="Something else", fields=[{"label": "Amount", "value": 1}]
        )
        version.save(force_insert=True)
        flow.active_version, flow.name = version, "Renamed"
        flow.save()
        people_commands.rename_team(
            actor=desk.actor(desk.someone("admin", "admin")),
            team_id=finance.pk,
            name="Treasury",
            now=clock.now(),
        )
        desk.decide(task, ada)
        ada.zone = "Europe/Berlin"
        ada.save()
        [again] = facts_in(take(desk, task, auditor, tmp_path).read_text())
        assert again == seen
        assert "21 November 2026, 08:30 (Asia/Tokyo)" in again
        assert "12,500.50" in again

    def test_every_changed_byte_is_found(self, desk, finance, auditor, tmp_path, capsys):
        path = take(desk, decided(desk, fields=FACTS[:1]), auditor, tmp_path)
        whole = path.read_bytes()
        for at in [*range(0, len(whole), 97), *range(len(whole) - 230, len(whole))]:
            changed = bytearray(whole)
            changed[at] ^= 1
            path.write_bytes(bytes(changed))
            status, told = check(path, capsys)
            assert status == 1, f"byte {at}: {whole[at - 10 : at + 10]!r} {told}"
        for cut in (whole[:-1], whole[:-200], whole + b" ", whole[1:]):
            path.write_bytes(cut)
            assert check(path, capsys)[0] == 1

    def test_another_key_is_not_believed(self, desk, finance, auditor, tmp_path, capsys):
        path = take(desk, decided(desk), auditor, tmp_path)
        assert "which you do not trust" in check(path, capsys, fingerprint="0" * 64)[1]

    def test_it_shows_no_other_row_of_the_trail(self, desk, finance, auditor, tmp_path):
        task = decided(desk)
        text = take(desk, task, auditor, tmp_path).read_text()
        [own] = {str(row.event.pk) for row in desk.trail("task.decide")}
        others = {str(one) for one in AuditEvent.objects.values_list("pk", flat=True)} - {own}
        assert own in text
        assert not [one for one in others if one in text]

    def test_what_is_too_long_for_the_row_is_whole_in_the_file(
        self, desk, finance, auditor, tmp_path, capsys
    ):
        task = decided(desk, fields=[{"label": f"Fact {n}", "value": "x" * 900} for n in range(45)])
        assert row_of(desk).values["details.shown"]["too_long"] is True
        path = take(desk, task, auditor, tmp_path)
        status, told = check(path, capsys)
        assert status == 0, told
        assert path.read_text().count("x" * 900) >= 90  # as it is read, and in the proof
        path.write_text(path.read_text().replace("x" * 900, "y" * 900, 1))
        assert check(path, capsys)[0] == 1

    def test_it_runs_without_any_of_our_packages(self, desk, finance, auditor, tmp_path):
        path = take(desk, decided(desk), auditor, tmp_path)
        command = [sys.executable, "-S", "-I", str(VERIFIER), str(path)]
        done = subprocess.run(
            [*command, "--fingerprint", signing_keys()[0].fingerprint],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def test_the_taking_is_in_the_trail(self, desk, finance, auditor, tmp_path):
        take(desk, decided(desk), auditor, tmp_path)
        row = desk.trail("export.read")[-1]
        assert row.values["details.what"] == "decision"
        assert row.values["actor.label"] == "ulla@acme.test"

    def test_who_decided_may_take_their_own_and_nobody_elses(self, desk, finance, tmp_path):
        task = decided(desk)
        take(desk, task, desk.someone("ada"), tmp_path)
        decision = Decision.objects.get(task=task)
        path = f"/api/v1/tasks/{task.pk}/decisions/{decision.pk}/evidence/"
        assert people.browser(desk.someone("bob")).get(path).status_code == 404
        assert people.browser(desk.someone("eye", "viewer")).get(path).status_code == 404

    def test_before_it_is_sealed_it_says_so(self, desk, finance, auditor):
        task = decided(desk)
        decision = Decision.objects.get(task=task)
        path = f"/api/v1/tasks/{task.pk}/decisions/{decision.pk}/evidence/"
        answer = people.browser(auditor).get(path)
        assert (answer.status_code, "not sealed yet" in answer.json()["detail"]) == (409, True)

    def test_markup_in_facts_is_text_and_the_file_runs_nothing(
        self, desk, finance, auditor, tmp_path
    ):
        text = take(desk, decided(desk), auditor, tmp_path).read_text()
        assert "<script>alert(1)" not in text
        assert text.count("<script") == 1
        assert "default-src 'none'" in text

    def test_the_sheet_holds_no_sign_that_would_be_escaped(self):
        sheet = (settings.BASE_DIR / "static" / "evidence.css").read_text()
        assert escape(sheet) == sheet


class TestTasksOfARun:
    def test_they_are_listed_with_what_came_of_them(self, desk, finance, auditor):
        task = decided(desk)
        answer = people.browser(auditor).get(f"/api/v1/runs/{task.run_id}/tasks/").json()
        [one] = answer["results"]
        assert one["id"] == str(task.pk)
        assert (one["outcome_word"], one["decided_by"], one["has_evidence"]) == (
            "Approved",
            "Ada",
            True,
        )

    def test_not_to_strangers(self, desk, finance):
        task = decided(desk)
        stranger = people.person(people.make_workspace("other"), "auditor", "admin")
        path = f"/api/v1/runs/{task.run_id}/tasks/"
        assert people.browser(stranger).get(path).status_code == 404
        assert people.browser(desk.someone("bob")).get(path).status_code == 404
        assert (
            evidence.tasks_of_run(desk.actor(desk.someone("eye", "viewer")), task.run_id).count()
            == 1
        )
