"""How somebody moves, in numbers that can be measured: as an example shows, and as a style expects.

How often somebody blinks, or how quickly they turn, is told best by measuring all of an example;
the style encoder, which looks at four seconds at a time to tell people apart, tells it less well.
But little of an example shows little. So a style carries both (`Style.manner`), and the longer an
example is, the more its own numbers count against those that are usual of such styles: an
empirical Bayes estimate, with weights that were measured on people of a corpus (`calibration.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from kinevox.blinks import count_blinks
from kinevox.gaze import steady_sight
from kinevox.methods.diffposetalk import Style
from kinevox.methods.diffposetalk.channels import normalized
from kinevox.methods.diffposetalk.dynamics import LEAST_FRAMES, amounts_of, kinds_of, parts_of
from kinevox.methods.diffposetalk.expectation import Expectation
from kinevox.methods.diffposetalk.habits import wander_of
from kinevox.methods.diffposetalk.style import StyleEncoder
from kinevox.motion import ARKIT, Motion, MotionLayout

_TRUST = (0.01, 0.99)
"""Least and largest weight of an example of the usual length."""


class Manner(NamedTuple):
    """How somebody moves."""

    moves: Mapping[str, Float[np.ndarray, " kinds"]]
    """Of each part of the face, as of `amounts_of`."""
    wander: float | None
    """How far the eyes leave what they look at most [rad]; in layout `arkit`."""
    blinks: float | None
    """How often the lids close [1/s]; in layout `arkit`."""


def moves_of(layout: MotionLayout, columns: Sequence[int]) -> tuple[str, ...]:
    """Names of the numbers that tell how the parts of a face move."""
    return tuple(f"{part} {kind}" for part in parts_of(layout, columns) for kind in kinds_of(part))


def names_of(layout: MotionLayout, columns: Sequence[int]) -> tuple[str, ...]:
    """Names of all numbers of a manner."""
    return moves_of(layout, columns) + (("wander", "blinks") if layout == ARKIT else ())


def manner_of(encoder: StyleEncoder, motion: Motion) -> Float[np.ndarray, " numbers"]:
    """What a motion shows of the manner of somebody, in the layout and rate of an encoder."""
    values = normalized(encoder.space, encoder.columns, motion.values)
    parts = parts_of(motion.layout, encoder.columns)
    shown = [amounts_of(part, values[:, places]) for part, places in parts.items()]
    if motion.layout == ARKIT:
        wander = np.log(wander_of(steady_sight(motion)))
        shown.append(np.array([wander, count_blinks(motion) / motion.seconds]))
    return np.concatenate(shown) if shown else np.zeros(0)


def with_manner(encoder: StyleEncoder, vector: Sequence[float], *motions: Motion) -> Style:
    """A style with what its example shows beside; what is too short shows nothing."""
    shown = [motion.resample(encoder.space.fps) for motion in motions]
    shown = [motion for motion in shown if motion.num_frames >= LEAST_FRAMES]
    if not shown:
        return Style(tuple(vector))
    seconds = np.array([motion.seconds for motion in shown])
    return joined(vector, np.array([manner_of(encoder, motion) for motion in shown]), seconds)


def joined(
    vector: Sequence[float],
    manners: Float[np.ndarray, "manners numbers"],
    seconds: Float[np.ndarray, " manners"],
) -> Style:
    """A style with the manner of several clips, of so many seconds each."""
    manner = np.average(manners, axis=0, weights=seconds).astype(np.float32)
    return Style(tuple(vector), tuple(manner.tolist()), float(seconds.sum()))


class Manners(nn.Module):
    """What to expect of people with a style."""

    doubt: Tensor
    """Of each number, so many seconds of an example count as much as what is usual [s]."""
    lacking: Tensor
    """So much more is asked for, since what is drawn falls short of it."""

    def __init__(self, layout: MotionLayout, columns: Sequence[int], style_width: int):
        super().__init__()
        self.parts = tuple(parts_of(layout, columns))
        self.moves, self.names = moves_of(layout, columns), names_of(layout, columns)
        self.expectation = Expectation(style_width, len(self.names))
        self.register_buffer("doubt", torch.full((len(self.names),), torch.inf))
        self.register_buffer("lacking", torch.zeros(len(self.names)))

    def fit(self, styles: Sequence[Style], shown: Float[np.ndarray, "styles numbers"]) -> None:
        """Learns from people what their styles tell, and how far their examples are to be trusted.

        Args:
            styles: With manners, from other clips of theirs.
            shown: The manner of each.
        """
        vectors = torch.tensor([style.vector for style in styles])
        self.expectation.fit(vectors, torch.from_numpy(shown).float())
        usual = self.expectation(vectors).numpy()
        told, true = np.array([style.manner for style in styles]) - usual, shown - usual
        slope = (told * true).sum(axis=0) / np.maximum((told**2).sum(axis=0), 1e-12)
        slope = slope.clip(*_TRUST)
        seconds = np.mean([style.seconds for style in styles])
        self.doubt.copy_(torch.from_numpy(seconds * (1 - slope) / slope))

    def numbers(self, style: Style) -> Float[np.ndarray, " numbers"]:
        """Expected of somebody, by name as `names`."""
        expected = self.expectation(torch.tensor([style.vector]))[0]
        if style.manner:
            trust = style.seconds / (style.seconds + self.doubt)
            expected = torch.lerp(expected, torch.tensor(style.manner), trust)
        return (expected + self.lacking).numpy()

    def expected(self, style: Style) -> Manner:
        """Of somebody with this style."""
        ends = np.cumsum([len(kinds_of(part)) for part in self.parts])
        *moves, eyes = np.split(self.numbers(style), ends)
        wander, blinks = (float(np.exp(eyes[0])), max(eyes[1], 0.0)) if len(eyes) else (None, None)
        return Manner(dict(zip(self.parts, moves, strict=True)), wander, blinks)
