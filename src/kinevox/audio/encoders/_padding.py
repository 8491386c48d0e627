"""What waveform encoders are given: sound of the right length, at the right level.

Source: DiffPoseTalk's `models/common.py`, checked against its index maps; levels are ours.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from kinevox.timebase import SAMPLE_RATE

HOP, EXCESS = 320, 80
"""`HOP * k + EXCESS` samples give k vectors."""
LEVEL_SECONDS = 8.0
"""Sound that decides the level of its middle; as long as what DiffPoseTalk is trained on [s]."""
QUIETEST = 1e-3
"""Sound is never raised above what this root mean square needs."""

_BLOCK = SAMPLE_RATE // 10


def padded(samples: Float[Tensor, "*batch samples"]) -> Float[Tensor, "*batch more_samples"]:
    """As many samples on each side as make the vectors whole, as the published code adds them.

    It mirrors half of them twice, so the outer half mirrors the inner one back; where they cannot
    be halved, the outermost sample is repeated.
    """
    lacking = EXCESS - samples.shape[-1] % HOP
    if lacking <= 0:
        return samples
    half, odd = divmod(-(-lacking // 2), 2)
    rows = samples.reshape(1, -1, samples.shape[-1])
    for mode, count in (("reflect", half), ("reflect", half), ("replicate", odd)):
        if count:
            rows = functional.pad(rows, (count, count), mode=mode)
    return rows.reshape(*samples.shape[:-1], -1)


def standardized(samples: Float[Tensor, "*batch samples"]) -> Float[Tensor, "*batch samples"]:
    """Mean 0 and deviation 1 over the whole, as published: what is far away counts too."""
    mean, std = samples.mean(-1, keepdim=True), samples.std(-1, keepdim=True)
    return (samples - mean) / (std + 1e-5)


class LocalLevel:
    """Mean 0 and deviation 1 over `LEVEL_SECONDS` around each moment."""

    def __init__(self, samples: Float[np.ndarray, " samples"]):
        self._samples = samples
        starts = np.arange(0, max(len(samples), 1), _BLOCK)
        counts = np.minimum(len(samples) - starts, _BLOCK)
        reach = round(LEVEL_SECONDS * SAMPLE_RATE / 2 / _BLOCK)
        sums = np.array(
            [
                (part.sum(dtype=np.float64), np.square(part, dtype=np.float64).sum())
                for part in (samples[start : start + _BLOCK] for start in starts)
            ]
        )
        totals = np.cumsum(np.column_stack([counts, sums]), axis=0)
        totals = np.vstack([np.zeros(3), totals])
        first = np.clip(np.arange(len(starts)) - reach, 0, None)
        last = np.clip(np.arange(len(starts)) + reach + 1, None, len(starts))
        count, total, squares = (totals[last] - totals[first]).T
        self._middles = starts + counts / 2
        self._mean = total / np.maximum(count, 1)
        variance = squares / np.maximum(count, 1) - self._mean**2
        self._std = np.sqrt(np.maximum(variance, QUIETEST**2))

    def cut(self, start: int, end: int) -> Float[np.ndarray, " cut"]:
        """The samples from `start` to `end`."""
        at = np.arange(start, min(end, len(self._samples)))
        mean, std = (np.interp(at, self._middles, values) for values in (self._mean, self._std))
        return ((self._samples[start:end] - mean) / std).astype(np.float32)
