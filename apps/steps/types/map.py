"""Make new values from what is there.

Use **Map** to give later steps short names, to compute, or to bring data into the form
that another system expects. Each field is a value, or an expression behind `=`.
"""

from pydantic import Field

from apps.engine.graph import Behaviour
from apps.steps.outcomes import Exit
from apps.steps.registry import (
    PureContext,
    StepModel,
    TemplateValue,
    step_type,
)


class Config(StepModel):
    fields: dict[str, TemplateValue] = Field(
        default_factory=dict, title="Fields", json_schema_extra={"x-widget": "fields"}
    )


@step_type(
    kind="map",
    version=1,
    title="Map",
    category="Data",
    icon="arrows-transfer-down",
    behaviour=Behaviour.PURE,
    ports=("done",),
    config=Config,
    default_config={"fields": {}},
    output_from="fields",
)
def run(config: Config, ctx: PureContext) -> Exit:
    return Exit("done", dict(config.fields))
