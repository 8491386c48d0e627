"""Published encoders through the transformers library: waveform in, 50 vectors per second out."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from jaxtyping import Float

from kinevox.errors import AssetError, MissingExtraError
from kinevox.timebase import SAMPLE_RATE

if TYPE_CHECKING:
    from torch import Tensor

VERSION = 1
"""Rises when the same weights give other features."""
CORE, CONTEXT = 20, 5
"""A long recording is encoded in pieces of `CORE`, each with `CONTEXT` on either side [s]."""

_TINY: Mapping[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": [8] * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
}


@dataclass(frozen=True, eq=False)
class TransformersEncoder:
    """A `HubertModel` or `Wav2Vec2Model`; see `kinevox.audio.encoders`."""

    name: str
    model: Any
    """Its last hidden states are the features."""
    digest: str

    rate: ClassVar[int] = 50
    right_context: ClassVar[None] = None

    @property
    def width(self) -> int:
        return self.model.config.hidden_size

    def encode(self, samples: Float[np.ndarray, " samples"]) -> Float[Tensor, "features width"]:
        """Features of a recording, the level of each moment set by what is around it.

        Recordings beyond `CORE + 2 * CONTEXT` are encoded in pieces that overlap; attention
        reaches further than a piece, so this comes near encoding them at once, not more.
        """
        import torch

        from kinevox.audio.encoders._padding import HOP, LocalLevel, padded

        count = len(samples) // HOP
        level, features = LocalLevel(samples), torch.zeros(count, self.width)
        core, context = (seconds * SAMPLE_RATE // HOP for seconds in (CORE, CONTEXT))
        if count <= core + 2 * context:
            core = count
        for start in range(0, count, max(core, 1)):
            first = max(start - context, 0)
            last = min(start + core + context, count)
            sound = torch.from_numpy(level.cut(first * HOP, last * HOP))
            heard = self.hidden(padded(sound)[None], last - first)[0]
            end = min(start + core, count)
            features[start:end] = heard[start - first : end - first]
        return features

    def hidden(
        self, samples: Float[Tensor, "batch samples"], count: int
    ) -> Float[Tensor, "batch count width"]:
        """Last hidden states of sound at its final level and length.

        Vectors of the convolutions that are more or fewer than `count` are interpolated before
        the transformer, as DiffPoseTalk does it.
        """
        import torch
        from torch.nn import functional

        with torch.no_grad():
            heard = self.model.feature_extractor(samples)
            if heard.shape[-1] != count:
                heard = functional.interpolate(heard, count, mode="linear")
            projected = self.model.feature_projection(heard.mT)
            # wav2vec 2.0 returns what it projects, too.
            if isinstance(projected, tuple):
                projected = projected[0]
            return self.model.encoder(projected).last_hidden_state


@dataclass(frozen=True)
class TransformersFamily:
    """Encoders of one class of the library."""

    name: str
    summary: str
    references: Sequence[str]
    model: str
    """Class of the network; its configuration is named alike."""
    usual: str
    """Weights on the hub."""
    tiny: Mapping[str, Any]
    """What sets its tiny form apart from that of HuBERT."""

    def load(self, weights: str | None) -> TransformersEncoder:
        """An encoder from a local folder, or by its name on the hub, which downloads it once.

        Raises:
            MissingExtraError: transformers is not installed.
            AssetError: there are no such weights.
        """
        source = weights or self.usual
        if (folder := Path(source).expanduser()).is_dir():
            source = str(folder)
        try:
            model = self._library(self.model).from_pretrained(source)
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise AssetError(
                f"'{source}' gives no weights for '{self.name}' ({str(error).splitlines()[0]}). "
                f"Name a folder with config.json and weights, as in '{self.name}:FOLDER', or a "
                f"model on the hub such as '{self.usual}', and see that it can be reached."
            ) from error
        name = self.name if weights is None else f"{self.name}:{weights}"
        return self.wrap(model, name)

    def debug(self) -> TransformersEncoder:
        """A tiny untrained encoder, for tests.

        Raises:
            MissingExtraError: transformers is not installed.
        """
        import torch

        with torch.random.fork_rng():
            torch.manual_seed(0)
            config = self._library(self.model.replace("Model", "Config"))
            return self.wrap(self._library(self.model)(config(**{**_TINY, **self.tiny})), self.name)

    def wrap(self, model: Any, name: str) -> TransformersEncoder:
        """A network of the library as an encoder."""
        return TransformersEncoder(name, model.eval().requires_grad_(False), _digest(model))

    def _library(self, name: str) -> Any:
        try:
            return getattr(importlib.import_module("transformers"), name)
        except ImportError as error:
            raise MissingExtraError(f"The speech encoder '{self.name}'", "encoders") from error


def _digest(model: Any) -> str:
    digest = hashlib.sha256(json.dumps([VERSION, type(model).__name__, CORE, CONTEXT]).encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().contiguous().numpy().data)
    return digest.hexdigest()[:16]
