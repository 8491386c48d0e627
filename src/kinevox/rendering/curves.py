"""The strip under a face: its main curves and the sound, with a cursor that moves along.

A page of the strip is drawn once and then only the cursor moves; long clips turn pages, so the
strip stays readable and costs the same memory at any length.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float, UInt8

from kinevox.motion import Motion
from kinevox.rendering.picture import INK, PAPER, font
from kinevox.timebase import SAMPLE_RATE

PAGE_SECONDS = 8.0
"""Longest stretch shown at once [s]."""
_FAINT = (58, 62, 68)
_DIM = (150, 156, 164)
_SOUND = (120, 128, 138)


@dataclass(frozen=True)
class Lane:
    """One curve: its label, its values and the range that fills the lane."""

    label: str
    channels: tuple[str, ...]
    """The mean of these is shown."""
    low: float
    high: float
    color: tuple[int, int, int]

    def values(self, motion: Motion) -> Float[np.ndarray, " frames"]:
        return np.mean([motion[name] for name in self.channels], axis=0)


_ARKIT_LANES = (
    Lane("jaw open", ("jawOpen",), 0, 1, (244, 138, 98)),
    Lane("lips closed", ("mouthClose",), 0, 1, (236, 106, 134)),
    Lane("pucker", ("mouthPucker",), 0, 1, (190, 132, 238)),
    Lane("smile", ("mouthSmileLeft", "mouthSmileRight"), 0, 1, (250, 200, 96)),
    Lane("blink", ("eyeBlinkLeft", "eyeBlinkRight"), 0, 1, (110, 200, 250)),
    Lane("head nod", ("head_x",), -0.3, 0.3, (126, 220, 160)),
)


class CurveStrip:
    """Draws the strip of one motion.

    Args:
        samples: The sound at 16 kHz, if there is any.
        size: Width and height of the strip [pixels].
    """

    def __init__(
        self, motion: Motion, samples: Float[np.ndarray, " samples"] | None, size: tuple[int, int]
    ):
        self._motion, self._samples, self._size = motion, samples, size
        self._lanes = _lanes(motion)
        self._page, self._drawn = -1, np.zeros((size[1], size[0], 3), np.uint8)
        self._seconds = min(max(motion.seconds, 1.0), PAGE_SECONDS)
        self._letters = max(round(min(size[0] / 44, size[1] / (len(self._lanes) + 3) * 0.62)), 9)
        self._left, self._right = round(self._letters * 6.6), size[0] - self._letters

    def draw(self, time: float) -> UInt8[np.ndarray, "height width 3"]:
        """The strip with its cursor at a time [s]."""
        page, within = divmod(time, self._seconds)
        if page != self._page:
            self._page, self._drawn = int(page), self._draw_page(page * self._seconds)
        picture = self._drawn.copy()
        x = self._left + within / self._seconds * (self._right - self._left)
        thick = max(self._letters // 8, 1)
        picture[: -round(self._letters * 1.6), round(x) : round(x) + thick] = INK
        return picture

    def _draw_page(self, start: float) -> UInt8[np.ndarray, "height width 3"]:
        from PIL import Image, ImageDraw

        # Drawn twice as large and halved, which smooths the lines.
        width, height = 2 * self._size[0], 2 * self._size[1]
        sheet = Image.new("RGB", (width, height), PAPER)
        draw = ImageDraw.Draw(sheet)
        letters = font(2 * self._letters)
        left, right = 2 * self._left, 2 * self._right
        times = start + (np.arange(left, right, 2) - left) / (right - left) * self._seconds
        sounding = self._samples is not None
        lane_height = (height - 3.2 * self._letters) / (len(self._lanes) + sounding)

        for second in range(int(np.ceil(start)), int(start + self._seconds) + 1):
            x = left + (second - start) / self._seconds * (right - left)
            draw.line([(x, 0), (x, height - 3.2 * self._letters)], fill=_FAINT, width=2)
            draw.text((x, height - 0.4 * self._letters), f"{second} s", _DIM, letters, "ms")

        inside = times < self._motion.seconds
        values = self._motion.sample(times[inside])
        shown = self._motion.replace(values=values)
        x = np.arange(left, right, 2)[inside]
        for row, lane in enumerate(self._lanes):
            top, tall = row * lane_height + 0.12 * lane_height, 0.80 * lane_height
            share = np.clip((lane.values(shown) - lane.low) / (lane.high - lane.low), 0, 1)
            rest = float(np.clip(-lane.low / (lane.high - lane.low), 0, 1))
            y, floor = top + tall * (1 - share), top + tall * (1 - rest)
            line = list(zip(x.tolist(), y.tolist(), strict=True))
            soft = tuple((2 * c + 5 * p) // 7 for c, p in zip(lane.color, PAPER, strict=True))
            if len(line) > 1:
                draw.polygon([(line[0][0], floor), *line, (line[-1][0], floor)], fill=soft)
                draw.line(line, fill=lane.color, width=3)
            draw.line([(left, floor), (right, floor)], fill=_FAINT, width=1)
            at = (left - self._letters, top + tall / 2)
            draw.text(at, lane.label, lane.color, letters, "rm")
        if self._samples is not None:
            middle = (len(self._lanes) + 0.5) * lane_height
            for at, (low, high) in zip(x, self._envelope(times[inside]), strict=True):
                top, bottom = middle - high * lane_height / 2, middle - low * lane_height / 2
                draw.line([(int(at), top), (int(at), bottom + 1)], fill=_SOUND, width=2)
            draw.text((left - self._letters, middle), "sound", _SOUND, letters, "rm")
        return np.asarray(sheet.reduce(2))

    def _envelope(self, times: Float[np.ndarray, " columns"]) -> Float[np.ndarray, "columns 2"]:
        """Lowest and highest sample of each column, scaled to the loudest of the clip."""
        assert self._samples is not None
        edges = (np.append(times, times[-1] + 1 / SAMPLE_RATE) * SAMPLE_RATE).astype(int)
        edges = np.minimum(edges, max(len(self._samples) - 1, 0))
        peaks = [
            (self._samples[a : b + 1].min(), self._samples[a : b + 1].max())
            for a, b in pairwise(edges)
        ]
        return np.array(peaks) / self._loudest

    @property
    def _loudest(self) -> float:
        assert self._samples is not None
        return max(float(self._samples.max()), -float(self._samples.min()), 1e-3)


def strip_height(height: int) -> int:
    """Height of the strip under a picture [pixels], even."""
    return max(round(height * 0.17) * 2, 96)


def _lanes(motion: Motion) -> list[Lane]:
    """The usual lanes of an ARKit motion; of any other, its five liveliest channels."""
    known = set(motion.layout.names)
    lanes = [lane for lane in _ARKIT_LANES if known.issuperset(lane.channels)]
    if len(lanes) > 1:
        return lanes
    liveliest = np.argsort(motion.values.std(axis=0))[::-1][:5]
    lanes = []
    for column, usual in zip(sorted(liveliest), _ARKIT_LANES, strict=False):
        name = motion.layout.names[column]
        reach = float(np.abs(motion.values[:, column]).max()) or 1.0
        lanes.append(Lane(name, (name,), -reach, reach, usual.color))
    return lanes
