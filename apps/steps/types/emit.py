"""Tell other flows that something has happened.

Use **Emit event** to let others act on what this flow did, without knowing who they are. Flows
that start with this type of event start, and runs that wait for it go on. The event waits a while
for whoever begins to wait later.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import Field

from apps.engine import values
from apps.engine.graph import Behaviour
from apps.steps.event_ways import TYPE_PATTERN
from apps.steps.findings import Flaw, at, is_template
from apps.steps.outcomes import Emit, StepError
from apps.steps.registry import (
    PureContext,
    StepModel,
    Template,
    TemplateValue,
    step_type,
)
from apps.steps.types.delay import after, check_duration

MAX_DATA = 1024 * 1024
MAX_TTL = timedelta(days=30)
_START = datetime(2000, 1, 1, tzinfo=UTC)


class Config(StepModel):
    type: Template = Field(
        min_length=1,
        max_length=200,
        pattern=TYPE_PATTERN,
        title="Type of event",
        examples=["invoice.paid"],
        json_schema_extra={"x-widget": "event-type"},
    )
    version: str = Field("1", min_length=1, max_length=20, title="Version of its form")
    subject: Template = Field(
        "", max_length=300, title="What it is about", examples=["= trigger.body.number"]
    )
    data: TemplateValue = Field(
        None, title="Data", json_schema_extra={"x-feel": "template", "x-widget": "value"}
    )
    ttl: Template = Field(
        "PT1H",
        max_length=40,
        title="Waits for takers",
        description="PT0S: only those that wait already take it.",
        examples=["PT1H", "PT0S"],
        json_schema_extra={"x-feel": "template", "x-widget": "duration"},
    )


class Output(StepModel):
    id: str
    type: str
    time: str


def check(config: Mapping[str, Any]) -> Iterator[Flaw]:
    """How long it waits, where that is written out."""
    yield from check_duration(config, "ttl")
    ttl = at(config, "ttl")
    if isinstance(ttl, str) and not is_template(ttl) and not [*check_duration(config, "ttl")]:
        yield from _too_long(ttl)


def _too_long(ttl: str) -> Iterator[Flaw]:
    try:
        length(ttl)
    except StepError as wrong:
        yield Flaw(wrong.code, ("ttl",), wrong.message, "Write PT1H (an hour) or P7D (a week).")


@step_type(
    kind="emit",
    version=1,
    title="Emit event",
    category="Flow",
    icon="broadcast",
    behaviour=Behaviour.PURE,
    ports=("done",),
    config=Config,
    output=Output,
    default_config={"type": "", "data": {}, "ttl": "PT1H"},
    check=check,
)
def run(config: Config, ctx: PureContext) -> Emit:
    values.check(config.data)
    if len(values.dumps(config.data)) > MAX_DATA:
        raise StepError("event_too_large", "The data of an event has at most 1 MB.")
    return Emit(
        type=config.type,
        version=config.version,
        subject=config.subject,
        data=config.data,
        expires_at=ctx.now + length(config.ttl),
    )


def length(ttl: str) -> timedelta:
    """How long an event waits for takers.

    Raises:
        StepError: It is not a duration, or more than 30 days.
    """
    found = after(_START, ttl) - _START
    if found > MAX_TTL:
        raise StepError("bad_duration", "An event waits for at most 30 days.")
    return found
