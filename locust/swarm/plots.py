"""Line plots as SVG, by hand: three polylines need no library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, floor, log10

WIDTH, HEIGHT = 720, 240
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 36, 28
COLORS = ("#1f6feb", "#d1242f", "#1a7f37", "#8250df")
TICKS = 4

Point = tuple[float, float]


def line_plot(title: str, unit: str, series: Mapping[str, Sequence[Point]]) -> str:
    """Values over seconds; the value axis begins at 0. A series may be empty."""
    points = [point for line in series.values() for point in line]
    last = max((seconds for seconds, _ in points), default=0.0) or 1.0
    top = nice_top(max((value for _, value in points), default=0.0))

    def x(seconds: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * seconds / last

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}" '
        f'font-family="sans-serif" font-size="11" style="background:#fff;max-width:{WIDTH}px">',
        f'<text x="{LEFT}" y="16" font-size="13" font-weight="bold">{escape(title)} ({escape(unit)})</text>',
    ]
    for tick in range(TICKS + 1):
        value, seconds = top * tick / TICKS, last * tick / TICKS
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:g}</text>')
        parts.append(f'<text x="{x(seconds):.1f}" y="{HEIGHT - 8}" text-anchor="middle">{seconds:.0f} s</text>')
    for index, (name, line) in enumerate(series.items()):
        color = COLORS[index % len(COLORS)]
        path = " ".join(f"{x(seconds):.1f},{y(value):.1f}" for seconds, value in line)
        parts.append(f'<polyline fill="none" stroke="{color}" stroke-width="1.5" points="{path}"/>')
        parts.append(f'<text x="{WIDTH - RIGHT - 90 * index}" y="16" text-anchor="end" fill="{color}">{escape(name)}</text>')
    return "".join([*parts, "</svg>"])


def nice_top(largest: float) -> float:
    """The least of 1, 2, 5, 10, 20, … that is not below the largest value."""
    if largest <= 0:
        return 1.0
    magnitude = 10.0 ** floor(log10(largest))
    lead = largest / magnitude
    return magnitude * next((step for step in (1, 2, 5) if lead <= step), 10 * ceil(lead / 10))
