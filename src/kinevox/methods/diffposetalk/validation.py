"""How well the denoiser does on people it has not seen."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from kinevox.data import Corpus
from kinevox.data.windows import Windows
from kinevox.diffusion.schedules import schedule
from kinevox.errors import MotionError
from kinevox.methods.diffposetalk.config import LEAD, TAIL
from kinevox.methods.diffposetalk.distillation import teacher_of
from kinevox.methods.diffposetalk.hearing import features_of_batch
from kinevox.methods.diffposetalk.network import DiffPoseTalkNetwork
from kinevox.methods.diffposetalk.sampling import usual_sampling
from kinevox.methods.diffposetalk.training import styles_of
from kinevox.methods.diffposetalk.window import Given, guided, sample_window
from kinevox.training.batch import Batch

CLIPS = 32
"""Clips that are looked at, spread over the split."""
LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Steps at which denoising is measured, as shares of all."""


@torch.no_grad()
def validation_scores(network: DiffPoseTalkNetwork, corpus: Corpus) -> Mapping[str, float]:
    """How well the first windows of some clips are made, all conditions known.

    `error`: root mean square error, in units of each channel's spread, of what is predicted from
    several noise levels against the truth; of a network that is taught, that of what it draws
    against what its teacher draws from the same noise. `face_dynamics` and `head_dynamics`: how
    much generated motion moves from frame to frame against the truth, as the distance of the
    ratio's logarithm from 0.
    """
    space, config = network.space, network.config
    if corpus.layout != space.layout or corpus.fps != space.fps:
        raise MotionError(
            f"Corpus '{corpus.name}' has layout '{corpus.layout.name}' at {corpus.fps:g} fps; the "
            f"network was trained in '{space.layout.name}' at {space.fps:g} fps."
        )
    batch = _clips(network, corpus)
    given, clean, mask = _first_windows(network, batch)
    generator = Generator(clean.device).manual_seed(0)
    noise = torch.randn(clean.shape, generator=generator, device=clean.device)
    made = _drawn(network, given, noise)
    if config.taught_by:
        teacher = teacher_of(config, clean.device)
        theirs = _drawn(teacher, _first_windows(teacher, batch)[0], noise)
        square = _mean_square(made - theirs, mask)
    else:
        square = _denoising_error(network, given, clean, mask, noise)
    scores = {"error": float(square.sqrt())}
    head = network.head_columns
    face = [i for i in range(clean.shape[-1]) if i not in head]
    for name, columns in (("face", face), ("head", head)):
        if columns:
            moved, true = (_movement(part[..., columns], mask) for part in (made, clean))
            scores[f"{name}_dynamics"] = abs(float(np.log((moved + 1e-6) / (true + 1e-6))))
    return scores


def _drawn(network: DiffPoseTalkNetwork, given: Given, noise: Tensor) -> Tensor:
    """A window, drawn as usual."""
    sampling = usual_sampling(network.config)
    return sample_window(network, given, sampling, sampling.guidance, noise, lambda: noise)


def _denoising_error(
    network: DiffPoseTalkNetwork, given: Given, clean: Tensor, mask: Tensor, noise: Tensor
) -> Float[Tensor, ""]:
    """Mean square error over noise levels."""
    config = network.config
    plain = guided(network, given, usual_sampling(config).guidance.plain)
    levels = schedule(config.schedule, config.steps)
    squares = []
    for share in LEVELS:
        t = max(round(share * config.steps), 1)
        step = torch.full((len(clean),), t, device=clean.device)
        squares.append(_mean_square(plain(levels.noised(clean, step, noise), t) - clean, mask))
    return torch.stack(squares).mean()


def _mean_square(error: Tensor, mask: Float[Tensor, "batch frames"]) -> Float[Tensor, ""]:
    return (error * mask[..., None]).square().sum() / (mask.sum() * error.shape[-1])


def _clips(network: DiffPoseTalkNetwork, corpus: Corpus) -> Batch:
    chosen = np.unique(np.linspace(0, len(corpus) - 1, min(len(corpus), CLIPS)).astype(int))
    windows = Windows(corpus, network.space.statistics, shape=network.config.windows)
    cuts = [windows.cut(int(i), 0, np.random.default_rng(int(i))) for i in chosen]
    return Batch.of(cuts).to(network.null_style.device)


def _first_windows(
    network: DiffPoseTalkNetwork, batch: Batch
) -> tuple[Given, Tensor, Float[Tensor, "batch window"]]:
    """What the first window of each clip is made from, and its truth."""
    config = network.config
    window = slice(0, config.window)
    features = features_of_batch(config.encoder, batch, LEAD, TAIL)[:, window]
    mask = batch.mask[:, window].to(batch.motion.dtype)
    motion, sound = network.begins(len(mask))
    given = Given(
        network.sound(features),
        mask,
        motion,
        sound,
        styles_of(network, batch)[0],
        batch.identity,
    )
    return given, batch.motion[:, window][..., network.columns], mask


def _movement(values: Tensor, mask: Tensor) -> float:
    steps = values.diff(dim=1).abs().mean(dim=-1)
    both = mask[:, 1:]
    return float((steps * both).sum() / both.sum().clamp(min=1))
