"""The laws, held over random graphs with scopes, undoing, locks and joins of every kind."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.engine import commands as cmd
from apps.engine import events as ev
from apps.engine.graph import Behaviour, Graph, GraphStep, JoinRule
from apps.engine.lifecycle import RunStatus, StepStatus
from apps.engine.run import decide
from tests.engine.scoped import ScopedShell
from tests.engine.support import error, graph, play, start


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_a_run_with_scopes_obeys_the_laws_whatever_happens_to_it(seed):
    shell = ScopedShell(seed)
    shell.go()


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_a_run_with_scopes_ends_when_all_that_is_due_is_done(seed):
    shell = ScopedShell(seed)
    shell.go(most=40)
    shell.finish()


SCOPE = GraphStep(
    "b", Behaviour.SCOPE, ("done", "body", "error"), fails_unlinked=frozenset({"error"})
)


def scoped(*links, **steps: GraphStep) -> Graph:
    """The graph of ``links`` in which these steps are as given."""
    drawn = graph(*links)
    return Graph({**drawn.steps, **steps}, drawn.links)


def inside(name, behaviour="effect", *, undo="", scope="b", ports=("done", "error")):
    fails = frozenset({"error"}) & set(ports)
    return GraphStep(
        name, Behaviour(behaviour), ports, fails_unlinked=fails, scope=scope, undo=undo
    )


def done(step, visit=1):
    return cmd.Complete(step, visit, "done", {"n": visit})


def opened(step, visit=1):
    return cmd.Open(step, visit, "effect", {})


def begin(step="b", kind="block", count=1, **more):
    return cmd.OpenScope(step, 1, kind, count, {}, **more)


def test_a_run_that_is_being_undone_can_be_paused_and_goes_on_undoing():
    drawn = graph("trigger -> a", "a -> c")
    steps = {**drawn.steps, "a": inside("a", scope="", undo="u"), "u": inside("u", scope="")}
    drawn = Graph(steps, drawn.links)

    state, _ = play(drawn, start(), opened("a"), done("a"), cmd.Cancel("ada", "no"))
    assert state.status is RunStatus.CANCELLING
    state, _ = play(drawn, cmd.Pause("engine_fault"), state=state)
    assert state.status is RunStatus.PAUSED
    state, _ = play(drawn, cmd.Resume("ada"), state=state)
    assert state.status is RunStatus.CANCELLING
    state, _ = play(drawn, opened("u"), done("u"), state=state)
    assert state.status is RunStatus.CANCELLED


def test_what_items_did_side_by_side_is_undone_the_last_first_over_all_of_them():
    drawn = scoped(
        "trigger -> b",
        "trigger -> z",
        "b.body -> a",
        "a -> c",
        b=SCOPE,
        a=inside("a", undo="u"),
        c=inside("c", undo="u"),
        u=inside("u"),
        z=inside("z", scope=""),
    )
    state, _ = play(
        drawn,
        start(),
        begin(kind="each", count=2, parallel=2),
        *(opened("a", 1), opened("a", 2), done("a", 1), done("a", 2)),
        *(opened("c", 1), opened("c", 2), done("c", 1), done("c", 2)),
        *(cmd.EndItem("b:1:0", None), cmd.EndItem("b:1:1", None), done("b")),
        cmd.Fail("z", 1, error("z")),
    )
    undone = []
    while not state.is_final:
        (key,) = state.active
        undone.append(state.root.undoing[1])
        state, _ = play(drawn, opened(*key), done(*key), state=state)
    assert [(one.step, one.visit) for one in undone] == [("c", 2), ("c", 1), ("a", 2), ("a", 1)]


def test_a_scope_that_is_decided_does_not_say_that_it_waits():
    drawn = scoped("trigger -> b", "b.body -> a", b=SCOPE, a=inside("a"))
    state, _ = play(
        drawn,
        start(),
        begin(kind="each", count=3, needs=1),
        *(opened("a"), done("a"), cmd.EndItem("b:1:0", None)),
    )
    assert state.collectable == ("b", 1)
    assert state.status is RunStatus.RUNNING


def test_a_wait_that_fails_and_asks_a_person_stays_open_for_the_answer():
    drawn = scoped("trigger -> a", a=inside("a", "wait", scope="", ports=("done",)))
    state, events = play(
        drawn,
        start(),
        cmd.Open("a", 1, "user_task", {}),
        cmd.Fail("a", 1, error("a"), resort="ask"),
    )
    assert state.active == {("a", 1): StepStatus.WAITING}
    assert isinstance(events[-1], ev.StepHeld)


def test_a_scope_and_a_join_inside_it_are_withdrawn_in_one_go():
    drawn = scoped(
        "trigger -> b",
        "trigger -> x",
        "b.body -> j",
        "b.body -> a",
        "a -> j",
        b=SCOPE,
        a=inside("a"),
        j=GraphStep("j", Behaviour.JOIN, ("done",), JoinRule(), scope="b"),
    )
    state, _ = play(
        drawn, start(), begin(), cmd.Withdraw("x", 1, ("b", "j"), completes=True), done("b")
    )
    assert state.status is RunStatus.COMPLETED


@pytest.mark.parametrize("named", [("u",), ("b",), ("b", "u")])
def test_what_is_being_undone_is_undone_whoever_withdraws_it(named):
    drawn = scoped(
        "trigger -> b",
        "trigger -> x",
        "b.body -> a",
        "a -> c",
        b=SCOPE,
        a=inside("a", undo="u"),
        c=inside("c"),
        u=inside("u"),
    )
    state, _ = play(
        drawn,
        start(),
        begin(),
        *(opened("a"), done("a"), opened("c"), cmd.Fail("c", 1, error("c")), opened("u")),
        cmd.Withdraw("x", 1, named),
    )
    assert ("u", 1) in state.active
    state, events = play(drawn, done("u"), state=state)
    assert state.is_final
    assert isinstance(events[0], ev.StepCompleted)


def test_a_run_that_fails_while_an_item_is_being_undone_finishes_that_first():
    drawn = scoped(
        "trigger -> b",
        "trigger -> x",
        "b.body -> a",
        "a -> c",
        b=SCOPE,
        a=inside("a", undo="u"),
        c=inside("c"),
        u=inside("u"),
        x=inside("x", scope=""),
    )
    state, _ = play(
        drawn,
        start(),
        begin(),
        *(opened("a"), done("a"), opened("c"), cmd.Fail("c", 1, error("c")), opened("u")),
        cmd.Fail("x", 1, error("x")),
    )
    assert not state.is_final
    (key,) = state.active
    assert key == ("u", 2)  # begun anew, under the key of what it undoes
    state, _ = play(drawn, opened("u", 2), done("u", 2), state=state)
    assert state.status is RunStatus.FAILED


def test_a_decision_does_not_hang_on_the_order_of_a_set():
    drawn = scoped(
        "trigger -> b",
        "b.body -> j",
        "b.body -> k",
        "trigger -> x",
        b=SCOPE,
        j=GraphStep("j", Behaviour.JOIN, ("done",), JoinRule(2, counts_tokens=True), scope="b"),
        k=inside("k"),
    )
    state, _ = play(drawn, start(), begin(kind="each", count=4, parallel=4))
    withdrawn = decide(drawn, state, cmd.Withdraw("x", 1, ("j",)))[0]
    assert isinstance(withdrawn, ev.WorkWithdrawn)
    assert [frame for frame, _ in withdrawn.joins] == [f"b:1:{at}" for at in range(4)]


def test_a_scope_and_a_join_inside_it_are_withdrawn_without_going_on():
    drawn = scoped(
        "trigger -> b",
        "trigger -> x",
        "b.body -> j",
        "b.body -> a",
        "a -> j",
        b=SCOPE,
        a=inside("a"),
        j=GraphStep("j", Behaviour.JOIN, ("done",), JoinRule(), scope="b"),
    )
    state, _ = play(drawn, start(), begin(), cmd.Withdraw("x", 1, ("b", "j")))
    assert state.status is RunStatus.COMPLETED


def test_everything_that_could_not_be_undone_is_named():
    drawn = scoped(
        "trigger -> a",
        "a -> c",
        "c -> z",
        a=inside("a", undo="u", scope=""),
        c=inside("c", undo="v", scope=""),
        z=inside("z", scope=""),
        u=inside("u", scope=""),
        v=inside("v", scope=""),
    )
    _, events = play(
        drawn,
        start(),
        *(opened("a"), done("a"), opened("c"), done("c")),
        *(opened("z"), cmd.Fail("z", 1, error("z"))),
        *(opened("v"), cmd.Fail("v", 1, error("v"))),
        *(opened("u"), cmd.Fail("u", 1, error("u"))),
    )
    failed = events[-1]
    assert isinstance(failed, ev.RunFailed)
    assert failed.error.step == "z"
    assert "“v” could not undo" in failed.error.message
    assert "“u” could not undo" in failed.error.message
