"""What readers of trackers' files share: checked columns, frame rates, FLAME put together."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float

from kinevox.errors import MotionError
from kinevox.motion import IDENTITY, Motion, flame_layout

_log = logging.getLogger(__name__)


def columns(
    arrays: Mapping[str, np.ndarray],
    widths: Mapping[str, int | None],
    kind: str,
    path: Path,
) -> dict[str, Float[np.ndarray, "frames _"]]:
    """Per-frame arrays of one length, checked all at once.

    Args:
        widths: Name -> numbers per frame; None is any.
        kind: What the file should be, for messages.

    Raises:
        MotionError: arrays are missing, of another shape, not floats, not finite, or differ in
            length.
    """
    wrong = []
    for name, width in widths.items():
        wanted = f"floats of shape (frames, {width or 'any'})"
        array = arrays.get(name)
        if array is None:
            wrong.append(f"{name} is missing, expected {wanted}")
        elif array.dtype.kind != "f" or array.ndim != 2 or width not in (None, array.shape[1]):
            wrong.append(f"{name} is {array.dtype} of shape {array.shape}, expected {wanted}")
        elif not np.isfinite(array).all():
            frame = int(np.argwhere(~np.isfinite(array))[0, 0])
            wrong.append(f"{name} is not finite in frame {frame}")
    if wrong:
        raise MotionError(f"{path.name} is no usable {kind}: {'; '.join(wrong)}.")
    lengths = {name: len(arrays[name]) for name in widths}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise MotionError(f"{path.name}: arrays differ in their number of frames: {told}.")
    return {name: arrays[name].astype(np.float64) for name in widths}


def assumed_fps(fps: float, path: Path, why: str) -> float:
    """`fps`, and a warning that the file itself states none.

    Args:
        why: Where the assumption comes from.
    """
    _log.warning(
        "%s states no frame rate; %g frames per second are assumed, %s. State another with "
        "--source-fps.",
        path.name,
        fps,
        why,
    )
    return fps


def flame_motion(
    expression: Float[np.ndarray, "frames expressions"],
    head: Float[np.ndarray, "frames 3"],
    jaw: Float[np.ndarray, "frames 3"],
    fps: float,
    path: Path,
    identity: np.ndarray | None = None,
) -> Motion:
    """A motion of FLAME; the person's shape goes into the metadata, for the head it is made for.

    Args:
        identity: Shape coefficients, one row or one per frame.
    """
    metadata = {"source": path.name}
    if identity is not None and identity.size and np.isfinite(identity).all():
        row = np.median(identity.reshape(-1, identity.shape[-1]), axis=0)
        if np.any(row):
            metadata[IDENTITY] = json.dumps([round(float(number), 5) for number in row])
    return Motion(
        np.concatenate([expression, head, jaw], axis=1),
        fps,
        flame_layout(expression.shape[1]),
        metadata,
    )
