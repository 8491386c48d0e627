"""Lip metrics against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic import toy_head, toy_motion

from kinevox.errors import AssetError, MotionError
from kinevox.heads import BlendshapeHead, Regions
from kinevox.metrics import lips
from kinevox.motion import ARKIT, Motion, flame_layout
from kinevox.phones import Phones

MM = 1e-3
# Frame 0: one vertex 5 mm off, one 1 mm off. Frame 1: one in place, one 2 mm off.
PREDICTED = MM * np.array([[[3.0, 4, 0], [0, 0, 1]], [[0, 0, 0], [0, 2, 0]]])
REFERENCE = np.zeros_like(PREDICTED)

PHONES = Phones(
    ("SIL", "AA", "M", "AA", "B", "AA", "SIL"),
    np.array([0.0, 0.2, 0.4, 0.5, 0.7, 0.8, 1.0]),
    np.array([0.2, 0.4, 0.5, 0.7, 0.8, 1.0, 1.2]),
)


def _opening(*closed: int) -> np.ndarray:
    opening = np.full(30, 5 * MM)
    opening[list(closed)] = 0.4 * MM
    return opening


def test_distances_by_hand() -> None:
    assert lips.lve_mm(REFERENCE, PREDICTED) == pytest.approx((5 + 2) / 2)
    assert lips.lve_squared_m2(REFERENCE, PREDICTED) == pytest.approx((25e-6 + 4e-6) / 2)
    assert lips.mean_lip_distance_mm(REFERENCE, PREDICTED) == pytest.approx((5 + 1 + 0 + 2) / 4)
    assert lips.mod_extent_mm(REFERENCE, PREDICTED) == pytest.approx((4 + 2) / 2)


def test_opening_of_the_pair_counts_overlap_as_closed() -> None:
    gaps = {"reference": [2.0, 0.0], "predicted": [-1.0, 5.0]}
    pairs = [MM * np.array([[[0, g, 0], [0, 0, 2.0]] for g in gap]) for gap in gaps.values()]
    assert lips.mod_mm(*pairs) == pytest.approx((2 + 5) / 2)


def test_evaluate_by_hand() -> None:
    """A fifth of the jaw lowers one of the toy's two lip vertices by 6 mm in each frame."""
    still = Motion(np.zeros((50, ARKIT.num_channels), np.float32))
    scores = lips.evaluate(toy_head(), still, still.with_channels(jawOpen=0.2))
    assert scores["lve_mm"] == pytest.approx(6, rel=1e-4)
    assert scores["lve_squared_m2"] == pytest.approx(36e-6, rel=1e-4)
    assert scores["mean_lip_distance_mm"] == pytest.approx(3, rel=1e-4)
    assert scores["mod_mm"] == pytest.approx(6, rel=1e-4)
    assert scores["mod_extent_mm"] == pytest.approx(6, rel=1e-4)
    assert np.isnan(scores["mouth_opening_correlation"])
    assert np.isnan(scores["closure_recall"])


def test_recall_looks_60_ms_around_the_center() -> None:
    # M is centered at 0.45 s: frames 10 to 12 (0.40 to 0.48 s). B at 0.75 s: frames 18 to 20.
    assert lips.closure_recall(_opening(), 25, PHONES) == 0
    assert lips.closure_recall(_opening(10, 18), 25, PHONES) == 1
    assert lips.closure_recall(_opening(12, 17), 25, PHONES) == 0.5
    assert lips.closure_recall(_opening(9, 21), 25, PHONES) == 0


def test_recall_takes_the_nearest_frame_when_frames_are_rare() -> None:
    # At 5 fps frames start at 0.4 and 0.6 s, M's window is 0.39 to 0.51; B's 0.69 to 0.81.
    opening = np.array([5, 5, 0.4, 5, 0.4, 5]) * MM
    assert lips.bilabial_closures(opening, 5, PHONES).tolist() == [True, True]
    opening = np.array([5, 5, 5, 5, 0.4, 5]) * MM
    assert lips.bilabial_closures(opening, 2.5, PHONES).tolist() == [False, False]


def test_precision_by_hand() -> None:
    # In the first pause, in an "aa", in M, in an "aa", and 20 ms before B until inside B.
    opening = _opening(0, 1, 2, 3, 4, 7, 11, 14, 17)
    assert lips.explained_closures(opening, 25, PHONES).tolist() == [False, True, False, True]
    assert lips.closure_precision(opening, 25, PHONES) == 0.5


def test_a_closure_that_runs_into_a_pause_is_explained_and_one_inside_is_not_counted() -> None:
    assert lips.explained_closures(_opening(23, 24, 25), 25, PHONES).tolist() == [True]
    assert lips.explained_closures(_opening(25, 26), 25, PHONES).tolist() == []
    assert np.isnan(lips.closure_precision(_opening(25, 26), 25, PHONES))


def test_no_bilabials_are_nan_and_those_after_the_end_are_left_out() -> None:
    vowel = Phones(("AA",), np.array([0.0]), np.array([1.0]))
    assert np.isnan(lips.closure_recall(_opening(), 25, vowel))
    assert lips.bilabial_closures(_opening(11)[:15], 25, PHONES).tolist() == [True]


def test_correlation_by_hand() -> None:
    ramp = np.array([0.0, 1, 2, 3])
    assert lips.mouth_opening_correlation(ramp, 5 + 2 * ramp) == pytest.approx(1)
    assert lips.mouth_opening_correlation(ramp, -ramp) == pytest.approx(-1)
    quarter_turn = np.array([1.0, 0, -1, 0]), np.array([0.0, 1, 0, -1])
    assert lips.mouth_opening_correlation(*quarter_turn) == pytest.approx(0)
    assert np.isnan(lips.mouth_opening_correlation(ramp, np.full(4, 0.003, np.float32)))


def _talk(times: np.ndarray) -> np.ndarray:
    return np.sin(2 * np.pi * 1.3 * times) + 0.7 * np.sin(2 * np.pi * 2.9 * times + 1)


@given(delay=st.floats(-0.3, 0.3), fps=st.sampled_from([25.0, 30.0, 60.0]))
def test_lag_finds_a_known_delay_below_a_frame(delay: float, fps: float) -> None:
    times = np.arange(round(8 * fps)) / fps
    lag = lips.mouth_opening_lag_ms(_talk(times), _talk(times - delay), fps)
    assert lag == pytest.approx(1000 * delay, abs=2.0)
    back = lips.mouth_opening_lag_ms(_talk(times - delay), _talk(times), fps)
    assert back == pytest.approx(-lag, abs=1e-6)


def test_lag_of_nothing_is_nan() -> None:
    times = np.arange(100) / 25
    assert np.isnan(lips.mouth_opening_lag_ms(_talk(times), np.zeros(100), 25))
    assert np.isnan(lips.mouth_opening_lag_ms(_talk(times)[:20], _talk(times)[:20], 25))


def test_messages_tell_what_does_not_fit() -> None:
    head, motion = toy_head(), toy_motion(30)
    with pytest.raises(MotionError, match="30 and 29 frames; cut both"):
        lips.evaluate(head, motion, motion.cut(0, 29 / 25))
    with pytest.raises(MotionError, match="25 and 30 fps; resample one"):
        lips.evaluate(head, motion, toy_motion(30, fps=30))
    other = Motion(np.zeros((29, 56), np.float32), layout=flame_layout())
    with pytest.raises(MotionError, match=r"'arkit' and 'flame'; convert.*30 and 29 frames"):
        lips.evaluate(head, motion, other)
    nothing = Regions(np.zeros(0, int), np.zeros((0, 2), int), np.arange(3))
    bare = BlendshapeHead(**{**vars(head), "regions": nothing})
    with pytest.raises(AssetError, match="no vertices in region lips, inner_lip_pairs"):
        lips.evaluate(bare, motion, motion)
