"""From recordings of any length to clips of a useful one: joined with pauses, or cut at them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from kinevox.phones import SILENCE, Phones, Word
from kinevox.phones._tidy import contiguous, intervals_of
from kinevox.speech import Speech
from kinevox.timebase import SAMPLE_RATE

SHORTEST, LONGEST = 4.6, 10.6
"""Length of a clip before its tempo changes [s]; 100 frames fit the shortest spoken fast."""
LONGEST_GAP = 0.8
"""Between joined recordings and at either end [s]."""
FADE = 0.01
"""Where a recording was cut [s]."""


def compose(passages: Iterator[Speech], rng: np.random.Generator) -> Speech:
    """One clip of `SHORTEST` to `LONGEST` from recordings of one person.

    Short recordings follow each other with natural pauses between; a long one is cut at its own
    pauses. If there is not enough, silence as it sounds in the recording fills the rest.

    Args:
        passages: Recordings with their phones, at least one.
    """
    first = next(passages)
    if first.seconds > LONGEST:
        return _excerpt(first, rng)
    wanted = rng.uniform(SHORTEST, LONGEST)
    parts, seconds = [first], first.seconds
    for other in passages:
        if seconds >= wanted or seconds + other.seconds + LONGEST_GAP > LONGEST:
            break
        parts.append(other)
        seconds += other.seconds + LONGEST_GAP
    return _joined(parts, rng)


def cut(speech: Speech, start: float, end: float) -> Speech:
    """A part of a recording, its phones and the words that lie wholly inside; times in seconds."""
    first, last = round(start * SAMPLE_RATE), round(end * SAMPLE_RATE)
    samples = speech.samples[first:last].copy()
    ramp = np.linspace(0, 1, min(round(FADE * SAMPLE_RATE), len(samples)), dtype=np.float32)
    if first > 0:
        samples[: len(ramp)] *= ramp
    if last < len(speech.samples):
        samples[len(samples) - len(ramp) :] *= ramp[::-1]
    assert speech.phones is not None
    words = [
        Word(w.text, w.start - start, w.end - start)
        for w in speech.phones.words
        if w.start >= start - 1e-3 and w.end <= end + 1e-3
    ]
    phones = contiguous(
        intervals_of(speech.phones, -start),
        len(samples) / SAMPLE_RATE,
        words,
        speech.phones.origin,
    )
    return Speech(samples, speech.path, " ".join(w.text for w in words) or None, phones)


def stretched(phones: Phones, factor: float) -> Phones:
    """The same phones spoken `factor` times as slowly."""
    words = tuple(Word(w.text, w.start * factor, w.end * factor) for w in phones.words)
    return Phones(phones.labels, phones.starts * factor, phones.ends * factor, words, phones.origin)


def room_tone(
    samples: Float[np.ndarray, " samples"], count: int, rng: np.random.Generator
) -> Float[np.ndarray, " count"]:
    """Noise that sounds like the quietest moments of a recording."""
    width = 512
    if len(samples) < 2 * width or count == 0:
        return np.zeros(count, np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, width)[:: width // 2]
    power = np.abs(np.fft.rfft(frames * np.hanning(width), axis=1)) ** 2
    # Digital silence at the ends of a file is not how the room sounds, but nothing is louder.
    quiet = np.argsort(power.sum(axis=1))[: max(len(frames) // 20, 3)]
    spectrum = np.sqrt(power[quiet].mean(axis=0) / np.sum(np.hanning(width) ** 2))
    noise = np.fft.rfft(rng.standard_normal(count))
    shape = np.interp(np.linspace(0, 1, len(noise)), np.linspace(0, 1, len(spectrum)), spectrum)
    return np.fft.irfft(noise * shape, count).astype(np.float32)


def _excerpt(speech: Speech, rng: np.random.Generator) -> Speech:
    """Between two pauses where there are such; anywhere between phones otherwise."""
    assert speech.phones is not None
    middles = (speech.phones.starts + speech.phones.ends) / 2
    long = speech.phones.ends - speech.phones.starts >= 0.12
    silent = np.array([label == SILENCE for label in speech.phones.labels])
    for places in (middles[silent & long], speech.phones.starts):
        ends = np.concatenate([[0.0], places, [speech.seconds]])
        lengths = ends[None, :] - ends[:, None]
        pairs = np.argwhere((lengths >= SHORTEST) & (lengths <= LONGEST))
        if len(pairs):
            a, b = pairs[rng.integers(len(pairs))]
            return cut(speech, float(ends[a]), float(ends[b]))
    return cut(speech, 0.0, LONGEST)


def _joined(parts: list[Speech], rng: np.random.Generator) -> Speech:
    levels = [_level(part.samples) for part in parts]
    gaps = rng.uniform(0.15, LONGEST_GAP, len(parts) + 1)
    gaps[[0, -1]] *= rng.random(2) < 0.5
    inner = sum(part.seconds for part in parts) + gaps[1:-1].sum()
    ends = np.clip(gaps[0] + gaps[-1], SHORTEST - inner, max(LONGEST - inner, 0.0))
    before = gaps[0] / (gaps[0] + gaps[-1]) if gaps[0] + gaps[-1] > 0 else 0.4
    gaps[[0, -1]] = ends * before, ends * (1 - before)
    pieces, intervals, words, at = [], [], [], 0
    for part, level, gap in zip(parts, levels, gaps, strict=False):
        assert part.phones is not None
        samples = part.samples * np.float32(levels[0] / level)
        pieces += [room_tone(samples, round(gap * SAMPLE_RATE), rng), samples]
        at += len(pieces[-2])
        start = at / SAMPLE_RATE
        intervals += intervals_of(part.phones, start)
        words += [Word(w.text, w.start + start, w.end + start) for w in part.phones.words]
        at += len(samples)
    pieces.append(room_tone(pieces[-1], round(gaps[-1] * SAMPLE_RATE), rng))
    samples = np.concatenate(pieces)
    origins = {part.phones.origin for part in parts if part.phones is not None}
    origin = origins.pop() if len(origins) == 1 else "recognized"
    texts = [part.transcript for part in parts]
    return Speech(
        samples,
        parts[0].path,
        " ".join(text for text in texts if text) if all(texts) else None,
        contiguous(intervals, len(samples) / SAMPLE_RATE, words, origin),
    )


def _level(samples: Float[np.ndarray, " samples"]) -> float:
    """Root mean square of the louder half of a recording."""
    blocks = samples[: len(samples) // 400 * 400].reshape(-1, 400)
    power = np.sort((blocks**2).mean(axis=1))[len(blocks) // 2 :]
    return float(np.sqrt(power.mean())) + 1e-6
