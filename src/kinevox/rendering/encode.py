"""Pictures and sound -> H.264 and AAC in an MP4, a frame at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from types import TracebackType

import numpy as np
from jaxtyping import Float, UInt8

_BT709 = 1
_LIMITED = 1
_WAITING = 4
"""Pictures that may wait for the encoder; more only cost memory."""


@dataclass(frozen=True, eq=False)
class Sound:
    """Sound as it arrives: blocks of mono or stereo samples, the first at time 0."""

    sample_rate: int
    blocks: Iterator[Float[np.ndarray, "channels samples"]]


class Mp4Writer:
    """Encodes in a thread of its own while the caller draws the next picture.

    Frame t is shown at t / fps; the sound starts at 0 (the encoder's run-in is cut off by the
    container's edit list) and is cut at most one frame after the last picture.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        fps: Fraction,
        num_frames: int,
        sound: Sound | None = None,
        tags: Mapping[str, str] | None = None,
    ):
        import av

        self._fps, self._sound = fps, sound
        self._container = av.open(str(path), "w", options={"movflags": "+faststart"})
        self._container.metadata.update(tags or {})
        self._video = self._container.add_stream("libx264", rate=fps)
        self._video.width, self._video.height = size
        self._video.pix_fmt = "yuv420p"
        self._video.options = {"preset": "veryfast", "crf": "18"}
        context = self._video.codec_context
        context.gop_size = max(round(2 * fps), 1)
        context.color_primaries = context.color_trc = context.colorspace = _BT709
        context.color_range = _LIMITED
        if sound is not None:
            first = next(sound.blocks)
            self._blocks = chain([first], sound.blocks)
            self._layout = "mono" if len(first) == 1 else "stereo"
            self._audio = self._container.add_stream("aac", rate=sound.sample_rate)
            self._audio.layout = self._layout
            self._audio.bit_rate = 128_000 * len(first)
            self._samples_left = int((num_frames + 1) / fps * sound.sample_rate)
            self._samples_done = 0
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="kinevox-encode")
        self._pending: deque[Future[None]] = deque()
        self._count = 0

    def add(self, picture: UInt8[np.ndarray, "height width 3"]) -> None:
        """Hands over the next picture; waits while the encoder is behind."""
        if len(self._pending) >= _WAITING:
            self._pending.popleft().result()
        self._pending.append(self._pool.submit(self._encode, picture, self._count))
        self._count += 1

    def __enter__(self) -> Mp4Writer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._pending.append(self._pool.submit(self._finish))
                for waiting in self._pending:
                    waiting.result()
        finally:
            self._pool.shutdown(cancel_futures=True)
            self._container.close()

    def _encode(self, picture: np.ndarray, index: int) -> None:
        from av import VideoFrame
        from av.video.reformatter import ColorRange, Colorspace

        frame = VideoFrame.from_ndarray(picture, format="rgb24").reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        frame.pts, frame.time_base = index, 1 / self._fps
        self._container.mux(self._video.encode(frame))
        self._encode_sound(until=(index + 1) / self._fps)

    def _encode_sound(self, until: Fraction | None) -> None:
        """Keeps the sound abreast of the pictures, so the muxer need not hold either back."""
        if self._sound is None:
            return
        from av import AudioFrame

        rate = self._sound.sample_rate
        while self._samples_left and (until is None or self._samples_done < until * rate):
            block = next(self._blocks, None)
            if block is None:
                break
            block = np.ascontiguousarray(block[:, : self._samples_left], dtype=np.float32)
            frame = AudioFrame.from_ndarray(block, format="fltp", layout=self._layout)
            frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
            frame.pts = self._samples_done
            self._container.mux(self._audio.encode(frame))
            self._samples_done += block.shape[1]
            self._samples_left -= block.shape[1]

    def _finish(self) -> None:
        self._encode_sound(until=None)
        self._container.mux(self._video.encode(None))
        if self._sound is not None:
            self._container.mux(self._audio.encode(None))
