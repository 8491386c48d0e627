"""What the denoiser hears: features of a speech encoder, one per frame of motion."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from kinevox.audio.encoders import SpeechEncoder, load_encoder
from kinevox.audio.encoders.speech import Speech as SpeechOfKinevox
from kinevox.audio.mel import MelStream, log_mel
from kinevox.audio.mel_grid import BANDS, HOP
from kinevox.errors import AssetError, ConfigError
from kinevox.phones import BILABIALS, Phones, find_phones
from kinevox.phones.hear import told_phones
from kinevox.speech import Speech
from kinevox.timebase import FPS, SAMPLE_RATE, num_frames
from kinevox.training.batch import Batch

if TYPE_CHECKING:
    from kinevox.methods.diffposetalk.network import DiffPoseTalkNetwork
    from kinevox.methods.diffposetalk.sampling import Sampling

PER_FRAME = round(SAMPLE_RATE / FPS) // HOP
"""Log-mel features in a frame of motion."""
_BLOCK = 30 * SAMPLE_RATE
EAGER = 1.0
"""Prior for p, b and m [nats]: a closure that is missing is seen more than one too many."""


class MelEncoder:
    """Log-mel features as they are, those of a frame side by side. Needs no weights."""

    name, width, rate = "mel", PER_FRAME * BANDS, round(FPS)
    right_context: float | None = 0.2
    digest = "mel-1-----------"

    def encode(self, samples: Float[np.ndarray, " samples"]) -> Float[Tensor, "features width"]:
        stream = MelStream()
        blocks = torch.from_numpy(samples.astype(np.float32)).split(_BLOCK)
        return _framed(torch.cat([*map(stream.push, blocks), stream.finish()]))


@lru_cache(maxsize=4)
def encoder_named(name: str) -> SpeechEncoder:
    """`mel`, or one of `kinevox.audio.encoders`."""
    return MelEncoder() if name == MelEncoder.name else load_encoder(name)


def features_of(
    encoder: SpeechEncoder, samples: Float[np.ndarray, " samples"], frames: int
) -> Float[Tensor, "frames width"]:
    """One feature per frame: means over those that fall into it. Zeros behind the last sound.

    Raises:
        ConfigError: the encoder's clock and that of motion do not fit together.
    """
    each, rest = divmod(encoder.rate, round(FPS))
    if rest or not each:
        raise ConfigError(
            f"Encoder '{encoder.name}' makes {encoder.rate} features per second; a multiple of "
            f"{FPS:g} is needed."
        )
    encoded = encoder.encode(samples)
    whole = encoded[: len(encoded) // each * each].unflatten(0, (-1, each)).mean(dim=1)[:frames]
    return torch.cat([whole, whole.new_zeros(frames - len(whole), encoder.width)]).float()


def heard(
    network: DiffPoseTalkNetwork, samples: Float[np.ndarray, " samples"], sampling: Sampling
) -> Float[Tensor, "frames width"]:
    """What a network hears of a recording, for each of its frames and, where it is asked for, of
    the silence behind it to the end of a window.

    Raises:
        ConfigError: the encoder has another width than the network was trained with.
    """
    config = network.config
    encoder = encoder_named(config.encoder)
    if encoder.width != config.features:
        raise ConfigError(
            f"Encoder '{encoder.name}' makes features of {encoder.width} channels; this network "
            f"takes {config.features}."
        )
    if network.hears not in (None, encoder.digest):
        raise AssetError(
            f"This network learned to hear with a speech encoder (digest {network.hears}) other "
            f"than that of this kinevox ({encoder.digest}), whose features mean nothing to it. "
            "Install the version of kinevox that it was packed with, or pack it anew from its run."
        )
    frames = num_frames(max(len(samples), 1), SAMPLE_RATE, network.space.fps)
    if sampling.silence_behind:
        frames = -(-frames // config.window) * config.window
        samples = np.pad(samples, (0, max(frames * PER_FRAME * HOP - len(samples), 0)))
    return features_of(encoder, samples, frames)


def phones_of(
    network: DiffPoseTalkNetwork, speech: Speech, features: Float[Tensor, "frames width"]
) -> Phones | None:
    """Phones whose closures are certain or likely: as given, by the transcript, or as heard.

    Args:
        features: Of this recording, from `heard`.

    Returns:
        None where nothing is given and the encoder of the network does not tell phones.
    """
    if speech.phones is not None or speech.transcript:
        return find_phones(speech)
    encoder = encoder_named(network.config.encoder)
    if not isinstance(encoder, SpeechOfKinevox):
        return None
    return told_phones(features, encoder, speech.seconds, dict.fromkeys(BILABIALS, EAGER))


def features_of_batch(
    encoder: str, batch: Batch, lead: int, tail: int
) -> Float[Tensor, "batch frames width"]:
    """Features of the frames of a batch; zeros where a clip has ended.

    Args:
        lead, tail: Frames of sound around those of motion.
    """
    around = slice(lead, -tail or None)
    if encoder == MelEncoder.name:
        features = _framed(log_mel(batch.samples))[:, around]
    elif batch.features is not None and batch.features.shape[1]:
        features = batch.features.unflatten(1, (batch.mask.shape[1], -1)).mean(dim=2)
    else:
        loaded, frames = encoder_named(encoder), lead + batch.mask.shape[1] + tail
        rows = [features_of(loaded, row, frames)[around] for row in batch.samples.cpu().numpy()]
        features = torch.stack(rows).to(batch.motion.device)
    return features * batch.mask[..., None]


def _framed(
    features: Float[Tensor, "*batch features bands"],
) -> Float[Tensor, "*batch frames width"]:
    whole = features.shape[-2] // PER_FRAME * PER_FRAME
    return features[..., :whole, :].unflatten(-2, (-1, PER_FRAME)).flatten(-2)
