"""Flows with steps that contain others, for stories about them."""

from tests.patterns.playing import call, flow, note

LETTERS = {"list": ["a", "b", "c", "d"]}


def each(**config):
    return {"type": "for_each", "config": {"items": "trigger.body.list", **config}}


def over_items(after=None, **config):
    """A call for each item, and what follows."""
    steps = {
        "each": each(result="steps.call.output.body", **config),
        "call": call("=item", **{"in": "each"}),
        "after": after or note(results="=steps.each.output.results"),
    }
    return flow(steps, "trigger -> each", "each.body -> call", "each -> after")


BOOKING = {
    "block": {"type": "block"},
    "book": call("book", **{"in": "block", "undo": "unbook"}),
    "pay": call("pay", **{"in": "block", "undo": "unpay"}),
    "ship": call("ship", **{"in": "block"}),
    "unbook": call("=steps.book.output.body", **{"in": "block"}),
    "unpay": call("=steps.pay.output.body", **{"in": "block"}),
}
BOOKING_LINKS = ("trigger -> block", "block.body -> book", "book -> pay", "pay -> ship")


def booking(*links, **more):
    """A block that books, pays and ships, whose first two steps can be undone."""
    return flow({**BOOKING, **more}, *BOOKING_LINKS, *links)
