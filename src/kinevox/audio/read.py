"""Reading speech: any recording -> mono float32 at 16 kHz, streamed or whole.

Mono is the mean of all channels except the subwoofer's (LFE). Samples keep their level: float
recordings beyond [-1, 1] are not clipped, and resampling may overshoot full scale slightly.
Sample n of the result lies at n / sample_rate in the recording: the resampler adds no delay, and
the silence that encoders put in front is gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float

from kinevox.audio._decode import DecodedBlock, decoded_blocks
from kinevox.errors import AudioError
from kinevox.phones import Phones
from kinevox.speech import Speech
from kinevox.timebase import SAMPLE_RATE

MIN_SECONDS = 0.2
"""Shortest speech that methods accept [s]."""


def read_speech(
    path: str | Path, transcript: str | None = None, phones: Phones | None = None
) -> Speech:
    """A recording as methods take it.

    Args:
        transcript: What is said, if known.
        phones: Phone times, if known.

    Raises:
        AudioError: not readable as sound, or shorter than `MIN_SECONDS`.
    """
    speech = Speech(read_audio(path), Path(path), transcript, phones)
    if speech.seconds < MIN_SECONDS:
        raise AudioError(
            f"{path} is {speech.seconds:.3f} s long; at least {MIN_SECONDS} s is needed. "
            "Pad it with silence or give a longer recording."
        )
    return speech


def read_audio(path: str | Path, sample_rate: int = SAMPLE_RATE) -> Float[np.ndarray, " samples"]:
    """A whole recording, mono.

    Raises:
        AudioError: not readable as sound.
    """
    return _joined(_resampled(Path(path), sample_rate, max_channels=1))[:, 0]


def audio_blocks(
    path: str | Path, sample_rate: int = SAMPLE_RATE
) -> Iterator[Float[np.ndarray, " samples"]]:
    """A recording, mono, in consecutive blocks of any size: bounded memory at any length.

    Raises:
        AudioError: not readable as sound; damage may show only after the last block.
    """
    for block in _resampled(Path(path), sample_rate, max_channels=1):
        yield block[:, 0]


def read_channels(
    path: str | Path, sample_rate: int = 48_000
) -> Float[np.ndarray, "channels samples"]:
    """A whole recording in mono or stereo, for formats that carry the sound itself.

    Raises:
        AudioError: not readable as sound.
    """
    return _joined(_resampled(Path(path), sample_rate, max_channels=2)).T


def channel_blocks(
    path: str | Path, sample_rate: int = 48_000
) -> Iterator[Float[np.ndarray, "channels samples"]]:
    """What `read_channels` reads, in consecutive blocks of any size.

    Raises:
        AudioError: not readable as sound; damage may show only after the last block.
    """
    for block in _resampled(Path(path), sample_rate, max_channels=2):
        yield block.T


def _resampled(
    path: Path, sample_rate: int, max_channels: int
) -> Iterator[Float[np.ndarray, "samples channels"]]:
    import soxr

    resampler, rate, num_channels = None, 0, 0
    for block in decoded_blocks(path):
        # The first block decides; later changes of layout are mixed to fit.
        num_channels = num_channels or min(len(block.samples), max_channels)
        samples = _mixed(block, num_channels)
        if block.sample_rate != rate:
            if resampler is not None:
                yield resampler.resample_chunk(samples[:0], last=True)
            rate = block.sample_rate
            resampler = (
                soxr.ResampleStream(rate, sample_rate, num_channels, dtype="float32")
                if rate != sample_rate
                else None
            )
        if resampler is not None:
            samples = resampler.resample_chunk(samples)
        if len(samples):
            yield samples
    if resampler is not None:
        yield resampler.resample_chunk(np.zeros((0, num_channels), np.float32), last=True)


def _mixed(block: DecodedBlock, num_channels: int) -> Float[np.ndarray, "samples channels"]:
    """One channel, or left and right; whatever is on neither side is heard on both."""
    samples = block.samples
    if len(samples) != num_channels:
        names = block.channel_names
        heard = [i for i, name in enumerate(names) if not name.startswith("LFE")]
        heard = heard or list(range(len(names)))
        sides = [heard]
        if num_channels == 2:
            # FFmpeg's names tell the side by a letter: FL, TBR, SDL...
            sides = [[i for i in heard if other not in names[i]] or heard for other in "RL"]
        samples = np.stack([samples[side].mean(axis=0) for side in sides])
    return np.ascontiguousarray(samples.T)


def _joined(
    blocks: Iterator[Float[np.ndarray, "_ channels"]],
) -> Float[np.ndarray, "samples channels"]:
    """Joins blocks in one array that grows in place, so that a recording is never held twice."""
    whole = next(blocks).copy()
    filled = len(whole)
    for block in blocks:
        end = filled + len(block)
        if end > len(whole):
            whole.resize((max(end, len(whole) * 5 // 4), whole.shape[1]), refcheck=False)
        whole[filled:end] = block
        filled = end
    whole.resize((filled, whole.shape[1]), refcheck=False)
    return whole
