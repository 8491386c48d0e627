"""Decoding: upright pictures at their times, or one clear sentence."""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from synthetic_video import HEIGHT, WIDTH, Disc, paint, write_video

from kinevox.audio.wav import write_wav
from kinevox.capture.video import pictures, video_facts
from kinevox.errors import VideoError

CORNER = paint(Disc(40, 40, 20))
"""A face in the upper left."""


def alike(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and np.abs(one.astype(float) - other).mean() < 12


def test_pictures_come_at_their_times(tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.2, 0.21, 0.5]
    path = write_video(tmp_path / "vfr.mp4", [CORNER] * 5, times=times)
    np.testing.assert_allclose([p.time for p in pictures(path)], times, atol=1e-3)
    assert video_facts(path).pictures == 5 and not video_facts(path).sound


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_rotation_flags_are_honoured(tmp_path: Path, quarters: int) -> None:
    stored = np.rot90(CORNER, -quarters)
    flag = (90 * quarters + 180) % 360 - 180
    path = write_video(tmp_path / "phone.mp4", [stored] * 2, rotation=flag)
    assert all(alike(p.pixels, CORNER) and p.size == (WIDTH, HEIGHT) for p in pictures(path))


def test_a_turn_comes_on_top(tmp_path: Path) -> None:
    path = write_video(tmp_path / "side.mp4", [np.rot90(CORNER, -1)] * 2)
    assert all(alike(p.pixels, CORNER) for p in pictures(path, turn=1))


def test_pixels_become_square(tmp_path: Path) -> None:
    path = write_video(tmp_path / "dv.mp4", [CORNER] * 2, aspect=Fraction(4, 3))
    assert [p.size for p in pictures(path)] == [(WIDTH * 4 // 3, HEIGHT)] * 2


def test_large_pictures_are_scaled_down(tmp_path: Path) -> None:
    path = write_video(tmp_path / "large.mp4", [CORNER] * 2)
    (first, _) = pictures(path, longest=96)
    assert first.pixels.shape == (64, 96, 3) and first.size == (WIDTH, HEIGHT)
    assert alike(first.pixels, CORNER[::2, ::2])


def test_time_zero_is_the_first_sound(tmp_path: Path) -> None:
    path = write_video(tmp_path / "late.mkv", [CORNER] * 10, sound_from=0.2)
    times = [p.time for p in pictures(path)]
    assert len(times) in (5, 6), "pictures before the sound are left out"
    assert abs(times[-1] - (0.36 - 0.2)) < 0.02


def test_what_is_left_of_a_damaged_file_is_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = write_video(tmp_path / "whole.mkv", [paint(Disc(40 + i, 60)) for i in range(50)])
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    with caplog.at_level(logging.WARNING):
        count = sum(1 for _ in pictures(cut))
    assert 5 < count < 50
    assert "cut.mkv is damaged" in caplog.text


def test_files_without_pictures_are_named(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("hello")
    (tmp_path / "empty.mp4").touch()
    write_wav(tmp_path / "sound.wav", np.zeros((1, 8000), np.float32), 16_000)
    for name, reason in (
        ("text.mp4", "not a video that can be opened"),
        ("empty.mp4", "0 bytes"),
        ("sound.wav", "only audio.*kinevox animate"),
        ("txt.mp4", "Did you mean 'text.mp4'"),
        (".", "not a regular file"),
    ):
        with pytest.raises(VideoError, match=reason):
            list(pictures(tmp_path / name))
