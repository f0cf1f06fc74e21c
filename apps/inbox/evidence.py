"""The evidence of decisions: who, for whom, by which grant, on what, by which version.

And whether the trail's row about it is as it was sealed. Read from the trail, by the names of that
moment. What has changed since (somebody left, a group is called otherwise) is said beside it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext

from apps.accounts.actors import Actor
from apps.accounts.models import Membership, Team, User
from apps.accounts.permissions import has_right
from apps.audit.commands import record
from apps.audit.one_row import RowProof, check_row
from apps.audit.queries import Row, audit_rows, with_values
from apps.audit.records import Target
from apps.audit.signed_page import signed_page
from apps.core.errors import Conflict, Forbidden, NotFound
from apps.engine import values
from apps.flows.models import FlowVersion
from apps.inbox import filling, holding, queries, stages, words
from apps.inbox.details import as_markup
from apps.inbox.evidence_words import Told, happened, told
from apps.inbox.models import Decision, UserTask
from apps.inbox.opening import shown_to_deciders
from apps.inbox.stale import as_seen, mark
from apps.runs.queries import get_run

#: Of one task: more than that has never been seen, and a page has an end.
MOST_ROWS = 500


@dataclass(frozen=True, slots=True)
class Given:
    """One decision with the trail's row about it; None where it is not there any more."""

    decision: Decision
    row: Row | None
    proof: RowProof | None

    @property
    def state(self) -> str:
        """Whether the row is as it was sealed: verified, unsealed, altered or missing."""
        if self.row is None or self.proof is None:
            return "missing"
        if self.proof.problems:
            return "altered"
        return "unsealed" if self.proof.seal is None else "verified"

    @property
    def kept(self) -> Mapping[str, Any]:
        """What the row says beside who and when."""
        return self.row.group("details") if self.row else {}


@dataclass(frozen=True, slots=True)
class Evidence:
    """All there is about one question: its decisions, and what else happened to it."""

    task: UserTask
    given: Sequence[Given]
    #: The trail's other rows about the task, oldest first; for who may read the trail.
    history: Sequence[Row] = field(default_factory=tuple)


def evidence_of(actor: Actor, task_id: UUID) -> Evidence:
    """The evidence of a task: all of it for who reads the trail, one's own decision for others.

    Raises:
        NotFound: There is no such task, or nothing of it is for this actor.
    """
    task = queries.get_task(actor, task_id)
    reads_all = has_right(actor, "audit.view")
    decisions = queries.with_lapsed(task)
    if not reads_all:
        decisions = [one for one in decisions if one.user_id == actor.user_id]
        if not decisions:
            raise NotFound("There is no evidence here for you; auditors can see all of it.")
    events = audit_rows(task.workspace_id, target=str(task.pk)).filter(target_type="task")
    rows = with_values(reversed(events[:MOST_ROWS]))
    given = [_given(one, rows) for one in decisions]
    others = [one for one in rows if one.event.verb != "task.decide"] if reads_all else []
    return Evidence(task, given, others)


def tasks_of_run(actor: Actor, run_id: UUID) -> QuerySet[UserTask]:
    """What people were asked in a run, the first first; for who may see the run.

    Raises:
        NotFound: There is no such run, or not for this actor.
    """
    run = get_run(actor, run_id)
    rows = UserTask.objects.for_workspace(actor.workspace_id).filter(run_id=run.pk)
    return rows.select_related("requester").order_by("id")


def page_of(found: Evidence, *, zone: ZoneInfo) -> dict[str, Any]:
    """What the page of a task's evidence shows."""
    task = found.task
    return {
        "task": task,
        "flow": queries.flow_names([task]).get(task.flow_id, ""),
        "stage": stages.name_of(task),
        "asked_at": words.moment(task.opened_at, zone),
        "ended_at": words.moment(task.closed_at, zone) if task.closed_at else "",
        "held": holding.said(task, zone),
        "due": words.moment(task.due_at, zone) if task.due_at else "",
        "people": [one.user.get_full_name() for one in queries.assignees_of(task)],
        "given": [_marked(one, task, zone) for one in found.given],
        "history": [happened(one, zone) for one in found.history],
        "release": _release(task, zone),
        "siblings": list(_siblings(task)),
        # Without a decision nobody is on record with what they saw; it is what was put to them.
        "asked": None if found.given else seen_again(shown_to_deciders(task), "", zone),
    }


def signed_file(
    *, actor: Actor, task_id: UUID, decision_id: UUID, now: datetime
) -> tuple[str, bytes]:
    """The evidence of one decision as one signed file, with its name; that it was taken is told.

    For who may take exports of the trail, and for the person whose decision it is.

    Raises:
        NotFound: There is no such decision, or not for this actor.
        Forbidden: Who reads the trail but may take nothing away.
        Conflict: It is not sealed yet, or was erased from the trail.
    """
    found = evidence_of(actor, task_id)
    given = next((one for one in found.given if one.decision.pk == decision_id), None)
    if given is None:
        raise NotFound("There is no such decision, or it is not for you.")
    if given.decision.user_id != actor.user_id and not has_right(actor, "export.read"):
        raise Forbidden("Your role does not allow this; ask an administrator of the workspace.")
    if given.row is None:
        raise Conflict("The trail does not hold this decision any more.")
    zone = _zone_of(given)
    task = found.task

    def render(proof: dict[str, Any]) -> str:
        shown = {
            "task": task,
            "flow": queries.flow_names([task]).get(task.flow_id, ""),
            "stage": stages.name_of(task),
            "one": _marked(given, task, zone),
            "release": _release(task, zone),
            "proof": proof,
            "style": _style(),
        }
        return render_to_string("inbox/evidence_file.html", shown)

    event_id = given.row.event.pk
    content = signed_page(
        task.workspace_id,
        event_id,
        render=render,
        also=_whole(given, task),
        made_by=actor.who.label,
        now=now,
    )
    with transaction.atomic():
        record(
            who=actor.who,
            workspace_id=task.workspace_id,
            verb="export.read",
            target=Target("audit", str(event_id), task.title),
            details={"what": "decision", "task": str(task.pk), "decision": str(decision_id)},
            flow_id=task.flow_id,
            correlation_id=task.run_id,
            now=now,
        )
    return f"decision-{decision_id}.html", content


def _style() -> str:
    """The sheet that the file carries in itself."""
    return (settings.BASE_DIR / "static" / "evidence.css").read_text(encoding="utf-8")


def _given(decision: Decision, rows: Iterable[Row]) -> Given:
    row = next((one for one in rows if _is_about(one, decision)), None)
    return Given(decision, row, check_row(row.event.pk) if row else None)


def _is_about(row: Row, decision: Decision) -> bool:
    """Whether it is this decision's row; those of earlier releases do not name it."""
    if row.event.verb != "task.decide":
        return False
    if (named := row.values.get("details.decision")) is not None:
        return bool(named == str(decision.pk))
    acted = {row.event.actor_id, row.event.on_behalf_of}
    return row.event.at == decision.decided_at and str(decision.user_id) in acted


def _told(given: Given, task: UserTask, zone: ZoneInfo) -> Told:
    shown = _shown(given, task)
    language = str((given.kept.get("read_in") or {}).get("language") or "")
    seen = seen_again(shown, language, _zone_of(given)) if shown else None
    ids = [given.decision.user_id, given.decision.on_behalf_of_id]
    return told(
        given.decision,
        given.row,
        state=given.state,
        proof=given.proof,
        word=words.outcome_word(task.rule, given.decision.outcome),
        seen=seen,
        filled=_filled(given, task, zone),
        left=_left(task.workspace_id, [one for one in ids if one]),
        named_now=_named_now(task.workspace_id, given.kept),
        zone=zone,
    )


def seen_again(shown: Mapping[str, Any], language: str, zone: ZoneInfo) -> dict[str, Any]:
    """The matter as the page showed it: title, details and facts, in the language it was read in.

    The facts are the same markup that the page of the task has.
    """
    with translation.override(language or translation.get_language() or "en"):
        facts = [
            {"label": one["label"], "value": words.shown(one["value"], zone)}
            for one in shown.get("facts") or ()
        ]
        details = str(shown.get("details") or "")
        return {
            "title": shown.get("title", ""),
            "requester": shown.get("requester", ""),
            "details": as_markup(details) if details.strip() else "",
            "facts": render_to_string("inbox/facts.html", {"facts": facts}) if facts else "",
        }


def _marked(given: Given, task: UserTask, zone: ZoneInfo) -> Told:
    """With what a change of the facts has done to the answer."""
    said = mark(given.decision, task, stages.facts_now(task), zone)
    return replace(_told(given, task, zone), mark=said)


def _shown(given: Given, task: UserTask) -> Mapping[str, Any] | None:
    """What was shown, as the trail has it; None where it was erased or never kept."""
    kept = given.kept.get("shown")
    if not isinstance(kept, Mapping):
        return None
    return _as_seen(given, task) if kept.get("too_long") is True else kept


def _as_seen(given: Given, task: UserTask) -> dict[str, Any]:
    """What was shown when the decision was made: the facts may have changed since."""
    return shown_to_deciders(as_seen(task, given.decision.seen))


def _whole(given: Given, task: UserTask) -> dict[str, str]:
    """The texts of what was shown and filled in that are too long for the row: there as hashes."""
    whole = {"shown": _as_seen(given, task), "answers": given.decision.answers}
    kept = {name: given.kept.get(name) for name in whole}
    return {
        name: values.dumps(whole[name])
        for name, value in kept.items()
        if isinstance(value, Mapping) and value.get("too_long") is True
    }


def _filled(given: Given, task: UserTask, zone: ZoneInfo) -> list[dict[str, Any]]:
    """What was filled in with the answer, as the trail has it; empty where it takes nothing."""
    kept = given.kept.get("answers")
    if not isinstance(kept, Mapping):
        return []
    answers = given.decision.answers if kept.get("too_long") is True else kept
    return [
        {"label": one.label, "value": words.shown(one.value, zone)}
        for one in filling.filled_in(task, answers)
    ]


def _zone_of(given: Given) -> ZoneInfo:
    """The zone in which the decider read it."""
    try:
        return ZoneInfo(str((given.kept.get("read_in") or {}).get("zone") or "UTC"))
    except (ZoneInfoNotFoundError, ValueError, AttributeError):
        return ZoneInfo("UTC")


def _left(workspace_id: UUID, user_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Those of these people who do not belong to the workspace any more."""
    here = Membership.objects.for_workspace(workspace_id).filter(
        user__in=user_ids, is_active=True, user__is_active=True
    )
    return frozenset(user_ids) - set(here.values_list("user_id", flat=True))


def _named_now(workspace_id: UUID, kept: Mapping[str, Any]) -> dict[str, str]:
    """What the groups of a grant are called today, by id; none where they are gone."""
    grant = kept.get("grant") or {}
    groups = [grant.get("group") or {}, *grant.get("roles", ()), *grant.get("teams", ())]
    ids = {one["id"] for one in groups if one.get("id")}
    teams = Team.objects.for_workspace(workspace_id).filter(pk__in=ids)
    return {str(one.pk): one.name for one in teams}


def _release(task: UserTask, zone: ZoneInfo) -> dict[str, Any]:
    """The version that ran: who wrote and who published it, and the one before it."""
    version = FlowVersion.objects.select_related("author").get(pk=task.version_id)
    wrote = User.objects.filter(pk__in=version.authors).order_by("name", "email")
    return {
        "number": version.number,
        "before": version.number - 1 if version.number > 1 else None,
        "hash": version.hash,
        "published_by": version.author.get_full_name() if version.author else "",
        "published_at": words.moment(version.created_at, zone),
        "wrote": [one.get_full_name() for one in wrote],
        "note": version.note,
    }


def _siblings(task: UserTask) -> Iterable[dict[str, Any]]:
    """The other stages of the question, and those from before it began anew."""
    others = stages.all_of(task).exclude(pk=task.pk).order_by("round", "stage")
    return ({"id": one.pk, "name": _place(one) or one.title} for one in others)


def _place(task: UserTask) -> str:
    anew = gettext("before it began anew") if task.superseded_at else ""
    return ", ".join(filter(None, (stages.name_of(task), anew)))
