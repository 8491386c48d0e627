"""Least squares within bounds, for many right-hand sides at once."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

_MOST_STEPS = 5000
_TOLERANCE = 1e-6
"""A row is solved when its gradient, in units of each channel's own curvature, is below this."""


def bounded_least_squares(
    gram: Float[np.ndarray, "k k"],
    products: Float[np.ndarray, "rows k"],
    low: Float[np.ndarray, " k"],
    high: Float[np.ndarray, " k"],
    start: Float[np.ndarray, "rows k"],
) -> Float[np.ndarray, "rows k"]:
    """Minimizes x G x / 2 - p x over low <= x <= high for every row p of `products`.

    Projected gradient with momentum, which a row drops whenever it points uphill.

    Args:
        gram: Symmetric and positive definite.
        start: Where to begin, e.g. the solution for a similar problem.

    Source: Beck and Teboulle 2009 (FISTA); O'Donoghue and Candes 2015, section 3.2 (restarts).
    """
    # Channels differ in scale (weights, radians); in units of their own curvature they do not.
    unit = 1 / np.sqrt(np.diag(gram))
    scaled, aim = gram * unit[:, None] * unit, products * unit
    floor, ceiling = low / unit, high / unit
    rate = 1 / np.linalg.eigvalsh(scaled)[-1]
    result = np.clip(start / unit, floor, ceiling)
    moving = np.arange(len(result))
    x = y = result.copy()
    momentum = np.ones((len(x), 1))
    for _ in range(_MOST_STEPS):
        if len(moving) == 0:
            break
        new = np.clip(y - rate * (y @ scaled - aim[moving]), floor, ceiling)
        uphill = np.sum((y - new) * (new - x), axis=1, keepdims=True) > 0
        momentum = np.where(uphill, 1.0, momentum)
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        step = new - x
        y = np.where(uphill, new, new + (momentum - 1) / following * step)
        x, momentum = new, following
        result[moving] = x
        # A step is the rate times what bounds leave of the gradient.
        going = (np.abs(step).max(axis=1) > _TOLERANCE * rate) | uphill[:, 0]
        moving, x, y, momentum = moving[going], x[going], y[going], momentum[going]
    # Scaling back may round a bound up.
    return np.clip(result * unit, low, high)
