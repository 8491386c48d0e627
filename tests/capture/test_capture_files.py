"""What is kept on disk comes back as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from synthetic import toy_motion
from synthetic_video import Disc, DiscTracker, paint, write_video

from kinevox.capture import Camera, Capture, Shot
from kinevox.capture._capture import TrackerChoice, person_landmarks
from kinevox.capture.capture_file import is_capture, read_capture, write_capture
from kinevox.capture.landmarks_file import keep, kept_at, recall
from kinevox.capture.track import track_video
from kinevox.errors import MotionError
from kinevox.export import Animation, read_motion, write


def toy_capture(frames: int = 12) -> Capture:
    rng = np.random.default_rng(3)
    error = rng.uniform(0, 2, frames)
    error[4:6] = np.nan
    return Capture(
        motion=toy_motion(frames).replace(metadata={"source": "me.mp4"}),
        translation=rng.normal(0, 0.1, (frames, 3)),
        camera=Camera(500.0, (360, 288)),
        confidence=rng.uniform(0, 1, frames),
        error_pixels=error,
        face_pixels=60 + error,
        shots=(Shot(0, 5), Shot(5, frames)),
        phenotype={"age": 0.4, "gender": 0.9},
        neutral=rng.normal(0, 0.1, (478, 3)),
    )


def test_a_capture_comes_back(tmp_path: Path) -> None:
    capture, path = toy_capture(), tmp_path / "me.npz"
    write_capture(capture, path)
    again = read_capture(path)
    assert is_capture(path)
    assert (again.camera, again.shots) == (capture.camera, capture.shots)
    assert again.phenotype == capture.phenotype
    for name in ("translation", "confidence", "error_pixels", "face_pixels", "error", "neutral"):
        np.testing.assert_array_equal(getattr(again, name), getattr(capture, name))
    assert again.motion.metadata == capture.motion.metadata


def test_every_command_reads_a_capture_as_a_motion(tmp_path: Path) -> None:
    capture, path = toy_capture(), tmp_path / "me.npz"
    write_capture(capture, path)
    motion = read_motion(path)
    np.testing.assert_array_equal(motion.values, capture.motion.values)
    assert motion.fps == capture.motion.fps and motion.metadata["source"] == "me.mp4"


def test_a_motion_is_no_capture(tmp_path: Path) -> None:
    path = tmp_path / "plain.npz"
    write(Animation(toy_motion(), lambda: None), path)  # type: ignore[arg-type]
    assert not is_capture(path)
    with pytest.raises(MotionError, match="kinevox capture VIDEO"):
        read_capture(path)


class Counting(DiscTracker):
    """Knows how often a video was tracked."""

    passes = 0

    def __init__(self) -> None:
        Counting.passes += 1


@pytest.fixture
def clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KINEVOX_CACHE", str(tmp_path / "cache"))
    Counting.passes = 0
    pictures = [paint(Disc(60 + i), Disc(140, radius=20, other=True)) for i in range(5)]
    return write_video(tmp_path / "clip.mp4", pictures)


def test_sightings_come_back_exactly(clip: Path, tmp_path: Path) -> None:
    sightings = track_video(clip, DiscTracker)
    keep(sightings, tmp_path / "kept.npz")
    again = recall(tmp_path / "kept.npz")
    assert again is not None
    assert (again.size, again.shots, again.turn) == (sightings.size, sightings.shots, 0)
    for name in ("times", "frame", "track", "points", "looks"):
        np.testing.assert_array_equal(getattr(again, name), getattr(sightings, name))
    nobody = replace(
        sightings,
        frame=sightings.frame[:0],
        track=sightings.track[:0],
        points=sightings.points[:0],
        looks=sightings.looks[:0],
    )
    keep(nobody, tmp_path / "nobody.npz")
    again = recall(tmp_path / "nobody.npz")
    assert again is not None and not len(again.points)


def test_a_video_is_tracked_once(clip: Path) -> None:
    tracker = TrackerChoice("discs 1", Counting)
    first = person_landmarks(clip, person=1, tracker=tracker)
    moved = clip.rename(clip.with_name("renamed.mp4"))
    again = person_landmarks(moved, person=1, tracker=tracker)
    other = person_landmarks(moved, person=2, tracker=tracker)
    assert Counting.passes == 1, "same bytes, same tracker"
    np.testing.assert_array_equal(first.points, again.points)
    assert other.points[..., 0].mean() > first.points[..., 0].mean()
    person_landmarks(moved, person=1, tracker=TrackerChoice("discs 2", Counting))
    assert Counting.passes == 2, "another version of the tracker"


def test_a_damaged_cache_is_made_again(clip: Path) -> None:
    tracker = TrackerChoice("discs 1", Counting)
    person_landmarks(clip, person=1, tracker=tracker)
    place = kept_at(clip, tracker.key)
    place.write_bytes(place.read_bytes()[:100])
    person_landmarks(clip, person=1, tracker=tracker)
    assert Counting.passes == 2


def test_nothing_is_kept_without_a_key(clip: Path, tmp_path: Path) -> None:
    person_landmarks(clip, person=1, tracker=TrackerChoice("", DiscTracker))
    assert not list((tmp_path / "cache").glob("landmarks/*"))
