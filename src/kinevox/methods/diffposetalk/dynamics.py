"""How far and how quickly the parts of a face move: what a style lets expect, and keeping to it.

How much somebody moves is decided in the noisiest steps of sampling, by a network that hardly
learns it (docs/methods/diffposetalk.md). But a style tells it: a linear map (`calibration.py`) from
style to the spread of each part and to its pace. So every prediction on the way from noise to
motion is steered: its slow and its quick share are scaled about its mean until both are as
expected, and the steps that follow make natural motion of it.

Source: ours; predicting what varies apart from the decoder is after FastSpeech 2 (Ren et al. 2021),
Section 2.3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from kinevox.methods.diffposetalk.expectation import Expectation
from kinevox.methods.diffposetalk.style import mean_over
from kinevox.motion import MotionLayout
from kinevox.strengths import BLINKS, UPPER_FACE

LEAST_FRAMES = 50
"""In less time nobody moves as far as they usually do."""
REST = 0.1
"""Motion that is smaller than this rests, in units of each channel's spread."""
PACE = 0.5
"""Usual size of steps from frame to frame, against the spread of poses."""
SLOW = 3.0
"""Deviation of the window [frames] that tells slow motion from quick: at 25 fps half at 1.6 Hz."""
LARGEST = 1.0
"""Largest change, as the logarithm of a factor."""
_ROUNDS = 16
_DAMPED = 0.6


def parts_of(layout: MotionLayout, columns: Sequence[int]) -> Mapping[str, list[int]]:
    """Places of modelled channels by part, without those that the sound decides.

    Expressions of FLAME are of the whole face, so of that layout only the head is left.
    """
    parts: dict[str, list[int]] = {}
    for place, column in enumerate(columns):
        channel = layout.channels[column]
        if part := _part(channel.name, channel.group):
            parts.setdefault(part, []).append(place)
    return parts


def _part(name: str, group: str) -> str | None:
    if group == "head":
        # Nodding, turning and tilting are habits of their own.
        return name
    if name in BLINKS:
        return "blinks"
    if name.startswith("brow"):
        return "brows"
    return "upper face" if name in UPPER_FACE else None


class Dynamics(nn.Module):
    """What to expect of a style, and how motion is steered there.

    Of each part the logarithm of its spread over time, and that of the size of its steps from frame
    to frame against the spread.
    """

    places: Tensor
    """Of the channels of all parts."""
    part: Tensor
    """Of each of those."""

    def __init__(self, parts: Mapping[str, Sequence[int]], style_width: int):
        super().__init__()
        self.parts = tuple(parts)
        self.expectation = Expectation(style_width, 2 * len(parts))
        numbered = [(place, k) for k, places in enumerate(parts.values()) for place in places]
        for name, numbers in zip(("places", "part"), zip(*numbered, strict=True), strict=True):
            self.register_buffer(name, torch.tensor(numbers), persistent=False)

    def expected(self, style: Float[Tensor, "batch style"]) -> Float[Tensor, "batch parts 2"]:
        """Of people with these styles."""
        return self.expectation(style).unflatten(1, (-1, 2))

    def measured(
        self,
        motion: Float[Tensor, "batch frames channels"],
        mask: Bool[Tensor, "batch frames"],
    ) -> Float[Tensor, "batch parts 2"]:
        """Of normalized motion; frames outside the mask do not count."""
        motion = motion[..., self.places].float()
        away = motion - mean_over(motion, mask)[:, None]
        steps = motion.diff(dim=1)
        return _amounts(self._shared(away, away, mask), self._shared(steps, steps, _moving(mask)))

    def steered(
        self,
        motion: Float[Tensor, "batch frames channels"],
        mask: Bool[Tensor, "batch frames"],
        expected: Float[Tensor, "batch parts 2"],
    ) -> Float[Tensor, "batch frames channels"]:
        """Motion whose parts go as far and as quickly as expected, about their mean poses.

        Nothing is changed by more than a factor of e, so what rests goes on resting.
        """
        moving = motion[..., self.places]
        away = moving - mean_over(moving, mask)[:, None]
        slow = _smoothed(away)
        quick = away - slow
        more = (self._gains(slow, quick, mask, expected).exp() - 1)[:, None, self.part]
        steered = motion.clone()
        steered[..., self.places] += more[..., 0] * slow + more[..., 1] * quick
        return steered

    def _gains(
        self,
        slow: Float[Tensor, "batch frames moving"],
        quick: Float[Tensor, "batch frames moving"],
        mask: Bool[Tensor, "batch frames"],
        expected: Float[Tensor, "batch parts 2"],
    ) -> Float[Tensor, "batch parts 2"]:
        """Logarithms of the factors of the slow and the quick share, found in rounds."""

        def products(slow: Tensor, quick: Tensor, mask: Tensor) -> list[Tensor]:
            pairs = ((slow, slow), (slow, quick), (quick, quick))
            return [self._shared(one, other, mask) for one, other in pairs]

        poses = products(slow, quick, mask)
        steps = products(slow.diff(dim=1), quick.diff(dim=1), _moving(mask))
        gains = torch.zeros_like(expected)
        for _ in range(_ROUNDS):
            a, b = gains.exp().unbind(dim=-1)
            squares = [p[0] * a * a + 2 * p[1] * a * b + p[2] * b * b for p in (poses, steps)]
            far, pace = (expected - _amounts(*squares)).unbind(dim=-1)
            # Poses are mostly slow, steps mostly quick.
            gains = gains + _DAMPED * torch.stack([far, far + pace], dim=-1)
            gains = gains.clamp(-LARGEST, LARGEST)
        return gains

    def _shared(
        self,
        one: Float[Tensor, "batch frames moving"],
        other: Float[Tensor, "batch frames moving"],
        mask: Bool[Tensor, "batch frames"],
    ) -> Float[Tensor, "batch parts"]:
        """Mean products over frames and over the channels of each part."""
        of_channels = mean_over(one * other, mask)
        sums = of_channels.new_zeros(len(one), len(self.parts)).index_add(1, self.part, of_channels)
        return sums / torch.bincount(self.part, minlength=len(self.parts))


def long_enough(mask: Bool[Tensor, "batch frames"]) -> Bool[Tensor, " batch"]:
    """Whether motion says how much somebody moves."""
    return mask.sum(dim=1) >= LEAST_FRAMES


def _moving(mask: Bool[Tensor, "batch frames"]) -> Bool[Tensor, "batch steps"]:
    """Steps between frames that count."""
    return mask[:, 1:] & mask[:, :-1]


def _amounts(
    poses: Float[Tensor, "batch parts"], steps: Float[Tensor, "batch parts"]
) -> Float[Tensor, "batch parts 2"]:
    """Logarithms of spread and pace, of mean squares."""
    spread = (poses + REST**2).log() / 2
    return torch.stack([spread, (steps + (PACE * REST) ** 2).log() / 2 - spread], dim=-1)


def _smoothed(
    motion: Float[Tensor, "batch frames channels"],
) -> Float[Tensor, "batch frames channels"]:
    """Without what is quick; beyond the ends motion stays as it is there."""
    reach = int(3 * SLOW)
    places = torch.arange(-reach, reach + 1, device=motion.device)
    weights = torch.exp(-((places / SLOW) ** 2) / 2).to(motion)
    padded = functional.pad(motion.transpose(1, 2), (reach, reach), mode="replicate")
    kernel = (weights / weights.sum()).expand(motion.shape[2], 1, -1)
    return functional.conv1d(padded, kernel, groups=motion.shape[2]).transpose(1, 2)
