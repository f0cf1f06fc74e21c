"""Put questions to people: called by the driver, inside its transaction, for a whole batch."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.accounts.models import Membership, Team, User
from apps.accounts.places import today
from apps.accounts.queries import people_in
from apps.core import live, outbox
from apps.core.models import uuid7
from apps.engine import values
from apps.flows.compiled import compiled
from apps.inbox import assigning, failures, filling, limits, rules, stages
from apps.inbox.assigning import fallback_people, manager_of, tell_fallback
from apps.inbox.duties import FOUR_EYES, Case, kept_apart, of_step, risk_of
from apps.inbox.models import TaskAssignee, TaskMoment, TaskWatch, UserTask
from apps.inbox.watches import watch_of
from apps.runs import doorbell
from apps.runs.ports import Refusal, TaskRequest
from apps.steps import deciding
from apps.steps.outcomes import StepError

NO_ASSIGNEE = "no_assignee"


def open_tasks(requests: Sequence[TaskRequest], now: datetime) -> list[Refusal]:
    """Put questions to people; returns those that nobody can answer.

    People are fixed here: active members among the named, their managers and the groups, without
    those whom a duty keeps apart; of them one, where the step says so. Where nobody is left, or
    no manager is known, the group that stands in is asked. Everybody asked gets a mail; the
    flow's owner is told of that group and where fewer are found than the rule needs (topics
    ``task.opened``, ``task.fallback`` and ``task.too_few``).
    """
    found, turns, calendars = _People(), assigning.Turns(now), limits.Calendars()
    tasks: list[UserTask] = []
    moments: list[TaskMoment] = []
    watched: list[TaskWatch] = []
    assignees: list[TaskAssignee] = []
    refusals: list[Refusal] = []
    instead: list[UserTask] = []
    for asked in requests:
        request = failures.as_question(asked) if asked.kind == "exception" else asked.request
        requester = found.requester(asked.workspace_id, request["requester"])
        task = _task(asked, request, requester, now)
        people = found.named(task, request, now)
        eligible = _eligible(task, people, now)
        fallback = [] if eligible and found.is_complete else fallback_people(task, now)
        if not eligible and not fallback:
            refusals.append(_nobody(asked, request, only_requester=bool(people)))
            continue
        eligible = turns.one_of(request.get("pick") or assigning.ALL, task, eligible)
        asked_now = found.assignees(task, request, eligible)
        asked_now += found.instead(task, fallback, {one.user_id for one in asked_now})
        try:
            moments += limits.start(task, request, asked_now, calendars)
        except (StepError, limits.SilenceApproves) as wrong:
            refusals.append(_refused(asked, wrong.code, wrong.message))
            continue
        task.seen = seen_hash(task)
        voters = voters_of(asked_now)
        task.needed = deciding.needed(task.rule, voters)
        tasks.append(task)
        if (watch := watch_of(task, request, now)) is not None:
            watched.append(watch)
        assignees += asked_now
        if fallback:
            instead.append(task)
        if not deciding.is_reachable(deciding.Terms.of(task.rule), voters, "for"):
            tell_too_few(task, found=len(asked_now), now=now)
    UserTask.objects.bulk_create(tasks)
    TaskAssignee.objects.bulk_create(assignees)
    TaskMoment.objects.bulk_create(moments)
    if watched:
        TaskWatch.objects.bulk_create(watched)
        transaction.on_commit(partial(doorbell.ring, "events"))
    turns.keep()
    for task in instead:
        tell_fallback(task, now)
    outbox.enqueue_many(
        topic="task.opened", payloads=[{"task": str(task.pk)} for task in tasks], now=now
    )
    publish(tasks)
    return refusals


def voters_of(
    assignees: Iterable[TaskAssignee], answers: Mapping[UUID, str] | None = None
) -> list[deciding.Voter]:
    """Those a task was put to as its rule counts them; ``answers`` by the ids of people."""
    return [
        deciding.Voter(
            (answers or {}).get(one.user_id, ""),
            one.weight,
            one.may_veto,
            one.dropped_at is not None,
        )
        for one in assignees
    ]


def places_of(
    task: UserTask, request: Mapping[str, Any], people: Iterable[tuple[User, str]]
) -> dict[UUID, TaskAssignee]:
    """Places for people who come to it later, as the step weighs them; not yet stored."""
    return {one.user_id: one for one in _People().assignees(task, request, people)}


def tell_too_few(task: UserTask, *, found: int, now: datetime) -> None:
    """Let the flow's owner know that the rule can no longer be met by an approval."""
    outbox.enqueue(
        topic="task.too_few",
        payload={"task": str(task.pk), "needed": task.needed, "found": found},
        now=now,
    )


def publish(tasks: Iterable[UserTask]) -> None:
    """After commit, tell open pages about tasks."""
    by_workspace: dict[UUID, list[UUID]] = {}
    for task in tasks:
        by_workspace.setdefault(task.workspace_id, []).append(task.pk)
    for workspace_id, ids in by_workspace.items():
        live.publish(workspace_id, "task", ids)


def seen_hash(task: UserTask) -> str:
    """SHA-256 in hex over everything that a decider is shown of the matter.

    Computed when the task is opened, and when an event changes its facts; the same again from
    what is stored. The version is in it, because what follows from each answer is read from there.
    """
    return sha256(values.dumps(shown_to_deciders(task)).encode()).hexdigest()


def shown_to_deciders(task: UserTask) -> dict[str, Any]:
    """What a decider is shown of the matter, as it is hashed; the trail keeps it so."""
    return {
        "task": str(task.pk),
        "version": str(task.version_id),
        "title": task.title,
        "details": task.details,
        "facts": task.facts,
        "requester": task.requester.email if task.requester else task.requester_text,
        "rule": _in_order(task.rule),
        "due": task.first_due_at.isoformat() if task.first_due_at else None,
        "outcomes": list(rules.outcomes(task.kind, task.rule)),
        **({"undo_for": task.undo_seconds} if task.undo_seconds else {}),
        **filling.as_shown(task),
        **stages.as_shown(task),
    }


@dataclass
class _People:
    """Look-ups of one batch, each made once: its tasks mostly ask the same people."""

    _asked: dict[Any, list[tuple[User, str]]] = field(default_factory=dict)
    _requesters: dict[tuple[UUID, str], User | None] = field(default_factory=dict)
    #: Whether everybody was found whom the last step named: a manager may not be known.
    is_complete: bool = True

    def named(
        self, task: UserTask, request: Mapping[str, Any], now: datetime
    ) -> list[tuple[User, str]]:
        """Whom the step names, a manager among them, each once."""
        people = self.asked(task.workspace_id, request["users"], request["groups"])
        self.is_complete, led = True, request.get("manager_of")
        if led is None:
            return people
        leads = manager_of(task.workspace_id, led, now)
        if leads is None:
            self.is_complete = False
            return people
        return [(leads, ""), *(one for one in people if one[0].pk != leads.pk)]

    def instead(
        self, task: UserTask, people: Iterable[tuple[User, str]], but: Collection[UUID]
    ) -> list[TaskAssignee]:
        """Those of the group that stands in, less those who are asked anyway."""
        return [
            TaskAssignee(
                task=task,
                workspace_id=task.workspace_id,
                user=user,
                via=via,
                is_fallback=True,
            )
            for user, via in people
            if user.pk not in but
        ]

    def asked(
        self, workspace_id: UUID, users: Sequence[str], groups: Sequence[str]
    ) -> list[tuple[User, str]]:
        """Whom the step names, each with the group through which they were found, if any."""
        if not users and not groups:
            return []
        key = (workspace_id, tuple(users), tuple(groups))
        if key not in self._asked:
            named = {address.strip().lower() for address in users}
            people = people_in(workspace_id, users=users, teams=groups)
            via = groups_of(workspace_id, groups)
            self._asked[key] = [
                (one, "" if one.email in named else via.get(one.pk, "")) for one in people
            ]
        return self._asked[key]

    def assignees(
        self, task: UserTask, request: Mapping[str, Any], people: Iterable[tuple[User, str]]
    ) -> list[TaskAssignee]:
        """Each of the people, with the weight and the veto that the step gives them.

        Of several weights that fit a person, the one for the person's own address counts, else
        the greatest.
        """
        weights = [
            (one["weight"], self._named(task.workspace_id, one["who"]))
            for one in request["weights"]
        ]
        veto = request["veto"]
        vetoing = {
            user.pk for user, _ in self.asked(task.workspace_id, veto["users"], veto["groups"])
        }
        return [
            TaskAssignee(
                task=task,
                workspace_id=task.workspace_id,
                user=user,
                via=via,
                weight=_weight(user, weights),
                may_veto=user.pk in vetoing,
            )
            for user, via in people
        ]

    def _named(self, workspace_id: UUID, who: str) -> dict[UUID, bool]:
        """The people meant, each with whether their own address names them."""
        found = {user.pk: False for user, _ in self.asked(workspace_id, [], [who])}
        return found | {user.pk: True for user, _ in self.asked(workspace_id, [who], [])}

    def requester(self, workspace_id: UUID, address: str) -> User | None:
        """The member of this workspace with that address, active or not.

        Nobody from elsewhere: a flow could otherwise show names of another workspace's people.
        """
        key = (workspace_id, address.strip().lower())
        if key not in self._requesters:
            member = (
                Membership.objects.for_workspace(workspace_id)
                .filter(user__email=key[1])
                .select_related("user")
                .first()
                if key[1]
                else None
            )
            self._requesters[key] = member.user if member else None
        return self._requesters[key]


def _eligible(
    task: UserTask, people: Sequence[tuple[User, str]], now: datetime
) -> list[tuple[User, str]]:
    """Those whom no duty keeps apart."""
    case = Case.of(task, today(task.workspace_id, now))
    apart = kept_apart(case, [user.pk for user, _ in people])
    return [one for one in people if one[0].pk not in apart]


def groups_of(workspace_id: UUID, groups: Sequence[str]) -> dict[UUID, str]:
    """For each person in one of the groups, the first that holds them."""
    if not groups:
        return {}
    rows = (
        Team.objects.for_workspace(workspace_id)
        .filter(slug__in=list(groups))
        .values_list("group__user", "slug")
    )
    place = {slug: index for index, slug in enumerate(groups)}
    found: dict[UUID, str] = {}
    for user_id, slug in sorted(rows, key=lambda row: place[row[1]]):
        found.setdefault(user_id, slug)
    return found


def _weight(user: User, weights: Iterable[tuple[int, Mapping[UUID, bool]]]) -> int:
    fitting = [(people[user.pk], weight) for weight, people in weights if user.pk in people]
    return max(fitting, default=(False, 1))[1]


def _nobody(asked: TaskRequest, request: Mapping[str, Any], *, only_requester: bool) -> Refusal:
    named = ", ".join([*request["groups"], *request["users"]])
    if asked.kind == "exception":
        message = f"Nobody could be asked what to do: no active person is found for {named}."
        return _refused(asked, NO_ASSIGNEE, message)
    if request.get("kind") == rules.FILL_IN:
        message = (
            f"Nobody can fill in “{asked.step_title}”: no active person is found for it."
            " Name others, or a group that stands in."
        )
        return _refused(asked, NO_ASSIGNEE, message)
    if only_requester:
        why = "the only person found is the one who asks"
    else:
        why = f"no active person who may decide is found for {named}"
    message = f"Nobody can decide “{asked.step_title}”: {why}. Name others in the step."
    return _refused(asked, NO_ASSIGNEE, message)


def _refused(asked: TaskRequest, code: str, message: str) -> Refusal:
    return Refusal(asked.run_id, asked.step, asked.visit, code, message)


def _task(
    asked: TaskRequest,
    request: Mapping[str, Any],
    requester: User | None,
    now: datetime,
) -> UserTask:
    risk = risk_of(compiled(asked.version_id).settings)
    duties = _duties(asked, request, risk)
    due_at = datetime.fromisoformat(request["due_at"]) if request["due_at"] else None
    return UserTask(
        id=uuid7(),
        workspace_id=asked.workspace_id,
        flow_id=asked.flow_id,
        version_id=asked.version_id,
        run_id=asked.run_id,
        lane=asked.lane,
        step=asked.step,
        visit=asked.visit,
        kind=request.get("kind") or asked.kind,
        generation=asked.generation,
        title=(_on_one_line(request["title"]) or _on_one_line(asked.step_title))[:300],
        details=request["details"],
        facts=request["fields"],
        rule=_for_two(request["rule"]) if FOUR_EYES in duties else request["rule"],
        requester=requester,
        requester_text="" if requester else _on_one_line(request["requester"])[:254],
        allow_requester=request["allow_requester"],
        risk=risk,
        duties=duties,
        fallback=list(request.get("fallback") or ()),
        due_at=due_at,
        first_due_at=due_at,
        undo_seconds=request.get("undo_seconds") or 0,
        **filling.of_request(asked.version_id, asked.step, request),
        **stages.of_request(request),
        opened_at=now,
        updated_at=now,
    )


def _duties(asked: TaskRequest, request: Mapping[str, Any], risk: str) -> list[str]:
    """Of a later stage those of the first: it is one question."""
    if asked.kind == "exception":
        return []
    found = request.get("duties") or {}
    return list(found) if isinstance(found, list) else of_step(found, risk)


def _for_two(rule: Mapping[str, Any]) -> dict[str, Any]:
    """The rule, where two people at least must be for it."""
    asked = {name: value for name, value in rule.items() if name != "any"}
    if "any" in rule or rule.get("n") == 1:
        asked["n"] = 2
    return {**asked, "at_least": 2}


def _in_order(value: Any) -> Any:
    """With names sorted: the column keeps no order, and the hash must come out the same again."""
    if isinstance(value, Mapping):
        return {name: _in_order(value[name]) for name in sorted(value)}
    return [_in_order(one) for one in value] if isinstance(value, list) else value


def _on_one_line(text: str) -> str:
    return " ".join(text.split())
