"""Writing FLAC: 16-bit sound at about half the size, bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float

from kinevox.files import written_whole
from kinevox.timebase import SAMPLE_RATE


def write_flac(
    path: str | Path, samples: Float[np.ndarray, " samples"], sample_rate: int = SAMPLE_RATE
) -> None:
    """Writes mono sound whole or not at all; values beyond full scale are clipped."""
    import av

    scaled = np.clip(np.rint(np.asarray(samples, np.float64) * 32768), -32768, 32767)
    with written_whole(Path(path)) as temporary, av.open(str(temporary), "w") as container:
        stream = container.add_stream("flac", rate=sample_rate, layout="mono", format="s16")
        frame = av.AudioFrame.from_ndarray(scaled.astype(np.int16)[None], "s16", "mono")
        frame.sample_rate = sample_rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
