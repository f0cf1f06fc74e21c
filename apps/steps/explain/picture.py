"""The graph of a flow as SVG, drawn by rules from the document alone: the same for the same hash.

From top to bottom: each step a row below what leads to it, loops back at the side. It carries
classes and no colours; the page that shows it gives them, so that it prints well.
"""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from apps.engine.graph import TRIGGER
from apps.steps.explain.tell import Explanation, Told

WIDTH, HEIGHT = 176, 52
ACROSS, DOWN = 40, 56
MARGIN = 24
SWEEPS = 4
_SIDES = frozenset({"error", "timeout"})
LETTERS, LINES = 24, 2

_TIP = (
    '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
    ' orient="auto"><path class="flow__tip" d="M0 0L8 4L0 8z"/></marker>'
)

Link = tuple[str, str, str]


@dataclass(frozen=True)
class Box:
    """Where a step, or the bend of a long link, stands."""

    x: float
    y: float
    is_bend: bool


def picture(told: Explanation, links: Sequence[Link], label: str) -> str:
    """The SVG: steps by their numbers and titles, links with the ways they leave by."""
    steps = [TRIGGER, *(one.id for one in told.steps)]
    ranks, back = _ranks(steps, links)
    boxes, chains = _placed(steps, links, ranks, back)
    width = max((box.x for box in boxes.values()), default=0) + WIDTH + MARGIN
    height = max((box.y for box in boxes.values()), default=0) + HEIGHT + MARGIN
    side = 28 * len(back)
    parts = [
        *(_link(chain, boxes, port) for chain, port in chains),
        *(_loop(link, boxes, width + 28 * index) for index, link in enumerate(back)),
        *_cards(told.steps, boxes, label),
    ]
    size = f"{width + side:g} {height:g}"
    return (
        f'<svg class="flow" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}"'
        f' width="{width + side:g}" role="img"'
        f" aria-label={quoteattr(told.name or label)}>"
        f"<defs>{_TIP}</defs>"
        f"{''.join(parts)}</svg>"
    )


def links_of(document: Mapping[str, Any], told: Explanation) -> list[Link]:
    """The links of a document as ``(from, port, to)``, both ends known, each pair once."""
    known = {TRIGGER, *(one.id for one in told.steps)}
    links = document.get("links")
    ports: dict[tuple[str, str], list[str]] = {}
    for link in links if isinstance(links, list) else ():
        if not isinstance(link, Mapping):
            continue
        source, port, target = link.get("from"), link.get("port"), link.get("to")
        if source in known and target in known and target != TRIGGER:
            named = ports.setdefault((str(source), str(target)), [])
            if isinstance(port, str) and port and port not in named:
                named.append(port)
    return [(source, ", ".join(named), target) for (source, target), named in ports.items()]


def _ranks(steps: Sequence[str], links: Sequence[Link]) -> tuple[dict[str, int], list[Link]]:
    """The row of each step, and the links that lead back up: steps come in reading order."""
    after: dict[str, list[Link]] = {}
    for link in links:
        after.setdefault(link[0], []).append(link)
    state: dict[str, int] = {}
    back: list[Link] = []
    order: list[str] = []
    for first in steps:
        stack: list[tuple[str, Iterator[Link]]] = []
        if first not in state:
            state[first] = 1
            stack.append((first, iter(after.get(first, ()))))
        while stack:
            step, rest = stack[-1]
            leads = next(rest, None)
            if leads is None:
                state[step] = 2
                order.append(step)
                stack.pop()
            elif state.get(leads[2]) == 1:
                back.append(leads)
            elif leads[2] not in state:
                state[leads[2]] = 1
                stack.append((leads[2], iter(after.get(leads[2], ()))))
    ranks = dict.fromkeys(steps, 0)
    leading_back = set(back)
    for step in reversed(order):
        for link in after.get(step, ()):
            if link not in leading_back:
                ranks[link[2]] = max(ranks[link[2]], ranks[step] + 1)
    loose = 1 if len(steps) > 1 else 0
    return {one: rank or (0 if one == TRIGGER else loose) for one, rank in ranks.items()}, back


def _placed(
    steps: Sequence[str], links: Sequence[Link], ranks: Mapping[str, int], back: Sequence[Link]
) -> tuple[dict[str, Box], list[tuple[list[str], str]]]:
    """Places of steps and bends, and each link as the chain of what it goes through."""
    rows: list[list[str]] = [[] for _ in range(max(ranks.values(), default=0) + 1)]
    for step in steps:
        rows[ranks[step]].append(step)
    chains: list[tuple[list[str], str]] = []
    near: dict[str, list[str]] = {}
    for index, link in enumerate(links):
        if link in back:
            continue
        source, port, target = link
        bends = [f"{index}:{row}" for row in range(ranks[source] + 1, ranks[target])]
        for bend in bends:
            rows[int(bend.rpartition(":")[2])].append(bend)
        chain = [source, *bends, target]
        chains.append((chain, port))
        for one, other in pairwise(chain):
            near.setdefault(one, []).append(other)
            near.setdefault(other, []).append(one)
    place = {one: float(at) for row in rows for at, one in enumerate(row)}
    for _ in range(SWEEPS):
        for row in (*rows, *reversed(rows)):
            row.sort(key=lambda one: _middle(one, near, place))
            place |= {one: at - len(row) / 2 for at, one in enumerate(row)}
    widest = max(map(len, rows), default=1)
    stride = WIDTH + ACROSS
    return {
        one: Box(
            MARGIN + (widest - len(row)) * stride / 2 + at * stride,
            MARGIN + number * (HEIGHT + DOWN),
            ":" in one,
        )
        for number, row in enumerate(rows)
        for at, one in enumerate(row)
    }, chains


def _middle(one: str, near: Mapping[str, list[str]], place: Mapping[str, float]) -> float:
    others = near.get(one, [])
    return sum(place[other] for other in others) / len(others) if others else place[one]


def _link(chain: Sequence[str], boxes: Mapping[str, Box], port: str) -> str:
    first, last = boxes[chain[0]], boxes[chain[-1]]
    x, y = first.x + WIDTH / 2, first.y + HEIGHT
    way = f"M{x:g} {y:g}"
    for name in chain[1:]:
        box = boxes[name]
        to_x, to_y = box.x + WIDTH / 2, box.y
        bend = DOWN / 2
        way += f"C{x:g} {y + bend:g} {to_x:g} {to_y - bend:g} {to_x:g} {to_y:g}"
        x, y = to_x, to_y
        if box.is_bend:
            y += HEIGHT
            way += f"L{x:g} {y:g}"
    is_side = port != "" and set(port.split(", ")) <= _SIDES
    side = " flow__link--side" if is_side else ""
    drawn = f'<path class="flow__link{side}" marker-end="url(#tip)" d="{way}"/>'
    if not port or port == "done":
        return drawn
    # The name stands where the link sets out, drawn towards where it goes.
    second = boxes[chain[1]] if len(chain) > 1 else last
    at_x = first.x + WIDTH / 2 + (second.x - first.x) * 0.3
    return drawn + _text(port, at_x, first.y + HEIGHT + DOWN * 0.42, "flow__port", middle=True)


def _loop(link: Link, boxes: Mapping[str, Box], side: float) -> str:
    source, port, target = link
    first, last = boxes[source], boxes[target]
    x, y = first.x + WIDTH, first.y + HEIGHT / 2
    to_x, to_y = last.x + WIDTH, last.y + HEIGHT / 2
    way = f"M{x:g} {y:g}C{side:g} {y:g} {side:g} {to_y:g} {to_x:g} {to_y:g}"
    drawn = f'<path class="flow__link flow__link--back" marker-end="url(#tip)" d="{way}"/>'
    named = "" if port in {"", "done"} else _text(port, x + 6, y - 6, "flow__port")
    return drawn + named


def _cards(steps: Sequence[Told], boxes: Mapping[str, Box], label: str) -> Iterator[str]:
    yield _card(boxes[TRIGGER], label, "", "flow__card--start")
    for one in steps:
        yield _card(boxes[one.id], one.title, str(one.number), "")


def _card(box: Box, title: str, number: str, kind: str) -> str:
    lines = textwrap.wrap(title, LETTERS) or [""]
    if len(lines) > LINES:
        lines = [*lines[: LINES - 1], f"{lines[LINES - 1][: LETTERS - 1]}…"]
    top = box.y + HEIGHT / 2 + 5 - 8 * (len(lines) - 1)
    round_ = 26 if kind else 6
    return (
        f'<rect class="flow__card {kind}" x="{box.x:g}" y="{box.y:g}" width="{WIDTH}"'
        f' height="{HEIGHT}" rx="{round_}"/>'
        + (_text(number, box.x + 10, box.y + 18, "flow__number") if number else "")
        + "".join(
            _text(line, box.x + WIDTH / 2, top + 16 * at, "flow__title", middle=True)
            for at, line in enumerate(lines)
        )
    )


def _text(text: str, x: float, y: float, kind: str, *, middle: bool = False) -> str:
    anchor = ' text-anchor="middle"' if middle else ""
    shown = text if len(text) <= LETTERS + 4 else f"{text[: LETTERS + 3]}…"
    return f'<text class="{kind}" x="{x:g}" y="{y:g}"{anchor}>{escape(shown)}</text>'


def drawn(document: Mapping[str, Any], told: Explanation, start: str) -> str:
    """The picture of a document that was told."""
    return picture(told, links_of(document, told), start)
