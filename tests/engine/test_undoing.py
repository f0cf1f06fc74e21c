"""Stories of blocks that fail, are withdrawn or cancelled: what was done in them is undone."""

import pytest

from apps.engine.lifecycle import RunStatus
from tests.engine.containers import LETTERS, booking, each
from tests.patterns.playing import Play, call, flow, note


class TestBlocks:
    def test_what_was_done_is_undone_the_last_first_with_what_it_gave(self):
        document = booking("block.error -> sorry", sorry=note(why="=steps.block.error.step"))
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
        play = Play(booking()).script([["book", "done"], ["pay", "!refused"]])
        assert play.waiting == ["unbook"]
        play.move("unbook", "done")
        assert play.status == "failed"
        assert play.error()["step"] == "pay"

    def test_people_are_asked_about_what_cannot_be_undone(self):
        play = Play(booking()).script([["book", "done"], ["pay", "done"], ["ship", "!lost"]])
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
        play = Play(booking()).script([["book", "done"], ["pay", "done"], ["ship", "!lost"]])
        play.script([["unpay", "!closed"], ["unpay", answer]])
        assert play.waiting == ["unbook"]
        play.move("unbook", "done")
        assert play.status == "failed"
        assert play.error()["code"] == "lost"
        assert ("“unpay” could not undo" in play.error()["message"]) == (answer == "fail")

    def test_what_undoes_has_a_key_of_what_it_undoes(self):
        moves = [["book", "done"], ["pay", "done"], ["ship", "!lost"], ["unpay", "done"]]
        keys = {one.step: one.key for one in Play(booking()).script(moves).effects}
        again = {one.step: one.key for one in Play(booking()).script(moves).effects}
        assert keys == again
        assert len(set(keys.values())) == 5

    def test_a_block_that_is_through_is_undone_when_the_run_fails_later(self):
        document = booking("block -> later", later=call())
        play = Play(document).script([["book", "done"], ["pay", "done"], ["ship", "done"]])
        assert play.waiting == ["later"]
        play.move("later", "!refused")
        play.script([["unpay", "done"], ["unbook", "done"]])
        assert play.status == "failed"
        assert play.error()["step"] == "later"

    def test_a_block_that_is_undone_is_not_undone_again(self):
        document = booking("block.error -> later", later=call())
        play = Play(document).script([["book", "done"], ["pay", "!refused"], ["unbook", "done"]])
        assert play.waiting == ["later"]
        play.move("later", "!refused")
        assert play.status == "failed"
        assert play.times("unbook") == 1

    def test_withdrawn_work_does_not_delay_undoing(self):
        document = booking("block.body -> other", other=call(**{"in": "block"}))
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
