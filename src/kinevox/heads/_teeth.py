"""Upper and lower teeth: one sheet per row, swept along the dental arch and notched into teeth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinevox.heads._pieces import Piece, sheet, smoothstep

_SAMPLES = 6
"""Columns per tooth."""

_ENAMEL, _ENAMEL_AT_GUM, _GUM, _GUM_DEEP = (
    np.array(color)
    for color in (
        (0.71, 0.66, 0.55),
        (0.60, 0.51, 0.37),
        (0.40, 0.13, 0.12),
        (0.16, 0.035, 0.035),
    )
)


@dataclass(frozen=True)
class _Row:
    """Sizes of one row of teeth, from the front teeth to the second molar [mm]."""

    name: str
    up: int
    """Direction from the biting edge to the root: 1 for upper teeth, -1 for lower."""
    widths: tuple[float, ...]
    heights: tuple[float, ...]
    depths: tuple[float, ...]
    inset: float
    """How far this row's arch lies inside the upper one."""


# Widths and heights are the means commonly tabulated (Nelson, "Wheeler's Dental Anatomy").
_UPPER = _Row(
    "teeth_upper", 1,
    (8.5, 6.5, 7.5, 7.0, 7.0, 10.0, 9.0), (10.5, 9.0, 10.0, 8.5, 8.5, 7.5, 7.0),
    (3.5, 3.2, 4.5, 8.0, 8.0, 10.0, 10.0), 0.0,
)  # fmt: skip
_LOWER = _Row(
    "teeth_lower", -1,
    (5.0, 5.5, 7.0, 7.0, 7.0, 11.0, 10.5), (9.0, 9.5, 11.0, 8.5, 8.0, 7.5, 7.0),
    (3.2, 3.3, 4.2, 7.0, 7.5, 10.0, 10.0), 2.4,
)  # fmt: skip

# Profile of a tooth and its gum, from the lip side over the biting edge to the tongue side:
# height in crowns, position across (0 lip side, 1 tongue side), extra outward [mm], colour.
_PROFILE = (
    (1.60, 0.0, -1.2, _GUM_DEEP),
    (1.22, 0.0, 0.25, _GUM),
    (1.00, 0.0, 0.15, _GUM),
    (0.94, 0.0, -0.15, _ENAMEL_AT_GUM),
    (0.70, 0.0, 0.20, _ENAMEL),
    (0.35, 0.0, 0.15, _ENAMEL),
    (0.07, 0.0, -0.20, _ENAMEL),
    (0.00, 0.35, -0.30, _ENAMEL),
    (0.08, 0.6, 0.0, _ENAMEL),
    (0.55, 0.8, 0.0, _ENAMEL_AT_GUM),
    (1.00, 1.0, 0.0, _GUM_DEEP),
    (1.50, 1.0, -1.5, _GUM_DEEP),
)
_FIRST_ENAMEL, _LAST_ENAMEL = 3, 9


def upper_teeth(edge: Float[np.ndarray, "3"], scale: float, num_shapes: int) -> Piece:
    """Teeth of the skull, which no expression moves.

    Args:
        edge: Biting edge between the two front teeth, on their lip side [m].
        scale: Size against an average adult.
    """
    vertices, triangles, colors = _row(_UPPER, edge, scale)
    return Piece(_UPPER.name, vertices, triangles, np.zeros((num_shapes, *vertices.shape)), colors)


def lower_teeth(
    edge: Float[np.ndarray, "3"],
    scale: float,
    jaw: list[tuple[Float[np.ndarray, "3 3"], Float[np.ndarray, "3"]]],
) -> Piece:
    """Teeth of the jaw.

    Args:
        edge: Biting edge of the upper front teeth, as for `upper_teeth` [m].
        scale: Size against an average adult.
        jaw: Rotation and shift [m] of the jaw in each expression.
    """
    # The upper front teeth bite over the lower ones by about 1.5 mm.
    overbite = np.array([0, 0.0015 * scale, 0])
    vertices, triangles, colors = _row(_LOWER, edge + overbite, scale)
    shapes = np.stack([vertices @ turn.T + shift - vertices for turn, shift in jaw])
    return Piece(_LOWER.name, vertices, triangles, shapes, colors)


def arch_depth(x_mm: np.ndarray) -> np.ndarray:
    """How far the upper arch lies behind its front at a distance from the middle [mm]."""
    return 0.01375 * x_mm**2 + 6.0e-5 * x_mm**4


def _row(row: _Row, edge: np.ndarray, scale: float):
    bounds = np.concatenate([[0], np.cumsum(row.widths)])
    within = np.arange(_SAMPLES) / _SAMPLES
    tooth = np.repeat(np.arange(len(row.widths)), _SAMPLES)
    place = np.tile(within, len(row.widths))
    along = bounds[tooth] + place * np.array(row.widths)[tooth]
    # Mirror to the other side; the middle column is shared.
    tooth = np.concatenate([tooth[:0:-1], tooth])
    place = np.concatenate([place[:0:-1], place])
    along = np.concatenate([-along[:0:-1], along])
    # A column between two teeth takes the mean of both.
    neighbour = np.where(place == 0, np.maximum(tooth - 1, 0), tooth)
    crown, depth = (
        (np.array(size)[tooth] + np.array(size)[neighbour]) / 2
        for size in (row.heights, row.depths)
    )
    from_middle = 2 * np.abs(place - 0.5)
    notch = from_middle**6
    corner = from_middle**4

    position, outward = _arch(along, row.inset)
    points, colors = [], []
    for k, (height, across, extra, color) in enumerate(_PROFILE):
        enamel = _FIRST_ENAMEL <= k <= _LAST_ENAMEL
        lip_side = across < 0.3
        out = extra - across * depth - (0.9 if lip_side else -0.9) * notch * enamel
        rise = height * crown
        if height < 0.2:
            rise = rise + 1.0 * corner
        elif 0.9 < height <= 1.0:
            # The gum reaches further down between two teeth.
            rise = rise - 1.3 * from_middle**3
        up = row.up * rise
        points.append(
            np.stack(
                [position[:, 0] + out * outward[:, 0], up, position[:, 1] + out * outward[:, 1]],
                axis=1,
            )
        )
        # It is dark between the teeth and towards the throat.
        shade = (1 - 0.45 * notch * enamel) * (1 - 0.75 * smoothstep(5, 30, -position[:, 1]))
        colors.append(np.asarray(color) * shade[:, None])
    vertices = edge + 0.001 * scale * np.concatenate(points)
    triangles = sheet(len(_PROFILE), len(along))
    if row.up < 0:
        triangles = triangles[:, ::-1]
    return vertices, triangles, np.concatenate(colors)


def _arch(along: np.ndarray, inset: float) -> tuple[np.ndarray, np.ndarray]:
    """Points (x, z) [mm] at lengths along the arch, and the outward direction there."""
    x = np.linspace(0, 32, 2000)
    z = -arch_depth(x)
    tangent = np.stack([np.gradient(x), np.gradient(z)], axis=1)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
    x, z = (np.stack([x, z], axis=1) - inset * normal).T
    length = np.concatenate([[0], np.cumsum(np.hypot(np.diff(x), np.diff(z)))])
    side = np.sign(along)
    at = np.abs(along)
    position = np.stack([side * np.interp(at, length, x), np.interp(at, length, z)], axis=1)
    outward = np.stack(
        [side * np.interp(at, length, normal[:, 0]), np.interp(at, length, normal[:, 1])], axis=1
    )
    return position, outward
