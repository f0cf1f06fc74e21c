"""What a flow takes and gives, as JSON Schema: held against values, and against one another."""

from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import SchemaError
from jsonschema.validators import extend
from referencing import Registry

from apps.engine import values
from apps.engine.feel import Budget
from apps.engine.feel import regex as patterns
from apps.engine.feel.errors import Fault
from apps.engine.feel.types import Meter
from apps.steps.texts import one_line

MOST_SAID = 5
#: A value for which a schema has to be applied more often than this is not held against it: about
#: half a second. Ten thousand lines of five fields need 60,000.
MOST_STEPS = 100_000
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


@dataclass(frozen=True, slots=True)
class Misfit:
    """What does not fit, and where: ``lines.2.amount``, or empty for the whole value.

    Neither says the value itself: it may be one that is masked wherever it is kept.
    """

    path: str
    message: str

    def __str__(self) -> str:
        return f"“{self.path}” {self.message}" if self.path else f"it {self.message}"


class TooMuch(Exception):
    """The value is too large to be held against the schema."""


def faults(schema: Any, value: Any) -> list[str]:
    """Why a value does not fit, a sentence for each field; empty where it does."""
    return [str(one) for one in found_faults(schema, value)]


def found_faults(schema: Any, value: Any, *, most: int = MOST_SAID) -> list[Misfit]:
    """As :func:`faults`, with the place of each; at most so many."""
    if schema is None or schema is True or schema == {}:
        return []
    spent = _spent.set([0])
    try:
        found = list(islice(_Validator(schema, registry=Registry()).iter_errors(value), most))
    except TooMuch:
        return [Misfit("", "is too large to be held against what is asked for")]
    except Exception as error:  # noqa: BLE001 - a schema that cannot be read holds nothing
        return [Misfit("", f"cannot be held against what is asked for: {type(error).__name__}")]
    finally:
        _spent.reset(spent)
    said = (Misfit(one_line(_place(one), 200), _said(one)) for one in sorted(found, key=_place))
    return list(dict.fromkeys(said))


@lru_cache(maxsize=1024)
def schema_of(text: str) -> Any:
    """A schema from its JSON text."""
    return values.loads(text)


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


def _all_different(
    _validator: Any, asked: object, value: Any, _schema: Any
) -> Iterator[ValidationError]:
    """``uniqueItems``, in the time of one look at each."""
    if asked and isinstance(value, list) and len({values.dumps(one) for one in value}) < len(value):
        yield ValidationError("has an item twice")


_KINDS = {
    "object": "a set of named fields",
    "array": "a list",
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "empty",
}


def _said(error: ValidationError) -> str:
    """What does not fit, in words that follow the place's name."""
    asked: Any = error.validator_value
    schema: Any = error.schema
    word: Any = error.validator
    match word:
        case "type":
            kinds = " or ".join(_KINDS.get(one, str(one)) for one in sorted(_listed(asked)))
            return f"must be {kinds}; it is {_kind_of(error.instance)}"
        case "required":
            there: Any = error.instance
            missing = [name for name in asked if name not in there]
            return f"lacks {_names_of(missing)}"
        case "additionalProperties" if isinstance(error.instance, Mapping):
            known = schema.get("properties", {})
            more = [name for name in error.instance if name not in known]
            return f"has {_names_of(more)}, which is not asked for"
        case "enum":
            return f"must be one of {', '.join(_shown(one) for one in asked[:10])}"
        case "const":
            return f"must be {_shown(asked)}"
        case "pattern":
            return f"must have the form {_shown(asked)}"
        case "uniqueItems":
            return "has an item twice"
        case None:
            return "is not asked for"
        case _:
            bound = _BOUNDS.get(word)
            return bound.format(_shown(asked)) if bound else f"does not fit “{word}”"


_BOUNDS = {
    "minimum": "must be {} or more",
    "exclusiveMinimum": "must be more than {}",
    "maximum": "must be {} or less",
    "exclusiveMaximum": "must be less than {}",
    "multipleOf": "must be a multiple of {}",
    "minLength": "must have {} characters or more",
    "maxLength": "must have {} characters at most",
    "minItems": "must have {} items or more",
    "maxItems": "must have {} items at most",
    "minProperties": "must have {} fields or more",
    "maxProperties": "must have {} fields at most",
}


def _kind_of(value: Any) -> str:
    match value:
        case None:
            return "empty"
        case bool():
            return "true or false"
        case str():
            return "text"
        case list():
            return "a list"
        case Mapping():
            return "a set of named fields"
        case _:
            return "a number"


def _names_of(names: list[str]) -> str:
    said = " and ".join(f"“{one_line(name, 40)}”" for name in names[:3])
    return f"{said} and {len(names) - 3} more" if len(names) > 3 else said


def _shown(asked: Any) -> str:
    """A part of the schema, which its author wrote."""
    return f"“{one_line(asked)}”" if isinstance(asked, str) else one_line(values.dumps(asked))


def _place(error: ValidationError) -> str:
    return ".".join(map(str, error.absolute_path))


def _is_whole(_checker: Any, value: Any) -> bool:
    """1.0 is a whole number, as JSON Schema has it."""
    if isinstance(value, Decimal):
        return value == value.to_integral_value()
    return isinstance(value, int) and not isinstance(value, bool)


#: How often a schema has been applied to the value at hand.
_spent: ContextVar[list[int]] = ContextVar("spent")
_extend: Any = extend
_Validator: Any = _extend(
    Draft202012Validator,
    {"pattern": _fits_pattern, "uniqueItems": _all_different},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_whole),
)
_descend: Callable[..., Iterator[ValidationError]] = _Validator.descend


def _counted(self: Any, *given: Any, **named: Any) -> Iterator[ValidationError]:
    spent = _spent.get()
    spent[0] += 1
    if spent[0] > MOST_STEPS:
        raise TooMuch
    return _descend(self, *given, **named)


_Validator.descend = _counted
