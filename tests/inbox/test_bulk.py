"""Several tasks of one kind answered at once: where the flow says so, each through every check."""

import threading
from decimal import Decimal

import pytest
from django.db import connections

from apps.core import clock
from apps.core.errors import Invalid, ProductError
from apps.core.models import uuid7
from apps.inbox import asking, bulk, commands, handing, queries
from apps.inbox.models import BulkDecision, Decision, TaskAssignee, UserTask
from apps.runs.drive import drive_all
from tests.inbox.support import approval, fresh, move_clock
from tests.inbox.test_standing_in import stand_in
from tests.support import people

pytestmark = pytest.mark.django_db

BULK = {"max": 5, "amount_label": "Amount", "amount_limit": 1000}


def several(desk, *amounts, risk="low", by="", **config):
    """So many tasks of one step of one version."""
    asked = {"assignees": {"users": ["ada@acme.test", "bob@acme.test"], "groups": []}, "bulk": BULK}
    for name in ("ada", "bob"):
        desk.someone(name)
    doc = approval(**{**asked, **config})
    version = desk.publish({**doc, "settings": {"risk": risk} if risk else {}})
    runs = [desk.start(version, {"amount": one}, started_by=by) for one in amounts]
    drive_all()
    found = {one.run_id: one for one in UserTask.objects.filter(run_id__in=runs)}
    return [found[one] for one in runs]


def decide(desk, name, tasks, outcome="approved", *, bulk_id=None, comment="", **seen):
    """The results' codes, in order; empty is answered."""
    lines = bulk.decide_tasks(
        actor=desk.actor(desk.someone(name)),
        bulk_id=bulk_id or uuid7(),
        items=[bulk.Item(one.pk, seen.get("seen", one.seen)) for one in tasks],
        outcome=outcome,
        comment=comment,
        now=clock.now(),
    )
    assert [one.task_id for one in lines] == [one.pk for one in tasks]
    return [one.refused.code if one.refused else "" for one in lines]


def previewed(desk, name, tasks):
    lines = bulk.preview(desk.actor(desk.someone(name)), [one.pk for one in tasks], clock.now())
    return [one.refused.code if one.refused else "" for one in lines]


class TestAnswers:
    def test_all_of_them_each_with_its_own_row_and_its_run_goes_on(self, desk):
        tasks, bulk_id = several(desk, 10, 20, 30), uuid7()

        assert previewed(desk, "ada", tasks) == ["", "", ""]
        assert decide(desk, "ada", tasks, bulk_id=bulk_id, comment="Fits") == ["", "", ""]

        assert [fresh(one).status for one in tasks] == ["decided"] * 3
        rows = desk.trail("task.decide")
        assert [row.group("details")["bulk"] for row in rows] == [str(bulk_id)] * 3
        assert {row.event.target_id for row in rows} == {str(one.pk) for one in tasks}
        assert [desk.output_of(one)["comment"] for one in tasks] == ["Fits"] * 3
        given = Decision.objects.filter(bulk=bulk_id)
        assert {one.task_id for one in given} == {one.pk for one in tasks}

    def test_rejections_too(self, desk):
        tasks = several(desk, 10, 20)
        assert decide(desk, "ada", tasks, "rejected") == ["", ""]
        assert [fresh(one).outcome for one in tasks] == ["rejected"] * 2

    def test_for_whom_one_stands_in(self, desk):
        tasks = several(desk, 10, 20)
        stand_in(desk, "ada", "cleo")
        assert decide(desk, "cleo", tasks) == ["", ""]
        behalf = Decision.objects.values_list("on_behalf_of__email", flat=True)
        assert set(behalf) == {"ada@acme.test"}


class TestIsOff:
    def test_unless_the_flow_says_so(self, desk):
        tasks = several(desk, 10, 20, bulk=None)
        assert previewed(desk, "ada", tasks) == ["not_in_bulk"] * 2
        assert decide(desk, "ada", tasks) == ["not_in_bulk"] * 2
        assert [fresh(one).status for one in tasks] == ["open"] * 2

    @pytest.mark.parametrize("risk", ["high", ""])
    def test_where_the_risk_is_high_or_not_said(self, desk, risk):
        tasks = several(desk, 10, 20, risk=risk)
        assert decide(desk, "ada", tasks) == ["not_in_bulk"] * 2

    def test_but_where_the_flow_says_that_too(self, desk):
        tasks = several(desk, 10, risk="high", bulk={**BULK, "high_risk": True})
        assert decide(desk, "ada", tasks) == [""]

    @pytest.mark.parametrize(
        ("amount", "code"),
        [
            (Decimal("999.99"), ""),
            (1000, "over_limit"),
            (Decimal("1000.01"), "over_limit"),
            ("12", "over_limit"),
            (None, "over_limit"),
            (True, "over_limit"),
            (-5, ""),
        ],
    )
    def test_from_the_limit_on_and_where_the_amount_is_not_known(self, desk, amount, code):
        tasks = several(desk, amount, 1)
        assert previewed(desk, "ada", tasks) == [code, ""]
        assert decide(desk, "ada", tasks) == [code, ""]

    def test_for_what_has_failed_and_waits_for_somebody(self, desk):
        [task] = several(desk, 1)
        task.kind = "exception"
        assert bulk.terms_of(task) is None


class TestRefusesOneAndAnswersTheRest:
    def test_with_what_was_not_seen(self, desk):
        tasks = several(desk, 10)
        assert decide(desk, "ada", tasks, seen="0" * 64) == ["stale_page"]
        assert fresh(tasks[0]).status == "open"

    def test_with_what_ones_duty_forbids(self, desk):
        mine = several(desk, 10, 20, by="ada@acme.test")
        for one in mine:
            TaskAssignee.objects.create(
                task=one, user=desk.someone("ada"), workspace_id=one.workspace_id
            )
        assert previewed(desk, "ada", mine) == ["requester"] * 2
        assert decide(desk, "ada", mine) == ["requester"] * 2
        assert decide(desk, "bob", mine) == [""] * 2

    def test_by_a_delegate_of_the_requester(self, desk):
        tasks = several(desk, 10, by="ada@acme.test")
        desk.someone("cleo")
        stand_in(desk, "ada", "cleo")
        assert decide(desk, "cleo", tasks) != [""]
        assert fresh(tasks[0]).status == "open"

    def test_that_was_decided_meanwhile(self, desk):
        first, second = several(desk, 10, 20)
        desk.decide(first, desk.someone("bob"), "rejected")
        assert decide(desk, "ada", [first, second]) == ["task_closed", ""]
        assert fresh(first).outcome == "rejected"

    def test_that_ran_out_of_time(self, desk):
        tasks = several(desk, 10, due="PT1H")
        move_clock(hours=2)
        assert decide(desk, "ada", tasks) == ["too_late"]
        commands.close_overdue(now=clock.now())
        assert decide(desk, "ada", tasks) == ["task_closed"]

    def test_that_was_handed_to_somebody_else(self, desk):
        first, second = several(desk, 10, 20)
        handing.hand_over_task(
            actor=desk.actor(desk.someone("ada")),
            task_id=first.pk,
            to=desk.someone("cleo").email,
            reason="Away",
            now=clock.now(),
        )
        assert decide(desk, "ada", [first, second]) == ["not_found", ""]

    def test_that_somebody_else_has_taken(self, desk):
        first, second = several(desk, 10, 20)
        bob = desk.actor(desk.someone("bob"))
        handing.claim_task(actor=bob, task_id=first.pk, now=clock.now())
        assert decide(desk, "ada", [first, second]) == ["claimed", ""]

    def test_that_was_never_put_to_the_person(self, desk):
        tasks = several(desk, 10)
        lines = bulk.preview(desk.actor(desk.someone("eve")), [tasks[0].pk], clock.now())
        assert lines[0].task is None
        assert decide(desk, "eve", tasks) == ["not_found"]

    def test_about_which_somebody_was_asked(self, desk):
        first, second = several(desk, 10, 20)
        asking.ask_question(
            actor=desk.actor(desk.someone("ada")),
            task_id=first.pk,
            of=desk.someone("rita").email,
            text="Why so much?",
            now=clock.now(),
        )
        assert previewed(desk, "bob", [first, second]) == ["not_in_bulk", ""]
        assert decide(desk, "bob", [first, second]) == ["not_in_bulk", ""]

    def test_with_an_answer_that_there_is_not(self, desk):
        tasks = several(desk, 10)
        assert decide(desk, "ada", tasks, "maybe") == ["invalid"]


class TestRefusesAll:
    def test_of_two_kinds(self, desk):
        tasks = [*several(desk, 10), *several(desk, 20)]
        for act in (decide, previewed):
            with pytest.raises(Invalid, match="one kind"):
                act(desk, "ada", tasks)

    def test_more_than_the_flow_allows(self, desk):
        tasks = several(desk, *range(1, 7))
        with pytest.raises(Invalid, match="at most 5"):
            decide(desk, "ada", tasks)
        assert not Decision.objects.exists()

    def test_none_and_one_twice(self, desk):
        [task] = several(desk, 10)
        for tasks in ([], [task, task]):
            with pytest.raises(Invalid):
                decide(desk, "ada", tasks)

    def test_a_comment_that_cannot_be_kept(self, desk):
        with pytest.raises(Invalid):
            decide(desk, "ada", several(desk, 10), comment="x" * 5001)

    def test_who_may_decide_nothing(self, desk):
        desk.someone("aud", "auditor")
        with pytest.raises(ProductError) as refused:
            decide(desk, "aud", several(desk, 10))
        assert refused.value.status == 403


class TestSentAgain:
    def test_changes_nothing(self, desk):
        tasks, bulk_id = several(desk, 10, 20), uuid7()
        for _ in range(2):
            assert decide(desk, "ada", tasks, bulk_id=bulk_id) == ["", ""]
        assert len(desk.trail("task.decide")) == Decision.objects.count() == 2

    def test_after_it_broke_off_the_rest_follows(self, desk, monkeypatch):
        tasks, bulk_id = several(desk, 10, 20, 30), uuid7()
        real, calls = commands.decide_task, []

        def breaks(**sent):
            calls.append(sent)
            if len(calls) == 2:
                raise RuntimeError("the process ends")
            return real(**sent)

        monkeypatch.setattr(commands, "decide_task", breaks)
        with pytest.raises(RuntimeError):
            decide(desk, "ada", tasks, bulk_id=bulk_id)
        assert [fresh(one).status for one in tasks] == ["decided", "open", "open"]
        assert decide(desk, "ada", tasks, bulk_id=bulk_id) == ["", "", ""]
        assert len(desk.trail("task.decide")) == 3

    def test_with_something_else_is_refused(self, desk):
        tasks, bulk_id = several(desk, 10, 20), uuid7()
        decide(desk, "ada", tasks[:1], bulk_id=bulk_id)
        for act in (
            lambda: decide(desk, "ada", tasks, bulk_id=bulk_id),
            lambda: decide(desk, "ada", tasks[:1], "rejected", bulk_id=bulk_id),
            lambda: decide(desk, "bob", tasks[:1], bulk_id=bulk_id),
        ):
            with pytest.raises(bulk.BulkReused):
                act()
        assert fresh(tasks[1]).status == "open"

    def test_what_was_sent_is_kept_as_it_was(self, desk):
        from django.db import IntegrityError, transaction

        bulk_id = uuid7()
        decide(desk, "ada", several(desk, 10), bulk_id=bulk_id)
        with pytest.raises(IntegrityError), transaction.atomic():
            BulkDecision.objects.filter(pk=bulk_id).update(comment="else")


@pytest.mark.django_db(transaction=True)
def test_from_two_tabs_at_once_each_task_is_answered_once(desk):
    tasks = several(desk, 10, 20, 30)
    found, begin = {}, threading.Barrier(2)

    def tab(outcome):
        begin.wait()
        try:
            found[outcome] = decide(desk, "ada", tasks, outcome)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=tab, args=[one]) for one in ("approved", "rejected")]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    for index, task in enumerate(tasks):
        codes = {outcome: found[outcome][index] for outcome in found}
        won = fresh(task).outcome
        assert codes.pop(won) == ""
        assert set(codes.values()) <= {"task_closed", "already_decided"}
    assert Decision.objects.count() == 3


class TestOverTheApi:
    def send(self, desk, name, body):
        browser = people.browser(desk.someone(name))
        return people.send(browser, "POST", "/api/v1/tasks/bulk/", body)

    def body(self, tasks, **more):
        return {
            "id": str(uuid7()),
            "outcome": "approved",
            "items": [{"task": str(one.pk), "seen": one.seen} for one in tasks],
            **more,
        }

    def test_shows_what_will_happen_and_does_it(self, desk):
        tasks = several(desk, 10, 2000, requester='"rita@acme.test"')
        ids = ",".join(str(one.pk) for one in tasks)
        browser = people.browser(desk.someone("ada"))
        shown = browser.get(f"/api/v1/tasks/bulk/?tasks={ids}&outcome=approved").json()["results"]
        assert shown[0] == {
            "task": str(tasks[0].pk),
            "title": "Approve the order",
            "requester": "rita@acme.test",
            "amount": {"label": "Amount", "value": 10},
            "seen": tasks[0].seen,
            "then": "Next: Place the order.",
            "problem": "",
            "code": "",
        }
        assert (shown[1]["code"], shown[1]["then"]) == ("over_limit", "")
        assert "below 1000" in shown[1]["problem"]
        assert [fresh(one).status for one in tasks] == ["open"] * 2

        answer = self.send(desk, "ada", self.body(tasks, comment="Fits"))
        assert answer.status_code == 200, answer.content
        assert [one["code"] for one in answer.json()["results"]] == ["", "over_limit"]
        assert [fresh(one).status for one in tasks] == ["decided", "open"]

    def test_says_in_the_list_what_can_go_together(self, desk):
        tasks = several(desk, 10, 20, 2000)
        rows = people.browser(desk.someone("ada")).get("/api/v1/tasks/").json()["results"]
        kinds = {one["id"]: one["bulk"] for one in rows}
        assert kinds[str(tasks[2].pk)] is None
        assert kinds[str(tasks[0].pk)] == kinds[str(tasks[1].pk)]
        assert kinds[str(tasks[0].pk)]["most"] == 5
        assert [one["outcome"] for one in kinds[str(tasks[0].pk)]["answers"]] == [
            "approved",
            "rejected",
        ]

    @pytest.mark.parametrize(
        "more",
        [
            {"id": "x"},
            {"items": []},
            {"items": [{"task": "x", "seen": "y"}]},
            {"items": [{"task": str(uuid7())}]},
            {"comment": "x" * 5001},
        ],
    )
    def test_refuses_what_does_not_fit(self, desk, more):
        assert self.send(desk, "ada", self.body([], **more)).status_code == 422

    def test_says_nothing_of_tasks_of_others(self, desk):
        tasks = several(desk, 10)
        stranger = people.person(people.make_workspace("other"), "approver")
        for user in (stranger, desk.someone("eve")):
            answer = people.browser(user).get(
                f"/api/v1/tasks/bulk/?tasks={tasks[0].pk}&outcome=approved"
            )
            [line] = answer.json()["results"]
            assert (line["code"], line["title"], line["amount"]) == ("not_found", "", None)
        assert self.send(desk, "eve", self.body(tasks)).json()["results"][0]["code"] == "not_found"

    def test_a_key_without_the_scope_decides_nothing(self, desk, client):
        tasks = several(desk, 10)
        headers = people.bearer(desk.someone("ada"), scopes=["task.view"])
        answer = client.post(
            "/api/v1/tasks/bulk/", self.body(tasks), "application/json", headers=headers
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "out_of_scope")
        assert fresh(tasks[0]).status == "open"


def test_the_step_names_a_fact_that_there_is():
    from pydantic import ValidationError

    from apps.steps.types.approval import Config

    asked = approval(bulk={**BULK, "amount_label": "Sum"})["steps"]["ask"]["config"]
    with pytest.raises(ValidationError, match="not the label of a fact"):
        Config.model_validate(asked)
    for more in ({"max": 1}, {"max": 101}, {"amount_limit": 0}, {"amount_label": ""}):
        with pytest.raises(ValidationError):
            Config.model_validate({**asked, "bulk": {**BULK, **more}})


def test_what_is_listed_as_going_together_would_be_answered(desk):
    tasks = several(desk, 10, 20)
    ada = desk.actor(desk.someone("ada"))
    listed = [one for one in queries.open_tasks(ada) if bulk.offered(one)]
    assert {one.pk for one in listed} == {one.pk for one in tasks}
    assert previewed(desk, "ada", listed) == ["", ""]
