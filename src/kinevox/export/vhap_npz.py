"""FLAME as VHAP tracks it and GaussianAvatars keeps it: one npz, or a folder with one per frame.

`tracked_flame_params_30.npz` holds `rotation` (frames, 3), `neck_pose` (frames, 3), `jaw_pose`
(frames, 3), `expr` (frames, 100), `eyes_pose` (frames, 6), `translation` (frames, 3), `shape`
(300) and more. The folder `flame_param` of an exported avatar holds `00000.npz` and on, each with
the same names and one frame; it is read when the folder, or the one above it, is given.

Taken are expression, jaw and the rotation of the skull, which is that of the root and then of the
neck. Left are the eyeballs and the place in space, which our layout of FLAME has no channels for,
and `static_offset`. The frame rate is the video's, and the file does not state it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kinevox import rotation
from kinevox.errors import MotionError
from kinevox.export._archive import array_names, read_arrays
from kinevox.export._base import Exporter
from kinevox.export._tracked import assumed_fps, columns, flame_motion
from kinevox.motion import Motion
from kinevox.timebase import FPS

_NEEDED = {"rotation": 3, "neck_pose": 3, "jaw_pose": 3, "expr": None}
_FRAMES = "flame_param"
"""Folder of frames inside an exported avatar."""


def read(path: Path) -> Motion:
    """Reads a tracked file, or all frames of a folder.

    Raises:
        MotionError: not such files, arrays of other shapes, or frames that are missing.
    """
    arrays = _gathered(path) if path.is_dir() else read_arrays(path, (*_NEEDED, "shape", "fps"))
    parts = columns(arrays, _NEEDED, "FLAME track of VHAP", path)
    turns = map(rotation.quaternion_from_axis_angle, (parts["rotation"], parts["neck_pose"]))
    head = rotation.axis_angle_from_quaternion(rotation.multiply(*turns))
    fps = arrays.get("fps")
    return flame_motion(
        parts["expr"],
        head,
        parts["jaw_pose"],
        float(fps) if fps is not None and fps.size == 1 else _assumed(path),
        path,
        arrays.get("shape"),
    )


def _assumed(path: Path) -> float:
    return assumed_fps(FPS, path, "since the rate is that of the tracked video")


def _frames(folder: Path) -> list[Path]:
    """The files of single frames, in order."""
    inside = folder / _FRAMES
    files = (inside if inside.is_dir() else folder).glob("*.npz")
    return sorted((file for file in files if file.stem.isdigit()), key=lambda file: int(file.stem))


def _gathered(folder: Path) -> dict[str, np.ndarray]:
    files = _frames(folder)
    numbers = np.array([int(file.stem) for file in files])
    gaps = np.flatnonzero(np.diff(numbers) != 1)
    if len(gaps):
        i = int(gaps[0])
        raise MotionError(
            f"{folder} lacks frames between {files[i].name} and {files[i + 1].name} "
            f"({len(gaps)} gaps in all). Give a folder with every frame of the take."
        )
    frames = [read_arrays(file, (*_NEEDED, "shape")) for file in files]
    for file, frame in zip(files, frames, strict=True):
        columns(frame, _NEEDED, "frame of VHAP", file)
    joined = {name: np.concatenate([frame[name] for frame in frames]) for name in _NEEDED}
    return joined | {name: frames[0][name] for name in ("shape",) if name in frames[0]}


def recognizes(path: Path) -> bool:
    """Whether it is an npz with VHAP's names, or a folder of them."""
    files = _frames(path) if path.is_dir() else [path]
    return bool(files) and {"rotation", "neck_pose", "jaw_pose", "expr"} <= array_names(files[0])


EXPORTER = Exporter(
    suffixes=(".vhap.npz",),
    summary="FLAME tracks of VHAP and GaussianAvatars (read only)",
    read=read,
    recognizes=recognizes,
)
