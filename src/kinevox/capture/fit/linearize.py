"""How landmarks in the picture follow from weights and pose, to first order, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinevox.capture._base import Camera
from kinevox.capture.fit.model import CHANNELS, FaceModel

POSE = 6
"""Unknowns of a pose: rotation by a small vector in the camera's axes, then translation [m]."""
_FACE = 0.09
"""Between the outer corners of an average face's eyes [m]."""
_NOISE = 0.03
"""Error that counts as one, in face sizes: what a model of this kind leaves unexplained."""
_TAIL = 2.0
"""Errors beyond this many units count less and less (Cauchy)."""
_FLAT = [(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)]


@dataclass(frozen=True, eq=False)
class Pose:
    """Where the head is: seen = rotation @ landmark + translation, in the camera's axes."""

    rotation: Float[np.ndarray, "frames 3 3"]
    translation: Float[np.ndarray, "frames 3"]
    """[m]"""


@dataclass(frozen=True, eq=False)
class Errors:
    """What features of the picture are off by, and how that changes with the landmarks."""

    residual: Float[np.ndarray, "frames features 2"]
    """Seen minus predicted, in units of expected error."""
    slope: Float[np.ndarray, "frames features 2 3"]
    """Change of the prediction with the landmark in the camera's axes [1/m]."""
    weight: Float[np.ndarray, "frames features"]


def errors(
    model: FaceModel,
    camera: Camera,
    weights: Float[np.ndarray, "frames channels"],
    pose: Pose,
    seen: Float[np.ndarray, "frames points 2"],
) -> Errors:
    """Compares predicted with seen features."""
    placed = place(model.points(weights), pose)
    depth = -placed[..., 2]
    unit = (_NOISE * camera.focal * _FACE / -pose.translation[:, 2])[:, None]
    off = (seen - camera.project(placed)) / unit[..., None]
    slope = np.zeros((*placed.shape[:2], 2, 3))
    scale = camera.focal / depth / unit
    slope[..., 0, 0], slope[..., 1, 1] = scale, -scale
    slope[..., 0, 2] = scale * placed[..., 0] / depth
    slope[..., 1, 2] = -scale * placed[..., 1] / depth
    share = np.abs(model.features)
    share = share / share.sum(axis=1, keepdims=True)
    count = len(slope)
    residual = np.matmul(model.features, off)
    slope = np.matmul(share, slope.reshape(count, -1, 6)).reshape(count, -1, 2, 3)
    square = np.square(residual).sum(axis=-1)
    return Errors(residual, slope, model.importance / (1 + square / _TAIL**2))


def place(points: Float[np.ndarray, "frames points 3"], pose: Pose) -> np.ndarray:
    """Landmarks in the camera's axes [m]."""
    return points @ np.swapaxes(pose.rotation, 1, 2) + pose.translation[:, None]


class NormalEquations:
    """Builds Gram matrices of weights and pose for many frames with one matrix product.

    With J the slope of a feature and B its displacements, the Gram matrix is the sum over features
    of B' (R' J' J R) B: linear in six numbers per feature and frame.
    """

    def __init__(self, model: FaceModel):
        self._model = model
        self._moves = np.einsum("fp,kpd->fkd", model.features, model.basis)
        count = len(CHANNELS)
        self._upper = np.triu_indices(count)
        products = []
        for a, b in _FLAT:
            outer = self._moves[:, :, None, a] * self._moves[:, None, :, b]
            if a != b:
                outer = outer + np.swapaxes(outer, 1, 2)
            products.append(outer[:, self._upper[0], self._upper[1]])
        self._products = np.concatenate(products).astype(np.float32)
        self._flat_moves = np.swapaxes(self._moves, 0, 1).reshape(count, -1)

    def __call__(
        self,
        found: Errors,
        weights: Float[np.ndarray, "frames channels"],
        pose: Pose,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Gram matrix and right-hand side of a small change of weights, then pose."""
        model, R = self._model, pose.rotation
        frames, count = len(R), len(CHANNELS)
        weighted = found.slope * found.weight[..., None, None]
        square = np.einsum("tfxa,tfxb->tfab", weighted, found.slope)
        pull = np.einsum("tfxa,tfx->tfa", weighted, found.residual)
        inner = np.einsum("tca,tfcd,tdb->tfab", R, square, R, optimize=True)
        flat = np.concatenate([inner[..., a, b] for a, b in _FLAT], axis=1).astype(np.float32)
        gram = np.zeros((frames, count + POSE, count + POSE))
        upper = flat @ self._products
        gram[:, self._upper[0], self._upper[1]] = upper
        gram[:, self._upper[1], self._upper[0]] = upper
        # A turn by a small vector v moves a landmark q by v x q. Landmarks of a difference turn by
        # their own arms.
        arms = model.points(weights) @ np.swapaxes(R, 1, 2)
        arms = np.matmul(model.features, arms)
        shift = model.features.sum(axis=1)
        lever = _cross_matrix(arms)
        move = np.concatenate(
            [lever, np.broadcast_to(shift[:, None, None] * np.eye(3), lever.shape)], axis=-1
        )
        turned = np.einsum("tfab,tfbp->tfap", square, move)
        side = np.einsum("tca,tfcp->tfap", R, turned).reshape(frames, -1, POSE)
        side = np.matmul(self._flat_moves, side)
        gram[:, :count, count:] = side
        gram[:, count:, :count] = np.swapaxes(side, 1, 2)
        gram[:, count:, count:] = np.einsum("tfap,tfaq->tpq", move, turned)
        right = np.zeros((frames, count + POSE))
        right[:, :count] = (
            np.einsum("tca,tfc->tfa", R, pull).reshape(frames, -1) @ self._flat_moves.T
        )
        right[:, count:] = np.einsum("tfap,tfa->tp", move, pull)
        return gram, right


def _cross_matrix(arms: Float[np.ndarray, "frames features 3"]) -> np.ndarray:
    """M with M v = v x arm."""
    result = np.zeros((*arms.shape, 3))
    x, y, z = np.moveaxis(arms, -1, 0)
    result[..., 0, 1], result[..., 0, 2] = z, -y
    result[..., 1, 0], result[..., 1, 2] = -z, x
    result[..., 2, 0], result[..., 2, 1] = y, -x
    return result
