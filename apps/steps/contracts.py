"""What a flow takes and gives, as JSON Schema: held against values, and against one another."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import SchemaError
from jsonschema.validators import extend
from referencing import Registry

from apps.engine.feel import Budget
from apps.engine.feel import regex as patterns
from apps.engine.feel.errors import Fault
from apps.engine.feel.types import Meter

MOST_SAID = 5
#: Words of a schema that say nothing about the value.
_NOTES = frozenset(
    {"title", "description", "default", "examples", "$comment", "$schema", "$id", "format"}
    | {"readOnly", "writeOnly", "deprecated"}
)
#: Where the wider schema has the smaller number, and where the larger.
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_HANDLED = frozenset(
    {"type", "enum", "const", "required", "properties", "additionalProperties", "items"}
    | {*_LOWER, *_UPPER}
)

Schema = Mapping[str, Any] | bool


def faults(schema: Any, value: Any) -> list[str]:
    """Why a value does not fit, a sentence for each field; empty where it does."""
    if schema is None:
        return []
    try:
        wrong = sorted(_Validator(schema, registry=Registry()).iter_errors(value), key=_place)
    except Exception as error:  # noqa: BLE001 - a schema that cannot be read holds nothing
        return [f"the contract cannot be read: {type(error).__name__}"]
    return [f"“{_place(one) or 'value'}”: {one.message[:200]}" for one in wrong[:MOST_SAID]]


def schema_flaw(schema: object) -> str:
    """Why this is no schema that can be held; empty where it is."""
    if not isinstance(schema, Mapping | bool):
        return "it must be an object"
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as wrong:
        return wrong.message[:200]
    for name, inner in _words(schema):
        if name in {"$ref", "$dynamicRef"} and not str(inner).startswith("#"):
            return f"“{str(inner)[:80]}” stands outside of it"
        if name == "patternProperties":
            return "“patternProperties” is not held"
        if name == "pattern" and (flaw := _pattern_flaw(inner)):
            return flaw
    return ""


def accepts_all(wide: Any, narrow: Any) -> bool:
    """Whether whatever fits ``narrow`` also fits ``wide``, as far as the words tell.

    Told are equal schemas, and objects, lists, texts and numbers field by field: the wider one
    asks for no more names, knows no smaller set of types and values, and has no closer bounds.
    A name that only the wider one knows is taken as new. Anything else must be equal.
    """
    if wide == narrow or wide is None or wide is True or wide == {}:
        return True
    if not isinstance(wide, Mapping) or not isinstance(narrow, Mapping):
        return False
    others = {*wide, *narrow} - _HANDLED - _NOTES
    if any(name in wide and wide[name] != narrow.get(name) for name in others):
        return False
    return all(check(wide, narrow) for check in (_types, _values, _bounds, _names, _list_items))


def _types(wide: Mapping[str, Any], narrow: Mapping[str, Any]) -> bool:
    if "type" not in wide:
        return True
    allowed, given = _listed(wide["type"]), _listed(narrow.get("type"))
    if "number" in allowed:
        allowed |= {"integer"}
    return bool(given) and given <= allowed


def _values(wide: Mapping[str, Any], narrow: Mapping[str, Any]) -> bool:
    given = [narrow["const"]] if "const" in narrow else narrow.get("enum")
    if "const" in wide and given != [wide["const"]]:
        return False
    return "enum" not in wide or (given is not None and all(one in wide["enum"] for one in given))


def _bounds(wide: Mapping[str, Any], narrow: Mapping[str, Any]) -> bool:
    lower = all(
        name not in wide or (name in narrow and narrow[name] >= wide[name]) for name in _LOWER
    )
    return lower and all(
        name not in wide or (name in narrow and narrow[name] <= wide[name]) for name in _UPPER
    )


def _names(wide: Mapping[str, Any], narrow: Mapping[str, Any]) -> bool:
    if not set(wide.get("required", ())) <= set(narrow.get("required", ())):
        return False
    known, given = wide.get("properties", {}), narrow.get("properties", {})
    if any(name in given and not accepts_all(known[name], given[name]) for name in known):
        return False
    rest = wide.get("additionalProperties", True)
    if rest is True:
        return True
    return accepts_all(rest, narrow.get("additionalProperties", True)) and all(
        name in known or (rest is not False and accepts_all(rest, given[name])) for name in given
    )


def _list_items(wide: Mapping[str, Any], narrow: Mapping[str, Any]) -> bool:
    return "items" not in wide or accepts_all(wide["items"], narrow.get("items", True))


def _listed(types: Any) -> set[str]:
    return set() if types is None else {types} if isinstance(types, str) else set(types)


def _words(node: Any) -> Iterator[tuple[str, Any]]:
    waiting = [node]
    while waiting:
        here = waiting.pop()
        if isinstance(here, Mapping):
            yield from here.items()
            waiting += here.values()
        elif isinstance(here, list):
            waiting += here


def _pattern_flaw(pattern: object) -> str:
    try:
        patterns.compiled(str(pattern), "")
    except Fault as wrong:
        return f"the pattern “{str(pattern)[:60]}” cannot be used: {wrong}"
    return ""


def _fits_pattern(
    _validator: Any, pattern: str, value: Any, _schema: Any
) -> Iterator[ValidationError]:
    """``pattern``, by the matcher that no pattern can keep busy."""
    if not isinstance(value, str):
        return
    try:
        fits = patterns.search(
            Meter(Budget(), datetime.min, "UTC"),  # noqa: DTZ901 - no pattern reads the time
            patterns.compiled(pattern, ""),
            value,
        )
    except Fault:
        fits = False
    if not fits:
        yield ValidationError(f"it does not match {pattern[:80]!r}")


def _place(error: ValidationError) -> str:
    return ".".join(map(str, error.absolute_path))


_extend: Any = extend
_Validator: Callable[..., Any] = _extend(Draft202012Validator, {"pattern": _fits_pattern})
