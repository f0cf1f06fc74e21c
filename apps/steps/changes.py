"""What differs between two documents, field by field; what belongs together; how to apply it.

A document falls into places, each named by a JSON Pointer: a step as a whole where only one of two
documents has it, else its fields one by one; a link by where it leaves and where it leads; and
the order of the links that leave by one way, since what they lead to starts in that order. The
browser has the same rules (``features/editor/merge/changes.ts``) and both are held to the same
golden cases (``tests/golden/changes``). Any part of a document may have a wrong shape; such a part
is one place.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from apps.engine.graph import TRIGGER


class Absent:
    """Nothing stands at the place; not the same as null."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()
DocPath = tuple[str, ...]
#: Under it stands, by way, the order of the links that leave by it.
ORDER: Final = ("links", "order")


@dataclass(frozen=True)
class Change:
    """What became of one place.

    Of a link, ``was`` and ``at`` say where among the links it stood and stands, ``was_in`` and
    ``at_in`` where among those of its way. Of an order, ``before`` and ``after`` name the links
    that both documents have.
    """

    path: DocPath
    before: Any
    after: Any
    was: int | None = None
    at: int | None = None
    was_in: int | None = None
    at_in: int | None = None

    @property
    def id(self) -> str:
        """The place as a JSON Pointer (RFC 6901)."""
        return pointer_of(self.path)

    @property
    def is_layout(self) -> bool:
        """Whether it only moves a card."""
        return self.path[0] == "layout"

    @property
    def is_order(self) -> bool:
        """Whether it only puts links of one way in another order."""
        return self.path[:2] == ORDER and len(self.path) == 3

    @property
    def step(self) -> str | None:
        """The step, or ``trigger``, that it is about; None for a link and for the flow itself."""
        if self.path[0] == TRIGGER:
            return TRIGGER
        if self.is_order:
            return self.path[2].partition(":")[0]
        return self.path[1] if self.path[0] in {"steps", "layout"} and len(self.path) > 1 else None

    def inverted(self) -> "Change":
        """What takes it back."""
        return Change(
            self.path, self.after, self.before, self.at, self.was, self.at_in, self.was_in
        )


def pointer_of(path: DocPath) -> str:
    """The path as a JSON Pointer."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)


def is_same(one: Any, other: Any) -> bool:
    """Whether two values say the same: ``1`` is ``1.0`` but not true; names have no order."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    return type(one) is type(other) or _are_numbers(one, other) if one == other else False


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What leads from one document to the other, in the order of the documents."""
    found: list[Change] = []
    for name in _names(before, after):
        one, other = before.get(name, ABSENT), after.get(name, ABSENT)
        if name == "links" and _are_links(one) and _are_links(other):
            found += _links(one, other)
        elif name == "steps" and isinstance(one, Mapping) and isinstance(other, Mapping):
            for id_ in _names(one, other):
                found += _typed((name, id_), one.get(id_, ABSENT), other.get(id_, ABSENT))
        elif name == TRIGGER:
            found += _typed((name,), one, other)
        else:
            found += _nested((name,), one, other, always=name in {"settings", "layout"})
    return found


def together(changes: list[Change]) -> list[list[Change]]:
    """The changes in groups of which no part makes sense alone; moved cards left out.

    A step that came or went brings its links, what is inside it and what it undoes; a link that
    was drawn to somewhere else is one that went and one that came; links follow the names of the
    ways that their step's fields give.
    """
    told = [one for one in changes if not one.is_layout]
    leader = list(range(len(told)))

    def find(index: int) -> int:
        while leader[index] != index:
            index = leader[index]
        return index

    whole = {one.path[1]: at for at, one in enumerate(told) if _is_whole_step(one)}
    by_way: dict[tuple[Any, Any], list[int]] = {}
    for at, one in enumerate(told):
        near: list[int] = []
        if (link := _link(one)) is not None:
            near += [whole[end] for end in (link["from"], link["to"]) if end in whole]
            near += by_way.setdefault((link["from"], link.get("port")), [])
            by_way[(link["from"], link.get("port"))].append(at)
            near += [
                index
                for index, other in enumerate(told)
                if other.step == link["from"]
                and not _is_whole_step(other)
                and _names_way(other, link.get("port"))
            ]
        near += [whole[id_] for id_ in _named_steps(one) if id_ in whole]
        for other_at in near:
            first, second = sorted((find(at), find(other_at)))
            leader[second] = first
    groups: dict[int, list[Change]] = {}
    for at, one in enumerate(told):
        groups.setdefault(find(at), []).append(one)
    return list(groups.values())


def applied(document: Mapping[str, Any], changes: Iterable[Change]) -> dict[str, Any]:
    """A copy of the document with the changes made; one whose step is not there is left out."""
    made: dict[str, Any] = copied(document)
    links: list[Change] = []
    for change in changes:
        if change.path[0] == "links" and len(change.path) > 1:
            links.append(change)
        else:
            _put(made, change.path, change.after)
    if links:
        _put_links(made, links)
    return made


def copied(value: Any) -> Any:
    """A copy down to the values, which never change."""
    if isinstance(value, Mapping):
        return {name: copied(one) for name, one in value.items()}
    return [copied(one) for one in value] if isinstance(value, list) else value


def link_keys(links: list[Any]) -> list[str]:
    """The names of links as places, in their order: ``from:port>to``, a second one ``#2``."""
    seen: dict[str, int] = {}
    keys = []
    for link in links:
        key = f"{link['from']}:{link.get('port') or ''}>{link['to']}"
        seen[key] = seen.get(key, 0) + 1
        keys.append(key if seen[key] == 1 else f"{key}#{seen[key]}")
    return keys


def _way(link: Mapping[str, Any]) -> str:
    """Where a link leaves, as a place; without a port it leaves by ``done``."""
    return f"{link['from']}:{link.get('port') or 'done'}"


def _ranks(links: list[Any]) -> list[int]:
    """Of each link, how many of its way stand before it."""
    seen: dict[str, int] = {}
    ranks = []
    for link in links:
        ranks.append(seen.get(_way(link), 0))
        seen[_way(link)] = ranks[-1] + 1
    return ranks


def _are_numbers(one: Any, other: Any) -> bool:
    return not isinstance(one, str) and not isinstance(other, str)


def _names(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    yield from one
    yield from (name for name in other if name not in one)


def _typed(path: DocPath, one: Any, other: Any) -> Iterator[Change]:
    """A step or the trigger: of another type it is another thing."""
    both = isinstance(one, Mapping) and isinstance(other, Mapping)
    if not both or not is_same(one.get("type"), other.get("type")):
        yield from _nested(path, one, other, atomic=True)
        return
    for name in _names(one, other):
        inner = (one.get(name, ABSENT), other.get(name, ABSENT))
        yield from _nested((*path, name), *inner, always=name == "config")


def _nested(
    path: DocPath, one: Any, other: Any, *, always: bool = False, atomic: bool = False
) -> Iterator[Change]:
    """Fields of named values, however deep; values that share no name are different things."""
    both = isinstance(one, Mapping) and isinstance(other, Mapping) and not atomic
    if both and (always or any(name in other for name in one)):
        for name in _names(one, other):
            yield from _nested((*path, name), one.get(name, ABSENT), other.get(name, ABSENT))
    elif not is_same(one, other):
        yield Change(path, one, other)


def _are_links(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, Mapping)
        and isinstance(one.get("from"), str)
        and isinstance(one.get("to"), str)
        and isinstance(one.get("port") or "", str)
        for one in value
    )


def _links(one: list[Any], other: list[Any]) -> Iterator[Change]:
    before = _placed(one)
    after = _placed(other)
    gone = (None, None, ABSENT)
    for key in _names(before, after):
        was, was_in, old = before.get(key, gone)
        at, at_in, new = after.get(key, gone)
        if not is_same(old, new):
            yield Change(("links", key), old, new, was, at, was_in, at_in)
    orders = [_orders(links, before.keys() & after.keys()) for links in (one, other)]
    for way, names in orders[0].items():
        if names != orders[1][way]:
            yield Change((*ORDER, way), names, orders[1][way])


def _placed(links: list[Any]) -> dict[str, tuple[int | None, int | None, Any]]:
    """Each link by its name, with its place among all and among those of its way."""
    named = zip(link_keys(links), _ranks(links), links, strict=True)
    return {key: (at, at_in, link) for at, (key, at_in, link) in enumerate(named)}


def _orders(links: list[Any], among: Collection[str]) -> dict[str, list[str]]:
    """The names of links by their ways, in their order."""
    found: dict[str, list[str]] = {}
    for key, link in zip(link_keys(links), links, strict=True):
        if key in among:
            found.setdefault(_way(link), []).append(key)
    return found


def _is_whole_step(change: Change) -> bool:
    return change.path[0] == "steps" and len(change.path) == 2


def _link(change: Change) -> Mapping[str, Any] | None:
    if change.path[0] != "links" or len(change.path) != 2:
        return None
    link: Mapping[str, Any] = change.before if change.after is ABSENT else change.after
    return link


def _names_way(change: Change, port: Any) -> bool:
    return isinstance(port, str) and port != "" and _holds(change.before, change.after, port)


def _holds(before: Any, after: Any, text: str) -> bool:
    """Whether only one of the two values says the text."""
    return (text in set(_texts(before))) != (text in set(_texts(after)))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _named_steps(change: Change) -> Iterator[str]:
    """Steps that a step names by ``in`` or ``undo``, before or after."""
    if change.path[0] != "steps":
        return
    if _is_whole_step(change):
        for value in (change.before, change.after):
            if isinstance(value, Mapping):
                yield from _texts([value.get("in"), value.get("undo")])
    elif change.path[2:] in {("in",), ("undo",)}:
        yield from _texts([change.before, change.after])


def _put(document: dict[str, Any], path: DocPath, value: Any) -> None:
    here: Any = document
    for depth, name in enumerate(path[:-1]):
        if name not in here or not isinstance(here[name], dict):
            # What lies inside a step that is not there goes with it.
            if (path[0] == "steps" and depth == 1) or value is ABSENT:
                return
            here[name] = {}
        here = here[name]
    if value is ABSENT:
        here.pop(path[-1], None)
    else:
        here[path[-1]] = copied(value)


def _put_links(document: dict[str, Any], changes: list[Change]) -> None:
    links = document.get("links")
    kept = links if _are_links(links) and isinstance(links, list) else []
    by_key = {change.path[1]: change for change in changes if not change.is_order}
    made: list[tuple[str, Any]] = []
    here = set()
    for key, link in zip(link_keys(kept), kept, strict=True):
        here.add(key)
        change = by_key.get(key)
        if change is None:
            made.append((key, link))
        elif change.after is not ABSENT:
            made.append((key, copied(change.after)))
    new = [one for key, one in by_key.items() if one.after is not ABSENT and key not in here]
    last = -1
    for change in sorted(new, key=lambda one: len(made) if one.at is None else one.at):
        # What stood before another stays before it, also where both came from two sides.
        last = max(len(made) if change.at is None else change.at, last + 1)
        made.insert(last, (change.path[1], copied(change.after)))
    orders = {change.path[2]: change.after for change in changes if change.is_order}
    document["links"] = _in_order(made, {one.path[1]: one.at_in for one in new}, orders)


def _in_order(
    links: list[tuple[str, Any]],
    new: Mapping[str, int | None],
    orders: Mapping[str, list[str]],
) -> list[Any]:
    """The links, those of each way in their order; the ways keep their places among each other."""
    ways = {_way(link) for key, link in links if key in new} | orders.keys()
    slots: dict[str, list[int]] = {}
    for at, (_, link) in enumerate(links):
        if _way(link) in ways:
            slots.setdefault(_way(link), []).append(at)
    made = [link for _, link in links]
    for way, places in slots.items():
        known = [(key, link) for key, link in (links[at] for at in places) if key not in new]
        rank = {key: at for at, key in enumerate(orders.get(way, ()))}
        moved = iter(sorted((one for one in known if one[0] in rank), key=lambda one: rank[one[0]]))
        known = [next(moved) if one[0] in rank else one for one in known]
        for at in places:
            key, link = links[at]
            if key in new:
                wish = new[key]
                known.insert(len(known) if wish is None else wish, (key, link))
        for at, (_, link) in zip(places, known, strict=True):
            made[at] = link
    return made


#: What an expression reads of a step.
READS = re.compile(r"\bsteps\.([a-z][a-z0-9_]{0,62})\b")
