"""What the encoder is trained to tell, and how well it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Integer
from torch import Tensor
from torch.nn import functional

from kinevox.audio.encoders.speech.config import MELS
from kinevox.audio.encoders.speech.network import SpeechNetwork
from kinevox.audio.mel import log_mel
from kinevox.audio.mel_grid import BANDS
from kinevox.data.phonetic.examples import Example
from kinevox.data.phonetic.pack import PHONES, UNKNOWN, Part
from kinevox.phones import BILABIALS

LOOKS = (
    "SIL|P B M|F V|TH DH|T D N L|S Z|SH ZH CH JH|K G NG HH|R ER|W UW|UH OW AO OY|AA AE AH AW AY|"
    "EH EY|IH IY Y"
)
"""Phones that look alike: visemes."""
VISEMES = tuple(tuple(group.split()) for group in LOOKS.split("|"))
WEIGHTS: Mapping[str, float] = {
    "phone": 1.0,
    "viseme": 0.5,
    "pitch": 0.3,
    "voice": 0.2,
    "loud": 0.5,
}

WARP = 0.1
"""Largest change of the length of a speaker's throat, as a share."""
_SMOOTHING = 0.05


@dataclass(frozen=True, eq=False)
class Batch:
    """Examples side by side."""

    samples: Float[Tensor, "batch samples"]
    clean: Float[Tensor, "batch samples"]
    phones: Int[Tensor, "batch mels"]
    pitch: Float[Tensor, "batch mels"]

    @classmethod
    def of(cls, examples: Sequence[Example]) -> Batch:
        return cls(
            *(
                torch.from_numpy(np.stack([getattr(example, name) for example in examples]))
                for name in ("samples", "clean", "phones", "pitch")
            )
        )


def hearing_loss(
    network: SpeechNetwork, batch: Batch, generator: torch.Generator
) -> dict[str, Tensor]:
    """Terms by name, as `WEIGHTS` has them."""
    ahead = network.config.level_ahead
    mels = _masked(_warped(log_mel(batch.samples, ahead), generator), generator)
    hidden = network(mels)
    logits = network.phones(hidden).unflatten(-1, (MELS, -1)).flatten(1, 2).float()
    heard = batch.phones.where(batch.phones != UNKNOWN, -100)
    likely = functional.log_softmax(logits, dim=-1)
    looks = _looks()[batch.phones.clamp(max=len(PHONES) - 1)].where(heard >= 0, -100)
    pitch, voice, loud = network.prosody(hidden).float().unbind(-1)
    octaves = batch.pitch.unflatten(-1, (-1, MELS))
    voiced = octaves.isfinite()
    mean = octaves.nan_to_num().sum(-1) / voiced.sum(-1).clamp(min=1)
    loudness = log_mel(batch.clean, ahead).mean(-1).unflatten(-1, (-1, MELS)).mean(-1)
    sure = voiced.all(-1)
    return {
        "phone": functional.cross_entropy(
            logits.flatten(0, 1), heard.flatten(), label_smoothing=_SMOOTHING
        ),
        "viseme": functional.nll_loss(seen_alike(likely).flatten(0, 1), looks.flatten()),
        "pitch": ((pitch - mean).abs() * sure).sum() / sure.sum().clamp(min=1),
        "voice": functional.binary_cross_entropy_with_logits(voice, voiced.float().mean(-1)),
        "loud": (loud - loudness).square().mean(),
    }


def seen_alike(likely: Float[Tensor, "*batch phones"]) -> Float[Tensor, "*batch visemes"]:
    """Log probabilities of visemes from those of phones."""
    groups = [[PHONES.index(phone) for phone in group] for group in VISEMES]
    return torch.stack([likely[..., group].logsumexp(-1) for group in groups], dim=-1)


def _looks() -> Int[Tensor, " phones"]:
    """The viseme of each phone."""
    return torch.tensor(
        [next(i for i, group in enumerate(VISEMES) if phone in group) for phone in PHONES]
    )


def _warped(
    mels: Float[Tensor, "batch mels bands"], generator: torch.Generator
) -> Float[Tensor, "batch mels bands"]:
    """As if spoken through a longer or shorter throat (Jaitly and Hinton 2013).

    A stretch of the mel axis comes near one of frequency, since speech lies where mels grow with
    its logarithm.
    """
    factor = 1 + WARP * (2 * torch.rand(len(mels), 1, generator=generator) - 1)
    place = (torch.arange(BANDS) * factor).clamp(max=BANDS - 1)
    low = place.long().clamp(max=BANDS - 2)
    part = place - low
    matrix = torch.zeros(len(mels), BANDS, BANDS)
    matrix.scatter_(1, low[:, None], (1 - part)[:, None])
    matrix.scatter_add_(1, low[:, None] + 1, part[:, None])
    return mels @ matrix


def _masked(
    mels: Float[Tensor, "batch mels bands"], generator: torch.Generator
) -> Float[Tensor, "batch mels bands"]:
    """Some bands and some moments are not heard (SpecAugment, Park et al. 2019)."""
    mels = mels.clone()
    quiet = mels.mean(dim=(1, 2))
    for i in range(len(mels)):
        for axis, longest in ((1, 14), (1, 14), (0, 12), (0, 12), (0, 12)):
            length, start = torch.rand(2, generator=generator).tolist()
            count = round(length * longest)
            first = round(start * (mels.shape[1 + axis] - count))
            mels[i].narrow(axis, first, count).fill_(float(quiet[i]))
    return mels


@torch.no_grad()
def hearing_scores(
    network: SpeechNetwork, parts: Sequence[Part], split: str, group: str
) -> dict[str, float]:
    """Shares of frames, every 10 ms, on the undegraded passages of a split.

    `phones` and `visemes` that are right; `speech_...` where the label is not silence; how many of
    the frames in which p, b and m close the lips are found (`closed_recall`), and how many of
    those found are such (`closed_precision`); how much of silence is (`silence_recall`).
    """
    told, true = [], []
    for part in parts:
        for passage in part.passages:
            if passage.split == split and passage.group == group:
                told.append(heard_phones(network, part.samples(passage)).argmax(-1).numpy())
                true.append(part.labels(passage)[0][: len(told[-1])])
    return frame_scores(np.concatenate(told), np.concatenate(true))


def heard_phones(
    network: SpeechNetwork, samples: Float[np.ndarray, " samples"]
) -> Float[Tensor, "mels phones"]:
    """Logits of phones at 100 per second."""
    mels = log_mel(torch.from_numpy(samples)[None], network.config.level_ahead)
    whole = mels.shape[1] // MELS * MELS
    logits = network.phones(network(mels[:, :whole]))
    return logits.unflatten(-1, (MELS, -1)).flatten(1, 2)[0].float()


def frame_scores(
    told: Integer[np.ndarray, " frames"], true: Integer[np.ndarray, " frames"]
) -> dict[str, float]:
    """Scores of places in `PHONES` against those that are right."""
    told, true = told[true != UNKNOWN], true[true != UNKNOWN]
    looks = _looks().numpy()
    closing = np.array([phone in BILABIALS for phone in PHONES])
    speech = true != 0
    right, alike = told == true, looks[told] == looks[true]
    return {
        "phones": _share(right),
        "visemes": _share(alike),
        "speech_phones": _share(right[speech]),
        "speech_visemes": _share(alike[speech]),
        "closed_recall": _share(closing[told][closing[true]]),
        "closed_precision": _share(closing[true][closing[told]]),
        "silence_recall": _share((told == 0)[~speech]),
    }


def _share(hits: Bool[np.ndarray, " frames"]) -> float:
    """0 of nothing."""
    return float(hits.sum() / max(len(hits), 1))
