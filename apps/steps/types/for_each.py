"""Do the steps inside once for every item of a list.

Use **For each** to work through a list. Draw the steps inside it; they read the `item` and its
`index` (from 0). So many items are at work at the same time; one that fails does not touch the
others. Later steps read `results`, in the order of the list, and `failed`.
"""

from typing import Any, Literal

from pydantic import Field

from apps.engine.graph import Behaviour
from apps.steps.outcomes import ItemEnd, OpenScope, StepError
from apps.steps.registry import (
    Condition,
    Feel,
    ItemContext,
    Items,
    PureContext,
    StepModel,
    step_type,
)

MAX_ITEMS = 100_000


class Enough(StepModel):
    n: int = Field(ge=1, le=MAX_ITEMS, title="How many")


class When(StepModel):
    when: Condition = Field(
        min_length=1,
        title="Condition",
        description="Asked after each item; reads item, index, result, succeeded and failed.",
    )


class Config(StepModel):
    items: Items = Field(min_length=1, title="List", examples=["trigger.body.lines"])
    parallel: int = Field(10, ge=1, le=1000, title="At the same time")
    result: Feel | None = Field(
        None,
        title="Result of an item",
        description="Without it, the output of the step that was done last.",
    )
    stop_after: int = Field(
        1,
        ge=0,
        le=MAX_ITEMS,
        title="Stop after so many failures",
        description="0: never; what failed is then listed in the output.",
    )
    rounds: int = Field(
        1,
        ge=1,
        le=10,
        title="Rounds",
        description="In each further round only the items that failed are tried again.",
    )
    until: Literal["all", "none"] | Enough | When = Field(
        "all",
        title="Go on when",
        json_schema_extra={
            "x-labels": {"all": "All items are through", "none": "At once, without waiting"}
        },
    )
    rest: Literal["cancel", "finish"] = Field(
        "cancel",
        title="What becomes of the rest",
        description="Only where it goes on before all items are through.",
        json_schema_extra={
            "x-labels": {"cancel": "It is withdrawn", "finish": "It may finish, without effect"}
        },
    )


class FailedItem(StepModel):
    index: int
    error: dict[str, Any]


class Output(StepModel):
    results: list[Any]
    failed: list[FailedItem]
    count: int


def end_item(config: Config, ctx: ItemContext) -> ItemEnd:
    """The result of one item, and whether the condition to go on holds."""
    result = ctx.evaluate(config.result) if config.result else ctx.last_output()
    if not isinstance(config.until, When):
        return ItemEnd(result)
    names = {"result": result, "succeeded": ctx.succeeded, "failed": ctx.failed}
    answer = ctx.evaluate_with(config.until.when, names)
    if not isinstance(answer, bool):
        raise StepError("not_boolean", "The condition to go on must be true or false.")
    return ItemEnd(result, is_enough=answer)


@step_type(
    kind="for_each",
    version=1,
    title="For each",
    category="Flow",
    icon="repeat",
    behaviour=Behaviour.SCOPE,
    ports=("done", "body", "error"),
    config=Config,
    output=Output,
    default_config={"items": "trigger.body.items", "parallel": 10},
    must_link=("body",),
    fails_unlinked=("error",),
    end_item=end_item,
)
def run(config: Config, ctx: PureContext) -> OpenScope:
    items = ctx.evaluate(config.items)
    if not isinstance(items, list):
        raise StepError("not_a_list", "What “For each” works through must be a list.")
    if len(items) > MAX_ITEMS:
        message = f"The list has {len(items):,} items; at most {MAX_ITEMS:,} are allowed."
        raise StepError("too_many_items", message)
    needs = {"all": 0, "none": -1}.get(config.until, 0) if isinstance(config.until, str) else 0
    if isinstance(config.until, Enough):
        needs = config.until.n
    return OpenScope(
        "each",
        items,
        parallel=config.parallel,
        needs=needs,
        tolerance=config.stop_after,
        rest="finish" if config.until == "none" else config.rest,
        rounds=config.rounds,
    )
