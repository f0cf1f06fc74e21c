"""Every write about flows. Each locks the flow first, and everything else after it."""

from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils.translation import get_language

from apps.accounts.actors import Actor
from apps.accounts.models import Membership, User
from apps.accounts.permissions import require
from apps.audit.commands import record
from apps.audit.records import Target
from apps.core import live
from apps.core.errors import Conflict, Invalid, NotFound, PreconditionFailed
from apps.engine import values
from apps.flows import candidates, checks, ports, revisions
from apps.flows.examples import examples
from apps.flows.models import (
    FLOW_TRANSITIONS,
    MAX_NAME,
    MAX_NOTE,
    Draft,
    DraftAuthor,
    Flow,
    FlowState,
    FlowVersion,
    RevisionKind,
)
from apps.flows.names import checked_name, name_fault
from apps.steps.changes import differences
from apps.steps.check import MAX_BYTES
from apps.steps.findings import Finding, at, errors_in
from apps.steps.format import document_hash, empty_document

#: The trail hears of a person's saves of one draft once in this time.
NOTED_EVERY = timedelta(minutes=10)


class Archived(Conflict):
    """An archived flow is kept to be read; nothing about it changes any more."""

    code = "archived"


class DraftChanged(PreconditionFailed):
    """Somebody saved the draft since the caller read it."""

    code = "stale"


class DocumentTooLarge(Invalid):
    """The document has more bytes than a draft may have."""

    code = "too_large"
    status = 413


class AnotherBase(Conflict):
    """Another version is active than the one whose differences were chosen from."""

    code = "another_base"


class HasErrors(Invalid):
    """The document cannot be published; ``findings`` says why."""

    code = "has_errors"


@transaction.atomic
def create_flow(*, actor: Actor, name: str, now: datetime, example: str | None = None) -> Flow:
    """Add a flow with a draft: an empty one, or a copy of an example.

    Raises:
        Forbidden: The actor may not create flows.
        Invalid: The name does not fit, or there is no such example.
    """
    require(actor, "flow.create")
    begun = None
    if example is None:
        document = empty_document(name)
    elif begun := examples(get_language() or "").get(example):
        document = deepcopy(begun.document)
        if "owner" in document["settings"]:
            document["settings"]["owner"] = actor.email
    else:
        raise Invalid(
            f"There is no example “{example[:60]}”; choose one of {', '.join(examples())}.",
            errors=[{"path": "example", "message": "There is no such example."}],
        )
    flow = _add(actor, name, document, now)
    if begun:
        ports.begun(flow=flow, trials=begun.trials, actor=actor, now=now)
    _note(actor, flow, "flow.create", now, details={"example": example} if example else None)
    return flow


@transaction.atomic
def duplicate_flow(*, actor: Actor, flow_id: UUID, now: datetime, name: str | None = None) -> Flow:
    """Add a flow that begins with the draft of another.

    Raises:
        NotFound: The actor may not view the other.
        Forbidden: The actor may not create flows.
        Invalid: The name does not fit.
    """
    require(actor, "flow.view", flow_id)
    require(actor, "flow.create")
    source = Draft.objects.select_related("flow").get(flow_id=flow_id)
    title = name if name is not None else f"Copy of {source.flow.name}"[:MAX_NAME]
    flow = _add(actor, title, source.document, now)
    _note(actor, flow, "flow.duplicate", now, details={"source": str(flow_id)})
    return flow


@transaction.atomic
def save_draft(
    *, actor: Actor, flow_id: UUID, document: object, if_match: int, now: datetime
) -> Draft:
    """Replace a draft's whole document, whatever is wrong with it; the next revision.

    A name in the document that fits becomes the flow's. The trail hears of a person's saves
    once in ten minutes.

    Raises:
        NotFound, Forbidden: As ``accounts.permissions.require``.
        Invalid: The document is not an object; ``too_large`` (413) beyond 1 MB.
        DraftChanged: ``if_match`` is not the current revision; says who changed it last, and when.
        Archived: The flow is archived.

    Locks:
        The flow, then its draft.
    """
    require(actor, "flow.edit", flow_id)
    if not isinstance(document, Mapping) or not document:
        raise Invalid("A flow document is a JSON object that is not empty; send the whole of it.")
    size = len(values.dumps(document).encode())
    if size > MAX_BYTES:
        raise DocumentTooLarge(f"The document has {size:,} bytes; at most {MAX_BYTES:,} fit.")
    flow, draft = _lock_both(actor, flow_id)
    if draft.revision != if_match:
        raise _changed(draft)
    named = document.get("name")
    before = flow.name
    if isinstance(named, str) and name_fault(named) is None:
        flow.name = named.strip()
    _write_draft(draft, document, actor, now)
    flow.updated_at = now
    flow.save(update_fields=["name", "updated_at"])
    _note_edit(actor, flow, draft, before, now)
    live.publish(flow.workspace_id, "flow", [flow.pk])
    return draft


@transaction.atomic
def restore_draft(
    *,
    actor: Actor,
    flow_id: UUID,
    if_match: int,
    now: datetime,
    version: int | None = None,
    revision: int | None = None,
) -> Draft:
    """Make the draft what a version or an earlier revision says; the next revision.

    Nothing is lost by it: what the draft said before is a revision too.

    Raises:
        NotFound, Forbidden: As ``accounts.permissions.require``; there is no such version or
            revision (any more).
        Invalid: Not exactly one of the two is named.
        DraftChanged: ``if_match`` is not the current revision.
        Archived: The flow is archived.

    Locks:
        The flow, then its draft.
    """
    require(actor, "flow.edit", flow_id)
    flow, draft = _lock_both(actor, flow_id)
    if draft.revision != if_match:
        raise _changed(draft)
    if version is not None and revision is None:
        source, document = f"version {version}", _version(flow, version).document
    elif revision is not None and version is None:
        source, document = f"revision {revision}", _revision(flow, revision)
    else:
        raise Invalid("Name one version or one revision to restore.")
    before = flow.name
    if isinstance(named := document.get("name"), str) and name_fault(named) is None:
        flow.name = named.strip()
    _write_draft(draft, document, actor, now, kind=RevisionKind.RESTORED, source=source)
    flow.updated_at = now
    flow.save(update_fields=["name", "updated_at"])
    _remember_author(actor, draft, now)
    _note(
        actor,
        flow,
        "flow.restore",
        now,
        before={"name": before} if before != flow.name else None,
        after={"name": flow.name} if before != flow.name else None,
        details={"restored": source, "revision": draft.revision},
    )
    return draft


@transaction.atomic
def rename_flow(*, actor: Actor, flow_id: UUID, name: str, now: datetime) -> Flow:
    """Give a flow another name, in its draft too, which so gets a new revision.

    Raises:
        NotFound, Forbidden: As ``accounts.permissions.require``.
        Invalid: The name does not fit.
        Archived: The flow is archived.

    Locks:
        The flow, then its draft.
    """
    require(actor, "flow.edit", flow_id)
    wanted = checked_name(name)
    flow, draft = _lock_both(actor, flow_id)
    if wanted == flow.name and at(draft.document, "name") == wanted:
        return flow
    before, flow.name, flow.updated_at = flow.name, wanted, now
    _write_draft(draft, {**draft.document, "name": wanted}, actor, now)
    flow.save(update_fields=["name", "updated_at"])
    _note(actor, flow, "flow.edit", now, before={"name": before}, after={"name": wanted})
    return flow


@transaction.atomic
def give_flow(*, actor: Actor, flow_id: UUID, owner_id: UUID, now: datetime) -> Flow:
    """Make somebody else the owner, who hears of failures.

    Raises:
        NotFound, Forbidden: As ``accounts.permissions.require``.
        Invalid: The person does not belong to the workspace.
        Archived: The flow is archived.

    Locks:
        The flow.
    """
    require(actor, "flow.edit", flow_id)
    flow = _lock(actor, flow_id)
    here = Membership.objects.for_workspace(actor.workspace_id)
    owner = User.objects.filter(
        pk=owner_id,
        is_active=True,
        pk__in=here.filter(is_active=True).values("user_id"),
    ).first()
    if owner is None:
        raise Invalid(
            "The owner must be an active person of this workspace.",
            errors=[{"path": "owner", "message": "There is no such person in this workspace."}],
        )
    before, flow.owner, flow.updated_at = flow.owner, owner, now
    flow.save(update_fields=["owner", "updated_at"])
    _note(
        actor,
        flow,
        "flow.edit",
        now,
        before={"owner": before.email if before else None},
        after={"owner": owner.email},
    )
    return flow


@transaction.atomic
def rehome_flows(*, actor: Actor, from_id: UUID, owner_id: UUID, now: datetime) -> list[Flow]:
    """Make somebody the owner of all that a person owns, archived ones too; for a leaver.

    For who manages people. The new owner is an active member; the caller has seen to that.

    Locks:
        The flows, by id.
    """
    require(actor, "people.manage")
    flows = list(
        Flow.objects.for_workspace(actor.workspace_id)
        .select_for_update(of=("self",), no_key=True)
        .select_related("owner")
        .filter(owner=from_id)
        .order_by("pk")
    )
    owner = User.objects.get(pk=owner_id)
    for flow in flows:
        before, flow.owner, flow.updated_at = flow.owner, owner, now
        flow.save(update_fields=["owner", "updated_at"])
        _note(
            actor,
            flow,
            "flow.edit",
            now,
            before={"owner": before.email if before else None},
            after={"owner": owner.email},
        )
    return flows


@transaction.atomic
def publish_flow(
    *,
    actor: Actor,
    flow_id: UUID,
    note: str,
    now: datetime,
    if_match: int | None = None,
    choice: candidates.Choice | None = None,
) -> FlowVersion:
    """Make the draft an immutable version and activate it, both or neither.

    A draft that nobody changed since may be published again: another number and note, the same
    hash. ``if_match`` publishes only the revision that the actor saw. With a ``choice`` the
    version is the active one with the chosen changes made, checked as a whole; the other changes
    stay in the draft, which from then on differs from the new version by them alone.

    Raises:
        NotFound, Forbidden: As ``accounts.permissions.require``.
        HasErrors: An error stands against the draft.
        DraftChanged: The draft has another revision than ``if_match``.
        AnotherBase: The choice is from the differences to a version that is not active now.
        Invalid: The note is too long; a chosen change is not there, or nothing is chosen.
        Archived: The flow is archived.

    Locks:
        The flow, then its draft, then what the registered releases lock.
    """
    require(actor, "flow.publish", flow_id)
    if len(note) > MAX_NOTE:
        raise Invalid(
            f"The note has {len(note)} characters; at most {MAX_NOTE} fit.",
            errors=[{"path": "note", "message": f"At most {MAX_NOTE} characters."}],
        )
    flow, draft = _lock_both(actor, flow_id)
    if if_match is not None and draft.revision != if_match:
        raise _changed(draft)
    base = flow.active_version
    if choice is not None and choice.base != (base.number if base else None):
        raise AnotherBase("Another version was published meanwhile; look at the changes again.")
    made = candidates.candidate(base.document if base else {}, draft.document, choice)
    what = "The draft" if made.is_whole else "What is chosen"
    _refuse_errors(checks.findings_of(flow, made.document), f"{what} cannot be published yet")
    last = flow.versions.aggregate(last=Max("number"))["last"] or 0
    version = FlowVersion.objects.create(
        flow=flow,
        workspace_id=flow.workspace_id,
        number=last + 1,
        hash=document_hash(made.document),
        document=made.document,
        **_trigger_of(made.document),
        author_id=actor.user_id,
        note=note.strip(),
        authors=revisions.authors_of(draft.touched, made.changes),
        created_at=now,
    )
    draft.touched = revisions.untouched(draft.touched, made.document, draft.document)
    draft.save(update_fields=["touched"])
    _activate(actor, flow, version, "flow.publish", now, reason=version.note)
    return version


@transaction.atomic
def activate_version(
    *, actor: Actor, flow_id: UUID, number: int, now: datetime, reason: str = ""
) -> FlowVersion:
    """Give new runs another version of the flow; running ones keep theirs.

    Only what the workspace can hold against it today is checked: a way back must stay open
    even if the check has become stricter since.

    Raises:
        NotFound, Forbidden: As ``accounts.permissions.require``; there is no such version.
        HasErrors: A secret is gone, or the address is another flow's by now.
        Archived: The flow is archived.

    Locks:
        The flow, then what the registered releases lock.
    """
    require(actor, "flow.publish", flow_id)
    flow = _lock(actor, flow_id)
    version = _version(flow, number)
    if flow.active_version_id == version.pk:
        return version
    against = checks.findings_now(flow, version.document)
    _refuse_errors(against, f"Version {number} cannot be activated now")
    _activate(actor, flow, version, "flow.activate", now, reason=reason)
    return version


@transaction.atomic
def pause_flow(*, actor: Actor, flow_id: UUID, now: datetime, reason: str = "") -> Flow:
    """Hold signals: they are accepted and wait. Nothing happens to a flow that is paused already.

    Raises:
        NotFound, Forbidden: As ``accounts.permissions.require``.
        Archived: The flow is archived.

    Locks:
        The flow, then what the registered releases lock.
    """
    require(actor, "flow.pause", flow_id)
    return _move(actor, flow_id, FlowState.PAUSED, "flow.pause", now=now, reason=reason)


@transaction.atomic
def resume_flow(*, actor: Actor, flow_id: UUID, now: datetime, reason: str = "") -> Flow:
    """Start runs again, those first that were held. Nothing happens to an active flow.

    Raises:
        As ``pause_flow``.

    Locks:
        As ``pause_flow``.
    """
    require(actor, "flow.pause", flow_id)
    return _move(actor, flow_id, FlowState.ACTIVE, "flow.resume", now=now, reason=reason)


@transaction.atomic
def archive_flow(*, actor: Actor, flow_id: UUID, now: datetime, reason: str = "") -> Flow:
    """Put a flow away for good: no signal starts it, nobody edits it. Running runs go on.

    Raises:
        NotFound, Forbidden: As ``accounts.permissions.require``.

    Locks:
        As ``pause_flow``.
    """
    require(actor, "flow.archive", flow_id)
    return _move(actor, flow_id, FlowState.ARCHIVED, "flow.archive", now=now, reason=reason)


def _add(actor: Actor, name: str, document: Mapping[str, Any], now: datetime) -> Flow:
    title = checked_name(name)
    flow = Flow.objects.create(
        workspace_id=actor.workspace_id,
        name=title,
        owner_id=actor.user_id,
        created_at=now,
        updated_at=now,
    )
    draft = Draft(flow=flow, revision=0)
    _write_draft(draft, {**document, "name": title}, actor, now)
    _remember_author(actor, draft, now)
    return flow


def _write_draft(
    draft: Draft,
    document: Mapping[str, Any],
    actor: Actor,
    now: datetime,
    *,
    kind: RevisionKind = RevisionKind.SAVED,
    source: str = "",
) -> None:
    """The only place that writes a draft's document; what it was and is are both kept."""
    is_new = draft.revision == 0
    if not is_new:
        revisions.write_first_revision(draft)
    changes = differences({} if is_new else draft.document, document)
    draft.document = dict(document)
    draft.revision += 1
    for name, value in _trigger_of(document).items():
        setattr(draft, name, value)
    draft.updated_by_id, draft.updated_at = actor.user_id, now
    draft.touched = revisions.touch(draft.touched, changes, actor.user_id, now)
    draft.save()
    revisions.write_revision(draft, changes, now, kind=kind, source=source)


def _trigger_of(document: Mapping[str, Any]) -> dict[str, str]:
    """What a list shows of a document."""
    kind, path = at(document, "trigger", "type"), at(document, "trigger", "config", "path")
    return {
        "trigger_type": kind[:60] if isinstance(kind, str) else "",
        "trigger_path": path[:600] if isinstance(path, str) else "",
    }


def _version(flow: Flow, number: int) -> FlowVersion:
    found = flow.versions.filter(number=number).first()
    if found is None:
        raise NotFound(f"This flow has no version {number}.")
    return found


def _revision(flow: Flow, number: int) -> Mapping[str, Any]:
    found = flow.revisions.select_related("content").filter(number=number).first()
    if found is None:
        raise NotFound(f"Revision {number} of this draft is not there, or not kept any more.")
    document: Mapping[str, Any] = found.content.document
    return document


def _lock(actor: Actor, flow_id: UUID) -> Flow:
    """The flow's row, not to be changed by anybody else; runs may still refer to it."""
    found = (
        Flow.objects.for_workspace(actor.workspace_id)
        .select_for_update(no_key=True)
        .filter(pk=flow_id)
        .first()
    )
    if found is None:
        raise NotFound("There is no such flow, or it is not for you.")
    if found.state == FlowState.ARCHIVED:
        raise Archived("This flow is archived; duplicate it to work on it again.")
    return found


def _lock_both(actor: Actor, flow_id: UUID) -> tuple[Flow, Draft]:
    flow = _lock(actor, flow_id)
    draft = Draft.objects.select_for_update(no_key=True).get(flow=flow)
    return flow, draft


def _move(
    actor: Actor, flow_id: UUID, state: FlowState, verb: str, *, now: datetime, reason: str
) -> Flow:
    """The only place that writes ``state``."""
    current = Flow.objects.for_workspace(actor.workspace_id).filter(pk=flow_id).first()
    if state == FlowState.ARCHIVED and current is not None and current.state == state:
        return current
    flow = _lock(actor, flow_id)
    if flow.state == state:
        return flow
    if state not in FLOW_TRANSITIONS[flow.state]:
        raise Conflict(f"A flow that is {flow.state} cannot become {state}.")
    before, flow.state, flow.updated_at = flow.state, state, now
    flow.save(update_fields=["state", "updated_at"])
    ports.released(flow=flow, version=flow.active_version, state=flow.state, actor=actor, now=now)
    _note(
        actor, flow, verb, now, before={"state": before}, after={"state": str(state)}, reason=reason
    )
    return flow


def _activate(
    actor: Actor, flow: Flow, version: FlowVersion, verb: str, now: datetime, *, reason: str
) -> None:
    before = flow.active_version
    flow.active_version, flow.updated_at = version, now
    flow.save(update_fields=["active_version", "updated_at"])
    ports.released(flow=flow, version=version, state=flow.state, actor=actor, now=now)
    _note(
        actor,
        flow,
        verb,
        now,
        before={"number": before.number, "hash": before.hash} if before else None,
        after={"number": version.number, "hash": version.hash},
        details={"authors": version.authors} if verb == "flow.publish" else None,
        reason=reason,
    )


def _note(actor: Actor, flow: Flow, verb: str, now: datetime, **told: Any) -> None:
    record(
        who=actor.who,
        workspace_id=flow.workspace_id,
        verb=verb,
        target=Target("flow", str(flow.pk), flow.name),
        now=now,
        **told,
    )
    live.publish(flow.workspace_id, "flow", [flow.pk])


def _note_edit(actor: Actor, flow: Flow, draft: Draft, name_before: str, now: datetime) -> None:
    """Tell the trail of an autosave, unless it heard of this person's a short time ago."""
    renamed = name_before != flow.name
    if not _remember_author(actor, draft, now) and not renamed:
        return
    _note(
        actor,
        flow,
        "flow.edit",
        now,
        before={"name": name_before} if renamed else None,
        after={"name": flow.name} if renamed else None,
        details={"revision": draft.revision},
    )


def _remember_author(actor: Actor, draft: Draft, now: datetime) -> bool:
    """Keep who changed the draft and when; whether the trail is due to hear of it."""
    if actor.user_id is None:
        return True
    author, is_new = DraftAuthor.objects.get_or_create(
        draft=draft, user_id=actor.user_id, defaults={"last_at": now, "noted_at": now}
    )
    is_due = is_new or now - author.noted_at >= NOTED_EVERY
    author.last_at = now
    author.noted_at = now if is_due else author.noted_at
    author.save(update_fields=["last_at", "noted_at"])
    return is_due


def _changed(draft: Draft) -> DraftChanged:
    who = draft.updated_by.get_full_name() if draft.updated_by else "Signalbox"
    return DraftChanged(
        f"{who} changed this draft since you read it; read it again and bring in your changes.",
        revision=draft.revision,
        updated_at=draft.updated_at,
        updated_by=(
            {"id": str(draft.updated_by.pk), "name": who} if draft.updated_by else {"name": who}
        ),
    )


def _refuse_errors(findings: list[Finding], what: str) -> None:
    errors = errors_in(findings)
    if errors:
        count = "an error stands" if len(errors) == 1 else f"{len(errors)} errors stand"
        raise HasErrors(
            f"{what}: {count} against it.", findings=[one.as_json() for one in findings]
        )
