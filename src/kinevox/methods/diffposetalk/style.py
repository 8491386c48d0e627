"""The style encoder: a few seconds of somebody's motion to one vector."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from kinevox.errors import MotionError
from kinevox.methods.diffposetalk.channels import columns_of, normalized
from kinevox.methods.diffposetalk.config import StyleConfig
from kinevox.motion import Motion
from kinevox.nn.positional import Positions, turns
from kinevox.nn.transformer import Layer
from kinevox.training import Space

LEAST_FRAMES = 25
"""Shorter stretches say nothing about somebody's style."""
STEP = 4.0
"""Factor of steps from frame to frame, which are smaller than the poses they lead to."""
LOG_STEP = -2.0
"""Logarithm of the usual spread of steps."""
LEAST_VARIANCE = 1e-5
"""Of what does not move."""
_AT_ONCE = 64
"""Pieces that pass through the network together."""
_TINY = 1e-12


class StyleEncoder(nn.Module):
    """A transformer over frames, then means over time; nothing behind it, and no unit length.

    With `movement`, frames come with their step from the one before, and spreads over time, of the
    transformer's output and of motion and steps as they come in, are kept too (statistics
    pooling); one map brings all to a style of fixed length.

    Source: DiffPoseTalk, Sun et al. 2024, Section 4.1, after its code; statistics pooling after
    Snyder et al. 2018 (x-vectors).
    """

    def __init__(self, config: StyleConfig, space: Space):
        super().__init__()
        self.config, self.space = config, space
        self.columns = columns_of(space.layout, config.fixed)
        channels = len(self.columns)
        self.motion = nn.Linear(2 * channels if config.movement else channels, config.width)
        self.positions = Positions(config.positions, config.clip, config.width)
        self.drop = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(
            Layer(config.width, config.heads, ratio=config.ratio, dropout=config.dropout)
            for _ in range(config.layers)
        )
        if config.movement:
            self.joined = nn.Linear(2 * config.width + 3 * channels, config.width)
        if config.factors:
            self.factors = nn.Linear(config.width, len(config.factors))

    def forward(
        self,
        motion: Float[Tensor, "batch frames channels"],
        mask: Bool[Tensor, "batch frames"] | None = None,
    ) -> Float[Tensor, "batch width"]:
        """Styles of normalized motion; frames outside the mask do not count."""
        if not self.config.movement:
            return mean_over(self._hidden(motion, mask), mask)
        steps = motion.diff(dim=1)
        moving = None if mask is None else mask[:, 1:]
        hidden = self._hidden(
            torch.cat([motion, STEP * functional.pad(steps, (0, 0, 1, 0))], dim=-1), mask
        )
        parts = [mean_over(hidden, mask), spread_over(hidden, mask), mean_over(motion, mask)]
        parts += [spread_over(motion, mask).log(), spread_over(steps, moving).log() - LOG_STEP]
        style = self.joined(torch.cat([part.to(motion.dtype) for part in parts], dim=-1))
        return functional.normalize(style.float(), dim=-1) * self.config.width**0.5

    def _hidden(
        self,
        frames: Float[Tensor, "batch frames inputs"],
        mask: Bool[Tensor, "batch frames"] | None,
    ) -> Float[Tensor, "batch frames width"]:
        hidden = self.drop(self.positions(self.motion(frames)))
        places = None
        if self.config.positions == "rotary":
            size = self.config.width // self.config.heads
            places = turns(frames.shape[1], size, frames.device)
        for layer in self.layers:
            hidden = layer(hidden, turns=places, seen=mask)
        return hidden

    def factors_of(self, style: Float[Tensor, "batch width"]) -> Float[Tensor, "batch factors"]:
        """The factors that a style shows, in sixths of their ranges from the middle, which is
        about the spread among people."""
        return self.factors(functional.normalize(style, dim=-1) * self.config.width**0.5)


def mean_over(
    values: Float[Tensor, "batch frames width"], mask: Bool[Tensor, "batch frames"] | None
) -> Float[Tensor, "batch width"]:
    """Over the frames of the mask."""
    if mask is None:
        return values.mean(dim=1)
    share = mask / mask.sum(dim=1, keepdim=True)
    return (values * share[..., None]).sum(dim=1)


def spread_over(
    values: Float[Tensor, "batch frames width"], mask: Bool[Tensor, "batch frames"] | None
) -> Float[Tensor, "batch width"]:
    """Standard deviation over the frames of the mask; never quite 0."""
    values = values.float()
    away = values - mean_over(values, mask)[:, None]
    return (mean_over(away.square(), mask) + LEAST_VARIANCE).sqrt()


def style_of(network: StyleEncoder, *motions: Motion) -> Float[np.ndarray, " width"]:
    """The style of one person's motion, of any length: what the pieces that cover it share.

    Motions too short to say anything are left out.

    Raises:
        MotionError: another layout, or all are too short.
    """
    space, clip = network.space, network.config.clip
    for motion in motions:
        if motion.layout != space.layout:
            raise MotionError(
                f"The motion has layout '{motion.layout.name}'; styles are taken from "
                f"'{space.layout.name}'. Convert it with `kinevox convert` first."
            )
    values = [motion.resample(space.fps).values for motion in motions]
    longest = max(map(len, values), default=0)
    if longest < LEAST_FRAMES:
        raise MotionError(
            f"The motion has {longest} frames at {space.fps:g} fps; a style takes at least "
            f"{LEAST_FRAMES}, better {clip}."
        )
    told = [pieces_of(network, v) for v in values if len(v) >= LEAST_FRAMES]
    return shared_style(np.concatenate(told))


def shared_style(styles: Float[np.ndarray, "pieces width"]) -> Float[np.ndarray, " width"]:
    """What styles of one person have in common, as of `shared`."""
    pieces = torch.from_numpy(styles)[None]
    return shared(pieces, torch.ones(pieces.shape[:2], dtype=torch.bool))[0].numpy()


def shared(
    styles: Float[Tensor, "batch pieces width"], counts: Bool[Tensor, "batch pieces"]
) -> Float[Tensor, "batch width"]:
    """What several styles of each person have in common: the mean direction, the mean length.

    People are told apart by direction alone, so each piece counts the same, however long its
    vector; and the result is as long as the styles of single pieces, which the denoiser knows.

    Args:
        counts: Pieces that are looked at; the first one where there are none.
    """
    none = ~counts.any(dim=1, keepdim=True)
    counts = counts | (none & (torch.arange(counts.shape[1], device=counts.device) == 0))
    lengths = styles.norm(dim=-1).clamp(min=_TINY)
    direction = mean_over(styles / lengths[..., None], counts)
    length = (lengths * counts).sum(dim=1) / counts.sum(dim=1)
    return functional.normalize(direction, dim=-1) * length[:, None]


@torch.no_grad()
def pieces_of(
    network: StyleEncoder, values: Float[np.ndarray, "frames channels"]
) -> Float[np.ndarray, "pieces width"]:
    """The styles of pieces that cover a motion, in the encoder's layout and frame rate."""
    size = min(network.config.clip, len(values))
    count = -(-len(values) // size)
    starts = np.linspace(0, len(values) - size, count).round().astype(int)
    device = network.motion.weight.device
    clips = normalized(network.space, network.columns, values)
    stacked = torch.from_numpy(np.stack([clips[s : s + size] for s in starts]))
    return torch.cat([network(some.to(device)).cpu() for some in stacked.split(_AT_ONCE)]).numpy()
