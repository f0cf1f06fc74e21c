"""Functions over contexts. ``get or else`` and ``is defined`` are the compiler's."""

from collections.abc import Mapping, Sequence
from typing import Any

from apps.engine.feel.builtins.registry import builtin
from apps.engine.feel.errors import Fault, nearest
from apps.engine.feel.types import Meter, described, is_context


@builtin("get value", "context: context", "keys: list")
@builtin("get value", "m: context", "key: text|list")
def get_value(source: Mapping[str, Any], key: str | Sequence[Any]) -> Any:
    """The value of an entry whose name need not be a word, or at a path of names."""
    value: Any = source
    for name in [key] if isinstance(key, str) else key:
        if type(name) is not str:
            raise Fault("wrong_type", f"Expected names as texts, found {described(name)}.")
        if not is_context(value):
            raise Fault("missing_path", f'There is no "{name[:60]}" in {described(value)}.')
        if name not in value:
            near = nearest(name, value)
            hint = f' Did you mean "{near}"?' if near else ""
            raise Fault("missing_path", f'The context has no "{name[:60]}".{hint}')
        value = value[name]
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


@builtin("context put", "context: context", "keys: list", "value: any")
@builtin("context put", "context: context", "key: text|list", "value: any")
def context_put(
    meter: Meter, source: Mapping[str, Any], key: str | Sequence[Any], value: Any
) -> dict[str, Any]:
    """The context with one entry added or replaced, or the one at a path of names."""
    meter.spend(1 + len(source) // 8)
    keys: Sequence[Any] = [key] if isinstance(key, str) else key
    if not keys or len(keys) > meter.budget.depth:
        raise Fault("bad_arguments", f"Expected 1 to {meter.budget.depth} names as keys.")
    first, rest = keys[0], keys[1:]
    if type(first) is not str:
        raise Fault("wrong_type", f"Expected names as texts, found {described(first)}.")
    if not rest:
        return {**source, first: value}
    inner = source.get(first, {})
    if not is_context(inner):
        raise Fault(
            "wrong_type", f'Expected a context at "{first[:60]}", found {described(inner)}.'
        )
    return {**source, first: context_put(meter, inner, rest, value)}


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
