"""Every save of a draft is kept: what it said, who changed which place, and what may go again.

Only commands call what writes here, with the flow and its draft locked.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from apps.engine import values
from apps.flows.models import Draft, DraftContent, DraftRevision, Flow, RevisionKind
from apps.steps.changes import ABSENT, Change, differences

#: Everything of the last days stays, up to so many saves; then one an hour, then one a day.
ALL_FOR = timedelta(days=7)
ALL_UP_TO = 500
HOURLY_FOR = timedelta(days=30)
#: How often the past is thinned out, in saves.
THINNED_EVERY = 25
MOST_TITLES = 5
MOST_AUTHORS = 20

Touched = dict[str, list[list[str]]]


def write_revision(
    draft: Draft,
    changes: list[Change],
    now: datetime,
    *,
    kind: RevisionKind = RevisionKind.SAVED,
    source: str = "",
) -> DraftRevision:
    """Keep what the draft says now as the revision of its number."""
    flow = draft.flow
    made: DraftRevision = DraftRevision.objects.create(
        flow=flow,
        workspace_id=flow.workspace_id,
        number=draft.revision,
        content=_content(flow, draft.document),
        kind=kind,
        source=source,
        changed=len(changes),
        about=titles(draft.document, changes),
        author_id=draft.updated_by_id,
        created_at=draft.updated_at,
    )
    if draft.revision % THINNED_EVERY == 0:
        thin_out(flow, now)
    return made


def write_first_revision(draft: Draft) -> None:
    """Keep what a draft says before its next save, where nobody has kept it yet."""
    if not DraftRevision.objects.filter(flow_id=draft.flow_id, number=draft.revision).exists():
        write_revision(draft, [], draft.updated_at)


def thin_out(flow: Flow, now: datetime) -> None:
    """Let go of revisions that are too old to be kept one by one; their contents with them."""
    rows = list(flow.revisions.order_by("-number").values_list("number", "created_at"))
    gone = {number for number, _ in rows} - kept(rows, now)
    if gone:
        flow.revisions.filter(number__in=gone).delete()
        DraftContent.objects.filter(flow=flow, revisions=None).delete()


def kept(rows: Iterable[tuple[int, datetime]], now: datetime) -> set[int]:
    """The revisions, of rows newest first, that stay: all new ones, one an hour, one a day."""
    stay: set[int] = set()
    spans: set[tuple[str, int]] = set()
    for place, (number, at) in enumerate(rows):
        age = now - at
        if place < ALL_UP_TO and age <= ALL_FOR:
            stay.add(number)
            continue
        hours = int(at.timestamp()) // 3600
        span = ("hour", hours) if age <= HOURLY_FOR else ("day", hours // 24)
        if span not in spans:
            spans.add(span)
            stay.add(number)
    return stay


def titles(document: Mapping[str, Any], changes: Iterable[Change]) -> list[str]:
    """The titles of the first few steps that changed, as a list of revisions names them."""
    found: dict[str, str] = {}
    for change in changes:
        step = change.step
        if step is None or step in found or change.is_layout:
            continue
        if len(found) == MOST_TITLES:
            break
        found[step] = _title(document, change, step)
    return list(found.values())


def _title(document: Mapping[str, Any], change: Change, id_: str) -> str:
    steps = document.get("steps")
    step = steps.get(id_) if isinstance(steps, Mapping) else None
    if step is None and len(change.path) == len(("steps", id_)):
        step = change.before
    title = step.get("title") if isinstance(step, Mapping) else None
    return title[:150] if isinstance(title, str) and title.strip() else id_[:63]


def _content(flow: Flow, document: Mapping[str, Any]) -> DraftContent:
    digest = hashlib.sha256(values.dumps(document).encode()).hexdigest()
    content, _ = DraftContent.objects.get_or_create(
        flow=flow, hash=digest, defaults={"document": document}
    )
    return content


def touch(
    touched: Mapping[str, Any], changes: Iterable[Change], user_id: UUID | None, now: datetime
) -> Touched:
    """``touched`` with this person put last at every place that changed."""
    made: Touched = {place: list(people) for place, people in touched.items()}
    who = [str(user_id or ""), now.isoformat()]
    for change in changes:
        if change.is_layout:
            continue
        place = change.id
        if change.after is ABSENT:
            # What was inside went with it; those who worked on it are named at the whole.
            inner = [one for one in made if one.startswith(f"{place}/")]
            before = [one for name in inner for one in made.pop(name)]
        else:
            before = []
        people = [one for one in (made.get(place, []) + before) if one[0] != who[0]]
        made[place] = [*people, who][-MOST_AUTHORS:]
    return made


def authors_of(touched: Mapping[str, Any], changes: Iterable[Change]) -> list[str]:
    """Ids of the people who had a hand in these changes, the last one last."""
    found: dict[str, str] = {}
    for change in changes:
        place = change.id
        for one, people in touched.items():
            if one == place or one.startswith(f"{place}/") or place.startswith(f"{one}/"):
                for user, at in people:
                    found[user] = max(at, found.get(user, ""))
    return [user for user in sorted(found, key=lambda one: found[one]) if user]


def untouched(
    touched: Mapping[str, Any], base: Mapping[str, Any], document: Mapping[str, Any]
) -> Touched:
    """What is left of ``touched`` once ``base`` is published: places that still differ from it."""
    left = [change.id for change in differences(base, document)]
    return {
        place: people
        for place, people in touched.items()
        if any(
            one == place or one.startswith(f"{place}/") or place.startswith(f"{one}/")
            for one in left
        )
    }
