"""Start at set times.

The **Schedule** fires by a cron line in a time zone, once per time, also after a restart. Say
what becomes of times that passed while nothing ran, and of a time that comes while the run
before is still under way.
"""

import re
from typing import Literal
from zoneinfo import ZoneInfo

from croniter import croniter
from pydantic import Field, field_validator

from apps.steps.registry import StepModel, trigger_type


class AllMissed(StepModel):
    all: int = Field(ge=1, le=100, title="All of them, at most")


@trigger_type(
    kind="schedule",
    title="Schedule",
    icon="calendar-clock",
    default_config={"cron": "0 9 * * 1-5", "zone": "Europe/Berlin"},
)
class Schedule(StepModel):
    cron: str = Field(
        max_length=100,
        title="Times",
        examples=["0 9 * * 1-5"],
        json_schema_extra={"x-widget": "cron"},
    )
    zone: str = Field("UTC", title="Time zone", json_schema_extra={"x-widget": "zone"})
    missed: Literal["skip", "once"] | AllMissed = Field(
        "once",
        title="Times that were missed",
        json_schema_extra={
            "x-labels": {
                "skip": "Let them pass",
                "once": "Make up for them with one run",
            }
        },
    )
    overlap: Literal["skip", "queue", "cancel_old", "allow"] = Field(
        "allow",
        title="While the run before is under way",
        json_schema_extra={
            "x-labels": {
                "allow": "Start beside it",
                "skip": "Let the time pass",
                "queue": "Wait until it has ended",
                "cancel_old": "Cancel it and start",
            }
        },
    )

    @field_validator("cron")
    @classmethod
    def _five_fields(cls, cron: str) -> str:
        # "R" would be another time with every look at the line.
        is_drawn = re.search(r"(?i)(?<![a-z])r(?![a-z])", cron)
        if len(cron.split()) != 5 or is_drawn or not croniter.is_valid(cron):
            raise ValueError("Expected five cron fields such as “0 9 * * 1-5”.")
        return cron

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            raise ValueError("Expected a time zone such as “Europe/Berlin”.") from None
        return zone
