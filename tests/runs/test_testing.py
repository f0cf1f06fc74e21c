"""A draft is tried out: what runs was said beforehand, nothing leaves that nobody chose to send."""

from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.audit.models import AuditEvent
from apps.core import clock
from apps.core.errors import Conflict, Invalid
from apps.flows import models as flows
from apps.flows.commands import HasErrors
from apps.runs import queries, replaying, samples, testing
from apps.runs.drive import drive_all
from apps.runs.models import Effect, Run, RunEvent, Timer
from apps.steps.format import document_hash
from tests.runs.support import assert_replays, document
from tests.support import people

pytestmark = pytest.mark.django_db(transaction=True)


def call(url="https://api.example.org/", **more):
    return {"type": "http.request", "config": {"url": url, "method": "POST", **more}}


def mail(subject="= trigger.body.name"):
    config = {"to": "ann@example.org", "subject": subject, "text": "Hello"}
    return {"type": "mail.send", "config": config}


def fields(**values):
    return {"type": "map", "config": {"fields": values}}


def approval():
    config = {"title": "Agree?", "assignees": {"users": ["ann@example.org"]}, "due": "P2D"}
    return {"type": "approval", "config": config}


FLOW = document(
    {
        "size": {
            "type": "decide",
            "config": {
                "branches": [{"port": "large", "when": "trigger.body.amount > 10"}],
                "otherwise": "small",
            },
        },
        "approve": approval(),
        "wait": {"type": "delay", "config": {"for": "P3D"}},
        "pay": call(body={"amount": "= trigger.body.amount"}, headers={"X-Key": {"secret": "k"}}),
        "receipt": fields(number="= steps.pay.output.body.number"),
        "tell": mail(),
        "no": mail("No"),
        "little": fields(small="= true"),
    },
    [
        "trigger -> size",
        "size.large -> approve",
        "size.small -> little",
        "approve.approved -> wait",
        "approve.rejected -> no",
        "approve.timeout -> no",
        "wait -> pay",
        "pay.done -> receipt",
        "receipt -> tell",
    ],
)


PAID = {"pay": {"output": {"status": 200, "headers": {}, "body": {"number": 7}}}}


class Desk:
    """A flow with a draft, and somebody who may try it out."""

    def __init__(self, bench):
        self.bench = bench
        self.workspace = people.make_workspace("desk")
        self.ann = people.person(self.workspace, "builder")
        self.actor = people.actor(self.ann, self.workspace)

    def draft(self, doc):
        now = clock.now()
        flow = flows.Flow.objects.create(
            workspace=self.workspace, name="Test", owner=self.ann, created_at=now, updated_at=now
        )
        flows.Draft.objects.create(flow=flow, document=doc, updated_at=now)
        return flow

    def sample(self, flow, body):
        from apps.engine import values

        made = samples.paste_sample(
            actor=self.actor, flow_id=flow.pk, text=values.dumps(body), name="", now=clock.now()
        )
        return made.pk

    def plan(self, flow, kind, step="", body=None, **more):
        asked = self.asked(flow, kind, step, body, **more)
        return testing.plan_test(actor=self.actor, flow_id=flow.pk, asked=asked, now=clock.now())

    def asked(self, flow, kind, step="", body=None, **more):
        sample = self.sample(flow, body) if body is not None else None
        return testing.Asked(kind=kind, step=step, sample=sample, **more)

    def run(self, flow, kind, step="", body=None, **more):
        asked = self.asked(flow, kind, step, body, **more)
        now = clock.now()
        plan = testing.plan_test(actor=self.actor, flow_id=flow.pk, asked=asked, now=now)
        run = testing.start_test(
            actor=self.actor, flow_id=flow.pk, asked=asked, announced=plan.announced, now=now
        )
        drive_all()
        return Run.objects.get(pk=run.pk)

    def report(self, run):
        return testing.report_of(run, may_see=True)


@pytest.fixture
def desk(bench, monkeypatch):
    monkeypatch.setattr("apps.runs.testing.findings_of", lambda *_: [])
    return Desk(bench)


def ran(report):
    return {one["id"] for one in report["steps"]}


def executed(run):
    """The steps that the journal says did something, stand-ins apart."""
    rows = list(RunEvent.objects.filter(run_id=run.pk))
    given = next(row.data["given"] for row in rows if row.type == "run.replayed")
    done = {"step.started", "step.completed", "step.failed", "scope.opened"}
    return {row.step for row in rows if row.type in done} - set(given["stand_ins"])


class TestADryRun:
    def test_sends_nothing_asks_nobody_and_waits_for_nothing(self, desk):
        flow = desk.draft(FLOW)
        run = desk.run(flow, "dry", body={"amount": 20, "name": "Ada"}, answers=PAID)
        assert run.status == "completed"
        assert not Effect.objects.exists()
        assert not Timer.objects.exists()
        from apps.inbox.models import UserTask

        assert not UserTask.objects.exists()
        assert_replays(run.pk)

    def test_says_what_would_leave_with_secrets_by_name(self, desk):
        flow = desk.draft(FLOW)
        pay = {"pay": {"output": {"status": 200, "headers": {}, "body": {"number": 7}}}}
        run = desk.run(flow, "dry", body={"amount": 20, "name": "Ada"}, answers=pay)
        report = desk.report(run)
        assert report["leaves"] == [
            {"type": "http.request", "sent": False, "count": 1},
            {"type": "mail.send", "sent": False, "count": 1},
        ]
        by_id = {one["id"]: one for one in report["steps"]}
        assert by_id["pay"]["given"][0]["headers"] == {"X-Key": {"secret": "k"}}
        assert by_id["pay"]["given"][0]["body"] == {"amount": 20}
        assert by_id["tell"]["given"][0]["subject"] == "Ada"
        assert by_id["receipt"]["output"] == {"number": 7}

    def test_time_that_is_waited_for_passes_at_once_for_what_follows(self, desk):
        doc = document(
            {
                "wait": {"type": "delay", "config": {"for": "P3D"}},
                "at": fields(t="= string(now())"),
            },
            ["trigger -> wait", "wait -> at"],
        )
        before = clock.now()
        run = desk.run(desk.draft(doc), "dry", body={})
        report = desk.report(run)
        at = {one["id"]: one for one in report["steps"]}["at"]["output"]["t"]
        assert datetime.fromisoformat(at) >= before + timedelta(days=3)
        assert report["skipped_to"] is not None
        assert run.finished_at - run.created_at < timedelta(days=1)

    @pytest.mark.parametrize(
        ("port", "comes_to"), [("approved", "tell"), ("rejected", "no"), ("timeout", "no")]
    )
    def test_an_approval_comes_out_as_chosen(self, desk, port, comes_to):
        answers = {
            "approve": {"port": port},
            "pay": {"output": {"status": 200, "headers": {}, "body": {"number": 7}}},
        }
        run = desk.run(desk.draft(FLOW), "dry", body={"amount": 20, "name": "A"}, answers=answers)
        assert comes_to in ran(desk.report(run))

    def test_a_step_that_would_fail_fails(self, desk):
        run = desk.run(desk.draft(FLOW), "dry", body={"amount": 20})
        assert run.status == "failed"
        assert desk.report(run)["error"]["code"] == "expression.missing_path"

    def test_events_and_other_flows_stay_inside(self, desk):
        doc = document(
            {
                "say": {"type": "emit", "config": {"type": "a.b", "data": {"n": 1}}},
                "other": {"type": "subflow", "config": {"flow": "x", "input": {}}},
                "hear": {"type": "wait.event", "config": {"type": "a.c"}},
            },
            ["trigger -> say", "say -> other", "other.done -> hear"],
        )
        run = desk.run(desk.draft(doc), "dry", body={})
        assert run.status == "completed"
        from apps.runs.models import RunState
        from apps.triggers.models import Event

        assert not Event.objects.exists()
        assert Run.objects.count() == 1
        assert not RunState.objects.exists()
        assert {one["type"] for one in desk.report(run)["leaves"]} == {"emit", "subflow"}

    def test_sends_nothing_even_if_asked_to(self, desk):
        with pytest.raises(Invalid, match="sends nothing"):
            desk.plan(desk.draft(FLOW), "dry", body={"amount": 20, "name": "A"}, live=("pay",))

    def test_goes_through_items(self, desk):
        doc = document(
            {
                "each": {"type": "for_each", "config": {"items": "trigger.body.lines"}},
                "one": {**mail("= item.name"), "in": "each"},
            },
            ["trigger -> each", "each.body -> one"],
        )
        body = {"lines": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}
        run = desk.run(desk.draft(doc), "dry", body=body)
        assert desk.report(run)["leaves"] == [{"type": "mail.send", "sent": False, "count": 3}]
        assert run.status == "completed"


class TestRunToHere:
    def test_runs_what_leads_there_and_nothing_else(self, desk):
        flow = desk.draft(FLOW)
        body = {"amount": 20, "name": "A"}
        plan = desk.plan(flow, "to", "pay", body)
        assert plan.announced == ["approve", "pay", "size", "wait"]
        run = desk.run(flow, "to", "pay", body)
        assert executed(run) == set(plan.announced)
        assert run.status == "completed"
        assert not Effect.objects.exists()

    def test_sends_what_was_chosen(self, desk):
        flow = desk.draft(FLOW)
        run = desk.run(flow, "to", "pay", {"amount": 20, "name": "A"}, live=("pay",))
        [effect] = Effect.objects.all()
        assert (effect.run_id, effect.step) == (run.pk, "pay")
        assert effect.input["headers"] == {"X-Key": {"secret": "k"}}

    def test_says_where_it_does_not_come_to(self, desk):
        plan = desk.plan(desk.draft(FLOW), "to", "pay", {"amount": 1})
        assert not plan.as_json(may_see=True)["reaches"]
        assert plan.announced == ["size"]

    def test_what_was_not_announced_never_runs_whatever_is_answered(self, desk):
        """A live answer that leads another way ends the test there."""
        doc = document(
            {
                "ask": call(),
                "which": {
                    "type": "decide",
                    "config": {
                        "branches": [{"port": "ok", "when": "steps.ask.output.status = 200"}],
                        "otherwise": "odd",
                    },
                },
                "good": fields(a=1),
                "bad": mail("Bad"),
                "end": fields(b=1),
            },
            [
                "trigger -> ask",
                "ask.done -> which",
                "which.ok -> good",
                "which.odd -> bad",
                "good -> end",
                "bad.done -> end",
            ],
        )
        flow = desk.draft(doc)
        asked = desk.asked(flow, "to", "end", {}, live=("ask",))
        now = clock.now()
        plan = testing.plan_test(actor=desk.actor, flow_id=flow.pk, asked=asked, now=now)
        assert plan.announced == ["ask", "end", "good", "which"]
        run = testing.start_test(
            actor=desk.actor, flow_id=flow.pk, asked=asked, announced=plan.announced, now=now
        )
        drive_all()
        from apps.runs import commands
        from apps.runs.models import RunState

        Effect.objects.update(status="succeeded")
        commands.add_command(
            run_id=run.pk,
            lane=RunState.objects.get(run_id=run.pk).lane,
            kind="complete",
            payload={
                "step": "ask",
                "visit": 1,
                "port": "done",
                "output": {"status": 204, "headers": {}, "body": {}},
            },
            now=clock.now(),
        )
        drive_all()
        run = Run.objects.get(pk=run.pk)
        assert run.is_final
        assert executed(run) == {"ask", "which"}


class TestRunOnlyThis:
    def test_reads_what_was_recorded_of_the_others(self, desk):
        flow = desk.draft(FLOW)
        answers = {"pay": {"output": {"status": 200, "headers": {}, "body": {"number": 9}}}}
        run = desk.run(flow, "only", "receipt", {"amount": 20, "name": "A"}, answers=answers)
        assert executed(run) == {"receipt"}
        report = desk.report(run)
        assert report["steps"][0]["output"] == {"number": 9}
        assert report["stand_ins"] == [{"id": "pay", "title": "pay"}]

    def test_reads_the_outputs_of_the_run_that_goes_with_the_sample(self, desk):
        flow = desk.draft(FLOW)
        answers = {"pay": {"output": {"status": 200, "headers": {}, "body": {"number": 5}}}}
        first = desk.run(flow, "dry", body={"amount": 20, "name": "A"}, answers=answers)
        kept = samples.keep_run(
            actor=desk.actor, flow_id=flow.pk, run_id=first.pk, name="", now=clock.now()
        )
        asked = testing.Asked(kind="only", step="receipt", sample=kept.pk)
        plan = testing.plan_test(actor=desk.actor, flow_id=flow.pk, asked=asked, now=clock.now())
        assert plan.told.outcomes["receipt"]["output"] == {"number": 5}

    def test_says_of_what_nothing_is_known(self, desk):
        plan = desk.plan(desk.draft(FLOW), "only", "receipt", {"amount": 1})
        assert plan.missing == ["pay"]

    def test_runs_though_the_sample_would_never_lead_there(self, desk):
        run = desk.run(desk.draft(FLOW), "only", "no", {"amount": 1})
        assert executed(run) == {"no"}

    def test_of_a_step_inside_another_runs_both(self, desk):
        doc = document(
            {
                "each": {"type": "for_each", "config": {"items": "trigger.body.lines"}},
                "first": {**fields(n="= item"), "in": "each"},
                "second": {**fields(twice="= steps.first.output.n * 2"), "in": "each"},
            },
            ["trigger -> each", "each.body -> first", "first -> second"],
        )
        flow = desk.draft(doc)
        run = desk.run(flow, "only", "second", {"lines": [4]})
        assert executed(run) == {"each", "second"}
        assert desk.report(run)["steps"][-1]["output"] == {"twice": 8}


class TestATest:
    def test_runs_the_draft_as_it_was_and_keeps_its_hash(self, desk):
        flow = desk.draft(FLOW)
        run = desk.run(flow, "dry", body={"amount": 1})
        pinned = testing.pinned_of(run)
        assert pinned is not None
        assert pinned.hash == document_hash(FLOW)
        assert pinned.document["steps"].keys() == FLOW["steps"].keys()
        with pytest.raises(Exception, match="never changed"):
            type(pinned).objects.update(hash="x")

    def test_counts_nowhere_as_a_real_run(self, desk):
        flow = desk.draft(FLOW)
        run = desk.run(flow, "dry", body={"amount": 20})
        assert run.status == "failed"
        seen = queries.visible_runs(desk.actor)
        assert not queries.filtered(seen, {"flow": str(flow.pk)}).exists()
        assert queries.filtered(seen, {"tests": "true"}).get() == run
        assert queries.latest_runs(desk.actor, [flow.pk]) == {}
        from apps.core.models import Outbox

        assert not Outbox.objects.filter(topic="run.failed").exists()

    def test_cannot_be_done_again(self, desk):
        run = desk.run(desk.draft(FLOW), "dry", body={"amount": 1})
        system = people.actor(people.person(desk.workspace, "operator"), desk.workspace)
        with pytest.raises(Conflict, match="test is not done again"):
            replaying.replay_run(
                actor=system,
                run_id=run.pk,
                from_step="",
                version="own",
                mode="live",
                now=clock.now(),
            )

    def test_is_in_the_trail_with_what_was_announced(self, desk):
        desk.run(desk.draft(FLOW), "dry", body={"amount": 1})
        assert AuditEvent.objects.filter(verb="run.test").count() == 1

    def test_that_is_not_what_was_announced_does_not_start(self, desk):
        flow = desk.draft(FLOW)
        asked = desk.asked(flow, "dry", body={"amount": 1})
        with pytest.raises(testing.PlanChanged):
            testing.start_test(
                actor=desk.actor, flow_id=flow.pk, asked=asked, announced=["size"], now=clock.now()
            )
        assert not Run.objects.exists()

    def test_is_whole_in_its_journal(self, desk):
        """What was given, skipped and answered is there again when the journal is replayed."""
        body = {"amount": 20, "name": "A"}
        run = desk.run(desk.draft(FLOW), "dry", body=body, answers=PAID)
        types = set(RunEvent.objects.filter(run_id=run.pk).values_list("type", flat=True))
        assert {"run.replayed", "time.skipped", "run.completed"} <= types
        assert_replays(run.pk)

    @pytest.mark.parametrize(
        ("answers", "said"),
        [
            ({"approve": {"port": "sideways"}}, "no way out"),
            ({"approve": 3}, "must name"),
            ({"approve": {"what": 1}}, "must name"),
        ],
    )
    def test_with_a_choice_that_does_not_fit_is_refused(self, desk, answers, said):
        with pytest.raises(Invalid, match=said):
            desk.plan(desk.draft(FLOW), "dry", body={"amount": 1}, answers=answers)

    def test_of_no_step_is_refused(self, desk):
        with pytest.raises(Invalid, match="no such step"):
            desk.plan(desk.draft(FLOW), "only", "nothing", {})

    def test_of_a_draft_with_errors_is_refused(self, desk, monkeypatch):
        monkeypatch.undo()
        with pytest.raises(HasErrors):
            desk.plan(desk.draft({**FLOW, "format": "other/9"}), "dry", body={})


@st.composite
def drawn(draw):
    """A flow of decisions, effects, waits and values that only looks back."""
    count = draw(st.integers(2, 7))
    steps, links = {}, []
    for at in range(count):
        kind = draw(st.sampled_from(["decide", "map", "call", "mail", "delay", "approval", "emit"]))
        name = f"s{at}"
        steps[name] = {
            "decide": {
                "type": "decide",
                "config": {
                    "branches": [
                        {"port": "yes", "when": f"trigger.body.n > {draw(st.integers(0, 5))}"}
                    ],
                    "otherwise": "no",
                },
            },
            "map": fields(n="= trigger.body.n"),
            "call": call(body={"n": "= trigger.body.n"}),
            "mail": mail("Hello"),
            "delay": {"type": "delay", "config": {"for": "P1D"}},
            "approval": approval(),
            "emit": {"type": "emit", "config": {"type": "a.b", "data": {}}},
        }[kind]
        ports = {
            "decide": ["yes", "no"],
            "approval": ["approved", "rejected"],
        }.get(kind, ["done"])
        source = draw(st.integers(-1, at - 1))
        if source < 0:
            links.append(f"trigger -> {name}")
        else:
            of = steps[f"s{source}"]["type"]
            port = draw(
                st.sampled_from(
                    {"decide": ["yes", "no"], "approval": ["approved", "rejected"]}.get(
                        of, ["done"]
                    )
                )
            )
            links.append(f"s{source}.{port} -> {name}")
        assert ports
    return document(steps, links)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    doc=drawn(),
    kind=st.sampled_from(["dry", "to", "only"]),
    n=st.integers(0, 6),
    pick=st.integers(0, 6),
    port=st.sampled_from(["approved", "rejected"]),
)
def test_what_runs_is_what_was_announced(desk, doc, kind, n, pick, port):
    flow = desk.draft(doc)
    step = "" if kind == "dry" else f"s{pick % len(doc['steps'])}"
    answers = {
        name: {"port": port} for name, one in doc["steps"].items() if one["type"] == "approval"
    }
    answers = {name: one for name, one in answers.items() if kind != "only" or name == step}
    run = desk.run(flow, kind, step, {"n": n, "name": "A"}, answers=answers)
    assert run.is_final
    pinned = testing.pinned_of(run)
    assert pinned is not None
    assert executed(run) == set(pinned.announced)
    assert not Effect.objects.filter(run_id=run.pk).exists()
    assert_replays(run.pk)


def test_who_may_not_see_data_sees_the_fields_alone():
    value = {"name": "Ada", "lines": [{"price": 3}], "none": None}
    assert samples.hidden(value) == {"name": "•••", "lines": [{"price": "•••"}], "none": None}
