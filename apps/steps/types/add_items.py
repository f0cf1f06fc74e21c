"""Give a For each further items while it is at work.

Use **Add items** inside a **For each**, or beside it, when more to do turns up on the way.
"""

from pydantic import Field

from apps.engine.graph import Behaviour
from apps.steps.outcomes import AddItems, StepError
from apps.steps.registry import (
    Items,
    PureContext,
    StepModel,
    step_type,
)


class Config(StepModel):
    to: str = Field(
        min_length=1, max_length=63, title="For each", json_schema_extra={"x-widget": "step"}
    )
    items: Items = Field(min_length=1, title="List")


class Output(StepModel):
    added: int


@step_type(
    kind="add_items",
    version=1,
    title="Add items",
    category="Flow",
    icon="playlist-add",
    behaviour=Behaviour.PURE,
    ports=("done", "error"),
    config=Config,
    output=Output,
    default_config={"to": "", "items": "[]"},
    fails_unlinked=("error",),
)
def run(config: Config, ctx: PureContext) -> AddItems:
    items = ctx.evaluate(config.items)
    if not isinstance(items, list):
        raise StepError("not_a_list", "What is added must be a list.")
    return AddItems(config.to, items)
