"""Pieces a head is put together from, and small tools to model them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True, eq=False)
class Piece:
    """One mesh of a head, with its displacement for every expression."""

    name: str
    vertices: Float[np.ndarray, "vertices 3"]
    triangles: Int[np.ndarray, "triangles 3"]
    shapes: Float[np.ndarray, "shapes vertices 3"]
    colors: Float[np.ndarray, "vertices 3"]
    """Linear RGB in [0, 1]."""


def join(pieces: Sequence[Piece]) -> dict[str, np.ndarray]:
    """One mesh of all pieces; `part_bounds` says which vertices belong to which."""
    stops = np.cumsum([len(piece.vertices) for piece in pieces])
    starts = np.concatenate([[0], stops[:-1]])
    return {
        "template": np.concatenate([p.vertices for p in pieces]).astype(np.float32),
        "triangles": np.concatenate(
            [p.triangles + start for p, start in zip(pieces, starts, strict=True)]
        ).astype(np.int32),
        "shapes": np.concatenate([p.shapes for p in pieces], axis=1).astype(np.float32),
        "colors": np.concatenate([p.colors for p in pieces]).astype(np.float32),
        "part_names": np.array([p.name for p in pieces]),
        "part_bounds": np.stack([starts, stops], axis=1),
    }


def merge(name: str, *pieces: Piece) -> Piece:
    """Several pieces as one."""
    whole = join(pieces)
    return Piece(name, *(whole[key] for key in ("template", "triangles", "shapes", "colors")))


def sheet(rows: int, columns: int, *, closed: bool = False) -> Int[np.ndarray, "triangles 3"]:
    """Triangles of a grid numbered row by row; `closed` joins the last column to the first.

    Seen with rows downwards and columns to the right, the triangles face the viewer.
    """
    corner = np.arange(rows * columns).reshape(rows, columns)
    if closed:
        corner = np.concatenate([corner, corner[:, :1]], axis=1)
    a, b, c, d = (
        part.ravel()
        for part in (corner[:-1, :-1], corner[:-1, 1:], corner[1:, :-1], corner[1:, 1:])
    )
    return np.concatenate([np.stack([a, c, d], axis=1), np.stack([a, d, b], axis=1)])


def smoothstep(low: float, high: float, value: np.ndarray) -> np.ndarray:
    """0 below `low`, 1 above `high`, a smooth cubic between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def mix(
    first: Float[np.ndarray, "*#points 3"] | Sequence[float],
    second: Float[np.ndarray, "*#points 3"] | Sequence[float],
    amount: Float[np.ndarray, " points"],
) -> Float[np.ndarray, "points 3"]:
    """From the first colour (amount 0) to the second (amount 1)."""
    weight = amount[:, None]
    return (1 - weight) * np.asarray(first) + weight * np.asarray(second)


def fit_rigid(
    before: Float[np.ndarray, "points 3"], after: Float[np.ndarray, "points 3"]
) -> tuple[Float[np.ndarray, "3 3"], Float[np.ndarray, "3"]]:
    """Rotation R and shift t that bring `before @ R.T + t` nearest to `after`.

    Source: Kabsch 1976.
    """
    middle_before, middle_after = before.mean(axis=0), after.mean(axis=0)
    u, _, v = np.linalg.svd((before - middle_before).T @ (after - middle_after))
    flip = np.diag([1, 1, np.sign(np.linalg.det(u @ v))])
    rotation = (u @ flip @ v).T
    return rotation, middle_after - rotation @ middle_before
