"""How landmarks in the picture follow from weights and pose, to first order, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinevox.capture._base import Camera
from kinevox.capture.correspond import LIDS
from kinevox.capture.fit.model import CHANNELS, FaceModel

POSE = 6
"""Unknowns of a pose: rotation by a small vector in the camera's axes, then translation [m]."""
_FACE = 0.09
"""Between the outer corners of an average face's eyes [m]."""
_NOISE = 0.03
"""Error that counts as one, in face sizes: what a model of this kind leaves unexplained."""
_TAIL = 2.0
"""Errors beyond this many units count less and less (Cauchy)."""
_DEPTH = 0.2
"""How much an error of the tracker's depth counts of one in the picture: it is a guess, but the
only one that tells a face that looks up from one whose profile recedes."""
_COVERED = (0.3, 0.7)
"""Shares of the lids' gap at rest at which an eye is covered, and in full view."""
ENTRIES = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
"""Of a symmetric matrix of three rows, in the order of `Errors.squares`."""


@dataclass(frozen=True, eq=False)
class Pose:
    """Where the head is: seen = rotation @ landmark + translation, in the camera's axes."""

    rotation: Float[np.ndarray, "frames 3 3"]
    translation: Float[np.ndarray, "frames 3"]
    """[m]"""


@dataclass(frozen=True, eq=False)
class Errors:
    """What features of the picture are off by, and how that changes with the landmarks."""

    residual: Float[np.ndarray, "3 frames features"]
    """Seen minus predicted, right, down and away, in units of expected error."""
    slope: Float[np.ndarray, "3 3 frames features"]
    """Change of the prediction with the landmark in the head's axes [1/m]."""
    weight: Float[np.ndarray, "frames features"]

    def squares(self) -> Float[np.ndarray, "6 frames features"]:
        """Slope' slope, weighted: the entries named by `ENTRIES`."""
        return np.stack(
            [self.weight * (self.slope[:, a] * self.slope[:, b]).sum(axis=0) for a, b in ENTRIES]
        )

    def pulls(self) -> Float[np.ndarray, "3 frames features"]:
        """Slope' residual, weighted."""
        return (self.slope * (self.weight * self.residual)[:, None]).sum(axis=0)


def errors(
    model: FaceModel,
    camera: Camera,
    weights: Float[np.ndarray, "frames channels"],
    pose: Pose,
    seen: Float[np.ndarray, "frames points 3"],
) -> Errors:
    """Compares predicted with seen features."""
    placed = place(model.points(weights), pose)
    unit = _NOISE * camera.focal * _FACE / -pose.translation[:, 2, None]
    off = np.moveaxis((seen[..., :2] - camera.project(placed)) / unit[..., None], -1, 0)
    residual = [(model.features @ side.T).T for side in off]
    middle = np.moveaxis(placed, -1, 0)
    middle = np.stack([(model.middles @ axis.T).T for axis in middle])
    scale = camera.focal / -middle[2] / unit
    # Of the projection: (1, 0, x / depth) and (0, -1, -y / depth), turned into the head's axes.
    R, slant = pose.rotation[:, None], middle[:2] / -middle[2]
    slope = np.stack(
        [
            [scale * (R[..., 0, k] + slant[0] * R[..., 2, k]) for k in range(3)],
            [-scale * (R[..., 1, k] + slant[1] * R[..., 2, k]) for k in range(3)],
        ]
    )
    weight = model.importance / (1 + sum(np.square(side) for side in residual) / _TAIL**2)
    weight = weight * _eyes_open(model, camera, pose, seen)
    # Depth is compared around its mean, and for landmarks alone.
    zoom = _DEPTH * camera.focal / -pose.translation[:, 2, None] / unit
    if not seen[..., 2].any():
        zoom = 0 * zoom
    guess = seen[..., 2] * _DEPTH / unit + zoom * placed[..., 2]
    alone = np.asarray(model.features.sum(axis=1)).ravel()
    if zoom.any():
        residual.append(alone * (model.features @ (guess - guess.mean(1, keepdims=True)).T).T)
    else:
        residual.append(np.zeros_like(residual[0]))
    away = [-zoom * alone * R[..., 2, k] for k in range(3)]
    return Errors(np.stack(residual), np.concatenate([slope, np.stack(away)[None]]), weight)


def _eyes_open(model: FaceModel, camera: Camera, pose: Pose, seen: np.ndarray) -> np.ndarray:
    """How much of each feature is to be seen: the tracker makes up where a covered eye looks."""
    result = np.ones((len(seen), len(model.importance)))
    for ids, gaze in zip(LIDS, model.gaze, strict=True):
        upper, lower = model.pairs(ids).T
        if len(upper):
            gap = np.linalg.norm(seen[:, upper, :2] - seen[:, lower, :2], axis=-1).mean(axis=1)
            rest = np.linalg.norm(model.neutral[upper] - model.neutral[lower], axis=-1).mean()
            share = gap * -pose.translation[:, 2] / (camera.focal * rest)
            low, high = _COVERED
            result[:, gaze] = np.clip((share - low) / (high - low), 0.01, 1)[:, None]
    return result


def place(points: Float[np.ndarray, "frames points 3"], pose: Pose) -> np.ndarray:
    """Landmarks in the camera's axes [m]."""
    return points @ np.swapaxes(pose.rotation, 1, 2) + pose.translation[:, None]


class NormalEquations:
    """Builds Gram matrices of weights and pose for many frames with one matrix product.

    With J the slope of a feature and B its displacements, the Gram matrix is the sum over features
    of B' (J' J) B: linear in six numbers per feature and frame. They serve every neutral face.
    """

    def __init__(self, model: FaceModel):
        moves = np.stack([model.features @ model.basis[..., a].T for a in range(3)], axis=1)
        self._upper = np.triu_indices(len(CHANNELS))
        products = []
        for a, b in ENTRIES:
            outer = moves[:, a, :, None] * moves[:, b, None, :]
            if a != b:
                outer = outer + np.swapaxes(outer, 1, 2)
            products.append(outer[:, self._upper[0], self._upper[1]])
        self._products = np.concatenate(products).astype(np.float32)
        self._moves = np.concatenate(list(np.moveaxis(moves, 1, 0))).astype(np.float32)
        self._shift = np.asarray(model.features.sum(axis=1)).ravel()

    def __call__(
        self,
        model: FaceModel,
        found: Errors,
        weights: Float[np.ndarray, "frames channels"],
        pose: Pose,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Gram matrix and right-hand side of a small change.

        The unknowns are weights, a turn by a small vector and a shift [m] in the camera's axes.
        """
        frames, count = len(weights), len(CHANNELS)
        flat = np.concatenate(list(found.squares()), axis=1).astype(np.float32)
        gram = np.zeros((frames, count + POSE, count + POSE))
        upper = flat @ self._products
        gram[:, self._upper[0], self._upper[1]] = upper
        gram[:, self._upper[1], self._upper[0]] = upper
        # A small turn v moves a landmark p by v x p, and a feature by v . (p x slope).
        points = np.moveaxis(model.points(weights), -1, 0)
        arms = np.stack([(model.features @ axis.T).T for axis in points])
        middle = points.mean(axis=2, keepdims=True)
        # Depth does not feel a shift, and turns about its mean.
        about = (arms, arms, arms - self._shift * middle)
        lever = np.stack([_cross(a, row) for a, row in zip(about, found.slope, strict=True)])
        felt = np.array([1, 1, 0])[:, None, None, None]
        rigid = np.concatenate([lever, felt * self._shift * found.slope], axis=1)
        # From the head's axes, in which all this is short, to the camera's.
        R = np.swapaxes(pose.rotation, 1, 2)
        rigid = np.concatenate([_turned(rigid[:, :3], R), _turned(rigid[:, 3:], R)], axis=1)
        weighted = found.weight * found.slope
        for p in range(POSE):
            side = (weighted * rigid[:, None, p]).sum(axis=0)
            side = np.concatenate(list(side), axis=1).astype(np.float32) @ self._moves
            gram[:, :count, count + p] = gram[:, count + p, :count] = side
        rows = np.swapaxes(rigid * np.sqrt(found.weight), 1, 2)
        gram[:, count:, count:] = (rows @ np.swapaxes(rows, 2, 3)).sum(axis=0)
        right = np.zeros((frames, count + POSE))
        right[:, :count] = np.concatenate(list(found.pulls()), axis=1) @ self._moves
        pull = found.weight * found.residual
        right[:, count:] = (rigid * pull[:, None]).sum(axis=(0, 3)).T
        return gram, right


def _turned(rows: np.ndarray, R: Float[np.ndarray, "frames 3 3"]) -> np.ndarray:
    """Vectors along the second axis, frames along the third, multiplied by R' of their frame."""
    return np.stack(
        [sum(R[:, k, c, None] * rows[:, k] for k in range(3)) for c in range(3)], axis=1
    )


def _cross(a: Float[np.ndarray, "3 *batch"], b: Float[np.ndarray, "3 *batch"]) -> np.ndarray:
    return np.stack(
        [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
    )
