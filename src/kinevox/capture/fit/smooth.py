"""Least squares within bounds over a stretch of frames that lean on their neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.linalg import cho_solve_banded, cholesky_banded

_ROUNDS = 15
_STIFFNESS = 0.05
"""Pull of the bounds, in units of a channel's own curvature."""


@dataclass
class Dual:
    """What the bounds push back with; kept from one call to the next, it saves rounds."""

    force: Float[np.ndarray, "frames unknowns"]


def solve(
    gram: Float[np.ndarray, "frames unknowns unknowns"],
    products: Float[np.ndarray, "frames unknowns"],
    stiffness: Float[np.ndarray, " unknowns"],
    low: Float[np.ndarray, " unknowns"],
    high: Float[np.ndarray, " unknowns"],
    start: Float[np.ndarray, "frames unknowns"],
    dual: Dual,
) -> Float[np.ndarray, "frames unknowns"]:
    """Minimizes x G x / 2 - p x + stiffness |second difference of x|^2 / 2 over low <= x <= high.

    Frames form one banded system, factored once, or many small ones if nothing is stiff; bounds
    are met by the alternating direction method of multipliers.

    Source: Boyd et al. 2011, section 5.2 (quadratic programs).
    """
    frames, count = start.shape
    bounded = np.isfinite(low) | np.isfinite(high)
    diagonal = np.einsum("tkk->k", gram) / frames
    rho = np.where(bounded, _STIFFNESS * (diagonal + 6 * stiffness), 0.0)
    if frames > 2 and stiffness.any():
        factor = cholesky_banded(_banded(gram, stiffness, rho), lower=True, check_finite=False)
        inverse = None
    else:
        factor, inverse = None, np.linalg.inv(gram + np.diag(rho))
    x = inside = np.clip(start, low, high)
    for _ in range(_ROUNDS):
        target = products + rho * inside - dual.force
        if inverse is None:
            x = cho_solve_banded((factor, True), target.ravel(), check_finite=False)
            x = x.reshape(frames, count)
        else:
            x = np.matmul(inverse, target[..., None])[..., 0]
        with np.errstate(divide="ignore", invalid="ignore"):
            away = np.where(bounded, dual.force / rho, 0.0)
        inside = np.clip(x + away, low, high)
        dual.force = dual.force + rho * (x - inside)
    return np.where(bounded, inside, x)


def _banded(
    gram: Float[np.ndarray, "frames unknowns unknowns"],
    stiffness: Float[np.ndarray, " unknowns"],
    rho: Float[np.ndarray, " unknowns"],
) -> np.ndarray:
    """Lower bands of the whole system, as LAPACK stores them."""
    frames, count = gram.shape[:2]
    bands = np.zeros((2 * count + 1, frames, count))
    for k in range(count):
        bands[k, :, : count - k] = np.einsum("tii->ti", gram[:, k:, : count - k])
    # |x[s] - 2 x[s+1] + x[s+2]|^2 for every s.
    bands[0] += rho
    bands[0, :-2] += stiffness
    bands[0, 1:-1] += 4 * stiffness
    bands[0, 2:] += stiffness
    bands[count, :-2] -= 2 * stiffness
    bands[count, 1:-1] -= 2 * stiffness
    bands[2 * count, :-2] += stiffness
    return bands.reshape(len(bands), -1)
