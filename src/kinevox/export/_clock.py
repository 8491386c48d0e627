"""From the times a file states to frames at a steady rate."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from kinevox import rotation
from kinevox.errors import MotionError
from kinevox.timebase import frame_times

_SLOWEST_FPS, _FASTEST_FPS = 1.0, 1000.0
_MOST_FILL = 10
"""Frames that resampling may make from one that is there; more means broken times."""


def steady(
    times: Float[np.ndarray, " rows"],
    weights: Float[np.ndarray, "rows columns"],
    turns: Float[np.ndarray, "rows 4"],
    default_fps: float,
) -> tuple[float, Float[np.ndarray, "frames columns"], Float[np.ndarray, "frames 4"]]:
    """Frame rate, and the curves on frames at that rate.

    Rows that already lie on the frames pass unchanged. Where rows are missing or irregular the
    curves are interpolated: weights by a monotone cubic, rotations along great arcs.

    Args:
        times: Strictly increasing [s].
        turns: Unit quaternions, wxyz.
        default_fps: Rate of a single row.

    Raises:
        MotionError: the times give no usable rate.
    """
    if len(times) < 2:
        return default_fps, weights, turns
    fps = _rate(times)
    offsets = times - times[0]
    count = round(offsets[-1] * fps) + 1
    if not _SLOWEST_FPS <= fps <= _FASTEST_FPS or count > _MOST_FILL * len(times):
        raise MotionError(
            f"{len(times)} rows over {offsets[-1]:.3f} s, typically "
            f"{np.median(np.diff(times)):.6f} s apart, give no usable frame rate. "
            "Check the file's times."
        )
    grid = frame_times(count, fps)
    if count == len(times) and np.abs(offsets - grid).max() < 0.1 / fps:
        return fps, weights, turns
    from scipy.interpolate import PchipInterpolator

    at = np.clip(grid, 0, offsets[-1])
    before = np.clip(np.searchsorted(offsets, at, side="right") - 1, 0, len(times) - 2)
    fraction = (at - offsets[before]) / (offsets[before + 1] - offsets[before])
    arcs = rotation.slerp(turns[before], turns[before + 1], fraction)
    return fps, PchipInterpolator(offsets, weights)(at), arcs


def _rate(times: Float[np.ndarray, " rows"]) -> float:
    """The usual rate [frames/s] nearest to the median step, when one is within half a percent."""
    steps = np.diff(times)
    step = np.median(steps)
    if np.all(np.abs(steps - step) < 0.25 * step):
        # No row is missing, so the span tells more than one step, which may be rounded.
        step = (times[-1] - times[0]) / len(steps)
    fps = 1.0 / step
    near = min((round(fps), round(fps * 1.001) * 1000 / 1001), key=lambda rate: abs(rate - fps))
    return float(near) if abs(near - fps) < 5e-3 * fps else round(float(fps), 3)
