"""The shape of a captured person on FLAME: identity coefficients from the fitted neutral face.

The person's landmarks differ from those of the average Anny head by displacements. They are carried
to the FLAME vertices that lie where the landmarks do, and the likeliest coefficients that explain
them are found.
"""

from __future__ import annotations

from typing import cast

import numpy as np
from jaxtyping import Float
from scipy.spatial import KDTree

from kinevox._correspondence import correspond
from kinevox.capture._base import Capture
from kinevox.capture.correspond import NUM_LANDMARKS, load_table
from kinevox.errors import MotionError
from kinevox.heads import Head
from kinevox.heads.flame import FlameHead

COEFFICIENTS = 100
"""As many as DiffPoseTalk and most trackers use."""
_NOISE = 0.003
"""How far neutral landmarks may be wrong [m]; coefficients have a standard deviation of 1."""
_FARTHEST = 0.006
"""Landmarks with no vertex nearer than this on the Anny head are left out [m]."""


def flame_shape(
    capture: Capture, anny: Head, flame: FlameHead
) -> Float[np.ndarray, " coefficients"]:
    """Identity coefficients of FLAME for the captured person.

    Args:
        anny: The default head, which the landmarks were placed on.
        flame: FLAME's mean face.

    Raises:
        MotionError: the capture knows no neutral face with all landmarks.
        AssetError: the two heads cannot be matched.
    """
    if capture.neutral is None or len(capture.neutral) != NUM_LANDMARKS:
        raise MotionError("The capture holds no neutral face, so FLAME's shape cannot be found.")
    table = load_table()
    link = correspond(anny, cast(Head, flame))
    on_anny = np.einsum("pc,pcd->pd", link.shares, anny.template[link.corners])
    average = table.places(anny.template.astype(float))
    away, nearest = (np.asarray(found) for found in KDTree(on_anny).query(average))
    near = np.flatnonzero(away < _FARTHEST)
    vertices = link.target_vertices[nearest[near]]
    goals = (capture.neutral - average)[near] @ link.turn.T.astype(float)
    shapes = flame.model.identity[vertices].astype(float)[..., :COEFFICIENTS]
    # Where the head's origin lies, how it is turned and its scale are no shape: they are free.
    places = flame.template[vertices].astype(float)
    turns = np.stack([np.cross(axis, places) for axis in np.eye(3)], axis=-1)
    shifts = np.broadcast_to(np.eye(3), (len(places), 3, 3))
    free = np.concatenate([shifts, turns, places[..., None]], axis=-1)
    columns = np.concatenate([shapes, free], axis=-1).reshape(3 * len(vertices), -1) / _NOISE
    prior = np.zeros(columns.shape[1])
    prior[: shapes.shape[-1]] = 1
    found = np.linalg.solve(
        columns.T @ columns + np.diag(prior + 1e-9), columns.T @ (goals.ravel() / _NOISE)
    )
    return found[: shapes.shape[-1]]
