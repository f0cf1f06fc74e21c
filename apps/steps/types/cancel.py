"""Withdraw work that is under way.

Use **Cancel** to take back tasks, waits, calls or whole blocks that are no longer wanted. Calls
that were not sent yet are not sent; a late answer is written down and has no effect. A **For
each** or a **Block** may also go on with what it has.
"""

from pydantic import Field

from apps.engine.graph import Behaviour
from apps.steps.outcomes import Withdraw
from apps.steps.registry import PureContext, StepModel, step_type


class Config(StepModel):
    steps: list[str] = Field(
        min_length=1, max_length=100, title="Steps", json_schema_extra={"x-widget": "steps"}
    )
    complete: bool = Field(
        False,
        title="Go on with what is there",
        description="Only for a For each, a Repeat or a Block: it is done with what it has.",
    )


class Output(StepModel):
    withdrawn: int


@step_type(
    kind="cancel",
    version=1,
    title="Cancel",
    category="Flow",
    icon="circle-x",
    behaviour=Behaviour.PURE,
    ports=("done",),
    config=Config,
    output=Output,
    default_config={"steps": []},
    moves_tokens=True,
)
def run(config: Config, ctx: PureContext) -> Withdraw:
    return Withdraw(tuple(config.steps), config.complete)
