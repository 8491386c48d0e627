"""Log-mel features on the clock of motion: four of them per frame at 25 fps.

Feature m stands for the samples [160 m, 160 (m + 1)), seen through a window of 25 ms around their
center, so n frames of 640 samples have exactly 4 n features.

Levels are relative to the speaker, not to full scale: turning up the gain changes nothing. The
speaker's level is a running maximum that fades slowly and knows the next 0.2 s, so no feature
depends on the whole recording, and `MelStream` gives chunk by chunk what `log_mel` gives at once.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from kinevox.audio.mel_grid import BANDS, HOP, MARGIN, WINDOW
from kinevox.timebase import SAMPLE_RATE

FADE_DB = 6.0 * HOP / SAMPLE_RATE
"""Without louder sound the level falls by 6 dB in a second [dB per feature]."""
LOOKAHEAD = 20
"""The level knows what comes this much later: the vowel behind a soft onset [features]."""
LOWEST_LEVEL_DB = -55.0
"""The level never falls below, so that silence stays silent [dB re full scale]."""
DEPTH_DB = 80.0
"""Sounds are told apart down to this far below the level [dB]."""

_FFT = 512
_FLOOR = 1e-14


def log_mel(
    samples: Float[Tensor, "*batch samples"], lookahead: int = LOOKAHEAD
) -> Float[Tensor, "*batch features 80"]:
    """Log-mel features of whole recordings, one per full hop.

    Args:
        lookahead: How much later sound the level knows [features].

    Returns:
        Energy of each band below the speaker's level: 2 at the level, -2 at `DEPTH_DB` below it
        and for everything fainter.
    """
    bands = _bands(functional.pad(samples, (MARGIN, MARGIN)))
    energy = functional.pad(bands.sum(-1), (0, lookahead))
    return _below(_levels(energy)[..., lookahead:], bands)


class MelStream:
    """What `log_mel` gives, for sound that arrives in chunks of any size.

    Args:
        lookahead: As `log_mel` has it [features].
    """

    def __init__(self, lookahead: int = LOOKAHEAD) -> None:
        self._lookahead = lookahead
        self._samples = torch.zeros(MARGIN)
        self._bands = torch.zeros(0, BANDS)
        self._levels = torch.zeros(0)
        self._level: Tensor | None = None

    def push(self, samples: Float[Tensor, " samples"]) -> Float[Tensor, "features 80"]:
        """The features that are certain now; the last `lookahead` wait for what follows."""
        self._samples = torch.cat([self._samples, samples])
        bands = _bands(self._samples)
        self._samples = self._samples[len(bands) * HOP :]
        self._bands = torch.cat([self._bands, bands])
        return self._certain(bands.sum(-1))

    def finish(self) -> Float[Tensor, "features 80"]:
        """The features that were still waiting."""
        return torch.cat(
            [self.push(torch.zeros(MARGIN)), self._certain(torch.zeros(self._lookahead))]
        )

    def _certain(self, energy: Float[Tensor, " features"]) -> Float[Tensor, "certain 80"]:
        if not len(energy):
            return self._bands[:0]
        levels = _levels(energy, self._level)
        self._level = levels[-1]
        self._levels = torch.cat([self._levels, levels])
        count = max(len(self._levels) - self._lookahead, 0)
        features = _below(self._levels[self._lookahead :], self._bands[:count])
        self._bands, self._levels = self._bands[count:], self._levels[count:]
        return features


def _bands(samples: Float[Tensor, "*batch samples"]) -> Float[Tensor, "*batch features 80"]:
    """Mean square of the sound in each band; together they are that of the whole sound."""
    if samples.shape[-1] < WINDOW:
        return samples.new_zeros(*samples.shape[:-1], 0, BANDS)
    # Reduced precision would drown quiet sounds, so autocast stays out.
    with torch.autocast(samples.device.type, enabled=False):
        window, filters = _constants(samples.device)
        spectrum = torch.fft.rfft(samples.float().unfold(-1, WINDOW, HOP) * window, _FFT)
        return (spectrum.real**2 + spectrum.imag**2) @ filters


def _levels(
    energy: Float[Tensor, "*batch features"], before: Float[Tensor, ""] | None = None
) -> Float[Tensor, "*batch features"]:
    """The loudest until now, each sound counting `FADE_DB` less per feature passed [dB]."""
    fade = FADE_DB * torch.arange(1, energy.shape[-1] + 1, device=energy.device)
    loudest = torch.cummax(_decibel(energy) + fade, dim=-1).values
    return (loudest if before is None else torch.maximum(loudest, before)) - fade


def _below(
    levels: Float[Tensor, "*batch features"], bands: Float[Tensor, "*batch features bands"]
) -> Float[Tensor, "*batch features bands"]:
    reference = levels.clamp(min=LOWEST_LEVEL_DB)[..., None]
    return (_decibel(bands) - reference).clamp(min=-DEPTH_DB) * (4 / DEPTH_DB) + 2


def _decibel(power: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    return 10 * torch.log10(power.clamp(min=_FLOOR))


@lru_cache
def _constants(
    device: torch.device,
) -> tuple[Float[Tensor, " window"], Float[Tensor, "bins bands"]]:
    window = torch.hann_window(WINDOW, dtype=torch.float64)
    # Parseval: with this factor the bins of a windowed sound add up to its mean square.
    scale = 2 / (_FFT * (window**2).sum().item())
    filters = torch.tensor(mel_filters() * scale, dtype=torch.float32, device=device)
    return window.float().to(device), filters


def mel_filters() -> Float[np.ndarray, "bins bands"]:
    """Triangles of height 1, evenly spaced on the mel scale from 0 to 8 kHz.

    Source: Slaney's Auditory Toolbox (1998): linear below 1 kHz, logarithmic above.
    """
    step, knee, ratio = 200 / 3, 1000.0, np.log(6.4) / 27
    top = knee / step + np.log(SAMPLE_RATE / 2 / knee) / ratio
    mels = np.linspace(0, top, BANDS + 2)
    hertz = np.where(mels < knee / step, mels * step, knee * np.exp(ratio * (mels - knee / step)))
    bins = np.fft.rfftfreq(_FFT, 1 / SAMPLE_RATE)[:, None]
    rising = (bins - hertz[:-2]) / (hertz[1:-1] - hertz[:-2])
    falling = (hertz[2:] - bins) / (hertz[2:] - hertz[1:-1])
    return np.clip(np.minimum(rising, falling), 0, None)
