"""Whole recordings, by windows that overlap; and how well that does on unseen clips."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from kinevox.audio.mel import MelStream
from kinevox.data import Corpus
from kinevox.data.windows import samples_per_frame
from kinevox.errors import MotionError
from kinevox.methods.regressor.network import RegressorNetwork

OVERLAP = 0.3
"""Share of a window that it has in common with the next; they are blended there."""
AT_ONCE = 16
"""Windows per pass through the network; memory stays bounded at any length."""
VALIDATION_CLIPS = 64
"""Clips that are looked at in a validation, spread over the split."""

_BLOCK = 30 * 16_000


@torch.no_grad()
def perform(
    network: RegressorNetwork, samples: Float[np.ndarray, " samples"], style: int
) -> Float[np.ndarray, "frames channels"]:
    """Motion at the network's own rate for a whole recording, at least one frame.

    Args:
        style: Place in the network's styles; -1 is the mean of all.
    """
    features = _features(samples, network)
    frames = len(features) // network.per_frame
    size = min(network.config.window, frames)
    starts = _starts(frames, size)
    ramp = _ramp(size)
    device = network.out.weight.device
    summed = np.zeros((frames, network.space.layout.num_channels))
    weight = np.zeros((frames, 1))
    for some in np.array_split(starts, -(-len(starts) // AT_ONCE)):
        cuts = [features[s * network.per_frame : (s + size) * network.per_frame] for s in some]
        whole = torch.ones(len(some), size, dtype=torch.bool, device=device)
        styles = torch.full((len(some),), style, device=device)
        predicted = network(torch.stack(cuts).to(device), whole, styles).float().cpu().numpy()
        for start, window in zip(some, predicted, strict=True):
            summed[start : start + size] += window * ramp
            weight[start : start + size] += ramp
    return network.space.statistics.restore(summed / weight).astype(np.float32)


def window_borders(network: RegressorNetwork, frames: int) -> Float[np.ndarray, " borders"]:
    """When each window of a motion but the first begins [s]."""
    starts = _starts(frames, min(network.config.window, frames))
    return starts[1:] / network.space.fps


def validation_scores(network: RegressorNetwork, corpus: Corpus) -> Mapping[str, float]:
    """Root mean square errors in units of each channel's spread, over clips of unseen people.

    `face_error` counts everything but the head, whose motion speech leaves open; `GROUP_error`
    one group of channels; `face_velocity_error` frame-to-frame differences.

    Raises:
        MotionError: the corpus is in another space than the network.
    """
    space = network.space
    if corpus.layout != space.layout or corpus.fps != space.fps:
        raise MotionError(
            f"Corpus '{corpus.name}' has layout '{corpus.layout.name}' at {corpus.fps:g} fps; the "
            f"network was trained in '{space.layout.name}' at {space.fps:g} fps."
        )
    groups = {channel.group for channel in corpus.layout.channels}
    heads = np.array([channel.group == "head" for channel in corpus.layout.channels])
    squares: dict[str, list[float]] = defaultdict(list)
    chosen = np.linspace(0, len(corpus) - 1, min(len(corpus), VALIDATION_CLIPS)).astype(int)
    for i in np.unique(chosen):
        record = corpus[int(i)]
        predicted = perform(network, record.speech.samples, -1)
        count = min(len(predicted), record.motion.num_frames)
        error = (predicted[:count] - record.motion.values[:count]) / space.statistics.std
        squares["face_error"] += (error[:, ~heads] ** 2).mean(axis=1).tolist()
        change = np.diff(error[:, ~heads], axis=0) ** 2
        squares["face_velocity_error"] += change.mean(axis=1).tolist()
        for group in sorted(groups):
            columns = corpus.layout.group(group)
            squares[f"{group}_error"] += (error[:, columns] ** 2).mean(axis=1).tolist()
    return {name: float(np.sqrt(np.mean(values))) for name, values in squares.items() if values}


def _features(
    samples: Float[np.ndarray, " samples"], network: RegressorNetwork
) -> Float[Tensor, "features bands"]:
    """Features of all whole frames; a recording shorter than one is padded with silence."""
    step = samples_per_frame(network.space.fps)
    whole = max(len(samples) // step, 1) * step
    stream = MelStream()
    sound = torch.from_numpy(np.pad(samples, (0, max(whole - len(samples), 0))).astype(np.float32))
    features = torch.cat([*map(stream.push, sound.split(_BLOCK)), stream.finish()])
    return features[: whole // step * network.per_frame]


def _starts(frames: int, size: int) -> np.ndarray:
    """First frames of windows that cover everything and overlap evenly."""
    step = max(round(size * (1 - OVERLAP)), 1)
    count = -(-(frames - size) // step) + 1
    return np.linspace(0, frames - size, count).round().astype(int)


def _ramp(size: int) -> Float[np.ndarray, "frames 1"]:
    """Weight of each frame of a window: falls off linearly over the overlap, never to zero."""
    edge = np.minimum(np.arange(size), np.arange(size)[::-1]) + 1.0
    return np.minimum(edge / max(round(size * OVERLAP), 1), 1.0)[:, None]
