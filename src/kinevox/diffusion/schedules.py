"""How much noise there is at each step.

Symbols of Ho et al. 2020, with steps t = 1 ... N and t = 0 for clean data:

    x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) noise,  alpha_bar_t = prod (1 - beta_t)

Everything is in float64: near t = 0 and t = N float32 loses three digits of the sampler's
coefficients.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch
from jaxtyping import Float, Int
from torch import Tensor

from kinevox.errors import ConfigError, UnknownNameError

LEAST_BETA, MOST_BETA = 1e-4, 0.999


@dataclass(frozen=True, eq=False)
class Schedule:
    """Betas by step; entry 0 is the clean data's, 0."""

    betas: Float[Tensor, " levels"]

    @property
    def steps(self) -> int:
        """N: the step at which hardly anything of the data is left."""
        return len(self.betas) - 1

    @cached_property
    def alpha_bars(self) -> Float[Tensor, " levels"]:
        return torch.cumprod(1 - self.betas, dim=0)

    def signal(self, step: int) -> float:
        """Factor of the data in x_t."""
        return math.sqrt(self.alpha_bars[step])

    def noise(self, step: int) -> float:
        """Standard deviation of the noise in x_t."""
        return math.sqrt(1 - self.alpha_bars[step])

    def posterior(self, step: int) -> tuple[float, float, float]:
        """Factors of x_t and of x_0 in the mean of x_(t-1), and its standard deviation.

        Source: Ho et al. 2020 (DDPM), Eqs. 6 and 7.
        """
        beta, now = float(self.betas[step]), float(self.alpha_bars[step])
        before = float(self.alpha_bars[step - 1])
        return (
            math.sqrt(1 - beta) * (1 - before) / (1 - now),
            math.sqrt(before) * beta / (1 - now),
            math.sqrt(beta * (1 - before) / (1 - now)),
        )

    def noised(
        self,
        clean: Float[Tensor, "batch *shape"],
        step: Int[Tensor, " batch"],
        noise: Float[Tensor, "batch *shape"],
    ) -> Float[Tensor, "batch *shape"]:
        """x_t of each sample."""
        kept = self.alpha_bars.to(step.device)[step].reshape(-1, *[1] * (clean.ndim - 1))
        return kept.sqrt().to(clean) * clean + (1 - kept).sqrt().to(clean) * noise


@lru_cache
def schedule(name: str, steps: int) -> Schedule:
    """A schedule by name: cosine, linear, quadratic or sigmoid.

    One step of `cosine` leaves nothing but noise: a network that learns on it is a regression.

    Raises:
        UnknownNameError: no such schedule.
        ConfigError: too few steps.
    """
    if name not in _BETAS:
        raise UnknownNameError("noise schedule", name, _BETAS)
    least = 1 if name == "cosine" else 2
    if steps < least:
        raise ConfigError(f"A schedule of {steps} steps is too short; it takes at least {least}.")
    return Schedule(torch.cat([torch.zeros(1, dtype=torch.float64), _BETAS[name](steps)]))


def _cosine(steps: int) -> Float[Tensor, " steps"]:
    """Source: Nichol and Dhariwal 2021, Eq. 17, with s = 0.008."""
    ahead = 0.008
    share = torch.linspace(0, 1, steps + 1, dtype=torch.float64)
    kept = torch.cos((share + ahead) / (1 + ahead) * (math.pi / 2)) ** 2
    # alpha_bar follows from the betas after clipping, not from this curve.
    return (1 - kept[1:] / kept[:-1]).clamp(LEAST_BETA, MOST_BETA)


def _linear(steps: int) -> Float[Tensor, " steps"]:
    return torch.linspace(1e-4, 0.02, steps, dtype=torch.float64)


def _quadratic(steps: int) -> Float[Tensor, " steps"]:
    return torch.linspace(1e-4**0.5, 0.02**0.5, steps, dtype=torch.float64) ** 2


def _sigmoid(steps: int) -> Float[Tensor, " steps"]:
    rising = torch.sigmoid(torch.linspace(-5, 5, steps, dtype=torch.float64))
    return rising * (0.02 - 1e-4) + 1e-4


_BETAS = {"cosine": _cosine, "linear": _linear, "quadratic": _quadratic, "sigmoid": _sigmoid}
