"""The cast: performers whose way of speaking is drawn once and then kept.

Every factor has a distribution of its own, centred on how people mostly are, wide enough that
performers can be told apart, and cut off at the range of the factor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from kinevox.data.record import SPLITS
from kinevox.methods.articulate.style import StyleFactors

Draw = Callable[[np.random.Generator], float]


def _normal(mean: float, deviation: float) -> Draw:
    return lambda rng: rng.normal(mean, deviation)


def _ratio(deviation: float) -> Draw:
    """Around 1, as likely half as twice."""
    return lambda rng: rng.lognormal(0.0, deviation)


def _gamma(mean: float, deviation: float) -> Draw:
    """Not negative, with a long tail upwards."""
    return lambda rng: rng.gamma((mean / deviation) ** 2, deviation**2 / mean)


DISTRIBUTIONS: dict[str, Draw] = {
    "jaw_gain": _ratio(0.28),
    "lip_gain": _ratio(0.28),
    "rounding": _ratio(0.22),
    "mumble": lambda rng: 0.8 * rng.beta(1.0, 4.0),
    "lip_press": lambda rng: rng.beta(2.0, 3.0),
    # Most people rest with closed lips, some never quite close them.
    "lip_parting": lambda rng: rng.gamma(2.0, 0.8) if rng.random() < 0.3 else 0.0,
    "smile": _normal(0.08, 0.18),
    "asymmetry": _normal(0.0, 0.35),
    "squint": lambda rng: 0.7 * rng.beta(1.0, 4.0),
    "brow_height": _normal(0.0, 0.2),
    "brow_activity": _gamma(1.0, 0.55),
    "blink_rate": _gamma(18.0, 9.0),
    "gaze_wander": _gamma(1.0, 0.55),
    "head_amplitude": _ratio(0.4),
    "head_tempo": _ratio(0.25),
    "nod_on_accent": _gamma(1.0, 0.5),
    "pitch_bias": _normal(0.0, 0.08),
    "yaw_bias": _normal(0.0, 0.11),
    "tilt_bias": _normal(0.0, 0.07),
}
"""How each factor is drawn, before its range cuts it off; factors are independent."""


def sample_style(rng: np.random.Generator) -> StyleFactors:
    """A performer's factors; values beyond a factor's range are drawn again."""
    drawn = {}
    for factor in fields(StyleFactors):
        low, high = factor.metadata["low"], factor.metadata["high"]
        value = np.inf
        while not low <= value <= high:
            value = DISTRIBUTIONS[factor.name](rng)
        drawn[factor.name] = round(float(value), 4)
    return StyleFactors(**drawn)


@dataclass(frozen=True)
class Performer:
    """Someone who acts, always in the same way."""

    id: str
    """`p0000` and on."""
    split: str
    style: StyleFactors


NUMBERS = {
    "train": (*range(480), *range(608, 10_000)),
    "valid": range(480, 544),
    "test": range(544, 608),
}
"""The performers that each split may have; long corpora show more in the training alone."""
PERFORMER_SECONDS = 45.0
"""A performer is worth having when this much of him can be shown [s]."""


def draw_cast(seed: int, seconds: dict[str, float]) -> dict[str, list[Performer]]:
    """The performers of each split; no performer is in two.

    Performer n of a seed has the same factors in corpora of any length.

    Args:
        seconds: Length of each split [s].
    """
    cast = {}
    for split in SPLITS:
        count = max(int(seconds[split] / PERFORMER_SECONDS), 2)
        cast[split] = [
            Performer(f"p{n:04d}", split, sample_style(np.random.default_rng((seed, 1, n))))
            for n in NUMBERS[split][:count]
        ]
    return cast
