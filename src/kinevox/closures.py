"""Lips that close on p, b and m.

Averages never quite close the lips, whether of a rule's targets or of what a network has seen; and
people notice. So where these phones are known, or heard, the closure is set on top.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from kinevox.arkit import LIP_OPENING_MM
from kinevox.motion import Motion
from kinevox.phones import BILABIALS, Phones
from kinevox.strengths import lip_opening

CLOSING = 0.07
"""Time the lips take to close before the closure [s]."""
OPENING = 0.06
"""Time the lips take to part after it [s]."""
JAW_FOLLOWS = 0.4
"""Share of its opening by which the jaw rises with the lips."""
_CLOSE, _JAW = "mouthClose", "jawOpen"


def closure(
    phones: Phones, times: Float[np.ndarray, " frames"], fps: float
) -> Float[np.ndarray, " frames"]:
    """Lip closure of p, b and m: 1 is closed. Full for at least one frame of each of them.

    The lips close at the start of a stop and part with its burst, which the aligned phone
    includes; so the held part is the first two thirds of the phone.
    """
    closed = np.zeros(len(times))
    for label, start, end in zip(phones.labels, phones.starts, phones.ends, strict=True):
        if label not in BILABIALS:
            continue
        last = end if label == "M" else start + 2 / 3 * (end - start)
        centre, half = (start + last) / 2, max((last - start) / 2, 0.51 / fps)
        near = slice(*np.searchsorted(times, (centre - half - CLOSING, centre + half + OPENING)))
        early = np.clip((centre - half - times[near]) / CLOSING, 0, 1)
        late = np.clip((times[near] - centre - half) / OPENING, 0, 1)
        ramp = 0.5 + 0.5 * np.cos(np.pi * np.maximum(early, late))
        closed[near] = np.maximum(closed[near], ramp)
    return closed


def with_lips_closed(motion: Motion, closed: Float[np.ndarray, " frames"]) -> Motion:
    """The motion with the opening of the lips taken back by this share, from 0 to 1.

    The jaw rises a little, the lips do the rest; other channels stay as they are.

    Args:
        motion: Of layout `arkit`.
    """
    wanted = np.maximum(lip_opening(motion), 0) * (1 - closed)
    opened = {
        name: motion[name] * (1 - closed * (JAW_FOLLOWS if name == _JAW else 1))
        for name in LIP_OPENING_MM
        if name != _CLOSE
    }
    apart = np.sum([LIP_OPENING_MM[name] * weight for name, weight in opened.items()], axis=0)
    close = np.clip((wanted - apart) / LIP_OPENING_MM[_CLOSE], 0, opened[_JAW])
    touched = closed > 0
    changed = opened | {_CLOSE: np.where(touched, close, motion[_CLOSE])}
    return motion.with_channels(**changed)
