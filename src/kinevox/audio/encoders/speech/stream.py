"""The encoder on sound that arrives in chunks."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from kinevox.audio.encoders.speech.network import SpeechNetwork, State
from kinevox.audio.mel import MelStream


class SpeechStream:
    """Gives each feature as soon as it is certain."""

    def __init__(self, network: SpeechNetwork):
        self._network = network
        self._mels = MelStream(network.config.level_ahead)
        self._state = State()

    def push(self, samples: Float[Tensor, " samples"]) -> Float[Tensor, "features width"]:
        """The features that are certain now; those of the last moments wait for what follows."""
        return self._heard(self._mels.push(samples), last=False)

    def finish(self) -> Float[Tensor, "features width"]:
        """The features that were still waiting."""
        return self._heard(self._mels.finish(), last=True)

    @torch.no_grad()
    def _heard(
        self, mels: Float[Tensor, "mels bands"], last: bool
    ) -> Float[Tensor, "features width"]:
        return self._network.push(mels[None], self._state, last)[0]
