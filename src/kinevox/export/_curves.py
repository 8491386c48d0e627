"""Between named curves in a file and a motion of the arkit layout."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from kinevox import arkit
from kinevox.errors import MotionError
from kinevox.motion import ARKIT, Motion

_log = logging.getLogger(__name__)


def require_arkit(motion: Motion, format_name: str) -> None:
    """Raises MotionError unless the motion has ARKit channels and at least one frame."""
    if motion.layout != ARKIT:
        raise MotionError(
            f"{format_name} holds ARKit's 52 curves; this motion has layout "
            f"'{motion.layout.name}'. Name the head it was made for, FILE being your FLAME model: "
            "kinevox convert MOTION --source-head flame:FILE -o OUTPUT"
        )
    if motion.num_frames == 0:
        raise MotionError(f"The motion has no frames; {format_name} needs at least one.")


def known_curves(spellings: Sequence[str]) -> dict[str, int]:
    """ARKit name -> column, from a file's names of its columns; the first of several wins."""
    columns: dict[str, int] = {}
    for column, spelling in enumerate(spellings):
        name = arkit.find_name(spelling)
        if name is not None:
            columns.setdefault(name, column)
    return columns


def arkit_motion(
    columns: Mapping[str, int],
    weights: Float[np.ndarray, "frames columns"],
    head: Float[np.ndarray, "frames 3"],
    fps: float,
    path: Path,
) -> Motion:
    """A motion from curves by ARKit name; curves that the file lacks rest at 0, with a warning.

    Args:
        columns: ARKit name -> column of `weights`.
        head: Head rotation, axis-angle [rad].

    Raises:
        MotionError: not one ARKit curve.
    """
    if not columns:
        raise MotionError(
            f"{path.name} names none of ARKit's 52 curves (jawOpen, eyeBlinkLeft, ...)."
        )
    missing = [name for name in arkit.NAMES if name not in columns]
    if missing:
        _log.warning(
            "%s lacks %d of ARKit's 52 curves; they stay at 0: %s",
            path.name,
            len(missing),
            ", ".join(missing),
        )
    values = np.zeros((len(weights), ARKIT.num_channels), dtype=np.float32)
    for name, column in columns.items():
        values[:, ARKIT.index(name)] = weights[:, column]
    values[:, ARKIT.group("head")] = head
    return Motion(values, fps, metadata={"source": path.name})
