"""A camera when nobody knows which it was, and a first guess of where the head is."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from kinevox.capture._base import Camera
from kinevox.capture.fit.linearize import Pose
from kinevox.errors import ConfigError

_USUAL_VIEW = 0.79
"""Angle that the longer side of a picture spans where nothing is known [rad], 45 degrees: between
a webcam (60 to 70) and a portrait lens (20 to 30)."""
_NEAREST = 0.6
"""Faces are seldom filmed from nearer [m]; one that seems to be was cut out of a wider picture."""


def choose_camera(
    size: tuple[int, int],
    field_of_view: float | None,
    neutral: Float[np.ndarray, "points 3"],
    seen: Float[np.ndarray, "frames points 3"],
) -> Camera:
    """The camera of a video; without `field_of_view` a likely one.

    Raises:
        ConfigError: the angle is no field of view.
    """
    if field_of_view is not None:
        if not 0.01 < field_of_view < 2.8:
            raise ConfigError(
                f"A field of view of {field_of_view} is not between 0.01 and 2.8. Give the angle "
                "[rad] that the longer side of the picture spans."
            )
        return Camera(max(size) / 2 / float(np.tan(field_of_view / 2)), size)
    focal = max(size) / 2 / float(np.tan(_USUAL_VIEW / 2))
    scale = float(np.median(_flat_pose(neutral, seen)[1]))
    return Camera(max(focal, scale * _NEAREST), size)


def guess_pose(
    camera: Camera,
    neutral: Float[np.ndarray, "points 3"],
    seen: Float[np.ndarray, "frames points 3"],
) -> Pose:
    """Pose of a neutral head as if the camera were far away."""
    R, scale, middle = _flat_pose(neutral, seen)
    depth = camera.focal / scale
    width, height = camera.size
    across = (middle - [width / 2, height / 2]) * [1, -1] * (depth / camera.focal)[:, None]
    center = np.concatenate([across, -depth[:, None]], axis=1)
    return Pose(R, center - R @ neutral.mean(axis=0))


def _flat_pose(
    neutral: Float[np.ndarray, "points 3"], seen: Float[np.ndarray, "frames points 3"]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rotation, scale [pixels per m] and middle [pixels] under scaled orthography.

    The affine camera by least squares, then the nearest one with orthogonal rows.
    """
    seen = seen[..., :2]
    middle = seen.mean(axis=1)
    arms = neutral - neutral.mean(axis=0)
    affine = np.swapaxes(seen - middle[:, None], 1, 2) @ np.linalg.pinv(arms).T
    affine = affine * np.array([1, -1])[:, None]
    left, strength, right = np.linalg.svd(affine, full_matrices=False)
    rows = left @ right
    third = np.cross(rows[:, 0], rows[:, 1])
    return np.concatenate([rows, third[:, None]], axis=1), strength.mean(axis=1), middle
