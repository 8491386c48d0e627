"""Where a video cuts from one shot to the next.

A cut changes the whole picture at once, movement changes it by and by: a cut is a step between
two small pictures that is large in itself and stands out from the steps around it.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from jaxtyping import Float, UInt8

from kinevox.capture._base import Shot

_ROWS = 24
"""Height of the small picture [pixels]."""
_LEAST = 0.025
"""Smallest step that may be a cut, as a part of full scale; sensor noise gives below 0.005."""
_STANDS_OUT = 4.0
"""How often a cut exceeds what three quarters of the steps around it stay below."""
_AROUND = 8
"""How many steps to each side are compared."""


def thumbnail(pixels: UInt8[np.ndarray, "height width 3"]) -> Float[np.ndarray, "rows columns 3"]:
    """The picture, a few pixels high, in [0, 1]."""
    height, width = pixels.shape[:2]
    block = max(height // _ROWS, 1)
    rows, columns = max(height // block, 1), max(width // block, 1)
    # Every fourth pixel of a large block is enough for its mean.
    step = max(block // 4, 1)
    whole = pixels[: rows * block, : columns * block].reshape(rows, block, columns, block, 3)
    return whole[:, ::step, :, ::step].mean(axis=(1, 3), dtype=np.float32) / 255


def step(before: Float[np.ndarray, "_ _ 3"] | None, after: Float[np.ndarray, "_ _ 3"]) -> float:
    """How much changed between two small pictures, 0 to 1; 0 before the first."""
    if before is None:
        return 0.0
    if before.shape != after.shape:
        return 1.0
    return float(np.abs(after - before).mean())


def find_shots(steps: Float[np.ndarray, " frames"]) -> tuple[Shot, ...]:
    """Shots from the step into each picture."""
    cuts = [t for t in range(1, len(steps)) if _is_cut(steps, t)]
    return shots_between(cuts, len(steps))


def shots_between(cuts: list[int], count: int) -> tuple[Shot, ...]:
    """Shots of `count` frames that begin at 0 and at each cut."""
    bounds = [0, *sorted({cut for cut in cuts if 0 < cut < count}), count]
    return tuple(Shot(a, b) for a, b in pairwise(bounds) if a < b)


def _is_cut(steps: np.ndarray, t: int) -> bool:
    around = np.concatenate([steps[max(t - _AROUND, 1) : t], steps[t + 1 : t + 1 + _AROUND]])
    usual = np.quantile(around, 0.75) if len(around) else 0.0
    return bool(steps[t] >= max(_LEAST, _STANDS_OUT * usual))
