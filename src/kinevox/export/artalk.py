"""Motion of ARTalk: an array (frames, 106) in a `.pt`, `.npy` or `.npz`, at 25 frames per second.

A row holds 100 expression coefficients of FLAME, the global rotation (3) and the jaw's (3), both
axis-angle [rad]. ARTalk itself saves a tensor (`*_motions.pt`), and its style clips are such
tensors of 50 rows. A leading axis of length 1 is dropped.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kinevox.errors import MotionError
from kinevox.export._archive import array_names, read_arrays
from kinevox.export._base import Exporter
from kinevox.export._torch_file import read_tensors
from kinevox.export._tracked import columns, flame_motion
from kinevox.motion import Motion
from kinevox.timebase import FPS

EXPRESSIONS = 100
_WIDTH = EXPRESSIONS + 6
_MOTION = "motion"


def read(path: Path) -> Motion:
    """Reads the one array of such a file.

    Raises:
        MotionError: not such a file, or none of its arrays is (frames, 106).
    """
    arrays = {name: _rows(array) for name, array in _arrays(path).items()}
    fitting = [array for array in arrays.values() if array.ndim == 2 and array.shape[1] == _WIDTH]
    if len(fitting) != 1:
        told = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise MotionError(
            f"{path.name} holds {told}; expected one array of shape (frames, {_WIDTH}): 100 "
            "expressions, head rotation and jaw rotation of ARTalk."
        )
    motion = columns({_MOTION: fitting[0]}, {_MOTION: _WIDTH}, "motion of ARTalk", path)[_MOTION]
    expression, head, jaw = np.split(motion, [EXPRESSIONS, EXPRESSIONS + 3], axis=1)
    return flame_motion(expression, head, jaw, FPS, path)


def _arrays(path: Path) -> dict[str, np.ndarray]:
    if path.suffix.lower() == ".npz":
        return read_arrays(path)
    if path.suffix.lower() != ".npy":
        return read_tensors(path)
    try:
        return {_MOTION: np.load(path, allow_pickle=False)}
    except (OSError, ValueError, EOFError) as error:
        raise MotionError(f"{path.name} is not a readable npy: {error}.") from error


def _rows(array: np.ndarray) -> np.ndarray:
    return array[0] if array.ndim == 3 and len(array) == 1 else array


def recognizes(path: Path) -> bool:
    """Whether it is an npz of one array (frames, 106)."""
    if len(array_names(path)) != 1:
        return False
    return any(_rows(array).shape[1:] == (_WIDTH,) for array in read_arrays(path).values())


EXPORTER = Exporter(
    suffixes=(".pt", ".npy", ".artalk.npz"),
    summary="ARTalk motion: (frames, 106) of FLAME (read only)",
    read=read,
    recognizes=recognizes,
)
