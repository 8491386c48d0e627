"""Linear blend skinning with pose correctives, over any leading axes.

Source: Loper et al. 2015 (SMPL), Eqs. 2-4 (skinning) and 9 (correctives), which FLAME
(Li et al. 2017, Eqs. 1-2) takes over. Joints are numbered so that a parent comes before its
children.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int


def pose_features(
    rotations: Float[np.ndarray, "*batch joints 3 3"],
) -> Float[np.ndarray, "*batch features"]:
    """R(theta) - R(rest) of every joint but the root, row after row; the correctives' inputs."""
    away = rotations[..., 1:, :, :] - np.eye(3, dtype=rotations.dtype)
    return away.reshape(*rotations.shape[:-3], -1)


def joint_transforms(
    rotations: Float[np.ndarray, "*batch joints 3 3"],
    joints: Float[np.ndarray, "*batch joints 3"],
    parents: Int[np.ndarray, " joints"],
) -> Float[np.ndarray, "*batch joints 3 4"]:
    """What each joint does to a point at rest: turn about the joint, then follow the parents.

    Args:
        joints: Joint positions at rest, in the same frame as the vertices [m].
        parents: Parent of each joint, -1 for the root.
    """
    world: list[tuple[np.ndarray, np.ndarray]] = []
    for k, parent in enumerate(parents):
        turn, place = rotations[..., k, :, :], joints[..., k, :, None]
        if parent >= 0:
            parent_turn, parent_place = world[parent]
            offset = place - joints[..., parent, :, None]
            turn, place = parent_turn @ turn, parent_turn @ offset + parent_place
        world.append((turn, place))
    # G' = G with the rest position taken away, so that rest points stay where they are (Eq. 4).
    relative = [
        np.concatenate([turn, place - turn @ joints[..., k, :, None]], axis=-1)
        for k, (turn, place) in enumerate(world)
    ]
    return np.stack(relative, axis=-3)


def skin(
    points: Float[np.ndarray, "*batch vertices 3"],
    weights: Float[np.ndarray, "vertices joints"],
    transforms: Float[np.ndarray, "*batch joints 3 4"],
) -> Float[np.ndarray, "*batch vertices 3"]:
    """Each point moved by the weighted mean of its joints' transforms (Eq. 2)."""
    flat = transforms.reshape(*transforms.shape[:-2], 12)
    blended = (weights @ flat).reshape(*points.shape[:-1], 3, 4)
    return np.einsum("...ij,...j->...i", blended[..., :3], points) + blended[..., 3]
