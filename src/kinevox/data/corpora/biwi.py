"""BIWI (Biwi 3D audiovisual corpus of affective communication) as FaceFormer prepares it.

`vertices_npy/SPEAKER_NAME.npy` holds (frames, 70110) at 25 frames per second, `wav/` the sound and
`templates.pkl` each speaker's face at rest. The mesh of 23,370 vertices belongs to no head of
kinevox and comes without triangles, so only `vertex_clips` is offered; `records` says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kinevox.data.corpora._base import Reader
from kinevox.data.corpora._meshes import VertexClip, vertex_files
from kinevox.data.record import Record
from kinevox.errors import ConfigError

NUM_VERTICES = 23_370
TRAIN_SPEAKERS = ("F2", "F3", "F4", "M3", "M4", "M5")
"""Of the published split. Each of them says sentences 1 to 32 in its training set, 33 to 36 in
validation and 37 to 40 in test A; test B is 37 to 40 of the other eight speakers."""


def vertex_clips(folder: Path) -> Iterator[VertexClip]:
    """The meshes, in the unit of the files, with their sound.

    Raises:
        AssetError: files are missing or hold something else.
    """
    return vertex_files(folder, NUM_VERTICES, (25.0,), "BIWI")


def published_split(clip: VertexClip) -> str:
    """`train`, `valid`, `test-a` (seen speakers), `test-b` (unseen speakers) or `unused`."""
    sentence = int(clip.id[-2:])
    if clip.speaker not in TRAIN_SPEAKERS:
        return "test-b" if sentence > 36 else "unused"
    return "train" if sentence <= 32 else "valid" if sentence <= 36 else "test-a"


def records(folder: Path, head: str | None = None) -> Iterator[Record]:
    """Refuses: there is no head whose motion these meshes could become.

    Raises:
        ConfigError: always.
    """
    raise ConfigError(
        "BIWI's meshes fit no head of kinevox, so they cannot become motion. Read them with "
        "kinevox.data.corpora.biwi.vertex_clips(folder)."
    )


CORPUS = Reader(
    name="biwi",
    summary="BIWI: meshes of 23,370 vertices; to be read from Python only",
    source="vertices_npy/, wav/ and templates.pkl",
    licence="BIWI's own; research only",
    layout=None,
    records=records,
)
