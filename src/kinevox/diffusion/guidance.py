"""Classifier-free guidance with two conditions, sound and style.

A branch is the network with some conditions present and the others replaced by nothing. With
D(sound, style) for a prediction and w for the strength of a condition:

    incremental   D(-, -) + w_sound (D(a, -) - D(-, -)) + w_style (D(a, s) - D(a, -))
    style-first   D(-, -) + w_style (D(-, s) - D(-, -)) + w_sound (D(a, s) - D(-, s))
    independent   D(-, -) + w_sound (D(a, -) - D(-, -)) + w_style (D(-, s) - D(-, -))

With one condition c it is D(without c) + w (D(with c) - D(without c)), the other as given; with
none the plain D(a, s). Branches that cancel are not asked for: style-first takes two where its
strengths are equal or that of the style is 1, incremental three.

Guidance may be confined to an interval of noise levels: where there is hardly anything but noise it
only narrows what can come of it, and near the end there is nothing left to steer. Outside, the
plain D(a, s) is asked for alone, which costs a third.

Source: Ho and Salimans 2022; DiffPoseTalk, Sun et al. 2024; for the interval Kynkaanniemi et al.
2024, "Applying Guidance in a Limited Interval Improves Sample and Distribution Quality in Diffusion
Models".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from kinevox.errors import ConfigError

Mode = Literal["incremental", "style-first", "independent", "independent-published"]


class Branch(NamedTuple):
    """Which conditions are present."""

    sound: bool
    style: bool


NOTHING, HEARD, STYLED = Branch(False, False), Branch(True, False), Branch(False, True)
PLAIN = Branch(True, True)


@dataclass(frozen=True)
class Threshold:
    """Holds predictions in bounds that follow from their own size.

    As in DiffPoseTalk each branch is clamped on its own, before guidance, and nothing is divided;
    Saharia et al. 2022 (Imagen), Section 2.3, divide by the bound.
    """

    quantile: float = 0.99
    """Of absolute values over a window: the bound."""
    low: float = 1.0
    """The bound is at least this, in units of normalized motion."""
    high: float = 4.0
    """And at most this."""

    def __post_init__(self) -> None:
        if not (0 < self.quantile <= 1 and 0 < self.low <= self.high):
            raise ConfigError(
                f"Threshold with quantile {self.quantile}, from {self.low} to {self.high}: the "
                "quantile must lie in (0, 1] and the bounds be positive and in order."
            )

    def bounds(self, predicted: Float[Tensor, "batch frames channels"]) -> Float[Tensor, " batch"]:
        sizes = predicted.abs().flatten(1)
        return torch.quantile(sizes, self.quantile, dim=1).clamp(self.low, self.high)

    def __call__(
        self, predicted: Float[Tensor, "batch frames channels"]
    ) -> Float[Tensor, "batch frames channels"]:
        bound = self.bounds(predicted)[:, None, None]
        return torch.minimum(torch.maximum(predicted, -bound), bound)


@dataclass(frozen=True)
class Guidance:
    """How strongly sound and style are followed; None leaves a condition unguided."""

    sound: float | None = 1.15
    style: float | None = 3.0
    mode: Mode = "incremental"
    """`independent-published` repeats a mistake of DiffPoseTalk's code, for comparison."""
    threshold: Threshold | None = None
    interval: tuple[float, float] = (0.0, 1.0)
    """Where it acts, as shares of the diffusion steps from clean (0) to noise (1)."""

    def __post_init__(self) -> None:
        for name, scale in (("sound", self.sound), ("style", self.style)):
            if scale is not None and not isfinite(scale):
                raise ConfigError(f"The strength of guidance by {name} is {scale}, not a number.")
        low, high = self.interval
        if not 0 <= low < high <= 1:
            raise ConfigError(
                f"The guidance interval is {low:g} to {high:g}; expected two shares in order, "
                "between 0 (clean) and 1 (noise)."
            )

    @property
    def plain(self) -> Guidance:
        """None at all: both conditions as they are."""
        return replace(self, sound=None, style=None, interval=(0.0, 1.0))

    @property
    def limited(self) -> bool:
        """Whether there are noise levels at which it does not act."""
        return self.interval != (0.0, 1.0)

    def acts(self, level: float) -> bool:
        """Whether it acts at a noise level, a share of the diffusion steps."""
        low, high = self.interval
        return low < level <= high

    @property
    def weights(self) -> dict[Branch, float]:
        """What each branch counts in the guided prediction, where it counts at all."""
        sound, style = self.sound, self.style
        if sound is None:
            weights = {PLAIN: 1.0} if style is None else {HEARD: 1 - style, PLAIN: style}
        elif style is None:
            weights = {STYLED: 1 - sound, PLAIN: sound}
        elif self.mode == "incremental":
            weights = {NOTHING: 1 - sound, HEARD: sound - style, PLAIN: style}
        elif self.mode == "style-first":
            weights = {NOTHING: 1 - style, STYLED: style - sound, PLAIN: sound}
        elif self.mode == "independent":
            weights = {NOTHING: 1 - sound - style, HEARD: sound, STYLED: style}
        else:
            # The published code subtracts what already contains the first term.
            rest = 1 - style
            weights = {NOTHING: (1 - sound) * rest, HEARD: sound * rest, STYLED: style}
        return {branch: weight for branch, weight in weights.items() if weight}

    @property
    def branches(self) -> tuple[Branch, ...]:
        """What the network must be asked for, in the order of `combine`."""
        return tuple(self.weights)

    def __call__(
        self, stacked: Float[Tensor, "branches batch frames channels"]
    ) -> Float[Tensor, "batch frames channels"]:
        """The guided prediction from those of `branches`, each within its threshold."""
        if self.threshold is not None:
            held = self.threshold(stacked.flatten(0, 1))
            stacked = held.unflatten(0, stacked.shape[:2])
        return self.combine(stacked)

    def combine(
        self, stacked: Float[Tensor, "branches batch frames channels"]
    ) -> Float[Tensor, "batch frames channels"]:
        """The same without a threshold."""
        # Not by a product of matrices, which autocast would round.
        return torch.stack(
            [weight * branch for weight, branch in zip(self.weights.values(), stacked, strict=True)]
        ).sum(dim=0)
