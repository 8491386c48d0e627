"""Blinks, lids and gaze.

Blink intervals are log-normal and blinks gather at phrase ends (Bentivoglio et al. 1997; Nakano
and Kitazawa 2010). Lids close about twice as fast as they open (Evinger et al. 1991). Saccades
follow the main sequence: 2.2 ms per degree plus 21 ms (Carpenter 1988). The eyes hold the
listener while the head moves (vestibulo-ocular reflex).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from kinevox.arkit import EYE_LOOK_RADIANS
from kinevox.audio.prosody import Prosody
from kinevox.methods.articulate._noise import CONTROL_RATE, control_times, minimum_jerk, pulse
from kinevox.methods.articulate.style import StyleFactors

CLOSING, SHUT, OPENING = 0.09, 0.04, 0.18
"""Phases of one blink [s]."""
REFLEX = 0.85
"""Share of the head's rotation that the eyes undo to keep looking at the listener."""
WANDER = np.radians([5.0, 3.0])
"""Standard deviation of fixations off the listener in yaw and pitch [rad]."""


def blinks(
    prosody: Prosody, seconds: float, style: StyleFactors, rng: np.random.Generator
) -> Float[np.ndarray, " ticks"]:
    """Closure of both lids on the control clock, 0 open to 1 shut."""
    lids = np.zeros(len(control_times(seconds)))
    if style.blink_rate == 0:
        return lids
    mean, spread = 60.0 / style.blink_rate, 0.55
    ends = np.array([pause.start for pause in prosody.pauses])
    time = rng.uniform(0.2, 1.0) * mean
    while time < seconds:
        luck, half, stretch = rng.uniform(size=3)
        if len(ends) and luck < 0.6:
            nearest = ends[np.abs(ends - time).argmin()]
            if abs(nearest - time) < 0.35 * mean and nearest > 0.3:
                time = nearest + 0.1
        height = 1.0 if half > 0.12 else 0.55
        # Most blinks are quick, some take more than twice as long.
        slow = 0.7 + 0.9 * stretch**2
        where, shape = pulse(len(lids), time, CLOSING * slow, SHUT, OPENING * slow)
        lids[where] = np.maximum(lids[where], height * shape)
        gap = rng.lognormal(np.log(mean) - spread**2 / 2, spread)
        time += max(gap, CLOSING + SHUT + OPENING + 0.1)
    return lids


def gaze(
    prosody: Prosody,
    head: Float[np.ndarray, "ticks 3"],
    seconds: float,
    style: StyleFactors,
    rng: np.random.Generator,
) -> Float[np.ndarray, "ticks 2"]:
    """Yaw and pitch of the eyes in the head [rad] on the control clock.

    The listener sits straight ahead; gaze leaves for a moment, more often while thinking in a
    pause, and comes back.
    """
    times = control_times(seconds)
    thinking = np.zeros(len(times), dtype=bool)
    for pause in prosody.pauses:
        thinking[np.searchsorted(times, pause.start - 0.2) : np.searchsorted(times, pause.end)] = (
            True
        )
    target = np.zeros((len(times), 2))
    held, settled, time = np.zeros(2), 0, rng.uniform(0.4, 1.6)
    while time < seconds:
        first = int(time * CONTROL_RATE)
        away = rng.uniform() < (0.75 if thinking[first] else 0.5)
        fixation = rng.normal(0, WANDER) * style.gaze_wander
        goal = fixation if away else rng.normal(0, np.radians(0.5), 2)
        jump = goal - held
        duration = 0.021 + 0.0022 * np.degrees(np.linalg.norm(jump))
        last = min(int((time + duration) * CONTROL_RATE) + 2, len(times))
        step = minimum_jerk((times[first:last, None] - time) / duration)
        target[settled:first] = held
        target[first:last] = held + step * jump
        held, settled = goal, last
        time += rng.lognormal(np.log(0.7 if away else 1.6), 0.5)
    target[settled:] = held
    return target - REFLEX * head[:, :2]


def eye_weights(
    lids: Float[np.ndarray, " frames"],
    gaze_angles: Float[np.ndarray, "frames 2"],
    style: StyleFactors,
) -> dict[str, Float[np.ndarray, " frames"]]:
    """ARKit weights of lids and gaze. Positive yaw looks to the character's left, pitch down."""
    yaw, pitch = gaze_angles.T / EYE_LOOK_RADIANS
    # An eye narrowed by a squint needs less of the blink to shut.
    blink = lids * (1 - 0.25 * style.squint)
    weights = {}
    for side, outward in (("Left", yaw), ("Right", -yaw)):
        weights[f"eyeBlink{side}"] = np.maximum(blink, 0.35 * style.squint)
        weights[f"eyeSquint{side}"] = 0.7 * style.squint + 0.15 * lids + 0.3 * max(style.smile, 0)
        weights[f"eyeLookOut{side}"] = np.maximum(outward, 0)
        weights[f"eyeLookIn{side}"] = np.maximum(-outward, 0)
        weights[f"eyeLookDown{side}"] = np.maximum(pitch, 0)
        weights[f"eyeLookUp{side}"] = np.maximum(-pitch, 0)
        weights[f"eyeWide{side}"] = np.full_like(lids, 0.3 * max(style.brow_height, 0))
    return {name: np.clip(weight, 0, 1) for name, weight in weights.items()}
