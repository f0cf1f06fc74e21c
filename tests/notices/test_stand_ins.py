"""Who stands in for somebody is told of the task as they are, with the name of whom it is for."""

from datetime import timedelta

import pytest
from django.core import mail

from apps.core import clock
from apps.inbox import commands, delegating, handing
from apps.inbox.telling import tell_about, tell_assignees
from apps.notices.models import Delivery, Kind, Notice
from tests.inbox.test_standing_in import stand_in
from tests.notices.support import ask, mails_to, relay
from tests.notices.test_delivering import prefer, remind

pytestmark = pytest.mark.django_db


def tell_again(task):
    tell_assignees({"task": str(task.pk)})


def told(name, kind=Kind.DECIDE):
    return Notice.objects.filter(user__email=f"{name}@acme.test", kind=kind)


def test_the_opening_and_a_reminder_say_for_whom(desk):
    stand_in(desk, "ada", "bob")
    task = ask(desk, "ada")
    remind(desk, task, "ada")
    relay()

    [opening, reminder] = [one.body for one in mails_to(desk.someone("bob"))]
    for body in (opening, reminder):
        assert "This is for Ada, for whom you stand in." in body
        assert "/decide/" not in body
    assert len(mails_to(desk.someone("ada"))) == 2
    assert "you stand in" not in mails_to(desk.someone("ada"))[0].body
    tell_again(task)
    assert told("bob").count() == 1


def test_one_notice_where_it_is_for_two_and_none_beside_ones_own(desk):
    stand_in(desk, "ada", "cleo")
    stand_in(desk, "bob", "cleo")
    stand_in(desk, "ada", "bob")
    ask(desk, "ada", "bob")
    relay()
    assert told("cleo").get().words == "This is for Ada, Bob, for whom you stand in."
    assert [one.words for one in told("bob")] == [""]


def test_through_a_chain_and_with_what_else_there_is_to_say(desk):
    stand_in(desk, "ada", "bob")
    stand_in(desk, "bob", "cleo")
    task = ask(desk, "ada")
    remind(desk, task, "ada", words="Most of the time is over.")
    assert told("cleo", Kind.REMIND).get().words.endswith("stand in.\n\nMost of the time is over.")
    assert told("bob", Kind.REMIND).count() == 1


def test_as_they_have_chosen_it(desk):
    prefer(desk, "bob", {"mail": {"tasks": "never"}})
    stand_in(desk, "ada", "bob")
    ask(desk, "ada")
    relay()
    assert mails_to(desk.someone("bob")) == []
    assert Delivery.objects.filter(notice=told("bob").get(), channel="app").exists()


@pytest.mark.parametrize("why", ["duty", "scope", "later", "left", "answered", "claimed"])
def test_not_who_could_not_decide(desk, why):
    bob = desk.someone("bob")
    begins = clock.now() + timedelta(days=1) if why == "later" else None
    stand_in(desk, "ada", "bob", begins, **({"kinds": ("exception",)} if why == "scope" else {}))
    task = desk.ask_named(
        "ada", "cleo", rule={"any": 1}, started_by=bob.email if why == "duty" else ""
    )
    if why == "left":
        desk.deactivate(bob)
    if why == "claimed":
        cleo = desk.actor(desk.someone("cleo"))
        handing.claim_task(actor=cleo, task_id=task.pk, now=clock.now())
    if why == "answered":
        desk.decide(task, desk.someone("ada"))
    tell_again(task)
    assert not told("bob").exists()


@pytest.mark.parametrize("what", ["ended", "decided by the person"])
def test_what_is_pointless_by_then_does_not_leave(desk, what):
    row = stand_in(desk, "ada", "bob")
    task = desk.ask_named("ada", "cleo", rule={"all": True})
    tell_again(task)
    if what == "ended":
        delegating.end_delegation(
            actor=desk.actor(desk.someone("ada")), delegation_id=row.pk, now=clock.now()
        )
    else:
        commands.decide_task(
            actor=desk.actor(desk.someone("ada")),
            task_id=task.pk,
            outcome="approved",
            comment="",
            seen=None,
            now=clock.now(),
        )
    mail.outbox.clear()
    relay()
    assert mails_to(desk.someone("bob")) == []


def test_of_what_is_no_decision_only_who_is_meant_is_told(desk):
    stand_in(desk, "ada", "bob")
    task = ask(desk, "ada")
    for kind in (Kind.LATE, Kind.QUESTION, Kind.ANSWER):
        tell_about(task, [desk.someone("ada")], kind=kind, key=f"{kind}/x", now=clock.now())
        assert not told("bob", kind).exists()
