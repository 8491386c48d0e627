"""Learning to draw in half as many steps, with guidance inside.

A teacher takes two guided steps of DDIM; the student learns to land in the same place with one, of
which it is asked once instead of once per branch. So a sampler needs half the steps and a third of
the branches: a sixth of the time.

Source: Salimans and Ho 2022, "Progressive Distillation for Fast Sampling of Diffusion Models",
Algorithm 2; with guidance inside as in Meng et al. 2023, "On Distillation of Guided Diffusion
Models".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from kinevox.diffusion.guidance import PLAIN, Branch, Guidance
from kinevox.diffusion.samplers import spaced
from kinevox.diffusion.schedules import Schedule, schedule
from kinevox.methods.diffposetalk.config import DiffPoseTalkConfig
from kinevox.methods.diffposetalk.network import DiffPoseTalkNetwork
from kinevox.methods.diffposetalk.sampling import FOLLOWED
from kinevox.methods.diffposetalk.training import (
    Stretch,
    joined_terms,
    predict,
    two_windows,
)
from kinevox.training import run
from kinevox.training.batch import Batch

Predict = Callable[[Tensor, Tensor], Tensor]
"""The clean window from a noised one, and the step of each sample."""


def distillation_loss(
    network: DiffPoseTalkNetwork, batch: Batch, generator: Generator
) -> Mapping[str, Tensor]:
    """The terms of `two_window_loss`, with what the teacher lands on in place of the truth.

    The sound is always known; without it nobody performs.
    """
    config = network.config
    teacher = teacher_of(config)
    levels = schedule(config.schedule, config.steps)
    times = torch.tensor(spaced(levels, 2 * config.few_steps), device=batch.motion.device)
    learned, made = [], []
    for window in two_windows(network, batch, generator):
        place = 2 * torch.randint(
            config.few_steps, window.step.shape, generator=generator, device=times.device
        )
        known = replace(window, step=times[place], sounding=torch.ones_like(window.sounding))
        noised = known.noised(config)
        with torch.no_grad():
            predicted = guided_prediction(teacher, known, FOLLOWED)
            step, middle, after = (times[place + k] for k in range(3))
            target = landing(predicted, noised, step, middle, after, levels)
        learned.append(replace(known, motion=target * known.mask[..., None]))
        made.append(predict(network, known, noised))
    return joined_terms(network, learned[0], made[0], learned[1], made[1])


def landing(
    predict_clean: Predict,
    noised: Float[Tensor, "batch frames channels"],
    step: Int[Tensor, " batch"],
    middle: Int[Tensor, " batch"],
    after: Int[Tensor, " batch"],
    levels: Schedule,
) -> Float[Tensor, "batch frames channels"]:
    """The prediction with which one step of DDIM leads where two of the teacher lead."""
    halfway = moved(noised, predict_clean(noised, step), step, middle, levels)
    there = moved(halfway, predict_clean(halfway, middle), middle, after, levels)
    (signal, noise), (last_signal, last_noise) = (_factors(levels, at) for at in (step, after))
    kept = last_noise / noise
    return (there - kept * noised) / (last_signal - kept * signal)


def moved(
    noised: Float[Tensor, "batch frames channels"],
    clean: Float[Tensor, "batch frames channels"],
    step: Int[Tensor, " batch"],
    after: Int[Tensor, " batch"],
    levels: Schedule,
) -> Float[Tensor, "batch frames channels"]:
    """One step of DDIM without fresh noise, each sample between steps of its own."""
    (signal, noise), (next_signal, next_noise) = (_factors(levels, at) for at in (step, after))
    return next_signal * clean + next_noise / noise * (noised - signal * clean)


def guided_prediction(
    teacher: DiffPoseTalkNetwork, stretch: Stretch, guidance: Guidance
) -> Predict:
    """The teacher with guidance; samples without a style are guided by sound alone."""

    def asked(branch: Branch, noised: Tensor, step: Tensor) -> Tensor:
        sounding = torch.full_like(stretch.sounding, branch.sound)
        styled = stretch.styled & branch.style
        one = replace(stretch, step=step, styled=styled, sounding=sounding)
        return predict(teacher, one, noised)[:, -noised.shape[1] :].float()

    low, high = guidance.interval
    branches = guidance.branches

    def predicted(noised: Tensor, step: Tensor) -> Tensor:
        made = torch.stack([asked(branch, noised, step) for branch in branches])
        level = step / teacher.config.steps
        acts = ((level > low) & (level <= high))[:, None, None]
        return torch.where(acts, guidance.combine(made), made[branches.index(PLAIN)])

    return predicted


def _factors(levels: Schedule, step: Int[Tensor, " batch"]) -> tuple[Tensor, Tensor]:
    kept = levels.alpha_bars.to(step.device)[step].reshape(-1, 1, 1)
    return kept.sqrt().float(), (1 - kept).sqrt().float()


def teacher_of(config: DiffPoseTalkConfig) -> DiffPoseTalkNetwork:
    """The network of `taught_by`, read once."""
    return _network(run.run_folder(config.taught_by))


@lru_cache(maxsize=1)
def _network(folder: Path) -> DiffPoseTalkNetwork:
    from kinevox.training.checkpoint import read_checkpoint

    network = read_checkpoint(folder, DiffPoseTalkConfig()).network
    assert isinstance(network, DiffPoseTalkNetwork)
    return network.requires_grad_(False)
