"""Speech as methods receive it: the sound, and what is known about it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from kinevox.timebase import SAMPLE_RATE

if TYPE_CHECKING:
    from kinevox.phones import Phones


@dataclass(frozen=True, eq=False)
class Speech:
    """One recording, mono at 16 kHz."""

    samples: Float[np.ndarray, " samples"]
    """float32 in [-1, 1]."""
    path: Path | None = None
    """File it came from; exporters take the sound in full quality from there."""
    transcript: str | None = None
    """What is said, when known; phones are then aligned rather than recognised."""
    phones: Phones | None = None
    """Phone times, when the user brought them."""

    @property
    def seconds(self) -> float:
        return len(self.samples) / SAMPLE_RATE
