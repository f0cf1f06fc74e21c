"""The limits of a question and its ladder, in sentences."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from apps.steps.findings import at

Config = Mapping[str, Any]


class Teller(Protocol):
    """What says it in one of the languages."""

    @property
    def say(self) -> Callable[..., str]: ...

    def time(self, given: Any) -> str: ...
    def list_(self, names: Sequence[str], word: str = "") -> str: ...
    def asked(self, whom: Any) -> list[str]: ...


def limits(teller: Teller, config: Config) -> Iterator[str]:
    """A sentence for each limit, for the reminders and for each rung."""
    due, respond = config.get("due"), config.get("respond")
    if isinstance(respond, str) and respond:
        working = _working(teller, config.get("respond_business"))
        yield teller.say("react", time=teller.time(respond), working=working)
    if isinstance(due, str) and due:
        yield teller.say(
            "due", due=teller.time(due), working=_working(teller, config.get("business"))
        )
    undo_for = config.get("undo_for")
    if isinstance(undo_for, str) and undo_for:
        yield teller.say("undo_for", time=teller.time(undo_for))
    warnings = config.get("warnings")
    if (due or respond) and isinstance(warnings, list) and warnings:
        yield teller.say("warned", percent=teller.list_([str(one) for one in warnings]))
    rungs = config.get("escalation")
    for rung in rungs if isinstance(rungs, list) else ():
        if isinstance(rung, Mapping):
            yield teller.say("rung", when=_when(teller, rung), what=_what(teller, rung))


def _when(teller: Teller, rung: Config) -> str:
    percent = at(rung, "when", "percent")
    if percent is not None:
        of = "rung_of_respond" if at(rung, "when", "of") == "respond" else "rung_of_due"
        return teller.say(of, percent=percent)
    after = at(rung, "when", "after") or "P1D"
    working = _working(teller, at(rung, "when", "business"))
    return teller.say("rung_after", time=teller.time(after), working=working)


def _what(teller: Teller, rung: Config) -> str:
    outcome = at(rung, "what", "outcome")
    if outcome is not None:
        return teller.say("rung_ends", outcome=outcome)
    if at(rung, "what", "urgent"):
        return teller.say("rung_urgent")
    for how in ("add", "reassign"):
        whom = at(rung, "what", how)
        if isinstance(whom, Mapping):
            who = teller.list_(teller.asked(whom)) or teller.say("nobody")
            return teller.say(f"rung_{how}", who=who)
    return teller.say("rung_reminds")


def _working(teller: Teller, business: object) -> str:
    return teller.say("working") if business is True else ""
