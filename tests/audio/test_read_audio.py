"""Any recording arrives as mono float32 at 16 kHz, in time and at its level."""

import tracemalloc

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kinevox.audio.read import audio_blocks, channel_blocks, read_audio, read_channels, read_speech
from kinevox.speech import Speech
from kinevox.timebase import SAMPLE_RATE

reuse_folder = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def blip(seconds: float, at: float, sample_rate: int = 48_000) -> np.ndarray:
    """A short burst of a 300 Hz tone around one moment; low enough for every codec."""
    times = np.arange(round(seconds * sample_rate)) / sample_rate - at
    return 0.3 * np.cos(2 * np.pi * 300 * times) * np.exp(-((times / 0.008) ** 2))


def delay(found: np.ndarray, expected: np.ndarray) -> int:
    """Shift that fits best [samples]."""
    return int(np.correlate(found, expected, "full").argmax()) - (len(expected) - 1)


@reuse_folder
@given(
    sample_rate=st.sampled_from([8000, 11025, 16000, 22050, 44100, 48000, 96000, 192000]),
    num_samples=st.integers(1, 50_000),
)
def test_length_is_exact_at_every_rate(make, sample_rate, num_samples):
    path = make("length.wav", np.full(num_samples, 0.1), sample_rate)
    assert abs(len(read_audio(path)) - num_samples * SAMPLE_RATE / sample_rate) <= 1
    assert read_channels(path, sample_rate).shape == (1, num_samples)


@pytest.mark.parametrize(
    ("name", "codec", "tail_seconds"),
    [
        ("a.wav", "pcm_s16le", 0),
        ("a.flac", "flac", 0),
        ("a.opus", "libopus", 0),
        ("a.webm", "libopus", 0),
        ("a.mp3", "libmp3lame", 0.03),
        ("a.m4a", "aac", 0.03),
    ],
)
def test_a_sound_stays_at_its_time(make, name, codec, tail_seconds):
    path = make(name, blip(1.234, at=0.5), codec=codec)
    found = read_audio(path)
    assert delay(found, blip(1.234, at=0.5, sample_rate=SAMPLE_RATE)) == 0
    assert 0 <= len(found) - round(1.234 * SAMPLE_RATE) <= tail_seconds * SAMPLE_RATE


@pytest.mark.parametrize("sample_rate", [8000, 44100, 192000])
def test_resampling_keeps_time_and_level(make, sample_rate):
    found = read_audio(make("a.flac", blip(1.0, 0.5, sample_rate), sample_rate, codec="flac"))
    np.testing.assert_allclose(found, blip(1.0, 0.5, SAMPLE_RATE), atol=2e-4)


@pytest.mark.parametrize(
    ("codec", "step"),
    [
        ("pcm_u8", 2**-7),
        ("pcm_s16le", 2**-15),
        ("pcm_s24le", 2**-23),
        ("pcm_s32le", 2**-23),
        ("pcm_f32le", 0),
        ("pcm_f64le", 0),
    ],
)
def test_every_sample_format_means_the_same(make, codec, step):
    samples = np.linspace(-1, 0.99, 3200, dtype=np.float32)
    found = read_audio(make("a.wav", samples, SAMPLE_RATE, codec=codec))
    np.testing.assert_allclose(found, samples, atol=step)
    assert found.dtype == np.float32


def test_float_beyond_full_scale_is_kept(make):
    samples = 3 * np.ones(3200, np.float32)
    assert read_audio(make("a.wav", samples, SAMPLE_RATE, codec="pcm_f32le")).max() == 3


def test_mono_is_the_mean_without_the_subwoofer(make):
    levels = np.array([0.1, 0.2, 0.3, 0.9, 0.4, 0.5])  # FL FR FC LFE BL BR
    path = make("a.wav", np.repeat(levels[:, None], 4800, 1), layout="5.1", codec="pcm_f32le")
    np.testing.assert_allclose(read_audio(path, 48_000), np.mean([0.1, 0.2, 0.3, 0.4, 0.5]), 1e-6)
    left, right = read_channels(path)
    np.testing.assert_allclose(left, np.mean([0.1, 0.3, 0.4]), 1e-6)
    np.testing.assert_allclose(right, np.mean([0.2, 0.3, 0.5]), 1e-6)


@pytest.mark.parametrize(("name", "codec"), [("a.wav", "pcm_s24le"), ("a.m4a", "aac")])
@pytest.mark.parametrize("layout", ["quad", "6.1", "7.1"])
def test_any_number_of_channels(make, name, codec, layout):
    count = len(av.AudioLayout(layout).channels)
    path = make(name, np.tile(blip(1.0, 0.5), (count, 1)), codec=codec, layout=layout)
    assert read_channels(path).shape[0] == 2
    np.testing.assert_allclose(read_audio(path)[:16000], blip(1.0, 0.5, SAMPLE_RATE), atol=0.01)


def test_stereo_stays_stereo_for_exporters(make):
    samples = np.stack([blip(0.5, 0.1), blip(0.5, 0.3)])
    path = make("a.flac", samples, codec="flac", layout="stereo")
    np.testing.assert_allclose(read_channels(path), samples, atol=2**-15)
    np.testing.assert_allclose(read_audio(path, 48_000), samples.mean(0), atol=2**-15)


def test_blocks_join_to_the_whole(make):
    path = make("a.mp3", blip(3.0, 1.0), codec="libmp3lame")
    np.testing.assert_array_equal(np.concatenate([*audio_blocks(path)]), read_audio(path))
    np.testing.assert_array_equal(
        np.concatenate([*channel_blocks(path, 44_100)], axis=1), read_channels(path, 44_100)
    )


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "aac"), ("a.mpg", "mp2"), ("a.mkv", "aac")])
def test_the_sound_of_a_video(make, name, codec):
    found = read_audio(make(name, blip(1.0, 0.5), codec=codec, with_video=True))
    peak = np.abs(found).argmax() / SAMPLE_RATE
    assert abs(peak - 0.5) < 0.02  # MPEG program streams do not state their encoder's delay


def test_odd_names(make):
    samples = blip(0.5, 0.2)
    for name in ("père Noël 日本.wav", "a b'c%d.wav", "http:x.wav", "-.wav"):
        assert len(read_audio(make(name, samples))) == 8000


def test_speech_knows_where_it_came_from(make):
    path = make("a.wav", blip(1.0, 0.5))
    speech = read_speech(str(path), transcript="pa")
    assert isinstance(speech, Speech)
    assert (speech.path, speech.transcript, speech.seconds) == (path, "pa", 1.0)


def test_memory_is_bounded_for_long_recordings(make):
    path = make("silence.flac", np.zeros(SAMPLE_RATE * 180, np.float32), SAMPLE_RATE, codec="flac")
    read_speech(make("warm.wav", np.zeros(48_000)))  # so that no import is counted
    tracemalloc.start()
    total = sum(len(block) for block in audio_blocks(path))
    streamed = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    whole = read_audio(path)
    joined = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == len(whole) == SAMPLE_RATE * 180
    assert not whole.any()
    assert streamed < 2e6
    assert joined < 1.3 * whole.nbytes + 2e6
