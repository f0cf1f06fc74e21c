"""Judge a flow document: everything that is wrong with it, and what to do about each.

``check_document`` takes any JSON whatever and never raises. What needs a database (a taken
webhook path, a secret that does not exist) is added by ``flows.ports``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from apps.engine import values
from apps.engine.canonical import canonical
from apps.engine.graph import TRIGGER
from apps.engine.soundness import Soundness
from apps.steps import registry
from apps.steps.config_errors import config_flaws
from apps.steps.configs import (
    assignee_findings,
    field_value_findings,
    run_key_findings,
    step_config_findings,
    trigger_config_findings,
)
from apps.steps.containers import container_findings, field_findings
from apps.steps.contracts import accepts_all, faults, schema_flaw
from apps.steps.document import FORMAT
from apps.steps.fields import read_fields
from apps.steps.findings import Finding, Repair, added, at, pointer, replaced
from apps.steps.fit import World, fit_findings
from apps.steps.forms import WITH_FORM
from apps.steps.links import graph_findings, graph_of, read_links
from apps.steps.notes import check_notes
from apps.steps.reads import KnownStep, Reads
from apps.steps.texts import CONTROL, STEP_ID, did_you_mean, found, one_line, shown

MAX_STEPS = 2_000
MAX_BYTES = 1_000_000
MAX_NAME = 150
RESERVED = frozenset({"trigger", "steps", "run", "item", "index"})
#: Whole numbers up to here are exactly doubles.
SAFE_WHOLE = 2**53
#: As a schedule says when it fired.
SOME_TIME = "2026-03-01T09:00:00Z"

DocPath = tuple[str | int, ...]


class Concurrency(BaseModel):
    """How many runs of the flow, or of each value of a key, may be at work at once."""

    model_config = ConfigDict(extra="allow")
    max: int | None = Field(None, ge=1, le=100_000, title="Runs at once")
    key: registry.Feel | None = Field(None, title="For each")


class Contract(BaseModel):
    """What the flow takes as ``trigger.body`` and what its stop steps give, as JSON Schemas."""

    model_config = ConfigDict(extra="forbid")
    input: dict[str, Any] | bool | None = Field(None, title="What it takes")
    output: dict[str, Any] | bool | None = Field(None, title="What it gives")


class Settings(BaseModel):
    """The document's ``settings``; names that are not here are kept as they are."""

    model_config = ConfigDict(extra="allow")
    owner: str | None = Field(None, max_length=254, title="Owner")
    risk: Literal["low", "medium", "high"] | None = Field(None, title="Risk")
    priority: Literal["high", "normal", "low"] | None = Field(None, title="Priority")
    concurrency: Concurrency | None = Field(None, title="Concurrency")
    contract: Contract | None = Field(None, title="Contract")
    max_steps: int | None = Field(None, ge=1, le=1_000_000, title="Most steps in one run")


@dataclass(frozen=True)
class CheckContext:
    """What the check may know beside the document; ``None`` is "not known", and claims nothing."""

    groups: frozenset[str] | None = None
    people: frozenset[str] | None = None


def check_document(document: object, *, known: CheckContext | None = None) -> list[Finding]:
    """Every finding about a document, errors first, else in the order of the document.

    Pure and total: any value is judged, none raises. 200 steps take about 30 ms.
    """
    if not isinstance(document, Mapping):
        return [_no_object(document)]
    try:
        size = len(values.dumps(document).encode())
    except values.NotJson as wrong:
        return [_not_json(wrong)]
    if size > MAX_BYTES:
        return [
            Finding(
                "too_large",
                "error",
                f"The document has {size:,} bytes; at most {MAX_BYTES:,} are allowed.",
                "Take long texts out of it, or split the flow.",
            )
        ]
    if (stopped := _format(document)) and stopped.code == "unknown_format":
        return [stopped]
    check = _Check(document, known or CheckContext())
    findings = [*([stopped] if stopped else []), *check.run()]
    return sorted(dict.fromkeys(findings), key=lambda one: one.severity != "error")


def _no_object(document: object) -> Finding:
    return Finding(
        "bad_document",
        "error",
        f"A flow document is a set of named fields; this is {found(document)}.",
        f'Send an object that begins with "format": "{FORMAT}".',
    )


def _not_json(wrong: values.NotJson) -> Finding:
    return Finding(
        "not_json",
        "error",
        str(wrong),
        "Take it out, or write it as text.",
        path=pointer(wrong.path),
    )


def _format(document: Mapping[str, Any]) -> Finding | None:
    given = document.get("format")
    if given == FORMAT:
        return None
    if isinstance(given, str) and given:
        return Finding(
            "unknown_format",
            "error",
            f"“{one_line(given)}” is a format that this Signalbox does not know.",
            f"Use {FORMAT}, or a Signalbox that knows the format.",
            path="/format",
        )
    return Finding(
        "no_format",
        "error",
        "The document does not say its format.",
        f'Add "format": "{FORMAT}".',
        path="/format",
        repair=Repair(f"Say that it is {FORMAT}", added("/format", FORMAT)),
    )


@dataclass
class _Check:
    """One document's findings, part by part; later parts use what earlier ones learned."""

    document: Mapping[str, Any]
    known: CheckContext
    steps: dict[str, KnownStep] = field(default_factory=dict)

    def run(self) -> Iterator[Finding]:
        yield from _numbers(self.document)
        yield from self._name()
        yield from _settings(self.document)
        trigger_type, trigger_config, wrong = self._trigger()
        yield from wrong
        yield from self._read_steps()
        wrong, links = read_links(self.document, self.steps)
        yield from wrong
        yield from container_findings(self.steps, links)
        soundness = Soundness(graph_of(self.steps, links))
        yield from graph_findings(soundness, self.steps)
        kind = trigger_type.kind if trigger_type else ""
        form = trigger_config.get("form") if isinstance(trigger_config, Mapping) else None
        reads = Reads(self.steps, kind, soundness, form)
        if trigger_type is not None:
            yield from trigger_config_findings(trigger_type, trigger_config, reads)
        yield from run_key_findings(at(self.document, "settings", "concurrency", "key"), reads)
        world = World(self.document, self.steps)
        for step in self.steps.values():
            if step.type is not None:
                config = self.document["steps"][step.id].get("config")
                config = {} if config is None else config
                yield from step_config_findings(step, step.type, config, reads)
                yield from fit_findings(step, config, world)
                yield from field_value_findings(step, self.document["steps"][step.id], reads)
                yield from assignee_findings(step, self.known.groups, self.known.people)

    # The document's own fields

    def _name(self) -> Iterator[Finding]:
        name = self.document.get("name")
        if name is None or name == "":
            yield Finding(
                "no_name", "warning", "The flow has no name.", "Give it one.", path="/name"
            )
        else:
            yield from _text_findings(name, "The name of the flow", None, ("name",))

    def _trigger(self) -> tuple[registry.TriggerType | None, Any, list[Finding]]:
        trigger = self.document.get("trigger")
        if not isinstance(trigger, Mapping):
            message = "Nothing says what starts this flow."
            fix = 'Choose a trigger, such as {"type": "manual"}.'
            return None, {}, [Finding("no_trigger", "error", message, fix, TRIGGER, "/trigger")]
        kind = trigger.get("type")
        try:
            type_ = registry.find_trigger(kind if isinstance(kind, str) else "")
        except registry.UnknownStepType:
            kinds = [one.kind for one in registry.triggers()]
            one = Finding(
                "unknown_trigger_type",
                "error",
                f"There is no kind of trigger “{shown(kind)}”.",
                did_you_mean(kind, kinds) or f"Choose one of {', '.join(kinds)}.",
                TRIGGER,
                "/trigger/type",
            )
            return None, {}, [one]
        config = trigger.get("config")
        return type_, {} if config is None else config, []

    # Steps

    def _read_steps(self) -> Iterator[Finding]:
        steps = self.document.get("steps", {})
        if not isinstance(steps, Mapping):
            message = f"“steps” must be a set of steps by id; it is {found(steps)}."
            yield Finding("bad_document", "error", message, 'Write "steps": {}.', path="/steps")
            return
        if len(steps) > MAX_STEPS:
            message = f"The flow has {len(steps):,} steps; at most {MAX_STEPS:,} are allowed."
            fix = "Split it into several flows."
            yield Finding("too_many_steps", "error", message, fix, path="/steps")
            return
        if not steps:
            fix = "Add a step and link the trigger to it."
            yield Finding("no_steps", "error", "The flow has no steps.", fix, path="/steps")
        for step_id, step in steps.items():
            yield from self._read_step(step_id, step)

    def _read_step(self, step_id: str, step: object) -> Iterator[Finding]:
        path: DocPath = ("steps", step_id)
        yield from _step_id(step_id)
        if not isinstance(step, Mapping):
            message = f"The step “{one_line(step_id)}” must have named fields; it is {found(step)}."
            fix = 'Write it as {"type": "map", "version": 1, "title": "…", "config": {}}.'
            yield Finding("bad_step", "error", message, fix, step_id, pointer(path))
            self.steps[step_id] = KnownStep(step_id, one_line(step_id), None, {})
            return
        title = step.get("title")
        if title is not None:
            yield from _text_findings(title, "The title of the step", step_id, (*path, "title"))
        yield from field_findings(step_id, step)
        type_: registry.StepType | None = None
        try:
            type_ = _find_type(step)
        except registry.UnknownStepType:
            yield _unknown_type(step_id, step)
        shown = one_line(title) if isinstance(title, str) and title else one_line(step_id)
        config = step.get("config")
        self.steps[step_id] = KnownStep(
            step_id, shown, type_, config if isinstance(config, Mapping) else {}, read_fields(step)
        )


def _step_id(step_id: str) -> Iterator[Finding]:
    path = pointer(("steps", step_id))
    if step_id in RESERVED:
        message = f"“{step_id}” cannot be the id of a step: expressions use the word."
        yield Finding(
            "reserved_step_id", "error", message, f"Call it {step_id}_step.", step_id, path
        )
    elif not STEP_ID.fullmatch(step_id):
        yield Finding(
            "bad_step_id",
            "error",
            f"“{one_line(step_id)}” cannot be the id of a step.",
            "Use small letters, digits and underscores, beginning with a letter, at most 63.",
            step_id,
            path,
        )


def _find_type(step: Mapping[str, Any]) -> registry.StepType:
    kind, version = step.get("type"), step.get("version", 1)
    if not isinstance(kind, str) or isinstance(version, bool) or not isinstance(version, int):
        raise registry.UnknownStepType
    return registry.find(kind, version)


def _unknown_type(step_id: str, step: Mapping[str, Any]) -> Finding:
    kind, version = step.get("type"), step.get("version", 1)
    versions = [one.version for one in registry.catalogue() if one.kind == kind]
    if versions:
        return Finding(
            "unknown_version",
            "error",
            f"There is no version {shown(version)} of “{kind}”.",
            f"Use version {versions[-1]}.",
            step_id,
            pointer(("steps", step_id, "version")),
        )
    kinds = list(dict.fromkeys(one.kind for one in registry.catalogue()))
    return Finding(
        "unknown_type",
        "error",
        f"There is no type of step “{shown(kind)}”.",
        did_you_mean(kind, kinds) or f"Choose one of {', '.join(kinds)}.",
        step_id,
        pointer(("steps", step_id, "type")),
    )


def _settings(document: Mapping[str, Any]) -> Iterator[Finding]:
    settings = document.get("settings")
    if settings is not None:
        schema = Settings.model_json_schema()
        for flaw in config_flaws(Settings, schema, settings):
            yield Finding(
                "bad_settings",
                flaw.severity,
                flaw.message,
                flaw.fix,
                path=pointer(("settings", *flaw.path)),
            )
        yield from _contract(document, settings)
    layout = document.get("layout")
    if layout is not None and not _is_layout(layout):
        message = "“layout” must hold a place [x, y] for each step."
        fix = "Leave it out; the editor places the steps anew."
        yield Finding("bad_layout", "warning", message, fix, path="/layout")
    yield from check_notes(document.get("notes"))


def _contract(document: Mapping[str, Any], settings: object) -> Iterator[Finding]:
    for name in ("input", "output"):
        schema = at(settings, "contract", name) if isinstance(settings, Mapping) else None
        if isinstance(schema, dict | bool) and (flaw := schema_flaw(schema)):
            yield Finding(
                "bad_contract",
                "error",
                f"“{name}” of the contract cannot be held: {one_line(flaw)}.",
                "Write a JSON Schema that stands by itself.",
                path=pointer(("settings", "contract", name)),
            )
    yield from _unmet_contract(document, settings)


def _unmet_contract(document: Mapping[str, Any], settings: object) -> Iterator[Finding]:
    """What the flow asks for, and its own trigger never gives."""
    asked = at(settings, "contract", "input") if isinstance(settings, Mapping) else None
    if not isinstance(asked, dict | bool) or schema_flaw(asked):
        return
    kind, path = at(document, "trigger", "type"), pointer(("settings", "contract", "input"))
    if kind == "schedule" and (wrong := faults(asked, {"scheduled_for": SOME_TIME})):
        yield Finding(
            "contract_unmet",
            "error",
            f"A schedule gives “scheduled_for” alone; the flow asks for more: {'; '.join(wrong)}.",
            "Ask for less, or start the flow in another way.",
            path=path,
        )
    form = at(document, "trigger", "config", "form")
    if kind in WITH_FORM and isinstance(form, Mapping) and not accepts_all(asked, form):
        yield Finding(
            "contract_unmet",
            "warning",
            "The form may give what the flow does not take.",
            "Ask in the form for the same names and types as the flow does.",
            path=path,
        )


def _is_layout(layout: object) -> bool:
    return isinstance(layout, Mapping) and all(
        isinstance(place, list)
        and len(place) == 2
        and not any(isinstance(one, str | bool | list | dict) or one is None for one in place)
        for place in layout.values()
    )


def _text_findings(value: object, what: str, step: str | None, path: DocPath) -> Iterator[Finding]:
    """A name is one line of text; markup in it is text like any other."""
    repair: Repair | None = None
    if not isinstance(value, str):
        message, fix = f"{what} must be text; it is {found(value)}.", "Write text."
    elif CONTROL.search(value):
        message, fix = f"{what} holds a line break or a hidden sign.", "Write it on one line."
        plain = " ".join(CONTROL.sub(" ", value).split())
        repair = Repair("Take the hidden signs out", replaced(pointer(path), plain))
    elif len(value) > MAX_NAME:
        message, fix = f"{what} has {len(value)} characters; {MAX_NAME} at most.", "Shorten it."
    else:
        return
    yield Finding("bad_name", "error", message, fix, step, pointer(path), repair=repair)


def _numbers(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Numbers that the content hash would change, anywhere but in the layout (engine rule 17)."""
    waiting: list[tuple[Any, DocPath]] = [
        (inner, (name,)) for name, inner in document.items() if name != "layout"
    ]
    while waiting:
        node, path = waiting.pop()
        kind = type(node)
        if kind is str or kind is bool or node is None:
            continue
        if kind is dict:
            waiting += [(inner, (*path, name)) for name, inner in node.items()]
        elif kind is list:
            waiting += [(inner, (*path, index)) for index, inner in enumerate(node)]
        elif kind is not int or not -SAFE_WHOLE <= node <= SAFE_WHOLE:
            try:
                canonical(node)
            except values.NotJson:
                yield Finding(
                    "bad_number",
                    "error",
                    f"The number {one_line(str(node), 40)} cannot be kept exactly.",
                    "Give it fewer digits, or write it as text.",
                    str(path[1]) if path[0] == "steps" and len(path) > 1 else None,
                    pointer(path),
                )
