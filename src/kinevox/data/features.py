"""Features of a frozen speech encoder for a whole corpus, computed once and memory-mapped.

FOLDER/
  features.npy    float16 (features, width), clip after clip in the order of the corpus
  done.npy        uint8, 1 for each clip that is there
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from kinevox.audio.read import read_audio
from kinevox.cache import cache_dir
from kinevox.data.store import Corpus
from kinevox.errors import ConfigError
from kinevox.timebase import exact_fps

if TYPE_CHECKING:
    from kinevox.audio.encoders import SpeechEncoder


@dataclass(frozen=True, eq=False)
class Features:
    """Features by clip; a process that loads windows may have its own copy of this."""

    folder: Path
    per_frame: int
    """Features in one frame of motion."""
    places: dict[str, tuple[int, int]]
    """First feature of each clip and their number, by id."""

    def __getitem__(self, clip: str) -> Float[np.ndarray, "features width"]:
        """All features of a clip, float16."""
        first, count = self.places[clip]
        return self._array[first : first + count]

    def cut(self, clip: str, start: int, frames: int) -> Float[np.ndarray, "features width"]:
        """Features of some frames of motion, zero where the clip has none."""
        first, count = self.places[clip]
        low, high = start * self.per_frame, (start + frames) * self.per_frame
        stretch = np.zeros((high - low, self._array.shape[1]), np.float32)
        inside = self._array[first + min(max(low, 0), count) : first + min(max(high, 0), count)]
        place = max(-low, 0)
        stretch[place : place + len(inside)] = inside
        return stretch

    @cached_property
    def _array(self) -> np.ndarray:
        return np.load(self.folder / "features.npy", mmap_mode="r", allow_pickle=False)

    def __getstate__(self) -> dict:
        # The memory map stays behind: another process opens its own.
        return {name: value for name, value in vars(self).items() if name != "_array"}


def encoded(
    corpus: Corpus,
    encoder: SpeechEncoder,
    folder: Path | None = None,
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> Features:
    """The features of a corpus: those that are there, and the missing ones computed now.

    Args:
        corpus: A whole one rather than a split, so that all splits share a file.
        folder: Where they are kept; by default in the cache, by corpus and encoder.

    Raises:
        ConfigError: a frame of motion has no whole number of features.
    """
    from filelock import FileLock

    per_frame = encoder.rate / exact_fps(corpus.fps)
    if per_frame.denominator != 1:
        raise ConfigError(
            f"Encoder '{encoder.name}' gives {encoder.rate} features per second, no whole number "
            f"for each of the {corpus.fps:g} frames of corpus '{corpus.name}'."
        )
    if folder is None:
        folder = cache_dir("features", f"{corpus.name}-{_digest(corpus)}-{encoder.digest}")
    counts = corpus.index["frames"].astype(int) * int(per_frame)
    firsts = np.cumsum(counts) - counts
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        if not (folder / "features.npy").is_file():
            (folder / "done.npy").unlink(missing_ok=True)
        array = _opened(folder / "features.npy", (int(counts.sum()), encoder.width), np.float16)
        done = _opened(folder / "done.npy", (len(corpus),), np.uint8)
        for i in np.flatnonzero(done == 0).tolist():
            progress(f"Encoding {corpus.name} with {encoder.name}", int(done.sum()), len(corpus))
            found = encoder.encode(read_audio(corpus.audio_path(i))).numpy()[: counts[i]]
            # A clip may end within its last frame.
            array[firsts[i] : firsts[i] + len(found)] = found
            array.flush()
            done[i] = 1
        done.flush()
    places = zip(firsts.tolist(), counts.tolist(), strict=True)
    return Features(
        folder, int(per_frame), dict(zip(corpus.index["id"].tolist(), places, strict=True))
    )


def _opened(path: Path, shape: tuple[int, ...], dtype: type) -> np.memmap:
    """An array on disk, made of zeros if there is none of this shape yet."""
    from numpy.lib.format import open_memmap

    if path.is_file() and np.load(path, mmap_mode="r", allow_pickle=False).shape == shape:
        return open_memmap(path, mode="r+")
    return open_memmap(path, mode="w+", dtype=dtype, shape=shape)


def _digest(corpus: Corpus) -> str:
    """Changes with the clips of a corpus and how it was made."""
    rows = list(zip(corpus.index["id"].tolist(), corpus.index["frames"].tolist(), strict=True))
    text = json.dumps([corpus.header, rows], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
