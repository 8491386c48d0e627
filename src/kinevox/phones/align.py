"""Phones of a known text: forced alignment.

PocketSphinx places the words (first pass), then the phones inside them (second pass). Recordings
of more than half a minute are followed window by window and cut at pauses between words.

The transcript is taken at its word: passages that are spoken but not written, or written but not
spoken, are squeezed or stretched over their neighbours. Texts that are not English are not
aligned; their phones are recognised instead.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from kinevox.phones import _sphinx
from kinevox.phones._base import ARPABET, SILENCE, Phones, Word
from kinevox.phones._text import is_latin, spoken_words
from kinevox.phones._tidy import Interval, contiguous, joined
from kinevox.phones._workers import Job, decode_all
from kinevox.phones.pronounce import known_share, spread
from kinevox.phones.recognize import cut_at_pauses, recognize_phones, recognize_piece
from kinevox.timebase import SAMPLE_RATE

if TYPE_CHECKING:
    from pocketsphinx import Decoder

_PAD_FRAMES = 40
_AT_ONCE = 30.0
"""Longest recording that is aligned in one go [s]."""
_WINDOW = 60.0
"""Span over which words are followed in longer ones [s]."""
_UNSURE = 10.0
"""End of a window whose words the next window finds again [s]."""
_LONGEST_PIECE = 20.0
_FASTEST = 6.0
"""Words per second that nobody exceeds."""
_ENGLISH_SHARE = 0.75
"""Share of words in the dictionary: 99 % of English sentences exceed it, 95 % of others do not."""

_log = logging.getLogger(__name__)


def align_phones(
    samples: Float[np.ndarray, " samples"], transcript: str, workers: int | None = None
) -> Phones:
    """Phones and words of a recording whose text is known; `origin` says how they were found.

    Args:
        samples: Mono, 16 kHz.
        transcript: Plain English text; punctuation, case and numbers as written.
        workers: Number of processes for long recordings; the result does not depend on it.
    """
    words = spoken_words(transcript)
    foreign = len(words) >= 4 and known_share(words) < _ENGLISH_SHARE
    if not words or foreign or not is_latin(transcript):
        _log.warning("The transcript does not look like English; phones are recognised instead.")
        return recognize_phones(samples, workers)
    jobs = [
        Job(samples[start:end], piece_words)
        for start, end, piece_words in _passages(samples, words)
    ]
    pieces = decode_all(jobs, workers)
    offsets = np.cumsum([0, *(len(job.samples) for job in jobs[:-1])]) / SAMPLE_RATE
    return joined(
        pieces, offsets.tolist(), len(samples) / SAMPLE_RATE, _common_origin(jobs, pieces)
    )


def align_piece(samples: Float[np.ndarray, " samples"], words: Sequence[str]) -> Phones:
    """Phones of at most about half a minute of sound with its words, in this process."""
    seconds = len(samples) / SAMPLE_RATE
    sound = _sphinx.pcm(samples, _PAD_FRAMES)
    decoder = _sphinx.aligner(words)
    try:
        decoder.set_align_text(" ".join(words))
        _sphinx.listen(decoder, sound)
        placed = _placed_words(decoder)
    except RuntimeError:
        placed = []
    if len(placed) != len(words):
        return recognize_piece(samples)
    spoken = [Word(text, start, end) for text, (_, start, end) in zip(words, placed, strict=True)]
    try:
        decoder.set_alignment()
        _sphinx.listen(decoder, sound)
        intervals = [
            (phone.name, *_seconds(phone.start, phone.start + phone.duration))
            for word in decoder.get_alignment()
            for phone in word
        ]
        origin = "aligned"
    except RuntimeError:
        intervals = []
        for variant, start, end in placed:
            intervals += spread(decoder.lookup_word(variant).split(), start, end)
        origin = "aligned by words"
    labelled = (
        (label if label in ARPABET else SILENCE, start, end) for label, start, end in intervals
    )
    return contiguous(labelled, seconds, spoken, origin)


def _passages(
    samples: Float[np.ndarray, " samples"], words: tuple[str, ...]
) -> list[tuple[int, int, tuple[str, ...] | None]]:
    """Start and end [samples] of pieces, and the words of each; None where none can be said."""
    pieces: list[tuple[int, int, tuple[str, ...] | None]] = []
    at, spoken, end = 0, 0, len(samples)
    while end - at > _AT_ONCE * SAMPLE_RATE and spoken < len(words):
        stop = at + cut_at_pauses(samples[at:end], _WINDOW - 20, _WINDOW)[1]
        ahead = words[spoken : spoken + int(_FASTEST * (stop - at) / SAMPLE_RATE)]
        last = stop == end
        if last:
            ahead = words[spoken:]
        placed = _follow(samples[at:stop], ahead, to_the_end=last)
        count = len(placed) if last else _num_sure(placed, (stop - at) / SAMPLE_RATE - _UNSURE)
        if count == 0:
            pieces.append((at, stop, None))
            at = stop
            continue
        window = at
        for first, beyond in _groups(placed, 0, count):
            until = stop
            if beyond < len(placed):
                middle = (placed[beyond - 1][2] + placed[beyond][1]) / 2
                until = window + round(middle * SAMPLE_RATE)
            pieces.append((at, until, ahead[first:beyond]))
            at = until
        spoken += count
    if at < end:
        pieces.append((at, end, words[spoken:] or None))
    return pieces


def _follow(
    samples: Float[np.ndarray, " samples"], words: Sequence[str], to_the_end: bool
) -> list[Interval]:
    """Rough times of as many of the words as the sound holds, all of them if `to_the_end`."""
    decoder = _sphinx.aligner(words, ds=2)
    try:
        decoder.set_align_text(" ".join(words))
        decoder.start_utt()
        decoder.process_raw(_sphinx.pcm(samples, _PAD_FRAMES), full_utt=True)
        if not to_the_end:
            # Before the utterance ends, the best path so far need not have reached the last word.
            return _placed_words(decoder)
        decoder.end_utt()
        placed = _placed_words(decoder)
    except RuntimeError:
        return []
    return placed if len(placed) == len(words) else []


def _num_sure(placed: Sequence[Interval], until: float) -> int:
    """How many words end before `until` [s] and lie before the last clear pause."""
    count = sum(end < until for _, _, end in placed)
    count = min(count, len(placed) - 1)
    pauses = [i for i in range(1, count + 1) if placed[i][1] - placed[i - 1][2] > 0.15]
    return pauses[-1] if pauses else max(count, 0)


def _groups(placed: Sequence[Interval], first: int, beyond: int) -> list[tuple[int, int]]:
    """Ranges of words no longer than a piece may be, parted at the longest pauses."""
    start, end = placed[first][1], placed[beyond - 1][2]
    if end - start <= _LONGEST_PIECE or beyond - first < 2:
        return [(first, beyond)]
    middle = (start + end) / 2

    def merit(i: int) -> float:
        # A pause may lie off the middle by 10 s for each 0.2 s that it is longer.
        return placed[i][1] - placed[i - 1][2] - 0.02 * abs(placed[i][1] - middle)

    cut = max(range(first + 1, beyond), key=merit)
    return _groups(placed, first, cut) + _groups(placed, cut, beyond)


def _placed_words(decoder: Decoder) -> list[Interval]:
    """Words of the first pass, named by the variant that was heard ("the(2)")."""
    return [
        (segment.word, *_seconds(segment.start_frame, segment.end_frame + 1))
        for segment in decoder.seg() or ()
        if segment.word[0] not in "<[("
    ]


def _seconds(start_frame: int, end_frame: int) -> tuple[float, float]:
    rate = _sphinx.FRAMES_PER_SECOND
    return (start_frame - _PAD_FRAMES) / rate, (end_frame - _PAD_FRAMES) / rate


def _common_origin(jobs: Sequence[Job], pieces: Sequence[Phones]) -> str:
    """One word for how the pieces were found; pieces without words do not count if silent."""
    origins = {
        piece.origin
        for job, piece in zip(jobs, pieces, strict=True)
        if job.words or set(piece.labels) != {SILENCE}
    }
    if "recognized" in origins:
        return "recognized" if origins == {"recognized"} else "aligned in part"
    return "aligned by words" if "aligned by words" in origins else "aligned"
