"""More or less of parts of a performance: mouth, upper face, head motion, blinks.

Weights are scaled from neutral, so what rests keeps resting. The head is turned more or less about
its mean pose of the take: less motion keeps the posture. Eyes that undo a head's turns, to stay
with the listener, undo what is left of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float

from kinevox import rotation
from kinevox.arkit import LIP_OPENING_MM, NAMES
from kinevox.errors import ConfigError, MotionError
from kinevox.gaze import LOOKS, turned_look
from kinevox.motion import ARKIT, Motion

MOUTH = tuple(n for n in NAMES if n.startswith(("jaw", "mouth", "tongue", "cheekPuff")))
BLINKS = ("eyeBlinkLeft", "eyeBlinkRight")
UPPER_FACE = tuple(n for n in NAMES if n not in (*MOUTH, *BLINKS) and not n.startswith("eyeLook"))
"""Brows, cheeks, nose, and lids but for blinks."""

CLOSED_MM, OPEN_MM = 1.0, 3.0
"""A stronger mouth does not widen a gap below the first, and fully widens one above the second."""


@dataclass(frozen=True)
class Strengths:
    """How much of each part there is; 1 is as performed, 0 nothing.

    Raises:
        ConfigError: a strength is negative or no number.
    """

    mouth: float = 1.0
    """Jaw, lips, cheeks that puff, tongue. Lips that are closed stay closed."""
    upper_face: float = 1.0
    """Brows, cheeks, nose, squinting and widened eyes."""
    head_motion: float = 1.0
    """How far the head leaves its mean pose of the take."""
    blinks: float = 1.0
    """How far the lids close; between 0 and 1 they do not meet."""

    def __post_init__(self) -> None:
        for field in fields(self):
            strength = getattr(self, field.name)
            if not (math.isfinite(strength) and strength >= 0):
                raise ConfigError(
                    f"Strength {field.name} is {strength}; it must be 0 (nothing), 1 (as it is) or "
                    "any other number that is not negative."
                )


def strengthened(motion: Motion, strengths: Strengths) -> Motion:
    """The motion with more or less of some parts; weights stay within 0 to 1.

    Raises:
        MotionError: parts of the face are named, and the layout has no names for them.
    """
    face = (strengths.mouth, strengths.upper_face, strengths.blinks) != (1, 1, 1)
    if face and motion.layout != ARKIT:
        raise MotionError(
            f"Layout '{motion.layout.name}' has no channels by name that mouth, upper face and "
            f"blinks could be told by; their strengths are for layout '{ARKIT.name}'. Head motion "
            "can be scaled in any layout."
        )
    if motion.num_frames == 0 or strengths == Strengths():
        return motion
    changed: dict[str, Float[np.ndarray, " frames"]] = {}
    if strengths.head_motion != 1:
        changed |= _head(motion, strengths.head_motion)
    if face:
        opening = _mouth_gain(motion, strengths.mouth)
        for names, gain in (
            (MOUTH, strengths.mouth),
            (UPPER_FACE, strengths.upper_face),
            (BLINKS, strengths.blinks),
        ):
            for name in names:
                by = opening if name in LIP_OPENING_MM else gain
                changed[name] = np.clip(by * motion[name], 0, 1)
        # A correction of the jaw, which must never exceed it.
        changed["mouthClose"] = np.minimum(changed["mouthClose"], changed["jawOpen"])
    return motion.with_channels(**changed)


def lip_opening(motion: Motion) -> Float[np.ndarray, " frames"]:
    """How far the weights open the inner lips, on Anny [mm]."""
    return np.sum([mm * motion[name] for name, mm in LIP_OPENING_MM.items()], axis=0)


def _mouth_gain(motion: Motion, strength: float) -> Float[np.ndarray, " frames"] | float:
    """What scales the weights that open the lips.

    Weaker scales all alike. Stronger leaves nearly closed lips alone: a gap that nobody sees would
    be seen when it is widened.
    """
    if strength <= 1:
        return strength
    return 1 + (strength - 1) * open_share(motion)


def open_share(motion: Motion) -> Float[np.ndarray, " frames"]:
    """How much lips may be parted further, from 0 where they nearly meet to 1."""
    share = np.clip((lip_opening(motion) - CLOSED_MM) / (OPEN_MM - CLOSED_MM), 0, 1)
    return share**2 * (3 - 2 * share)


def _head(motion: Motion, strength: float) -> dict[str, Float[np.ndarray, " frames"]]:
    """The head about its mean, and eyes that follow suit."""
    before = motion.group("head").astype(np.float64)
    turns = rotation.quaternion_from_axis_angle(before)
    mean = np.mean(np.where(turns[:, :1] < 0, -turns, turns), axis=0)
    mean = np.tile(mean / np.linalg.norm(mean), (len(turns), 1))
    away = rotation.axis_angle_from_quaternion(rotation.multiply(rotation.conjugate(mean), turns))
    scaled = rotation.multiply(mean, rotation.quaternion_from_axis_angle(strength * away))
    after = rotation.axis_angle_from_quaternion(scaled)
    changed = {f"head_{axis}": after[:, i] for i, axis in enumerate("xyz")}
    if motion.layout != ARKIT:
        return changed
    was, now = rotation.yaw_pitch_roll(before), rotation.yaw_pitch_roll(after)
    for look, angle in LOOKS:
        gaze = motion[look[0]] - motion[look[1]]
        moved = (now - was)[:, angle] * _counter(gaze, was[:, angle])
        changed |= turned_look(motion, look, moved)
    return changed


def _counter(gaze: Float[np.ndarray, " frames"], angle: Float[np.ndarray, " frames"]) -> float:
    """How the eyes answer a turn of the head, per radian; 0 where they do not undo it."""
    spread = float(np.var(angle))
    if spread < 1e-8:
        return 0.0
    slope = float(np.mean((gaze - gaze.mean()) * (angle - angle.mean()))) / spread
    return min(slope, 0.0)
