"""Windows side by side, as networks take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

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
    """16 kHz, with the lead and the tail of `WindowShape`; empty where features are kept."""
    mask: Bool[Tensor, "batch frames"]
    """Frames that exist."""
    style: Int[Tensor, " batch"]
    """Place in `Space.styles`; -1 for any other."""
    other: Float[Tensor, "batch others other channels"] | None = None
    """Normalized motion of other clips in the same style."""
    other_mask: Bool[Tensor, "batch others other"] | None = None
    """Frames of them that exist."""
    factors: Float[Tensor, "batch factors"] | None = None
    """Style factors; not a number where unknown."""
    identity: Float[Tensor, "batch identity"] | None = None
    """Shapes of the persons' heads; not a number where unknown."""
    features: Float[Tensor, "batch features width"] | None = None
    """Of a speech encoder, for the frames of motion; empty where none are kept."""

    @classmethod
    def of(cls, windows: Sequence[Window]) -> Batch:
        names = (field.name for field in fields(cls))
        return cls(
            **{n: torch.from_numpy(np.stack([getattr(w, n) for w in windows])) for n in names}
        )

    def to(self, device: torch.device) -> Batch:
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        moved = {n: p.to(device, non_blocking=True) for n, p in parts.items() if p is not None}
        return Batch(**moved)


def fake_batch(space: Space, shape: WindowShape, size: int = 3) -> Batch:
    """Noise in the form of a batch; the last clip is short, and of an unknown style."""
    generator = torch.Generator().manual_seed(0)
    step = samples_per_frame(space.fps)
    count = (shape.lead + shape.frames + shape.tail) * step
    mask = torch.ones(size, shape.frames, dtype=torch.bool)
    mask[-1, shape.frames // 2 :] = False
    channels = space.layout.num_channels
    motion = torch.randn(size, shape.frames, channels, generator=generator)
    return Batch(
        motion * mask[..., None],
        0.1 * torch.randn(size, count, generator=generator),
        mask,
        torch.tensor([*(i % len(space.styles) for i in range(size - 1)), -1]),
        torch.randn(size, shape.others, shape.other, channels, generator=generator),
        torch.ones(size, shape.others, shape.other, dtype=torch.bool),
        torch.randn(size, len(shape.factors), generator=generator),
        torch.randn(size, shape.identity, generator=generator),
    )
