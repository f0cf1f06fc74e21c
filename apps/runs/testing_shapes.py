"""The shapes of the API about samples and tests."""

from typing import Any

from rest_framework import serializers

from apps.runs.models import Sample
from apps.runs.shapes import RUN_STATUSES

JSON = serializers.JSONField
SOURCES = [*Sample.Source.values, "run"]
DOES = ["runs", "sends", "answered", "asked", "waits"]
KINDS = ["dry", "to", "only"]


class SampleShape(serializers.Serializer[Any]):
    """What a flow may be tried with."""

    id = serializers.UUIDField(help_text="Of one that is read from a run, that run's.")
    source = serializers.ChoiceField(SOURCES)  # type: ignore[assignment] # a field's name
    type = serializers.CharField(help_text="Of the trigger.")
    name = serializers.CharField()
    run = serializers.UUIDField(allow_null=True, help_text="Whose steps' outputs go with it.")
    made_by = serializers.CharField()
    at = serializers.DateTimeField()
    size = serializers.IntegerField(help_text="In bytes.")


class ListenerShape(serializers.Serializer[Any]):
    """The draft's own address, while it has one."""

    url = serializers.CharField()
    curl = serializers.CharField(help_text="Lines that send a signed call.")
    until = serializers.DateTimeField()
    heard = serializers.IntegerField()
    refused = serializers.IntegerField()
    said = serializers.CharField(help_text="Why the last one that was refused was refused.")


class SamplesShape(serializers.Serializer[Any]):
    """Everything a flow can be tried with."""

    results = SampleShape(many=True)
    next = serializers.CharField(allow_null=True, help_text="Null: they are all there.")
    previous = serializers.CharField(allow_null=True)
    may_see = serializers.BooleanField(help_text="Whether their values are shown to the caller.")


class SampleWhole(SampleShape):
    """One sample with its values; hidden ones read `•••`."""

    trigger = JSON()
    steps = JSON(help_text="By step: its output or error, recorded or else foreseen.")
    may_see = serializers.BooleanField()


class SampleNew(serializers.Serializer[Any]):
    """Either a pasted text or a run whose trigger is kept."""

    text = serializers.CharField(
        required=False, allow_blank=True, trim_whitespace=False, help_text="JSON."
    )
    run = serializers.UUIDField(required=False)
    name = serializers.CharField(required=False, allow_blank=True, default="")


class TestAsked(serializers.Serializer[Any]):
    """What is to be tried, with which sample, and how it is answered."""

    kind = serializers.ChoiceField(KINDS)
    step = serializers.CharField(required=False, allow_blank=True, max_length=63, default="")
    sample = serializers.UUIDField(required=False, allow_null=True)
    answers = JSON(required=False, help_text="By step: `{port?, output?}`.")
    live = serializers.ListField(
        child=serializers.CharField(max_length=63),
        required=False,
        max_length=200,
        help_text="Steps that really send what they would send.",
    )


class TestStart(TestAsked):
    """A test as it was announced."""

    announced = serializers.ListField(
        child=serializers.CharField(max_length=63),
        help_text="The ids of the steps that were said to run.",
    )


class StepTold(serializers.Serializer[Any]):
    """What a test does with a step."""

    id = serializers.CharField()
    title = serializers.CharField()
    type = serializers.CharField()
    times = serializers.IntegerField()
    does = serializers.ChoiceField(DOES)
    outward = serializers.BooleanField()
    ports = serializers.ListField(child=serializers.CharField())
    port = serializers.CharField(allow_null=True)
    given = serializers.ListField(child=JSON(), help_text="The first five; secrets by name.")
    output = JSON()


class Leaving(serializers.Serializer[Any]):
    """How much of a kind would leave, or has left."""

    type = serializers.CharField()
    sent = serializers.BooleanField()
    count = serializers.IntegerField()


class StepNamed(serializers.Serializer[Any]):
    """A step."""

    id = serializers.CharField()
    title = serializers.CharField()


class TestTold(serializers.Serializer[Any]):
    """What plan and report have in common."""

    kind = serializers.ChoiceField(KINDS)
    step = serializers.CharField()
    hash = serializers.CharField()
    revision = serializers.IntegerField()
    steps = StepTold(many=True)
    leaves = Leaving(many=True)
    stand_ins = StepNamed(many=True, help_text="Not run: their recorded outcome is read.")
    reaches = serializers.BooleanField(help_text="Whether it comes to the step.")
    error = JSON()
    skipped_to = serializers.DateTimeField(allow_null=True)


class PlanShape(TestTold):
    """What a test will do."""

    missing = StepNamed(many=True, help_text="They are read, and nothing is known of them.")
    ends = serializers.CharField()


class ReportShape(TestTold):
    """What a test did."""

    run = serializers.UUIDField()
    status = serializers.ChoiceField(RUN_STATUSES)
    document = JSON(help_text="The draft as it was then.")
    announced = serializers.ListField(child=serializers.CharField())


class PlanProblem(serializers.Serializer[Any]):
    """What is in the way of a test."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    findings = JSON(required=False)
    plan = PlanShape(required=False)
