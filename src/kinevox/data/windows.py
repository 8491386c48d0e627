"""Windows of a corpus for training: stretches of fixed length with the sound that belongs to them.

Windows are numbered without end from the start of a training, and the number alone decides what
a window holds: how many processes load them, how they are batched and whether the training was
interrupted makes no difference.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from kinevox.data.normalize import Statistics
from kinevox.data.store import Corpus
from kinevox.errors import ConfigError, MotionError
from kinevox.timebase import SAMPLE_RATE, exact_fps

if TYPE_CHECKING:
    from kinevox.data.features import Features

Balance = Literal["clips", "speaker", "style"]


@dataclass(frozen=True)
class WindowShape:
    """How much of a clip one window holds. Context of motion is part of `frames`."""

    frames: int = 100
    """Frames of motion."""
    lead: int = 0
    """Frames of sound before them, for features that look back."""
    tail: int = 0
    """Frames of sound behind them."""
    other: int = 0
    """Frames of motion of another clip in the same style, to tell what the style is."""
    others: int = 1
    """How many such pieces, each of a clip of its own choice."""
    factors: tuple[str, ...] = ()
    """Names of style factors, which a corpus may know of its clips."""
    identity: int = 0
    """Numbers that describe the shape of the person's head, from the clip's metadata."""


@dataclass(frozen=True, eq=False)
class Window:
    """One window; what lies outside its clip is zero."""

    motion: Float[np.ndarray, "frames channels"]
    """Normalized."""
    samples: Float[np.ndarray, " samples"]
    """16 kHz: `lead`, the window itself, `tail`."""
    mask: Bool[np.ndarray, " frames"]
    """Frames that the clip has; short clips end early."""
    style: Int[np.ndarray, ""]
    """Place of the clip's style among the styles of the training; -1 for any other."""
    other: Float[np.ndarray, "others other channels"]
    """Normalized; of other clips where the style has several, else of the same."""
    other_mask: Bool[np.ndarray, "others other"]
    """Frames that the other clips have."""
    factors: Float[np.ndarray, " factors"]
    """Style factors of the clip; not a number where unknown."""
    identity: Float[np.ndarray, " identity"]
    """The head's shape (`shape` in the clip's metadata, a list of numbers); not a number where
    unknown."""
    features: Float[np.ndarray, "features width"]
    """Of a speech encoder, for the frames of motion; zeros behind the clip's end."""


@dataclass(frozen=True, eq=False)
class Windows:
    """The endless list of windows; `windows[n]` is the n-th, for any n.

    In each epoch every clip appears once per `shape.frames` of its length, in a random order
    and cropped at random. With `balance`, all speakers (or styles) appear equally often instead.
    """

    corpus: Corpus
    statistics: Statistics
    styles: tuple[str, ...] = ()
    shape: WindowShape = WindowShape()
    balance: Balance = "clips"
    seed: int = 0
    features: Features | None = None
    """Of a speech encoder, for all clips; windows have none without."""

    def __post_init__(self) -> None:
        samples_per_frame(self.corpus.fps)
        if len(self.statistics.mean) != self.corpus.layout.num_channels:
            raise MotionError(
                f"Statistics of {len(self.statistics.mean)} channels do not fit corpus "
                f"'{self.corpus.name}' with layout '{self.corpus.layout.name}' of "
                f"{self.corpus.layout.num_channels}. Take them from this corpus."
            )

    @property
    def epoch_size(self) -> int:
        """Windows in one epoch."""
        return int(self._shares.sum())

    def __getitem__(self, number: int) -> Window:
        epoch, place = divmod(number, self.epoch_size)
        clip = int(_epoch_order(self, epoch)[place])
        free = int(self.corpus.index["frames"][clip]) - self.shape.frames
        rng = np.random.default_rng([self.seed, epoch, place, 1])
        start = int(rng.integers(free + 1)) if free > 0 else 0
        return self.cut(clip, start, np.random.default_rng([self.seed, epoch, place, 2]))

    def cut(self, clip: int, start: int, rng: np.random.Generator | None = None) -> Window:
        """The window of a clip that starts at a frame.

        Args:
            rng: Chooses the other clips in the same style, and where they are cut.
        """
        motion, mask = self._motion(clip, start, self.shape.frames)
        other, other_mask = self._others(clip, rng or np.random.default_rng(self.seed))
        style = str(self.corpus.index["style"][clip])
        return Window(
            motion,
            self._samples(clip, start),
            mask,
            np.array(self.styles.index(style) if style in self.styles else -1),
            other,
            other_mask,
            self._factors(clip),
            self._identity(clip),
            self._features(clip, start),
        )

    def _samples(self, clip: int, start: int) -> np.ndarray:
        from kinevox.audio.read import read_audio

        # Whoever has features does not listen, and decoding costs more than all the rest.
        if self.features is not None:
            return np.zeros(0, np.float32)
        first, last = start - self.shape.lead, start + self.shape.frames + self.shape.tail
        step = samples_per_frame(self.corpus.fps)
        return _stretch(read_audio(self.corpus.audio_path(clip)), first * step, last * step)

    def _features(self, clip: int, start: int) -> np.ndarray:
        if self.features is None:
            return np.zeros((0, 0), np.float32)
        return self.features.cut(str(self.corpus.index["id"][clip]), start, self.shape.frames)

    def _motion(self, clip: int, start: int, frames: int) -> tuple[np.ndarray, np.ndarray]:
        """Normalized motion, and which of its frames exist."""
        motion = np.zeros((frames, self.corpus.layout.num_channels), np.float32)
        if frames:
            values = self.corpus.motion(clip).values[start : start + frames]
            motion[: len(values)] = self.statistics.normalize(values)
            return motion, np.arange(frames) < len(values)
        return motion, np.zeros(0, bool)

    def _others(self, clip: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        clips = _clips_by_style(self)[str(self.corpus.index["style"][clip])]
        able = clips[clips != clip] if len(clips) > 1 else clips
        pieces = []
        for chosen in rng.choice(able, self.shape.others):
            free = int(self.corpus.index["frames"][chosen]) - self.shape.other
            start = int(rng.integers(free + 1)) if free > 0 else 0
            pieces.append(self._motion(int(chosen), start, self.shape.other))
        motion, mask = (np.stack(parts) for parts in zip(*pieces, strict=True))
        return motion, mask

    def _factors(self, clip: int) -> Float[np.ndarray, " factors"]:
        names = self.shape.factors
        known = json.loads(self.corpus.index["factors"][clip] or "{}") if names else {}
        return np.array([known.get(name, np.nan) for name in names], np.float32)

    def _identity(self, clip: int) -> Float[np.ndarray, " identity"]:
        count = self.shape.identity
        known = json.loads(self.corpus.index["metadata"][clip] or "{}") if count else {}
        shape = json.loads(known["shape"]) if "shape" in known else [np.nan] * count
        if len(shape) != count:
            raise MotionError(
                f"Corpus '{self.corpus.name}' describes heads by {len(shape)} numbers; the network "
                f"takes {count}. Give --network.identity {len(shape)}."
            )
        return np.array(shape, np.float32)

    @property
    def _shares(self) -> Int[np.ndarray, " clips"]:
        return -(-self.corpus.index["frames"] // self.shape.frames)


def samples_per_frame(fps: float) -> int:
    """Samples of sound in one frame.

    Raises:
        ConfigError: they are not a whole number.
    """
    step = SAMPLE_RATE / exact_fps(fps)
    if step.denominator != 1:
        raise ConfigError(
            f"A frame at {fps} fps is not a whole number of samples at {SAMPLE_RATE} Hz; "
            "training needs a rate such as 25 fps."
        )
    return int(step)


# A training walks through its epochs in order; two are enough where a batch crosses the border.
@lru_cache(maxsize=4)
def _epoch_order(windows: Windows, epoch: int) -> Int[np.ndarray, " windows"]:
    """The clip of each window of an epoch."""
    rng = np.random.default_rng([windows.seed, epoch])
    shares = windows._shares
    clips = np.repeat(np.arange(len(shares)), shares)
    if windows.balance == "clips":
        return rng.permutation(clips)
    groups = np.unique(windows.corpus.index[windows.balance][clips], return_inverse=True)[1]
    members = clips[np.argsort(groups, kind="stable")]
    sizes = np.bincount(groups)
    firsts = np.cumsum(sizes) - sizes
    rounds = -(-len(clips) // len(sizes))
    turns = np.concatenate([rng.permutation(len(sizes)) for _ in range(rounds)])[: len(clips)]
    return members[firsts[turns] + (rng.random(len(turns)) * sizes[turns]).astype(int)]


@lru_cache(maxsize=4)
def _clips_by_style(windows: Windows) -> dict[str, Int[np.ndarray, " clips"]]:
    styles = windows.corpus.index["style"]
    return {str(style): np.flatnonzero(styles == style) for style in np.unique(styles)}


def _stretch(sound: Float[np.ndarray, " samples"], start: int, end: int) -> np.ndarray:
    """The samples from `start` to `end`, zero outside the recording."""
    stretch = np.zeros(end - start, np.float32)
    inside = sound[max(start, 0) : max(end, 0)]
    first = max(-start, 0)
    stretch[first : first + len(inside)] = inside
    return stretch
