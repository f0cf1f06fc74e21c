"""How a notice comes to its reader: when, by which ways, once, and what the log says of it."""

import smtplib
import threading
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.db import connection, transaction

from apps.core import clock, outbox
from apps.core.models import Outbox
from apps.inbox.telling import tell_about, tell_assignees
from apps.notices import choosing, commands, planning, sending
from apps.notices.choosing import Wanted
from apps.notices.models import (
    DELIVERY_TRANSITIONS,
    Channel,
    Delivery,
    Kind,
    Notice,
    Preference,
    State,
    Urgency,
)
from apps.notices.planning import OFFERED, Choice, Group, Plan, Wishes, next_time, plan
from apps.operations.alerts import alerts_of
from apps.operations.models import Alert
from tests.inbox.support import move_clock
from tests.notices.support import ask, mails_to, relay
from tests.support import people

pytestmark = pytest.mark.django_db
BERLIN = ZoneInfo("Europe/Berlin")


def prefer(desk, name, choices=None, quiet=(None, None), digest_at=None):
    return choosing.change_preference(
        actor=desk.actor(desk.someone(name)),
        wanted=Wanted(choices or {}, quiet[0], quiet[1], digest_at),
        now=clock.now(),
    )


def remind(desk, task, *names, key="limit/80", **more):
    """What the clock says when most of the time is over."""
    return tell_about(
        task,
        [desk.someone(name) for name in names],
        kind=more.pop("kind", Kind.REMIND),
        key=f"{key}/{task.pk}",
        now=clock.now(),
        **more,
    )


def by_mail(name="ada", kind="decide"):
    return Delivery.objects.get(
        channel="mail", notice__user__email=f"{name}@acme.test", notice__kind=kind
    )


class TestThePlan:
    """Pure: every choice, way and urgency, and clocks that jump."""

    AT = datetime(2026, 3, 10, 21, 30, tzinfo=UTC)  # 22:30 in Berlin

    @pytest.mark.parametrize("channel", Channel)
    @pytest.mark.parametrize("choice", Choice)
    @pytest.mark.parametrize("urgency", Urgency)
    def test_of_every_choice(self, channel, choice, urgency):
        wishes = Wishes(BERLIN, {channel: {Group.TASKS: choice}}, digest_at=time(8))
        found = plan(wishes, channel=channel, kind=Kind.DECIDE, urgency=urgency, now=self.AT)
        urgent = urgency == Urgency.URGENT
        if choice == Choice.NEVER or (choice == Choice.URGENT and not urgent):
            assert found is None
        elif choice == Choice.DIGEST and not urgent and channel != Channel.APP:
            assert found == Plan(State.DIGEST, datetime(2026, 3, 11, 7, tzinfo=UTC))
        else:
            assert found == planning.NOW

    @pytest.mark.parametrize("channel", Channel)
    @pytest.mark.parametrize("urgency", Urgency)
    def test_of_quiet_hours(self, channel, urgency):
        wishes = Wishes(BERLIN, {}, (time(22), time(7)))
        found = plan(wishes, channel=channel, kind=Kind.DECIDE, urgency=urgency, now=self.AT)
        if urgency == Urgency.URGENT or channel == Channel.APP:
            assert found == planning.NOW
        else:
            assert found == Plan(State.HELD, datetime(2026, 3, 11, 6, tzinfo=UTC))

    @pytest.mark.parametrize(
        ("quiet", "at", "until"),
        [
            ((time(22), time(7)), "2026-03-10T20:59", None),
            ((time(22), time(7)), "2026-03-10T21:00", "2026-03-11T06:00"),
            ((time(22), time(7)), "2026-03-11T05:59", "2026-03-11T06:00"),
            ((time(22), time(7)), "2026-03-11T06:00", None),
            ((time(12), time(13)), "2026-03-10T11:30", "2026-03-10T12:00"),
            ((time(12), time(13)), "2026-03-10T12:00", None),
            # The clocks go forward in this night, and back in that one.
            ((time(22), time(7)), "2026-03-28T22:00", "2026-03-29T05:00"),
            ((time(22), time(7)), "2026-10-24T22:00", "2026-10-25T06:00"),
            # The end that no clock shows in this night is the moment just after.
            ((time(0), time(2, 30)), "2026-03-29T00:15", "2026-03-29T01:30"),
        ],
    )
    def test_of_their_edges_in_the_readers_zone(self, quiet, at, until):
        now = datetime.fromisoformat(at).replace(tzinfo=UTC)
        found = planning.quiet_until(Wishes(BERLIN, {}, quiet), now)
        assert found == (datetime.fromisoformat(until).replace(tzinfo=UTC) if until else None)

    def test_of_a_digest_that_is_wanted_without_an_hour(self):
        wishes = Wishes(BERLIN, {"mail": {"tasks": "digest"}})
        found = plan(wishes, channel=Channel.MAIL, kind=Kind.DECIDE, urgency="normal", now=self.AT)
        assert found == planning.NOW

    @pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia"])
    def test_of_the_next_time_is_always_ahead_and_within_a_day(self, zone):
        at = datetime(2026, 3, 28, 0, 17, tzinfo=UTC)
        for hour in range(24):
            found = next_time(time(hour), ZoneInfo(zone), at)
            assert at < found <= at + timedelta(hours=25)

    def test_every_kind_but_test_and_digest_belongs_to_a_group(self):
        assert set(planning.GROUPS) == set(Kind) - {Kind.TEST, Kind.DIGEST}

    def test_a_finished_delivery_goes_nowhere_but_from_given_up_to_waiting(self):
        assert set(DELIVERY_TRANSITIONS) == set(State)
        assert DELIVERY_TRANSITIONS[State.SENT] == DELIVERY_TRANSITIONS[State.DROPPED] == set()


class TestTelling:
    def test_nothing_leaves_before_commit_nor_after_a_rollback(self, desk):
        task = ask(desk, "ada")
        relay()
        mail.outbox.clear()
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            remind(desk, task, "ada")
            raise ZeroDivisionError
        relay()
        assert mail.outbox == []
        assert not Notice.objects.filter(kind="remind").exists()

    def test_once_under_one_key_however_often(self, desk):
        task = ask(desk, "ada", "bob", rule={"n": 2})
        assert [remind(desk, task, "ada", "bob"), remind(desk, task, "ada", "bob")] == [2, 0]
        assert remind(desk, task, "ada", key="limit/100") == 1
        relay()
        assert len([one for one in mails_to(desk.someone("ada")) if "Still" in one.subject]) == 2

    def test_says_what_to_do_by_when_and_where(self, desk):
        task = ask(desk, "ada", risk="high")
        relay()
        [sent] = mails_to(desk.someone("ada"))
        assert sent.subject == "To decide: Approve the order"
        assert "Look at it and decide:" in sent.body
        assert "There is time until" in sent.body
        assert f"/inbox/{task.pk}/" in sent.body
        [(page, kind)] = [(one.content, one.mimetype) for one in sent.alternatives]
        assert kind == "text/html"
        assert f"/inbox/{task.pk}/" in page
        assert "There is time until" in page

    @pytest.mark.parametrize("kind", [one for one in Kind if one not in {"test", "digest"}])
    def test_has_words_for_every_kind_in_both_languages(self, desk, kind):
        ada = desk.someone("ada")
        task = ask(desk, "ada")
        relay()
        found = []
        for language in ("en", "de"):
            ada.language = language
            ada.save()
            mail.outbox.clear()
            remind(desk, task, "ada", kind=kind, key=f"{kind}/{language}", words="More of it.")
            relay()
            [sent] = mail.outbox
            assert "Approve the order" in sent.subject
            assert "More of it." in sent.body
            found.append(sent.subject if kind != "alert" else sent.body)
        assert found[0] != found[1]

    def test_words_are_said_in_each_readers_language(self, desk):
        from django.utils.translation import gettext

        bob = desk.someone("bob")
        bob.language = "de"
        bob.save()
        task = ask(desk, "ada", "bob", rule={"n": 2})
        remind(desk, task, "ada", "bob", words=lambda: gettext("Look at it"))
        rows = Notice.objects.filter(kind="remind").order_by("user__email")
        assert [one.words for one in rows] == ["Look at it", "Ansehen"]

    def test_who_has_no_account_any_more_is_not_told(self, desk):
        task = ask(desk, "ada", "bob", rule={"n": 2})
        bob = desk.someone("bob")
        bob.is_active = False
        bob.save()
        assert remind(desk, task, "ada", "bob") == 1

    def test_who_left_the_workspace_meanwhile_is_not_sent_anything(self, desk):
        task = ask(desk, "ada", "bob", rule={"n": 2})
        remind(desk, task, "bob", kind=Kind.LATE)
        desk.deactivate(desk.someone("bob"))
        relay()
        assert mails_to(desk.someone("bob")) == []
        assert by_mail("bob", "late").state == "dropped"

    def test_a_reminder_of_what_is_decided_meanwhile_stays_away(self, desk):
        task = ask(desk, "ada", "bob")
        relay()
        mail.outbox.clear()
        remind(desk, task, "ada", "bob")
        desk.decide(task, desk.someone("bob"))
        relay()
        assert mail.outbox == []
        assert by_mail("ada", "remind").state == "dropped"

    def test_somebody_who_is_not_asked_themselves_is_told_while_it_is_open(self, desk):
        task = ask(desk, "ada")
        remind(desk, task, "boss", kind=Kind.ESCALATED)
        relay()
        assert len(mails_to(desk.someone("boss"))) == 1

    def test_markup_and_line_breaks_of_a_title_are_text_in_the_mail(self, desk):
        ask(desk, "ada", title='= "<script>x</script>\\r\\nBcc: eve@evil.test <b>now</b>"')
        relay()
        [sent] = mails_to(desk.someone("ada"))
        page = sent.alternatives[0].content
        assert "<script>x" not in page
        assert "&lt;script&gt;x" in page
        assert sent.recipients() == ["ada@acme.test"]


@pytest.mark.django_db(transaction=True)
def test_two_who_tell_the_same_at_once_tell_it_once(desk):
    task = ask(desk, "ada")
    found = []

    def tell():
        try:
            found.append(remind(desk, task, "ada"))
        finally:
            connection.close()

    threads = [threading.Thread(target=tell) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sum(found) == 1
    assert Notice.objects.filter(kind="remind").count() == 1
    assert Delivery.objects.filter(notice__kind="remind", channel="mail").count() == 1


class TestAMailServerThatIsDown:
    def test_leaves_the_task_in_the_inbox_and_the_mail_is_sent_later_once(self, desk, monkeypatch):
        task = ask(desk, "ada")

        def away(_):
            raise ConnectionRefusedError

        with monkeypatch.context() as patched:
            patched.setattr("django.core.mail.EmailMultiAlternatives.send", away)
            for _ in range(4):
                relay()
                move_clock(minutes=2)
        row = by_mail()
        assert (row.state, row.attempts) == ("waiting", 4)
        assert row.last_error == "The mail server is away (ConnectionRefusedError)."
        listed = people.browser(desk.someone("ada")).get("/api/v1/tasks/?state=open").json()
        assert [one["id"] for one in listed["results"]] == [str(task.pk)]
        for _ in range(3):
            move_clock(hours=1)
            relay()
        assert len(mail.outbox) == 1
        assert (by_mail().state, by_mail().attempts, by_mail().last_error) == ("sent", 5, "")
        assert not Outbox.objects.filter(topic="notice.deliver").exists()

    def test_is_given_up_after_many_tries_and_can_be_tried_again(self, desk, monkeypatch):
        ask(desk, "ada", due="P30D")
        ada = people.browser(desk.someone("ada"))

        def away(_):
            raise TimeoutError

        with monkeypatch.context() as patched:
            patched.setattr("django.core.mail.EmailMultiAlternatives.send", away)
            for _ in range(sending.MOST_TRIES + 3):
                relay()
                move_clock(hours=1, seconds=5)
        row = by_mail()
        assert (row.state, row.attempts) == ("failed", sending.MOST_TRIES)
        assert not Outbox.objects.filter(topic="notice.deliver").exists()
        [line] = [
            one
            for one in ada.get("/api/v1/me/notifications/deliveries/").json()["results"]
            if one["channel"] == "mail"
        ]
        assert (line["state"], line["error"]) == (
            "failed",
            "The mail server is away (TimeoutError).",
        )
        answer = people.send(ada, "POST", f"/api/v1/deliveries/{row.pk}/retry/")
        assert answer.json()["state"] == "waiting"
        relay()
        assert len(mail.outbox) == 1
        assert by_mail().state == "sent"
        assert len(desk.trail("notice.retry")) == 1
        again = people.send(ada, "POST", f"/api/v1/deliveries/{row.pk}/retry/")
        assert again.status_code == 422
        other = people.browser(desk.someone("bob"))
        assert people.send(other, "POST", f"/api/v1/deliveries/{row.pk}/retry/").status_code == 404

    def test_that_does_not_know_the_address_is_not_asked_again(self, desk, monkeypatch):
        ask(desk, "ada")

        def refuses(message):
            raise smtplib.SMTPRecipientsRefused({message.to[0]: (550, b"no such user")})

        monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", refuses)
        relay()
        row = by_mail()
        assert (row.state, row.attempts) == ("failed", 1)
        assert row.last_error == "The mail server does not know this address."

    def test_that_says_later_is_asked_again(self, desk, monkeypatch):
        ask(desk, "ada")

        def later(message):
            raise smtplib.SMTPRecipientsRefused({message.to[0]: (451, b"grey")})

        with monkeypatch.context() as patched:
            patched.setattr("django.core.mail.EmailMultiAlternatives.send", later)
            relay()
        assert by_mail().state == "waiting"
        move_clock(minutes=1)
        relay()
        assert by_mail().state == "sent"

    def test_a_repeat_is_known_by_its_message_id(self, desk):
        ask(desk, "ada")
        relay()
        [sent] = mail.outbox
        assert str(by_mail().pk) in sent.extra_headers["Message-ID"]


class TestQuietHours:
    @pytest.fixture
    def night(self, desk):
        """Ada is in quiet hours now, for an hour or more."""
        ada = desk.someone("ada")
        ada.zone = "Asia/Tokyo"
        ada.save()
        here = clock.now().astimezone(ZoneInfo("Asia/Tokyo"))
        begins = (here - timedelta(hours=2)).time().replace(second=0, microsecond=0)
        ends = (here + timedelta(hours=2)).time().replace(second=0, microsecond=0)
        prefer(desk, "ada", quiet=(begins, ends))
        return ada

    def test_hold_what_is_not_urgent_until_they_end(self, desk, night):
        ask(desk, "ada", due="P9D")
        relay()
        assert mail.outbox == []
        row = by_mail()
        assert row.state == "held"
        assert timedelta(hours=1) < row.held_until - clock.now() <= timedelta(hours=2)
        commands.release_due(now=clock.now())
        assert by_mail().state == "held"
        move_clock(hours=2, minutes=1)
        assert commands.release_due(now=clock.now()) == 1
        relay()
        assert len(mail.outbox) == 1
        assert by_mail().state == "sent"

    def test_let_urgent_pass(self, desk, night):
        task = ask(desk, "ada")
        remind(desk, task, "ada", urgency=Urgency.URGENT)
        relay()
        assert [one.subject for one in mail.outbox] == ["Still to decide: Approve the order"]

    def test_do_not_keep_it_out_of_the_app(self, desk, night):
        ask(desk, "ada")
        relay()
        assert Alert.objects.filter(user=night, kind="task").count() == 1

    def test_what_was_decided_meanwhile_is_not_sent_afterwards(self, desk, night):
        task = ask(desk, "ada", "bob", due="P9D")
        relay()
        desk.decide(task, desk.someone("bob"))
        move_clock(hours=3)
        commands.release_due(now=clock.now())
        relay()
        assert mails_to(night) == []
        assert by_mail().state == "dropped"

    def test_that_are_taken_away_let_it_go_at_once(self, desk, night):
        ask(desk, "ada", due="P9D")
        relay()
        prefer(desk, "ada")
        commands.release_due(now=clock.now())
        relay()
        assert len(mail.outbox) == 1

    def test_that_begin_while_the_server_is_down_hold_it_too(self, desk, monkeypatch):
        ask(desk, "ada", due="P9D")
        here = clock.now()
        begins = (here + timedelta(minutes=30)).time().replace(microsecond=0)
        ends = (here + timedelta(hours=4)).time().replace(microsecond=0)
        ada = desk.someone("ada")
        ada.zone = "UTC"
        ada.save()
        prefer(desk, "ada", quiet=(begins, ends))

        def away(_):
            raise ConnectionRefusedError

        with monkeypatch.context() as patched:
            patched.setattr("django.core.mail.EmailMultiAlternatives.send", away)
            relay()
        move_clock(hours=1)
        relay()
        assert mail.outbox == []
        assert by_mail().state == "held"


class TestADigest:
    @pytest.fixture
    def daily(self, desk):
        """Ada wants tasks once a day, an hour from now."""
        at = (clock.now() + timedelta(hours=1)).astimezone(UTC).time().replace(microsecond=0)
        ada = desk.someone("ada")
        ada.zone = "UTC"
        ada.save()
        prefer(desk, "ada", {"mail": {"tasks": "digest"}}, digest_at=at)
        return ada

    def later(self):
        relay()
        move_clock(hours=1, minutes=1)
        commands.collect_digests(now=clock.now())
        relay()

    def test_takes_several_in_one_mail_at_its_hour(self, desk, daily):
        tasks = [ask(desk, "ada", title=f"Order {n}", due="P9D") for n in range(3)]
        relay()
        commands.collect_digests(now=clock.now())
        relay()
        assert mail.outbox == []
        self.later()
        [sent] = mails_to(daily)
        assert sent.subject == "What waits for you"
        for number, task in enumerate(tasks):
            assert f"To decide: Order {number}" in sent.body
            assert f"/inbox/{task.pk}/" in sent.body
            assert f"/inbox/{task.pk}/" in sent.alternatives[0].content
        assert sent.body.count("Until ") == 3
        assert set(Delivery.objects.filter(channel="mail").values_list("state", flat=True)) == {
            "sent"
        }
        self.later()
        assert len(mails_to(daily)) == 1

    def test_leaves_out_what_was_decided_meanwhile(self, desk, daily):
        first, second = (ask(desk, "ada", "bob", title=f"Order {n}", due="P9D") for n in range(2))
        relay()
        desk.decide(first, desk.someone("bob"))
        self.later()
        [sent] = mails_to(daily)
        assert "Order 1" in sent.body
        assert "Order 0" not in sent.body
        assert second.title == "Order 1"

    def test_that_has_nothing_left_is_not_sent(self, desk, daily):
        task = ask(desk, "ada", "bob", due="P9D")
        relay()
        desk.decide(task, desk.someone("bob"))
        self.later()
        assert mails_to(daily) == []
        assert by_mail("ada", "digest").state == "dropped"

    def test_lets_urgent_pass(self, desk, daily):
        task = ask(desk, "ada", due="P9D")
        remind(desk, task, "ada", kind=Kind.CHANGED, urgency=Urgency.URGENT)
        relay()
        assert [one.subject for one in mails_to(daily)] == ["Has changed: Approve the order"]

    def test_that_is_switched_off_is_sent_at_once(self, desk, daily):
        ask(desk, "ada", due="P9D")
        prefer(desk, "ada")
        commands.collect_digests(now=clock.now())
        relay()
        assert len(mails_to(daily)) == 1

    def test_goes_out_later_once_where_the_server_was_down(self, desk, daily, monkeypatch):
        ask(desk, "ada", due="P9D")

        def away(_):
            raise ConnectionRefusedError

        with monkeypatch.context() as patched:
            patched.setattr("django.core.mail.EmailMultiAlternatives.send", away)
            self.later()
        assert by_mail().state == "digest"
        move_clock(minutes=5)
        relay()
        assert len(mails_to(daily)) == 1
        assert by_mail().state == "sent"

    def test_holds_no_link_that_decides(self, desk, daily):
        ask(desk, "ada", due="P9D")
        self.later()
        assert "/decide/" not in mails_to(daily)[0].body


class TestTheBell:
    def test_shows_what_waits_and_its_number_is_that_of_the_list(self, desk):
        tasks = [ask(desk, "ada", "bob", title=f"Order {n}") for n in range(3)]
        relay()
        ada = people.browser(desk.someone("ada"))
        answer = ada.get("/api/v1/alerts/").json()
        assert answer["unread"] == len(answer["results"]) == 3
        first = answer["results"][0]
        assert (first["kind"], first["title"]) == ("task", "To decide: Order 2")
        assert first["path"] == f"/inbox/{tasks[2].pk}/"
        assert first["task"] == str(tasks[2].pk)
        desk.decide(tasks[1], desk.someone("bob"))
        answer = ada.get("/api/v1/alerts/").json()
        assert answer["unread"] == len(answer["results"]) == 2
        assert str(tasks[1].pk) not in {one["task"] for one in answer["results"]}

    def test_forgets_a_task_with_the_transaction_that_times_it_out(self, desk):
        from apps.inbox.commands import close_overdue

        ask(desk, "ada", due="PT1H")
        relay()
        actor = desk.actor(desk.someone("ada"))
        assert alerts_of(actor).count() == 1
        move_clock(hours=2)
        close_overdue(now=clock.now())
        assert alerts_of(actor).count() == 0

    def test_keeps_news_until_it_is_read(self, desk):
        task = ask(desk, "ada", "bob")
        remind(desk, task, "ada", kind=Kind.ANSWER)
        relay()
        desk.decide(task, desk.someone("bob"))
        [left] = alerts_of(desk.actor(desk.someone("ada")))
        assert left.kind == "task_news"

    def test_stays_silent_where_that_is_wanted(self, desk):
        prefer(desk, "ada", {"app": {"tasks": "never"}})
        ask(desk, "ada")
        relay()
        assert not Alert.objects.filter(kind="task").exists()
        assert len(mails_to(desk.someone("ada"))) == 1

    def test_shows_one_line_however_often_the_outbox_says_so(self, desk):
        tell_assignees({"task": str(ask(desk, "ada").pk)})
        row = Delivery.objects.get(channel="app")
        for _ in range(3):
            sending.deliver({"delivery": str(row.pk)})
            Delivery.objects.filter(pk=row.pk).update(state="waiting", ended_at=None)
        assert Alert.objects.filter(kind="task").count() == 1


class TestChoosing:
    """Over the API, as the page does."""

    URL = "/api/v1/me/notifications/"

    def put(self, desk, name="ada", **sent):
        body = {"choices": {}, "quiet": None, "digest_at": None, **sent}
        return people.send(people.browser(desk.someone(name)), "PUT", self.URL, body)

    def test_begins_with_everything_at_once(self, desk):
        found = people.browser(desk.someone("ada")).get(self.URL).json()
        assert found["choices"]["mail"] == dict.fromkeys(Group.values, "all")
        assert "alerts" not in found["choices"]["app"]
        assert found["offered"]["push"]["tasks"] == ["all", "urgent", "never"]
        assert (found["quiet"], found["digest_at"], found["browsers"]) == (None, None, [])
        assert len(found["push_key"]) == 87

    def test_keeps_what_was_chosen_and_says_so_in_the_trail(self, desk):
        sent = {
            "choices": {"mail": {"tasks": "digest", "talk": "all"}, "push": {"limits": "urgent"}},
            "quiet": {"begins": "22:00", "ends": "07:30"},
            "digest_at": "08:00",
        }
        answer = self.put(desk, **sent)
        assert answer.status_code == 200
        found = people.browser(desk.someone("ada")).get(self.URL).json()
        assert found["choices"]["mail"]["tasks"] == "digest"
        assert found["choices"]["push"]["limits"] == "urgent"
        assert found["quiet"] == {"begins": "22:00", "ends": "07:30"}
        assert found["digest_at"] == "08:00"
        [row] = desk.trail("preference.change")
        assert row.group("after")["quiet"] == ["22:00", "07:30"]
        assert Preference.objects.get().choices == {
            "mail": {"tasks": "digest"},
            "push": {"limits": "urgent"},
        }
        other = people.browser(desk.someone("bob")).get(self.URL).json()
        assert other["quiet"] is None

    @pytest.mark.parametrize(
        "sent",
        [
            {"choices": {"pigeon": {"tasks": "all"}}},
            {"choices": {"mail": {"gossip": "all"}}},
            {"choices": {"mail": {"tasks": "sometimes"}}},
            {"choices": {"push": {"tasks": "digest"}}, "digest_at": "08:00"},
            {"choices": {"app": {"alerts": "never"}}},
            {"choices": {"mail": {"tasks": "digest"}}},
            {"choices": {"mail": []}},
            {"quiet": {"begins": "22:00"}},
            {"quiet": {"begins": "22:00", "ends": "22:00"}},
            {"quiet": {"begins": "25:00", "ends": "07:00"}},
            {"digest_at": "8 o'clock"},
            {"digest_at": 8},
        ],
    )
    def test_refuses_what_is_not_offered(self, desk, sent):
        assert self.put(desk, **sent).status_code in {400, 422}
        assert not Preference.objects.exists()

    def test_is_not_for_keys_that_were_made_for_something_else(self, desk):
        from django.test import Client

        headers = people.bearer(desk.someone("ada"), scopes=["task.view"])
        answer = Client().put(
            self.URL,
            {"choices": {}, "quiet": None, "digest_at": None},
            content_type="application/json",
            headers=headers,
        )
        assert answer.status_code == 403

    def test_everything_offered_can_be_chosen(self, desk):
        for channel, groups in OFFERED.items():
            for group, choices in groups.items():
                for choice in choices:
                    sent = {"choices": {channel: {group: choice}}, "digest_at": "08:00"}
                    assert self.put(desk, **sent).status_code == 200, sent


class TestATestButton:
    URL = "/api/v1/me/notifications/test/"

    def press(self, desk, channel, name="ada"):
        browser = people.browser(desk.someone(name))
        return people.send(browser, "POST", self.URL, {"channel": channel})

    def test_sends_a_mail_whatever_was_chosen(self, desk):
        prefer(desk, "ada", {"mail": dict.fromkeys(Group.values, "never")})
        assert self.press(desk, "mail").status_code == 201
        relay()
        [sent] = mails_to(desk.someone("ada"))
        assert sent.subject == "A test"
        assert "/account/notifications/" in sent.body
        [row] = desk.trail("notice.test")
        assert row.group("details")["channel"] == "mail"

    def test_shows_a_line_in_the_bell(self, desk):
        self.press(desk, "app")
        relay()
        answer = people.browser(desk.someone("ada")).get("/api/v1/alerts/").json()
        assert [one["title"] for one in answer["results"]] == ["A test"]
        assert answer["results"][0]["flow"] is None

    @pytest.mark.parametrize("channel", ["push", "chat"])
    def test_says_what_is_missing(self, desk, channel):
        answer = self.press(desk, channel)
        assert answer.status_code == 422

    def test_is_not_for_bothering_people(self, desk):
        found = [self.press(desk, "mail").status_code for _ in range(choosing.MOST_TESTS + 1)]
        assert found == [201] * choosing.MOST_TESTS + [429]

    def test_is_in_the_log_at_once_and_then_as_sent(self, desk):
        ada = people.browser(desk.someone("ada"))
        [row] = self.press(desk, "mail").json()["results"]
        assert row["state"] == "waiting"
        relay()
        [line] = ada.get("/api/v1/me/notifications/deliveries/").json()["results"]
        assert (line["id"], line["state"], line["title"]) == (row["id"], "sent", "A test")
        bob = people.browser(desk.someone("bob"))
        assert bob.get("/api/v1/me/notifications/deliveries/").json()["results"] == []


def test_what_is_old_is_forgotten_but_not_what_is_still_to_go(desk):
    ask(desk, "ada")
    later = clock.now() + commands.KEPT + timedelta(days=1)
    assert commands.forget_notices(now=later) == 0
    relay()
    assert commands.forget_notices(now=clock.now()) == 0
    assert commands.forget_notices(now=later) == 1
    assert not Delivery.objects.exists()


def test_the_outbox_gives_up_after_the_delivery_does():
    assert sending.MOST_TRIES < outbox.MAX_ATTEMPTS
