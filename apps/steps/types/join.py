"""Wait until ways meet again.

Use **Join** after a fork. *All* goes on when every way that leads here has arrived, *any*
with the first, and a number with that many; the rest of that round is then swallowed.
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from apps.engine.graph import Behaviour
from apps.steps.registry import Exit, PureContext, StepModel, step_type


class AtLeast(StepModel):
    n: int = Field(ge=1, le=100, title="How many")


class Config(StepModel):
    mode: Literal["all", "any"] | AtLeast = Field(
        "all",
        title="Go on when",
        json_schema_extra={
            "x-labels": {"all": "All ways have arrived", "any": "The first has arrived"}
        },
    )


class Output(StepModel):
    links: list[str]


def summary(config: Mapping[str, Any]) -> str:
    mode = config.get("mode", "all")
    if isinstance(mode, Mapping):
        return f"{mode.get('n')} have arrived"
    return "all have arrived" if mode == "all" else "the first has arrived"


@step_type(
    kind="join",
    version=1,
    title="Join",
    category="Flow",
    icon="arrows-join-2",
    behaviour=Behaviour.JOIN,
    ports=("done",),
    config=Config,
    output=Output,
    summary=summary,
    default_config={"mode": "all"},
)
def run(config: Config, ctx: PureContext) -> Exit:
    raise AssertionError("A join is decided by the engine; it is never evaluated.")
