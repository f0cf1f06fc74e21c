"""Stories of what any step may say: time limits, what follows a failure, locks; and of pauses."""

import pytest

from apps.engine.lifecycle import RunStatus, StepStatus
from tests.engine.containers import LETTERS, booking, each, over_items
from tests.patterns.playing import Play, call, flow, note


class TestTimeLimits:
    def test_an_effect_that_is_too_late_is_closed_and_leaves_by_timeout(self):
        document = flow(
            {"slow": call(time_limit="PT1M"), "hurry": call()},
            *("trigger -> slow", "slow.timeout -> hurry"),
        )
        play = Play(document).script([["slow", "too late"]])
        assert play.waiting == ["hurry"]
        assert play.closed == [("slow", 1)]
        assert play.output("slow") == {"reason": "time_limit"}
        play.move("slow#1", "done")
        assert play.ignored == ["slow"]

    def test_where_that_is_not_linked_it_fails(self):
        document = flow({"slow": call(time_limit="PT1M")}, "trigger -> slow")
        play = Play(document).script([["slow", "too late"]])
        assert play.status == "failed"
        assert play.error()["code"] == "time_limit"

    def test_in_time_the_clock_is_stopped(self):
        document = flow(
            {"slow": call(time_limit="PT1M"), "next": call()}, "trigger -> slow", "slow -> next"
        )
        play = Play(document).script([["slow", "done"]])
        assert play.closed == [("slow", 1)]
        assert play.limits == set()

    def block(self, *links, **more):
        return flow(
            {
                "block": {"type": "block", "time_limit": "PT1H"},
                "one": call(**{"in": "block", "undo": "back"}),
                "two": call(**{"in": "block"}),
                "back": call(**{"in": "block"}),
                **more,
            },
            *("trigger -> block", "block.body -> one", "one -> two", *links),
        )

    def test_a_block_is_withdrawn_undone_and_left_by_timeout(self):
        play = Play(self.block("block.timeout -> hurry", hurry=call()))
        play.script([["one", "done"], ["block", "too late"]])
        assert play.withdrawn == ["two"]
        assert play.waiting == ["back"]
        play.move("back", "done")
        assert play.waiting == ["hurry"]

    def test_a_block_fails_where_timeout_is_not_linked(self):
        play = Play(self.block()).script([["one", "done"], ["block", "too late"], ["back", "done"]])
        assert play.error() == {
            "step": "block",
            "class": "permanent",
            "code": "time_limit",
            "message": "“block” was not done within its time limit.",
        }

    def test_a_limit_that_is_over_while_a_failure_is_undone_changes_nothing(self):
        play = Play(self.block("block.timeout -> hurry", hurry=call()))
        play.script([["one", "done"], ["two", "!lost"], ["block", "too late"], ["back", "done"]])
        assert play.status == "failed"
        assert play.error()["code"] == "lost"

    def test_an_answer_that_comes_as_late_as_the_clock_is_ignored(self):
        play = Play(self.block()).script([["one", "done"], ["block", "too late"], ["two", "done"]])
        assert play.ignored == ["two"]
        assert play.waiting == ["back"]


class TestOnError:
    def test_default_goes_on_with_the_output_that_was_named(self):
        default = {"then": "default", "output": {"body": "=trigger.body.plain"}}
        document = flow(
            {"ask": call(on_error=default), "use": note(text="=steps.ask.output.body")},
            *("trigger -> ask", "ask -> use"),
        )
        play = Play(document, {"plain": "x"}).script([["ask", "!refused"]])
        assert play.output("use") == {"text": "x"}
        assert play.status == "completed"

    def test_default_in_an_item_keeps_it_well(self):
        default = {"then": "default", "output": {"body": "none"}}
        document = over_items()
        document["steps"]["call"]["on_error"] = default
        play = Play(document, {"list": ["a", "b"]})
        play.script([["call#1", "!refused"], ["call#2", "done", "B"]])
        assert play.output("after") == {"results": ["none", "B"]}

    def test_default_that_cannot_be_told_fails_as_without_it(self):
        default = {"then": "default", "output": "=1 / 0"}
        document = flow({"ask": call(on_error=default)}, "trigger -> ask")
        play = Play(document).script([["ask", "!refused"]])
        assert play.error()["code"] == "refused"

    @pytest.mark.parametrize(
        ("answer", "waits"), [("retry", "ask"), ("skip", "after"), ("fail", None)]
    )
    def test_people_who_are_asked_decide(self, answer, waits):
        document = flow(
            {"ask": call(on_error={"then": "ask"}), "after": call()},
            *("trigger -> ask", "ask -> after"),
        )
        play = Play(document).script([["ask", "!refused"]])
        assert play.status == "waiting"
        play.move("ask", answer)
        assert play.waiting == ([waits] if waits else [])
        assert (play.status == "failed") == (answer == "fail")

    def test_another_path_may_leave_any_step(self):
        document = flow(
            {
                "sum": {**note(a="=1 / trigger.body.by"), "on_error": {"then": "path"}},
                "sorry": note(why="=steps.sum.error.code"),
            },
            *("trigger -> sum", "sum.error -> sorry"),
        )
        assert Play(document, {"by": 0}).output("sorry")["why"].startswith("expression.")
        assert Play(document, {"by": 1}).times("sorry") == 0

    @pytest.mark.parametrize("kind", ["block", "each"])
    def test_default_of_a_step_that_contains_others(self, kind):
        default = {"then": "default", "output": {"result": "nothing", "results": []}}
        scope = {"type": "block"} if kind == "block" else each()
        document = flow(
            {"s": {**scope, "on_error": default}, "one": call(**{"in": "s"}), "after": call()},
            *("trigger -> s", "s.body -> one", "s -> after"),
        )
        play = Play(document, {"list": ["a"]}).script([["one", "!refused"]])
        assert play.waiting == ["after"]
        assert play.output("s") == default["output"]

    def test_people_who_are_asked_about_a_block_may_have_it_done_again(self):
        document = booking("block -> after", after=call())
        document["steps"]["block"]["on_error"] = {"then": "ask"}
        play = Play(document).script([["book", "done", 1], ["pay", "!refused"]])
        assert play.waiting == ["unbook"]  # what was done is undone first
        play.move("unbook", "done")
        assert play.waiting == ["block"]
        assert play.status == "waiting"
        play.move("block", "retry")
        assert play.waiting == ["book"]
        play.script([["book", "done", 2], ["pay", "done"], ["ship", "done"]])
        assert play.waiting == ["after"]
        assert len({one.key for one in play.effects if one.step == "book"}) == 2

    @pytest.mark.parametrize(("answer", "status"), [("skip", "running"), ("fail", "failed")])
    def test_or_go_on_without_it_or_give_it_up(self, answer, status):
        document = booking("block -> after", after=call())
        document["steps"]["block"]["on_error"] = {"then": "ask"}
        play = Play(document).script([["book", "!refused"], ["block", answer]])
        assert play.status == status
        assert play.waiting == (["after"] if answer == "skip" else [])
        if answer == "fail":
            assert play.error()["step"] == "book"

    def test_a_list_that_is_worked_through_again_gives_what_it_gives_then(self):
        document = over_items()
        document["steps"]["each"]["on_error"] = {"then": "ask"}
        play = Play(document, LETTERS)
        play.script([["call#1", "done", "A"], ["call#2", "!refused"]])
        assert play.waiting == ["each"]
        play.move("each", "retry")
        for letter in "XYZ":
            play.move("call", "done", letter)
        assert play.output("after") == {"results": ["A", "X", "Y", "Z"]}
        assert play.output("each")["failed"] == []

    def test_a_block_that_asks_can_be_cancelled_with_the_run(self):
        document = booking()
        document["steps"]["block"]["on_error"] = {"then": "ask"}
        play = Play(document).script([["book", "!refused"], ["run", "cancel"]])
        assert play.status == "cancelled"

    def test_default_of_adding_to_what_is_not_at_work(self):
        default = {"then": "default", "output": {"added": 0}}
        config = {"to": "each", "items": "[1]"}
        document = flow(
            {
                "each": each(),
                "one": call("=item", **{"in": "each"}),
                "late": call(),
                "add": {"type": "add_items", "config": config, "on_error": default},
                "after": call(),
            },
            *("trigger -> each", "each.body -> one", "trigger -> late"),
            *("late -> add", "add -> after"),
        )
        play = Play(document, {"list": []}).script([["late", "done"]])
        assert play.waiting == ["after"]
        assert play.output("add") == {"added": 0}

    def test_default_of_a_step_that_is_too_late(self):
        default = {"then": "default", "output": "late"}
        document = flow(
            {"slow": call(time_limit="PT1M", on_error=default), "after": call()},
            *("trigger -> slow", "slow -> after"),
        )
        play = Play(document).script([["slow", "too late"]])
        assert play.waiting == ["after"]
        assert play.output("slow") == "late"


class TestLocks:
    def test_the_oldest_goes_first_and_what_fails_frees_it(self):
        steps = {name: call(lock="desk") for name in ("a", "b", "c")}
        steps["sorry"] = call()
        document = flow(steps, "trigger -> a", "trigger -> b", "trigger -> c", "a.error -> sorry")
        play = Play(document)
        assert play.waiting == ["a"]
        play.move("a", "!refused")
        assert sorted(play.waiting) == ["b", "sorry"]
        play.move("b", "done")
        assert "c" in play.waiting

    def test_one_item_at_a_time_holds_it(self):
        document = over_items()
        document["steps"]["call"]["lock"] = "desk"
        play = Play(document, LETTERS)
        for visit in range(1, 5):
            assert list(play.open) == [("call", visit)]
            play.move("call", "done")
        assert play.times("each") == 1

    def test_what_is_withdrawn_frees_it(self):
        document = flow(
            {
                "a": call(lock="desk"),
                "b": call(lock="desk"),
                "away": call(),
                "stop": {"type": "cancel", "config": {"steps": ["a"]}},
            },
            *("trigger -> a", "trigger -> b", "trigger -> away", "away -> stop"),
        )
        play = Play(document).script([["away", "done"]])
        assert play.waiting == ["b"]

    def test_what_waits_for_it_can_be_withdrawn(self):
        document = flow(
            {
                "a": call(lock="desk"),
                "b": call(lock="desk"),
                "away": call(),
                "stop": {"type": "cancel", "config": {"steps": ["b"]}},
            },
            *("trigger -> a", "trigger -> b", "trigger -> away", "away -> stop"),
        )
        play = Play(document).script([["away", "done"], ["a", "done"]])
        assert play.status == "completed"
        assert play.times("b") == 0

    def test_a_held_up_step_is_blocked_and_the_run_waits(self):
        document = flow({"a": call(lock="x"), "b": call(lock="x")}, "trigger -> a", "trigger -> b")
        play = Play(document)
        assert play.state.active["b", 1] is StepStatus.BLOCKED
        assert play.status == "running"


class TestLocksInside:
    def test_a_step_inside_a_block_shares_its_lock(self):
        document = flow(
            {
                "block": {"type": "block", "lock": "desk"},
                "one": call(**{"in": "block", "lock": "desk"}),
                "two": call(**{"in": "block", "lock": "desk"}),
                "other": call(lock="desk"),
            },
            *("trigger -> block", "block.body -> one", "block.body -> two", "trigger -> other"),
        )
        play = Play(document)
        for step in ("one", "two", "other"):
            assert play.waiting == [step]
            play.move(step, "done")
        assert play.status == "completed"

    def test_a_block_that_was_left_behind_holds_nothing(self):
        document = flow(
            {
                "each": {**each(until="none"), "lock": "desk"},
                "one": call("=item", **{"in": "each"}),
                "other": call(lock="desk"),
            },
            *("trigger -> each", "each.body -> one", "trigger -> other"),
        )
        play = Play(document, {"list": ["a"]})
        assert sorted(play.waiting) == ["one", "other"]


class TestPausing:
    def test_answers_are_kept_and_no_item_begins_until_it_goes_on(self):
        play = Play(over_items(parallel=1), LETTERS)
        play.script([["run", "pause"], ["call", "done", "A"]])
        assert play.waiting == []
        assert play.status == "paused"
        play.move("run", "resume")
        assert play.waiting == ["call"]
        for letter in "BCD":
            play.move("call", "done", letter)
        assert play.output("after") == {"results": ["A", "B", "C", "D"]}

    def test_undoing_waits_too(self):
        document = booking()
        play = Play(document).script([["book", "done"], ["pay", "done"], ["run", "pause"]])
        play.move("ship", "!lost")
        assert play.status == "paused"
        assert play.waiting == []
        play.move("run", "resume")
        assert play.waiting == ["unpay"]

    def test_a_pause_between_two_that_are_undone(self):
        document = booking()
        play = Play(document).script([["book", "done"], ["pay", "done"], ["ship", "!lost"]])
        play.script([["run", "pause"], ["unpay", "done"]])
        assert play.waiting == []
        play.move("run", "resume")
        assert play.waiting == ["unbook"]
        play.move("unbook", "done")
        assert play.error()["code"] == "lost"

    def test_what_fails_meanwhile_is_still_the_reason_afterwards(self):
        document = flow(
            {"block": {"type": "block"}, "one": call(**{"in": "block"})},
            *("trigger -> block", "block.body -> one"),
        )
        play = Play(document).script([["run", "pause"], ["one", "!lost"], ["run", "resume"]])
        assert play.status == "failed"
        assert play.error()["step"] == "one"
        assert play.error()["code"] == "lost"

    def test_a_paused_run_can_be_cancelled_and_is_undone(self):
        document = booking()
        play = Play(document).script([["book", "done"], ["run", "pause"], ["run", "cancel"]])
        assert play.status == RunStatus.CANCELLING
        assert play.waiting == ["unbook"]
        play.move("unbook", "done")
        assert play.status == RunStatus.CANCELLED

    CROSSED = {
        "a": {"type": "block", "lock": "crane"},
        "a1": call(**{"in": "a"}),
        "a2": call(**{"in": "a", "lock": "lorry"}),
        "b": {"type": "block", "lock": "lorry"},
        "b1": call(**{"in": "b"}),
        "b2": call(**{"in": "b", "lock": "crane"}),
    }
    CROSSED_LINKS = (
        *("trigger -> a", "a.body -> a1", "a1 -> a2"),
        *("trigger -> b", "b.body -> b1", "b1 -> b2"),
    )

    @pytest.mark.parametrize(("first", "last"), [("a", "b"), ("b", "a")])
    def test_two_that_wait_for_each_other_do_not_wait_for_ever(self, first, last):
        play = Play(flow(self.CROSSED, *self.CROSSED_LINKS)).script([[f"{first}1", "done"]])
        assert play.waiting == [f"{last}1"]
        play.move(f"{last}1", "done")
        assert play.status == "failed"
        assert play.error()["code"] == "deadlock"
        assert play.error()["step"] == f"{last}2"

    def test_the_one_that_fails_lets_the_other_go_on(self):
        document = flow({**self.CROSSED, "sorry": call()}, *self.CROSSED_LINKS, "b.error -> sorry")
        play = Play(document).script([["a1", "done"], ["b1", "done"]])
        assert sorted(play.waiting) == ["a2", "sorry"]
        play.script([["a2", "done"], ["sorry", "done"]])
        assert play.status == "completed"

    def test_while_anything_else_is_at_work_they_wait(self):
        document = flow({**self.CROSSED, "other": call()}, *self.CROSSED_LINKS, "trigger -> other")
        play = Play(document).script([["a1", "done"], ["b1", "done"]])
        assert play.waiting == ["other"]
        play.move("other", "done")
        assert play.error()["code"] == "deadlock"
