"""The clip type: channels by name, cutting and joining, resampling."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic import toy_motion

from kinevox import rotation
from kinevox.errors import MotionError, UnknownNameError
from kinevox.motion import ARKIT, Motion, blend, body_layout, flame_layout, join

BODY = body_layout(("pelvis", "spine", "head"))
LAYOUTS = [ARKIT, flame_layout(), flame_layout(100), BODY]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_layouts_are_consistent(layout) -> None:
    assert len(set(layout.names)) == layout.num_channels
    groups = list(dict.fromkeys(channel.group for channel in layout.channels))
    columns = [np.arange(layout.num_channels)[layout.group(group)] for group in groups]
    np.testing.assert_array_equal(np.concatenate(columns), np.arange(layout.num_channels))
    turning = [i for i, c in enumerate(layout.channels) if c.group in ("head", "jaw", "joints")]
    covered = [i for turn in layout.rotations for i in range(turn.start, turn.stop)]
    assert covered == turning
    assert Motion(layout.neutral[None], layout=layout).num_frames == 1


def test_sizes_known_from_the_literature() -> None:
    assert ARKIT.num_channels == 55
    assert flame_layout(50).num_channels == 56
    assert flame_layout(100).num_channels == 106
    assert flame_layout() == flame_layout(50)


def test_channels_by_name() -> None:
    motion = toy_motion()
    changed = motion.with_channels(jawOpen=0.25, head_y=motion.times)
    np.testing.assert_array_equal(changed["jawOpen"], np.float32(0.25))
    np.testing.assert_array_equal(changed.group("head")[:, 1], motion.times.astype(np.float32))
    np.testing.assert_array_equal(changed["mouthPucker"], motion["mouthPucker"])
    with pytest.raises(UnknownNameError, match="Did you mean 'jawOpen'"):
        motion["jawopn"]


def test_values_cannot_change_behind_the_motion() -> None:
    motion = toy_motion()
    with pytest.raises(ValueError, match="read-only"):
        motion.values[0, 0] = 1


@pytest.mark.parametrize("wrong", [np.zeros((3, 54)), np.zeros((0, 2))])
def test_wrong_shapes_are_refused(wrong: np.ndarray) -> None:
    with pytest.raises(MotionError, match="needs \\(frames, 55\\)"):
        Motion(wrong)


def test_values_that_are_not_finite_are_located() -> None:
    values = np.zeros((4, 55))
    values[2, ARKIT.index("jawOpen")] = np.nan
    with pytest.raises(MotionError, match="frame 2, channel 'jawOpen'"):
        Motion(values)


@given(st.floats(0.04, 1.16), st.sampled_from([24.0, 25.0, 29.97, 30.0, 60.0]))
def test_cutting_and_joining_loses_nothing(at: float, fps: float) -> None:
    motion = toy_motion(frames=round(1.2 * fps), fps=fps)
    whole = join([motion.cut(0, at), motion.cut(at, 10)])
    np.testing.assert_array_equal(whole.values, motion.values)


def test_cut_outside_the_motion_is_refused() -> None:
    with pytest.raises(MotionError, match="No frame starts"):
        toy_motion().cut(5, 6)


@given(st.sampled_from([24.0, 25.0, 29.97, 30.0, 50.0, 60.0]))
def test_resampling_keeps_length_and_range(fps: float) -> None:
    motion = toy_motion(frames=50)
    resampled = motion.resample(fps)
    assert abs(resampled.seconds - motion.seconds) <= 0.5 / fps + 1e-9
    weights, before = resampled.group("expression"), motion.group("expression")
    assert (weights.min(axis=0) >= before.min(axis=0) - 1e-6).all()
    assert (weights.max(axis=0) <= before.max(axis=0) + 1e-6).all()


def test_resampling_keeps_frames_that_coincide() -> None:
    motion = toy_motion()
    np.testing.assert_allclose(motion.resample(50).values[::2], motion.values, atol=1e-5)
    assert motion.resample(25.0) is motion


def test_closed_lips_stay_closed_between_frames() -> None:
    jaw = np.array([0.5, 0.5, 0, 0, 0.6, 0.1], dtype=np.float32)
    motion = Motion(np.zeros((6, 55))).with_channels(jawOpen=jaw)
    np.testing.assert_array_equal(motion.sample(np.linspace(2 / 25, 3 / 25, 9))[:, 17], 0)


@pytest.mark.parametrize("layout", [ARKIT, BODY], ids=lambda layout: layout.name)
def test_rotations_turn_at_even_speed(layout) -> None:
    turns = np.linspace(0, 2.8, 8)[:, None] * np.array([0.0, 1.0, 0.0])
    turn = layout.rotations[0]
    keys = turns
    if turn.kind == "six_d":
        keys = rotation.six_d_from_matrix(rotation.matrix_from_axis_angle(turns))
    values = np.repeat(layout.neutral[None], 8, axis=0)
    values[:, turn.start : turn.stop] = keys
    between = Motion(values, layout=layout).resample(100).values[:, turn.start : turn.stop]
    if turn.kind == "six_d":
        between = rotation.axis_angle_from_matrix(rotation.matrix_from_six_d(between))
    steps = np.diff(between[:29, 1])
    np.testing.assert_allclose(steps, 0.1, atol=1e-5)


def test_blend_ends_at_both_motions() -> None:
    a, b = toy_motion(seed=1), toy_motion(seed=2)
    np.testing.assert_allclose(blend(a, b, 0.0).values, a.values, atol=1e-6)
    np.testing.assert_allclose(blend(a, b, 1.0).values, b.values, atol=1e-6)
    ramp = np.linspace(0, 1, a.num_frames)
    np.testing.assert_allclose(blend(a, b, ramp).values[-1], b.values[-1], atol=1e-6)


def test_motions_that_differ_do_not_mix() -> None:
    with pytest.raises(MotionError, match="resample one"):
        join([toy_motion(), toy_motion(fps=30.0)])
    with pytest.raises(MotionError, match="one length"):
        blend(toy_motion(30), toy_motion(31), 0.5)
    with pytest.raises(MotionError, match="no motion to join"):
        join([])
