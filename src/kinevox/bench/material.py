"""Speech of any length to measure with, put together from recordings that are at hand."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, cycle, zip_longest
from pathlib import Path

import numpy as np
from jaxtyping import Float

import kinevox
from kinevox.audio.flac import write_flac
from kinevox.audio.read import read_audio
from kinevox.errors import ConfigError
from kinevox.timebase import SAMPLE_RATE

_GAP_SECONDS = 0.3
"""Silence between two recordings [s]."""
_STAGGER_SECONDS = 0.01
"""Each line of a batch starts this much later, so that no two lines are the same sound [s]."""


@dataclass(frozen=True)
class Recording:
    """One file and its words; an empty text when they are not known."""

    path: Path
    transcript: str = ""

    @cached_property
    def samples(self) -> Float[np.ndarray, " samples"]:
        return read_audio(self.path)


@dataclass(frozen=True)
class Material:
    """Recordings that are played in turn until a line is long enough."""

    recordings: tuple[Recording, ...]
    source: str
    """Where they are from, for the report."""

    def line(self, folder: Path, seconds: float, number: int) -> Path:
        """A FLAC file of exactly that length, its words beside it as `.txt`; made once."""
        path = folder / f"line-{seconds:g}-{number}.flac"
        if not path.exists():
            samples, words = self._speech(seconds, number)
            write_flac(path, samples)
            path.with_suffix(".txt").write_text(" ".join(words), encoding="utf-8")
        return path

    def _speech(
        self, seconds: float, number: int
    ) -> tuple[Float[np.ndarray, " samples"], list[str]]:
        line = np.zeros(round(seconds * SAMPLE_RATE), np.float32)
        words: list[str] = []
        at = round(number * _STAGGER_SECONDS * SAMPLE_RATE)
        first = number % len(self.recordings)
        for recording in cycle(self.recordings[first:] + self.recordings[:first]):
            samples = recording.samples[: len(line) - at]
            line[at : at + len(samples)] = samples
            # A recording that is cut off keeps its share of the words.
            text = recording.transcript.split()
            words += text[: round(len(text) * len(samples) / len(recording.samples))]
            at += len(samples) + round(_GAP_SECONDS * SAMPLE_RATE)
            if at >= len(line):
                return line, words
        raise AssertionError("cycle() of recordings ended")


def gather(files: Sequence[Path] = ()) -> Material:
    """The given recordings, else real speech below KINEVOX_SHARED, else the example.

    Words are taken from `.txt` files beside the recordings, or from the shared manifest.

    Raises:
        ConfigError: there is none of them.
    """
    if files:
        return Material(
            tuple(map(_with_words, files)), "recordings that were given, repeated as needed"
        )
    root = os.environ.get("KINEVOX_SHARED")
    manifest = Path(root) / "data" / "speech" / "manifest.csv" if root else None
    rows = _test_rows(manifest) if manifest is not None and manifest.is_file() else []
    if manifest is not None and rows:
        readers = {row["speaker"] for row in rows}
        return Material(
            tuple(Recording(manifest.parent / row["path"], row["transcript"]) for row in rows),
            f"real English speech, {len(readers)} readers in turn, "
            f"{sum(float(row['seconds']) for row in rows) / 60:.1f} min, repeated as needed",
        )
    example = Path(kinevox.__file__).parents[2] / "examples" / "speech.flac"
    if not example.is_file():
        raise ConfigError("There is no speech to measure with. Give some: --speech FILE...")
    return Material((_with_words(example),), "examples/speech.flac, repeated as needed")


def _with_words(path: Path) -> Recording:
    text = path.with_suffix(".txt")
    return Recording(path, text.read_text(encoding="utf-8") if text.is_file() else "")


def _test_rows(manifest: Path) -> list[dict[str, str]]:
    """Transcribed English of the test split, one recording of every reader after another."""
    by_reader: dict[str, list[dict[str, str]]] = {}
    with manifest.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["split"] == "test" and row["language"] == "en" and row["transcript"]:
                by_reader.setdefault(row["speaker"], []).append(row)
    rounds: Iterator[dict[str, str] | None] = chain.from_iterable(zip_longest(*by_reader.values()))
    return [row for row in rounds if row is not None]
