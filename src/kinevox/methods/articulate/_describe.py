"""How a face moved, in numbers that change with the style factors.

The numbers mean nothing by themselves; `recovery` compares those of a recording with those of
performances whose factors it knows. Gains act by multiplication, so what they scale is described
by logarithms; where something rests, and how far it goes to the sides, by plain levels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter1d

from kinevox import rotation
from kinevox.arkit import EYE_LOOK_RADIANS
from kinevox.audio.prosody import Accent
from kinevox.motion import Motion
from kinevox.timebase import exact_fps

_EYES_DEG = float(np.degrees(EYE_LOOK_RADIANS))
_SIDED = (
    "mouthSmile", "mouthStretch", "mouthLowerDown", "mouthUpperUp", "mouthDimple", "mouthFrown",
    "mouthPress", "cheekSquint",
)  # fmt: skip
_GAINED = ("jaw", "opening", "lips", "pucker", "funnel", "stretch", "press")
"""Signals of one sign that a gain scales."""
_WEIGHTS = ("smile", "cheek", "squint", "lids", "wide", "brows")
_ANGLES = ("yaw", "pitch", "roll", "sight_yaw", "sight_pitch")
_NAMES = (*_GAINED, *_WEIGHTS, *_ANGLES)
_FLOOR_WEIGHT, _FLOOR_DEG = 0.003, 0.05
"""Smaller movements are none: trackers tremble by as much."""
_SMOOTH, _SLOW = 0.06, 0.5
"""Widths of the bells that tell trembling from movement, and movement from posture [s]."""
_SHUT, _OPEN = 0.4, 0.25
"""A blink begins when the lids pass the first, and is over below the second."""
_ANSWERS = (("pitch", 0.12, -0.2, 0.75), ("brows", -0.02, -0.3, 0.5))
"""What answers an accent: its peak after the accent, and two places where it is over [s]."""


def describe(
    clips: Sequence[Motion], accents: Sequence[Sequence[Accent]] | None = None
) -> Float[np.ndarray, " numbers"]:
    """Describes clips of one person together; all must have ARKit's layout and one frame rate.

    Args:
        accents: Of the speech of each clip; with them, answers to accents are described too.
    """
    signals = [_signals(clip) for clip in clips]
    rate = float(exact_fps(clips[0].fps))
    values = np.concatenate(signals, axis=1)
    levels = np.percentile(values, [5, 25, 50, 75, 95], axis=1)
    means, spreads = values.mean(axis=1), values.std(axis=1)
    steps = np.concatenate([np.diff(signal, axis=1) for signal in signals], axis=1)
    speeds = rate * np.abs(steps).mean(axis=1)
    gained, others = slice(0, len(_GAINED)), slice(len(_GAINED), None)
    sizes = np.stack([*levels[1:], means, spreads, speeds])[:, gained]
    floors = np.array([_FLOOR_WEIGHT] * len(_WEIGHTS) + [_FLOOR_DEG] * len(_ANGLES))
    moved = _log(np.stack([spreads, speeds])[:, others], floors)
    heads = [signal[_row("yaw") : _row("roll") + 1] for signal in signals]
    tempos = _tempos(heads, rate)
    sights = values[[_row("sight_yaw"), _row("sight_pitch")]]
    single = [
        _leftness(clips),
        _blinks_per_minute([signal[_row("lids")] for signal in signals], values.shape[1] / rate),
        float(np.log(np.hypot(*sights).mean() + _FLOOR_DEG)),
    ]
    if accents is not None:
        single += [_answer(signals, clips, accents, *answer) for answer in _ANSWERS]
    parts = (
        *(levels[0, gained], _log(sizes, _FLOOR_WEIGHT)),
        *(levels[:, others], means[others], moved, moved[1] - moved[0]),
        *(tempos, tempos.mean(axis=1), np.array(single)),
    )
    return np.concatenate([np.ravel(part) for part in parts])


def _row(name: str) -> int:
    return _NAMES.index(name)


def _signals(clip: Motion) -> Float[np.ndarray, "signals frames"]:
    """In the order of `_NAMES`; of pairs the stronger side, since asymmetry weakens the other."""

    def one(name: str) -> Float[np.ndarray, " frames"]:
        return clip[name].astype(np.float64)

    def strong(name: str) -> Float[np.ndarray, " frames"]:
        return np.maximum(one(name + "Left"), one(name + "Right"))

    def mean(name: str) -> Float[np.ndarray, " frames"]:
        return (one(name + "Left") + one(name + "Right")) / 2

    turns = rotation.yaw_pitch_roll(clip.group("head").astype(np.float64))
    yaw, pitch, roll = np.degrees(np.unwrap(turns, axis=0)).T
    look_left = (
        (one("eyeLookOutLeft") - one("eyeLookInLeft"))
        + (one("eyeLookInRight") - one("eyeLookOutRight"))
    ) / 2
    signals = {
        "jaw": one("jawOpen"),
        "opening": one("jawOpen") - one("mouthClose"),
        "lips": strong("mouthLowerDown") + strong("mouthUpperUp"),
        "pucker": one("mouthPucker"),
        "funnel": one("mouthFunnel"),
        "stretch": strong("mouthStretch"),
        "press": strong("mouthPress") + (one("mouthRollUpper") + one("mouthRollLower")) / 2,
        "smile": strong("mouthSmile") - strong("mouthFrown"),
        "cheek": strong("cheekSquint") - strong("mouthFrown"),
        "squint": mean("eyeSquint"),
        "lids": mean("eyeBlink"),
        "wide": mean("eyeWide"),
        "brows": one("browInnerUp") - strong("browDown"),
        "yaw": yaw,
        "pitch": pitch,
        "roll": roll,
        # Eyes mostly undo the turns of the head; the line of sight is what wanders.
        "sight_yaw": yaw + _EYES_DEG * look_left,
        "sight_pitch": pitch + _EYES_DEG * (mean("eyeLookDown") - mean("eyeLookUp")),
    }
    return np.stack([signals[name] for name in _NAMES])


def _log(
    values: Float[np.ndarray, "*values"], floor: float | Float[np.ndarray, " signals"]
) -> Float[np.ndarray, "*values"]:
    return np.log(np.maximum(values, 0) + floor)


def _tempos(angles: Sequence[Float[np.ndarray, "3 _"]], rate: float) -> Float[np.ndarray, "5 3"]:
    """Speed, acceleration and spread without posture of head angles, and how they compare."""
    first = [np.diff(gaussian_filter1d(a, _SMOOTH * rate, axis=1)) * rate for a in angles]
    second = [np.diff(speed) * rate for speed in first]
    movement = [a - gaussian_filter1d(a, _SLOW * rate, axis=1) for a in angles]
    sizes = [
        np.sqrt((np.concatenate(parts, axis=1) ** 2).mean(axis=1))
        for parts in (first, second, movement)
    ]
    speed, acceleration, spread = _log(np.stack(sizes), _FLOOR_DEG)
    return np.stack([speed, acceleration, spread, acceleration - speed, speed - spread])


def _leftness(clips: Sequence[Motion]) -> float:
    """The factor of asymmetry that weakens one side as much as is seen."""
    left, right = (
        sum(float(clip[name + side].sum()) for clip in clips for name in _SIDED)
        for side in ("Left", "Right")
    )
    share = (left - right) / max(left + right, 1e-6)
    return 2 * share / (1 + abs(share))


def _blinks_per_minute(lids: Sequence[Float[np.ndarray, " _"]], seconds: float) -> float:
    count = 0
    for shut in lids:
        # 1 where shut, -1 where open, 0 between: a blink begins at a 1 whose last sign was -1.
        state = np.where(shut >= _SHUT, 1, np.where(shut < _OPEN, -1, 0))
        count += int((np.diff(state[state != 0]) > 0).sum())
    return 60 * count / seconds


def _answer(
    signals: Sequence[Float[np.ndarray, "signals _"]],
    clips: Sequence[Motion],
    accents: Sequence[Sequence[Accent]],
    name: str,
    *places: float,
) -> float:
    """Mean bump of a signal beside accents, per strength."""
    total = weight = 0.0
    for signal, clip, strokes in zip(signals, clips, accents, strict=True):
        times = np.array([stroke.time for stroke in strokes])
        strengths = np.array([stroke.strength for stroke in strokes])
        curve = signal[_row(name)]
        peak, before, after = (np.interp(times + place, clip.times, curve) for place in places)
        total += float((strengths * (peak - (before + after) / 2)).sum())
        weight += float((strengths**2).sum())
    return total / max(weight, 1e-6)
