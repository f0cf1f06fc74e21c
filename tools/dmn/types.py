"""The types of a DMN model: what fits an item definition, and what is made to fit.

Source: OMG DMN 1.5, 7.3.2 (item definitions) and 10.3.2.9.4 (conversions).
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any, Final

from apps.engine.feel import Function, compile_unary_tests
from apps.engine.feel.errors import FeelError
from apps.engine.feel.types import NUMBERS, described, is_context, type_name
from tools.dmn.model import ItemType

__all__ = ["fits", "fitted", "with_types", "written"]

Types = Mapping[str, ItemType]

_ALIASES: Final = {
    "dateTime": "date and time",
    "dayTimeDuration": "days and time duration",
    "yearMonthDuration": "years and months duration",
}
_SIMPLE: Final = frozenset(
    {
        "boolean", "context", "date", "date and time", "days and time duration", "function",
        "list", "number", "range", "string", "time", "years and months duration",
    }
)  # fmt: skip
_TYPED: Final = re.compile(r"instance\s+of|function\s*\(")
_NOW: Final = datetime.fromisoformat("2026-01-01T00:00:00+00:00")


def _plain(name: str) -> str:
    bare = name.strip().removeprefix("feel:")
    return _ALIASES.get(bare, bare)


def with_types(source: str, types: Types) -> str:
    """An expression in which the types of the model are written out, as FEEL itself knows them."""
    if not types or not _TYPED.search(source):
        return source
    names = "|".join(re.escape(name) for name in sorted(types, key=len, reverse=True))
    pattern = rf"(?P<before>instance\s+of\s+|:\s*|<\s*|->\s*)(?P<name>{names})(?![\w.])"
    return re.sub(
        pattern, lambda found: found["before"] + _written(types[found["name"]], types, 8), source
    )


def written(name: str, types: Types) -> str:
    """A type of the model as FEEL writes it."""
    plain = _plain(name)
    return _written(types[plain], types, 8) if plain in types else plain or "Any"


def _written(item: ItemType, types: Types, depth: int) -> str:
    if depth == 0:
        return "Any"
    if item.components:
        fields = (f"{one.name}: {_written(one, types, depth - 1)}" for one in item.components)
        text = f"context<{', '.join(fields)}>"
    elif item.parameters is not None:
        text = "function"
    else:
        base = _plain(item.base)
        text = _written(types[base], types, depth - 1) if base in types else base or "Any"
    return f"list<{text}>" if item.is_collection else text


def fits(value: Any, type_: str, types: Types) -> bool:
    """Whether a value is of a type; null is of every type."""
    name = _plain(type_)
    if value is None or name in {"", "Any"}:
        return True
    if name in types:
        return _fits_item(value, types[name], types)
    if name not in _SIMPLE:
        return True  # a type of an imported model that nobody gave
    if name == "number":
        return type(value) in NUMBERS
    if name == "context":
        return is_context(value)
    return type_name(value) == name


def _fits_item(value: Any, item: ItemType, types: Types) -> bool:
    if item.is_collection:
        return type(value) is list and all(_fits_one(one, item, types) for one in value)
    return _fits_one(value, item, types)


def _fits_one(value: Any, item: ItemType, types: Types) -> bool:
    if value is None:
        return True
    if item.parameters is not None:
        return type(value) is Function
    if item.components:
        return is_context(value) and all(
            _fits_item(value.get(one.name), one, types) if one.name in value else False
            for one in item.components
        )
    if not fits(value, item.base, types):
        return False
    if not item.allowed.strip():
        return True
    # Permitted values of a collection hold for each of its elements.
    values = value if type(value) is list else [value]
    tests = compile_unary_tests(item.allowed)
    return all(tests.hold(one, {}, now=_NOW) for one in values)


def fitted(value: Any, type_: str, types: Types) -> Any:
    """A value as its type wants it: a date may stand for its midnight.

    A list of one is not taken for its element, nor an element for a list.

    Raises:
        FeelError: ``wrong_type``: it does not fit.
    """
    if type(value) is date and _plain(type_) == "date and time":
        value = datetime.combine(value, time(), tzinfo=_NOW.tzinfo)
    if fits(value, type_, types):
        return value
    message = f"Expected a value of type {type_}, found {described(value)}."
    raise FeelError("wrong_type", message, (0, 0))
