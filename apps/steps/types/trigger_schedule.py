"""Start at set times.

The **Schedule** fires by a cron line in a time zone, once per time, also after a restart.
"""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from croniter import croniter
from pydantic import Field, field_validator

from apps.steps.registry import StepModel, trigger_type


def summary(config: Mapping[str, Any]) -> str:
    return f"{config.get('cron') or ''} {config.get('zone') or ''}".strip()


@trigger_type(
    kind="schedule",
    title="Schedule",
    icon="calendar-clock",
    summary=summary,
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

    @field_validator("cron")
    @classmethod
    def _five_fields(cls, cron: str) -> str:
        if len(cron.split()) != 5 or not croniter.is_valid(cron):
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
