"""Sound may change in any way as long as every sound stays at its time."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from synthetic import vowel

from kinevox.data import augment
from kinevox.timebase import SAMPLE_RATE

RNG = np.random.default_rng(5)


def syllables(seconds: float = 3.0, seed: int = 1) -> np.ndarray:
    """A vowel that comes and goes irregularly, so that one lag fits best."""
    rng = np.random.default_rng(seed)
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    bumps = [np.exp(-(((times - at) / 0.06) ** 2)) for at in rng.uniform(0.3, seconds - 0.3, 8)]
    return (vowel(seconds) * np.minimum(np.sum(bumps, axis=0), 1)).astype(np.float32)


def envelope(samples: np.ndarray) -> np.ndarray:
    """Level every millisecond."""
    blocks = samples[: len(samples) // 16 * 16].reshape(-1, 16).astype(np.float64)
    smooth = np.convolve(np.sqrt((blocks**2).mean(axis=1)), np.hanning(21), "same")
    return smooth - smooth.mean()


def lag_ms(before: np.ndarray, after: np.ndarray) -> int:
    """How much later things sound [ms]."""
    correlation = np.correlate(envelope(after), envelope(before), "full")
    return int(correlation.argmax()) - (len(envelope(before)) - 1)


CHANGES = {
    "reverb": lambda x: augment.reverberate(x, 0.5, 3.0, RNG),
    "white": lambda x: augment.mix(x, augment.colored_noise(len(x), 0, RNG), 8),
    "brown": lambda x: augment.mix(x, augment.colored_noise(len(x), 2, RNG), 8),
    "babble": lambda x: augment.mix(x, augment.babble(len(x), [syllables(1), vowel(2)], RNG), 10),
    "telephone": lambda x: augment.limit_band(x, 300, 3400),
    "voice": lambda x: augment.change_voice(x, 2.5, 1.08),
    "deeper voice": lambda x: augment.change_voice(x, -2.5, 0.92),
    **{
        f"{encoder} {rate}": partial(augment.through_codec, encoder=encoder, kilobits=rate)
        for encoder, rate in augment.CODECS
    },
}


@pytest.mark.parametrize("name", CHANGES)
def test_sounds_stay_at_their_time(name: str) -> None:
    before = syllables()
    after = CHANGES[name](before)
    assert after.dtype == np.float32 and len(after) == len(before)
    assert np.isfinite(after).all()
    assert abs(lag_ms(before, after)) <= (15 if name == "reverb" else 3)
    assert not np.allclose(after, before, atol=1e-3)


def test_reverb_keeps_a_click_where_it_is() -> None:
    click = np.zeros(SAMPLE_RATE, np.float32)
    click[4000] = 1.0
    heard = augment.reverberate(click, 0.4, 6.0, np.random.default_rng(0))
    assert int(np.abs(heard).argmax()) == 4000
    assert np.abs(heard[:4000]).max() < 1e-6 and np.abs(heard[4001:]).max() > 0


def test_speed_moves_everything_in_proportion() -> None:
    click = np.zeros(SAMPLE_RATE, np.float32)
    click[8000] = 1.0
    faster = augment.change_speed(click, round(SAMPLE_RATE / 1.1))
    assert abs(int(np.abs(faster).argmax()) - 8000 / 1.1) <= 1


def test_noise_is_as_loud_as_it_says() -> None:
    speech = syllables()
    noisy = augment.mix(speech, augment.colored_noise(len(speech), 1, RNG), 12.0)
    ratio = np.sum(speech**2) / np.sum((noisy - speech) ** 2)
    assert 10 * np.log10(ratio) == pytest.approx(12.0, abs=0.05)


def test_a_seed_is_a_recording_and_says_what_it_did() -> None:
    speech = syllables()
    everything = augment.Degradation(clean=0, reverb=1, noise=1, band=1, codec=1)
    make = lambda seed: augment.degrade(  # noqa: E731
        speech, np.random.default_rng(seed), [vowel(1.0)], everything
    )
    (first, done), (again, _), (other, _) = make(1), make(1), make(2)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    names = {"reverb_seconds", "direct_db", "noise", "snr_db", "band_hz", "codec", "peak_db"}
    assert set(done) == names
    assert 20 * np.log10(np.abs(first).max()) == pytest.approx(done["peak_db"], abs=0.1)


def test_clean_changes_the_level_alone() -> None:
    speech = syllables()
    heard, done = augment.degrade(
        speech, np.random.default_rng(0), chances=augment.Degradation(clean=1.0)
    )
    assert set(done) == {"peak_db"}
    np.testing.assert_allclose(
        heard / np.abs(heard).max(), speech / np.abs(speech).max(), atol=1e-6
    )


def test_another_voice_takes_the_time_it_says() -> None:
    speech = syllables()
    lengths = set()
    for seed in range(8):
        sound, stretch, done = augment.vary_voice(speech, np.random.default_rng(seed))
        again, _, _ = augment.vary_voice(speech, np.random.default_rng(seed))
        np.testing.assert_array_equal(sound, again)
        assert len(sound) == round(len(speech) * stretch)
        assert stretch == pytest.approx(1 / done.get("speed", 1.0), abs=1e-4)
        lengths.add(len(sound))
    assert len(lengths) > 1
