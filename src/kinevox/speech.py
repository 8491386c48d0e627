"""Speech as methods receive it: the sound, and what is known about it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from kinevox.errors import AudioError
from kinevox.timebase import SAMPLE_RATE

if TYPE_CHECKING:
    from kinevox.phones import Phones


@dataclass(frozen=True, eq=False)
class Speech:
    """One recording, mono at 16 kHz.

    Raises:
        AudioError: the samples are not one row of numbers, or there are none.
    """

    samples: Float[np.ndarray, " samples"]
    """float32 in [-1, 1]."""
    path: Path | None = None
    """File it came from; exporters take the sound in full quality from there."""
    transcript: str | None = None
    """What is said, when known; phones are then aligned rather than recognised."""
    phones: Phones | None = None
    """Phone times, when the user brought them."""

    def __post_init__(self) -> None:
        samples = np.asarray(self.samples)
        if samples.ndim != 1 or not len(samples) or samples.dtype.kind != "f":
            raise AudioError(
                f"Samples of shape {samples.shape} and type {samples.dtype} are given; expected "
                f"one row of floats from -1 to 1, mono at {SAMPLE_RATE} Hz. `read_audio` makes "
                "that of any file."
            )
        if not np.isfinite(samples).all():
            raise AudioError(
                "Samples are not finite (NaN or infinite) at "
                f"{(~np.isfinite(samples)).sum()} of {len(samples)} places. Decode the recording "
                "again, or replace them by silence."
            )

    @property
    def seconds(self) -> float:
        return len(self.samples) / SAMPLE_RATE
