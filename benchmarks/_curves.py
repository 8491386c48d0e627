"""A few curves as SVG, with nothing but text: enough for a page of results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

WIDTH, HEIGHT, LEFT, TOP, GAP = 230, 150, 48, 44, 40
"""Of a panel, and the space around it [pixels]."""
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
"""Told apart by color-blind people too (Okabe and Ito)."""


@dataclass(frozen=True)
class Curve:
    """Points by ascending x."""

    name: str
    points: Sequence[tuple[float, float]]


Panel = tuple[str, Sequence[Curve], float]
"""Title, curves, and a level that is drawn dashed; NaN for none."""


def chart(panels: Sequence[Panel], x_title: str) -> str:
    """Panels side by side; x is logarithmic, y begins at 0 unless something is negative."""
    width, height = len(panels) * (WIDTH + LEFT + GAP // 2), TOP + HEIGHT + GAP
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        'font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for place, panel in enumerate(panels):
        left = place * (WIDTH + LEFT + GAP // 2) + LEFT
        lines += [f'<g transform="translate({left} {TOP})">', *_panel(*panel, x_title), "</g>"]
    return "\n".join([*lines, "</svg>"]) + "\n"


def _panel(title: str, curves: Sequence[Curve], level: float, x_title: str) -> Iterator[str]:
    points = [point for curve in curves for point in curve.points]
    yield f'<text y="-26" font-weight="bold">{escape(title)}</text>'
    if not points:
        return
    xs = sorted({x for x, _ in points})
    ys = [y for _, y in points] + [level] * bool(np.isfinite(level))
    low, high = min(0.0, *ys), max(*ys, 1e-9)
    span = max(np.log(xs[-1] / xs[0]), 1e-9)

    def at(x: float, y: float) -> tuple[float, float]:
        return WIDTH * np.log(x / xs[0]) / span, HEIGHT * (high - y) / (high - low)

    yield f'<path d="M0 0V{HEIGHT}H{WIDTH}" fill="none" stroke="#999"/>'
    for x in xs:
        yield f'<text x="{at(x, low)[0]:.1f}" y="{HEIGHT + 14}" text-anchor="middle">{x:g}</text>'
    yield f'<text x="{WIDTH / 2}" y="{HEIGHT + 30}" text-anchor="middle">{escape(x_title)}</text>'
    for y in (low, (low + high) / 2, high):
        yield f'<text x="-5" y="{at(xs[0], y)[1] + 4:.1f}" text-anchor="end">{y:.3g}</text>'
    if np.isfinite(level):
        y = at(xs[0], level)[1]
        yield f'<path d="M0 {y:.1f}H{WIDTH}" stroke="#555" stroke-dasharray="4 3"/>'
    names = []
    for k, curve in enumerate(curves):
        color = COLORS[k % len(COLORS)]
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py in (at(*point) for point in curve.points))
        yield f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>'
        names.append(f'<tspan fill="{color}" dx="8">{escape(curve.name)}</tspan>')
    # Under the title, where no curve goes.
    yield f'<text x="{WIDTH}" y="-12" text-anchor="end">{"".join(names)}</text>'
