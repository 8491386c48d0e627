"""A condition that scales and shifts tokens.

Source: Peebles and Xie 2023 (DiT), adaLN, without its gates.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

Change = tuple[Float[Tensor, "batch 1 width"], Float[Tensor, "batch 1 width"]]
"""Scale and shift of all tokens of a sample."""


def changed(
    tokens: Float[Tensor, "batch count width"], change: Change | None
) -> Float[Tensor, "batch count width"]:
    """The tokens, scaled and shifted; as they are without a change."""
    if change is None:
        return tokens
    scale, shift = change
    return torch.addcmul(shift, tokens, scale)


class Modulation(nn.Module):
    """Changes of tokens in several places. A new one changes nothing, so a trained network can be
    given one."""

    def __init__(self, told: int, width: int, places: int):
        super().__init__()
        self.places = places
        self.changes = nn.Linear(told, 2 * places * width)
        nn.init.zeros_(self.changes.weight)
        nn.init.zeros_(self.changes.bias)

    def forward(self, told: Float[Tensor, "batch told"]) -> list[Change]:
        """One change for each place."""
        parts = self.changes(told)[:, None].chunk(2 * self.places, dim=-1)
        return [(1 + scale, shift) for scale, shift in zip(parts[::2], parts[1::2], strict=True)]
