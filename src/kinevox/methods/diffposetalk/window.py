"""One window, drawn from noise around what is known of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from kinevox.diffusion.guidance import Branch, Guidance
from kinevox.diffusion.samplers import Denoise, Draw, ancestral, ddim, dpm_solver
from kinevox.diffusion.schedules import schedule
from kinevox.methods.diffposetalk.network import DiffPoseTalkNetwork
from kinevox.methods.diffposetalk.sampling import Sampling
from kinevox.nn.precision import products_in_bf16


@dataclass(frozen=True, eq=False)
class Given:
    """All that a window is made from."""

    sound: Float[Tensor, "batch window width"]
    present: Float[Tensor, "batch window"]
    context_motion: Float[Tensor, "batch context channels"]
    context_sound: Float[Tensor, "batch context width"]
    style: Float[Tensor, "batch style"]
    """The null style for those that have none."""
    identity: Float[Tensor, "batch identity"] | None = None

    def of(self, rows: Tensor) -> Given:
        """Some samples."""
        parts = {name: part[rows] for name, part in vars(self).items() if part is not None}
        return Given(**parts)


class Held(NamedTuple):
    """Normalized motion that is known of a window, and how firmly, from 0 (free) to 1."""

    values: Float[Tensor, "batch window channels"]
    weights: Float[Tensor, "#batch window #channels"]

    def of(self, rows: Tensor, window: slice) -> Held:
        """Some samples, and some frames."""
        return Held(self.values[rows, window], self.weights[rows, window])


def sample_window(
    network: DiffPoseTalkNetwork,
    given: Given,
    sampling: Sampling,
    guidance: Guidance,
    start: Float[Tensor, "batch window channels"],
    draw: Draw,
    held: Sequence[Held] = (),
) -> Float[Tensor, "batch window channels"]:
    """One window of normalized motion.

    Args:
        start: Noise.
        held: What is known of it already; what comes later wins.
    """
    config = network.config
    levels = schedule(config.schedule, config.steps)
    denoise = guided(network, given, guidance, sampling.bf16)
    for known in held:
        denoise = pulled(denoise, known)
    if sampling.sampler == "ancestral":
        return ancestral(denoise, start, levels, draw, flexibility=sampling.flexibility)
    if sampling.sampler == "ddim":
        return ddim(denoise, start, levels, sampling.steps, spacing=sampling.spacing)
    return dpm_solver(denoise, start, levels, sampling.steps, spacing=sampling.spacing)


def guided(
    network: DiffPoseTalkNetwork, given: Given, guidance: Guidance, bf16: bool = False
) -> Denoise:
    """The network as samplers want it: guided at the noise levels where guidance acts."""
    denoise = _asked(network, given, guidance, bf16)
    if not guidance.limited:
        return denoise
    plain, steps = _asked(network, given, guidance.plain, bf16), network.config.steps
    return lambda x, t: (denoise if guidance.acts(t / steps) else plain)(x, t)


def _asked(network: DiffPoseTalkNetwork, given: Given, guidance: Guidance, bf16: bool) -> Denoise:
    """The network with all branches of guidance in one call, the sound digested once."""
    branches, batch = guidance.branches, len(given.style)
    count = len(branches)

    def stacked(known: Callable[[Branch], bool]) -> Tensor:
        flags = torch.tensor([known(branch) for branch in branches], device=given.style.device)
        return flags.repeat_interleave(batch)

    def repeated(part: Tensor) -> Tensor:
        return part.repeat(count, *[1] * (part.ndim - 1))

    style = network.styled(repeated(given.style), stacked(lambda branch: branch.style))
    identity = None if given.identity is None else repeated(given.identity)
    person = network.persons(style, identity)
    sound = network.sounding(repeated(given.sound), stacked(lambda branch: branch.sound))
    context, present = repeated(given.context_motion), repeated(given.present)
    device = given.style.device.type
    with products_in_bf16(device, bf16):
        whole = torch.cat([repeated(given.context_sound), sound], dim=1)
        heard = network.denoiser.listen(whole)

    def denoise(x: Tensor, t: int) -> Tensor:
        step = torch.full((count * batch,), t, device=x.device)
        with products_in_bf16(device, bf16):
            made = network.denoiser(repeated(x), step, person, context, present, heard)
        window = made[:, network.config.context :].float()
        return guidance(window.unflatten(0, (count, batch)))

    return denoise


def pulled(denoise: Denoise, known: Held) -> Denoise:
    """A denoiser whose predictions are drawn towards what is known."""
    return lambda x, t: torch.lerp(denoise(x, t), known.values, known.weights)


def ramp(before: Float[Tensor, "batch overlap channels"], window: int) -> Held:
    """The first frames of a window as they are already: the first of them most, then less.

    It eases at both ends: where a straight ramp ends, heads would bend.
    """
    count = before.shape[1]
    past = torch.arange(1, count + 1, device=before.device) / (count + 1)
    falling = (1 + torch.cos(torch.pi * past)) / 2
    rest = (0, 0, 0, window - count)
    weights = falling[None, :, None].to(before)
    return Held(functional.pad(before, rest), functional.pad(weights, rest))
