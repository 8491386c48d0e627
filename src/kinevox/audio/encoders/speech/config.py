"""What the network of the encoder looks like."""

from __future__ import annotations

from dataclasses import dataclass

from kinevox.audio.mel_grid import HOP, MARGIN
from kinevox.errors import ConfigError
from kinevox.timebase import SAMPLE_RATE

RATE = 25
"""Features per second: one for each frame of motion."""
MELS = SAMPLE_RATE // HOP // RATE
"""Log-mel features in one; phones are told apart as finely."""


@dataclass(frozen=True)
class SpeechConfig:
    """Convolutions and attention that look far back and a little ahead."""

    width: int = 256
    """Channels of a feature, and of everything inside."""
    heads: int = 4
    """Of each attention."""
    ahead: tuple[int, ...] = (1, 1, 1, 1, 0, 0)
    """How far the convolution of each block looks ahead [features]."""
    kernel: int = 7
    """Of each convolution [features]."""
    memory: int = 32
    """How far each attention looks back [features]."""
    level_ahead: int = 3
    """How much later sound the level of the speaker knows [log-mel features]."""
    skip: float = 0.1
    """How often a layer is left out for a sample in training."""

    def __post_init__(self) -> None:
        if self.width < 1 or self.heads < 1 or self.width % (2 * self.heads):
            raise ConfigError(
                f"width is {self.width}, heads {self.heads}; the width must be a multiple of "
                "twice the heads, and both positive."
            )
        if not self.ahead or not 0 <= min(self.ahead) <= max(self.ahead) < self.kernel:
            raise ConfigError(
                f"ahead is {self.ahead}, kernel {self.kernel}; each block must look ahead by less "
                "than its kernel."
            )
        if self.memory < 1 or self.level_ahead < 0 or not 0 <= self.skip < 1:
            raise ConfigError(
                f"memory is {self.memory}, level_ahead {self.level_ahead}, skip {self.skip}; "
                "expected at least 1, at least 0, and a share below 1."
            )

    @property
    def right_context(self) -> float:
        """Sound after the end of its own interval that a feature depends on [s]."""
        hops = sum(self.ahead) * MELS + self.level_ahead
        return (hops * HOP + MARGIN) / SAMPLE_RATE
