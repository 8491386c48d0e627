"""Continuity metrics against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic import toy_motion
from synthetic_faces import arkit_face

from kinevox.errors import ConfigError
from kinevox.metrics import continuity
from kinevox.motion import ARKIT, Motion


def _track(*positions: float) -> np.ndarray:
    """One point that moves along x."""
    return np.array([[[x, 0.0, 0.0]] for x in positions])


def test_velocity_across_a_border_by_hand() -> None:
    # Frames 0 to 4 at 25 fps; window 2 starts at frame 3, reached in one step of 4.
    velocity = continuity.point_velocity(_track(0, 1, 2, 6, 7), 25)
    assert continuity.border_ratio(velocity, [3], 2) == pytest.approx(4)
    assert continuity.border_ratio(velocity, [2], 2) == pytest.approx(1 / 2)
    assert np.isnan(continuity.border_ratio(velocity, [], 2))


def test_jerk_at_a_border_is_that_of_the_stretches_on_both_sides() -> None:
    # A jump of 1 at frame 6: third differences 1, -2, 1 from frames 3 to 5, none elsewhere.
    jump = _track(*[0.0] * 6, *[1.0] * 6)
    jerk = continuity.jerk(continuity.point_velocity(jump, 10), 10)
    np.testing.assert_allclose(jerk[:, 0, 0] / 1000, [0, 0, 0, 1, -2, 1, 0, 0, 0])
    assert continuity.border_ratio(jerk, [6], 4) == np.inf
    assert continuity.border_ratio(jerk, [5], 4) == pytest.approx((0 + 1 + 2) / 3 / (1 / 6))
    assert continuity.border_ratio(jerk, [9], 4) == 0


def test_stillness_has_no_ratio() -> None:
    assert np.isnan(continuity.border_ratio(np.zeros((9, 1, 3)), [4], 2))


def test_jitter_of_a_cube_is_six() -> None:
    times = np.arange(12) / 10
    velocity = continuity.point_velocity(_track(*times**3), 10)
    assert continuity.jitter(velocity, 10) == pytest.approx(6)
    turn = continuity.turn_velocity(np.stack([0 * times, times**3, 0 * times], axis=1), 10)
    assert continuity.jitter(turn, 10) == pytest.approx(6)
    assert np.isnan(continuity.jitter(velocity[:2], 10))


def test_turns_beyond_half_a_circle_do_not_jump() -> None:
    """Axis-angle wraps at pi; the movement does not."""
    angle = np.linspace(3.0, 3.3, 20)
    angle = np.where(angle > np.pi, angle - 2 * np.pi, angle)
    turn = continuity.turn_velocity(np.stack([0 * angle, angle, 0 * angle], axis=1), 25)
    np.testing.assert_allclose(np.linalg.norm(turn, axis=-1), 25 * 0.3 / 19)


def test_frozen_frames_by_hand() -> None:
    face = continuity.point_velocity(1e-3 * _track(0, 0, 1, 1, 1), 25)  # still in 3 of 4 steps
    head = np.zeros((4, 1, 3))
    assert continuity.frozen_share(face, head) == 3 / 4
    head[3] = 0.1  # one of them while the head turns
    assert continuity.frozen_share(face, head) == 2 / 4


def test_a_held_pose_is_frozen_and_a_lively_one_is_not() -> None:
    held = Motion(np.full((50, ARKIT.num_channels), 0.3, np.float32))
    assert continuity.evaluate(arkit_face(), held)["frozen_share"] == 1
    assert continuity.evaluate(arkit_face(), toy_motion(50))["frozen_share"] == 0


def test_smooth_motion_has_ordinary_borders_and_joined_takes_do_not() -> None:
    head, borders = arkit_face(), list(range(50, 500, 50))
    smooth = continuity.evaluate(head, toy_motion(500), borders)
    takes = np.concatenate([toy_motion(50, seed=seed).values for seed in range(10)])
    joined = continuity.evaluate(head, toy_motion(500).replace(values=takes), borders)
    for part in ("face", "head"):
        assert 0.5 < smooth[f"border_jerk_ratio_{part}"] < 2
        assert joined[f"border_jerk_ratio_{part}"] > 10
        assert joined[f"border_velocity_ratio_{part}"] > 3
        assert joined[f"jitter_{part}"] > smooth[f"jitter_{part}"]


def test_borders_are_frames_of_the_motion() -> None:
    with pytest.raises(ConfigError, match="100 is not a window border of a motion of 50 frames"):
        continuity.evaluate(arkit_face(), toy_motion(50), [25, 100])
    with pytest.raises(ConfigError, match="first window left out"):
        continuity.evaluate(arkit_face(), toy_motion(50), [0])
