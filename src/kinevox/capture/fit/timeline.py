"""Landmarks at an even rate: what was seen when, and what may be filled in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from kinevox.capture._base import Landmarks, Shot
from kinevox.timebase import exact_fps

SHORT_LOSS = 0.2
"""Losses up to this long are filled in [s]."""


@dataclass(frozen=True, eq=False)
class Timeline:
    """Landmarks on frames of even length, from the start of the video."""

    points: Float[np.ndarray, "frames points 3"]
    """[pixels], depth last; NaN where the face was not seen."""
    ids: Int[np.ndarray, " points"]
    filled: Bool[np.ndarray, " frames"]
    """Frames within a short loss: their points lie between those around it."""
    shots: tuple[Shot, ...]

    @property
    def known(self) -> Bool[np.ndarray, " frames"]:
        """Frames with points, seen or filled in."""
        return np.isfinite(self.points).all(axis=(1, 2))

    @property
    def stretches(self) -> tuple[Shot, ...]:
        """Runs of known frames without a cut."""
        known, runs = self.known, []
        for shot in self.shots:
            inside = np.flatnonzero(known[shot.start : shot.stop]) + shot.start
            for run in np.split(inside, np.flatnonzero(np.diff(inside) > 1) + 1):
                if len(run):
                    runs.append(Shot(int(run[0]), int(run[-1]) + 1))
        return tuple(runs)


def even_timeline(landmarks: Landmarks, fps: float) -> Timeline:
    """The landmarks at frames of `fps`, interpolated in time within each shot.

    A frame belongs to the shot of the picture that is shown at its start.
    """
    times = landmarks.times - landmarks.times[0]
    step = float(np.median(np.diff(times))) if len(times) > 1 else 1 / fps
    rate = float(exact_fps(fps))
    count = max(int(np.floor((times[-1] + step) * rate + 1e-3)), 1)
    frames = np.arange(count) / rate
    # Times in files are rounded; a frame that starts a hair before its picture shows that picture.
    shown = np.searchsorted(times, frames + 0.1 * step, side="right") - 1
    shots = landmarks.shots or (Shot(0, len(times)),)
    points = np.full((count, len(landmarks.ids), 3), np.nan)
    filled = np.zeros(count, dtype=bool)
    even_shots = []
    for shot in shots:
        here = np.flatnonzero((shown >= shot.start) & (shown < shot.stop))
        if not len(here):
            continue
        even_shots.append(Shot(int(here[0]), int(here[-1]) + 1))
        pictures = np.arange(shot.start, shot.stop)
        seen = pictures[landmarks.seen[shot.start : shot.stop]]
        if not len(seen):
            continue
        at, nearest, inside = _between(times[seen], frames[here], step)
        points[here[inside]] = _sample(landmarks.points[seen], at[inside])
        filled[here[inside]] = nearest[inside] > 1.5 * step
    return Timeline(points, landmarks.ids, filled, tuple(even_shots))


def _between(
    seen: Float[np.ndarray, " seen"], frames: Float[np.ndarray, " frames"], step: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fractional index into the seen pictures, distance between the two around, whether usable."""
    at = np.interp(frames, seen, np.arange(len(seen)))
    before = np.minimum(at.astype(int), max(len(seen) - 2, 0))
    after = np.minimum(before + 1, len(seen) - 1)
    width = seen[after] - seen[before]
    on_one = np.abs(frames - seen[np.rint(at).astype(int)]) < 0.75 * step
    width = np.where(on_one, np.minimum(width, step), width)
    inside = (frames >= seen[0]) & (frames <= seen[-1]) & (width <= SHORT_LOSS + step)
    return at, width, inside | on_one


def _sample(
    points: Float[np.ndarray, "seen points 3"], at: Float[np.ndarray, " frames"]
) -> Float[np.ndarray, "frames points 3"]:
    before = np.minimum(at.astype(int), len(points) - 1)
    after = np.minimum(before + 1, len(points) - 1)
    share = (at - before)[:, None, None]
    return (1 - share) * points[before] + share * points[after]
