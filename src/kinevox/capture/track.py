"""From a video to every face in it: where its landmarks are, picture by picture."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from jaxtyping import Float, Int, UInt8

from kinevox.capture._base import Shot
from kinevox.capture.shots import find_shots, step, thumbnail
from kinevox.capture.video import pictures, video_facts
from kinevox.errors import VideoError

_log = logging.getLogger(__name__)

LONGEST = 960
"""Larger pictures are scaled down to this for the tracker [pixels]; it looks at a face in 192 x
192 pixels anyway."""
GRID = 64
"""Landmarks are kept in steps of 1/64 pixel, a twentieth of the tracker's jitter."""
PATIENCE = 0.5
"""A face may be lost for this long within a shot and still be followed [s]."""

_OVERLAP = 0.3
"""Intersection over union from which two boxes are one face that moved."""
_SAME = 0.5
"""The same for two boxes in one picture: the tracker found one face twice."""
_EYE_CORNERS = (33, 263)
"""Outer corners of the eyes, the right one first."""
_MOUTH_CORNERS = (61, 291)
_LOOK = 16
"""Width and height of what a face looks like [pixels]."""

Progress = Callable[[str, int, int], None]


class FaceTracker(Protocol):
    """Finds faces in pictures that follow one another."""

    def faces(
        self, pixels: UInt8[np.ndarray, "height width 3"], time: float
    ) -> Float[np.ndarray, "faces points 3"]:
        """Landmarks as fractions of the picture's width and height, depth in widths."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, eq=False)
class Sightings:
    """Every face in a video; a sighting is one face in one picture."""

    times: Float[np.ndarray, " frames"]
    """When each picture is shown [s]."""
    size: tuple[int, int]
    """Width and height of the upright picture [pixels]."""
    shots: tuple[Shot, ...]
    turn: int
    """Quarter turns to the left that made faces upright, on top of the file's own flag."""
    frame: Int[np.ndarray, " sightings"]
    track: Int[np.ndarray, " sightings"]
    """Sightings that follow one another without doubt share a number."""
    points: Float[np.ndarray, "sightings points 3"]
    """Landmarks [pixels]."""
    looks: Float[np.ndarray, "tracks rows columns"]
    """What each track looks like: the mean of its pictures, eyes and mouth put in place, gray."""


def track_video(
    path: str | Path,
    make_tracker: Callable[[], FaceTracker],
    progress: Progress | None = None,
) -> Sightings:
    """Looks at every picture of a video.

    Faces that lie on their side are tracked again in pictures that were turned upright.

    Raises:
        VideoError: no picture can be decoded.
    """
    found = _tracked(path, make_tracker, progress, turn=0)
    turn = _quarter_turns(found.points)
    if turn:
        side = "left" if turn == 1 else "right"
        _log.info("%s lies on its side: turned a quarter to the %s.", Path(path).name, side)
        found = _tracked(path, make_tracker, progress, turn)
    return found


def _tracked(
    path: str | Path,
    make_tracker: Callable[[], FaceTracker],
    progress: Progress | None,
    turn: int,
) -> Sightings:
    total = video_facts(path).pictures
    times, steps, faces, looks = [], [], [], []
    size, before = (0, 0), None
    with closing(make_tracker()) as tracker:
        for picture in pictures(path, LONGEST, turn):
            small = thumbnail(picture.pixels)
            steps.append(step(before, small))
            faces.append(_distinct(tracker.faces(picture.pixels, picture.time)))
            looks += [_look(picture.pixels, face) for face in faces[-1]]
            times.append(picture.time)
            before, size = small, size if len(times) > 1 else picture.size
            if progress is not None:
                progress(f"Tracking {Path(path).name}", len(times), max(total, len(times)))
    clock, shots = np.array(times), find_shots(np.array(steps))
    if not times:
        raise VideoError(f"{path} shows no picture while its sound plays.")
    scale = np.array([size[0], size[1], size[0]], np.float32)
    points = np.concatenate(faces) * scale
    frame = np.repeat(np.arange(len(faces)), [len(f) for f in faces])
    points = np.round(points * GRID) / np.float32(GRID)
    track = follow(_boxes(points), frame, clock, shots)
    means = [np.mean([looks[i] for i in np.flatnonzero(track == n)], axis=0) for n in set(track)]
    shown = np.array(means, np.float32).reshape(-1, _LOOK, _LOOK)
    return Sightings(clock, size, shots, turn, frame, track, points, shown)


def follow(
    boxes: Float[np.ndarray, "sightings 4"],
    frame: Int[np.ndarray, " sightings"],
    times: Float[np.ndarray, " frames"],
    shots: tuple[Shot, ...],
) -> Int[np.ndarray, " sightings"]:
    """Numbers of the tracks: a face goes on where its box overlaps that of a moment ago.

    Args:
        boxes: Left, top, right and bottom of each sighting [pixels].
        frame: The frame of each sighting, ascending.
    """
    track = np.full(len(boxes), -1)
    latest: dict[int, int] = {}
    count = 0
    for shot in shots:
        latest.clear()
        for t in range(shot.start, shot.stop):
            here = np.arange(*np.searchsorted(frame, [t, t + 1]))
            for number, sighting in list(latest.items()):
                if times[t] - times[frame[sighting]] > PATIENCE:
                    del latest[number]
            pairs = sorted(
                (
                    (float(_overlaps(boxes[s], boxes[last][None])[0]), number, s)
                    for s in here
                    for number, last in latest.items()
                ),
                key=lambda pair: -pair[0],
            )
            taken = set()
            for overlap, number, sighting in pairs:
                if overlap >= _OVERLAP and number not in taken and track[sighting] < 0:
                    track[sighting] = number
                    taken.add(number)
            for sighting in here:
                if track[sighting] < 0:
                    track[sighting], count = count, count + 1
                latest[int(track[sighting])] = int(sighting)
    return track


def _look(
    pixels: UInt8[np.ndarray, "height width 3"], face: Float[np.ndarray, "points 3"]
) -> Float[np.ndarray, "rows columns"]:
    """The face as a small gray picture in which eyes and mouth have their place."""
    height, width = pixels.shape[:2]
    flat = face[:, :2] * [width, height]
    eyes, mouth = flat[list(_EYE_CORNERS)], flat[list(_MOUTH_CORNERS)].mean(axis=0)
    placed = np.array([[0.22, 0.3, 1], [0.78, 0.3, 1], [0.5, 0.8, 1]])
    affine = np.linalg.solve(placed, np.stack([*eyes, mouth]))
    middles = (np.arange(_LOOK) + 0.5) / _LOOK
    x, y = np.meshgrid(middles, middles)
    at = (np.stack([x, y, np.ones_like(x)], axis=-1) @ affine).astype(int)
    seen = pixels[at[..., 1].clip(0, height - 1), at[..., 0].clip(0, width - 1)]
    return seen.mean(axis=-1, dtype=np.float32)


def _distinct(faces: Float[np.ndarray, "found points 3"]) -> Float[np.ndarray, "faces points 3"]:
    """Each face once."""
    boxes, kept = _boxes(faces), []
    for i in range(len(faces)):
        if not kept or _overlaps(boxes[i], boxes[kept]).max() < _SAME:
            kept.append(i)
    return faces[kept]


def _boxes(points: Float[np.ndarray, "sightings points 3"]) -> Float[np.ndarray, "sightings 4"]:
    if not len(points):
        return np.zeros((0, 4), points.dtype)
    flat = points[..., :2]
    return np.concatenate([flat.min(axis=1), flat.max(axis=1)], axis=1)


def _overlaps(
    box: Float[np.ndarray, " 4"], others: Float[np.ndarray, "others 4"]
) -> Float[np.ndarray, " others"]:
    """Intersection over union."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=1)
    own, theirs = np.prod(box[2:] - box[:2]), np.prod(others[:, 2:] - others[:, :2], axis=1)
    return shared / np.maximum(own + theirs - shared, 1e-12)


def _quarter_turns(points: Float[np.ndarray, "sightings points 3"]) -> int:
    """Quarter turns to the left after which most faces are upright.

    The tracker finds faces on their side by itself, but less exactly.
    """
    if not len(points):
        return 0
    right, left = points[:, _EYE_CORNERS[0], :2], points[:, _EYE_CORNERS[1], :2]
    across = np.median(left - right, axis=0)
    quarters = round(float(np.arctan2(across[1], across[0])) / (np.pi / 2)) % 4
    # Upside down does not occur: the tracker takes the chin for a forehead then.
    return quarters if quarters in (1, 3) else 0
