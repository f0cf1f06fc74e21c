"""Containers that fail from inside: a person is asked, a default, another path, or the end.

What was done in a list, or in rounds before the one that failed, stays done and is not done
again; a block is undone and done again from its start.
"""

import pytest

from apps.engine.state import from_json, to_json
from tests.engine.containers import LETTERS, booking, each, over_items
from tests.patterns.playing import Play, call, flow, note

CONTAINERS = ("for_each", "repeat", "block", "subflow")


def container(kind, on_error, *links, **more):
    """A container of that kind whose one call fails, and what follows."""
    made = {
        "for_each": each(),
        "repeat": {"type": "repeat", "config": {"until": "true"}},
        "block": {"type": "block"},
        "subflow": {"type": "subflow", "config": {"flow": "Other"}},
    }[kind]
    steps = {"box": {**made, "on_error": on_error}, "after": call(), **more}
    ways = ["trigger -> box", "box -> after", *links]
    if kind != "subflow":
        steps["one"] = call(**{"in": "box"})
        ways.append("box.body -> one")
    return flow(steps, *ways)


def at_work(play):
    """The steps at work that contain no others; a sub-flow's run is not the harness's to open."""
    return [step for step, visit in play.state.active if (step, visit) not in play.state.scopes]


def failed(kind, on_error, *links, **more):
    """A run in which the container has just failed from inside."""
    play = Play(container(kind, on_error, *links, **more), {"list": ["a"]})
    play.move("box" if kind == "subflow" else "one", "!refused")
    return play


@pytest.mark.parametrize("kind", CONTAINERS)
class TestEveryContainer:
    def test_asks_people_and_is_done_again(self, kind):
        play = failed(kind, {"then": "ask"})
        assert play.waiting == ["box"]
        assert play.status == "waiting"
        play.move("box", "retry")
        inside = "box" if kind == "subflow" else "one"
        assert at_work(play) == [inside]
        assert not play.state.held
        play.move(inside, "done")
        assert play.waiting == ["after"]

    def test_asks_as_often_as_it_fails(self, kind):
        play = failed(kind, {"then": "ask"})
        for _ in range(3):
            play.move("box", "retry")
            play.move("box" if kind == "subflow" else "one", "!refused")
            assert play.waiting == ["box"]
        play.move("box", "fail")
        assert play.status == "failed"

    def test_may_be_given_up_or_passed_over(self, kind):
        play = failed(kind, {"then": "ask", "output": {"results": [], "result": "none"}})
        play.move("box", "skip")
        assert play.waiting == ["after"]
        assert play.output("box") == {"results": [], "result": "none"}

    def test_goes_on_with_a_default(self, kind):
        play = failed(kind, {"then": "default", "output": {"result": "=trigger.body.list[1]"}})
        assert play.waiting == ["after"]
        assert play.output("box") == {"result": "a"}

    def test_leaves_by_another_path(self, kind):
        sorry = note(why="=steps.box.error.code")
        play = failed(kind, {"then": "path"}, "box.error -> sorry", sorry=sorry)
        expected = "items_failed" if kind == "for_each" else "refused"
        assert play.output("sorry") == {"why": expected}
        assert play.status == "completed"

    def test_ends_the_run_where_nothing_else_is_said(self, kind):
        assert failed(kind, {"then": "stop"}).status == "failed"

    def test_that_asks_is_paused_resumed_and_cancelled_with_the_run(self, kind):
        play = failed(kind, {"then": "ask"})
        play.script([["run", "pause"], ["box", "retry"], ["run", "resume"]])
        assert at_work(play) == ["box" if kind == "subflow" else "one"]
        play.move("run", "cancel")
        assert play.status == "cancelled"


class TestAListDoneAgain:
    def asking(self, **config):
        document = over_items(**config)
        document["steps"]["each"]["on_error"] = {"then": "ask"}
        return document

    def test_keeps_what_was_done_and_does_the_rest(self):
        play = Play(self.asking(parallel=2), LETTERS)
        play.script([["call#1", "done", "A"], ["call#2", "!refused"]])
        assert play.waiting == ["each"]
        assert play.withdrawn == ["call"]  # the third; the fourth never began
        play.move("each", "retry")
        for letter in "BCD":
            play.move("call", "done", letter)
        assert play.output("after") == {"results": ["A", "B", "C", "D"]}
        assert play.output("each")["failed"] == []
        assert len({one.key for one in play.effects}) == len(play.effects) == 6
        assert [one.input["body"] for one in play.effects].count("a") == 1

    def test_keeps_it_from_one_time_to_the_next(self):
        play = Play(self.asking(parallel=1), LETTERS)
        play.script([["call", "done", "A"], ["call", "!refused"], ["each", "retry"]])
        play.script([["call", "done", "B"], ["call", "!refused"], ["each", "retry"]])
        play.script([["call", "done", "C"], ["call", "done", "D"]])
        assert play.output("after") == {"results": ["A", "B", "C", "D"]}

    def test_counts_failures_anew(self):
        play = Play(self.asking(parallel=4, stop_after=2), LETTERS)
        play.script([["call#1", "!refused"], ["call#2", "!refused"], ["each", "retry"]])
        assert play.waiting == ["call"] * 4
        play.move("call", "!refused")
        assert play.waiting == ["call"] * 3
        for letter in "BCD":
            play.move("call", "done", letter)
        assert play.output("after") == {"results": ["B", "C", "D"]}

    def test_has_all_of_its_rounds_again(self):
        play = Play(self.asking(parallel=4, rounds=2), LETTERS)
        for visit in (1, 2, 3):
            play.move(f"call#{visit}", "done", visit)
        play.script([["call", "!refused"], ["call", "!refused"]])
        assert play.waiting == ["each"]
        play.script([["each", "retry"], ["call", "!refused"], ["call", "done", 4]])
        assert play.output("after") == {"results": [1, 2, 3, 4]}

    def test_is_the_whole_list_where_no_item_is_to_blame(self):
        play = Play(self.asking(parallel=4, until={"n": 5}), LETTERS)
        for letter in "ABCD":
            play.move("call", "done", letter)
        assert play.waiting == ["each"]
        play.move("each", "retry")
        assert play.waiting == ["call"] * 4

    def test_after_its_time_was_over_has_its_time_again(self):
        document = self.asking(parallel=2)
        document["steps"]["each"]["time_limit"] = "PT1H"
        play = Play(document, LETTERS)
        play.script([["call#1", "done", "A"], ["each", "too late"]])
        assert play.waiting == ["each"]
        play.script([["each", "retry"], ["call", "done", "B"], ["each", "too late"]])
        assert play.waiting == ["each"]
        play.script([["each", "retry"], ["call", "done", "C"], ["call", "done", "D"]])
        assert play.output("after") == {"results": ["A", "B", "C", "D"]}

    def test_items_that_were_added_belong_to_it(self):
        document = self.asking(parallel=1)
        document["steps"]["add"] = {
            "type": "add_items",
            "in": "each",
            "config": {"to": "each", "items": '= if item = "a" then ["e"] else []'},
        }
        document["links"].append({"from": "call", "to": "add"})
        play = Play(document, {"list": ["a", "b"]})
        play.script([["call", "done", "A"], ["call", "!refused"], ["each", "retry"]])
        play.script([["call", "done", "B"], ["call", "done", "E"]])
        assert play.output("after") == {"results": ["A", "B", "E"]}

    def test_undoes_in_each_item_what_failed_and_keeps_the_others(self):
        document = self.asking(parallel=1)
        document["steps"] |= {
            "book": call("=item", **{"in": "each", "undo": "unbook"}),
            "unbook": call("=item", **{"in": "each"}),
        }
        document["links"][1]["to"] = "book"
        document["links"].append({"from": "book", "to": "call"})
        play = Play(document, {"list": ["a", "b"]})
        play.script([["book", "done"], ["call", "done", "A"], ["book", "done"]])
        play.move("call", "!refused")
        assert play.waiting == ["unbook"]
        assert play.effects[-1].input["body"] == "b"
        play.script([["unbook", "done"], ["each", "retry"]])
        assert play.waiting == ["book"]
        play.script([["book", "done"], ["call", "done", "B"]])
        assert play.output("after") == {"results": ["A", "B"]}

    def test_of_an_older_snapshot_is_done_again(self):
        """The first release with lists did not note what was withdrawn."""
        play = Play(self.asking(parallel=1), LETTERS).script([["call", "!refused"]])
        stored = to_json(play.state)
        for scope in stored["scopes"]:
            scope[2].pop("left", None)
            scope[2].pop("dropped", None)
        assert from_json(stored).scopes["each", 1].left == 0


class TestRoundsDoneAgain:
    def test_go_on_with_the_round_that_failed(self):
        document = flow(
            {
                "loop": {
                    "type": "repeat",
                    "config": {"until": "index = 2", "result": "index"},
                    "on_error": {"then": "ask"},
                },
                "one": call("=index", **{"in": "loop"}),
                "after": note(rounds="=steps.loop.output.count"),
            },
            *("trigger -> loop", "loop.body -> one", "loop -> after"),
        )
        play = Play(document).script([["one", "done"], ["one", "!refused"], ["loop", "retry"]])
        assert [one.input["body"] for one in play.effects] == [0, 1, 1]
        play.script([["one", "done"], ["one", "done"]])
        assert play.output("after") == {"rounds": 3}


class TestABlockDoneAgain:
    def test_is_undone_and_begins_anew_each_time(self):
        document = booking("block -> after", after=call())
        document["steps"]["block"]["on_error"] = {"then": "ask"}
        play = Play(document)
        for number in (1, 2):
            play.script([["book", "done", number], ["pay", "!refused"], ["unbook", "done"]])
            assert play.waiting == ["block"]
            play.move("block", "retry")
            assert play.waiting == ["book"]
        keys = [one.key for one in play.effects if one.step == "book"]
        assert len(set(keys)) == len(keys) == 3

    def test_inside_another_that_asks_is_asked_about_first(self):
        document = flow(
            {
                "outer": {"type": "block", "on_error": {"then": "ask"}},
                "inner": {"type": "block", "in": "outer", "on_error": {"then": "ask"}},
                "one": call(**{"in": "inner"}),
            },
            *("trigger -> outer", "outer.body -> inner", "inner.body -> one"),
        )
        play = Play(document).script([["one", "!refused"]])
        assert play.waiting == ["inner"]
        play.move("inner", "fail")
        assert play.waiting == ["outer"]
        play.move("outer", "retry")
        assert play.waiting == ["one"]
        play.move("one", "done")
        assert play.status == "completed"
