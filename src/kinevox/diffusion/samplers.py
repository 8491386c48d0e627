"""From noise to data, by a network that predicts the clean sample.

Every sampler is a pure function of a denoiser, the noise to start from and, where it is random, a
source of fresh noise. A denoiser takes x_t and t and returns its idea of x_0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from kinevox.diffusion.schedules import Schedule
from kinevox.errors import ConfigError

Denoise = Callable[[Tensor, int], Tensor]
Draw = Callable[[], Tensor]


def draws(generators: Sequence[Generator], shape: Sequence[int], device: torch.device) -> Draw:
    """Fresh noise of this shape for each sample, from the sample's own generator.

    So a sample comes out the same whoever shares its batch.
    """
    return lambda: torch.stack([torch.randn(*shape, generator=g) for g in generators]).to(device)


def ancestral(
    denoise: Denoise,
    start: Float[Tensor, "batch *shape"],
    schedule: Schedule,
    draw: Draw,
    *,
    flexibility: float = 0.0,
) -> Float[Tensor, "batch *shape"]:
    """All steps, each with fresh noise: the reference. The last returns the prediction itself.

    Args:
        flexibility: Spread of a step, from that of the posterior (0) to sqrt(beta) (1).

    Source: Ho et al. 2020 (DDPM), Algorithm 2.
    """
    x = start
    for t in range(schedule.steps, 0, -1):
        of_x, of_clean, spread = schedule.posterior(t)
        x = of_x * x + of_clean * denoise(x, t)
        if t > 1:
            beta = float(schedule.betas[t])
            x = x + (flexibility * math.sqrt(beta) + (1 - flexibility) * spread) * draw()
    return x


def ddim(
    denoise: Denoise,
    start: Float[Tensor, "batch *shape"],
    schedule: Schedule,
    steps: int,
    draw: Draw | None = None,
    *,
    eta: float = 0.0,
    spacing: float = 1.0,
) -> Float[Tensor, "batch *shape"]:
    """Few steps, without noise in between unless `eta` says so; 1 over all steps is `ancestral`.

    Args:
        spacing: As of `spaced`.

    Source: Song et al. 2021 (DDIM), Eqs. 12 and 16.
    """
    assert draw is not None or eta == 0, "noise is needed where eta is not 0"
    x = start
    times = spaced(schedule, steps, spacing)
    for t, after in pairwise(times):
        clean = denoise(x, t)
        noise = (x - schedule.signal(t) * clean) / schedule.noise(t)
        ratio = float(schedule.alpha_bars[t] / schedule.alpha_bars[after])
        fresh = eta * schedule.noise(after) / schedule.noise(t) * math.sqrt(1 - ratio)
        kept = math.sqrt(max(schedule.noise(after) ** 2 - fresh**2, 0.0))
        x = schedule.signal(after) * clean + kept * noise
        if fresh and draw is not None:
            x = x + fresh * draw()
    return x


def dpm_solver(
    denoise: Denoise,
    start: Float[Tensor, "batch *shape"],
    schedule: Schedule,
    steps: int,
    *,
    spacing: float = 1.0,
) -> Float[Tensor, "batch *shape"]:
    """Few steps of second order, which look back one step instead of asking the network twice.

    With l = log(signal / noise) and h its growth over a step:

        x_s = (noise_s / noise_t) x_t - signal_s (exp(-h) - 1) D
        D   = (1 + 1 / 2r) x_0(t) - (1 / 2r) x_0(before t),  r = h_before / h

    The first step has nothing to look back on, and the last goes to h = infinity, where D is the
    newest prediction; both are of first order, which is DDIM.

    Args:
        spacing: As of `spaced`.

    Source: Lu et al. 2022 (DPM-Solver++), Algorithm 2 (2M).
    """
    x, before, growth_before = start, None, 0.0
    times = spaced(schedule, steps, spacing)
    for t, after in pairwise(times):
        clean = denoise(x, t)
        if after == 0:
            return clean
        growth = _log_ratio(schedule, after) - _log_ratio(schedule, t)
        ahead = clean
        if before is not None:
            back = growth / (2 * growth_before)
            ahead = (1 + back) * clean - back * before
        x = schedule.noise(after) / schedule.noise(t) * x
        x = x - schedule.signal(after) * math.expm1(-growth) * ahead
        before, growth_before = clean, growth
    return x


def spaced(schedule: Schedule, steps: int, spacing: float = 1.0) -> list[int]:
    """Steps of the schedule from N to 0, one more than there are calls of the network.

    The i-th of n is N (1 - (i / n)^spacing): at 1 they are at even distance; more spends more of
    them in noise, where is decided how far and how often somebody moves, less fewer.

    Raises:
        ConfigError: more than the schedule has, or none; or a spacing that is not above 0.
    """
    if not 1 <= steps <= schedule.steps:
        raise ConfigError(
            f"{steps} sampling steps are asked for; this schedule takes 1 to {schedule.steps}."
        )
    if not spacing > 0:
        raise ConfigError(
            f"spacing is {spacing}; expected 1 (even steps), more (more of them in noise), or "
            "less, but above 0."
        )
    gone = np.linspace(0, schedule.steps, steps + 1)[1:]
    wanted = (schedule.steps - gone * (gone / schedule.steps) ** (spacing - 1)).round().astype(int)
    times = [schedule.steps]
    for rest, time in zip(range(steps - 1, -1, -1), wanted.tolist(), strict=True):
        # No step twice, and one for each of those to come.
        times.append(max(min(time, times[-1] - 1), rest))
    return times


def _log_ratio(schedule: Schedule, step: int) -> float:
    return math.log(schedule.signal(step) / schedule.noise(step))
