"""What a flow's expressions read, and whether it will be there.

Something is claimed only where the shape is known: ids of steps, declared outputs, the
trigger's own fields. Below an answer's body or a trigger's body anything may be.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from apps.engine import feel
from apps.engine.feel.errors import nearest
from apps.engine.graph import TRIGGER
from apps.engine.soundness import ERROR_PORT, Soundness
from apps.steps.event_ways import EVENT, EVENT_FIELDS
from apps.steps.fields import NO_FIELDS, StepFields, ports_of
from apps.steps.findings import Finding, Repair, Severity, pointer, replaced
from apps.steps.forms import REQUEST, WITH_FORM, without_conditions
from apps.steps.registry import FieldNames, StepModel, StepType
from apps.steps.texts import one_line

# None is open: nothing is known of what lies below.
Shape = Mapping[str, Any] | None
Path = tuple[str, ...]

ERROR_SHAPE: Shape = {"class": None, "code": None, "message": None}
RUN_SHAPE: Shape = {"id": None, "started_at": None}
# What steps inside a container may read beside the rest.
ITEM_NAMES: Mapping[str, frozenset[str]] = {
    "for_each": frozenset({"item", "index"}),
    "repeat": frozenset({"index"}),
}
# What every start gives, whatever its kind (engine rule 27); below them nothing is known.
TRIGGER_SHAPE: Shape = {
    "type": None, "id": None, "received_at": None, "body": None, "headers": None, "query": None,
}  # fmt: skip
#: What a run that a request started reads of it: beside the answers, who asks.
STARTED_BY_REQUEST: Shape = {
    "type": None, "id": None, "received_at": None, "body": None, "headers": None, "query": None,
    "requester": {"name": None, "email": None},
}  # fmt: skip
EVENT_SHAPE: Shape = dict.fromkeys(EVENT_FIELDS)
#: What a run that an event started reads of it; its data is the trigger's body.
STARTED_BY_EVENT: Shape = {
    "type": None, "id": None, "received_at": None, "body": None, "headers": None, "query": None,
    "event": {name: None for name in EVENT_FIELDS if name != "data"},
}  # fmt: skip
_SHAPES: Mapping[str, Shape] = {EVENT: STARTED_BY_EVENT, REQUEST: STARTED_BY_REQUEST}
#: An expression that reads the run's data, and nothing beside it.
EVERYTHING = FieldNames((), alone=False)
_SECRETS = frozenset({"secret", "secrets"})
_SEARCHED = 12


@dataclass(frozen=True)
class KnownStep:
    """What the check knows of a step that an expression may read."""

    id: str
    title: str
    type: StepType | None
    config: Mapping[str, Any]
    fields: StepFields = NO_FIELDS

    @property
    def ports(self) -> tuple[str, ...]:
        """Its ways out."""
        return () if self.type is None else ports_of(self.type, self.config, self.fields)

    @property
    def output(self) -> Shape:
        """The fields of its output, where they are declared."""
        if self.type is None:
            return None
        if self.type.output_names is not None:
            return dict.fromkeys(self.type.output_names(self.config))
        if self.type.output_from is not None:
            named = self.config.get(self.type.output_from)
            return dict.fromkeys(named) if isinstance(named, Mapping) else None
        return declared(self.type.output) if self.type.output else None

    @property
    def answers(self) -> Mapping[str, Any] | None:
        """The form of what people fill in there, which its output has as ``answers``."""
        if self.type is None or self.type.answers_of is None:
            return None
        return self.type.answers_of(self.config)


@dataclass(frozen=True)
class Place:
    """Where an expression stands: the step (or ``trigger``) and its path in the document."""

    step: str
    path: tuple[str | int, ...]
    #: What stands before the expression in its text: ``=``.
    lead: str = ""

    def finding(
        self,
        code: str,
        message: str,
        fix: str,
        *,
        severity: Severity = "error",
        position: tuple[int, int] | None = None,
        repair: Repair | None = None,
    ) -> Finding:
        """A finding about this place."""
        return Finding(
            *(code, severity, message, fix, self.step, pointer(self.path), position), repair=repair
        )


class Reads:
    """Judges every path that expressions read against what the document declares."""

    def __init__(
        self,
        steps: Mapping[str, KnownStep],
        trigger_type: str,
        soundness: Soundness,
        form: object = None,
    ) -> None:
        self.steps = steps
        self.trigger_type = trigger_type
        self.soundness = soundness
        # Only who fills in a form says beforehand what the body holds.
        self.form = without_conditions(form) if trigger_type in WITH_FORM else None

    def findings(
        self,
        place: Place,
        source: str,
        *,
        is_unary: bool = False,
        names: FieldNames = EVERYTHING,
    ) -> Iterator[Finding]:
        """Compile one expression, or the unary tests of a cell, and judge what it reads."""
        compiled = feel.compile_unary_tests if is_unary else feel.compile_expression
        try:
            expression = compiled(source)
        except feel.FeelError as wrong:
            fix = f"Did you mean {wrong.suggestion}?" if wrong.suggestion else _MEND
            yield place.finding("bad_expression", wrong.message, fix, position=wrong.position)
            return
        for path in sorted(expression.paths):
            guarded = path in expression.guarded_paths
            found: Iterable[tuple[str, Severity, str, str]]
            if names.alone or path[0] in names.names:
                found = _of_names(path, names, guarded=guarded)
            else:
                found = self._judge(place, path, guarded=guarded)
            for code, severity, message, fix in found:
                position = _position(source, path)
                better = self._better(path) if code in _MISREAD else None
                repair = _rewritten(place, source, position, better) if better else None
                yield place.finding(
                    code, message, fix, severity=severity, position=position, repair=repair
                )

    def _judge(
        self, place: Place, path: Path, *, guarded: bool
    ) -> Iterable[tuple[str, Severity, str, str]]:
        match path:
            case ("steps" | "run", *_) if place.step == TRIGGER:
                yield (
                    "missing_path",
                    "error",
                    f"“{path[0]}” does not exist yet when a call comes in.",
                    "Read only “trigger” here.",
                )
            case ("steps",):
                return
            case ("steps", target, *rest):
                yield from self._step(place, target, tuple(rest), guarded=guarded)
            case ("trigger", *rest):
                yield from self._trigger(tuple(rest), guarded=guarded)
            case ("run", *rest):
                yield from _below("run", RUN_SHAPE, tuple(rest), guarded=guarded)
            case (name, *_) if name in self._names(place):
                return
            case (name, *_) if name in _SECRETS:
                yield (
                    "secret_in_expression",
                    "error",
                    "An expression cannot read a secret.",
                    "Choose the secret in the field itself: headers, query and body of a request.",
                )
            case (name, *_):
                yield "unknown_name", "error", f"There is nothing named “{name}”.", self._near(name)

    def _step(
        self, place: Place, target: str, rest: Path, *, guarded: bool
    ) -> Iterator[tuple[str, Severity, str, str]]:
        step = self.steps.get(target)
        if step is None:
            near = nearest(target, self.steps)
            fix = f"Did you mean “steps.{near}”?" if near else "Name a step of this flow by its id."
            severity: Severity = "warning" if guarded else "error"
            yield "missing_path", severity, f"There is no step “{target}” in this flow.", fix
            return
        if (holder := self._hidden_in(place, step)) is not None:
            yield (
                "missing_path",
                "error",
                f"“{step.title}” runs for each item of “{holder.title}”: it has no single result.",
                f"Read steps.{holder.id}.output.results.",
            )
            return
        part, below = (rest[0], rest[1:]) if rest else ("output", ())
        shapes: dict[str, Shape] = {"output": step.output, "error": ERROR_SHAPE}
        if part not in shapes:
            yield from _below(f"steps.{target}", shapes, rest, guarded=guarded)
            return
        wrong = list(_below(f"steps.{target}.{part}", shapes[part], below, guarded=guarded))
        if not wrong and not guarded and rest[:2] == ("output", "answers"):
            form = without_conditions(step.answers)
            wrong = list(_asked(f"steps.{target}.output.answers", form, rest[2:]))
        yield from wrong
        if not wrong and not guarded:
            yield from self._presence(place, step, part)

    def _presence(
        self, place: Place, step: KnownStep, part: str
    ) -> Iterator[tuple[str, Severity, str, str]]:
        """Whether the step has run, and as well or as badly as the path needs."""
        if place.step not in self.soundness.reached or self._is_told(place, step):
            return
        if part == "error":
            if step.type is not None and ERROR_PORT not in step.ports:
                yield (
                    "missing_path",
                    "error",
                    f"“{step.title}” has no way out “error”, so there is never an error to read.",
                    "Read its output, or another step's error.",
                )
            elif not self.soundness.surely_failed(step.id, place.step):
                yield (
                    "may_be_missing",
                    "warning",
                    f"“{step.title}” may have gone well on the way here; then it has no error.",
                    f"Ask first: if is defined(steps.{step.id}.error) then … else ….",
                )
            return
        if self.soundness.surely_succeeded(step.id, place.step):
            return
        if self.soundness.comes_later(step.id, place.step):
            yield (
                "missing_path",
                "error",
                f"“{step.title}” runs only after this, so there is nothing to read yet.",
                "Read a step that comes before.",
            )
        elif self.soundness.surely_ran(step.id, place.step):
            yield (
                "may_be_missing",
                "warning",
                f"“{step.title}” may have failed on the way here; then it may have no output.",
                f"Say what to use then: get or else(steps.{step.id}.output, …).",
            )
        else:
            yield (
                "may_be_missing",
                "warning",
                f"“{step.title}” may not have run on the way here.",
                f"Say what to use then: get or else(steps.{step.id}.output, …).",
            )

    def _names(self, place: Place) -> frozenset[str]:
        """What else may be read there: an item and its index, what an item gave."""
        names: set[str] = set()
        for holder in self._around(place):
            kind = self.steps[holder].type
            if kind is not None and kind.kind in ITEM_NAMES:
                names |= ITEM_NAMES[kind.kind]
        if place.path[-1:] == ("when",) and "until" in place.path:
            names |= {"result", "succeeded", "failed"}
        return frozenset(names)

    def _around(self, place: Place) -> list[str]:
        """The containers in which the expression is evaluated, the nearest first."""
        found: list[str] = []
        step = self.steps.get(place.step)
        if step is not None and step.type is not None and step.type.end_item is not None:
            field = place.path[3] if len(place.path) > 3 else ""
            if field in {"result", "until"}:
                found.append(step.id)
        while step is not None and step.fields.scope and step.fields.scope not in found:
            if step.fields.scope not in self.steps:
                break
            found.append(step.fields.scope)
            step = self.steps[step.fields.scope]
        return found

    def _hidden_in(self, place: Place, step: KnownStep) -> KnownStep | None:
        """The For each around ``step`` that the place is not inside of, if there is one."""
        seen = set(self._around(place))
        holder = step.fields.scope
        while holder is not None and holder in self.steps and holder not in seen:
            seen.add(holder)
            found = self.steps[holder]
            if found.type is not None and found.type.kind == "for_each":
                return found
            holder = found.fields.scope
        return None

    def _is_told(self, place: Place, step: KnownStep) -> bool:
        """Whether nothing is claimed: what stands in a container is read from elsewhere.

        Then the way inside decides whether it has run, which is not followed here.
        """
        if step.fields.scope is None:
            return False
        here = self.steps[place.step].fields.scope if place.step in self.steps else None
        return step.fields.scope != here or self._around(place)[:1] == [place.step]

    def _trigger(self, rest: Path, *, guarded: bool) -> Iterable[tuple[str, Severity, str, str]]:
        if rest[:1] == ("scheduled_for",) and not guarded:
            yield (
                "missing_path",
                "error",
                "“trigger” has no “scheduled_for”.",
                "Write trigger.body.scheduled_for.",
            )
            return
        shape = _SHAPES.get(self.trigger_type, TRIGGER_SHAPE)
        yield from _below("trigger", shape, rest, guarded=guarded)
        if guarded or len(rest) < 2:
            return
        if rest[0] == "headers" and rest[1] != rest[1].lower():
            yield (
                "missing_path",
                "error",
                "Names of headers are kept in small letters.",
                f"Write trigger.headers.{rest[1].lower()}.",
            )
        elif rest[0] == "body" and self.form is not None:
            yield from _asked("trigger.body", self.form, rest[1:])
        elif self._is_bare(rest[0], rest[1]):
            path = f"trigger.{'.'.join(rest)}"
            yield (
                "may_be_missing",
                "warning",
                f"A run that starts in this way has no “{path}”.",
                f"Say what to use then: get or else({path}, …).",
            )

    def _is_bare(self, part: str, name: str) -> bool:
        """Whether a start of this kind leaves the part without that name."""
        if part in {"headers", "query"}:
            return self.trigger_type in {"schedule", EVENT, *WITH_FORM}
        return part == "body" and self.trigger_type == "schedule" and name != "scheduled_for"

    def _better(self, path: Path) -> str | None:
        """The path that is surely meant, where the one that is written is not there."""
        match path:
            case ("trigger", "headers", name, *_) if name != name.lower():
                return ".".join((*path[:2], name.lower(), *path[3:]))
            case ("trigger", "scheduled_for"):
                return "trigger.body.scheduled_for"
            case ("steps", target, *rest) if target not in self.steps:
                near = nearest(target, self.steps)
                return ".".join(("steps", near, *rest)) if near else None
            case ("steps", target, "output", name, *rest):
                near = nearest(name, self.steps[target].output or ())
                return ".".join(("steps", target, "output", near, *rest)) if near else None
            case (name, "output" | "error", *_) if name in self.steps:
                return ".".join(("steps", *path))
        return None

    def _near(self, name: str) -> str:
        if name in self.steps:
            return f"Write steps.{name}.output to read what that step gave."
        near = nearest(name, ["trigger", "steps", "run"])
        if near:
            return f"Did you mean “{near}”?"
        return f"Write where it comes from: trigger.body.{name}, or steps.<id>.output.{name}."


_MISREAD = frozenset({"missing_path", "unknown_name"})


def _rewritten(
    place: Place, source: str, position: tuple[int, int] | None, better: str
) -> Repair | None:
    """The expression with another path in place of the one at ``position``, if that is FEEL."""
    if position is None:
        return None
    written = source[: position[0]] + better + source[position[1] :]
    try:
        feel.compile_expression(written)
    except feel.FeelError:
        return None
    return Repair(f"Read {better}", replaced(pointer(place.path), place.lead + written))


_MEND = "Put the expression right; the form shows the place."


def _of_names(
    path: Path, names: FieldNames, *, guarded: bool
) -> Iterator[tuple[str, Severity, str, str]]:
    """What is read of an event, by an expression that is evaluated when one comes."""
    if path[0] in names.names:
        yield from _below(path[0], EVENT_SHAPE, path[1:], guarded=guarded)
        return
    read = " and ".join(f"“{one}”" for one in names.names)
    if path[0] in {"trigger", "steps", "run"}:
        message = f"“{path[0]}” cannot be read here: this is asked of each event that comes."
    else:
        message = f"There is nothing named “{path[0]}” here."
    yield "unknown_name", "error", message, f"Read only {read}, such as event.data.{path[-1]}."


def _below(
    shown: str, shape: Shape, rest: Path, *, guarded: bool
) -> Iterator[tuple[str, Severity, str, str]]:
    """The finding about the first name that a known shape does not have."""
    for name in rest:
        if shape is None or guarded:
            return
        if name not in shape:
            near = nearest(name, shape)
            listed = ", ".join(f"“{one}”" for one in list(shape)[:6])
            fix = f"Did you mean “{shown}.{near}”?" if near else f"It has {listed or 'nothing'}."
            yield "missing_path", "error", f"“{shown}” has no “{name}”.", fix
            return
        shown, shape = f"{shown}.{name}", shape[name]


# Words of a JSON Schema by which more may be there than its properties name.
_OPENING = frozenset({"$ref", "allOf", "anyOf", "oneOf", "if", "patternProperties"})


def _asked(shown: str, form: object, rest: Path) -> Iterator[tuple[str, Severity, str, str]]:
    """The finding about the first name that a form does not ask for, or not always.

    A form is a contract: what it does not name is not there, unless it says that more may come.
    A form without any question claims nothing for sure; a call may still bring the value.
    """
    for name in rest:
        asked = form.get("properties") if isinstance(form, Mapping) else None
        if (
            not isinstance(form, Mapping)
            or not isinstance(asked, Mapping)
            or _OPENING & form.keys()
        ):
            return
        path = f"{shown}.{name}"
        if name not in asked:
            if form.get("additionalProperties"):
                return
            near = nearest(name, asked)
            fix = f"Did you mean “{shown}.{near}”?" if near else f"Add “{name}” to the form."
            severity: Severity = "error" if asked else "warning"
            yield "missing_path", severity, f"The form does not ask for “{one_line(name)}”.", fix
            return
        required = form.get("required")
        if not isinstance(required, list) or name not in required:
            yield (
                "may_be_missing",
                "warning",
                f"The answer “{one_line(name)}” may be left out, and then “{path}” is not there.",
                f"Require it in the form, or say what to use then: get or else({path}, …).",
            )
            return
        shown, form = path, asked[name]


@lru_cache(maxsize=256)
def declared(output: type[StepModel]) -> Shape:
    """The shape of a step type's declared output."""
    schema = output.model_json_schema()
    return _shape(schema, schema)


def _shape(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Shape:
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
    if schema.get("type") != "object" or schema.get("additionalProperties") is not False:
        return None
    return {name: _shape(inner, root) for name, inner in schema.get("properties", {}).items()}


def _position(source: str, path: Path) -> tuple[int, int] | None:
    """Where an expression reads a path, as far as its text shows."""
    pattern = r"\s*\.\s*".join(map(re.escape, path[:_SEARCHED]))
    found = re.search(rf"(?<![\w.]){pattern}(?!\w)", source)
    return found.span() if found else None
