"""Corpora that keep meshes: vertices beside sound, and fitting a head to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from kinevox.audio.read import read_audio
from kinevox.data._pickled import read_plain
from kinevox.data.corpora._base import require_files
from kinevox.errors import AssetError, ConfigError
from kinevox.heads import Head, Part, Regions
from kinevox.motion import Channel, Motion, MotionLayout, Rotation
from kinevox.retarget import retarget
from kinevox.speech import Speech


@dataclass(frozen=True, eq=False)
class VertexClip:
    """A clip of a corpus that keeps meshes rather than parameters."""

    id: str
    speaker: str
    vertices: Float[np.ndarray, "frames vertices 3"]
    """In the unit of the corpus; memory-mapped where the file allows."""
    template: Float[np.ndarray, "vertices 3"]
    """The speaker's face at rest."""
    fps: float
    speech: Speech


def vertex_files(
    folder: Path, num_vertices: int, rates: tuple[float, ...], corpus: str
) -> Iterator[VertexClip]:
    """Clips of `vertices_npy/SPEAKER_NAME.npy` and `wav/SPEAKER_NAME.wav`.

    This is how FaceFormer and its kin prepare VOCASET and BIWI; `templates.pkl` holds the face of
    each speaker at rest.

    Args:
        rates: Frame rates that circulate; the one that fits the sound is taken.

    Raises:
        AssetError: files are missing or hold something else.
    """
    require_files(folder, ("vertices_npy", "wav", "templates.pkl"), corpus)
    templates = read_templates(folder / "templates.pkl", num_vertices)
    for path in sorted((folder / "vertices_npy").glob("*.npy")):
        wav = folder / "wav" / f"{path.stem}.wav"
        speaker = path.stem.rpartition("_")[0]
        if not wav.is_file() or speaker not in templates:
            raise AssetError(
                f"{path} lacks {'its sound ' + wav.name if not wav.is_file() else ''}"
                f"{'' if speaker in templates else f'a template of {speaker} in templates.pkl'}."
            )
        try:
            flat = np.load(path, mmap_mode="r", allow_pickle=False)
        except ValueError as error:
            raise AssetError(f"{path} is not a plain array: {error}.") from None
        if flat.ndim < 2 or flat[0].size != 3 * num_vertices:
            raise AssetError(
                f"{path} has shape {flat.shape}; expected (frames, {3 * num_vertices})."
            )
        speech = Speech(read_audio(wav), wav)
        fps = min(rates, key=lambda rate: abs(len(flat) / rate - speech.seconds))
        vertices = flat.reshape(len(flat), num_vertices, 3)
        yield VertexClip(path.stem, speaker, vertices, templates[speaker], fps, speech)


def read_templates(path: Path, num_vertices: int) -> dict[str, Float[np.ndarray, "vertices 3"]]:
    """The face of each speaker at rest.

    Raises:
        AssetError: not such a pickle.
    """
    raw = read_plain(path.read_bytes(), str(path))
    templates = {str(name): np.asarray(face, np.float32) for name, face in raw.items()}
    for name, face in templates.items():
        if face.size != 3 * num_vertices:
            raise AssetError(f"{path}: '{name}' has shape {face.shape}, not ({num_vertices}, 3).")
    return {name: face.reshape(-1, 3) for name, face in templates.items()}


def fitted_motion(clip: VertexClip, head: Head) -> Motion:
    """The motion of a head of the same mesh that comes nearest to a clip.

    Displacements from the speaker's face at rest are fitted, so the head may have another identity.

    Raises:
        ConfigError: the head is made of another mesh.
    """
    if head.template.shape != clip.template.shape:
        raise ConfigError(
            f"Head '{head.name}' has {len(head.template)} vertices, the meshes of this corpus have "
            f"{len(clip.template)}. Give a head of that mesh, such as flame:generic_model.pkl."
        )
    playback = _Playback(
        vertices_of=clip.vertices, template=clip.template, triangles=head.triangles,
        parts=head.parts, regions=head.regions,
    )  # fmt: skip
    numbers = np.zeros((len(clip.vertices), 4), np.float32)
    numbers[:, 3] = np.arange(len(clip.vertices))
    return retarget(Motion(numbers, clip.fps, _FRAMES), playback, head).motion


_FRAMES = MotionLayout(
    "frames",
    (*(Channel(f"head_{axis}", "head", "rad") for axis in "xyz"), Channel("frame", "frame", "1")),
    (Rotation(0, "axis_angle"),),
)
"""Number of the frame in a recorded mesh sequence, of a head that does not turn by itself."""


@dataclass(eq=False)
class _Playback:
    """A recorded mesh sequence as a head, so that it can be retargeted like any other."""

    vertices_of: Float[np.ndarray, "frames vertices 3"]
    template: Float[np.ndarray, "vertices 3"]
    triangles: Int[np.ndarray, "triangles 3"]
    parts: tuple[Part, ...]
    regions: Regions
    name: str = "recording"
    layout: MotionLayout = field(default_factory=lambda: _FRAMES)

    def vertices(
        self, motion: Motion, *, head_pose: bool = True
    ) -> Float[np.ndarray, "frames vertices 3"]:
        return np.asarray(self.vertices_of[motion["frame"].astype(int)], np.float32)
