"""A part of the material, packed: sound and frame-wise labels in memory-mapped arrays.

PART/
  sound.npy     int16, 16 kHz, all passages one after another
  phones.npy    uint8 at 100 per second: place in `PHONES`, or `UNKNOWN`
  pitch.npy     float16 at 100 per second: octaves above 100 Hz, NaN where there is no voice
  index.json    a row per passage; written last, so a part is whole or not there
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float, Integer

from kinevox.audio.mel_grid import HOP
from kinevox.audio.pitch import track_pitch
from kinevox.errors import AssetError
from kinevox.files import written_whole
from kinevox.phones import ARPABET, SILENCE, Phones
from kinevox.timebase import SAMPLE_RATE

PHONES: tuple[str, ...] = (SILENCE, *sorted(ARPABET))
"""What frames are labelled with."""
UNKNOWN = 255
"""Label of frames that teach nothing."""
RATE = SAMPLE_RATE // HOP
"""Labels per second."""
SHORTEST = RATE
"""Shorter passages are left out [labels]."""


@dataclass(frozen=True)
class Passage:
    """Something one person says."""

    speaker: str
    split: str
    group: str
    """`real` for people, `synthetic` for programs."""
    language: str
    first: int = 0
    """Its first label; sound is `HOP` samples per label."""
    frames: int = 0


@dataclass(frozen=True, eq=False)
class Labelled:
    """A passage with its sound and labels, on the way into a part."""

    passage: Passage
    samples: Float[np.ndarray, " samples"]
    phones: Integer[np.ndarray, " frames"]


def frame_labels(phones: Phones, num_samples: int) -> Integer[np.ndarray, " frames"]:
    """The phone at the middle of each hop; `UNKNOWN` for labels that are not phones."""
    middles = (np.arange(num_samples // HOP) + 0.5) / RATE
    places = np.array([PHONES.index(p) if p in PHONES else UNKNOWN for p in phones.labels])
    which = np.clip(np.searchsorted(phones.starts, middles, side="right") - 1, 0, None)
    return places[which].astype(np.uint8)


def write_part(folder: Path, material: Iterable[Labelled]) -> None:
    """Packs passages; an older part of that name is replaced only when all are there."""
    rows, first = [], 0
    names = ("sound", "phones", "pitch")
    paths = {name: folder / f".{name}.raw" for name in names}
    folder.mkdir(parents=True, exist_ok=True)
    files = {name: path.open("wb") for name, path in paths.items()}
    for one in material:
        frames = min(len(one.phones), len(one.samples) // HOP)
        if frames < SHORTEST:
            continue
        sound = one.samples[: frames * HOP]
        peak = max(float(np.abs(sound).max(initial=0.0)), 1e-4)
        hertz = track_pitch(sound, SAMPLE_RATE)[:frames]
        pitch = np.full(frames, np.nan)
        pitch[: len(hertz)] = np.log2(np.where(hertz > 0, hertz, np.nan) / 100)
        # Levels carry no meaning here, and 16 bits are used best near full scale.
        (sound * (0.7 * 32767 / peak)).astype("<i2").tofile(files["sound"])
        one.phones[:frames].astype(np.uint8).tofile(files["phones"])
        pitch.astype("<f2").tofile(files["pitch"])
        rows.append(asdict(one.passage) | {"first": first, "frames": frames})
        first += frames
    for name, dtype in zip(names, ("<i2", "u1", "<f2"), strict=True):
        files[name].close()
        with written_whole(folder / f"{name}.npy") as temporary:
            np.save(temporary, np.fromfile(paths[name], dtype))
        paths[name].unlink()
    with written_whole(folder / "index.json") as temporary:
        temporary.write_text(json.dumps(rows) + "\n", encoding="utf-8")


def is_packed(folder: Path) -> bool:
    return (folder / "index.json").is_file()


class Part:
    """A packed part; arrays are read from the memory map as they are needed."""

    def __init__(self, folder: Path):
        if not is_packed(folder):
            raise AssetError(f"{folder} is not a part of packed speech: it lacks index.json.")
        self.folder = folder
        text = (folder / "index.json").read_text(encoding="utf-8")
        self.digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        rows = json.loads(text)
        self.passages: Sequence[Passage] = tuple(Passage(**row) for row in rows)

    @cached_property
    def _arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        sound, phones, pitch = (
            np.load(self.folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            for name in ("sound", "phones", "pitch")
        )
        return sound, phones, pitch

    def samples(self, passage: Passage) -> Float[np.ndarray, " samples"]:
        """Sound of a passage, peak 0.7."""
        first, last = passage.first * HOP, (passage.first + passage.frames) * HOP
        return self._arrays[0][first:last].astype(np.float32) / 32767

    def labels(
        self, passage: Passage
    ) -> tuple[Integer[np.ndarray, " frames"], Float[np.ndarray, " frames"]]:
        """Phones and pitch of a passage; see the module."""
        span = slice(passage.first, passage.first + passage.frames)
        return self._arrays[1][span].astype(np.int64), self._arrays[2][span].astype(np.float32)
