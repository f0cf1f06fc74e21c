"""Start when something has happened.

The **Event** trigger starts a run for each event of a type, from another flow or another system.
A filter lets through only some of them; what it does not let through starts nothing.
"""

from pydantic import Field

from apps.steps.event_ways import TYPE_PATTERN, IfEvent, OfEvent
from apps.steps.registry import StepModel, trigger_type


@trigger_type(
    kind="event",
    title="Event",
    icon="broadcast",
    default_config={"type": ""},
)
class EventTrigger(StepModel):
    type: str = Field(
        min_length=1,
        max_length=200,
        pattern=TYPE_PATTERN,
        title="Type of event",
        examples=["invoice.paid"],
        json_schema_extra={"x-widget": "event-type"},
    )
    filter: IfEvent | None = Field(
        None, max_length=5000, title="Only where", examples=["event.data.amount > 100"]
    )
    dedupe: OfEvent | None = Field(None, max_length=5000, title="Same event if equal")
