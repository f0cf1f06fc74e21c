"""What each control-flow pattern means, held for every order in which its steps can answer."""

from collections.abc import Iterator
from itertools import permutations
from typing import Any

import pytest

from apps.engine.lifecycle import RunStatus, StepStatus
from tests.patterns.goldens import golden
from tests.patterns.playing import Play

DEPOTS = ("north", "south", "west")
MORE, LAST = {"more": True}, {"more": False}


def begin(number: int, body: Any = None) -> Play:
    """A run of the pattern's document that has just begun."""
    return Play(golden(number)["document"], body)


def orders(number: int, steps: tuple[str, ...], body: Any = None) -> Iterator[tuple[Play, Any]]:
    """A run for each order of these steps."""
    for order in permutations(steps):
        yield begin(number, body), order


def at_once(play: Play, *steps: str) -> int:
    """How many visits of these steps are at work now."""
    asleep = {StepStatus.READY, StepStatus.BLOCKED}
    return sum(
        step in steps and status not in asleep for (step, _), status in play.state.active.items()
    )


class TestBasic:
    def test_1_sequence(self):
        play = begin(1)
        for step in ("check", "pack", "ship"):
            assert play.waiting == [step]
            play.move(step, "done")
        assert play.done == ["check", "pack", "ship"]

    def test_2_parallel_split(self):
        for play, order in orders(2, ("badge", "desk", "mail")):
            assert sorted(play.waiting) == ["badge", "desk", "mail"]
            for left, step in enumerate(order):
                assert len(play.waiting) == 3 - left
                play.move(step, "done")
            assert play.status == "completed"
            assert play.done == ["hire", *order]

    def test_3_synchronization(self):
        for play, (first, last) in orders(3, ("badge", "desk")):
            play.move(first, "done")
            assert play.times("ready") == 0
            assert play.waiting == [last]
            play.move(last, "done")
            assert play.times("ready") == 1
            assert play.waiting == ["welcome"]

    @pytest.mark.parametrize(
        ("amount", "step"), [(10001, "board"), (10000, "finance"), (501, "finance"), (500, "pay")]
    )
    def test_4_exclusive_choice(self, amount, step):
        assert begin(4, {"amount": amount}).waiting == [step]

    @pytest.mark.parametrize(("customer", "step"), [(True, "refund"), (False, "voucher")])
    def test_5_simple_merge(self, customer, step):
        play = begin(5, {"customer": customer})
        play.move(step, "done")
        assert play.waiting == ["letter"]
        play.move("letter", "done")
        assert play.status == "completed"
        assert play.times("letter") == 1


class TestBranchingAndMerging:
    CALLS = {"fire": "fire", "hurt": "ambulance", "theft": "police"}

    @pytest.mark.parametrize("taken", range(8))
    def test_6_multi_choice(self, taken):
        happened = {name: bool(taken >> at & 1) for at, name in enumerate(self.CALLS)}
        due = [self.CALLS[name] for name, holds in happened.items() if holds]

        assert begin(6, happened).waiting == (due or ["note"])

    @pytest.mark.parametrize("taken", range(1, 8))
    def test_7_structured_synchronizing_merge(self, taken):
        happened = {name: bool(taken >> at & 1) for at, name in enumerate(self.CALLS)}
        due = tuple(self.CALLS[name] for name, holds in happened.items() if holds)

        for play, order in orders(7, due, happened):
            for step in order:
                assert play.times("all") == 0
                play.move(step, "done")
            assert play.waiting == ["report"]
            assert play.output("all") == {"links": list(order)}
            play.move("report", "done")
            assert play.times("report") == 1

    def test_8_multi_merge(self):
        for play, order in orders(8, ("roof", "cellar")):
            for count, step in enumerate(order, start=1):
                play.move(step, "done")
                assert play.waiting.count("bill") == count
            play.script([["bill", "done"], ["bill", "done"]])
            assert play.times("bill") == 2
            assert play.status == "completed"

    def test_33_generalised_and_join(self):
        for play, order in orders(33, ("left#1", "left#2", "right#1", "right#2")):
            ready = {"left": 0, "right": 0}
            for shoe in order:
                play.move(shoe, "done")
                ready[shoe.partition("#")[0]] += 1
                assert play.times("pair") == min(ready.values())
            assert play.waiting.count("box") == 2

    def test_37_acyclic_synchronizing_merge(self):
        both = {"house": True, "road": True}
        play = begin(37, both).script([["traffic", "done"]])
        assert play.times("all") == 0  # the house may still come
        play.move("plans", "done", {"complete": True})
        assert play.times("all") == 0
        play.move("statics", "done")
        assert play.output("all") == {"links": ["traffic", "statics"]}

        play = begin(37, both).script([["plans", "done", {"complete": False}]])
        assert play.times("all") == 0  # nothing has arrived
        play.move("traffic", "done")
        assert play.output("all") == {"links": ["traffic"]}

        play = begin(37, {"house": False, "road": True}).script([["traffic", "done"]])
        assert play.times("all") == 1  # the house was never taken

    @pytest.mark.parametrize("rounds", [0, 1, 5])
    @pytest.mark.parametrize("drawn_at", ["first", "last"])
    def test_38_general_synchronizing_merge(self, rounds, drawn_at):
        play = begin(38)
        if drawn_at == "first":
            play.move("draw", "done")
        for _ in range(rounds):
            play.script([["translate", "done"], ["proof", "rejected"]])
            assert play.times("all") == 0
        play.move("translate", "done")
        assert play.times("all") == 0
        play.move("proof", "approved")
        if drawn_at == "last":
            assert play.times("all") == 0
            play.move("draw", "done")
        assert play.times("all") == 1
        assert play.waiting == ["print"]

    def test_41_thread_merge(self):
        for visits in permutations(range(1, 7)):
            play = begin(41)
            for count, visit in enumerate(visits, start=1):
                play.move(f"fill#{visit}", "done")
                assert play.times("crate") == count // 3
            if visits[0] == 3:  # enough orders
                break

    def test_42_thread_split(self):
        for play, order in orders(42, ("print#1", "print#2", "print#3")):
            assert play.waiting == ["print"] * 3
            for visit in order:
                play.move(visit, "done")
            assert play.status == "completed"
            assert play.times("print") == 3


class TestDiscriminators:
    """Two rounds of three ways; what follows must run once in each."""

    def test_9_structured_discriminator(self):
        for play, (first, *others) in orders(9, DEPOTS):
            play.move(first, "done")
            assert play.waiting.count("send") == 1
            for step in others:
                play.move(step, "done")
            assert play.times("enough") == 1  # the later arrivals were swallowed
            play.move("send", "done", MORE)
            play.move(others[0], "done")
            assert play.times("enough") == 2  # and the second round fires again

    def test_9_a_late_one_of_the_first_round_does_not_fire_the_second(self):
        play = begin(9).script([["north", "done"], ["send", "done", MORE]])
        play.script([["south#1", "done"], ["west#1", "done"]])
        assert play.times("enough") == 1
        play.move("south#2", "done")
        assert play.times("enough") == 2

    def test_30_structured_partial_join(self):
        for play, (first, second, third) in orders(30, DEPOTS):
            play.move(first, "done")
            assert play.times("enough") == 0
            play.move(second, "done")
            assert play.output("enough") == {"links": [first, second]}
            play.move(third, "done")
            assert play.times("enough") == 1
            play.script([["send", "done", MORE], [third, "done"], [first, "done"]])
            assert play.times("enough") == 2
            assert play.output("enough") == {"links": [third, first]}

    @pytest.mark.parametrize(("number", "needs"), [(28, 1), (31, 2)])
    def test_28_and_31_blocking_joins(self, number, needs):
        for play, order in orders(number, DEPOTS):
            here, missing = order[:needs], order[needs:]
            for step in here:
                play.move(step, "done")
            play.move("send", "done", MORE)
            for step in here:
                play.move(f"{step}#2", "done")  # enough for the second round
            for step in missing:
                assert play.times("enough") == 1  # but the first is not complete
                play.move(f"{step}#1", "done")
            assert play.times("enough") == 2
            assert play.output("enough") == {"links": list(here)}

    @pytest.mark.parametrize(("number", "needs"), [(29, 1), (32, 2)])
    def test_29_and_32_cancelling_joins(self, number, needs):
        for play, order in orders(number, DEPOTS):
            for step in order[:needs]:
                play.move(step, "done")
            assert play.waiting == ["send"]  # nothing else is at work any more
            assert sorted(play.withdrawn) == sorted(order[needs:])
            for late in order[needs:]:
                play.move(f"{late}#1", "done")
            assert play.ignored == list(order[needs:])
            play.move("send", "done", MORE)
            assert sorted(play.waiting) == sorted(DEPOTS)  # the second round is as the first
            for step in reversed(order[-needs:]):
                play.move(step, "done")
            assert play.times("enough") == 2
            assert play.waiting == ["send"]


class TestLoops:
    def test_10_arbitrary_cycles(self):
        for has_draft, entered_at in ((True, "review"), (False, "write")):
            play = begin(10, {"draft": has_draft})
            assert play.waiting == [entered_at]
            for _ in range(3):
                if play.waiting == ["write"]:
                    play.move("write", "done", {"stuck": False})
                play.move("review", "rejected")
                assert play.waiting == ["write"]
            left_by_writing = begin(10, {"draft": has_draft})
            if has_draft:
                left_by_writing.move("review", "rejected")
            left_by_writing.move("write", "done", {"stuck": True})
            assert left_by_writing.waiting == ["drop"]
            play.script([["write", "done", {"stuck": False}], ["review", "approved"]])
            assert play.waiting == ["publish"]

    @pytest.mark.parametrize("rounds", [1, 2, 20])
    def test_21_structured_loop(self, rounds):
        play = begin(21, {"needed": True})
        for _ in range(rounds - 1):
            play.move("look", "done", {"ready": False})
            assert play.waiting == ["look"]
        play.move("look", "done", {"ready": True})
        assert play.waiting == ["send"]
        assert play.output("rounds")["count"] == rounds

    def test_21_has_a_bound(self):
        play = begin(21, {"needed": True}).script([["look", "done", {"ready": False}]] * 20)
        assert play.status == "failed"
        assert play.error()["code"] == "too_many_rounds"

    TREE = {"/": (1, ["/a", "/b"]), "/a": (10, ["/a/c"]), "/b": (100, []), "/a/c": (1000, [])}

    @pytest.mark.parametrize("is_deep_first", [True, False])
    def test_22_recursion(self, is_deep_first):
        runs = {"/": begin(22, {"path": "/"})}
        due = ["/"]
        while due:
            path = due.pop(-1 if is_deep_first else 0)
            files, folders = self.TREE[path]
            runs[path].move("look", "done", {"files": files, "folders": folders})
            assert [
                one.data["path"] for one in runs[path].emitted if one.type == "folder.found"
            ] == folders
            runs |= {folder: begin(22, {"path": folder}) for folder in folders}
            due += folders
        answered = set()
        while told := [one for one in runs if runs[one].state.is_final and one not in answered]:
            answered.add(told[0])
            (answer,) = [one for one in runs[told[0]].emitted if one.type == "folder.counted"]
            for run in runs.values():
                if not run.state.is_final:
                    run.move("event:folder.counted", "kept", answer.data)
        assert answered == set(self.TREE)
        assert {path: run.output("sum")["files"] for path, run in runs.items()} == {
            "/": 1111,
            "/a": 1010,
            "/b": 100,
            "/a/c": 1000,
        }


class TestEnds:
    def test_11_implicit_termination(self):
        for order in (
            ("boxes", "keys", "later"),
            ("keys", "boxes", "later"),
            ("keys", "later", "boxes"),
        ):
            play = begin(11)
            for step in order:
                assert not play.state.is_final
                play.move(step, "due" if step == "later" else "done")
            assert play.status == "completed"

    def test_43_explicit_termination(self):
        for play, (first, late) in orders(43, ("bag", "car")):
            play.move(first, "done")
            assert play.status == "completed"
            assert play.waiting == []
            play.move(late, "done")
            assert play.ignored == [late]
            assert play.times("found") == 1


class TestInstances:
    GUESTS = {"guests": ["Ada", "Bob", "Cy"]}

    def test_12_without_synchronization(self):
        for play, order in orders(12, ("invite#1", "invite#2", "invite#3", "room"), self.GUESTS):
            assert "room" in play.waiting  # nothing was waited for
            for step in order:
                assert not play.state.is_final
                play.move(step, "done")
            assert play.status == "completed"
            assert play.times("room") == 1

    def test_13_known_when_drawn(self):
        for play, order in orders(13, ("sign#1", "sign#2", "sign#3")):
            assert play.waiting == ["sign"] * 3
            for step in order:
                assert play.times("copies") == 0
                play.move(step, "done")
            assert play.waiting == ["file"]

    @pytest.mark.parametrize("count", [1, 2, 10])
    def test_14_known_when_it_begins(self, count):
        play = begin(14, {"suppliers": list(range(count))})
        assert play.waiting == ["offer"] * count
        for visit in range(count, 0, -1):
            assert play.times("suppliers") == 0
            play.move(f"offer#{visit}", "done", {"price": visit})
        assert play.output("suppliers")["results"] == list(range(1, count + 1))
        assert play.output("best") == {"price": 1}

    def test_14_none(self):
        play = begin(14, {"suppliers": []})
        assert play.output("suppliers") == {"results": [], "failed": [], "count": 0}

    @pytest.mark.parametrize("first", [1, 2])
    def test_15_more_may_be_added(self, first):
        play = begin(15, {"people": ["Ada", "Bob"]})
        play.move(f"call#{first}", "done", {"met": ["Cy", "Di"]})
        assert play.waiting == ["call"] * 3
        play.move("call#3", "done", {"met": ["Ed"]})
        for _ in range(3):
            assert play.times("people") == 0
            play.move("call", "done", {"met": []})
        assert play.waiting == ["report"]
        assert play.output("people")["count"] == 5
        called = [effect.input["body"]["name"] for effect in play.effects if effect.step == "call"]
        assert called == ["Ada", "Bob", "Cy", "Di", "Ed"]

    @pytest.mark.parametrize("talked", [0, 1, 2])
    def test_26_cancel(self, talked):
        play = begin(26, {"candidates": ["Ada", "Bob", "Cy"]})
        for _ in range(talked):
            play.move("talk", "done", {"name": "x"})
        play.move("filled", "approved")
        assert play.waiting == ["tell"]
        assert play.withdrawn.count("talk") == 3 - talked
        play.script([["talk#3", "done", {"name": "Cy"}], ["tell", "done"]])
        assert play.status == "completed"
        assert play.times("choose") == play.times("all") == 0

    def test_27_complete(self):
        names = ["Ada", "Bob", "Cy"]
        for talked in range(3):
            for order in permutations((1, 2, 3), talked):
                play = begin(27, {"candidates": names})
                for visit in order:
                    play.move(f"talk#{visit}", "done", {"name": names[visit - 1]})
                assert play.times("all") == 0
                play.move("filled", "approved")
                assert sorted(play.waiting) == ["choose", "tell"]
                results = play.output("all")["results"]
                assert results == [names[visit - 1] for visit in sorted(order)]

    @pytest.mark.parametrize("number", [34, 35])
    def test_34_and_35_partial_joins(self, number):
        votes = ("vote#1", "vote#2", "vote#3")
        for play, (first, second, third) in orders(number, votes, {"jurors": ["a", "b", "c"]}):
            play.move(first, "done", {"vote": "yes"})
            assert play.times("jury") == 0
            play.move(second, "done", {"vote": "yes"})
            assert play.times("jury") == 1
            assert play.waiting.count("verdict") == 1
            assert play.waiting.count("vote") == (1 if number == 34 else 0)
            play.script([["verdict", "done"], [third, "done", {"vote": "no"}]])
            assert play.status == "completed"
            assert play.times("jury") == play.times("verdict") == 1
            assert play.output("jury")["results"] == ["yes", "yes"]
            assert bool(play.ignored) == (number == 35)

    def test_36_dynamic_partial_join(self):
        play = begin(36, {"plumbers": ["Ada", "Bob"]})
        play.move("call", "done", {"comes": "no", "others": ["Cy", "Di"]})
        assert play.waiting == ["call"] * 3
        play.move("call#4", "done", {"comes": "yes", "others": ["Ed"]})
        assert play.waiting == ["door"]  # also the one added last is withdrawn
        assert play.withdrawn.count("call") == 3
        assert play.output("plumbers")["results"] == ["no", "yes"]


class TestStates:
    def test_17_interleaved_parallel_routing(self):
        tests = ("blood", "pressure", "stress")
        seen = set()
        for order in (("lab", "ward"), ("ward", "lab"), ("ward", "pressure", "lab")):
            play = begin(17)
            for step in order:
                play.move(step, "done")
            while play.times("done") == 0:
                assert at_once(play, *tests) == 1
                play.move(next(step for step in play.waiting if step in tests), "done")
            done = tuple(step for step in play.done if step in tests)
            assert done.index("pressure") < done.index("stress")
            assert sorted(done) == sorted(tests)
            seen.add(done)
        assert len(seen) == 3

    @pytest.mark.parametrize("changes", [0, 1, 3])
    def test_18_milestone(self, changes):
        play = begin(18)
        for _ in range(changes):
            play.move("change", "done", {"all": False})
        assert "change" in play.waiting
        play.move("until", "due")
        assert play.waiting == ["cook"]
        play.move("change", "done", {"all": False})
        assert play.ignored == ["change"]
        assert play.times("change") == changes
        assert play.waiting == ["cook"]

    def test_39_critical_section(self):
        inside = ("hook", "lift", "wrap", "raise")
        for play, order in orders(39, ("steel_here", "glass_here")):
            for step in order:
                play.move(step, "done")
            done = []
            while play.times("done") == 0:
                (at_work,) = [step for step in play.waiting if step in inside]
                done.append(at_work)
                play.move(at_work, "done")
            parts = {"steel_here": ["hook", "lift"], "glass_here": ["wrap", "raise"]}
            assert done == parts[order[0]] + parts[order[1]]
            assert "paint" in play.waiting  # whatever has no lock is not held up

    def test_40_interleaved_routing(self):
        for play, order in orders(40, ("eyes_free", "ears_free")):
            for step in order:
                play.move(step, "done")
            while play.times("done") == 0:
                assert at_once(play, "eyes", "ears") == 1
                play.move(play.waiting[0], "done")
            done = [step for step in play.done if step in {"eyes", "ears"}]
            assert done == [step.removesuffix("_free") for step in order]


class TestCancelling:
    @pytest.mark.parametrize("packed", [False, True])
    def test_19_cancel_task(self, packed):
        play = begin(19)
        if packed:
            play.move("parcel", "done")
        at_work = "ship" if packed else "parcel"
        play.move("regret", "approved")
        assert play.withdrawn == [at_work]
        assert play.closed == [(at_work, 1)]
        assert play.waiting == ["refund"]
        play.script([[at_work, "done"], ["refund", "done"]])
        assert play.ignored == [at_work]
        assert play.times(at_work) == 0

    @pytest.mark.parametrize("moves", [[], [["police", "done"]], [["wait", "due"]]])
    def test_20_cancel_case(self, moves):
        play = begin(20).script(moves)
        play.move("run", "cancel")
        assert play.state.status is RunStatus.CANCELLED
        assert play.state.active == {}
        before = play.done
        for step in ("police", "wait"):
            play.move(step, "done")
        assert play.done == before

    def test_25_cancel_region(self):
        for done in ([], ["stage"], ["tent"], ["stage", "tent"], ["stage", "lights", "tent"]):
            play = begin(25)
            for step in done:
                play.move(step, "done")
            left = {"stage", "lights", "tent"} & set(play.waiting)
            play.move("storm", "approved")
            assert set(play.withdrawn) == left
            assert sorted(play.waiting) == ["food", "hall"]


class TestEvents:
    SEVEN, EIGHT = {"number": 7}, {"number": 8}

    @pytest.mark.parametrize(
        ("first", "step"),
        [
            (["event:invoice.paid", "kept", SEVEN], "ship"),
            (["event:invoice.disputed", "kept", SEVEN], "talk"),
            (["what", "due"], "remind"),
        ],
    )
    def test_16_deferred_choice(self, first, step):
        play = begin(16, self.SEVEN).script([["send", "done"]])
        play.move("event:invoice.paid", "kept", self.EIGHT)  # somebody else's
        assert play.waiting == ["what"]
        play.move(*first)
        assert play.waiting == [step]
        assert ("what", 1) in play.closed  # the other ways are withdrawn
        play.script([["event:invoice.disputed", "kept", self.SEVEN], [step, "done"]])
        assert play.status == "completed"
        assert play.times("what") == 1

    def test_16_a_time_that_comes_when_the_choice_is_made_changes_nothing(self):
        play = begin(16, self.SEVEN).script([["send", "done"]])
        play.move("event:invoice.paid", "now", self.SEVEN)
        play.move("what#1", "late")
        assert play.ignored == ["what"]
        assert play.waiting == ["ship"]

    @pytest.mark.parametrize("number", [23, 24])
    def test_23_and_24_a_signal_starts_what_waits_for_it(self, number):
        play = begin(number).script([["walk", "done"]])
        assert play.waiting == ["press", "wait"]
        play.move("press", "done", "Ada")
        assert play.waiting == ["act"]
        assert play.output("wait")["event"]["data"] == {"who": "Ada"}

    def test_23_transient_trigger(self):
        play = begin(23).script([["press", "done", "Ada"], ["walk", "done"]])
        assert play.waiting == ["wait"]  # it was lost

    def test_24_persistent_trigger(self):
        play = begin(24).script([["press", "done", "Ada"], ["walk", "done"]])
        assert play.waiting == ["act"]  # it was kept
        play.move("act", "done")
        assert play.times("wait") == play.times("act") == 1
