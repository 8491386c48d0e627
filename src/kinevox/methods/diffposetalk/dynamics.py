"""How far, how quickly and how abruptly the parts of a face move, and takes that keep to it.

How much somebody moves is decided in the noisiest steps of sampling, by a network that hardly
learns it (docs/methods/diffposetalk.md). But a style tells it: a linear map (`calibration.py`) from
style to how much each part moves. So takes are equalized, like sound: slow, medium and quick turns
of the head are scaled by a factor each until they are as expected. Brows and cheeks rest between
moves, and are scaled as a whole until they go as far as expected. All of a take is scaled alike, so
it stays what it is.

Source: ours; predicting what varies apart from the decoder is after FastSpeech 2 (Ren et al. 2021),
Section 2.3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from kinevox.motion import MotionLayout
from kinevox.stillness import stilled
from kinevox.strengths import UPPER_FACE

LEAST_FRAMES = 50
"""In less time nobody moves as far as they usually do."""
SLOW, QUICK = 4.5, 1.8
"""Deviations of the bells [frames] that tell slow motion from medium and medium from quick: at 25
fps half at 1 Hz, and at 2.6 Hz."""
POSTURE, TREMBLE = 12.5, 1.5
"""Deviations of the bells [frames] that tell motion from posture and from trembling."""
REST = np.array([0.02, 0.005, 0.0015])
"""Of excursions, speeds and accelerations, those that are none, in units of each channel's
spread."""
FLOATING = 0.2
"""As of `stilled`, what brows and cheeks do not do between moves, in units of each channel's
spread: with it their mean speed, against their spread, is people's."""
ROUND = 1.0
"""Deviation of the bell [frames] that rounds the corners where they begin to move, and end."""
LARGEST = 1.0
"""Largest change, as the logarithm of a factor."""
_RESTING = ("brows", "upper face")
"""Beside raises and blinks, shares of these that are scaled apart would ring."""
_STIFFNESS = 0.05
"""Keeps factors near 1 where several do the same."""


def parts_of(layout: MotionLayout, columns: Sequence[int]) -> Mapping[str, list[int]]:
    """Places of modelled channels by part, without those that the sound decides.

    Expressions of FLAME are of the whole face, so of that layout only the head is left.
    """
    parts: dict[str, list[int]] = {}
    for place, column in enumerate(columns):
        channel = layout.channels[column]
        if part := _part(channel.name, channel.group):
            parts.setdefault(part, []).append(place)
    return parts


def _part(name: str, group: str) -> str | None:
    if group == "head":
        # Nodding, turning and tilting are habits of their own.
        return name
    if name.startswith("brow"):
        return "brows"
    return "upper face" if name in UPPER_FACE else None


def kinds_of(part: str) -> tuple[str, ...]:
    """What is measured of a part, and kept to: logarithms of the size of excursions from its
    posture; of heads also of steps from frame to frame, and of changes of these."""
    return ("far",) if part in _RESTING else ("far", "quick", "abrupt")


def amounts_of(
    part: str, motion: Float[np.ndarray, "frames channels"]
) -> Float[np.ndarray, " kinds"]:
    """How a part moves, of its normalized channels, as `kinds_of` says."""
    return _amounts(np.ones(1), _products(motion[None])[: len(kinds_of(part))])


def equalized(
    parts: Mapping[str, Sequence[int]],
    motion: Float[np.ndarray, "frames channels"],
    wanted: Mapping[str, Float[np.ndarray, " kinds"]],
) -> Float[np.ndarray, "frames channels"]:
    """Normalized motion whose parts move as is wanted, about their mean poses.

    Nothing is changed by more than a factor of e, so what rests goes on resting; and what is too
    short to show how somebody moves stays as it is.

    Args:
        parts: As of `parts_of`.
        wanted: As of `amounts_of`.
    """
    if len(motion) < LEAST_FRAMES:
        return motion
    equal = motion.copy()
    for part, places in parts.items():
        moving = motion[:, places]
        if part in _RESTING:
            moving = _smoothed(stilled(moving, FLOATING), ROUND)
            shares = (moving - moving.mean(axis=0))[None]
        else:
            shares = _shares(moving)
        gains = _gains(_products(shares)[: len(wanted[part])], wanted[part])
        equal[:, places] = moving + np.einsum("s,sfc->fc", np.exp(gains) - 1, shares)
    return equal


def _shares(
    motion: Float[np.ndarray, "frames channels"],
) -> Float[np.ndarray, "shares frames channels"]:
    """Slow, medium and quick motion; together they are the motion about its mean."""
    slow, calm = _smoothed(motion, SLOW), _smoothed(motion, QUICK)
    return np.stack([slow - motion.mean(axis=0), calm - slow, motion - calm])


def _products(
    shares: Float[np.ndarray, "shares frames channels"],
) -> Float[np.ndarray, "3 shares shares"]:
    """Mean products of the excursions of any two shares, of their speeds and accelerations."""
    steps = np.diff(_smoothed(shares, TREMBLE), axis=1)
    views = (shares - _smoothed(shares, POSTURE), steps, np.diff(steps, axis=1))
    return np.stack([np.einsum("sfc,tfc->st", v, v) / v[0].size for v in views])


def _gains(
    products: Float[np.ndarray, "kinds shares shares"], wanted: Float[np.ndarray, " kinds"]
) -> Float[np.ndarray, " shares"]:
    """Logarithms of the factors with which shares come to the amounts that are wanted."""
    from scipy.optimize import least_squares

    def missing(gains: Float[np.ndarray, " shares"]) -> Float[np.ndarray, " residuals"]:
        return np.append(_amounts(np.exp(gains), products) - wanted, _STIFFNESS * gains)

    return least_squares(missing, np.zeros(products.shape[1]), bounds=(-LARGEST, LARGEST)).x


def _amounts(
    factors: Float[np.ndarray, " shares"], products: Float[np.ndarray, "kinds shares shares"]
) -> Float[np.ndarray, " kinds"]:
    """Logarithms of the sizes of excursions, speeds and accelerations, of scaled shares."""
    squares = np.einsum("s,vst,t->v", factors, products, factors)
    return np.log(squares + REST[: len(squares)] ** 2) / 2


def _smoothed(
    motion: Float[np.ndarray, "*shares frames channels"], deviation: float
) -> Float[np.ndarray, "*shares frames channels"]:
    """Beyond the ends motion stays as it is there."""
    from scipy.ndimage import gaussian_filter1d

    return gaussian_filter1d(motion, deviation, axis=-2, mode="nearest")
