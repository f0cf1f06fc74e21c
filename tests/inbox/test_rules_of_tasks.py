"""Every rule as people meet it: asked together, answering one after the other."""

import pytest

from apps.core import clock
from apps.core.errors import Invalid, ProductError
from apps.core.models import Outbox
from apps.inbox import commands
from apps.inbox.models import TaskAssignee, UserTask
from apps.runs import verify
from apps.runs.drive import drive_all
from tests.inbox.support import approval, fresh, move_clock
from tests.inbox.test_page import submit
from tests.runs.support import journal
from tests.support import people

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


class TestAnswersOfItsOwn:
    OUTCOMES = [
        {"port": "go", "label": "Go ahead", "side": "for"},
        {"port": "go_smaller", "label": "Go, but smaller", "side": "for"},
        {"port": "stop", "label": "Not now", "side": "against"},
    ]

    @pytest.fixture
    def asked(self, desk):
        """Three ways on beside the time-out, and a step that says which was taken."""

        def ask(*names, **config):
            users = [desk.someone(name).email for name in names]
            doc = approval(
                assignees={"users": users, "groups": []}, outcomes=self.OUTCOMES, **config
            )
            doc["steps"]["smaller"] = {"type": "map", "config": {"fields": {"ok": True}}}
            doc["links"] = [
                {"from": "trigger", "to": "ask"},
                {"from": "ask", "port": "go", "to": "order"},
                {"from": "ask", "port": "go_smaller", "to": "smaller"},
                {"from": "ask", "port": "stop", "to": "declined"},
                {"from": "ask", "port": "timeout", "to": "late"},
            ]
            run_id = desk.start(desk.publish(doc), {"amount": 120})
            drive_all()
            return UserTask.objects.get(run_id=run_id)

        return ask

    def test_the_run_goes_on_by_the_answer(self, desk, asked):
        task = asked("ada")
        desk.decide(task, desk.someone("ada"), "go_smaller")

        assert desk.output_of(task)["outcome"] == "go_smaller"
        assert desk.run_of(task).status == "completed"
        assert ("step.completed", "smaller") in journal(task.run_id)

    def test_sides_are_counted_and_the_weightiest_answer_is_the_way_on(self, desk, asked):
        task = asked(*PEOPLE, rule={"n": 2})
        stands = answered(desk, task, ("ada", "stop"), ("bob", "go_smaller"), ("cleo", "go"))

        assert stands == ["", "", "go"]

    @pytest.mark.parametrize("outcome", ["approved", "rejected", "timeout", "", "GO"])
    def test_what_is_none_of_them_is_refused(self, desk, asked, outcome):
        task = asked("ada")
        with pytest.raises(Invalid, match="go, go_smaller, stop"):
            desk.decide(task, desk.someone("ada"), outcome)

    def test_nobody_in_time_leaves_by_timeout(self, desk, asked):
        task = asked("ada")
        move_clock(days=3)
        commands.close_overdue(now=clock.now())

        assert fresh(task).status == "timed_out"
        assert desk.run_of(task).status == "failed"

    def test_the_page_has_their_buttons_and_says_what_was_answered(self, desk, asked):
        task = asked("ada")
        ada = people.browser(desk.someone("ada"))
        page = ada.get(f"/inbox/{task.pk}/").content.decode()
        assert [f">{one['label']}</button>" in page for one in self.OUTCOMES] == [True] * 3
        assert ">Approve</button>" not in page

        asked_again = submit(task, desk.someone("ada"), outcome="stop", comment="")
        assert "Say no without a reason?" in asked_again.content.decode()
        assert fresh(task).status == "open"
        submit(task, desk.someone("ada"), outcome="stop", comment="Next year.")
        assert "“Not now” by" in ada.get(f"/inbox/{task.pk}/").content.decode()

    def test_the_api_says_them_too(self, desk, asked):
        task = asked("ada")
        ada = people.browser(desk.someone("ada"))
        shown = ada.get(f"/api/v1/tasks/{task.pk}/").json()
        assert shown["outcomes"] == ["go", "go_smaller", "stop"]
        assert [(one["label"], one["side"]) for one in shown["answers"]] == [
            ("Go ahead", "for"),
            ("Go, but smaller", "for"),
            ("Not now", "against"),
        ]
        body = {"outcome": "go_smaller", "seen": task.seen}
        done = people.send(ada, "POST", f"/api/v1/tasks/{task.pk}/decide/", body).json()
        assert (done["outcome"], done["outcome_word"]) == ("go_smaller", "“Go, but smaller”")
        assert done["decisions"][0]["word"] == "“Go, but smaller”"
