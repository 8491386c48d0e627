"""The denoiser: noisy motion of a window, what came before and what is heard -> clean motion.

Tokens are one for the person, then one for each frame of the context and of the window. Shape,
style and diffusion step are all in the first token; frames learn of them by attention and, with
`modulation`, by scales and shifts in every layer. Its output is dropped.

Source: DiffPoseTalk, Sun et al. 2024, Section 4.2, after its code; the modulation is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from kinevox.methods.diffposetalk.config import DiffPoseTalkConfig
from kinevox.nn.attention import AlignedAttention, AlignedMap
from kinevox.nn.modulation import Modulation, changed
from kinevox.nn.positional import Positions, sinusoid, turns
from kinevox.nn.transformer import Layer


class Denoiser(nn.Module):
    """Predicts the clean motion of context and window.

    What does not change between diffusion steps, the sound, is digested once by `listen`.
    """

    def __init__(self, config: DiffPoseTalkConfig, channels: int):
        super().__init__()
        self.config = config
        width = config.width
        self.person = nn.Linear(config.identity + config.style_width, width)
        self.step = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))
        self.motion = nn.Linear(channels + config.indicator, width)
        self.positions = Positions(config.positions, 1 + config.context + config.window, width)
        if config.modulation:
            self.manner = nn.Sequential(nn.Linear(width, width), nn.SiLU())
            self.modulation = Modulation(width, width, 1)
        self.layers = nn.ModuleList(self._layer() for _ in range(config.layers))
        self.norm = nn.LayerNorm(width) if config.pre_norm else nn.Identity()
        self.out = nn.Sequential(
            nn.Linear(width, width // 2), nn.GELU(), nn.Linear(width // 2, channels)
        )

    def _layer(self) -> Layer:
        config = self.config
        hearing: AlignedAttention | AlignedMap = AlignedMap(config.width)
        if config.person_hears:
            hearing = AlignedAttention(config.width, config.heads, config.reach, config.dropout)
        return Layer(
            config.width,
            config.heads,
            ratio=config.ratio,
            dropout=config.dropout,
            pre_norm=config.pre_norm,
            hearing=hearing,
            told=config.width if config.modulation else 0,
        )

    def listen(self, sound: Float[Tensor, "batch frames width"]) -> list[Any]:
        """What each layer keeps of the sound of context and window; for all steps of sampling."""
        layers = cast(Sequence[Layer], self.layers)
        return [layer.hearing.listen(sound) for layer in layers if layer.hearing is not None]

    def forward(
        self,
        noisy: Float[Tensor, "batch window channels"],
        step: Int[Tensor, " batch"],
        person: Float[Tensor, "batch person"],
        context: Float[Tensor, "batch context channels"],
        present: Float[Tensor, "batch window"],
        heard: list[Any],
    ) -> Float[Tensor, "batch frames channels"]:
        """The clean motion of context and window.

        Args:
            person: Normalized shape, then style.
            context: Clean motion before the window.
            present: 1 for frames of the window, 0 for padding. The context counts as 0 too.
            heard: From `listen`, for context and window.
        """
        frames = torch.cat([context, noisy], dim=1)
        if self.config.indicator:
            flags = torch.cat([torch.zeros_like(context[..., 0]), present], dim=1)
            frames = torch.cat([frames, flags[..., None]], dim=-1)
        hidden = self.motion(frames)
        first = self.person(person) + self.embedded(step)
        told = self.manner(first) if self.config.modulation else None
        hidden = self.positions(torch.cat([first[:, None], hidden], dim=1))
        places = None
        if self.config.positions == "rotary":
            size = self.config.width // self.config.heads
            places = turns(hidden.shape[1], size, hidden.device)
        for layer, sound in zip(self.layers, heard, strict=True):
            hidden = layer(hidden, turns=places, heard=sound, told=told)
        change = None if told is None else self.modulation(told)[0]
        return self.out(changed(self.norm(hidden[:, 1:]), change))

    def embedded(self, step: Int[Tensor, " batch"]) -> Float[Tensor, "batch width"]:
        """The diffusion step as a vector."""
        return self.step(sinusoid(step, self.config.width))
