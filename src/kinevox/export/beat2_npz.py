"""Takes of BEAT2 and results of EMAGE: SMPL-X bodies with FLAME faces, of which the face is taken.

An npz with `poses` (frames, 165: 55 joints of SMPL-X, axis-angle [rad]), `expressions` (frames,
100), `mocap_frame_rate` (30 in all that is published), `betas` (300, of SMPL-X, not FLAME's
shape), `trans`, `model` and `gender`.

Taken are the expressions, the jaw (joint 22, counted from 0) and the rotation of neck (12) and
head (15) together, relative to the shoulders. Left are body, hands, eyeballs and place.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float

from kinevox import rotation
from kinevox.export._archive import array_names, read_arrays
from kinevox.export._base import Exporter
from kinevox.export._tracked import assumed_fps, columns, flame_motion
from kinevox.motion import Motion

NECK, HEAD, JAW = 12, 15, 22
"""Joints of SMPL-X, counted from 0."""
NUM_JOINTS = 55
EXPRESSIONS = 100
_RATE = "mocap_frame_rate"
_USUAL_FPS = 30.0


def read(path: Path) -> Motion:
    """Expression, head and jaw of one take, at its own frame rate.

    Raises:
        MotionError: not such a file.
    """
    arrays = read_arrays(path, ("poses", "expressions", _RATE))
    widths = {"poses": 3 * NUM_JOINTS, "expressions": EXPRESSIONS}
    parts = columns(arrays, widths, "take of BEAT2", path)
    joints = parts["poses"].reshape(-1, NUM_JOINTS, 3)
    rate = arrays.get(_RATE)
    return flame_motion(
        parts["expressions"],
        _together(joints[:, NECK], joints[:, HEAD]),
        joints[:, JAW],
        float(rate)
        if rate is not None and rate.size == 1
        else assumed_fps(_USUAL_FPS, path, "as in all of BEAT2"),
        path,
    )


def _together(
    parent: Float[np.ndarray, "frames 3"], child: Float[np.ndarray, "frames 3"]
) -> Float[np.ndarray, "frames 3"]:
    """Two joints in a row as one rotation."""
    turns = map(rotation.quaternion_from_axis_angle, (parent, child))
    return rotation.axis_angle_from_quaternion(rotation.multiply(*turns))


def recognizes(path: Path) -> bool:
    """Whether it is an npz with `poses` and `expressions`."""
    return {"poses", "expressions"} <= array_names(path)


EXPORTER = Exporter(
    suffixes=(".beat2.npz",),
    summary="BEAT2 takes and EMAGE results: face and head of SMPL-X with FLAME (read only)",
    read=read,
    recognizes=recognizes,
)
