"""How what is drawn falls short of people, whoever they are, and made good on whole takes.

- Size: rounded lips are drawn smaller than people's, because the likeliest way to say something is
  smaller than the mean. Each part of the mouth is scaled by one number, which is measured.
- Glances: what is drawn stays nearer to what it looks at most than people, and leaves it all the
  time; people look there, and then somewhere else.
- Rest: where somebody's lips rest in pauses follows from the style.

Layout `arkit`, whose channels are known by name.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from kinevox.arkit import LIP_OPENING_MM
from kinevox.methods.diffposetalk.expectation import Expectation
from kinevox.motion import Motion
from kinevox.pauses import OPENING
from kinevox.strengths import open_share

SIZED: Mapping[str, tuple[str, ...]] = {
    "jaw": ("jawOpen", "mouthClose"),
    "lips": ("mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight"),
    "funnel": ("mouthFunnel",),
    "pucker": ("mouthPucker",),
    "press": ("mouthPressLeft", "mouthPressRight", "mouthRollUpper", "mouthRollLower"),
}
"""Parts of the mouth that are scaled."""
PARTED_MM = 0.6
"""Lips that are expected to rest nearer to each other rest closed [mm]."""
FLOOR = float(np.radians(0.3))
"""Eyes that wander less do not wander [rad]."""
QUANTILES = np.linspace(0, 1, 51)
"""Of glances."""
LARGEST = 1.0
"""Largest change of a size, as the logarithm of a factor."""


class Habits(nn.Module):
    """How drawn motion falls short of people's, and where those with a style rest their lips."""

    sizes: Tensor
    """Of each part of `SIZED`: how much larger people's is than what is drawn, as a logarithm."""
    drawn_glances: Tensor
    """`QUANTILES` of how far the eyes are from what they look at most in what is drawn [rad]."""
    glances: Tensor
    """And in people, as a share of how far theirs are expected to wander."""

    def __init__(self, style_width: int):
        super().__init__()
        self.lips = Expectation(style_width, len(OPENING))
        self.register_buffer("sizes", torch.zeros(len(SIZED)))
        for name in ("drawn_glances", "glances"):
            self.register_buffer(name, torch.from_numpy(QUANTILES).float())

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
        weights = self.lips(torch.from_numpy(style)[None])[0].clamp(0, 1).tolist()
        named = dict(zip(OPENING, weights, strict=True))
        parted = sum(mm * named[name] for name, mm in LIP_OPENING_MM.items())
        return named if parted >= PARTED_MM else {}

    def glancing(
        self, sight: Float[np.ndarray, "frames 2"], wander: float
    ) -> Float[np.ndarray, "frames 2"]:
        """A drawn line of sight [rad] that leaves what it looks at most as far as people's do.

        Args:
            wander: How far theirs do, as of `wander_of` [rad].
        """
        middle, far = _far(sight)
        further = wander * np.interp(far, self.drawn_glances, self.glances)
        return middle + (further / np.maximum(far, 1e-9))[:, None] * (sight - middle)


def _far(
    sight: Float[np.ndarray, "frames 2"],
) -> tuple[Float[np.ndarray, "2"], Float[np.ndarray, " frames"]]:
    """What is looked at most, and how far from it [rad]."""
    middle = np.median(sight, axis=0)
    return middle, np.linalg.norm(sight - middle, axis=1)


def glances_of(sight: Float[np.ndarray, "frames 2"]) -> Float[np.ndarray, " frames"]:
    """How far the eyes are from what they look at most [rad]."""
    return _far(sight)[1]


def wander_of(sight: Float[np.ndarray, "frames 2"]) -> float:
    """Root mean square of `glances_of` [rad]."""
    return float(np.sqrt((glances_of(sight) ** 2).mean() + FLOOR**2))


def sizes_of(motion: Motion, speaking: Bool[np.ndarray, " frames"]) -> Float[np.ndarray, " parts"]:
    """Mean weight of each part of `SIZED` over the frames in which somebody speaks."""
    return np.array([np.mean([motion[n][speaking] for n in names]) for names in SIZED.values()])


def rest_of(motion: Motion, resting: Bool[np.ndarray, " frames"]) -> Float[np.ndarray, " channels"]:
    """Usual weights of `OPENING` over the frames in which somebody says nothing."""
    return np.array([np.median(motion[name][resting]) for name in OPENING])
