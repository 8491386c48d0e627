"""Averaged weights: smoother than the last ones, and better."""

from __future__ import annotations

import copy

import torch
from torch import nn

RAMP = 0.05
"""Early on, the half-life is at most this share of the samples seen: the random start fades."""


class Average:
    """Exponential moving average of a network's weights; buffers are copied.

    Source: Karras et al. 2022 (EDM), the half-life counted in samples, with its ramp.
    """

    def __init__(self, network: nn.Module, half_life: float):
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self._half_life = half_life

    def update(self, network: nn.Module, samples: int, samples_seen: int) -> None:
        """Takes in the weights after an update.

        Args:
            samples: Samples since the last call.
            samples_seen: Samples since the start, these included.
        """
        keep = decay(samples, samples_seen, self._half_life)
        with torch.no_grad():
            for mean, weight in zip(self.network.parameters(), network.parameters(), strict=True):
                mean.lerp_(weight, 1 - keep)
            for copied, buffer in zip(self.network.buffers(), network.buffers(), strict=True):
                copied.copy_(buffer)


def decay(samples: int, samples_seen: int, half_life: float) -> float:
    """What is kept of an average while `samples` pass."""
    return 0.5 ** (samples / min(half_life, RAMP * samples_seen))
