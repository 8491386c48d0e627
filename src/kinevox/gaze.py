"""Eyes that rest on something and leap to the next.

People look at one thing after another. Between the leaps (saccades) their line of sight stands
still: the eyes undo the turns of the head (vestibulo-ocular reflex). Eyes that are drawn from noise
drift instead, and tremble. So the line of sight is replaced by the fixations that are nearest to
it: piecewise constant, by least squares with a price for every leap, which dynamic programming
finds exactly.

Source: the Potts functional, solved as in Friedrich et al. 2008, "Complexity penalized
M-estimation", Section 3, with a longest piece.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from kinevox import rotation
from kinevox.arkit import EYE_LOOK_RADIANS
from kinevox.motion import Motion

LOOKS = (
    (("eyeLookOutLeft", "eyeLookInLeft"), 0),
    (("eyeLookInRight", "eyeLookOutRight"), 0),
    (("eyeLookDownLeft", "eyeLookUpLeft"), 1),
    (("eyeLookDownRight", "eyeLookUpRight"), 1),
)
"""Weights to the left or down, and against it; the head angle in the same sense."""
LEAP_SECONDS, LEAP = 0.1, np.radians(2.5)
"""A leap is worth while to see something rightly, rather than so much beside it [rad], for so long
[s]; for four times as long at half the distance."""
LONGEST = 6.0
"""Nobody looks at one thing for longer without a flicker [s]."""


def turned_eyes(motion: Motion, by: Float[np.ndarray, "frames 2"]) -> Motion:
    """Eyes turned further to the left and down by these angles [rad], both alike."""
    changed: dict[str, Float[np.ndarray, " frames"]] = {}
    for look, angle in LOOKS:
        changed |= turned_look(motion, look, by[:, angle] / EYE_LOOK_RADIANS)
    return motion.with_channels(**changed)


def turned_look(
    motion: Motion, look: tuple[str, str], by: Float[np.ndarray, " frames"]
) -> dict[str, Float[np.ndarray, " frames"]]:
    """Both weights of one of `LOOKS`, turned further by so much weight; what both have stays."""
    along, against = look
    turned = motion[along] - motion[against] + by
    both = np.minimum(motion[along], motion[against])
    return {
        along: np.clip(both + np.maximum(turned, 0), 0, 1),
        against: np.clip(both + np.maximum(-turned, 0), 0, 1),
    }


def line_of_sight(motion: Motion) -> Float[np.ndarray, "frames 2"]:
    """Yaw and pitch of what both eyes together look at [rad], in layout `arkit`."""
    looks = np.zeros((motion.num_frames, 2))
    for (along, against), angle in LOOKS:
        looks[:, angle] += EYE_LOOK_RADIANS * (motion[along] - motion[against]) / 2
    turns = rotation.yaw_pitch_roll(motion.group("head").astype(np.float64))
    return looks + turns[:, :2]


def fixations(sight: Float[np.ndarray, "frames 2"], fps: float) -> list[tuple[int, int]]:
    """Stretches of frames, from one leap of the eyes to the next; together they are all frames."""
    frames, longest = len(sight), max(round(LONGEST * fps), 1)
    price = LEAP**2 * LEAP_SECONDS * fps
    sums = np.concatenate([np.zeros((1, 2)), np.cumsum(sight, axis=0)])
    squares = np.concatenate([[0.0], np.cumsum((sight**2).sum(axis=1))])
    costs, begins = np.zeros(frames + 1), np.zeros(frames + 1, dtype=int)
    for end in range(1, frames + 1):
        starts = np.arange(max(end - longest, 0), end)
        spread = squares[end] - squares[starts]
        spread -= ((sums[end] - sums[starts]) ** 2).sum(axis=1) / (end - starts)
        total = costs[starts] + spread + price
        best = int(total.argmin())
        costs[end], begins[end] = total[best], starts[best]
    found: list[tuple[int, int]] = []
    end = frames
    while end:
        found.append((int(begins[end]), end))
        end = int(begins[end])
    return found[::-1]


def steady_sight(motion: Motion) -> Float[np.ndarray, "frames 2"]:
    """A line of sight that stands still between leaps [rad], nearest to that of the motion."""
    sight = line_of_sight(motion)
    held = np.empty_like(sight)
    for start, end in fixations(sight, motion.fps):
        held[start:end] = np.median(sight[start:end], axis=0)
    return held


def looking(motion: Motion, sight: Float[np.ndarray, "frames 2"]) -> Motion:
    """The motion with eyes turned to where they have this line of sight [rad]."""
    return turned_eyes(motion, sight - line_of_sight(motion))
