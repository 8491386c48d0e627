"""Who it is: the neutral face of one person, from many frames together.

The neutral face is the average one plus an offset of every landmark. Which offsets are likely is
a Gaussian: what phenotypes explain, a smooth rest that is mostly symmetric, and a little that is
free. Pose and scale are taken out of the rest, since they belong to the head's pose.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from kinevox.capture.correspond import load_table
from kinevox.capture.fit.linearize import errors
from kinevox.capture.fit.frames import FrameFit, State
from kinevox.capture.fit.model import FaceModel

_SMOOTH, _ASYMMETRIC, _FREE = 0.004, 0.001, 0.001
"""Standard deviation of the smooth offset shared by both sides, of that which differs between
them, and of what every landmark has of its own [m]."""
_REACH = 0.03
"""Distance over which smooth offsets are alike [m]."""
_RIGID = 1e-6


@dataclass(frozen=True, eq=False)
class People:
    """Which neutral faces are likely: a Gaussian around the average."""

    mean: Float[np.ndarray, "points 3"]
    precision: Float[np.ndarray, "coordinates coordinates"]
    modes: Float[np.ndarray, "modes coordinates"]

    def coefficients(self, neutral: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, " modes"]:
        """The most likely share of phenotype modes in a face."""
        return self.modes @ (self.precision @ (neutral - self.mean).ravel())


def likely_people(ids: Int[np.ndarray, " points"]) -> People:
    """The Gaussian for some of the landmarks."""
    table = load_table()
    mean = table.mean[ids]
    flipped = table.mean[table.partners][ids] * [-1, 1, 1]
    near, far = (_alike(mean, other) for other in (mean, flipped))
    mirror = np.array([-1.0, 1.0, 1.0])
    spread = _SMOOTH**2 / 2
    smooth = np.zeros((len(ids), 3, len(ids), 3))
    for axis in range(3):
        smooth[:, axis, :, axis] = spread * (near + mirror[axis] * far) + _ASYMMETRIC**2 * near
    smooth = smooth.reshape(3 * len(ids), -1)
    rigid = _rigid_and_scale(mean)
    smooth = smooth - rigid @ (rigid.T @ smooth)
    smooth = smooth - (smooth @ rigid) @ rigid.T
    modes = table.modes[:, ids].reshape(len(table.modes), -1)
    covariance = smooth + _FREE**2 * np.eye(len(smooth)) + modes.T @ modes
    return People(mean, np.linalg.inv(covariance), modes)


def _alike(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    square = np.square(a[:, None] - b[None]).sum(axis=-1)
    return np.exp(-square / (2 * _REACH**2))


def _rigid_and_scale(points: Float[np.ndarray, "points 3"]) -> np.ndarray:
    """Orthonormal columns: how landmarks move when all are shifted, turned or scaled."""
    arms = points - points.mean(axis=0)
    ways = [np.broadcast_to(axis, arms.shape) for axis in np.eye(3)]
    ways += [np.cross(axis, arms) for axis in np.eye(3)]
    ways.append(arms)
    return np.linalg.qr(np.stack([way.ravel() for way in ways], axis=1))[0]


def improve_neutral(
    people: People,
    fitted: FrameFit,
    seen: Float[np.ndarray, "frames points 2"],
    state: State,
) -> Float[np.ndarray, "points 3"]:
    """The most likely neutral face, given weights and poses."""
    model, R = fitted.model, state.pose.rotation
    found = errors(model, fitted.camera, state.weights, state.pose, seen)
    weighted = found.slope * found.weight[..., None, None]
    square = np.einsum("tfxa,tfxb->tfab", weighted, found.slope)
    square = np.einsum("tca,tfcd,tdb->fab", R, square, R, optimize=True)
    pull = np.einsum("tfxa,tfx->tfa", weighted, found.residual)
    pull = np.einsum("tca,tfc->fa", R, pull)
    L, count = model.features, model.features.shape[1]
    gram = np.einsum("fi,fab,fj->iajb", L, square, L, optimize=True).reshape(3 * count, -1)
    right = (L.T @ pull).ravel()
    # Neighbouring frames err alike: a long video is not that much surer than a short one.
    trust = 1 / max(1.0, len(seen) / 50)
    offset = (model.neutral - people.mean).ravel()
    change = np.linalg.solve(
        trust * gram + people.precision, trust * right - people.precision @ offset
    )
    return model.neutral + change.reshape(-1, 3)
