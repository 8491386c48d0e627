"""Painted faces: small videos, and a tracker that finds the faces in them without MediaPipe.

A face is a disc whose forehead is blue. One person is light on the right side of the picture,
another one on the left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from kinevox.capture.correspond import load_table

WIDTH, HEIGHT = 192, 128


@dataclass(frozen=True)
class Disc:
    """One painted face."""

    x: float = WIDTH / 2
    y: float = HEIGHT / 2
    radius: float = 32.0
    other: bool = False
    """Whether it is the other person's."""


def paint(*discs: Disc, gray: int = 90) -> UInt8[np.ndarray, "height width 3"]:
    """A picture with upright faces on gray."""
    picture = np.full((HEIGHT, WIDTH, 3), gray, np.uint8)
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    for disc in discs:
        u, v = (x - disc.x) / disc.radius, (y - disc.y) / disc.radius
        inside = u**2 + v**2 < 1
        light = (u < 0) == disc.other
        skin = np.stack([np.full_like(u, 220), np.where(light, 190, 40), np.full_like(u, 60)], -1)
        skin[v < -0.6] = (20, 60, 220)
        picture[inside] = skin[inside]
    return picture


def write_video(
    path: Path,
    pictures: Sequence[np.ndarray],
    *,
    fps: int = 25,
    times: Sequence[float] | None = None,
    rotation: int | None = None,
    aspect: Fraction | None = None,
    sound_from: float | None = None,
) -> Path:
    """Saves pictures as H.264, whose losses are small here; the suffix chooses the container.

    Args:
        times: When each picture is shown [s]; evenly by default.
        rotation: Turn to the left that players apply [degrees].
        aspect: Width of a pixel over its height.
        sound_from: When a tone begins [s]; it lasts as long as the pictures do.
    """
    import av

    clock = Fraction(1, 12_800)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=fps)
        video.height, video.width = pictures[0].shape[:2]
        video.pix_fmt, video.options = "yuv420p", {"preset": "veryfast", "crf": "8"}
        video.codec_context.time_base = video.time_base = clock
        if aspect is not None:
            video.codec_context.sample_aspect_ratio = aspect
        if rotation is not None:
            video.set_display_rotation(rotation)
        if sound_from is not None:
            sound = container.add_stream("aac", rate=16_000)
            sound.layout = "mono"
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame = frame.reformat(format="yuv420p")
            shown = index / fps if times is None else times[index]
            frame.pts, frame.time_base = round(shown / clock), clock
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if sound_from is not None:
            count = max(int(len(pictures) / fps * 16_000), 4800)
            tone = 0.3 * np.sin(np.arange(count) * 0.1, dtype=np.float32)[None]
            frame = av.AudioFrame.from_ndarray(tone.astype(np.float32), "fltp", "mono")
            frame.sample_rate, frame.time_base = 16_000, Fraction(1, 16_000)
            frame.pts = round(sound_from * 16_000)
            container.mux(sound.encode(frame))
            container.mux(sound.encode(None))
    return path


class DiscTracker:
    """Finds painted faces at any turn."""

    def faces(
        self, pixels: UInt8[np.ndarray, "height width 3"], time: float
    ) -> Float[np.ndarray, "faces points 3"]:
        from scipy.ndimage import label

        height, width = pixels.shape[:2]
        red, blue = (pixels[..., k].astype(int) for k in (0, 2))
        marks, count = label(np.ptp(pixels, axis=-1) > 50)
        found = []
        for number in range(1, count + 1):
            y, x = np.nonzero(marks == number)
            if len(x) < 40:
                continue
            middle = np.array([x.min() + x.max(), y.min() + y.max()]) / 2 + 0.5
            brow = blue[y, x] > red[y, x]
            up = np.array([x[brow].mean(), y[brow].mean()]) + 0.5 - middle
            up /= np.linalg.norm(up)
            size = (np.ptp(x) + np.ptp(y)) / 4
            right = np.array([-up[1], up[0]])
            flat = FACE[:, :1] * right + FACE[:, 1:2] * up
            points = np.concatenate([middle + size * flat, -size * FACE[:, 2:]], axis=1)
            found.append(points / [width, height, width])
        return np.array(found, np.float32).reshape(-1, len(FACE), 3)

    def close(self) -> None:
        pass


def _face() -> Float[np.ndarray, "landmarks 3"]:
    """An average face that fits into a disc of radius 1."""
    mean = load_table().mean
    low, high = mean.min(axis=0), mean.max(axis=0)
    return (mean - (low + high) / 2) / (high - low)[:2].max() * 1.6


FACE = _face()
