"""Facts that change by an event while people are asked, and what becomes of their answers."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import DatabaseError, connection, transaction

from apps.accounts.actors import Actor
from apps.core import clock
from apps.core.models import Outbox, uuid7
from apps.inbox import bulk, commands, evidence, queries, stale
from apps.inbox.commands import StalePage
from apps.inbox.models import Decision, TaskChange, TaskWatch, UserTask
from apps.inbox.opening import seen_hash
from apps.notices.models import Notice
from apps.operations.models import Alert
from apps.runs import event_ports, verify
from apps.triggers import matching
from apps.triggers.events import publish_event
from apps.triggers.models import Event
from apps.triggers.takers import known_types, takers_of, with_state
from tests.events.support import stopped
from tests.inbox.support import fresh, move_clock
from tests.inbox.test_deciding import at_once
from tests.inbox.test_page import page, submit, text_of
from tests.inbox.test_stages import next_of, stage
from tests.notices.support import Visitor, ask, link_to, relay
from tests.support import people

pytestmark = pytest.mark.django_db

WATCH = {
    "type": "order.changed",
    "key": "trigger.body.order",
    "key_of": "event.data.order",
    "set": [{"label": "Amount", "value": "event.data.amount"}],
}
BODY = {"amount": 120, "order": 7}


def watched(desk, *names, on_change="ask_again", watch=None, **config):
    """A question about an order of 120, put to these people; all of them must approve."""
    asked = {
        "rule": {"all": True},
        **config,
        "watch": {**WATCH, "on_change": on_change} | (watch or {}),
    }
    return desk.ask_named(*names, body=BODY, **asked)


def publish(desk, amount=150, order=7, *, actor=None, data=None, **more):
    sent = {
        "specversion": "1.0",
        "id": str(uuid7()),
        "source": "https://shop.example",
        "type": "order.changed",
        "data": {"order": order, "amount": amount} if data is None else data,
        **more,
    }
    workspace = Actor.system(desk.workspace.pk)
    return publish_event(actor=actor or workspace, event=sent, now=clock.now())[0]


def tell(desk, amount=150, order=7, **more):
    """An event about the order comes, and is looked at."""
    event = publish(desk, amount, order, **more)
    matching.match_all()
    return event


def amount(task):
    return fresh(task).facts[0]["value"]


def states(task):
    return [one.state for one in TaskChange.objects.filter(question=task.watch.question)]


def told(user, task):
    """The kinds of what somebody was told of a task, but for that it was put to them."""
    rows = Notice.objects.filter(user=user, task_id=task.pk).exclude(key__startswith="task/")
    return list(rows.values_list("kind", flat=True))


class TestKeep:
    def test_answers_stand_and_are_marked_wherever_they_are_shown(self, desk):
        ada, bob, ulla = desk.someone("ada"), desk.someone("bob"), desk.someone("ulla", "auditor")
        task = watched(desk, "ada", "bob", on_change="keep")
        desk.decide(task, ada)
        event = tell(desk)
        now = fresh(task)

        assert (amount(task), now.seen != task.seen, now.seen) == (150, True, seen_hash(now))
        [given] = now.decisions.all()
        assert (given.seen, now.status) == (task.seen, "open")
        shown = people.browser(bob).get(f"/api/v1/tasks/{task.pk}/").json()
        assert [one["stale"] for one in shown["decisions"]] == [True]
        [change] = shown["changes"]
        assert change["changes"] == [{"label": "Amount", "before": 120, "after": 150}]
        assert (change["answered_before"], change["state"]) == (["Ada"], "applied")
        text = text_of(page(desk, task, bob))
        assert "Changed since it was asked" in text
        assert "before 120 now 150" in text
        assert "Answered before: Ada. What was answered before stands" in text
        assert "Given before the facts changed" in text
        asked = people.browser(ulla).get(f"/api/v1/runs/{task.run_id}/tasks/").json()["results"]
        assert [one["is_stale"] for one in asked] == [True]

        assert (told(ada, task), told(bob, task)) == (["changed"], [])
        [row] = desk.trail("task.change")
        assert (row.event.actor_kind, row.values["details.policy"]) == ("system", "keep")
        assert row.group("before") == {"facts": [{"label": "Amount", "value": 120}]}
        assert row.group("after") == {"facts": [{"label": "Amount", "value": 150}]}
        [taker] = takers_of([event])[event.pk]
        assert (taker.what, taker.run_id, taker.step) == ("changed", task.run_id, "ask")
        assert with_state(Event.objects.all(), clock.now(), only="taken").get() == event

        desk.decide(task, bob, seen=now.seen)
        given = desk.output_of(task)["decisions"]
        assert [(one["by"], one.get("stale")) for one in given] == [
            ("ada@acme.test", True),
            ("bob@acme.test", None),
        ]
        assert text_of(page(desk, task, ulla)).count("Given before the facts changed") == 1

    def test_the_answers_of_earlier_stages_are_behind_too(self, desk):
        desk.someone("bob")
        task = watched(desk, "ada", on_change="keep", stages=[stage("bob")])
        desk.decide(task, desk.someone("ada"))
        second = next_of(task)
        tell(desk)
        shown = people.browser(desk.someone("bob")).get(f"/api/v1/tasks/{second.pk}/").json()

        assert (amount(task), amount(second)) == (120, 150)
        assert shown["earlier"][0]["decisions"][0]["stale"]
        assert told(desk.someone("ada"), second) == ["changed"]
        desk.decide(second, desk.someone("bob"), seen=fresh(second).seen)
        assert [one.get("stale") for one in desk.output_of(task)["decisions"]] == [True, None]


class TestAskAgain:
    def test_answers_of_the_stage_lapse_and_those_people_are_asked_again(self, desk):
        ada = desk.someone("ada")
        task = watched(desk, "ada", "bob")
        desk.decide(task, ada)
        assert queries.count_open(desk.actor(ada)) == 0
        tell(desk)

        assert list(fresh(task).decisions.all()) == []
        [lapsed] = Decision.every.all()
        assert lapsed.lapsed_by is not None
        assert (lapsed.seen, lapsed.lapsed_by.seen_before) == (task.seen, task.seen)
        assert queries.count_open(desk.actor(ada)) == 1
        assert list(queries.open_tasks(desk.actor(ada))) == [task]
        assert told(ada, task) == ["decide"]
        [row] = desk.trail("task.change")
        assert row.values["details.lapsed"] == ["ada@acme.test"]
        text = text_of(page(desk, task, ada))
        assert "Answered before: Ada. What was answered before has lapsed" in text
        assert "taken back" not in text

        for name in ("ada", "bob"):
            desk.decide(task, desk.someone(name), seen=fresh(task).seen)
        assert [one["by"] for one in desk.output_of(task)["decisions"]] == [
            "ada@acme.test",
            "bob@acme.test",
        ]
        assert verify.check_runs().problems == []

    def test_evidence_shows_what_was_seen_before_and_after(self, desk):
        ada, ulla = desk.someone("ada"), desk.someone("ulla", "auditor")
        fields = [
            {"label": "Amount", "value": "= trigger.body.amount"},
            {"label": "Note", "value": "x" * 70_000},
        ]
        for more in ({}, {"fields": fields}):  # the second is too long for the trail's row
            task = watched(desk, "ada", "bob", **more)
            desk.decide(task, ada)
            tell(desk)
            desk.decide(task, ada, seen=fresh(task).seen)
            found = evidence.evidence_of(desk.actor(ulla), task.pk)
            shown = evidence.page_of(found, zone=ZoneInfo("UTC"))["given"]

            assert len(shown) == 2
            assert ["120" in shown[0].seen["facts"], "150" in shown[1].seen["facts"]] == [True] * 2
            assert ["lapsed" in one.mark for one in shown] == [True, False]
            text = text_of(people.browser(ulla).get(f"/inbox/{task.pk}/evidence/"))
            assert "An event changed the facts; answers given before lapsed" in text
            assert "120 → 150" in text

    def test_where_nobody_is_left_to_answer_it_is_not_a_silent_wait(self, desk):
        desk.team("board", "gus")
        task = watched(desk, "ada", "bob", fallback=["board"])
        desk.decide(task, desk.someone("ada"))
        for name in ("ada", "bob"):
            desk.deactivate(desk.someone(name))
        # Bob has left without an answer; Ada's stands until it lapses.
        tell(desk)
        commands.drop_leavers(now=clock.now())

        assert list(queries.open_tasks(desk.actor(desk.someone("gus")))) == [task]

    def test_what_was_decided_and_is_held_is_decided_anew(self, desk):
        task = watched(desk, "ada", undo_for="PT15M")
        desk.decide(task, desk.someone("ada"))
        assert fresh(task).pending == "approved"
        tell(desk)

        assert (fresh(task).pending, fresh(task).status) == ("", "open")
        assert queries.count_open(desk.actor(desk.someone("ada"))) == 1


class TestRestart:
    @pytest.fixture
    def second(self, desk):
        """The second stage of a question whose first ada has approved."""
        for name in ("bob", "cleo"):
            desk.someone(name)
        task = watched(
            desk, "ada", on_change="restart", duties={"twice": True}, stages=[stage("bob", "cleo")]
        )
        desk.decide(task, desk.someone("ada"))
        return next_of(task)

    def test_it_begins_anew_with_the_first_stage_and_its_time(self, desk, second):
        move_clock(days=1)
        tell(desk)
        first = UserTask.objects.get(run_id=second.run_id, round=2)

        assert (first.stage, first.stages, first.status, amount(first)) == (1, 2, "open", 150)
        assert first.due_at == first.opened_at + timedelta(days=2)
        assert [one.user.email for one in first.assignees.select_related("user")] == [
            "ada@acme.test"
        ]
        gone = fresh(second)
        assert (gone.status, gone.superseded_at is not None) == ("cancelled", True)
        assert UserTask.objects.filter(superseded_at__isnull=False).count() == 2
        ada, bob = desk.someone("ada"), desk.someone("bob")
        assert list(queries.open_tasks(desk.actor(ada))) == [first]
        assert queries.count_open(desk.actor(bob)) == 0
        assert told(ada, second) == ["changed"]
        assert "Begun anew, because what it is about has changed" in text_of(
            page(desk, second, bob)
        )

        desk.decide(first, ada, seen=first.seen)
        again = UserTask.objects.get(run_id=first.run_id, round=2, stage=2)
        desk.decide(again, bob, seen=again.seen)
        assert [one["stage"] for one in desk.output_of(second)["decisions"]] == [1, 2]
        assert desk.run_of(second).status == "completed"
        assert verify.check_runs().problems == []

    def test_the_old_page_is_refused_and_leads_to_the_new_one(self, desk, second):
        tell(desk)
        bob = desk.someone("bob")
        with pytest.raises(StalePage):
            desk.decide(second, bob, seen=second.seen)
        old = UserTask.objects.get(run_id=second.run_id, round=1, stage=1)
        new = UserTask.objects.get(run_id=second.run_id, round=2)
        shown = people.browser(desk.someone("ada")).get(f"/api/v1/tasks/{old.pk}/").json()
        assert shown["anew"] == str(new.pk)
        assert people.browser(bob).get(f"/api/v1/tasks/{second.pk}/").json()["anew"] == ""

    def test_it_may_begin_anew_more_than_once_also_with_one_stage(self, desk):
        task = watched(desk, "ada", on_change="restart")
        for value in (150, 160):
            tell(desk, value)
        last = UserTask.objects.get(run_id=task.run_id, status="open")
        assert (last.round, amount(last)) == (3, 160)
        desk.decide(last, desk.someone("ada"), seen=last.seen)
        assert desk.run_of(task).status == "completed"

    def test_where_nobody_can_be_asked_any_more_the_step_fails(self, desk, second):
        desk.deactivate(desk.someone("ada"))
        tell(desk)
        assert desk.run_of(second).error["code"] == "no_assignee"


class TestChangesNothing:
    @pytest.mark.parametrize(
        ("told_", "expected"),
        [
            ({"amount": Decimal("120.00")}, ["same"]),
            ({"order": 8}, []),
            ({"order": "7"}, []),
            ({"type": "order.paid"}, []),
            ({"data": {"amount": 150}}, []),
        ],
    )
    def test_what_says_the_same_or_is_about_something_else(self, desk, told_, expected):
        task = watched(desk, "ada")
        tell(desk, **told_)
        assert (amount(task), fresh(task).seen, states(task)) == (120, task.seen, expected)
        assert stale.changes_of(task) == []

    def test_what_came_before_or_elsewhere_or_too_late(self, desk):
        tell(desk)
        task = watched(desk, "ada")
        matching.match_all()
        other = people.make_workspace("other")
        tell(desk, actor=Actor.system(other.pk))
        assert (amount(task), states(task)) == (120, [])

        desk.decide(task, desk.someone("ada"))
        tell(desk)
        assert (amount(task), states(task)) == (120, [])
        assert not TaskWatch.objects.filter(is_open=True).exists()

        overdue = watched(desk, "ada")
        move_clock(days=3)
        tell(desk)
        assert amount(overdue) == 120

    def test_where_the_filter_does_not_hold(self, desk):
        task = watched(
            desk, "ada", watch={"where": "event.data.amount > trigger.body.amount + 100"}
        )
        tell(desk, 150)
        assert (amount(task), states(task)) == (120, [])
        tell(desk, 250)
        assert amount(task) == 250

    def test_the_same_event_twice_or_one_that_happened_before_another(self, desk):
        task = watched(desk, "ada")
        at = datetime(2026, 3, 1, 12, tzinfo=UTC)
        event = tell(desk, 150, time=at.isoformat())
        with transaction.atomic():
            event_ports.watches().take([matching._came(event)], clock.now())
        tell(desk, 130, time=(at - timedelta(hours=1)).isoformat())

        assert (amount(task), states(task)) == (150, ["applied", "late"])
        assert "Something came late" in text_of(page(desk, task, desk.someone("ada")))
        tell(desk, 140, time=at.isoformat())
        assert amount(task) == 140


class TestCannotBeTold:
    @pytest.mark.parametrize(
        ("watch", "data"),
        [
            ({}, {"order": 7}),
            ({"set": [{"label": "Amount", "value": "event.data.amount / 0"}]}, None),
            ({"where": "event.data.missing = 1"}, None),
            (
                {"set": [{"label": "Amount", "value": "event.data.file"}]},
                {"order": 7, "file": dict.fromkeys(("id", "name", "type", "size", "sha256"), "x")},
            ),
        ],
    )
    def test_nothing_is_changed_the_task_says_so_and_the_owner_is_told(self, desk, watch, data):
        task = watched(desk, "ada", watch=watch)
        tell(desk, data=data)

        assert (amount(task), states(task)) == (120, ["failed"])
        assert "could not be read; nothing was changed" in text_of(
            page(desk, task, desk.someone("ada"))
        )
        [row] = desk.trail("task.change")
        assert row.values["details.failed"]
        relay()
        assert Alert.objects.get(user=desk.owner, run_id=task.run_id).kind == "refused"

    def test_whom_an_event_is_about_the_owner_is_told(self, desk):
        task = watched(desk, "ada", watch={"key_of": "event.data.orders[1]"})
        tell(desk)
        assert amount(task) == 120
        relay()
        assert "what an event “order.changed” is about" in Alert.objects.get(user=desk.owner).title

    def test_a_fault_of_ours_puts_off_that_task_alone(self, desk, monkeypatch):
        task, other = watched(desk, "ada"), watched(desk, "ada")
        real = commands.target_of

        def fails(one):
            if one.pk == task.pk:
                raise RuntimeError("a fault")
            return real(one)

        monkeypatch.setattr(commands, "target_of", fails)
        tell(desk)
        assert (amount(task), amount(other)) == (120, 150)
        monkeypatch.undo()
        move_clock(minutes=2)
        matching.match_all()
        assert amount(task) == 150


class TestNobodyDecidesWhatTheyDidNotRead:
    def test_by_page_app_or_program(self, desk):
        ada = desk.someone("ada")
        task = watched(desk, "ada", "bob")
        tell(desk)
        answer = submit(task, ada, seen=task.seen)
        assert (answer.status_code, "Below is how it stands now" in text_of(answer)) == (409, True)
        for sent in ({"seen": task.seen}, {}):
            path, body = f"/api/v1/tasks/{task.pk}/decide/", {"outcome": "approved", **sent}
            answer = people.send(people.browser(ada), "POST", path, body)
            assert (answer.status_code, answer.json()["code"]) == (409, "stale_page")
        assert not task.decisions.exists()

    def test_by_a_link_in_a_mail(self, desk):
        task = ask(desk, "ada", watch={"type": "order.changed", "set": WATCH["set"]})
        path, visitor = link_to(desk, "ada"), Visitor()
        form = visitor.form(path)
        tell(desk)
        assert visitor.send({**form, "outcome": "approved", "comment": "ok"}).status_code == 409
        assert fresh(task).status == "open"
        visitor.decide(path)
        assert fresh(task).outcome == "approved"

    def test_among_others_at_once(self, desk):
        config = {
            "bulk": {"max": 5, "amount_label": "Amount", "amount_limit": 1000, "high_risk": True}
        }
        task = watched(desk, "ada", **config)
        tell(desk)
        [line] = bulk.decide_tasks(
            actor=desk.actor(desk.someone("ada")),
            bulk_id=uuid7(),
            items=[bulk.Item(task.pk, task.seen)],
            outcome="approved",
            comment="",
            now=clock.now(),
        )
        assert line.refused is not None
        assert line.refused.code == "stale_page"


class TestIsKept:
    def test_facts_change_only_as_a_change_says_and_that_stays(self, desk):
        task = watched(desk, "ada", on_change="keep")
        tell(desk)
        for statement in (
            "update inbox_usertask set facts = '[]'",
            "update inbox_usertask set seen = 'x'",
            "update inbox_taskchange set note = 'x'",
            "delete from inbox_taskchange",
            "truncate inbox_taskchange cascade",
        ):
            with pytest.raises(DatabaseError), transaction.atomic():
                connection.cursor().execute(statement)
        assert amount(task) == 150


class TestWhoeverIsLater:
    def test_an_event_that_was_looked_at_while_the_task_was_put_does_not_pass_by(self, desk):
        task = watched(desk, "ada")
        event = publish(desk)
        now = clock.now()
        Event.objects.filter(pk=event.pk).update(keyed_at=now, look_at=None)
        assert event_ports.watches().is_due()
        matching.match_all()

        assert (amount(task), event_ports.watches().is_due()) == (150, False)

    def test_what_the_first_stage_had_no_time_to_look_for_the_next_one_does(self, desk):
        desk.someone("bob")
        task = watched(desk, "ada", stages=[stage("bob")])
        event = publish(desk)
        Event.objects.filter(pk=event.pk).update(keyed_at=clock.now(), look_at=None)
        desk.decide(task, desk.someone("ada"))
        matching.match_all()

        assert (amount(task), amount(next_of(task))) == (120, 150)

    @pytest.mark.django_db(transaction=True)
    def test_an_event_between_two_stages_finds_the_second(self, desk):
        desk.someone("bob")
        task = watched(desk, "ada", stages=[stage("bob")])
        matching.match_all()
        publish(desk)
        with stopped(before="FOR NO KEY UPDATE", work=matching.match_all):
            desk.decide(task, desk.someone("ada"))

        assert (amount(task), amount(next_of(task))) == (120, 150)

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("on_change", ["keep", "ask_again", "restart"])
    def test_a_decision_at_the_same_moment_was_made_on_what_was_there(self, desk, on_change):
        ada = desk.someone("ada")
        task = watched(desk, "ada", "bob", on_change=on_change)
        matching.match_all()
        publish(desk)
        actor = desk.actor(ada)
        decided, _ = at_once(
            lambda: desk.decide(task, ada, seen=task.seen, actor=actor), matching.match_all
        )
        given = list(Decision.every.filter(task=task))
        assert (given == []) is isinstance(decided, StalePage), decided
        assert all(one.seen == task.seen for one in given)
        stands = [one for one in given if one.taken_back_at is None]
        assert bool(stands) is (bool(given) and on_change != "ask_again")
        open_now = UserTask.objects.get(run_id=task.run_id, status="open")
        assert (amount(open_now), open_now.round) == (150, 2 if on_change == "restart" else 1)
        assert verify.check_runs().problems == []


def test_the_type_of_event_is_offered_where_one_is_named(desk):
    task = watched(desk, "ada")
    flow = desk.flow_of(task)
    flow.active_version_id = task.version_id
    flow.save(update_fields=["active_version"])
    assert known_types(desk.actor(desk.owner)) == ["order.changed"]


def test_in_german_without_words_of_the_machine(desk):
    ada = desk.someone("ada")
    ada.language = "de"
    ada.save()
    task = watched(desk, "ada", "bob", on_change="keep")
    desk.decide(task, ada)
    tell(desk)
    text = text_of(page(desk, task, ada))
    assert "Seit der Frage geändert" in text
    assert "Gegeben, bevor sich die Angaben geändert haben" in text
    assert Outbox.objects.filter(topic="notice.deliver").exists()
