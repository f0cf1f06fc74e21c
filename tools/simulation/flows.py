"""The flows that are simulated: small, and between them every kind of wait, scope and race."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from apps.steps.document import CompiledFlow, compile_flow

Steps = Mapping[str, Mapping[str, Any]]


def _call(body: str = "=run.id", **more: Any) -> dict[str, Any]:
    config = {"url": "https://stub.example/do", "body": body, **more.pop("config", {})}
    return {"type": "http.request", "config": config, **more}


def _ask(**config: Any) -> dict[str, Any]:
    asked = {"title": "Well?", "assignees": {"users": ["ada@example.org"]}, **config}
    return {"type": "approval", "config": asked}


def _map(**fields: str) -> dict[str, Any]:
    return {"type": "map", "config": {"fields": fields}}


_FLOWS: Mapping[str, tuple[Steps, tuple[str, ...]]] = {
    "decision": (
        {"a": _call(), "ask": _ask(due="PT1H"), "b": _call("=steps.a.output.status"),
         "c": _map(why='="no"'), "d": _call(), "e": _map(at="=steps.d.output.status")},
        ("trigger -> a", "a -> ask", "ask.approved -> b", "ask.rejected -> c", "ask.timeout -> c",
         "a.error -> c", "b -> d", "b.error -> c", "c -> d", "d -> e", "d.error -> e"),
    ),
    "fork": (
        {"a": _call('="a"'), "b": _call('="b"'), "w": {"type": "delay", "config": {"for": "PT5S"}},
         "j": {"type": "join", "config": {"mode": "all"}}, "z": _call("=steps.j.output.links"),
         "m": _map(n="=1"), "n": _map(n="=2")},
        ("trigger -> a", "trigger -> b", "trigger -> w", "a -> m", "a.error -> m", "m -> j",
         "b -> n", "b.error -> n", "n -> j", "w -> j", "j -> z"),
    ),
    "first": (
        {"a": _call(config={"on_unknown": "fail"}), "ask": _ask(due="PT2H"),
         "w": {"type": "delay", "config": {"for": "PT3S"}},
         "j": {"type": "join", "config": {"mode": "any", "rest": "cancel"}}, "z": _call()},
        ("trigger -> a", "trigger -> ask", "trigger -> w", "a -> j", "a.error -> j",
         "ask.approved -> j", "ask.rejected -> j", "ask.timeout -> j", "w -> j", "j -> z"),
    ),
    "each": (
        {"l": {"type": "for_each", "config": {"items": "[1, 2, 3]", "parallel": 2, "stop_after": 0,
               "rounds": 2, "result": "steps.c.output.status"}},
         "m": {**_map(n="=item * 2"), "in": "l"},
         "c": {**_call("=[item, steps.m.output.n]"), "in": "l"},
         "z": _map(r="=count(steps.l.output.results)")},
        ("trigger -> l", "l.body -> m", "m -> c", "l -> z"),
    ),
    "saga": (
        {"b": {"type": "block"}, "one": {**_call('="one"'), "in": "b", "undo": "back"},
         "two": {**_call('="two"'), "in": "b", "undo": "back"},
         "ask": {**_ask(due="PT1H"), "in": "b"},
         "last": {**_call(config={"retry": {"max_attempts": 2}}), "in": "b"},
         "back": {**_call("=get or else(steps.one.output.status, 0)"), "in": "b",
                  "on_error": {"then": "default", "output": None}},
         "no": {**_map(n="=1"), "in": "b"},
         "stop": {"type": "stop", "config": {"outcome": "failed"}}, "z": _map(e="=1")},
        ("trigger -> b", "b.body -> one", "b.body -> two", "one -> ask", "ask.approved -> last",
         "ask.rejected -> no", "ask.timeout -> no", "b -> z", "b.error -> stop"),
    ),
    "repeat": (
        {"r": {"type": "repeat", "config": {"until": "index >= 2"}},
         "c": {**_call("=index"), "in": "r", "on_error": {"then": "default", "output": {"n": 0}}},
         "z": _map(n="=steps.r.output.count")},
        ("trigger -> r", "r.body -> c", "r -> z"),
    ),
    "late": (
        {"a": _call(time_limit="PT20S", lock="one"), "b": _call(time_limit="PT20S", lock="one"),
         "m": _map(n="=1"), "n": _map(n="=2"), "z": _call(),
         "j": {"type": "join", "config": {"mode": "all"}}},
        ("trigger -> a", "trigger -> b", "a -> m", "a.timeout -> m", "a.error -> m", "m -> j",
         "b -> n", "b.timeout -> n", "b.error -> n", "n -> j", "j -> z"),
    ),
    "withdraw": (
        {"ask": _ask(), "a": _call(), "w": {"type": "delay", "config": {"for": "PT2S"}},
         "x": {"type": "cancel", "config": {"steps": ["ask", "a"]}}, "m": _map(n="=1"),
         "z": _call()},
        ("trigger -> ask", "trigger -> a", "trigger -> w", "w -> x", "x -> z", "a -> m",
         "a.error -> m", "ask.approved -> m", "ask.rejected -> m", "ask.timeout -> m"),
    ),
    "loop": (
        {"c": _call("=get or else(steps.c.output.status, 0)"),
         "n": _map(n="=get or else(steps.n.output.n, 0) + 1"),
         "d": {"type": "decide", "config": {"otherwise": "enough",
               "branches": [{"port": "again", "when": "steps.n.output.n < 3"}]}},
         "s": {"type": "stop", "config": {"outcome": "completed"}}},
        ("trigger -> c", "c -> n", "c.error -> n", "n -> d", "d.again -> c", "d.enough -> s"),
    ),
}  # fmt: skip
NAMES = tuple(_FLOWS)


def document(name: str) -> dict[str, Any]:
    """A flow's document, as the editor would save it."""
    steps, ways = _FLOWS[name]
    links = []
    for way in ways:
        source, target = way.split(" -> ")
        step, _, port = source.partition(".")
        links.append({"from": step, "to": target, **({"port": port} if port else {})})
    return {
        "format": "signalbox.flow/1",
        "name": name,
        "trigger": {"type": "manual", "config": {}},
        "steps": {id_: {"config": {}, **step} for id_, step in steps.items()},
        "links": links,
    }


@cache
def flow(name: str) -> CompiledFlow:
    """A flow, compiled once per process."""
    return compile_flow(document(name))
