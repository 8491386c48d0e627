"""Learning to draw in few steps, with guidance inside.

A teacher takes several small guided steps; the student learns to land in the same place with one
step of DDIM, in which it is asked once instead of once per branch of guidance.

Source: Salimans and Ho 2022, "Progressive Distillation for Fast Sampling of Diffusion Models",
Algorithm 2, with more than two steps at once and of DPM-Solver++(2M) instead of DDIM; with guidance
inside as in Meng et al. 2023, "On Distillation of Guided Diffusion Models".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from kinevox.diffusion.guidance import PLAIN, Branch, Guidance
from kinevox.diffusion.samplers import spaced
from kinevox.diffusion.schedules import Schedule, schedule
from kinevox.methods.diffposetalk.channels import mouth_columns
from kinevox.methods.diffposetalk.config import DiffPoseTalkConfig
from kinevox.methods.diffposetalk.network import DiffPoseTalkNetwork
from kinevox.methods.diffposetalk.sampling import FOLLOWED, Sampling
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
    teacher = teacher_of(config, batch.motion.device)
    levels = schedule(config.schedule, config.steps)
    times = torch.tensor(
        spaced(levels, config.teacher_steps, config.spacing), device=batch.motion.device
    )
    stride = config.teacher_steps // config.few_steps
    learned, made = [], []
    for window in two_windows(network, batch, generator):
        place = stride * torch.randint(
            config.few_steps, window.step.shape, generator=generator, device=times.device
        )
        known = replace(
            window,
            step=times[place],
            sounding=torch.ones_like(window.sounding),
            noise=_as_drawn_from(network, window.noise, generator),
        )
        noised = known.noised(config)
        with torch.no_grad():
            predicted = guided_prediction(teacher, known, FOLLOWED)
            path = [times[place + k] for k in range(stride + 1)]
            target = landing(predicted, noised, path, levels)
        learned.append(replace(known, motion=target * known.mask[..., None]))
        made.append(predict(network, known, noised))
    return joined_terms(network, learned[0], made[0], learned[1], made[1])


def _as_drawn_from(
    network: DiffPoseTalkNetwork,
    noise: Float[Tensor, "batch window channels"],
    generator: Generator,
) -> Float[Tensor, "batch window channels"]:
    """Noise as motion is drawn from, with less of it at the mouth, for half of the samples."""
    size = torch.ones_like(noise[:, :1])
    less = torch.rand(len(noise), generator=generator, device=noise.device) < 0.5
    mouth = mouth_columns(network.space.layout, network.columns)
    size[..., mouth] = torch.where(less, Sampling.mouth_noise, 1.0)[:, None, None]
    return size * noise


def landing(
    predict_clean: Predict,
    noised: Float[Tensor, "batch frames channels"],
    path: Sequence[Int[Tensor, " batch"]],
    levels: Schedule,
) -> Float[Tensor, "batch frames channels"]:
    """The prediction with which one step of DDIM leads where all steps of the teacher lead."""
    there = followed(predict_clean, noised, path, levels)
    (signal, noise), (last_signal, last_noise) = (_factors(levels, path[k]) for k in (0, -1))
    kept = last_noise / noise
    return (there - kept * noised) / (last_signal - kept * signal)


def followed(
    predict_clean: Predict,
    noised: Float[Tensor, "batch frames channels"],
    path: Sequence[Int[Tensor, " batch"]],
    levels: Schedule,
) -> Float[Tensor, "batch frames channels"]:
    """Where DPM-Solver++(2M) leads, each sample on a path of its own; see `dpm_solver`."""
    x, before, growth_before = noised, None, None
    for step, after in pairwise(path):
        (signal, noise), (next_signal, next_noise) = (_factors(levels, at) for at in (step, after))
        clean = ahead = predict_clean(x, step)
        growth = (next_signal / next_noise).log() - (signal / noise).log()
        if before is not None and growth_before is not None:
            # The last step of all goes to h = infinity and is of first order.
            back = torch.where(next_noise > 0, growth / (2 * growth_before), 0.0)
            ahead = clean + back * (clean - before)
        x = next_noise / noise * x - next_signal * torch.expm1(-growth) * ahead
        before, growth_before = clean, growth
    return x


def guided_prediction(
    teacher: DiffPoseTalkNetwork, stretch: Stretch, guidance: Guidance
) -> Predict:
    """The teacher with guidance; samples without a style are guided by sound alone."""

    def asked(branch: Branch, noised: Tensor, step: Tensor, rows: Tensor) -> Tensor:
        some = stretch.of(rows)
        sounding = torch.full_like(some.sounding, branch.sound)
        one = replace(some, step=step[rows], styled=some.styled & branch.style, sounding=sounding)
        return predict(teacher, one, noised[rows])[:, -noised.shape[1] :].float()

    low, high = guidance.interval

    def predicted(noised: Tensor, step: Tensor) -> Tensor:
        level = step / teacher.config.steps
        acts = (level > low) & (level <= high)
        made = asked(PLAIN, noised, step, torch.ones_like(acts))
        if acts.any():
            branches = [
                made[acts] if branch == PLAIN else asked(branch, noised, step, acts)
                for branch in guidance.branches
            ]
            made[acts] = guidance.combine(torch.stack(branches))
        return made

    return predicted


def _factors(levels: Schedule, step: Int[Tensor, " batch"]) -> tuple[Tensor, Tensor]:
    kept = levels.alpha_bars.to(step.device)[step].reshape(-1, 1, 1)
    return kept.sqrt().float(), (1 - kept).sqrt().float()


def teacher_of(config: DiffPoseTalkConfig, device: torch.device) -> DiffPoseTalkNetwork:
    """The network of `taught_by`, read once."""
    return _network(run.run_folder(config.taught_by), device)


@lru_cache(maxsize=1)
def _network(folder: Path, device: torch.device) -> DiffPoseTalkNetwork:
    from kinevox.training.checkpoint import read_checkpoint

    network = read_checkpoint(folder, DiffPoseTalkConfig()).network
    assert isinstance(network, DiffPoseTalkNetwork)
    return network.requires_grad_(False).to(device)
