"""One layer of a transformer, with or without sound."""

from __future__ import annotations

from typing import Any

from jaxtyping import Bool, Float
from torch import Tensor, nn

from kinevox.nn.attention import AlignedAttention, AlignedMap, SelfAttention
from kinevox.nn.modulation import Modulation, changed


class Layer(nn.Module):
    """Self-attention, then sound if it hears any, then a small network, around residuals.

    Args:
        hearing: How it listens; None for a layer that does not.
        pre_norm: Normalize what goes into each part; the paper normalizes the sum behind it.
        told: Width of a condition that changes what goes into attention and small network; 0 for
            none. Only with `pre_norm`.

    Source: Vaswani et al. 2017; pre-norm after Xiong et al. 2020.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        *,
        ratio: int = 4,
        dropout: float = 0.0,
        pre_norm: bool = False,
        hearing: AlignedAttention | AlignedMap | None = None,
        told: int = 0,
    ):
        super().__init__()
        self.pre_norm = pre_norm
        self.attention = SelfAttention(width, heads, dropout)
        self.hearing = hearing
        self.feedforward = nn.Sequential(
            nn.Linear(width, ratio * width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(ratio * width, width),
        )
        self.norm_attention = nn.LayerNorm(width)
        # A map of the sound alone takes no tokens, so there is nothing to normalize before it.
        listens = hearing is not None and not (pre_norm and isinstance(hearing, AlignedMap))
        self.norm_hearing = nn.LayerNorm(width) if listens else nn.Identity()
        self.norm_feedforward = nn.LayerNorm(width)
        self.drop = nn.Dropout(dropout)
        self.modulation = Modulation(told, width, 2) if told else None

    def forward(
        self,
        tokens: Float[Tensor, "batch count width"],
        *,
        turns: Float[Tensor, "2 count half"] | None = None,
        seen: Bool[Tensor, "batch count"] | None = None,
        heard: Any = None,
        told: Float[Tensor, "batch told"] | None = None,
    ) -> Float[Tensor, "batch count width"]:
        """Applies the layer.

        Args:
            turns: Rotary positions.
            seen: Tokens that may be looked at.
            heard: What `hearing.listen` kept of the sound.
            told: The condition, where the layer takes one.
        """
        if self.pre_norm:
            changes = (None, None) if self.modulation is None else self.modulation(told)
            looking = changed(self.norm_attention(tokens), changes[0])
            tokens = tokens + self.drop(self.attention(looking, turns, seen))
            if self.hearing is not None:
                tokens = tokens + self.drop(self.hearing(self.norm_hearing(tokens), heard))
            thinking = changed(self.norm_feedforward(tokens), changes[1])
            return tokens + self.drop(self.feedforward(thinking))
        tokens = self.norm_attention(tokens + self.drop(self.attention(tokens, turns, seen)))
        if self.hearing is not None:
            tokens = self.norm_hearing(tokens + self.drop(self.hearing(tokens, heard)))
        return self.norm_feedforward(tokens + self.drop(self.feedforward(tokens)))
