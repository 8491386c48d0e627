"""Distribution metrics against closed forms and numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from synthetic import toy_motion
from synthetic_faces import arkit_face

from kinevox.errors import ConfigError, MotionError
from kinevox.metrics import distribution
from kinevox.motion import Motion, flame_layout


def _column(*values: float) -> np.ndarray:
    return np.array(values, dtype=float)[:, None]


def test_frechet_distance_of_one_number() -> None:
    # Means 1 and 6, variances 2 and 18: 25 + (sqrt 2 - sqrt 18)^2 = 25 + 8.
    assert distribution.frechet_distance(_column(0, 2), _column(3, 9)) == pytest.approx(33)


def test_frechet_distance_of_two_crosses() -> None:
    # Variances (2, 8) / 3 and (8, 2) / 3, equal means: 2 (sqrt(2/3) - sqrt(8/3))^2 = 4/3.
    wide = np.array([[2.0, 0], [-2, 0], [0, 1], [0, -1]])
    assert distribution.frechet_distance(wide[:, ::-1], wide) == pytest.approx(4 / 3)


@given(seed=st.integers(0, 1000), rows=st.integers(2, 40))
def test_frechet_distance_is_zero_for_one_set_and_symmetric(seed: int, rows: int) -> None:
    """With far fewer rows than features too, where covariances have no full rank."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(0, 3, (rows, 20)), rng.normal(1, 2, (7, 20))
    assert distribution.frechet_distance(a, a[::-1]) == pytest.approx(0, abs=1e-9)
    there, back = distribution.frechet_distance(a, b), distribution.frechet_distance(b, a)
    assert there == pytest.approx(back) and there > 0


def test_frechet_distance_equals_the_formula_with_a_matrix_root() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, (500, 6)) @ rng.normal(0, 1, (6, 6)), rng.normal(1, 2, (300, 6))
    root = np.real(sqrtm(np.cov(a.T) @ np.cov(b.T)))
    means = ((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum()
    expected = means + np.trace(np.cov(a.T) + np.cov(b.T) - 2 * root)
    assert distribution.frechet_distance(a, b) == pytest.approx(expected)


def test_frechet_distance_of_too_few_windows_is_nan() -> None:
    assert np.isnan(distribution.frechet_distance(_column(1), _column(1, 2)))


def test_neighborhoods_by_hand() -> None:
    # Four points: the third nearest other stands in for the fifth. Radii 10, 9, 8, 10.
    reference = _column(0, 1, 2, 10)
    assert distribution.coverage(reference, _column(12)) == 1 / 4
    assert distribution.coverage(reference, _column(30)) == 0
    # Radii of the predicted pair are 2.5; only 10 is as near to one of them.
    assert distribution.recall(reference, _column(9.5, 12)) == 1 / 4
    assert distribution.precision(reference, _column(9.5, 12)) == 1
    assert distribution.precision(reference, _column(9.5, 21)) == 1 / 2
    assert np.isnan(distribution.recall(reference, _column(9.5)))


def test_collapse_keeps_precision_and_loses_recall_and_noise_the_other_way_round() -> None:
    rng = np.random.default_rng(0)
    reference = rng.normal(0, 1, (300, 4))
    collapsed, noisy = 0.1 * rng.normal(0, 1, (300, 4)), rng.normal(0, 4, (300, 4))
    assert distribution.precision(reference, collapsed) > 0.95
    assert distribution.recall(reference, collapsed) < 0.2
    assert distribution.recall(reference, noisy) > 0.95
    assert distribution.precision(reference, noisy) < 0.4
    assert distribution.coverage(reference, reference[::-1]) == 1


def test_the_fifth_neighbor_sets_the_radius() -> None:
    line = _column(*range(100))
    # Inside the line the fifth nearest is 3 away; 53.5 lies within 3 of 51 to 56, that is six.
    assert distribution.coverage(line, _column(53.5)) == 6 / 100


def test_window_features_by_hand() -> None:
    # A ramp of one unit per frame at 10 fps: windows of 20 frames, one every 10.
    features = distribution.window_features(_column(*range(45)), 10)
    assert features.shape == (3, 3)
    np.testing.assert_allclose(features[:, 0], [9.5, 19.5, 29.5])
    np.testing.assert_allclose(features[:, 1], np.sqrt((20**2 - 1) / 12))
    np.testing.assert_allclose(features[:, 2], 1.0)
    assert distribution.window_features(_column(*range(19)), 10).shape == (0, 3)


def test_diversity_by_hand() -> None:
    # Takes at 0, 1 and 3: pairs 1, 3 and 2 apart.
    takes = 1e-3 * np.array([0.0, 1, 3])[:, None, None, None] * np.ones((3, 5, 4, 1))
    takes = np.concatenate([takes, np.zeros((3, 5, 4, 2))], axis=-1)
    assert distribution.diversity_face_mm(takes) == pytest.approx(2)
    yaw = np.radians(10) * np.array([0.0, 1, 3])[:, None] * np.ones((3, 5))
    heads = np.stack([np.zeros_like(yaw), yaw, np.zeros_like(yaw)], axis=-1)
    assert distribution.diversity_head_deg(heads) == pytest.approx(20)
    assert np.isnan(distribution.diversity_face_mm(takes[:1]))
    assert np.isnan(distribution.diversity_head_deg(heads[:1]))


def test_takes_that_are_alike_have_no_diversity() -> None:
    take = toy_motion(30)
    assert set(distribution.evaluate_takes(arkit_face(), [take, take]).values()) == {0.0}


def test_half_the_movement_is_farther_away_than_another_take() -> None:
    head = arkit_face()
    reference = [toy_motion(250, seed=seed) for seed in range(8)]
    alike = [toy_motion(250, seed=seed) for seed in range(8, 16)]
    dull = [motion.replace(values=0.1 * motion.values) for motion in alike]
    near, far = (distribution.evaluate(head, reference, others) for others in (alike, dull))
    assert near["frechet_face"] < far["frechet_face"]
    assert near["frechet_head"] < far["frechet_head"]
    assert near["coverage_head"] > far["coverage_head"]


def test_messages_tell_what_does_not_fit() -> None:
    head, motion = arkit_face(), toy_motion(60)
    with pytest.raises(ConfigError, match="no predicted motions"):
        distribution.evaluate(head, [motion], [])
    with pytest.raises(MotionError, match="25, 30 fps; resample to one rate"):
        distribution.evaluate(head, [motion], [toy_motion(60, fps=30)])
    with pytest.raises(MotionError, match="some have flame"):
        distribution.evaluate(head, [motion], [Motion(np.zeros((9, 56)), layout=flame_layout())])
    with pytest.raises(MotionError, match="60 and 50 frames"):
        distribution.evaluate_takes(head, [motion, toy_motion(50)])
