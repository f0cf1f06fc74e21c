"""Judge the configs of steps and triggers: fields, expressions, secrets."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from apps.engine.graph import TRIGGER, Behaviour
from apps.steps.config_errors import config_flaws
from apps.steps.document import cell_source, expression_source
from apps.steps.findings import Finding, Flaw, Repair, at, is_template, pointer, replaced
from apps.steps.reads import EVERYTHING, KnownStep, Place, Reads
from apps.steps.registry import CheckConfig, FieldNames, StepType, TriggerType
from apps.steps.texts import CONTROL, CREDENTIAL, did_you_mean, one_line
from apps.steps.unmarked import unmarked

DocPath = tuple[str | int, ...]


def trigger_config_findings(type_: TriggerType, config: Any, reads: Reads) -> Iterator[Finding]:
    """Everything about the trigger's config; only its expression fields are evaluated."""
    root: DocPath = ("trigger", "config")
    flaws = config_flaws(type_.config, type_.config_schema, config)
    yield from _as_findings(flaws, type_.check, config, TRIGGER, root)
    for path, schema_path, text in _texts(config, type_.expression_fields):
        if schema_path in type_.expression_fields:
            names = type_.field_names.get(schema_path, EVERYTHING)
            yield from _expression(reads, Place(TRIGGER, (*root, *path)), text, names)


def step_config_findings(
    step: KnownStep, type_: StepType, config: Any, reads: Reads
) -> Iterator[Finding]:
    """Everything about a step's config."""
    root: DocPath = ("steps", step.id, "config")
    # A join is decided by the engine, which evaluates nothing.
    evaluated = None if type_.behaviour is Behaviour.JOIN else type_.expression_fields
    flaws = config_flaws(type_.config, type_.config_schema, config, evaluated)
    yield from _as_findings(flaws, type_.check, config, step.id, root)
    if not isinstance(config, Mapping):
        return
    for port in type_.ports_of(config):
        if CONTROL.search(port) or is_template(port):
            message = f"“{one_line(port)}” cannot be the name of a way out."
            fix = "Write a word or two, on one line and without “=” before them."
            yield Finding("bad_name", "error", message, fix, step.id, pointer(root))
    for path, schema_path, text in _texts(config, type_.expression_fields):
        if schema_path in type_.unary_fields:
            place = Place(step.id, (*root, *path))
            yield from reads.findings(place, cell_source(text), is_unary=True)
        elif schema_path in type_.expression_fields or is_template(text):
            names = type_.field_names.get(schema_path, EVERYTHING)
            yield from _expression(reads, Place(step.id, (*root, *path)), text, names)
        elif evaluated is not None and (looks := unmarked(text)):
            message = f"“{looks[0]}” is taken as text, word for word; no “=” stands before it."
            yield Finding(
                "looks_like_expression",
                "warning",
                message,
                looks[1],
                step.id,
                pointer((*root, *path)),
                repair=(
                    Repair("Take its value", replaced(pointer((*root, *path)), looks[2]))
                    if looks[2]
                    else None
                ),
            )
    yield from _secrets(type_, config, step.id, root)


def run_key_findings(key: object, reads: Reads) -> Iterator[Finding]:
    """The key of a limit of runs: an expression over ``trigger``."""
    if isinstance(key, str):
        yield from _expression(reads, Place(TRIGGER, ("settings", "concurrency", "key")), key)


def field_value_findings(
    step: KnownStep, given: Mapping[str, Any], reads: Reads
) -> Iterator[Finding]:
    """What the fields beside the config read: the output on failure, the key of a limit."""
    root: DocPath = ("steps", step.id)
    on_error, limit = given.get("on_error"), given.get("concurrency")
    if step.fields.on_error is not None and isinstance(on_error, Mapping):
        for path, _, text in _texts(on_error.get("output"), frozenset()):
            if is_template(text):
                place = Place(step.id, (*root, "on_error", "output", *path))
                yield from _expression(reads, place, text)
    if step.fields.concurrency is not None and isinstance(limit, Mapping) and limit.get("key"):
        place = Place(step.id, (*root, "concurrency", "key"))
        yield from _expression(reads, place, str(limit["key"]))


def assignee_findings(
    step: KnownStep, groups: frozenset[str] | None, people: frozenset[str] | None
) -> Iterator[Finding]:
    """Groups and people that the workspace does not have, where they are written out."""
    stages, rungs = at(step.config, "stages"), at(step.config, "escalation")
    places: list[DocPath] = [("assignees",)]
    if isinstance(stages, list):
        places += [("stages", index, "assignees") for index in range(len(stages))]
    if isinstance(rungs, list):
        places += [
            ("escalation", index, "what", how)
            for index in range(len(rungs))
            for how in ("add", "reassign")
        ]
    for name, there, what in (("groups", groups, "group"), ("users", people, "person")):
        if there is None:
            continue
        for place in places:
            listed = at(step.config, *place, name)
            for index, one in enumerate(listed if isinstance(listed, list) else []):
                if isinstance(one, str) and not is_template(one) and one.lower() not in there:
                    yield Finding(
                        f"unknown_{what}",
                        "warning",
                        f"There is no {what} “{one_line(one)}” in this workspace.",
                        did_you_mean(one, there) or "Add it, or name another.",
                        step.id,
                        pointer(("steps", step.id, "config", *place, name, index)),
                    )


def _as_findings(
    flaws: Sequence[Flaw],
    check: CheckConfig | None,
    config: Any,
    step: str,
    root: DocPath,
) -> Iterator[Finding]:
    """What the model refuses, then what the type itself finds in places the model let pass."""
    refused = {flaw.path for flaw in flaws}
    more = check(config) if check is not None and isinstance(config, Mapping) else ()
    for flaw in (*flaws, *(one for one in more if one.path not in refused)):
        repair = flaw.repair.below(pointer(root)) if flaw.repair else None
        yield Finding(
            *(flaw.code, flaw.severity, flaw.message, flaw.fix),
            step,
            pointer((*root, *flaw.path)),
            repair=repair,
        )


def _expression(
    reads: Reads, place: Place, text: str, names: FieldNames = EVERYTHING
) -> Iterator[Finding]:
    source = expression_source(text)
    if not source.strip():
        message = "The expression is empty."
        yield place.finding("bad_expression", message, "Write a value, such as trigger.body.name.")
        return
    lead = text[: len(text) - len(source)]
    yield from reads.findings(replace(place, lead=lead), source, names=names)


def _texts(
    config: Any, fields: frozenset[tuple[str, ...]]
) -> Iterator[tuple[DocPath, tuple[str, ...], str]]:
    """Every text of a config with its path, and its path as the schema has it (``*``)."""
    starred = {field[:index] for field in fields for index, one in enumerate(field) if one == "*"}
    waiting: list[tuple[Any, DocPath, tuple[str, ...]]] = [(config, (), ())]
    while waiting:
        node, path, schema_path = waiting.pop()
        if isinstance(node, str):
            yield path, schema_path, node
        elif isinstance(node, Mapping):
            waiting += [
                (inner, (*path, name), (*schema_path, "*" if schema_path in starred else name))
                for name, inner in reversed(list(node.items()))
            ]
        elif isinstance(node, list):
            waiting += [
                (inner, (*path, index), (*schema_path, "*"))
                for index, inner in reversed(list(enumerate(node)))
            ]


def _secrets(
    type_: StepType, config: Mapping[str, Any], step: str, root: DocPath
) -> Iterator[Finding]:
    """Secrets where none is filled in, and what looks like one in the clear."""
    waiting: list[tuple[Any, DocPath]] = [(config, ())]
    while waiting:
        node, path = waiting.pop()
        if isinstance(node, list):
            waiting += [(inner, (*path, index)) for index, inner in enumerate(node)]
        if not isinstance(node, Mapping):
            continue
        allowed = bool(path) and path[0] in type_.secret_fields
        if isinstance(node.get("secret"), str) and set(node) <= {"secret", "prefix"}:
            if not allowed:
                yield Finding(
                    "secret_not_allowed",
                    "error",
                    "A secret is not filled in here.",
                    "Use it in headers, query or body of a request; plain data needs another name.",
                    step,
                    pointer((*root, *path)),
                )
            continue
        for name, inner in node.items():
            waiting.append((inner, (*path, name)))
            in_clear = allowed and isinstance(inner, str) and inner and not is_template(inner)
            if in_clear and CREDENTIAL.search(name):
                yield Finding(
                    "secret_in_clear",
                    "warning",
                    f"“{one_line(name)}” looks like a secret written in the clear.",
                    "Store it as a secret and choose it here; who sees the flow sees this.",
                    step,
                    pointer((*root, *path, name)),
                )
