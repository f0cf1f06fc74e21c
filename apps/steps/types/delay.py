"""Go on later.

Use **Delay** to wait for a length of time or until a moment, if you wish in working time. A
waiting run holds nothing: it survives restarts and may wait for years.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field, model_validator

from apps.engine.graph import Behaviour
from apps.engine.working_time import STANDARD
from apps.steps.findings import Flaw, is_template
from apps.steps.outcomes import StepError, WaitUntil
from apps.steps.registry import (
    ISO_DURATION,
    Feel,
    PureContext,
    StepModel,
    Template,
    step_type,
)
from apps.steps.working import after_working, working_moment


class Config(StepModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"x-one-of": ["for", "until"]}
    )

    for_: Template | None = Field(
        None,
        alias="for",
        title="For",
        examples=["PT5M", "P2D"],
        json_schema_extra={"x-widget": "duration", "x-feel": "template"},
    )
    until: Feel | None = Field(None, title="Until")
    business: bool = Field(
        False,
        title="In working time",
        description="By the working calendar of the workspace: only its hours and days count.",
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> "Config":
        if (self.for_ is None) == (self.until is None):
            raise ValueError("Say either how long or until when.")
        return self


class Output(StepModel):
    until: str


def check(config: Mapping[str, Any]) -> Iterator[Flaw]:
    """The duration, where it is written out."""
    yield from check_duration(config, "for")


def check_duration(config: Mapping[str, Any], name: str) -> Iterator[Flaw]:
    """A duration that is written out must be one."""
    text = config.get(name)
    if isinstance(text, str) and not is_template(text):
        start = datetime(2000, 1, 1, tzinfo=ZoneInfo("UTC"))
        try:
            if config.get("business"):
                after_working(STANDARD, start, text)
            else:
                after(start, text)
        except StepError as wrong:
            yield Flaw(
                wrong.code,
                (name,),
                wrong.message,
                "Write it as PT30M (30 minutes), PT4H (4 hours) or P2D (2 days).",
            )


@step_type(
    kind="delay",
    version=1,
    title="Delay",
    category="Flow",
    icon="clock-pause",
    behaviour=Behaviour.WAIT,
    ports=("done",),
    config=Config,
    output=Output,
    default_config={"for": "PT1H"},
    check=check,
)
def run(config: Config, ctx: PureContext) -> WaitUntil:
    if config.for_ is not None:
        until = due_after(ctx, config.for_, business=config.business)
    else:
        until = moment(ctx.evaluate(config.until or ""), ctx.zone)
        until = working_moment(ctx.calendar, until) if config.business else until
    return WaitUntil(until, {"until": until.isoformat()})


def due_after(ctx: PureContext, duration: str, *, business: bool) -> datetime:
    """The moment so long after now, by the working calendar or by the clock."""
    if business:
        return after_working(ctx.calendar, ctx.now, duration)
    return after(ctx.now, duration)


def after(start: datetime, duration: object) -> datetime:
    """``start`` plus an ISO 8601 duration; months and years keep the day where it exists.

    Raises:
        StepError: It is not a duration, or leads beyond the calendar.
    """
    text = str(duration).strip()
    found = re.match(ISO_DURATION, text)
    if not found:
        raise StepError("bad_duration", f"“{text[:60]}” is not a duration such as P2D or PT30M.")
    years, months, weeks, days, _, hours, minutes, seconds, _ = found.groups()
    try:
        shifted = start
        if years or months:
            count = start.month - 1 + int((months or "0M")[:-1]) + 12 * int((years or "0Y")[:-1])
            year, month = start.year + count // 12, count % 12 + 1
            shifted = start.replace(
                year=year, month=month, day=min(start.day, _days_in(year, month))
            )
        return shifted + timedelta(
            weeks=int((weeks or "0W")[:-1]),
            days=int((days or "0D")[:-1]),
            hours=int((hours or "0H")[:-1]),
            minutes=int((minutes or "0M")[:-1]),
            seconds=float((seconds or "0S")[:-1]),
        )
    except (OverflowError, ValueError):
        raise StepError("bad_duration", f"“{text[:60]}” leads beyond the calendar.") from None


def moment(value: Any, zone: str) -> datetime:
    """A date, a date and time or their text as a moment; a bare date is midnight in ``zone``."""
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
    except ValueError:
        raise StepError(
            "bad_time", f"“{str(value)[:60]}” is not a date or a date and time."
        ) from None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=ZoneInfo(zone))
    if isinstance(value, date):
        return datetime.combine(value, time(), ZoneInfo(zone))
    raise StepError("bad_time", f"“{str(value)[:60]}” is not a date or a date and time.")


def _days_in(year: int, month: int) -> int:
    following = date(year + month // 12, month % 12 + 1, 1)
    return (following - date(year, month, 1)).days
