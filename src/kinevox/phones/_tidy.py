"""From loose intervals to `Phones` without gaps, and joining and fitting of those."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from kinevox.phones._base import SILENCE, Phones, Word

Interval = tuple[str, float, float]
"""Label, start [s], end [s]."""

_TINY = 0.005
"""Gaps up to this are rounding: the phone before is drawn out [s]."""


def contiguous(
    intervals: Iterable[Interval],
    seconds: float,
    words: Iterable[Word] = (),
    origin: str = "given",
) -> Phones:
    """Phones from 0 to `seconds`: gaps become silence, overlaps are cut, silences join.

    Args:
        intervals: ARPAbet or `SIL`, in any order.
    """
    row: list[list] = []

    def append(label: str, start: float, end: float) -> None:
        if row and label == row[-1][0] == SILENCE:
            row[-1][2] = end
        else:
            row.append([label, start, end])

    last = 0.0
    for label, start, end in sorted(intervals, key=lambda interval: interval[1:]):
        start, end = max(float(start), last), min(float(end), seconds)
        if end - start <= 1e-6:
            continue
        if start - last > _TINY or (not row and start > 0):
            append(SILENCE, last, start)
        elif row:
            row[-1][2] = start
        append(label, start, end)
        last = end
    if row and 0 < seconds - last <= _TINY:
        row[-1][2] = seconds
    elif seconds > last:
        append(SILENCE, last, seconds)
    kept = (Word(w.text, max(w.start, 0.0), min(w.end, seconds)) for w in words)
    return Phones(
        labels=tuple(label for label, _, _ in row),
        starts=np.array([start for _, start, _ in row], dtype=np.float64),
        ends=np.array([end for _, _, end in row], dtype=np.float64),
        words=tuple(word for word in kept if word.end > word.start),
        origin=origin,
    )


def intervals_of(phones: Phones, offset: float = 0.0) -> list[Interval]:
    """Its phones as loose intervals, moved by `offset` [s]."""
    return [
        (label, float(start) + offset, float(end) + offset)
        for label, start, end in zip(phones.labels, phones.starts, phones.ends, strict=True)
    ]


def joined(
    pieces: Sequence[Phones], offsets: Sequence[float], seconds: float, origin: str
) -> Phones:
    """Pieces of one recording put behind each other, each at its offset [s]."""
    placed = list(zip(pieces, offsets, strict=True))
    return contiguous(
        (interval for piece, at in placed for interval in intervals_of(piece, at)),
        seconds,
        (Word(w.text, w.start + at, w.end + at) for piece, at in placed for w in piece.words),
        origin,
    )


def fitted(phones: Phones, seconds: float) -> Phones:
    """The same phones for a recording of `seconds`: silence added or the end cut off."""
    return contiguous(intervals_of(phones), seconds, phones.words, phones.origin)
