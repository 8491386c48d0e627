"""Phones by ear, without a transcript.

PocketSphinx hears English phones; in other languages it hears the nearest ones.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from jaxtyping import Float

from kinevox.phones._base import ARPABET, SILENCE, Phones
from kinevox.phones._tidy import contiguous, joined
from kinevox.timebase import SAMPLE_RATE

_PAD_FRAMES = 10
_SHORTEST, _LONGEST = 8.0, 20.0
"""Length of the pieces a long recording is cut into [s]."""
_SILENT = 1e-3
"""Pieces that never get louder than this rest."""
_FAINT_DB = 50.0
"""Phones this far below the loud parts of the recording are background [dB]."""


def recognize_phones(samples: Float[np.ndarray, " samples"], workers: int | None = None) -> Phones:
    """Phones of speech in any voice, from 0 to the end of the recording.

    Long recordings are cut at pauses and decoded by several processes at once.

    Args:
        samples: Mono, 16 kHz.
        workers: Number of processes; by default as many as there are free cores, up to four.
            The result does not depend on it.
    """
    from kinevox.phones._workers import Job, decode_all

    cuts = cut_at_pauses(samples)
    jobs = [Job(samples[start:end]) for start, end in pairwise(cuts)]
    pieces = decode_all(jobs, workers)
    seconds = len(samples) / SAMPLE_RATE
    phones = joined(pieces, [cut / SAMPLE_RATE for cut in cuts[:-1]], seconds, "recognized")
    return _without_background(phones, samples)


def recognize_piece(samples: Float[np.ndarray, " samples"]) -> Phones:
    """Phones of at most about half a minute of sound, in this process."""
    from kinevox.phones import _sphinx

    seconds = len(samples) / SAMPLE_RATE
    if np.abs(samples).max(initial=0.0) < _SILENT:
        return contiguous((), seconds, origin="recognized")
    decoder = _sphinx.recognizer()
    _sphinx.listen(decoder, _sphinx.pcm(samples, _PAD_FRAMES))
    rate = _sphinx.FRAMES_PER_SECOND
    intervals = [
        (
            segment.word if segment.word in ARPABET else SILENCE,
            (segment.start_frame - _PAD_FRAMES) / rate,
            (segment.end_frame + 1 - _PAD_FRAMES) / rate,
        )
        for segment in decoder.seg() or ()
    ]
    return contiguous(intervals, seconds, origin="recognized")


def cut_at_pauses(
    samples: Float[np.ndarray, " samples"],
    shortest: float = _SHORTEST,
    longest: float = _LONGEST,
) -> list[int]:
    """Sample numbers, from 0 to the end, that cut a recording into pieces at its quietest places.

    Args:
        shortest: Pieces but the last are at least this long [s].
        longest: No piece is longer [s].
    """
    cuts, hop = [0], SAMPLE_RATE // 100
    if len(samples) > longest * SAMPLE_RATE:
        power = _frame_power(samples)
        power = np.convolve(power, np.full(20, 1 / 20), mode="same")
        while len(samples) - cuts[-1] > longest * SAMPLE_RATE:
            first = cuts[-1] // hop + int(shortest * 100)
            last = min(cuts[-1] // hop + int(longest * 100), len(power))
            cuts.append((first + int(np.argmin(power[first:last]))) * hop)
    return [*cuts, len(samples)]


def _without_background(phones: Phones, samples: Float[np.ndarray, " samples"]) -> Phones:
    """Phones heard into room noise become silence."""
    power = _frame_power(samples)
    if not power.size:
        return phones
    floor = np.quantile(power, 0.98) * 10 ** (-_FAINT_DB / 10)
    intervals = []
    for label, start, end in zip(phones.labels, phones.starts, phones.ends, strict=True):
        inside = power[int(start * 100) : max(int(end * 100), int(start * 100) + 1)]
        faint = inside.size == 0 or inside.max() < floor
        intervals.append((SILENCE if faint else label, float(start), float(end)))
    return contiguous(intervals, phones.seconds, origin=phones.origin)


def _frame_power(samples: Float[np.ndarray, " samples"]) -> Float[np.ndarray, " frames"]:
    """Mean square of every whole 10 ms, without a copy of the sound."""
    hop = SAMPLE_RATE // 100
    frames = samples[: len(samples) // hop * hop].reshape(-1, hop)
    return np.einsum("fs,fs->f", frames, frames).astype(np.float64) / hop
