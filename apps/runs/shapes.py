"""The shapes of the API about runs: what is sent, what is shown."""

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from apps.engine.lifecycle import RunStatus, StepStatus

JSON = serializers.JSONField
RUN_STATUSES = [one.value for one in RunStatus]
STEP_STATUSES = [one.value for one in StepStatus]
#: What keeps a run from going on; see ``queries.waiting_for``.
WAITS = [
    *("person", "time", "event", "run", "retry", "effect", "limit", "lock", "join", "items"),
    *("paused", "stopped", "fault", "worker"),
]

#: ``class`` and ``from`` are words of Python too, so these two are written as tables.
_ERROR = inline_serializer(
    "RunError",
    {
        "step": serializers.CharField(),
        "class": serializers.CharField(help_text="transient, permanent, human or unknown"),
        "code": serializers.CharField(),
        "message": serializers.CharField(),
    },
    allow_null=True,
)
_LINK = inline_serializer(
    "LinkTaken",
    {
        "from": serializers.CharField(),
        "port": serializers.CharField(allow_null=True),
        "to": serializers.CharField(),
        "count": serializers.IntegerField(),
    },
    many=True,
)


#: How far a step that contains others is; null for any other step.
_ITEMS = inline_serializer(
    "ItemsCounted",
    {
        "total": serializers.IntegerField(help_text="Grows where items are added."),
        "begun": serializers.IntegerField(),
        "done": serializers.IntegerField(),
        "failed": serializers.IntegerField(help_text="Those that are tried anew no longer count."),
    },
    allow_null=True,
)


class FlowNamed(serializers.Serializer[Any]):
    """The flow of a run or a task."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class StartedBy(serializers.Serializer[Any]):
    """What started a run."""

    type = serializers.CharField()


class Wait(serializers.Serializer[Any]):
    """Why a run does not go on."""

    kind = serializers.ChoiceField(WAITS)
    step = serializers.CharField()
    title = serializers.CharField()
    until = serializers.DateTimeField(allow_null=True)
    detail = serializers.CharField()
    type = serializers.CharField(required=False, help_text="Of an event that is waited for.")
    key = JSON(required=False, help_text="What tells the event from others; null for any.")
    ways = JSON(required=False, help_text="Where the first of several is waited for.")
    held_by = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        help_text="Of a limit: the runs that have it.",
    )
    run = serializers.UUIDField(
        required=False, allow_null=True, help_text="The run that is waited for."
    )
    priority = serializers.CharField(
        required=False, help_text="Of what waits for a worker: high, normal, low or bulk."
    )
    for_ever = serializers.BooleanField(
        required=False, help_text="True where it waits for what waits for it."
    )
    since = serializers.DateTimeField(allow_null=True)
    holders = JSON(
        required=False,
        help_text="Who has what is waited for: of a limit `{run, title, since}`, of a lock"
        " `{step, visit, title}`.",
    )
    missing = JSON(required=False, help_text="Of a join: links that have not come.")
    item = serializers.CharField(required=False, help_text="Of a join inside: its item.")
    lock = serializers.CharField(required=False)
    people = serializers.ListField(child=serializers.CharField(), required=False)
    groups = serializers.ListField(child=serializers.CharField(), required=False)
    task = serializers.UUIDField(required=False, help_text="What people are asked in.")
    held = serializers.BooleanField(
        required=False, help_text="Of a task: it is decided, and passed on at `until`."
    )
    next = JSON(
        required=False,
        help_text="Of a task: what happens first while nobody answers, `{at, words}`; null for"
        " nothing.",
    )
    error = JSON(required=False, help_text="After which it is tried again, or people are asked.")
    attempt = serializers.IntegerField(required=False)
    max_attempts = serializers.IntegerField(required=False)
    lease_until = serializers.DateTimeField(required=False, allow_null=True)
    counts = JSON(required=False, help_text="Of items: `{done, failed, at_work, of}`.")
    ahead = serializers.IntegerField(
        required=False, help_text="How many go before it; at most 1,000."
    )
    by = serializers.CharField(required=False, help_text="Who paused it.")


class Stuck(serializers.Serializer[Any]):
    """A run that makes no progress: since when, how long the step usually takes, and why."""

    step = serializers.CharField()
    since = serializers.DateTimeField()
    usual_s = serializers.FloatField(allow_null=True)
    cause = Wait()


class RunShape(serializers.Serializer[Any]):
    """A run in a list."""

    id = serializers.UUIDField()
    flow = FlowNamed()
    version = serializers.IntegerField(allow_null=True, help_text="A test has none.")
    status = serializers.ChoiceField(RUN_STATUSES)
    error = _ERROR
    trigger = StartedBy()
    started_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    duration_ms = serializers.IntegerField(allow_null=True)
    replay_of = serializers.UUIDField(allow_null=True, help_text="The run that it does again.")
    stuck = Stuck(allow_null=True, help_text="Set where it makes no progress for too long.")


class StepShape(serializers.Serializer[Any]):
    """The latest visit of one step."""

    status = serializers.ChoiceField(STEP_STATUSES)
    visits = serializers.IntegerField()
    attempts = serializers.IntegerField()
    port = serializers.CharField(allow_null=True)
    input = JSON()
    output = JSON()
    error = _ERROR
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    taken_over = serializers.BooleanField(help_text="The outcome is that of the run done again.")
    items = _ITEMS


class Replay(serializers.Serializer[Any]):
    """What a run does again."""

    of = serializers.UUIDField()
    from_step = serializers.CharField(help_text="Empty where it is done from the start.")
    mode = serializers.ChoiceField(["live", "dry"])
    stopped_at = serializers.CharField(
        allow_null=True, help_text="Where a dry run ended: nothing is recorded of that step."
    )


class WaitThen(serializers.Serializer[Any]):
    """What a run waited for, as far as its journal says."""

    kind = serializers.ChoiceField(WAITS)
    step = serializers.CharField()
    title = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True)
    missing = serializers.ListField(
        child=serializers.CharField(), help_text="Of a join: steps that it had nothing of."
    )


class ReplayShape(serializers.Serializer[Any]):
    """How a run is done again."""

    from_step = serializers.CharField(
        required=False, allow_blank=True, max_length=63, help_text="From the start where left out."
    )
    version = serializers.ChoiceField(["own", "latest"], default="own")
    mode = serializers.ChoiceField(["live", "dry"], default="live")


class RunDetail(RunShape):
    """One run, step by step."""

    waiting_for = Wait(many=True)
    parent = serializers.UUIDField(  # type: ignore[assignment] # a field's name, as above
        allow_null=True, help_text="The run that started it."
    )
    children = serializers.ListField(
        child=serializers.UUIDField(), help_text="The runs that it started, oldest first."
    )
    steps = serializers.DictField(child=StepShape(), help_text="By the step's id.")
    links = _LINK
    trigger_data = JSON()
    replay = Replay(allow_null=True, help_text="What the run does again, if it does.")


class RunAt(serializers.Serializer[Any]):
    """A run as it was after a row of its journal."""

    seq = serializers.IntegerField()
    last_seq = serializers.IntegerField()
    at = serializers.DateTimeField()
    type = serializers.CharField(help_text="Of the row.")
    step = serializers.CharField(help_text="Of the row; empty where it is no step's.")
    status = serializers.ChoiceField(RUN_STATUSES)
    error = _ERROR
    steps = serializers.DictField(child=StepShape(), help_text="By the step's id.")
    links = _LINK
    waiting_for = WaitThen(many=True)


class JournalRow(serializers.Serializer[Any]):
    """One row of a run's journal."""

    seq = serializers.IntegerField()
    type = serializers.CharField()
    step = serializers.CharField()
    at = serializers.DateTimeField()
    data = JSON()  # type: ignore[assignment] # a field's name, not the serializer's own data


#: The newest run of each of several flows, by the flow's id; flows without a run are left out.
LATEST = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "status": {"type": "string", "enum": RUN_STATUSES},
            "started_at": {"type": "string", "format": "date-time"},
        },
        "required": ["id", "started_at", "status"],
    },
}


class StartShape(serializers.Serializer[Any]):
    """What a run starts with."""

    input = JSON(required=False, help_text="What expressions read as `trigger.body`.")
    priority = serializers.ChoiceField(
        ["high", "normal", "low", "bulk"],
        required=False,
        help_text="The flow's own where left out; it may be lower than that, not higher.",
    )


class ReasonShape(serializers.Serializer[Any]):
    """Why."""

    reason = serializers.CharField(required=False, allow_blank=True, max_length=2000)


class EvaluateShape(serializers.Serializer[Any]):
    """An expression and what it may read: a context, the data of a run, or a sample of a flow."""

    expression = serializers.CharField(max_length=20_000, trim_whitespace=False)
    context = JSON(required=False)  # type: ignore[assignment] # a field's name, as above
    run = serializers.UUIDField(required=False)
    flow = serializers.UUIDField(required=False, help_text="The flow of the sample.")
    sample = serializers.UUIDField(
        required=False, help_text="With `flow`: its draft is read with this sample."
    )


class EvaluatedShape(serializers.Serializer[Any]):
    """The value and its FEEL type."""

    value = JSON()
    type = serializers.CharField()
    hidden = serializers.BooleanField(
        required=False, help_text="True where the value is not for the caller; its type is."
    )


_FILTER = inline_serializer(
    "RunFilter",
    {
        "flow": serializers.CharField(required=False),
        "status": serializers.CharField(
            required=False, help_text="One status, or several by commas."
        ),
        "from": serializers.CharField(required=False, help_text="Created at or after."),
        "to": serializers.CharField(required=False, help_text="Created before."),
        "stuck": serializers.CharField(required=False, help_text="true or false"),
        "parent": serializers.CharField(required=False, help_text="Started by this run."),
        "tests": serializers.CharField(required=False, help_text="true: tests of drafts."),
    },
    required=False,
)


class SteerShape(serializers.Serializer[Any]):
    """Which runs, in one of four ways, and why. With ``preview`` they are only counted."""

    ids = serializers.ListField(
        child=serializers.UUIDField(), required=False, allow_empty=False, max_length=1000
    )
    flow = serializers.UUIDField(required=False)
    filter = _FILTER
    all = serializers.BooleanField(required=False)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=2000)
    preview = serializers.BooleanField(required=False, default=False)


class ReplayManyShape(SteerShape):
    """Which runs are done again, and on which version."""

    version = serializers.ChoiceField(["own", "latest"], default="own")


class ConcernedShape(serializers.Serializer[Any]):
    """How many runs it concerns."""

    count = serializers.IntegerField()
