"""A motion's style in some eighty numbers, by fixed rules: usable before any encoder is trained."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from kinevox import arkit
from kinevox.errors import MotionError
from kinevox.metrics.head_pose import AXES, blinks_per_minute, head_beats, yaw_pitch_roll_deg
from kinevox.motion import ARKIT, Motion
from kinevox.timebase import exact_fps

MIN_SECONDS = 1.0
"""Shorter motions have no style to speak of [s]."""

_SIDED = tuple("mouth" + name for name in "Smile Stretch LowerDown UpperUp Dimple Frown".split())
_SIGNALS = (
    "jaw", "opening", "lips", "stretch", "rounding", "press", "smile", "squint", "brows",
    "gaze_yaw", "gaze_pitch", *AXES,
)  # fmt: skip
_STATISTICS = ("rest", "middle", "high", "spread", "speed")
STYLE_FEATURES: tuple[str, ...] = (
    *(f"{signal}_{statistic}" for signal in _SIGNALS for statistic in _STATISTICS),
    "lips_per_jaw",
    "rounding_per_jaw",
    "leftness",
    "blinks_per_minute",
    "head_beats_per_second",
    *(f"{axis}_tempo" for axis in AXES),
)
"""Names of the columns of `motion_style_features`."""


def motion_style_features(motion: Motion) -> Float[np.ndarray, " features"]:
    """Fixed descriptors of how someone moves, named by `STYLE_FEATURES`.

    Of every signal where it rests, its middle, how far it goes (10th, 50th and 95th percentile),
    its standard deviation and mean speed [1/s]; then how lips and rounding compare with the jaw,
    which side of the mouth does more, blinks, head beats, and the head's tempo (speed over
    spread). Angles are in degrees; gaze is the line of sight, since eyes mostly undo the turns of
    the head.

    Raises:
        MotionError: the layout is not arkit, or the motion is shorter than a second.
    """
    if motion.layout != ARKIT:
        raise MotionError(
            f"Style features are defined for layout 'arkit', this motion is "
            f"'{motion.layout.name}'. Use `kinevox convert` to retarget it."
        )
    if motion.seconds < MIN_SECONDS:
        raise MotionError(
            f"The motion is {motion.seconds:.2f} s long; style features need {MIN_SECONDS:g} s."
        )
    rate = float(exact_fps(motion.fps))
    found = {}
    for name, signal in zip(_SIGNALS, _signals(motion), strict=True):
        levels = np.percentile(signal, [10, 50, 95])
        speed = np.abs(np.diff(signal)).mean() * rate
        for statistic, value in zip(_STATISTICS, (*levels, signal.std(), speed), strict=True):
            found[f"{name}_{statistic}"] = value
    # Lips against jaw: two gains that openness alone cannot tell apart.
    for name in ("lips", "rounding"):
        found[f"{name}_per_jaw"] = _ratio(found[f"{name}_spread"], found["jaw_spread"])
    left, right = (
        float(np.mean([motion[name + side] for name in _SIDED])) for side in ("Left", "Right")
    )
    found["leftness"] = _ratio(left - right, left + right)
    found["blinks_per_minute"] = blinks_per_minute(motion)
    beats = head_beats(motion.group("head"), motion.fps)
    found["head_beats_per_second"] = len(beats) / motion.seconds
    for axis in AXES:
        found[f"{axis}_tempo"] = _ratio(found[f"{axis}_speed"], found[f"{axis}_spread"])
    return np.array([found[name] for name in STYLE_FEATURES], dtype=np.float64)


def _signals(motion: Motion) -> list[Float[np.ndarray, " frames"]]:
    """In the order of `_SIGNALS`."""

    def mean(*names: str) -> Float[np.ndarray, " frames"]:
        return np.mean([motion[name] for name in names], axis=0, dtype=np.float64)

    def both(*names: str) -> Float[np.ndarray, " frames"]:
        return mean(*(name + side for name in names for side in ("Left", "Right")))

    head = yaw_pitch_roll_deg(motion.group("head"))
    look_left = mean("eyeLookOutLeft", "eyeLookInRight") - mean("eyeLookInLeft", "eyeLookOutRight")
    eye_range = float(np.degrees(arkit.EYE_LOOK_RADIANS))
    return [
        mean("jawOpen"),
        mean("jawOpen") - mean("mouthClose"),
        both("mouthLowerDown", "mouthUpperUp"),
        both("mouthStretch"),
        mean("mouthPucker", "mouthFunnel"),
        both("mouthPress"),
        both("mouthSmile") - both("mouthFrown"),
        both("eyeSquint"),
        mean("browInnerUp", "browOuterUpLeft", "browOuterUpRight") - both("browDown"),
        head[:, 0] + eye_range * look_left,
        head[:, 1] + eye_range * (both("eyeLookDown") - both("eyeLookUp")),
        *head.T,
    ]


def _ratio(above: float, below: float) -> float:
    """0 where nothing moves."""
    return above / below if below > 0 else 0.0
