"""Flows that run other flows: what goes in, what comes back, contracts, cancelling, depth."""

from typing import Any
from uuid import UUID

import pytest

from apps.core import clock
from apps.core.errors import Invalid
from apps.flows import calls
from apps.flows.models import Flow, FlowVersion
from apps.inbox.models import UserTask
from apps.runs import children, commands, queries, verify
from apps.runs.drive import drive_all
from apps.runs.models import Run, RunState
from tests.runs.support import assert_replays, document, journal, outputs, status

pytestmark = pytest.mark.django_db(transaction=True)


def calling(flow: str, **config: Any) -> dict[str, Any]:
    """A flow that runs another with what it was given, and reads what that gave."""
    return document(
        {
            "call": {
                "type": "subflow",
                "title": "Check the vendor",
                "config": {"flow": flow, "input": {"n": "= trigger.body.n"}, **config},
            },
            "after": {"type": "map", "config": {"fields": {"got": "= steps.call.output"}}},
            "mend": {"type": "map", "config": {"fields": {"why": "= steps.call.error"}}},
        },
        ["trigger -> call", "call.done -> after", "call.error -> mend"],
    )


def giving(gives: Any = "= trigger.body.n * 2", **contract: Any) -> dict[str, Any]:
    """A flow that gives something back."""
    return document(
        {"end": {"type": "stop", "config": {"output": gives}}},
        ["trigger -> end"],
        settings={"contract": contract} if contract else {},
    )


def waiting() -> dict[str, Any]:
    return document(
        {"wait": {"type": "delay", "config": {"for": "P1D"}}},
        ["trigger -> wait"],
    )


def called(version: FlowVersion) -> str:
    return str(version.flow_id)


def run_of(bench: Any, doc: dict[str, Any], body: Any = None) -> UUID:
    run_id: UUID = bench.start(bench.publish(doc), body or {"n": 21}, started_by="olga@acme.test")
    drive_all()
    return run_id


def child_of(run_id: UUID) -> Run:
    return Run.objects.get(parent_id=run_id)


def republish(version: FlowVersion, doc: dict[str, Any]) -> FlowVersion:
    """The next version of a flow, active."""
    flow = version.flow
    later = FlowVersion.objects.create(
        flow=flow,
        workspace=flow.workspace,
        number=version.number + 1,
        hash="f" * 64,
        document=doc,
        trigger_type="manual",
        created_at=clock.now(),
    )
    Flow.objects.filter(pk=flow.pk).update(active_version=later)
    return later


class TestTogether:
    def test_the_other_flow_gets_the_input_and_gives_its_output(self, bench):
        run_id = run_of(bench, calling(called(bench.publish(giving()))))
        child = child_of(run_id)
        assert outputs(run_id)["after"]["got"] == {
            "run": str(child.pk),
            "status": "completed",
            "output": 42,
        }
        assert (status(run_id), child.status) == ("completed", "completed")
        assert child.correlation_id == Run.objects.get(pk=run_id).correlation_id
        assert child.started_by == "olga@acme.test"
        assert child.trigger_type == "subflow"
        for one in (run_id, child.pk):
            assert_replays(one)
        assert not verify.check_runs().problems

    def test_by_its_exact_name(self, bench):
        version = bench.publish(giving())
        Flow.objects.filter(pk=version.flow_id).update(name="Vendor check")
        run_id = run_of(bench, calling("Vendor check"))
        assert outputs(run_id)["after"]["got"]["output"] == 42

    def test_a_pinned_version(self, bench):
        version = bench.publish(giving(1))
        republish(version, giving(2))
        run_id = run_of(bench, calling(called(version), version=1))
        assert outputs(run_id)["after"]["got"]["output"] == 1
        assert child_of(run_id).version_id == version.pk

    def test_while_it_waits_the_run_names_the_other(self, bench):
        run_id = run_of(bench, calling(called(bench.publish(waiting()))))
        run, child = Run.objects.get(pk=run_id), child_of(run_id)
        assert run.status == "waiting"
        (reason,) = queries.waiting_for(run)
        assert (reason["kind"], reason["step"], reason["run"]) == ("run", "call", child.pk)
        assert queries.children_of(run) == [child.pk]
        assert not verify.check_runs().problems

    def test_without_waiting_it_goes_on_at_once(self, bench):
        run_id = run_of(bench, calling(called(bench.publish(waiting())), wait=False))
        child = child_of(run_id)
        assert status(run_id) == "completed"
        assert outputs(run_id)["after"]["got"] == {
            "run": str(child.pk),
            "status": "queued",
            "output": None,
        }
        assert child.status == "waiting"
        assert not verify.check_runs().problems

    def test_a_flow_that_runs_itself(self, bench):
        doc = document(
            {
                "more": {
                    "type": "decide",
                    "config": {
                        "branches": [{"port": "more", "when": "trigger.body.n > 0"}],
                        "otherwise": "done",
                    },
                },
                "self": {
                    "type": "subflow",
                    "config": {"flow": "Count", "input": {"n": "= trigger.body.n - 1"}},
                },
                "sum": {
                    "type": "stop",
                    "config": {"output": "= steps.self.output.output + trigger.body.n"},
                },
                "zero": {"type": "stop", "config": {"output": 0}},
            },
            ["trigger -> more", "more.more -> self", "self.done -> sum", "more.done -> zero"],
        )
        version = bench.publish(doc)
        Flow.objects.filter(pk=version.flow_id).update(name="Count")
        run_id = bench.start(version, {"n": 4})
        drive_all()
        run = Run.objects.get(pk=run_id)
        assert run.status == "completed"
        assert queries.journal(run)[-1].data["output"] == 10

    def test_one_by_one_they_come_to_an_end(self, bench):
        doc = document(
            {"self": {"type": "subflow", "config": {"flow": "Deeper"}}}, ["trigger -> self"]
        )
        version = bench.publish(doc)
        Flow.objects.filter(pk=version.flow_id).update(name="Deeper")
        run_id = bench.start(version, {})
        while drive_all():
            """One call gives way after a while."""
        assert Run.objects.count() == children.DEEPEST + 1
        run = Run.objects.get(pk=run_id)
        assert run.status == "failed"
        assert "ends here" in run.error["message"]
        assert not verify.check_runs().problems

    def test_items_of_a_list_run_it_side_by_side(self, bench):
        version = bench.publish(giving("= trigger.body.n * 2"))
        doc = document(
            {
                "each": {
                    "type": "for_each",
                    "config": {"items": "trigger.body.l", "result": "steps.call.output.output"},
                },
                "call": {
                    "type": "subflow",
                    "in": "each",
                    "config": {"flow": called(version), "input": {"n": "= item"}},
                },
                "end": {"type": "map", "config": {"fields": {"r": "= steps.each.output.results"}}},
            },
            ["trigger -> each", "each.body -> call", "each.done -> end"],
        )
        run_id = run_of(bench, doc, {"l": [1, 2, 3]})
        assert outputs(run_id)["end"] == {"r": [2, 4, 6]}
        assert Run.objects.filter(parent_id=run_id).count() == 3

    def test_who_asks_is_whoever_started_it_all(self, bench):
        assert child_of(run_of(bench, calling(called(bench.publish(giving()))))).started_by


class TestFails:
    @pytest.mark.parametrize(
        ("make", "code"),
        [
            (lambda _: calling("No such flow"), "unknown_flow"),
            (lambda _: calling("01a1f9ed-88b9-7038-8db8-cff63e57a517"), "unknown_flow"),
            (lambda one: calling(called(one), version=7), "unknown_version"),
        ],
    )
    def test_with_a_sentence_where_there_is_none_to_run(self, bench, make, code):
        run_id = run_of(bench, make(bench.publish(giving())))
        assert outputs(run_id)["mend"]["why"]["code"] == code
        assert Run.objects.count() == 1

    def test_where_two_have_the_name(self, bench):
        for _ in range(2):
            Flow.objects.filter(pk=bench.publish(giving()).flow_id).update(name="Twin")
        run_id = run_of(bench, calling("Twin"))
        assert "by its id" in outputs(run_id)["mend"]["why"]["message"]

    def test_where_nothing_is_published_or_it_is_archived(self, bench):
        version = bench.publish(giving())
        Flow.objects.filter(pk=version.flow_id).update(active_version=None)
        why = outputs(run_of(bench, calling(called(version))))["mend"]["why"]
        assert why["code"] == "flow_not_running"
        Flow.objects.filter(pk=version.flow_id).update(active_version=version, state="archived")
        why = outputs(run_of(bench, calling(called(version))))["mend"]["why"]
        assert why["code"] == "flow_not_running"

    def test_when_the_other_fails(self, bench):
        doc = document(
            {"end": {"type": "stop", "config": {"outcome": "failed", "message": "Not today."}}},
            ["trigger -> end"],
        )
        run_id = run_of(bench, calling(called(bench.publish(doc))))
        why = outputs(run_id)["mend"]["why"]
        assert why["code"] == "run_failed"
        assert "Not today." in why["message"]
        assert outputs(run_id)["call"]["status"] == "failed"

    def test_when_the_other_is_cancelled(self, bench, people_of):
        run_id = run_of(bench, calling(called(bench.publish(waiting()))))
        commands.cancel_run(
            actor=people_of(bench), run_id=child_of(run_id).pk, reason="", now=clock.now()
        )
        drive_all()
        assert outputs(run_id)["mend"]["why"]["code"] == "run_cancelled"

    def test_and_unlinked_it_fails_the_run(self, bench):
        doc = calling("No such flow")
        doc["links"] = doc["links"][:2]
        assert status(run_of(bench, doc)) == "failed"

    def test_a_step_that_does_not_wait_is_refused_before_it_goes_on(self, bench):
        run_id = run_of(bench, calling("No such flow", wait=False))
        assert "after" not in outputs(run_id)
        assert outputs(run_id)["mend"]["why"]["code"] == "unknown_flow"


class TestEnds:
    def test_cancelling_cancels_what_is_waited_for(self, bench, people_of):
        inner = bench.publish(calling(called(bench.publish(waiting()))))
        run_id = run_of(bench, calling(called(inner)))
        commands.cancel_run(actor=people_of(bench), run_id=run_id, reason="", now=clock.now())
        drive_all()
        assert set(Run.objects.values_list("status", flat=True)) == {"cancelled"}
        assert Run.objects.count() == 3
        assert not verify.check_runs().problems

    def test_also_one_that_has_no_place_yet(self, bench, people_of):
        doc = waiting() | {"settings": {"concurrency": {"max": 1}}}
        version = bench.publish(doc)
        bench.start(version, {})
        run_id = run_of(bench, calling(called(version)))
        assert child_of(run_id).status == "queued"
        commands.cancel_run(actor=people_of(bench), run_id=run_id, reason="", now=clock.now())
        drive_all()
        assert child_of(run_id).status == "cancelled"
        assert not verify.check_runs().problems

    def test_what_is_not_waited_for_goes_on(self, bench, people_of):
        doc = calling(called(bench.publish(waiting())), wait=False)
        doc["steps"]["after"] = {"type": "delay", "config": {"for": "P1D"}}
        run_id = run_of(bench, doc)
        commands.cancel_run(actor=people_of(bench), run_id=run_id, reason="", now=clock.now())
        drive_all()
        assert child_of(run_id).status == "waiting"

    def test_a_time_limit_cancels_it(self, bench):
        doc = calling(called(bench.publish(waiting())))
        doc["steps"]["call"]["time_limit"] = "PT1S"
        run_id = run_of(bench, doc)
        lane = RunState.objects.get(run_id=run_id).lane
        commands.add_command(
            run_id=run_id,
            lane=lane,
            kind="expire",
            payload={"step": "call", "visit": 1},
            now=clock.now(),
        )
        drive_all()
        assert child_of(run_id).status == "cancelled"
        assert outputs(run_id)["mend"]["why"]["code"] == "time_limit"

    def test_people_are_asked_and_try_again_with_a_new_run(self, bench):
        doc = calling("Vendor check")
        doc["steps"]["call"]["on_error"] = {"then": "ask"}
        bench.owner.groups.set([])
        run_id = run_of(bench, doc)
        # Nobody of this workspace can be asked here: the step fails as it failed.
        assert outputs(run_id)["mend"]["why"]["code"] == "unknown_flow"
        assert not UserTask.objects.exists()


NUMBER: dict[str, Any] = {
    "type": "object",
    "required": ["n"],
    "properties": {"n": {"type": "number"}},
}
WHOLE = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}


class TestContracts:
    def test_input_that_does_not_fit_fails_field_by_field(self, bench):
        version = bench.publish(giving(input=NUMBER))
        run_id = run_of(bench, calling(called(version)), {"n": "many"})
        why = outputs(run_id)["mend"]["why"]
        assert why["code"] == "bad_input"
        assert "“n” must be a number; it is text" in why["message"]
        assert Run.objects.count() == 1

    def test_output_that_does_not_fit_fails_both(self, bench):
        version = bench.publish(giving("text", output={"type": "number"}))
        run_id = run_of(bench, calling(called(version)))
        assert child_of(run_id).error["code"] == "bad_output"
        assert outputs(run_id)["mend"]["why"]["code"] == "bad_output"

    def test_a_flow_that_gives_nothing_though_it_says_it_does(self, bench):
        doc = document(
            {"m": {"type": "map", "config": {"fields": {"x": 1}}}},
            ["trigger -> m"],
            settings={"contract": {"output": {"type": "number"}}},
        )
        run_id = run_of(bench, calling(called(bench.publish(doc))))
        assert outputs(run_id)["mend"]["why"]["code"] == "bad_output"

    def test_is_held_where_a_run_is_started_by_hand(self, bench, people_of):
        version = bench.publish(giving(input=NUMBER))
        with pytest.raises(Invalid, match="takes"):
            commands.start_run(
                actor=people_of(bench), flow_id=version.flow_id, input={"n": "x"}, now=clock.now()
            )

    @pytest.mark.parametrize(
        ("before", "after", "fits"),
        [
            ({"input": WHOLE}, {"input": NUMBER}, True),
            ({"input": NUMBER}, {"input": WHOLE}, False),
            ({"output": {"type": "number"}}, {"output": {"type": "integer"}}, True),
            ({"output": {"type": "integer"}}, {"output": {"type": "number"}}, False),
            ({"output": {"type": "integer"}}, {}, False),
            ({}, {"input": NUMBER}, False),
            ({"input": NUMBER}, {}, True),
        ],
    )
    def test_the_latest_version_is_run_while_it_is_compatible(self, bench, before, after, fits):
        version = bench.publish(giving(7, **before))
        caller = bench.publish(calling(called(version)))
        later = republish(version, giving(7, **after))
        run_id = bench.start(caller, {"n": 1})
        drive_all()
        if fits:
            assert child_of(run_id).version_id == later.pk
        else:
            assert outputs(run_id)["mend"]["why"]["code"] == "contract_changed"

    def test_callers_that_a_draft_would_break_are_named(self, bench):
        version = bench.publish(giving(7, input=NUMBER))
        bench.publish(calling(called(version)) | {"name": "x"})
        broken = list(calls.call_findings(version.flow, giving(7, input=WHOLE)))
        assert [(one.code, one.severity) for one in broken] == [("breaks_callers", "warning")]
        assert "“Test”" in broken[0].message
        assert not list(calls.call_findings(version.flow, giving(7)))

    def test_a_caller_that_names_a_version_is_not_broken(self, bench):
        version = bench.publish(giving(7, input=NUMBER))
        bench.publish(calling(called(version), version=1))
        assert not list(calls.call_findings(version.flow, giving(7, input=WHOLE)))

    @pytest.mark.parametrize(
        ("config", "code"),
        [
            ({"flow": "Nowhere"}, "unknown_flow"),
            ({"flow": "Test", "version": 9}, "unknown_flow_version"),
        ],
    )
    def test_flows_that_are_not_there_are_found_at_check(self, bench, config, code):
        version = bench.publish(giving())
        flow = bench.publish(waiting()).flow
        Flow.objects.filter(pk=flow.pk).update(name="Other")
        doc = calling(**config)
        assert code in {one.code for one in calls.call_findings(flow, doc)}
        Flow.objects.filter(pk=version.flow_id).update(active_version=None)
        assert [one.code for one in calls.call_findings(flow, calling("Test"))] == [
            "flow_not_published"
        ]

    @pytest.mark.parametrize("version", ["latest", 1])
    @pytest.mark.parametrize(
        ("given", "missing"),
        [({"n": 1}, []), ({"m": 1}, ["n"]), ({}, ["n"]), (None, ["n"]), ("= trigger.body", ["n"])],
    )
    def test_what_is_asked_for_and_not_given_is_found_at_check(
        self, bench, version, given, missing
    ):
        asked = bench.publish(giving(input=NUMBER))
        flow = bench.publish(waiting()).flow
        doc = calling(called(asked), version=version, input=given)
        found = [one for one in calls.call_findings(flow, doc) if one.code == "missing_input"]
        assert ["“n”" in one.message for one in found] == [True for _ in missing]

    @pytest.mark.parametrize(
        ("given", "codes"),
        [
            ({"n": "= trigger.id"}, ["type_mismatch"]),
            ({"n": "seven"}, ["type_mismatch"]),
            ({"n": "= trigger.body.n"}, []),
            ({"n": "= 1 + 2"}, []),
            ({"n": 1, "text": "= trigger.id + trigger.id"}, []),
            ({"n": 1, "text": '= "more than three"'}, ["may_be_too_long"]),
        ],
    )
    def test_what_does_not_fit_is_found_at_check(self, bench, given, codes):
        text = {"type": "string", "maxLength": 3}
        taken = {**NUMBER, "properties": {**NUMBER["properties"], "text": text}}
        asked = bench.publish(giving(input=taken))
        flow = bench.publish(waiting()).flow
        doc = calling(called(asked), input=given)
        assert [one.code for one in calls.call_findings(flow, doc)] == codes

    @pytest.mark.parametrize("odd", [True, {}, {"required": "n"}, None])
    def test_a_contract_of_any_shape_is_no_reason_to_fail(self, bench, odd):
        asked = bench.publish(giving(input=odd))
        flow = bench.publish(waiting()).flow
        assert not list(calls.call_findings(flow, calling(called(asked), input={})))

    @pytest.mark.parametrize(
        ("limit", "severity"),
        [
            ({"max": 1}, "error"),
            ({"max": 2}, "warning"),
            ({"max": 1, "key": "trigger.body.customer"}, "warning"),
            (None, None),
            ({"max": True}, None),
            ({"max": "1"}, None),
            ([1], None),
        ],
    )
    def test_a_flow_that_waits_for_itself_under_its_own_limit_is_found(
        self, bench, limit, severity
    ):
        flow = bench.publish(giving()).flow
        doc = calling(called(flow.active_version)) | {"settings": {"concurrency": limit}}
        found = list(calls.call_findings(flow, doc))
        assert [one.severity for one in found] == ([severity] if severity else [])
        assert {one.code for one in found} <= {"waits_for_itself"}

    def test_a_circle_of_several_flows_is_found_and_named(self, bench):
        first = bench.publish(giving())
        second = bench.publish(calling(called(first)))
        third = bench.publish(calling(called(second)))
        doc = calling(called(third)) | {"settings": {"concurrency": {"max": 1}}}
        (found,) = calls.call_findings(first.flow, doc)

        assert (found.code, found.severity) == ("waits_for_itself", "error")
        assert f"through “{third.flow.name}”, “{second.flow.name}”" in found.message

    def test_a_circle_that_somebody_does_not_wait_in_is_none(self, bench):
        first = bench.publish(giving())
        second = bench.publish(calling(called(first), wait=False))
        third = bench.publish(calling("nobody's"))
        limited = {"settings": {"concurrency": {"max": 1}}}

        for other in (second, third):
            assert not list(calls.call_findings(first.flow, calling(called(other)) | limited))

    def test_a_circle_that_this_flow_is_not_in_ends_the_search(self, bench):
        first = bench.publish(giving())
        second = bench.publish(calling(called(first)))
        republish(first, calling(called(second)))
        limited = {"settings": {"concurrency": {"max": 1}}}

        flow = bench.publish(giving()).flow
        assert not list(calls.call_findings(flow, calling(called(second)) | limited))

    def test_one_that_does_not_wait_or_runs_another_is_not(self, bench):
        flow = bench.publish(giving()).flow
        other = bench.publish(giving())
        limited = {"settings": {"concurrency": {"max": 1}}}
        for config in (
            {"flow": called(flow.active_version), "wait": False},
            {"flow": called(other)},
        ):
            assert not list(calls.call_findings(flow, calling(**config) | limited))

    def test_journal_says_what_was_asked_for(self, bench):
        run_id = run_of(bench, calling(called(bench.publish(giving()))))
        assert ("step.started", "call") in journal(run_id)
