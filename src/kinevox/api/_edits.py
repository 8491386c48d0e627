"""Edits of a performance: ranges drawn anew, poses to pass through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kinevox.api._material import filled, motion_of
from kinevox.api._options import AnimateOptions
from kinevox.errors import ConfigError, MotionError
from kinevox.known import POSE_SECONDS, Known, key_poses, outside
from kinevox.motion import Motion, MotionLayout
from kinevox.speech import Speech
from kinevox.timebase import SAMPLE_RATE, exact_fps, num_frames


@dataclass(frozen=True)
class Edits:
    """What is known of a performance, and what is told about it."""

    known: Known | None = None
    take_seed: str | None = None
    """Of the take that is redrawn; the same seed would draw the same."""
    notes: Mapping[str, str] = field(default_factory=dict)


def edits_of(
    options: AnimateOptions,
    source: Path,
    speech: Speech,
    output_layout: Callable[[], MotionLayout],
) -> Edits:
    """What is known of the performance of a recording.

    Args:
        output_layout: Of the motion that will be made, asked for where it matters.

    Raises:
        ConfigError: ranges or poses do not fit.
        MotionError: the take is of another length, frame rate or layout than the performance.
    """
    frames = num_frames(len(speech.samples), SAMPLE_RATE, options.fps)
    if options.take is None:
        if not options.poses:
            return Edits()
        return Edits(_poses(options, frames, output_layout()))
    given = options.take if isinstance(options.take, Motion) else filled(options.take, source)
    assert given is not None
    take, path = motion_of(given)
    if exact_fps(take.fps) != exact_fps(options.fps):
        raise MotionError(
            f"The take {path.name} has {take.fps:g} frames per second and {options.fps:g} are "
            f"asked for. Give --fps {take.fps:g}."
        )
    if take.num_frames != frames:
        raise MotionError(
            f"The take {path.name} has {take.num_frames} frames and {source.name} gives {frames}; "
            "a take can be redrawn with the recording that it was made from."
        )
    spans = options.regenerate or [
        (max(time - 2 * POSE_SECONDS, 0), min(time + 2 * POSE_SECONDS, take.seconds))
        for time, _ in options.poses
    ]
    told = ",".join(f"{start:g}:{end:g}" for start, end in spans)
    known = outside(take, spans)
    if options.poses:
        poses = _poses(options, frames, take.layout)
        if (outside_of := poses.exact.any(axis=1) & known.exact.all(axis=1)).any():
            raise ConfigError(
                f"A pose at {take.times[outside_of][0]:g} s lies outside the ranges that are made "
                f"anew, {told}. Give a range around it, or leave the pose out."
            )
        inside = poses.weights * ~known.exact
        known = Known(poses.motion, inside).over(known)
    notes = {"take": path.name, "regenerated": told}
    if "style" in take.metadata:
        notes["take_style"] = take.metadata["style"]
    return Edits(known, take.metadata.get("seed"), notes)


def seeds_of(options: AnimateOptions, edits: Edits) -> list[int]:
    """Seeds of the takes, counting up; that of a take that is redrawn is left out."""
    seeds = range(options.seed, options.seed + options.takes + 1)
    return [seed for seed in seeds if str(seed) != edits.take_seed][: options.takes]


def _poses(options: AnimateOptions, frames: int, layout: MotionLayout) -> Known:
    poses = [(time, _channels(pose, layout)) for time, pose in options.poses]
    return key_poses(poses, frames, options.fps, layout)


def _channels(pose: object, layout: MotionLayout) -> Mapping[str, float]:
    """A pose by channels: as given, or the frame of a motion."""
    if isinstance(pose, Mapping):
        return pose
    if isinstance(pose, Motion):
        motion, place = pose, 0.0
    else:
        text, _, at = str(pose).rpartition("@")
        place = _number(at) if text else None
        motion, _ = motion_of(str(pose) if place is None else text)
    if motion.layout != layout:
        raise MotionError(
            f"The pose is in layout '{motion.layout.name}'; the performance is in '{layout.name}'."
        )
    if motion.num_frames == 0:
        raise MotionError("The pose has no frame.")
    if not 0 <= (place or 0.0) <= motion.seconds:
        raise ConfigError(
            f"The pose is asked for at {place:g} s; its motion has frames from 0 to "
            f"{motion.seconds:g} s. Give a time within."
        )
    frame = min(round((place or 0.0) * motion.fps), motion.num_frames - 1)
    return dict(zip(layout.names, motion.values[frame].tolist(), strict=True))


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
