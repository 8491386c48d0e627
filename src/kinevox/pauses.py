"""A mouth that closes where nobody speaks.

Networks that draw or average motion leave the lips ajar in pauses, or move them to noise. Rules
know better: after the last sound the lips come together, and they part for breath before the next.
Everything else, a smile or the brows, goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from kinevox.arkit import LIP_OPENING_MM
from kinevox.audio.pitch import RATE
from kinevox.audio.prosody import Pause, analyze_prosody
from kinevox.motion import Motion
from kinevox.timebase import SAMPLE_RATE

MIN_PAUSE = 0.3
"""Shorter pauses are part of speaking [s]."""
LINGER = 0.08
"""Sounds die away, so the lips wait for so long [s]."""
CLOSING = 0.2
"""And come together in this time [s]."""
BREATH_SECONDS, BREATH_SHARE = 0.55, 0.5
"""So long before the next sound they part for breath [s], or in this last share of a short
pause."""
FREE_SHARE = 0.35
"""In this last share of it they have parted: people breathe in before they speak."""

FAINTEST = 1e-4
"""A recording that never gets louder than this holds no speech."""
CLEAR_DB, HIDDEN_SECONDS = 40.0, 0.3
"""Where the loudest stands out from the background by less, up to so much of either end of a pause
may be speech that noise hides [s]."""

OPENING = (*LIP_OPENING_MM, "tongueOut")
"""Weights that are taken back."""


def pauses_of(samples: Float[np.ndarray, " samples"]) -> tuple[Pause, ...]:
    """Stretches without speech that are long enough to close the mouth.

    What is speech follows from the level of the voice and of the background nearby, so a quiet
    recording is no pause. Noise hides the faint ends of words: the less speech stands out from it,
    the more of a pause is left alone.
    """
    loudest = float(np.abs(samples).max(initial=0.0))
    if loudest < FAINTEST:
        return (Pause(0.0, len(samples) / SAMPLE_RATE),)
    prosody = analyze_prosody(samples / loudest)
    quiet, loud = np.percentile(prosody.energy_db, [10, 95])
    hidden = float(np.clip((CLEAR_DB - (loud - quiet)) / CLEAR_DB, 0, 1))
    last = len(prosody.times) / RATE
    trimmed = [
        Pause(
            pause.start + (HIDDEN_SECONDS * hidden if pause.start > 0 else 0.0),
            pause.end - (HIDDEN_SECONDS * hidden if pause.end < last else 0.0),
        )
        for pause in prosody.pauses
    ]
    return tuple(pause for pause in trimmed if pause.end - pause.start >= MIN_PAUSE)


def closed_in(
    motion: Motion, pauses: Sequence[Pause], rest: Mapping[str, float] | None = None
) -> Motion:
    """The motion with the mouth closed in these pauses; other channels stay as they are.

    Args:
        rest: Of `OPENING` those that are not zero in somebody whose lips rest apart.
    """
    if not pauses or not motion.num_frames:
        return motion
    closed, rest = closing(motion.times, pauses), rest or {}
    changed = {name: (1 - closed) * motion[name] + closed * rest.get(name, 0.0) for name in OPENING}
    return motion.with_channels(**changed)


def closing(
    times: Float[np.ndarray, " frames"], pauses: Sequence[Pause]
) -> Float[np.ndarray, " frames"]:
    """How far the mouth is closed at times [s], from 0 to 1."""
    closed = np.zeros(len(times))
    for pause in pauses:
        breath = min(BREATH_SECONDS, BREATH_SHARE * (pause.end - pause.start))
        shut = _risen((times - pause.start - LINGER) / CLOSING)
        free = _risen(((pause.end - times) / breath - FREE_SHARE) / (1 - FREE_SHARE))
        # What begins or ends with the recording begins or ends closed.
        if pause.start <= 0:
            shut = np.ones(len(times))
        if pause.end >= times[-1]:
            free = np.ones(len(times))
        closed = np.maximum(closed, np.minimum(shut, free))
    return closed


def _risen(share: Float[np.ndarray, " frames"]) -> Float[np.ndarray, " frames"]:
    """From 0 to 1 with no edge."""
    share = np.clip(share, 0, 1)
    return share**2 * (3 - 2 * share)
