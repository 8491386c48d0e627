"""Eyebrows and eyelashes: thin dark ribbons that ride on the skin beneath them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from scipy.interpolate import CubicSpline

from kinevox.heads import _anny_regions as anny
from kinevox.heads._anny_regions import Anatomy
from kinevox.heads._pieces import Piece, merge, mix, sheet

HAIR = np.array((0.045, 0.027, 0.017))
_LASH = np.array((0.012, 0.008, 0.007))

_BROW_COLUMNS = 24
_BROW_ROWS = ((0.62, 0.0), (0.42, 0.55), (0.1, 0.9), (-0.22, 0.95), (-0.45, 0.6), (-0.6, 0.0))
"""Across the brow: place in widths, density of the hair."""
_BROW_HEIGHT = np.array([0.45, 0.5, 0.6, 0.65, 0.6, 0.3])
"""Where the brow's middle runs between the vertices below and above it."""
_BROW_WIDTH, _BROW_LIFT, _LASH_LENGTH = 0.0058, 0.0006, 0.0019  # [m]


def eyebrows(
    skin: Float[np.ndarray, "skin 3"],
    shapes: Float[np.ndarray, "shapes skin 3"],
    triangles: Int[np.ndarray, "triangles 3"],
    anatomy: Anatomy,
    paint: Float[np.ndarray, "skin 3"],
) -> Piece:
    """Both brows: tapered ribbons over the ridge, a little above the skin."""
    below, above = skin[np.array(anny.BROW).T]
    middle = below + (above - below) * _BROW_HEIGHT[:, None]
    along = np.linspace(0, 1, _BROW_COLUMNS)
    middle = CubicSpline(np.linspace(0, 1, len(middle)), middle)(along)
    # Full at the nose, widest after a third, pointed at the temple.
    width = _BROW_WIDTH * np.interp(along, [0, 0.1, 0.35, 0.7, 1], [0.4, 0.85, 1, 0.7, 0.1])
    points = np.concatenate(
        [middle[:, :2] + np.outer(across * width, [0, 1]) for across, _ in _BROW_ROWS]
    )
    carry, normals = _carried_by(points, skin, triangles, anatomy)
    left = carry @ skin + _BROW_LIFT * normals
    mesh = sheet(len(_BROW_ROWS), _BROW_COLUMNS)
    # Thin at both ends and along the edges, where the skin shows through.
    ends = np.interp(along, [0, 0.15, 0.8, 1], [0.15, 1, 0.9, 0.3])
    density = np.outer([density for _, density in _BROW_ROWS], ends).ravel()
    color = mix(carry @ paint, HAIR, density)
    move_left, move_right = (
        np.einsum("ps,ksx->kpx", weights, shapes) for weights in (carry, carry[:, anatomy.mirror])
    )
    return merge(
        "brows",
        Piece("left", left, mesh, move_left, color),
        Piece("right", left * [-1, 1, 1], mesh[:, ::-1], move_right, color),
    )


def eyelashes(
    skin: Float[np.ndarray, "skin 3"],
    shapes: Float[np.ndarray, "shapes skin 3"],
    anatomy: Anatomy,
    eye_centres: Float[np.ndarray, "2 3"],
) -> Piece:
    """Upper lashes of the left and the right eye; they swing down as the lids close."""
    edge = np.array(anny.UPPER_LID_EDGE)
    mesh = sheet(2, len(edge))
    sides = []
    for base, centre, triangles in (
        (edge, eye_centres[0], mesh),
        (anatomy.mirror[edge], eye_centres[1], mesh[:, ::-1]),
    ):
        roots = np.concatenate([skin[base][None], skin[base] + shapes[:, base]])
        out = roots - (centre - [0, 0.006, 0.012])
        out /= np.linalg.norm(out, axis=-1, keepdims=True)
        length = _LASH_LENGTH * np.interp(
            np.linspace(0, 1, len(base)), [0, 0.2, 0.75, 1], [0, 0.6, 1, 0.2]
        )
        posed = np.concatenate([roots + length[:, None] * out, roots], axis=1)
        color = np.tile(_LASH, (posed.shape[1], 1))
        sides.append(Piece("side", posed[0], triangles, posed[1:] - posed[0], color))
    return merge("lashes", *sides)


def _carried_by(
    points: Float[np.ndarray, "points 2"],
    skin: Float[np.ndarray, "skin 3"],
    triangles: Int[np.ndarray, "triangles 3"],
    anatomy: Anatomy,
) -> tuple[Float[np.ndarray, "points skin"], Float[np.ndarray, "points 3"]]:
    """Weights of the skin vertices under points (x, y) of the front view, and its normals there."""
    seen = triangles[anatomy.visible[triangles].all(axis=1)]
    corners = skin[seen]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    facing = normals[:, 2] > 0
    seen, corners, normals = seen[facing], corners[facing], normals[facing]
    frame = np.concatenate([corners[..., :2], np.ones_like(corners[..., :1])], axis=-1)
    places = np.linalg.inv(frame)
    carry, up = np.zeros((len(points), len(skin))), np.zeros((len(points), 3))
    for row, point in enumerate(points):
        weights = np.array([*point, 1.0]) @ places
        depth = (weights * corners[..., 2]).sum(axis=1)
        under = int(np.where((weights >= -1e-9).all(axis=1), depth, -np.inf).argmax())
        carry[row, seen[under]] = weights[under]
        up[row] = normals[under] / np.linalg.norm(normals[under])
    return carry, up
