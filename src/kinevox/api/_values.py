"""What calls take and return, and how they tell how far they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kinevox import __version__
from kinevox.methods import default_method
from kinevox.motion import Motion

DEFAULT_METHOD = default_method()
DEFAULT_HEAD = "anny"

TOOL = {"generator": f"kinevox {__version__}", "synthetic": "true"}
"""Provenance that every result carries."""

Progress = Callable[[str, int, int], None]
PathLike = str | Path


@dataclass(frozen=True, eq=False)
class Take:
    """One performance of one recording, and the files it was written to."""

    source: Path
    number: int
    """From 1."""
    seed: int
    motion: Motion
    outputs: tuple[Path, ...] = ()


@dataclass(frozen=True, eq=False)
class Failure:
    """What went wrong with one recording, or with one of its files."""

    source: Path
    error: Exception
    output: Path | None = None
    """The file that could not be written; None when the recording itself failed."""


@dataclass(frozen=True, eq=False)
class Batch:
    """What became of many recordings."""

    takes: tuple[Take, ...]
    failures: tuple[Failure, ...]


def telling(progress: Progress | None, position: int = 0, count: int = 1) -> Progress:
    """`progress` with the place in the list in front of the stage; nothing when there is none."""
    if progress is None:
        return lambda stage, done, total: None
    place = f"[{position + 1}/{count}] " if count > 1 else ""
    return lambda stage, done, total: progress(place + stage, done, total)
