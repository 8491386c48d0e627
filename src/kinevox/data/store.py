"""Corpora on disk: shards of motion, one FLAC per clip, and a table of contents.

    corpus/
      corpus.json                     name, version, layout, frame rate, how it was made
      index.parquet                   one row per clip
      shards/00000.safetensors        motion of each clip by id, float32 (frames, channels)
      shards/00000.parquet            the rows of this shard, until the corpus is finished
      audio/00000/ID.flac             16 kHz mono

Shards are written whole, so a maker that is killed goes on with the first missing one. Nothing
is pickled.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from kinevox.audio.flac import write_flac
from kinevox.audio.read import read_audio
from kinevox.cache import cache_dir
from kinevox.data.record import SPLITS, Record
from kinevox.errors import AssetError, MissingExtraError
from kinevox.files import written_whole
from kinevox.motion import ARKIT, Motion, MotionLayout, flame_layout
from kinevox.phones import Phones, Word
from kinevox.speech import Speech

VERSION = 1
LAYOUTS = {layout.name: layout for layout in (ARKIT, flame_layout(50), flame_layout(100))}


VIDEO = "video:"
"""In front of a folder of videos: the corpus that was made of it."""


def corpus_folder(corpus: str | Path) -> Path:
    """Where a corpus is.

    Args:
        corpus: A folder, the name of a corpus in the cache (`performers`), or `video:FOLDER`, for
            the corpus in the cache that `kinevox evaluate` makes of a folder of videos.
    """
    videos = videos_of(corpus)
    if videos is not None:
        place = hashlib.sha256(str(videos).encode()).hexdigest()[:8]
        return cache_dir("corpora") / f"video-{videos.name}-{place}"
    given = Path(str(corpus).removeprefix(VIDEO)).expanduser()
    return given if given.is_dir() or len(given.parts) != 1 else cache_dir("corpora") / given


def videos_of(corpus: str | Path) -> Path | None:
    """The folder of videos in `video:FOLDER`, if it is one."""
    text = str(corpus)
    folder = Path(text.removeprefix(VIDEO)).expanduser()
    is_folder = text.startswith(VIDEO) and folder.is_dir()
    return folder.resolve() if is_folder and not (folder / "corpus.json").is_file() else None


def write_shard(folder: Path, number: int, records: Iterable[Record]) -> None:
    """Writes one shard whole; its table of contents comes last and marks it as finished."""
    pyarrow, safetensors = _packages()
    audio = folder / "audio" / f"{number:05d}"
    audio.mkdir(parents=True, exist_ok=True)
    rows, motions = [], {}
    for record in records:
        write_flac(audio / f"{record.id}.flac", record.speech.samples)
        motions[record.id] = np.ascontiguousarray(record.motion.values)
        rows.append(_row(record, number))
    with written_whole(_shard(folder, number, "safetensors")) as temporary:
        safetensors.numpy.save_file(motions, temporary)
    with written_whole(_shard(folder, number, "parquet")) as temporary:
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), temporary)


def shard_is_finished(folder: Path, number: int) -> bool:
    return _shard(folder, number, "parquet").is_file()


def finish(folder: Path, name: str, layout: MotionLayout, fps: float, made: dict[str, Any]) -> None:
    """Gathers all finished shards into a corpus that can be opened.

    Args:
        made: How the corpus was made: command, seed, version, sources and licences.
    """
    table = _finished_rows(folder)
    with written_whole(folder / "index.parquet") as temporary:
        _packages()[0].parquet.write_table(table, temporary)
    header = {"version": VERSION, "name": name, "layout": layout.name, "fps": fps, "made": made}
    with written_whole(folder / "corpus.json") as temporary:
        temporary.write_text(json.dumps(header, indent=2) + "\n", encoding="utf-8")


def finished_index(folder: Path) -> dict[str, Any]:
    """The index as it would be if the corpus were finished now; see `Corpus.index`."""
    return _columns(_finished_rows(folder))


@dataclass(frozen=True, eq=False)
class Corpus:
    """A finished corpus, or a selection of its clips; clips are read when asked for."""

    folder: Path
    header: dict[str, Any]
    index: dict[str, Any]
    """Columns by name: `id`, `split`, `speaker`, `style`, `frames`, `shard`, `transcript`, and
    JSON texts `phones`, `factors`, `metadata`. NumPy arrays of equal length."""

    @classmethod
    def open(cls, corpus: str | Path) -> Corpus:
        """Opens a corpus by its folder, or by its name if it is in the cache.

        Raises:
            AssetError: the folder is not a finished corpus, or of a newer version.
        """
        folder = corpus_folder(corpus)
        needed = [folder / "corpus.json", folder / "index.parquet"]
        missing = [path.name for path in needed if not path.is_file()]
        if missing:
            raise AssetError(
                f"{folder} is not a finished corpus: it lacks {' and '.join(missing)}. "
                "Run the `kinevox corpus make` that made it again; it goes on where it stopped."
            )
        header = json.loads(needed[0].read_text(encoding="utf-8"))
        if header["version"] > VERSION or header["layout"] not in LAYOUTS:
            raise AssetError(
                f"{folder} has version {header['version']} and layout '{header['layout']}'; this "
                f"kinevox reads version {VERSION} and {', '.join(LAYOUTS)}. Update kinevox."
            )
        table = _packages()[0].parquet.read_table(needed[1])
        return cls(folder, header, _columns(table))

    @property
    def name(self) -> str:
        return self.header["name"]

    @property
    def layout(self) -> MotionLayout:
        return LAYOUTS[self.header["layout"]]

    @property
    def fps(self) -> float:
        return float(self.header["fps"])

    @property
    def seconds(self) -> float:
        """Length of all clips [s]."""
        return float(self.index["frames"].sum() / self.fps)

    def __len__(self) -> int:
        return len(self.index["id"])

    def __iter__(self) -> Iterator[Record]:
        return (self[i] for i in range(len(self)))

    def select(self, keep: Sequence[int] | np.ndarray) -> Corpus:
        """The clips at these positions, or where a mask is true."""
        return replace(self, index={name: column[keep] for name, column in self.index.items()})

    def split(self, split: str) -> Corpus:
        """The clips of one split.

        Raises:
            AssetError: there are none.
        """
        chosen = self.select(self.index["split"] == split)
        if not len(chosen):
            raise AssetError(
                f"Corpus '{self.name}' has no split '{split}'. It has: "
                f"{', '.join(s for s in SPLITS if s in self.index['split'])}."
            )
        return chosen

    def motion(self, i: int) -> Motion:
        """Motion of clip i, without its sound."""
        row = self.index["id"][i], int(self.index["shard"][i])
        return Motion(_motions(self.folder, row[1]).get_tensor(row[0]), self.fps, self.layout)

    def audio_path(self, i: int) -> Path:
        return (
            self.folder / "audio" / f"{self.index['shard'][i]:05d}" / f"{self.index['id'][i]}.flac"
        )

    def phones(self, i: int) -> Phones | None:
        """Phone times of clip i, where known."""
        return _read_phones(self.index["phones"][i])

    def __getitem__(self, i: int) -> Record:
        row = {name: column[i] for name, column in self.index.items()}
        speech = Speech(
            read_audio(self.audio_path(i)),
            path=self.audio_path(i),
            transcript=str(row["transcript"]) or None,
            phones=self.phones(i),
        )
        return Record(
            id=str(row["id"]),
            split=str(row["split"]),
            speaker=str(row["speaker"]),
            style=str(row["style"]),
            speech=speech,
            motion=self.motion(i),
            factors=json.loads(row["factors"]),
            metadata=json.loads(row["metadata"]),
        )


def _finished_rows(folder: Path) -> Any:
    pyarrow, _ = _packages()
    # What a killed process was writing begins with a dot.
    parts = sorted((folder / "shards").glob("[0-9]*.parquet"))
    return pyarrow.concat_tables([pyarrow.parquet.read_table(part) for part in parts])


def _columns(table: Any) -> dict[str, Any]:
    return {name: np.array(table[name].to_pylist()) for name in table.column_names}


def _row(record: Record, shard: int) -> dict[str, Any]:
    return {
        "id": record.id,
        "split": record.split,
        "speaker": record.speaker,
        "style": record.style,
        "frames": record.motion.num_frames,
        "shard": shard,
        "transcript": record.speech.transcript or "",
        "phones": _phones_text(record.speech.phones),
        "factors": json.dumps(dict(record.factors)),
        "metadata": json.dumps(dict(record.metadata)),
    }


def _phones_text(phones: Phones | None) -> str:
    if phones is None:
        return ""
    return json.dumps(
        {
            "labels": phones.labels,
            # Unrounded: the sliver of silence that may end a clip would become nothing at all.
            "starts": phones.starts.tolist(),
            "ends": phones.ends.tolist(),
            "words": [(w.text, w.start, w.end) for w in phones.words],
            "origin": phones.origin,
        }
    )


def _read_phones(text: str) -> Phones | None:
    if not text:
        return None
    raw = json.loads(text)
    return Phones(
        tuple(raw["labels"]),
        np.array(raw["starts"]),
        np.array(raw["ends"]),
        tuple(Word(*word) for word in raw["words"]),
        raw["origin"],
    )


def _shard(folder: Path, number: int, suffix: str) -> Path:
    return folder / "shards" / f"{number:05d}.{suffix}"


@lru_cache(maxsize=64)
def _motions(folder: Path, shard: int) -> Any:
    """The open shard; tensors are read from the memory map one by one."""
    _, safetensors = _packages()
    return safetensors.safe_open(_shard(folder, shard, "safetensors"), framework="numpy")


def _packages() -> tuple[Any, Any]:
    try:
        import pyarrow.parquet
        import safetensors.numpy
    except ImportError as error:
        raise MissingExtraError("Working with corpora", "train") from error
    return pyarrow, safetensors
