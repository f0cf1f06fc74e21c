"""Take the first way whose condition holds.

Use **Decide** where the flow forks by data. The branches are asked from top to bottom;
the first that holds is taken, and *otherwise* is taken when none does.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from apps.engine.graph import Behaviour
from apps.steps.findings import Flaw, Repair, added, at
from apps.steps.outcomes import Exit, StepError
from apps.steps.registry import (
    Condition,
    PureContext,
    StepModel,
    step_type,
)

PORT = Field(min_length=1, max_length=63, title="Way out")


class Branch(StepModel):
    port: str = PORT
    when: Condition = Field(title="Condition", min_length=1)


class Config(StepModel):
    branches: list[Branch] = Field(
        min_length=1, max_length=50, title="Branches", json_schema_extra={"x-widget": "rows"}
    )
    otherwise: str = Field("", max_length=63, title="Otherwise")


class Output(StepModel):
    port: str


def check(config: Mapping[str, Any]) -> Iterator[Flaw]:
    """A decide needs a way for everything, and each way a name of its own."""
    if not config.get("otherwise"):
        yield Flaw(
            "no_otherwise",
            ("otherwise",),
            "There is no way out for the case that no condition holds.",
            "Name the way to take then, under “Otherwise”.",
            repair=Repair("Call it “otherwise”", added("/otherwise", "otherwise")),
        )
    seen: set[str] = set()
    branches = config.get("branches")
    for index in range(len(branches) if isinstance(branches, list) else 0):
        port = at(config, "branches", index, "port")
        if not isinstance(port, str):
            continue
        if port in seen:
            yield Flaw(
                "duplicate_port",
                ("branches", index, "port"),
                f"Two branches have the way out “{port}”.",
                "Give each branch a name of its own, or join their conditions with “or”.",
            )
        seen.add(port)


@step_type(
    kind="decide",
    version=1,
    title="Decide",
    category="Flow",
    icon="arrows-split-2",
    behaviour=Behaviour.PURE,
    ports="branches[].port, otherwise",
    config=Config,
    output=Output,
    default_config={"branches": [{"port": "yes", "when": "true"}], "otherwise": "no"},
    check=check,
)
def run(config: Config, ctx: PureContext) -> Exit:
    for branch in config.branches:
        answer = ctx.evaluate(branch.when)
        if answer is True:
            return Exit(branch.port, {"port": branch.port})
        if answer is not False:
            raise StepError(
                "not_boolean",
                f"The condition of “{branch.port}” gave {describe(answer)};"
                " it must be true or false.",
            )
    return Exit(config.otherwise, {"port": config.otherwise})


def describe(value: Any) -> str:
    return "nothing" if value is None else f"“{str(value)[:60]}”"
