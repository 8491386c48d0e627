"""From a video to motion, with painted faces: clocks, losses and single pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from synthetic_video import Disc, DiscTracker, paint, write_video

from kinevox.capture import Capture
from kinevox.capture._capture import TrackerChoice, capture_video
from kinevox.errors import VideoError

pytestmark = pytest.mark.usefixtures("anny_head")


def captured(path: Path, pictures: list[np.ndarray], fps: float = 25.0, **options) -> Capture:
    video = write_video(path, pictures, **options)
    return capture_video(video, fps=fps, tracker=TrackerChoice("", DiscTracker))[0]


def test_the_head_moves_as_the_face_does(tmp_path: Path) -> None:
    capture = captured(tmp_path / "a.mp4", [paint(Disc(70 + 3 * i)) for i in range(8)])
    assert capture.motion.num_frames == 8 and capture.motion.metadata["source"] == "a.mp4"
    pixels = 500 * np.diff(capture.translation[:, 0]) / -capture.translation[1:, 2]
    pixels *= capture.camera.focal / 500
    np.testing.assert_allclose(pixels, 3, atol=0.4)
    assert (capture.confidence > 0.3).all()


def test_any_frame_rate_covers_the_same_time(tmp_path: Path) -> None:
    pictures = [paint(Disc(70 + i)) for i in range(6)]
    capture = captured(tmp_path / "a.mp4", pictures, fps=50.0)
    assert capture.motion.fps == 50 and capture.motion.seconds == pytest.approx(0.24)


def test_one_picture_becomes_one_frame(tmp_path: Path) -> None:
    capture = captured(tmp_path / "one.mp4", [paint(Disc())])
    assert capture.motion.num_frames == 1 and capture.confidence[0] > 0.3


def test_short_losses_are_filled_and_long_ones_marked(tmp_path: Path) -> None:
    # Small, so that its disappearance is no cut.
    face, nobody = paint(Disc(radius=18)), paint()
    capture = captured(
        tmp_path / "lost.mp4", [face] * 6 + [nobody] * 3 + [face] * 6 + [nobody] * 9 + [face] * 4
    )
    confidence = capture.confidence
    assert (confidence[6:9] > 0).all() and (confidence[6:9] < confidence[3]).all()
    assert (confidence[16:23] == 0).all() and (confidence[25:] > 0).all()
    assert np.isfinite(capture.translation).all()
    assert np.isnan(capture.error[16:23]).all() and np.isfinite(capture.error[:6]).all()


def test_frames_count_from_the_first_sound(tmp_path: Path) -> None:
    pictures = [paint(Disc())] * 6
    times = [0.2 + 0.04 * i for i in range(6)]
    capture = captured(tmp_path / "late.mkv", pictures, times=times, sound_from=0.0)
    assert capture.motion.num_frames == 11
    assert (capture.confidence[:4] == 0).all() and (capture.confidence[6:] > 0).all()


def test_a_tiny_face_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="larger version"):
        captured(tmp_path / "far.mp4", [paint(Disc(radius=10))] * 3)
