"""HDTF and TFHP as DiffPoseTalk packs them: an LMDB of pickled segments.

Keys and values: `metadata` holds `{seg_len}`; `PERSON/VIDEO/metadata` holds `{n_frames}`;
`PERSON/VIDEO/000` and on hold `{audio, coef}`, where `audio` is FLAC (16 kHz) and `coef` has `exp`
(n, 50), `pose` (n, 6: head, jaw) and `shape` (n, 100), at 25 frames per second. `train.txt`,
`val.txt` and `test.txt` list `PERSON/VIDEO` beside the database.

The pickles are read by a reader that knows arrays, numbers and text alone.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from kinevox.audio.read import read_audio
from kinevox.data._pickled import read_plain
from kinevox.data.corpora._base import Reader, matched, require_files, slug
from kinevox.data.record import Record
from kinevox.errors import AssetError, MissingExtraError
from kinevox.motion import Motion, flame_layout
from kinevox.speech import Speech
from kinevox.timebase import FPS

LISTS = {"train": "train.txt", "valid": "val.txt", "test": "test.txt"}
LAYOUT = flame_layout(50)


def records(folder: Path, head: str | None = None) -> Iterator[Record]:
    """One record per video, with the identity coefficients in its metadata.

    Raises:
        AssetError: not such a database.
        MissingExtraError: the package `lmdb` is not installed.
    """
    try:
        import lmdb
    except ImportError as error:
        raise MissingExtraError("Reading an LMDB", "train") from error
    present = {split: folder / name for split, name in LISTS.items() if (folder / name).is_file()}
    require_files(folder, ("data.mdb", *(() if present else LISTS.values())), "a packed HDTF")
    with (
        lmdb.open(str(folder), readonly=True, lock=False) as database,
        database.begin() as transaction,
    ):

        def value(key: str) -> dict[str, Any]:
            content = transaction.get(key.encode())
            if content is None:
                raise AssetError(f"{folder} has no entry '{key}'.")
            return read_plain(bytes(content), f"{folder}, '{key}'")

        segment_frames = int(value("metadata")["seg_len"])
        for split, listing in present.items():
            for video in listing.read_text(encoding="utf-8").split():
                frames = int(value(f"{video}/metadata")["n_frames"])
                count = -(-frames // segment_frames)
                yield _record(video, split, [value(f"{video}/{k:03d}") for k in range(count)])


def _record(video: str, split: str, segments: list[dict[str, Any]]) -> Record:
    columns = {
        name: np.concatenate([np.asarray(segment["coef"][name]) for segment in segments])
        for name in ("exp", "pose", "shape")
    }
    person = video.partition("/")[0]
    # FLAME's layout here is expression, head, jaw, and so is this order.
    values = np.concatenate([columns["exp"], columns["pose"]], axis=1)
    sound = np.concatenate([_decoded(segment["audio"]) for segment in segments])
    motion, samples = matched(Motion(values, FPS, LAYOUT), sound)
    return Record(
        id=slug(video.replace("/", "-")),
        split=split,
        speaker=person,
        style=person,
        speech=Speech(samples),
        motion=motion,
        metadata={
            "source": "hdtf-tfhp",
            "shape": json.dumps(np.median(columns["shape"], axis=0).round(5).tolist()),
        },
    )


def _decoded(flac: bytes) -> Float[np.ndarray, " samples"]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "segment.flac"
        path.write_bytes(flac)
        return read_audio(path)


CORPUS = Reader(
    name="hdtf-lmdb",
    summary="HDTF and TFHP as DiffPoseTalk packs them (FLAME, 25 frames per second)",
    source="data.mdb with train.txt, val.txt, test.txt",
    licence="as agreed with the dataset's authors; research only",
    layout=LAYOUT,
    records=records,
)
