"""Go on with whatever comes first.

Use **Wait for the first** where one of several things moves the flow on: a payment, a
cancellation, or simply that a week is over. Each has a way out of its own; the first is taken and
the others are withdrawn.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ConfigDict, Field, model_validator

from apps.engine.graph import Behaviour
from apps.steps.event_ways import EventMatch, check_match, event_way
from apps.steps.findings import Flaw, at
from apps.steps.outcomes import EventWay, TimeWay, WaitForEvents
from apps.steps.registry import (
    Feel,
    PureContext,
    StepModel,
    Template,
    step_type,
)
from apps.steps.types.delay import check_duration, due_after, moment
from apps.steps.working import working_moment


class Way(StepModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"x-one-of": ["event", "for", "until"]}
    )

    port: str = Field(min_length=1, max_length=63, title="Way out")
    event: EventMatch | None = Field(None, title="Event")
    for_: Template | None = Field(
        None,
        alias="for",
        title="Time that has passed",
        examples=["P7D"],
        json_schema_extra={"x-widget": "duration", "x-feel": "template"},
    )
    until: Feel | None = Field(None, title="Moment")
    business: bool = Field(
        False,
        title="In working time",
        description="By the working calendar of the workspace; for times only.",
    )

    @model_validator(mode="after")
    def _one_of_three(self) -> "Way":
        if sum(one is not None for one in (self.event, self.for_, self.until)) != 1:
            raise ValueError("Say either which event, how long, or until when.")
        return self


class Config(StepModel):
    ways: list[Way] = Field(
        min_length=1, max_length=20, title="Ways", json_schema_extra={"x-widget": "rows"}
    )


class Output(StepModel):
    port: str
    event: Any
    until: str | None = None


def check(config: Mapping[str, Any]) -> Iterator[Flaw]:
    """Each way has a name of its own, and what it waits for can come."""
    seen: set[str] = set()
    ways = config.get("ways")
    for index, way in enumerate(ways if isinstance(ways, list) else []):
        if not isinstance(way, Mapping):
            continue
        for flaw in check_duration(way, "for"):
            yield Flaw(flaw.code, ("ways", index, *flaw.path), flaw.message, flaw.fix)
        yield from check_match(config, "ways", index, "event")
        port = at(config, "ways", index, "port")
        if isinstance(port, str) and port in seen:
            yield Flaw(
                "duplicate_port",
                ("ways", index, "port"),
                f"Two ways have the name “{port}”.",
                "Give each way a name of its own.",
            )
        seen.add(port if isinstance(port, str) else "")


@step_type(
    kind="wait.first",
    version=1,
    title="Wait for the first",
    category="Flow",
    icon="hourglass-high",
    behaviour=Behaviour.WAIT,
    ports="ways[].port",
    config=Config,
    output=Output,
    default_config={
        "ways": [
            {"port": "happened", "event": {"type": "example.happened"}},
            {"port": "late", "for": "P7D"},
        ]
    },
    check=check,
    has_ways=True,
)
def run(config: Config, ctx: PureContext) -> WaitForEvents:
    return WaitForEvents(tuple(_way(way, ctx) for way in config.ways))


def _way(way: Way, ctx: PureContext) -> EventWay | TimeWay:
    if way.event is not None:
        return event_way(way.port, way.event, ctx)
    if way.for_ is not None:
        return TimeWay(way.port, due_after(ctx, way.for_, business=way.business))
    until = moment(ctx.evaluate(way.until or ""), ctx.zone)
    return TimeWay(way.port, working_moment(ctx.calendar, until) if way.business else until)
