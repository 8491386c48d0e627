"""Phones by ear, without a transcript, as a speech encoder of the package's kind hears them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from kinevox.phones._base import Phones
from kinevox.phones._tidy import contiguous
from kinevox.timebase import SAMPLE_RATE

if TYPE_CHECKING:
    from torch import Tensor

    from kinevox.audio.encoders.speech import Speech

RELUCTANCE = 2.0
"""What a change of phone costs, in nats; the frames of a phone must outweigh it."""


def told_phones(
    features: Float[Tensor, "features width"],
    encoder: Speech,
    seconds: float,
    prior: Mapping[str, float] | None = None,
) -> Phones:
    """The phones that features of the encoder tell of, to the end of a recording.

    Args:
        seconds: Length of the recording.
        prior: Nats by which some phones are expected more than in what the encoder learned from.
    """
    from kinevox.audio.mel_grid import HOP
    from kinevox.data.phonetic.pack import PHONES

    scores = phone_scores(features, encoder)
    for label, more in (prior or {}).items():
        scores[:, PHONES.index(label)] += more
    path = likeliest(scores, RELUCTANCE)
    changes = np.flatnonzero(np.diff(path)) + 1
    bounds = np.concatenate([[0], changes, [len(path)]]) * (HOP / SAMPLE_RATE)
    first = path[np.concatenate([[0], changes])] if len(path) else []
    intervals = [
        (PHONES[label], float(start), float(end))
        for label, start, end in zip(first, bounds, bounds[1:], strict=False)
    ]
    return contiguous(intervals, seconds, origin="recognized")


def phone_scores(
    features: Float[Tensor, "features width"], encoder: Speech
) -> Float[np.ndarray, "frames phones"]:
    """Logarithm of each phone's probability, 100 per second; phones as in `PHONES`."""
    import torch

    from kinevox.audio.encoders.speech.config import MELS

    with torch.inference_mode():
        logits = encoder.network.phones(features).unflatten(-1, (MELS, -1)).flatten(0, 1)
        return logits.log_softmax(-1).numpy()


def likeliest(
    scores: Float[np.ndarray, "frames phones"], reluctance: float
) -> Int[np.ndarray, " frames"]:
    """The phones with the highest sum of scores, where every change costs `reluctance`.

    Source: Viterbi 1967.
    """
    best = np.zeros(scores.shape[1], scores.dtype)
    came_from = np.zeros(scores.shape, np.int16)
    stays = np.arange(scores.shape[1], dtype=np.int16)
    for frame, score in enumerate(scores):
        other = int(best.argmax())
        changed = best[other] - reluctance
        came_from[frame] = np.where(best >= changed, stays, other)
        best = np.maximum(best, changed) + score
        best -= best.max()
    path = np.zeros(len(scores), np.int64)
    label = int(best.argmax())
    for frame in range(len(scores) - 1, -1, -1):
        path[frame] = label
        label = int(came_from[frame, label])
    return path
