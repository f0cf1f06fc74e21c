"""Line plots as SVG: small multiples with logarithmic axes, readable on light and dark pages."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 300, 250
LEFT, TOP, RIGHT, BOTTOM = 48, 44, 14, 40
#: Told apart by brightness and by marker too, for those who do not see the colours.
_LOOKS = (("one", "circle"), ("two", "square"), ("three", "triangle"), ("four", "diamond"))
_STYLE = """
.paper{fill:#fff}.ink{fill:#1f2328}.soft{fill:#59636e}.grid{stroke:#d1d9e0;stroke-width:1}
.line{fill:none;stroke-width:2}.one{stroke:#0550ae}.two{stroke:#bc4c00}
.three{stroke:#1a7f37}.four{stroke:#8250df}
.mark.one{fill:#0550ae}.mark.two{fill:#bc4c00}.mark.three{fill:#1a7f37}.mark.four{fill:#8250df}
.bar{stroke:#59636e;stroke-width:1;stroke-dasharray:4 3}
text{font:11px system-ui,sans-serif}.head{font-weight:600;font-size:13px}
@media (prefers-color-scheme:dark){
.paper{fill:#0d1117}.ink{fill:#f0f6fc}.soft{fill:#9198a1}.grid{stroke:#3d444d}
.one{stroke:#79c0ff}.two{stroke:#ffa657}.three{stroke:#7ee787}.four{stroke:#d2a8ff}
.mark.one{fill:#79c0ff}.mark.two{fill:#ffa657}.mark.three{fill:#7ee787}.mark.four{fill:#d2a8ff}
.bar{stroke:#9198a1}}
"""


@dataclass(frozen=True)
class Panel:
    """One plot: ``series`` are points ``(x, y)`` by name, all above 0. ``bar`` is a dashed line."""

    title: str
    x_label: str
    series: Mapping[str, Sequence[tuple[float, float]]]
    bar: float | None = None


def svg(panels: Sequence[Panel], *, title: str, description: str) -> str:
    """All panels side by side, with one legend below."""
    width, height = WIDTH * len(panels), HEIGHT + 28
    names = list(dict.fromkeys(name for panel in panels for name in panel.series))
    drawn = "".join(_panel(panel, names, WIDTH * at) for at, panel in enumerate(panels))
    legend = "".join(
        _mark(at, LEFT + 6 + 150 * at, HEIGHT + 10)
        + _text(LEFT + 16 + 150 * at, HEIGHT + 14, name, "ink")
        for at, name in enumerate(names)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" role="img" aria-labelledby="t d"><title id="t">{escape(title)}</title>'
        f'<desc id="d">{escape(description)}</desc><style>{_STYLE}</style>'
        f'<rect class="paper" width="{width}" height="{height}"/>{drawn}{legend}</svg>\n'
    )


def _panel(panel: Panel, names: Sequence[str], shift: int) -> str:
    points = [point for line in panel.series.values() for point in line]
    xs = [x for x, _ in points]
    ys = [y for _, y in points] + ([panel.bar] if panel.bar else [])
    across = _Axis(min(xs), max(xs), shift + LEFT, shift + WIDTH - RIGHT)
    # A decade at least, so that noise does not look like a trend.
    low, high = min(ys), max(ys)
    up = _Axis(min(low * 0.8, high / 10), high * 1.25, HEIGHT - BOTTOM, TOP)
    parts = [_text(shift + LEFT, 20, panel.title, "ink head")]
    for x in _decades(across.low, across.high):
        at = across.place(x)
        parts.append(_line(at, TOP, at, HEIGHT - BOTTOM, "grid"))
        parts.append(_text(at, HEIGHT - BOTTOM + 16, _said(x), "soft", "middle"))
    for y in _ticks(up.low, up.high):
        at = up.place(y)
        parts.append(_line(shift + LEFT, at, shift + WIDTH - RIGHT, at, "grid"))
        parts.append(_text(shift + LEFT - 6, at + 4, _said(y), "soft", "end"))
    if panel.bar:
        at = up.place(panel.bar)
        parts.append(_line(shift + LEFT, at, shift + WIDTH - RIGHT, at, "bar"))
        label = f"bar {_said(panel.bar)}"
        parts.append(_text(shift + WIDTH - RIGHT - 2, at - 4, label, "soft", "end"))
    for name, line in panel.series.items():
        look = names.index(name)
        placed = [(across.place(x), up.place(y)) for x, y in line]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        colour = _LOOKS[look % len(_LOOKS)][0]
        parts.append(f'<polyline class="line {colour}" points="{path}"/>')
        parts += [_mark(look, x, y) for x, y in placed]
    parts.append(_text(shift + (LEFT + WIDTH) / 2, HEIGHT - 8, panel.x_label, "soft", "middle"))
    return "".join(parts)


class _Axis:
    """A logarithmic scale from ``low`` to ``high`` onto two places on the page."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self.low, self.high = low, high if high > low else low * 10
        self._start, self._end = start, end

    def place(self, value: float) -> float:
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self._start + share * (self._end - self._start)


def _decades(low: float, high: float) -> list[float]:
    return [
        10.0**power for power in range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
    ]


def _ticks(low: float, high: float) -> list[float]:
    return [
        step * decade
        for decade in _decades(low / 10, high)
        for step in (1, 2, 5)
        if low <= step * decade <= high
    ]


def _said(value: float) -> str:
    if value >= 1_000_000:
        return f"{value / 1_000_000:g} M"
    return f"{value:,g}" if value < 100_000 else f"{value / 1000:,g} k"


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text class="{kind}" {place}>{escape(text)}</text>'


def _mark(look: int, x: float, y: float) -> str:
    colour, shape = _LOOKS[look % len(_LOOKS)]
    kind = f'class="mark {colour}"'
    if shape == "circle":
        return f'<circle {kind} cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'
    corners = {
        "square": ((-3, -3), (3, -3), (3, 3), (-3, 3)),
        "triangle": ((0, -4), (4, 3), (-4, 3)),
        "diamond": ((0, -4.5), (4.5, 0), (0, 4.5), (-4.5, 0)),
    }[shape]
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)
    return f'<polygon {kind} points="{points}"/>'
