"""Our own encoder: log-mel in, phones and prosody heard; small, fast and able to stream.

Trained by `kinevox train speech` to tell phones, visemes, pitch and loudness of degraded speech,
so its features carry what lips, jaw, brows and head go by, whoever speaks and however loud. What
comes 0.2 s later does not change them, nor does the level of the recording.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from jaxtyping import Float

from kinevox.audio.encoders.speech.config import MELS, RATE, SpeechConfig
from kinevox.audio.mel_grid import HOP
from kinevox.errors import AssetError

if TYPE_CHECKING:
    from torch import Tensor

    from kinevox.audio.encoders.speech.network import SpeechNetwork
    from kinevox.audio.encoders.speech.stream import SpeechStream

WEIGHTS = Path(__file__).parent / "speech.safetensors"
"""What `speech` loads unless told otherwise."""
_AT_ONCE = 20 * MELS * RATE * HOP
"""Sound that passes through the network together [samples]."""


@dataclass(frozen=True, eq=False)
class Speech:
    """The encoder; see `kinevox.audio.encoders`."""

    name: str
    network: SpeechNetwork
    digest: str

    rate: ClassVar[int] = RATE

    @property
    def width(self) -> int:
        return self.network.config.width

    @property
    def right_context(self) -> float:
        return self.network.config.right_context

    def encode(self, samples: Float[np.ndarray, " samples"]) -> Float[Tensor, "features width"]:
        """Features of a recording; see `SpeechEncoder.encode`."""
        import torch

        stream, sound = self.stream(), torch.from_numpy(np.ascontiguousarray(samples, np.float32))
        return torch.cat([*map(stream.push, sound.split(_AT_ONCE)), stream.finish()])

    def stream(self) -> SpeechStream:
        """What `encode` gives, for sound that arrives in chunks of any size."""
        from kinevox.audio.encoders.speech.stream import SpeechStream

        return SpeechStream(self.network)


class SpeechFamily:
    """Encoders of this kind: the one of the package, and those that were trained here."""

    summary = "Ours: 5 M parameters, hears phones and prosody, can stream"
    references = ()

    def load(self, weights: str | None) -> Speech:
        """The encoder of the package, or of a run by folder or name in the cache.

        Raises:
            AssetError: there is none, or it is damaged.
        """
        from kinevox.audio.encoders.speech.weights import digest_of, read_weights
        from kinevox.cache import cache_dir

        path, name = WEIGHTS, "speech"
        if weights is not None:
            path, name = Path(weights).expanduser(), f"speech:{weights}"
            if len(path.parts) == 1 and not path.exists():
                path = cache_dir("runs") / path
            path = path / WEIGHTS.name if path.is_dir() else path
        elif not path.is_file():
            raise AssetError(
                "This kinevox was built without the weights of its speech encoder. Train some with "
                "`kinevox train speech`, then use them as 'speech:RUN'."
            )
        return Speech(name, read_weights(path)[0], digest_of(path))

    def debug(self) -> Speech:
        """A tiny untrained encoder, for tests."""
        import torch

        from kinevox.audio.encoders.speech.network import SpeechNetwork

        with torch.random.fork_rng():
            torch.manual_seed(0)
            network = SpeechNetwork(SpeechConfig(width=16, heads=2, ahead=(1, 0), memory=4))
        return Speech("speech", network.eval().requires_grad_(False), "debug" + "0" * 11)


ENCODER = SpeechFamily()
