"""The regressor's configuration and how it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from kinevox.data import Corpus
from kinevox.data.windows import WindowShape
from kinevox.errors import ConfigError
from kinevox.training import Space, TrainingOptions

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from kinevox.methods.regressor.network import RegressorNetwork
    from kinevox.training.batch import Batch

LEAD, TAIL = 50, 6
"""Sound around a window, from which the speaker's level is known [frames]."""


@dataclass(frozen=True)
class RegressorConfig:
    """A transformer that predicts one motion, without randomness."""

    name: ClassVar[str] = "regressor"
    training: ClassVar[TrainingOptions] = TrainingOptions()
    decided_by: ClassVar[str] = "face_error"

    width: int = 256
    """Of the transformer."""
    layers: int = 4
    """Of the transformer."""
    heads: int = 4
    """Of each attention."""
    dropout: float = 0.2
    """Share of what each layer adds that is dropped in training."""
    window: int = 100
    """Frames that are predicted together."""
    velocity: float = 10.0
    """Weight of the error of frame-to-frame differences, against that of poses. Differences are
    small, so with a weight of 1 they count for nothing and the head trembles."""

    def __post_init__(self) -> None:
        if min(self.width, self.layers, self.heads) < 1 or self.width % (2 * self.heads):
            raise ConfigError(
                f"width is {self.width}, heads {self.heads}, layers {self.layers}; the width must "
                "be a multiple of twice the heads, and all must be positive."
            )
        if self.window < 20 or not 0 <= self.dropout < 1:
            raise ConfigError(
                f"window is {self.window}, dropout {self.dropout}; at least 20 frames and a share "
                "below 1 are needed."
            )

    @property
    def windows(self) -> WindowShape:
        return WindowShape(self.window, lead=LEAD, tail=TAIL)

    @property
    def loss_weights(self) -> Mapping[str, float]:
        return {"pose": 1.0, "velocity": self.velocity}

    def build(self, space: Space) -> RegressorNetwork:
        from kinevox.methods.regressor.network import RegressorNetwork

        return RegressorNetwork(self, space)

    def fake_batch(self, space: Space) -> Batch:
        from kinevox.training.batch import fake_batch

        return fake_batch(space, self.windows)

    def loss(
        self, network: RegressorNetwork, batch: Batch, generator: Generator
    ) -> Mapping[str, Tensor]:
        """Mean squared errors in normalized space."""
        from kinevox.methods.regressor.network import regression_loss

        return regression_loss(network, batch)

    def validate(self, network: RegressorNetwork, corpus: Corpus) -> Mapping[str, float]:
        """Errors of the neutral style on whole clips."""
        from kinevox.methods.regressor.perform import validation_scores

        return validation_scores(network, corpus)
