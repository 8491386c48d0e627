"""Audio2Face JSON: curves by name in `facsNames`, one row of weights per frame in `weightMat`.

The head, which Audio2Face itself leaves still, goes into the `joints` block of newer files: one
joint `head` with a rotation (quaternion x y z w) and a translation (zero) per frame. Numbers are
written with seven decimals; weights are not clamped.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from kinevox import arkit, rotation
from kinevox.errors import MotionError
from kinevox.export._base import Animation, Exporter
from kinevox.export._curves import arkit_motion, known_curves, require_arkit
from kinevox.export._sound import write_sound
from kinevox.files import written_whole
from kinevox.motion import Motion
from kinevox.timebase import exact_fps

_DECIMALS = 7


def write(animation: Animation, path: Path) -> None:
    """Writes the curves, and the sound beside them under the same base name."""
    motion = animation.motion
    require_arkit(motion, "Audio2Face JSON")
    names = list(arkit.UNREAL_ORDER)
    weights = motion.values[:, [motion.layout.index(name) for name in names]].astype(np.float64)
    wxyz = rotation.quaternion_from_axis_angle(motion.group("head").astype(np.float64))
    xyzw = np.roll(wxyz, -1, axis=-1)
    with written_whole(path) as temporary:
        sound = write_sound(animation.speech, path, EXPORTER.suffixes)
        document = {
            "exportFps": float(exact_fps(motion.fps)),
            "trackPath": sound.name if sound else "",
            "numPoses": len(names),
            "numFrames": motion.num_frames,
            "facsNames": names,
            "weightMat": weights.round(_DECIMALS).tolist(),
            "joints": ["head"],
            "rotations": xyzw.round(_DECIMALS)[:, None].tolist(),
            "translations": [[[0.0, 0.0, 0.0]]] * motion.num_frames,
        }
        temporary.write_text(json.dumps(document, separators=(",", ":")), encoding="utf-8")


def read(path: Path) -> Motion:
    """Reads weights in any order of names, and the head where a joint of that name is present.

    Raises:
        MotionError: not such a file, or its parts contradict each other.
    """
    document = _document(path)
    names = document["facsNames"]
    weights = _numbers(document["weightMat"], "weightMat", (None, len(names)), path)
    count = len(weights)
    for key, found in (("numPoses", len(names)), ("numFrames", count)):
        if document.get(key, found) != found:
            raise MotionError(f"{path.name}: {key} is {document[key]}, but {found} are present.")
    joints = [str(joint).lower() for joint in document.get("joints") or []]
    head = np.zeros((count, 3))
    if "head" in joints:
        shape = (count, len(joints), 4)
        xyzw = _numbers(document.get("rotations"), "rotations", shape, path)
        wxyz = np.roll(xyzw[:, joints.index("head")], 1, axis=-1)
        length = np.linalg.norm(wxyz, axis=-1, keepdims=True)
        if np.any(length < 1e-6):
            raise MotionError(f"{path.name}: a head rotation is the zero quaternion.")
        head = rotation.axis_angle_from_quaternion(wxyz / length)
    columns = known_curves(names)
    fps = document["exportFps"]
    if isinstance(fps, bool) or not isinstance(fps, int | float) or not 0 < fps <= 1000:
        raise MotionError(f"{path.name}: exportFps is {fps!r}; expected a number such as 30.")
    return arkit_motion(columns, weights, head, float(fps), path)


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise MotionError(f"{path.name} is not JSON: {error}.") from error
    needed = ("exportFps", "facsNames", "weightMat")
    missing = [key for key in needed if not isinstance(document, dict) or key not in document]
    if missing:
        raise MotionError(f"{path.name} is not an Audio2Face file: it lacks {', '.join(missing)}.")
    names = document["facsNames"]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise MotionError(f"{path.name}: facsNames must be a list of names.")
    return document


def _numbers(value: Any, key: str, shape: tuple[int | None, ...], path: Path) -> np.ndarray:
    """The nested list as an array; None in `shape` fits any length but 0."""
    try:
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise MotionError(f"{path.name}: {key} is not a full table of numbers: {error}.") from error
    fits = array.ndim == len(shape) and all(
        have == want if want is not None else have > 0
        for have, want in zip(array.shape, shape, strict=False)
    )
    if not fits:
        wanted = tuple("frames" if want is None else want for want in shape)
        raise MotionError(f"{path.name}: {key} has shape {array.shape}; expected {wanted}.")
    return array


def recognizes(path: Path) -> bool:
    """Whether it is JSON that names `facsNames`."""
    try:
        return '"facsNames"' in path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return False


EXPORTER = Exporter(
    suffixes=(".json",),
    summary="Audio2Face JSON: ARKit weights per frame, head as a joint",
    write=write,
    read=read,
    recognizes=recognizes,
)
