"""What the trail keeps of a decision: what was seen, from where, and by which grant it was allowed.

Everything by the names of that moment: people leave, groups are renamed, addresses change hands.
What is kept is what the evidence of the decision is made from; see ``evidence``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any
from uuid import UUID

from django.utils import translation

from apps.accounts.callers import Caller, ip_of
from apps.accounts.models import Team, User
from apps.accounts.queries import zone_of
from apps.engine.canonical import content_hash
from apps.flows.compiled import compiled
from apps.flows.models import FlowVersion
from apps.inbox import holding, standing_in, words
from apps.inbox.models import Decision, TaskAssignee, UserTask
from apps.inbox.opening import shown_to_deciders
from apps.inbox.permissions import Seat

#: More people than that are counted, not named.
MOST_NAMED = 200

_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class Origin:
    """From where an answer came: by which door, from which network, with which program.

    Masked before it is kept: the network, not the address in it; the kind of program, not all it
    says of itself.
    """

    door: str = ""
    network: str = ""
    agent: str = ""


def origin_of(request: Caller, door: str) -> Origin:
    """Of a request; ``door`` is the page, app, api or mail that it came by."""
    agent = str(request.META.get("HTTP_USER_AGENT") or "")
    return Origin(door, network_of(ip_of(request)), program_of(agent))


def network_of(address: str) -> str:
    """The network an address is in: /24, or /48 of IPv6; empty where it is no address."""
    try:
        found = ip_address(address)
    except ValueError:
        return ""
    return str(ip_network(f"{found}/{24 if found.version == 4 else 48}", strict=False))


def program_of(agent: str) -> str:
    """“Firefox, Linux” of what a browser says of itself; the first word of another program."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    if not browser:
        return " ".join(agent.split()[:1])[:60]
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    return ", ".join(filter(None, (browser, system)))


def recorded(
    task: UserTask, decision: Decision, seat: Seat, origin: Origin, now: datetime
) -> dict[str, Any]:
    """The fields of the trail's row about a decision that its evidence is made from.

    The SHA-256 of the JSON text of ``shown`` is the decision's ``seen``.
    """
    asked = list(task.assignees.select_related("user", "handed_by").order_by("user__email"))
    person = User.objects.get(pk=seat.person_id)
    groups = _groups(task.workspace_id, seat.person_id, asked)
    present = [one for one in asked if one.dropped_at is None]
    return {
        "decision": str(decision.pk),
        "person": {"name": person.get_full_name(), "email": person.email},
        "origin": {"door": origin.door, "network": origin.network, "agent": origin.agent},
        "shown": shown_to_deciders(task),
        "said": {
            "rule": words.rule_sentence(task.rule, present),
            "answers": [[one.label, one.then] for one in words.answers(task, present)],
            "without_answer": words.without_answer(task),
            "undo": holding.undo_said(task),
        },
        "read_in": {
            "language": translation.get_language() or "en",
            "zone": person.zone or zone_of(task.workspace_id),
        },
        "release": _release(task.version_id),
        "form": _form(task.version_id, task.step),
        "rule_hash": content_hash(task.rule),
        "grant": _grant(task, seat, asked, groups),
        "others": _others(task, seat, asked, groups.names, now),
        "limit": {"due": task.due_at, "first_due": task.first_due_at, "opened": task.opened_at},
    }


@dataclass(frozen=True, slots=True)
class _Groups:
    """The groups that matter: those by which people were asked, and the decider's own."""

    by_slug: Mapping[str, Team]
    own: Sequence[Team]

    @property
    def names(self) -> Mapping[str, str]:
        return {slug: one.name for slug, one in self.by_slug.items()}


def _groups(workspace_id: UUID, person_id: UUID, asked: Iterable[TaskAssignee]) -> _Groups:
    teams = Team.objects.for_workspace(workspace_id)
    slugs = {one.via for one in asked if one.via}
    by_slug = {one.slug: one for one in teams.filter(slug__in=slugs)} if slugs else {}
    return _Groups(by_slug, list(teams.filter(group__user=person_id).order_by("kind", "slug")))


def _grant(
    task: UserTask, seat: Seat, asked: Iterable[TaskAssignee], groups: _Groups
) -> dict[str, Any]:
    """Why this person could answer: how the place came to whom it is of, and what they were."""
    place = next((one for one in asked if one.user_id == seat.place), None)
    via = groups.by_slug.get(place.via) if place else None
    return {
        "by": _way(place, seat),
        "group": _group(via) if via else ({"slug": place.via} if place and place.via else None),
        "place": {"name": place.user.get_full_name(), "email": place.user.email} if place else None,
        "handed_by": place.handed_by.email if place and place.handed_by else "",
        "roles": [_group(one) for one in groups.own if one.kind == Team.Kind.ROLE],
        "teams": [_group(one) for one in groups.own if one.kind == Team.Kind.TEAM],
        "duties": ([] if task.allow_requester else ["requester"]) + list(task.duties),
    }


def _way(place: TaskAssignee | None, seat: Seat) -> str:
    if seat.exception is not None:
        return "exception"
    if place is None:
        return ""
    if place.is_fallback:
        return "fallback"
    if place.handed_by_id is not None:
        return "handed_over"
    return "group" if place.via else "name"


def _group(team: Team) -> dict[str, str]:
    return {"id": str(team.pk), "slug": team.slug, "name": team.name}


def _others(
    task: UserTask,
    seat: Seat,
    asked: Sequence[TaskAssignee],
    names: Mapping[str, str],
    now: datetime,
) -> dict[str, Any]:
    """Who else could have answered at that moment, and who could not any more."""
    answered = {one.on_behalf_of_id or one.user_id for one in task.decisions.all()}
    rows = [one for one in asked if one.user_id != seat.place]
    found = [
        {
            "name": one.user.get_full_name(),
            "email": one.user.email,
            "group": names.get(one.via, one.via),
            "state": _state(one, answered),
        }
        for one in rows[:MOST_NAMED]
    ]
    return {"count": len(rows), "people": found, "stand_ins": _stand_ins(task, asked, seat, now)}


def _state(one: TaskAssignee, answered: set[UUID]) -> str:
    if one.user_id in answered:
        return "answered"
    return "could" if one.dropped_at is None else "gone"


def _stand_ins(
    task: UserTask, asked: Sequence[TaskAssignee], seat: Seat, now: datetime
) -> list[dict[str, str]]:
    """Who could have answered in somebody's place."""
    people = {one.user_id: one.user for one in asked if one.dropped_at is None}
    rows = standing_in.live(task.workspace_id, now).filter(person__in=list(people))
    covering = [one for one in rows.select_related("to") if standing_in.covers(one, task)]
    return [
        {"name": one.to.get_full_name(), "for": people[one.person_id].get_full_name()}
        for one in covering[:MOST_NAMED]
        if one.to is not None and one.to_id != seat.person_id
    ]


@lru_cache(maxsize=4096)
def _release(version_id: UUID) -> dict[str, Any]:
    """A version never changes, so that this is asked once."""
    version = FlowVersion.objects.only("number", "hash").get(pk=version_id)
    return {"number": version.number, "hash": version.hash}


@lru_cache(maxsize=4096)
def _form(version_id: UUID, step_id: str) -> dict[str, Any]:
    """What the step of that version asks with: its type, and the hash of all it says."""
    step = compiled(version_id).steps[step_id]
    return {
        "type": step.type.kind,
        "version": step.type.version,
        "hash": content_hash({"config": dict(step.raw), "title": step.title}),
    }
