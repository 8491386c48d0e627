"""What is known of a motion before it is made, and how firmly.

Every number of a motion has a weight: 1 where it is known exactly, 0 where it is free, and in
between near the borders, so that what is made grows out of what is known. A take of which a part
is redrawn and poses that a performance must pass through are both such knowledge. A method that
draws from noise takes it into account at every step; for all others the result is blended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
from jaxtyping import Bool, Float

from kinevox.blinks import blinking
from kinevox.errors import ConfigError, MotionError
from kinevox.gaze import LOOKS, line_of_sight, looking
from kinevox.motion import ARKIT, Motion, MotionLayout
from kinevox.strengths import BLINKS
from kinevox.timebase import exact_fps, frame_times

LOOKING = tuple(name for look, _ in LOOKS for name in look)
"""Channels that turn the eyes, in layout `arkit`."""
FADE_SECONDS = 0.2
"""A redrawn range leaves the take in this time, or in a third of a short range [s]."""
HEAD_FADE_SECONDS = 0.5
"""And its head in this time: it has mass, and in less it hurries."""
POSE_SECONDS = 0.3
"""A pose is approached and left in this time, or from the pose before and to the one after [s]."""


@dataclass(frozen=True, eq=False)
class Known:
    """Values, and how firmly they are known.

    Raises:
        MotionError: there is not one weight from 0 to 1 for every value.
    """

    motion: Motion
    weights: Float[np.ndarray, "frames channels"]

    def __post_init__(self) -> None:
        if self.weights.shape != self.motion.values.shape:
            raise MotionError(
                f"{self.weights.shape} weights are given for values of shape "
                f"{self.motion.values.shape}; there must be one for each."
            )
        if self.weights.size and not (0 <= self.weights.min() <= self.weights.max() <= 1):
            raise MotionError("Weights of what is known must lie from 0 (free) to 1 (exactly).")

    @property
    def exact(self) -> Bool[np.ndarray, "frames channels"]:
        return self.weights == 1

    def hold(self, motion: Motion) -> Motion:
        """A motion drawn towards what is known; exactly that where the weight is 1.

        Raises:
            MotionError: it is in another layout, or of another length.
        """
        ours = (self.motion.layout.name, self.motion.num_frames)
        if (motion.layout.name, motion.num_frames) != ours:
            raise MotionError(
                f"What is known has {ours[1]} frames in layout '{ours[0]}'; the performance has "
                f"{motion.num_frames} in layout '{motion.layout.name}'."
            )
        blended = motion.values + self.weights * (self.motion.values - motion.values)
        return motion.replace(values=np.where(self.exact, self.motion.values, blended))

    def steady_eyes(self, held: Motion, motion: Motion) -> Motion:
        """What was held, with eyes that look where they looked in the motion, whatever was done to
        the head; where nothing is known of them, in layout `arkit`."""
        if held.layout != ARKIT:
            return held
        eyes = [ARKIT.index(name) for name in LOOKING]
        turned = self.weights[:, ARKIT.group("head")].any(axis=1)
        free = np.ix_(turned & ~self.weights[:, eyes].any(axis=1), eyes)
        values = held.values.copy()
        values[free] = looking(held, line_of_sight(motion)).values[free]
        return held.replace(values=values)

    def over(self, other: Known) -> Known:
        """Both; where they disagree, this one first."""
        rest = (1 - self.weights) * other.weights
        weights = self.weights + rest
        values = self.weights * self.motion.values + rest * other.motion.values
        values = values / np.where(weights > 0, weights, 1)
        return Known(self.motion.replace(values=values), weights)

    def at(self, fps: float, frames: int) -> Known:
        """The same on another clock."""
        if exact_fps(fps) == exact_fps(self.motion.fps) and frames == self.motion.num_frames:
            return self
        times = frame_times(frames, fps)
        motion = self.motion.replace(values=self.motion.sample(times), fps=fps)
        own = self.motion.times
        columns = [np.interp(times, own, column) for column in self.weights.T]
        return Known(motion, np.stack(columns, axis=1))


def outside(take: Motion, spans: Sequence[tuple[float, float]]) -> Known:
    """A take, known but for some ranges of time [s].

    What is made anew grows out of the take; but eyes leap, and a blink that has begun is finished,
    in layout `arkit`.

    Raises:
        ConfigError: a range holds no frame of the take.
    """
    weights = np.ones((take.num_frames, take.layout.num_channels))
    for start, end in spans:
        first, last = _frames_of(start, end, take)
        weights[first:last] = np.minimum(weights[first:last], _in_range(take, first, last))
    return Known(take, weights)


def _frames_of(start: float, end: float, take: Motion) -> tuple[int, int]:
    """First frame of a range of time [s], and the first behind it."""
    if end == np.inf or take.seconds < end < take.seconds + 1 / take.fps:
        # A recording ends a little behind its last frame.
        end = take.seconds
    if not (isfinite(start) and isfinite(end)):
        raise ConfigError(f"The range {start:g}:{end:g} s is none; expected two times.")
    first, last = (int(np.ceil(t * exact_fps(take.fps) - 1e-6)) for t in (start, end))
    if not 0 <= first < last <= take.num_frames:
        raise ConfigError(
            f"The range {start:g}:{end:g} s cannot be redrawn; the take has frames from 0 to "
            f"{take.seconds:g} s, {take.fps:g} a second, and at least one of them must begin "
            "after the start and before the end."
        )
    return first, last


def _in_range(take: Motion, first: int, last: int) -> Float[np.ndarray, "frames channels"]:
    """Weights of a take in a range that is made anew."""
    layout = take.layout
    weights = np.tile(_left(take, first, last)[:, None], layout.num_channels)
    head = [i for i, channel in enumerate(layout.channels) if channel.group == "head"]
    weights[:, head] = _left(take, first, last, HEAD_FADE_SECONDS)[:, None]
    if layout == ARKIT:
        weights[:, [layout.index(name) for name in LOOKING]] = 0
        lids, blinks = [layout.index(name) for name in BLINKS], blinking(take)
        opened, shut = first, last
        while 0 < opened < shut and blinks[opened - 1 : opened + 1].all():
            opened += 1
        while opened < shut < take.num_frames and blinks[shut - 1 : shut + 1].all():
            shut -= 1
        weights[:, lids] = 1
        weights[opened - first : shut - first, lids] = _left(take, opened, shut)[:, None]
    return weights


def _left(
    take: Motion, first: int, last: int, seconds: float = FADE_SECONDS
) -> Float[np.ndarray, " frames"]:
    """Weights of a take in a range of frames: from 1 to 0, and to 1 again."""
    places = np.arange(first, last)
    fade = min(seconds * take.fps, (last - first) / 3) + 1
    # At the ends of a take there is nothing to leave or to return to.
    before = places - first + 1 if first > 0 else np.full(len(places), np.inf)
    after = last - places if last < take.num_frames else np.full(len(places), np.inf)
    return _fallen(np.minimum(before, after) / fade)


def key_poses(
    poses: Sequence[tuple[float, Mapping[str, float]]],
    frames: int,
    fps: float,
    layout: MotionLayout,
) -> Known:
    """Some channels at some times [s], which a motion passes through.

    A pose belongs to the frame nearest to its time. One that opens the jaw parts the lips, unless
    it says otherwise: `mouthClose` would keep them together.

    Raises:
        ConfigError: a time outside the motion, or a value outside the channel's range.
        UnknownNameError: the layout has no such channel.
    """
    keys: defaultdict[int, dict[int, float]] = defaultdict(dict)
    for time, pose in poses:
        if not (isfinite(time) and 0 <= (frame := round(time * exact_fps(fps))) < frames):
            raise ConfigError(
                f"A pose at {time:g} s lies outside the motion, which has {frames} frames from 0 "
                f"to {frames / fps:g} s."
            )
        if "jawOpen" in pose and layout == ARKIT:
            pose = {"mouthClose": 0.0, **pose}
        for name, value in pose.items():
            channel = layout.channels[layout.index(name)]
            if not channel.low <= value <= channel.high:
                raise ConfigError(
                    f"The pose at {time:g} s sets {name} to {value:g}; it ranges from "
                    f"{channel.low:g} to {channel.high:g}."
                )
            keys[layout.index(name)][frame] = value
    values = np.tile(layout.neutral.astype(np.float64), (frames, 1))
    weights = np.zeros((frames, layout.num_channels))
    for column, at in keys.items():
        values[:, column], weights[:, column] = _through(at, frames, POSE_SECONDS * fps)
    return Known(Motion(values, fps, layout), weights)


def _through(
    keys: Mapping[int, float], frames: int, fade: float
) -> tuple[Float[np.ndarray, " frames"], Float[np.ndarray, " frames"]]:
    """Values and weights of one channel; the weight of each key ends where the next one is."""
    places, times = np.arange(frames), sorted(keys)
    bounds = [-np.inf, *times, np.inf]
    free, summed, total = np.ones(frames), np.zeros(frames), np.zeros(frames)
    for before, frame, after in zip(bounds, times, bounds[2:], strict=False):
        reach = np.where(places < frame, min(frame - before, fade), min(after - frame, fade))
        weight = _fallen(np.abs(places - frame) / reach)
        free, total = free * (1 - weight), total + weight
        summed = summed + weight * keys[frame]
    return summed / np.maximum(total, 1e-9), 1 - free


def _fallen(share: Float[np.ndarray, " frames"]) -> Float[np.ndarray, " frames"]:
    """From 1 to 0 with no edge."""
    share = np.clip(share, 0, 1)
    return 1 - share**2 * (3 - 2 * share)
