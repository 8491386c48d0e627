"""Where a head ends: its neck stays put below while the head turns, and fades out at the cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import sparse
from scipy.spatial import KDTree

from kinevox.heads import Head

_STILL = 0.2
"""Over this distance from its cut, in heights of the head, the neck takes part in a turn."""
_FADE = 0.085
"""It fades into the backdrop over this one."""


@dataclass(frozen=True, eq=False)
class Neck:
    """Per vertex: how much of the head's turn it takes, and how far it has faded."""

    share: Float[np.ndarray, " vertices"]
    fade: Float[np.ndarray, " vertices"]

    def turn(
        self, vertices: Float[np.ndarray, "vertices 3"], axis_angle: Float[np.ndarray, " 3"]
    ) -> Float[np.ndarray, "vertices 3"]:
        """Each vertex turned about the origin by its share of the angle (Rodrigues)."""
        angle = float(np.linalg.norm(axis_angle))
        if angle < 1e-9:
            return vertices
        axis = axis_angle / angle
        sine = np.sin(self.share * angle)[:, None]
        versine = (1 - np.cos(self.share * angle))[:, None]
        across = np.cross(axis, vertices)
        return vertices + sine * across + versine * np.cross(axis, across)


def find_neck(head: Head) -> Neck:
    """The neck's cut is the lowest open border of the mesh; without one nothing stays or fades."""
    count, height = len(head.template), float(np.ptp(head.template[:, 1]))
    cut = _lowest_border(head)
    if cut is None:
        return Neck(np.ones(count), np.zeros(count))
    distance = KDTree(head.template[cut]).query(head.template)[0] / height
    # Teeth and eyes belong to the skull however near the cut.
    skin = np.zeros(count, dtype=bool)
    for part in head.parts:
        skin[part.start : part.stop] = part.name == "skin"
    return Neck(
        np.where(skin, _smooth(distance / _STILL), 1.0),
        np.where(skin, 1 - _smooth(distance / _FADE), 0.0),
    )


def _lowest_border(head: Head) -> np.ndarray | None:
    sides = np.sort(head.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    edges, uses = np.unique(sides, axis=0, return_counts=True)
    border = edges[uses == 1]
    if not len(border):
        return None
    count, heights = len(head.template), head.template[:, 1]
    links = sparse.coo_array((np.ones(len(border)), border.T), shape=(count, count))
    loop = sparse.csgraph.connected_components(links, directed=False)[1]
    on_border = np.unique(border)
    lowest = min(np.unique(loop[on_border]), key=lambda k: heights[loop == k].mean())
    cut = np.flatnonzero(loop == lowest)
    # A hole higher up (eyes, mouth) is no neck.
    is_neck = heights[cut].mean() < heights.min() + 0.3 * np.ptp(heights)
    return cut if is_neck else None


def _smooth(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)
