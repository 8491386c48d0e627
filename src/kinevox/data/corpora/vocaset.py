"""VOCASET: twelve people, forty sentences each, as meshes of FLAME's topology.

Two layouts are read: the published one (`data_verts.npy`, `raw_audio_fixed.pkl`,
`subj_seq_to_idx.pkl`, `templates.pkl`, 60 frames per second) and FaceFormer's (`vertices_npy/`,
`wav/`, `templates.pkl`; 60 frames per second, in some copies 30). Splits are VOCA's, by person.

`vertex_clips` gives the meshes as they are. `records` fits a FLAME head to them, which the user
brings.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from kinevox.data._pickled import read_plain
from kinevox.data.corpora._base import Reader, matched, require_files, slug
from kinevox.data.corpora._meshes import VertexClip, fitted_motion, read_templates, vertex_files
from kinevox.data.record import Record
from kinevox.errors import ConfigError
from kinevox.heads import load_head
from kinevox.motion import flame_layout
from kinevox.speech import Speech
from kinevox.timebase import SAMPLE_RATE

LAYOUT = flame_layout(50)
NUM_VERTICES = 5023
RATES = (60.0, 30.0)
VALID = {"FaceTalk_170811_03275_TA", "FaceTalk_170908_03277_TA"}
TEST = {"FaceTalk_170809_00138_TA", "FaceTalk_170731_00024_TA"}
_PUBLISHED = ("data_verts.npy", "raw_audio_fixed.pkl", "subj_seq_to_idx.pkl", "templates.pkl")


def vertex_clips(folder: Path) -> Iterator[VertexClip]:
    """The meshes [m] with their sound.

    Raises:
        AssetError: neither of the two layouts.
    """
    if (folder / "vertices_npy").is_dir():
        yield from vertex_files(folder, NUM_VERTICES, RATES, "VOCASET")
        return
    require_files(folder, _PUBLISHED, "VOCASET")
    every = np.load(folder / "data_verts.npy", mmap_mode="r", allow_pickle=False)
    templates = read_templates(folder / "templates.pkl", NUM_VERTICES)
    rows, sounds = (
        read_plain((folder / name).read_bytes(), str(folder / name))
        for name in ("subj_seq_to_idx.pkl", "raw_audio_fixed.pkl")
    )
    for speaker in sorted(rows):
        for sentence, frames in sorted(rows[speaker].items()):
            # Some sentences have meshes but no sound.
            if sentence in sounds.get(speaker, {}):
                numbers = [frames[frame] for frame in sorted(frames)]
                yield VertexClip(
                    f"{speaker}_{sentence}",
                    speaker,
                    every[numbers],
                    templates[speaker],
                    RATES[0],
                    _speech(sounds[speaker][sentence]),
                )


def records(folder: Path, head: str | None = None) -> Iterator[Record]:
    """Clips as motion of a FLAME head.

    Raises:
        AssetError: neither of the two layouts.
        ConfigError: no head is given, or not FLAME.
    """
    if head is None:
        raise ConfigError(
            "VOCASET keeps meshes. Give the FLAME model to fit them with: "
            "--head flame:generic_model.pkl"
        )
    flame = load_head(head)
    if flame.layout != LAYOUT:
        raise ConfigError(f"Head '{head}' has layout '{flame.layout.name}'; VOCASET needs FLAME.")
    for clip in vertex_clips(folder):
        fitted = fitted_motion(clip, flame)
        motion, samples = matched(fitted, clip.speech.samples)
        yield Record(
            id=slug(clip.id),
            split="valid" if clip.speaker in VALID else "test" if clip.speaker in TEST else "train",
            speaker=clip.speaker,
            style=clip.speaker,
            speech=Speech(samples),
            motion=motion,
            metadata={"source": "vocaset", "language": "en", **fitted.metadata},
        )


def _speech(sound: dict) -> Speech:
    """16-bit samples and their rate, as `raw_audio_fixed.pkl` holds them."""
    import soxr

    samples = np.asarray(sound["audio"])
    scale = 32768 if samples.dtype.kind == "i" else 1
    samples = samples.astype(np.float32) / scale
    return Speech(soxr.resample(samples, sound["sample_rate"], SAMPLE_RATE).astype(np.float32))


CORPUS = Reader(
    name="vocaset",
    summary="VOCASET: meshes of FLAME's topology, fitted with a FLAME head that you bring",
    source=f"{', '.join(_PUBLISHED)}; or vertices_npy/, wav/ and templates.pkl",
    licence="VOCASET's own; research only",
    layout=LAYOUT,
    records=records,
)
