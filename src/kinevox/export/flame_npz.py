"""FLAME parameters as DiffPoseTalk keeps them: `shape`, `exp` and `pose` in a plain npz.

`pose` holds the global rotation, then the jaw's, both as axis-angle [rad]. The file itself
states no frame rate; the convention is 25 frames per second. kinevox adds `fps`, which other
readers of named arrays ignore.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from jaxtyping import Float

from kinevox.errors import MotionError
from kinevox.export._archive import array_names, read_arrays
from kinevox.export._base import Animation, Exporter
from kinevox.export._tracked import assumed_fps, flame_motion
from kinevox.files import written_whole
from kinevox.motion import ARKIT, IDENTITY, Motion, flame_layout
from kinevox.timebase import FPS, exact_fps

SHAPES = 100
"""Identity coefficients in the file."""

EXPRESSIONS = 50


def write(animation: Animation, path: Path) -> None:
    """Writes expression and pose, and the shape that a FLAME file came with, or the mean face."""
    motion = animation.motion
    if motion.layout != flame_layout(EXPRESSIONS):
        source = "anny" if motion.layout == ARKIT else "flame:FILE"
        raise MotionError(
            f"A .flame.npz holds FLAME's {EXPRESSIONS} expressions, head and jaw; this motion has "
            f"layout '{motion.layout.name}'. Fit FLAME's mesh to it, FILE being your FLAME model: "
            f"kinevox convert MOTION --source-head {source} --head flame:FILE -o {path.name}"
        )
    with written_whole(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file,
            shape=_shape(motion),
            exp=motion.group("expression"),
            pose=np.concatenate([motion.group("head"), motion.group("jaw")], axis=1),
            fps=np.float64(exact_fps(motion.fps)),
        )


def read(path: Path) -> Motion:
    """Reads `exp` (frames, 50) and `pose` (frames, 6).

    Raises:
        MotionError: not such a file, or the arrays have other shapes.
    """
    arrays = read_arrays(path, ("exp", "pose", "shape", "fps"))
    missing = [name for name in ("exp", "pose") if name not in arrays]
    if missing:
        raise MotionError(f"{path.name} is not a FLAME file: it lacks {', '.join(missing)}.")
    wanted = {"exp": (EXPRESSIONS, (2,)), "pose": (6, (2,)), "shape": (SHAPES, (1, 2))}
    for name, (columns, ranks) in wanted.items():
        array = arrays.get(name)
        if array is None:
            continue
        if array.ndim not in ranks or array.shape[-1] != columns or array.dtype.kind != "f":
            axes = f"(frames, {columns})" if ranks == (2,) else f"({columns},)"
            raise MotionError(
                f"{path.name}: {name} is {array.dtype} of shape {array.shape}; "
                f"expected floats of shape {axes}."
            )
    expression, pose = arrays["exp"], arrays["pose"]
    if len(expression) != len(pose):
        raise MotionError(
            f"{path.name}: exp has {len(expression)} frames and pose {len(pose)}; "
            "both must be of one length."
        )
    rate = arrays.get("fps")
    return flame_motion(
        expression,
        pose[:, :3],
        pose[:, 3:],
        float(rate)
        if rate is not None and rate.size == 1
        else assumed_fps(FPS, path, "as in DiffPoseTalk"),
        path,
        arrays.get("shape"),
    )


def _shape(motion: Motion) -> Float[np.ndarray, " shapes"]:
    known = json.loads(motion.metadata.get(IDENTITY, "[]"))[:SHAPES]
    return np.array(known + [0.0] * (SHAPES - len(known)), dtype=np.float32)


def recognizes(path: Path) -> bool:
    """Whether it is an npz with `exp` and `pose`."""
    return {"exp", "pose"} <= array_names(path)


EXPORTER = Exporter(
    suffixes=(".flame.npz",),
    summary="FLAME parameters in DiffPoseTalk's convention",
    write=write,
    read=read,
    recognizes=recognizes,
)
