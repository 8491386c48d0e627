"""Smooth randomness on a control clock, and pulses.

Everything random is drawn on this clock rather than per frame, so a take looks the same at every
frame rate.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter1d

CONTROL_RATE = 50.0
"""Rate of the control clock [Hz]."""


def control_times(seconds: float) -> Float[np.ndarray, " ticks"]:
    """Ticks covering a recording, with one past its end [s]."""
    return np.arange(int(np.ceil(seconds * CONTROL_RATE)) + 2) / CONTROL_RATE


def smooth_noise(rng: np.random.Generator, ticks: int, hertz: float) -> Float[np.ndarray, " ticks"]:
    """Zero-mean, unit-variance noise whose power lies below about `hertz`."""
    # A Gaussian of this width in time halves the amplitude at `hertz`; its kernel has energy
    # 1 / (2 sqrt(pi) sigma), which the scale undoes.
    sigma = np.sqrt(2 * np.log(2)) / (2 * np.pi * hertz) * CONTROL_RATE
    margin = int(4 * sigma) + 1
    white = rng.standard_normal(ticks + 2 * margin)
    smooth = gaussian_filter1d(white, sigma, mode="wrap")[margin : margin + ticks]
    return smooth * np.sqrt(2 * np.sqrt(np.pi) * sigma)


def minimum_jerk(fraction: Float[np.ndarray, "*ticks"]) -> Float[np.ndarray, "*ticks"]:
    """From 0 to 1 as a hand reaches and a head turns.

    Source: Flash and Hogan 1985: the quintic with zero speed and acceleration at both ends.
    """
    x = np.clip(fraction, 0, 1)
    return x**3 * (10 - 15 * x + 6 * x**2)


def pulse(
    ticks: int, peak: float, rise: float, hold: float, fall: float
) -> tuple[slice, Float[np.ndarray, " window"]]:
    """A smooth bump of height 1: up before `peak`, held after it, then down; times in [s].

    Returns:
        The ticks it covers, and its values there.
    """
    first = max(int((peak - rise) * CONTROL_RATE), 0)
    last = min(int((peak + hold + fall) * CONTROL_RATE) + 2, ticks)
    times = np.arange(first, last) / CONTROL_RATE
    up = minimum_jerk((times - peak + rise) / rise)
    down = minimum_jerk((peak + hold + fall - times) / fall)
    return slice(first, last), np.minimum(up, down)


def add_pulse(
    curve: Float[np.ndarray, " ticks"],
    peak: float,
    rise: float,
    hold: float,
    fall: float,
    height: float,
) -> None:
    """Adds a `pulse` in place."""
    where, shape = pulse(len(curve), peak, rise, hold, fall)
    curve[where] += height * shape
