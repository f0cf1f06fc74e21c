"""Run another flow as a part of this one.

Use **Run a flow** for what several flows have in common. The other flow gets *input* as its
`trigger.body`; with *wait* this one goes on when the other has ended, and finds in `output` what
its stop step gave. With *latest* the version is taken that is active then, as long as what it
takes and gives still fits; otherwise the step fails and says so.
"""

from typing import Any, Literal

from pydantic import Field

from apps.engine.graph import Behaviour
from apps.steps.outcomes import WaitForRun
from apps.steps.registry import (
    PureContext,
    StepModel,
    TemplateValue,
    step_type,
)


class Config(StepModel):
    flow: str = Field(
        min_length=1, max_length=150, title="Flow", json_schema_extra={"x-widget": "flow"}
    )
    version: Literal["latest"] | int = Field(
        "latest", title="Version", json_schema_extra={"x-widget": "flow-version"}
    )
    input: dict[str, TemplateValue] = Field(
        default_factory=dict, title="Input", json_schema_extra={"x-widget": "flow-input"}
    )
    wait: bool = Field(True, title="Wait until it has ended")


class Output(StepModel):
    run: str
    status: str
    output: Any


@step_type(
    kind="subflow",
    version=1,
    title="Run a flow",
    category="Flow",
    icon="hierarchy-2",
    behaviour=Behaviour.WAIT,
    ports=("done", "error"),
    config=Config,
    output=Output,
    default_config={"flow": "", "version": "latest", "input": {}},
    fails_unlinked=("error",),
)
def run(config: Config, ctx: PureContext) -> WaitForRun:
    return WaitForRun(config.flow, config.version, config.input, config.wait)
