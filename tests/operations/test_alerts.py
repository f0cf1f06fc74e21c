"""Who is told what: in the app with a count, by mail once an hour (issue, engine; rule 32)."""

import threading
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection

from apps.core import clock, outbox
from apps.core.models import Outbox, uuid7
from apps.inbox.telling import tell_assignees
from apps.notices import commands as notices
from apps.notices.models import Delivery, Notice
from apps.notices.sending import deliver
from apps.notices.words import one_line
from apps.operations import alerts
from apps.operations.models import Alert, AlertKind
from apps.runs import stuck
from apps.runs.drive import drive_all
from tests.inbox.support import move_clock
from tests.runs.support import document
from tests.support import people

pytestmark = pytest.mark.django_db

FAILS = document(
    {
        "sum": {
            "type": "map",
            "title": "Add it up",
            "config": {"fields": {"n": "= trigger.body.n + 1"}},
        }
    },
    ["trigger -> sum"],
)


@pytest.fixture
def failing(desk):
    return desk.publish(FAILS)


def fail(desk, version):
    run_id = desk.start(version, {})
    desk.settle()
    return run_id


def relay():
    """What the housekeeping worker does, until nothing is due."""
    while outbox.relay():
        pass
    assert not Outbox.objects.exclude(last_error="").exists(), Outbox.objects.values_list(
        "last_error"
    )


def mails_to(user):
    return [one for one in mail.outbox if one.to == [user.email]]


class TestAFailedRun:
    def test_tells_the_owner_in_the_app_and_by_mail(self, desk, failing):
        run_id = fail(desk, failing)
        relay()
        [alert] = Alert.objects.all()
        assert alert.user == desk.owner
        assert (alert.kind, alert.flow_id, alert.run_id, alert.count) == (
            "run_failed",
            failing.flow_id,
            run_id,
            1,
        )
        assert alert.title == "“Test” failed at “Add it up”"
        assert "“n”" in alert.body or "n" in alert.body
        [sent] = mail.outbox
        assert sent.to == [desk.owner.email]
        assert sent.subject == "“Test” failed at “Add it up”"
        assert f"/runs/{run_id}/" in sent.body
        assert alert.body in sent.body
        assert sent.extra_headers["Auto-Submitted"] == "auto-generated"

    def test_of_the_same_cause_within_the_hour_only_counts_on(self, desk, failing):
        for _ in range(5):
            fail(desk, failing)
        relay()
        [alert] = Alert.objects.all()
        assert alert.count == 5
        assert alert.last_at >= alert.created_at
        assert len(mail.outbox) == 1

    def test_after_the_hour_tells_again_with_the_count_of_before(self, desk, failing):
        for _ in range(3):
            fail(desk, failing)
        relay()
        move_clock(hours=1, seconds=1)
        fail(desk, failing)
        relay()
        assert list(Alert.objects.order_by("id").values_list("count", flat=True)) == [3, 1]
        assert len(mail.outbox) == 2
        assert "The hour of the last mail counted 3 of these." in mail.outbox[1].body
        assert "counted" not in mail.outbox[0].body.partition("More of the same")[0]

    def test_for_another_cause_or_flow_tells_apart(self, desk, failing):
        fail(desk, failing)
        fail(desk, desk.publish(FAILS))
        other = {
            **FAILS,
            "steps": {"other": FAILS["steps"]["sum"]},
            "links": [{"from": "trigger", "to": "other"}],
        }
        fail(desk, desk.publish(other))
        relay()
        assert Alert.objects.count() == len(mail.outbox) == 3

    def test_told_twice_by_the_outbox_counts_once(self, desk, failing):
        fail(desk, failing)
        [row] = Outbox.objects.filter(topic="run.failed")
        for _ in range(3):
            alerts.tell_of_failed_run(row.payload)
        relay()
        assert Alert.objects.get().count == 1
        assert len(mail.outbox) == 1

    def test_tells_the_administrators_where_the_owner_is_gone_or_may_not_look(self, desk, failing):
        admin = desk.someone("admin", "admin")
        desk.deactivate(desk.owner)
        fail(desk, failing)
        relay()
        assert Alert.objects.get().user == admin
        flow = failing.flow
        flow.owner = None
        assert alerts.owners(flow) == [admin]
        flow.owner = desk.someone("just-approves")
        assert alerts.owners(flow) == [admin]
        flow.owner = people.person(people.make_workspace("other"), "builder")
        assert alerts.owners(flow) == [admin]

    def test_shows_markup_and_line_breaks_of_names_as_text(self, desk, failing):
        flow = failing.flow
        flow.name = "Bills\r\nBcc: eve@evil.test <script>"
        flow.save()
        fail(desk, failing)
        relay()
        [sent] = mail.outbox
        assert sent.subject.startswith("“Bills Bcc: eve@evil.test <script>” failed")
        assert sent.recipients() == [desk.owner.email]
        assert "\nBcc" not in sent.message().as_string().partition("\n\n")[0]


@pytest.mark.django_db(transaction=True)
def test_many_at_once_are_one_alert_and_one_mail(desk, failing):
    owner, flow = desk.owner, failing.flow
    cases = [uuid7() for _ in range(8)]

    def tell(case):
        try:
            alerts.raise_alert(
                user=owner,
                flow=flow,
                kind=AlertKind.RUN_FAILED,
                cause="a/b",
                case_id=case,
                run_id=case,
                title="t",
                body="b",
                now=clock.now(),
            )
        finally:
            connection.close()

    threads = [threading.Thread(target=tell, args=[case]) for case in cases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert Alert.objects.get().count == 8
    assert Notice.objects.count() == 1


def test_a_run_that_is_held_tells_operators_and_owner_without_the_fault(desk, failing):
    operator = desk.someone("op", "operator")
    payload = {
        "run": str(uuid7()),
        "workspace": str(desk.workspace.pk),
        "flow": str(failing.flow_id),
        "fault": "KeyError: 'iban DE02…'",
    }
    outbox.enqueue(topic="run.engine_fault", payload=payload, now=clock.now())
    relay()
    assert {one.user for one in Alert.objects.all()} == {operator, desk.owner}
    assert len(mail.outbox) == 2
    for sent in mail.outbox:
        assert "resume the run" in sent.body
        assert "iban" not in sent.body
    assert not Alert.objects.filter(body__contains="iban").exists()


def test_too_few_people_tell_the_owner(desk):
    task = desk.ask_named("ada", rule={"n": 3})
    relay()
    [alert] = Alert.objects.filter(kind="too_few")
    assert (alert.user, alert.kind, alert.run_id) == (desk.owner, "too_few", task.run_id)
    assert alert.title == "Too few people can decide “Approve the order”"
    assert "3 must approve, but only 1 person can be asked." in alert.body


class TestTheBell:
    def url(self, user):
        return people.browser(user)

    def test_shows_ones_own_newest_first_with_the_unread(self, desk, failing):
        run_id = fail(desk, failing)
        fail(desk, desk.publish(FAILS))
        relay()
        answer = people.browser(desk.owner).get("/api/v1/alerts/").json()
        assert answer["unread"] == 2
        first = answer["results"][1]
        assert first == {
            "id": first["id"],
            "kind": "run_failed",
            "title": "“Test” failed at “Add it up”",
            "body": first["body"],
            "flow": {"id": str(failing.flow_id), "name": "Test"},
            "run": str(run_id),
            "task": None,
            "path": "",
            "count": 1,
            "created_at": first["created_at"],
            "last_at": first["last_at"],
            "read_at": None,
        }
        nobody = people.browser(desk.someone("ada")).get("/api/v1/alerts/").json()
        assert (nobody["results"], nobody["unread"]) == ([], 0)

    def test_is_read_one_by_one_or_all_at_once(self, desk, failing):
        for _ in range(3):
            fail(desk, desk.publish(FAILS))
        relay()
        browser = people.browser(desk.owner)
        ids = [one["id"] for one in browser.get("/api/v1/alerts/").json()["results"]]
        answer = people.send(browser, "POST", "/api/v1/alerts/read/", {"ids": ids[:1]})
        assert answer.json() == {"unread": 2}
        answer = people.send(browser, "POST", "/api/v1/alerts/read/", {"all": True})
        assert answer.json() == {"unread": 0}
        assert Alert.objects.filter(read_at__isnull=True).count() == 0

    def test_of_others_cannot_be_read_away(self, desk, failing):
        fail(desk, failing)
        relay()
        alert = Alert.objects.get()
        for user in (desk.someone("ada"), people.person(people.make_workspace("x"), "admin")):
            people.send(
                people.browser(user), "POST", "/api/v1/alerts/read/", {"ids": [str(alert.pk)]}
            )
            people.send(people.browser(user), "POST", "/api/v1/alerts/read/", {"all": True})
        assert Alert.objects.get().read_at is None

    @pytest.mark.parametrize("body", [{}, {"ids": ["x"]}, {"ids": "all"}, {"all": "perhaps"}])
    def test_bad_requests_are_refused(self, desk, body):
        answer = people.send(people.browser(desk.owner), "POST", "/api/v1/alerts/read/", body)
        assert answer.status_code == 422

    def test_hides_flows_that_may_not_be_viewed_any_more(self, desk, failing):
        from apps.accounts.models import Team

        fail(desk, failing)
        relay()
        for slug, has in (("builder", False), ("approver", True)):
            group = Team.objects.get(workspace=desk.workspace, slug=slug).group
            (group.user_set.add if has else group.user_set.remove)(desk.owner)
        answer = people.browser(desk.owner).get("/api/v1/alerts/").json()
        assert (answer["results"], answer["unread"]) == ([], 0)


class TestAMailAboutATask:
    def test_goes_to_everybody_asked_with_title_link_and_time_and_no_facts(self, desk):
        task = desk.ask_named(
            "ada",
            "bob",
            body={"amount": 98765431},
            details="secret reasons",
            title='= "Pay <b>now</b>\\nBcc: eve@evil.test"',
        )
        relay()
        assert sorted(one.to[0] for one in mail.outbox) == ["ada@acme.test", "bob@acme.test"]
        sent = mails_to(desk.someone("ada"))[0]
        assert sent.subject == "To decide: Pay <b>now</b> Bcc: eve@evil.test"
        assert sent.recipients() == ["ada@acme.test"]
        assert f"/inbox/{task.pk}/" in sent.body
        assert "There is time until" in sent.body
        assert "98765431" not in sent.body
        assert "secret reasons" not in sent.body

    def test_goes_once_however_often_the_outbox_says_so(self, desk):
        task = desk.ask_named("ada")
        for _ in range(3):
            tell_assignees({"task": str(task.pk)})
        relay()
        row = Delivery.objects.get(channel="mail")
        for _ in range(3):
            deliver({"delivery": str(row.pk)})
        assert len(mail.outbox) == 1
        assert (row.state, row.attempts) == ("sent", 1)
        assert row.ended_at is not None

    def test_goes_later_once_when_the_mail_server_was_away(self, desk, monkeypatch):
        desk.ask_named("ada")

        def away(_):
            raise ConnectionRefusedError

        with monkeypatch.context() as patched:
            patched.setattr("django.core.mail.EmailMultiAlternatives.send", away)
            while outbox.relay():
                pass
        assert mail.outbox == []
        [row] = Outbox.objects.all()
        assert "ConnectionRefusedError" in row.last_error
        move_clock(minutes=1)
        outbox.relay()
        assert len(mail.outbox) == 1
        assert not Outbox.objects.exists()

    def test_stays_away_when_it_has_been_decided_meanwhile(self, desk):
        task = desk.ask_named("ada", "bob")
        outbox.relay()
        desk.decide(task, desk.someone("bob"))
        relay()
        assert mail.outbox == []
        assert set(Delivery.objects.values_list("state", flat=True)) == {"dropped"}

    def test_stays_away_from_those_who_have_answered_or_left(self, desk):
        task = desk.ask_named("ada", "bob", "cleo", rule={"n": 2})
        outbox.relay()
        desk.decide(task, desk.someone("bob"))
        cleo = desk.someone("cleo")
        cleo.is_active = False
        cleo.save()
        relay()
        assert [one.to for one in mail.outbox] == [["ada@acme.test"]]

    def test_says_the_time_in_the_readers_zone(self, desk):
        ada = desk.someone("ada")
        ada.zone = "Asia/Tokyo"
        ada.save()
        desk.ask_named("ada")
        relay()
        assert "(Asia/Tokyo)" in mail.outbox[0].body

    def test_has_no_line_break_in_its_header(self, desk):
        now = clock.now()
        for number, title in enumerate(["a\nBcc: eve@evil.test", "a\r\nX: y", "a\rb"]):
            notice = Notice.objects.create(
                workspace_id=desk.workspace.pk,
                user=desk.owner,
                key=f"x{number}",
                kind="alert",
                title=title,
                path="/",
                created_at=now,
            )
            row = Delivery.objects.create(notice=notice, channel="mail")
            deliver({"delivery": str(row.pk)})
        assert [one.subject for one in mail.outbox] == ["a Bcc: eve@evil.test", "a X: y", "a b"]
        for sent in mail.outbox:
            assert sent.recipients() == [desk.owner.email]
            assert "\nBcc" not in sent.message().as_string().partition("\n\n")[0]

    def test_is_forgotten_after_a_while_but_not_before_it_went(self, desk):
        desk.ask_named("ada")
        outbox.relay()
        later = clock.now() + notices.KEPT + timedelta(days=1)
        assert notices.forget_notices(now=later) == 0
        relay()
        assert notices.forget_notices(now=clock.now()) == 0
        assert notices.forget_notices(now=later) == 1

    def test_is_a_file_in_embedded_mode(self, desk, settings, tmp_path):
        settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
        settings.EMAIL_FILE_PATH = tmp_path
        desk.ask_named("ada")
        relay()
        [written] = tmp_path.iterdir()
        assert "To: ada@acme.test" in written.read_text()


@pytest.mark.parametrize(
    ("text", "length", "line"),
    [
        ("a\r\nb\tc", 99, "a b c"),
        ("a\x00\x07b", 99, "ab"),
        ("a\u2028b\u202ec", 99, "a bc"),
        ("abcdef", 4, "abc…"),
    ],
)
def test_a_header_is_one_printable_line(text, length, line):
    assert one_line(text, length) == line


class TestAStuckRun:
    def test_tells_the_owner_once_where_and_why(self, desk):
        call = {
            "type": "http.request",
            "title": "Ask the shop",
            "config": {"url": "http://127.0.0.1:9/", "method": "GET"},
        }
        run_id = desk.start(desk.publish(document({"call": call}, ["trigger -> call"])), {})
        drive_all()
        later = clock.now() + timedelta(minutes=2)
        assert stuck.note_stuck(now=later) == 1
        assert stuck.note_stuck(now=later) == 0
        Outbox.objects.filter(topic="run.stuck").update(available_at=clock.now())
        relay()

        alert = Alert.objects.get(kind=AlertKind.RUN_STUCK)
        assert alert.run_id == run_id
        assert "“Ask the shop”" in alert.title
        assert alert.body == "Waits for a free worker."
