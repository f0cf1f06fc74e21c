"""Do the steps inside again until a condition holds.

Use **Repeat** for a loop with a bound. The steps inside run at least once; then the condition
is asked, and reads what they gave. After the last round that is allowed, the step fails.
"""

from typing import Any

from pydantic import Field

from apps.engine.graph import Behaviour
from apps.steps.outcomes import ItemEnd, OpenScope, StepError
from apps.steps.registry import (
    Condition,
    Feel,
    ItemContext,
    PureContext,
    StepModel,
    step_type,
)


class Config(StepModel):
    until: Condition = Field(min_length=1, title="Until", examples=["steps.ask.output.body.ready"])
    most: int = Field(100, ge=1, le=10_000, title="Most rounds")
    result: Feel | None = Field(
        None, title="Result", description="Without it, the output of the step that was done last."
    )


class Output(StepModel):
    result: Any
    count: int


def end_item(config: Config, ctx: ItemContext) -> ItemEnd:
    """Whether another round is due."""
    answer = ctx.evaluate(config.until)
    if not isinstance(answer, bool):
        raise StepError("not_boolean", "The condition to stop must be true or false.")
    if answer:
        return ItemEnd(ctx.evaluate(config.result) if config.result else ctx.last_output())
    if ctx.index + 1 >= config.most:
        message = f"After {config.most} rounds the condition to stop did not hold."
        raise StepError("too_many_rounds", message)
    return ItemEnd(None, more=1)


@step_type(
    kind="repeat",
    version=1,
    title="Repeat",
    category="Flow",
    icon="rotate-clockwise",
    behaviour=Behaviour.SCOPE,
    ports=("done", "body", "error"),
    config=Config,
    output=Output,
    default_config={"until": "true", "most": 100},
    must_link=("body",),
    fails_unlinked=("error",),
    end_item=end_item,
)
def run(config: Config, ctx: PureContext) -> OpenScope:
    return OpenScope("repeat")
