"""Who stands in for somebody, within which limits; handing over; taking; many at once."""

import itertools
from datetime import timedelta
from decimal import Decimal

import pytest

from apps.accounts import commands as people_commands
from apps.accounts.commands import Place
from apps.accounts.models import Membership
from apps.core import clock
from apps.core.errors import Forbidden, Invalid
from apps.inbox import commands, delegating, duties, handing, permissions, queries
from apps.inbox.delegating import CircleOfDelegates, Scope
from apps.inbox.models import Decision
from tests.inbox.support import fresh, move_clock

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)


def stand_in(desk, name, to, begins=None, lasts=WEEK, actor=None, **scope):
    begins = begins or clock.now()
    person = desk.someone(name)
    return delegating.delegate(
        actor=desk.actor(actor or person),
        person_id=person.pk,
        to=desk.someone(to).email if to else "",
        begins_at=begins,
        ends_at=begins + lasts,
        scope=Scope(**scope),
        now=clock.now(),
    )


def waits_for(desk, name):
    actor = desk.actor(desk.someone(name))
    listed = list(queries.open_tasks(actor))
    assert queries.count_open(actor) == len(listed)
    return listed


class TestStandsIn:
    def test_a_on_behalf_of_b_everywhere(self, desk):
        stand_in(desk, "ada", "bob")
        task = desk.ask_named("ada")
        ada, bob = desk.someone("ada"), desk.someone("bob")

        assert waits_for(desk, "bob") == [task]
        desk.decide(task, bob)

        given = Decision.objects.get(task=task)
        assert (given.user, given.on_behalf_of) == (bob, ada)
        assert desk.output_of(task)["decisions"][0]["on_behalf_of"] == ada.email
        row = desk.trail("task.decide")[0]
        assert row.group("details")["on_behalf_of"] == ada.email
        assert row.event.on_behalf_of == str(ada.pk)
        assert waits_for(desk, "ada") == []

    def test_through_a_chain(self, desk):
        stand_in(desk, "ada", "bob")
        stand_in(desk, "bob", "cleo")
        task = desk.ask_named("ada")

        assert waits_for(desk, "cleo") == [task]
        desk.decide(task, desk.someone("cleo"))
        assert desk.trail("task.decide")[0].group("details")["through"] == [
            "ada@acme.test",
            "bob@acme.test",
        ]

    @pytest.mark.parametrize("chain", [("ada", "bob"), ("ada", "bob", "cleo")])
    def test_never_in_a_circle(self, desk, chain):
        for one, other in itertools.pairwise(chain):
            stand_in(desk, one, other)

        with pytest.raises(CircleOfDelegates, match="come back"):
            stand_in(desk, chain[-1], chain[0])

    def test_the_other_way_round_at_another_time(self, desk):
        stand_in(desk, "ada", "bob")

        later = stand_in(desk, "bob", "ada", begins=clock.now() + WEEK)

        assert later.pk

    def test_it_ends_by_itself(self, desk):
        stand_in(desk, "ada", "bob")
        task = desk.ask_named("ada", due="P30D")
        move_clock(days=8)

        assert waits_for(desk, "bob") == []
        with pytest.raises(permissions.NotForYou):
            desk.decide(task, desk.someone("bob"))

    def test_it_is_ended_at_once(self, desk):
        row = stand_in(desk, "ada", "bob")
        task = desk.ask_named("ada")

        delegating.end_delegation(
            actor=desk.actor(desk.someone("ada")), delegation_id=row.pk, now=clock.now()
        )

        with pytest.raises(permissions.NotForYou):
            desk.decide(task, desk.someone("bob"))
        assert len(desk.trail("delegation.end")) == 1

    @pytest.mark.parametrize(
        ("scope", "amount", "may"),
        [
            ({"amount_label": "Amount", "amount_limit": Decimal(100)}, 100, True),
            ({"amount_label": "Amount", "amount_limit": Decimal(100)}, 101, False),
            ({"amount_label": "Amount", "amount_limit": Decimal(100)}, "many", False),
            ({"amount_label": "Sum", "amount_limit": Decimal(100)}, 1, False),
            ({"kinds": ["exception"]}, 1, False),
            ({"kinds": ["approval"]}, 1, True),
            ({"without_high_risk": True}, 1, False),
        ],
    )
    def test_only_within_its_limits_in_list_and_door_alike(self, desk, scope, amount, may):
        stand_in(desk, "ada", "bob", **scope)
        task = desk.ask_named("ada", body={"amount": amount})

        assert waits_for(desk, "bob") == ([task] if may else [])
        refusal = commands.refusal_for(desk.actor(desk.someone("bob")), task, clock.now())
        assert (refusal is None) is may

    def test_only_for_the_flows_named(self, desk):
        first, second = desk.ask_named("ada"), desk.ask_named("ada")
        stand_in(desk, "ada", "bob", flows=[first.flow_id])

        assert waits_for(desk, "bob") == [first]
        with pytest.raises(permissions.NotForYou):
            desk.decide(second, desk.someone("bob"))

    def test_not_for_what_the_delegate_asked_for(self, desk):
        stand_in(desk, "ada", "bob")
        task = desk.ask_named("ada", started_by="bob@acme.test")

        assert waits_for(desk, "bob") == []
        with pytest.raises(duties.RequesterMayNot):
            desk.decide(task, desk.someone("bob"))

    def test_a_delegate_of_the_requester_gains_nothing(self, desk):
        stand_in(desk, "rita", "bob")
        task = desk.ask_named("ada", "rita", started_by="rita@acme.test")

        assert waits_for(desk, "bob") == []
        with pytest.raises(permissions.NotForYou):
            desk.decide(task, desk.someone("bob"))

    def test_nobody_answers_twice_for_two(self, desk):
        stand_in(desk, "ada", "bob")
        task = desk.ask_named("ada", "bob", rule={"all": True})
        desk.decide(task, desk.someone("bob"))

        with pytest.raises(commands.AlreadyDecided):
            desk.decide(task, desk.someone("bob"))
        assert fresh(task).status == "open"

    def test_a_place_answers_once(self, desk):
        stand_in(desk, "ada", "bob")
        task = desk.ask_named("ada", "cleo", rule={"all": True})
        desk.decide(task, desk.someone("bob"))

        with pytest.raises(commands.AlreadyDecided):
            desk.decide(task, desk.someone("ada"))

    def test_the_deputy_where_nobody_is_named(self, desk):
        deputy = Membership.objects.get(user=desk.someone("dan"), workspace=desk.workspace)
        people_commands.place_member(
            actor=desk.actor(desk.someone("admin", "admin")),
            membership_id=Membership.objects.get(
                user=desk.someone("ada"), workspace=desk.workspace
            ).pk,
            begins_on=None,
            place=Place(deputy_id=deputy.pk),
            now=clock.now(),
        )
        stand_in(desk, "ada", "")
        task = desk.ask_named("ada")

        assert waits_for(desk, "dan") == [task]
        desk.decide(task, desk.someone("dan"))

    @pytest.mark.parametrize(
        ("more", "words"),
        [
            ({"to": ""}, "No deputy"),
            ({"to": "ada"}, "stands in for themselves"),
            ({"lasts": timedelta(0)}, "ends before"),
            ({"begins": clock.real_now() - 2 * WEEK}, "time is over"),
            ({"kinds": ["holiday"]}, "no kind of task"),
            ({"amount_limit": Decimal(5)}, "name of the fact"),
        ],
    )
    def test_what_cannot_be_is_refused(self, desk, more, words):
        with pytest.raises(Invalid, match=words):
            stand_in(desk, "ada", more.pop("to", "bob"), **more)

    def test_for_others_only_by_who_manages_people(self, desk):
        with pytest.raises(Forbidden):
            stand_in(desk, "ada", "bob", actor=desk.someone("cleo"))
        assert stand_in(desk, "ada", "bob", actor=desk.someone("admin", "admin")).pk


class TestHandsOver:
    def hand(self, desk, task, who, to, reason="On leave"):
        return handing.hand_over_task(
            actor=desk.actor(desk.someone(who)),
            task_id=task.pk,
            to=desk.someone(to).email,
            reason=reason,
            now=clock.now(),
        )

    def test_to_a_named_person_who_then_decides(self, desk):
        task = desk.ask_named("ada")
        self.hand(desk, task, "ada", "bob")

        assert waits_for(desk, "bob") == [task]
        with pytest.raises(permissions.HandedOver):
            desk.decide(task, desk.someone("ada"))
        desk.decide(task, desk.someone("bob"))
        assert desk.trail("task.hand_over")[0].group("details")["to"] == "bob@acme.test"

    def test_and_back_again(self, desk):
        task = desk.ask_named("ada")
        self.hand(desk, task, "ada", "bob")
        self.hand(desk, task, "bob", "ada")

        desk.decide(task, desk.someone("ada"))

    @pytest.mark.parametrize(
        ("to", "words"), [("rita", "asked for this"), ("cleo", "asked already")]
    )
    def test_not_to_whom_a_duty_keeps_apart(self, desk, to, words):
        task = desk.ask_named("ada", "cleo", started_by=desk.someone("rita").email)

        with pytest.raises(handing.CannotHave, match=words):
            self.hand(desk, task, "ada", to)

    def test_not_without_a_reason(self, desk):
        with pytest.raises(Invalid):
            self.hand(desk, desk.ask_named("ada"), "ada", "bob", reason=" ")

    def test_many_at_once_with_a_result_for_each(self, desk):
        first = desk.ask_named("ada")
        second = desk.ask_named("ada", started_by=desk.someone("bob").email)

        results = handing.reassign_tasks(
            actor=desk.actor(desk.someone("admin", "admin")),
            person_id=desk.someone("ada").pk,
            to="bob@acme.test",
            reason="Left",
            now=clock.now(),
        )

        assert [(one.task, bool(one.problem)) for one in results] == [
            (first, False),
            (second, True),
        ]
        assert waits_for(desk, "bob") == [first]

    def test_many_only_by_who_manages_people(self, desk):
        with pytest.raises(Forbidden):
            handing.reassign_tasks(
                actor=desk.actor(desk.someone("bob")),
                person_id=desk.someone("ada").pk,
                to="bob@acme.test",
                reason="Mine",
                now=clock.now(),
            )


class TestIsTaken:
    def act(self, desk, command, task, who):
        return command(actor=desk.actor(desk.someone(who)), task_id=task.pk, now=clock.now())

    def test_by_one_and_waits_for_nobody_else(self, desk):
        task = desk.ask_named("ada", "bob")
        self.act(desk, handing.claim_task, task, "ada")

        assert waits_for(desk, "bob") == []
        for command in (handing.claim_task, handing.release_task):
            with pytest.raises(permissions.Claimed):
                self.act(desk, command, task, "bob")
        with pytest.raises(permissions.Claimed):
            desk.decide(task, desk.someone("bob"))

        self.act(desk, handing.release_task, task, "ada")
        assert waits_for(desk, "bob") == [task]
        desk.decide(task, desk.someone("bob"))

    def test_not_where_several_must_answer(self, desk):
        with pytest.raises(handing.NotToBeTaken):
            self.act(
                desk, handing.claim_task, desk.ask_named("ada", "bob", rule={"all": True}), "ada"
            )

    def test_what_a_leaver_had_taken_waits_for_the_others(self, desk):
        task = desk.ask_named("ada", "bob")
        self.act(desk, handing.claim_task, task, "ada")
        desk.deactivate(desk.someone("ada"))
        commands.drop_leavers(now=clock.now())

        assert waits_for(desk, "bob") == [task]
