"""How something is said: laws on made-up speech, and a look at real speech."""

import csv
import os
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import vowel

from kinevox.audio import pitch
from kinevox.audio.prosody import MIN_PAUSE, Prosody, analyze_prosody
from kinevox.audio.read import read_audio
from kinevox.timebase import SAMPLE_RATE, num_frames


def tone(frequency: float, seconds: float) -> np.ndarray:
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (0.3 * np.sin(2 * np.pi * frequency * times)).astype(np.float32)


def hush(seconds: float) -> np.ndarray:
    """Faint white noise, always the same."""
    noise = np.random.default_rng(1).standard_normal(round(seconds * SAMPLE_RATE))
    return (1e-4 * noise).astype(np.float32)


def syllables(levels, period: float = 0.25) -> np.ndarray:
    """One vowel per level, swelling and fading, over faint noise; the k-th peaks at (k+0.5)T."""
    swell = np.hanning(round(period * SAMPLE_RATE)) ** 2
    sound = np.concatenate([level * swell * vowel(period) for level in levels])
    return (sound + hush(len(sound) / SAMPLE_RATE)).astype(np.float32)


def assert_same(a: Prosody, b: Prosody, tolerance: float, skip: tuple[str, ...] = ()) -> None:
    for field in fields(Prosody):
        x, y = getattr(a, field.name), getattr(b, field.name)
        if field.name in skip:
            continue
        if isinstance(x, tuple):
            x = np.array([list(vars(item).values()) for item in x])
            y = np.array([list(vars(item).values()) for item in y])
        np.testing.assert_allclose(x, y, atol=tolerance, err_msg=field.name)


@given(num_samples=st.integers(0, 3 * SAMPLE_RATE), sample_rate=st.sampled_from([16000, 22050]))
@settings(max_examples=20, deadline=None)
def test_contours_cover_the_recording(num_samples, sample_rate):
    noise = np.random.default_rng(num_samples).standard_normal(num_samples)
    prosody = analyze_prosody(noise.astype(np.float32), sample_rate)
    count = num_frames(num_samples, sample_rate, float(pitch.RATE))
    assert len(prosody.times) == count
    for name in ("f0", "voiced", "energy_db", "loudness", "pitch_semitones", "speech_active"):
        values = getattr(prosody, name)
        assert values.shape == (count,)
        assert name == "f0" or np.isfinite(values).all()


@pytest.mark.parametrize("sound", [np.zeros(48_000, np.float32), hush(3.0), 1000 * hush(3.0)])
def test_silence_and_steady_noise_say_nothing(sound):
    prosody = analyze_prosody(sound)
    assert not prosody.voiced.any()
    assert not prosody.loudness.any()
    assert not prosody.speech_active.any()
    assert not prosody.pitch_semitones.any()
    assert prosody.accents == ()
    assert [(pause.start, pause.end) for pause in prosody.pauses] == [(0.0, 3.0)]


@pytest.mark.parametrize("frequency", [90.0, 180.0, 300.0])
def test_a_steady_tone_is_voice_without_accents(frequency):
    prosody = analyze_prosody(tone(frequency, 3.0))
    np.testing.assert_allclose(prosody.f0[5:-5], frequency, rtol=1e-3)
    np.testing.assert_allclose(prosody.pitch_semitones, 0, atol=0.1)
    # A sine of amplitude 0.3.
    np.testing.assert_allclose(prosody.energy_db[5:-5], 20 * np.log10(0.3 / np.sqrt(2)), atol=0.1)
    assert prosody.loudness[5:-5].min() > 0.95
    assert prosody.speech_active.all()
    assert prosody.accents == prosody.pauses == ()


def test_a_whisper_is_speech_without_voice():
    swell = np.tile(np.hanning(4000) ** 2, 12)
    noise = np.random.default_rng(3).standard_normal(len(swell))
    sound = (0.1 * swell * noise).astype(np.float32) + hush(len(swell) / SAMPLE_RATE)
    prosody = analyze_prosody(sound)
    assert prosody.voiced.mean() < 0.05
    assert prosody.loudness[12::25].min() > 0.5  # in the middle of each swell
    assert prosody.speech_active.mean() > 0.6


def test_pitch_follows_a_glide():
    times = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE
    f0 = 120 * 2 ** (times / 3)  # one octave in 3 s
    glide = np.sin(2 * np.pi * np.cumsum(f0) / SAMPLE_RATE).astype(np.float32)
    prosody = analyze_prosody(glide)
    middle = slice(20, 280)
    np.testing.assert_allclose(
        prosody.f0[middle], 120 * 2 ** (prosody.times[middle] / 3), rtol=5e-3
    )
    np.testing.assert_allclose(np.diff(prosody.pitch_semitones[middle]), 0.04, atol=0.02)


@given(gain_db=st.floats(-25, 6))
@settings(max_examples=10, deadline=None)
def test_gain_changes_only_the_energy(gain_db):
    sound = syllables([0.4, 1, 0.3, 0.7, 0, 0, 0.5, 1.0])
    plain, louder = (analyze_prosody(sound * np.float32(g)) for g in (1, 10 ** (gain_db / 20)))
    assert_same(plain, louder, 1e-3, skip=("energy_db",))
    np.testing.assert_allclose(louder.energy_db - plain.energy_db, gain_db, atol=0.01)


def test_a_change_of_level_half_way_flattens_neither_half():
    half = syllables(np.random.default_rng(2).uniform(0.3, 1, 32))
    prosody = analyze_prosody(np.concatenate([half, half * np.float32(0.15)]))
    loud, faint = np.split(prosody.loudness, 2)
    # The level starts to sink a little before the change, and has sunk when it comes.
    np.testing.assert_allclose(faint[50:-250], loud[50:-250], atol=0.12)
    count = sum(accent.time < len(half) / SAMPLE_RATE for accent in prosody.accents)
    assert abs(len(prosody.accents) - 2 * count) <= 2


def test_accents_lie_on_the_stressed_syllables():
    levels = np.full(24, 0.35)
    stressed = np.array([2, 7, 11, 16, 21])
    levels[stressed] = 1
    accents = analyze_prosody(syllables(levels)).accents
    strong = [accent.time for accent in accents if accent.strength > 0.6]
    np.testing.assert_allclose(strong, (stressed + 0.5) * 0.25, atol=0.03)
    assert all(0 < accent.strength <= 1 for accent in accents)


def test_pitch_alone_makes_an_accent():
    times = np.arange(4 * SAMPLE_RATE) / SAMPLE_RATE
    f0 = 120 * 2 ** (np.exp(-(((times - 2) / 0.12) ** 2)) * 7 / 12)  # 7 semitones up at 2 s
    phase = 2 * np.pi * np.cumsum(f0) / SAMPLE_RATE
    sound = sum(np.sin(k * phase) / k for k in range(1, 12)) * 0.2
    accents = analyze_prosody(sound.astype(np.float32)).accents
    assert max(accents, key=lambda accent: accent.strength).time == pytest.approx(2.0, abs=0.1)


def test_pauses_are_the_long_gaps():
    gaps = {0.1: False, 0.4: True, 1.0: True}
    sound = np.concatenate(
        [part for gap in gaps for part in (vowel(1.0), hush(gap))] + [vowel(1.0)]
    )
    prosody = analyze_prosody(sound)
    found = [(pause.start, pause.end) for pause in prosody.pauses]
    np.testing.assert_allclose(found, [(2.1, 2.5), (3.5, 4.5)], atol=0.05)
    for pause in prosody.pauses:
        assert pause.end - pause.start >= MIN_PAUSE
        inside = slice(round(pause.start * 100), round(pause.end * 100))
        assert not prosody.speech_active[inside].any()
    assert prosody.speech_active[105]


def test_chunks_do_not_show(monkeypatch):
    sound = np.concatenate(
        [syllables(np.random.default_rng(2).uniform(0.1, 1, 40)), hush(1.0), tone(140, 2.0)]
    )
    whole = analyze_prosody(sound)
    monkeypatch.setattr(pitch, "CHUNK_SECONDS", 2.7)
    monkeypatch.setattr("kinevox.audio.prosody.CHUNK_SECONDS", 2.7)
    assert_same(whole, analyze_prosody(sound), 1e-2)


@pytest.mark.shared
def test_real_speech_has_about_one_and_a_half_accents_a_second():
    default = Path(__file__).parents[2] / "../shared"
    speech = Path(os.environ.get("KINEVOX_SHARED", default)) / "data" / "speech"
    if not (speech / "manifest.csv").exists():
        pytest.skip("no real speech beside the repository; set KINEVOX_SHARED")
    with open(speech / "manifest.csv", newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["split"] == "test" and r["language"] == "en"]
    seconds = accents = voiced = 0
    for row in rows[::4]:
        prosody = analyze_prosody(read_audio(speech / row["path"]))
        assert np.isfinite(prosody.pitch_semitones).all()
        seconds += prosody.speech_active.sum() / pitch.RATE
        voiced += prosody.voiced.sum() / pitch.RATE
        accents += len(prosody.accents)
    assert 1.0 < accents / seconds < 2.5
    assert 0.4 < voiced / seconds < 0.85
