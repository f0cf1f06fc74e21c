"""Go on when something has happened.

Use **Wait for event** where the flow needs to hear from another flow or system: a payment, a
delivery, an answer. A value of this run tells the right event from others of its type. With a
time limit the flow does not wait for ever.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from apps.engine.graph import Behaviour
from apps.steps.event_ways import EventMatch, check_match, event_way
from apps.steps.findings import Flaw
from apps.steps.outcomes import WaitForEvents
from apps.steps.registry import PureContext, StepModel, step_type


class Config(EventMatch):
    pass


class Event(StepModel):
    id: str
    type: str
    version: str
    source: str
    subject: str
    time: str
    workspace: str
    correlation: str
    causation: str
    depth: int
    data: Any


class Output(StepModel):
    event: Event


def check(config: Mapping[str, Any]) -> Iterator[Flaw]:
    """A key of the run and one of the event belong together."""
    yield from check_match(config)


@step_type(
    kind="wait.event",
    version=1,
    title="Wait for event",
    category="Flow",
    icon="ear",
    behaviour=Behaviour.WAIT,
    ports=("done",),
    config=Config,
    output=Output,
    default_config={"type": ""},
    check=check,
)
def run(config: Config, ctx: PureContext) -> WaitForEvents:
    return WaitForEvents((event_way("done", config, ctx),))
