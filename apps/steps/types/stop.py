"""End the run.

Use **Stop** where everything is decided. The run ends at once: other ways still open are
closed, tasks are withdrawn, and the run is marked completed or failed with your message. What it
gives goes to the flow that runs this one, if any.
"""

from typing import Literal

from pydantic import Field

from apps.engine.graph import Behaviour
from apps.steps.outcomes import Stop
from apps.steps.registry import (
    PureContext,
    StepModel,
    Template,
    TemplateValue,
    step_type,
)


class Config(StepModel):
    outcome: Literal["completed", "failed"] = Field(
        "completed",
        title="The run is then",
        json_schema_extra={"x-labels": {"completed": "Completed", "failed": "Failed"}},
    )
    message: Template = Field("", title="Message", max_length=2000)
    output: TemplateValue = Field(
        None,
        title="What it gives",
        json_schema_extra={"x-feel": "template", "x-widget": "value"},
    )


@step_type(
    kind="stop",
    version=1,
    title="Stop",
    category="Flow",
    icon="flag",
    behaviour=Behaviour.END,
    ports=(),
    config=Config,
    default_config={"outcome": "completed", "message": ""},
)
def run(config: Config, ctx: PureContext) -> Stop:
    return Stop(config.outcome, config.message, config.output)
