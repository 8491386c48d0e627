"""Prosody: loudness, pitch, accents and pauses, at 100 frames per second.

Everything that drives motion is relative to the speaker and to the neighborhood: turning the gain
up, or half way through the recording, changes neither loudness nor accents.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from kinevox.audio.pitch import CHUNK_SECONDS, RATE, track_pitch
from kinevox.timebase import SAMPLE_RATE, frame_times, num_frames

QUIETEST_DB = -100.0
"""Energy of digital silence; 16-bit sound ends near here [dB]."""
SILENCE_DB = -80.0
"""Never speech below this level [dB re full scale]."""
SPEECH_RANGE_DB = 30.0
"""From the loudest to the faintest sounds of one speaker [dB]."""
NOISE_MARGIN_DB = 6.0
"""Speech rises above the background by this much [dB]."""
LEVEL_CHANGE_DB = 20.0
"""Largest change of a speaker's level within a recording; quieter sound is background [dB]."""

LEVEL_SECONDS = 6.0
"""How far levels and the speaker's pitch are looked for on either side [s]."""
MIN_PAUSE = 0.15
"""Shorter gaps belong to speech: closures of p, t, k and the like [s]."""
MIN_SPEECH = 0.05
"""Shorter sounds between pauses are clicks [s]."""

SYLLABLE_SECONDS = 0.08
"""Width of the kernel that accents stand out under: half a stressed syllable, roughly [s]."""
SEMITONES_PER_LOUDNESS = 20.0
"""Pitch movement that counts for an accent as much as going from silence to full loudness."""
MIN_ACCENT_DISTANCE = 0.28
"""Of two closer accents only the stronger stands [s]."""
MIN_ACCENT = 0.4
"""Weakest accent worth reporting, relative to strong ones nearby."""


@dataclass(frozen=True)
class Accent:
    """A prominent syllable."""

    time: float
    """Its center [s]."""
    strength: float
    """0 to 1, relative to the strong accents of the neighborhood."""


@dataclass(frozen=True)
class Pause:
    """A stretch without speech, at the ends of the recording too [s]."""

    start: float
    end: float


@dataclass(frozen=True, eq=False)
class Prosody:
    """How something is said. Frame i of each contour is centered on i / 100 s."""

    f0: Float[np.ndarray, " frames"]
    """[Hz], NaN where unvoiced."""
    energy_db: Float[np.ndarray, " frames"]
    """Root mean square over 32 ms [dB re full scale], `QUIETEST_DB` at least."""
    loudness: Float[np.ndarray, " frames"]
    """0 in silence to 1 at the speaker's loudest, as heard: it halves every 10 dB."""
    pitch_semitones: Float[np.ndarray, " frames"]
    """Smooth pitch movement around the speaker's median nearby; glides to 0 where no voice is."""
    speech_active: Bool[np.ndarray, " frames"]
    """Someone speaks; gaps shorter than `MIN_PAUSE` are filled."""
    accents: tuple[Accent, ...]
    """In order of time."""
    pauses: tuple[Pause, ...]
    """In order of time."""

    @property
    def voiced(self) -> Bool[np.ndarray, " frames"]:
        return np.isfinite(self.f0)

    @property
    def times(self) -> Float[np.ndarray, " frames"]:
        """[s]"""
        return frame_times(len(self.f0), float(RATE))


def analyze_prosody(
    samples: Float[np.ndarray, " samples"], sample_rate: int = SAMPLE_RATE
) -> Prosody:
    """Prosody of a recording of any length, in bounded memory beside the samples.

    Silence and steady noise have no loudness, accents or pitch, and are one pause.
    """
    f0 = track_pitch(samples, sample_rate)
    energy_db, sonorant_db = _energies(samples, sample_rate)
    speech_db, background_db = _levels(energy_db, np.isfinite(f0))
    loudness = _loudness(energy_db, speech_db, background_db)

    f0 = np.where(loudness > 0, f0, np.nan)
    semitones = _semitones(f0)
    active = _without_short_runs(loudness > 0, not_shorter=MIN_SPEECH, value=True)
    active = _without_short_runs(active, not_shorter=MIN_PAUSE, value=False, keep_ends=True)
    # Vowels make the syllable: what counts is their band, at the same loudness scale.
    sonority = _loudness(sonorant_db, speech_db, background_db)
    return Prosody(
        f0=f0,
        energy_db=energy_db,
        loudness=loudness,
        pitch_semitones=semitones,
        speech_active=active,
        accents=_accents(sonority, semitones),
        pauses=tuple(
            Pause(start / RATE, end / RATE)
            for start, end in _runs(~active)
            if end - start >= MIN_PAUSE * RATE
        ),
    )


def _energies(
    samples: Float[np.ndarray, " samples"], sample_rate: int
) -> tuple[Float[np.ndarray, " frames"], Float[np.ndarray, " frames"]]:
    """Level of the whole sound and of its sonorant band, 300 to 2300 Hz [dB]."""
    from scipy.fft import rfft  # unlike numpy's, it stays in float32
    from scipy.signal.windows import hann

    total = num_frames(len(samples), sample_rate, float(RATE))
    # Twice as wide as 32 ms, since a Hann window sees its middle half.
    window = hann(round(0.064 * sample_rate)).astype(np.float32)
    half, chunk = len(window) // 2, int(CHUNK_SECONDS * RATE)
    frequencies = np.fft.rfftfreq(len(window), 1 / sample_rate)
    sonorant = (frequencies >= 300) & (frequencies <= 2300)
    power = np.empty((total, 2))
    for first in range(0, total, chunk):
        frames = np.arange(first, min(first + chunk, total))
        begins = np.round(frames * (sample_rate / RATE)).astype(int) - half
        piece = np.pad(
            samples[max(begins[0], 0) : begins[-1] + len(window)],
            (max(-begins[0], 0), max(begins[-1] + len(window) - len(samples), 0)),
        )
        views = np.lib.stride_tricks.sliding_window_view(piece, len(window))
        spectra = np.abs(np.asarray(rfft(views[begins - begins[0]] * window))) ** 2
        power[frames] = np.stack([spectra.sum(1), spectra[:, sonorant].sum(1)], axis=1)
    # Parseval: mean square of the windowed sound.
    power *= 2 / (len(window) * (window.astype(float) ** 2).sum())
    decibels = 10 * np.log10(np.maximum(power, 10 ** (QUIETEST_DB / 10)))
    return decibels[:, 0], decibels[:, 1]


def _levels(
    energy_db: Float[np.ndarray, " frames"], periodic: Bool[np.ndarray, " frames"]
) -> tuple[Float[np.ndarray, " frames"], Float[np.ndarray, " frames"]]:
    """Level of the speaker's loudest vowels, and of the background, around each frame [dB]."""
    heard = energy_db > SILENCE_DB
    voice = heard & periodic
    whispered = voice.sum() < 0.02 * heard.sum()
    if whispered:
        voice = heard
    overall = float(np.percentile(energy_db[voice], 95)) if voice.any() else QUIETEST_DB
    # The lower of both sides follows a change of level at once, in either direction.
    speech_db = np.fmin(
        _nearby(energy_db, voice, 95, LEVEL_SECONDS, 0.0),
        _nearby(energy_db, voice, 95, 0.0, LEVEL_SECONDS),
    )
    speech_db = np.fmax(
        np.where(np.isnan(speech_db), overall, speech_db), overall - LEVEL_CHANGE_DB
    )
    every = np.ones(len(energy_db), bool)
    background_db = _nearby(energy_db, every, 10, LEVEL_SECONDS, LEVEL_SECONDS)
    background_db = np.nan_to_num(background_db, nan=QUIETEST_DB)
    if not whispered:
        # A voice that never stops is not its own background.
        background_db = np.minimum(background_db, overall - 2 * NOISE_MARGIN_DB)
    return speech_db, background_db


def _nearby(
    values: Float[np.ndarray, " frames"],
    chosen: Bool[np.ndarray, " frames"],
    percent: int,
    before: float,
    after: float,
) -> Float[np.ndarray, " frames"]:
    """Percentile of the chosen frames from `before` to `after` [s] around each frame.

    Found every half second and joined by lines; NaN near places with less than half a second.
    """
    hop = RATE // 2
    knots = np.arange(0, len(values) + hop, hop)
    begins = np.maximum(knots - round(before * RATE), 0)
    found = np.full(len(knots), np.nan)
    for i, window in enumerate(map(slice, begins, knots + round(after * RATE))):
        near = values[window][chosen[window]]
        if len(near) >= hop:
            found[i] = np.percentile(near, percent)
    return np.interp(np.arange(len(values)), knots, found)


def _loudness(
    energy_db: Float[np.ndarray, " frames"],
    speech_db: Float[np.ndarray, " frames"],
    background_db: Float[np.ndarray, " frames"],
) -> Float[np.ndarray, " frames"]:
    """0 at the faintest sound of speech, 1 at `speech_db`.

    Source: Stevens 1955: loudness in sones doubles with every 10 dB.
    """
    faintest = np.maximum(speech_db - SPEECH_RANGE_DB, background_db + NOISE_MARGIN_DB)
    faintest = np.maximum(faintest, SILENCE_DB)
    zero = 2 ** ((faintest - speech_db) / 10)
    heard = (2 ** ((energy_db - speech_db) / 10) - zero) / np.maximum(1 - zero, 1e-3)
    return np.where(faintest < speech_db, np.clip(heard, 0, 1), 0.0)


def _semitones(f0: Float[np.ndarray, " frames"]) -> Float[np.ndarray, " frames"]:
    from scipy.ndimage import gaussian_filter1d, median_filter

    voiced = np.isfinite(f0)
    if not voiced.any():
        return np.zeros(len(f0))
    tones = np.zeros(len(f0))
    # Over voiced frames only; the median removes single octave jumps.
    tones[voiced] = median_filter(12 * np.log2(f0[voiced]), 7, mode="nearest")
    middle = _nearby(tones, voiced, 50, LEVEL_SECONDS, LEVEL_SECONDS)
    tones -= np.where(np.isnan(middle), np.median(tones[voiced]), middle)
    # Across consonants the contour runs on; in longer gaps it fades within 0.2 s.
    frames, places = np.arange(len(f0)), np.flatnonzero(voiced)
    contour = np.interp(frames, places, np.clip(tones[voiced], -12, 12))
    after = np.abs(frames - places[np.maximum(np.searchsorted(places, frames, "right") - 1, 0)])
    before = np.abs(places[np.minimum(np.searchsorted(places, frames), len(places) - 1)] - frames)
    fade = np.clip(1 - np.minimum(after, before) / RATE / 0.2, 0, 1)
    return gaussian_filter1d(contour * fade, 0.03 * RATE, mode="nearest")


def _accents(
    sonority: Float[np.ndarray, " frames"], semitones: Float[np.ndarray, " frames"]
) -> tuple[Accent, ...]:
    """Syllables that are louder, longer and higher than their neighbors.

    Loudness and pitch are joined into one contour and seen through a Mexican hat as wide as a
    syllable. What stands out from both sides answers; length counts since the hat integrates.

    Source: the wavelet view of prominence of Suni et al. 2017, at one scale.
    """
    from scipy.ndimage import gaussian_laplace
    from scipy.signal import find_peaks

    width = SYLLABLE_SECONDS * RATE
    contour = sonority * (1 + semitones / SEMITONES_PER_LOUDNESS)
    response = -gaussian_laplace(contour, width, mode="nearest") * width**2
    peaks, _ = find_peaks(response, distance=round(MIN_ACCENT_DISTANCE * RATE), height=0.02)
    if not len(peaks):
        return ()
    heights = response[peaks]
    reach = round(LEVEL_SECONDS * RATE)
    ranges = np.searchsorted(peaks, [peaks - reach, peaks + reach]).T
    strong = np.array([np.percentile(heights[a:b], 90) for a, b in ranges])
    return tuple(
        Accent(float(peak / RATE), float(min(height / limit, 1.0)))
        for peak, height, limit in zip(peaks, heights, strong, strict=True)
        if height >= MIN_ACCENT * limit
    )


def _runs(flags: Bool[np.ndarray, " frames"]) -> list[tuple[int, int]]:
    """Start and end of each stretch of True."""
    edges = np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def _without_short_runs(
    flags: Bool[np.ndarray, " frames"], not_shorter: float, value: bool, keep_ends: bool = False
) -> Bool[np.ndarray, " frames"]:
    """Flips stretches of `value` that are too short [s]."""
    flags = flags.copy()
    for start, end in _runs(flags == value):
        inside = start > 0 and end < len(flags)
        if end - start < not_shorter * RATE and (inside or not keep_ends):
            flags[start:end] = not value
    return flags
