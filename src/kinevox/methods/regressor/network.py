"""Log-mel features to motion: convolutions down to the frame rate, then a transformer."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from kinevox.audio.mel import log_mel
from kinevox.audio.mel_grid import BANDS, HOP
from kinevox.data.windows import samples_per_frame
from kinevox.errors import ConfigError
from kinevox.methods.regressor.config import LEAD, TAIL, RegressorConfig
from kinevox.training import Space
from kinevox.training.batch import Batch


class RegressorNetwork(nn.Module):
    """The motion of a window, normalized, for its sound and a style.

    Positions enter by rotation (Su et al. 2021), so only distances count. Frames that do not exist
    change nothing: a padded window gives the same as a short one.
    """

    def __init__(self, config: RegressorConfig, space: Space):
        super().__init__()
        self.config, self.space = config, space
        step = samples_per_frame(space.fps)
        if step % HOP:
            raise ConfigError(f"{space.fps} fps is no whole number of features of {HOP} samples.")
        self.per_frame = step // HOP
        width = config.width
        self.near = nn.Conv1d(BANDS, width, 5, padding=2)
        self.down = nn.Conv1d(width, width, self.per_frame, stride=self.per_frame)
        self.style = nn.Embedding(len(space.styles), width)
        self.blocks = nn.ModuleList(_Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, space.layout.num_channels)
        nn.init.normal_(self.style.weight, std=0.5)
        # The first prediction is the mean pose.
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(
        self,
        features: Float[Tensor, "batch features bands"],
        mask: Bool[Tensor, "batch frames"],
        style: Int[Tensor, " batch"],
    ) -> Float[Tensor, "batch frames channels"]:
        """Predicts the motion of frames whose sound is given as `per_frame` features each.

        Args:
            style: Place in `Space.styles`; -1 is the mean of all.
        """
        heard = mask.repeat_interleave(self.per_frame, dim=1)[:, None]
        hidden = functional.gelu(self.near(features.transpose(1, 2) * heard))
        hidden = self.down(hidden * heard).transpose(1, 2)
        hidden = hidden + self._styles(style)[:, None]
        turns = _turns(mask.shape[1], self.config.width // self.config.heads, features.device)
        for block in self.blocks:
            hidden = block(hidden, mask, turns)
        return self.out(self.norm(hidden))

    def _styles(self, style: Int[Tensor, " batch"]) -> Float[Tensor, "batch width"]:
        neutral = self.style.weight.mean(dim=0)
        known = self.style(style.clamp(min=0))
        return torch.where((style < 0)[:, None], neutral, known)


class _Block(nn.Module):
    """Attention and a small network, each around a residual, normalized first."""

    def __init__(self, config: RegressorConfig):
        super().__init__()
        width = config.width
        self.heads = config.heads
        self.before_attention = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.joined = nn.Linear(width, width)
        self.feedforward = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 4 * width),
            nn.GELU(),
            nn.Linear(4 * width, width),
        )
        self.drop = nn.Dropout(config.dropout)

    def forward(
        self,
        hidden: Float[Tensor, "batch frames width"],
        mask: Bool[Tensor, "batch frames"],
        turns: Float[Tensor, "2 frames half"],
    ) -> Float[Tensor, "batch frames width"]:
        parts = self.query_key_value(self.before_attention(hidden)).chunk(3, dim=-1)
        query, key, value = (p.unflatten(-1, (self.heads, -1)).transpose(1, 2) for p in parts)
        attended = functional.scaled_dot_product_attention(
            _turned(query, turns),
            _turned(key, turns),
            value,
            attn_mask=mask[:, None, None],
        )
        hidden = hidden + self.drop(self.joined(attended.transpose(1, 2).flatten(2)))
        return hidden + self.drop(self.feedforward(hidden))


def _turns(frames: int, size: int, device: torch.device) -> Float[Tensor, "2 frames half"]:
    """Cosine and sine of each frame's rotation, in pairs of channels."""
    speeds = 10_000.0 ** (-torch.arange(0, size, 2, device=device) / size)
    angles = torch.arange(frames, device=device)[:, None] * speeds
    return torch.stack([angles.cos(), angles.sin()])


def _turned(
    parts: Float[Tensor, "batch heads frames size"], turns: Float[Tensor, "2 frames half"]
) -> Float[Tensor, "batch heads frames size"]:
    cosine, sine = turns.to(parts.dtype)
    first, second = parts.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)


def regression_loss(network: RegressorNetwork, batch: Batch) -> Mapping[str, Tensor]:
    """Mean squared errors of poses and of their frame-to-frame differences."""
    features = log_mel(batch.samples)
    around = slice(LEAD * network.per_frame, -TAIL * network.per_frame)
    predicted = network(features[:, around], batch.mask, batch.style).float()
    error = (predicted - batch.motion) * batch.mask[..., None]
    both = batch.mask[:, 1:] & batch.mask[:, :-1]
    change = error.diff(dim=1) * both[..., None]
    channels = error.shape[-1]
    return {
        "pose": error.square().sum() / (batch.mask.sum() * channels),
        "velocity": change.square().sum() / (both.sum().clamp(min=1) * channels),
    }
