"""Head motion from prosody: nods on accents, a posture per phrase, slow drift, rest in pauses.

Sizes follow tracked speakers: standard deviations of about 2.2, 2.9 and 1.8 degrees in pitch, yaw
and roll (the statistics DiffPoseTalk normalises with). That nods follow accents with a short
lag: Hadar et al. 1983; Munhall et al. 2004.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from kinevox.audio.prosody import Prosody
from kinevox.methods.articulate._noise import (
    CONTROL_RATE,
    add_pulse,
    control_times,
    minimum_jerk,
    smooth_noise,
)
from kinevox.methods.articulate.style import StyleFactors

DRIFT = np.radians([2.0, 1.9, 1.6])
"""Standard deviation of the free drift in yaw, pitch and roll [rad]."""
POSTURE = np.radians([2.6, 1.3, 1.9])
"""Standard deviation of the posture taken up for a phrase [rad]."""
NOD = np.radians(3.6)
"""A nod on the strongest accent [rad]."""
REST = 0.35
"""Share of the drift that remains in pauses."""


def head_angles(
    prosody: Prosody, seconds: float, style: StyleFactors, rng: np.random.Generator
) -> Float[np.ndarray, "ticks 3"]:
    """Yaw, pitch and roll [rad] on the control clock; signs as `rotation.yaw_pitch_roll`."""
    times = control_times(seconds)
    activity = _activity(prosody, times)
    angles = np.zeros((len(times), 3))
    for axis in range(3):
        slow = smooth_noise(rng, len(times), 0.25 * style.head_tempo)
        quick = smooth_noise(rng, len(times), 0.9 * style.head_tempo)
        angles[:, axis] = DRIFT[axis] * (0.75 * slow + 0.7 * quick * activity)
    angles *= (REST + (1 - REST) * activity)[:, None]
    _take_postures(angles, prosody, style.head_tempo, rng)
    _nod(angles, prosody, style, rng)
    angles *= style.head_amplitude
    return angles + np.array([style.yaw_bias, style.pitch_bias, style.tilt_bias])


def _activity(prosody: Prosody, times: Float[np.ndarray, " ticks"]) -> Float[np.ndarray, " ticks"]:
    """1 while speaking, 0 in pauses, with half a second of transition."""
    speaking = np.full(len(times), 1.0)
    for pause in prosody.pauses:
        speaking[(times >= pause.start) & (times < pause.end)] = 0.0
    window = np.hanning(int(0.5 * CONTROL_RATE) + 2)
    padded = np.pad(speaking, len(window) // 2, mode="edge")
    return np.convolve(padded, window / window.sum(), mode="same")[
        len(window) // 2 : len(window) // 2 + len(times)
    ]


def _take_postures(
    angles: Float[np.ndarray, "ticks 3"],
    prosody: Prosody,
    tempo: float,
    rng: np.random.Generator,
) -> None:
    """Each phrase is spoken from a posture of its own, taken up around its start."""
    times = np.arange(len(angles)) / CONTROL_RATE
    held = np.zeros(3)
    for pause in prosody.pauses:
        posture = rng.normal(0, POSTURE)
        turn = rng.uniform(0.6, 1.1) / tempo
        start = pause.end - 0.5 * turn
        first = max(int(start * CONTROL_RATE), 0)
        angles[first:] += minimum_jerk((times[first:, None] - start) / turn) * (posture - held)
        held = posture


def _nod(
    angles: Float[np.ndarray, "ticks 3"],
    prosody: Prosody,
    style: StyleFactors,
    rng: np.random.Generator,
) -> None:
    """Most accents are marked by a nod, some by a turn or tilt on top, after a short lag."""
    pitch, yaw, roll = angles[:, 1], angles[:, 0], angles[:, 2]
    for accent in prosody.accents:
        # Drawn for every accent, used or not, so that one factor never shifts the others' luck.
        luck, lag, rise, size, turn, tilt = rng.uniform(size=6)
        if luck > 0.25 + 0.65 * accent.strength:
            continue
        peak = accent.time + 0.05 + 0.10 * lag
        height = NOD * style.nod_on_accent * accent.strength * (0.6 + 0.8 * size)
        up = (0.16 + 0.10 * rise) / style.head_tempo
        add_pulse(pitch, peak, up, 0.04, 1.7 * up, height)
        add_pulse(yaw, peak, 1.3 * up, 0.05, 2.2 * up, height * 0.8 * (2 * turn - 1))
        add_pulse(roll, peak, 1.3 * up, 0.05, 2.2 * up, height * 0.6 * (2 * tilt - 1))
