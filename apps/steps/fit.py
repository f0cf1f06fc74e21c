"""Does what a field is given fit what it takes? Types and lengths, as far as both are known.

Known are literals, what the step types say of their outputs, what ``map`` and ``table`` make, what
a flow's contract or form says of ``trigger.body``, and what operators and functions give. Where
one side is unknown nothing is claimed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from apps.engine.feel import FeelError, ast
from apps.engine.feel.builtins import BUILTINS
from apps.engine.feel.parser import parse_expression
from apps.steps.contracts import found_faults
from apps.steps.document import expression_source
from apps.steps.findings import Finding, Repair, is_template, pointer, replaced
from apps.steps.forms import WITH_FORM
from apps.steps.reads import KnownStep
from apps.steps.registry import StepModel, UnknownStepType, find, schema_nodes
from apps.steps.texts import one_line

Schema = Mapping[str, Any]
Path = tuple[str, ...]
DocPath = tuple[str | int, ...]

DEEPEST = 12
_FUNCTIONS = frozenset({*BUILTINS, "get or else", "is defined"})
_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "number"}
_TRUTH: Schema = {"type": "boolean"}
_LIST: Schema = {"type": "array"}
#: What these functions of FEEL give; others may give anything.
_GIVES: Mapping[str, Schema] = {
    **dict.fromkeys(
        (
            "string", "substring", "substring before", "substring after", "upper case",
            "lower case", "replace", "trim", "string join",
        ),
        _TEXT,
    ),
    **dict.fromkeys(
        (
            "number", "count", "sum", "mean", "median", "string length", "floor", "ceiling", "abs",
            "modulo", "round up", "round down", "round half up", "round half down", "decimal",
        ),
        _NUMBER,
    ),
    **dict.fromkeys(
        ("not", "contains", "starts with", "ends with", "matches", "is defined", "list contains"),
        _TRUTH,
    ),
    **dict.fromkeys(("append", "concatenate", "distinct values", "flatten", "reverse"), _LIST),
}  # fmt: skip
_COLUMN: Mapping[str, Schema] = {
    "string": _TEXT, "number": _NUMBER, "boolean": _TRUTH, "list": _LIST,
    "context": {"type": "object"},
}  # fmt: skip
_WORDS = {
    "string": "text", "number": "a number", "integer": "a whole number", "boolean": "yes or no",
    "array": "a list", "object": "a set of named fields", "null": "empty",
}  # fmt: skip


@dataclass
class World:
    """What is known of the values that a flow's expressions read."""

    document: Mapping[str, Any]
    steps: Mapping[str, KnownStep]
    _busy: set[Path] = field(default_factory=set)

    def at(self, path: Path) -> Schema | None:
        """The schema of what stands at a path of the run's data, if it is known."""
        match path:
            case ("trigger", "body", *rest):
                return below(self._body(), tuple(rest))
            case ("trigger", "id" | "type" | "received_at") | ("run", "id" | "started_at"):
                return _TEXT
            case ("trigger", "requester", "name" | "email"):
                return _TEXT
            case ("steps", _, "error", "class" | "code" | "message"):
                return _TEXT
            case ("steps", step, "output", *rest) if step in self.steps:
                return self._output(self.steps[step], tuple(rest))
        return None

    def of(self, source: str) -> Schema | None:
        """What an expression gives; None where that is not known, or it is no expression."""
        parsed = _parsed(source)
        return None if parsed is None else self._of(parsed, 0)

    def _body(self) -> Schema | None:
        trigger, settings = self.document.get("trigger"), self.document.get("settings")
        contract = settings.get("contract") if isinstance(settings, Mapping) else None
        asked = contract.get("input") if isinstance(contract, Mapping) else None
        if isinstance(asked, Mapping):
            return asked
        if not isinstance(trigger, Mapping):
            return None
        if trigger.get("type") == "schedule":
            return {"type": "object", "properties": {"scheduled_for": _TEXT}}
        config = trigger.get("config")
        form = config.get("form") if isinstance(config, Mapping) else None
        kind = trigger.get("type")
        asks = isinstance(kind, str) and kind in WITH_FORM
        return form if asks and isinstance(form, Mapping) else None

    def _output(self, step: KnownStep, rest: Path) -> Schema | None:
        if step.type is None:
            return None
        if rest[:1] == ("answers",) and (form := step.answers) is not None:
            return below(form, rest[1:])
        if step.type.output is not None:
            return below(_output_schema(step.type.output), rest)
        if not rest or step.type.output_from is None:
            return None
        made = step.config.get(step.type.output_from)
        if isinstance(made, Mapping) and rest[0] in made:
            return below(self._value(made[rest[0]], ("steps", step.id, rest[0])), rest[1:])
        if isinstance(made, list) and step.config.get("hit") != "collect":
            kinds = (
                one.get("type", "any")
                for one in made
                if isinstance(one, Mapping) and one.get("name") == rest[0]
            )
            return below(_COLUMN.get(str(next(kinds, "any"))), rest[1:])
        return None

    def _value(self, value: Any, key: Path) -> Schema | None:
        """What a field of a ``map`` becomes; a field that reads itself around a loop is unknown."""
        if not is_template(value):
            return None if isinstance(value, Mapping | list) else {"const": value}
        if key in self._busy or len(self._busy) > DEEPEST:
            return None
        self._busy.add(key)
        try:
            return self.of(expression_source(value))
        finally:
            self._busy.discard(key)

    def _of(self, node: ast.Node, depth: int) -> Schema | None:
        if depth > DEEPEST:
            return None
        match node:
            case ast.Constant(value=value):
                return _constant(value)
            case ast.Comparison() | ast.Between() | ast.In() | ast.Logic() | ast.Quantified():
                return _TRUTH
            case ast.InstanceOf():
                return _TRUTH
            case ast.ListLiteral() | ast.For():
                return _LIST
            case ast.ContextLiteral():
                return {"type": "object"}
            case ast.If(branches=branches, otherwise=otherwise):
                parts = [self._of(one, depth + 1) for _, one in branches]
                return _either([*parts, self._of(otherwise, depth + 1)])
            case ast.Chain(first=first, rest=rest):
                return self._chain(first, rest, depth)
            case ast.Call(callee=ast.Name(name=name), arguments=given):
                return self._call(name, given, depth)
            case ast.Filter(base=base, predicate=ast.Constant(value=value)) if not isinstance(
                value, bool | str
            ):
                return below(self._of(base, depth + 1), ("*",))
            case ast.Name() | ast.Member():
                path = path_of(node)
                return None if path is None else self.at(path)
        return None

    def _chain(
        self, first: ast.Node, rest: tuple[tuple[str, ast.Node], ...], depth: int
    ) -> Schema | None:
        parts = [self._of(one, depth + 1) for one in (first, *(one for _, one in rest))]
        known = [one for one in parts if one]
        is_sum = all(sign == "+" for sign, _ in rest)
        if is_sum and any(types(one) == {"string"} for one in known):
            lengths = [longest(one) for one in parts]
            return {**_TEXT, **({"maxLength": sum(filter(None, lengths))} if all(lengths) else {})}
        if len(known) == len(parts) and all(types(one) <= {"number", "integer"} for one in known):
            return _NUMBER
        return None

    def _call(self, name: str, given: tuple[ast.Node, ...], depth: int) -> Schema | None:
        if name == "get or else" and len(given) == 2:
            return _either([self._of(one, depth + 1) for one in given])
        if name == "substring" and len(given) == 3 and isinstance(given[2], ast.Constant):
            length = given[2].value
            return {**_TEXT, "maxLength": int(length)} if isinstance(length, int) else _TEXT
        if name in {"upper case", "lower case", "trim"} and given:
            most = longest(self._of(given[0], depth + 1))
            return {**_TEXT, "maxLength": most} if most else _TEXT
        return _GIVES.get(name)


def world_of(document: Mapping[str, Any]) -> World:
    """What is known of a document of any shape."""
    steps = document.get("steps")
    known: dict[str, KnownStep] = {}
    for step_id, step in steps.items() if isinstance(steps, Mapping) else ():
        if not isinstance(step, Mapping):
            continue
        kind, version, config = step.get("type"), step.get("version", 1), step.get("config")
        try:
            type_ = find(str(kind), version if isinstance(version, int) else 0)
        except UnknownStepType:
            type_ = None
        given = config if isinstance(config, Mapping) else {}
        known[step_id] = KnownStep(step_id, str(step.get("title") or step_id), type_, given)
    return World(document, known)


def path_of(node: ast.Node) -> Path | None:
    """The names of ``a.b.c``."""
    match node:
        case ast.Name(name=name):
            return (name,)
        case ast.Member(base=base, name=name):
            before = path_of(base)
            return None if before is None else (*before, name)
    return None


@lru_cache(maxsize=8192)
def _parsed(source: str) -> ast.Node | None:
    try:
        return parse_expression(source, (), _FUNCTIONS)
    except (FeelError, RecursionError):
        return None


@lru_cache(maxsize=256)
def _output_schema(model: type[StepModel]) -> Schema:
    return model.model_json_schema()


def below(schema: Schema | None, rest: Path) -> Schema | None:
    """The part of a schema at names, ``*`` for the items of a list."""
    root = schema
    for name in rest:
        schema = _followed(schema, root)
        if schema is None:
            return None
        if name == "*":
            schema = schema.get("items")
        else:
            properties = schema.get("properties")
            schema = properties.get(name) if isinstance(properties, Mapping) else None
        if not isinstance(schema, Mapping):
            return None
    return _followed(schema, root)


def _followed(schema: Any, root: Schema | None) -> Schema | None:
    if not isinstance(schema, Mapping):
        return None
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return schema
    found: Any = root
    for part in reference.split("/")[1:]:
        found = found.get(part) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) and "$ref" not in found else None


def types(schema: Any) -> frozenset[str]:
    """The JSON types that a value of this schema may have; empty where that is not known."""
    if not isinstance(schema, Mapping):
        return frozenset()
    named = schema.get("type")
    if isinstance(named, str):
        return frozenset({named})
    if isinstance(named, list):
        return frozenset(one for one in named if isinstance(one, str))
    if "const" in schema:
        return frozenset({_type_of(schema["const"])})
    if isinstance(schema.get("enum"), list):
        return frozenset(map(_type_of, schema["enum"]))
    parts = [types(one) for word in ("anyOf", "oneOf") for one in _listed(schema.get(word))]
    return frozenset().union(*parts) if parts and all(parts) else frozenset()


def longest(schema: Any) -> int | None:
    """The most characters that a text of this schema may have, where that is known."""
    if not isinstance(schema, Mapping):
        return None
    given = [schema["const"]] if "const" in schema else schema.get("enum")
    if isinstance(given, list):
        texts = [one for one in given if isinstance(one, str)]
        return max(map(len, texts), default=None)
    most = schema.get("maxLength")
    if isinstance(most, int):
        return most
    parts = [one for word in ("anyOf", "oneOf") for one in _listed(schema.get(word))]
    lengths = [longest(one) for one in parts if "string" in types(one)]
    return max((one for one in lengths if one is not None), default=None) if all(lengths) else None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _type_of(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "string"
        case list():
            return "array"
        case Mapping():
            return "object"
    return "integer" if isinstance(value, int) else "number"


def _constant(value: Any) -> Schema | None:
    """Dates and lengths of time are text as JSON, but are not meant as such here."""
    is_plain = value is None or isinstance(value, bool | str | int | Decimal)
    return {"const": value} if is_plain else None


def _either(parts: list[Schema | None]) -> Schema | None:
    known = [one for one in parts if one]
    return {"anyOf": known} if known and len(known) == len(parts) else None


# What is held against what


def fit_findings(step: KnownStep, config: Any, world: World) -> Iterator[Finding]:
    """Fields of a step's config whose expression gives what the field does not take."""
    if step.type is None or not isinstance(config, Mapping):
        return
    root: DocPath = ("steps", step.id, "config")
    for path, (target, title, is_bare) in targets(step.type.config).items():
        for place, value in _found(config, path):
            if not isinstance(value, str) or not (is_bare or is_template(value)):
                continue
            given = world.of(expression_source(value))
            one = _misfit(value, given, target, title, (*root, *place), is_bare=is_bare)
            if one is not None:
                yield one(step.id)
    if step.type.kind == "stop":
        wanted = world.document.get("settings")
        contract = wanted.get("contract") if isinstance(wanted, Mapping) else None
        gives = contract.get("output") if isinstance(contract, Mapping) else None
        if isinstance(gives, Mapping) and config.get("outcome", "completed") == "completed":
            yield from value_findings(
                config.get("output"), gives, world, (*root, "output"), step=step.id
            )


def value_findings(
    value: Any, target: Any, world: World, path: DocPath, *, step: str
) -> Iterator[Finding]:
    """A value with expressions in it, held against what a contract asks for."""
    if not isinstance(target, Mapping) or len(path) > DEEPEST:
        return
    title = str(target.get("title") or path[-1])
    if is_template(value):
        given = world.of(expression_source(value))
        if (one := _misfit(value, given, target, title, path, is_bare=False)) is not None:
            yield one(step)
        return
    if isinstance(value, Mapping):
        properties = target.get("properties")
        for name, inner in value.items():
            part = properties.get(name) if isinstance(properties, Mapping) else None
            yield from value_findings(inner, part, world, (*path, name), step=step)
        return
    if value is None or value == "" or isinstance(value, list):
        return
    if wrong := found_faults(target, value, most=1):
        yield Finding(
            "type_mismatch",
            "error",
            f"“{one_line(title)}” {wrong[0].message}.",
            "Give it a value that fits, or an expression that makes one.",
            step,
            pointer(path),
        )


def _misfit(
    text: str, given: Schema | None, target: Schema, title: str, path: DocPath, *, is_bare: bool
) -> Any:
    """What does not fit, as a function of the step it stands in; None where all is well."""
    has, takes = types(given) - {"null"}, types(target)
    if not has or not takes:
        return None
    source = expression_source(text).strip()
    lead = "" if is_bare else "= "
    wide = takes | ({"number"} if "integer" in takes else set())
    wide |= {"integer"} if "number" in takes else set()
    place = pointer(path)
    if has.isdisjoint(wide):
        fix, repair = _converted(source, has, takes, place, lead)
        message = (
            f"“{one_line(source, 60)}” is {_said(has)}; “{one_line(title)}” takes {_said(takes)}."
        )
        return lambda step: Finding(
            "type_mismatch", "error", message, fix, step, place, repair=repair
        )
    most, may = target.get("maxLength"), longest(given)
    if "string" in has and isinstance(most, int) and may is not None and may > most:
        cut = f"substring({source}, 1, {most})"
        message = (
            f"“{one_line(source, 60)}” may have {may:,} characters;"
            f" “{one_line(title)}” takes {most:,} at most."
        )
        fix = f"Shorten it, such as by {one_line(cut)}."
        repair = Repair(f"Cut it off after {most:,} characters", replaced(place, f"{lead}{cut}"))
        return lambda step: Finding(
            "may_be_too_long", "warning", message, fix, step, place, repair=repair
        )
    return None


def _converted(
    source: str, has: frozenset[str], takes: frozenset[str], place: str, lead: str
) -> tuple[str, Repair | None]:
    if takes == {"string"} and has <= {"number", "integer", "boolean"}:
        written = f"string({source})"
        return f"Write it as text: {one_line(written)}.", Repair(
            "Make text of it", replaced(place, f"{lead}{written}")
        )
    if takes <= {"number", "integer"} and has == {"string"}:
        return f"If it always is one, make a number of it: {one_line(f'number({source})')}.", None
    return "Choose something else, or make of it what is taken.", None


def _said(kinds: frozenset[str]) -> str:
    return " or ".join(_WORDS.get(one, one) for one in sorted(kinds - {"null"}))


Target = tuple[Schema, str, bool]


@lru_cache(maxsize=256)
def targets(config: type[StepModel]) -> Mapping[Path, Target]:
    """The fields of a config that take an expression and say of what type, with their titles."""
    found: dict[Path, Target] = {}
    for path, node in schema_nodes(config.model_json_schema()):
        mark = node.get("x-feel")
        title = str(node.get("title") or (found[path][1] if path in found else path[-1:] or ""))
        if mark == "expression" and isinstance(node.get("x-type"), str):
            found[path] = ({"type": node["x-type"]}, title, True)
        elif mark == "template" and "type" in node:
            found[path] = (node, title, False)
        elif mark == "template" and "anyOf" in node and all("type" in one for one in node["anyOf"]):
            found[path] = ({"anyOf": node["anyOf"]}, title, False)
    return found


def _found(config: Any, path: Path) -> Iterator[tuple[DocPath, Any]]:
    here: list[tuple[DocPath, Any]] = [((), config)]
    for name in path:
        following: list[tuple[DocPath, Any]] = []
        for place, value in here:
            if name == "*" and isinstance(value, list):
                following += [((*place, index), one) for index, one in enumerate(value)]
            elif name == "*" and isinstance(value, Mapping):
                following += [((*place, key), one) for key, one in value.items()]
            elif isinstance(value, Mapping) and name in value:
                following.append(((*place, name), value[name]))
        here = following
    yield from here
