"""Clocks: sample rates, frame rates and exact conversion between them.

Frame t of a clip covers the half-open interval [t / fps, (t + 1) / fps) and holds the pose at
the start of it. Audio sample n lies at n / sample_rate. See docs/conventions.md.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from jaxtyping import Float

from kinevox.errors import ConfigError

SAMPLE_RATE = 16_000
"""Rate of all speech inside kinevox [Hz]."""

FPS = 25.0
"""Frame rate of all motion inside kinevox [frames/s] (DiffPoseTalk)."""


def exact_fps(fps: float) -> Fraction:
    """The frame rate as a fraction; 29.97 and its kin become n * 1000 / 1001.

    Raises:
        ConfigError: `fps` is not a positive finite number.
    """
    if not np.isfinite(fps) or fps <= 0:
        raise ConfigError(f"The frame rate is {fps}; it must be a positive number such as 25.")
    nearest = round(fps)
    if nearest and abs(fps - nearest) < 1e-6:
        return Fraction(nearest)
    ntsc = Fraction(round(fps * 1.001) * 1000, 1001)
    if abs(float(ntsc) - fps) < 5e-3:
        return ntsc
    return Fraction(fps).limit_denominator(1_000_000)


def num_frames(num_samples: int, sample_rate: int, fps: float) -> int:
    """Whole frames that a recording covers, at least one when there is any sound."""
    frames = num_samples * exact_fps(fps) / sample_rate
    return max(int(frames), 1) if num_samples > 0 else 0


def frame_times(count: int, fps: float) -> Float[np.ndarray, " frames"]:
    """Start time of each frame [s]."""
    return np.arange(count) / float(exact_fps(fps))
