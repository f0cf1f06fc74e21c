"""Stories of one run: what tokens do at forks, joins and ends (engine rules 22 to 26)."""

from enum import StrEnum

import pytest

from apps.engine import commands as cmd
from apps.engine import events as ev
from apps.engine import lifecycle
from apps.engine.lifecycle import (
    RUN_TRANSITIONS,
    IllegalTransition,
    RunStatus,
    StepStatus,
    finals,
    move,
)
from apps.engine.run import decide
from apps.engine.state import RunState
from tests.engine.support import (
    ALL,
    done,
    error,
    failed,
    graph,
    is_stale,
    opened,
    play,
    ready,
    start,
)


class TestTokens:
    """Rule 22."""

    def test_a_run_without_links_is_completed_at_once(self):
        state, events = play(graph(), start())

        assert state.status is RunStatus.COMPLETED
        assert [type(one) for one in events] == [ev.RunStarted, ev.RunCompleted]

    def test_tokens_of_one_port_start_in_document_order(self):
        state, _ = play(graph("trigger -> c", "trigger -> a", "trigger -> b"), start())

        assert ready(state) == ["c", "a", "b"]

    def test_a_token_that_leaves_by_an_unlinked_port_ends_there(self):
        g = graph("trigger -> size", "size.large -> big")

        state, events = play(g, start(), done("size", port="small"))

        assert state.status is RunStatus.COMPLETED
        assert events[-1] == ev.RunCompleted("", "")

    def test_the_run_goes_on_while_another_token_is_under_way(self):
        g = graph("trigger -> a", "trigger -> b")

        state, _ = play(g, start(), done("a"))
        assert state.status is RunStatus.RUNNING
        state, _ = play(g, start(), done("a"), done("b"))
        assert state.status is RunStatus.COMPLETED

    def test_an_unlinked_error_fails_the_run_with_that_steps_error_and_cancels_the_rest(self):
        g = graph("trigger -> call", "trigger -> ask", kinds={"call": "effect", "ask": "wait"})

        state, events = play(
            g, start(), opened("ask"), opened("call", kind="effect"), failed("call")
        )

        assert state.status is RunStatus.FAILED
        assert events[-1] == ev.RunFailed(error("call"))
        assert state.active == {}

    def test_a_linked_error_goes_on_with_error_and_output(self):
        g = graph("trigger -> call", "call.error -> mend", kinds={"call": "effect"})

        state, events = play(g, start(), opened("call", kind="effect"), failed("call", output=4))

        assert state.status is RunStatus.RUNNING
        assert ready(state) == ["mend"]
        assert state.root.errors["call"] == state.root.outputs["call"] == len(events)

    def test_an_unlinked_timeout_of_an_approval_fails_the_run(self):
        g = graph("trigger -> ask", "ask.approved -> go", kinds={"ask": "wait"})

        state, events = play(g, start(), opened("ask"), done("ask", port="timeout"))

        assert state.status is RunStatus.FAILED
        assert events[-1].error.code == "timeout"
        assert events[-1].error.step == "ask"

    def test_a_step_with_two_links_in_runs_once_per_token(self):
        g = graph("trigger -> a", "trigger -> b", "a -> c", "b -> c")

        state, _ = play(g, start(), done("a"), done("b"))

        assert [key for key in state.active if key[0] == "c"] == [("c", 1), ("c", 2)]

    def test_later_success_of_a_step_takes_its_error_away(self):
        g = graph("trigger -> call", "call.error -> call", "call.done -> use")

        state, _ = play(g, start(), failed("call"), done("call", 2))

        assert "call" not in state.root.errors


class TestStop:
    """Rule 23."""

    def test_it_ends_the_run_at_once_and_drops_its_siblings(self):
        g = graph(
            "trigger -> end", "trigger -> ask", "trigger -> a", kinds={"ask": "wait", "end": "end"}
        )

        state, events = play(
            g, start(), opened("ask"), cmd.Finish("end", 1, "completed", "That is all.")
        )

        assert state.status is RunStatus.COMPLETED
        assert events[-1] == ev.RunCompleted("end", "That is all.")
        assert state.active == {}

    def test_what_comes_afterwards_is_journaled_and_changes_nothing(self):
        g = graph("trigger -> end", "trigger -> call", kinds={"call": "effect", "end": "end"})
        state, _ = play(
            g, start(), opened("call", kind="effect"), cmd.Finish("end", 1, "completed", "")
        )

        (ignored,) = decide(g, state, done("call"))

        assert ignored == ev.OutcomeIgnored("call", 1, "complete", "run_over")
        after, _ = play(g, done("call"), state=state)
        assert (after.status, after.root.outputs) == (state.status, state.root.outputs)

    def test_failed_is_an_outcome_too_and_carries_its_words(self):
        g = graph("trigger -> end", kinds={"end": "end"})

        _, events = play(g, start(), cmd.Finish("end", 1, "failed", "No stock."))

        assert events[-1].error == ev.Error("end", "permanent", "stopped", "No stock.")


class TestJoin:
    """Rule 24."""

    FORK = ("trigger -> a", "trigger -> b", "trigger -> c", "a -> j", "b -> j", "c -> j", "j -> z")

    def test_all_fires_with_one_token_from_each_and_says_in_which_order_they_came(self):
        g = graph(*self.FORK, joins={"j": ALL})

        state, events = play(g, start(), done("c"), done("a"))
        assert "z" not in ready(state)
        state, events = play(g, start(), done("c"), done("a"), done("b"))

        (fired,) = [one for one in events if one.__class__ is ev.StepCompleted and one.step == "j"]
        assert fired.output == {"links": ["c", "a", "b"]}
        assert ready(state) == ["z"]

    def test_any_fires_at_the_first_and_swallows_the_rest_of_the_wave(self):
        g = graph(*self.FORK, joins={"j": 1})

        state, events = play(g, start(), done("b"), done("z"), done("a"), done("c"))

        fired = [one.output for one in events if getattr(one, "step", "") == "j"]
        assert fired == [{"links": ["b"]}]
        assert state.status is RunStatus.COMPLETED
        assert not any(state.root.owed.values())

    def test_n_fires_at_the_nth_distinct_link(self):
        g = graph(*self.FORK, joins={"j": 2})

        state, events = play(g, start(), done("b"), done("a"), done("z"), done("c"))

        fired = [one.output for one in events if getattr(one, "step", "") == "j"]
        assert fired == [{"links": ["b", "a"]}]
        assert state.status is RunStatus.COMPLETED

    def test_two_tokens_over_one_link_are_not_two_links(self):
        g = graph(
            "trigger -> p", "trigger -> q", "p -> a", "q -> a", "a -> j", "trigger -> b", "b -> j",
            joins={"j": 2},
        )  # fmt: skip

        state, events = play(g, start(), done("p"), done("q"), done("a"), done("a", 2))
        assert not [one for one in events if getattr(one, "step", "") == "j"]

        state, events = play(
            g, start(), done("p"), done("q"), done("a"), done("a", 2), done("b")
        )  # fmt: skip
        assert [one.output for one in events if getattr(one, "step", "") == "j"] == [
            {"links": ["a", "b"]}
        ]
        # The other token of a is the next wave's, and nothing comes to meet it.
        assert state.status is RunStatus.FAILED
        assert events[-1].error.code == "starved_join"

    def test_a_loop_starts_the_next_wave(self):
        g = graph(
            "trigger -> a", "trigger -> b", "a -> j", "b -> j", "j -> again",
            "again.more -> a", "again.more -> b", joins={"j": 1},
        )  # fmt: skip

        state, events = play(
            g,
            start(),
            *(done("a"), done("b"), done("again", port="more")),
            *(done("b", 2), done("a", 2), done("again", 2, port="enough")),
        )

        fired = [one.output for one in events if getattr(one, "step", "") == "j"]
        assert fired == [{"links": ["a"]}, {"links": ["b"]}]
        assert state.status is RunStatus.COMPLETED

    def test_all_in_a_loop_takes_one_token_of_each_link_each_time(self):
        g = graph(
            "trigger -> a", "trigger -> b", "a -> j", "b -> j", "j -> again",
            "again.more -> a", "again.more -> b", joins={"j": ALL},
        )  # fmt: skip

        state, events = play(
            g,
            start(),
            *(done("a"), done("b"), done("again", port="more")),
            *(done("b", 2), done("a", 2), done("again", 2, port="enough")),
        )

        fired = [one.visit for one in events if getattr(one, "step", "") == "j"][:1]
        assert fired == [1]
        assert state.visits["j"] == 2
        assert state.status is RunStatus.COMPLETED

    def test_only_joins_with_missing_tokens_left_fails_and_names_the_links(self):
        g = graph(
            "trigger -> size", "size.large -> a", "size.small -> b", "a -> j", "b -> j",
            joins={"j": ALL},
        )  # fmt: skip

        state, events = play(g, start(), done("size", port="large"), done("a"))

        assert state.status is RunStatus.FAILED
        assert events[-1].error.code == "starved_join"
        assert events[-1].error.step == "j"
        assert "b (done)" in events[-1].error.message

    def test_a_join_after_a_join_fires_in_the_same_breath(self):
        g = graph("trigger -> j", "j -> k", "trigger -> k", joins={"j": ALL, "k": ALL})

        state, events = play(g, start())

        assert [one.step for one in events if isinstance(one, ev.StepCompleted)] == ["j", "k"]
        assert state.status is RunStatus.COMPLETED


class TestCancel:
    """Rule 25."""

    @pytest.mark.parametrize(
        "before",
        [
            (),
            (start(),),
            (start(), opened("ask")),
            (start(), opened("ask"), cmd.Pause("person")),
            (cmd.Pause("engine_fault", "x"),),
        ],
        ids=["queued", "running", "waiting", "paused", "paused before it began"],
    )
    def test_it_is_immediate_in_every_state_that_is_not_final(self, before):
        g = graph("trigger -> ask", "trigger -> call", kinds={"ask": "wait", "call": "effect"})

        state, events = play(g, *before, cmd.Cancel("ada@example.org", "Not needed."))

        assert state.status is RunStatus.CANCELLED
        assert events[-1] == ev.RunCancelled("ada@example.org", "Not needed.")
        assert not state.active

    def test_a_finished_run_is_not_cancelled(self):
        g = graph()
        state, _ = play(g, start())

        assert is_stale(g, state, cmd.Cancel("ada@example.org", ""))

    def test_an_outcome_that_was_queued_already_is_ignored(self):
        g = graph("trigger -> ask", kinds={"ask": "wait"})

        state, events = play(
            g, start(), opened("ask"), cmd.Cancel("a", ""), done("ask", port="approved")
        )

        assert events[-1] == ev.OutcomeIgnored("ask", 1, "complete", "run_over")
        assert state.status is RunStatus.CANCELLED


class TestStatus:
    """Rule 26."""

    def test_waiting_means_that_nothing_executes_and_something_is_waited_for(self):
        g = graph("trigger -> ask", "trigger -> call", kinds={"ask": "wait", "call": "effect"})

        assert play(g)[0].status is RunStatus.QUEUED
        state, _ = play(g, start(), opened("ask"))
        assert state.status is RunStatus.RUNNING  # the call is ready
        state, _ = play(g, start(), opened("ask"), opened("call", kind="effect"))
        assert state.status is RunStatus.RUNNING  # the call executes
        state, _ = play(g, start(), opened("ask"), opened("call", kind="effect"), done("call"))
        assert state.status is RunStatus.WAITING

    def test_a_retrys_delay_is_waiting_and_its_next_try_is_not(self):
        g = graph("trigger -> call", kinds={"call": "effect"})
        retry = cmd.Retry("call", 1, 1, error("call"), "2026-11-20T10:00:00+00:00")

        state, _ = play(g, start(), opened("call", kind="effect"), retry)
        assert state.status is RunStatus.WAITING
        assert state.active["call", 1] is StepStatus.RETRYING
        state, _ = play(g, start(), opened("call", kind="effect"), retry, cmd.Attempt("call", 1, 2))
        assert state.status is RunStatus.RUNNING

    def test_exactly_three_are_final(self):
        assert finals(RUN_TRANSITIONS) == {
            RunStatus.COMPLETED,
            RunStatus.FAILED,
            RunStatus.CANCELLED,
        }

    @pytest.mark.parametrize(
        "table",
        [
            lifecycle.RUN_TRANSITIONS,
            lifecycle.STEP_TRANSITIONS,
            lifecycle.TASK_TRANSITIONS,
            lifecycle.EFFECT_TRANSITIONS,
        ],
    )
    def test_every_table_knows_every_state_and_refuses_what_it_does_not_list(self, table):
        kind: type[StrEnum] = type(next(iter(table)))
        assert set(table) == set(kind)
        for before in kind:
            for after in kind:
                if after in table[before]:
                    assert move(table, before, after) is after
                else:
                    with pytest.raises(IllegalTransition):
                        move(table, before, after)

    def test_nothing_is_final_that_cannot_be_reached_from_the_beginning(self):
        reached, rest = {RunStatus.QUEUED}, [RunStatus.QUEUED]
        while rest:
            for after in RUN_TRANSITIONS[rest.pop()] - reached:
                reached.add(after)
                rest.append(after)
        assert finals(RUN_TRANSITIONS) <= reached


class TestPause:
    ASK = ("trigger -> ask", "ask.approved -> go", "ask.rejected -> no")

    def test_a_paused_run_takes_outcomes_and_goes_on_when_it_is_resumed(self):
        g = graph(*self.ASK, kinds={"ask": "wait"})

        state, _ = play(
            g, start(), opened("ask"), cmd.Pause("person"), done("ask", port="approved")
        )
        assert state.status is RunStatus.PAUSED
        state, _ = play(
            g,
            start(),
            *(opened("ask"), cmd.Pause("person"), done("ask", port="approved"), cmd.Resume("ada")),
        )
        assert state.status is RunStatus.RUNNING
        assert ready(state) == ["go"]

    def test_what_would_end_it_ends_it_when_it_is_resumed(self):
        g = graph("trigger -> ask", kinds={"ask": "wait"})
        held = (start(), opened("ask"), cmd.Pause("person"), done("ask"))

        assert play(g, *held)[0].status is RunStatus.PAUSED
        assert play(g, *held, cmd.Resume("ada"))[0].status is RunStatus.COMPLETED

    def test_a_join_that_is_due_fires_when_it_is_resumed(self):
        g = graph("trigger -> a", "trigger -> b", "a -> j", "b -> j", "j -> z", joins={"j": ALL})
        held = (start(), done("a"), cmd.Pause("person"), done("b"))

        assert ready(play(g, *held)[0]) == []
        assert ready(play(g, *held, cmd.Resume("ada"))[0]) == ["z"]

    def test_one_that_was_paused_before_it_began_begins_when_it_is_resumed(self):
        g = graph("trigger -> a")

        state, _ = play(g, cmd.Pause("engine_fault"), start(), cmd.Resume("ada"))
        assert ready(state) == ["a"]
        state, _ = play(g, cmd.Pause("engine_fault"), cmd.Resume("ada"))
        assert state.status is RunStatus.QUEUED

    def test_pausing_twice_and_resuming_what_runs_are_stale(self):
        g = graph("trigger -> a")
        running, _ = play(g, start())
        paused, _ = play(g, start(), cmd.Pause("person"))

        assert is_stale(g, paused, cmd.Pause("person"))
        assert is_stale(g, running, cmd.Resume("ada"))


class TestTooManySteps:
    """Rule 5."""

    def test_a_loop_without_an_end_fails_and_is_named(self):
        g = graph("trigger -> a", "a -> b", "b -> a", max_steps=6)
        state, events = play(g, start())
        while not state.is_final:
            ((step, visit),) = state.ready
            state, events = play(g, done(step, visit), state=state)

        assert state.status is RunStatus.FAILED
        assert events[-1].error.code == "too_many_steps"
        assert events[-1].error.error_class == "permanent"
        assert "“a”" in events[-1].error.message
        assert state.root.activated == 7


class TestRepeats:
    """Rules 7 and 13: an activation is answered once."""

    def test_a_second_start_and_a_second_opening_are_stale(self):
        g = graph("trigger -> ask", kinds={"ask": "wait"})
        state, _ = play(g, start(), opened("ask"))

        assert is_stale(g, state, start())
        assert is_stale(g, state, opened("ask"))
        assert is_stale(g, state, opened("ask", 2))

    def test_a_second_outcome_of_one_wait_is_ignored_and_written_down(self):
        g = graph(
            "trigger -> ask", "trigger -> b", "ask.approved -> go", "ask.rejected -> no",
            kinds={"ask": "wait"},
        )  # fmt: skip

        state, events = play(
            g, start(), opened("ask"), done("ask", port="approved"), done("ask", port="rejected")
        )

        assert events[-1] == ev.OutcomeIgnored("ask", 1, "complete", "step_over")
        assert ready(state) == ["b", "go"]

    def test_an_outcome_of_an_earlier_visit_does_not_answer_the_later_one(self):
        g = graph("trigger -> ask", "ask.again -> ask", kinds={"ask": "wait"})

        state, _ = play(
            g,
            start(),
            *(opened("ask"), done("ask", port="again"), opened("ask", 2), done("ask", 1)),
        )

        assert state.active == {("ask", 2): StepStatus.WAITING}

    def test_a_late_outcome_after_the_end_is_ignored(self):
        g = graph()
        state, _ = play(g, start())

        assert decide(g, state, cmd.Late("call", 1, "complete")) == [
            ev.OutcomeIgnored("call", 1, "complete", "lease_lost")
        ]

    def test_the_first_answer_is_delivered_and_later_ones_are_not(self):
        """Rule 31."""
        g = graph("trigger -> a", "trigger -> b")

        _, events = play(
            g, start(), cmd.Answer("a", 200, "first", True), cmd.Answer("b", 200, "second", True)
        )

        assert [one.delivered for one in events if isinstance(one, ev.Responded)] == [True, False]

    def test_an_answer_after_the_time_is_not_delivered_and_leaves_the_way_free(self):
        g = graph("trigger -> a", "trigger -> b")

        state, events = play(g, start(), cmd.Answer("a", 200, None, False))

        assert not events[-1].delivered
        assert not state.responded


def test_deciding_changes_nothing_that_was_given_to_it():
    g = graph("trigger -> a", "trigger -> b", "a -> j", "b -> j", joins={"j": ALL})
    state, _ = play(g, start(), done("a"))
    kept = state.copy()

    decide(g, state, done("b"))

    assert state == kept
    assert state != RunState()
