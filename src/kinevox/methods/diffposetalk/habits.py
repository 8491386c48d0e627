"""What is known of somebody's motion beside what was drawn, and made good on whole takes.

- Size: rounded lips are drawn smaller than people's, because the likeliest way to say something is
  smaller than the mean. Each part of the mouth is scaled by one number, which is measured.
- Rest: where somebody's lips rest in pauses follows from the style.
- Wander: so does how far the eyes leave what they look at most.

Layout `arkit`, whose channels are known by name.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from kinevox.arkit import LIP_OPENING_MM
from kinevox.gaze import line_of_sight, steady_gaze
from kinevox.methods.diffposetalk.expectation import Expectation
from kinevox.motion import Motion
from kinevox.pauses import OPENING
from kinevox.strengths import open_share

SIZED: Mapping[str, tuple[str, ...]] = {
    "jaw": ("jawOpen", "mouthClose"),
    "lips": ("mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight"),
    "funnel": ("mouthFunnel",),
    "pucker": ("mouthPucker",),
}
"""Parts of the mouth that are scaled."""
PARTED_MM = 0.6
"""Lips that are expected to rest nearer to each other rest closed [mm]."""
FLOOR = float(np.radians(0.3))
"""Eyes that wander less do not wander [rad]."""
TELLING_SECONDS = 10.0
"""As long a take says as much about its eyes as the average does [s]."""
LARGEST = 1.0
"""Largest change of anything, as the logarithm of a factor."""


class Habits(nn.Module):
    """What people with a style are expected to do, and how drawn motion falls short of it."""

    sizes: Tensor
    """Of each part of `SIZED`: how much larger people's is than what is drawn, as a logarithm."""
    drawn_wander: Tensor
    """How far eyes wander in what is drawn, as of `wander_of`."""

    def __init__(self, style_width: int):
        super().__init__()
        self.expectation = Expectation(style_width, 1 + len(OPENING))
        self.register_buffer("sizes", torch.zeros(len(SIZED)))
        self.register_buffer("drawn_wander", torch.zeros(()))

    def sized(self, motion: Motion) -> Motion:
        """Drawn motion with a mouth of people's size. Lips that nearly meet are not parted."""
        return self._scaled(motion, 1.0)

    def unsized(self, motion: Motion) -> Motion:
        """Motion as the network would have drawn it, nearly: `sized` the other way."""
        return self._scaled(motion, -1.0)

    def _scaled(self, motion: Motion, power: float) -> Motion:
        gains = (power * self.sizes.clamp(-LARGEST, LARGEST)).exp().tolist()
        parted = open_share(motion)
        changed = {}
        for names, gain in zip(SIZED.values(), gains, strict=True):
            for name in names:
                share = parted if name in LIP_OPENING_MM else 1.0
                changed[name] = np.clip((1 + (gain - 1) * share) * motion[name], 0, 1)
        return motion.with_channels(**changed)

    def rest(self, style: Float[np.ndarray, " style"]) -> dict[str, float]:
        """Weights in pauses of those whose lips rest apart, by name; else nothing."""
        weights = self._expected(style)[1:].clamp(0, 1).tolist()
        named = dict(zip(OPENING, weights, strict=True))
        parted = sum(mm * named[name] for name, mm in LIP_OPENING_MM.items())
        return named if parted >= PARTED_MM else {}

    def wander(self, style: Float[np.ndarray, " style"], drawn: Motion) -> float:
        """How much further than drawn the eyes wander, as a factor.

        A short take says little about how far they wander in what is drawn, so what they do on
        average counts too.
        """
        own = drawn.seconds / (drawn.seconds + TELLING_SECONDS)
        usual = own * wander_of(drawn) + (1 - own) * float(self.drawn_wander)
        more = float(self._expected(style)[0]) - usual
        return float(np.exp(np.clip(more, -LARGEST, LARGEST)))

    def _expected(self, style: Float[np.ndarray, " style"]) -> Float[Tensor, " numbers"]:
        return self.expectation(torch.from_numpy(style)[None])[0]


def wander_of(motion: Motion) -> float:
    """How far the eyes leave what they look at most: the logarithm of the root mean square."""
    sight = line_of_sight(steady_gaze(motion))
    away = sight - np.median(sight, axis=0)
    return float(np.log((away**2).sum(axis=1).mean() + FLOOR**2) / 2)


def sizes_of(motion: Motion, speaking: Bool[np.ndarray, " frames"]) -> Float[np.ndarray, " parts"]:
    """Mean weight of each part of `SIZED` over the frames in which somebody speaks."""
    return np.array([np.mean([motion[n][speaking] for n in names]) for names in SIZED.values()])


def rest_of(motion: Motion, resting: Bool[np.ndarray, " frames"]) -> Float[np.ndarray, " channels"]:
    """Usual weights of `OPENING` over the frames in which somebody says nothing."""
    return np.array([np.median(motion[name][resting]) for name in OPENING])
