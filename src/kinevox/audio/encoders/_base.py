"""What a face method hears: an encoder of speech, and where its weights come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

if TYPE_CHECKING:
    from torch import Tensor


@runtime_checkable
class SpeechEncoder(Protocol):
    """Frozen, on the CPU, ready to use."""

    @property
    def name(self) -> str:
        """What `load_encoder` takes to load the same again."""
        ...

    @property
    def width(self) -> int:
        """Channels of a feature."""
        ...

    @property
    def rate(self) -> int:
        """Features per second, 25 or 50."""
        ...

    @property
    def right_context(self) -> float | None:
        """Sound after the end of its own interval that a feature depends on [s]; None: any."""
        ...

    @property
    def digest(self) -> str:
        """Sixteen characters that change with the weights and with what is computed from them."""
        ...

    def encode(self, samples: Float[np.ndarray, " samples"]) -> Float[Tensor, "features width"]:
        """Features of a recording of any length, in bounded memory.

        Feature i stands for the interval [i / rate, (i + 1) / rate); there are as many as fit.

        Args:
            samples: Mono, 16 kHz.
        """
        ...


@runtime_checkable
class EncoderFamily(Protocol):
    """Encoders of one architecture; a part of the catalog."""

    summary: str
    references: Sequence[str]
    """BibTeX of what a run uses."""

    def load(self, weights: str | None) -> SpeechEncoder:
        """An encoder with these weights, or with the usual ones.

        Args:
            weights: A folder, a run in the cache or a name on a hub, as the family has it.

        Raises:
            AssetError: there are none, or they belong to something else.
            MissingExtraError: an optional package is needed.
        """
        ...

    def debug(self) -> SpeechEncoder:
        """A tiny untrained encoder, for tests.

        Raises:
            MissingExtraError: an optional package is needed.
        """
        ...
