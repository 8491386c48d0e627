"""Attention: of tokens to each other, and of frames to the sound of their own moment."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from kinevox.nn.positional import turned


class SelfAttention(nn.Module):
    """Every token sees every token."""

    def __init__(self, width: int, heads: int, dropout: float = 0.0):
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.query_key_value = nn.Linear(width, 3 * width)
        self.joined = nn.Linear(width, width)
        _as_one_matrix(self.query_key_value)
        nn.init.zeros_(self.joined.bias)

    def forward(
        self,
        tokens: Float[Tensor, "batch count width"],
        turns: Float[Tensor, "2 count half"] | None = None,
        seen: Bool[Tensor, "batch count"] | None = None,
    ) -> Float[Tensor, "batch count width"]:
        """Attends.

        Args:
            turns: Rotary positions.
            seen: Tokens that may be looked at; all of them by default.
        """
        parts = _split(self.query_key_value(tokens), 3 * self.heads)
        asking, value = parts.split([2 * self.heads, self.heads], dim=1)
        if turns is not None:
            asking = turned(asking, turns)
        query, key = asking.chunk(2, dim=1)
        allowed = None if seen is None else seen[:, None, None]
        dropout = self.dropout if self.training else 0.0
        return self.joined(attended(query, key, value, allowed, dropout))


def alignment(frames: int, reach: int) -> Bool[Tensor, "count frames"]:
    """Which frames of sound each token may look at: the first all, the token of a frame those
    less than `reach` away; everything where `reach` is 0.

    Source: FaceFormer (Fan et al. 2022), Section 3.3; DiffPoseTalk puts a token in front.
    """
    place = torch.arange(frames)
    near = (place[:, None] - place).abs() < reach if reach else torch.ones(frames, frames) > 0
    return torch.cat([torch.ones(1, frames, dtype=torch.bool), near])


@dataclass(frozen=True, eq=False)
class Heard:
    """What an attention keeps of the sound of a window; the same for all steps of sampling."""

    key: Float[Tensor, "batch heads frames size"]
    value: Float[Tensor, "batch heads frames size"]
    aligned: Float[Tensor, "batch frames width"] | None
    """What each frame takes from its own sound, where that is all it may see."""


class AlignedAttention(nn.Module):
    """A first token and one token per frame look at the sound, each where `alignment` lets it.

    A frame that sees one feature only has nothing to choose from: whatever its query, it receives
    the same linear map of that feature. So with a reach of 1 frames need no attention, and their
    share is computed once per window; `fold` turns that off.
    """

    def __init__(self, width: int, heads: int, reach: int, dropout: float = 0.0):
        super().__init__()
        self.heads, self.reach, self.dropout = heads, reach, dropout
        self.fold = reach == 1
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.joined = nn.Linear(width, width)
        for layer in (self.query, self.key_value):
            _as_one_matrix(layer)
        nn.init.zeros_(self.joined.bias)

    def listen(self, sound: Float[Tensor, "batch frames width"]) -> Heard:
        """Everything that does not depend on the tokens."""
        key, value = self.key_value(sound).chunk(2, dim=-1)
        # Dropout of the only weight there is drops all of it; the reference does so per head.
        fold = self.fold and not (self.training and self.dropout)
        aligned = self.joined(value) if fold else None
        return Heard(_split(key, self.heads), _split(value, self.heads), aligned)

    def forward(
        self, tokens: Float[Tensor, "batch count width"], heard: Heard
    ) -> Float[Tensor, "batch count width"]:
        if heard.aligned is not None:
            first = self._attend(tokens[:, :1], heard, None)
            return torch.cat([first, heard.aligned.to(first.dtype)], dim=1)
        allowed = alignment(tokens.shape[1] - 1, self.reach).to(tokens.device)
        return self._attend(tokens, heard, allowed)

    def _attend(
        self,
        tokens: Float[Tensor, "batch some width"],
        heard: Heard,
        allowed: Bool[Tensor, "some frames"] | None,
    ) -> Float[Tensor, "batch some width"]:
        query = _split(self.query(tokens), self.heads)
        dropout = self.dropout if self.training else 0.0
        return self.joined(attended(query, heard.key, heard.value, allowed, dropout))


class AlignedMap(nn.Module):
    """What `AlignedAttention` of reach 1 does for frames, and nothing else: one linear map.

    The first token hears nothing here.
    """

    def __init__(self, width: int):
        super().__init__()
        self.map = nn.Linear(width, width)

    def listen(
        self, sound: Float[Tensor, "batch frames width"]
    ) -> Float[Tensor, "batch count width"]:
        return functional.pad(self.map(sound), (0, 0, 1, 0))

    def forward(
        self,
        tokens: Float[Tensor, "batch count width"],
        heard: Float[Tensor, "batch count width"],
    ) -> Float[Tensor, "batch count width"]:
        return heard


def attended(
    query: Float[Tensor, "batch heads asking size"],
    key: Float[Tensor, "batch heads asked size"],
    value: Float[Tensor, "batch heads asked size"],
    allowed: Bool[Tensor, "#batch 1 #asking asked"] | Bool[Tensor, "asking asked"] | None,
    dropout: float,
) -> Float[Tensor, "batch asking width"]:
    """Softmax attention, heads side by side again.

    Written out, since on processors torch's fused attention takes four times as long for windows
    of a hundred tokens in bfloat16, there and back.
    """
    score = (query * query.shape[-1] ** -0.5) @ key.mT
    if allowed is not None:
        score = score.masked_fill(~allowed, -torch.inf)
    share = functional.dropout(score.softmax(dim=-1), dropout)
    return (share @ value).transpose(1, 2).flatten(2)


def _split(part: Float[Tensor, "batch count width"], heads: int) -> Tensor:
    return part.unflatten(-1, (heads, -1)).transpose(1, 2)


def _as_one_matrix(layer: nn.Linear) -> None:
    """Starts as torch's own attention does: query, key and value as one square root of variance."""
    width = layer.in_features
    bound = (6 / (4 * width)) ** 0.5
    nn.init.uniform_(layer.weight, -bound, bound)
    nn.init.zeros_(layer.bias)
