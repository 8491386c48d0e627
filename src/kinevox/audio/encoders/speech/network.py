"""Log-mel features to speech features: convolutions and attention with a bounded view.

A recording is one push or many: every layer keeps what it needs of the past in a `State`, and
lags behind by what it sees of the future. So chunks of any size give what the whole gives.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from kinevox.audio.encoders.speech.config import MELS, SpeechConfig
from kinevox.audio.mel_grid import BANDS
from kinevox.data.phonetic.pack import PHONES

Hidden = Float[Tensor, "batch frames width"]
Some = Float[Tensor, "batch some_frames width"]
"""Fewer or more frames than came in: see `State`."""


@dataclass
class State:
    """What the layers remember of a recording that arrives in parts, by layer."""

    kept: dict[int, Tensor] = field(default_factory=dict)


class SpeechNetwork(nn.Module):
    """Features, and what can be read from them."""

    def __init__(self, config: SpeechConfig):
        super().__init__()
        self.config = config
        self.stem = _Stem(config.width)
        self.blocks = nn.ModuleList(_Block(config, ahead) for ahead in config.ahead)
        self.norm = nn.LayerNorm(config.width, elementwise_affine=False)
        self.phones = nn.Linear(config.width, MELS * len(PHONES))
        """Logits of each log-mel feature's phone, in turn."""
        self.prosody = nn.Linear(config.width, 3)
        """Pitch [octaves above 100 Hz], voicing (a logit), loudness (`LOUDNESS`)."""

    def forward(self, mels: Float[Tensor, "batch mels 80"]) -> Hidden:
        """Features of whole recordings, one for every `MELS` of log-mel."""
        return self.push(mels, State(), last=True)

    def push(self, mels: Float[Tensor, "batch mels 80"], state: State, last: bool) -> Hidden:
        """The features that are certain after these log-mel features.

        Args:
            state: Of this recording; changed.
            last: Nothing follows, so everything is certain.
        """
        hidden = self.stem(mels, state, last)
        for block in self.blocks:
            hidden = block(hidden, state, last)
        return self.norm(hidden)


def _gathered(
    layer: nn.Module, new: Tensor, state: State, last: bool, left: int, right: int
) -> Tensor:
    """What a layer sees now: `left` positions before those it answers for, `right` behind.

    Before and after the recording there is nothing: zeros. Positions are the second axis.
    """
    size = (new.shape[0], left, *new.shape[2:])
    before = state.kept.get(id(layer))
    seen = torch.cat([new.new_zeros(size) if before is None else before.to(new.dtype), new], dim=1)
    if last:
        return torch.cat([seen, seen.new_zeros(new.shape[0], right, *new.shape[2:])], dim=1)
    return seen


class _Stem(nn.Module):
    """Bands next to each other are alike whoever speaks: convolution over time and band."""

    left = 3
    """Log-mel features before those of a feature's own."""

    def __init__(self, width: int):
        super().__init__()
        self.fine = nn.Conv2d(1, 24, 3, stride=2, padding=(0, 1))
        self.coarse = nn.Conv2d(24, 48, 3, stride=2, padding=(0, 1))
        self.out = nn.Linear(48 * BANDS // 4, width)

    def forward(self, mels: Tensor, state: State, last: bool) -> Some:
        seen = _gathered(self, mels, state, last, self.left, 0)
        # What is left over at the end is less than a feature.
        count = (seen.shape[1] - self.left) // MELS
        state.kept[id(self)] = seen[:, count * MELS :]
        if not count:
            return mels.new_zeros(len(mels), 0, self.out.out_features)
        hidden = functional.relu(self.fine(seen[:, None, : count * MELS + self.left]))
        hidden = functional.relu(self.coarse(hidden))
        return self.out(hidden.transpose(1, 2).flatten(2))


class _Block(nn.Module):
    """What is near, by convolution; what was, by attention; then each moment alone."""

    def __init__(self, config: SpeechConfig, ahead: int):
        super().__init__()
        width = config.width
        self.near = _Near(width, config.kernel - 1 - ahead, ahead)
        self.past = _Past(width, config.heads, config.memory)
        self.alone = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 4 * width),
            nn.ReLU(),
            nn.Linear(4 * width, width),
        )
        self.skip = config.skip

    def forward(self, hidden: Hidden, state: State, last: bool) -> Some:
        hidden, near = self.near(hidden, state, last)
        hidden = hidden + self._sometimes(near)
        hidden = hidden + self._sometimes(self.past(hidden, state))
        return hidden + self._sometimes(self.alone(hidden))

    def _sometimes(self, added: Some) -> Some:
        """Left out for whole samples in training (stochastic depth, Huang et al. 2016)."""
        if not self.training:
            return added
        kept = torch.rand(len(added), 1, 1, device=added.device) >= self.skip
        return added * (kept / (1 - self.skip)).to(added.dtype)


class _Near(nn.Module):
    """A convolution of each channel alone."""

    def __init__(self, width: int, left: int, right: int):
        super().__init__()
        self.left, self.right = left, right
        self.norm = nn.LayerNorm(width)
        self.filter = nn.Conv1d(width, width, left + 1 + right, groups=width)
        self.mix = nn.Linear(width, width)

    def forward(self, hidden: Hidden, state: State, last: bool) -> tuple[Some, Some]:
        """The positions it can answer for, and its answer."""
        seen = _gathered(self, hidden, state, last, self.left, self.right)
        count = max(seen.shape[1] - self.left - self.right, 0)
        state.kept[id(self)] = seen[:, count:]
        own = seen[:, self.left : self.left + count]
        if not count:
            return own, own
        heard = self.filter(self.norm(seen).transpose(1, 2)).transpose(1, 2)
        return own, self.mix(functional.relu(heard))


class _Past(nn.Module):
    """Attention to the last `memory` positions. Positions enter by rotation (Su et al. 2021)."""

    def __init__(self, width: int, heads: int, memory: int):
        super().__init__()
        self.heads, self.memory = heads, memory
        self.norm = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.joined = nn.Linear(width, width)

    def forward(self, hidden: Hidden, state: State) -> Hidden:
        query, key, value = self.query_key_value(self.norm(hidden)).chunk(3, dim=-1)
        new = torch.cat([key, value], dim=-1)
        before = state.kept.get(id(self))
        all_of_them = new if before is None else torch.cat([before.to(new.dtype), new], dim=1)
        state.kept[id(self)] = all_of_them[:, -self.memory :]
        if not hidden.shape[1]:
            return hidden
        key, value = all_of_them.chunk(2, dim=-1)
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (query, key, value)
        )
        places = torch.arange(key.shape[2], device=hidden.device)
        turns = _turns(places, query.shape[-1])
        # Written out, since torch's fused attention is three times as slow on short windows.
        score = _turned(query, turns[:, -query.shape[2] :]) @ _turned(key, turns).mT
        recent = _recent(places[-query.shape[2] :], places, self.memory)
        score = (score * query.shape[-1] ** -0.5).masked_fill(~recent, -torch.inf)
        attended = score.softmax(dim=-1) @ value
        return self.joined(attended.transpose(1, 2).flatten(2))


def _recent(asking: Tensor, asked: Tensor, memory: int) -> Bool[Tensor, "asking asked"]:
    """Nothing later, nothing longer ago than `memory`."""
    age = asking[:, None] - asked[None]
    return (age >= 0) & (age <= memory)


def _turns(places: Tensor, size: int) -> Float[Tensor, "2 frames half"]:
    """Cosine and sine of each position's rotation, in pairs of channels."""
    speeds = 10_000.0 ** (-torch.arange(0, size, 2, device=places.device) / size)
    angles = places[:, None] * speeds
    return torch.stack([angles.cos(), angles.sin()])


def _turned(
    parts: Float[Tensor, "batch heads frames size"], turns: Float[Tensor, "2 frames half"]
) -> Float[Tensor, "batch heads frames size"]:
    cosine, sine = turns.to(parts.dtype)
    first, second = parts.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)
