"""Lips that close on p, b and m."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinevox.closures import closure, with_lips_closed
from kinevox.motion import ARKIT, Motion
from kinevox.phones import Phones
from kinevox.strengths import lip_opening


def _talking(seed: int, frames: int = 50) -> Motion:
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0, 0.6, (frames, ARKIT.num_channels)).astype(np.float32)
    motion = Motion(weights, 25.0, ARKIT)
    return motion.with_channels(mouthClose=np.minimum(motion["mouthClose"], motion["jawOpen"]))


def _phones(*labels: str) -> Phones:
    times = 0.2 * np.arange(len(labels) + 1)
    return Phones(labels, times[:-1], times[1:])


@given(st.integers(0, 2**31))
@settings(max_examples=30, deadline=None)
def test_closed_lips_touch(seed: int) -> None:
    motion = with_lips_closed(_talking(seed), np.ones(50))
    assert np.abs(lip_opening(motion)).max() < 1e-4
    assert (motion["mouthClose"] <= motion["jawOpen"] + 1e-6).all()


@given(st.integers(0, 2**31), st.floats(0.05, 0.95))
@settings(max_examples=30, deadline=None)
def test_half_closed_lips_are_half_as_far_apart(seed: int, share: float) -> None:
    before = _talking(seed)
    after = with_lips_closed(before, np.full(50, share))
    expected = (1 - share) * np.maximum(lip_opening(before), 0)
    assert np.allclose(lip_opening(after), expected, atol=1e-3)


def test_nothing_changes_elsewhere() -> None:
    before = _talking(0)
    closed = np.zeros(50)
    closed[20:25] = 1
    after = with_lips_closed(before, closed)
    free = closed == 0
    assert np.array_equal(before.values[free], after.values[free])
    changed = {name for name in ARKIT.names if not np.array_equal(before[name], after[name])}
    assert changed <= {
        "jawOpen", "mouthClose", "mouthFunnel", "mouthLowerDownLeft", "mouthLowerDownRight",
        "mouthUpperUpLeft", "mouthUpperUpRight",
    }  # fmt: skip


@pytest.mark.parametrize("label", ["P", "B", "M"])
def test_each_closes_for_a_frame(label: str) -> None:
    times = np.arange(25) / 25
    closed = closure(_phones("AA", label, "AA"), times, 25.0)
    assert closed.max() == pytest.approx(1, abs=1e-6)
    assert closed[times < 0.1].max() == 0
    assert closed[times > 0.5].max() == 0


def test_others_do_not_close() -> None:
    assert not closure(_phones("AA", "N", "F", "SIL"), np.arange(25) / 25, 25.0).any()
