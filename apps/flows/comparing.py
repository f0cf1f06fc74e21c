"""Two states of a flow beside each other: a version, a revision, the draft, or nothing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.core.errors import Invalid
from apps.flows import queries, revisions
from apps.flows.candidates import group_id
from apps.flows.models import Draft
from apps.steps.changes import differences, together
from apps.steps.comparison.risks import risks
from apps.steps.comparison.tell import kind_of, tell, title_of
from apps.steps.comparison.words import Language
from apps.steps.format import document_hash

_NAMED = re.compile(r"(?P<revision>r)?(?P<number>[1-9][0-9]{0,8})")
#: What a flow without a version is compared with, so that each of its steps is one that came.
NOTHING: Mapping[str, Any] = {"steps": {}, "links": []}
Kind = Literal["version", "revision", "draft", "empty"]
Row = dict[str, Any]


@dataclass(frozen=True)
class Side:
    """One of the two."""

    kind: Kind
    number: int | None
    document: Mapping[str, Any]
    author: User | None = None
    at: datetime | None = None
    note: str = ""


def side(actor: Actor, flow_id: UUID, name: str) -> Side:
    """``7`` is version 7, ``r12`` revision 12, ``active`` what new runs get; ``draft``; ``empty``.

    ``active`` is nothing where no version is active.

    Raises:
        Invalid: It is none of these.
        NotFound: There is no such flow for this actor, or no such version or revision.
    """
    if name == "draft":
        draft = queries.get_draft(actor, flow_id)
        by, at = draft.updated_by, draft.updated_at
        return Side("draft", draft.revision, draft.document, by, at)
    if name == "active":
        version = queries.get_flow(actor, flow_id).active_version
        return side(actor, flow_id, str(version.number) if version else "empty")
    if name == "empty":
        return Side("empty", None, NOTHING)
    found = _NAMED.fullmatch(name)
    if found is None:
        raise Invalid(
            f"“{name[:40]}” is nothing to compare; name a version (7), a revision (r12), "
            "“draft”, “active” or “empty”."
        )
    number = int(found["number"])
    if found["revision"]:
        revision = queries.get_revision(actor, flow_id, number)
        document = revision.content.document
        return Side("revision", number, document, revision.author, revision.created_at)
    version = queries.get_version(actor, flow_id, number)
    by, at = version.author, version.created_at
    return Side("version", number, version.document, by, at, version.note)


@dataclass(frozen=True)
class Compared:
    """What differs, in groups that belong together, with who had a hand in each."""

    before: Side
    after: Side
    groups: list[Row]
    moved: list[str]
    notes: list[Row]
    authors: list[User]

    @property
    def is_same(self) -> bool:
        """Whether both behave alike: the places of cards aside, and how links of several ways mix.

        Nothing is like nothing alone, though all that it would be told by is left out.
        """
        if "empty" not in (self.before.kind, self.after.kind):
            return not self.groups
        return document_hash(self.before.document) == document_hash(self.after.document)


def compare(actor: Actor, before: Side, after: Side, language: Language, draft: Draft) -> Compared:
    """Everything that differs between two sides, told in the language.

    Who had a hand is known of what the draft has that is not published yet.
    """
    old, new = before.document, after.document
    if before.kind == "empty":
        # What every flow has is no news of the first one.
        old = {**old, **{name: new[name] for name in ("format", "name") if name in new}}
        old = {**old, "settings": {}} if "settings" in new else old
    changes = differences(old, new)
    groups = together(changes)
    touched = draft.touched if after.kind == "draft" else {}
    hands = [revisions.authors_of(touched, group) for group in groups]
    people = queries.people_named(actor, {one for hand in hands for one in hand})
    rows: list[Row] = []
    for group, hand in zip(groups, hands, strict=True):
        steps = dict.fromkeys(one.step for one in group if one.step)
        rows.append(
            {
                "id": group_id(group),
                "title": _heading(group[0].step, old, new, language),
                "steps": list(steps),
                "authors": [people[one] for one in hand if one in people],
                "changes": [
                    {
                        "path": one.id,
                        "became": kind_of(one),
                        "step": one.step,
                        "text": tell(one, old, new, language),
                    }
                    for one in group
                ],
            }
        )
    notes = [
        {"code": one.code, "severity": one.severity, "step": one.step, "text": one.sentence}
        for one in risks(old, new, language)
    ]
    moved = [one.path[1] for one in changes if one.is_layout and len(one.path) > 1]
    named = dict.fromkeys(one for hand in hands for one in hand if one in people)
    return Compared(before, after, rows, moved, notes, [people[one] for one in named])


def _heading(
    step: str | None, old: Mapping[str, Any], new: Mapping[str, Any], language: Language
) -> str:
    return title_of(step, old, new, language) if step else ""
