"""Ask somebody for details.

Use **Ask for details** where something has to be filled in or put right: who asked for it, unless
you name others, finds your form in the inbox and in *My requests*. What is known already can be
filled in beforehand, so that a request which was sent back is corrected rather than written anew.
Silence never counts as filled in: after *due* the flow leaves by `timeout`.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pydantic import Field, model_validator

from apps.engine.graph import Behaviour
from apps.steps import forms, ladder, task_forms
from apps.steps.deciding import SUBMITTED
from apps.steps.findings import Flaw, at
from apps.steps.outcomes import WaitForPerson
from apps.steps.registry import Feel, PureContext, StepModel, Template, step_type
from apps.steps.types.approval import Assignees, Deciders, Fact, Output, led_by, requester_of
from apps.steps.types.delay import check_duration, due_after

#: The one answer there is. It counts for it, and who gives it decides nothing.
RULE: Mapping[str, Any] = {
    "any": 1,
    "choices": [{"port": SUBMITTED, "label": "", "side": "for"}],
}
#: Nobody is kept from filling in a form.
NO_DUTIES: Mapping[str, Any] = {"author": "no"}


class Config(StepModel):
    title: Template = Field(
        min_length=1,
        max_length=300,
        title="What is asked",
        examples=["Please correct your request"],
    )
    details: Template = Field(
        "",
        max_length=10_000,
        title="Details",
        json_schema_extra={"x-feel": "template", "x-widget": "markdown"},
    )
    assignees: Deciders = Field(
        default_factory=Deciders,
        title="Who fills it in",
        description="Where nobody is named, who asked for it.",
        json_schema_extra={"x-widget": "people"},
    )
    fallback: list[Template] = Field(
        default_factory=list,
        max_length=10,
        title="Groups that stand in",
        description="Asked where nobody else can be, or it is not known who asked.",
    )
    form: task_forms.TaskForm = Field(title="Form to fill in")
    initial: task_forms.Beforehand = Field(
        default_factory=dict,
        title="Filled in beforehand",
        description="By the short names of the questions; people can change it.",
    )
    fields: list[Fact] = Field(
        default_factory=list,
        max_length=50,
        title="Facts to read beside it",
        json_schema_extra={"x-widget": "rows"},
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
    warnings: ladder.Warnings = Field(
        default_factory=lambda: list(ladder.WARNINGS),
        max_length=5,
        title="Remind at per cent of the time",
        description="Who has not answered is reminded then.",
    )
    escalation: list[ladder.PlainRung] = Field(
        default_factory=list,
        max_length=10,
        title="What happens while nobody answers",
        description="Each line happens once. Silence never counts as filled in.",
        json_schema_extra={"x-widget": "rows"},
    )
    requester: Feel | None = Field(None, title="Who asked")

    @property
    def respond(self) -> str | None:
        """There is one limit."""
        return None

    @property
    def respond_business(self) -> bool:
        """There is one limit."""
        return False

    @model_validator(mode="after")
    def _asks(self) -> "Config":
        if not forms.fields_of(self.form):
            raise ValueError("The form asks nothing; add a question.")
        return self


def check(config: Mapping[str, Any]) -> Iterator[Flaw]:
    """The time to answer where it is written out, and what could not be filled in."""
    yield from check_duration(config, "due")
    yield from ladder.check(config)
    yield from task_forms.check(config)
    named = at(config, "assignees") or {}
    if not any(at(named, one) for one in ("users", "groups", "manager_of")) and (
        not config.get("requester") and not config.get("fallback")
    ):
        yield Flaw(
            "nobody_if_unknown",
            ("fallback",),
            "Where it is not known who asked, nobody can be asked, and the step fails.",
            "Name a group that stands in, or people.",
            "warning",
        )


@step_type(
    kind="fill_in",
    version=1,
    title="Ask for details",
    category="People",
    icon="forms",
    behaviour=Behaviour.WAIT,
    ports=(SUBMITTED, "timeout"),
    config=Config,
    output=Output,
    default_config={
        "title": "",
        "form": {"type": "object", "properties": {}},
        "due": "P2D",
    },
    must_link=("timeout",),
    check=check,
    fails_unlinked=("timeout",),
    answers_of=task_forms.output_of,
)
def run(config: Config, ctx: PureContext) -> WaitForPerson:
    due: datetime | None = None
    if config.due:
        due = due_after(ctx, config.due, business=config.business)
    requester, named = requester_of(config.requester, ctx), config.assignees
    users = list(named.users)
    if not (named.users or named.groups or named.manager_of) and requester:
        users = [requester]
    return WaitForPerson(
        {
            "kind": "fill_in",
            "title": config.title,
            "details": config.details,
            "users": users,
            "groups": list(named.groups),
            "manager_of": led_by(named, ctx),
            "pick": named.pick,
            "fallback": list(config.fallback),
            "rule": dict(RULE),
            "weights": [],
            "veto": Assignees().model_dump(),
            "duties": dict(NO_DUTIES),
            "due_in": config.due if config.business and config.due else None,
            "due_at": due.isoformat() if due else None,
            "limits": ladder.asked(config, ctx),
            "fields": [fact.model_dump() for fact in config.fields],
            "requester": requester,
            "allow_requester": True,
            **task_forms.asked(config.form, config.initial, [SUBMITTED]),
        }
    )
