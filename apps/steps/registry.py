"""The catalogue of step types and trigger types. A type is one file that registers itself here.

``catalogue()`` imports every module of ``apps.steps.types`` once; nothing else lists them.
The JSON Schemas of ``Config`` carry keywords for the editor:

- ``x-feel: "expression"``: FEEL, with or without a leading ``=``; ``"template"``: text in which
  a leading ``=`` makes it FEEL and ``==`` is a literal ``=``; ``"unary"``: the tests of a cell of
  a decision table, such as ``> 5`` or ``"a", "b"``;
- ``x-secret: true``: the value may be ``{"secret": name, "prefix": text}``;
- ``x-widget``: a hint for the form (``duration``, ``rows``, ``people``, ``code``, ``markdown``,
  ``condition``);
- ``x-when: {field: value or values}``: shown only while a field beside it has that value;
- ``x-one-of: [fields]`` on an object: exactly one of them is meant;
- ``x-labels: {value: words}``: how the values of an enum are said;
- ``x-type`` on an expression: the JSON type of what it must give;
- ``x-names: [names]`` on an expression: what it reads beside the run's data; with
  ``x-alone: true`` it reads nothing else.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, cached_property
from typing import Annotated, Any, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from apps.engine.graph import Behaviour
from apps.engine.working_time import Calendar
from apps.steps.findings import Flaw
from apps.steps.outcomes import ItemEnd

# A text that is FEEL as it stands; kept as text in the config, evaluated by the step.
Feel = Annotated[str, Field(json_schema_extra={"x-feel": "expression"})]
# The same, where it says yes or no: the editor lets people put it together by choosing.
Condition = Annotated[
    str,
    Field(json_schema_extra={"x-feel": "expression", "x-widget": "condition", "x-type": "boolean"}),
]
# The same, where it gives a list.
Items = Annotated[str, Field(json_schema_extra={"x-feel": "expression", "x-type": "array"})]
# A text that is unary tests of FEEL; kept as text in the config, asked by the step.
Tests = Annotated[str, Field(json_schema_extra={"x-feel": "unary"})]
# A text that may be FEEL behind a leading "="; the step gets the value.
Template = Annotated[str, Field(json_schema_extra={"x-feel": "template"})]
# Any JSON whose texts, however deep, may be FEEL behind a leading "=".
TemplateValue = Annotated[Any, Field(json_schema_extra={"x-feel": "template"})]
# A length of time such as P2D or PT30M.
ISO_DURATION = r"^P(?!$)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$"


class StepModel(BaseModel):
    """The base of every ``Config`` and ``Output``: unknown fields are refused by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SecretRef(StepModel):
    """The place where a worker puts a secret when it sends."""

    secret: str = Field(min_length=1, max_length=100, title="Secret")
    prefix: str = Field("", max_length=100, title="Text before it", examples=["Bearer "])


class PureContext(Protocol):
    """What a pure or waiting step may use: expressions over the run's data, and its time."""

    now: datetime
    zone: str
    #: The workspace's, as it is when the step is evaluated.
    calendar: Calendar

    def evaluate(self, expression: str) -> Any:
        """The FEEL value. Raises ``FeelError``."""

    def matches(self, tests: str, value: Any) -> bool:
        """Whether a value passes unary tests. Raises ``FeelError``."""

    def requester(self) -> str:
        """Who started the run (an address), or ``""`` where nobody is known."""

    def known_to(self, expression: str, but: Sequence[str]) -> Mapping[str, Any]:
        """What the expression will read of the run, names in ``but`` left out.

        For an expression that is evaluated later, where the run is not at hand.
        """


class ItemContext(PureContext, Protocol):
    """What a scope may use to judge an item that is through: expressions see it from inside.

    They also read ``result``, where the scope has told it, and ``succeeded`` and ``failed``.
    """

    index: int
    succeeded: int
    failed: int

    def last_output(self) -> Any:
        """The output of the step that was done last inside."""

    def evaluate_with(self, expression: str, names: Mapping[str, Any]) -> Any:
        """The FEEL value, with further names. Raises ``FeelError``."""


class EffectContext(Protocol):
    """What an effect may use. Time-outs, size limits, address checks and masking live behind it."""

    idempotency_key: str
    attempt: int

    def http(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes,
        timeout_s: float,
    ) -> Any:
        """Send one request through the guard: ``.status``, ``.headers``, ``.content``."""

    def fill(self, value: Any, *, host: str, port: int | None) -> Any:
        """Replace every ``{"secret": …}`` by its value, if it may go to ``host``."""

    def mask(self, text: str) -> str:
        """The text with every secret filled in so far masked."""

    def send_mail(self, *, to: list[str], subject: str, text: str) -> str:
        """Send one message through the installation's mail server; returns its message id."""


RunFunction = Callable[[Any, Any], Any]
# What a type finds wrong in a config that fits its model; texts may still be templates.
CheckConfig = Callable[[Mapping[str, Any]], Iterable[Flaw]]
F = TypeVar("F", bound=RunFunction)


@dataclass(frozen=True)
class StepType:
    """One entry of the catalogue; see :func:`step_type`."""

    kind: str
    version: int
    title: str
    category: str
    icon: str
    behaviour: Behaviour
    ports: tuple[str, ...] | str
    config: type[StepModel]
    output: type[StepModel] | None
    run: RunFunction
    default_config: Mapping[str, Any]
    must_link: frozenset[str]
    fails_unlinked: frozenset[str]
    help: str
    timeout: timedelta
    check: CheckConfig | None = None
    output_from: str | None = None
    #: The names of the output, where the config's field alone does not tell them.
    output_names: Callable[[Mapping[str, Any]], Iterable[str]] | None = None
    #: The JSON Schema of ``answers`` in the output, where a config has people fill in a form.
    answers_of: Callable[[Mapping[str, Any]], Mapping[str, Any] | None] | None = None
    #: Scopes only: judges an item that is through.
    end_item: Callable[[Any, Any], ItemEnd] | None = None
    #: It waits for the first of several; what the others waited for is closed then.
    has_ways: bool = False
    takes_many: bool = False
    moves_tokens: bool = False

    @cached_property
    def config_schema(self) -> dict[str, Any]:
        return self.config.model_json_schema()

    @cached_property
    def expression_fields(self) -> frozenset[tuple[str, ...]]:
        """Paths of the config, ``*`` for list items and map values, that are FEEL as they stand."""
        return frozenset(_expression_fields(self.config_schema))

    @cached_property
    def field_names(self) -> Mapping[tuple[str, ...], "FieldNames"]:
        """Of those, the ones that read names beside the run's data, or instead of it."""
        return _field_names(self.config_schema)

    @cached_property
    def unary_fields(self) -> frozenset[tuple[str, ...]]:
        """Paths of the config, as above, that are unary tests as they stand."""
        return frozenset(_expression_fields(self.config_schema, mark="unary"))

    @cached_property
    def secret_fields(self) -> frozenset[str]:
        """Fields of the config in which, however deep, a secret is filled in."""
        fields = self.config_schema.get("properties", {})
        return frozenset(name for name, inner in fields.items() if inner.get("x-secret"))

    def ends_item(self, config: Any, ctx: ItemContext) -> ItemEnd:
        """What a scope of this type makes of an item that is through."""
        if self.end_item is None:
            raise TypeError(f"{self.kind} has no items.")
        return self.end_item(config, ctx)

    def ports_of(self, config: Mapping[str, Any]) -> tuple[str, ...]:
        """The ports that a step of this type has with this config, in document order."""
        if isinstance(self.ports, tuple):
            return self.ports
        return tuple(dict.fromkeys(_read_ports(config, self.ports)))

    def as_json(self) -> dict[str, Any]:
        """The entry as ``GET /api/v1/step-types/`` shows it."""
        fixed = isinstance(self.ports, tuple)
        return {
            "kind": self.kind,
            "version": self.version,
            "title": self.title,
            "help": self.help,
            "category": self.category,
            "icon": self.icon,
            "behaviour": self.behaviour.value,
            "outward": self.behaviour is Behaviour.EFFECT,
            "ports": list(self.ports) if fixed else None,
            "ports_from": None if fixed else self.ports,
            "must_link": sorted(self.must_link),
            "config_schema": self.config_schema,
            "output_schema": self.output.model_json_schema() if self.output else None,
            "output_from": self.output_from,
            "default_config": self.default_config,
        }


@dataclass(frozen=True)
class TriggerType:
    """One way to start a run; see :func:`trigger_type`."""

    kind: str
    title: str
    icon: str
    config: type[StepModel]
    default_config: Mapping[str, Any]
    help: str
    check: CheckConfig | None = None

    @cached_property
    def config_schema(self) -> dict[str, Any]:
        return self.config.model_json_schema()

    @cached_property
    def expression_fields(self) -> frozenset[tuple[str, ...]]:
        return frozenset(_expression_fields(self.config_schema))

    @cached_property
    def field_names(self) -> Mapping[tuple[str, ...], "FieldNames"]:
        """As :attr:`StepType.field_names`."""
        return _field_names(self.config_schema)

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "title": self.title,
            "help": self.help,
            "icon": self.icon,
            "config_schema": self.config_schema,
            "default_config": self.default_config,
        }


@dataclass(frozen=True, slots=True)
class FieldNames:
    """What an expression field reads beside the run's data; nothing else where it is alone."""

    names: tuple[str, ...]
    alone: bool


class UnknownStepType(LookupError):
    """No step type of that kind and version is registered."""


_types: dict[tuple[str, int], StepType] = {}
_triggers: dict[str, TriggerType] = {}


def step_type(
    *,
    kind: str,
    version: int,
    title: str,
    category: str,
    icon: str,
    behaviour: Behaviour,
    ports: tuple[str, ...] | str,
    config: type[StepModel],
    output: type[StepModel] | None = None,
    default_config: Mapping[str, Any] | None = None,
    must_link: tuple[str, ...] = (),
    fails_unlinked: tuple[str, ...] = (),
    timeout: timedelta = timedelta(seconds=30),
    check: CheckConfig | None = None,
    output_from: str | None = None,
    output_names: Callable[[Mapping[str, Any]], Iterable[str]] | None = None,
    answers_of: Callable[[Mapping[str, Any]], Mapping[str, Any] | None] | None = None,
    end_item: Callable[[Any, Any], ItemEnd] | None = None,
    has_ways: bool = False,
    takes_many: bool = False,
    moves_tokens: bool = False,
) -> Callable[[F], F]:
    """Register the decorated function as a step type; the module's docstring is its help text.

    The one line on its card is made in the browser, as it is typed and in the reader's language.

    Args:
        icon: A Tabler name.
        ports: Names, or paths into the config such as ``branches[].port, otherwise``; after a
            colon the names where nothing stands there: ``outcomes[].port:yes no, :timeout``.
        must_link: Ports whose missing link is an error at check.
        fails_unlinked: Ports that fail the run when a token leaves by them without a link.
        timeout: The longest a worker may spend on one attempt, before the config's own.
        check: Finds what the model cannot say; called with the config as written.
        output_from: The config's field whose names are the names of the output.
        output_names: Tells the names from the config, where that field alone does not.
        answers_of: Tells from the config what people fill in: a JSON Schema of output.answers.
        end_item: For a scope: judges an item in which nothing is left (config, ``ItemContext``).
        has_ways: It waits for the first of several things.
        takes_many: It may leave by several ports at once.
        moves_tokens: It multiplies or withdraws tokens, by numbers and names of its config.
    """

    def register(run: F) -> F:
        module = importlib.import_module(run.__module__)
        key = (kind, version)
        if key in _types:
            raise ValueError(f"Step type {kind} version {version} is registered twice.")
        _types[key] = StepType(
            kind=kind,
            version=version,
            title=title,
            category=category,
            icon=icon,
            behaviour=behaviour,
            ports=ports,
            config=config,
            output=output,
            run=run,
            default_config=default_config or {},
            must_link=frozenset(must_link),
            fails_unlinked=frozenset(fails_unlinked),
            help=(module.__doc__ or "").strip(),
            timeout=timeout,
            check=check,
            output_from=output_from,
            output_names=output_names,
            answers_of=answers_of,
            end_item=end_item,
            has_ways=has_ways,
            takes_many=takes_many,
            moves_tokens=moves_tokens,
        )
        return run

    return register


def trigger_type(
    *,
    kind: str,
    title: str,
    icon: str,
    default_config: Mapping[str, Any] | None = None,
    check: CheckConfig | None = None,
) -> Callable[[type[StepModel]], type[StepModel]]:
    """Register the decorated config model as a trigger type."""

    def register(config: type[StepModel]) -> type[StepModel]:
        module = importlib.import_module(config.__module__)
        if kind in _triggers:
            raise ValueError(f"Trigger type {kind} is registered twice.")
        _triggers[kind] = TriggerType(
            kind=kind,
            title=title,
            icon=icon,
            config=config,
            default_config=default_config or {},
            help=(module.__doc__ or "").strip(),
            check=check,
        )
        return config

    return register


@cache
def _load() -> None:
    package = importlib.import_module("apps.steps.types")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"apps.steps.types.{module.name}")


def catalogue() -> list[StepType]:
    """Every step type, newest version of each kind last."""
    _load()
    return [_types[key] for key in sorted(_types)]


def triggers() -> list[TriggerType]:
    """Every trigger type."""
    _load()
    return [_triggers[kind] for kind in sorted(_triggers)]


def find(kind: str, version: int) -> StepType:
    """The step type. Raises ``UnknownStepType``."""
    _load()
    try:
        return _types[kind, version]
    except KeyError:
        raise UnknownStepType(f"{kind} version {version}") from None


def find_trigger(kind: str) -> TriggerType:
    """The trigger type. Raises ``UnknownStepType``."""
    _load()
    try:
        return _triggers[kind]
    except KeyError:
        raise UnknownStepType(f"trigger {kind}") from None


def _read_ports(config: Mapping[str, Any], paths: str) -> list[str]:
    found: list[str] = []
    for entry in paths.split(","):
        path, _, otherwise = entry.strip().partition(":")
        here = [one for one in _at_path(config, path) if isinstance(one, str) and one]
        found.extend(here or otherwise.split())
    return found


def _at_path(config: Mapping[str, Any], path: str) -> list[Any]:
    here: list[Any] = [config]
    for part in path.split("."):
        name, many = part.removesuffix("[]"), part.endswith("[]")
        here = [one.get(name) for one in here if isinstance(one, Mapping)]
        if many:
            here = [item for one in here if isinstance(one, list) for item in one]
    return here


def schema_nodes(
    schema: Mapping[str, Any],
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Every part of a config's JSON Schema with its path, ``*`` for list items and map values."""
    return _nodes(schema, schema, ())


def _expression_fields(
    schema: Mapping[str, Any], *, mark: str = "expression"
) -> list[tuple[str, ...]]:
    return [path for path, node in _nodes(schema, schema, ()) if node.get("x-feel") == mark]


def _field_names(schema: Mapping[str, Any]) -> dict[tuple[str, ...], FieldNames]:
    return {
        path: FieldNames(tuple(node["x-names"]), bool(node.get("x-alone")))
        for path, node in _nodes(schema, schema, ())
        if "x-names" in node
    }


def _nodes(
    schema: Mapping[str, Any], root: Mapping[str, Any], path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Every part of a JSON Schema with its path, ``*`` for list items and map values."""
    if len(path) > 12:  # a config model that contains itself
        return
    if "$ref" in schema:
        target = root["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
        schema = {**target, **{k: v for k, v in schema.items() if k != "$ref"}}
    yield path, schema
    for name, inner in schema.get("properties", {}).items():
        yield from _nodes(inner, root, (*path, name))
    for word in ("items", "additionalProperties"):
        if isinstance(schema.get(word), Mapping):
            yield from _nodes(schema[word], root, (*path, "*"))
    for word in ("anyOf", "oneOf", "allOf"):
        for inner in schema.get(word, []):
            yield from _nodes(inner, root, path)
