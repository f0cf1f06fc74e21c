"""Reads of the trail that are shared: the list and its search, seals, what waits for a seal."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from apps.audit import format as audit_format
from apps.audit.keys import signing_keys
from apps.audit.models import AuditEvent, AuditLeaf, AuditSeal, AuditUnsealed, AuditValue
from apps.audit.records import Target
from apps.core.errors import NotFound
from apps.core.models import first_uuid7_at
from apps.engine import values

__all__ = [
    "Row",
    "TrailState",
    "audit_rows",
    "get_row",
    "is_recorded_since",
    "rows_after",
    "seals",
    "trail_state",
    "with_values",
]


@dataclass(frozen=True)
class Row:
    """A trail row with what is left of its values. ``seal`` is None until it is sealed."""

    event: AuditEvent
    salted: audit_format.Salted
    seal: int | None
    leaf_index: int | None
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def withheld(self) -> list[str]:
        """The fields whose values were erased."""
        return sorted(set(self.event.commitments) - set(self.salted))

    def text(self, name: str) -> str | None:
        """A value as text; None where there is none, or it was erased."""
        value = self.values.get(name)
        return value if value is None or isinstance(value, str) else str(value)

    def group(self, part: str) -> dict[str, Any]:
        """The values of ``before``, ``after`` or ``details`` by field."""
        prefix = f"{part}."
        return {
            name.removeprefix(prefix): value
            for name, value in self.values.items()
            if name.startswith(prefix)
        }


@dataclass(frozen=True)
class TrailState:
    """How the trail stands: its key, its last seal, and what waits for the next."""

    fingerprint: str
    public_key: str
    last_seal: int
    last_sealed_at: datetime | None
    unsealed: int
    oldest_unsealed_at: datetime | None
    refused: int


def audit_rows(
    workspace_id: UUID | None,
    *,
    actor: str = "",
    verb: str = "",
    target: str = "",
    flow: UUID | None = None,
    correlation: str = "",
    search: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> QuerySet[AuditEvent]:
    """A workspace's rows, newest first; None: those of the installation.

    ``actor`` and ``target`` are an id, or words of the label; a target also ``type:id`` or
    ``type:``. ``verb`` is one or several by commas; ``flow.`` means every verb of that noun.
    ``search`` finds rows that hold all words, each from its beginning. ``until`` is excluded.
    """
    rows: QuerySet[AuditEvent] = AuditEvent.objects.filter(workspace_id=workspace_id)
    rows = rows.order_by("-id")
    # Each of these has an index of its own.
    narrow: list[Q] = []
    if verb:
        narrow.append(_verbs(verb))
    if flow is not None:
        narrow.append(Q(flow_id=flow))
    if correlation:
        narrow.append(Q(correlation_id=correlation))
    found = audit_format.query_words(search)
    if actor:
        if _is_id(actor):
            narrow.append(Q(actor_id=actor))
        else:
            found += audit_format.query_words(actor, mark=audit_format.ACTOR_MARK)
    if target:
        type_, colon, id_ = target.partition(":")
        if _is_id(target):
            narrow.append(Q(target_id=target))
        elif colon and type_.replace("_", "").isalnum():
            rows = rows.filter(target_type=type_)
            narrow += [Q(target_id=id_)] if id_ else []
        else:
            found += audit_format.query_words(target, mark=audit_format.TARGET_MARK)
    rows = _narrowed(rows, workspace_id, narrow, since, until)
    if found:
        # The planner chooses: walk the ids and look each up, or begin with the rare word.
        query = " & ".join(f"'{word}':*" for word in found)
        rows = rows.filter(
            id__in=RawSQL(
                "select v.event_id from audit_value v where v.words @@ %s::tsquery",
                [query],
            )
        )
    elif search.strip() or (actor and not _is_id(actor) and not found):
        rows = rows.none()
    return rows


def with_values(events: Iterable[AuditEvent]) -> list[Row]:
    """The rows with their values and seals, in the same order; two queries for all."""
    events = list(events)
    ids = [event.id for event in events]
    salted = dict(AuditValue.objects.filter(event_id__in=ids).values_list("event_id", "salted"))
    places = {
        event_id: (seal, index)
        for event_id, seal, index in AuditLeaf.objects.filter(event_id__in=ids).values_list(
            "event_id", "seal_number", "leaf_index"
        )
    }
    rows = []
    for event in events:
        kept = salted.get(event.id, {})
        seal, index = places.get(event.id, (None, None))
        read = {name: _value(pair) for name, pair in kept.items()}
        rows.append(Row(event, kept, seal, index, read))
    return rows


def _value(pair: Any) -> Any:
    """A kept value. What somebody put in the place of one is shown as it is, never an error."""
    try:
        _, text = pair
        return values.loads(text)
    except (values.BadJson, ValueError, TypeError, AttributeError):
        return str(pair)


def get_row(workspace_id: UUID, event_id: UUID) -> AuditEvent:
    """One row of the workspace.

    Raises:
        NotFound: The workspace has no such row.
    """
    row = AuditEvent.objects.for_workspace(workspace_id).filter(pk=event_id).first()
    if row is None:
        raise NotFound("The trail has no such row.")
    return row


def rows_after(
    workspace_id: UUID, *, seal: int = 0, leaf_index: int = -1, limit: int = 500
) -> list[Row]:
    """The next sealed rows of a workspace in seal order: a cursor that nothing slips behind."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select l.event_id from audit_leaf l join audit_event e on e.id = l.event_id"
            " where (l.seal_number, l.leaf_index) > (%s, %s) and e.workspace_id = %s"
            " order by l.seal_number, l.leaf_index limit %s",
            [seal, leaf_index, workspace_id, limit],
        )
        ids = [row[0] for row in cursor.fetchall()]
    by_id = AuditEvent.objects.in_bulk(ids)
    return with_values(by_id[one] for one in ids)


def is_recorded_since(
    *, workspace_id: UUID, verb: str, actor_id: str, target: Target, since: datetime
) -> bool:
    """Whether that actor did this to that since then: for rows that stand for a while of work."""
    return (
        audit_rows(workspace_id, verb=verb, since=since)
        .filter(actor_id=actor_id, target_type=target.type, target_id=target.id)
        .exists()
    )


def seals() -> QuerySet[AuditSeal]:
    """Every seal, newest first."""
    return AuditSeal.objects.order_by("-number")


def trail_state() -> TrailState:
    """The trail's key, its last seal, and how many rows wait since when."""
    key = signing_keys()[0]
    last = seals().first()
    waiting = AuditUnsealed.objects.order_by("event_id")
    first = waiting.first()
    oldest = AuditEvent.objects.filter(pk=first.event_id).first() if first else None
    return TrailState(
        fingerprint=key.fingerprint,
        public_key=key.public.hex(),
        last_seal=last.number if last else 0,
        last_sealed_at=last.at if last else None,
        unsealed=waiting.count(),
        oldest_unsealed_at=oldest.at if oldest else None,
        refused=AuditUnsealed.objects.filter(refused=True).count(),
    )


def _narrowed(
    rows: QuerySet[AuditEvent],
    workspace_id: UUID | None,
    narrow: list[Q],
    since: datetime | None,
    until: datetime | None,
) -> QuerySet[AuditEvent]:
    """The rows of a period that meet all of several conditions.

    With two or more that select little each but nothing together, walking one index and looking
    into every row takes seconds. The ids alone are met from the indexes, without a look at a row.
    """
    # An id is of its row's own time, to the millisecond.
    period = Q()
    if since is not None:
        period &= Q(id__gte=_id_at(since))
        rows = rows.filter(at__gte=since)
    if until is not None:
        period &= Q(id__lt=_id_at(until, 1))
        rows = rows.filter(at__lt=until)
    if len(narrow) < 2:
        return rows.filter(period, *narrow)
    met = Q()
    for one in narrow:
        # Each asks for the ids of the one before: see the plan before writing it otherwise.
        ids = AuditEvent.objects.filter(period, met, one, workspace_id=workspace_id).values("id")
        met = Q(id__in=ids)
    return rows.filter(period, met)


def _verbs(text: str) -> Q:
    found = Q(pk__in=[])
    for verb in filter(None, (part.strip() for part in text.split(","))):
        found |= Q(verb__startswith=verb) if verb.endswith(".") else Q(verb=verb)
    return found


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return text.isdigit()
    return True


def _id_at(at: datetime, plus_ms: int = 0) -> UUID:
    return first_uuid7_at(max(0, int(at.timestamp() * 1000) + plus_ms))
