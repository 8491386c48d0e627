"""A folder of recordings with Live Link Face CSVs of the same base name, such as an iPhone's takes.

`FOLDER/SPEAKER/take.csv` belongs with `take.wav` or the `take.mov` of the app; without sub-folders
everything is one speaker's, named as the folder. A calibrated `take_cal.csv` is preferred to
`take.csv`. `take.txt` may hold what is said, `take.TextGrid` phone times.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kinevox.audio.read import read_audio
from kinevox.data.corpora._base import Reader, even_splits, matched, slug
from kinevox.data.record import Record
from kinevox.errors import AssetError
from kinevox.export.livelink_csv import read
from kinevox.motion import ARKIT
from kinevox.phones import read_phones
from kinevox.speech import Speech

SOUNDS = (".wav", ".flac", ".mov", ".mp4", ".m4a", ".mp3", ".ogg", ".opus")
_CALIBRATED = "_cal"


def records(folder: Path, head: str | None = None) -> Iterator[Record]:
    """One record per take, in order of path.

    Raises:
        AssetError: a CSV without its recording; all such are listed.
        MotionError: a CSV that is not Live Link's.
    """
    takes = {path.with_name(path.stem.removesuffix(_CALIBRATED)) for path in folder.rglob("*.csv")}
    sounds = {take: _sound(take) for take in sorted(takes)}
    silent = [str(take.relative_to(folder)) for take, sound in sounds.items() if sound is None]
    if silent:
        raise AssetError(
            f"{folder}: no recording beside {', '.join(silent[:8])}. Expected the same name with "
            f"{', '.join(SOUNDS)}."
        )
    splits = even_splits(take.parent.name for take in sounds)
    for take, sound in sounds.items():
        assert sound is not None
        calibrated = _beside(take, f"{_CALIBRATED}.csv")
        csv = calibrated if calibrated.is_file() else _beside(take, ".csv")
        text, grid = _beside(take, ".txt"), _beside(take, ".TextGrid")
        motion, samples = matched(read(csv), read_audio(sound))
        speaker = take.parent.name
        yield Record(
            id=slug("-".join(take.relative_to(folder).parts)),
            split=splits[speaker],
            speaker=speaker,
            style=speaker,
            speech=Speech(
                samples,
                transcript=text.read_text(encoding="utf-8").strip() if text.is_file() else None,
                phones=read_phones(grid) if grid.is_file() else None,
            ),
            motion=motion,
            metadata={"source": "livelink", "file": csv.name},
        )


def _sound(take: Path) -> Path | None:
    return next((p for suffix in SOUNDS if (p := _beside(take, suffix)).is_file()), None)


def _beside(take: Path, ending: str) -> Path:
    # Names of takes may hold dots, so the ending is added rather than put in place of a suffix.
    return take.with_name(take.name + ending)


CORPUS = Reader(
    name="livelink-folder",
    summary="a folder of recordings with Live Link Face CSVs of the same name (ARKit)",
    source="take.csv beside take.wav or take.mov, in one folder per speaker",
    licence="the user's own",
    layout=ARKIT,
    records=records,
)
