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
from kinevox.strengths import UPPER_FACE

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
_ROUNDS = 4
_APART = 0.3
"""Shares that hardly differ cannot be told apart."""
_TINY = 1e-12


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
    mean_of_part: Tensor
    """From their numbers to the mean of each part."""

    def __init__(self, parts: Mapping[str, Sequence[int]], style_width: int):
        super().__init__()
        self.parts = tuple(parts)
        self.expectation = Expectation(style_width, 2 * len(parts))
        numbered = [(place, k) for k, places in enumerate(parts.values()) for place in places]
        for name, numbers in zip(("places", "part"), zip(*numbered, strict=True), strict=True):
            self.register_buffer(name, torch.tensor(numbers), persistent=False)
        members = functional.one_hot(self.part).float()
        self.register_buffer("mean_of_part", members / members.sum(dim=0), persistent=False)

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
        poses, moves = self._products(away, away, mask), self._products(steps, steps, _moving(mask))
        return _amounts(poses[0], moves[0])

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
        """Logarithms of the factors of the slow and the quick share, by Newton's method."""

        # Of poses and of steps from frame to frame.
        slows, boths, quicks = torch.stack(
            [
                self._products(slow, quick, mask),
                self._products(slow.diff(dim=1), quick.diff(dim=1), _moving(mask)),
            ],
            dim=1,
        )
        gains = torch.zeros_like(expected)
        for _ in range(_ROUNDS):
            a, b = gains.exp().unbind(dim=-1)
            slow_part, both, quick_part = slows * a * a, boths * a * b, quicks * b * b
            squares = slow_part + 2 * both + quick_part
            far, pace = (expected - _amounts(*squares)).unbind(dim=-1)
            # By how much each grows with the logarithm of the slow share's factor.
            of_poses, of_steps = (slow_part + both) / squares.clamp(min=_TINY)
            # Poses are mostly slow, steps mostly quick.
            apart = (of_poses - of_steps).clamp(min=_APART)
            slower = far - (1 - of_poses) * pace / apart
            gains = gains + torch.stack([slower, slower + pace / apart], dim=-1)
            gains = gains.clamp(-LARGEST, LARGEST)
        return gains

    def _products(
        self,
        slow: Float[Tensor, "batch frames moving"],
        quick: Float[Tensor, "batch frames moving"],
        mask: Bool[Tensor, "batch frames"],
    ) -> Float[Tensor, "3 batch parts"]:
        """Mean squares of both shares, and their mean product between, by part."""
        products = torch.stack([slow * slow, slow * quick, quick * quick])
        share = mask / mask.sum(dim=1, keepdim=True)
        return torch.einsum("kbfc,bf->kbc", products, share) @ self.mean_of_part


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
