"""Videos of a folder: whose they are, which split that is, and what is said in them."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from kinevox.audio.read import read_speech
from kinevox.capture.video import SUFFIXES
from kinevox.data.corpora._base import even_splits
from kinevox.data.record import SPLITS
from kinevox.errors import AssetError, ConfigError
from kinevox.phones import read_phones
from kinevox.speech import Speech

SPEAKERS = "speakers.csv"
"""Says who speaks, where names of files and folders do not."""
_NUMBERED = re.compile(r"id\d+(?=$|[_-])")
"""Names that VoxCeleb and others give to people."""
_GRID_SPOKEN = {"z": "zed"}
"""Letters that GRID's talkers, who are British, call otherwise."""


@dataclass(frozen=True)
class Footage:
    """One video."""

    path: Path
    name: str
    """Path below the source without suffix, such as `anna/take1`."""
    speaker: str
    split: str
    camera: str
    """Videos of one folder were recorded by one device: sound is equally late in all of them."""


def find_footage(
    folder: Path, speakers: Path | None = None, split: str | None = None
) -> list[Footage]:
    """All videos below a folder, in order of path.

    Args:
        speakers: A table that says who speaks; by default `speakers.csv` in the folder, if any.
        split: Of all speakers of whom the table says nothing; None divides them.

    Raises:
        AssetError: no videos.
        ConfigError: the table is not what it should be.
    """
    paths = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and path.is_file() and not path.name.startswith(".")
    )
    if not paths:
        raise AssetError(f"{folder} has no videos. Expected files such as anna/take1.mp4.")
    table = speakers or folder / SPEAKERS
    rules = _rules(table) if speakers or table.is_file() else []
    places = [path.relative_to(folder) for path in paths]
    who = [_speaker(place, folder.resolve().name, rules) for place in places]
    splits = _splits(who, rules, table, split)
    return [
        Footage(
            path,
            place.with_suffix("").as_posix(),
            speaker,
            splits[speaker],
            place.parent.as_posix(),
        )
        for path, place, speaker in zip(paths, places, who, strict=True)
    ]


def read_footage_speech(path: Path) -> Speech:
    """The sound of a video with what lies beside it: phone times, or the words.

    Phone times are taken from `NAME.TextGrid`, words from `NAME.txt`, or from GRID's `NAME.align`.

    Raises:
        AudioError: the video has no sound.
        KinevoxError: a file beside it cannot be read.
    """
    text, align, grid = (path.with_suffix(s) for s in (".txt", ".align", ".TextGrid"))
    words = None
    if text.is_file():
        words = _text(text).strip()
    elif align.is_file():
        words = _aligned_words(align)
    return read_speech(path, words or None, read_phones(grid) if grid.is_file() else None)


@dataclass(frozen=True)
class _Rule:
    pattern: str
    speaker: str
    split: str
    """Empty where the table does not say."""


def _rules(table: Path) -> list[_Rule]:
    """Rows of a speakers table; the first that fits a file decides."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if not {"file", "speaker"} <= set(reader.fieldnames or ()):
                raise ConfigError(
                    f"{table} has columns {', '.join(reader.fieldnames or ()) or 'none'}; expected "
                    "file, speaker and perhaps split, such as: anna/*,anna,test"
                )
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{table} cannot be read as a table ({error}).") from None
    rules = [
        _Rule(*((row.get(column) or "").strip() for column in ("file", "speaker", "split")))
        for row in rows
    ]
    wrong = [
        f"row {number}: file '{rule.pattern}', speaker '{rule.speaker}', split '{rule.split}'"
        for number, rule in enumerate(rules, start=2)
        if not (rule.pattern and rule.speaker) or rule.split not in ("", *SPLITS)
    ]
    if wrong:
        raise ConfigError(
            f"{table}: {'; '.join(wrong[:5])}. Every row needs a file and a speaker; splits are "
            f"{', '.join(SPLITS)}."
        )
    return rules


def _speaker(place: Path, source: str, rules: Sequence[_Rule]) -> str:
    """Who speaks: by the table, a name such as `id7`, the first folder, or the source's name."""
    for rule in rules:
        if fnmatchcase(place.as_posix(), rule.pattern):
            return rule.speaker
    for part in (*place.parts[:-1], place.stem):
        if found := _NUMBERED.match(part):
            return found[0]
    return place.parts[0] if len(place.parts) > 1 else source


def _splits(
    who: Sequence[str], rules: Sequence[_Rule], table: Path, split: str | None
) -> dict[str, str]:
    """A split for each speaker, as told or else as in `find_footage`."""
    told = defaultdict(set)
    for rule in rules:
        if rule.split and rule.speaker in who:
            told[rule.speaker].add(rule.split)
    torn = [f"{name} ({', '.join(sorted(s))})" for name, s in told.items() if len(s) > 1]
    if torn:
        raise ConfigError(f"{table}: {'; '.join(torn)}. Nobody may be in two splits.")
    given = {name: next(iter(split)) for name, split in told.items()}
    rest = [name for name in who if name not in given]
    return (dict.fromkeys(rest, split) if split else even_splits(rest)) | given


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read as UTF-8 text ({error}).") from None


def _aligned_words(path: Path) -> str:
    """Words of GRID's lines `start end word`."""
    rows = [line.split() for line in _text(path).splitlines() if line.strip()]
    if any(len(row) != 3 for row in rows):
        raise ConfigError(f"{path} is not GRID's: expected lines such as '16000 24250 bin'.")
    words = [row[2] for row in rows if row[2] not in ("sil", "sp")]
    return " ".join(_GRID_SPOKEN.get(word, word) for word in words)
