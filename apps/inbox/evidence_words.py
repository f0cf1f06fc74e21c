"""The evidence of a decision in words: each of an auditor's questions a sentence or two."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext, ngettext

from apps.audit.one_row import RowProof
from apps.audit.queries import Row
from apps.engine import values
from apps.inbox import words
from apps.inbox.models import Decision

NOT_KEPT = "\N{EN DASH}"


@dataclass(frozen=True, slots=True)
class Told:
    """One decision as a page tells it; texts are whole sentences, ready to be read."""

    decision: Decision
    event: UUID | None
    who: str
    word: str
    at: str
    comment: str
    behalf: str
    origin: str
    #: By which grant it was allowed, a sentence each, and the names by which it is known today.
    grant: Sequence[str]
    duties: Sequence[str]
    others: Sequence[Mapping[str, str]]
    stand_ins: Sequence[str]
    more_others: int
    limit: str
    #: Until when it was held, so that it could be taken back; empty where it was not.
    held: str
    #: What was shown, as it was read; None where it was erased or never kept.
    seen: Mapping[str, Any] | None
    said: Mapping[str, Any]
    #: What was filled in with it: labels and values.
    filled: Sequence[Mapping[str, Any]]
    hashes: Sequence[tuple[str, str]]
    state: str
    proof: str
    problems: Sequence[str]
    #: What a change of the facts has done to it; empty where nothing.
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Happened:
    """Another thing that happened to a task."""

    event: UUID
    at: str
    what: str
    who: str
    reason: str
    details: Sequence[tuple[str, str]]


def told(
    decision: Decision,
    row: Row | None,
    *,
    state: str,
    proof: RowProof | None,
    word: str,
    seen: Mapping[str, Any] | None,
    filled: Sequence[Mapping[str, Any]],
    left: frozenset[UUID],
    named_now: Mapping[str, str],
    zone: ZoneInfo,
) -> Told:
    """Everything about one decision, in the words of who reads it now."""
    kept: Mapping[str, Any] = row.group("details") if row else {}
    others = kept.get("others") or {}
    people = others.get("people") or []
    return Told(
        decision=decision,
        event=row.event.pk if row else None,
        who=_who(decision, kept, left),
        word=word,
        at=words.moment(decision.decided_at, zone),
        comment=decision.comment,
        behalf=_behalf(decision, kept),
        origin=_origin(kept.get("origin") or {}),
        grant=_grant(kept, named_now),
        duties=_duties(kept.get("grant") or {}),
        others=[{**one, "word": _could(one.get("state", ""))} for one in people],
        stand_ins=[
            gettext("%(name)s, standing in for %(other)s")
            % {"name": one["name"], "other": one["for"]}
            for one in others.get("stand_ins") or ()
        ],
        more_others=max(0, int(others.get("count") or 0) - len(people)),
        limit=_limit(decision.decided_at, kept.get("limit"), zone),
        held=_held(kept, zone),
        seen=seen,
        said=kept.get("said") or {},
        filled=filled,
        hashes=_hashes(decision, kept, row),
        state=state,
        proof=_proof(state, proof, zone),
        problems=[one.message for one in proof.problems] if proof else [],
    )


def happened(row: Row, zone: ZoneInfo) -> Happened:
    """A row of the trail about a task, in words."""
    verb = row.event.verb
    what = _VERBS[verb]() if verb in _VERBS else verb.partition(".")[2].replace("_", " ")
    if verb == "task.escalate":
        what = _rung(row.values.get("details.what"))
    elif verb == "task.change":
        what = _changed(row.group("details"))
    hidden = {"run", "flow", "version", "step", "kind", "seen", "shown", "what", "rung", "stage"}
    hidden |= {"decision", "seen_before", "event", "policy"}
    return Happened(
        event=row.event.pk,
        at=words.moment(row.event.at, zone),
        what=what,
        who="Signalbox" if row.event.actor_kind == "system" else row.text("actor.label") or "",
        reason=row.text("reason") or "",
        details=[
            *_facts(row, zone),
            *(
                (_label(name), _value(value, zone))
                for name, value in row.group("details").items()
                if name not in hidden and value not in (None, "", [], {})
            ),
        ],
    )


_VERBS = {
    "task.timeout": lambda: gettext("Nobody decided in time; it was closed"),
    "task.drop": lambda: gettext("Somebody who had lost access was taken off"),
    "task.claim": lambda: gettext("Taken by one of those who were asked"),
    "task.release": lambda: gettext("Given back"),
    "task.hand_over": lambda: gettext("Handed over"),
    "task.fallback": lambda: gettext("The group that stands in was asked"),
    "task.exception_ask": lambda: gettext("Somebody asked to decide in spite of a rule"),
    "task.exception_allow": lambda: gettext("A second person allowed it in spite of a rule"),
    "task.late": lambda: gettext("Nobody had taken it up in time"),
    "task.ask": lambda: gettext("More was asked for; the clock stood still"),
    "task.answer": lambda: gettext("The question was answered; the clock went on"),
    "task.unask": lambda: gettext("The question was taken back"),
    "task.send_back": lambda: gettext("Sent back"),
    "task.take_back": lambda: gettext("An answer was taken back"),
    "task.settle": lambda: gettext("Nobody had taken it back in time; what was decided passed on"),
}


def _changed(details: Mapping[str, Any]) -> str:
    """What an event did to a question, and what became of the answers given before."""
    if details.get("failed"):
        return gettext("An event could not be read; nothing was changed")
    said = {
        "keep": gettext("An event changed the facts; answers given before stand"),
        "ask_again": gettext("An event changed the facts; answers given before lapsed"),
        "restart": gettext("An event changed the facts; it began anew with the first stage"),
    }
    return said.get(str(details.get("policy")), gettext("An event changed the facts"))


def _facts(row: Row, zone: ZoneInfo) -> list[tuple[str, str]]:
    """Each fact that changed, before and after."""
    if row.event.verb != "task.change":
        return []
    before, after = (row.group(name).get("facts") or () for name in ("before", "after"))
    return [
        (str(was["label"]), f"{_value(was['value'], zone)} → {_value(is_['value'], zone)}")
        for was, is_ in zip(before, after, strict=False)
    ]


def _rung(what: Any) -> str:
    """What one rung of the ladder did."""
    said = {
        "remind": gettext("Escalated: those who were asked were reminded"),
        "add": gettext("Escalated: others were asked as well"),
        "reassign": gettext("Escalated: others were asked instead"),
        "urgent": gettext("Escalated: it was made urgent"),
        "outcome": gettext("Escalated: it was ended because nobody answered"),
    }
    kinds = what if isinstance(what, Mapping) else {}
    return next((said[one] for one in said if one in kinds), gettext("Escalated"))


def _who(decision: Decision, kept: Mapping[str, Any], left: frozenset[UUID]) -> str:
    """By the name of that moment, and whether the person is still there."""
    person = kept.get("person") or {}
    name = str(person.get("name") or decision.user.get_full_name())
    email = str(person.get("email") or decision.user.email)
    named = {"name": name, "address": email}
    if decision.user_id in left:
        return gettext("%(name)s (%(address)s), who is not here any more") % named
    return gettext("%(name)s (%(address)s)") % named


def _behalf(decision: Decision, kept: Mapping[str, Any]) -> str:
    if decision.on_behalf_of is None:
        return gettext("In their own name.")
    place = (kept.get("grant") or {}).get("place") or {}
    named = {"name": place.get("name") or decision.on_behalf_of.get_full_name()}
    chain = kept.get("through") or []
    said = gettext("On behalf of %(name)s, for whom they stood in.") % named
    if len(chain) > 1:
        said += " " + gettext("By the chain %(chain)s.") % {"chain": " → ".join(chain)}
    return said


def _origin(origin: Mapping[str, Any]) -> str:
    door = {
        "page": gettext("On the page of the task"),
        "app": gettext("In the inbox"),
        "bulk": gettext("In the inbox, with others at once"),
        "mail": gettext("By the link in a mail"),
        "api": gettext("By a program, with a key of the person"),
    }.get(str(origin.get("door") or ""), "")
    found = filter(None, (door, origin.get("network"), origin.get("agent")))
    return ", ".join(str(one) for one in found)


def _grant(kept: Mapping[str, Any], named_now: Mapping[str, str]) -> list[str]:
    grant = kept.get("grant")
    if not grant:
        return []
    group = grant.get("group") or {}
    ways = {
        "name": gettext("The step names this place in person."),
        "group": gettext("Asked as a member of %(group)s."),
        "fallback": gettext(
            "Asked as a member of %(group)s, the group that stands in where nobody else can answer."
        ),
        "handed_over": gettext("The task was handed over by %(person)s."),
        "exception": gettext("Allowed in spite of a rule."),
    }
    named = {
        "group": _named(group, named_now) if group else NOT_KEPT,
        "person": grant.get("handed_by") or NOT_KEPT,
    }
    found = [ways[grant["by"]] % named] if grant.get("by") in ways else []
    if exception := kept.get("exception"):
        found.append(
            gettext("%(person)s allowed it; the reason given: %(reason)s")
            % {"person": exception.get("allowed_by"), "reason": exception.get("reason")}
        )
    for label, part in ((gettext("Roles then"), "roles"), (gettext("Teams then"), "teams")):
        if held := grant.get(part):
            found.append(f"{label}: {', '.join(_named(one, named_now) for one in held)}.")
    return found


def _named(group: Mapping[str, Any], named_now: Mapping[str, str]) -> str:
    """A group by its name of that moment, and what it is called now where that differs."""
    then, key = str(group.get("name") or group.get("slug") or ""), str(group.get("id") or "")
    if not key:
        return f"“{then}”"
    if key not in named_now:
        return gettext("“%(name)s” (not there any more)") % {"name": then}
    if named_now[key] != then:
        return gettext("“%(name)s” (now called “%(now)s”)") % {"name": then, "now": named_now[key]}
    return f"“{then}”"


def _duties(grant: Mapping[str, Any]) -> list[str]:
    said = {
        "requester": gettext("Not who asked"),
        "author": gettext("Not who helped to write the flow"),
        "twice": gettext("Not who answered another question of it"),
        "department": gettext("Not of the same department as who asked"),
        "four_eyes": gettext("Two people at least"),
    }
    return [said[one] for one in grant.get("duties") or () if one in said]


def _could(state: str) -> str:
    return {
        "could": gettext("could have answered"),
        "answered": gettext("had answered"),
        "gone": gettext("could not any more"),
    }.get(state, "")


def _limit(at: datetime, limit: Any, zone: ZoneInfo) -> str:
    if not isinstance(limit, Mapping):
        return ""
    due = parse_datetime(str(limit.get("due") or ""))
    if due is None:
        return gettext("There was no limit.")
    told_ = {"due": words.moment(due, zone), "left": _length(due - at)}
    if at >= due:
        return gettext("The limit was %(due)s; it was missed.") % told_
    said = gettext("The limit was %(due)s; it was kept, with %(left)s left.") % told_
    first = parse_datetime(str(limit.get("first_due") or ""))
    if first is not None and first != due:
        said += " " + gettext("At first it was %(first)s.") % {"first": words.moment(first, zone)}
    return said


def _held(kept: Mapping[str, Any], zone: ZoneInfo) -> str:
    until = parse_datetime(str(kept.get("until") or ""))
    if not kept.get("held") or until is None:
        return ""
    return gettext(
        "With this answer it was decided. It was held until %(until)s, so that it could be taken"
        " back; nothing followed from it before."
    ) % {"until": words.moment(until, zone)}


def _length(time: Any) -> str:
    minutes = max(0, int(time.total_seconds() // 60))
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}
    if hours:
        return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}
    return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}


def _hashes(decision: Decision, kept: Mapping[str, Any], row: Row | None) -> list[tuple[str, str]]:
    release, form = kept.get("release") or {}, kept.get("form") or {}
    found = [
        (gettext("What was shown"), decision.seen),
        (gettext("Version of the flow"), release.get("hash", "")),
        (gettext("Form"), form.get("hash", "")),
        (gettext("Questions that were filled in"), kept.get("form_hash", "")),
        (gettext("Rule"), kept.get("rule_hash", "")),
        (gettext("Entry of the trail"), bytes(row.event.row_hash).hex() if row else ""),
    ]
    return [(label, str(value)) for label, value in found if value]


def _proof(state: str, proof: RowProof | None, zone: ZoneInfo) -> str:
    if state == "verified" and proof is not None and proof.sealed_at is not None:
        return gettext("Not altered since it was sealed on %(at)s, in seal %(seal)s.") % {
            "at": words.moment(proof.sealed_at, zone),
            "seal": proof.seal,
        }
    return {
        "unsealed": gettext("Not altered; it is sealed within seconds."),
        "altered": gettext("Altered since it was sealed."),
        "missing": gettext("The trail does not hold this decision any more."),
    }.get(state, "")


def _label(name: str) -> str:
    labels = {
        "from": gettext("From"),
        "to": gettext("To"),
        "groups": gettext("Groups"),
        "people": gettext("People"),
        "person": gettext("Person"),
        "due": gettext("Time to decide"),
        "result": gettext("Came to"),
        "planned": gettext("Planned for"),
        "lost": gettext("Not asked any more"),
        "happened": gettext("Happened"),
        "lapsed": gettext("Answers that lapsed"),
        "failed": gettext("Could not be read"),
        "held": gettext("Had been decided as"),
        "until": gettext("Held until"),
        "outcome": gettext("Answer"),
        "decided_at": gettext("Answered on"),
    }
    return labels.get(name) or words.label_of(name)


def _value(value: Any, zone: ZoneInfo) -> str:
    if isinstance(value, Mapping):
        return values.dumps(value)
    if isinstance(value, list):
        return ", ".join(_value(one, zone) for one in value)
    return words.shown(value, zone).text
