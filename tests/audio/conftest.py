"""Recordings made on the fly: no sound is committed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest


def encode(
    path: Path,
    samples: np.ndarray,
    sample_rate: int = 48_000,
    codec: str = "pcm_s16le",
    layout: str = "mono",
    with_video: bool = False,
) -> Path:
    """Writes (channels, samples) in the container of the suffix."""
    container_format = {".opus": "ogg", ".mpg": "mpeg", ".aac": "adts"}.get(path.suffix)
    with av.open(str(path), "w", format=container_format) as container:
        sound = container.add_stream(codec, rate=sample_rate, layout=layout)
        sound.format = sound.codec_context.codec.audio_formats[0]
        picture = container.add_stream("mpeg4", rate=25) if with_video else None
        if picture is not None:
            picture.width = picture.height = 32
            picture.pix_fmt = "yuv420p"
            for _ in range(5):
                image = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24")
                container.mux(picture.encode(image))
            container.mux(picture.encode(None))
        interleaved = np.ascontiguousarray(samples.T, np.float32).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(interleaved, format="flt", layout=layout)
        frame.sample_rate, frame.pts = sample_rate, 0
        shaped = av.AudioResampler(
            sound.format, layout, sample_rate, frame_size=sound.codec_context.frame_size or None
        )
        for piece in [*shaped.resample(frame), *shaped.resample(None)]:
            container.mux(sound.encode(piece))
        container.mux(sound.encode(None))
    return path


@pytest.fixture
def make(tmp_path) -> Callable[..., Path]:
    """`make("name.mp3", samples, codec=...)` writes a file and returns its path."""

    def write(name: str, samples: np.ndarray, *args, **kwargs) -> Path:
        return encode(tmp_path / name, np.atleast_2d(samples), *args, **kwargs)

    return write
