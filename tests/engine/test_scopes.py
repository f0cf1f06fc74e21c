"""Stories of steps that contain steps: items, rounds, blocks that are undone, limits, locks."""

import pytest

from apps.engine.lifecycle import RunStatus, StepStatus
from tests.patterns.playing import Play, call, flow, note

LETTERS = {"list": ["a", "b", "c", "d"]}


def each(**config):
    return {"type": "for_each", "config": {"items": "trigger.body.list", **config}}


def over_items(after=None, **config):
    """A call for each item, and what follows."""
    steps = {
        "each": each(result="steps.call.output.body", **config),
        "call": call("=item", **{"in": "each"}),
        "after": after or note(results="=steps.each.output.results"),
    }
    return flow(steps, "trigger -> each", "each.body -> call", "each -> after")


class TestItems:
    def test_no_more_than_so_many_are_at_work_at_the_same_time(self):
        play = Play(over_items(parallel=2), LETTERS)
        for visit in (2, 1, 3):
            assert play.waiting == ["call"] * 2
            play.move(f"call#{visit}", "done")
        assert [effect.input["body"] for effect in play.effects] == LETTERS["list"]

    def test_results_stand_in_the_order_of_the_list_whoever_was_first(self):
        play = Play(over_items(), LETTERS)
        for visit, letter in ((3, "C"), (1, "A"), (4, "D"), (2, "B")):
            play.move(f"call#{visit}", "done", letter)
        assert play.output("after") == {"results": ["A", "B", "C", "D"]}

    def test_what_fails_is_listed_and_does_not_touch_the_others(self):
        play = Play(over_items(stop_after=0), LETTERS)
        play.script([["call#2", "!refused"], ["call#1", "done", "A"], ["call#4", "!gone"]])
        assert play.waiting == ["call"]
        play.move("call#3", "done", "C")
        found = play.output("each")
        assert found["results"] == ["A", "C"]
        assert [(one["index"], one["error"]["code"]) for one in found["failed"]] == [
            (1, "refused"),
            (3, "gone"),
        ]
        assert found["count"] == 4
        assert play.status == "completed"

    def test_it_stops_at_so_many_failures_and_withdraws_the_rest(self):
        play = Play(over_items(stop_after=2, parallel=3), LETTERS)
        play.move("call#1", "!refused")
        assert play.waiting == ["call"] * 3  # the next has begun
        play.move("call#2", "!refused")
        assert play.withdrawn == ["call", "call"]
        assert play.status == "failed"
        assert play.error()["step"] == "each"
        assert play.error()["code"] == "items_failed"
        assert "2 items of “each” failed (number 1, 2)" in play.error()["message"]

    def test_its_failure_leaves_by_error_where_that_is_linked(self):
        document = over_items()
        document["links"].append({"from": "each", "port": "error", "to": "sorry"})
        document["steps"]["sorry"] = {**note(why="=steps.each.error.code"), "version": 1}
        play = Play(document, LETTERS).script([["call#3", "!refused"]])
        assert play.output("sorry") == {"why": "items_failed"}
        assert play.status == "completed"

    def test_a_linked_error_inside_keeps_the_item_well(self):
        document = over_items()
        document["links"].append({"from": "call", "port": "error", "to": "mend"})
        document["steps"]["mend"] = {**note(), "version": 1, "in": "each"}
        document["steps"]["each"]["config"].pop("result")
        play = Play(document, {"list": ["a"]}).script([["call", "!refused"]])
        assert play.output("each")["results"] == [{}]

    def test_only_what_failed_is_tried_again_in_a_further_round(self):
        play = Play(over_items(rounds=3), LETTERS)
        for visit, answer in ((1, "A"), (2, None), (3, "C"), (4, None)):
            play.move(f"call#{visit}", "done" if answer else "!refused", answer)
        assert play.waiting == ["call"] * 2
        assert [effect.input["body"] for effect in play.effects][4:] == ["b", "d"]
        play.script([["call#5", "done", "B"], ["call#6", "!refused"], ["call#7", "done", "D"]])
        assert play.output("after") == {"results": ["A", "B", "C", "D"]}
        assert play.output("each")["failed"] == []

    def test_after_the_last_round_what_still_fails_counts(self):
        play = Play(over_items(rounds=2), LETTERS)
        play.script([["call", "done"], ["call", "!a"], ["call", "done"], ["call", "done"]])
        play.move("call", "!again")
        assert play.status == "failed"
        assert "1 item of “each” failed (number 2)" in play.error()["message"]

    @pytest.mark.parametrize("letters", [[], ["a"], ["a", "b"]])
    def test_too_few_that_went_well_are_a_failure(self, letters):
        play = Play(over_items(until={"n": 2}, stop_after=0), {"list": letters})
        for visit in range(len(letters), 0, -1):
            play.move(f"call#{visit}", "!refused" if visit == 1 else "done")
        assert play.status == "failed"
        assert play.error()["code"] == "not_enough"

    def test_items_beyond_those_needed_never_begin(self):
        play = Play(over_items(until={"n": 1}, parallel=1), LETTERS)
        play.move("call", "done", "A")
        assert play.output("each") == {"results": ["A"], "failed": [], "count": 1}
        assert len(play.effects) == 1

    def test_an_item_whose_result_cannot_be_told_fails(self):
        document = over_items(stop_after=0)
        document["steps"]["each"]["config"]["result"] = "1 / steps.call.output.body"
        play = Play(document, {"list": [0, 1]})
        play.script([["call#1", "done", 0], ["call#2", "done", 1]])
        assert play.output("each")["results"] == [1]
        (failed,) = play.output("each")["failed"]
        assert failed["index"] == 0
        assert failed["error"]["code"].startswith("expression.")

    def test_a_condition_to_go_on_must_be_true_or_false(self):
        play = Play(over_items(until={"when": "result"}), {"list": ["a"]})
        play.move("call", "done", "yes")
        assert play.error()["code"] == "items_failed"
        assert "true or false" in play.error()["message"]

    @pytest.mark.parametrize("body", [{"list": "abc"}, {"list": {"a": 1}}, {"list": None}])
    def test_what_is_no_list_is_refused(self, body):
        play = Play(over_items(), body)
        assert play.status == "failed"
        assert play.error()["code"] == "not_a_list"

    def test_adding_to_what_is_not_at_work_fails(self):
        document = flow(
            {
                "each": each(),
                "one": call("=item", **{"in": "each"}),
                "late": call(),
                "add": {"type": "add_items", "config": {"to": "each", "items": "[1]"}},
                "sorry": note(why="=steps.add.error.code"),
            },
            *("trigger -> each", "each.body -> one", "trigger -> late"),
            *("late -> add", "add.error -> sorry"),
        )
        play = Play(document, {"list": []}).script([["late", "done"]])
        assert play.output("sorry") == {"why": "not_open"}

    def test_items_are_added_from_beside(self):
        document = flow(
            {
                "each": each(),
                "one": call("=item", **{"in": "each"}),
                "more": call(),
                "add": {"type": "add_items", "config": {"to": "each", "items": '["x", "y"]'}},
            },
            *("trigger -> each", "each.body -> one", "trigger -> more", "more -> add"),
        )
        play = Play(document, {"list": ["a"]}).script([["more", "done"]])
        assert play.waiting == ["one"] * 3
        assert [effect.input["body"] for effect in play.effects if effect.step == "one"] == [
            *("a", "x", "y")
        ]
        assert play.output("add") == {"added": 2}

    def test_items_of_items_have_names_of_their_own(self):
        document = flow(
            {
                "rows": each(result="steps.cells.output.results"),
                "mark": {**note(row="=item.name"), "in": "rows"},
                "cells": {
                    **each(items="item.cells", result="steps.cell.output.text"),
                    "in": "rows",
                },
                "cell": {
                    **note(text="=steps.mark.output.row + item + string(index)"),
                    "in": "cells",
                },
                "all": note(rows="=steps.rows.output.results"),
            },
            *("trigger -> rows", "rows.body -> mark", "mark -> cells", "cells.body -> cell"),
            "rows -> all",
        )
        rows = [{"name": "r", "cells": ["a", "b"]}, {"name": "s", "cells": ["c"]}]
        assert Play(document, {"list": rows}).output("all") == {"rows": [["ra0", "rb1"], ["sc0"]]}


class TestWhatIsLeftBehind:
    """A step that has gone on while some of its items are still at work."""

    def document(self, **config):
        return over_items(after=call(), until={"n": 1}, rest="finish", **config)

    def test_the_run_waits_for_it(self):
        play = Play(self.document(), LETTERS)
        play.script([["call#2", "done", "B"], ["after", "done"]])
        assert not play.state.is_final
        play.script([["call", "done"]] * 3)
        assert play.status == "completed"
        assert play.output("each")["results"] == ["B"]

    def test_its_failures_have_no_effect(self):
        play = Play(self.document(), LETTERS)
        play.script([["call#2", "done", "B"], ["call#1", "!refused"], ["call#3", "!refused"]])
        play.script([["call#4", "!refused"], ["after", "done"]])
        assert play.status == "completed"

    def test_items_that_have_not_begun_still_do(self):
        play = Play(self.document(parallel=1), LETTERS)
        play.move("call", "done", "A")
        assert sorted(play.waiting) == ["after", "call"]
        play.script([["call", "done"]] * 3)
        assert play.waiting == ["after"]

    def test_cancelling_the_run_takes_it_away(self):
        play = Play(self.document(), LETTERS)
        play.script([["call#2", "done", "B"], ["run", "cancel"]])
        assert play.status == "cancelled"
        assert play.state.active == {}

    def test_inside_an_item_it_keeps_that_item_at_work(self):
        document = flow(
            {
                "outer": {"type": "block"},
                "each": {**each(until="none"), "in": "outer"},
                "one": call("=item", **{"in": "each"}),
                "after": call(),
            },
            *("trigger -> outer", "outer.body -> each", "each.body -> one", "outer -> after"),
        )
        play = Play(document, {"list": ["a", "b"]})
        assert play.waiting == ["one", "one"]
        play.move("one", "done")
        assert play.times("outer") == 0
        play.move("one", "done")
        assert play.waiting == ["after"]

    def test_a_block_around_it_that_fails_takes_it_away(self):
        document = flow(
            {
                "outer": {"type": "block"},
                "each": {**each(until="none"), "in": "outer"},
                "one": call("=item", **{"in": "each"}),
                "two": call(**{"in": "outer"}),
                "sorry": call(),
            },
            *("trigger -> outer", "outer.body -> each", "each.body -> one"),
            *("each -> two", "outer.error -> sorry"),
        )
        play = Play(document, {"list": ["a", "b"]}).script([["two", "!refused"]])
        assert play.waiting == ["sorry"]
        assert play.withdrawn.count("one") == 2
        play.move("sorry", "done")
        assert play.status == "completed"


class TestRounds:
    def test_a_round_reads_what_the_one_before_gave(self):
        document = flow(
            {
                "again": {"type": "repeat", "config": {"until": "steps.add.output.sum > 9"}},
                "add": {
                    **note(sum="=get or else(steps.add.output.sum, 0) + 4"),
                    "in": "again",
                },
                "after": note(sum="=steps.add.output.sum", count="=steps.again.output.count"),
            },
            *("trigger -> again", "again.body -> add", "again -> after"),
        )
        play = Play(document)
        assert play.output("again") == {"result": {"sum": 12}, "count": 3}
        assert play.output("after") == {"sum": 12, "count": 3}

    def test_a_failure_in_a_round_is_that_of_the_loop(self):
        document = flow(
            {
                "again": {"type": "repeat", "config": {"until": "true"}},
                "one": call(**{"in": "again"}),
                "sorry": note(why="=steps.again.error.code"),
            },
            *("trigger -> again", "again.body -> one", "again.error -> sorry"),
        )
        play = Play(document).script([["one", "!refused"]])
        assert play.output("sorry") == {"why": "refused"}

    def test_thousands_of_rounds_at_once_do_not_grow_the_stack(self):
        document = flow(
            {
                "again": {"type": "repeat", "config": {"until": "index = 2500", "most": 9999}},
                "one": {**note(), "in": "again"},
            },
            *("trigger -> again", "again.body -> one"),
        )
        document["settings"] = {"max_steps": 100_000}
        assert Play(document, quick=True).output("again")["count"] == 2501


class TestBlocks:
    STEPS = {
        "block": {"type": "block"},
        "book": call("book", **{"in": "block", "undo": "unbook"}),
        "pay": call("pay", **{"in": "block", "undo": "unpay"}),
        "ship": call("ship", **{"in": "block"}),
        "unbook": call("=steps.book.output.body", **{"in": "block"}),
        "unpay": call("=steps.pay.output.body", **{"in": "block"}),
    }
    LINKS = ("trigger -> block", "block.body -> book", "book -> pay", "pay -> ship")

    def document(self, *links, **more):
        return flow({**self.STEPS, **more}, *self.LINKS, *links)

    def test_what_was_done_is_undone_the_last_first_with_what_it_gave(self):
        document = self.document("block.error -> sorry", sorry=note(why="=steps.block.error.step"))
        play = Play(document).script([["book", "done", 1], ["pay", "done", 2], ["ship", "!lost"]])
        assert play.waiting == ["unpay"]
        assert play.effects[-1].input["body"] == 2
        play.move("unpay", "done")
        assert play.waiting == ["unbook"]
        assert play.effects[-1].input["body"] == 1
        play.move("unbook", "done")
        assert play.output("sorry") == {"why": "ship"}
        assert play.status == "completed"

    def test_only_what_was_completed_is_undone(self):
        play = Play(self.document()).script([["book", "done"], ["pay", "!refused"]])
        assert play.waiting == ["unbook"]
        play.move("unbook", "done")
        assert play.status == "failed"
        assert play.error()["step"] == "pay"

    def test_people_are_asked_about_what_cannot_be_undone(self):
        play = Play(self.document()).script([["book", "done"], ["pay", "done"], ["ship", "!lost"]])
        keys = {one.step: one.key for one in play.effects}
        play.move("unpay", "!closed")
        assert play.waiting == ["unpay"]
        assert play.status == "waiting"
        play.move("unpay", "retry")
        assert play.effects[-1].key != keys["unpay"]  # a person wants it done once more
        play.script([["unpay", "done"], ["unbook", "done"]])
        assert play.status == "failed"
        assert play.error()["message"] == "“ship” failed."

    @pytest.mark.parametrize("answer", ["fail", "skip"])
    def test_undoing_goes_on_when_people_give_one_up_and_the_error_says_so(self, answer):
        play = Play(self.document()).script([["book", "done"], ["pay", "done"], ["ship", "!lost"]])
        play.script([["unpay", "!closed"], ["unpay", answer]])
        assert play.waiting == ["unbook"]
        play.move("unbook", "done")
        assert play.status == "failed"
        assert play.error()["code"] == "lost"
        assert ("“unpay” could not undo" in play.error()["message"]) == (answer == "fail")

    def test_what_undoes_has_a_key_of_what_it_undoes(self):
        moves = [["book", "done"], ["pay", "done"], ["ship", "!lost"], ["unpay", "done"]]
        keys = {one.step: one.key for one in Play(self.document()).script(moves).effects}
        again = {one.step: one.key for one in Play(self.document()).script(moves).effects}
        assert keys == again
        assert len(set(keys.values())) == 5

    def test_a_block_that_is_through_is_undone_when_the_run_fails_later(self):
        document = self.document("block -> later", later=call())
        play = Play(document).script([["book", "done"], ["pay", "done"], ["ship", "done"]])
        assert play.waiting == ["later"]
        play.move("later", "!refused")
        play.script([["unpay", "done"], ["unbook", "done"]])
        assert play.status == "failed"
        assert play.error()["step"] == "later"

    def test_a_block_that_is_undone_is_not_undone_again(self):
        document = self.document("block.error -> later", later=call())
        play = Play(document).script([["book", "done"], ["pay", "!refused"], ["unbook", "done"]])
        assert play.waiting == ["later"]
        play.move("later", "!refused")
        assert play.status == "failed"
        assert play.times("unbook") == 1

    def test_withdrawn_work_does_not_delay_undoing(self):
        document = self.document("block.body -> other", other=call(**{"in": "block"}))
        play = Play(document).script([["book", "done"], ["pay", "!refused"]])
        assert play.withdrawn == ["other"]
        assert play.closed == [("other", 1)]
        assert play.waiting == ["unbook"]

    def test_an_item_that_fails_undoes_its_own_work_alone(self):
        document = flow(
            {
                "each": each(stop_after=0),
                "book": call("=item", **{"in": "each", "undo": "unbook"}),
                "ship": call(**{"in": "each"}),
                "unbook": call("=item + steps.book.output.body", **{"in": "each"}),
            },
            *("trigger -> each", "each.body -> book", "book -> ship"),
        )
        play = Play(document, {"list": ["a", "b"]})
        play.script([["book#1", "done", "1"], ["book#2", "done", "2"], ["ship#2", "!lost"]])
        assert sorted(play.waiting) == ["ship", "unbook"]
        assert play.effects[-1].input["body"] == "b2"
        play.script([["unbook", "done"], ["ship#1", "done"]])
        assert play.status == "completed"
        assert play.output("each")["failed"][0]["index"] == 1

    def test_items_that_went_well_are_undone_when_the_step_fails(self):
        document = flow(
            {
                "each": each(parallel=1),
                "book": call("=item", **{"in": "each", "undo": "unbook"}),
                "check": call(**{"in": "each"}),
                "unbook": call("=item", **{"in": "each"}),
            },
            *("trigger -> each", "each.body -> book", "book -> check"),
        )
        play = Play(document, LETTERS)
        for _ in range(2):
            play.script([["book", "done"], ["check", "done"]])
        play.script([["book", "done"], ["check", "!bad"]])
        for letter in ("c", "b", "a"):
            assert play.waiting == ["unbook"]
            assert play.effects[-1].input["body"] == letter
            play.move("unbook", "done")
        assert play.status == "failed"


class TestCancelling:
    NESTED = flow(
        {
            "outer": {"type": "block"},
            "one": call(1, **{"in": "outer", "undo": "undo_one"}),
            "inner": {"type": "block", "in": "outer"},
            "two": call(2, **{"in": "inner", "undo": "undo_two"}),
            "three": call(3, **{"in": "inner"}),
            "undo_one": call("undo 1", **{"in": "outer"}),
            "undo_two": call("undo 2", **{"in": "inner"}),
        },
        *("trigger -> outer", "outer.body -> one", "one -> inner", "inner.body -> two"),
        "two -> three",
    )

    def test_a_run_is_cancelling_until_all_is_undone(self):
        play = Play(self.NESTED).script([["one", "done"], ["two", "done"], ["run", "cancel"]])
        assert play.status == RunStatus.CANCELLING
        assert play.withdrawn == ["outer", "inner", "three"]
        play.move("undo_two", "done")
        assert play.status == RunStatus.CANCELLING
        play.move("undo_one", "done")
        assert play.status == RunStatus.CANCELLED
        assert play.ignored == []

    def test_a_second_cancel_changes_nothing(self):
        play = Play(self.NESTED).script([["one", "done"], ["run", "cancel"]])
        before = play.trace
        play.move("run", "cancel")
        assert play.trace == before

    def test_what_was_at_work_is_ignored_meanwhile(self):
        play = Play(self.NESTED).script([["one", "done"], ["two", "done"], ["run", "cancel"]])
        play.move("three#1", "done")
        assert play.ignored == ["three"]
        assert play.waiting == ["undo_two"]

    def test_what_cannot_be_undone_does_not_keep_the_run(self):
        play = Play(self.NESTED).script([["one", "done"], ["two", "done"], ["run", "cancel"]])
        for step in ("undo_two", "undo_one"):
            play.script([[step, "!closed"], [step, "fail"]])
        assert play.status == RunStatus.CANCELLED

    def test_nothing_to_undo_nothing_to_wait_for(self):
        play = Play(self.NESTED).script([["run", "cancel"]])
        assert play.status == RunStatus.CANCELLED

    def test_a_step_that_withdraws_a_block_undoes_it_first(self):
        document = flow(
            {
                "block": {"type": "block"},
                "one": call(**{"in": "block", "undo": "back"}),
                "two": call(**{"in": "block"}),
                "back": call(**{"in": "block"}),
                "away": call(),
                "stop": {"type": "cancel", "config": {"steps": ["block"]}},
                "after": call(),
                "never": call(),
            },
            *("trigger -> block", "block.body -> one", "one -> two", "block -> never"),
            *("trigger -> away", "away -> stop", "stop -> after"),
        )
        play = Play(document).script([["one", "done"], ["away", "done"]])
        assert sorted(play.waiting) == ["after", "back"]
        play.move("back", "done")
        assert play.times("block") == 0
        play.move("after", "done")
        assert play.status == "completed"
        assert play.times("never") == 0

    def test_a_step_may_withdraw_the_block_it_stands_in(self):
        document = flow(
            {
                "block": {"type": "block"},
                "ask": call(**{"in": "block"}),
                "other": call(**{"in": "block"}),
                "stop": {"type": "cancel", "config": {"steps": ["block"]}, "in": "block"},
            },
            *("trigger -> block", "block.body -> ask", "block.body -> other", "ask -> stop"),
        )
        play = Play(document).script([["ask", "done"]])
        assert play.status == "completed"
        assert play.withdrawn.count("other") == 1
        assert play.times("stop") == 0

    def test_only_the_items_around_the_step_are_seen(self):
        document = flow(
            {
                "each": each(),
                "fast": call(**{"in": "each"}),
                "slow": call(**{"in": "each"}),
                "stop": {"type": "cancel", "config": {"steps": ["slow"]}, "in": "each"},
            },
            *("trigger -> each", "each.body -> fast", "each.body -> slow", "fast -> stop"),
        )
        play = Play(document, {"list": ["a", "b"]}).script([["fast#1", "done"]])
        assert play.waiting == ["fast", "slow"]
        assert [key[1] for key in play.open] == [2, 2]


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
        document = TestBlocks().document()
        play = Play(document).script([["book", "done"], ["pay", "done"], ["run", "pause"]])
        play.move("ship", "!lost")
        assert play.status == "paused"
        assert play.waiting == []
        play.move("run", "resume")
        assert play.waiting == ["unpay"]

    def test_a_pause_between_two_that_are_undone(self):
        document = TestBlocks().document()
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
        document = TestBlocks().document()
        play = Play(document).script([["book", "done"], ["run", "pause"], ["run", "cancel"]])
        assert play.status == RunStatus.CANCELLING
        assert play.waiting == ["unbook"]
        play.move("unbook", "done")
        assert play.status == RunStatus.CANCELLED
