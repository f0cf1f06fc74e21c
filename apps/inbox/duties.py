"""Duties kept apart: who may not decide a question, whatever their role and by whichever door.

Judged when a task is opened, when somebody is given it, and again when somebody answers; for who
stands in as for who was asked. Nothing here asks who somebody is beside that: an administrator is
kept apart like everybody.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db.models import Q

from apps.accounts import places
from apps.core.errors import Forbidden
from apps.flows.compiled import compiled
from apps.flows.models import FlowVersion
from apps.inbox import rules
from apps.inbox.models import Decision, UserTask

#: Not who wrote the version, not who answered another question of the run, not from the
#: requester's department, and two people at least.
AUTHOR, TWICE, DEPARTMENT, FOUR_EYES = "author", "twice", "department", "four_eyes"
ALL = (AUTHOR, TWICE, DEPARTMENT, FOUR_EYES)
HIGH = "high"


class KeptApart(Forbidden):
    """A duty keeps this person from deciding; no role opens that door."""

    code = "kept_apart"


class RequesterMayNot(KeptApart):
    """Who asked may not decide."""

    code = "requester"


class AuthorMayNot(KeptApart):
    """Who wrote the flow's version may not decide."""

    code = "author"


class TwiceMayNot(KeptApart):
    """Who has answered another question of the same run may not answer this one."""

    code = "twice"


class DepartmentMayNot(KeptApart):
    """Who is of the requester's department, or of none that is known, may not decide."""

    code = "same_department"


def risk_of(settings: Mapping[str, Any]) -> str:
    """What a flow says of its risk; one that says nothing counts as high."""
    return str(settings.get("risk") or HIGH)


def of_step(asked: Mapping[str, Any], risk: str) -> list[str]:
    """The duties that a step asks for, by its flow's risk; see ``steps.types.approval.Duties``."""
    author = asked.get("author") or "by_risk"
    wanted = {AUTHOR: author == "yes" or (author == "by_risk" and risk == HIGH)}
    wanted |= {one: bool(asked.get(one)) for one in (TWICE, DEPARTMENT, FOUR_EYES)}
    return [one for one in ALL if wanted[one]]


@dataclass(frozen=True, slots=True)
class Case:
    """What the duties are judged by."""

    workspace_id: UUID
    version_id: UUID
    run_id: UUID
    #: The step that asks, its visit and its stage: an answer to itself is not an earlier one.
    step: str
    visit: int
    stage: int
    requester_id: UUID | None
    allow_requester: bool
    duties: Sequence[str]
    day: date

    @classmethod
    def of(cls, task: UserTask, day: date) -> "Case":
        """Of a task that is open."""
        return cls(
            task.workspace_id,
            task.version_id,
            task.run_id,
            task.step,
            task.visit,
            task.stage,
            task.requester_id,
            task.allow_requester,
            task.duties,
            day,
        )


def kept_apart(
    case: Case, people: Collection[UUID], *, unknown_may: bool = False
) -> dict[UUID, KeptApart]:
    """Those of these people who may not decide, each with why.

    Where the requester's department or a person's own is not known, the person is kept apart;
    ``unknown_may`` says that they are asked just because of that.
    """
    found: dict[UUID, KeptApart] = {}
    if case.requester_id in people and not case.allow_requester:
        assert case.requester_id is not None  # noqa: S101 - it is among people
        found[case.requester_id] = RequesterMayNot(
            "You asked for this yourself; somebody else has to decide."
        )
    if AUTHOR in case.duties:
        for user_id in _authors(case.version_id).intersection(people):
            found.setdefault(
                user_id,
                AuthorMayNot("You helped to write this flow; somebody else has to decide."),
            )
    if TWICE in case.duties:
        for user_id in _answered_before(case, people):
            found.setdefault(
                user_id,
                TwiceMayNot("You have answered another question of this; somebody else decides."),
            )
    if DEPARTMENT in case.duties:
        for user_id, refused in _of_department(case, people, unknown_may=unknown_may):
            found.setdefault(user_id, refused)
    return found


def authored_by(user_id: UUID) -> Q:
    """Tasks of versions that this person helped to write, where that keeps them apart."""
    mine = FlowVersion.objects.filter(author_id=user_id)
    return Q(duties__contains=[AUTHOR], version_id__in=mine.values("pk"))


@lru_cache(maxsize=4096)
def _authors(version_id: UUID) -> frozenset[UUID]:
    """A version never changes, so that this is asked once."""
    version = FlowVersion.objects.only("author_id", "authors").get(pk=version_id)
    ids = [*version.authors, version.author_id]
    return frozenset(UUID(str(one)) for one in ids if one)


def _answered_before(case: Case, people: Collection[UUID]) -> set[UUID]:
    """Those who answered another question of the run, or another stage of this one.

    Themselves or for somebody.
    """
    given = Decision.objects.filter(task__run_id=case.run_id, task__superseded_at__isnull=True)
    # Who has filled something in has decided nothing.
    others = given.exclude(task__kind=rules.FILL_IN).exclude(
        task__step=case.step, task__visit__in=_visits(case), task__stage=case.stage
    )
    return set(others.filter(user__in=list(people)).values_list("user_id", flat=True))


def _visits(case: Case) -> list[int]:
    """The visit that asks, and those that were sent back: there it is the same question again."""
    answers = compiled(case.version_id).steps[case.step].raw.get("outcomes") or ()
    back = [one["port"] for one in answers if one.get("side") == "back"]
    if not back:
        return [case.visit]
    sent = UserTask.objects.filter(run_id=case.run_id, step=case.step, outcome__in=back)
    return [case.visit, *sent.values_list("visit", flat=True)]


def _of_department(
    case: Case, people: Collection[UUID], *, unknown_may: bool
) -> Iterable[tuple[UUID, DepartmentMayNot]]:
    asked = {*people, *([case.requester_id] if case.requester_id else [])}
    known = places.departments_on(case.workspace_id, case.day, asked)
    theirs = known.get(case.requester_id) if case.requester_id else None
    for user_id in people:
        own = known.get(user_id)
        if theirs is not None and own is not None:
            if own.casefold() == theirs.casefold():
                yield (
                    user_id,
                    DepartmentMayNot(
                        "You are of the same department; somebody of another one decides."
                    ),
                )
        elif not unknown_may:
            yield (
                user_id,
                DepartmentMayNot(
                    "It is not known which department this comes from or you belong to, and nobody"
                    " of the same one may decide; ask an administrator."
                ),
            )
