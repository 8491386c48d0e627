"""Log-mel features: their clock, their levels, and streaming."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import vowel

from kinevox.audio import mel
from kinevox.audio.mel import MelStream, log_mel, mel_filters


def speechlike(seconds: float, seed: int = 0) -> torch.Tensor:
    """A vowel that comes and goes, over noise."""
    rng = np.random.default_rng(seed)
    samples = vowel(max(seconds, 0.1))
    gain = np.interp(np.arange(len(samples)) / 4000, np.arange(99), rng.random(99))
    return torch.tensor(samples * gain + 1e-3 * rng.standard_normal(len(samples))).float()


def slow_log_mel(samples: np.ndarray) -> np.ndarray:
    """The definition, feature by feature."""
    count = len(samples) // 160
    padded = np.concatenate([np.zeros(120), samples, np.zeros(120)])
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    bands = np.zeros((count + 20, 80))
    for m in range(count):
        spectrum = np.fft.rfft(padded[160 * m : 160 * m + 400] * window, 512)
        bands[m] = np.abs(spectrum) ** 2 * 2 / (512 * (window**2).sum()) @ mel_filters()
    decibel = 10 * np.log10(np.maximum(bands, 1e-14))
    loudness = 10 * np.log10(np.maximum(bands.sum(1), 1e-14))
    features = np.zeros((count, 80))
    for m in range(count):
        level = -55.0
        for other in range(m + 21):
            level = max(level, loudness[other] - 0.06 * (m + 20 - other))
        features[m] = np.maximum(decibel[m] - level, -80) / 20 + 2
    return features


def test_equals_its_definition() -> None:
    samples = speechlike(1.3)
    np.testing.assert_allclose(log_mel(samples), slow_log_mel(samples.double().numpy()), atol=1e-3)


@given(st.integers(1, 60))
def test_four_features_per_frame(frames: int) -> None:
    assert log_mel(torch.zeros(frames * 640)).shape == (4 * frames, mel.BANDS)


@pytest.mark.parametrize("hop", [3, 40])
def test_a_click_lies_where_it_sounds(hop: int) -> None:
    samples = torch.zeros(80 * 160)
    samples[hop * 160 + 80] = 1.0
    assert log_mel(samples).sum(-1).argmax() == hop


@settings(max_examples=30)
@given(st.lists(st.integers(0, 3000), max_size=12), st.integers(0, 1000))
def test_chunks_make_no_difference(sizes: list[int], seed: int) -> None:
    samples = speechlike((sum(sizes) + 1) / 16_000, seed)[: sum(sizes)]
    stream = MelStream()
    chunks = [stream.push(chunk) for chunk in samples.split(sizes)] if sizes else []
    together = torch.cat([*chunks, stream.finish()])
    torch.testing.assert_close(together, log_mel(samples), atol=1e-4, rtol=0)


def test_a_stream_is_late_by_its_lookahead_only() -> None:
    # One more feature waits for the rest of its window.
    assert len(MelStream().push(speechlike(2.0))) == 200 - 1 - mel.LOOKAHEAD


@pytest.mark.parametrize("gain", [0.1, 4.0])
def test_gain_changes_nothing(gain: float) -> None:
    samples = speechlike(2.0)
    torch.testing.assert_close(log_mel(gain * samples), log_mel(samples), atol=1e-3, rtol=0)


def test_silence_and_the_loudest_sound_are_the_ends_of_the_scale() -> None:
    assert (log_mel(torch.zeros(6400)) == -2).all()
    tone = 0.5 * torch.sin(2 * np.pi * 1000 * torch.arange(6400) / 16_000)
    loudest = log_mel(tone).max()
    assert 1.8 < loudest <= 2


def test_what_was_loud_long_ago_is_forgotten() -> None:
    quiet = 0.05 * speechlike(8.0)
    shout = speechlike(1.0)
    alone, after = log_mel(quiet), log_mel(torch.cat([shout, quiet]))[100:]
    assert (after[:100] < alone[:100] - 0.2).any()
    torch.testing.assert_close(after[-100:], alone[-100:], atol=1e-4, rtol=0)


def test_every_band_hears_something() -> None:
    assert (mel_filters().sum(axis=0) > 0.5).all()
