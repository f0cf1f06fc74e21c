"""What a config model refuses, said for the person who fills the form.

Texts that are templates stand for values that only a run knows, so what the model says about
them is left out. Of a choice between shapes only the nearest one is spoken about.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from apps.engine.feel.errors import nearest
from apps.steps.findings import Flaw, is_template
from apps.steps.texts import found

Path = tuple[str | int, ...]
MOST = 20

# Which of a choice's shapes was meant: the one whose errors weigh least.
_WEIGHTS = {"literal_error": 1, "string_type": 8, "missing": 3, "extra_forbidden": 5}
_ABOUT_FIELDS = {"missing", "extra_forbidden", "value_error", "too_short", "too_long"}
_SHAPE_ERRORS = {"model_type", "dict_type", "list_type", "model_attributes_type"}


def config_flaws(
    model: type[BaseModel],
    schema: Mapping[str, Any],
    config: Any,
    expressions: frozenset[tuple[str, ...]] | None = None,
) -> list[Flaw]:
    """The errors of a config, at most 20, in the order of the fields.

    Args:
        schema: The model's JSON Schema, from which fields get their names.
        expressions: Fields whose text is FEEL as it stands, with ``*`` for items and values;
            other texts may be templates. None where nothing is evaluated, so none may.
    """
    try:
        model.model_validate(config)
    except ValidationError as wrong:
        meant = _meant(wrong, config, expressions)
        return [_flaw(error, path, schema) for error, path in meant[:MOST]]
    return []


def label_of(schema: Mapping[str, Any], path: Path) -> str:
    """A field as the form shows it: ``Branches → 2 → Condition``."""
    shown = []
    here: Mapping[str, Any] = schema
    for part in path:
        if isinstance(part, int):
            here = _item(here, schema, "items")
            shown.append(str(part + 1))
            continue
        found = _property(here, schema, part)
        here = found if found is not None else _item(here, schema, "additionalProperties")
        title = found.get("title") if found is not None else None
        shown.append(str(title or part)[:60])
    return " → ".join(shown)


def _meant(
    wrong: ValidationError, config: Any, expressions: frozenset[tuple[str, ...]] | None
) -> list[tuple[ErrorDetails, Path]]:
    """The errors to speak about, each with its place in the config as written."""
    plain: list[tuple[ErrorDetails, Path]] = []
    choices: dict[Path, dict[str, list[tuple[ErrorDetails, Path]]]] = {}
    for error in wrong.errors(include_url=False):
        path, choice = _place(error, config)
        if choice is None:
            if not _is_open(error, path, expressions):
                plain.append((error, path))
        else:
            at, shape = choice
            choices.setdefault(at, {}).setdefault(shape, []).append((error, path))
    for shapes in choices.values():
        kept = [
            [one for one in errors if not _is_open(*one, expressions)] for errors in shapes.values()
        ]
        if all(kept):
            plain.extend(min(kept, key=_weight))
    return plain


def _place(error: ErrorDetails, config: Any) -> tuple[Path, tuple[Path, str] | None]:
    """Where in the config an error is, and the first choice of shapes on the way there.

    Pydantic puts the names of the shapes it tried between the names of the fields.
    """
    here = config
    path: list[str | int] = []
    choice: tuple[Path, str] | None = None
    last = len(error["loc"]) - 1
    for index, part in enumerate(error["loc"]):
        if _has(here, part):
            here = here[part]
            path.append(part)
        elif error["type"] == "missing" and index == last:
            path.append(part)
        elif choice is None:
            choice = (tuple(path), str(part))
    return tuple(path), choice


def _has(node: Any, part: str | int) -> bool:
    if isinstance(node, list):
        return isinstance(part, int) and part < len(node)
    return isinstance(node, Mapping) and part in node


def _is_open(
    error: ErrorDetails, path: Path, expressions: frozenset[tuple[str, ...]] | None
) -> bool:
    """Whether only a run can tell, since the value is a template."""
    if expressions is None or error["type"] == "extra_forbidden":
        return False
    if not is_template(error["input"]):
        return False
    return not any(
        len(path) == len(field)
        and all(name in ("*", part) for part, name in zip(path, field, strict=True))
        for field in expressions
    )


def _weight(errors: Iterable[tuple[ErrorDetails, Path]]) -> int:
    return sum(_weight_of(error) for error, _ in errors)


def _weight_of(error: ErrorDetails) -> int:
    if error["type"] in _SHAPE_ERRORS:
        return 10
    if error["type"] not in _ABOUT_FIELDS and isinstance(error["input"], Mapping | list):
        return 10  # one value was wanted, and there are several
    return _WEIGHTS.get(error["type"], 2)


def _flaw(error: ErrorDetails, path: Path, schema: Mapping[str, Any]) -> Flaw:
    label = label_of(schema, path)
    say = _SENTENCES.get(error["type"], _other)
    message, fix = say(f"“{label}”" if label else "The form", error, error.get("ctx") or {})
    if error["type"] == "extra_forbidden":
        fix = _instead(schema, path) or fix
    return Flaw("bad_config", path, message, fix)


Say = Callable[[str, ErrorDetails, Mapping[str, Any]], tuple[str, str]]


def _must_be(what: str, example: str) -> Say:
    def say(label: str, error: ErrorDetails, _: Mapping[str, Any]) -> tuple[str, str]:
        return f"{label} must be {what}; it is {found(error['input'])}.", example

    return say


def _bound(words: str) -> Say:
    def say(label: str, error: ErrorDetails, context: Mapping[str, Any]) -> tuple[str, str]:
        limit = next((context[key] for key in ("ge", "gt", "le", "lt") if key in context), "")
        return (
            f"{label} must be {words} {limit}; it is {found(error['input'])}.",
            f"Give a number {words} {limit}.",
        )

    return say


def _missing(label: str, _: ErrorDetails, __: Mapping[str, Any]) -> tuple[str, str]:
    return f"{label} is missing.", "Fill it in."


def _extra(label: str, _: ErrorDetails, __: Mapping[str, Any]) -> tuple[str, str]:
    return f"There is no field {label} here.", "Take it out."


def _choice(label: str, error: ErrorDetails, context: Mapping[str, Any]) -> tuple[str, str]:
    expected = str(context.get("expected", "")).replace("'", "“").replace("“ ", "” ")
    choices = [one.strip("“” ") for one in expected.replace(" or ", ", ").split(", ")]
    given = error["input"]
    near = nearest(given, choices) if isinstance(given, str) else None
    listed = ", ".join(f"“{one}”" for one in choices)
    return (
        f"{label} must be one of {listed}; it is {found(given)}.",
        f"Did you mean “{near}”?" if near else "Choose one of them.",
    )


def _short(label: str, error: ErrorDetails, context: Mapping[str, Any]) -> tuple[str, str]:
    if not error["input"]:
        return f"{label} is empty.", "Fill it in."
    return f"{label} is too short: at least {context.get('min_length')}.", "Add to it."


def _long(label: str, _: ErrorDetails, context: Mapping[str, Any]) -> tuple[str, str]:
    most = context.get("max_length")
    return f"{label} is too long: at most {most}.", "Make it shorter."


def _pattern(label: str, error: ErrorDetails, _: Mapping[str, Any]) -> tuple[str, str]:
    if error["input"] == "":
        return f"{label} is empty.", "Fill it in."
    return (
        f"{label} is {found(error['input'])}, which has characters that cannot stand there.",
        "Use letters, digits, hyphens and dots.",
    )


def _own_words(label: str, error: ErrorDetails, context: Mapping[str, Any]) -> tuple[str, str]:
    said = str(context.get("error") or error["msg"])
    return f"{label}: {said}", "Change it so that it fits."


def _other(label: str, error: ErrorDetails, _: Mapping[str, Any]) -> tuple[str, str]:
    return f"{label} does not fit: {error['msg']}.", "Change it so that it fits."


_TEXT = _must_be("text", "Write text.")
_WHOLE = _must_be("a whole number", "Give a whole number, such as 3.")
_NUMBER = _must_be("a number", "Give a number, such as 1.5.")
_FLAG = _must_be("true or false", "Choose true or false.")
_LIST = _must_be("a list", "Give a list, such as [1, 2].")
_FIELDS = _must_be("a set of named fields", 'Give named fields, such as {"name": "value"}.')
_SENTENCES: Mapping[str, Say] = {
    "missing": _missing,
    "extra_forbidden": _extra,
    "literal_error": _choice,
    "string_type": _TEXT,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "bool_type": _FLAG,
    "bool_parsing": _FLAG,
    "list_type": _LIST,
    "dict_type": _FIELDS,
    "model_type": _FIELDS,
    "model_attributes_type": _FIELDS,
    "greater_than_equal": _bound("at least"),
    "greater_than": _bound("more than"),
    "less_than_equal": _bound("at most"),
    "less_than": _bound("less than"),
    "string_too_short": _short,
    "string_too_long": _long,
    "too_short": _short,
    "too_long": _long,
    "string_pattern_mismatch": _pattern,
    "value_error": _own_words,
}


def _instead(schema: Mapping[str, Any], path: Path) -> str | None:
    here: Mapping[str, Any] = schema
    for part in path[:-1]:
        inner = None if isinstance(part, int) else _property(here, schema, part)
        here = inner if inner is not None else _item(here, schema, "items")
    known = _resolved(here, schema).get("properties", {})
    near = nearest(str(path[-1]), known)
    return f"Did you mean “{near}”?" if near else None


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    name = schema.get("$ref")
    return root["$defs"][name.rsplit("/", 1)[-1]] if isinstance(name, str) else schema


def _property(
    schema: Mapping[str, Any], root: Mapping[str, Any], name: str
) -> Mapping[str, Any] | None:
    whole = _resolved(schema, root)
    if name in whole.get("properties", {}):
        found_here: Mapping[str, Any] = whole["properties"][name]
        return found_here
    for inner in whole.get("anyOf", ()):
        if (deeper := _property(inner, root, name)) is not None:
            return deeper
    return None


def _item(schema: Mapping[str, Any], root: Mapping[str, Any], word: str) -> Mapping[str, Any]:
    inner = _resolved(schema, root).get(word)
    return inner if isinstance(inner, Mapping) else {}
