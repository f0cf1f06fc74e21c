"""The flows that are under load, which of them a signal starts, and what that must lead to."""

from collections.abc import Iterator
from typing import Any

EVENT = "chaos.go"
APPROVER = "approver@demo.local"

Json = dict[str, Any]


def signal(number: int) -> tuple[str, Json]:
    """Path and body of the signal of that number."""
    body = {"n": number, "go": number + 1 if number % 8 == 0 else 0, "refuse": number % 5 == 0}
    return ("chaos/chain", "chaos/order", "chaos/chain", "chaos/ask")[number % 4], body


def event(number: int) -> Json | None:
    """What the test itself has to say for a signal: half of the orders hear it from a flow."""
    if number % 8 != 5:
        return None
    return {
        "specversion": "1.0",
        "id": f"go-{number}",
        "source": "chaos",
        "type": EVENT,
        "data": {"n": number},
    }


def answer(number: int) -> str:
    """What the approver says."""
    return "rejected" if number % 16 == 3 else "approved"


def effects(number: int) -> Iterator[str]:
    """What the outside system must have been asked for that signal, each under one key."""
    path, body = signal(number)
    if path == "chaos/chain":
        yield "tell"
    elif path == "chaos/order":
        yield from ("item-0", "item-1", "item-2", "left", "right")
    elif answer(number) == "approved":
        yield from ("hotel", "flight", "pay")
        if body["refuse"]:
            yield from ("no hotel", "no flight")


def documents(url: str) -> dict[str, Json]:
    """The flows by name; their effects go to ``url``."""

    def tell(what: str, **more: Any) -> Json:
        return _step(
            "http.request",
            url=url,
            body={"n": "=trigger.body.n", "what": what, **more},
            retry={"max_attempts": 20, "first_delay_s": 0.2},
        )

    return {
        "chain": _chain(tell("tell")),
        "order": _order(tell('="item-" + string(index)'), tell("left"), tell("right")),
        "ask": _ask(tell),
    }


def _step(kind: str, **config: Any) -> Json:
    return {"type": kind, "version": 1, "title": kind, "config": config}


def _ends() -> Json:
    return {"end": _step("stop", outcome="completed"), "bad": _step("stop", outcome="failed")}


def _chain(tell: Json) -> Json:
    """One thing after the other; every fourth one tells an order to go on."""
    return _document(
        "chain",
        {
            "read": _step("map", fields={"n": "=trigger.body.n"}),
            "wait": _step("delay", **{"for": "PT1S"}),
            "tell": tell,
            "go": _step("emit", type=EVENT, data={"n": "=trigger.body.go"}),
            **_ends(),
        },
        "trigger read, read wait, wait tell, tell.done go, tell.error bad, go end",
    )


def _order(item: Json, left: Json, right: Json) -> Json:
    """Items side by side, two ways that join, and an event that only this order waits for."""
    wait = _step("wait.event", type=EVENT, key="trigger.body.n", key_of="event.data.n")
    return _document(
        "order",
        {
            "each": _step("for_each", items="[1, 2, 3]", parallel=2),
            "one": {**item, "in": "each"},
            "left": left,
            "right": right,
            "both": _step("join", mode="all"),
            "wait": wait,
            **_ends(),
        },
        "trigger each, each.body one, each.done left, each.done right, each.error bad,"
        " left.done both, right.done both, left.error bad, right.error bad, both wait, wait end",
        concurrency={"max": 100},
    )


def _ask(tell: Any) -> Json:
    """A person decides; then a scope whose last step fails for some, so that it is undone."""
    ask = _step(
        "approval",
        title='="Chaos " + string(trigger.body.n)',
        assignees={"users": [APPROVER]},
        rule={"any": 1},
        due="P2D",
    )
    inside = {"in": "trip"}
    return _document(
        "ask",
        {
            "ask": ask,
            "trip": _step("block"),
            "hotel": {**tell("hotel"), **inside, "undo": "no_hotel"},
            "flight": {**tell("flight"), **inside, "undo": "no_flight"},
            "pay": {**tell("pay", refuse="=trigger.body.refuse"), **inside},
            "no_hotel": {**tell("no hotel"), **inside},
            "no_flight": {**tell("no flight"), **inside},
            **_ends(),
        },
        "trigger ask, ask.approved trip, ask.rejected end, ask.timeout bad, trip.body hotel,"
        " hotel.done flight, flight.done pay, trip.done end, trip.error end",
    )


def _document(name: str, steps: Json, links: str, **settings: Any) -> Json:
    return {
        "format": "signalbox.flow/1",
        "name": f"Chaos {name}",
        "trigger": {"type": "webhook", "config": {"path": f"chaos/{name}"}},
        "steps": steps,
        "links": [_link(one.strip()) for one in links.split(",")],
        "settings": settings,
        "layout": {},
    }


def _link(text: str) -> Json:
    begin, to = text.split()
    from_, _, port = begin.partition(".")
    return {"from": from_, "to": to, **({"port": port} if port else {})}
