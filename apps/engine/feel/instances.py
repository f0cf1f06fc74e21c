"""The types that ``instance of`` and parameters name."""

from collections.abc import Callable
from typing import Any, Final

from apps.engine.feel.ast import Parameter, TypeRef
from apps.engine.feel.errors import FeelError
from apps.engine.feel.types import Function, Range, described, is_context, type_name

__all__ = ["checker", "requirement", "written"]

Check = Callable[[Any], bool]

_ALIASES: Final = {"Null": "null", "duration": "days and time duration"}


def checker(type_: TypeRef) -> Check:
    """Make the test whether a value is of a type."""
    name = _ALIASES.get(type_.name, type_.name)
    inner = [checker(argument) for argument in type_.arguments]
    if name == "Any":
        return lambda value: value is not None
    if name == "list" and inner:
        of = inner[0]
        return lambda value: type(value) is list and all(map(of, value))
    if name == "range" and inner:
        of = inner[0]
        return lambda value: (
            type(value) is Range
            and all(of(end) for end in (value.start, value.end) if end is not None)
        )
    if name == "context" and inner:
        fields = list(zip(type_.fields, inner, strict=True))
        return lambda value: (
            is_context(value) and all(key in value and test(value[key]) for key, test in fields)
        )
    if name == "function" and type_.arguments:
        *wanted, result = map(written, type_.arguments)
        return lambda value: type(value) is Function and _fits_function(value, wanted, result)
    return lambda value: type_name(value) == name


def written(type_: TypeRef) -> str:
    """A type as FEEL writes it."""
    name = _ALIASES.get(type_.name, type_.name)
    if not type_.arguments:
        return name
    inner = [written(argument) for argument in type_.arguments]
    if name == "function":
        return f"function<{', '.join(inner[:-1])}>->{inner[-1]}"
    if type_.fields:
        inner = [f"{key}: {of}" for key, of in zip(type_.fields, inner, strict=True)]
    return f"{name}<{', '.join(inner)}>"


def _fits_function(value: Function, wanted: list[str], result: str) -> bool:
    """Whether a function takes what the type gives it, as far as it says what it takes."""
    taken = value.types or ("Any",) * len(wanted)
    return (
        value.takes(len(wanted))
        and all(mine in {"Any", given} for mine, given in zip(taken, wanted, strict=True))
        and (result == "Any" or value.result in {"Any", result})
    )


def requirement(parameter: Parameter) -> Callable[[Any], None] | None:
    """Make the function that refuses an argument of the wrong type."""
    if parameter.type is None or parameter.type.name == "Any":
        return None
    accepts = checker(parameter.type)
    name, expected, span = parameter.name, parameter.type.name, parameter.span

    def accept(value: Any) -> None:
        if not accepts(value):
            message = f'Expected {expected} as "{name}", found {described(value)}.'
            raise FeelError("wrong_type", message, span)

    return accept
