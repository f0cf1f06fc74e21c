"""Take every way whose condition holds.

Use **Fork** where several ways may be due at the same time. All conditions are asked; every way
whose condition holds is taken, and *otherwise* is taken when none does. A **Join** in the mode
*active* waits for just the ways that were taken.
"""

from pydantic import Field

from apps.engine.graph import Behaviour
from apps.steps.outcomes import Exit, StepError
from apps.steps.registry import PureContext, StepModel, step_type
from apps.steps.types.decide import Branch, check, describe


class Config(StepModel):
    branches: list[Branch] = Field(
        min_length=1, max_length=50, title="Branches", json_schema_extra={"x-widget": "rows"}
    )
    otherwise: str = Field("", max_length=63, title="Otherwise")


class Output(StepModel):
    ports: list[str]


@step_type(
    kind="fork",
    version=1,
    title="Fork",
    category="Flow",
    icon="arrow-fork",
    behaviour=Behaviour.PURE,
    ports="branches[].port, otherwise",
    config=Config,
    output=Output,
    default_config={"branches": [{"port": "first", "when": "true"}], "otherwise": "none"},
    check=check,
    takes_many=True,
)
def run(config: Config, ctx: PureContext) -> Exit:
    taken: list[str] = []
    for branch in config.branches:
        answer = ctx.evaluate(branch.when)
        if not isinstance(answer, bool):
            raise StepError(
                "not_boolean",
                f"The condition of “{branch.port}” gave {describe(answer)};"
                " it must be true or false.",
            )
        if answer:
            taken.append(branch.port)
    taken = taken or [config.otherwise]
    return Exit(taken[0], {"ports": list(taken)}, ports=tuple(taken))
