"""Functions over contexts. ``get or else`` and ``is defined`` are the compiler's."""

from collections.abc import Mapping, Sequence
from typing import Any

from apps.engine.feel.builtins.registry import builtin
from apps.engine.feel.errors import Fault, nearest
from apps.engine.feel.types import Meter, described, is_context


@builtin("get value", "m: context", "key: text")
def get_value(source: Mapping[str, Any], key: str) -> Any:
    """The value of an entry whose name need not be a word."""
    try:
        return source[key]
    except KeyError:
        near = nearest(key, source)
        hint = f' Did you mean "{near}"?' if near else ""
        raise Fault("missing_path", f'The context has no "{key[:60]}".{hint}') from None


@builtin("get value", "context: context", "keys: list")
def get_value_at(source: Mapping[str, Any], keys: Sequence[Any]) -> Any:
    """The value at the end of a path of names."""
    value: Any = source
    for key in keys:
        if type(key) is not str:
            raise Fault("wrong_type", f"Expected names as texts, found {described(key)}.")
        if not is_context(value):
            raise Fault("missing_path", f'There is no "{key[:60]}" in {described(value)}.')
        value = get_value(value, key)
    return value


@builtin("get entries", "m: context")
def get_entries(meter: Meter, source: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The entries as a list of ``{key, value}``."""
    meter.spend(len(source))
    return [{"key": key, "value": source[key]} for key in source]


@builtin("context", "entries: list")
def context(meter: Meter, entries: Sequence[Any]) -> dict[str, Any]:
    """The context of a list of ``{key, value}``."""
    meter.spend(len(entries))
    found: dict[str, Any] = {}
    for entry in entries:
        if not is_context(entry) or not {"key", "value"} <= set(entry):
            raise Fault("wrong_type", "Expected a list of contexts that have key and value.")
        key = entry["key"]
        if type(key) is not str:
            raise Fault("wrong_type", f"Expected text as key, found {described(key)}.")
        if key in found:
            raise Fault("bad_arguments", f'The key "{key[:60]}" comes twice.')
        found[key] = entry["value"]
    return found


@builtin("context put", "context: context", "key: text", "value: any")
def context_put(meter: Meter, source: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
    """The context with one entry added or replaced."""
    meter.spend(1 + len(source) // 8)
    return {**source, key: value}


@builtin("context put", "context: context", "keys: list", "value: any")
def context_put_at(
    meter: Meter, source: Mapping[str, Any], keys: Sequence[Any], value: Any
) -> dict[str, Any]:
    """The context with the entry at a path of names added or replaced."""
    if not keys:
        raise Fault("bad_arguments", "Expected at least one name in the list of keys.")
    if len(keys) > meter.budget.depth:
        raise Fault("budget", f"A path may have {meter.budget.depth} names.")
    key = keys[0]
    if type(key) is not str:
        raise Fault("wrong_type", f"Expected names as texts, found {described(key)}.")
    if len(keys) == 1:
        return context_put(meter, source, key, value)
    inner = source.get(key, {})
    if not is_context(inner):
        raise Fault("wrong_type", f'Expected a context at "{key[:60]}", found {described(inner)}.')
    return context_put(meter, source, key, context_put_at(meter, inner, keys[1:], value))


@builtin("context merge", "contexts: list")
def context_merge(meter: Meter, contexts: Sequence[Any]) -> dict[str, Any]:
    """All entries of several contexts; the later one wins."""
    found: dict[str, Any] = {}
    for source in contexts:
        if not is_context(source):
            raise Fault("wrong_type", f"Expected a list of contexts, found {described(source)}.")
        meter.spend(1 + len(source) // 8)
        found |= source
    return found
