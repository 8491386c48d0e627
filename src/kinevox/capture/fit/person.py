"""Who it is: the neutral face of one person, from many frames together.

The neutral face is the average one plus an offset of every landmark. Which offsets are likely is
a Gaussian: what phenotypes explain, a smooth rest that is mostly symmetric, and a little that is
free. Pose and scale are taken out of the rest, since they belong to the head's pose.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float
from scipy.linalg import cho_factor, cho_solve

from kinevox.capture.correspond import load_table
from kinevox.capture.fit.calibrate import Gaps
from kinevox.capture.fit.frames import FrameFit, State
from kinevox.capture.fit.linearize import ENTRIES, errors

_SMOOTH = ((0.03, 0.004), (0.008, 0.002))
"""Distances over which offsets are alike, and their standard deviations [m]: shape of the face,
and of lips, lids and nose."""
_ASYMMETRIC = 0.25
"""Share of a smooth offset that may differ between the sides."""
_FREE = 0.0007
"""Standard deviation of what every landmark has of its own [m]."""
_GAP = 0.0003
"""How far the gap of resting lips or lids may be off [m]."""


@dataclass(frozen=True, eq=False)
class People:
    """Which neutral faces are likely: a Gaussian around the average."""

    mean: Float[np.ndarray, "points 3"]
    precision: Float[np.ndarray, "coordinates coordinates"]
    modes: Float[np.ndarray, "modes coordinates"]

    def coefficients(self, neutral: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, " modes"]:
        """The most likely share of phenotype modes in a face."""
        return self.modes @ (self.precision @ (neutral - self.mean).ravel())


@lru_cache(maxsize=4)
def likely_people(landmarks: tuple[int, ...]) -> People:
    """The Gaussian for some of the landmarks."""
    table, ids = load_table(), np.array(landmarks)
    mean = table.mean[ids]
    flipped = mean * [-1, 1, 1]
    smooth = np.zeros((len(ids), 3, len(ids), 3))
    for reach, spread in _SMOOTH:
        near, far = (_alike(mean, other, reach) for other in (mean, flipped))
        for axis, sign in enumerate((-1, 1, 1)):
            both = (near + sign * far) / 2 + _ASYMMETRIC**2 * near
            smooth[:, axis, :, axis] += spread**2 * both
    smooth = smooth.reshape(3 * len(ids), -1)
    rigid = _rigid_and_scale(mean)
    smooth = smooth - rigid @ (rigid.T @ smooth)
    smooth = smooth - (smooth @ rigid) @ rigid.T
    modes = table.modes[:, ids].reshape(len(table.modes), -1)
    covariance = smooth + _FREE**2 * np.eye(len(smooth)) + modes.T @ modes
    return People(mean, np.linalg.inv(covariance), modes)


def _alike(a: np.ndarray, b: np.ndarray, reach: float) -> np.ndarray:
    square = np.square(a[:, None] - b[None]).sum(axis=-1)
    return np.exp(-square / (2 * reach**2))


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
    seen: Float[np.ndarray, "frames points 3"],
    state: State,
    gaps: Gaps,
) -> Float[np.ndarray, "points 3"]:
    """The most likely neutral face, given weights and poses, and how lips and lids rest."""
    model = fitted.model
    found = errors(model, fitted.camera, state.weights, state.pose, seen)
    square, pull = found.squares().sum(axis=1), found.pulls().sum(axis=1)
    L, count = model.features, len(model.neutral)
    gram = np.zeros((count, 3, count, 3))
    for (a, b), values in zip(ENTRIES, square, strict=True):
        block = (L.T @ (L * values[:, None])).toarray()
        gram[:, a, :, b] = gram[:, b, :, a] = block
    gram = gram.reshape(3 * count, -1)
    right = (L.T @ pull.T).ravel()
    # Neighbouring frames err alike: a long video is not that much surer than a short one.
    trust = 1 / max(1.0, len(seen) / 50)
    gram, right = trust * gram, trust * right
    up, down = 3 * gaps.upper + 1, 3 * gaps.lower + 1
    missing = gaps.height - (model.neutral[gaps.upper, 1] - model.neutral[gaps.lower, 1])
    for sign, rows in ((1, up), (-1, down)):
        gram[rows, up] += sign / _GAP**2
        gram[rows, down] -= sign / _GAP**2
        right[rows] += sign * missing / _GAP**2
    offset = (model.neutral - people.mean).ravel()
    factor = cho_factor(gram + people.precision, overwrite_a=True, check_finite=False)
    change = cho_solve(factor, right - people.precision @ offset, check_finite=False)
    return model.neutral + change.reshape(-1, 3)
