"""Voices that performers lend their faces to: people in recordings, and speaking programs."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from kinevox.audio.read import read_audio
from kinevox.data.corpora._sentences import make_sentence
from kinevox.data.record import SPLITS
from kinevox.errors import AssetError, AudioError
from kinevox.phones import find_phones
from kinevox.phones._labels import to_arpabet
from kinevox.phones._tidy import contiguous
from kinevox.speech import Speech

MIXED = {"picovoice"}
"""Speaker labels that cover several people, whose recordings must not be joined."""

_COLUMNS = ("path", "corpus", "speaker", "seconds", "transcript", "language", "licence", "split")


@runtime_checkable
class Voice(Protocol):
    """Someone to be heard. Splits are disjoint in speakers."""

    @property
    def speaker(self) -> str: ...

    @property
    def split(self) -> str: ...

    @property
    def group(self) -> str:
        """`transcribed` English, `other` recordings, or `synthetic`; groups are weighed apart."""
        ...

    @property
    def seconds(self) -> float:
        """Distinct sound there is [s]."""
        ...

    @property
    def language(self) -> str: ...

    @property
    def licence(self) -> str: ...

    @property
    def source(self) -> str:
        """The recordings or the program it comes from, as attribution names it."""
        ...

    def passages(self, rng: np.random.Generator) -> Iterator[Speech]:
        """Recordings with their phones, in random order."""
        ...


@dataclass(frozen=True)
class Utterance:
    """One recording of a manifest."""

    path: Path
    seconds: float
    transcript: str
    language: str
    licence: str


@dataclass(frozen=True)
class RecordedVoice:
    """A person in the recordings of a manifest."""

    speaker: str
    split: str
    source: str
    utterances: tuple[Utterance, ...]

    @property
    def group(self) -> str:
        return "transcribed" if all(map(_aligns, self.utterances)) else "other"

    @property
    def seconds(self) -> float:
        return sum(utterance.seconds for utterance in self.utterances)

    @property
    def language(self) -> str:
        return self.utterances[0].language

    @property
    def licence(self) -> str:
        return self.utterances[0].licence

    def passages(self, rng: np.random.Generator) -> Iterator[Speech]:
        order = rng.permutation(len(self.utterances))
        for i in order[:1] if self.speaker in MIXED else order:
            utterance = self.utterances[i]
            speech = Speech(read_audio(utterance.path), utterance.path)
            heard = replace(speech, transcript=utterance.transcript if _aligns(utterance) else None)
            yield replace(
                speech, transcript=utterance.transcript or None, phones=find_phones(heard)
            )


def _aligns(utterance: Utterance) -> bool:
    return utterance.language == "en" and bool(utterance.transcript)


def recorded_voices(folder: Path) -> list[RecordedVoice]:
    """The people of `folder/manifest.csv`, sorted by name.

    The manifest has the columns path, corpus, speaker, seconds, transcript, language, licence and
    split; paths are relative to the folder.

    Raises:
        AssetError: there is no such manifest, or a speaker is in two splits.
    """
    manifest = folder / "manifest.csv"
    if not manifest.is_file():
        raise AssetError(
            f"{folder} has no manifest.csv. Expected a table of recordings with the columns "
            f"{', '.join(_COLUMNS)}."
        )
    with manifest.open(encoding="utf-8", newline="") as file:
        table = csv.DictReader(file)
        missing = [name for name in _COLUMNS if name not in (table.fieldnames or ())]
        if missing:
            raise AssetError(f"{manifest} lacks the columns {', '.join(missing)}.")
        rows = list(table)
    people = defaultdict(list)
    for row in rows:
        people[row["speaker"]].append(row)
    voices = []
    for speaker, theirs in sorted(people.items()):
        splits = {row["split"] for row in theirs}
        if len(splits) != 1 or not splits <= set(SPLITS):
            raise AssetError(
                f"{manifest}: speaker '{speaker}' is in splits {sorted(splits)}; expected one of "
                f"{', '.join(SPLITS)}."
            )
        utterances = tuple(
            Utterance(
                folder / row["path"],
                float(row["seconds"]),
                row["transcript"].strip(),
                row["language"],
                row["licence"],
            )
            for row in sorted(theirs, key=lambda row: row["path"])
        )
        voices.append(RecordedVoice(speaker, splits.pop(), theirs[0]["corpus"], utterances))
    return voices


@dataclass(frozen=True)
class SyntheticVoice:
    """A voice of a speaking program, with sentences of our own and a tempo drawn for each."""

    speaker: str
    split: str
    source: str
    """`flite` or `espeak-ng`."""
    name: str
    """The program's own name of the voice."""
    texts: tuple[str, ...] = ()
    """Said now and then, beside made-up sentences."""

    group = "synthetic"
    seconds = 600.0
    language = "en"
    licence = "output of a program; texts by the kinevox authors or from the manifest"

    def passages(self, rng: np.random.Generator) -> Iterator[Speech]:
        while True:
            text = make_sentence(rng)
            if self.texts and rng.random() < 0.5:
                text = self.texts[rng.integers(len(self.texts))]
            say = _say_flite if self.source == "flite" else _say_espeak
            yield say(self.name, text, rng)


_FLITE = {"train": ("kal16", "rms", "slt"), "valid": (), "test": ("awb",)}
_ESPEAK = {
    "train": (
        *("en-us+m1", "en-us+m3", "en-us+f2", "en-us+f4", "en-us+klatt2", "en-us+Adam"),
        *("en-gb+m2", "en-gb+m7", "en-gb+f1", "en-gb+f3", "en-gb+steph", "en-gb+klatt4"),
        *("en-gb-scotland+m4", "en-gb-scotland+f5", "en-029+m6", "en-029+linda"),
    ),
    "valid": ("en-us+Michael", "en-gb+Annie"),
    "test": ("en-us+Andrea", "en-gb+max"),
}
"""Voices by split; those of unlike splits differ in timbre, not only in name."""


def synthetic_voices(texts: dict[str, tuple[str, ...]]) -> tuple[list[SyntheticVoice], list[str]]:
    """The voices of programs on this machine, and a note for each program that is missing."""
    voices, notes = [], []
    for program, names in (("flite", _FLITE), ("espeak-ng", _ESPEAK)):
        if shutil.which(program) is None:
            notes.append(f"{program} is not installed; its voices are left out")
            continue
        voices += [
            SyntheticVoice(_slug(program, name), split, program, name, texts.get(split, ()))
            for split in SPLITS
            for name in names[split]
        ]
    return voices, notes


def _slug(program: str, name: str) -> str:
    return f"{program.split('-')[0]}-{re.sub('[^a-z0-9]+', '-', name.lower())}"


def _say_flite(voice: str, text: str, rng: np.random.Generator) -> Speech:
    """flite prints the end of each phone it says, so that mostly nothing has to be aligned."""
    tempo = rng.uniform(0.9, 1.25)
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "speech.wav"
        options = ["-voice", voice, "--setf", f"duration_stretch={tempo:.3f}", "-psdur"]
        told = _run(["flite", *options, "-t", text, "-o", str(wav)]).split()
        samples = read_audio(wav)
    speech = Speech(samples, transcript=text)
    ends = [float(token.partition(":")[2]) for token in told]
    # Diphone voices do not keep the durations that were planned, and texts of several utterances
    # start the clock again.
    if not ends or ends != sorted(ends) or abs(ends[-1] - speech.seconds) > 0.03:
        return replace(speech, phones=find_phones(speech))
    labels = to_arpabet([token.partition(":")[0].upper() for token in told])
    intervals = zip(labels, [0.0, *ends[:-1]], ends, strict=True)
    return replace(speech, phones=contiguous(intervals, speech.seconds))


def _say_espeak(voice: str, text: str, rng: np.random.Generator) -> Speech:
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "speech.wav"
        speed, pitch = rng.integers(135, 185), rng.integers(35, 66)
        _run(["espeak-ng", "-v", voice, "-s", f"{speed}", "-p", f"{pitch}", "-w", str(wav), text])
        samples = read_audio(wav)
    speech = Speech(samples, transcript=text)
    return replace(speech, phones=find_phones(speech))


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise AudioError(f"{command[0]} failed: {done.stderr.strip()[:200]}")
    return done.stdout


@cache
def versions() -> dict[str, str]:
    """What the speaking programs call themselves."""
    told = {}
    for program in ("flite", "espeak-ng"):
        if shutil.which(program):
            done = subprocess.run([program, "--version"], capture_output=True, text=True)
            text = done.stdout + done.stderr
            found = re.search(r"(?:version: *|text-to-speech: *)\S+", text)
            told[program] = found[0] if found else "unknown version"
    return told
