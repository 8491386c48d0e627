"""Speech encoders, one per file or folder; `ENCODERS` lists them by name."""

from __future__ import annotations

from kinevox.audio.encoders._base import EncoderFamily, SpeechEncoder
from kinevox.catalog import Catalog

ENCODERS = Catalog("kinevox.audio.encoders", "ENCODER", "speech encoder")

__all__ = ["ENCODERS", "EncoderFamily", "SpeechEncoder", "load_encoder"]


def load_encoder(name: str) -> SpeechEncoder:
    """An encoder by name, or with weights of your own behind a colon: `speech:runs/long`.

    What follows the colon is a folder with weights; for `speech` also the name of a run in the
    cache, for the encoders of transformers also a name on its hub.

    Raises:
        UnknownNameError: no such encoder.
        AssetError: there are no such weights.
        MissingExtraError: the encoder needs an optional package.
    """
    family, _, weights = name.partition(":")
    return ENCODERS.get(family).load(weights or None)
