"""A video -> one person's landmarks -> the motion of a head."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from kinevox import __version__
from kinevox.capture._base import Capture, Landmarks, Shot
from kinevox.capture.landmarks_file import keep, kept_at, recall
from kinevox.capture.people import choose
from kinevox.capture.track import FaceTracker, Progress, track_video
from kinevox.capture.video import video_facts
from kinevox.errors import VideoError
from kinevox.timebase import FPS, exact_fps
from kinevox.timing import stage

MIN_FACE = 24.0
"""Narrowest face that is worth fitting [pixels]; lips are then six pixels wide."""


@dataclass(frozen=True)
class TrackerChoice:
    """Which tracker looks at a video."""

    key: str
    """Name and version: what it saw is kept under this key; empty to keep nothing."""
    make: Callable[[], FaceTracker]
    """A new one, for one pass over one video."""


def mediapipe_tracker(task: str | Path | None = None) -> TrackerChoice:
    """MediaPipe's Face Mesh, or its newer task with a `.task` file of the user's.

    Raises:
        MissingExtraError: MediaPipe is not installed.
        AssetError: the file cannot be read.
    """
    from kinevox.capture._mediapipe import FaceLandmarker, FaceMesh, tracker_version

    version = tracker_version()
    if task is None:
        return TrackerChoice(f"{FaceMesh.name} {version}", FaceMesh)
    path = Path(task)
    made_of = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"
    return TrackerChoice(f"{FaceLandmarker.name} {version} {made_of}", lambda: FaceLandmarker(path))


def person_landmarks(
    video: str | Path,
    *,
    person: int | None = None,
    tracker: TrackerChoice | None = None,
    progress: Progress | None = None,
) -> Landmarks:
    """The landmarks of one person in a video, from the cache if they were found before.

    Args:
        person: Number from the left, from 1; needed when there are several people.
        tracker: MediaPipe's Face Mesh by default.

    Raises:
        VideoError: the video cannot be used.
        ConfigError: several people and none was chosen, or there is no such person.
    """
    path = Path(video)
    tracker = tracker or mediapipe_tracker()
    video_facts(path)  # Raises what is wrong with the file before its bytes are read.
    with stage("track"):
        place = kept_at(path, tracker.key) if tracker.key else None
        sightings = None if place is None else recall(place)
        if sightings is None:
            sightings = track_video(path, tracker.make, progress)
            if place is not None:
                keep(sightings, place)
    landmarks, width = choose(sightings, person, path.name)
    if width < MIN_FACE:
        raise VideoError(
            f"{path.name}: the face is {width:.0f} pixels wide; at least {MIN_FACE:.0f} are "
            "needed, and 100 are good. Give a larger version of the video."
        )
    return landmarks


def capture_video(
    video: str | Path,
    *,
    person: int | None = None,
    fps: float = FPS,
    field_of_view: float | None = None,
    tracker: TrackerChoice | None = None,
    progress: Progress | None = None,
) -> tuple[Capture, Landmarks]:
    """Captures one person of a video; arguments as for `person_landmarks`.

    Args:
        fps: Frame rate of the motion.
        field_of_view: Angle that the longer side of the picture spans [rad]; a likely one by
            default.

    Returns:
        The capture, and the landmarks it was fitted to.
    """
    from kinevox.capture.fit import fit

    exact_fps(fps)
    landmarks = person_landmarks(video, person=person, tracker=tracker, progress=progress)
    tell = progress or (lambda stage, done, total: None)
    with stage("fit"):
        capture = fit(
            _from_time_zero(landmarks),
            fps=fps,
            field_of_view=field_of_view,
            progress=lambda part: tell(f"Fitting {Path(video).name}", round(1000 * part), 1000),
        )
    notes = {"generator": f"kinevox {__version__}", "captured": "true", "source": Path(video).name}
    if person is not None:
        notes["person"] = str(person)
    motion = capture.motion
    motion = motion.replace(metadata={**motion.metadata, **notes})
    return replace(capture, motion=motion), landmarks


def _from_time_zero(landmarks: Landmarks) -> Landmarks:
    """With a picture in which nobody is seen at time 0, where the video starts later.

    The fit counts its frames from the first picture; speech counts them from the first sound.
    """
    if landmarks.times[0] <= 0:
        return landmarks
    nobody = np.full_like(landmarks.points[:1], np.nan)
    first, *others = (Shot(shot.start + 1, shot.stop + 1) for shot in landmarks.shots)
    return replace(
        landmarks,
        times=np.concatenate([[0.0], landmarks.times]),
        points=np.concatenate([nobody, landmarks.points]),
        shots=(Shot(0, first.stop), *others),
    )
