"""Which event a step or trigger means: its type, how it is told from others, and what else holds.

``key`` is evaluated when the wait opens, from the run's data; ``key_of`` once for each event, from
the event alone. They are compared by what they are as JSON, so that an index finds the match.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Annotated, Any

from pydantic import Field

from apps.engine import feel, values
from apps.steps.findings import Flaw, at
from apps.steps.outcomes import EventWay, StepError
from apps.steps.registry import PureContext, StepModel

#: Of an event's type: readable in a list, short enough for an index.
TYPE_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,199}$"
EVENT = "event"
#: What an expression reads of an event; below ``data`` anything may be.
EVENT_FIELDS = (
    "id", "type", "version", "source", "subject", "time", "workspace",
    "correlation", "causation", "depth", "data",
)  # fmt: skip
MAX_KEY_OF = 500
#: What a filter may read of the run, as JSON: it is kept beside the wait.
MAX_KNOWN = 64 * 1024

_ALONE = {"x-feel": "expression", "x-names": [EVENT], "x-alone": True}
# Reads the event and nothing else: it is evaluated where no run is.
OfEvent = Annotated[str, Field(json_schema_extra=_ALONE)]
# Whether an event is let through, told by the event alone.
IfEvent = Annotated[
    str,
    Field(json_schema_extra={**_ALONE, "x-widget": "condition", "x-type": "boolean"}),
]
_BESIDE = {
    "x-feel": "expression", "x-names": [EVENT], "x-widget": "condition", "x-type": "boolean",
}  # fmt: skip
# Whether an event is meant; reads the event beside the run's data.
WithEvent = Annotated[str, Field(json_schema_extra=_BESIDE)]
RunValue = Annotated[str, Field(json_schema_extra={"x-feel": "expression"})]


class EventMatch(StepModel):
    """Which event is meant."""

    type: str = Field(
        min_length=1,
        max_length=200,
        pattern=TYPE_PATTERN,
        title="Type of event",
        examples=["invoice.paid"],
        json_schema_extra={"x-widget": "event-type"},
    )
    key: RunValue | None = Field(
        None,
        title="Which one",
        description="A value of this run, such as its order number.",
        examples=["trigger.body.order"],
    )
    key_of: OfEvent | None = Field(
        None,
        max_length=MAX_KEY_OF,
        title="Where the event says it",
        description="Must be equal to it.",
        examples=["event.data.order"],
    )
    where: WithEvent | None = Field(
        None, max_length=5000, title="Only where", examples=["event.data.amount > 100"]
    )


def event_way(port: str, match: EventMatch, ctx: PureContext) -> EventWay:
    """The match, with what it needs of the run.

    Raises:
        StepError: The key gave nothing, or the filter reads too much of the run.
        FeelError: An expression fails.
    """
    key: Any = None
    if match.key is not None:
        key = feel.to_json(ctx.evaluate(match.key))
        if key is None:
            raise StepError("no_key", "What tells the event from others gave nothing.")
    known = ctx.known_to(match.where, (EVENT,)) if match.where else {}
    values.check(known)
    if len(values.dumps(known)) > MAX_KNOWN:
        message = (
            f"The filter reads more than {MAX_KNOWN // 1024} KB of the run; read single values."
        )
        raise StepError("filter_too_large", message)
    return EventWay(port, match.type, key, match.key_of or "", match.where or "", known)


def key_digest(key: Any) -> bytes:
    """SHA-256 of a key, the same for values that FEEL calls equal: ``1.0`` and ``1.00``."""
    return sha256(values.dumps(_plain(key)).encode()).digest()


def check_match(config: Mapping[str, Any], *path: str | int) -> Iterator[Flaw]:
    """A value of the run and one of the event belong together; the match stands at ``path``."""
    key, key_of = at(config, *path, "key"), at(config, *path, "key_of")
    if bool(key) != bool(key_of):
        lacks = "key_of" if key else "key"
        yield Flaw(
            "half_a_key",
            (*path, lacks),
            "A value of the run is compared with one of the event; one of the two is missing.",
            "Say both which one and where the event says it, or neither.",
        )


def _plain(key: Any) -> Any:
    """Each number in its one shortest form, names in order."""
    if isinstance(key, bool) or key is None or isinstance(key, str):
        return key
    if isinstance(key, int | Decimal):
        number = Decimal(key)
        return ["number", str(number.normalize()) if number else "0"]
    if isinstance(key, Mapping):
        return {name: _plain(key[name]) for name in sorted(key)}
    return ["list", *(_plain(one) for one in key)]
