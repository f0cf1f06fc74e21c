"""Compile a published flow document: the engine's graph, and each step's config made ready.

Only documents that passed ``check`` come here. What a step reads of other steps is known
afterwards (``CompiledStep.reads``), so that the driver loads nothing else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from apps.engine import feel
from apps.engine.graph import (
    DEFAULT_MAX_STEPS,
    TRIGGER,
    TRIGGER_PORT,
    Behaviour,
    Graph,
    GraphStep,
    JoinRule,
    Link,
)
from apps.steps.fields import NO_FIELDS, StepFields, join_rule, ports_of, read_fields
from apps.steps.outcomes import StepError
from apps.steps.registry import (
    StepModel,
    StepType,
    TriggerType,
    find_trigger,
)
from apps.steps.registry import find as find_step_type

FORMAT = "signalbox.flow/1"
EVERYTHING = "*"

Evaluate = Callable[[feel.Expression], Any]
# What tells the paths that it reads.
Readable = feel.Expression | feel.UnaryTests
Resolve = Callable[[Evaluate], Any]


@dataclass(frozen=True)
class CompiledStep:
    """A step with its config's expressions compiled.

    ``reads`` holds the ids of the steps whose output or error it may read, or ``*`` for all.
    """

    id: str
    title: str
    type: StepType
    raw: Mapping[str, Any]
    resolve: Resolve | None
    fixed: StepModel | None
    reads: frozenset[str]
    fields: StepFields = NO_FIELDS
    fallback: Resolve | None = None
    limit_key: feel.Expression | None = None

    @property
    def ports(self) -> tuple[str, ...]:
        """Its ways out, in document order."""
        return ports_of(self.type, self.raw, self.fields)

    @property
    def resort(self) -> str:
        """What follows when it has failed, where that is neither stopping nor another path."""
        on_error = self.fields.on_error
        return on_error.then if on_error and on_error.then in {"ask", "default"} else ""

    def default_output(self, evaluate: Evaluate) -> Any:
        """What the step says to go on with when it has failed."""
        if self.fallback is not None:
            return self.fallback(evaluate)
        return self.fields.on_error.output if self.fields.on_error else None

    def config(self, evaluate: Evaluate) -> StepModel:
        """The config with every template evaluated, validated as the step type asks.

        Raises:
            StepError: A value does not fit its field.
            FeelError: An expression fails.
        """
        if self.fixed is not None:
            return self.fixed
        values = self.resolve(evaluate) if self.resolve else self.raw
        return validated(self.type.config, values)


@dataclass(frozen=True)
class CompiledFlow:
    """A version, ready to run."""

    name: str
    graph: Graph
    steps: Mapping[str, CompiledStep]
    trigger: TriggerType
    trigger_config: Mapping[str, Any]
    concurrency: int | None
    #: Runs are limited for each value of this, asked of ``trigger`` alone.
    run_key: feel.Expression | None
    settings: Mapping[str, Any]

    @cached_property
    def counts_working_time(self) -> bool:
        """Whether any step waits by the working calendar."""
        return any(step.raw.get("business") for step in self.steps.values())

    @cached_property
    def reads(self) -> frozenset[str]:
        """Ids of the steps whose output or error any step reads, or ``*`` for all."""
        return frozenset[str]().union(*(step.reads for step in self.steps.values()))


def compile_flow(document: Mapping[str, Any]) -> CompiledFlow:
    """Make a checked document ready to run."""
    steps = {step_id: _compile_step(step_id, step) for step_id, step in document["steps"].items()}
    settings = document.get("settings") or {}
    links = tuple(
        Link(index, link["from"], _port(steps, link), link["to"])
        for index, link in enumerate(document.get("links") or [])
    )
    trigger = document["trigger"]
    return CompiledFlow(
        name=document.get("name") or "",
        graph=Graph(
            steps={step_id: _graph_step(step) for step_id, step in steps.items()},
            links=links,
            max_steps=settings.get("max_steps") or DEFAULT_MAX_STEPS,
        ),
        steps=steps,
        trigger=find_trigger(trigger["type"]),
        trigger_config=trigger.get("config") or {},
        concurrency=(settings.get("concurrency") or {}).get("max"),
        run_key=_run_key(settings),
        settings=settings,
    )


def _run_key(settings: Mapping[str, Any]) -> feel.Expression | None:
    key = (settings.get("concurrency") or {}).get("key")
    return feel.compile_expression(expression_source(key)) if key else None


def expression_source(text: str) -> str:
    """FEEL without the leading ``=`` that people may write."""
    return text[1:] if text.startswith("=") and not text.startswith("==") else text


def cell_source(text: str) -> str:
    """The unary tests of a cell; an empty one matches everything, as ``-`` does."""
    return text if text.strip() else "-"


def validated(model: type[StepModel], values: Any) -> StepModel:
    """``values`` as the model.

    Raises:
        StepError: ``bad_config``, with a sentence per field that does not fit.
    """
    try:
        return model.model_validate(values)
    except ValidationError as wrong:
        said = "; ".join(
            f"“{'.'.join(map(str, one['loc'])) or 'config'}”: {one['msg']}"
            for one in wrong.errors(include_url=False, include_input=False)[:3]
        )
        raise StepError("bad_config", f"The step's fields do not fit: {said}.") from None


def template(
    node: Any,
    fields: frozenset[tuple[str, ...]],
    path: tuple[str, ...] = (),
    unary: frozenset[tuple[str, ...]] = frozenset(),
) -> tuple[Resolve | None, list[Readable]]:
    """Compile the templates below ``node``; ``None`` where nothing below is an expression.

    Expressions at ``fields`` (paths with ``*``) and tests at ``unary`` are compiled for what they
    read but stay text.

    Raises:
        FeelSyntaxError: A text is not FEEL where it must be.
    """
    if isinstance(node, str):
        return _text(node, path, fields, unary)
    if isinstance(node, Mapping):
        return _mapping(node, fields, path, unary)
    if isinstance(node, list):
        return _list(node, fields, path, unary)
    return None, []


def _text(
    node: str,
    path: tuple[str, ...],
    fields: frozenset[tuple[str, ...]],
    unary: frozenset[tuple[str, ...]],
) -> tuple[Resolve | None, list[Readable]]:
    if path in unary:
        return None, [feel.compile_unary_tests(cell_source(node))]
    if path in fields:
        return None, [feel.compile_expression(expression_source(node))]
    if node.startswith("=="):
        literal = node[1:]
        return (lambda _evaluate: literal), []
    if node.startswith("="):
        expression = feel.compile_expression(node[1:])
        return (lambda evaluate: feel.to_json(evaluate(expression))), [expression]
    return None, []


def _mapping(
    node: Mapping[str, Any],
    fields: frozenset[tuple[str, ...]],
    path: tuple[str, ...],
    unary: frozenset[tuple[str, ...]],
) -> tuple[Resolve | None, list[Readable]]:
    moving: list[tuple[str, Resolve]] = []
    found: list[Readable] = []
    for name, inner in node.items():
        here = (*path, "*") if (*path, "*") in _prefixes(fields) else (*path, name)
        resolve, expressions = template(inner, fields, here, unary)
        found += expressions
        if resolve is not None:
            moving.append((name, resolve))
    if not moving:
        return None, found
    return (lambda evaluate: {**node, **{name: one(evaluate) for name, one in moving}}), found


def _list(
    node: list[Any],
    fields: frozenset[tuple[str, ...]],
    path: tuple[str, ...],
    unary: frozenset[tuple[str, ...]],
) -> tuple[Resolve | None, list[Readable]]:
    compiled = [template(inner, fields, (*path, "*"), unary) for inner in node]
    found = [expression for _, expressions in compiled for expression in expressions]
    if all(resolve is None for resolve, _ in compiled):
        return None, found
    return (
        lambda evaluate: [
            inner if resolve is None else resolve(evaluate)
            for inner, (resolve, _) in zip(node, compiled, strict=True)
        ]
    ), found


def _prefixes(fields: frozenset[tuple[str, ...]]) -> set[tuple[str, ...]]:
    return {path[:length] for path in fields for length in range(1, len(path) + 1)}


def _compile_step(step_id: str, step: Mapping[str, Any]) -> CompiledStep:
    type_ = find_step_type(step["type"], step.get("version", 1))
    raw = step.get("config") or {}
    fields = read_fields(step)
    resolve, expressions = template(raw, type_.expression_fields, unary=type_.unary_fields)
    fallback: Resolve | None = None
    if fields.on_error is not None:
        fallback, more = template(fields.on_error.output, frozenset())
        expressions += more
    limit_key = _limit_key(fields)
    if limit_key is not None:
        expressions.append(limit_key)
    reads: set[str] = set()
    for expression in expressions:
        # A name inside a filter may be a field of the element or a step's path: load both ways.
        for path in expression.paths | expression.possible_paths:
            if path[:1] == ("steps",):
                reads.add(path[1] if len(path) > 1 else EVERYTHING)
    return CompiledStep(
        id=step_id,
        title=step.get("title") or step_id,
        type=type_,
        raw=raw,
        resolve=resolve,
        fixed=validated(type_.config, raw) if resolve is None else None,
        reads=frozenset(reads),
        fields=fields,
        fallback=fallback,
        limit_key=limit_key,
    )


def _limit_key(fields: StepFields) -> feel.Expression | None:
    limit = fields.concurrency
    if limit is None or limit.key is None:
        return None
    return feel.compile_expression(expression_source(limit.key))


def _graph_step(step: CompiledStep) -> GraphStep:
    is_join = step.type.behaviour is Behaviour.JOIN
    return GraphStep(
        id=step.id,
        behaviour=step.type.behaviour,
        ports=step.ports,
        join=join_rule(step.raw) if is_join else JoinRule(),
        fails_unlinked=step.type.fails_unlinked,
        scope=step.fields.scope or "",
        undo=step.fields.undo or "",
        lock=step.fields.lock or "",
        resorts=bool(step.resort),
        takes_many=step.type.takes_many,
        moves_tokens=step.type.moves_tokens,
    )


def _port(steps: Mapping[str, CompiledStep], link: Mapping[str, Any]) -> str:
    if link["from"] == TRIGGER:
        return TRIGGER_PORT
    named = link.get("port")
    if named:
        return str(named)
    return steps[link["from"]].ports[0]
