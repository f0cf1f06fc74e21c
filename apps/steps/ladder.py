"""The time of a question: its limits, the warnings before they end, and the ladder it climbs.

A ladder is a list of rungs, each at a time of its own: they remind, ask more people, ask others
instead, make it urgent, or end the question. Silence never approves: a rung ends it only by an
answer that is against it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from apps.engine.working_time import STANDARD, Calendar, add_time, time_between
from apps.steps.deciding import REJECTED
from apps.steps.findings import Flaw, is_template
from apps.steps.outcomes import StepError
from apps.steps.registry import PureContext, StepModel, Template
from apps.steps.types.delay import after, check_duration
from apps.steps.working import after_working

WARNINGS = (50, 80, 100)
#: A Monday morning, from which what is written out is compared.
_MONDAY = datetime(2001, 1, 1, 9, tzinfo=ZoneInfo("UTC"))
#: How a limit is called in a config: the whole time, and the time until somebody takes it up.
LIMITS = {"due": "business", "respond": "respond_business"}

Config = Mapping[str, Any]


class Others(StepModel):
    users: list[Template] = Field(default_factory=list, max_length=50, title="People")
    groups: list[Template] = Field(default_factory=list, max_length=50, title="Groups")
    managers: bool = Field(False, title="The managers of those who have not answered")

    @model_validator(mode="after")
    def _somebody(self) -> "Others":
        if not (self.users or self.groups or self.managers):
            raise ValueError("Name at least one person or group, or the managers.")
        return self


class Remind(StepModel):
    remind: Literal[True] = Field(True, title="Remind those who are asked")


class Add(StepModel):
    add: Others = Field(title="Ask others as well", json_schema_extra={"x-widget": "people"})


class Reassign(StepModel):
    reassign: Others = Field(
        title="Ask others instead",
        description="Who has not answered by then loses it.",
        json_schema_extra={"x-widget": "people"},
    )


class Raise(StepModel):
    urgent: Literal[True] = Field(True, title="Make it urgent")


class End(StepModel):
    outcome: str = Field(
        REJECTED,
        pattern=r"^[a-z][a-z0-9_]{0,62}$",
        title="End it with the answer",
        description="One that is against it: silence never approves.",
        json_schema_extra={"x-widget": "outcome"},
    )


class After(StepModel):
    model_config = ConfigDict(extra="forbid", frozen=True, title="After a time")

    after: Template = Field(
        "P1D",
        min_length=1,
        title="So long after people were asked",
        examples=["P1D", "PT4H"],
        json_schema_extra={"x-feel": "template", "x-widget": "duration"},
    )
    business: bool = Field(False, title="In working time")


class Share(StepModel):
    model_config = ConfigDict(extra="forbid", frozen=True, title="At a part of a limit")

    percent: int = Field(80, ge=1, le=100, title="Per cent of the time")
    of: Literal["due", "respond"] = Field(
        "due",
        title="Which limit",
        description="Of the first reaction: only while nobody has reacted.",
        json_schema_extra={
            "x-labels": {"due": "Time to decide", "respond": "Time for a first reaction"}
        },
    )


class PlainRung(StepModel):
    when: After | Share = Field(default_factory=After, title="When")
    what: Remind | Add | Reassign | Raise = Field(default_factory=Remind, title="What happens then")


class Rung(StepModel):
    when: After | Share = Field(default_factory=After, title="When")
    what: Remind | Add | Reassign | Raise | End = Field(
        default_factory=Remind, title="What happens then"
    )


def _per_cent(given: list[int]) -> list[int]:
    if any(not 1 <= one <= 100 for one in given) or len(set(given)) < len(given):
        raise ValueError("Remind at different per cent of the limit, from 1 to 100.")
    return sorted(given)


Warnings = Annotated[list[int], AfterValidator(_per_cent)]


class Timed(Protocol):
    """The fields of a config that say what of its time a task keeps."""

    @property
    def respond(self) -> str | None: ...
    @property
    def respond_business(self) -> bool: ...
    @property
    def warnings(self) -> list[int]: ...
    @property
    def escalation(self) -> Sequence[Rung | PlainRung]: ...


def asked(config: Timed, ctx: PureContext) -> dict[str, Any]:
    """What a task is to keep of its time, as ``inbox.limits`` reads it."""
    if config.respond:
        _end(ctx.calendar, ctx.now, config.respond, business=config.respond_business)
    for rung in config.escalation:
        if isinstance(rung.when, After):
            _end(ctx.calendar, ctx.now, rung.when.after, business=rung.when.business)
    return {
        "respond": config.respond or None,
        "respond_business": config.respond_business,
        "warnings": list(config.warnings),
        "ladder": [rung.model_dump() for rung in config.escalation],
    }


def share_of(
    calendar: Calendar, start: datetime, end: datetime, percent: int, *, business: bool
) -> datetime:
    """The moment at which so many per cent of the time between two moments have passed."""
    if percent == 100:
        return end
    if not business:
        return start + (end - start) * percent / 100
    return add_time(calendar, start, time_between(calendar, start, end) * percent / 100)


def _end(calendar: Calendar, start: datetime, text: str, *, business: bool) -> datetime:
    return after_working(calendar, start, text) if business else after(start, text)


def check(config: Config) -> Iterator[Flaw]:
    """What cannot be, or would never happen, where it is written out."""
    yield from check_duration(
        {"respond": config.get("respond"), "business": config.get("respond_business")}, "respond"
    )
    due, respond = (_limit(config, name) for name in LIMITS)
    if due and respond and due[0] == respond[0] and respond[1] >= due[1]:
        yield Flaw(
            "respond_after_due",
            ("respond",),
            "The time for a first reaction ends no sooner than the time to decide.",
            "Make it shorter, or leave it out.",
        )
    rungs = config.get("escalation")
    rungs = rungs if isinstance(rungs, list) else []
    before: tuple[object, datetime] | None = None
    ended = False
    for index, rung in enumerate(rungs):
        if not isinstance(rung, Mapping):
            continue
        path, when = ("escalation", index), rung.get("when")
        when = when if isinstance(when, Mapping) else {"after": "P1D"}
        for flaw in check_duration(when, "after"):
            yield Flaw(flaw.code, (*path, "when", "after"), flaw.message, flaw.fix)
        yield from _what_flaws(config, rung, path)
        at = _at(config, when)
        yield from _when_flaws(config, when, at, path)
        if at and before and at[0] == before[0] and at[1] < before[1]:
            yield Flaw(
                "rungs_out_of_order",
                path,
                "This happens before the line above it.",
                "Put the lines in the order in which they happen.",
            )
        if ended:
            yield Flaw(
                "rung_after_end",
                path,
                "The line above ends it, so that this never happens.",
                "Remove it, or put it first.",
                severity="warning",
            )
        before = at or before
        ended = ended or _names(rung, "outcome") is not None


def _what_flaws(config: Config, rung: Config, path: tuple[str | int, ...]) -> Iterator[Flaw]:
    outcome = _names(rung, "outcome")
    if outcome is not None:
        sides = _sides(config)
        if sides.get(str(outcome)) not in {"for", "against"}:
            yield Flaw(
                "unknown_outcome",
                (*path, "what", "outcome"),
                f"“{str(outcome)[:60]}” is none of the answers against it.",
                f"Choose one of those against it: {_against(sides)}.",
            )
        elif sides[str(outcome)] == "for":
            yield Flaw(
                "silence_approves",
                (*path, "what", "outcome"),
                "Silence never approves: this answer lets things go on though nobody gave it.",
                f"Choose an answer that is against it: {_against(sides)}.",
            )
    rule = config.get("rule")
    if _names(rung, "add") is not None and isinstance(rule, Mapping) and rule.get("all"):
        yield Flaw(
            "all_and_more",
            (*path, "what"),
            "All must approve, so whoever is asked as well must approve, too.",
            "Ask others instead, or let fewer approve.",
            severity="warning",
        )


def _when_flaws(
    config: Config,
    when: Config,
    at: tuple[object, datetime] | None,
    path: tuple[str | int, ...],
) -> Iterator[Flaw]:
    limit, is_share = str(when.get("of", "due")), "percent" in when
    if is_share and not config.get(limit):
        yield Flaw(
            "rung_without_limit",
            (*path, "when"),
            "There is no limit of which this could be a part, so that it never happens.",
            "Set the limit, or say after how long it happens.",
        )
    due = _limit(config, "due")
    if at and due and at[0] == due[0] and at[1] >= due[1]:
        yield Flaw(
            "rung_after_limit",
            (*path, "when", "percent" if is_share else "after"),
            "The time to decide is over by then, so that this never happens.",
            "Let it happen sooner, or give more time.",
        )


def _at(config: Config, when: Config) -> tuple[object, datetime] | None:
    """When a rung happens, beside the kind of time it is counted in; None where nobody can say."""
    percent = when.get("percent")
    if isinstance(percent, int):
        limit = _limit(config, str(when.get("of", "due")))
        if limit is None:
            return None
        business = limit[0] is True
        return limit[0], share_of(STANDARD, _MONDAY, limit[1], percent, business=business)
    return _moment(when.get("after"), business=when.get("business") is True)


def _limit(config: Config, name: str) -> tuple[object, datetime] | None:
    known = LIMITS.get(name)
    return _moment(config.get(name), business=config.get(known) is True) if known else None


def _moment(text: object, *, business: bool) -> tuple[object, datetime] | None:
    if not isinstance(text, str) or not text or is_template(text):
        return None
    try:
        return business, _end(STANDARD, _MONDAY, text, business=business)
    except StepError:
        return None


def _names(rung: Config, name: str) -> Any:
    what = rung.get("what")
    return what.get(name) if isinstance(what, Mapping) else None


def _sides(config: Config) -> dict[str, str]:
    """The step's answers and what each counts for."""
    given = config.get("outcomes")
    named: Sequence[Any] = given if isinstance(given, list) else ()
    found = {
        str(one.get("port")): str(one.get("side", "for"))
        for one in named
        if isinstance(one, Mapping)
    }
    return found or {"approved": "for", REJECTED: "against"}


def _against(sides: Mapping[str, str]) -> str:
    return ", ".join(port for port, side in sides.items() if side == "against")
