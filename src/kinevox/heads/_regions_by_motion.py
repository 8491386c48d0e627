"""Finds lips and brows on a head of unknown topology from the way it moves.

Opening the jaw tears neighbours apart along one line only, where the lips meet: there a vertex
that hardly moves lies next to one that goes down with the jaw.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.spatial import KDTree

from kinevox.heads._base import Regions

_COLUMNS = 15
"""Most columns of inner-lip pairs that are kept."""

_TORN = 3.0
"""Vertices that part by more than this many times their distance at rest lie on different lips."""


def find_regions(
    template: Float[np.ndarray, "vertices 3"],
    skin: Bool[np.ndarray, " vertices"],
    opening: Float[np.ndarray, "vertices 3"],
    upper_face: Bool[np.ndarray, " vertices"],
) -> Regions:
    """Lips and inner-lip pairs from what opening the jaw does.

    Args:
        skin: Vertices of the face itself, without eyes, teeth and tongue.
        opening: Displacement when the jaw opens [m].
        upper_face: Passed on, limited to the skin.

    Returns:
        Regions; without lips where the mouth is not seen to open.
    """
    upper = np.flatnonzero(upper_face & skin)
    pairs = _inner_lip_pairs(template, np.flatnonzero(skin), opening)
    if len(pairs) == 0:
        nothing = np.zeros(0, dtype=np.int64)
        return Regions(lips=nothing, inner_lip_pairs=pairs, upper_face=upper)
    line = template[pairs].mean(axis=1)
    width = np.ptp(line[:, 0])
    away, nearest = KDTree(line).query(template)
    # The lips lie around the line where they touch; what is far behind it is the mouth's cavity.
    around = skin & (away < 0.3 * width) & (template[:, 2] > line[nearest, 2] - 0.1 * width)
    return Regions(lips=np.flatnonzero(around), inner_lip_pairs=pairs, upper_face=upper)


def _inner_lip_pairs(
    template: Float[np.ndarray, "vertices 3"],
    skin: Int[np.ndarray, " skin"],
    opening: Float[np.ndarray, "vertices 3"],
) -> Int[np.ndarray, "pairs 2"]:
    """Upper and lower vertices that touch at rest and part when the jaw opens, right to left."""
    none = np.zeros((0, 2), dtype=np.int64)
    places, down = template[skin], -opening[skin, 1]
    farthest = down.max(initial=0.0)
    low = np.flatnonzero(down > 0.35 * farthest)
    high = np.flatnonzero(np.abs(down) < 0.2 * farthest)
    if farthest <= 0 or len(high) == 0:
        return none
    # Matching within a column matters more than matching in height or depth.
    sideways = np.array([2.0, 1.0, 1.0])
    gap, nearest_high = (
        np.asarray(found) for found in KDTree(places[high] * sideways).query(places[low] * sideways)
    )
    nearest_low = np.asarray(KDTree(places[low] * sideways).query(places[high] * sideways)[1])
    mutual = nearest_low[nearest_high] == np.arange(len(low))
    strain = (down[low] - down[high[nearest_high]]) / np.maximum(gap, 1e-4)
    torn = np.flatnonzero(mutual & (strain > _TORN))
    if len(torn) == 0:
        return none
    pairs = skin[np.stack([high[nearest_high[torn]], low[torn]], axis=1)]
    across = template[pairs, 0].mean(axis=1)
    # One pair per column, the one torn farthest apart.
    kept: list[int] = []
    for k in np.argsort(-strain[torn]):
        if all(abs(across[k] - across[other]) > np.ptp(across) / _COLUMNS for other in kept):
            kept.append(int(k))
    return pairs[sorted(kept, key=lambda k: across[k])]
