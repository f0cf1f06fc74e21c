"""Answer the caller who waits.

Use **Respond** when a system calls with `?wait=` and wants an answer. The first answer of a
run is sent; later ones are written down as not delivered.
"""

from pydantic import Field

from apps.engine.graph import Behaviour
from apps.steps.outcomes import Respond
from apps.steps.registry import (
    PureContext,
    StepModel,
    TemplateValue,
    step_type,
)


class Config(StepModel):
    status: int = Field(200, ge=200, le=599, title="Status")
    body: TemplateValue = Field(None, title="Answer", json_schema_extra={"x-widget": "value"})


@step_type(
    kind="respond",
    version=1,
    title="Respond",
    category="Flow",
    icon="message-reply",
    behaviour=Behaviour.PURE,
    ports=("done",),
    config=Config,
    default_config={"status": 200, "body": {"ok": True}},
)
def run(config: Config, ctx: PureContext) -> Respond:
    return Respond(
        config.status, config.body, output={"status": config.status, "body": config.body}
    )
