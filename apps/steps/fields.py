"""What any step may say beside its config: where it stands, what undoes it, when it is late.

``in`` is the step that contains it, ``undo`` the step that takes back what it did, ``lock`` a
name of which one step is at work at a time, ``time_limit`` how long a visit may take, and
``on_error`` what follows when it has failed for good. Effects also have ``retry``, how often they
are tried by the class of the error, and ``concurrency``, how many are at work at once.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from apps.engine.graph import JoinRule
from apps.steps.registry import ISO_DURATION, Feel, StepType, TemplateValue

ID = Field(None, min_length=1, max_length=63)


class OnError(BaseModel):
    """What follows when a step has failed for good.

    ``stop`` ends the run, ``path`` leaves by ``error``, ``ask`` asks a person, ``default`` goes
    on with ``output``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    then: Literal["stop", "path", "ask", "default"] = Field("stop", title="Then")
    output: TemplateValue = Field(None, title="Output", json_schema_extra={"x-feel": "template"})


class Tries(BaseModel):
    """How often something is tried. The delay doubles each time, up to the longest."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_attempts: int = Field(4, ge=1, le=20, title="Tries")
    first_delay_s: float = Field(1, ge=0, le=3600, title="Seconds before the second try")
    max_delay_s: float = Field(3600, ge=0, le=86_400, title="At most so many seconds")


class Retry(BaseModel):
    """How often an effect is tried, by the class of its error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    transient: Tries | None = Field(None, title="When it may work later")
    unknown: Tries | None = Field(None, title="When nobody can tell whether it was done")
    permanent: Tries | None = Field(None, title="When it will not work by itself")


class StepConcurrency(BaseModel):
    """How many visits of an effect are at work at once, over all runs of the flow."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max: int = Field(ge=1, le=10_000, title="At once")
    key: Feel | None = Field(None, title="For each")


class StepFields(BaseModel):
    """The fields of a step beside ``type``, ``version``, ``title`` and ``config``."""

    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True)

    scope: str | None = Field(None, alias="in", min_length=1, max_length=63, title="Inside")
    undo: str | None = Field(None, min_length=1, max_length=63, title="Undone by")
    lock: str | None = Field(None, min_length=1, max_length=63, title="One at a time")
    time_limit: str | None = Field(None, max_length=40, title="Time limit")
    on_error: OnError | None = Field(None, title="When it fails")
    retry: Retry | None = Field(None, title="Tries")
    concurrency: StepConcurrency | None = Field(None, title="At once")

    @field_validator("time_limit")
    @classmethod
    def _is_duration(cls, value: str | None) -> str | None:
        if value is not None and not re.match(ISO_DURATION, value):
            raise ValueError("Write it as PT30M (30 minutes), PT4H (4 hours) or P2D (2 days).")
        return value


NO_FIELDS = StepFields()
#: As a document writes them.
NAMES = tuple(one.alias or name for name, one in StepFields.model_fields.items())


def read_fields(step: Mapping[str, Any]) -> StepFields:
    """The fields of a step of a document; those that do not fit are as if they were not there."""
    given = {name: step[name] for name in NAMES if step.get(name) is not None}
    while given:
        try:
            return StepFields.model_validate(given)
        except ValidationError as wrong:
            for one in wrong.errors(include_url=False, include_input=False):
                given.pop(str(one["loc"][0]), None)
    return NO_FIELDS


def ports_of(type_: StepType, config: Mapping[str, Any], fields: StepFields) -> tuple[str, ...]:
    """The ways out of a step: its type's, and those that its own fields add."""
    ports = type_.ports_of(config)
    if fields.on_error is not None and fields.on_error.then == "path":
        ports = (*ports, "error")
    if fields.time_limit is not None:
        ports = (*ports, "timeout")
    return tuple(dict.fromkeys(ports))


def join_rule(config: Mapping[str, Any]) -> JoinRule:
    """When a join with this config fires; a config that does not fit reads as ``all``."""
    mode = config.get("mode", "all")
    rest = config.get("rest", "swallow")
    given = mode if isinstance(mode, Mapping) else {}
    counts_tokens = "tokens" in given
    needs = given.get("tokens") if counts_tokens else given.get("n", 1 if mode == "any" else 0)
    if isinstance(needs, bool) or not isinstance(needs, int) or needs < 0:
        needs = 0
    return JoinRule(
        needs=needs,
        counts_tokens=counts_tokens and needs > 0,
        waits_for_active=mode == "active",
        is_blocking=rest == "block",
        cancels_rest=rest == "cancel" and needs > 0 and not counts_tokens,
    )
