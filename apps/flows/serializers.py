"""The shapes of the API about flows: what is sent, what is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from apps.accounts.models import User
from apps.flows.comparing import Compared, Side
from apps.flows.models import MAX_NOTE, Draft, DraftRevision, Flow, FlowVersion
from apps.flows.permissions import SHOWN, shown
from apps.flows.roads import Example

Row = dict[str, Any]


class Person(serializers.Serializer[Any]):
    """Who owns, wrote or changed something."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    email = serializers.EmailField()


class TriggerShown(serializers.Serializer[Any]):
    """What starts a flow: of the active version, else of the draft."""

    type = serializers.CharField()
    path = serializers.CharField(required=False)


class PauseShown(serializers.Serializer[Any]):
    """Since when a flow is paused, by whom and why."""

    at = serializers.DateTimeField()
    by = serializers.CharField(allow_blank=True)
    reason = serializers.CharField(allow_blank=True)
    held = serializers.IntegerField(help_text="Signals that start a run when it is resumed.")


class FlowShown(serializers.Serializer[Any]):
    """A flow in a list."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=["active", "paused", "archived"])
    owner = Person(allow_null=True)
    active_version = serializers.IntegerField(allow_null=True)
    hash = serializers.CharField(allow_null=True)
    trigger = TriggerShown(allow_null=True)
    revision = serializers.IntegerField(help_text="Of the draft; its ETag.")
    edited_at = serializers.DateTimeField(help_text="When the draft was saved last.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    rights = serializers.ListField(child=serializers.ChoiceField(choices=list(SHOWN)))
    pause = PauseShown(required=False, help_text="On a paused flow's own page only.")


class FlowPage(serializers.Serializer[Any]):
    """A page of flows."""

    results = FlowShown(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class FlowNew(serializers.Serializer[Any]):
    """A flow to be."""

    name = serializers.CharField(trim_whitespace=True, max_length=1000)
    example = serializers.CharField(required=False, allow_null=True, max_length=100)


class FlowChange(serializers.Serializer[Any]):
    """What of a flow itself can be changed."""

    name = serializers.CharField(required=False, max_length=1000)
    owner = serializers.UUIDField(required=False, help_text="The id of a person.")


class FlowCopy(serializers.Serializer[Any]):
    """A copy to be; without a name it is called “Copy of …”."""

    name = serializers.CharField(required=False, max_length=1000)


class Publication(serializers.Serializer[Any]):
    """Why the draft is published."""

    note = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=MAX_NOTE, trim_whitespace=True
    )
    changes = serializers.ListField(
        child=serializers.CharField(max_length=2000),
        required=False,
        max_length=5000,
        help_text="Ids of groups of changes, as the comparison of `active` and `draft` has them;"
        " the others stay in the draft. Without it the whole draft is published.",
    )
    base = serializers.IntegerField(
        required=False,
        allow_null=True,
        help_text="The active version that the changes were chosen against; due with `changes`.",
    )


class Reason(serializers.Serializer[Any]):
    """Why something is done; kept in the trail."""

    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=2000)


class VersionShown(serializers.Serializer[Any]):
    """A published version."""

    number = serializers.IntegerField()
    hash = serializers.CharField()
    author = Person(allow_null=True)
    note = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    is_active = serializers.BooleanField()
    authors = Person(many=True, help_text="Whose changes it brought, as far as the draft knew.")


class VersionPage(serializers.Serializer[Any]):
    """A page of versions."""

    results = VersionShown(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class VersionWhole(VersionShown):
    """A version with its document."""

    document = serializers.DictField()


class PublishedVersion(VersionShown):
    """A version just made."""

    unchanged = serializers.BooleanField(
        help_text="Whether it behaves as the version that was active before: the same hash."
    )


class RevisionShown(serializers.Serializer[Any]):
    """What the draft was after a save."""

    number = serializers.IntegerField()
    author = Person(allow_null=True)
    created_at = serializers.DateTimeField()
    how = serializers.ChoiceField(choices=["saved", "restored"])
    restored_from = serializers.CharField(
        allow_blank=True, help_text="Of a restored one: `version 3` or `revision 12`."
    )
    changed = serializers.IntegerField(help_text="Places that differ from the one before.")
    about = serializers.ListField(
        child=serializers.CharField(), help_text="Titles of the first few steps that changed."
    )
    is_current = serializers.BooleanField()


class RevisionPage(serializers.Serializer[Any]):
    """A page of revisions."""

    results = RevisionShown(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class RevisionWhole(RevisionShown):
    """A revision with its document."""

    document = serializers.DictField()


class Restoration(serializers.Serializer[Any]):
    """What the draft shall be: one of the two."""

    version = serializers.IntegerField(required=False, min_value=1)
    revision = serializers.IntegerField(required=False, min_value=1)


class SideShown(serializers.Serializer[Any]):
    """One of the two that are compared, with its document."""

    what = serializers.ChoiceField(choices=["version", "revision", "draft", "empty"])
    number = serializers.IntegerField(allow_null=True)
    author = Person(allow_null=True)
    at = serializers.DateTimeField(allow_null=True)
    note = serializers.CharField(allow_blank=True)
    document = serializers.DictField()


class ChangeShown(serializers.Serializer[Any]):
    """One place that differs, in words."""

    path = serializers.CharField(help_text="A JSON Pointer (RFC 6901); a link is `from:port>to`.")
    became = serializers.ChoiceField(choices=["added", "removed", "changed"])
    step = serializers.CharField(allow_null=True)
    text = serializers.CharField()


class ChangeGroup(serializers.Serializer[Any]):
    """Changes of which no part makes sense alone."""

    id = serializers.CharField()
    title = serializers.CharField(allow_blank=True)
    steps = serializers.ListField(child=serializers.CharField())
    authors = Person(many=True)
    changes = ChangeShown(many=True)


class RiskShown(serializers.Serializer[Any]):
    """What to look at twice before it is published."""

    code = serializers.CharField()
    severity = serializers.ChoiceField(choices=["high", "note"])
    step = serializers.CharField(allow_null=True)
    text = serializers.CharField()


class Comparison(serializers.Serializer[Any]):
    """What differs between two states of a flow; where cards stand is told apart."""

    before = SideShown()
    after = SideShown()
    same = serializers.BooleanField(help_text="Whether both behave alike: nothing to tell.")
    groups = ChangeGroup(many=True)
    moved = serializers.ListField(
        child=serializers.CharField(), help_text="Steps whose cards stand elsewhere."
    )
    notes = RiskShown(many=True)
    authors = Person(many=True)


class Position(serializers.Serializer[Any]):
    """The place of a mistake inside an expression, its leading `=` not counted."""

    start = serializers.IntegerField()
    end = serializers.IntegerField()


class Choice(serializers.Serializer[Any]):
    """A step, and the way out it takes."""

    step = serializers.CharField()
    port = serializers.CharField(help_text="Several where it takes several at once, by commas.")


class RepairChange(serializers.Serializer[Any]):
    """One operation of JSON Patch (RFC 6902)."""

    op = serializers.ChoiceField(choices=["add", "remove", "replace"])
    path = serializers.CharField()
    value = serializers.JSONField(required=False)


class RepairShown(serializers.Serializer[Any]):
    """What puts a finding right at once, where one way to do so is safe."""

    does = serializers.CharField(help_text="What a button for it says.")
    patch = RepairChange(many=True)


class FindingShown(serializers.Serializer[Any]):
    """One thing that is wrong or doubtful."""

    code = serializers.CharField()
    severity = serializers.ChoiceField(choices=["error", "warning"])
    step = serializers.CharField(allow_null=True, help_text="A step's id, or `trigger`.")
    path = serializers.CharField(
        allow_blank=True, help_text="A JSON Pointer (RFC 6901) into the document."
    )
    message = serializers.CharField()
    fix = serializers.CharField()
    position = Position(allow_null=True)
    way = Choice(many=True, help_text="The choices that lead there, where that is known.")
    repair = RepairShown(allow_null=True)


class Findings(serializers.Serializer[Any]):
    """What a check found, errors first."""

    findings = FindingShown(many=True)
    checked_ms = serializers.FloatField()


class ProblemShown(serializers.Serializer[Any]):
    """A refusal (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()


class Unpublishable(ProblemShown):
    """Why a document cannot be published."""

    findings = FindingShown(many=True, required=False)


class Stale(ProblemShown):
    """Who changed the draft since it was read, and when."""

    revision = serializers.IntegerField(required=False)
    updated_at = serializers.DateTimeField(required=False)
    updated_by = serializers.DictField(required=False)


class CheckAsked(serializers.Serializer[Any]):
    """A document to check; without one the draft is checked."""

    document = serializers.JSONField(required=False)


class ExampleShown(serializers.Serializer[Any]):
    """A flow to start from."""

    slug = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    document = serializers.DictField()


class ExamplePage(serializers.Serializer[Any]):
    """All examples."""

    results = ExampleShown(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class TriggerTypeShown(serializers.Serializer[Any]):
    """A way to start a run."""

    kind = serializers.CharField()
    title = serializers.CharField()
    help = serializers.CharField()
    icon = serializers.CharField()
    config_schema = serializers.DictField()
    default_config = serializers.DictField()


class StepTypeShown(TriggerTypeShown):
    """A type of step, with all that the editor draws from."""

    version = serializers.IntegerField()
    category = serializers.CharField()
    behaviour = serializers.ChoiceField(choices=["pure", "effect", "wait", "join", "scope", "end"])
    outward = serializers.BooleanField(help_text="Whether it touches the outside world.")
    ports = serializers.ListField(child=serializers.CharField(), allow_null=True)
    ports_from = serializers.CharField(
        allow_null=True, help_text="Where in the config the names of the ports stand."
    )
    must_link = serializers.ListField(child=serializers.CharField())
    output_schema = serializers.DictField(allow_null=True)
    output_from = serializers.CharField(
        allow_null=True, help_text="The config's field whose names are those of the output."
    )


class Catalogue(serializers.Serializer[Any]):
    """Every type of step and of trigger."""

    results = StepTypeShown(many=True)
    triggers = TriggerTypeShown(many=True)


def person_row(user: User | None) -> Row | None:
    """A person as the API shows them."""
    if user is None:
        return None
    return {"id": user.pk, "name": user.get_full_name(), "email": user.email}


def flow_row(flow: Flow, rights: frozenset[str]) -> Row:
    """A flow as the API shows it; from ``queries.visible_flows``, so without more queries."""
    version = flow.active_version
    return {
        "id": flow.pk,
        "name": flow.name,
        "state": flow.state,
        "owner": person_row(flow.owner),
        "active_version": version.number if version else None,
        "hash": version.hash if version else None,
        "trigger": _trigger(version or flow.draft),
        "revision": flow.draft.revision,
        "edited_at": flow.draft.updated_at,
        "created_at": flow.created_at,
        "updated_at": flow.updated_at,
        "rights": shown(rights),
    }


def version_row(
    version: FlowVersion, active_id: object, people: Mapping[str, User] | None = None
) -> Row:
    """A version as the API shows it; ``people`` are those that its ``authors`` name."""
    known = people or {}
    return {
        "number": version.number,
        "hash": version.hash,
        "author": person_row(version.author),
        "note": version.note,
        "created_at": version.created_at,
        "is_active": version.pk == active_id,
        "authors": [person_row(known[one]) for one in version.authors if one in known],
    }


def revision_row(revision: DraftRevision) -> Row:
    """A revision as the API shows it; from ``queries.revisions_of``."""
    return {
        "number": revision.number,
        "author": person_row(revision.author),
        "created_at": revision.created_at,
        "how": revision.kind,
        "restored_from": revision.source,
        "changed": revision.changed,
        "about": revision.about,
        "is_current": revision.number == getattr(revision, "draft_number", None),
    }


def comparison_row(found: Compared) -> Row:
    """A comparison as the API shows it."""
    return {
        "before": _side_row(found.before),
        "after": _side_row(found.after),
        "same": found.is_same,
        "groups": [
            {**row, "authors": [person_row(one) for one in row["authors"]]} for row in found.groups
        ],
        "moved": found.moved,
        "notes": found.notes,
        "authors": [person_row(one) for one in found.authors],
    }


def _side_row(side: Side) -> Row:
    return {
        "what": side.kind,
        "number": side.number,
        "author": person_row(side.author),
        "at": side.at,
        "note": side.note,
        "document": side.document,
    }


def example_row(example: Example) -> Row:
    """An example as the API shows it."""
    return {
        "slug": example.slug,
        "title": example.title,
        "description": example.description,
        "document": example.document,
    }


def _trigger(of: FlowVersion | Draft) -> Row | None:
    if not of.trigger_type:
        return None
    return {"type": of.trigger_type, **({"path": of.trigger_path} if of.trigger_path else {})}
