"""Ask people to decide.

Use **Approval** where judgment is needed. The people you name find the task in their inbox,
with the facts that you choose. Silence never approves: after *due* the flow leaves by
`timeout`. Who asked cannot approve unless you allow it. Where one approval after the other is
needed, add stages: each asks its own people once the one before has approved.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeVar

from pydantic import Field, model_validator

from apps.engine.graph import Behaviour
from apps.steps import ladder, task_forms, watching
from apps.steps.deciding import APPROVED, REJECTED
from apps.steps.findings import Flaw, is_template
from apps.steps.outcomes import StepError, WaitForPerson
from apps.steps.registry import (
    Feel,
    PureContext,
    StepModel,
    Template,
    TemplateValue,
    step_type,
)
from apps.steps.types.delay import after, check_duration, due_after

#: Nobody waits longer for what is decided already.
LONGEST_UNDO = timedelta(days=1)
_A_MONDAY = datetime(2001, 1, 1, 9, tzinfo=UTC)


class Assignees(StepModel):
    users: list[Template] = Field(default_factory=list, max_length=50, title="People")
    groups: list[Template] = Field(default_factory=list, max_length=50, title="Groups")


class Duties(StepModel):
    author: Literal["by_risk", "yes", "no"] = Field(
        "by_risk",
        title="Who wrote the flow may not decide",
        json_schema_extra={
            "x-labels": {
                "by_risk": "Where its risk is high, or not said",
                "yes": "Always",
                "no": "They may",
            }
        },
    )
    twice: bool = Field(False, title="Nobody decides twice in one run")
    department: bool = Field(False, title="Nobody of the department of who asks")
    four_eyes: bool = Field(False, title="Two people at least")


class Deciders(Assignees):
    manager_of: Feel | None = Field(
        None,
        title="Whose manager",
        description="A mail address, such as that of who asks. Who leads them today decides.",
    )
    pick: Literal["all", "round_robin", "least_loaded"] = Field(
        "all",
        title="Who of them",
        json_schema_extra={
            "x-labels": {
                "all": "All of them",
                "round_robin": "One after the other",
                "least_loaded": "Who has least to do",
            }
        },
    )


class FirstAnswer(StepModel):
    any: Literal[1] = Field(1, title="The first answer decides")


class All(StepModel):
    all: Literal[True] = Field(True, title="All must approve")


class AtLeast(StepModel):
    n: int = Field(ge=1, le=50, title="How many must approve")


class Share(StepModel):
    percent: int = Field(ge=1, le=100, title="How many per cent must approve")


class Weight(StepModel):
    weight: int = Field(ge=1, le=10_000, title="How much weight must approve")


class Majority(StepModel):
    majority: Literal[True] = Field(
        True,
        title="All answer, then the majority",
        description="It waits for every answer. As many for it as against it is a rejection.",
    )


class RejectedByOne(StepModel):
    any: Literal[1] = Field(1, title="One is enough")


class RejectedByAll(StepModel):
    all: Literal[True] = Field(True, title="Only all together")


class RejectedBySome(StepModel):
    n: int = Field(ge=1, le=50, title="So many")


class RejectedByShare(StepModel):
    percent: int = Field(ge=1, le=100, title="So many per cent")


class RejectedByWeight(StepModel):
    weight: int = Field(ge=1, le=10_000, title="So much weight")


class Weighed(StepModel):
    who: Template = Field(min_length=1, max_length=254, title="Person or group")
    weight: int = Field(ge=1, le=1000, title="Counts as much as")


class Outcome(StepModel):
    port: str = Field(pattern=r"^[a-z][a-z0-9_]{0,62}$", title="Way out")
    label: str = Field(min_length=1, max_length=40, title="What the button says")
    side: Literal["for", "against", "back"] = Field(
        "for",
        title="Counts",
        json_schema_extra={
            "x-labels": {"for": "For it", "against": "Against it", "back": "Sends it back"}
        },
    )


class Bulk(StepModel):
    max: int = Field(ge=2, le=100, title="How many at most")
    amount_label: str = Field(
        min_length=1,
        max_length=100,
        title="Fact that says how much",
        description="The label of one of the facts; its value is a number.",
    )
    amount_limit: float = Field(gt=0, title="Each below")
    high_risk: bool = Field(
        False,
        title="Also where the risk is high",
        description="A flow that says nothing of its risk counts as high.",
    )


class Fact(StepModel):
    label: str = Field(min_length=1, max_length=100, title="Label")
    value: TemplateValue = Field("", title="Value")


Rule = FirstAnswer | All | AtLeast | Share | Weight | Majority
Rejection = (
    RejectedByOne | RejectedByAll | RejectedBySome | RejectedByShare | RejectedByWeight | None
)


class Stage(StepModel):
    title: Template = Field("", max_length=100, title="Name of the stage", examples=["Finance"])
    assignees: Deciders = Field(title="Who decides", json_schema_extra={"x-widget": "people"})
    fallback: list[Template] = Field(
        default_factory=list, max_length=10, title="Groups that stand in"
    )
    rule: Rule = Field(default_factory=FirstAnswer, title="Rule")
    rejection: Rejection = Field(None, title="How many reject it")
    weights: list[Weighed] = Field(
        default_factory=list,
        max_length=50,
        title="Whose answer counts for more",
        json_schema_extra={"x-widget": "rows"},
    )
    veto: Assignees | None = Field(
        None, title="Whose rejection is enough", json_schema_extra={"x-widget": "people"}
    )
    due: Template | None = Field(
        None,
        title="Due after",
        description="From when this stage begins; where nothing is written, as long as the first.",
        examples=["P2D", "PT4H"],
        json_schema_extra={"x-feel": "template", "x-widget": "duration"},
    )

    @model_validator(mode="after")
    def _somebody(self) -> "Stage":
        return _with_somebody(self, self.assignees)


class Config(StepModel):
    title: Template = Field(min_length=1, max_length=300, title="What is asked")
    details: Template = Field(
        "",
        max_length=10_000,
        title="Details",
        json_schema_extra={"x-feel": "template", "x-widget": "markdown"},
    )
    assignees: Deciders = Field(title="Who decides", json_schema_extra={"x-widget": "people"})
    fallback: list[Template] = Field(
        default_factory=list,
        max_length=10,
        title="Groups that stand in",
        description="Asked where nobody else may decide, or no manager is known.",
    )
    duties: Duties = Field(default_factory=Duties, title="Who may not decide")
    rule: Rule = Field(default_factory=FirstAnswer, title="Rule")
    rejection: Rejection = Field(
        None,
        title="How many reject it",
        description="Where nothing is chosen, it is rejected once it cannot be approved any more.",
    )
    outcomes: list[Outcome] = Field(
        default_factory=list,
        max_length=8,
        title="Answers",
        description="Where none is named, people approve or reject.",
        json_schema_extra={"x-widget": "rows"},
    )
    weights: list[Weighed] = Field(
        default_factory=list,
        max_length=50,
        title="Whose answer counts for more",
        json_schema_extra={"x-widget": "rows"},
    )
    veto: Assignees | None = Field(
        None, title="Whose rejection is enough", json_schema_extra={"x-widget": "people"}
    )
    due: Template | None = Field(
        None,
        title="Due after",
        examples=["P2D", "PT4H"],
        json_schema_extra={"x-feel": "template", "x-widget": "duration"},
    )
    business: bool = Field(
        False,
        title="Due in working time",
        description="By the working calendar of the workspace: only its hours and days count.",
    )
    respond: Template | None = Field(
        None,
        title="First reaction within",
        description="Until somebody takes it, answers or asks back.",
        examples=["PT4H"],
        json_schema_extra={"x-feel": "template", "x-widget": "duration"},
    )
    respond_business: bool = Field(False, title="First reaction in working time")
    undo_for: Template | None = Field(
        None,
        title="Answers can be taken back for",
        description="Once it is decided, it is held for so long, a day at most, and goes on only"
        " then. Each stage is held on its own.",
        examples=["PT15M", "PT1H"],
        json_schema_extra={"x-feel": "template", "x-widget": "duration"},
    )
    warnings: ladder.Warnings = Field(
        default_factory=lambda: list(ladder.WARNINGS),
        max_length=5,
        title="Remind at per cent of each limit",
        description="Who has not answered is reminded then.",
    )
    escalation: list[ladder.Rung] = Field(
        default_factory=list,
        max_length=10,
        title="What happens while nobody answers",
        description="Each line happens once, for each stage anew. Silence never approves.",
        json_schema_extra={"x-widget": "rows"},
    )
    stages: list[Stage] = Field(
        default_factory=list,
        max_length=9,
        title="Stages after this one",
        description="Each is asked once the one before has approved. One rejection ends it all.",
        json_schema_extra={"x-widget": "rows"},
    )
    fields: list[Fact] = Field(
        default_factory=list,
        max_length=50,
        title="Facts to decide by",
        json_schema_extra={"x-widget": "rows"},
    )
    form: task_forms.TaskForm = Field(
        default_factory=dict,
        title="Form to fill in",
        description="What people fill in with their answer. Of stages, those of the first.",
    )
    initial: task_forms.Beforehand = Field(
        default_factory=dict,
        title="Filled in beforehand",
        description="By the short names of the questions; people can change it.",
    )
    form_for: list[str] = Field(
        default_factory=list,
        max_length=8,
        title="Answers that need the form",
        description="By their ways out; where none is named, those for it.",
    )
    bulk: Bulk | None = Field(
        None,
        title="Answered together",
        description="Lets people answer several of these at once. Each is checked as if alone.",
    )
    watch: watching.Watch | None = Field(
        None,
        title="Facts that may change meanwhile",
        description="An event changes facts while people decide; what they saw before is kept.",
    )
    requester: Feel | None = Field(None, title="Who asks")
    allow_requester: bool = Field(False, title="Who asks may decide")

    @model_validator(mode="after")
    def _somebody(self) -> "Config":
        return _with_somebody(self, self.assignees)

    @model_validator(mode="after")
    def _amount(self) -> "Config":
        if self.bulk and self.bulk.amount_label not in {one.label for one in self.fields}:
            raise ValueError(
                f"“{self.bulk.amount_label}” is not the label of a fact; name one of the facts."
            )
        return self

    @model_validator(mode="after")
    def _watched(self) -> "Config":
        if self.watch:
            watching.refuse_unknown(self.watch, [one.label for one in self.fields])
        return self

    @model_validator(mode="after")
    def _answers(self) -> "Config":
        ports = [one.port for one in self.outcomes]
        if len(set(ports)) < len(ports):
            raise ValueError("Two answers have the same way out; give each its own.")
        if taken := {"timeout", "error"} & set(ports):
            raise ValueError(f"“{min(taken)}” is not an answer; choose another name.")
        if ports and not {"for", "against"} <= {one.side for one in self.outcomes}:
            raise ValueError("Name at least one answer for it and one against it.")
        if unknown := set(self.form_for) - set(ports or YES_AND_NO):
            raise ValueError(f"“{min(unknown)}” is none of the answers; name their ways out.")
        return self


#: The answers where none is named.
YES_AND_NO: tuple[str, ...] = (APPROVED, REJECTED)
#: What the step asks, as the run keeps it.
Request = dict[str, Any]
Asking = TypeVar("Asking", Config, Stage)


def _with_somebody(asking: Asking, named: Deciders) -> Asking:
    if not named.users and not named.groups and not named.manager_of:
        raise ValueError("Name at least one person or group who decides.")
    return asking


class Output(StepModel):
    outcome: str
    by: str
    comment: str
    at: str
    decisions: list[dict[str, Any]]
    #: What was filled in with the last answer that fits; see the config's form.
    answers: dict[str, Any]


def check(config: Mapping[str, Any]) -> Iterator[Flaw]:
    """The times to decide, where they are written out."""
    yield from check_duration(config, "due")
    yield from _check_undo(config)
    yield from ladder.check(config)
    yield from watching.check(config)
    yield from task_forms.check(config)
    if config.get("bulk") and task_forms.output_of(config) is not None:
        yield Flaw(
            "form_in_bulk",
            ("bulk",),
            "Where a form is filled in, each is answered alone; nobody can answer several at once.",
            "Remove the form, or do not let these be answered together.",
            severity="warning",
        )
    stages = config.get("stages")
    for index, stage in enumerate(stages if isinstance(stages, list) else []):
        if isinstance(stage, Mapping):
            timed = {"due": stage.get("due"), "business": config.get("business")}
            for flaw in check_duration(timed, "due"):
                yield replace(flaw, path=("stages", index, *flaw.path))


def _check_undo(config: Mapping[str, Any]) -> Iterator[Flaw]:
    """How long it can be taken back: some time, and not so long that nobody waits for it."""
    text = config.get("undo_for")
    if not isinstance(text, str) or not text or is_template(text):
        return
    flaws = list(check_duration({"undo_for": text}, "undo_for"))
    yield from flaws
    if flaws:
        return
    try:
        undo_seconds(_A_MONDAY, text)
    except StepError as wrong:
        yield Flaw(
            wrong.code,
            ("undo_for",),
            wrong.message,
            "Write a time of at most a day, such as PT15M or PT1H; or leave it out.",
        )


def undo_seconds(start: datetime, text: str) -> int:
    """For how many seconds a decision is held.

    Raises:
        StepError: It is no duration, none at all, or more than a day.
    """
    held = after(start, text) - start
    if not timedelta(0) < held <= LONGEST_UNDO:
        raise StepError(
            "bad_undo_for", "Answers can be taken back for more than no time, and at most a day."
        )
    return max(1, round(held.total_seconds()))


@step_type(
    kind="approval",
    version=1,
    title="Approval",
    category="People",
    icon="user-check",
    behaviour=Behaviour.WAIT,
    ports="outcomes[].port:approved rejected, :timeout",
    config=Config,
    output=Output,
    default_config={
        "title": "",
        "assignees": {"users": [], "groups": []},
        "rule": {"any": 1},
        "due": "P2D",
    },
    must_link=("rejected", "timeout"),
    check=check,
    fails_unlinked=("timeout",),
    answers_of=task_forms.output_of,
)
def run(config: Config, ctx: PureContext) -> WaitForPerson:
    due: datetime | None = None
    if config.due:
        due = due_after(ctx, config.due, business=config.business)
    needs = config.form_for or [one.port for one in config.outcomes if one.side == "for"]
    return WaitForPerson(
        {
            "title": config.title,
            "details": config.details,
            **_people(config, config, ctx),
            # By the calendar of who is asked, where the whole question is theirs.
            "due_in": config.due if config.business and config.due else None,
            "duties": config.duties.model_dump(),
            "due_at": due.isoformat() if due else None,
            "limits": ladder.asked(config, ctx),
            **({"undo_seconds": undo_seconds(ctx.now, config.undo_for)} if config.undo_for else {}),
            "fields": [fact.model_dump() for fact in config.fields],
            "requester": requester_of(config.requester, ctx),
            "allow_requester": config.allow_requester,
            **task_forms.asked(config.form, config.initial, needs or [APPROVED]),
            **({"stages": _stages(config, ctx)} if config.stages else {}),
            **(_watched(config, ctx) if config.watch else {}),
        }
    )


def requester_of(expression: str | None, ctx: PureContext) -> str:
    """Who asks: what the expression says, else who started the run; empty where nobody is known.

    Raises:
        StepError: It gives no mail address.
    """
    requester = ctx.evaluate(expression) if expression else ctx.requester()
    if requester is not None and not isinstance(requester, str):
        raise StepError(
            "bad_requester", "Who asks must be a mail address; the expression gave something else."
        )
    return requester or ""


def _watched(config: Config, ctx: PureContext) -> Request:
    assert config.watch is not None  # noqa: S101 - asked where there is one
    due, business = config.due, config.business
    return {"watch": watching.watched(config.watch, due, ctx, business=business)}


def _people(asking: Config | Stage, config: Config, ctx: PureContext) -> Request:
    """Who is asked and how many of them it takes, of the question or one of its later stages."""
    return {
        "users": list(asking.assignees.users),
        "manager_of": led_by(asking.assignees, ctx),
        "pick": asking.assignees.pick,
        "fallback": list(asking.fallback),
        "groups": list(asking.assignees.groups),
        "rule": _rule(asking, config),
        "weights": [one.model_dump() for one in asking.weights],
        "veto": (asking.veto or Assignees()).model_dump(),
    }


def _stages(config: Config, ctx: PureContext) -> list[Request]:
    """What the later stages ask. Their time begins when they do, so that it is kept as written."""
    found = []
    for stage in config.stages:
        due = stage.due or config.due
        if due:
            due_after(ctx, due, business=config.business)  # it must be one
        found.append(
            {
                "title": stage.title,
                **_people(stage, config, ctx),
                "due": due or None,
                "business": config.business,
                "limits": ladder.asked(config, ctx),
            }
        )
    return found


def led_by(assignees: Deciders, ctx: PureContext) -> str | None:
    """Whose manager is asked; None where the step asks for no manager."""
    if not assignees.manager_of:
        return None
    led = ctx.evaluate(assignees.manager_of)
    # Whom nobody knows has no manager that is known: the group that stands in is asked.
    return led if isinstance(led, str) else ""


def _rule(asking: Config | Stage, config: Config) -> dict[str, Any]:
    """What a task keeps of how it is decided; see ``steps.deciding``."""
    rule = asking.rule.model_dump()
    if asking.rejection is not None:
        rule["rejection"] = asking.rejection.model_dump()
    if config.outcomes:
        rule["choices"] = [one.model_dump() for one in config.outcomes]
    return rule
