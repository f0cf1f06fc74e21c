"""Wait until ways meet again.

Use **Join** after a fork. *All* goes on when every way that leads here has arrived, *any*
with the first, and a number with that many; the rest of that round is then swallowed, or
withdrawn if you say so. *Active* waits for the ways that were really taken, whichever they
are. *Tokens* counts arrivals, also several by one way.
"""

from typing import Literal

from pydantic import Field

from apps.engine.graph import Behaviour
from apps.steps.outcomes import Exit
from apps.steps.registry import PureContext, StepModel, step_type


class AtLeast(StepModel):
    n: int = Field(ge=1, le=100, title="How many")


class Tokens(StepModel):
    tokens: int = Field(ge=1, le=10_000, title="How many arrivals")


class Config(StepModel):
    mode: Literal["all", "any", "active"] | AtLeast | Tokens = Field(
        "all",
        title="Go on when",
        json_schema_extra={
            "x-labels": {
                "all": "All ways have arrived",
                "any": "The first has arrived",
                "active": "All ways that were taken have arrived",
            }
        },
    )
    rest: Literal["swallow", "cancel", "block"] = Field(
        "swallow",
        title="What becomes of the rest",
        description="Only where it goes on before all have arrived.",
        json_schema_extra={
            "x-labels": {
                "swallow": "It may finish, without effect",
                "cancel": "It is withdrawn",
                "block": "It may finish; until then no new round begins",
            }
        },
    )


class Output(StepModel):
    links: list[str]


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
    default_config={"mode": "all"},
)
def run(config: Config, ctx: PureContext) -> Exit:
    raise AssertionError("A join is decided by the engine; it is never evaluated.")
