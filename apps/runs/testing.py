"""Try a draft out: a step alone, up to a step, or all of it without anything leaving.

``plan_test`` says what will run; ``start_test`` starts exactly that, as a run of its own that is
marked as a test, pinned to the document it tries (``flows.TestDocument``), journaled and trailed
as every run is. Nothing of production waits for it or counts it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.db import transaction

from apps.accounts.actors import Actor
from apps.accounts.permissions import require
from apps.accounts.queries import calendar_of, zone_of
from apps.audit.commands import record
from apps.audit.records import Target
from apps.core import live as live_channel
from apps.core.errors import Conflict, Invalid, NotFound
from apps.core.models import uuid7
from apps.core.sentences import error_said
from apps.engine import events as ev
from apps.engine import feel, values
from apps.engine.graph import Behaviour
from apps.flows.checks import HOPELESS, findings_of
from apps.flows.commands import HasErrors
from apps.flows.models import Draft, FlowState, TestDocument
from apps.flows.queries import get_draft
from apps.runs import foreseeing, narrowing, samples
from apps.runs.commands import enqueue_run, run_values
from apps.runs.foreseeing import Told, World
from apps.runs.given import HEARD_OUTSIDE
from apps.runs.models import Run
from apps.runs.queries import journal
from apps.runs.trying import TEST
from apps.steps.document import EVERYTHING, CompiledFlow, compile_flow
from apps.steps.findings import Finding, errors_in
from apps.steps.format import document_hash
from apps.steps.outcomes import StepError

Kind = Literal["dry", "to", "only"]
#: What a test may carry beside the document.
MOST_BYTES = 4 * 1024 * 1024
#: What a part that is tried need not have: where its ways out lead.
_NOT_OF_A_PART = frozenset(
    {"unlinked_port", "unreachable", "no_way_out", "leftover_token", "unbounded_loop"}
)


class PlanChanged(Conflict):
    """What would run now is not what was announced; ``plan`` says what would."""

    code = "plan_changed"


@dataclass(frozen=True)
class Asked:
    """What is to be tried, and how what would leave it is answered."""

    kind: Kind
    step: str = ""
    sample: UUID | None = None
    #: By step: ``{port?, output?}``.
    answers: Mapping[str, Any] = field(default_factory=dict)
    #: Effects that are really sent.
    live: Sequence[str] = ()


@dataclass(frozen=True)
class Plan:
    """What a test run will do. ``given`` is what its journal will begin with."""

    asked: Asked
    draft: Draft
    document: Mapping[str, Any]
    flow: CompiledFlow
    given: Mapping[str, Any]
    trigger: Mapping[str, Any]
    told: Told
    sample_run: UUID | None
    #: Steps whose recorded outcome stands in for them, and such as nothing is known of.
    stand_ins: Sequence[str]
    missing: Sequence[str]

    @property
    def announced(self) -> list[str]:
        """The ids of the steps that will run, in order of their names."""
        return sorted(self.told.times)

    def as_json(self, *, may_see: bool) -> dict[str, Any]:
        """As people are told of it; values only for those who may see data."""
        steps = foreseeing.shown(self.flow, self.told, self.asked.live)
        titles = self.draft.document["steps"]
        return {
            "kind": self.asked.kind,
            "step": self.asked.step,
            "hash": document_hash(self.draft.document),
            "revision": self.draft.revision,
            "steps": steps if may_see else [_veiled(one) for one in steps],
            "leaves": foreseeing.would_leave(steps),
            "stand_ins": [_named(titles, one) for one in self.stand_ins],
            "missing": [_named(titles, one) for one in self.missing],
            "reaches": not self.asked.step or self.asked.step in self.told.times,
            "ends": self.told.ended,
            "error": error_said(self.told.error),
            "skipped_to": self.told.skipped_to or None,
        }


def plan_test(*, actor: Actor, flow_id: UUID, asked: Asked, now: datetime) -> Plan:
    """What trying the draft out would do. Changes nothing.

    Raises:
        NotFound, Forbidden: As ``accounts.permissions.require``; there is no such sample.
        HasErrors: What is to be tried has errors.
        Invalid: There is no such step; an answer or a choice does not fit.
    """
    require(actor, "flow.run", flow_id)
    draft = get_draft(actor, flow_id)
    if draft.flow.state == FlowState.ARCHIVED:
        raise Conflict("The flow is archived; duplicate it to try it out.")
    return _planned(actor, draft, asked, now)


@transaction.atomic
def start_test(
    *, actor: Actor, flow_id: UUID, asked: Asked, announced: Sequence[str], now: datetime
) -> Run:
    """Start a test run of what was announced.

    Args:
        announced: The ids of the steps that the actor was told would run.

    Raises:
        PlanChanged: Something else would run by now.
        As ``plan_test``.
    """
    plan = plan_test(actor=actor, flow_id=flow_id, asked=asked, now=now)
    if plan.announced != sorted(set(announced)):
        raise PlanChanged(
            "The flow has changed since: other steps would run now. Look at them and start again.",
            plan=plan.as_json(may_see=samples.may_see(actor, flow_id)),
        )
    run_id, document_id = uuid7(), uuid7()
    replay = {
        "of": str(plan.sample_run or ""),
        "from_step": asked.step,
        "mode": TEST,
        "given": plan.given,
    }
    payload = values.dumps(
        {
            "trigger": {**plan.trigger, "id": str(run_id)},
            "started_by": actor.email,
            "replay": replay,
        }
    )
    if len(payload) > MOST_BYTES:
        raise Invalid("The sample with what its steps gave is over 4 MB; choose a smaller one.")
    flow = plan.draft.flow
    digest = document_hash(plan.draft.document)
    TestDocument.objects.create(
        id=document_id,
        flow=flow,
        workspace_id=flow.workspace_id,
        run_id=run_id,
        kind=asked.kind,
        step=asked.step,
        hash=digest,
        revision=plan.draft.revision,
        document=plan.draft.document,
        runs=plan.document,
        announced=plan.announced,
        created_at=now,
    )
    parameters = run_values(
        run_id=run_id,
        workspace_id=flow.workspace_id,
        flow_id=flow.pk,
        version_id=document_id,
        trigger_type=TEST,
        payload=payload,
        now=now,
        held=False,
        started_by=actor.email,
    )
    enqueue_run(parameters={**parameters, "format": ev.TEST_FORMAT})
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb="run.test",
        target=Target("run", str(run_id), flow.name),
        details={
            "flow": str(flow.pk),
            "kind": asked.kind,
            "step": asked.step,
            "hash": digest,
            "steps": plan.announced[:200],
            "sent": sorted(asked.live),
        },
        flow_id=flow.pk,
        now=now,
    )
    live_channel.publish(flow.workspace_id, "run", [run_id])
    return Run.objects.get(pk=run_id)


def pinned_of(run: Run) -> TestDocument | None:
    """What a test run tries; None of any other run."""
    if run.trigger_type != TEST:
        return None
    return TestDocument.objects.filter(run_id=run.pk).first()


def report_of(run: Run, *, may_see: bool) -> dict[str, Any]:
    """What a test run did, from its journal, in the words in which it was announced.

    Raises:
        NotFound: It is no test run.
    """
    pinned = pinned_of(run)
    if pinned is None:
        raise NotFound("This run is no test.")
    events = [ev.from_row(row.type, row.step, dict(row.data)) for row in journal(run)]
    given = next((one.given for one in events if isinstance(one, ev.RunReplayed)), {})
    live = given.get("live", ())
    flow = compile_flow(pinned.runs)
    told = foreseeing.tell(events, given.get("stand_ins", ()))
    steps = foreseeing.shown(flow, told, live)
    return {
        "run": run.pk,
        "status": run.status,
        "kind": pinned.kind,
        "step": pinned.step,
        "hash": pinned.hash,
        "revision": pinned.revision,
        "document": pinned.document,
        "announced": pinned.announced,
        "steps": steps if may_see else [_veiled(one) for one in steps],
        "leaves": foreseeing.would_leave(steps),
        "stand_ins": [_named(pinned.document["steps"], one) for one in given.get("stand_ins", ())],
        "reaches": not pinned.step or pinned.step in told.times,
        "error": error_said(run.error),
        "skipped_to": told.skipped_to or None,
    }


def known_values(actor: Actor, draft: Draft, sample: samples.Found, now: datetime) -> Any:
    """What expressions of the draft read with a sample: recorded where recorded, else foreseen."""
    recorded = samples.recorded(actor, sample)
    steps = {
        name: {part: one[part] for part in ("output", "error") if one[part] is not None}
        for name, one in recorded.items()
    }
    try:
        flow = _compiled(narrowing.whole(draft.document))
        given = {"stand_ins": {}, "answers": _answers(flow, recorded, {}), "live": []}
        events = foreseeing.foresee(flow, sample.trigger, given, _world(actor, draft, now))
    except HasErrors:
        events = []
    for name, outcome in foreseeing.tell(events).outcomes.items():
        found: dict[str, Any] = {
            part: outcome[part] for part in ("output", "error") if part in outcome
        }
        steps.setdefault(name, found)
    run_id = str(sample.run_id or sample.id)
    return {
        "trigger": sample.trigger,
        "steps": steps,
        "run": {"id": run_id, "started_at": sample.at.isoformat()},
    }


def _planned(actor: Actor, draft: Draft, asked: Asked, now: datetime) -> Plan:
    document = draft.document
    drawn = document.get("steps")
    is_known = isinstance(drawn, Mapping) and asked.step in drawn
    if asked.kind != "dry" and not is_known:
        raise Invalid("There is no such step in the draft; choose another one.")
    part = _static_part(draft, asked)
    sample = _sample(actor, draft, asked)
    recorded = samples.recorded(actor, sample) if sample is not None else {}
    trigger = sample.trigger if sample is not None else _nothing(document, now)
    world = _world(actor, draft, now)
    flow = _compiled(part)
    answers = _answers(flow, recorded, asked.answers)
    given: dict[str, Any] = {"stand_ins": {}, "answers": answers, "live": []}
    told = foreseeing.tell(foreseeing.foresee(flow, trigger, given, world))
    missing: list[str] = []
    if asked.kind == "to":
        part = narrowing.walked(part, told.times, told.links)
    elif asked.kind == "only":
        known = {**_outputs(recorded), **_outputs(told.outcomes)}
        given["stand_ins"], missing = _stand_ins(document, flow, asked.step, known)
        part = narrowing.alone(document, asked.step, list(given["stand_ins"]))
    if asked.kind != "dry":
        flow = _compiled(part)
        answers = _answers(flow, recorded, asked.answers)
        given["answers"] = answers
        events = foreseeing.foresee(flow, trigger, given, world)
        told = foreseeing.tell(events, given["stand_ins"])
    _check_live(flow, asked, told)
    given["live"] = sorted(set(asked.live))
    return Plan(
        asked=asked,
        draft=draft,
        document=part,
        flow=flow,
        given=given,
        trigger=trigger,
        told=told,
        sample_run=sample.run_id if sample is not None else None,
        stand_ins=list(given["stand_ins"]),
        missing=missing,
    )


def _static_part(draft: Draft, asked: Asked) -> narrowing.Drawn:
    """What of the draft can run at all, if nothing is wrong with it."""
    found = errors_in(findings_of(draft.flow, draft.document))
    hopeless = [one for one in found if one.code in HOPELESS]
    if hopeless or not isinstance(draft.document.get("steps"), Mapping):
        raise _has_errors(hopeless or found)
    if asked.kind == "dry":
        # How it is started is no matter: a sample starts it.
        errors = [one for one in found if one.step != "trigger" or "/config" not in one.path]
        part = narrowing.whole(draft.document)
    else:
        part = narrowing.up_to(draft.document, asked.step)
        names = {asked.step, *narrowing.containers_of(draft.document, asked.step)}
        names |= set(part["steps"]) if asked.kind == "to" else set()
        errors = [one for one in found if one.step in names and one.code not in _NOT_OF_A_PART]
    if errors:
        raise _has_errors(errors)
    return part


def _has_errors(found: Iterable[Finding]) -> HasErrors:
    rows = [one.as_json() for one in found]
    first = f" {rows[0]['message']}" if rows else ""
    return HasErrors(f"This cannot be tried out yet.{first}", findings=rows)


def _compiled(document: Mapping[str, Any]) -> CompiledFlow:
    try:
        return compile_flow(document)
    except (LookupError, TypeError, ValueError, AttributeError, StepError, feel.FeelError) as wrong:
        raise _has_errors([]) from wrong


def _sample(actor: Actor, draft: Draft, asked: Asked) -> samples.Found | None:
    if asked.sample is None:
        return None
    return samples.get_sample(actor, draft.flow_id, asked.sample)


def _nothing(document: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What a flow is tried with where no sample was chosen."""
    trigger = document.get("trigger")
    kind = trigger.get("type") if isinstance(trigger, Mapping) else None
    return {
        "type": kind or "manual",
        "id": "",
        "received_at": now.isoformat(),
        "body": {},
        "headers": {},
        "query": {},
    }


def _world(actor: Actor, draft: Draft, now: datetime) -> World:
    workspace_id = draft.flow.workspace_id
    return World(
        workspace_id=workspace_id,
        flow_id=draft.flow_id,
        started_by=actor.email,
        now=now,
        zone=zone_of(workspace_id),
        calendar=calendar_of(workspace_id),
    )


def _answers(
    flow: CompiledFlow, recorded: Mapping[str, Any], chosen: Mapping[str, Any]
) -> dict[str, Any]:
    """How each step that would leave the run is answered: as chosen, else as recorded.

    Raises:
        Invalid: A choice that does not fit its step.
    """
    found: dict[str, Any] = {}
    for name, step in flow.steps.items():
        is_effect = step.type.behaviour is Behaviour.EFFECT
        if not (
            is_effect or step.type.behaviour is Behaviour.WAIT or step.type.kind in HEARD_OUTSIDE
        ):
            continue
        ports = {*step.ports, *(("error",) if is_effect else ())}
        was = recorded.get(name) or {}
        port = "error" if was.get("error") else was.get("port")
        answer: dict[str, Any] = {}
        if port in ports:
            answer = {"port": port, "output": was.get("output")}
            if was.get("error"):
                answer["error"] = was["error"]
        if name in chosen:
            answer = _chosen(step.title, ports, chosen[name], answer)
        found[name] = answer
    return found


def _chosen(title: str, ports: set[str], choice: Any, was: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(choice, Mapping) or set(choice) - {"port", "output"}:
        raise Invalid(f"The answer of “{title}” must name a way out, an output or both.")
    port = choice.get("port") or was.get("port")
    if port is not None and port not in ports:
        raise Invalid(f"“{title}” has no way out “{str(port)[:60]}”.")
    answer = dict(was) if port == was.get("port") else {}
    if port is not None:
        answer["port"] = port
    if "output" in choice:
        try:
            values.check(choice["output"])
        except values.NotJson as wrong:
            raise Invalid(f"The answer of “{title}” cannot be kept: {wrong}") from wrong
        answer["output"] = choice["output"]
    return answer


def _outputs(outcomes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: one["output"] for name, one in outcomes.items() if one.get("output") is not None}


def _stand_ins(
    document: Mapping[str, Any], flow: CompiledFlow, step: str, known: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Of the steps that one reads, those whose output is known, and those of which nothing is."""
    part = {step, *narrowing.containers_of(document, step)}
    part |= {name for name in flow.steps if step in narrowing.containers_of(document, name)}
    reads = frozenset[str]().union(*(flow.steps[name].reads for name in part))
    wanted = [
        name
        for name in document["steps"]
        if (name in reads or EVERYTHING in reads)
        and name not in part
        and narrowing.can_stand_in(document, name, step)
    ]
    found = {name: {"port": "done", "output": known[name]} for name in wanted if name in known}
    return found, [name for name in wanted if name not in found and name in reads]


def _check_live(flow: CompiledFlow, asked: Asked, told: Told) -> None:
    if not asked.live:
        return
    if asked.kind == "dry":
        raise Invalid("A dry run sends nothing; run a part of the flow to send something.")
    for name in asked.live:
        step = flow.steps.get(name)
        if step is None or name not in told.times or step.type.behaviour is not Behaviour.EFFECT:
            raise Invalid(f"“{str(name)[:63]}” is no step of this test that sends something.")


def _named(steps: Mapping[str, Any], name: str) -> dict[str, str]:
    return {"id": name, "title": steps.get(name, {}).get("title") or name}


def _veiled(step: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **step,
        "given": [samples.hidden(one) for one in step["given"]],
        "output": samples.hidden(step["output"]),
    }
