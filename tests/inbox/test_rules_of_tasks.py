"""Every rule as people meet it: asked together, answering one after the other."""

import pytest

from apps.core import clock
from apps.core.errors import ProductError
from apps.core.models import Outbox
from apps.inbox import commands
from apps.inbox.models import TaskAssignee
from apps.runs import verify
from tests.inbox.support import fresh

pytestmark = pytest.mark.django_db

PEOPLE = ("ada", "bob", "cleo")


def answered(desk, task, *answers):
    """Each person's answer in turn; returns how the task stands after each."""
    stands = []
    for name, outcome in answers:
        desk.decide(task, desk.someone(name), outcome)
        stands.append(fresh(task).outcome)
    return stands


@pytest.mark.parametrize(
    ("config", "answers", "stands"),
    [
        (
            {"rule": {"percent": 60}},
            [("ada", "approved"), ("bob", "rejected"), ("cleo", "approved")],
            ["", "", "approved"],
        ),
        (
            {"rule": {"majority": True}},
            [("ada", "approved"), ("bob", "approved"), ("cleo", "rejected")],
            ["", "", "approved"],
        ),
        (
            {"rule": {"all": True}, "rejection": {"n": 2}},
            [("ada", "rejected"), ("bob", "approved"), ("cleo", "rejected")],
            ["", "", "rejected"],
        ),
        (
            {"rule": {"any": 1}, "rejection": {"all": True}},
            [("ada", "rejected"), ("bob", "rejected"), ("cleo", "approved")],
            ["", "", "approved"],
        ),
        (
            {"rule": {"weight": 3}, "weights": [{"who": "cleo@acme.test", "weight": 3}]},
            [("ada", "approved"), ("cleo", "approved")],
            ["", "approved"],
        ),
        (
            {"rule": {"any": 1}, "rejection": {"n": 3}, "veto": {"users": ["bob@acme.test"]}},
            [("ada", "rejected"), ("bob", "rejected")],
            ["", "rejected"],
        ),
    ],
)
def test_people_answer_until_the_rule_is_met(desk, config, answers, stands):
    task = desk.ask_named(*PEOPLE, **config)

    assert answered(desk, task, *answers) == stands
    assert desk.output_of(task)["outcome"] == stands[-1]
    assert verify.check_runs().problems == []


def test_a_tie_is_a_rejection(desk):
    task = desk.ask_named("ada", "bob", rule={"majority": True})

    assert answered(desk, task, ("ada", "approved"), ("bob", "rejected")) == ["", "rejected"]


def test_who_leaves_is_no_part_of_the_share_any_more(desk):
    task = desk.ask_named(*PEOPLE, rule={"majority": True})
    answered(desk, task, ("ada", "approved"), ("bob", "rejected"))
    desk.deactivate(desk.someone("cleo"))
    commands.drop_leavers(now=clock.now())

    assert fresh(task).outcome == "rejected"


class TestWeights:
    def weights(self, task):
        rows = TaskAssignee.objects.filter(task=task).select_related("user")
        return {one.user.email.split("@")[0]: one.weight for one in rows}

    def test_a_person_weighs_what_is_said_of_the_person_else_the_most_of_the_groups(self, desk):
        desk.team("board", "ada", "bob")
        desk.team("chairs", "bob")
        task = desk.ask_named(
            *PEOPLE,
            rule={"weight": 4},
            weights=[
                {"who": "board", "weight": 4},
                {"who": "chairs", "weight": 9},
                {"who": "ada@acme.test", "weight": 2},
            ],
        )

        assert self.weights(task) == {"ada": 2, "bob": 9, "cleo": 1}

    def test_a_weight_that_nobody_can_reach_is_told_to_the_owner(self, desk):
        task = desk.ask_named(*PEOPLE, rule={"weight": 4})

        assert task.needed == 4
        assert Outbox.objects.filter(topic="task.too_few", payload__task=str(task.pk)).exists()


class TestVeto:
    def test_a_group_may_veto(self, desk):
        desk.team("legal", "bob")
        task = desk.ask_named(*PEOPLE, rule={"n": 2}, veto={"groups": ["legal"]})

        assert answered(desk, task, ("ada", "approved"), ("bob", "rejected")) == ["", "rejected"]

    def test_nobody_may_who_was_not_asked(self, desk):
        stranger = desk.someone("dan")
        task = desk.ask_named(*PEOPLE, rule={"n": 2}, veto={"users": [stranger.email]})

        with pytest.raises(ProductError):
            desk.decide(task, stranger, "rejected")
        assert not TaskAssignee.objects.filter(task=task, may_veto=True).exists()
