"""Make new values from what is there.

Use **Map** to give later steps short names, to compute, or to bring data into the form
that another system expects. Each field is a value, or an expression behind `=`.
"""

from collections.abc import Mapping
from typing import Any

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


def summary(config: Mapping[str, Any]) -> str:
    names = list(config.get("fields") or {})
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


@step_type(
    kind="map",
    version=1,
    title="Map",
    category="Data",
    icon="arrows-transfer-down",
    behaviour=Behaviour.PURE,
    ports=("done",),
    config=Config,
    summary=summary,
    default_config={"fields": {}},
    output_from="fields",
)
def run(config: Config, ctx: PureContext) -> Exit:
    return Exit("done", dict(config.fields))
