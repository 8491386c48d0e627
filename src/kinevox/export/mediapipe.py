"""Blendshapes of MediaPipe's face landmarker, as people dump them: JSON, CSV or npz.

The landmarker gives, per frame, 52 categories (`_neutral` first, then 51 of ARKit's names in
alphabetical order, no `tongueOut`) and on request a 4 x 4 matrix that carries its canonical face
into the camera's space: x to the right of the picture, y up, looking along -z. A frontal face is
the identity, so the matrix is the head's rotation in our axes. There is no official file, so this
reader takes what dumps have in common:

- JSON: a list of frames, or an object with `fps` and `frames`. A frame is a result of the
  landmarker (`face_blendshapes` or `faceBlendshapes`, of whose faces the first is taken, and
  `facial_transformation_matrixes`), one list of categories, or an object of scores by name.
- CSV: a header with `_neutral` or ARKit's names, one row per frame.
- npz: `blendshapes` (frames, 52) in MediaPipe's order, or in that of `names`; `matrices`
  (frames, 4, 4), `timestamps` and `fps` where present.

Times are read from `timestamp_ms`, `timestamp` and their kin; a matrix may be nested or flat, by
rows or columns. Frames without a face are interpolated.
"""

from __future__ import annotations

import csv
import json
import logging
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from kinevox import arkit, rotation
from kinevox.errors import MotionError
from kinevox.export._archive import array_names, read_arrays
from kinevox.export._base import Exporter
from kinevox.export._clock import steady
from kinevox.export._curves import arkit_motion, known_curves
from kinevox.export._tracked import assumed_fps
from kinevox.motion import Motion

ORDER = ("_neutral", *sorted(name for name in arkit.NAMES if name != "tongueOut"))
"""MediaPipe's own order of the categories."""

USUAL_FPS = 30.0
"""Of webcams and phones; assumed where a file states neither times nor a rate."""

_SCORES = ("faceblendshapes", "blendshapes", "categories", "scores")
_MATRIX = ("facialtransformationmatrixes", "facialtransformationmatrix", "matrices", "matrix")
_SECONDS = {
    "timestampms": 1e-3, "timems": 1e-3, "ms": 1e-3, "timestampus": 1e-6, "seconds": 1.0,
    "timestamps": None, "timestamp": None, "time": None, "t": None,
}  # fmt: skip
"""Names of times and their unit [s]; None is told from the size of the steps."""

_log = logging.getLogger(__name__)
_Frame = tuple[float | None, dict[str, float], np.ndarray | None]
"""Time as stated, scores by name, matrix."""


def read(path: Path) -> Motion:
    """Reads a dump of any of the three kinds.

    Raises:
        MotionError: nothing in it is such a dump, or its numbers are unusable.
    """
    frames, fps, unit = {".csv": _from_csv, ".npz": _from_npz}.get(path.suffix.lower(), _from_json)(
        path
    )
    seen = [i for i, (_, scores, _) in enumerate(frames) if scores]
    if not seen:
        raise MotionError(f"{path.name} holds no frame with blendshapes.")
    names = sorted(set().union(*(frames[i][1] for i in seen)))
    weights = np.array([[frames[i][1].get(name, np.nan) for name in names] for i in seen])
    bad = np.argwhere(~np.isfinite(weights))
    if bad.size:
        row, column = bad[0]
        raise MotionError(
            f"{path.name}, frame {seen[row]}: '{names[column]}' is missing or not a number."
        )
    turns = _turns([frames[i][2] for i in seen], path)
    times, fps = _times([time for time, _, _ in frames], fps, unit, path)
    if len(seen) < len(frames):
        _log.warning(
            "%s: no face in %d of %d frames; they are interpolated.",
            path.name,
            len(frames) - len(seen),
            len(frames),
        )
    fps, weights, turns = steady(times[seen], weights, turns, fps)
    head = rotation.axis_angle_from_quaternion(turns)
    return arkit_motion(known_curves(names), weights, head, fps, path)


def _times(
    stated: list[float | None], fps: float | None, unit: float | None, path: Path
) -> tuple[Float[np.ndarray, " frames"], float]:
    """Time of each frame [s], and the rate to take for a single one."""
    told = [time for time in stated if time is not None]
    if len(told) < len(stated) or fps is not None:
        fps = fps or assumed_fps(USUAL_FPS, path, "the usual rate of cameras")
        return np.arange(len(stated)) / fps, fps
    times = np.array(told)
    if not np.isfinite(times).all() or np.any(np.diff(times) <= 0):
        raise MotionError(f"{path.name}: times must increase from frame to frame.")
    if unit is None and len(times) > 1:
        # A step of more than a second between video frames can only be milliseconds.
        unit = 1e-3 if np.median(np.diff(times)) > 1 else 1.0
    return (times - times[0]) * (unit or 1.0), USUAL_FPS


def _turns(matrices: list[np.ndarray | None], path: Path) -> Float[np.ndarray, "frames 4"]:
    """Head rotations as quaternions; a frame without a matrix, as others have, is refused."""
    if all(matrix is None for matrix in matrices):
        return np.tile([1.0, 0.0, 0.0, 0.0], (len(matrices), 1))
    turns = []
    for frame, matrix in enumerate(matrices):
        if matrix is None or matrix.size != 16 or not np.isfinite(matrix).all():
            raise MotionError(f"{path.name}, frame {frame}: expected a 4 x 4 matrix of numbers.")
        square = matrix.reshape(4, 4)
        if np.abs(square[3, :3]).max() > np.abs(square[:3, 3]).max():
            square = square.T  # by columns: the translation stands in the last row
        size = np.cbrt(np.linalg.det(square[:3, :3]))
        if size < 1e-6:
            raise MotionError(f"{path.name}, frame {frame}: the matrix holds no rotation.")
        turns.append(rotation.quaternion_from_matrix(square[:3, :3] / size))
    return np.array(turns)


def _from_npz(path: Path) -> tuple[list[_Frame], float | None, float | None]:
    arrays = read_arrays(path)
    if "blendshapes" not in arrays:
        raise MotionError(f"{path.name} has no array `blendshapes` (frames, {len(ORDER)}).")
    scores = arrays["blendshapes"]
    names = [str(name) for name in arrays.get("names", np.array(ORDER))]
    if scores.ndim != 2 or scores.dtype.kind != "f" or scores.shape[1] != len(names):
        raise MotionError(
            f"{path.name}: blendshapes is {scores.dtype} of shape {scores.shape}; expected floats "
            f"of shape (frames, {len(names)})."
        )
    matrices = _pick(arrays, _MATRIX)
    key, times = next(((k, arrays[k]) for k in arrays if _plain(k) in _SECONDS), ("", None))
    for name, other in (("matrices", matrices), (key, times)):
        if other is not None and len(other) != len(scores):
            raise MotionError(
                f"{path.name}: {len(scores)} frames of blendshapes, {len(other)} of {name}."
            )
    frames = [
        (
            None if times is None else float(times[i]),
            dict(zip(names, map(float, scores[i]), strict=True)),
            None if matrices is None else np.asarray(matrices[i], dtype=float),
        )
        for i in range(len(scores))
    ]
    fps = arrays.get("fps")
    return frames, None if fps is None else float(fps), _SECONDS.get(_plain(key))


def _from_csv(path: Path) -> tuple[list[_Frame], float | None, float | None]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise MotionError(f"{path.name} is not a CSV: {error}.") from error
    header = [name.strip() for name in rows[0]] if rows else []
    curves = {i: name for i, name in enumerate(header) if arkit.find_name(name)}
    if not curves:
        raise MotionError(f"{path.name}: the first line names none of ARKit's curves.")
    clock = next((i for i, name in enumerate(header) if _plain(name) in _SECONDS), None)
    grid = [i for i, name in enumerate(header) if re.fullmatch(r"(m|matrix)_?\d{1,2}", name)]
    frames: list[_Frame] = []
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise MotionError(
                f"{path.name}, line {line}: {len(row)} values, but the header names {len(header)}."
            )
        try:
            scores = {name: float(row[i]) for i, name in curves.items() if row[i].strip()}
            time = None if clock is None else float(row[clock])
            matrix = np.array([float(row[i]) for i in grid if scores])
        except ValueError as error:
            raise MotionError(f"{path.name}, line {line}: {error}.") from None
        frames.append((time, scores, matrix if grid else None))
    return frames, None, None if clock is None else _SECONDS[_plain(header[clock])]


def _from_json(path: Path) -> tuple[list[_Frame], float | None, float | None]:
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise MotionError(f"{path.name} is not JSON: {error}.") from error
    fps = document.get("fps") if isinstance(document, dict) else None
    listed = document.get("frames") if isinstance(document, dict) else document
    if not isinstance(listed, list):
        raise MotionError(f"{path.name}: expected a list of frames, or an object with `frames`.")
    if fps is not None and (isinstance(fps, bool) or not isinstance(fps, int | float) or fps <= 0):
        raise MotionError(f"{path.name}: fps is {fps!r}; expected a number such as 30.")
    frames, unit = [], None
    for number, frame in enumerate(listed):
        try:
            frames.append(_json_frame(frame))
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise MotionError(
                f"{path.name}, frame {number} is not understood: {error}. Expected categories "
                "with a name and a score, or scores by name."
            ) from None
        if isinstance(frame, dict):
            keys = (_SECONDS[_plain(key)] for key in frame if _plain(key) in _SECONDS)
            unit = next(keys, None)
    return frames, None if fps is None else float(fps), unit


def _json_frame(frame: Any) -> _Frame:
    if not isinstance(frame, dict):
        return None, dict(_scores(frame)), None
    time = next((v for k, v in frame.items() if _plain(k) in _SECONDS), None)
    matrix = _pick(frame, _MATRIX)
    if isinstance(matrix, list) and len(matrix) == 1:
        (matrix,) = matrix  # of several faces the first
    if isinstance(matrix, dict):
        matrix = matrix["data"]
    held = _pick(frame, _SCORES)
    scores = _scores(held) if any(_plain(key) in _SCORES for key in frame) else _scores(frame)
    return (
        None if time is None else float(time),
        dict(scores),
        np.array(matrix, dtype=float) if matrix else None,
    )


def _scores(value: Any) -> Iterator[tuple[str, float]]:
    """Scores by name in any nesting: categories, a face's categories, the first of faces."""
    if value is None:
        return
    if isinstance(value, dict):
        if "categories" in value:
            yield from _scores(value["categories"])
            return
        yield from ((k, float(v)) for k, v in value.items() if k in ORDER or arkit.find_name(k))
        return
    if len(value) == len(ORDER) and isinstance(value[0], int | float):
        yield from zip(ORDER, map(float, value), strict=True)
        return
    if value and (isinstance(value[0], list) or "categories" in value[0]):
        yield from _scores(value[0])
        return
    for category in value:
        fields = {_plain(key): item for key, item in category.items()}
        name = fields.get("categoryname") or fields.get("name") or fields["displayname"]
        yield str(name), float(fields["score"])


def _plain(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


def _pick(fields: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """The value under any spelling of one of the names, or None."""
    return next((value for key, value in fields.items() if _plain(key) in names), None)


def recognizes(path: Path) -> bool:
    """Whether it is one of the three dumps, by its beginning."""
    ending = path.suffix.lower()
    if path.is_dir() or ending == ".npz":
        return "blendshapes" in array_names(path)
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            start = file.read(4096)
    except OSError:
        return False
    if ending == ".csv":
        header = {name.strip() for name in start.partition("\n")[0].split(",")}
        return "Timecode" not in header and len(header & set(ORDER)) > len(ORDER) // 2
    plain = start.replace("_", "").lower()
    marks = ("categoryname", "faceblendshapes", '"neutral"', '"blendshapes"', '"browdownleft"')
    return "facsnames" not in plain and any(mark in plain for mark in marks)


EXPORTER = Exporter(
    suffixes=(".mediapipe.json", ".mediapipe.csv", ".mediapipe.npz"),
    summary="MediaPipe blendshapes: dumps as JSON, CSV or npz (read only)",
    read=read,
    recognizes=recognizes,
)
