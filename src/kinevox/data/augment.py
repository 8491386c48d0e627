"""Changes of sound that leave the lips where they are: other microphones, rooms and voices.

`vary_voice` changes speed and voice before a performance, since the lips must follow. `degrade`
changes what is heard after it: every step keeps each sound at its time, so motion stays in sync.
Both say what they did, in numbers.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float

from kinevox.timebase import SAMPLE_RATE

Samples = Float[np.ndarray, " samples"]
Sound = Float[np.ndarray, " _"]
"""Of a length of its own."""
Steps = dict[str, float | str]
"""What was done: `{"reverb_seconds": 0.4, "codec": "mp3 24 kbit/s"}`; empty for nothing."""


Encoder = Literal["libmp3lame", "libopus", "aac"]


@dataclass(frozen=True)
class Degradation:
    """How often each change is made; several may meet in one clip."""

    clean: float = 0.4
    """Share of clips in which nothing but the level changes."""
    reverb: float = 0.35
    noise: float = 0.5
    band: float = 0.2
    codec: float = 0.25


BANDS = ((300, 3400), (80, 4000), (150, 6500), (20, 5000))
"""Telephones and cheap microphones [Hz]."""
CODECS: tuple[tuple[Encoder, int], ...] = (
    ("libmp3lame", 24),
    ("libmp3lame", 40),
    ("libopus", 12),
    ("libopus", 20),
    ("aac", 32),
)
"""Encoder and rate [kbit/s]."""


def vary_voice(samples: Samples, rng: np.random.Generator) -> tuple[Sound, float, Steps]:
    """Another tempo and another voice, for half of all clips each.

    Returns:
        The sound, by how much it got longer, and what was done.
    """
    done: Steps = {}
    stretch = 1.0
    if rng.random() < 0.5:
        speed = round(float(rng.uniform(0.88, 1.14)), 3)
        count = round(len(samples) / speed)
        samples, stretch = change_speed(samples, count), count / len(samples)
        done["speed"] = speed
    if rng.random() < 0.5:
        semitones = round(float(rng.uniform(-3.0, 3.0)), 2)
        formants = round(float(np.exp(rng.uniform(-0.11, 0.11))), 3)
        samples = change_voice(samples, semitones, formants)
        done |= {"pitch_semitones": semitones, "formant_ratio": formants}
    return samples, stretch, done


def degrade(
    samples: Samples,
    rng: np.random.Generator,
    others: Sequence[Sound] = (),
    chances: Degradation | None = None,
) -> tuple[Samples, Steps]:
    """The same speech as a worse recording of it.

    Args:
        others: Speech of other people, for babble.
    """
    chances = chances or Degradation()
    done: Steps = {}
    if rng.random() >= chances.clean:
        if rng.random() < chances.reverb:
            seconds = round(float(rng.uniform(0.15, 0.8)), 3)
            direct_db = round(float(rng.uniform(-2.0, 12.0)), 1)
            samples = reverberate(samples, seconds, direct_db, rng)
            done |= {"reverb_seconds": seconds, "direct_db": direct_db}
        if rng.random() < chances.noise:
            snr_db = round(float(rng.uniform(5.0, 30.0)), 1)
            if len(others) and rng.random() < 0.4:
                noise, kind = babble(len(samples), others, rng), "babble"
            else:
                exponent = round(float(rng.uniform(0.0, 2.0)), 2)
                noise, kind = colored_noise(len(samples), exponent, rng), f"1/f^{exponent:g}"
            samples = mix(samples, noise, snr_db)
            done |= {"noise": kind, "snr_db": snr_db}
        if rng.random() < chances.band:
            low, high = BANDS[rng.integers(len(BANDS))]
            samples = limit_band(samples, low, high)
            done["band_hz"] = f"{low}-{high}"
        if rng.random() < chances.codec:
            encoder, rate = CODECS[rng.integers(len(CODECS))]
            samples = through_codec(samples, encoder, rate)
            done["codec"] = f"{encoder} {rate} kbit/s"
    peak_db = round(float(rng.uniform(-20.0, -1.0)), 1)
    return at_peak(samples, peak_db), done | {"peak_db": peak_db}


def change_speed(samples: Samples, count: int) -> Sound:
    """Played faster or slower, so that it has `count` samples; pitch goes along."""
    import soxr

    other = soxr.resample(samples, len(samples), count, quality="HQ")
    return _fitted(other, count)


def change_voice(samples: Samples, semitones: float, formant_ratio: float) -> Samples:
    """Another pitch and size of the speaker, at unchanged timing (Praat's "Change gender").

    Sound without any voice comes back as it is.
    """
    import parselmouth
    from parselmouth.praat import call, run

    sound = parselmouth.Sound(samples.astype(np.float64), SAMPLE_RATE)
    median = call(
        sound.to_pitch(pitch_floor=60, pitch_ceiling=500), "Get quantile", 0, 0, 0.5, "Hertz"
    )
    if not np.isfinite(median):
        return samples
    wanted = median * 2 ** (semitones / 12)
    # Voiceless stretches are put together at random.
    run("random_initializeWithSeedUnsafelyButPredictably (1)")
    changed = call(sound, "Change gender", 60, 500, formant_ratio, wanted, 1.0, 1.0)
    run("random_initializeSafelyAndUnpredictably ()")
    return _fitted(changed.values[0].astype(np.float32), len(samples))


def colored_noise(count: int, exponent: float, rng: np.random.Generator) -> Sound:
    """Noise whose power falls with frequency to this power: 0 white, 1 pink, 2 brown."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    frequency = np.fft.rfftfreq(count, 1 / SAMPLE_RATE)
    # Below 50 Hz it stays flat, as microphones do.
    return np.fft.irfft(spectrum * np.maximum(frequency, 50.0) ** (-exponent / 2), count).astype(
        np.float32
    )


def babble(count: int, others: Sequence[Sound], rng: np.random.Generator) -> Sound:
    """Several people at once, each from a random moment on."""
    heard = np.zeros(count, np.float32)
    for other in others:
        start = rng.integers(len(other))
        heard += np.resize(np.roll(other, -start), count) / _level(other)
    return heard


def mix(samples: Samples, noise: Samples, snr_db: float) -> Samples:
    """Both together, the speech louder than the noise by this much."""
    gain = _level(samples) / _level(noise) * 10 ** (-snr_db / 20)
    return samples + np.float32(gain) * noise


def reverberate(
    samples: Samples, seconds: float, direct_db: float, rng: np.random.Generator
) -> Samples:
    """A room: the direct sound at its time, then noise that dies away.

    Args:
        seconds: Time in which the echo falls by 60 dB.
        direct_db: Level of the direct sound relative to all of the echo.
    """
    from scipy.signal import oaconvolve

    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    echo = rng.standard_normal(len(times)) * 10 ** (-3 * times / seconds)
    # Nothing comes back before the sound has been to a wall a meter away.
    echo[: round(0.003 * SAMPLE_RATE)] = 0
    echo *= 10 ** (-direct_db / 20) / (np.linalg.norm(echo) + 1e-12)
    echo[0] = 1.0
    return oaconvolve(samples, echo)[: len(samples)].astype(np.float32)


def limit_band(samples: Samples, low: float, high: float) -> Samples:
    """Only frequencies from low to high [Hz], without delay."""
    from scipy.signal import butter, sosfiltfilt

    sos = butter(3, (low, high), "bandpass", fs=SAMPLE_RATE, output="sos")
    return sosfiltfilt(sos, samples).astype(np.float32)


_CONTAINERS = {"libmp3lame": "mp3", "libopus": "ogg", "aac": "mp4"}
"""By FFmpeg's encoder."""


def through_codec(samples: Samples, encoder: Encoder, kilobits: int) -> Samples:
    """Encoded and decoded again; the delay of the codec is taken out."""
    import av

    from kinevox.audio.read import read_audio

    container = _CONTAINERS[encoder]
    scaled = np.clip(0.7 * samples / (np.abs(samples).max() + 1e-9), -1, 1)
    # The tail makes up for encoders that swallow their last frame.
    pcm = np.rint(np.pad(scaled, (0, SAMPLE_RATE // 10)) * 32767).astype(np.int16)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"coded.{container}"
        with av.open(str(path), "w", format=container) as file:
            stream = file.add_stream(encoder, rate=SAMPLE_RATE, layout="mono")
            stream.bit_rate = 1000 * kilobits
            frame = av.AudioFrame.from_ndarray(pcm[None], "s16", "mono")
            # Without a time stamp the container would not note the delay of the encoder.
            frame.sample_rate, frame.pts = SAMPLE_RATE, 0
            file.mux(stream.encode(frame))
            file.mux(stream.encode())
        return _fitted(read_audio(path), len(samples))


def at_peak(samples: Samples, peak_db: float) -> Samples:
    """Scaled so that the loudest sample has this level [dB re full scale]."""
    return samples * np.float32(10 ** (peak_db / 20) / (np.abs(samples).max() + 1e-9))


def _fitted(samples: Sound, count: int) -> Sound:
    return np.pad(samples[:count], (0, max(count - len(samples), 0))).astype(np.float32)


def _level(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) + 1e-9
