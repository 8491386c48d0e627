"""Pitch of the voice: Praat's autocorrelation tracker, in chunks of bounded memory.

Source: Boersma 1993, "Accurate short-term analysis of the fundamental frequency"; the range is
fitted to the voice in a first pass as Hirst 2007 and De Looze & Hirst 2008 propose.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from kinevox.timebase import num_frames

RATE = 100
"""Frames per second of every prosodic contour; frame i is centered on i / RATE seconds."""

CHUNK_SECONDS = 60.0
"""Sound analyzed at a time [s]."""
CONTEXT_SECONDS = 1.0
"""Sound seen on either side of a chunk, so that the tracker's path agrees where chunks meet [s]."""

LOWEST, HIGHEST = 60.0, 600.0
"""Widest range of a speaking voice [Hz]."""


def track_pitch(
    samples: Float[np.ndarray, " samples"], sample_rate: int
) -> Float[np.ndarray, " frames"]:
    """F0 at `RATE` frames per second [Hz], NaN where the sound has no period.

    Whether a frame is loud enough to be voice is not decided here, so the result does not depend
    on the level of the recording.
    """
    rough = _track(samples, sample_rate, LOWEST, HIGHEST, frames_apart=3)
    periodic = rough[np.isfinite(rough)]
    if not len(periodic):
        return np.full(num_frames(len(samples), sample_rate, float(RATE)), np.nan)
    low, high = np.percentile(periodic, [25, 75])
    return _track(samples, sample_rate, max(LOWEST, 0.7 * low), min(HIGHEST, 1.8 * high))


def _track(
    samples: Float[np.ndarray, " samples"],
    sample_rate: int,
    floor: float,
    ceiling: float,
    frames_apart: int = 1,
) -> Float[np.ndarray, " some_frames"]:
    import parselmouth

    total = -(-num_frames(len(samples), sample_rate, float(RATE)) // frames_apart)
    step = frames_apart / RATE
    chunk, context = int(CHUNK_SECONDS / step), int(CONTEXT_SECONDS / step)
    # Praat centers its frames in the sound and needs three periods around each; half a step more
    # keeps their number clear of rounding.
    margin = (3 / floor + step / 2) / 2
    f0 = np.full(total, np.nan)
    for first in range(0, total, chunk):
        start, end = max(first - context, 0), min(first + chunk + context, total)
        begin = round((start * step - margin) * sample_rate)
        stop = round(((end - 1) * step + margin) * sample_rate)
        piece = np.pad(
            samples[max(begin, 0) : stop].astype(np.float64),
            (max(-begin, 0), max(stop - len(samples), 0)),
        )
        pitch = parselmouth.Sound(piece, sample_rate).to_pitch_ac(
            time_step=step, pitch_floor=floor, pitch_ceiling=ceiling, silence_threshold=0.0
        )
        found = pitch.selected_array["frequency"]
        assert len(found) == end - start, "Praat's frames lie elsewhere than expected"
        found = np.where(found > 0, found, np.nan)
        last = min(first + chunk, total)
        f0[first:last] = found[first - start : last - start]
    return f0
