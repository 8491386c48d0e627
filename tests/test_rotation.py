"""Laws of the rotation group, in every representation and over any leading axes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from kinevox import rotation as r

BATCHES = array_shapes(min_dims=0, max_dims=2, max_side=3)
VECTORS = BATCHES.flatmap(
    lambda batch: arrays(np.float64, (*batch, 3), elements=st.floats(-1.8, 1.8))
)
"""Axis-angle vectors no longer than pi: each rotation has one."""


def quaternions(axis_angle: np.ndarray) -> np.ndarray:
    return r.quaternion_from_axis_angle(axis_angle)


def same(a: np.ndarray, b: np.ndarray) -> None:
    """The same rotation: q and -q are one."""
    np.testing.assert_allclose(np.abs(np.sum(a * b, axis=-1)), 1, atol=1e-9)


@given(VECTORS)
def test_every_representation_returns_what_it_was_given(v: np.ndarray) -> None:
    matrix = r.matrix_from_axis_angle(v)
    np.testing.assert_allclose(r.axis_angle_from_quaternion(quaternions(v)), v, atol=1e-7)
    np.testing.assert_allclose(
        r.matrix_from_axis_angle(r.axis_angle_from_matrix(matrix)), matrix, atol=1e-7
    )
    np.testing.assert_allclose(r.matrix_from_six_d(r.six_d_from_matrix(matrix)), matrix, atol=1e-9)
    same(r.quaternion_from_matrix(matrix), quaternions(v))


@given(VECTORS)
def test_matrices_are_rotations(v: np.ndarray) -> None:
    matrix = r.matrix_from_axis_angle(v)
    eye = np.broadcast_to(np.eye(3), matrix.shape)
    np.testing.assert_allclose(matrix @ np.swapaxes(matrix, -1, -2), eye, atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(matrix), 1, atol=1e-12)


@given(VECTORS, st.integers(0, 2**32 - 1))
def test_group_laws(v: np.ndarray, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b, c = quaternions(v), *(quaternions(rng.normal(size=v.shape)) for _ in range(2))
    one = np.array([1.0, 0, 0, 0])
    same(r.multiply(r.multiply(a, b), c), r.multiply(a, r.multiply(b, c)))
    same(r.multiply(a, np.broadcast_to(one, a.shape)), a)
    same(r.multiply(a, r.conjugate(a)), np.broadcast_to(one, a.shape))
    np.testing.assert_allclose(
        r.matrix_from_quaternion(r.multiply(a, b)),
        r.matrix_from_quaternion(a) @ r.matrix_from_quaternion(b),
        atol=1e-9,
    )


@given(VECTORS)
def test_a_rotation_keeps_its_axis(v: np.ndarray) -> None:
    turned = np.einsum("...ij,...j->...i", r.matrix_from_axis_angle(v), v)
    np.testing.assert_allclose(turned, v, atol=1e-9)


@given(arrays(np.float64, (4, 6), elements=st.floats(-3, 3)))
def test_any_two_independent_vectors_give_a_rotation(six_d: np.ndarray) -> None:
    first, second = six_d[:, :3], six_d[:, 3:]
    if (np.linalg.norm(np.cross(first, second), axis=1) < 1e-3).any():
        return
    matrix = r.matrix_from_six_d(six_d)
    np.testing.assert_allclose(np.linalg.det(matrix), 1, atol=1e-9)


@given(VECTORS, st.floats(0, 1))
def test_slerp_runs_at_even_speed_along_the_shorter_arc(v: np.ndarray, fraction: float) -> None:
    start, end = quaternions(0.3 * v), quaternions(-0.7 * v)
    same(r.slerp(start, end, np.zeros(v.shape[:-1])), start)
    same(r.slerp(start, end, np.ones(v.shape[:-1])), end)
    middle = r.slerp(start, -end, np.full(v.shape[:-1], fraction))
    same(middle, quaternions((0.3 - fraction) * v))


@given(st.floats(-3, 3), st.floats(-1.5, 1.5), st.floats(-3, 3))
def test_head_angles_return(yaw: float, pitch: float, roll: float) -> None:
    angles = np.array([yaw, pitch, roll])
    returned = r.yaw_pitch_roll(r.axis_angle_from_yaw_pitch_roll(angles))
    np.testing.assert_allclose(returned, angles, atol=1e-6)


@pytest.mark.parametrize(
    ("angles", "point", "moves_to"),
    [
        # x to the character's left, y up, z out of the face; the nose points along z.
        ((np.pi / 2, 0, 0), (0, 0, 1), (1, 0, 0)),  # positive yaw: nose to the left
        ((0, np.pi / 2, 0), (0, 0, 1), (0, -1, 0)),  # positive pitch: nose down
        ((0, 0, np.pi / 2), (0, 1, 0), (-1, 0, 0)),  # positive roll: crown to the right
    ],
)
def test_signs_of_head_angles(angles: tuple, point: tuple, moves_to: tuple) -> None:
    matrix = r.matrix_from_axis_angle(r.axis_angle_from_yaw_pitch_roll(np.array(angles)))
    np.testing.assert_allclose(matrix @ np.array(point, float), moves_to, atol=1e-12)


def test_nothing_breaks_down_at_zero_and_half_a_turn() -> None:
    tiny = np.array([[0.0, 0, 0], [1e-12, 0, 0], [0, 1e-7, 0]])
    np.testing.assert_allclose(r.axis_angle_from_quaternion(quaternions(tiny)), tiny, atol=1e-15)
    half = np.pi * np.array([0.6, 0, 0.8])
    matrix = r.matrix_from_axis_angle(half)
    np.testing.assert_allclose(
        r.matrix_from_axis_angle(r.axis_angle_from_matrix(matrix)), matrix, atol=1e-9
    )
