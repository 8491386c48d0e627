"""BEAT2 (Liu et al. 2024, EMAGE): whole bodies with FLAME faces; the face and head are taken.

`smplxflame_30/NAME.npz` holds the take (`kinevox.export.beat2_npz`); `wave16k/NAME.wav` the
sound; `textgrid/NAME.TextGrid` phones, where present. NAME is `NUMBER_SPEAKER_...`.

The published split (`train_test_split.csv`) shares speakers; ours does not, and the published one
is kept in the metadata.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from kinevox.audio.read import read_audio
from kinevox.data.corpora._base import Reader, even_splits, matched, require_files, slug
from kinevox.data.record import Record
from kinevox.errors import AssetError, MotionError
from kinevox.export import beat2_npz
from kinevox.motion import Motion, flame_layout
from kinevox.phones import Phones, read_phones
from kinevox.speech import Speech

LAYOUT = flame_layout(beat2_npz.EXPRESSIONS)


def records(folder: Path, head: str | None = None) -> Iterator[Record]:
    """One record per take.

    Raises:
        AssetError: files are missing or hold something else.
    """
    require_files(folder, ("smplxflame_30", "wave16k"), "BEAT2")
    takes = sorted((folder / "smplxflame_30").glob("*.npz"))
    splits = even_splits(_speaker(take.stem) for take in takes)
    published = _published(folder / "train_test_split.csv")
    for take in takes:
        wav = folder / "wave16k" / f"{take.stem}.wav"
        if not wav.is_file():
            raise AssetError(f"{take} lacks its sound {wav}.")
        motion, samples = matched(read_take(take), read_audio(wav))
        speaker = _speaker(take.stem)
        yield Record(
            id=slug(take.stem),
            split=splits[speaker],
            speaker=speaker,
            style=speaker,
            speech=Speech(samples, phones=_phones(folder / "textgrid" / f"{take.stem}.TextGrid")),
            motion=motion,
            metadata={"source": "beat2", "published_split": published.get(take.stem, "")},
        )


def read_take(path: Path) -> Motion:
    """Expression, head and jaw of one take, at its own frame rate.

    Raises:
        AssetError: not such a file.
    """
    try:
        return beat2_npz.read(path)
    except MotionError as error:
        raise AssetError(str(error)) from error


def _speaker(name: str) -> str:
    return "_".join(name.split("_")[:2])


def _published(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {row["id"]: row["type"] for row in csv.DictReader(file)}


def _phones(path: Path) -> Phones | None:
    """A TextGrid of words alone has none."""
    try:
        return read_phones(path) if path.is_file() else None
    except MotionError:
        return None


CORPUS = Reader(
    name="beat2",
    summary="BEAT2: faces and heads of its whole-body takes (FLAME, 100 expressions)",
    source="smplxflame_30/*.npz and wave16k/*.wav; textgrid/ and train_test_split.csv if there",
    licence="BEAT2's own; research only",
    layout=LAYOUT,
    records=records,
)
