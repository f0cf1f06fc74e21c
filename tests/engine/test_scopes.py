"""Stories of steps that contain steps: items, rounds, and the tokens inside."""

import pytest

from tests.engine.containers import LETTERS, each, over_items
from tests.patterns.playing import Play, call, flow, note


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


class TestTokensInside:
    """Each item has tokens, joins and an end of its own (engine rules 22 to 24)."""

    JOINED = flow(
        {
            "each": each(result="steps.both.output.links"),
            "left": call("=item", **{"in": "each"}),
            "right": call("=item", **{"in": "each"}),
            "both": {"type": "join", "config": {"mode": "all"}, "in": "each"},
        },
        *("trigger -> each", "each.body -> left", "each.body -> right"),
        *("left -> both", "right -> both"),
    )

    def test_ways_meet_item_by_item(self):
        play = Play(self.JOINED, {"list": ["a", "b"]})
        play.script([["left#1", "done"], ["right#2", "done"]])
        assert play.times("both") == 0  # they are of two items
        play.script([["left#2", "done"], ["right#1", "done"]])
        assert play.output("each")["results"] == [["left", "right"], ["right", "left"]]

    def test_a_join_that_starves_fails_its_item_alone(self):
        document = flow(
            {
                "each": each(stop_after=0),
                "size": {
                    "type": "decide",
                    "config": {
                        "branches": [{"port": "small", "when": "item < 5"}],
                        "otherwise": "big",
                    },
                    "in": "each",
                },
                "left": call(**{"in": "each"}),
                "both": {"type": "join", "config": {"mode": "all"}, "in": "each"},
            },
            *("trigger -> each", "each.body -> size", "each.body -> left"),
            *("size.small -> both", "left -> both"),
        )
        play = Play(document, {"list": [1, 9]}).script([["left#1", "done"], ["left#2", "done"]])
        found = play.output("each")
        assert len(found["results"]) == 1
        assert [one["error"]["code"] for one in found["failed"]] == ["starved_join"]

    def test_ways_that_are_not_linked_end_there(self):
        document = flow(
            {
                "block": {"type": "block"},
                "one": call(**{"in": "block"}),
                "two": call(**{"in": "block"}),
            },
            *("trigger -> block", "block.body -> one", "block.body -> two"),
        )
        play = Play(document).script([["two", "done"]])
        assert play.times("block") == 0
        play.move("one", "done")
        assert play.times("block") == 1

    def test_a_stop_ends_the_run_and_undoes_nothing(self):
        document = flow(
            {
                "block": {"type": "block"},
                "one": call(**{"in": "block", "undo": "back"}),
                "other": call(**{"in": "block"}),
                "back": call(**{"in": "block"}),
                "end": {"type": "stop", "config": {"outcome": "completed"}, "in": "block"},
            },
            *("trigger -> block", "block.body -> one", "block.body -> other", "one -> end"),
        )
        play = Play(document).script([["one", "done"]])
        assert play.status == "completed"
        assert play.waiting == []

    def test_a_stop_that_fails_undoes_what_was_done(self):
        document = flow(
            {
                "block": {"type": "block"},
                "one": call(**{"in": "block", "undo": "back"}),
                "back": call(**{"in": "block"}),
                "end": {"type": "stop", "config": {"outcome": "failed", "message": "No."}},
            },
            *("trigger -> block", "block.body -> one", "block -> end"),
        )
        play = Play(document).script([["one", "done"]])
        assert play.waiting == ["back"]
        play.move("back", "done")
        assert play.status == "failed"
        assert play.error()["message"] == "No."

    @pytest.mark.parametrize("parallel", [1, 3])
    def test_an_item_may_say_that_it_is_enough(self, parallel):
        document = flow(
            {
                "each": each(parallel=parallel, result="item"),
                "try": call("=item", **{"in": "each"}),
                "found": {
                    "type": "decide",
                    "config": {
                        "branches": [{"port": "yes", "when": "steps.try.output.body.found"}],
                        "otherwise": "no",
                    },
                    "in": "each",
                },
                "enough": {
                    "type": "cancel",
                    "config": {"steps": ["each"], "complete": True},
                    "in": "each",
                },
                "after": call(),
            },
            *("trigger -> each", "each.body -> try", "try -> found"),
            *("found.yes -> enough", "each -> after"),
        )
        play = Play(document, LETTERS)
        play.script([["try", "done", {"found": False}], ["try", "done", {"found": True}]])
        assert play.waiting == ["after"]
        assert play.output("each")["results"] == ["a"]
        play.move("after", "done")
        assert play.status == "completed"
