"""The views of the inbox, narrowed and searched. A count and the list it counts are one query."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID

from django.db.models import BooleanField, F, Func, Q, QuerySet, Value

from apps.accounts.actors import Actor
from apps.core import clock
from apps.core.errors import Invalid
from apps.flows.models import Flow
from apps.inbox import pausing, queries
from apps.inbox.models import UserTask

#: Everything to decide; the three parts of that; what is late of it; and what is over.
ListView = Literal["all", "mine", "groups", "delegated", "overdue", "done"]
VIEWS: tuple[ListView, ...] = get_args(ListView)
MAX_SEARCH = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which tasks a list shows: a view, and what narrows it."""

    view: ListView = "all"
    search: str = ""
    flow_id: UUID | None = None
    #: The mail address of who asks.
    requester: str = ""

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> "Wanted":
        """From the fields of an address.

        Raises:
            Invalid: There is no such view, or what narrows it cannot be read.
        """
        view = str(fields.get("view") or ("done" if fields.get("state") == "done" else "all"))
        if view not in VIEWS:
            raise Invalid(f"“{view[:30]}” is no view of the inbox; ask for one of {_listed()}.")
        search, requester = (
            " ".join(str(fields.get(name) or "").split()) for name in ("search", "requester")
        )
        if len(search) > MAX_SEARCH or len(requester) > MAX_SEARCH or "\x00" in search + requester:
            raise Invalid(f"Search for at most {MAX_SEARCH} characters.")
        try:
            flow_id = UUID(str(fields["flow"])) if fields.get("flow") else None
        except ValueError:
            raise Invalid("The flow is not named by its id; choose it from the list.") from None
        return cls(view, search, flow_id, requester)

    def as_fields(self) -> dict[str, str]:
        """The same as the fields of an address, without what is empty."""
        found = {
            "view": "" if self.view == "all" else self.view,
            "search": self.search,
            "flow": str(self.flow_id or ""),
            "requester": self.requester,
        }
        return {name: value for name, value in found.items() if value}


def tasks_in(actor: Actor, wanted: Wanted) -> QuerySet[UserTask]:
    """The tasks of a view, newest first."""
    if wanted.view == "done":
        rows = queries.done_tasks(actor)
    elif wanted.view == "overdue":
        rows = queries.open_tasks(actor).filter(late(clock.now()))
    else:
        rows = queries.open_tasks(actor, wanted.view)
    return _narrowed(rows, actor, wanted)


def count_in(actor: Actor, wanted: Wanted) -> int:
    """How many ``tasks_in`` has, up to 1,000."""
    return queries.counted(tasks_in(actor, wanted))


def counts(actor: Actor) -> dict[str, int]:
    """How many each view has of what is to decide."""
    return {view: count_in(actor, Wanted(view)) for view in VIEWS if view != "done"}


def late(now: datetime) -> Q:
    """Past the time to decide, or to be taken up, whether or not the clock has noticed."""
    waits = Q(paused_at__isnull=True, responded_at__isnull=True)
    return pausing.late(now) | waits & Q(respond_by_at__lte=now)


def _narrowed(rows: QuerySet[UserTask], actor: Actor, wanted: Wanted) -> QuerySet[UserTask]:
    if wanted.flow_id:
        rows = rows.filter(flow_id=wanted.flow_id)
    if wanted.requester:
        rows = rows.filter(
            Q(requester__email__iexact=wanted.requester)
            | Q(requester_text__iexact=wanted.requester)
        )
    if wanted.search:
        flows = Flow.objects.for_workspace(actor.workspace_id).filter(name__icontains=wanted.search)
        rows = rows.filter(
            Q(title__icontains=wanted.search)
            | Q(requester__name__icontains=wanted.search)
            | Q(requester__email__icontains=wanted.search)
            | Q(requester_text__icontains=wanted.search)
            | Q(flow_id__in=list(flows.values_list("pk", flat=True)))
            | Q(_Says(F("facts"), Value(wanted.search)))
        )
    return rows


class _Says(Func):
    """Whether a value of the facts holds a text; whoever has the task in a list may read them."""

    function = "inbox_says"
    output_field = BooleanField()


def _listed() -> str:
    return ", ".join(VIEWS)
