"""Writing 16-bit PCM wav."""

from __future__ import annotations

import wave
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from jaxtyping import Float

from kinevox.files import written_whole


def write_wav(
    path: str | Path,
    samples: Float[np.ndarray, "channels samples"] | Iterable[Float[np.ndarray, "channels _"]],
    sample_rate: int,
) -> None:
    """Writes sound whole or not at all; values beyond full scale are clipped.

    Args:
        samples: All of it, or consecutive blocks such as `read.channel_blocks` yields.
        sample_rate: [Hz]
    """
    blocks = iter([samples] if isinstance(samples, np.ndarray) else samples)
    first = next(blocks)
    with written_whole(Path(path)) as temporary, wave.open(str(temporary), "wb") as file:
        file.setparams((len(first), 2, sample_rate, 0, "NONE", "not compressed"))
        file.writeframes(_pcm(first))
        for block in blocks:
            file.writeframes(_pcm(block))


def _pcm(samples: Float[np.ndarray, "channels samples"]) -> bytes:
    # Scaled by 32768 as readers do, so 16-bit sound passes through unchanged.
    scaled = np.rint(np.asarray(samples, np.float64) * 32768)
    return np.clip(scaled, -32768, 32767).astype("<i2").T.tobytes()
