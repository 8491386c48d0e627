"""Head metrics against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic import toy_motion

from kinevox.errors import ConfigError
from kinevox.metrics import head_pose
from kinevox.motion import ARKIT, Motion, flame_layout
from kinevox.rotation import axis_angle_from_yaw_pitch_roll


def _turned(yaw: list[float], pitch: list[float] | None = None) -> np.ndarray:
    angles = np.zeros((len(yaw), 3))
    angles[:, 0] = yaw
    angles[:, 1] = pitch or 0.0
    return axis_angle_from_yaw_pitch_roll(np.radians(angles))


def _motion(head: np.ndarray, fps: float = 25.0) -> Motion:
    still = Motion(np.zeros((len(head), ARKIT.num_channels), np.float32), fps)
    return still.with_channels(**{f"head_{axis}": head[:, i] for i, axis in enumerate("xyz")})


def test_angular_error_is_geodesic() -> None:
    assert head_pose.head_error_deg(_turned([0, 0]), _turned([10, 20])) == pytest.approx(15)
    assert head_pose.head_error_deg(_turned([170]), _turned([-170])) == pytest.approx(20)
    # Quarter turns about two axes at right angles lie a third of a turn apart.
    assert head_pose.head_error_deg(_turned([90]), _turned([0], [90])) == pytest.approx(120)


def test_error_is_symmetric_and_blind_to_a_common_turn() -> None:
    a, b = (toy_motion(20, seed=seed).group("head") for seed in (0, 1))
    assert head_pose.head_error_deg(a, b) == pytest.approx(head_pose.head_error_deg(b, a))


def test_beats_are_the_moments_between_movements() -> None:
    # Steps of 3, 2, 1, 2, 3 degrees: slowest between frames 2 and 3.
    head = _turned(np.cumsum([0.0, 3, 2, 1, 2, 3]).tolist())
    np.testing.assert_allclose(head_pose.head_beats(head, 25), [2.5 / 25])
    np.testing.assert_allclose(head_pose.head_beats(head, 50), [2.5 / 50])


def test_still_or_evenly_turning_heads_have_no_beats() -> None:
    assert not len(head_pose.head_beats(np.zeros((50, 3)), 25))
    even = _turned(np.linspace(-20, 20, 500).tolist()).astype(np.float32)
    assert not len(head_pose.head_beats(even, 25))


def test_beat_alignment_by_hand() -> None:
    beats = np.array([1.0, 2.0])
    assert head_pose.beat_alignment(beats, np.array([1.0, 2.0, 5.0])) == 1
    # One beat met, one missed by 0.24 s, two sigma.
    missed = head_pose.beat_alignment(beats, np.array([1.0, 2.24]))
    assert missed == pytest.approx((1 + np.exp(-2)) / 2)
    assert head_pose.beat_alignment(np.array([1.0]), np.array([0.88])) == pytest.approx(
        0.6065306597
    )
    assert head_pose.beat_alignment(beats, np.zeros(0)) == 0
    assert np.isnan(head_pose.beat_alignment(np.zeros(0), beats))


def test_excess_tells_timing_from_chance() -> None:
    rng = np.random.default_rng(0)
    voice = np.arange(1.0, 59, 1.5) + rng.uniform(-0.3, 0.3, 39)
    trembling = np.arange(0.02, 60, 0.08)
    assert head_pose.beat_alignment(voice, trembling) > 0.95
    assert abs(head_pose.beat_alignment_excess(voice, trembling, 60.0)) < 0.02
    assert head_pose.beat_alignment_excess(voice, voice, 60.0) > 0.6
    # Two beats in 32 s met exactly; shifted by whole seconds they meet the other once in 31.
    excess = head_pose.beat_alignment_excess(np.array([4.0, 9]), np.array([4.0, 9]), 32.0)
    expected = 1 - 2 * 0.5 / 31
    assert excess == pytest.approx(expected, abs=1e-9)
    assert np.isnan(head_pose.beat_alignment_excess(np.zeros(0), trembling, 60.0))


def test_dynamics_spread_and_range_by_hand() -> None:
    reference, predicted = _turned([0, 20]), _turned([0, 8])
    assert head_pose.head_dynamics_deg(reference, predicted) == pytest.approx(10 - 4)
    scores = head_pose.evaluate(_motion(reference), _motion(predicted))
    assert scores["head_dynamics_deg"] == pytest.approx(6, rel=1e-5)
    assert scores["head_motion_deg"] == pytest.approx(4, rel=1e-5)
    assert scores["head_yaw_std_deg"] == pytest.approx(4, rel=1e-5)
    assert scores["head_yaw_range_deg"] == pytest.approx(8, rel=1e-5)
    assert scores["head_pitch_range_deg"] == pytest.approx(0, abs=1e-5)
    back = head_pose.evaluate(_motion(predicted), _motion(reference))
    assert back["head_dynamics_absolute_deg"] == pytest.approx(6, rel=1e-5)
    assert back["head_dynamics_deg"] == pytest.approx(-6, rel=1e-5)


def test_blinks_need_to_open_before_they_count_again() -> None:
    lids = np.array([0, 0.45, 0.3, 0.45, 0, 1, 1, 0, 0.3, 0])
    assert head_pose.blink_frames(lids) == [1, 5]
    assert head_pose.blink_frames(np.array([1.0, 1, 0, 1])) == [3]
    blinking = _motion(np.zeros((50, 3))).with_channels(
        eyeBlinkLeft=np.tile(lids, 5), eyeBlinkRight=np.tile(lids, 5)
    )
    assert head_pose.blinks_per_minute(blinking) == 60 * 10 / 2
    wink = blinking.with_channels(eyeBlinkRight=0)
    assert head_pose.blinks_per_minute(wink) == 60 * 5 / 2  # only the full closures reach half
    assert np.isnan(head_pose.blinks_per_minute(Motion(np.zeros((9, 56)), layout=flame_layout())))


def test_alignment_to_the_voice_takes_times_of_accents() -> None:
    head = _turned(np.cumsum([0.0, 3, 2, 1, 2, 3] + [4] * 40).tolist())
    motion = _motion(head)
    assert head_pose.evaluate(motion, motion, [0.1])["beat_alignment_audio"] == pytest.approx(1)
    late = head_pose.evaluate(motion, motion, [0.22])["beat_alignment_audio"]
    assert late == pytest.approx(np.exp(-0.5))
    assert np.isnan(head_pose.evaluate(motion, motion)["beat_alignment_audio"])


def test_beats_in_frames_or_milliseconds_are_refused() -> None:
    motion = toy_motion(50)
    with pytest.raises(ConfigError, match=r"1 beats lie outside the clip of 2\.00 s, the first at"):
        head_pose.evaluate(motion, motion, [0.5, 480.0])
    with pytest.raises(ConfigError, match="times in seconds"):
        head_pose.evaluate(motion, motion, [float("nan")])
