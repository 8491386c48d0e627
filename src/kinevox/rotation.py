"""Rotations in three dimensions, over any leading axes.

Four representations, all right-handed and active (they turn vectors):

- `matrix`      (*batch, 3, 3)
- `axis_angle`  (*batch, 3)   axis times angle [rad]
- `quaternion`  (*batch, 4)   wxyz, unit length; q and -q are the same rotation
- `six_d`       (*batch, 6)   the first two columns of the matrix (Zhou et al. 2019)

Source of the conversions: the exponential map of SO(3) through unit quaternions, as in
Sola 2017, "Quaternion kinematics for the error-state Kalman filter", sections 1 and 2.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

_SMALL_ANGLE = 1e-6


def quaternion_from_axis_angle(
    axis_angle: Float[np.ndarray, "*batch 3"],
) -> Float[np.ndarray, "*batch 4"]:
    """Exponential map; exact through zero rotation."""
    angle = np.linalg.norm(axis_angle, axis=-1, keepdims=True)
    # sin(angle / 2) / angle, by its series where the division loses its digits.
    scale = np.where(
        angle < _SMALL_ANGLE,
        0.5 - angle**2 / 48.0,
        np.sin(angle / 2) / np.where(angle < _SMALL_ANGLE, 1.0, angle),
    )
    return np.concatenate([np.cos(angle / 2), scale * axis_angle], axis=-1)


def axis_angle_from_quaternion(
    quaternion: Float[np.ndarray, "*batch 4"],
) -> Float[np.ndarray, "*batch 3"]:
    """Logarithm, with the angle in [0, pi]."""
    q = np.where(quaternion[..., :1] < 0, -quaternion, quaternion)
    sine = np.linalg.norm(q[..., 1:], axis=-1, keepdims=True)
    angle = 2 * np.arctan2(sine, q[..., :1])
    scale = np.where(sine < _SMALL_ANGLE, 2.0, angle / np.where(sine < _SMALL_ANGLE, 1.0, sine))
    return scale * q[..., 1:]


def matrix_from_quaternion(
    quaternion: Float[np.ndarray, "*batch 4"],
) -> Float[np.ndarray, "*batch 3 3"]:
    """Rotation matrix of a unit quaternion."""
    w, x, y, z = np.moveaxis(quaternion, -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def quaternion_from_matrix(
    matrix: Float[np.ndarray, "*batch 3 3"],
) -> Float[np.ndarray, "*batch 4"]:
    """Unit quaternion with w >= 0, stable at every angle.

    Source: Bar-Itzhack 2000: the quaternion is the leading eigenvector of a symmetric 4 x 4
    matrix, which also gives the nearest rotation when the input is slightly off.
    """
    m = matrix
    trace = m[..., 0, 0] + m[..., 1, 1] + m[..., 2, 2]
    k = np.empty((*m.shape[:-2], 4, 4), dtype=np.float64)
    k[..., 0, 0] = trace
    k[..., 0, 1] = k[..., 1, 0] = m[..., 2, 1] - m[..., 1, 2]
    k[..., 0, 2] = k[..., 2, 0] = m[..., 0, 2] - m[..., 2, 0]
    k[..., 0, 3] = k[..., 3, 0] = m[..., 1, 0] - m[..., 0, 1]
    k[..., 1:, 1:] = m + np.swapaxes(m, -1, -2) - trace[..., None, None] * np.eye(3)
    q = np.linalg.eigh(k)[1][..., :, -1]
    return np.where(q[..., :1] < 0, -q, q).astype(matrix.dtype)


def matrix_from_axis_angle(
    axis_angle: Float[np.ndarray, "*batch 3"],
) -> Float[np.ndarray, "*batch 3 3"]:
    """Rodrigues' formula."""
    return matrix_from_quaternion(quaternion_from_axis_angle(axis_angle))


def axis_angle_from_matrix(
    matrix: Float[np.ndarray, "*batch 3 3"],
) -> Float[np.ndarray, "*batch 3"]:
    """Axis times angle in [0, pi]."""
    return axis_angle_from_quaternion(quaternion_from_matrix(matrix))


def six_d_from_matrix(matrix: Float[np.ndarray, "*batch 3 3"]) -> Float[np.ndarray, "*batch 6"]:
    """First two columns of the matrix, one after the other."""
    return np.concatenate([matrix[..., :, 0], matrix[..., :, 1]], axis=-1)


def matrix_from_six_d(six_d: Float[np.ndarray, "*batch 6"]) -> Float[np.ndarray, "*batch 3 3"]:
    """Gram-Schmidt on the two columns; any two independent vectors give a rotation.

    Source: Zhou et al. 2019, "On the continuity of rotation representations", Eq. 15.
    """
    first = six_d[..., :3] / np.linalg.norm(six_d[..., :3], axis=-1, keepdims=True)
    second = six_d[..., 3:] - np.sum(first * six_d[..., 3:], axis=-1, keepdims=True) * first
    second = second / np.linalg.norm(second, axis=-1, keepdims=True)
    return np.stack([first, second, np.cross(first, second)], axis=-1)


def multiply(
    left: Float[np.ndarray, "*#batch 4"], right: Float[np.ndarray, "*#batch 4"]
) -> Float[np.ndarray, "*batch 4"]:
    """Quaternion product: turns by `right` first, then by `left`."""
    a, b = np.broadcast_arrays(left, right)
    w = a[..., :1] * b[..., :1] - np.sum(a[..., 1:] * b[..., 1:], axis=-1, keepdims=True)
    v = a[..., :1] * b[..., 1:] + b[..., :1] * a[..., 1:] + np.cross(a[..., 1:], b[..., 1:])
    return np.concatenate([w, v], axis=-1)


def conjugate(quaternion: Float[np.ndarray, "*batch 4"]) -> Float[np.ndarray, "*batch 4"]:
    """Inverse of a unit quaternion."""
    return quaternion * np.array([1, -1, -1, -1], dtype=quaternion.dtype)


def slerp(
    start: Float[np.ndarray, "*batch 4"],
    end: Float[np.ndarray, "*batch 4"],
    fraction: Float[np.ndarray, "*batch"],
) -> Float[np.ndarray, "*batch 4"]:
    """Along the shorter great arc from `start` (fraction 0) to `end` (fraction 1).

    Source: Shoemake 1985.
    """
    step = axis_angle_from_quaternion(multiply(conjugate(start), end))
    return multiply(start, quaternion_from_axis_angle(fraction[..., None] * step))


def yaw_pitch_roll(axis_angle: Float[np.ndarray, "*batch 3"]) -> Float[np.ndarray, "*batch 3"]:
    """Head angles [rad]: turn about y, then nod about x, then tilt about z (intrinsic Y-X-Z).

    Positive yaw turns towards the character's left, positive pitch nods down, positive roll
    tilts the crown towards the character's right (docs/conventions.md).
    """
    m = matrix_from_axis_angle(axis_angle)
    yaw = np.arctan2(m[..., 0, 2], m[..., 2, 2])
    pitch = np.arcsin(np.clip(-m[..., 1, 2], -1, 1))
    roll = np.arctan2(m[..., 1, 0], m[..., 1, 1])
    return np.stack([yaw, pitch, roll], axis=-1)


def axis_angle_from_yaw_pitch_roll(
    angles: Float[np.ndarray, "*batch 3"],
) -> Float[np.ndarray, "*batch 3"]:
    """Inverse of `yaw_pitch_roll`."""
    yaw, pitch, roll = (np.asarray(angles)[..., i] for i in range(3))
    zero = np.zeros_like(yaw)
    turn = quaternion_from_axis_angle(np.stack([zero, yaw, zero], axis=-1))
    nod = quaternion_from_axis_angle(np.stack([pitch, zero, zero], axis=-1))
    tilt = quaternion_from_axis_angle(np.stack([zero, zero, roll], axis=-1))
    return axis_angle_from_quaternion(multiply(multiply(turn, nod), tilt))
