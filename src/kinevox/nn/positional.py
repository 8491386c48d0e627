"""Where a token is in its sequence."""

from __future__ import annotations

import math
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

PositionKind = Literal["learned", "sinusoidal", "sinusoidal-published", "rotary"]
"""`rotary` positions enter in the attention; `sinusoidal-published` repeats a mistake, see
`Positions`."""


def sinusoid(positions: Int[Tensor, " count"], width: int) -> Float[Tensor, "count width"]:
    """Sines in even columns and cosines in odd ones, from fast to slow.

    Source: Vaswani et al. 2017, Section 3.5.
    """
    even = torch.arange(0, width, 2, device=positions.device)
    angles = positions[:, None] * torch.exp(even * (-math.log(10_000.0) / width))
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)[:, :width]


class Positions(nn.Module):
    """Adds its position to each token.

    `sinusoidal-published` adds the position one behind the last token to all of them, as
    DiffPoseTalk's code does by mistake, so it tells nothing about order; released weights need it.
    """

    def __init__(self, kind: PositionKind, count: int, width: int):
        super().__init__()
        self.kind: PositionKind = kind
        self.table = nn.Parameter(torch.randn(count, width)) if kind == "learned" else None

    def forward(self, tokens: Float[Tensor, "batch count width"]) -> Tensor:
        if self.table is not None:
            return tokens + self.table
        if self.kind == "rotary":
            return tokens
        places = torch.arange(tokens.shape[1], device=tokens.device)
        if self.kind == "sinusoidal-published":
            places = torch.full_like(places, tokens.shape[1])
        return tokens + sinusoid(places, tokens.shape[2]).to(tokens.dtype)


def turns(count: int, size: int, device: torch.device) -> Float[Tensor, "2 count half"]:
    """Cosine and sine of each position's rotation, for pairs of channels of one head.

    Source: Su et al. 2021 (RoFormer), Eq. 15.
    """
    speeds = 10_000.0 ** (-torch.arange(0, size, 2, device=device) / size)
    angles = torch.arange(count, device=device)[:, None] * speeds
    return torch.stack([angles.cos(), angles.sin()])


def turned(
    parts: Float[Tensor, "batch heads count size"], turns: Float[Tensor, "2 count half"]
) -> Float[Tensor, "batch heads count size"]:
    """Queries or keys rotated, so that only distances count in their products."""
    cosine, sine = turns.to(parts.dtype)
    first, second = parts.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)
