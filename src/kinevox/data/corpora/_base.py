"""What every corpus answers: made or converted into a folder that `Corpus.open` reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np
from jaxtyping import Float

from kinevox import __version__
from kinevox.data.record import Record
from kinevox.data.store import finish, shard_is_finished, write_shard
from kinevox.errors import AssetError
from kinevox.motion import Motion, MotionLayout
from kinevox.timebase import FPS, SAMPLE_RATE, num_frames

Progress = Callable[[str, int, int], None]
CLIPS_PER_SHARD = 64


@dataclass(frozen=True)
class MakeOptions:
    """What a maker may need beside its source."""

    hours: float = 10.0
    """How much to make [h]; readers convert all there is."""
    seed: int = 0
    transcribed: bool = False
    """Leave out recordings whose phones would have to be guessed."""
    workers: int = 1
    """Processes that work side by side."""
    head: str | None = None
    """The head that vertices are fitted with, such as `flame:generic_model.pkl`."""
    speakers: Path | None = None
    """A table that says who speaks in which video, and in which split they are."""
    split: str | None = None
    """The split of all speakers of videos of whom the table says nothing; None divides them."""


class CorpusPart(Protocol):
    """A corpus by name: `CORPUS` of a file in this folder."""

    summary: str
    source: str
    """What the source folder must hold."""

    def make(self, source: Path, out: Path, options: MakeOptions, progress: Progress) -> None:
        """Writes the corpus; when it was stopped, the same call goes on where it was.

        Raises:
            AssetError: the source is not what it should be.
        """
        ...


@dataclass(frozen=True)
class Reader:
    """A corpus of the field that the user has."""

    name: str
    summary: str
    source: str
    licence: str
    layout: MotionLayout | None
    """None where meshes cannot become motion."""
    records: Callable[[Path, str | None], Iterator[Record]]
    """Clips of a folder at 25 frames per second; the second argument is `MakeOptions.head`."""

    def make(self, source: Path, out: Path, options: MakeOptions, progress: Progress) -> None:
        """Converts everything; finished shards stay as they are."""
        records = self.records(source, options.head)
        shard = count = 0
        while chunk := list(islice(records, CLIPS_PER_SHARD)):
            if not shard_is_finished(out, shard):
                write_shard(out, shard, chunk)
            shard, count = shard + 1, count + len(chunk)
            progress(f"Converting {self.name}, {count} clips", 0, 0)
        if not count or self.layout is None:
            raise AssetError(f"{source} has no clip of {self.name}. Expected {self.source}.")
        made = {
            "command": f"kinevox corpus make {self.name}",
            "kinevox": __version__,
            "sources": [{"name": self.name, "licence": self.licence, "clips": count}],
        }
        finish(out, self.name, self.layout, FPS, made)


def require_files(folder: Path, names: tuple[str, ...], corpus: str) -> None:
    """Checks that everything is there.

    Raises:
        AssetError: something is missing; all of it is listed.
    """
    missing = [name for name in names if not (folder / name).exists()]
    if missing:
        raise AssetError(f"{folder} is not {corpus}: it lacks {', '.join(missing)}.")


def slug(text: str) -> str:
    """A name as record ids may be: letters, digits, `-` and `_`."""
    return "".join(c if (c.isalnum() and c.isascii()) or c in "-_" else "-" for c in text)


def even_splits(speakers: Iterable[str]) -> dict[str, str]:
    """A split for each speaker where the corpus has none that is disjoint in speakers.

    Of the sorted speakers the last tenth is `test`, the tenth before `valid`, at least one each
    when there are three or more.
    """
    names = sorted(set(speakers))
    tenth = max(round(len(names) / 10), 1) if len(names) >= 3 else 0
    held_out = ["valid"] * tenth + ["test"] * tenth
    splits = ["train"] * (len(names) - len(held_out)) + held_out
    return dict(zip(names, splits, strict=True))


def matched(
    motion: Motion, samples: Float[np.ndarray, " samples"]
) -> tuple[Motion, Float[np.ndarray, " some_samples"]]:
    """Motion at 25 frames per second and its sound, both as long as the shorter one.

    Raises:
        AssetError: they have no whole frame in common.
    """
    motion = motion.resample(FPS)
    count = min(motion.num_frames, num_frames(len(samples), SAMPLE_RATE, FPS))
    if count < 1:
        raise AssetError("A clip has no sound or no motion.")
    return motion.replace(values=motion.values[:count]), samples[: round(count * SAMPLE_RATE / FPS)]
