"""Curves of one clip as inline SVG: what the ground truth does, and everybody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

import numpy as np
from jaxtyping import Float

from kinevox.heads import Head
from kinevox.metrics._vertices import mouth_opening
from kinevox.metrics.head_pose import yaw_pitch_roll_deg
from kinevox.motion import Motion
from kinevox.phones import BILABIALS, SILENCE, Phones

WIDTH, LANE, LEFT, TOP, BOTTOM = 1080, 74, 96, 20, 22
"""Sizes [pixels]: the picture, one curve's height, room for labels, phones and seconds."""


@dataclass(frozen=True)
class Lane:
    """One quantity, with a range that it has at least."""

    label: str
    unit: str
    low: float
    high: float


LANES = (
    Lane("jawOpen", "", 0.0, 0.4),
    Lane("lips apart", "mm", 0.0, 10.0),
    Lane("head pitch", "deg", -5.0, 5.0),
    Lane("head yaw", "deg", -5.0, 5.0),
    Lane("blink", "", 0.0, 1.0),
)


def lane_values(head: Head, motion: Motion) -> dict[str, Float[np.ndarray, " frames"]]:
    """Values of each lane that the layout has, by label."""
    yaw, pitch, _ = yaw_pitch_roll_deg(motion.group("head")).T
    values = {
        "lips apart": 1e3 * mouth_opening(head, motion),
        "head pitch": pitch,
        "head yaw": yaw,
    }
    if "jawOpen" in motion.layout.names:
        values["jawOpen"] = motion["jawOpen"]
        values["blink"] = (motion["eyeBlinkLeft"] + motion["eyeBlinkRight"]) / 2
    return values


def plot(head: Head, motions: Mapping[str, Motion], phones: Phones | None) -> str:
    """SVG of all motions of one clip, the ground truth first and underneath.

    Curve k has the class `ck`, by which the page colors and hides it.
    """
    first = next(iter(motions.values()))
    curves = [lane_values(head, motion) for motion in motions.values()]
    lanes = [lane for lane in LANES if lane.label in curves[0]]
    height = TOP + LANE * len(lanes) + BOTTOM
    scale = (WIDTH - LEFT - 8) / first.seconds
    parts = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img">']
    parts += _phones(phones, scale, TOP + LANE * len(lanes)) if phones is not None else []
    for second in range(int(first.seconds) + 1):
        x = LEFT + second * scale
        parts.append(
            f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{height - 18}"/>'
        )
        parts.append(f'<text class="tick" x="{x:.1f}" y="{height - 5}">{second} s</text>')
    x = LEFT + first.times * scale
    for row, lane in enumerate(lanes):
        parts += _lane(lane, [c[lane.label] for c in curves], x, TOP + row * LANE)
    return "".join([*parts, "</svg>"])


def _lane(
    lane: Lane,
    curves: list[Float[np.ndarray, " frames"]],
    x: Float[np.ndarray, " frames"],
    top: int,
) -> list[str]:
    low = min(lane.low, *(float(values.min()) for values in curves))
    high = max(lane.high, *(float(values.max()) for values in curves))
    floor, tall = top + LANE - 8, LANE - 16
    parts = [
        f'<line class="floor" x1="{LEFT}" x2="{WIDTH - 8}" y1="{floor}" y2="{floor}"/>',
        f'<text class="lane" x="{LEFT - 12}" y="{top + LANE / 2 - 2}">{escape(lane.label)}</text>',
        f'<text class="range" x="{LEFT - 12}" y="{top + LANE / 2 + 12}">'
        f"{low:.3g} to {high:.3g} {lane.unit}</text>",
    ]
    for number, values in enumerate(curves):
        y = floor - tall * (values - low) / (high - low)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
        parts.append(f'<polyline class="c{number}" points="{points}"/>')
    return parts


def _phones(phones: Phones, scale: float, bottom: int) -> list[str]:
    """Names of the phones; p, b and m as bands, in which lips should close."""
    parts = []
    for label, start, end in zip(phones.labels, phones.starts, phones.ends, strict=True):
        x, wide = LEFT + start * scale, (end - start) * scale
        if label in BILABIALS:
            parts.append(
                f'<rect class="closure" x="{x:.1f}" y="{TOP - 4}" width="{wide:.1f}" '
                f'height="{bottom - TOP + 4}"/>'
            )
        if label != SILENCE and wide > 5 * len(label):
            parts.append(
                f'<text class="phone" x="{x + wide / 2:.1f}" y="{TOP - 8}">{escape(label)}</text>'
            )
    return parts
