"""Our own eyeballs: sclera, iris and pupil painted on fine rings, turned by the gaze shapes."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from kinevox import arkit, rotation
from kinevox.heads._pieces import Piece, fit_rigid, mix, sheet, smoothstep

_SIDES = 32
_RINGS_DEGREES = np.array(
    [
        0.4,
        3.0,
        6.0,
        7.2,
        8.6,
        11.0,
        14.0,
        16.6,
        17.6,
        18.8,
        21,
        26,
        33,
        42,
        53,
        66,
        80,
        98,
        120,
        145,
    ]
)
"""Angle of each ring from the direction of gaze; close together where the colour changes."""

_PUPIL, _IRIS_INNER, _IRIS_OUTER, _LIMBUS, _SCLERA, _BLOODSHOT = (
    np.array(color)
    for color in (
        (0.004, 0.004, 0.005),
        (0.16, 0.10, 0.045),
        (0.075, 0.055, 0.035),
        (0.022, 0.018, 0.016),
        (0.74, 0.71, 0.68),
        (0.44, 0.25, 0.22),
    )
)

CORNEA_BULGE = 0.02
"""Height of the cornea over the sphere, in eye radii."""


def eyeball(
    name: str,
    centre: Float[np.ndarray, "3"],
    given: Float[np.ndarray, "points 3"],
    given_shapes: Float[np.ndarray, "shapes points 3"],
) -> Piece:
    """An eyeball in place of a given one.

    Args:
        centre: The point the eye turns about [m].
        given: The eye to be replaced, for its size [m].
        given_shapes: Its displacement in each expression, for the axis the eye turns about.
    """
    radius = float(np.linalg.norm(given - centre, axis=1).mean())
    vertices = centre + radius * _unit_eye()
    shapes = np.zeros((len(arkit.NAMES), *vertices.shape))
    for shape, moved in zip(shapes, given_shapes, strict=True):
        if np.abs(moved).max() > 1e-5:
            given_turn, _ = fit_rigid(given, given + moved)
            shape[:] = _turned(vertices - centre, given_turn)
    # The back stays open: it faces the inside of the skull.
    triangles = sheet(len(_RINGS_DEGREES), _SIDES, closed=True)
    fan = np.arange(_SIDES)
    cap = np.stack([np.zeros_like(fan[1:-1]), fan[1:-1], fan[2:]], axis=1)
    return Piece(name, vertices, np.concatenate([triangles, cap]), shapes, _paint())


def _turned(
    vertices: Float[np.ndarray, "vertices 3"], given_turn: Float[np.ndarray, "3 3"]
) -> Float[np.ndarray, "vertices 3"]:
    """Displacement by the full gaze about the axis of `given_turn`.

    Anny's own eyes turn 9 to 14 degrees, too little for captured gaze to look where it did. A
    weight moves vertices along a line: along the chord the eye would shrink half way, along the
    tangent it would grow; their mean keeps its size within 3 % up to a weight of 0.7.
    """
    axis = rotation.axis_angle_from_matrix(given_turn)
    full = axis / np.linalg.norm(axis) * arkit.EYE_LOOK_RADIANS
    chord = vertices @ rotation.matrix_from_axis_angle(full).T - vertices
    return (chord + np.cross(full, vertices)) / 2


def _unit_eye() -> Float[np.ndarray, "vertices 3"]:
    polar = np.radians(_RINGS_DEGREES)[:, None]
    around = np.arange(_SIDES) * 2 * np.pi / _SIDES
    sphere = np.stack(
        np.broadcast_arrays(
            np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around), np.cos(polar)
        ),
        axis=-1,
    )
    bulge = 1 + CORNEA_BULGE * (1 - smoothstep(0, 21, _RINGS_DEGREES))
    return (sphere * bulge[:, None, None]).reshape(-1, 3)


def _paint() -> Float[np.ndarray, "vertices 3"]:
    angle = _RINGS_DEGREES
    color = mix(_IRIS_INNER, _IRIS_OUTER, smoothstep(7, 15, angle))
    color = mix(_PUPIL, color, smoothstep(6.0, 7.2, angle))
    color = mix(color, _LIMBUS, smoothstep(14.0, 16.6, angle))
    color = mix(color, _SCLERA, smoothstep(16.6, 18.8, angle))
    # Towards the lids the white reddens and lies in their shade.
    color = mix(color, _BLOODSHOT, 0.8 * smoothstep(24, 55, angle))
    return np.repeat(color, _SIDES, axis=0)
