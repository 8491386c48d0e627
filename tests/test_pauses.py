"""Where nobody speaks the mouth is closed; where somebody does, quietly or in noise, it is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinevox.audio.prosody import Pause
from kinevox.audio.read import read_audio
from kinevox.motion import ARKIT, Motion
from kinevox.pauses import OPENING, closed_in, closing, pauses_of
from kinevox.strengths import lip_opening
from kinevox.timebase import SAMPLE_RATE, frame_times

SPEECH = Path(__file__).parents[1] / "examples" / "speech.flac"
GAP = (2.0, 3.2)
"""Where nobody speaks in `spoken` [s]."""


@pytest.fixture(scope="module")
def spoken() -> np.ndarray:
    """Two stretches of real speech with a second of nothing between them."""
    samples = read_audio(SPEECH)
    part = samples[: int(2.0 * SAMPLE_RATE)]
    return np.concatenate([part, np.zeros(SAMPLE_RATE, np.float32), part])


def noise(samples: np.ndarray, decibels: float) -> np.ndarray:
    """White noise so far below the sound."""
    level = np.sqrt(np.mean(samples**2) / 10 ** (decibels / 10))
    random = np.random.default_rng(0).standard_normal(len(samples))
    return (level * random).astype(np.float32)


def open_mouth(frames: int) -> Motion:
    rest = Motion(np.zeros((frames, ARKIT.num_channels), np.float32))
    return rest.with_channels(jawOpen=0.3, mouthClose=0.1, mouthSmileLeft=0.4, browInnerUp=0.2)


class TestFinding:
    def test_a_gap_is_found_whatever_the_level(self, spoken: np.ndarray) -> None:
        found = pauses_of(spoken)
        inside = [pause for pause in found if pause.start > 1.5 and pause.end < 3.5]
        assert len(inside) == 1
        assert inside[0].start == pytest.approx(GAP[0], abs=0.35)
        assert inside[0].end == pytest.approx(GAP[1], abs=0.15)
        for level in (0.001, 0.03, 1.5):
            assert pauses_of((level * spoken).astype(np.float32)) == found

    @pytest.mark.parametrize("decibels", [30, 15, 10])
    def test_noise_is_no_speech_and_hides_none(self, spoken: np.ndarray, decibels: float) -> None:
        noisy = spoken + noise(spoken, decibels)
        times = np.arange(0, 5, 0.04)
        clean, heard = closing(times, pauses_of(spoken)), closing(times, pauses_of(noisy))
        assert heard[(times > 2.45) & (times < 2.55)].min() > 0.5
        said = clean == 0
        assert np.mean(heard[said] > 0.5) < 0.05

    def test_quiet_words_after_loud_ones_are_not_cut(self, spoken: np.ndarray) -> None:
        quiet = spoken.copy()
        quiet[3 * SAMPLE_RATE :] *= 10 ** (-18 / 20)
        times = np.arange(3.0, 5, 0.04)
        before, after = (closing(times, pauses_of(samples)) for samples in (spoken, quiet))
        assert np.mean((after > 0.5) & (before < 0.5)) < 0.05

    @pytest.mark.parametrize("level", [0.0, 1e-5])
    def test_silence_is_one_pause(self, level: float) -> None:
        hiss = level * np.random.default_rng(0).standard_normal(32_000)
        assert pauses_of(hiss.astype(np.float32)) == (Pause(0.0, 2.0),)

    def test_steady_noise_is_a_pause(self) -> None:
        hiss = 0.1 * np.random.default_rng(0).standard_normal(48_000)
        (pause,) = pauses_of(hiss.astype(np.float32))
        assert pause.end - pause.start > 2.5

    def test_nothing_is_no_error(self) -> None:
        assert closed_in(open_mouth(0), pauses_of(np.zeros(0, np.float32))).num_frames == 0


class TestClosing:
    def test_the_mouth_closes_and_the_rest_goes_on(self) -> None:
        before = open_mouth(100)
        after = closed_in(before, [Pause(1.0, 3.0)])
        assert lip_opening(after)[35:60].max() == 0
        for name in set(ARKIT.names) - set(OPENING):
            np.testing.assert_array_equal(after[name], before[name])
        outside = np.r_[0:27, 75:100]
        np.testing.assert_array_equal(after.values[outside], before.values[outside])

    @given(st.floats(0.0, 3.0), st.floats(0.3, 3.0))
    def test_it_takes_its_time(self, start: float, seconds: float) -> None:
        """Nothing moves faster than lips do, and lips are free when the next sound begins."""
        times = frame_times(200, 100.0)
        closed = closing(times, [Pause(start, start + seconds)])
        assert closed.min() >= 0 and closed.max() <= 1
        assert np.abs(np.diff(closed)).max() < 0.16, "per hundredth of a second"
        spoken = (times < start) | (times >= start + seconds - 0.03)
        if 0 < start and start + seconds < times[-1]:
            assert (closed[spoken] == 0).all()
            assert closed.max() > 0.5

    def test_recordings_begin_and_end_closed(self) -> None:
        closed = closing(frame_times(100, 25.0), [Pause(0.0, 1.0), Pause(3.0, 4.0)])
        assert closed[0] == 1 and closed[-1] == 1 and (closed[25:75] == 0).all()
