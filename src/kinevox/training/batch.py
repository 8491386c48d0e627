"""Windows side by side, as networks take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from kinevox.data.windows import Window, WindowShape, samples_per_frame
from kinevox.training._base import Space


@dataclass(frozen=True, eq=False)
class Batch:
    """Several windows; see `kinevox.data.windows.Window`."""

    motion: Float[Tensor, "batch frames channels"]
    """Normalized; zero where there is none."""
    samples: Float[Tensor, "batch samples"]
    """16 kHz, with the lead and the tail of `WindowShape`."""
    mask: Bool[Tensor, "batch frames"]
    """Frames that exist."""
    style: Int[Tensor, " batch"]
    """Place in `Space.styles`; -1 for any other."""

    @classmethod
    def of(cls, windows: Sequence[Window]) -> Batch:
        return cls(
            torch.from_numpy(np.stack([w.motion for w in windows])),
            torch.from_numpy(np.stack([w.samples for w in windows])),
            torch.from_numpy(np.stack([w.mask for w in windows])),
            torch.from_numpy(np.stack([w.style for w in windows])),
        )

    def to(self, device: torch.device) -> Batch:
        return Batch(
            *(
                part.to(device, non_blocking=True)
                for part in (self.motion, self.samples, self.mask, self.style)
            )
        )


def fake_batch(space: Space, shape: WindowShape, size: int = 3) -> Batch:
    """Noise in the form of a batch; the last clip is short, and of an unknown style."""
    generator = torch.Generator().manual_seed(0)
    step = samples_per_frame(space.fps)
    count = (shape.lead + shape.frames + shape.tail) * step
    mask = torch.ones(size, shape.frames, dtype=torch.bool)
    mask[-1, shape.frames // 2 :] = False
    motion = torch.randn(size, shape.frames, space.layout.num_channels, generator=generator)
    return Batch(
        motion * mask[..., None],
        0.1 * torch.randn(size, count, generator=generator),
        mask,
        torch.tensor([*(i % len(space.styles) for i in range(size - 1)), -1]),
    )
