"""Keep steps together that succeed or fail as one.

Use **Block** to give several steps one time limit, to withdraw them together, or to undo what
was done when one of them fails: completed steps that name a step to undo them are undone, the
last first.
"""

from typing import Any

from pydantic import Field

from apps.engine.graph import Behaviour
from apps.steps.outcomes import ItemEnd, OpenScope
from apps.steps.registry import (
    Feel,
    ItemContext,
    PureContext,
    StepModel,
    step_type,
)


class Config(StepModel):
    result: Feel | None = Field(
        None, title="Result", description="Without it, the output of the step that was done last."
    )


class Output(StepModel):
    result: Any


def end_item(config: Config, ctx: ItemContext) -> ItemEnd:
    """What the block gives."""
    return ItemEnd(ctx.evaluate(config.result) if config.result else ctx.last_output())


@step_type(
    kind="block",
    version=1,
    title="Block",
    category="Flow",
    icon="box",
    behaviour=Behaviour.SCOPE,
    ports=("done", "body", "error"),
    config=Config,
    output=Output,
    default_config={},
    must_link=("body",),
    fails_unlinked=("error",),
    end_item=end_item,
)
def run(config: Config, ctx: PureContext) -> OpenScope:
    return OpenScope("block")
