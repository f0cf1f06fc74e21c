"""Facts of a question that an event may change while people decide, and what that means to them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from apps.steps.event_ways import EventMatch, OfEvent, check_match, event_way
from apps.steps.findings import Flaw
from apps.steps.registry import PureContext, StepModel

#: The answers stand, marked as given before; those who have answered are asked again; it all
#: begins anew with the first stage.
KEEP, ASK_AGAIN, RESTART = "keep", "ask_again", "restart"
POLICIES = (KEEP, ASK_AGAIN, RESTART)
MAX_VALUE_OF = 5000


class NewValue(StepModel):
    label: str = Field(
        min_length=1,
        max_length=100,
        title="Fact",
        description="The label of one of the facts.",
    )
    value: OfEvent = Field(
        min_length=1, max_length=MAX_VALUE_OF, title="New value", examples=["event.data.amount"]
    )


class Watch(EventMatch):
    set: list[NewValue] = Field(
        min_length=1,
        max_length=50,
        title="Facts that it changes",
        json_schema_extra={"x-widget": "rows"},
    )
    on_change: Literal["keep", "ask_again", "restart"] = Field(
        "ask_again",
        title="Answers given before",
        json_schema_extra={
            "x-labels": {
                KEEP: "Stand, marked as given before",
                ASK_AGAIN: "Lapse: those people are asked again",
                RESTART: "Lapse: it all begins anew with the first stage",
            }
        },
    )


def refuse_unknown(watch: Watch, labels: Sequence[str]) -> None:
    """Each fact that changes must be one of the facts, and be named once.

    Raises:
        ValueError: One is not, is there twice, or is set twice.
    """
    wanted = [one.label for one in watch.set]
    for label in wanted:
        if label not in labels:
            raise ValueError(f"“{label}” is not the label of a fact; name one of the facts.")
        if labels.count(label) > 1:
            raise ValueError(f"Two facts have the label “{label}”; give each its own.")
        if wanted.count(label) > 1:
            raise ValueError(f"“{label}” gets two new values; say one.")


def check(config: Mapping[str, Any]) -> Iterator[Flaw]:
    """What tells the event from others, where facts follow one."""
    if isinstance(config.get("watch"), Mapping):
        yield from check_match(config, "watch")


def watched(watch: Watch, due: str | None, ctx: PureContext, *, business: bool) -> dict[str, Any]:
    """What the question keeps of it; ``due`` is how long there is, should it begin anew.

    Raises:
        StepError, FeelError: As ``event_ways.event_way``.
    """
    way = event_way("", watch, ctx)
    return {
        "type": way.type,
        "key": way.key,
        "key_of": way.key_of,
        "where": way.where,
        "known": way.known,
        "set": [one.model_dump() for one in watch.set],
        "on_change": watch.on_change,
        "due": due or None,
        "business": business,
    }
