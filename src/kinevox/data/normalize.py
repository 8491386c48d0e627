"""Statistics of motion, by which networks see every channel at a similar scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinevox.data.store import Corpus
from kinevox.errors import MotionError

CONSTANT = 1e-4
"""A channel that spreads less than this counts as constant [its unit]."""


@dataclass(frozen=True, eq=False)
class Statistics:
    """Mean and spread of each channel over all frames of a corpus."""

    mean: Float[np.ndarray, " channels"]
    std: Float[np.ndarray, " channels"]
    """Standard deviation; 1 where a channel is constant, so that it is only centered."""

    def normalize(self, values: Float[np.ndarray, "frames channels"]) -> np.ndarray:
        """Values with mean 0 and standard deviation 1 over the corpus."""
        return (values - self.mean) / self.std

    def restore(self, values: Float[np.ndarray, "frames channels"]) -> np.ndarray:
        """The opposite of `normalize`."""
        return values * self.std + self.mean


def motion_statistics(corpus: Corpus) -> Statistics:
    """Statistics over all frames of all clips.

    Raises:
        MotionError: the corpus has no frames.
    """
    count, mean, squares = 0, np.zeros(corpus.layout.num_channels), 0.0
    # Clips are merged one by one (Chan et al. 1979): sums of squares would lose small spreads.
    for i in range(len(corpus)):
        values = corpus.motion(i).values.astype(np.float64)
        if not len(values):
            continue
        total = count + len(values)
        shift = values.mean(axis=0) - mean
        squares += ((values - values.mean(axis=0)) ** 2).sum(axis=0)
        squares += shift**2 * count * len(values) / total
        mean += shift * len(values) / total
        count = total
    if not count:
        raise MotionError(f"Corpus '{corpus.name}' has no frames, so there is nothing to learn.")
    std = np.sqrt(squares / count)
    return Statistics(
        mean.astype(np.float32), np.where(std < CONSTANT, 1.0, std).astype(np.float32)
    )
