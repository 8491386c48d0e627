"""Continuity: seams between windows, trembling, standstill.

Measured on the face points of `distribution` [m] with head rotation removed, and on the head's
rotation. Derivatives are finite differences at the clip's own frame rate: velocity between
neighboring frames, jerk over four. For the head, velocity is the rotation that leads from one
frame to the next; jerk is the second difference of that.

Methods that generate window after window can jump, or bend, where one ends and the next begins.
A border b is the first frame of a window, or the first that it has alone where it overlaps with the
one before. The border's velocity is the one between frames b - 1 and b; its jerks are the three
whose four frames lie on both sides. Everything else is inside.

Source: jerk as a measure of jitter as in Yi et al. 2021 (TransPose), on faces; ratios are our own.

Metrics: for `face` and `head` each `border_velocity_ratio_*`, `border_jerk_ratio_*`, `jitter_*`;
`frozen_share`.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from jaxtyping import Bool, Float

from kinevox import rotation
from kinevox.errors import ConfigError
from kinevox.heads import Head
from kinevox.methods import WINDOW_BORDERS
from kinevox.metrics._base import Metric
from kinevox.metrics._vertices import face_points, require_region
from kinevox.motion import Motion
from kinevox.timebase import exact_fps

FROZEN_FACE = 0.25e-3
"""A face all of whose points are slower stands still: 0.01 mm per frame at 25 fps [m/s]."""
FROZEN_HEAD = np.radians(0.25)
"""A slower head stands still: 0.01 degrees per frame at 25 fps [rad/s]."""

METRICS = (
    *(
        metric
        for part, points in (("face", "face points"), ("head", "the head's rotation"))
        for metric in (
            Metric(
                f"border_velocity_ratio_{part}",
                f"Velocity at borders, {part}",
                "1",
                "closer",
                f"Mean speed of {points} across window borders over mean speed inside windows.",
                "mean_border |velocity| / mean_inside |velocity|",
                target=1.0,
            ),
            Metric(
                f"border_jerk_ratio_{part}",
                f"Jerk at borders, {part}",
                "1",
                "closer",
                f"Mean jerk of {points} over the four-frame stretches that lie on both sides of "
                "a window border, over the mean of all others.",
                "mean_border |jerk| / mean_inside |jerk|",
                target=1.0,
            ),
        )
    ),
    Metric(
        "jitter_face",
        "Jitter of the face",
        "m/s^3",
        "closer",
        "Mean jerk of the face points. Speech itself has jerk: less than the reference is "
        "smoothed, more trembles. Depends on the frame rate; compare at one.",
        "mean_tv |third difference| fps^3",
    ),
    Metric(
        "jitter_head",
        "Jitter of the head",
        "deg/s^3",
        "closer",
        "Mean jerk of the head's rotation.",
        "mean_t |second difference of the rotation between frames| fps^3",
    ),
    Metric(
        "frozen_share",
        "Frozen frames",
        "1",
        "closer",
        "Share of frames, from the second on, in which no face point is faster than 0.25 mm/s "
        "and the head turns by less than 0.25 deg/s.",
    ),
)


def validate(head: Head, motion: Motion, borders: Collection[int] = ()) -> None:
    """The head knows its face and borders lie inside the motion.

    Raises:
        ConfigError: a border is not a frame after the first.
        AssetError: the head has no lips or upper face.
    """
    require_region(head, "lips", "upper_face")
    wrong = [b for b in borders if not 0 < b < motion.num_frames]
    if wrong:
        raise ConfigError(
            f"{wrong[0]} is not a window border of a motion of {motion.num_frames} frames; a "
            "border is a frame where a window begins or goes on alone, the first window left out."
        )


def point_velocity(
    points: Float[np.ndarray, "frames points 3"], fps: float
) -> Float[np.ndarray, "frames-1 points 3"]:
    """Velocity between neighboring frames [m/s]."""
    return np.diff(points.astype(np.float64), axis=0) * float(exact_fps(fps))


def turn_velocity(
    head: Float[np.ndarray, "frames 3"], fps: float
) -> Float[np.ndarray, "frames-1 1 3"]:
    """Angular velocity between neighboring frames, in the turning head's own axes [rad/s]."""
    turns = rotation.quaternion_from_axis_angle(head.astype(np.float64))
    steps = rotation.multiply(rotation.conjugate(turns[:-1]), turns[1:])
    return rotation.axis_angle_from_quaternion(steps)[:, None] * float(exact_fps(fps))


def jerk(
    velocity: Float[np.ndarray, "steps points 3"], fps: float
) -> Float[np.ndarray, "steps-2 points 3"]:
    """Second difference of the velocity, per second squared."""
    return np.diff(velocity, n=2, axis=0) * float(exact_fps(fps)) ** 2


def border_ratio(
    derivative: Float[np.ndarray, "steps points 3"], borders: Collection[int], frames_each: int
) -> float:
    """Mean size of a derivative over the borders, over its mean elsewhere.

    Args:
        frames_each: How many frames one value is computed from: 2 for velocity, 4 for jerk.

    Returns:
        NaN when there is no border, nothing inside, or no movement at all; infinite when only
        borders move.
    """
    size = np.linalg.norm(derivative, axis=-1).mean(axis=1)
    at_border: Bool[np.ndarray, " steps"] = np.zeros(len(size), dtype=bool)
    for border in borders:
        at_border[max(border - frames_each + 1, 0) : border] = True
    if at_border.all() or not at_border.any():
        return np.nan
    across, inside = float(size[at_border].mean()), float(size[~at_border].mean())
    if inside == 0:
        return np.nan if across == 0 else np.inf
    return across / inside


def jitter(velocity: Float[np.ndarray, "steps points 3"], fps: float) -> float:
    """Mean size of the jerk, in the unit of the velocity per second squared; NaN below 4 frames."""
    if len(velocity) < 3:
        return np.nan
    return float(np.linalg.norm(jerk(velocity, fps), axis=-1).mean())


def frozen_share(
    face: Float[np.ndarray, "steps points 3"], head: Float[np.ndarray, "steps 1 3"]
) -> float:
    """Share of steps without movement of face or head, from their velocities; NaN without steps."""
    if not len(face):
        return np.nan
    fastest = [np.linalg.norm(velocity, axis=-1).max(axis=1) for velocity in (face, head)]
    return float(((fastest[0] <= FROZEN_FACE) & (fastest[1] <= FROZEN_HEAD)).mean())


def window_borders(motion: Motion) -> list[int]:
    """Where windows begin or go on alone, if the method that made the motion says it."""
    times = motion.metadata.get(WINDOW_BORDERS, "").split()
    frames = {round(float(time) * motion.fps) for time in times}
    return sorted(frame for frame in frames if 0 < frame < motion.num_frames)


def evaluate(head: Head, motion: Motion, borders: Collection[int] = ()) -> dict[str, float]:
    """All continuity metrics of one clip; no reference is needed.

    Args:
        borders: Of windows; without them the ratios are NaN.
    """
    validate(head, motion, borders)
    fps = motion.fps
    face = point_velocity(face_points(head, motion), fps)
    turn = turn_velocity(motion.group("head"), fps)
    scores = {}
    for part, velocity in (("face", face), ("head", turn)):
        scores[f"border_velocity_ratio_{part}"] = border_ratio(velocity, borders, 2)
        scores[f"border_jerk_ratio_{part}"] = border_ratio(jerk(velocity, fps), borders, 4)
    scores["jitter_face"] = jitter(face, fps)
    scores["jitter_head"] = float(np.degrees(jitter(turn, fps)))
    scores["frozen_share"] = frozen_share(face, turn)
    return scores
