"""Which channels of a layout are modelled, and their normalized values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from kinevox.errors import ConfigError
from kinevox.motion import MotionLayout
from kinevox.strengths import MOUTH
from kinevox.training import Space


def columns_of(layout: MotionLayout, fixed: Sequence[str]) -> list[int]:
    """Columns that are modelled: all but those named, by channel or by group.

    Raises:
        ConfigError: a name is neither, or nothing is left.
    """
    known = {*layout.names, *(channel.group for channel in layout.channels)}
    if unknown := sorted(set(fixed) - known):
        raise ConfigError(
            f"Layout '{layout.name}' has no channel or group {', '.join(unknown)} to fix."
        )
    columns = [
        i
        for i, channel in enumerate(layout.channels)
        if channel.name not in fixed and channel.group not in fixed
    ]
    if not columns:
        raise ConfigError(f"With {', '.join(fixed)} fixed nothing is left to move.")
    return columns


def mouth_columns(layout: MotionLayout, columns: Sequence[int]) -> list[int]:
    """Places of the mouth's channels among the modelled ones.

    Expressions of FLAME are of the whole face and not among them; its jaw is.
    """
    return [
        i
        for i, c in enumerate(columns)
        if layout.channels[c].name in MOUTH or layout.channels[c].group == "jaw"
    ]


def head_columns(layout: MotionLayout, columns: Sequence[int]) -> list[int]:
    """Places of the head's channels among the modelled ones."""
    return [i for i, c in enumerate(columns) if layout.channels[c].group == "head"]


def normalized(
    space: Space, columns: Sequence[int], values: Float[np.ndarray, "frames all"]
) -> Float[np.ndarray, "frames channels"]:
    """Modelled channels of a motion, normalized."""
    return space.statistics.normalize(values)[:, columns].astype(np.float32)


def restored(
    space: Space, columns: Sequence[int], values: Float[np.ndarray, "frames channels"]
) -> Float[np.ndarray, "frames all"]:
    """A motion from modelled channels; the others are neutral, and weights keep their range.

    Weights that nobody in the corpus ever moved rest where they were.
    """
    layout, statistics = space.layout, space.statistics
    motion = np.tile(layout.neutral, (len(values), 1))
    low = np.array([channel.low for channel in layout.channels])
    high = np.array([channel.high for channel in layout.channels])
    # No weight spreads by 1, which stands for one that is constant.
    spread = np.where((statistics.std == 1) & (high - low <= 1), 0, statistics.std)
    motion[:, columns] = values * spread[columns] + statistics.mean[columns]
    return np.clip(motion, low, high).astype(np.float32)
