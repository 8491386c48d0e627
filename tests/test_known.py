"""What is known of a motion: laws of weights, ranges and poses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic import toy_motion

from kinevox.errors import ConfigError, MotionError, UnknownNameError
from kinevox.known import Known, key_poses, outside
from kinevox.motion import ARKIT, Motion, flame_layout

TAKE = toy_motion(100).with_channels(eyeBlinkLeft=np.zeros(100), eyeBlinkRight=np.zeros(100))
SOFT = [i for i, name in enumerate(ARKIT.names) if not name.startswith(("eyeLook", "head"))]
"""Channels that grow out of what is known alike; eyes leap, heads take their time."""
OTHER = TAKE.replace(values=np.clip(TAKE.values[::-1] + 0.1, 0, 1))


def known(seed: int) -> Known:
    """Random knowledge, in part exact and in part none."""
    rng = np.random.default_rng(seed)
    weights = np.clip(rng.uniform(-0.5, 1.5, (100, 55)), 0, 1)
    return Known(TAKE.replace(values=rng.uniform(0, 1, (100, 55))), weights)


class TestWeights:
    def test_exact_is_exact_and_free_is_free(self) -> None:
        some = known(0)
        held = some.hold(OTHER)
        assert (held.values[some.exact] == some.motion.values[some.exact]).all()
        free = some.weights == 0
        assert (held.values[free] == OTHER.values[free]).all()

    @given(st.integers(0, 100))
    def test_both_is_first_the_one_behind_then_the_one_in_front(self, seed: int) -> None:
        front, behind = known(seed), known(seed + 1)
        both = front.over(behind)
        np.testing.assert_allclose(
            both.hold(OTHER).values, front.hold(behind.hold(OTHER)).values, atol=1e-6
        )
        assert (both.motion.values[front.exact] == front.motion.values[front.exact]).all()

    def test_another_clock(self) -> None:
        again = known(0).at(25.0, 100)
        assert again.weights is not None and again.motion.num_frames == 100
        fine = outside(TAKE, [(1.0, 2.0)]).at(50.0, 200)
        assert (fine.weights[:49] == 1).all() and fine.weights[75].max() == 0

    def test_what_cannot_be(self) -> None:
        with pytest.raises(MotionError, match="one for each"):
            Known(TAKE, np.zeros((99, 55)))
        with pytest.raises(MotionError, match="from 0"):
            Known(TAKE, np.full((100, 55), 1.2))
        with pytest.raises(MotionError, match="99 in layout 'arkit'"):
            known(0).hold(OTHER.cut(0, 3.96))
        flame = Motion(np.zeros((100, 56)), layout=flame_layout(50))
        with pytest.raises(MotionError, match="'flame'"):
            known(0).hold(flame)


class TestRanges:
    @given(st.floats(0, 3.8), st.floats(0.04, 2))
    def test_outside_all_is_known_and_inside_nothing_wholly(
        self, start: float, more: float
    ) -> None:
        end = min(start + more, 4.0)
        inside = (TAKE.times * 25 >= start * 25 - 1e-6) & (TAKE.times * 25 < end * 25 - 1e-6)
        if not inside.any():
            return
        weights = outside(TAKE, [(start, end)]).weights
        assert (weights[~inside] == 1).all() and (weights[inside] < 1).all()
        assert (weights[:, SOFT] == weights[:, SOFT[:1]]).all()

    def test_the_take_is_left_step_by_step(self) -> None:
        weights = outside(TAKE, [(1.0, 2.0)]).weights[:, SOFT[0]]
        assert (weights[30:45] == 0).all()
        assert np.abs(np.diff(weights)).max() < 0.3

    def test_heads_take_their_time(self) -> None:
        weights = outside(TAKE, [(1.0, 3.0)]).weights
        head, face = weights[:, ARKIT.index("head_y")], weights[:, SOFT[0]]
        assert (head >= face).all() and np.abs(np.diff(head)).max() < 0.13
        assert head[35] > 0 == head[40]

    def test_eyes_leap(self) -> None:
        looks = [ARKIT.index(name) for name in ARKIT.names if name.startswith("eyeLook")]
        weights = outside(TAKE, [(1.0, 2.0)]).weights[:, looks]
        assert (weights[25:50] == 0).all() and weights.sum() == 75 * len(looks)

    @pytest.mark.parametrize("middle, free", [(25, 40), (49, 35)])
    def test_a_blink_that_has_begun_is_finished(self, middle: int, free: int) -> None:
        shut = np.zeros(100)
        shut[middle - 2 : middle + 4] = (0.4, 0.9, 0.9, 0.6, 0.3, 0.1)
        take = TAKE.with_channels(eyeBlinkLeft=shut, eyeBlinkRight=shut)
        weights = outside(take, [(1.0, 2.0)]).weights
        lid, jaw = (weights[:, ARKIT.index(name)] for name in ("eyeBlinkLeft", "jawOpen"))
        down = slice(middle - 2, middle + 4)
        assert (lid[down] == 1).all() and lid[free] == 0
        assert jaw[down].min() < 1

    def test_ends_have_nothing_to_return_to(self) -> None:
        assert outside(TAKE, [(0.0, 1.0)]).weights[0, 0] == 0
        assert outside(TAKE, [(3.0, 4.0)]).weights[-1, 0] == 0

    def test_several(self) -> None:
        weights = outside(TAKE, [(0.5, 1.0), (2.0, 3.0)]).weights[:, 0]
        assert weights[30:50].min() == 1 and weights[18] < 1 and weights[60] == 0

    @pytest.mark.parametrize("end", [4.0, 4.03, np.inf])
    def test_to_the_end(self, end: float) -> None:
        """A recording ends a little behind its last frame."""
        weights = outside(TAKE, [(3.0, end)]).weights
        assert (weights == outside(TAKE, [(3.0, 4.0)]).weights).all() and weights[-1].max() == 0

    @pytest.mark.parametrize("span", [(2.0, 2.0), (3.0, 1.0), (-1.0, 1.0), (3.0, 5.0), (np.inf, 4)])
    def test_that_cannot_be(self, span: tuple[float, float]) -> None:
        with pytest.raises(ConfigError, match=r"frames from 0 to 4 s|expected two times"):
            outside(TAKE, [span])


class TestPoses:
    def test_the_motion_passes_through_and_nothing_else_changes(self) -> None:
        pose = {"mouthSmileLeft": 0.9, "jawOpen": 0.0, "mouthClose": 0.0}
        held = key_poses([(1.2, pose)], 100, 25.0, ARKIT).hold(OTHER)
        assert held["mouthSmileLeft"][30] == np.float32(0.9) and held["jawOpen"][30] == 0
        changed = (held.values != OTHER.values).any(axis=1)
        assert changed.nonzero()[0].min() >= 23 and changed.nonzero()[0].max() <= 37
        others = [i for i, name in enumerate(ARKIT.names) if name not in pose]
        assert (held.values[:, others] == OTHER.values[:, others]).all()

    def test_a_jaw_that_opens_parts_the_lips(self) -> None:
        shut = OTHER.with_channels(mouthClose=np.full(100, 0.5))
        open_, said = (
            key_poses([(1.2, pose)], 100, 25.0, ARKIT).hold(shut)["mouthClose"][30]
            for pose in ({"jawOpen": 0.8}, {"jawOpen": 0.8, "mouthClose": 0.4})
        )
        assert (open_, said) == (0, pytest.approx(0.4))

    def test_poses_close_to_each_other_are_all_met(self) -> None:
        poses = [(time, {"jawOpen": value}) for time, value in ((1.0, 0.2), (1.12, 0.9), (1.2, 0))]
        held = key_poses(poses, 100, 25.0, ARKIT).hold(OTHER)
        np.testing.assert_array_equal(held["jawOpen"][[25, 28, 30]], np.float32([0.2, 0.9, 0]))

    def test_it_is_approached_softly(self) -> None:
        still = TAKE.replace(values=np.zeros_like(TAKE.values))
        held = key_poses([(2.0, {"jawOpen": 1.0})], 100, 25.0, ARKIT).hold(still)
        assert np.abs(np.diff(held["jawOpen"])).max() < 0.21
        assert held["jawOpen"][49] == held["jawOpen"][51] > 0.9

    @pytest.mark.parametrize(
        "time, pose, error, told",
        [
            (9.0, {"jawOpen": 0.2}, ConfigError, "outside the motion"),
            (1.0, {"jawOpn": 0.2}, UnknownNameError, "jawOpen"),
            (1.0, {"jawOpen": 2.0}, ConfigError, "ranges from 0 to 1"),
        ],
    )
    def test_that_cannot_be(self, time: float, pose: dict, error: type, told: str) -> None:
        with pytest.raises(error, match=told):
            key_poses([(time, pose)], 100, 25.0, ARKIT)
