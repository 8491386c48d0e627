"""Does the sound of a video belong to its picture, and how late is it?

The loudness of a voice says little about its lips: over thirty seconds of a talker it may peak
nowhere. What is said says much more, so phones are found in the sound, the rules of `articulate`
say how far each opens the lips, and that curve is laid over the captured opening at all lags.
Curves of many pieces are averaged; drawing the pieces again and again tells how sure the peak is.
A wrong correction is worse than none: sound is moved only when it is surely off by more than a
frame.

Source of the uncertainty: the bootstrap, Efron 1979.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from kinevox.closures import closure
from kinevox.methods.articulate import LIP_LEAD
from kinevox.methods.articulate.coarticulation import articulator_curves, segments_of
from kinevox.methods.articulate.visemes import ARTICULATORS
from kinevox.phones import Phones
from kinevox.timebase import FPS

RATE = 100.0
"""Lags are looked for in steps of 10 ms."""
MAX_LAG = 0.4
"""Lags up to this are looked for [s]."""
PIECE = 3.0
"""Recordings are looked at in pieces of about this length [s]."""
LEAST = 1.5
"""Shorter ones are not looked at [s]."""
DRAWS = 400
"""Times that the pieces are drawn again."""
ENOUGH_PIECES = 4
"""Fewer say nothing certain: sound stays as it is."""
FRAME = 1 / FPS
"""Sound that is off by less is left alone [s]."""
SURE = 0.02
"""A lag is known when its standard error is at most this [s]."""
HOPELESS_PIECES = 10
"""With as many pieces, sound that belongs to the picture shows it."""
HOPELESS_ERROR = 0.05
"""No lag stands out when the standard error is larger [s]; GRID's talkers stay below 0.02, the
sound of other sentences of theirs lies above 0.06."""
HOPELESS_CORRELATION = 0.25
"""Even the best lag is no match below."""
_STILL = 1e-4
"""Lips that move less (standard deviation) tell nothing [m]."""

_LAGS = np.arange(-round(MAX_LAG * RATE), round(MAX_LAG * RATE) + 1)

Curve = Float[np.ndarray, " lags"]
"""Correlation at every lag of `_LAGS`."""


@dataclass(frozen=True)
class Sync:
    """What was found about some recordings that share a camera."""

    verdict: Literal["in step", "moved", "unsure", "hopeless"]
    lag: float
    """How late the sound is after the lips [s]; negative: early."""
    error: float
    """Standard error of the lag [s]."""
    correlation: float
    """Of lips and phones at that lag."""
    pieces: int

    @property
    def correction(self) -> float:
        """How much earlier the sound must start [s]."""
        return self.lag if self.verdict == "moved" else 0.0

    @property
    def told(self) -> str:
        """In words."""
        if not self.pieces:
            return "nothing to tell by"
        return (
            f"sound {1e3 * self.lag:+.0f} ± {1e3 * self.error:.0f} ms, "
            f"correlation {self.correlation:.2f} over {self.pieces} pieces: {self.verdict}"
        )


def lag_curves(opening: Float[np.ndarray, " frames"], phones: Phones) -> list[Curve]:
    """Correlation of lips and phones at every lag, for each piece of a recording.

    Args:
        opening: Captured gap of the inner lips at 25 frames per second [m]; NaN where unknown.
    """
    count = int((len(opening) - 1) / FPS * RATE) + 1
    times = np.arange(count) / RATE
    captured = np.interp(times, np.arange(len(opening)) / FPS, opening)
    expected = expected_opening(phones, count)
    pieces = max(round(count / (PIECE * RATE)), 1)
    curves = []
    for inside in np.array_split(np.arange(count), pieces):
        here = captured[inside]
        if len(here) < LEAST * RATE or not np.isfinite(here).all() or here.std() < _STILL:
            continue
        start = int(inside[0])
        curve = np.array([_correlation(here, expected, start + lag) for lag in _LAGS.tolist()])
        # A piece without speech has nothing to be compared with.
        if np.isfinite(curve).all():
            curves.append(curve)
    return curves


def judged(curves: Sequence[Curve]) -> Sync:
    """The verdict on recordings that share one lag, from all their pieces."""
    if not curves:
        return Sync("unsure", 0.0, np.inf, 0.0, 0)
    table = np.array(curves)
    mean = table.mean(axis=0)
    lag = _peak(mean)
    rng = np.random.default_rng(0)
    draws = rng.integers(len(table), size=(DRAWS, len(table)))
    error = float(np.std([_peak(table[draw].mean(axis=0)) for draw in draws]))
    # One step of the grid is as fine as it gets.
    error = max(error, 0.5 / RATE)
    best = float(mean.max())
    if len(table) >= HOPELESS_PIECES and (
        error > HOPELESS_ERROR or best < HOPELESS_CORRELATION or abs(lag) > MAX_LAG - FRAME
    ):
        verdict = "hopeless"
    elif len(table) < ENOUGH_PIECES or error > SURE or best < HOPELESS_CORRELATION:
        verdict = "unsure"
    else:
        verdict = "moved" if abs(lag) - 2 * error > FRAME else "in step"
    return Sync(verdict, lag, error, best, len(table))


def expected_opening(phones: Phones, count: int) -> Float[np.ndarray, " count"]:
    """How far what is said opens the lips, at `RATE` [mm]."""
    times = np.arange(count) / RATE + LIP_LEAD
    aperture = articulator_curves(segments_of(phones), times)[:, ARTICULATORS.index("aperture")]
    return aperture * (1 - closure(phones, times, RATE))


def _peak(curve: Curve) -> float:
    """Lag of the highest value [s]."""
    return float(_LAGS[curve.argmax()] / RATE)


def _correlation(
    here: Float[np.ndarray, " piece"], expected: Float[np.ndarray, " ticks"], start: int
) -> float:
    """Of a piece with what is expected from tick `start` on, as far as both go."""
    first, stop = max(start, 0), min(start + len(here), len(expected))
    there = expected[first:stop]
    if there.std() < 1e-3:
        return np.nan
    return float(np.corrcoef(here[first - start : stop - start], there)[0, 1])
