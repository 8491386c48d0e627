"""What every corpus answers: made or converted into a folder that `Corpus.open` reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from jaxtyping import Float

from kinevox import __version__
from kinevox.data.record import Record
from kinevox.data.store import finish, shard_is_finished, write_shard
from kinevox.errors import AssetError
from kinevox.motion import MotionLayout
from kinevox.speech import Speech
from kinevox.timebase import FPS

Progress = Callable[[str, int, int], None]
CLIPS_PER_SHARD = 64


@dataclass(frozen=True)
class MakeOptions:
    """What a maker may need beside its source."""

    hours: float = 10.0
    """How much to make [h]; readers convert all there is."""
    seed: int = 0
    workers: int = 1
    """Processes that work side by side."""
    head: str | None = None
    """The head that vertices are fitted with, such as `flame:generic_model.pkl`."""


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
    layout: MotionLayout
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
        if not count:
            raise AssetError(f"{source} has no clip of {self.name}. Expected {self.source}.")
        made = {
            "command": f"kinevox corpus make {self.name}",
            "kinevox": __version__,
            "sources": [{"name": self.name, "licence": self.licence, "clips": count}],
        }
        finish(out, self.name, self.layout, FPS, made)


@dataclass(frozen=True, eq=False)
class VertexClip:
    """A clip of a corpus that keeps meshes rather than parameters."""

    id: str
    speaker: str
    vertices: Float[np.ndarray, "frames vertices 3"]
    """[m] unless the reader says otherwise."""
    template: Float[np.ndarray, "vertices 3"]
    """The speaker's face at rest."""
    fps: float
    speech: Speech


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


def options_text(**options: Any) -> str:
    """Options as a command line shows them."""
    return " ".join(f"--{name} {value}" for name, value in options.items() if value is not None)
