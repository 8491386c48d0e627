"""Clocks are exact."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinevox.errors import ConfigError
from kinevox.timebase import exact_fps, frame_times, num_frames


@pytest.mark.parametrize(
    ("fps", "exact"),
    [
        (25, Fraction(25)),
        (60.0, Fraction(60)),
        (29.97, Fraction(30000, 1001)),
        (23.976, Fraction(24000, 1001)),
        (59.94, Fraction(60000, 1001)),
        (12.5, Fraction(25, 2)),
    ],
)
def test_exact_rates(fps: float, exact: Fraction) -> None:
    assert exact_fps(fps) == exact
    assert exact_fps(float(exact)) == exact


@pytest.mark.parametrize("fps", [0, -25, float("nan"), float("inf")])
def test_impossible_rates(fps: float) -> None:
    with pytest.raises(ConfigError, match="positive number"):
        exact_fps(fps)


@given(st.integers(1, 10**8), st.sampled_from([24, 25, 29.97, 30, 60]))
def test_frames_lie_inside_the_recording(num_samples: int, fps: float) -> None:
    count = num_frames(num_samples, 16_000, fps)
    assert count >= 1
    assert count == 1 or count / exact_fps(fps) <= Fraction(num_samples, 16_000)
    assert (count + 1) / exact_fps(fps) > Fraction(num_samples, 16_000)


def test_no_sound_no_frames() -> None:
    assert num_frames(0, 16_000, 25) == 0


def test_an_hour_at_ntsc_does_not_drift() -> None:
    times = frame_times(107_893, 29.97)
    assert times[-1] == pytest.approx(107_892 * 1001 / 30000, abs=1e-9)
    assert np.all(np.diff(times) > 0)
