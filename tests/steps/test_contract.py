"""What every step type and every trigger type must bring, whoever wrote it (architecture 7).

Nothing here names a type: a new file below ``apps/steps/types`` is judged as it is found. Each
failure says what the type lacks, for whoever adds it.
"""

import ast
import inspect
import json
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic import BaseModel, ValidationError

from apps.engine import feel
from apps.engine.graph import Behaviour
from apps.engine.working_time import STANDARD
from apps.steps import outcomes, registry
from apps.steps.document import compile_flow, expression_source
from apps.steps.outcomes import Exit, Respond
from apps.steps.registry import (
    EffectContext,
    PureContext,
    StepType,
    TriggerType,
)

ROOT = Path(__file__).resolve().parents[2]
TABLER = ROOT / "node_modules" / "@tabler" / "icons-react" / "dist" / "esm" / "icons"
STEPS, TRIGGERS = registry.catalogue(), registry.triggers()
# How the front-end build finds the names of icons (frontend/build-plugins/stepIcons.ts).
ICON_IN_SOURCE = r"\bicon[\"']?\s*[=:]\s*[\"']{}[\"']"
# Steps reach the world through their context and by no other way.
WAYS_OUT = {
    "socket", "ssl", "http.client", "http.server", "urllib.request", "urllib3", "requests", "httpx",
    "aiohttp", "smtplib", "imaplib", "poplib", "ftplib", "telnetlib", "asyncio", "subprocess",
}  # fmt: skip
# What an effect calls so that a repeat is known as one: the key itself, or what sends it along.
KEYED = {"idempotency_key", "send_mail"}
LONGEST = timedelta(hours=1)


def name_of(type_: StepType | TriggerType) -> str:
    return f"{type_.kind}@{type_.version}" if isinstance(type_, StepType) else f"on {type_.kind}"


every_type = pytest.mark.parametrize("type_", [*STEPS, *TRIGGERS], ids=name_of)
every_step = pytest.mark.parametrize("type_", STEPS, ids=name_of)


def steps_that(*behaviours: Behaviour) -> pytest.MarkDecorator:
    found = [one for one in STEPS if one.behaviour in behaviours]
    return pytest.mark.parametrize("type_", found, ids=name_of)


def source_of(type_: StepType | TriggerType) -> str:
    made = type_.run if isinstance(type_, StepType) else type_.config
    return Path(inspect.getfile(made)).read_text()


def members(protocol: type) -> set[str]:
    """What a context offers, by name."""
    found = {name for part in protocol.__mro__ for name in vars(part)}
    found |= {name for part in protocol.__mro__ for name in vars(part).get("__annotations__", {})}
    return {name for name in found if not name.startswith("_")}


def schemas_in(node: Any) -> Iterator[Mapping[str, Any]]:
    """Every object of a JSON Schema, however deep."""
    if isinstance(node, Mapping):
        yield node
        for inner in node.values():
            yield from schemas_in(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from schemas_in(inner)


def models_in(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The model and every model that its fields hold."""
    yield model
    for field in model.model_fields.values():
        for part in parts_of(field.annotation):
            if inspect.isclass(part) and issubclass(part, BaseModel):
                yield from models_in(part)


def parts_of(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from parts_of(part)


def has_blank(value: Any) -> bool:
    """Whether something in it is still to be filled in."""
    if isinstance(value, Mapping):
        return not value or any(has_blank(one) for one in value.values())
    return value is None or value in ("", [])


def default_lacks(type_: StepType | TriggerType) -> list[str]:
    """What the form still asks for when a type has just been put down."""
    try:
        type_.config.model_validate(type_.default_config)
    except ValidationError as wrong:
        return [
            f"{error['loc']}: {error['msg']}"
            if error["type"] == "missing" or has_blank(error["input"])
            else f"WRONG {error['loc']}: {error['msg']}"
            for error in wrong.errors(include_url=False)
        ]
    return []


# In the palette


@every_type
def test_says_what_it_does(type_):
    first, _, rest = type_.help.partition("\n\n")
    assert first, f"{name_of(type_)}: the module has no docstring; it is the help people read."
    assert re.fullmatch(r"[A-Z][^\n]{5,75}\.", first), (
        f"{name_of(type_)}: the first line of the docstring, “{first}”, is one short sentence."
    )
    assert rest.strip(), f"{name_of(type_)}: after its first line the help says when to use it."
    for what, found in {
        "HTML": re.search(r"</?[a-zA-Z]", type_.help),
        "reStructuredText": re.search(r"``|:\w+:`|^\.\. ", type_.help, re.MULTILINE),
        "a heading or list": re.search(r"^\s*(#|[-*] |Args:|Raises:)", type_.help, re.MULTILINE),
        "a link": re.search(r"\]\(|://", type_.help),
    }.items():
        assert not found, f"{name_of(type_)}: the help holds {what}; it is shown as plain text."


@every_type
def test_has_a_name(type_):
    assert re.fullmatch(r"[A-Z][\w -]{1,29}", type_.title), (
        f"{name_of(type_)}: the title is a word or two, capitalised: “{type_.title}”."
    )
    assert re.fullmatch(r"[a-z]+([._][a-z]+)*", type_.kind), (
        f"{name_of(type_)}: the kind is lower case, with dots between its parts."
    )


@every_step
def test_stands_in_a_category(type_):
    assert re.fullmatch(r"[A-Z][a-z]+", type_.category), (
        f"{name_of(type_)}: the category is one capitalised word: “{type_.category}”."
    )


def test_no_two_titles_are_the_same():
    newest = {one.kind: one.title for one in STEPS}
    assert len(set(newest.values())) == len(newest), f"Two kinds share a title: {newest}"


def test_versions_count_from_one_and_none_is_taken_away():
    for kind in {one.kind for one in STEPS}:
        versions = [one.version for one in STEPS if one.kind == kind]
        assert versions == list(range(1, len(versions) + 1)), (
            f"{kind}: published flows keep the version they were published with: {versions}"
        )


@every_type
def test_has_an_icon_that_the_front_end_finds(type_):
    assert re.search(ICON_IN_SOURCE.format(re.escape(type_.icon)), source_of(type_)), (
        f'{name_of(type_)}: write icon="{type_.icon}" out in its file; the build reads it there.'
    )
    if not TABLER.is_dir():
        pytest.skip("the front end's packages are not installed here")
    component = "Icon" + "".join(part.capitalize() for part in type_.icon.split("-"))
    assert (TABLER / f"{component}.mjs").exists(), (
        f"{name_of(type_)}: Tabler has no icon “{type_.icon}” ({component})."
    )


# The form


@every_type
def test_its_config_is_a_json_schema(type_):
    for what, schema in {
        "config": type_.config_schema,
        "output": getattr(type_, "output", None) and type_.output.model_json_schema(),
    }.items():
        if schema is None:
            continue
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as wrong:
            pytest.fail(f"{name_of(type_)}: the {what} is no JSON Schema: {wrong.message}")
        assert schema["type"] == "object"


@every_type
def test_unknown_fields_are_refused_by_name(type_):
    for model in models_in(type_.config):
        assert model.model_config.get("extra") == "forbid", (
            f"{name_of(type_)}: {model.__name__} takes any field; derive it from StepModel."
        )
    with pytest.raises(ValidationError, match="heders"):
        type_.config.model_validate({**type_.default_config, "heders": 1})


@every_type
def test_every_field_has_a_title(type_):
    for model in models_in(type_.config):
        for field_name, field in model.model_fields.items():
            assert field.title, (
                f"{name_of(type_)}: {model.__name__}.{field_name} has no title=; the form shows it"
                " and findings name the field by it."
            )


@every_type
def test_its_words_for_the_editor_are_known(type_):
    known = set(re.findall(r"``(x-[a-z-]+)", registry.__doc__ or ""))
    for schema in schemas_in(type_.config_schema):
        used = {word for word in schema if word.startswith("x-")}
        assert used <= known, (
            f"{name_of(type_)}: nobody reads {used - known}; the registry's docstring lists the rest."
        )
        labels = schema.get("x-labels", {})
        shapes = [schema, *schema.get("anyOf", [])]
        values = {str(value) for shape in shapes for value in shape.get("enum", [])}
        assert set(labels) <= values, f"{name_of(type_)}: labels for no value: {labels}"
        properties = schema.get("properties", {})
        beside = set(schema.get("x-one-of", []))
        for inner in properties.values():
            beside |= set(inner.get("x-when", {})) if isinstance(inner, Mapping) else set()
        assert beside <= set(properties) or "properties" not in schema, (
            f"{name_of(type_)}: there is no field {beside - set(properties)} beside it."
        )


@every_type
def test_what_is_put_down_only_lacks_what_must_be_filled_in(type_):
    wrong = [one for one in default_lacks(type_) if one.startswith("WRONG")]
    assert not wrong, f"{name_of(type_)}: default_config does not fit Config: {wrong}"


@every_type
def test_its_own_check_speaks_in_sentences_and_stumbles_over_nothing(type_):
    if type_.check is None:
        return
    for config in odd_configs(type_, shapes=True):
        for flaw in type_.check(config):
            assert re.fullmatch(r"[a-z][a-z_]+", flaw.code), f"{name_of(type_)}: {flaw}"
            assert flaw.message.endswith("."), f"{name_of(type_)}: no sentence: {flaw}"
            assert flaw.fix, f"{name_of(type_)}: what should one do? {flaw}"


def odd_configs(
    type_: StepType | TriggerType, *, shapes: bool = False
) -> Iterator[Mapping[str, Any]]:
    """Half-filled forms; with ``shapes`` also fields that hold something else altogether."""
    default = type_.default_config
    yield {}
    yield default
    yield {**default, "heders": "unknown"}
    schema = type_.config_schema
    for name, part in schema["properties"].items():
        yield {key: value for key, value in default.items() if key != name}
        yield {**default, name: None}
        if part.get("x-feel") or part.get("type") == "string":
            yield from ({**default, name: text} for text in ("", "= 1 + trigger.body.n", "ä" * 999))
        if part.get("type") == "array":
            yield {**default, name: []}
        if part.get("type") == "object" or "$ref" in part:
            yield {**default, name: {}}
        if shapes:
            odd: tuple[Any, ...] = (
                True,
                3,
                "text",
                "http://[",
                "\0",
                [],
                [1],
                [None],
                [[]],
                [{}],
                {},
                {"a": None},
            )
            yield from ({**default, name: one} for one in odd)


# On the canvas


def written_ports(type_):
    """Each path at which ports stand in the config, with the names that are ports where none is."""
    for entry in type_.ports.split(","):
        path, _, names = entry.strip().partition(":")
        yield path, names.split()


@every_step
def test_its_ports_are_known(type_):
    found = type_.ports_of(type_.default_config)
    for config in odd_configs(type_, shapes=True):
        assert all(isinstance(port, str) and port for port in type_.ports_of(config))
    if isinstance(type_.ports, tuple):
        assert found == type_.ports, f"{name_of(type_)}: {found} is not {type_.ports}."
        assert len(set(found)) == len(found), f"{name_of(type_)}: a port is there twice: {found}"
        for port in found:
            assert re.fullmatch(r"[a-z][a-z_]*", port), f"{name_of(type_)}: bad port “{port}”."
    else:
        assert found, (
            f"{name_of(type_)}: default_config has no port at “{type_.ports}”; nothing can be linked."
        )
        for path, names in written_ports(type_):
            field = path.split(".")[0].removesuffix("[]")
            assert field in type_.config_schema["properties"] or (names and not path), (
                f"{name_of(type_)}: ports are read at “{path}”, which Config does not have."
            )
    ends = type_.behaviour is Behaviour.END
    assert ends == (type_.ports == ()), (
        f"{name_of(type_)}: what ends the run, and only that, has no way out."
    )


@every_step
def test_what_it_says_of_ports_is_about_ports_it_has(type_):
    if isinstance(type_.ports, tuple):
        ports = set(type_.ports)
    else:  # of those that are the flow's own none can be named here
        ports = {name for _, names in written_ports(type_) for name in names}
    assert type_.must_link <= ports, f"{name_of(type_)}: must_link {type_.must_link - ports}"
    assert type_.fails_unlinked <= ports, (
        f"{name_of(type_)}: fails_unlinked {type_.fails_unlinked - ports}"
    )
    failures = ports & {"error", "timeout"}
    assert failures <= type_.fails_unlinked, (
        f"{name_of(type_)}: a failure without a link fails the run; add"
        f" {failures - type_.fails_unlinked} to fails_unlinked."
    )


# In the catalogue and in expressions


@every_type
def test_its_entry_is_json(type_):
    entry = type_.as_json()
    assert json.loads(json.dumps(entry, allow_nan=False)) == entry, (
        f"{name_of(type_)}: as_json() holds something that is not plain JSON."
    )
    assert entry["kind"] == type_.kind
    for word in ("title", "help", "icon", "config_schema", "default_config"):
        assert word in entry


@every_step
def test_its_output_can_be_read_in_expressions(type_):
    assert not (type_.output and type_.output_from), (
        f"{name_of(type_)}: its output is declared either by a model or by a field of the config."
    )
    if type_.output_from:
        assert type_.output_from in type_.config_schema["properties"], (
            f"{name_of(type_)}: output_from names no field of Config: {type_.output_from}"
        )
    for name in type_.output.model_fields if type_.output else ():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name), (
            f"{name_of(type_)}: steps.x.output.{name} cannot be written without quotes."
        )


# In a run


@every_step
def test_its_function_says_what_it_is_given_and_gives(type_):
    parameters = list(inspect.signature(type_.run).parameters)
    assert parameters == ["config", "ctx"], f"{name_of(type_)}: run takes config and ctx."
    hints = get_type_hints(type_.run)
    assert hints.get("config") is type_.config, f"{name_of(type_)}: annotate config with its model."
    given = {part.__name__ for part in (get_args(hints.get("return")) or (hints.get("return"),))}
    known = {part.__name__ for part in get_args(outcomes.Outcome)}
    assert given <= known, f"{name_of(type_)}: run says that it gives {given}, not one of {known}."
    ends, waits = "Stop" in given, any(one.startswith("Wait") for one in given)
    assert ends == (type_.behaviour is Behaviour.END), (
        f"{name_of(type_)}: what gives Stop is an end, and nothing else is."
    )
    assert waits == (type_.behaviour is Behaviour.WAIT), (
        f"{name_of(type_)}: what gives an outcome Wait… is a wait, and nothing else is: {given}."
    )
    if type_.behaviour is Behaviour.EFFECT:
        assert given == {"Exit"}, f"{name_of(type_)}: an effect leaves by a port; it gives {given}."


@every_type
def test_it_reaches_the_world_by_its_context_only(type_):
    tree = ast.parse(source_of(type_))
    imported = {
        name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    } | {
        whole
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for whole in (node.module, *(f"{node.module}.{name.name}" for name in node.names))
    }
    found = {one for one in imported for out in WAYS_OUT if one == out or one.startswith(f"{out}.")}
    assert not found, (
        f"{name_of(type_)}: {found} goes round ctx, where time limits, size limits, the refusal of"
        " private addresses and masking live."
    )


@steps_that(Behaviour.EFFECT)
def test_an_effect_has_a_time_limit_and_tells_repeats_apart(type_):
    assert timedelta(0) < type_.timeout <= LONGEST, f"{name_of(type_)}: timeout {type_.timeout}"
    waiting = type_.config_schema["properties"].get("timeout_s")
    if waiting is not None:
        assert waiting.get("maximum", float("inf")) <= type_.timeout.total_seconds(), (
            f"{name_of(type_)}: timeout_s allows more than the step's own {type_.timeout}."
        )
    context = get_type_hints(type_.run)["ctx"]
    assert members(context) >= members(EffectContext), (
        f"{name_of(type_)}: annotate ctx with EffectContext."
    )
    used = {
        node.attr
        for node in ast.walk(ast.parse(source_of(type_)))
        if isinstance(node, ast.Attribute)
    }
    assert used & KEYED, (
        f"{name_of(type_)}: a try may be repeated, and nothing tells the other side that it is one;"
        " send ctx.idempotency_key along."
    )
    assert "error" in type_.ports_of(type_.default_config), (
        f"{name_of(type_)}: whatever is outside may fail; it needs a port “error”."
    )


@steps_that(*(set(Behaviour) - {Behaviour.EFFECT}))
def test_others_are_given_nothing_that_goes_out(type_):
    context = get_type_hints(type_.run)["ctx"]
    outward = (members(EffectContext) - members(PureContext)) & members(context)
    assert not outward, (
        f"{name_of(type_)}: a {type_.behaviour} step runs inside the driver's transaction and may"
        f" not have {outward}; make it an effect, or annotate ctx with PureContext."
    )


class Bare:
    """The least that a pure or waiting step is given."""

    now = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    zone = "Europe/Berlin"
    calendar = STANDARD

    def evaluate(self, expression: str) -> Any:
        compiled = feel.compile_expression(expression_source(expression))
        return self.value(compiled)

    def matches(self, tests: str, value: Any) -> bool:
        return feel.compile_unary_tests(tests).hold(value, {}, now=self.now, zone=self.zone)

    def value(self, compiled: feel.Expression) -> Any:
        data: dict[str, Any] = {
            "trigger": {"body": {}, "headers": {}, "query": {}},
            "steps": {},
            "run": {},
        }
        return compiled.evaluate(data, now=self.now, zone=self.zone)

    def requester(self) -> str:
        return "ann@example.org"

    def known_to(self, expression: str, but: Sequence[str]) -> dict[str, Any]:
        return {}


def test_nothing_is_missing_from_the_least_a_step_is_given():
    lacks = members(PureContext) - members(Bare)
    assert not lacks, f"Pure steps may now ask for {lacks}; give Bare, above, a plain one."


@pytest.mark.parametrize(
    "type_",
    [
        one
        for one in STEPS
        if one.behaviour in {Behaviour.PURE, Behaviour.WAIT, Behaviour.END}
        and not default_lacks(one)
    ],
    ids=name_of,
)
def test_it_runs_as_it_is_put_down_without_a_network(type_, monkeypatch):
    def refused(*_: object) -> None:
        pytest.fail(f"{name_of(type_)}: it opened a connection.")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    config = dict(type_.default_config)
    step = compile_flow(
        {
            "format": "signalbox.flow/1",
            "trigger": {"type": "manual", "config": {}},
            "steps": {"it": {"type": type_.kind, "version": type_.version, "config": config}},
            "links": [],
        }
    ).steps["it"]
    bare = Bare()

    outcome = type_.run(step.config(bare.value), bare)

    if isinstance(outcome, Exit | Respond):
        ways = {outcome.port, *getattr(outcome, "ports", ())}
        assert ways <= set(type_.ports_of(config)), f"{name_of(type_)}: it leaves by {ways}."
    output = getattr(outcome, "output", None)
    if type_.output is not None and output is not None:
        type_.output.model_validate(output)
