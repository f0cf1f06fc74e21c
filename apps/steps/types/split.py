"""Go on several times at once by the same way.

Use **Split** to start the next steps a number of times in parallel. A **Join** that counts
*tokens* brings them together again.
"""

from pydantic import Field

from apps.engine.graph import Behaviour
from apps.steps.outcomes import Exit
from apps.steps.registry import PureContext, StepModel, step_type


class Config(StepModel):
    times: int = Field(2, ge=1, le=1000, title="How often")


class Output(StepModel):
    times: int


@step_type(
    kind="split",
    version=1,
    title="Split",
    category="Flow",
    icon="arrows-split",
    behaviour=Behaviour.PURE,
    ports=("done",),
    config=Config,
    output=Output,
    default_config={"times": 2},
    moves_tokens=True,
)
def run(config: Config, ctx: PureContext) -> Exit:
    return Exit("done", {"times": config.times}, times=config.times)
